// SPDX-License-Identifier: GPL-2.0-only
/* Kind: descriptors: which number refers to which open file description. */

#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "fds.h"
#include "kinds.h"
#include "restorer.h"
#include "saver.h"

/* PID of another process that uses the descriptors of the job, 0 when none is found. */
static pid_t find_sharer(struct ckpt_saver *s)
{
	struct task_struct *p;
	pid_t pid = 0;

	rcu_read_lock();
	for_each_process(p) {
		if (!same_thread_group(p, s->task) && READ_ONCE(p->files) == s->task->files)
			pid = task_tgid_vnr(p);
		if (pid)
			break;
	}
	rcu_read_unlock();
	return pid;
}

static int save(struct ckpt_saver *s)
{
	struct ckpt_fds *list = ckpt_fds_of(s);
	struct ckpt_image_fd *i;
	struct ckpt_fd *f;

	if (!ckpt_fds_are_private(s))
		ckpt_save_refuse(s, "fd", "all descriptors: shared with process %d: not supported",
				 find_sharer(s));
	ckpt_for_each_fd(f, list) {
		i = ckpt_save_record(s, &ckpt_kind_fd, 0, 0, sizeof(*i));
		if (IS_ERR(i))
			return PTR_ERR(i);
		i->fd = f->fd;
		i->flags = f->cloexec ? CKPT_FD_CLOEXEC : 0;
		i->file = f->id;
		cond_resched();
	}
	return 0;
}

static int save_thread(struct ckpt_saver *s, struct ckpt_thread *t)
{
	if (t->task->files != s->task->files)
		ckpt_save_refuse(s, "fd", "thread %d: has descriptors of its own",
				 task_pid_vnr(t->task));
	return 0;
}

static int verify(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_fd *i = rec->data;

	if (i->flags & ~CKPT_FD_CLOEXEC)
		return ckpt_restore_error(r, -EOPNOTSUPP, "fd %u: unknown flags 0x%x", i->fd,
					  i->flags);
	if (i->fd >= CKPT_FD_MAX || i->reserved)
		return ckpt_restore_error(r, -EBADMSG, "fd %u: bad value", i->fd);
	return 0;
}

/* Each descriptor has a file. */
static int verify_all(struct ckpt_restorer *r)
{
	const struct ckpt_record *rec;
	s64 last = -1;

	ckpt_for_each_record_of(rec, r, CKPT_REC_FD) {
		const struct ckpt_image_fd *i = rec->data;

		if (i->fd <= last)
			return ckpt_restore_error(r, -EBADMSG, "fd %u: out of order", i->fd);
		if (!ckpt_restore_object(r, CKPT_REC_FILE, i->file))
			return ckpt_restore_error(r, -EBADMSG, "fd %u: no file %u in the image",
						  i->fd, i->file);
		last = i->fd;
	}
	return 0;
}

static int first_fd(const void *p, struct file *file, unsigned int fd)
{
	return fd + 1;
}

static void close_all(void)
{
	int next = 0;

	while ((next = iterate_fd(current->files, next, first_fd, NULL))) {
		close_fd(next - 1);
		cond_resched();
	}
}

/* Takes the next number, which must be @fd: all below it are taken. */
static int take(struct ckpt_restorer *r, unsigned int fd, unsigned int flags)
{
	int got = get_unused_fd_flags(flags);

	if (got == fd)
		return 0;
	if (got >= 0)
		put_unused_fd(got);
	got = got < 0 ? got : -EBUSY;
	return ckpt_restore_error(r, got, "fd %u: cannot be had: error %d", fd, -got);
}

/* Installs all descriptors; takes the numbers between them too, as only the lowest can be had. */
static int install_all(struct ckpt_restorer *r, unsigned int *next)
{
	const struct ckpt_record *rec;
	int err;

	ckpt_for_each_record_of(rec, r, CKPT_REC_FD) {
		const struct ckpt_image_fd *i = rec->data;
		struct file *file = ckpt_objtab_file(r->objects, i->file);

		while (*next < i->fd) {
			err = take(r, *next, 0);
			if (err)
				return err;
			++*next;
			if (fatal_signal_pending(current))
				return -EINTR;
			cond_resched();
		}
		if (!file)
			return ckpt_restore_error(r, -EBADMSG, "fd %u: its file was not restored",
						  i->fd);
		err = take(r, i->fd, i->flags & CKPT_FD_CLOEXEC ? O_CLOEXEC : 0);
		if (err)
			return err;
		fd_install((*next)++, get_file(file));
	}
	return 0;
}

static void release_gaps(struct ckpt_restorer *r)
{
	const struct ckpt_record *rec;
	unsigned int next = 0;

	ckpt_for_each_record_of(rec, r, CKPT_REC_FD) {
		const struct ckpt_image_fd *i = rec->data;

		for (; next < i->fd; next++) {
			put_unused_fd(next);
			cond_resched();
		}
		next = i->fd + 1;
	}
}

static int create(struct ckpt_restorer *r)
{
	/* This ioctl may run by grace of the descriptor that is closed here. */
	struct file *dev = ckpt_restore_device(r);
	unsigned int next = 0;
	int err;

	ckpt_fds_raise_limit();
	close_all();
	err = install_all(r, &next);
	if (err) {
		fput(dev);
		return err;
	}
	release_gaps(r);
	r->dev_fd = ckpt_fd_install(dev);
	if (r->dev_fd < 0)
		return r->dev_fd;
	if (r->exe)
		r->exe_fd = ckpt_fd_install(get_file(r->exe));
	return r->exe && r->exe_fd < 0 ? r->exe_fd : 0;
}

const struct ckpt_kind ckpt_kind_fd = {
	.name = "fd",
	.type = CKPT_REC_FD,
	.version = 1,
	.oldest = 1,
	.min_len = sizeof(struct ckpt_image_fd),
	.count = CKPT_ANY,
	.part = CKPT_SHARE_FILES,
	.save = save,
	.save_thread = save_thread,
	.verify = verify,
	.verify_all = verify_all,
	.create = create,
};
