// SPDX-License-Identifier: GPL-2.0-only
/* Type of open file: ends of pipes. The pipe kind opens them together with their pipe. */

#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/stat.h>

#include "file_types.h"
#include "image_read.h"
#include "objtab.h"
#include "restorer.h"
#include "saver.h"

static bool recognise(struct ckpt_saver *s, const struct file *file)
{
	const struct inode *inode = file_inode(file);

	return S_ISFIFO(inode->i_mode) && inode->i_sb->s_magic == PIPEFS_MAGIC;
}

static int save(struct ckpt_saver *s, const struct ckpt_fd *f, struct ckpt_image_file *i,
		struct ckpt_file_own *own)
{
	bool is_new;
	int id = ckpt_objtab_id(&s->objects, f->file->private_data, &is_new);

	if (id < 0)
		return id;
	i->object = id;
	return 0;
}

static int verify(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_file *i = rec->data;

	if (ckpt_restore_object(r, CKPT_REC_PIPE, i->object))
		return 0;
	return ckpt_restore_error(r, -EBADMSG, "%s: bad object %u", i->path, i->object);
}

const struct ckpt_file_type ckpt_file_pipe = {
	.type = CKPT_FILE_PIPE,
	.recognise = recognise,
	.save = save,
	.verify = verify,
};
