// SPDX-License-Identifier: GPL-2.0-only
/* State kind: the VMAs of the process. */

#include <linux/cred.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/utsname.h>
#include <asm/unistd.h>

#include "inherit.h"
#include "kinds.h"
#include "mapfile.h"
#include "restorer.h"
#include "sysv_shm.h"
#include "vdso.h"
#include "vma_flags.h"
#include "vma_list.h"
#include "vma_save.h"

#define KIND "vma"

#define MAX_VMAS (4 * 65530)
#define PROTS (PROT_READ | PROT_WRITE | PROT_EXEC)
/*
 * A process may have put together more memory than the machine would promise to it at once, so
 * large private ranges are mapped in pieces, which the kernel joins.
 */
#define PIECE SZ_1G

static int bad(struct ckpt_restorer *r, const struct ckpt_image_vma *v, const char *what)
{
	return ckpt_restore_error(r, -EBADMSG, "image: vma %llx-%llx: %s", v->start, v->end, what);
}

/* The lowest size that a mapped file must have, or -1 when it must not have changed at all. */
static s64 min_size(const struct ckpt_image_vma *v)
{
	if (!(v->flags & CKPT_VMA_MAYWRITE))
		return -1;
	return min_t(u64, v->file.size, v->offset + (v->end - v->start));
}

static bool flags_fit(const struct ckpt_image_vma *v)
{
	u32 flags = v->flags;

	if ((flags & CKPT_VMA_SHARED) && (v->kind == CKPT_VMA_ANON || v->file.mode == S_IFCHR))
		return false;
	if ((flags & CKPT_VMA_MAYWRITE) && !(flags & CKPT_VMA_SHARED))
		return false;
	if ((flags & CKPT_VMA_GROWSDOWN) && (flags & CKPT_VMA_SHARED))
		return false;
	if ((flags & CKPT_VMA_SHARED) && (v->prot & PROT_WRITE) && !(flags & CKPT_VMA_MAYWRITE))
		return false;
	return v->kind != CKPT_VMA_SPECIAL || !flags;
}

/* A name of PR_SET_VMA; the kernel checks its characters. */
static int verify_name(struct ckpt_restorer *r, const struct ckpt_image_vma *v)
{
	if (!v->path[0])
		return 0;
	if (strlen(v->path) >= CKPT_VMA_NAME_MAX)
		return bad(r, v, "name too long");
	if (IS_ENABLED(CONFIG_ANON_VMA_NAME))
		return 0;
	return ckpt_restore_error(r, -EOPNOTSUPP,
				  "image: vma %llx-%llx: names: this kernel %s has none", v->start,
				  v->end, utsname()->release);
}

static int verify_object(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_vma *v = rec->data;
	bool has_path = v->path[0];

	switch (v->kind) {
	case CKPT_VMA_ANON:
		return v->object || rec->id ? bad(r, v, "anonymous, but with a file") :
					      verify_name(r, v);
	case CKPT_VMA_SPECIAL:
		return v->object || rec->id || !ckpt_vdso_is_part(v->path) ?
			       bad(r, v, "special, but not of the vDSO") :
			       0;
	case CKPT_VMA_SHM:
		return !v->object || rec->id ? bad(r, v, "without its object") : verify_name(r, v);
	case CKPT_VMA_SYSV:
		return !v->object || rec->id || !(v->flags & CKPT_VMA_SHARED) || v->path[0] ?
			       bad(r, v, "without its segment") :
			       0;
	case CKPT_VMA_FILE:
		if (!v->object || (rec->id && rec->id != v->object) || !rec->id == has_path ||
		    (has_path && v->path[0] != '/') || ckpt_mapfile_verify(&v->file))
			return bad(r, v, "without its file");
		return 0;
	default:
		return ckpt_restore_error(r, -EOPNOTSUPP,
					  "image: vma %llx-%llx: kind %u: not known to this module",
					  v->start, v->end, v->kind);
	}
}

static int verify(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_vma *v = rec->data;
	size_t room = rec->len - sizeof(*v);

	if (v->start >= v->end || v->end > TASK_SIZE || !PAGE_ALIGNED(v->start) ||
	    !PAGE_ALIGNED(v->end))
		return bad(r, v, "bad range");
	if (v->offset > MAX_LFS_FILESIZE - (v->end - v->start) || !PAGE_ALIGNED(v->offset))
		return bad(r, v, "bad offset");
	if (!room || strnlen(v->path, room) == room)
		return bad(r, v, "bad path");
	if ((v->prot & ~PROTS) || (v->flags & ~CKPT_VMA_FLAGS))
		return ckpt_restore_error(r, -EOPNOTSUPP,
					  "image: vma %llx-%llx: flags 0x%x, 0x%x: not known here",
					  v->start, v->end, v->prot, v->flags);
	if (!flags_fit(v))
		return bad(r, v, "flags that do not fit");
	return verify_object(r, rec);
}

