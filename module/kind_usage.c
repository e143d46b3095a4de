// SPDX-License-Identifier: GPL-2.0-only
/*
 * Kind: what getrusage(2) and times(2) tell of the process beyond its threads;
 * its CPU clock.
 */

#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sched/cputime.h>
#include <linux/sched/signal.h>
#include <linux/seqlock.h>

#include "cputime.h"
#include "kinds.h"
#include "restorer.h"
#include "saver.h"

static void save_ended(struct ckpt_image_usage *i, struct signal_struct *sig)
{
	i->ended.user = sig->utime;
	i->ended.system = sig->stime;
	i->ended.guest = sig->gtime;
	i->ended.runtime = sig->sum_sched_runtime;
	i->ended_events.voluntary_switches = sig->nvcsw;
	i->ended_events.other_switches = sig->nivcsw;
	i->ended_events.minor_faults = sig->min_flt;
	i->ended_events.major_faults = sig->maj_flt;
}

static void save_children(struct ckpt_image_usage *i, struct signal_struct *sig)
{
	i->children.user = sig->cutime;
	i->children.system = sig->cstime;
	i->children.guest = sig->cgtime;
	i->children_events.voluntary_switches = sig->cnvcsw;
	i->children_events.other_switches = sig->cnivcsw;
	i->children_events.minor_faults = sig->cmin_flt;
	i->children_events.major_faults = sig->cmaj_flt;
}

/*
 * Kept up only while timers go by it; the kernel brings it up to the sum when
 * one starts.
 */
static void save_clock(struct ckpt_image_usage *i, struct task_struct *leader)
{
	struct signal_struct *sig = leader->signal;
	struct task_cputime_atomic *clock = &sig->cputimer.cputime_atomic;
	struct task_struct *t;

	i->clock_user = sig->utime;
	i->clock_system = sig->stime;
	i->clock_runtime = sig->sum_sched_runtime;
	for_each_thread(leader, t) {
		i->clock_user += t->utime;
		i->clock_system += t->stime;
		i->clock_runtime += t->se.sum_exec_runtime;
	}
	i->clock_user = max_t(u64, i->clock_user, atomic64_read(&clock->utime));
	i->clock_system = max_t(u64, i->clock_system, atomic64_read(&clock->stime));
	i->clock_runtime = max_t(u64, i->clock_runtime, atomic64_read(&clock->sum_exec_runtime));
}

static int save(struct ckpt_saver *s)
{
	struct signal_struct *sig = s->task->signal;
	/* The sighand of a parked task stays. */
	spinlock_t *lock = &rcu_dereference_protected(s->task->sighand, true)->siglock;
	struct ckpt_image_usage *i;

	i = ckpt_save_record(s, &ckpt_kind_usage, 0, 0, sizeof(*i));
	if (IS_ERR(i))
		return PTR_ERR(i);
	spin_lock_irq(lock);
	save_ended(i, sig);
	save_children(i, sig);
	save_clock(i, s->task);
	spin_unlock_irq(lock);
	ckpt_cputime_save_told(&i->ended, &sig->prev_cputime);
	return 0;
}

static int verify(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_usage *i = rec->data;
	const char *why = ckpt_cputime_check(&i->ended) ?: ckpt_cputime_check(&i->children);

	if (!why && (i->clock_user > CKPT_CPU_TIME_MAX || i->clock_system > CKPT_CPU_TIME_MAX ||
		     i->clock_runtime > CKPT_CPU_TIME_MAX))
		why = "longer than 36 years";
	if (!why && (i->children.told_user || i->children.told_system || i->children.runtime))
		why = "children have what they cannot have";
	if (why)
		return ckpt_restore_error(r, -EBADMSG, "CPU time of the process: %s", why);
	return 0;
}

/* The kernel divides by the sum, which must not come round to 0. */
static int verify_all(struct ckpt_restorer *r)
{
	const struct ckpt_image_usage *u = ckpt_restore_find(r, CKPT_REC_USAGE, 0)->data;
	u64 sum = u->ended.user + u->ended.system;
	const struct ckpt_record *rec;

	ckpt_for_each_record_of(rec, r, CKPT_REC_CPUTIME) {
		const struct ckpt_image_cputime *i = rec->data;

		sum += i->times.user + i->times.system;
		if (sum > CKPT_CPU_TIME_MAX)
			break;
	}
	if (sum > CKPT_CPU_TIME_MAX)
		return ckpt_restore_error(r, -EBADMSG, "CPU time of all threads: %s",
					  "longer than 36 years");
	return 0;
}

static void load_ended(struct signal_struct *sig, const struct ckpt_image_usage *i)
{
	sig->utime = i->ended.user;
	sig->stime = i->ended.system;
	sig->gtime = i->ended.guest;
	sig->sum_sched_runtime = i->ended.runtime;
	sig->nvcsw = i->ended_events.voluntary_switches;
	sig->nivcsw = i->ended_events.other_switches;
	sig->min_flt = i->ended_events.minor_faults;
	sig->maj_flt = i->ended_events.major_faults;
}

static void load_children(struct signal_struct *sig, const struct ckpt_image_usage *i)
{
	sig->cutime = i->children.user;
	sig->cstime = i->children.system;
	sig->cgtime = i->children.guest;
	sig->cnvcsw = i->children_events.voluntary_switches;
	sig->cnivcsw = i->children_events.other_switches;
	sig->cmin_flt = i->children_events.minor_faults;
	sig->cmaj_flt = i->children_events.major_faults;
}

static void load_clock(struct signal_struct *sig, const struct ckpt_image_usage *i)
{
	struct task_cputime_atomic *clock = &sig->cputimer.cputime_atomic;

	atomic64_set(&clock->utime, i->clock_user);
	atomic64_set(&clock->stime, i->clock_system);
	atomic64_set(&clock->sum_exec_runtime, i->clock_runtime);
}

/* Before the timers that go by the clock are set. */
static int apply(struct ckpt_restorer *r, struct ckpt_rthread *t)
{
	const struct ckpt_image_usage *i = ckpt_restore_find(r, CKPT_REC_USAGE, 0)->data;
	struct signal_struct *sig = current->signal;
	spinlock_t *lock = &rcu_dereference_protected(current->sighand, true)->siglock;

	if (!ckpt_rthread_is_leader(t))
		return 0;
	spin_lock_irq(lock);
	write_seqlock(&sig->stats_lock);
	load_ended(sig, i);
	load_children(sig, i);
	write_sequnlock(&sig->stats_lock);
	load_clock(sig, i);
	spin_unlock_irq(lock);
	ckpt_cputime_load_told(&sig->prev_cputime, &i->ended);
	return 0;
}

const struct ckpt_kind ckpt_kind_usage = {
	.name = "usage",
	.type = CKPT_REC_USAGE,
	.version = 1,
	.oldest = 1,
	.min_len = sizeof(struct ckpt_image_usage),
	.zombies = true,
	.count = CKPT_ONE,
	.save = save,
	.verify = verify,
	.verify_all = verify_all,
	.apply = apply,
};
