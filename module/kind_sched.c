// SPDX-License-Identifier: GPL-2.0-only
/* Kind: scheduling policy, priorities, CPU affinity and I/O priority of one thread. */

#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/iocontext.h>
#include <linux/ioprio.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/sched/deadline.h>
#include <linux/sched/prio.h>
#include <linux/sched/rt.h>
#include <linux/slab.h>
#include <linux/unistd.h>
#include <uapi/linux/sched/types.h>

#include "compat.h"
#include "kinds.h"
#include "restorer.h"
#include "saver.h"

#define KNOWN_FLAGS                                                              \
	(CKPT_SCHED_RESET_ON_FORK | CKPT_SCHED_RECLAIM | CKPT_SCHED_DL_OVERRUN | \
	 CKPT_SCHED_AFFINITY)

/* Only a mask that somebody asked for is the thread's own; other limits come from its cgroup. */
static bool copy_affinity(struct task_struct *task, unsigned long *mask)
{
	const struct cpumask *asked;

	raw_spin_lock_irq(&task->pi_lock);
	asked = ckpt_asked_affinity(task);
	if (asked)
		bitmap_copy(mask, cpumask_bits(asked), nr_cpu_ids);
	raw_spin_unlock_irq(&task->pi_lock);
	return asked;
}

static bool has_affinity(struct task_struct *task)
{
	bool found;

	raw_spin_lock_irq(&task->pi_lock);
	found = ckpt_asked_affinity(task);
	raw_spin_unlock_irq(&task->pi_lock);
	return found;
}

static u32 io_priority(struct task_struct *task)
{
	u32 prio = 0;

	task_lock(task);
	if (task->io_context)
		prio = task->io_context->ioprio;
	task_unlock(task);
	return prio;
}

static void save_deadline(struct ckpt_image_sched *i, const struct task_struct *task)
{
	i->runtime = task->dl.dl_runtime;
	i->deadline = task->dl.dl_deadline;
	i->period = task->dl.dl_period;
	if (task->dl.flags & SCHED_FLAG_RECLAIM)
		i->flags |= CKPT_SCHED_RECLAIM;
	if (task->dl.flags & SCHED_FLAG_DL_OVERRUN)
		i->flags |= CKPT_SCHED_DL_OVERRUN;
}

static bool is_known_policy(u32 policy)
{
	switch (policy) {
	case SCHED_NORMAL:
	case SCHED_FIFO:
	case SCHED_RR:
	case SCHED_BATCH:
	case SCHED_IDLE:
	case SCHED_DEADLINE:
		return true;
	}
	return false;
}

static bool is_rt(u32 policy)
{
	return policy == SCHED_FIFO || policy == SCHED_RR;
}

static void refuse(struct ckpt_saver *s, struct task_struct *task)
{
	pid_t tid = task_pid_vnr(task);

	if (!is_known_policy(task->policy))
		ckpt_save_refuse(s, "sched", "thread %d: policy %u: not supported", tid,
				 task->policy);
	if (task->flags & PF_NO_SETAFFINITY)
		ckpt_save_refuse(s, "sched", "thread %d: bound to its CPU by the kernel: %s", tid,
				 "not supported");
	if (ckpt_has_utilization_clamps(task))
		ckpt_save_refuse(s, "sched", "thread %d: utilization clamps: reset them first",
				 tid);
	if (ckpt_has_core_cookie(task))
		ckpt_save_refuse(s, "sched", "thread %d: core scheduling cookie: not supported",
				 tid);
}

static int save_thread(struct ckpt_saver *s, struct ckpt_thread *t)
{
	struct task_struct *task = t->task;
	unsigned int nr_words = BITS_TO_LONGS(nr_cpu_ids);
	struct ckpt_image_sched *i;
	unsigned long *mask;
	bool is_bound;

	refuse(s, task);
	mask = bitmap_zalloc(nr_cpu_ids, GFP_KERNEL);
	if (!mask)
		return -ENOMEM;
	is_bound = copy_affinity(task, mask);
	if (!is_bound)
		nr_words = 0;
	i = ckpt_save_record(s, &ckpt_kind_sched, task_pid_vnr(task), 0,
			     struct_size(i, cpus, nr_words));
	if (!IS_ERR(i)) {
		i->policy = task->policy;
		i->nice = task_nice(task);
		i->priority = task->rt_priority;
		i->runtime = ckpt_sched_slice(task);
		if (task->sched_reset_on_fork)
			i->flags |= CKPT_SCHED_RESET_ON_FORK;
		if (task->policy == SCHED_DEADLINE)
			save_deadline(i, task);
		i->ioprio = io_priority(task);
		i->nr_cpu_words = nr_words;
		if (is_bound)
			i->flags |= CKPT_SCHED_AFFINITY;
		memcpy(i->cpus, mask, nr_words * sizeof(u64));
	}
	bitmap_free(mask);
	return PTR_ERR_OR_ZERO(i);
}

