// SPDX-License-Identifier: GPL-2.0-only
/* The table of types of open files, and what several of them need. */

#include "file_types.h"

#include <linux/dcache.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/stat.h>
#include <linux/string.h>

#include "path.h"
#include "restorer.h"

static const struct ckpt_file_type *const types[] = {
	&ckpt_file_shm,	    &ckpt_file_regular, &ckpt_file_directory, &ckpt_file_device,
	&ckpt_file_ptmx,    &ckpt_file_pts,	&ckpt_file_tty,	      &ckpt_file_pipe,
	&ckpt_file_eventfd, &ckpt_file_timerfd, &ckpt_file_signalfd,  &ckpt_file_epoll,
	&ckpt_file_socket,
};

const struct ckpt_file_type *ckpt_file_type_of(struct ckpt_saver *s, const struct file *file)
{
	unsigned int i;

	if (file->f_mode & FMODE_PATH)
		return NULL;
	for (i = 0; i < ARRAY_SIZE(types); i++)
		if (types[i]->recognise(s, file))
			return types[i];
	return NULL;
}

const struct ckpt_file_type *ckpt_file_type_find(u32 type)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(types); i++)
		if (types[i]->type == type)
			return types[i];
	return NULL;
}

void *ckpt_file_own_alloc(struct ckpt_file_own *own, size_t len)
{
	own->data = kvzalloc(len, GFP_KERNEL);
	own->len = own->data ? len : 0;
	return own->data ?: ERR_PTR(-ENOMEM);
}

struct ckpt_file_own ckpt_file_own(const struct ckpt_record *rec)
{
	const struct ckpt_image_file *i = rec->data;
	size_t offset = sizeof(*i) + ALIGN(i->path_len, 4);

	if (offset >= rec->len)
		return (struct ckpt_file_own){};
	return (struct ckpt_file_own){ .data = (void *)rec->data + offset,
				       .len = rec->len - offset };
}

bool ckpt_file_is_anon(const struct file *file, const char *name)
{
	const struct dentry *dentry = file->f_path.dentry;

	return dentry->d_sb->s_magic == ANON_INODE_FS_MAGIC && !strcmp(dentry->d_name.name, name);
}

/* A device has no place to go to. */
static int seek(struct ckpt_restorer *r, const struct ckpt_image_file *i, struct file *file)
{
	if (S_ISCHR(file_inode(file)->i_mode)) {
		file->f_pos = i->position;
		return 0;
	}
	if (file->f_pos == i->position || vfs_llseek(file, i->position, SEEK_SET) == i->position)
		return 0;
	return ckpt_restore_error(r, -ESTALE, "%s: position %llu cannot be set", i->path,
				  i->position);
}

struct file *ckpt_file_open_path(struct ckpt_restorer *r, const struct ckpt_image_file *i,
				 umode_t mode)
{
	struct file *file = ckpt_path_open(r, i->path, i->flags, mode, MKDEV(i->major, i->minor));
	int err;

	if (IS_ERR(file))
		return file;
	err = seek(r, i, file);
	if (!err)
		return file;
	fput(file);
	return ERR_PTR(err);
}
