// SPDX-License-Identifier: GPL-2.0-only
/* Opening an image for a restore: every record is verified before anything is changed. */

#include <linux/err.h>
#include <linux/file.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/threads.h>
#include <linux/xarray.h>

#include "kinds.h"
#include "request.h"
#include "restore.h"
#include "restorer.h"
#include "sysv.h"

int ckpt_rjob_error(struct ckpt_rjob *job, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	ckpt_messages_addv(&job->req->messages, fmt, args);
	va_end(args);
	return err;
}

int ckpt_restore_error(struct ckpt_restorer *r, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	ckpt_messages_addv(&r->job->req->messages, fmt, args);
	va_end(args);
	return err;
}

/* The records of a kind that there is one of for each thread stand in the order of the threads. */
const struct ckpt_record *ckpt_restore_find(const struct ckpt_restorer *r, u32 type, u32 tid)
{
	struct ckpt_record_range range = ckpt_records_of(&r->job->records, r->number, type);
	const struct ckpt_record *rec = r->job->img.records + range.first;
	const struct ckpt_rthread *t = tid ? ckpt_restore_thread(r->job, tid) : r->threads;
	u32 i = t && t->r == r ? t - r->threads : 0;

	if (i < range.nr && rec[i].tid == tid)
		return rec + i;
	for (i = 0; i < range.nr; i++)
		if (rec[i].tid == tid)
			return rec + i;
	return NULL;
}

static bool is_thread_of(struct ckpt_restorer *r, u32 tid)
{
	const struct ckpt_rthread *t = ckpt_restore_thread(r->job, tid);

	return t && t->r == r;
}

/* What holds for a record of any kind. */
static int verify_form(struct ckpt_rjob *job, const struct ckpt_kind *k,
		       const struct ckpt_record *rec)
{
	if (rec->version < k->oldest || rec->version > k->version)
		return ckpt_rjob_error(job, -EOPNOTSUPP,
				       "image: record %s: version %u: this module reads %u to %u",
				       k->name, rec->version, k->oldest, k->version);
	if (rec->len < k->min_len)
		return ckpt_rjob_error(job, -EBADMSG, "image: record %s: %u bytes: too short",
				       k->name, rec->len);
	if (k->shared && rec->process)
		return ckpt_rjob_error(job, -EBADMSG, "image: record %s: not of the job", k->name);
	/* A kind that looks at the job as a whole may have records of both. */
	if (!k->shared && !k->save_job && !rec->process)
		return ckpt_rjob_error(job, -EBADMSG, "image: record %s: of no process", k->name);
	return 0;
}

static bool concerns(const struct ckpt_kind *k, const struct ckpt_restorer *r)
{
	return ckpt_kind_concerns(k, ckpt_restorer_is_zombie(r), r->shares);
}

static int verify_owner(struct ckpt_restorer *r, const struct ckpt_kind *k,
			const struct ckpt_record *rec)
{
	bool wants_thread = k->count == CKPT_PER_THREAD;

	if ((wants_thread || rec->tid) && !is_thread_of(r, rec->tid))
		return ckpt_restore_error(r, -EBADMSG,
					  "image: record %s: thread %u: not in the image", k->name,
					  rec->tid);
	if (!concerns(k, r))
		return ckpt_restore_error(r, -EBADMSG, "image: record %s: not one of process %d",
					  k->name, r->saved->pid);
	return 0;
}

static int verify_record(struct ckpt_rjob *job, const struct ckpt_record *rec)
{
	const struct ckpt_kind *k = ckpt_kind_of_type(rec->type);
	struct ckpt_restorer *r = job->processes + (rec->process ? rec->process - 1 : 0);
	int err;

	if (rec->flags & ~CKPT_REC_COMPATIBLE)
		return ckpt_rjob_error(job, -EOPNOTSUPP, "image: record %x: unknown flags 0x%x",
				       rec->type, rec->flags);
	if (rec->type == CKPT_REC_META)
		return rec == job->img.records ?
			       0 :
			       ckpt_rjob_error(job, -EBADMSG, "image: more than one meta record");
	if (!k && (rec->flags & CKPT_REC_COMPATIBLE))
		return 0;
	if (!k)
		return ckpt_rjob_error(job, -EOPNOTSUPP,
				       "image: record %x: not known to this module", rec->type);
	err = verify_form(job, k, rec);
	if (!err && rec->process)
		err = verify_owner(r, k, rec);
	if (!err && !rec->process && rec->tid)
		err = ckpt_rjob_error(job, -EBADMSG, "image: record %s: of the job and thread %u",
				      k->name, rec->tid);
	if (err)
		return err;
	return k->verify ? k->verify(r, rec) : 0;
}

