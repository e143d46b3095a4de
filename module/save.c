// SPDX-License-Identifier: GPL-2.0-only
/* The save walk: collect the records of all kinds, refuse or write. */

#include "save.h"

#include <linux/ckpt.h>
#include <linux/err.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "kinds.h"
#include "request.h"
#include "saver.h"

void ckpt_save_refuse(struct ckpt_saver *s, const char *kind, const char *fmt, ...)
{
	va_list args;
	char *what;

	va_start(args, fmt);
	what = kvasprintf(GFP_KERNEL, fmt, args);
	va_end(args);
	ckpt_messages_add(&s->req->messages, "process %d (%s): %s: %s", task_tgid_vnr(s->task),
			  s->task->comm, kind, what ?: "cannot be saved");
	kfree(what);
	s->nr_refused++;
}

void *ckpt_save_record(struct ckpt_saver *s, const struct ckpt_kind *k, u32 tid, u32 id, size_t len)
{
	return ckpt_image_add(&s->out, k->type, k->version, tid, id, len);
}

static int walk(struct ckpt_saver *s)
{
	const struct ckpt_kind *k;
	struct ckpt_thread *t;
	unsigned int i;
	int err;

	ckpt_for_each_kind(k, i) {
		err = k->save ? k->save(s) : 0;
		if (err)
			return err;
		if (!k->save_thread)
			continue;
		ckpt_for_each_thread(t, s->group) {
			err = k->save_thread(s, t);
			if (err)
				return err;
		}
	}
	return s->nr_refused ? -EOPNOTSUPP : 0;
}

static int collect(struct ckpt_saver *s)
{
	struct ckpt_thread *t;
	int err;

	err = ckpt_group_hold(s->group);
	if (err)
		goto killed;
	ckpt_for_each_thread(t, s->group)
		err = err ?: t->cpu.error;
	if (!err)
		err = walk(s);
	ckpt_group_release(s->group);
	return err;
killed:
	ckpt_messages_add(&s->req->messages, "PID %d: killed while it was frozen",
			  task_tgid_vnr(s->task));
	return err;
}

static int collect_and_write(struct ckpt_saver *s, struct file *file)
{
	int err = collect(s);

	if (err || !file)
		return err;
	err = ckpt_image_write(s, file);
	/* A job that is being killed may have lost what was still to be written. */
	if (!err && !ckpt_group_is_whole(s->group)) {
		ckpt_messages_add(&s->req->messages, "PID %d: killed during the save",
				  task_tgid_vnr(s->task));
		err = -ESRCH;
	}
	return err;
}

int ckpt_save_group(struct ckpt_request *req, struct ckpt_save *arg, struct file *file)
{
	struct ckpt_saver *s;
	u64 start = ktime_get_ns();
	int err = -ESRCH;

	s = kzalloc(sizeof(*s), GFP_KERNEL);
	if (!s)
		return -ENOMEM;
	s->req = req;
	s->group = req->group;
	s->task = req->group->leader;
	ckpt_objtab_init(&s->objects);
	ckpt_image_writer_init(&s->out);
	ckpt_pages_init(&s->pages);

	s->mm = get_task_mm(s->task);
	if (s->mm) {
		err = collect_and_write(s, file);
		mmput(s->mm);
	}
	arg->nr_records = s->out.nr_records;
	arg->image_bytes = s->out.written;
	arg->nr_pages = s->pages.nr_pages;
	arg->write_ns = ktime_get_ns() - start;

	ckpt_pages_exit(&s->pages);
	ckpt_image_writer_exit(&s->out);
	ckpt_objtab_exit(&s->objects);
	kfree(s);
	return err;
}
