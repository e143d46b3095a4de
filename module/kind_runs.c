// SPDX-License-Identifier: GPL-2.0-only
/* State kind: the stored pages, of the process's private memory and of shared objects. */

#include <linux/err.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "kinds.h"
#include "pages.h"
#include "pagescan.h"
#include "request.h"
#include "restorer.h"
#include "saver.h"
#include "shm.h"

#define KIND "runs"

#define RUNS_PER_RECORD 65536U
/* A reader takes 256 MiB of notes and 2^24 program headers. */
#define MAX_RUNS (8ULL << 20)
#define BATCH 256U

static int add_records(struct ckpt_saver *s)
{
	u64 at = 0;

	while (at < s->pages.nr_runs) {
		u32 n = min_t(u64, s->pages.nr_runs - at, RUNS_PER_RECORD);
		struct ckpt_image_runs *out;

		out = ckpt_save_record(s, &ckpt_kind_runs, 0, 0, struct_size(out, runs, n));
		if (IS_ERR(out))
			return PTR_ERR(out);
		out->nr_runs = n;
		memcpy(out->runs, s->pages.runs + at, n * sizeof(*out->runs));
		at += n;
	}
	return 0;
}

static int save(struct ckpt_saver *s)
{
	struct ckpt_pages_object *o;
	int err = ckpt_shm_check_users(s);

	if (!err)
		err = ckpt_pagescan(s);
	list_for_each_entry(o, &s->pages.objects, node) {
		if (err)
			break;
		err = ckpt_pages_scan_object(&s->pages, o);
	}
	if (err)
		return err;
	if (s->pages.nr_runs > MAX_RUNS) {
		ckpt_save_refuse(s, KIND, "memory: in %llu pieces: more than an image can hold",
				 s->pages.nr_runs);
		return 0;
	}
	return add_records(s);
}

static int bad(struct ckpt_restorer *r, const struct ckpt_image_run *run, const char *what)
{
	return ckpt_restore_error(r, -EBADMSG, "image: run of %llu pages at %llx, object %u: %s",
				  run->nr_pages, run->start, run->object, what);
}

static int verify(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_runs *runs = rec->data;
	u32 i;

	if (runs->reserved || (u64)runs->nr_runs * sizeof(*runs->runs) != rec->len - sizeof(*runs))
		return ckpt_restore_error(r, -EBADMSG, "image: %u runs: do not fit their record",
					  runs->nr_runs);
	for (i = 0; i < runs->nr_runs; i++) {
		const struct ckpt_image_run *run = &runs->runs[i];

		if (!PAGE_ALIGNED(run->start) || run->start > MAX_LFS_FILESIZE || !run->nr_pages ||
		    run->nr_pages > (MAX_LFS_FILESIZE - run->start) / PAGE_SIZE || run->reserved)
			return bad(r, run, "out of range");
	}
	return 0;
}

/* Where a check of all runs stands. */
struct check {
	const struct ckpt_record *vma; /* the first that may hold what comes next */
	const struct ckpt_image_shm *shm;
	u64 end;
	u32 object;
	u64 nr_pages;
};

static const struct ckpt_record *skip_to_vma(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	while (rec < r->img.records + r->img.nr_records && rec->type != CKPT_REC_VMA)
		rec++;
	return rec;
}

/* Pages of the process lie in private VMAs, without a gap. */
static int check_process_run(struct ckpt_restorer *r, struct check *c,
			     const struct ckpt_image_run *run)
{
	const struct ckpt_record *last = r->img.records + r->img.nr_records;
	u64 at = run->start, end = run->start + run->nr_pages * PAGE_SIZE;

	while (at < end) {
		const struct ckpt_image_vma *v;

		c->vma = skip_to_vma(r, c->vma);
		if (c->vma == last)
			return bad(r, run, "outside of all memory");
		v = c->vma->data;
		if (v->end <= at) {
			c->vma++;
			continue;
		}
		if (v->start > at || (v->flags & CKPT_VMA_SHARED) || v->kind == CKPT_VMA_SPECIAL)
			return bad(r, run, "outside of private memory");
		at = v->end;
	}
	return 0;
}

static int check_object_run(struct ckpt_restorer *r, struct check *c,
			    const struct ckpt_image_run *run)
{
	if (run->object != c->object) {
		const struct ckpt_record *rec;

		rec = ckpt_image_object(&r->img, CKPT_REC_SHM, run->object);
		if (!rec)
			return bad(r, run, "object not there");
		c->shm = rec->data;
		c->object = run->object;
		c->end = 0;
	}
	if (run->start + run->nr_pages * PAGE_SIZE > round_up(c->shm->size, PAGE_SIZE))
		return bad(r, run, "behind the end of the object");
	return 0;
}

