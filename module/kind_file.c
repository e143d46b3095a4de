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

/* What fcntl(F_SETFL) may have changed since a file was made. */
#define MAKE_FLAGS (O_APPEND | O_NONBLOCK | O_NOATIME)

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
	case S_IFIFO:
		return "named pipes are not supported";
	case S_IFBLK:
		return "block devices are not supported";
	case S_IFCHR:
		return is_of_terminal(inode->i_rdev) ?
			       "only the controlling terminal of the job is supported" :
			       "this device is not supported";
	}
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

/* The record with what its type has to add. */
static int add_completed(struct ckpt_saver *s, const struct ckpt_fd *f,
			 const struct ckpt_file_type *type, struct ckpt_image_file *i)
{
	size_t head = sizeof(*i) + ALIGN(i->path_len, 4);
	struct ckpt_file_own own = {};
	void *record;
	int err;

	err = type->save ? type->save(s, f, i, &own) : 0;
	if (!err) {
		record = ckpt_save_record(s, &ckpt_kind_file, 0, f->id, head + own.len);
		err = PTR_ERR_OR_ZERO(record);
	}
	if (!err) {
		memcpy(record, i, head);
		memcpy(record + head, own.data, own.len);
	}
	kvfree(own.data);
	return err;
}

static int add_record(struct ckpt_saver *s, const struct ckpt_fd *f,
		      const struct ckpt_file_type *type, const char *name)
{
	size_t len = strlen(name) + 1;
	struct ckpt_image_file *i = kzalloc(sizeof(*i) + ALIGN(len, 4), GFP_KERNEL);
	int err;

	if (!i)
		return -ENOMEM;
	i->type = type->type;
	i->flags = f->file->f_flags & CKPT_FILE_KNOWN_FLAGS;
	i->position = f->file->f_pos;
	i->path_len = len;
	memcpy(i->path, name, len);
	err = add_completed(s, f, type, i);
	kfree(i);
	return err;
}

static int save_file(struct ckpt_saver *s, const struct ckpt_fd *f, const char *name)
{
	const struct ckpt_file_type *type = ckpt_file_type_of(s, f->file);
	const char *why = obstacle(f->file, type, name);
	char text[CKPT_FD_TEXT_LEN];

	if (!why && type->is_private && ckpt_fd_is_shared(f))
		why = "open outside of the job too, which is not supported";

	/* A system call of a process that has a descriptor has to complete it. */
	if (!why && f->fd == CKPT_FD_IN_FLIGHT && type->script)
		why = "not supported there";
	if (why) {
		ckpt_save_refuse(s, "file", "%s: %s: %s: close it before the save",
				 ckpt_fd_text(f, text, sizeof(text)), name, why);
		return 0;
	}
	return add_record(s, f, type, name);
}

static int save_list(struct ckpt_saver *s, struct ckpt_fds *list)
{
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

/* What is in flight between sockets of the job is saved with the first process. */
static int save(struct ckpt_saver *s)
{
	int err = save_list(s, ckpt_fds_of(s));

	if (!err && s->process->number == 1)
		err = save_list(s, ckpt_fds_in_flight(s->fds));
	return err;
}

static int verify_type(struct ckpt_restorer *r, const struct ckpt_record *rec,
		       const struct ckpt_file_type *type)
{
	const struct ckpt_image_file *i = rec->data;
	size_t own_len = ckpt_file_own(rec).len;

	if (own_len < type->own_len || (own_len && !type->own_len))
		return ckpt_restore_error(r, -EBADMSG, "%s: %zu bytes: bad length", i->path,
					  own_len);
	if (!type->verify && i->object)
		return ckpt_restore_error(r, -EBADMSG, "%s: bad object %u", i->path, i->object);
	return type->verify ? type->verify(r, rec) : 0;
}

static int verify(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_file *i = rec->data;
	const struct ckpt_file_type *type = ckpt_file_type_find(i->type);

	if (!rec->id || i->path_len > rec->len - sizeof(*i) ||
	    !ckpt_image_is_text(i->path, i->path_len))
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
	return verify_type(r, rec, type);
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

/* The files that system calls have to make, in the order of their records. */
static int make(struct ckpt_restorer *r)
{
	const struct ckpt_record *rec;
	int err = 0;

	r->first_made = r->script.nr_entries;
	ckpt_for_each_shared_record_of(rec, r, CKPT_REC_FILE) {
		const struct ckpt_image_file *i = rec->data;
		const struct ckpt_file_type *type = ckpt_file_type_find(i->type);

		err = type->make ? type->make(r, rec) : 0;
		if (err)
			break;
		cond_resched();
	}
	return err;
}

static int take_made(struct ckpt_restorer *r, const struct ckpt_record *rec, unsigned int entry)
{
	const struct ckpt_image_file *i = rec->data;
	struct file *file;
	s64 fd;
	int err;

	err = ckpt_script_result(&r->script, entry, &fd);
	if (err)
		return err;
	file = fget(fd);
	if (!file)
		return -EBADF;
	spin_lock(&file->f_lock);
	file->f_flags = (file->f_flags & ~MAKE_FLAGS) | (i->flags & MAKE_FLAGS);
	spin_unlock(&file->f_lock);
	return ckpt_objtab_put_file(r->objects, rec->id, file);
}

static int made(struct ckpt_restorer *r)
{
	unsigned int entry = r->first_made;
	const struct ckpt_record *rec;
	int err;

	ckpt_for_each_shared_record_of(rec, r, CKPT_REC_FILE) {
		const struct ckpt_image_file *i = rec->data;

		if (!ckpt_file_type_find(i->type)->make)
			continue;
		err = take_made(r, rec, entry++);
		if (err)
			return ckpt_restore_error(r, err, "%s: no such file came: error %d",
						  i->path, -err);
		cond_resched();
	}
	return 0;
}

/* What is to be done to a file, by the first process that has it. */
static int script(struct ckpt_restorer *r)
{
	const struct ckpt_record *rec;
	int fd, err;

	ckpt_for_each_shared_record_of(rec, r, CKPT_REC_FILE) {
		const struct ckpt_image_file *i = rec->data;
		const struct ckpt_file_type *type = ckpt_file_type_find(i->type);

		fd = type->script ? ckpt_fd_of_first(r, rec->id) : -1;
		err = fd >= 0 ? type->script(r, rec, fd) : 0;
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

static int settle(struct ckpt_rjob *job)
{
	struct ckpt_restorer *r = job->processes;
	const struct ckpt_record *rec;
	int err;

	ckpt_for_each_shared_record_of(rec, r, CKPT_REC_FILE) {
		const struct ckpt_image_file *i = rec->data;
		const struct ckpt_file_type *type = ckpt_file_type_find(i->type);

		err = type->settle ? type->settle(r, rec) : 0;
		if (err)
			return ckpt_restore_error(r, err, "%s: cannot be completed: error %d",
						  i->path, -err);
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
	.make = make,
	.made = made,
	.script = script,
	.settle = settle,
};
