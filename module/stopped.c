// SPDX-License-Identifier: GPL-2.0-only
/* Threads that a stop signal has stopped: they are looked at where they stand. */

#include "stopped.h"

#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/jobctl.h>
#include <linux/sched/signal.h>
#include <linux/spinlock.h>

static bool is_asleep(struct task_struct *task)
{
	if (READ_ONCE(task->__state) != TASK_STOPPED || READ_ONCE(task->on_rq))
		return false;
	/* Pairs with the release in finish_task(): its registers are in memory. */
	return !smp_load_acquire(&task->on_cpu);
}

bool ckpt_stopped_is(struct task_struct *task)
{
	return (READ_ONCE(task->jobctl) & JOBCTL_STOPPED) && is_asleep(task);
}

/*
 * Who wakes a task compares its state under pi_lock: in a state that nobody asks for it stays
 * asleep. Signals clear JOBCTL_STOPPED all the same, see prepare_signal() and signal_wake_up().
 */
bool ckpt_stopped_pin(struct task_struct *task)
{
	bool done;

	raw_spin_lock_irq(&task->pi_lock);
	done = is_asleep(task);
	if (done)
		WRITE_ONCE(task->__state, TASK_IDLE);
	raw_spin_unlock_irq(&task->pi_lock);
	return done;
}

void ckpt_stopped_unpin(struct task_struct *task)
{
	/* A task that sleeps keeps it. */
	struct sighand_struct *sighand = rcu_dereference_protected(task->sighand, true);
	bool stays;

	spin_lock_irq(&sighand->siglock);
	stays = task->jobctl & JOBCTL_STOPPED;
	if (stays) {
		raw_spin_lock(&task->pi_lock);
		WRITE_ONCE(task->__state, TASK_STOPPED);
		raw_spin_unlock(&task->pi_lock);
	}
	spin_unlock_irq(&sighand->siglock);
	if (!stays)
		wake_up_process(task);
}
