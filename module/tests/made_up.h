/* SPDX-License-Identifier: GPL-2.0-only */
/* Processes that exist only as far as a look at them goes. */
#ifndef CKPT_TESTS_MADE_UP_H
#define CKPT_TESTS_MADE_UP_H

#include <kunit/test.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "../compat.h"

/* Puts a task into its thread group. */
static inline void made_up_join(struct task_struct *task, struct task_struct *leader)
{
	task->signal = leader->signal;
	task->group_leader = leader;
	list_add_tail(&task->thread_node, &leader->signal->thread_head);
	ckpt_join_thread_group(task, leader);
	leader->signal->nr_threads++;
}

/* A process that leads its own process group and session. */
static inline struct task_struct *made_up_process(struct kunit *test, pid_t nr,
						  struct task_struct *parent)
{
	struct task_struct *task = kunit_kzalloc(test, sizeof(*task), GFP_KERNEL);
	struct pid *pid = kunit_kzalloc(test, sizeof(*pid) + sizeof(struct upid), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, task);
	KUNIT_ASSERT_NOT_NULL(test, pid);
	task->signal = kunit_kzalloc(test, sizeof(*task->signal), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, task->signal);
	refcount_set(&task->usage, 1);
	INIT_LIST_HEAD(&task->signal->thread_head);
	made_up_join(task, task);
	RCU_INIT_POINTER(task->real_parent, parent ?: task);
	pid->numbers[0].nr = nr;
	task->pid = nr;
	task->tgid = nr;
	task->thread_pid = pid;
	task->signal->pids[PIDTYPE_TGID] = pid;
	task->signal->pids[PIDTYPE_PGID] = pid;
	task->signal->pids[PIDTYPE_SID] = pid;
	return task;
}

static inline struct task_struct *made_up_thread(struct kunit *test, struct task_struct *leader)
{
	struct task_struct *task = kunit_kzalloc(test, sizeof(*task), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, task);
	refcount_set(&task->usage, 1);
	/* What tells it from a leader. */
	task->exit_signal = -1;
	RCU_INIT_POINTER(task->real_parent, leader->real_parent);
	made_up_join(task, leader);
	return task;
}

#endif /* CKPT_TESTS_MADE_UP_H */