static int verify_count(struct ckpt_restorer *r, const struct ckpt_kind *k)
{
	const struct ckpt_record *rec = ckpt_records_begin(&r->job->records, r->number, k->type);
	u32 n = ckpt_records_of(&r->job->records, r->number, k->type).nr, i;
	bool right = true;

	if (k->count == CKPT_ONE)
		right = n == 1;
	else if (k->count == CKPT_AT_MOST_ONE)
		right = n <= 1;
	else if (k->count == CKPT_PER_THREAD)
		right = n == r->nr_threads;
	for (i = 0; right && k->count == CKPT_PER_THREAD && i < n; i++)
		right = rec[i].tid == r->threads[i].tid;
	if (right)
		return 0;
	return ckpt_restore_error(r, -EBADMSG, "image: record %s: %u of them", k->name, n);
}

static int verify_kind(struct ckpt_restorer *r, const struct ckpt_kind *k)
{
	int err = k->type ? verify_count(r, k) : 0;

	if (!err && k->verify_all)
		err = k->verify_all(r);
	return err;
}

static int verify(struct ckpt_rjob *job)
{
	const struct ckpt_record *rec;
	const struct ckpt_kind *k;
	struct ckpt_restorer *r;
	unsigned int i;
	int err = 0;

	ckpt_for_each_record(rec, &job->img) {
		err = verify_record(job, rec);
		if (err)
			return err;
		cond_resched();
	}
	ckpt_for_each_kind(k, i) {
		if (k->shared) {
			err = k->verify_all ? k->verify_all(job->processes) : 0;
			if (err)
				return err;
			continue;
		}
		ckpt_for_each_rprocess(r, job) {
			if (concerns(k, r))
				err = verify_kind(r, k);
			if (err)
				return err;
		}
		cond_resched();
	}
	return 0;
}

static int add_task(struct ckpt_rjob *job, struct ckpt_restorer *r, u32 tid)
{
	struct ckpt_rthread *t = &job->tasks[job->nr_tasks];
	int err;

	if (!tid || tid > PID_MAX_LIMIT)
		return ckpt_rjob_error(job, -EBADMSG, "image: thread %u: bad number", tid);
	err = xa_insert(&job->by_tid, tid, t, GFP_KERNEL);
	if (err == -EBUSY)
		return ckpt_rjob_error(job, -EBADMSG, "image: thread %u: there twice", tid);
	if (err)
		return err;
	t->r = r;
	t->job = job;
	t->tid = tid;
	job->nr_tasks++;
	return 0;
}

/* Each thread record stands for a thread, the leader's first; a zombie has none. */
static int add_threads(struct ckpt_rjob *job, struct ckpt_restorer *r)
{
	const struct ckpt_record *rec;
	int err = 0;

	r->threads = job->tasks + job->nr_tasks;
	if (ckpt_restorer_is_zombie(r)) {
		r->nr_threads = 1;
		return add_task(job, r, r->saved->pid);
	}
	ckpt_for_each_record_of(rec, r, CKPT_REC_THREAD) {
		err = err ?: add_task(job, r, rec->tid);
		r->nr_threads++;
		job->nr_living++;
	}
	if (!err && !r->nr_threads)
		err = ckpt_rjob_error(job, -EBADMSG, "image: process %d: without a thread",
				      r->saved->pid);
	return err;
}

/* Groups and sessions may go by the number of a process that is no more. */
static int add_number(struct ckpt_rjob *job, u32 nr, bool is_outside)
{
	if (is_outside || !nr || ckpt_restore_thread(job, nr))
		return 0;
	return add_task(job, NULL, nr);
}

static int make_processes(struct ckpt_rjob *job)
{
	struct ckpt_restorer *r;
	u32 n = 0;

	job->processes =
		kvcalloc(job->records.nr_processes, sizeof(*job->processes), GFP_KERNEL_ACCOUNT);
	if (!job->processes)
		return -ENOMEM;
	job->nr_processes = job->records.nr_processes;
	ckpt_for_each_rprocess(r, job) {
		const struct ckpt_record *rec;

		r->job = job;
		r->number = ++n;
		r->objects = &job->objects;
		init_waitqueue_head(&r->wait);
		ckpt_script_init(&r->script);
		r->dev_fd = -1;
		r->exe_fd = -1;
		rec = ckpt_records_begin(&job->records, n, CKPT_REC_PROCESS);
		if (ckpt_records_of(&job->records, n, CKPT_REC_PROCESS).nr != 1 ||
		    rec->len < sizeof(*r->saved))
			return ckpt_rjob_error(job, -EBADMSG, "image: process %u: no record of it",
					       n);
		r->saved = rec->data;
	}
	if (ckpt_restorer_is_zombie(job->processes))
		return ckpt_rjob_error(job, -EBADMSG, "image: its first process has exited");
	return 0;
}

