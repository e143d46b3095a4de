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

int ckpt_restore_error(struct ckpt_restorer *r, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	ckpt_messages_addv(&r->req->messages, fmt, args);
	va_end(args);
	return err;
}

static bool is_thread(struct ckpt_restorer *r, u32 tid)
{
	unsigned int i;

	for (i = 0; i < r->nr_threads; i++)
		if (r->threads[i].tid == tid)
			return true;
	return false;
}

/* What holds for a record of any kind. */
static int verify_record(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_kind *k = ckpt_kind_of_type(rec->type);

	if (rec->flags & ~CKPT_REC_COMPATIBLE)
		return ckpt_restore_error(r, -EOPNOTSUPP, "image: record %x: unknown flags 0x%x",
					  rec->type, rec->flags);
	if (rec->type == CKPT_REC_META)
		return rec == r->img.records ?
			       0 :
			       ckpt_restore_error(r, -EBADMSG, "image: more than one meta record");
	if (!k && (rec->flags & CKPT_REC_COMPATIBLE))
		return 0;
	if (!k)
		return ckpt_restore_error(r, -EOPNOTSUPP,
					  "image: record %x: not known to this module", rec->type);
	if (rec->version < k->oldest || rec->version > k->version)
		return ckpt_restore_error(
			r, -EOPNOTSUPP, "image: record %s: version %u: this module reads %u to %u",
			k->name, rec->version, k->oldest, k->version);
	if (rec->len < k->min_len)
		return ckpt_restore_error(r, -EBADMSG, "image: record %s: %u bytes: too short",
					  k->name, rec->len);
	if (k->count == CKPT_PER_THREAD ? !is_thread(r, rec->tid) :
					  rec->tid && !is_thread(r, rec->tid))
		return ckpt_restore_error(r, -EBADMSG,
					  "image: record %s: thread %u: not in the image", k->name,
					  rec->tid);
	return k->verify ? k->verify(r, rec) : 0;
}

static unsigned int count_records(struct ckpt_restorer *r, u32 type)
{
	const struct ckpt_record *rec;
	unsigned int n = 0;

	ckpt_for_each_record(rec, &r->img)
		n += rec->type == type;
	return n;
}

static int verify_count(struct ckpt_restorer *r, const struct ckpt_kind *k)
{
	unsigned int n = count_records(r, k->type), i;
	bool right = true;

	if (k->count == CKPT_ONE)
		right = n == 1;
	else if (k->count == CKPT_AT_MOST_ONE)
		right = n <= 1;
	else if (k->count == CKPT_PER_THREAD)
		right = n == r->nr_threads;
	for (i = 0; right && k->count == CKPT_PER_THREAD && i < n; i++)
		right = ckpt_image_find(&r->img, k->type, r->threads[i].tid);
	if (!right)
		return ckpt_restore_error(r, -EBADMSG, "image: record %s: %u of them", k->name, n);
	return 0;
}

/* Each thread record stands for a thread, the leader's first. */
static int make_threads(struct ckpt_restorer *r)
{
	unsigned int n = count_records(r, CKPT_REC_THREAD);
	const struct ckpt_record *rec;

	if (!n || n != r->img.meta->nr_threads)
		return ckpt_restore_error(r, -EBADMSG, "image: %u threads: the image says %u", n,
					  r->img.meta->nr_threads);
	r->threads = kvcalloc(n, sizeof(*r->threads), GFP_KERNEL_ACCOUNT);
	if (!r->threads)
		return -ENOMEM;
	ckpt_for_each_record_of(rec, &r->img, CKPT_REC_THREAD) {
		if (!rec->tid || rec->tid > PID_MAX_LIMIT || is_thread(r, rec->tid))
			return ckpt_restore_error(r, -EBADMSG, "image: thread %u: bad or twice",
						  rec->tid);
		r->threads[r->nr_threads].r = r;
		r->threads[r->nr_threads++].tid = rec->tid;
	}
	return 0;
}

/* An id stands for one object. */
static int verify_ids(struct ckpt_restorer *r)
{
	const struct ckpt_record *rec;
	struct xarray seen;
	int err = 0;

	xa_init(&seen);
	ckpt_for_each_record(rec, &r->img) {
		if (!rec->id)
			continue;
		err = xa_insert(&seen, rec->id, xa_mk_value(1), GFP_KERNEL);
		if (err == -EBUSY)
			err = ckpt_restore_error(r, -EBADMSG, "image: object %u: there twice",
						 rec->id);
		if (err)
			break;
	}
	xa_destroy(&seen);
	return err;
}

static int verify(struct ckpt_restorer *r)
{
	const struct ckpt_record *rec;
	const struct ckpt_kind *k;
	unsigned int i;
	int err;

	err = make_threads(r);
	if (!err)
		err = verify_ids(r);
	if (err)
		return err;
	ckpt_for_each_record(rec, &r->img) {
		err = verify_record(r, rec);
		if (err)
			return err;
		cond_resched();
	}
	ckpt_for_each_kind(k, i) {
		err = k->type ? verify_count(r, k) : 0;
		if (!err && k->verify_all)
			err = k->verify_all(r);
		if (err)
			return err;
	}
	return 0;
}

static void free_restorer(struct kref *ref)
{
	struct ckpt_restorer *r = container_of(ref, struct ckpt_restorer, ref);
	unsigned int i;

	for (i = 0; i < r->nr_threads; i++) {
		if (r->threads[i].task)
			put_task_struct(r->threads[i].task);
		kvfree(r->threads[i].xstate);
	}
	kvfree(r->threads);
	if (r->exe)
		fput(r->exe);
	if (r->tty)
		fput(r->tty);
	ckpt_script_exit(&r->script);
	ckpt_objtab_exit(&r->objects);
	ckpt_image_close(&r->img);
	ckpt_request_put(r->req);
	kfree(r);
}

void ckpt_restorer_put(struct ckpt_restorer *r)
{
	kref_put(&r->ref, free_restorer);
}

struct ckpt_restorer *ckpt_restorer_open(struct ckpt_request *req, struct file *file)
{
	struct ckpt_restorer *r = kzalloc(sizeof(*r), GFP_KERNEL);
	int err;

	if (!r)
		return ERR_PTR(-ENOMEM);
	kref_init(&r->ref);
	init_waitqueue_head(&r->wait);
	ckpt_objtab_init(&r->objects);
	ckpt_script_init(&r->script);
	r->dev_fd = -1;
	r->exe_fd = -1;
	ckpt_request_get(req);
	r->req = req;
	err = ckpt_image_open(&r->img, file, &req->messages);
	if (!err)
		err = verify(r);
	if (err) {
		ckpt_restorer_put(r);
		return ERR_PTR(err);
	}
	return r;
}
