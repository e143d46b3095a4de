// SPDX-License-Identifier: GPL-2.0-only
/* Type of open file: memfds. The shm kind makes the object. */

#include <linux/cred.h>
#include <linux/err.h>
#include <linux/fs.h>

#include "file_types.h"
#include "image_read.h"
#include "objtab.h"
#include "restorer.h"
#include "saver.h"
#include "shm.h"

static bool recognise(struct ckpt_saver *s, const struct file *file)
{
	return ckpt_file_is_shm(file);
}

static int save(struct ckpt_saver *s, const struct ckpt_fd *f, struct ckpt_image_file *i,
		struct ckpt_file_own *own)
{
	int id = ckpt_shm_id(s, f->file);

	if (id < 0)
		return id;
	i->object = id;
	return 0;
}

static int verify(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_file *i = rec->data;

	if (ckpt_restore_object(r, CKPT_REC_SHM, i->object))
		return 0;
	return ckpt_restore_error(r, -EBADMSG, "%s: bad object %u", i->path, i->object);
}

static struct file *open(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_file *i = rec->data;
	const struct file *object = ckpt_objtab_file(r->objects, i->object);
	struct file *file;

	if (!object)
		return ERR_PTR(ckpt_restore_error(r, -EBADMSG, "%s: not made", i->path));
	file = dentry_open(&object->f_path, i->flags, current_cred());
	if (IS_ERR(file))
		ckpt_restore_error(r, PTR_ERR(file), "%s: cannot be opened: error %ld", i->path,
				   -PTR_ERR(file));
	else
		file->f_pos = i->position;
	return file;
}

const struct ckpt_file_type ckpt_file_shm = {
	.type = CKPT_FILE_SHM,
	.recognise = recognise,
	.save = save,
	.verify = verify,
	.open = open,
};
