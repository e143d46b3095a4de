// SPDX-License-Identifier: GPL-2.0-only
/* Saving VMAs: a record for each, a refusal for what cannot be mapped again. */

#include "vma_save.h"

#include <linux/err.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/stat.h>
#include <linux/string.h>

#include "compat.h"
#include "inherit.h"
#include "kinds.h"
#include "mapfile.h"
#include "saver.h"
#include "shm.h"
#include "sysv_shm.h"
#include "vdso.h"
#include "vma_flags.h"
#include "vma_list.h"

#define KIND "vma"

/* What a record says beside the range, as it is found out. */
struct found {
	u32 kind;
	u32 id; /* of the record, when it is the first that maps the file */
	u32 object;
	struct ckpt_image_mapped_file file;
	char *path;
};

/* A name for messages: the path, freed by the caller, or what else there is. */
static void refuse(struct ckpt_saver *s, const struct ckpt_vma *v, const char *path,
		   const char *why)
{
	if (path)
		ckpt_save_refuse(s, KIND, "%lx-%lx (%s): %s", v->start, v->end, path, why);
	else
		ckpt_save_refuse(s, KIND, "%lx-%lx: %s", v->start, v->end, why);
}

/* Whether the flags are all known, and those that can be set again. */
static bool check_flags(struct ckpt_saver *s, const struct ckpt_vma *v, const char *path)
{
	vm_flags_t unknown = ckpt_vma_flags_unknown(v->flags);
	const char *why = ckpt_vma_flags_refused(v->flags);

	if (v->uffd)
		why = "userfaultfd: unregister it before the save";
	else if (!why && v->pkey)
		why = "protection key: cannot be saved: remove it (pkey_mprotect) before the save";
	else if (!why && v->policy)
		why = "NUMA policy: cannot be saved: remove it (mbind) before the save";
	else if (!why && v->foreign)
		why = "mapping of a driver: cannot be saved: unmap it before the save";
	if (why) {
		refuse(s, v, path, why);
		return false;
	}
	if (!unknown)
		return true;
	ckpt_save_refuse(s, KIND, "%lx-%lx: flags 0x%lx: not known: unmap it before the save",
			 v->start, v->end, unknown);
	return false;
}

/* What a mapped file is that has no use for a path, or NULL. */
static const char *check_file(const struct ckpt_vma *v, const struct ckpt_image_mapped_file *m)
{
	const struct inode *inode = file_inode(v->file);

	if (inode->i_sb->s_magic == SECRETMEM_MAGIC)
		return "secret memory: cannot be saved: unmap it before the save";
	if (IS_DAX(inode))
		return "DAX: cannot be saved: unmap it before the save";
	if (m->mode == S_IFREG)
		return NULL;
	/* Memory of /dev/zero is anonymous, apart from its name. */
	if (m->mode == S_IFCHR && v->anonymous)
		return NULL;
	return "not a regular file: cannot be saved: unmap it before the save";
}

/* Mappings of one file share one open file when they are restored, if they need the same access. */
static const void *file_key(const struct ckpt_vma *v)
{
	bool write = (v->flags & VM_MAYSHARE) && (v->flags & VM_MAYWRITE);

	/* No object lies at an odd address. */
	return (const char *)ckpt_file_path(v->file)->dentry + (write ? 3 : 1);
}

static int save_file(struct ckpt_saver *s, const struct ckpt_vma *v, struct found *f)
{
	const char *why = NULL, *special;
	bool is_new;
	int err, id;

	f->kind = CKPT_VMA_FILE;
	err = ckpt_mapfile_describe(v->file, &f->path, &f->file, &why);
	if (err && err != -EOPNOTSUPP)
		return err;
	if (!check_flags(s, v, f->path))
		return 0;
	/* What a file is tells more than that no path leads to it. */
	special = check_file(v, &f->file);
	if (special || why) {
		refuse(s, v, f->path, special ?: why);
		return 0;
	}
	if ((v->flags & VM_SHARED) && ckpt_file_is_named_shm(v->file)) {
		err = ckpt_shm_id(s, v->file);
		if (err < 0)
			return err;
	}
	id = ckpt_objtab_id(&s->objects, file_key(v), &is_new);
	if (id < 0)
		return id;
	f->object = id;
	f->id = is_new ? id : 0;
	return 0;
}

