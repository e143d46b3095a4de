// SPDX-License-Identifier: GPL-2.0-only
/* Pages of memory: which ones a save stores, and carrying them to the image. */

#include "pages.h"

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "compat.h"
#include "request.h"
#include "saver.h"

#define BATCH 512
#define FIRST_RUNS 256

int ckpt_pages_init(struct ckpt_pages *p, unsigned int nr_processes)
{
	memset(p, 0, sizeof(*p));
	INIT_LIST_HEAD(&p->objects);
	p->sets = kvcalloc(nr_processes + 1, sizeof(*p->sets), GFP_KERNEL_ACCOUNT);
	p->inherited = kvcalloc(nr_processes + 1, sizeof(*p->inherited), GFP_KERNEL_ACCOUNT);
	if (!p->sets || !p->inherited)
		return -ENOMEM;
	p->nr_sets = nr_processes + 1;
	return 0;
}

void ckpt_pages_exit(struct ckpt_pages *p)
{
	struct ckpt_pages_object *o, *next;
	unsigned int i;

	list_for_each_entry_safe(o, next, &p->objects, node) {
		fput(o->file);
		kfree(o);
	}
	for (i = 0; i < p->nr_sets; i++) {
		kvfree(p->sets[i].runs);
		kvfree(p->inherited[i].runs);
	}
	kvfree(p->sets);
	kvfree(p->inherited);
	memset(p, 0, sizeof(*p));
	INIT_LIST_HEAD(&p->objects);
}

static int grow(struct ckpt_pages_set *set)
{
	u64 size = set->size ? 2 * set->size : FIRST_RUNS;
	struct ckpt_image_run *runs;

	runs = kvmalloc_array(size, sizeof(*runs), GFP_KERNEL_ACCOUNT);
	if (!runs)
		return -ENOMEM;
	if (set->runs)
		memcpy(runs, set->runs, set->nr_runs * sizeof(*runs));
	kvfree(set->runs);
	set->runs = runs;
	set->size = size;
	return 0;
}

static int add(struct ckpt_pages_set *set, u32 object, u64 start, u64 nr_pages)
{
	struct ckpt_image_run *last = set->nr_runs ? &set->runs[set->nr_runs - 1] : NULL;
	int err;

	set->nr_pages += nr_pages;
	if (last && last->object == object && last->start + last->nr_pages * PAGE_SIZE == start) {
		last->nr_pages += nr_pages;
		return 0;
	}
	if (set->nr_runs == set->size) {
		err = grow(set);
		if (err)
			return err;
	}
	set->runs[set->nr_runs++] = (struct ckpt_image_run){
		.start = start,
		.nr_pages = nr_pages,
		.object = object,
	};
	return 0;
}

int ckpt_pages_add(struct ckpt_pages *p, u32 process, u32 object, u64 start, u64 nr_pages)
{
	p->nr_pages += nr_pages;
	return add(ckpt_pages_of(p, process), object, start, nr_pages);
}

int ckpt_pages_inherit(struct ckpt_pages *p, u32 process, u64 start, u64 nr_pages)
{
	return add(&p->inherited[process], 0, start, nr_pages);
}

int ckpt_pages_add_object(struct ckpt_pages *p, u32 id, struct file *file)
{
	struct ckpt_pages_object *o = kmalloc(sizeof(*o), GFP_KERNEL);

	if (!o) {
		fput(file);
		return -ENOMEM;
	}
	o->id = id;
	o->file = file;
	list_add_tail(&o->node, &p->objects);
	return 0;
}

int ckpt_pages_scan_object(struct ckpt_pages *p, const struct ckpt_pages_object *o)
{
	loff_t pos = 0;
	int err = 0;

	while (!err) {
		loff_t start = vfs_llseek(o->file, pos, SEEK_DATA);
		loff_t end;

		if (start == -ENXIO)
			return 0;
		end = start < 0 ? start : vfs_llseek(o->file, start, SEEK_HOLE);
		if (end < 0)
			return end;
		start = round_down(start, PAGE_SIZE);
		err = ckpt_pages_add(p, 0, o->id, start, DIV_ROUND_UP(end - start, PAGE_SIZE));
		pos = end;
		if (fatal_signal_pending(current))
			err = -EINTR;
		cond_resched();
	}
	return err;
}