static const char *check(const struct ckpt_image_sched *i)
{
	if (!is_known_policy(i->policy))
		return "unknown policy";
	if (i->flags & ~KNOWN_FLAGS)
		return "unknown flags";
	if (i->nice < MIN_NICE || i->nice > MAX_NICE)
		return "bad nice value";
	if (is_rt(i->policy) ? !i->priority || i->priority >= MAX_RT_PRIO : i->priority)
		return "bad priority";
	if (i->policy != SCHED_DEADLINE && (i->deadline || i->period))
		return "deadline of another policy";
	if (i->ioprio > 0xffff || IOPRIO_PRIO_CLASS(i->ioprio) > IOPRIO_CLASS_IDLE)
		return "bad I/O priority";
	if (!(i->flags & CKPT_SCHED_AFFINITY) != !i->nr_cpu_words)
		return "affinity flag and mask do not match";
	return NULL;
}

static bool has_online_cpu(const struct ckpt_image_sched *i)
{
	unsigned int cpu;

	for_each_online_cpu(cpu)
		if (cpu / 64 < i->nr_cpu_words && i->cpus[cpu / 64] & BIT_ULL(cpu % 64))
			return true;
	return false;
}

static int verify(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_sched *i = rec->data;
	const char *why = NULL;

	if (i->nr_cpu_words > CKPT_SCHED_MAX_CPU_WORDS ||
	    rec->len != struct_size(i, cpus, i->nr_cpu_words))
		why = "bad length";
	why = why ?: check(i);
	if (why)
		return ckpt_restore_error(r, -EBADMSG, "thread %u: scheduling: %s", rec->tid, why);
	if ((i->flags & CKPT_SCHED_AFFINITY) && !has_online_cpu(i))
		return ckpt_restore_error(r, -EOPNOTSUPP, "thread %u: CPU affinity: %s", rec->tid,
					  "none of its CPUs is online here");
	return 0;
}

/* The call also stores what was asked for, which counts when CPUs come and go. */
static int script_affinity(struct ckpt_restorer *r, struct ckpt_rthread *t)
{
	const struct ckpt_image_sched *i = ckpt_restore_find(r, CKPT_REC_SCHED, t->tid)->data;
	u64 mask[CKPT_SCHED_MAX_CPU_WORDS];
	unsigned int nr_words = i->nr_cpu_words;
	unsigned long address;

	if (i->flags & CKPT_SCHED_AFFINITY) {
		memcpy(mask, i->cpus, nr_words * sizeof(u64));
	} else if (has_affinity(t->task)) {
		/* The mask of the restoring tool is not the thread's. */
		nr_words = ARRAY_SIZE(mask);
		memset(mask, 0xff, sizeof(mask));
	} else {
		return 0;
	}
	address = ckpt_script_data(&r->script, mask, nr_words * sizeof(u64));
	if (IS_ERR_VALUE(address))
		return address;
	return ckpt_script_add(&r->script, __NR_sched_setaffinity, t->tid, nr_words * sizeof(u64),
			       address, 0, 0, 0);
}

static int script(struct ckpt_restorer *r)
{
	unsigned int n;
	int err = 0;

	for (n = 0; !err && n < r->nr_threads; n++)
		err = script_affinity(r, &r->threads[n]);
	return err;
}

static int apply(struct ckpt_restorer *r, struct ckpt_rthread *t)
{
	const struct ckpt_image_sched *i = ckpt_restore_find(r, CKPT_REC_SCHED, t->tid)->data;
	struct sched_attr attr = {
		.size = sizeof(attr),
		.sched_policy = i->policy,
		.sched_nice = i->nice,
		.sched_priority = i->priority,
		.sched_runtime = i->runtime,
		.sched_deadline = i->deadline,
		.sched_period = i->period,
	};
	int err;

	if (i->flags & CKPT_SCHED_RESET_ON_FORK)
		attr.sched_flags |= SCHED_FLAG_RESET_ON_FORK;
	if (i->flags & CKPT_SCHED_RECLAIM)
		attr.sched_flags |= SCHED_FLAG_RECLAIM;
	if (i->flags & CKPT_SCHED_DL_OVERRUN)
		attr.sched_flags |= SCHED_FLAG_DL_OVERRUN;
	err = sched_setattr_nocheck(current, &attr);
	if (err)
		return ckpt_restore_error(r, err, "thread %d: scheduling policy %u: refused by %s",
					  t->tid, i->policy, "the kernel");
	/* Kept for the time after a real-time policy. */
	set_user_nice(current, i->nice);
	if (i->ioprio == io_priority(current))
		return 0;
	err = set_task_ioprio(current, i->ioprio);
	if (err)
		return ckpt_restore_error(r, err, "thread %d: I/O priority 0x%x: refused by %s",
					  t->tid, i->ioprio, "the kernel");
	return 0;
}

const struct ckpt_kind ckpt_kind_sched = {
	.name = "sched",
	.type = CKPT_REC_SCHED,
	.version = 1,
	.oldest = 1,
	.min_len = sizeof(struct ckpt_image_sched),
	.count = CKPT_PER_THREAD,
	.save_thread = save_thread,
	.verify = verify,
	.script = script,
	.apply = apply,
};