static int make_tasks(struct ckpt_rjob *job)
{
	u64 max = job->img.nr_records + 3ULL * job->nr_processes;
	struct ckpt_restorer *r;
	int err;

	/* A thread has a record; a process may need its own and two more numbers. */
	job->tasks = kvcalloc(max, sizeof(*job->tasks), GFP_KERNEL_ACCOUNT);
	if (!job->tasks)
		return -ENOMEM;
	ckpt_for_each_rprocess(r, job) {
		err = add_threads(job, r);
		if (err)
			return err;
	}
	job->nr_threads = job->nr_tasks;
	if (job->nr_threads != job->img.meta->nr_threads)
		return ckpt_rjob_error(job, -EBADMSG, "image: %u threads: the image says %u",
				       job->nr_threads, job->img.meta->nr_threads);
	ckpt_for_each_rprocess(r, job) {
		const struct ckpt_image_process *p = r->saved;

		err = add_number(job, p->sid, p->flags & CKPT_PROCESS_SESSION_OUTSIDE);
		if (!err)
			err = add_number(job, p->pgid, p->flags & CKPT_PROCESS_PGRP_OUTSIDE);
		if (err)
			return err;
	}
	return 0;
}

static void free_rjob(struct kref *ref)
{
	struct ckpt_rjob *job = container_of(ref, struct ckpt_rjob, ref);
	struct ckpt_restorer *r;
	unsigned int i;
	int err;

	ckpt_sysv_end(job, ckpt_restore_ended(job, &err) && !err);
	for (i = 0; i < job->nr_tasks; i++) {
		if (job->tasks[i].task)
			put_task_struct(job->tasks[i].task);
		kvfree(job->tasks[i].xstate);
	}
	ckpt_for_each_rprocess(r, job) {
		if (r->exe)
			fput(r->exe);
		ckpt_script_exit(&r->script);
	}
	if (job->tty)
		fput(job->tty);
	kvfree(job->tasks);
	kvfree(job->processes);
	xa_destroy(&job->by_tid);
	ckpt_records_exit(&job->records);
	ckpt_objtab_exit(&job->objects);
	ckpt_image_close(&job->img);
	ckpt_request_put(job->req);
	kfree(job);
}

void ckpt_rjob_put(struct ckpt_rjob *job)
{
	kref_put(&job->ref, free_rjob);
}

/* The others are made by processes that they have memory from. */
static void count_made(struct ckpt_rjob *job)
{
	unsigned int i;

	for (i = 0; i < job->nr_tasks; i++)
		job->nr_made += !job->tasks[i].r || !job->tasks[i].r->source;
}

/* The records have been read. */
static int open_records(struct ckpt_rjob *job)
{
	int err = ckpt_records_init(&job->records, &job->img, &job->req->messages);

	if (!err)
		err = make_processes(job);
	if (!err)
		err = make_tasks(job);
	if (!err)
		err = verify(job);
	if (!err)
		count_made(job);
	return err;
}

static struct ckpt_rjob *new_rjob(struct ckpt_request *req)
{
	struct ckpt_rjob *job = kzalloc(sizeof(*job), GFP_KERNEL);

	if (!job)
		return NULL;
	kref_init(&job->ref);
	init_waitqueue_head(&job->wait);
	INIT_LIST_HEAD(&job->sysv);
	xa_init(&job->by_tid);
	xa_init(&job->records.objects);
	ckpt_objtab_init(&job->objects);
	ckpt_request_get(req);
	job->req = req;
	return job;
}

struct ckpt_rjob *ckpt_rjob_open(struct ckpt_request *req, struct file *file)
{
	struct ckpt_rjob *job = new_rjob(req);
	int err;

	if (!job)
		return ERR_PTR(-ENOMEM);
	err = ckpt_image_open(&job->img, file, &req->messages);
	if (!err)
		err = open_records(job);
	if (err) {
		ckpt_rjob_put(job);
		return ERR_PTR(err);
	}
	return job;
}