static int lost(struct ckpt_saver *s, u64 at, long err)
{
	ckpt_messages_add(&s->req->messages,
			  "process %d (%s): memory at %llx: cannot be read: error %ld",
			  task_tgid_vnr(s->task), s->task->comm, at, -err);
	return err;
}

static int write_process_pages(struct ckpt_saver *s, u64 at, u64 left, struct page **pages)
{
	int err = 0;

	while (left && !err) {
		long i, n;

		mmap_read_lock(s->mm);
		/* FOLL_DUMP: a page that is not there any more is an error, not zeros. */
		n = ckpt_get_user_pages_remote(s->mm, at, min_t(u64, left, BATCH),
					       FOLL_FORCE | FOLL_DUMP, pages);
		mmap_read_unlock(s->mm);
		if (n <= 0)
			return fatal_signal_pending(current) ? -EINTR : lost(s, at, n ?: -EIO);
		err = ckpt_image_write_pages(&s->out, pages, n);
		for (i = 0; i < n; i++)
			put_page(pages[i]);
		at += n * PAGE_SIZE;
		left -= n;
		if (fatal_signal_pending(current))
			err = -EINTR;
		cond_resched();
	}
	return err;
}

/* An object belongs to the job, and no process is being walked. */
static int lost_object(struct ckpt_saver *s, u32 object, u64 at, int err)
{
	ckpt_messages_add(&s->req->messages,
			  "job: shared memory %u at %llx: cannot be read: error %d", object, at,
			  -err);
	return err;
}

/* Behind its end the last page of an object is filled with zeros. */
static int read_object(struct file *file, u64 at, void *buf, size_t len)
{
	loff_t pos = at;
	size_t done = 0;

	while (done < len) {
		ssize_t n = kernel_read(file, buf + done, len - done, &pos);

		if (n < 0)
			return n;
		if (!n)
			break;
		done += n;
	}
	if (len - done >= PAGE_SIZE)
		return -EIO;
	memset(buf + done, 0, len - done);
	return 0;
}

static struct file *find_object(struct ckpt_pages *p, u32 id)
{
	struct ckpt_pages_object *o;

	list_for_each_entry(o, &p->objects, node)
		if (o->id == id)
			return o->file;
	return NULL;
}

static int write_object_pages(struct ckpt_saver *s, const struct ckpt_image_run *run, void *buf)
{
	struct file *file = find_object(&s->pages, run->object);
	u64 at = run->start, left = run->nr_pages;
	int err = file ? 0 : -EIO;

	while (left && !err) {
		u64 n = min_t(u64, left, BATCH);

		err = read_object(file, at, buf, n * PAGE_SIZE);
		if (err)
			return lost_object(s, run->object, at, err);
		err = ckpt_image_write_buffer(&s->out, buf, n);
		at += n * PAGE_SIZE;
		left -= n;
		if (fatal_signal_pending(current))
			err = -EINTR;
		cond_resched();
	}
	return err;
}

/* What the two ways to read pages need. */
struct buffers {
	struct page **pages;
	void *buf;
};

static int write_set(struct ckpt_saver *s, const struct ckpt_pages_set *set, struct buffers *b)
{
	int err = 0;
	u64 i;

	for (i = 0; i < set->nr_runs && !err; i++) {
		const struct ckpt_image_run *run = &set->runs[i];

		if (run->object)
			err = write_object_pages(s, run, b->buf);
		else
			err = write_process_pages(s, run->start, run->nr_pages, b->pages);
	}
	return err;
}

static int write_all(struct ckpt_saver *s, struct buffers *b)
{
	struct ckpt_process *p;
	int err = write_set(s, ckpt_pages_of(&s->pages, 0), b);

	ckpt_for_each_process(p, s->group) {
		if (err)
			break;
		if (p->is_zombie)
			continue;
		err = ckpt_saver_enter(s, p);
		if (err)
			break;
		err = write_set(s, ckpt_pages_of(&s->pages, p->number), b);
		ckpt_saver_leave(s);
	}
	return err;
}

int ckpt_pages_write(struct ckpt_saver *s)
{
	struct buffers b = {
		.pages = kvmalloc_array(BATCH, sizeof(*b.pages), GFP_KERNEL),
		.buf = kvmalloc(BATCH * PAGE_SIZE, GFP_KERNEL),
	};
	int err = b.pages && b.buf ? write_all(s, &b) : -ENOMEM;

	kvfree(b.buf);
	kvfree(b.pages);
	return err;
}
