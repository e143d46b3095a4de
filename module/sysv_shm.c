// SPDX-License-Identifier: GPL-2.0-only
/* System V shared memory segments, for the kinds of mappings and of segments. */

#include "sysv_shm.h"

#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/ipc_namespace.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/rwsem.h>
#include <linux/string.h>
#include <linux/unistd.h>
#include <uapi/linux/shm.h>

#include "kinds.h"
#include "ksyms.h"
#include "restorer.h"
#include "saver.h"
#include "shm.h"
#include "sysv.h"

#define KIND "sysv_shm"

static struct ckpt_ipc_shm *segment_of(struct kern_ipc_perm *perm)
{
	return container_of(perm, struct ckpt_ipc_shm, perm);
}

static bool is_same(const struct kern_ipc_perm *perm, const void *data)
{
	const struct ckpt_ipc_shm *shm = container_of(perm, struct ckpt_ipc_shm, perm);
	const struct ckpt_image_sysv_shm *i = data;

	return shm->segsz == i->size && shm->ctim == i->sysv.ctime;
}

static pid_t user(struct kern_ipc_perm *perm)
{
	struct ckpt_ipc_shm *shm = segment_of(perm);

	return shm->nattch ? ckpt_shm_user(NULL, shm->file->f_mapping) ?: -1 : 0;
}

/* One that is removed already keeps its name, but nobody finds it by its key. */
static long make(const void *data)
{
	const struct ckpt_image_sysv_shm *i = data;

	return ckpt_syscall(__NR_shmget, i->sysv.key, i->size,
			    IPC_CREAT | IPC_EXCL | (i->sysv.mode & 0777), 0, 0);
}

/* One that was there gets its old content back when the restore has failed. */
static void forget(struct ckpt_sysv_object *o, bool restored)
{
	struct kern_ipc_perm *perm = restored || o->is_new ? NULL : ckpt_sysv_lock(o);

	if (perm) {
		if (o->old && segment_of(perm)->file == o->own)
			swap(segment_of(perm)->file, o->old);
		ckpt_sysv_unlock(o, perm);
	}
	if (o->old)
		fput(o->old);
}

const struct ckpt_sysv_type ckpt_sysv_shm_type = {
	.ids = CKPT_IPC_SHM,
	.name = "shared memory segment",
	.remover = "ipcrm -m",
	.is_same = is_same,
	.user = user,
	.make = make,
	.remove = ckpt_remove_shm,
	.forget = forget,
};

bool ckpt_file_is_sysv_shm(const struct file *file)
{
	/* An attachment has operations of its own. */
	return ckpt_file_is_shm(file) && file->f_op != file_inode(file)->i_fop &&
	       ckpt_shm_is_segment(file->f_path.dentry->d_iname);
}

/* Under the lock of the segment. */
static void describe(struct ckpt_image_sysv_shm *i, const struct ckpt_ipc_shm *shm)
{
	ckpt_sysv_describe(&i->sysv, &shm->perm, shm->ctim);
	i->size = shm->segsz;
	i->atime = shm->atim;
	i->dtime = shm->dtim;
	i->cpid = ckpt_sysv_pid(shm->cprid);
	i->lpid = ckpt_sysv_pid(shm->lprid);
}

static int save_segment(struct ckpt_saver *s, const struct ckpt_image_sysv_shm *i,
			struct file *file, u32 id)
{
	struct ckpt_image_sysv_shm *out;
	int object;

	if (file_inode(file)->i_sb->s_magic == HUGETLBFS_MAGIC) {
		ckpt_save_refuse(s, KIND, "segment %d: huge pages: remove it before the save",
				 i->sysv.id);
		return 0;
	}
	if (i->sysv.mode & CKPT_SHM_LOCKED)
		ckpt_save_refuse(s, KIND, "segment %d: SHM_LOCK: unlock it before the save",
				 i->sysv.id);
	object = ckpt_shm_id(s, file);
	if (object < 0)
		return object;
	out = ckpt_save_record(s, &ckpt_kind_sysv_shm, 0, id, sizeof(*out));
	if (IS_ERR(out))
		return PTR_ERR(out);
	*out = *i;
	out->object = object;
	return 0;
}

static const void *key_of(const struct inode *inode)
{
	/* No object lies at an odd address. */
	return (const char *)inode + 1;
}

