// SPDX-License-Identifier: GPL-2.0-only
/* Who is whose child, and process groups and sessions: as they were in the saved job. */

#include "family.h"

#include <linux/list.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/tty.h>

#include "ksyms.h"
#include "restorer.h"

static struct task_struct *leader_of(const struct ckpt_restorer *r)
{
	return r->threads[0].task;
}

/* Under tasklist_lock, written. */
static void set_parent(struct ckpt_restorer *r)
{
	struct ckpt_rthread *parent = ckpt_restore_thread(r->job, r->saved->parent);
	struct task_struct *leader = leader_of(r), *t;

	if (parent) {
		list_move_tail(&leader->sibling, &parent->task->children);
		for_each_thread(leader, t) {
			RCU_INIT_POINTER(t->real_parent, parent->task);
			if (!t->ptrace)
				RCU_INIT_POINTER(t->parent, parent->task);
		}
		leader->parent_exec_id = parent->task->self_exec_id;
		leader->signal->has_child_subreaper |= parent->task->signal->has_child_subreaper ||
						       parent->task->signal->is_child_subreaper;
	}
	/* The parent is not told of the end of one that has ended before. */
	leader->exit_signal = ckpt_restorer_is_zombie(r) ? 0 : r->saved->exit_signal;
}

/* The same, and the numbers are held. */
static void set_id(struct ckpt_restorer *r, enum pid_type type, s32 nr, bool is_outside)
{
	struct task_struct *leader = leader_of(r);
	struct task_struct *first = leader_of(r->job->processes);
	struct pid *old = type == PIDTYPE_SID ? task_session(leader) : task_pgrp(leader);
	struct pid *id = find_vpid(nr);

	if (is_outside)
		id = type == PIDTYPE_SID ? task_session(first) : task_pgrp(first);
	if (id != old)
		ckpt_change_pid(leader, type, id);
	if (type == PIDTYPE_SID)
		leader->signal->leader = id == task_tgid(leader);
}

/* One that moves to another session has not the terminal of its old one. */
static void leave_terminal(struct ckpt_restorer *r)
{
	struct task_struct *leader = leader_of(r);
	struct sighand_struct *sighand = rcu_access_pointer(leader->sighand);
	struct signal_struct *sig = leader->signal;
	struct tty_struct *tty = NULL;

	if (task_session(leader) == task_session(leader_of(r->job->processes)))
		return;
	spin_lock_irq(&sighand->siglock);
	swap(tty, sig->tty);
	spin_unlock_irq(&sighand->siglock);
	tty_kref_put(tty);
}

/* Whether each number that a group or session goes by belongs to a task of the restore. */
static bool has_number(struct ckpt_rjob *job, s32 nr, bool is_outside)
{
	return is_outside || ckpt_restore_thread(job, nr);
}

int ckpt_family_assemble(struct ckpt_rjob *job)
{
	struct ckpt_restorer *r;

	ckpt_for_each_rprocess(r, job) {
		u32 flags = r->saved->flags;

		if (!has_number(job, r->saved->pgid, flags & CKPT_PROCESS_PGRP_OUTSIDE) ||
		    !has_number(job, r->saved->sid, flags & CKPT_PROCESS_SESSION_OUTSIDE))
			return ckpt_restore_error(r, -ESRCH, "process %d: group %d, session %d: %s",
						  r->saved->pid, r->saved->pgid, r->saved->sid,
						  "nobody holds the number");
	}
	ckpt_tasklist_lock();
	ckpt_for_each_rprocess(r, job) {
		u32 flags = r->saved->flags;

		set_parent(r);
		set_id(r, PIDTYPE_SID, r->saved->sid, flags & CKPT_PROCESS_SESSION_OUTSIDE);
		set_id(r, PIDTYPE_PGID, r->saved->pgid, flags & CKPT_PROCESS_PGRP_OUTSIDE);
	}
	ckpt_tasklist_unlock();
	ckpt_for_each_rprocess(r, job)
		leave_terminal(r);
	return 0;
}

void ckpt_family_die(struct ckpt_restorer *r)
{
	struct sighand_struct *sighand = rcu_access_pointer(current->sighand);
	struct signal_struct *sig = current->signal;

	spin_lock_irq(&sighand->siglock);
	/* do_group_exit() takes the status of an exit that is under way for its own. */
	sig->flags |= SIGNAL_GROUP_EXIT;
	sig->group_exit_code = r->saved->exit_code;
	spin_unlock_irq(&sighand->siglock);
	send_sig(SIGKILL, current, 1);
}

static bool is_dead(const struct ckpt_restorer *r)
{
	/* Set under tasklist_lock, when everything else is done. */
	return smp_load_acquire(&leader_of(r)->exit_state);
}

int ckpt_family_settle(struct ckpt_rjob *job)
{
	struct ckpt_restorer *r;

	ckpt_for_each_rprocess(r, job) {
		if (!ckpt_restorer_is_zombie(r))
			continue;
		while (!is_dead(r))
			if (schedule_timeout_killable(1) && fatal_signal_pending(current))
				return -EINTR;
	}
	ckpt_tasklist_lock();
	ckpt_for_each_rprocess(r, job)
		if (ckpt_restorer_is_zombie(r))
			leader_of(r)->exit_signal = r->saved->exit_signal;
	ckpt_tasklist_unlock();
	return 0;
}
