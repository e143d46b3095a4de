// SPDX-License-Identifier: GPL-2.0-only
/* The descriptors of a job, for the kinds that walk over them. */

#include "fds.h"

#include <linux/err.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/sched.h>
#include <linux/slab.h>
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
	struct ckpt_thread *t;
	int n = 0;

	ckpt_for_each_thread(t, s->group)
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

/* Numbers the descriptions and counts the descriptors of each. */
static int number(struct ckpt_saver *s, struct ckpt_fds *l)
{
	struct ckpt_fd *f, *first;
	struct xarray firsts;
	bool is_new;
	int id, err = 0;

	xa_init(&firsts);
	ckpt_for_each_fd(f, l) {
		id = ckpt_objtab_id(&s->objects, f->file, &is_new);
		if (id < 0) {
			err = id;
			break;
		}
		f->id = id;
		first = xa_load(&firsts, id);
		if (!first) {
			first = f;
			err = xa_err(xa_store(&firsts, id, f, GFP_KERNEL));
			if (err)
				break;
		}
		first->nr++;
		cond_resched();
	}
	xa_destroy(&firsts);
	return err;
}

int ckpt_fds_get(struct ckpt_saver *s, struct ckpt_fds *l)
{
	struct collection c = { .files = s->task->files, .list = l };
	int err;

	*l = (struct ckpt_fds){};
	if (!ckpt_fds_are_private(s))
		return 0;
	iterate_fd(c.files, 0, count, &c);
	if (!c.size)
		return 0;
	l->fds = kvcalloc(c.size, sizeof(*l->fds), GFP_KERNEL);
	if (!l->fds)
		return -ENOMEM;
	/* The job is held in the freezer: nobody opens or closes meanwhile. */
	err = iterate_fd(c.files, 0, collect, &c);
	if (!err)
		err = number(s, l);
	if (err)
		ckpt_fds_put(l);
	return err;
}

void ckpt_fds_put(struct ckpt_fds *l)
{
	struct ckpt_fd *f;

	ckpt_for_each_fd(f, l)
		fput(f->file);
	kvfree(l->fds);
}

bool ckpt_fd_is_shared(const struct ckpt_fd *f)
{
	/* The list has a reference for each of the descriptors too. */
	return file_count(f->file) > 2UL * f->nr;
}

int ckpt_fd_of_file(struct ckpt_restorer *r, u32 file)
{
	const struct ckpt_record *rec;

	ckpt_for_each_record_of(rec, &r->img, CKPT_REC_FD) {
		const struct ckpt_image_fd *i = rec->data;

		if (i->file == file)
			return i->fd;
	}
	return -1;
}
