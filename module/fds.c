// SPDX-License-Identifier: GPL-2.0-only
/* The descriptors of a job, for the kinds that walk over them. */

#include "fds.h"

#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/xarray.h>

#include "restorer.h"
#include "saver.h"

struct collection {
	struct files_struct *files;
	struct ckpt_fds *list;
	unsigned int size;
};

bool ckpt_fds_are_private(struct ckpt_saver *s)
{
	struct files_struct *files = s->task->files;
	struct ckpt_process *p;
	struct ckpt_thread *t;
	int n = 0;

	ckpt_for_each_process(p, s->group)
		ckpt_for_each_thread(t, p)
			n += t->task->files == files;
	return files && atomic_read(&files->count) == n;
}

static int count(const void *p, struct file *file, unsigned int fd)
{
	struct collection *c = (void *)p;

	c->size++;
	return 0;
}

/* Under the lock of the table. */
static int collect(const void *p, struct file *file, unsigned int fd)
{
	struct collection *c = (void *)p;

	if (c->list->nr == c->size)
		return -EAGAIN;
	c->list->fds[c->list->nr++] = (struct ckpt_fd){
		.file = get_file(file),
		.fd = fd,
		.cloexec = test_bit(fd, files_fdtable(c->files)->close_on_exec),
	};
	return 0;
}

int ckpt_fds_collect(struct ckpt_saver *s)
{
	struct collection c = { .files = s->task->files };

	if (!s->fds)
		s->fds = kvcalloc(s->group->nr_processes + 1, sizeof(*s->fds), GFP_KERNEL);
	if (!s->fds)
		return -ENOMEM;
	if (!ckpt_fds_are_private(s) || (s->process->shares & CKPT_SHARE_FILES))
		return 0;
	iterate_fd(c.files, 0, count, &c);
	if (!c.size)
		return 0;
	c.list = ckpt_fds_of(s);
	c.list->fds = kvcalloc(c.size, sizeof(*c.list->fds), GFP_KERNEL);
	if (!c.list->fds)
		return -ENOMEM;
	/* The job is held in the freezer: nobody opens or closes meanwhile. */
	return iterate_fd(c.files, 0, collect, &c);
}

int ckpt_fds_add_in_flight(struct ckpt_saver *s, struct file *file)
{
	struct ckpt_fds *l = ckpt_fds_in_flight(s->fds);
	unsigned int size = l->size ? 2 * l->size : 16;
	struct ckpt_fd *fds;

	if (l->nr == l->size) {
		fds = kvcalloc(size, sizeof(*fds), GFP_KERNEL);
		if (!fds)
			return -ENOMEM;
		if (l->nr)
			memcpy(fds, l->fds, l->nr * sizeof(*fds));
		kvfree(l->fds);
		l->fds = fds;
		l->size = size;
	}
	l->fds[l->nr++] = (struct ckpt_fd){ .file = get_file(file), .fd = CKPT_FD_IN_FLIGHT };
	return 0;
}

/* @first: the first descriptor of each description, by id; @in: the process it was seen in last. */
static int number(struct ckpt_saver *s, struct ckpt_fds *l, struct xarray *first, struct xarray *in)
{
	void *here = xa_mk_value(l - s->fds);
	struct ckpt_fd *f, *other;
	bool is_new;
	int id, err;

	ckpt_for_each_fd(f, l) {
		id = ckpt_objtab_id(&s->objects, f->file, &is_new);
		if (id < 0)
			return id;
		f->id = id;
		other = xa_load(first, id);
		err = other ? 0 : xa_err(xa_store(first, id, f, GFP_KERNEL));
		(other ?: f)->nr++;
		f->is_first = xa_load(in, id) != here;
		if (!err && f->is_first)
			err = xa_err(xa_store(in, id, here, GFP_KERNEL));
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

int ckpt_fds_number(struct ckpt_saver *s)
{
	struct xarray first, in;
	unsigned int i;
	int err = 0;

	xa_init(&first);
	xa_init(&in);
	for (i = 1; i <= s->group->nr_processes && !err; i++)
		err = number(s, &s->fds[i], &first, &in);
	/* Last: a file that has a descriptor is known by that. */
	if (!err)
		err = number(s, ckpt_fds_in_flight(s->fds), &first, &in);
	xa_destroy(&first);
	xa_destroy(&in);
	return err;
}

void ckpt_fds_release(struct ckpt_saver *s)
{
	struct ckpt_fd *f;
	unsigned int i;

	for (i = 0; s->fds && i <= s->group->nr_processes; i++) {
		ckpt_for_each_fd(f, &s->fds[i])
			fput(f->file);
		kvfree(s->fds[i].fds);
	}
	kvfree(s->fds);
	s->fds = NULL;
}

struct ckpt_fds *ckpt_fds_of(struct ckpt_saver *s)
{
	return &s->fds[s->process->number];
}

const char *ckpt_fd_text(const struct ckpt_fd *f, char *text, size_t len)
{
	if (f->fd == CKPT_FD_IN_FLIGHT)
		strscpy(text, "in flight between sockets", len);
	else
		snprintf(text, len, "fd %u", f->fd);
	return text;
}

bool ckpt_fd_is_shared(const struct ckpt_fd *f)
{
	/* The lists have a reference for each of the descriptors too. */
	return file_count(f->file) > 2UL * f->nr;
}

int ckpt_fd_of_file(struct ckpt_restorer *r, u32 file)
{
	const struct ckpt_record *rec;

	ckpt_for_each_record_of(rec, r, CKPT_REC_FD) {
		const struct ckpt_image_fd *i = rec->data;

		if (i->file == file)
			return i->fd;
	}
	return -1;
}

int ckpt_fd_of_first(struct ckpt_restorer *r, u32 file)
{
	struct ckpt_restorer *other;

	for (other = r->job->processes; other < r; other++)
		if (ckpt_fd_of_file(other, file) >= 0)
			return -1;
	return ckpt_fd_of_file(r, file);
}

void ckpt_fds_raise_limit(void)
{
	struct rlimit *limit = &current->signal->rlim[RLIMIT_NOFILE];

	task_lock(current->group_leader);
	limit->rlim_cur = max_t(unsigned long, limit->rlim_cur, CKPT_FD_MAX);
	limit->rlim_max = max(limit->rlim_max, limit->rlim_cur);
	task_unlock(current->group_leader);
}

int ckpt_fd_install(struct file *file)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);

	if (fd < 0)
		fput(file);
	else
		fd_install(fd, file);
	return fd;
}
