// SPDX-License-Identifier: GPL-2.0-only
/* One look at all processes of the system: which threads of the job are not frozen yet. */

#include "members.h"

#include <linux/ckpt.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "group.h"
#include "objtab.h"

#define SPARE 64

static bool is_member(struct ckpt_members *m, struct ckpt_group *g, struct task_struct *leader)
{
	return xa_load(&m->leaders, ckpt_objtab_key(leader)) || ckpt_group_process(g, leader);
}

static bool parent_is_member(struct ckpt_members *m, struct ckpt_group *g,
			     struct task_struct *leader)
{
	return is_member(m, g, rcu_dereference(leader->real_parent)->group_leader);
}

/* Why a process that belongs to the job cannot be frozen, or NULL. */
static const char *obstacle(struct task_struct *leader)
{
	struct pid *pid = task_tgid(leader);

	if (leader->flags & PF_KTHREAD)
		return "it is a kernel thread";
	if (same_thread_group(leader, current))
		return "it is the caller itself";
	if (pid && is_child_reaper(pid))
		return "it is the init process of its PID namespace";
	return NULL;
}

static void refuse(struct ckpt_members *m, struct task_struct *task, const char *why)
{
	if (m->refused)
		return;
	m->refused = get_task_struct(task);
	m->why = why;
}

static bool add(struct ckpt_members *m, struct task_struct *task, struct task_struct *leader,
		bool is_zombie)
{
	if (m->nr == m->size) {
		m->again = true;
		return false;
	}
	m->list[m->nr++] = (struct ckpt_member){
		.task = get_task_struct(task),
		.leader = get_task_struct(leader),
		.is_zombie = is_zombie,
	};
	return true;
}

static void add_threads(struct ckpt_members *m, struct ckpt_group *g, struct task_struct *leader)
{
	struct task_struct *task;

	for_each_thread(leader, task) {
		const struct ckpt_thread *t = ckpt_group_thread(g, task);
		/* Pairs with set_state(). */
		int state = t ? smp_load_acquire(&t->state) : CKPT_THREAD_QUEUED;

		if (state == CKPT_THREAD_PARKED || state == CKPT_THREAD_STOPPED)
			continue;
		if (t || (task->flags & PF_EXITING)) {
			m->again = true;
			continue;
		}
		if (!add(m, task, leader, false))
			return;
	}
}

/* Leaves out what only lives to be waited for by somebody outside. */
static void add_dead(struct ckpt_members *m, struct ckpt_group *g, struct task_struct *leader)
{
	if (!thread_group_empty(leader))
		refuse(m, leader, "its main thread has exited");
	else if (ckpt_group_process(g, leader) && ckpt_group_process(g, leader)->is_zombie)
		return;
	else if (parent_is_member(m, g, leader))
		add(m, leader, leader, true);
	else if (ckpt_select_has(&g->select, leader) && g->select.how <= CKPT_SELECT_PROCESS)
		refuse(m, leader, "it has exited");
}

static int look_at(struct ckpt_members *m, struct ckpt_group *g, struct task_struct *leader)
{
	bool is_child = parent_is_member(m, g, leader);
	const char *why;

	if (!ckpt_select_has(&g->select, leader) && !ckpt_group_process(g, leader) &&
	    !(g->select.how == CKPT_SELECT_TREE && is_child) &&
	    !(is_child && READ_ONCE(leader->exit_state)))
		return 0;
	why = obstacle(leader);
	if (why) {
		refuse(m, leader, why);
		return 0;
	}
	if (READ_ONCE(leader->exit_state)) {
		add_dead(m, g, leader);
		return 0;
	}
	/* Its parent can only park once it has called execve(2) or exited. */
	if (is_child && READ_ONCE(leader->vfork_done) && !ckpt_group_process(g, leader)) {
		m->again = true;
		return 0;
	}
	add_threads(m, g, leader);
	return xa_err(xa_store(&m->leaders, ckpt_objtab_key(leader), xa_mk_value(1), GFP_ATOMIC));
}

static unsigned int count_tasks(void)
{
	struct task_struct *p;
	unsigned int n = SPARE;

	rcu_read_lock();
	for_each_process(p)
		n += get_nr_threads(p);
	rcu_read_unlock();
	return n;
}

int ckpt_members_find(struct ckpt_members *m, struct ckpt_group *g)
{
	struct task_struct *leader;
	int err = 0;

	*m = (struct ckpt_members){ .size = count_tasks() };
	xa_init(&m->leaders);
	m->list = kvmalloc_array(m->size, sizeof(*m->list), GFP_KERNEL);
	if (!m->list)
		return -ENOMEM;
	rcu_read_lock();
	for_each_process(leader) {
		err = look_at(m, g, leader);
		if (err)
			break;
	}
	rcu_read_unlock();
	return err;
}

void ckpt_members_put(struct ckpt_members *m)
{
	unsigned int i;

	for (i = 0; i < m->nr; i++) {
		put_task_struct(m->list[i].task);
		put_task_struct(m->list[i].leader);
	}
	if (m->refused)
		put_task_struct(m->refused);
	kvfree(m->list);
	xa_destroy(&m->leaders);
}
