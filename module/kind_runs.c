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

#include "inherit.h"
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

static int add_records(struct ckpt_saver *s, const struct ckpt_pages_set *set)
{
	u64 at = 0;

	if (set->nr_runs > MAX_RUNS) {
		ckpt_save_refuse(s, KIND, "memory: in %llu pieces: more than an image can hold",
				 set->nr_runs);
		return 0;
	}
	while (at < set->nr_runs) {
		u32 n = min_t(u64, set->nr_runs - at, RUNS_PER_RECORD);
		struct ckpt_image_runs *out;

		out = ckpt_save_record(s, &ckpt_kind_runs, 0, 0, struct_size(out, runs, n));
		if (IS_ERR(out))
			return PTR_ERR(out);
		out->nr_runs = n;
		memcpy(out->runs, set->runs + at, n * sizeof(*out->runs));
		at += n;
	}
	return 0;
}

static int save(struct ckpt_saver *s)
{
	int err;

	ckpt_inherit_choose(s);
	err = ckpt_pagescan(s);
	return err ?: add_records(s, ckpt_pages_of(&s->pages, s->process->number));
}

static int save_job(struct ckpt_saver *s)
{
	struct ckpt_pages_object *o;
	int err = ckpt_shm_check_users(s);

	list_for_each_entry(o, &s->pages.objects, node) {
		if (err)
			break;
		err = ckpt_pages_scan_object(&s->pages, o);
	}
	return err ?: add_records(s, ckpt_pages_of(&s->pages, 0));
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

/* Where a check of the runs of a process, or of the job, stands. */
struct check {
	const struct ckpt_record *vma, *last; /* the first that may hold what comes next */
	const struct ckpt_image_shm *shm;
	u64 end;
	u32 object;
};

/* Pages of the process lie in private VMAs, without a gap. */
static int check_process_run(struct ckpt_restorer *r, struct check *c,
			     const struct ckpt_image_run *run)
{
	u64 at = run->start, end = run->start + run->nr_pages * PAGE_SIZE;

	if (run->object)
		return bad(r, run, "of an object, among those of a process");
	while (at < end) {
		const struct ckpt_image_vma *v;

		if (c->vma == c->last)
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
	if (!c->shm || run->object != c->object) {
		const struct ckpt_record *rec;

		rec = ckpt_restore_object(r, CKPT_REC_SHM, run->object);
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

static int check_run(struct ckpt_restorer *r, struct check *c, bool is_of_job,
		     const struct ckpt_image_run *run)
{
	int err = is_of_job ? check_object_run(r, c, run) : check_process_run(r, c, run);

	if (err)
		return err;
	if (run->start < c->end)
		return bad(r, run, "out of order");
	c->end = run->start + run->nr_pages * PAGE_SIZE;
	if (run->nr_pages > r->job->img.meta->nr_pages - r->job->nr_pages)
		return bad(r, run, "more pages than the image says");
	r->job->nr_pages += run->nr_pages;
	return 0;
}

static int check_runs(struct ckpt_restorer *r, u32 number)
{
	const struct ckpt_records *records = &r->job->records;
	const struct ckpt_record *rec = ckpt_records_begin(records, number, CKPT_REC_RUNS);
	const struct ckpt_record *end = ckpt_records_end(records, number, CKPT_REC_RUNS);
	struct check c = {
		.vma = ckpt_records_begin(records, number, CKPT_REC_VMA),
		.last = ckpt_records_end(records, number, CKPT_REC_VMA),
	};

	for (; rec < end; rec++) {
		const struct ckpt_image_runs *runs = rec->data;
		u32 i;

		for (i = 0; i < runs->nr_runs; i++) {
			int err = check_run(r, &c, !number, &runs->runs[i]);

			if (err)
				return err;
		}
		cond_resched();
	}
	return 0;
}

static bool is_last_with_pages(const struct ckpt_restorer *r)
{
	const struct ckpt_restorer *end = r->job->processes + r->job->nr_processes;

	while (++r < end)
		if (ckpt_restorer_has_pages(r))
			return false;
	return true;
}

static int verify_all(struct ckpt_restorer *r)
{
	int err = ckpt_restorer_is_first(r) ? check_runs(r, 0) : 0;

	if (!err)
		err = check_runs(r, r->number);
	if (err || !is_last_with_pages(r) || r->job->nr_pages == r->job->img.meta->nr_pages)
		return err;
	return ckpt_restore_error(r, -EBADMSG, "image: %llu pages in runs: the image says %llu",
				  r->job->nr_pages, r->job->img.meta->nr_pages);
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
	struct file *file = ckpt_objtab_file(r->objects, object);
	loff_t pos = at;

	/* A file that is there keeps its content. */
	if (!file)
		return 0;
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

		err = ckpt_image_read_pages(&r->job->img, buf, n);
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

/* Reads the pages of a process, or of all objects, which come next in the image. */
static int fill(struct ckpt_restorer *r, u32 number)
{
	const struct ckpt_records *records = &r->job->records;
	const struct ckpt_record *rec = ckpt_records_begin(records, number, CKPT_REC_RUNS);
	const struct ckpt_record *end = ckpt_records_end(records, number, CKPT_REC_RUNS);
	void *buf = kvmalloc(BATCH * PAGE_SIZE, GFP_KERNEL);
	int err = buf ? 0 : -ENOMEM;
	u32 i;

	for (; rec < end && !err; rec++) {
		const struct ckpt_image_runs *runs = rec->data;

		for (i = 0; i < runs->nr_runs && !err; i++)
			err = fill_run(r, &runs->runs[i], buf);
	}
	kvfree(buf);
	return err;
}

/* Objects come first. */
static int open(struct ckpt_restorer *r)
{
	return ckpt_restorer_is_first(r) ? fill(r, 0) : 0;
}

static int create(struct ckpt_restorer *r)
{
	int err = ckpt_restore_wait_turn(r);

	if (err)
		return err;
	err = fill(r, r->number);
	if (!err)
		ckpt_restore_pass_turn(r);
	return err;
}

const struct ckpt_kind ckpt_kind_runs = {
	.name = KIND,
	.type = CKPT_REC_RUNS,
	.version = 1,
	.oldest = 1,
	.min_len = sizeof(struct ckpt_image_runs),
	.count = CKPT_ANY,
	.part = CKPT_SHARE_MM,
	.save = save,
	.save_job = save_job,
	.verify = verify,
	.verify_all = verify_all,
	.open = open,
	.create = create,
	.settle = ckpt_shm_seal,
};
