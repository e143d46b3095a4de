// SPDX-License-Identifier: GPL-2.0-only
/* Kind: processes that a stop signal has stopped, and what their parents know of it. */

#include <linux/err.h>
#include <linux/sched.h>
#include <linux/sched/jobctl.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>
#include <linux/thread_info.h>

#include "kinds.h"
#include "ksyms.h"
#include "restorer.h"
#include "saver.h"

#define FLAGS                                                                                    \
	(CKPT_STOP_STOPPED | CKPT_STOP_STOPPING | CKPT_STOP_CONTINUED | CKPT_STOP_TELL_STOPPED | \
	 CKPT_STOP_TELL_CONTINUED | CKPT_STOP_PENDING)
#define TELL (CKPT_STOP_TELL_STOPPED | CKPT_STOP_TELL_CONTINUED)

static const struct {
	u32 ours;
	unsigned int kernels;
} flags[] = {
	{ CKPT_STOP_STOPPED, SIGNAL_STOP_STOPPED },
	{ CKPT_STOP_CONTINUED, SIGNAL_STOP_CONTINUED },
	{ CKPT_STOP_TELL_STOPPED, SIGNAL_CLD_STOPPED },
	{ CKPT_STOP_TELL_CONTINUED, SIGNAL_CLD_CONTINUED },
};

static bool is_pending(struct ckpt_saver *s)
{
	struct ckpt_thread *t;

	if (sigismember(&s->task->signal->shared_pending.signal, SIGSTOP))
		return true;
	ckpt_for_each_thread(t, s->process)
		if (sigismember(&t->task->pending.signal, SIGSTOP))
			return true;
	return false;
}

/* Under siglock. */
static struct ckpt_image_stop look_at(struct ckpt_saver *s)
{
	const struct signal_struct *sig = s->task->signal;
	struct ckpt_image_stop i = {};
	unsigned int n;

	for (n = 0; n < ARRAY_SIZE(flags); n++)
		if (sig->flags & flags[n].kernels)
			i.flags |= flags[n].ours;
	if (is_pending(s))
		i.flags |= CKPT_STOP_PENDING;
	if (sig->group_stop_count)
		i.flags |= CKPT_STOP_STOPPING;
	if (i.flags & (CKPT_STOP_STOPPED | CKPT_STOP_STOPPING)) {
		i.code = sig->group_exit_code;
		i.signal = i.code ?: s->task->jobctl & JOBCTL_STOP_SIGMASK;
	}
	return i;
}

static int save(struct ckpt_saver *s)
{
	/* The sighand of a parked task stays. */
	struct sighand_struct *sighand = rcu_dereference_protected(s->task->sighand, true);
	struct ckpt_image_stop stop, *i;

	spin_lock_irq(&sighand->siglock);
	stop = look_at(s);
	spin_unlock_irq(&sighand->siglock);
	if (!stop.flags)
		return 0;
	i = ckpt_save_record(s, &ckpt_kind_stop, 0, 0, sizeof(*i));
	if (IS_ERR(i))
		return PTR_ERR(i);
	*i = stop;
	return 0;
}

static int verify(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_stop *i = rec->data;
	u32 state = i->flags & (CKPT_STOP_STOPPED | CKPT_STOP_STOPPING | CKPT_STOP_CONTINUED);

	if (i->flags & ~FLAGS)
		return ckpt_restore_error(r, -EOPNOTSUPP, "stop: unknown flags 0x%x", i->flags);
	if (hweight32(state) > 1 && state != (CKPT_STOP_STOPPING | CKPT_STOP_CONTINUED))
		return ckpt_restore_error(r, -EBADMSG, "stop: flags 0x%x do not match", i->flags);
	if (i->flags & TELL && !(state & CKPT_STOP_CONTINUED))
		return ckpt_restore_error(r, -EBADMSG, "stop: flags 0x%x do not match", i->flags);
	if (state & ~CKPT_STOP_CONTINUED ? !valid_signal(i->signal) || !sig_kernel_stop(i->signal) :
					   i->signal)
		return ckpt_restore_error(r, -EBADMSG, "stop: bad signal %u", i->signal);
	if ((i->code && i->code != i->signal) || i->reserved)
		return ckpt_restore_error(r, -EBADMSG, "stop: bad status %u", i->code);
	return 0;
}