static int check_run(struct ckpt_restorer *r, struct check *c, const struct ckpt_image_run *run)
{
	int err;

	if (run->object)
		err = check_object_run(r, c, run);
	else
		err = c->object ? bad(r, run, "behind those of objects") :
				  check_process_run(r, c, run);
	if (err)
		return err;
	if (run->start < c->end)
		return bad(r, run, "out of order");
	c->end = run->start + run->nr_pages * PAGE_SIZE;
	if (check_add_overflow(c->nr_pages, run->nr_pages, &c->nr_pages))
		return bad(r, run, "too many pages");
	return 0;
}

static int verify_all(struct ckpt_restorer *r)
{
	struct check c = { .vma = r->img.records };
	const struct ckpt_record *rec;

	ckpt_for_each_record_of(rec, &r->img, CKPT_REC_RUNS) {
		const struct ckpt_image_runs *runs = rec->data;
		u32 i;

		for (i = 0; i < runs->nr_runs; i++) {
			int err = check_run(r, &c, &runs->runs[i]);

			if (err)
				return err;
		}
		cond_resched();
	}
	if (c.nr_pages != r->img.meta->nr_pages)
		return ckpt_restore_error(r, -EBADMSG,
					  "image: %llu pages in runs: the image says %llu",
					  c.nr_pages, r->img.meta->nr_pages);
	return 0;
}

/* Writable memory is filled directly; what is not needs the kernel's force, page by page. */
static int fill_process(unsigned long at, void *buf, size_t len)
{
	size_t left = copy_to_user((void __user *)at, buf, len);
	size_t done = round_down(len - left, PAGE_SIZE);
	int n = len - done;

	if (!left)
		return 0;
	return access_process_vm(current, at + done, buf + done, n, FOLL_WRITE | FOLL_FORCE) == n ?
		       0 :
		       -EFAULT;
}

/* Nothing is written behind the end of an object. */
static int fill_object(struct ckpt_restorer *r, u32 object, u64 at, const void *buf, size_t len)
{
	struct file *file = ckpt_objtab_file(&r->objects, object);
	loff_t pos = at;

	if (!file)
		return -ENOENT;
	len = min_t(u64, len, i_size_read(file_inode(file)) - at);
	while (len) {
		ssize_t n = kernel_write(file, buf, len, &pos);

		if (n <= 0)
			return n ?: -EIO;
		buf += n;
		len -= n;
	}
	return 0;
}

static int fill_run(struct ckpt_restorer *r, const struct ckpt_image_run *run, void *buf)
{
	u64 at = run->start, left = run->nr_pages;
	int err = 0;

	while (left && !err) {
		unsigned int n = min_t(u64, left, BATCH);

		err = ckpt_image_read_pages(&r->img, buf, n);
		if (err)
			return err;
		err = run->object ? fill_object(r, run->object, at, buf, n * PAGE_SIZE) :
				    fill_process(at, buf, n * PAGE_SIZE);
		if (err)
			return ckpt_restore_error(r, err, "memory at %llx: cannot be filled: %d",
						  at, err);
		at += n * PAGE_SIZE;
		left -= n;
		if (fatal_signal_pending(current))
			err = -EINTR;
		cond_resched();
	}
	return err;
}

static int create(struct ckpt_restorer *r)
{
	void *buf = kvmalloc(BATCH * PAGE_SIZE, GFP_KERNEL);
	const struct ckpt_record *rec;
	int err = buf ? 0 : -ENOMEM;
	u32 i;

	ckpt_for_each_record_of(rec, &r->img, CKPT_REC_RUNS) {
		const struct ckpt_image_runs *runs = rec->data;

		for (i = 0; i < runs->nr_runs && !err; i++)
			err = fill_run(r, &runs->runs[i], buf);
		if (err)
			break;
	}
	kvfree(buf);
	return err ?: ckpt_shm_seal(r);
}

const struct ckpt_kind ckpt_kind_runs = {
	.name = KIND,
	.type = CKPT_REC_RUNS,
	.version = 1,
	.oldest = 1,
	.min_len = sizeof(struct ckpt_image_runs),
	.count = CKPT_ANY,
	.save = save,
	.verify = verify,
	.verify_all = verify_all,
	.create = create,
};
