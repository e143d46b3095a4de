// SPDX-License-Identifier: GPL-2.0-only
/* Type of open file: character devices without a state. */

#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/major.h>
#include <linux/stat.h>

#include "file_types.h"
#include "image_read.h"
#include "restorer.h"

static bool is_plain(dev_t rdev)
{
	switch (rdev) {
	case MKDEV(MEM_MAJOR, 3): /* null */
	case MKDEV(MEM_MAJOR, 5): /* zero */
	case MKDEV(MEM_MAJOR, 7): /* full */
	case MKDEV(MEM_MAJOR, 8): /* random */
	case MKDEV(MEM_MAJOR, 9): /* urandom */
		return true;
	}
	return false;
}

static bool recognise(struct ckpt_saver *s, const struct file *file)
{
	const struct inode *inode = file_inode(file);

	return S_ISCHR(inode->i_mode) && is_plain(inode->i_rdev);
}

static int save(struct ckpt_saver *s, const struct ckpt_fd *f, struct ckpt_image_file *i,
		struct ckpt_file_own *own)
{
	i->major = MAJOR(file_inode(f->file)->i_rdev);
	i->minor = MINOR(file_inode(f->file)->i_rdev);
	return 0;
}

static int verify(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_file *i = rec->data;

	if (is_plain(MKDEV(i->major, i->minor)) && !i->object)
		return 0;
	return ckpt_restore_error(r, -EBADMSG, "%s: unknown device %u:%u", i->path, i->major,
				  i->minor);
}

static struct file *open(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	return ckpt_file_open_path(r, rec->data, S_IFCHR);
}

const struct ckpt_file_type ckpt_file_device = {
	.type = CKPT_FILE_DEVICE,
	.has_path = true,
	.recognise = recognise,
	.save = save,
	.verify = verify,
	.open = open,
};
