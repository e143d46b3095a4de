// SPDX-License-Identifier: GPL-2.0-only
/* Kind: open file descriptions. What is special to a type of file is a row of file_types.c. */

#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/major.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/stat.h>
#include <linux/string.h>

#include "compat.h"
#include "fds.h"
#include "file_types.h"
#include "kinds.h"
#include "path.h"
#include "restorer.h"
#include "saver.h"

static bool is_of_terminal(dev_t rdev)
{
	unsigned int major = MAJOR(rdev);

	return major == TTY_MAJOR || major == TTYAUX_MAJOR ||
	       (major >= UNIX98_PTY_MASTER_MAJOR &&
		major < UNIX98_PTY_SLAVE_MAJOR + UNIX98_PTY_MAJOR_COUNT);
}

/* What a file is that no type fits. */
static const char *unknown_obstacle(const struct inode *inode, const char *name)
{
	switch (inode->i_mode & S_IFMT) {
	case S_IFSOCK:
		return "sockets are not supported";
	case S_IFIFO:
		return "named pipes are not supported";
	case S_IFBLK:
		return "block devices are not supported";
	case S_IFCHR:
		return is_of_terminal(inode->i_rdev) ?
			       "only the controlling terminal of the job is supported" :
			       "this device is not supported";
	}
	/* Nobody knows it by this name. */
	if (!strcmp(name, "anon_inode:[eventpoll]"))
		return "epoll is not supported";
	return "this kind of descriptor is not supported";
}

/* What keeps a description from being brought back, or NULL. */
static const char *obstacle(const struct file *file, const struct ckpt_file_type *type,
			    const char *name)
{
	if (file->f_mode & FMODE_PATH)
		return "opened with O_PATH, which is not supported";
	if (!type)
		return unknown_obstacle(file_inode(file), name);
	if (file->f_flags & FASYNC || ckpt_file_has_owner(file))
		return "set to send signals or leased, which is not supported";
	if (file->f_flags & __O_TMPFILE)
		return "opened with O_TMPFILE, which is not supported";
	if ((file->f_flags & O_ACCMODE) == O_ACCMODE)
		return "open for neither reading nor writing, which is not supported";
	if (file->f_flags & ~(CKPT_FILE_KNOWN_FLAGS | O_CLOEXEC))
		return "opened with a flag that is not supported";
	if (!type->has_path)
		return NULL;
	if (ckpt_path_is_internal(&file->f_path))
		return "this kind of descriptor is not supported";
	if (ckpt_path_is_pseudo(&file->f_path))
		return "in a file system that the kernel makes up";
	return ckpt_path_obstacle(&file->f_path, name);
}

static int save_file(struct ckpt_saver *s, const struct ckpt_fd *f, const char *name)
{
	const struct ckpt_file_type *type = ckpt_file_type_of(s, f->file);
	const char *why = obstacle(f->file, type, name);
	struct ckpt_image_file *i;
	size_t len = strlen(name) + 1;

	if (why) {
		ckpt_save_refuse(s, "file", "fd %u: %s: %s: close it before the save", f->fd, name,
				 why);
		return 0;
	}
	i = ckpt_save_record(s, &ckpt_kind_file, 0, f->id, sizeof(*i) + len);
	if (IS_ERR(i))
		return PTR_ERR(i);
	i->type = type->type;
	i->flags = f->file->f_flags & CKPT_FILE_KNOWN_FLAGS;
	i->position = f->file->f_pos;
	memcpy(i->path, name, len);
	return type->save ? type->save(s, f, i) : 0;
}

static int save(struct ckpt_saver *s)
{
	struct ckpt_fds *list = ckpt_fds_of(s);
	struct ckpt_fd *f;
	char *name;
	int err = 0;

	ckpt_for_each_file(f, list) {
		name = ckpt_path_name(&f->file->f_path);
		if (IS_ERR(name)) {
			err = PTR_ERR(name);
			break;
		}
		err = save_file(s, f, name);
		kfree(name);
		if (err)
			break;
		cond_resched();
	}
	return err;
}

static int verify(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_file *i = rec->data;
	const struct ckpt_file_type *type = ckpt_file_type_find(i->type);

	if (!rec->id || !ckpt_image_is_text(i->path, rec->len - sizeof(*i)))
		return ckpt_restore_error(r, -EBADMSG, "file %u: no id or no name", rec->id);
	if (!type)
		return ckpt_restore_error(r, -EOPNOTSUPP, "%s: unknown type %u", i->path, i->type);
	if (i->flags & ~CKPT_FILE_KNOWN_FLAGS || (i->flags & O_ACCMODE) == O_ACCMODE)
		return ckpt_restore_error(r, -EOPNOTSUPP, "%s: unknown flags 0x%x", i->path,
					  i->flags);
	if (type->has_path && i->path[0] != '/')
		return ckpt_restore_error(r, -EBADMSG, "%s: not an absolute path", i->path);
	if (i->position > S64_MAX || i->size > S64_MAX)
		return ckpt_restore_error(r, -EBADMSG, "%s: bad position or size", i->path);
	if (i->reserved || (!type->verify && i->object))
		return ckpt_restore_error(r, -EBADMSG, "%s: bad object %u", i->path, i->object);
	return type->verify ? type->verify(r, rec) : 0;
}

static int open(struct ckpt_restorer *r)
{
	const struct ckpt_record *rec;
	int err;

	ckpt_for_each_shared_record_of(rec, r, CKPT_REC_FILE) {
		const struct ckpt_image_file *i = rec->data;
		const struct ckpt_file_type *type = ckpt_file_type_find(i->type);
		struct file *file;

		if (!type->open)
			continue;
		file = type->open(r, rec);
		if (IS_ERR(file))
			return PTR_ERR(file);
		err = ckpt_objtab_put_file(r->objects, rec->id, file);
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

const struct ckpt_kind ckpt_kind_file = {
	.name = "file",
	.type = CKPT_REC_FILE,
	.version = 1,
	.oldest = 1,
	.min_len = sizeof(struct ckpt_image_file) + 1,
	.count = CKPT_ANY,
	.shared = true,
	.save = save,
	.verify = verify,
	.open = open,
};
