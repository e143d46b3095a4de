// SPDX-License-Identifier: GPL-2.0-only
/* The save walk: collect the records of all kinds, refuse or write. */

#include "save.h"

#include <linux/ckpt.h>
#include <linux/err.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "fds.h"
#include "inherit.h"
#include "kinds.h"
#include "request.h"
#include "saver.h"
#include "share.h"
#include "sockets.h"

void ckpt_save_refuse(struct ckpt_saver *s, const char *kind, const char *fmt, ...)
{
	va_list args;
	char *what;

	va_start(args, fmt);
	what = kvasprintf(GFP_KERNEL, fmt, args);
	va_end(args);
	if (s->task)
		ckpt_messages_add(&s->req->messages, "process %d (%s): %s: %s",
				  task_tgid_vnr(s->task), s->task->comm, kind,
				  what ?: "cannot be saved");
	else
		ckpt_messages_add(&s->req->messages, "job: %s: %s", kind,
				  what ?: "cannot be saved");
	kfree(what);
	s->nr_refused++;
}

void *ckpt_save_record(struct ckpt_saver *s, const struct ckpt_kind *k, u32 tid, u32 id, size_t len)
{
	bool is_of_job = k->shared || !s->process;

	return ckpt_image_add(&s->out, k->type, k->version, is_of_job ? 0 : s->process->number, tid,
			      id, len);
}

int ckpt_saver_enter(struct ckpt_saver *s, struct ckpt_process *p)
{
	struct mm_struct *mm = p->is_zombie ? NULL : get_task_mm(p->leader);

	if (!mm && !p->is_zombie)
		return -ESRCH;
	s->process = p;
	s->task = p->leader;
	s->mm = mm;
	return 0;
}

void ckpt_saver_leave(struct ckpt_saver *s)
{
	if (s->mm)
		mmput(s->mm);
	s->process = NULL;
	s->task = NULL;
	s->mm = NULL;
}

bool ckpt_saver_has_mm(struct ckpt_saver *s, const struct mm_struct *mm)
{
	return xa_load(&s->parts, ckpt_objtab_key(mm));
}

static int walk_process(struct ckpt_saver *s)
{
	const struct ckpt_kind *k;
	struct ckpt_thread *t;
	unsigned int i;
	int err;

	ckpt_for_each_kind(k, i) {
		if (!ckpt_kind_concerns(k, s->process->is_zombie, s->process->shares))
			continue;
		err = k->save ? k->save(s) : 0;
		if (err)
			return err;
		if (!k->save_thread)
			continue;
		ckpt_for_each_thread(t, s->process) {
			err = k->save_thread(s, t);
			if (err)
				return err;
		}
	}
	return 0;
}

/* What the kinds may ask for each process. */
static int prepare_process(struct ckpt_saver *s)
{
	int err;

	if (s->process->is_zombie)
		return 0;
	/* A check may have been made before. */
	s->process->shares = 0;
	s->process->with = 0;
	err = ckpt_share_collect(s);
	return err ?: ckpt_fds_collect(s);
}

static int visit_processes(struct ckpt_saver *s, int (*fn)(struct ckpt_saver *s))
{
	struct ckpt_process *p;
	int err = 0;

	ckpt_for_each_process(p, s->group) {
		err = ckpt_saver_enter(s, p);
		if (err)
			break;
		err = fn(s);
		ckpt_saver_leave(s);
		if (err)
			break;
		cond_resched();
	}
	return err;
}

static int walk(struct ckpt_saver *s)
{
	const struct ckpt_kind *k;
	unsigned int i;
	int err;

	err = visit_processes(s, prepare_process);
	if (!err)
		err = ckpt_socks_collect(s);
	if (!err)
		err = ckpt_fds_number(s);
	if (!err)
		err = visit_processes(s, walk_process);
	if (err)
		return err;
	ckpt_for_each_kind(k, i) {
		err = k->save_job ? k->save_job(s) : 0;
		if (err)
			return err;
	}
	return s->nr_refused ? -EOPNOTSUPP : 0;
}

static int capture_error(struct ckpt_group *g)
{
	struct ckpt_process *p;
	struct ckpt_thread *t;

	ckpt_for_each_process(p, g)
		ckpt_for_each_thread(t, p)
			if (t->cpu.error)
				return t->cpu.error;
	return 0;
}

static void tell(struct ckpt_saver *s, const char *what)
{
	ckpt_messages_add(&s->req->messages, "PID %d: %s",
			  task_tgid_vnr(ckpt_group_first(s->group)->leader), what);
}

static int collect(struct ckpt_saver *s)
{
	int err;

	err = ckpt_group_hold(s->group);
	if (err) {
		tell(s, err == -EAGAIN ? "a stopped process was continued meanwhile: try again" :
					 "killed while it was frozen");
		return err;
	}
	err = capture_error(s->group);
	if (!err)
		err = walk(s);
	ckpt_socks_release(s);
	ckpt_fds_release(s);
	ckpt_clocks_read(&s->clocks, ckpt_group_first(s->group)->leader);
	ckpt_group_release(s->group);
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
		tell(s, "killed during the save");
		err = -ESRCH;
	}
	return err;
}

int ckpt_save_group(struct ckpt_request *req, struct ckpt_save *arg, struct file *file)
{
	struct ckpt_saver *s;
	u64 start = ktime_get_ns();
	int err;

	s = kzalloc(sizeof(*s), GFP_KERNEL);
	if (!s)
		return -ENOMEM;
	s->req = req;
	s->group = req->group;
	xa_init(&s->socks);
	xa_init(&s->parts);
	ckpt_objtab_init(&s->objects);
	ckpt_image_writer_init(&s->out);
	err = ckpt_pages_init(&s->pages, s->group->nr_processes);
	if (!err)
		err = ckpt_inherit_init(s);
	if (!err)
		err = collect_and_write(s, file);
	arg->nr_records = s->out.nr_records;
	arg->image_bytes = s->out.written;
	arg->nr_pages = s->pages.nr_pages;
	arg->write_ns = ktime_get_ns() - start;

	ckpt_inherit_exit(s);
	ckpt_pages_exit(&s->pages);
	ckpt_image_writer_exit(&s->out);
	ckpt_objtab_exit(&s->objects);
	xa_destroy(&s->parts);
	kfree(s);
	return err;
}
