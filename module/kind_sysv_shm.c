// SPDX-License-Identifier: GPL-2.0-only
/* State kind: System V shared memory segments. Their content is an object of the kind shm. */

#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>

#include "kinds.h"
#include "restorer.h"
#include "saver.h"
#include "shm.h"
#include "sysv.h"
#include "sysv_shm.h"

static int save_job(struct ckpt_saver *s)
{
	return ckpt_sysv_shm_save_detached(s);
}

static int verify(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_sysv_shm *i = rec->data;
	int err = ckpt_sysv_verify(r, rec, &ckpt_sysv_shm_type, 0777 | CKPT_SHM_DEST);

	if (!err && (i->reserved || !i->size || i->size > MAX_LFS_FILESIZE))
		err = ckpt_restore_error(r, -EBADMSG, "image: segment %d: bad size", i->sysv.id);
	return err;
}

static int verify_all(struct ckpt_restorer *r)
{
	const struct ckpt_record *rec, *content;

	ckpt_for_each_shared_record_of(rec, r, CKPT_REC_SYSV_SHM) {
		const struct ckpt_image_sysv_shm *i = rec->data;
		const struct ckpt_image_shm *shm;

		content = ckpt_restore_object(r, CKPT_REC_SHM, i->object);
		shm = content ? content->data : NULL;
		if (!shm || shm->size != i->size || !ckpt_shm_is_segment(shm->name))
			return ckpt_restore_error(r, -EBADMSG, "image: segment %d: no content",
						  i->sysv.id);
	}
	return 0;
}

/* The segment gets what the kind shm has made and the pages of the image fill. */
static int give_content(struct ckpt_sysv_object *o, struct file *file)
{
	struct kern_ipc_perm *perm;
	struct ckpt_ipc_shm *shm;

	perm = ckpt_sysv_lock(o);
	if (!perm)
		return -EIDRM;
	shm = container_of(perm, struct ckpt_ipc_shm, perm);
	/* Maps show the inode number, by which programs know the segment. */
	file_inode(file)->i_ino = o->id;
	o->own = file;
	o->old = shm->file;
	shm->file = get_file(file);
	ckpt_sysv_unlock(o, perm);
	return 0;
}

static int open(struct ckpt_restorer *r)
{
	const struct ckpt_record *rec;

	ckpt_for_each_shared_record_of(rec, r, CKPT_REC_SYSV_SHM) {
		const struct ckpt_image_sysv_shm *i = rec->data;
		struct file *file = ckpt_objtab_file(r->objects, i->object);
		struct ckpt_sysv_object *o = ckpt_sysv_open(r, rec, &ckpt_sysv_shm_type);
		int err = IS_ERR(o) ? PTR_ERR(o) : file ? give_content(o, file) : -ENOENT;

		if (err)
			return err;
	}
	return 0;
}

/* What attaching it has changed is as it was. */
static int settle(struct ckpt_rjob *job)
{
	const struct ckpt_record *rec;

	ckpt_for_each_shared_record_of(rec, job->processes, CKPT_REC_SYSV_SHM) {
		const struct ckpt_image_sysv_shm *i = rec->data;
		struct ckpt_sysv_object *o = ckpt_sysv_object(job, rec->id);
		struct kern_ipc_perm *perm = o ? ckpt_sysv_lock(o) : NULL;
		struct ckpt_ipc_shm *shm;

		if (!perm)
			return ckpt_rjob_error(job, -EIDRM, "segment %d: was removed", i->sysv.id);
		shm = container_of(perm, struct ckpt_ipc_shm, perm);
		perm->mode = i->sysv.mode;
		shm->atim = i->atime;
		shm->dtim = i->dtime;
		shm->ctim = i->sysv.ctime;
		ckpt_sysv_set_pid(&shm->cprid, i->cpid);
		ckpt_sysv_set_pid(&shm->lprid, i->lpid);
		ckpt_sysv_unlock(o, perm);
	}
	return 0;
}

const struct ckpt_kind ckpt_kind_sysv_shm = {
	.name = "sysv_shm",
	.type = CKPT_REC_SYSV_SHM,
	.version = 1,
	.oldest = 1,
	.min_len = sizeof(struct ckpt_image_sysv_shm),
	.count = CKPT_ANY,
	.shared = true,
	.save_job = save_job,
	.verify = verify,
	.verify_all = verify_all,
	.open = open,
	.settle = settle,
};