/* How a process is to be: as it was, or stopped for a debugger. */
static struct ckpt_image_stop wanted(struct ckpt_restorer *r)
{
	const struct ckpt_record *rec = ckpt_restore_find(r, CKPT_REC_STOP, 0);
	struct ckpt_image_stop i = {};

	if (rec)
		i = *(const struct ckpt_image_stop *)rec->data;
	if (r->job->stop && !(i.flags & (CKPT_STOP_STOPPED | CKPT_STOP_STOPPING)))
		i = (struct ckpt_image_stop){ .flags = CKPT_STOP_STOPPED, .signal = SIGSTOP };
	/* The new parent does not know yet what the old one knew. */
	if (!r->saved->parent && i.flags & CKPT_STOP_STOPPED)
		i.code = i.signal;
	return i;
}

/* Under siglock: what do_signal_stop() leaves for the other threads of a process. */
static void mark_threads(struct ckpt_restorer *r, const struct ckpt_image_stop *i)
{
	unsigned long bits = i->signal | JOBCTL_STOP_PENDING;
	unsigned int n;

	if (i->flags & CKPT_STOP_STOPPING)
		bits |= JOBCTL_STOP_CONSUME;
	for (n = 0; n < r->nr_threads; n++) {
		struct task_struct *task = r->threads[n].task;

		task->jobctl &= ~(unsigned long)JOBCTL_STOP_SIGMASK;
		task->jobctl |= bits;
		set_tsk_thread_flag(task, TIF_SIGPENDING);
	}
}

static void put(struct ckpt_restorer *r, const struct ckpt_image_stop *i)
{
	struct task_struct *leader = r->threads[0].task;
	struct signal_struct *sig = leader->signal;
	unsigned int n;

	/* It dies: nothing stops it. */
	if (sig->flags & SIGNAL_GROUP_EXIT)
		return;
	sig->flags &= ~SIGNAL_STOP_MASK;
	for (n = 0; n < ARRAY_SIZE(flags); n++)
		if (i->flags & flags[n].ours)
			sig->flags |= flags[n].kernels;
	sig->group_exit_code = i->code;
	if (i->flags & CKPT_STOP_STOPPING)
		sig->group_stop_count = r->nr_threads;
	if (i->flags & (CKPT_STOP_STOPPED | CKPT_STOP_STOPPING))
		mark_threads(r, i);
	if (i->flags & CKPT_STOP_PENDING)
		sigaddset(&sig->shared_pending.signal, SIGSTOP);
	if (i->flags & (CKPT_STOP_PENDING | TELL))
		set_tsk_thread_flag(leader, TIF_SIGPENDING);
}

/*
 * All threads are in the kernel: each stops before its first instruction, behind the install hooks,
 * which run where a thread parks. A SIGCONT from now on continues them.
 */
static int settle(struct ckpt_rjob *job)
{
	struct ckpt_restorer *r;

	/* A process that is being killed keeps its sighand under this lock. */
	ckpt_tasklist_lock();
	ckpt_for_each_rprocess(r, job) {
		struct sighand_struct *sighand;
		struct ckpt_image_stop i;

		sighand = rcu_dereference_protected(r->threads[0].task->sighand, true);
		if (ckpt_restorer_is_zombie(r) || !sighand)
			continue;
		i = wanted(r);
		if (!i.flags)
			continue;
		spin_lock(&sighand->siglock);
		put(r, &i);
		spin_unlock(&sighand->siglock);
	}
	ckpt_tasklist_unlock();
	return 0;
}

const struct ckpt_kind ckpt_kind_stop = {
	.name = "stop",
	.type = CKPT_REC_STOP,
	.version = 1,
	.oldest = 1,
	.min_len = sizeof(struct ckpt_image_stop),
	.count = CKPT_AT_MOST_ONE,
	.save = save,
	.verify = verify,
	.settle = settle,
};
