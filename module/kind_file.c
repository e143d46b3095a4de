// SPDX-License-Identifier: GPL-2.0-only
/* Kind: open file descriptions: files, directories, simple devices, the terminal, memfds. */

#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/magic.h>
#include <linux/major.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/stat.h>
#include <linux/string.h>
#include <linux/time64.h>
#include <linux/tty.h>

#include "compat.h"
#include "fds.h"
#include "kinds.h"
#include "path.h"
#include "restorer.h"
#include "saver.h"
#include "shm.h"

#define KNOWN_FLAGS                                                                        \
	(O_ACCMODE | O_APPEND | O_NONBLOCK | O_DSYNC | __O_SYNC | O_DIRECT | O_LARGEFILE | \
	 O_NOATIME | O_DIRECTORY | O_NOFOLLOW)

static bool is_plain_device(dev_t rdev)
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

/* Whether a file is the controlling terminal of the job, by whatever name it was opened. */
static bool is_terminal(struct ckpt_saver *s, const struct file *file)
{
	/* A task in the freezer keeps it. */
	struct sighand_struct *sighand = rcu_access_pointer(s->task->sighand);
	struct tty_file_private *priv;
	struct tty_struct *tty;
	bool found = false;

	spin_lock_irq(&sighand->siglock);
	tty = tty_kref_get(s->task->signal->tty);
	spin_unlock_irq(&sighand->siglock);
	if (!tty)
		return false;
	spin_lock(&tty->files_lock);
	list_for_each_entry(priv, &tty->tty_files, list)
		found = found || priv->file == file;
	spin_unlock(&tty->files_lock);
	tty_kref_put(tty);
	return found;
}

static u32 type_of(struct ckpt_saver *s, const struct file *file)
{
	const struct inode *inode = file_inode(file);

	if (ckpt_file_is_shm(file))
		return CKPT_FILE_SHM;
	if (S_ISREG(inode->i_mode))
		return CKPT_FILE_REGULAR;
	if (S_ISDIR(inode->i_mode))
		return CKPT_FILE_DIRECTORY;
	if (S_ISFIFO(inode->i_mode) && inode->i_sb->s_magic == PIPEFS_MAGIC)
		return CKPT_FILE_PIPE;
	if (S_ISCHR(inode->i_mode) && is_plain_device(inode->i_rdev))
		return CKPT_FILE_DEVICE;
	if (S_ISCHR(inode->i_mode) && is_terminal(s, file))
		return CKPT_FILE_TTY;
	return 0;
}

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

static bool has_path(u32 type)
{
	return type == CKPT_FILE_REGULAR || type == CKPT_FILE_DIRECTORY || type == CKPT_FILE_DEVICE;
}

/* What keeps a description from being brought back, or NULL. */
static const char *obstacle(const struct file *file, u32 type, const char *name)
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
	if (file->f_flags & ~(KNOWN_FLAGS | O_CLOEXEC))
		return "opened with a flag that is not supported";
	if (!has_path(type))
		return NULL;
	if (ckpt_path_is_internal(&file->f_path))
		return "this kind of descriptor is not supported";
	if (ckpt_path_is_pseudo(&file->f_path))
		return "in a file system that the kernel makes up";
	return ckpt_path_obstacle(&file->f_path, name);
}

static int add_object(struct ckpt_saver *s, struct ckpt_image_file *i, struct file *file)
{
	bool is_new;
	int id = 0;

	if (i->type == CKPT_FILE_SHM)
		id = ckpt_shm_id(s, file);
	else if (i->type == CKPT_FILE_PIPE)
		id = ckpt_objtab_id(&s->objects, file->private_data, &is_new);
	if (id < 0)
		return id;
	i->object = id;
	return 0;
}

static int save_file(struct ckpt_saver *s, const struct ckpt_fd *f, const char *name)
{
	const struct file *file = f->file;
	u32 type = type_of(s, file);
	const char *why = obstacle(file, type, name);
	struct ckpt_image_file *i;
	size_t len = strlen(name) + 1;
	struct kstat st;
	int err;

	if (why) {
		ckpt_save_refuse(s, "file", "fd %u: %s: %s: close it before the save", f->fd, name,
				 why);
		return 0;
	}
	i = ckpt_save_record(s, &ckpt_kind_file, 0, f->id, sizeof(*i) + len);
	if (IS_ERR(i))
		return PTR_ERR(i);
	i->type = type;
	i->flags = file->f_flags & KNOWN_FLAGS;
	i->position = file->f_pos;
	memcpy(i->path, name, len);
	if (type == CKPT_FILE_DEVICE) {
		i->major = MAJOR(file_inode(file)->i_rdev);
		i->minor = MINOR(file_inode(file)->i_rdev);
	}
	if (type == CKPT_FILE_REGULAR) {
		err = vfs_getattr(&file->f_path, &st, STATX_SIZE | STATX_MTIME,
				  AT_STATX_SYNC_AS_STAT);
		if (err)
			ckpt_save_refuse(s, "file", "fd %u: %s: no attributes: error %d", f->fd,
					 name, -err);
		i->size = err ? 0 : st.size;
		i->mtime = err ? 0 : timespec64_to_ns(&st.mtime);
	}
	return add_object(s, i, f->file);
}