static int verify_special(struct ckpt_restorer *r, const struct ckpt_image_vma *v)
{
	const struct ckpt_vdso_part *p = ckpt_vdso_find(&r->job->vdso, v->path);

	if (p && p->len == v->end - v->start && p->prot == v->prot)
		return 0;
	return ckpt_restore_error(r, -EOPNOTSUPP,
				  "%s: of kernel %s, not as on this kernel %s: restore there",
				  v->path, r->job->img.meta->release, utsname()->release);
}

/* What a mapping refers to must be there; the first mapping of a file in the job comes first. */
static int verify_reference(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_vma *v = rec->data;
	const struct ckpt_record *first;

	if (v->kind == CKPT_VMA_SHM && !ckpt_restore_object(r, CKPT_REC_SHM, v->object))
		return bad(r, v, "object not there");
	if (v->kind == CKPT_VMA_SYSV && !ckpt_restore_object(r, CKPT_REC_SYSV_SHM, v->object))
		return bad(r, v, "segment not there");
	if (v->kind == CKPT_VMA_SPECIAL)
		return verify_special(r, v);
	if (v->kind != CKPT_VMA_FILE)
		return 0;
	first = ckpt_restore_object(r, CKPT_REC_VMA, v->object);
	return first && first <= rec ? 0 : bad(r, v, "file not there");
}

static int verify_all(struct ckpt_restorer *r)
{
	const struct ckpt_record *rec;
	unsigned int nr = 0;
	u64 end = 0;
	int err = 0;

	ckpt_for_each_record_of(rec, r, CKPT_REC_VMA) {
		const struct ckpt_image_vma *v = rec->data;

		if (v->start < end)
			err = bad(r, v, "out of order");
		else if (nr++ >= MAX_VMAS)
			err = bad(r, v, "more than can be mapped");
		else
			err = verify_reference(r, rec);
		if (err)
			break;
		end = v->end;
		cond_resched();
	}
	return err;
}

static int open_file(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_vma *v = rec->data;
	struct file *file;

	file = ckpt_mapfile_open(r, v->path, &v->file, min_size(v),
				 v->flags & CKPT_VMA_MAYWRITE ? O_RDWR : O_RDONLY);
	if (IS_ERR(file))
		return PTR_ERR(file);
	return ckpt_objtab_put_file(r->objects, rec->id, file);
}

/* The first mapping of a file has had it looked at; this one may reach further. */
static int check_size(struct ckpt_restorer *r, const struct ckpt_image_vma *v)
{
	struct file *file = ckpt_objtab_file(r->objects, v->object);

	if (!file)
		return -ENOENT;
	if (i_size_read(file_inode(file)) >= min_size(v))
		return 0;
	return ckpt_restore_error(r, -ESTALE,
				  "memory %llx-%llx: the mapped file has been cut since the save",
				  v->start, v->end);
}

/* All files, before anything is unmapped. */
static int open_files(struct ckpt_restorer *r)
{
	const struct ckpt_record *rec;

	ckpt_for_each_record_of(rec, r, CKPT_REC_VMA) {
		const struct ckpt_image_vma *v = rec->data;
		int err = 0;

		if (rec->id)
			err = open_file(r, rec);
		else if (v->kind == CKPT_VMA_FILE)
			err = check_size(r, v);
		if (err)
			return err;
		if (fatal_signal_pending(current))
			return -EINTR;
	}
	return 0;
}

/* What to map, with a new reference; NULL for anonymous memory. */
static struct file *file_of(struct ckpt_restorer *r, const struct ckpt_image_vma *v)
{
	struct file *file;

	if (v->kind == CKPT_VMA_ANON)
		return NULL;
	file = ckpt_objtab_file(r->objects, v->object);
	if (!file)
		return ERR_PTR(-ENOENT);
	/* An object's own file could be written through, which a mapping must not gain. */
	if (v->kind == CKPT_VMA_SHM && !(v->flags & CKPT_VMA_MAYWRITE))
		return dentry_open(&file->f_path, O_RDONLY | O_LARGEFILE, current_cred());
	return get_file(file);
}

static unsigned long map_flags(const struct ckpt_image_vma *v)
{
	unsigned long flags = MAP_FIXED_NOREPLACE;

	flags |= v->flags & CKPT_VMA_SHARED ? MAP_SHARED : MAP_PRIVATE;
	if (v->kind == CKPT_VMA_ANON)
		flags |= MAP_ANONYMOUS;
	if (v->flags & CKPT_VMA_GROWSDOWN)
		flags |= MAP_GROWSDOWN;
	if (v->flags & CKPT_VMA_NORESERVE)
		flags |= MAP_NORESERVE;
	/* Here pages that cannot be had are no error, unlike with mlock(). */
	if ((v->flags & CKPT_VMA_LOCKED) && !(v->flags & CKPT_VMA_LOCKONFAULT))
		flags |= MAP_LOCKED;
	return flags;
}