static int keep_name(const struct ckpt_vma *v, struct found *f)
{
	f->path = kstrdup(v->name, GFP_KERNEL);
	return f->path ? 0 : -ENOMEM;
}

static int save_shm(struct ckpt_saver *s, const struct ckpt_vma *v, struct found *f)
{
	int id = ckpt_shm_id(s, v->file);

	if (id < 0)
		return id;
	f->kind = CKPT_VMA_SHM;
	f->object = id;
	check_flags(s, v, v->file->f_path.dentry->d_iname);
	return keep_name(v, f);
}

static int save_segment(struct ckpt_saver *s, const struct ckpt_vma *v, struct found *f)
{
	int id = ckpt_sysv_shm_id(s, v->file);

	if (id < 0)
		return id;
	f->kind = CKPT_VMA_SYSV;
	f->object = id;
	check_flags(s, v, v->file->f_path.dentry->d_iname);
	return 0;
}

static int save_special(struct ckpt_saver *s, const struct ckpt_vma *v, struct found *f)
{
	f->kind = CKPT_VMA_SPECIAL;
	if (!ckpt_vdso_is_part(v->name))
		refuse(s, v, v->name, "made by the kernel: cannot be saved");
	return keep_name(v, f);
}

static int find_out(struct ckpt_saver *s, const struct ckpt_vma *v, struct found *f)
{
	if (v->special)
		return save_special(s, v, f);
	if (v->file && ckpt_file_is_sysv_shm(v->file))
		return save_segment(s, v, f);
	if (v->file && ckpt_file_is_shm(v->file))
		return save_shm(s, v, f);
	if (v->file)
		return save_file(s, v, f);
	f->kind = CKPT_VMA_ANON;
	check_flags(s, v, NULL);
	return keep_name(v, f);
}

static int add_record(struct ckpt_saver *s, struct ckpt_space_list *l, const struct ckpt_vma *v,
		      const struct found *f)
{
	/* The path of a file stands in the first record alone. */
	const char *path = f->path && (f->id || f->kind != CKPT_VMA_FILE) ? f->path : "";
	struct ckpt_image_vma *out;

	out = ckpt_save_record(s, &ckpt_kind_vma, 0, f->id, sizeof(*out) + strlen(path) + 1);
	if (IS_ERR(out))
		return PTR_ERR(out);
	out->start = v->start;
	out->end = v->end;
	out->kind = f->kind;
	out->prot = ckpt_vma_prot(v->flags);
	/* The kernel gives its own mappings their flags. */
	if (f->kind != CKPT_VMA_SPECIAL)
		out->flags = ckpt_vma_flags(v->flags);
	if (f->object)
		out->offset = v->offset;
	out->object = f->object;
	out->file = f->file;
	memcpy(out->path, path, strlen(path));
	l->vmas[l->nr++] = out;
	return 0;
}

int ckpt_vma_save(struct ckpt_saver *s)
{
	struct ckpt_space_list *space;
	struct ckpt_vma_list list;
	unsigned int i;
	int err;

	err = ckpt_vma_list_get(&list, s->mm);
	if (err)
		return err;
	space = ckpt_inherit_list(s, list.nr);
	if (!space)
		err = -ENOMEM;
	for (i = 0; i < list.nr && !err; i++) {
		struct found f = {};

		err = find_out(s, &list.vmas[i], &f);
		if (!err)
			err = add_record(s, space, &list.vmas[i], &f);
		kfree(f.path);
		if (fatal_signal_pending(current))
			err = -EINTR;
		cond_resched();
	}
	ckpt_vma_list_put(&list);
	return err;
}
