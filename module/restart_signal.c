// SPDX-License-Identifier: GPL-2.0-only
/* Registry of the processes that asked for a signal at resume or were restored before. */

#include "restart_signal.h"

#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>
#include <linux/slab.h>

/**
 * struct entry - what is known about a process
 * @node: in entries
 * @pid: thread group ID; a new process, fork's child too, has another struct pid
 * @exec_id: self_exec_id of the program that asked; execve makes it another one
 * @signo: signal that it asked for, 0 for none
 * @generation: restores that lie behind it
 */
struct entry {
	struct list_head node;
	struct pid *pid;
	u64 exec_id;
	u32 signo;
	u64 generation;
};

static LIST_HEAD(entries);
static DEFINE_MUTEX(lock);

static void drop(struct entry *e)
{
	list_del(&e->node);
	put_pid(e->pid);
	kfree(e);
}

static bool is_dead(struct pid *pid)
{
	bool dead;

	rcu_read_lock();
	dead = !pid_task(pid, PIDTYPE_TGID);
	rcu_read_unlock();
	return dead;
}

/* Nobody tells when a process ends: its entry goes when somebody looks next. */
static struct entry *find(struct task_struct *leader)
{
	struct pid *pid = task_tgid(leader);
	struct entry *e, *next, *found = NULL;

	lockdep_assert_held(&lock);
	list_for_each_entry_safe(e, next, &entries, node) {
		if (e->pid == pid)
			found = e;
		else if (is_dead(e->pid))
			drop(e);
	}
	return found;
}

static struct entry *find_or_add(struct task_struct *leader)
{
	struct entry *e = find(leader);

	if (e)
		return e;
	e = kzalloc(sizeof(*e), GFP_KERNEL_ACCOUNT);
	if (!e)
		return NULL;
	e->pid = get_pid(task_tgid(leader));
	list_add(&e->node, &entries);
	return e;
}

int ckpt_restart_signal_set(u32 signo)
{
	struct task_struct *leader = current->group_leader;
	struct entry *e;

	if (signo > _NSIG || signo == SIGKILL || signo == SIGSTOP)
		return -EINVAL;
	mutex_lock(&lock);
	e = signo ? find_or_add(leader) : find(leader);
	if (e) {
		e->signo = signo;
		e->exec_id = READ_ONCE(leader->self_exec_id);
	}
	mutex_unlock(&lock);
	return e || !signo ? 0 : -ENOMEM;
}

int ckpt_restart_signal_of(struct task_struct *leader)
{
	struct entry *e;
	int signo = 0;

	mutex_lock(&lock);
	e = find(leader);
	if (e && e->exec_id == READ_ONCE(leader->self_exec_id))
		signo = e->signo;
	mutex_unlock(&lock);
	return signo;
}

int ckpt_restart_generation_set(u64 generation)
{
	struct entry *e;

	mutex_lock(&lock);
	e = find_or_add(current->group_leader);
	if (e)
		e->generation = generation;
	mutex_unlock(&lock);
	return e ? 0 : -ENOMEM;
}

u64 ckpt_restart_generation(struct task_struct *leader)
{
	struct entry *e;
	u64 generation = 0;

	mutex_lock(&lock);
	e = find(leader);
	if (e)
		generation = e->generation;
	mutex_unlock(&lock);
	return generation;
}

void ckpt_restart_signal_exit(void)
{
	struct entry *e, *next;

	list_for_each_entry_safe(e, next, &entries, node)
		drop(e);
}