static int map(struct ckpt_restorer *r, const struct ckpt_image_vma *v, struct file *file)
{
	unsigned long prot = ckpt_inherit_first_prot(v);
	bool in_pieces = !(v->flags & (CKPT_VMA_SHARED | CKPT_VMA_GROWSDOWN));
	unsigned long at = v->start;

	while (at < v->end) {
		unsigned long len = in_pieces ? min_t(u64, v->end - at, PIECE) : v->end - at;
		unsigned long offset = file ? v->offset + (at - v->start) : 0;
		unsigned long got = vm_mmap(file, at, len, prot, map_flags(v), offset);

		if (IS_ERR_VALUE(got) || got != at)
			return ckpt_restore_error(r, IS_ERR_VALUE(got) ? (int)got : -EEXIST,
						  "memory %llx-%llx: cannot be mapped: error %ld",
						  v->start, v->end, -(long)got);
		if (fatal_signal_pending(current))
			return -EINTR;
		at += len;
	}
	return 0;
}

/* Any part of a segment may be attached, which its attachment as a whole is needed for. */
static int map_segment(struct ckpt_restorer *r, const struct ckpt_image_vma *v)
{
	bool write = v->flags & CKPT_VMA_MAYWRITE;
	unsigned long at;
	struct file *file = ckpt_sysv_shm_attach(r, v->object, write, &at);
	int err;

	if (IS_ERR(file))
		return PTR_ERR(file);
	err = map(r, v, file);
	fput(file);
	ckpt_sysv_shm_detach(at);
	return err;
}

static int map_file(struct ckpt_restorer *r, const struct ckpt_image_vma *v)
{
	struct file *file = file_of(r, v);
	int err;

	if (IS_ERR(file))
		return PTR_ERR(file);
	err = map(r, v, file);
	if (file)
		fput(file);
	return err;
}

static int create(struct ckpt_restorer *r)
{
	const struct ckpt_record *rec;
	int err;

	ckpt_for_each_record_of(rec, r, CKPT_REC_VMA) {
		const struct ckpt_image_vma *v = rec->data;

		if (v->kind == CKPT_VMA_SPECIAL || (v->flags & CKPT_VMA_INHERITED))
			continue;
		err = v->kind == CKPT_VMA_SYSV ? map_segment(r, v) : map_file(r, v);
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

static int script_name(struct ckpt_restorer *r, const struct ckpt_image_vma *v)
{
	unsigned long name = ckpt_script_data(&r->script, v->path, strlen(v->path) + 1);

	if (IS_ERR_VALUE(name))
		return name;
	return ckpt_script_add(&r->script, __NR_prctl, PR_SET_VMA, PR_SET_VMA_ANON_NAME, v->start,
			       v->end - v->start, name, 0);
}

static int script_vma(struct ckpt_restorer *r, const struct ckpt_image_vma *v)
{
	struct ckpt_script *s = &r->script;
	u64 len = v->end - v->start;
	unsigned int i;
	int err = 0, advice;

	if (v->path[0] && v->kind != CKPT_VMA_FILE)
		err = script_name(r, v);
	if (!err && ckpt_inherit_first_prot(v) != v->prot)
		err = ckpt_script_add(s, __NR_mprotect, v->start, len, v->prot, 0, 0, 0);
	if (!err && (v->flags & CKPT_VMA_LOCKONFAULT))
		err = ckpt_script_add(s, __NR_mlock2, v->start, len, MLOCK_ONFAULT, 0, 0, 0);
	for (i = 0; !err && (advice = ckpt_vma_advice(v->flags, i)) >= 0; i++)
		err = ckpt_script_add(s, __NR_madvise, v->start, len, advice, 0, 0, 0);
	return err;
}

static int script(struct ckpt_restorer *r)
{
	const struct ckpt_record *rec;

	ckpt_for_each_record_of(rec, r, CKPT_REC_VMA) {
		const struct ckpt_image_vma *v = rec->data;
		int err = v->kind == CKPT_VMA_SPECIAL ? 0 : script_vma(r, v);

		if (err)
			return err;
	}
	return 0;
}

const struct ckpt_kind ckpt_kind_vma = {
	.name = KIND,
	.type = CKPT_REC_VMA,
	.version = 1,
	.oldest = 1,
	.min_len = sizeof(struct ckpt_image_vma),
	.count = CKPT_ANY,
	.part = CKPT_SHARE_MM,
	.save = ckpt_vma_save,
	.verify = verify,
	.verify_all = verify_all,
	.open = open_files,
	.create = create,
	.script = script,
};