static int save(struct ckpt_saver *s)
{
	struct ckpt_fds list;
	struct ckpt_fd *f;
	char *name;
	int err = ckpt_fds_get(s, &list);

	if (err)
		return err;
	ckpt_for_each_file(f, &list) {
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
	ckpt_fds_put(&list);
	return err;
}

static bool object_exists(struct ckpt_restorer *r, const struct ckpt_image_file *i)
{
	if (i->type == CKPT_FILE_PIPE)
		return ckpt_image_object(&r->img, CKPT_REC_PIPE, i->object);
	if (i->type == CKPT_FILE_SHM)
		return ckpt_image_object(&r->img, CKPT_REC_SHM, i->object);
	return !i->object;
}

static int verify(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_file *i = rec->data;

	if (!rec->id || !ckpt_image_is_text(i->path, rec->len - sizeof(*i)))
		return ckpt_restore_error(r, -EBADMSG, "file %u: no id or no name", rec->id);
	if (i->type < CKPT_FILE_REGULAR || i->type > CKPT_FILE_SHM)
		return ckpt_restore_error(r, -EOPNOTSUPP, "%s: unknown type %u", i->path, i->type);
	if (i->flags & ~KNOWN_FLAGS || (i->flags & O_ACCMODE) == O_ACCMODE)
		return ckpt_restore_error(r, -EOPNOTSUPP, "%s: unknown flags 0x%x", i->path,
					  i->flags);
	if (has_path(i->type) && i->path[0] != '/')
		return ckpt_restore_error(r, -EBADMSG, "%s: not an absolute path", i->path);
	if (i->position > S64_MAX || i->size > S64_MAX)
		return ckpt_restore_error(r, -EBADMSG, "%s: bad position or size", i->path);
	if (i->type == CKPT_FILE_DEVICE && !is_plain_device(MKDEV(i->major, i->minor)))
		return ckpt_restore_error(r, -EBADMSG, "%s: unknown device %u:%u", i->path,
					  i->major, i->minor);
	if (!object_exists(r, i) || i->reserved)
		return ckpt_restore_error(r, -EBADMSG, "%s: bad object %u", i->path, i->object);
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

static int seek(struct ckpt_restorer *r, const struct ckpt_image_file *i, struct file *file)
{
	if (i->type == CKPT_FILE_DEVICE) {
		file->f_pos = i->position;
		return 0;
	}
	if (file->f_pos == i->position || vfs_llseek(file, i->position, SEEK_SET) == i->position)
		return 0;
	return ckpt_restore_error(r, -ESTALE, "%s: position %llu cannot be set", i->path,
				  i->position);
}

static struct file *open_path(struct ckpt_restorer *r, const struct ckpt_image_file *i)
{
	static const umode_t modes[] = {
		[CKPT_FILE_REGULAR] = S_IFREG,
		[CKPT_FILE_DIRECTORY] = S_IFDIR,
		[CKPT_FILE_DEVICE] = S_IFCHR,
	};
	struct file *file =
		ckpt_path_open(r, i->path, i->flags, modes[i->type], MKDEV(i->major, i->minor));
	int err = 0;

	if (IS_ERR(file))
		return file;
	if (i->type == CKPT_FILE_REGULAR)
		err = check_size(r, i, file);
	if (!err)
		err = seek(r, i, file);
	if (!err)
		return file;
	fput(file);
	return ERR_PTR(err);
}

/* A description of its own: the flags of the tool's may not change with those of the job's. */
static struct file *open_terminal(struct ckpt_restorer *r, const struct ckpt_image_file *i)
{
	struct file *file;

	if (!r->tty || !S_ISCHR(file_inode(r->tty)->i_mode)) {
		ckpt_restore_error(r, -ENOTTY,
				   "%s: was the terminal of the job: restore it from a terminal",
				   i->path);
		return ERR_PTR(-ENOTTY);
	}
	file = dentry_open(&r->tty->f_path, i->flags | O_NOCTTY, current_cred());
	if (IS_ERR(file))
		ckpt_restore_error(r, PTR_ERR(file), "terminal: cannot be opened: error %ld",
				   -PTR_ERR(file));
	return file;
}

static struct file *open_shm(struct ckpt_restorer *r, const struct ckpt_image_file *i)
{
	const struct file *object = ckpt_objtab_file(&r->objects, i->object);
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

/* Opens what @opener is for; the pipes are opened by their kind. */
static int open_some(struct ckpt_restorer *r, bool (*wanted)(u32 type),
		     struct file *(*opener)(struct ckpt_restorer *r,
					    const struct ckpt_image_file *i))
{
	const struct ckpt_record *rec;
	struct file *file;
	int err;

	ckpt_for_each_record_of(rec, &r->img, CKPT_REC_FILE) {
		const struct ckpt_image_file *i = rec->data;

		if (!wanted(i->type))
			continue;
		file = opener(r, i);
		if (IS_ERR(file))
			return PTR_ERR(file);
		err = ckpt_objtab_put_file(&r->objects, rec->id, file);
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

static bool is_tty(u32 type)
{
	return type == CKPT_FILE_TTY;
}

static bool is_shm(u32 type)
{
	return type == CKPT_FILE_SHM;
}

static int open(struct ckpt_restorer *r)
{
	int err = open_some(r, has_path, open_path);

	return err ?: open_some(r, is_tty, open_terminal);
}

/* The objects of shared memory are there only now. */
static int create(struct ckpt_restorer *r)
{
	return open_some(r, is_shm, open_shm);
}

const struct ckpt_kind ckpt_kind_file = {
	.name = "file",
	.type = CKPT_REC_FILE,
	.version = 1,
	.oldest = 1,
	.min_len = sizeof(struct ckpt_image_file) + 1,
	.count = CKPT_ANY,
	.save = save,
	.verify = verify,
	.open = open,
	.create = create,
};
