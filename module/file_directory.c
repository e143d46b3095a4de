// SPDX-License-Identifier: GPL-2.0-only
/* Type of open file: directories, perhaps in the middle of being read. */

#include <linux/fs.h>
#include <linux/stat.h>

#include "file_types.h"
#include "image_read.h"

static bool recognise(struct ckpt_saver *s, const struct file *file)
{
	return S_ISDIR(file_inode(file)->i_mode);
}

static struct file *open(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	return ckpt_file_open_path(r, rec->data, S_IFDIR);
}

const struct ckpt_file_type ckpt_file_directory = {
	.type = CKPT_FILE_DIRECTORY,
	.has_path = true,
	.recognise = recognise,
	.open = open,
};