/* What is to be found out may sleep: not under the lock of all segments. */
static int save_new(struct ckpt_saver *s, const struct inode *inode, u32 id)
{
	struct ipc_ids *ids = ckpt_sysv_ids(ckpt_sysv_ns(), &ckpt_sysv_shm_type);
	struct ckpt_image_sysv_shm i = {};
	struct kern_ipc_perm *perm;
	struct file *file = NULL;
	int err;

	down_read(&ids->rwsem);
	perm = ckpt_sysv_find(ids, inode->i_ino);
	if (perm) {
		spin_lock(&perm->lock);
		if (segment_of(perm)->file && file_inode(segment_of(perm)->file) == inode) {
			file = get_file(segment_of(perm)->file);
			describe(&i, segment_of(perm));
		}
		spin_unlock(&perm->lock);
	}
	up_read(&ids->rwsem);
	if (!file) {
		ckpt_save_refuse(s, KIND, "segment %lu: not of this IPC namespace: detach it",
				 inode->i_ino);
		return 0;
	}
	err = save_segment(s, &i, file, id);
	fput(file);
	return err;
}

static int id_of(struct ckpt_saver *s, const struct inode *inode)
{
	bool is_new;
	int id = ckpt_objtab_id(&s->objects, key_of(inode), &is_new);
	int err = 0;

	if (id > 0 && is_new)
		err = save_new(s, inode, id);
	return err ?: id;
}

int ckpt_sysv_shm_id(struct ckpt_saver *s, struct file *file)
{
	return id_of(s, file_inode(file));
}

/* The first one from an index on that a process of the job has made, referenced, or NULL. */
static struct file *next_made(struct ckpt_saver *s, struct ipc_ids *ids, int *index)
{
	struct kern_ipc_perm *perm;
	struct file *file = NULL;

	down_read(&ids->rwsem);
	while ((perm = idr_get_next(&ids->ipcs_idr, index)) && !file) {
		struct ckpt_ipc_shm *shm = segment_of(perm);

		(*index)++;
		spin_lock(&perm->lock);
		if (ckpt_sysv_is_member(s, shm->cprid))
			file = get_file(shm->file);
		spin_unlock(&perm->lock);
	}
	up_read(&ids->rwsem);
	return file;
}

int ckpt_sysv_shm_save_detached(struct ckpt_saver *s)
{
	struct ipc_ids *ids = ckpt_sysv_ids(ckpt_sysv_ns(), &ckpt_sysv_shm_type);
	struct file *file;
	int index = 0, id;

	while ((file = next_made(s, ids, &index))) {
		id = id_of(s, file_inode(file));
		fput(file);
		if (id < 0)
			return id;
		cond_resched();
	}
	return 0;
}

/* --- restore --- */

static struct file *mapped_at(unsigned long at, const struct ckpt_sysv_object *o)
{
	struct vm_area_struct *vma;
	struct file *file = NULL;

	mmap_read_lock(current->mm);
	vma = find_vma(current->mm, at);
	if (vma && vma->vm_start == at && vma->vm_file &&
	    file_inode(vma->vm_file) == file_inode(o->own))
		file = get_file(vma->vm_file);
	mmap_read_unlock(current->mm);
	return file;
}

struct file *ckpt_sysv_shm_attach(struct ckpt_restorer *r, u32 object, bool write,
				  unsigned long *at)
{
	const struct ckpt_sysv_object *o = ckpt_sysv_object(r->job, object);
	struct file *file;
	long got;

	if (!o || !o->own)
		return ERR_PTR(-ENOENT);
	got = ckpt_syscall(__NR_shmat, o->id, 0, write ? 0 : SHM_RDONLY, 0, 0);
	if (IS_ERR_VALUE(got)) {
		ckpt_restore_error(r, got, "segment %d: cannot be attached: error %ld", o->id,
				   -got);
		return ERR_PTR(got);
	}
	file = mapped_at(got, o);
	if (!file) {
		ckpt_sysv_shm_detach(got);
		return ERR_PTR(-EIDRM);
	}
	*at = got;
	return file;
}

void ckpt_sysv_shm_detach(unsigned long at)
{
	ckpt_syscall(__NR_shmdt, at, 0, 0, 0, 0);
}
