// SPDX-License-Identifier: GPL-2.0-only
/* Kind: CPU time, counts of getrusage(2) and start time of one thread. */

#include <linux/err.h>
#include <linux/irqflags.h>
#include <linux/sched.h>
#include <linux/sched/cputime.h>
#include <linux/time64.h>

#include "clocks.h"
#include "cputime.h"
#include "kinds.h"
#include "restorer.h"
#include "saver.h"

static int save_thread(struct ckpt_saver *s, struct ckpt_thread *t)
{
	struct task_struct *task = t->task;
	struct ckpt_image_cputime *i;
	struct ckpt_clocks now;

	i = ckpt_save_record(s, &ckpt_kind_cputime, task_pid_vnr(task), 0, sizeof(*i));
	if (IS_ERR(i))
		return PTR_ERR(i);
	ckpt_clocks_read(&now, ckpt_group_first(s->group)->leader);
	i->times.user = task->utime;
	i->times.system = task->stime;
	i->times.guest = task->gtime;
	i->times.runtime = task->se.sum_exec_runtime;
	ckpt_cputime_save_told(&i->times, &task->prev_cputime);
	i->events.voluntary_switches = task->nvcsw;
	i->events.other_switches = task->nivcsw;
	i->events.minor_faults = task->min_flt;
	i->events.major_faults = task->maj_flt;
	i->start = task->start_boottime + now.boottime_offset;
	return 0;
}

static int verify(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_cputime *i = rec->data;
	const char *why = ckpt_cputime_check(&i->times);

	if (why)
		return ckpt_restore_error(r, -EBADMSG, "thread %u: CPU time: %s", rec->tid, why);
	return 0;
}

static int verify_all(struct ckpt_restorer *r)
{
	const char *why = ckpt_clocks_check(r->job->img.meta);

	return why ? ckpt_restore_error(r, -EBADMSG, "image: clocks: %s", why) : 0;
}

/*
 * Only current and its ticks write these. The runtime is written by whoever
 * looks at it from another CPU too, who may have taken the old value a moment
 * ago.
 */
static void set_times(const struct ckpt_image_cpu_times *times)
{
	struct sched_entity *se = &current->se;

	local_irq_disable();
	current->utime = times->user;
	current->stime = times->system;
	current->gtime = times->guest;
	se->prev_sum_exec_runtime += times->runtime - se->sum_exec_runtime;
	do {
		WRITE_ONCE(se->sum_exec_runtime, times->runtime);
		cpu_relax();
	} while (READ_ONCE(se->sum_exec_runtime) - times->runtime > NSEC_PER_SEC);
	local_irq_enable();
	ckpt_cputime_load_told(&current->prev_cputime, times);
}

static void set_start(struct ckpt_restorer *r, u64 start)
{
	struct ckpt_clocks saved, now;
	u64 began;

	ckpt_clocks_load(&saved, r->job->img.meta);
	ckpt_clocks_read(&now, current);
	began = ckpt_clocks_start(&saved, &now, start);
	/* The two clocks differ by the time that the machine was suspended. */
	current->start_time = max_t(s64, now.monotonic - (now.boottime - (s64)began), 0);
	current->start_boottime = began;
}

static int apply(struct ckpt_restorer *r, struct ckpt_rthread *t)
{
	const struct ckpt_image_cputime *i = ckpt_restore_find(r, CKPT_REC_CPUTIME, t->tid)->data;

	set_times(&i->times);
	current->nvcsw = i->events.voluntary_switches;
	current->nivcsw = i->events.other_switches;
	current->min_flt = i->events.minor_faults;
	current->maj_flt = i->events.major_faults;
	set_start(r, i->start);
	return 0;
}

const struct ckpt_kind ckpt_kind_cputime = {
	.name = "cputime",
	.type = CKPT_REC_CPUTIME,
	.version = 1,
	.oldest = 1,
	.min_len = sizeof(struct ckpt_image_cputime),
	.zombies = true,
	.count = CKPT_PER_THREAD,
	.save_thread = save_thread,
	.verify = verify,
	.verify_all = verify_all,
	.apply = apply,
};
