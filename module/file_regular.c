// SPDX-License-Identifier: GPL-2.0-only
/* Type of open file: regular files. Their content is not in the image. */

#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/minmax.h>
#include <linux/stat.h>
#include <linux/time64.h>

#include "file_types.h"
#include "image_read.h"
#include "restorer.h"
#include "saver.h"

static bool recognise(struct ckpt_saver *s, const struct file *file)
{
	return S_ISREG(file_inode(file)->i_mode);
}

static int save(struct ckpt_saver *s, const struct ckpt_fd *f, struct ckpt_image_file *i,
		struct ckpt_file_own *own)
{
	struct kstat st;
	int err =
		vfs_getattr(&f->file->f_path, &st, STATX_SIZE | STATX_MTIME, AT_STATX_SYNC_AS_STAT);

	if (err) {
		ckpt_save_refuse(s, "file", "fd %u: %s: no attributes: error %d", f->fd, i->path,
				 -err);
		return 0;
	}
	i->size = st.size;
	i->mtime = timespec64_to_ns(&st.mtime);
	return 0;
}

/*
 * What was written since the save is written again by the job: at its own position that does no
 * harm, but appended it would be there twice. Bytes that the job has passed must be there.
 */
static int check_size(struct ckpt_restorer *r, const struct ckpt_image_file *i,
		      const struct file *file)
{
	static const char grown[] =
		"%s: %llu bytes since the save would come twice: keep a copy, truncate -s %llu %s";
	bool appends = (i->flags & O_APPEND) && (file->f_mode & FMODE_WRITE);
	u64 need = appends ? i->size : min(i->position, i->size);
	struct kstat st;
	u64 now;
	int err = vfs_getattr(&file->f_path, &st, STATX_SIZE, AT_STATX_SYNC_AS_STAT);

	if (err)
		return ckpt_restore_error(r, err, "%s: no attributes: error %d", i->path, -err);
	now = st.size;
	if (now >= need && (!appends || now == i->size))
		return 0;
	if (now < need)
		return ckpt_restore_error(r, -ESTALE,
					  "%s: cut to %llu bytes since the save: needs %llu",
					  i->path, now, need);
	return ckpt_restore_error(r, -ESTALE, grown, i->path, now - i->size, i->size, i->path);
}

static struct file *open(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_file *i = rec->data;
	struct file *file = ckpt_file_open_path(r, i, S_IFREG);
	int err;

	if (IS_ERR(file))
		return file;
	err = check_size(r, i, file);
	if (!err)
		return file;
	fput(file);
	return ERR_PTR(err);
}

const struct ckpt_file_type ckpt_file_regular = {
	.type = CKPT_FILE_REGULAR,
	.has_path = true,
	.recognise = recognise,
	.save = save,
	.open = open,
};
