// SPDX-License-Identifier: GPL-2.0-only
/* Freezing a job: each of its threads parks itself in task work at the boundary to user mode. */

#include "group.h"

#include <linux/ckpt.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>

#include "ksyms.h"
#include "members.h"
#include "message.h"
#include "objtab.h"
#include "stopped.h"

static void free_threads(struct list_head *threads)
{
	struct ckpt_thread *t, *next;

	list_for_each_entry_safe(t, next, threads, node) {
		put_task_struct(t->task);
		ckpt_cpu_state_exit(&t->cpu);
		kfree(t);
	}
}

static void release(struct kref *ref)
{
	struct ckpt_group *g = container_of(ref, struct ckpt_group, ref);
	struct ckpt_process *p, *next;

	free_threads(&g->gone);
	list_for_each_entry_safe(p, next, &g->processes, node) {
		free_threads(&p->threads);
		put_task_struct(p->leader);
		kfree(p);
	}
	xa_destroy(&g->by_task);
	xa_destroy(&g->by_leader);
	ckpt_select_exit(&g->select);
	kfree(g);
}

void ckpt_group_put(struct ckpt_group *g)
{
	kref_put(&g->ref, release);
}

struct ckpt_thread *ckpt_group_thread(struct ckpt_group *g, const struct task_struct *task)
{
	return xa_load(&g->by_task, ckpt_objtab_key(task));
}

struct ckpt_process *ckpt_group_process(struct ckpt_group *g, const struct task_struct *leader)
{
	return xa_load(&g->by_leader, ckpt_objtab_key(leader));
}

struct ckpt_process *ckpt_group_first(struct ckpt_group *g)
{
	return list_first_entry(&g->processes, struct ckpt_process, node);
}

static bool is_parked(const struct ckpt_thread *t)
{
	/* Pairs with set_state(). */
	return smp_load_acquire(&t->state) == CKPT_THREAD_PARKED;
}

static bool is_stopped(const struct ckpt_thread *t)
{
	return READ_ONCE(t->state) == CKPT_THREAD_STOPPED;
}

static void set_state(struct ckpt_thread *t, int state)
{
	/* Pairs with is_parked(): who sees the state sees what was captured before. */
	smp_store_release(&t->state, state);
}

/* The thread is no longer on its way, if it still was; returns the state that it had. */
static int arrive(struct ckpt_thread *t, int state)
{
	struct ckpt_group *g = t->process->group;
	int old = xchg(&t->state, state);

	if (old == CKPT_THREAD_QUEUED && atomic_dec_and_test(&g->nr_pending))
		wake_up(&g->wait);
	return old;
}

static void stay_parked(struct ckpt_thread *t)
{
	struct ckpt_group *g = t->process->group;

	atomic_inc(&g->nr_inside);
	if (arrive(t, CKPT_THREAD_PARKED) == CKPT_THREAD_STOPPED)
		WRITE_ONCE(t->continued, true);

	/* Killable: SIGKILL works on a frozen job too. Freezable: so does suspend. */
	wait_event_state(g->park, READ_ONCE(g->thawed), (TASK_KILLABLE | TASK_FREEZABLE));

	down_read(&g->stay);
	set_state(t, CKPT_THREAD_LEFT);
	up_read(&g->stay);
	if (atomic_dec_and_test(&g->nr_inside))
		wake_up(&g->wait);
}

static void park(struct callback_head *work)
{
	struct ckpt_thread *t = container_of(work, struct ckpt_thread, work);
	struct ckpt_group *g = t->process->group;

	if ((current->flags & PF_EXITING) || READ_ONCE(g->thawed)) {
		arrive(t, CKPT_THREAD_LEFT);
	} else {
		ckpt_cpu_state_capture(&t->cpu);
		stay_parked(t);
	}
	ckpt_group_put(g);
	module_put(THIS_MODULE);
}

static struct ckpt_process *new_process(struct ckpt_group *g, struct task_struct *leader)
{
	struct ckpt_process *p = kzalloc(sizeof(*p), GFP_KERNEL);

	if (!p)
		return NULL;
	if (xa_err(xa_store(&g->by_leader, ckpt_objtab_key(leader), p, GFP_KERNEL))) {
		kfree(p);
		return NULL;
	}
	p->group = g;
	p->leader = get_task_struct(leader);
	INIT_LIST_HEAD(&p->threads);
	list_add_tail(&p->node, &g->processes);
	return p;
}

static struct ckpt_thread *new_thread(struct ckpt_group *g, const struct ckpt_member *m)
{
	struct ckpt_thread *t = kzalloc(sizeof(*t), GFP_KERNEL);
	struct ckpt_process *p;

	if (!t || ckpt_cpu_state_init(&t->cpu))
		goto err_free;
	/* A thread that calls execve(2) takes the leader's place: it leads another one here. */
	p = ckpt_group_process(g, m->leader) ?: new_process(g, m->leader);
	if (!p)
		goto err_cpu_state_exit;
	t->process = p;
	t->task = get_task_struct(m->task);
	init_task_work(&t->work, park);
	if (m->task == m->leader)
		list_add(&t->node, &p->threads);
	else
		list_add_tail(&t->node, &p->threads);
	if (!xa_err(xa_store(&g->by_task, ckpt_objtab_key(m->task), t, GFP_KERNEL)))
		return t;
	/* It stays in the list: nobody looks there any more. */
	set_state(t, CKPT_THREAD_LEFT);
	return NULL;

err_cpu_state_exit:
	ckpt_cpu_state_exit(&t->cpu);
err_free:
	kfree(t);
	return NULL;
}

/* Sends one thread on its way to the freezer. */
static int queue(struct ckpt_group *g, const struct ckpt_member *m)
{
	struct ckpt_thread *t = new_thread(g, m);

	if (!t)
		return -ENOMEM;
	if (m->is_zombie) {
		t->process->is_zombie = true;
		set_state(t, CKPT_THREAD_PARKED);
		return 0;
	}
	kref_get(&g->ref);
	__module_get(THIS_MODULE);
	atomic_inc(&g->nr_pending);
	if (task_work_add(m->task, &t->work, TWA_SIGNAL)) {
		/* It has run its last task work already. */
		arrive(t, CKPT_THREAD_LEFT);
		module_put(THIS_MODULE);
		ckpt_group_put(g);
	}
	return 0;
}

/* Returns the number of new threads that were queued, or an errno. */
static int queue_new(struct ckpt_group *g, bool *again, struct ckpt_messages *msgs)
{
	struct ckpt_members m;
	unsigned int i;
	int err = ckpt_members_find(&m, g);

	if (!err && m.refused) {
		ckpt_messages_add(msgs, "PID %d (%s): cannot freeze: %s", task_pid_vnr(m.refused),
				  m.refused->comm, m.why);
		err = m.refused->exit_state ? -ESRCH : -EINVAL;
	}
	for (i = 0; i < m.nr && !err; i++)
		err = queue(g, &m.list[i]);
	*again = m.nr || m.again;
	ckpt_members_put(&m);
	return err ?: i;
}

static bool waits_for_vfork(struct task_struct *task)
{
	struct task_struct *p;
	bool found = false;

	rcu_read_lock();
	for_each_process(p)
		if (rcu_access_pointer(p->real_parent) == task && READ_ONCE(p->vfork_done)) {
			found = true;
			break;
		}
	rcu_read_unlock();
	return found;
}

/* Why a thread cannot park, or NULL when it may yet. */
static const char *obstacle(struct task_struct *task)
{
	unsigned int state = READ_ONCE(task->__state);

	return state & __TASK_TRACED ? "is stopped by its tracer: detach it first" : NULL;
}

static bool report_obstacles(struct ckpt_group *g, struct ckpt_messages *m, bool timed_out)
{
	struct ckpt_process *p;
	struct ckpt_thread *t;
	bool found = false;

	ckpt_for_each_process(p, g)
		ckpt_for_each_thread(t, p) {
			const char *why;

			/* Pairs with set_state(). */
			if (smp_load_acquire(&t->state) != CKPT_THREAD_QUEUED)
				continue;
			why = obstacle(t->task);
			if (!why && timed_out)
				why = waits_for_vfork(t->task) ?
					      "waits for a vfork child: try again later" :
					      "did not come to a boundary of user mode in time";
			if (!why)
				continue;
			ckpt_messages_add(m, "process %d (%s): thread %d: %s",
					  task_tgid_vnr(p->leader), p->leader->comm,
					  task_pid_vnr(t->task), why);
			found = true;
		}
	return found;
}

/* Threads that a signal has stopped stay so: their work waits with them. */
static void leave_stopped(struct ckpt_group *g)
{
	struct ckpt_process *p;
	struct ckpt_thread *t;

	ckpt_for_each_process(p, g)
		ckpt_for_each_thread(t, p)
			if (ckpt_stopped_is(t->task) &&
			    cmpxchg(&t->state, CKPT_THREAD_QUEUED, CKPT_THREAD_STOPPED) ==
				    CKPT_THREAD_QUEUED)
				atomic_dec(&g->nr_pending);
}

/* Waits until all queued threads are in the freezer, or for a tenth of a second at most. */
static int wait_parked(struct ckpt_group *g)
{
	const long poll = HZ / 10 ?: 1;
	long left;

	leave_stopped(g);
	left = wait_event_interruptible_timeout(g->wait, !atomic_read(&g->nr_pending), poll);
	return left < 0 ? -EINTR : 0;
}

/* Threads that exited, and processes that have none left. */
static void drop_gone(struct ckpt_group *g)
{
	struct ckpt_process *p, *next_p;
	struct ckpt_thread *t, *next;

	g->nr_threads = 0;
	g->nr_processes = 0;
	list_for_each_entry_safe(p, next_p, &g->processes, node) {
		p->nr_threads = 0;
		list_for_each_entry_safe(t, next, &p->threads, node) {
			if (READ_ONCE(t->state) != CKPT_THREAD_LEFT) {
				p->nr_threads++;
				continue;
			}
			xa_erase(&g->by_task, ckpt_objtab_key(t->task));
			list_move_tail(&t->node, &g->gone);
		}
		g->nr_threads += p->nr_threads;
		g->nr_processes += p->nr_threads > 0;
	}
}

/* A zombie that was waited for before its parent had parked. */
static void drop_reaped(struct ckpt_group *g)
{
	struct ckpt_process *p;
	struct ckpt_thread *t;

	ckpt_for_each_process(p, g)
		if (p->is_zombie && READ_ONCE(p->leader->exit_state) != EXIT_ZOMBIE)
			ckpt_for_each_thread(t, p)
				set_state(t, CKPT_THREAD_LEFT);
	drop_gone(g);
}

/* Queues and waits until a look at all processes finds nothing new. */
static int park_all(struct ckpt_group *g, unsigned int timeout_ms, struct ckpt_messages *m)
{
	unsigned long deadline = jiffies + msecs_to_jiffies(timeout_ms);
	unsigned int nr_polls = 0;
	bool again = true;
	int n, err;

	while (again || atomic_read(&g->nr_pending)) {
		n = queue_new(g, &again, m);
		if (n < 0)
			return n;
		err = wait_parked(g);
		if (err)
			return err;
		drop_gone(g);
		/* A stop on its way from one state to the next may look like one for a moment. */
		if (atomic_read(&g->nr_pending) && ++nr_polls > 2 && report_obstacles(g, m, false))
			return -EOPNOTSUPP;
		if (time_after(jiffies, deadline) && (again || atomic_read(&g->nr_pending))) {
			report_obstacles(g, m, true);
			return -ETIMEDOUT;
		}
		/* A thread is on its way out: what it still writes belongs to the job. */
		if (again && !n && schedule_timeout_interruptible(1) && signal_pending(current))
			return -EINTR;
	}
	drop_reaped(g);
	return g->nr_processes ? 0 : -ESRCH;
}

static void drop_empty(struct ckpt_group *g)
{
	struct ckpt_process *p, *next;

	list_for_each_entry_safe(p, next, &g->processes, node) {
		if (!list_empty(&p->threads))
			continue;
		list_del(&p->node);
		xa_erase(&g->by_leader, ckpt_objtab_key(p->leader));
		put_task_struct(p->leader);
		kfree(p);
	}
}

/* Gives the processes their numbers; the root of a tree comes first. */
static int number(struct ckpt_group *g)
{
	bool is_named = g->select.how <= CKPT_SELECT_PROCESS;
	struct ckpt_process *p, *root = NULL;
	u32 n = 0;

	drop_empty(g);
	ckpt_for_each_process(p, g)
		if (is_named && task_tgid(p->leader) == g->select.pid)
			root = p;
	if (root)
		list_move(&root->node, &g->processes);
	ckpt_for_each_process(p, g)
		p->number = ++n;
	return n && (root || !is_named) ? 0 : -ESRCH;
}

static struct ckpt_group *new_group(const struct ckpt_select *select)
{
	struct ckpt_group *g = kzalloc(sizeof(*g), GFP_KERNEL);

	if (!g)
		return NULL;
	kref_init(&g->ref);
	g->select = *select;
	INIT_LIST_HEAD(&g->processes);
	INIT_LIST_HEAD(&g->gone);
	xa_init(&g->by_task);
	xa_init(&g->by_leader);
	init_waitqueue_head(&g->wait);
	init_waitqueue_head(&g->park);
	init_rwsem(&g->stay);
	return g;
}

struct ckpt_group *ckpt_group_freeze(const struct ckpt_select *select, unsigned int timeout_ms,
				     struct ckpt_messages *m)
{
	struct ckpt_select mine = *select;
	struct ckpt_group *g = new_group(&mine);
	int err;

	if (!g) {
		ckpt_select_exit(&mine);
		return ERR_PTR(-ENOMEM);
	}
	err = park_all(g, timeout_ms, m);
	if (!err)
		err = number(g);
	if (err) {
		if (err == -ESRCH && select->how == CKPT_SELECT_CGROUP)
			ckpt_messages_add(m, "cgroup: cannot freeze: no process is in it");
		else if (err == -ESRCH)
			ckpt_messages_add(m, "%d: cannot freeze: it exited meanwhile", select->id);
		ckpt_group_thaw(g);
		ckpt_group_put(g);
		return ERR_PTR(err);
	}
	return g;
}

/* Takes back the work of a thread that has not come. */
static void cancel(struct ckpt_thread *t)
{
	struct ckpt_group *g = t->process->group;

	if (is_parked(t) || !ckpt_task_work_cancel(t->task, &t->work))
		return;
	arrive(t, CKPT_THREAD_LEFT);
	ckpt_group_put(g);
	module_put(THIS_MODULE);
}

void ckpt_group_thaw(struct ckpt_group *g)
{
	struct ckpt_process *p;
	struct ckpt_thread *t;

	WRITE_ONCE(g->thawed, true);
	wake_up_all(&g->park);
	ckpt_for_each_process(p, g)
		ckpt_for_each_thread(t, p)
			cancel(t);
}

void ckpt_group_kill(struct ckpt_group *g, int sig)
{
	struct ckpt_process *p;

	ckpt_for_each_process(p, g)
		if (!p->is_zombie)
			kill_pid(task_tgid(p->leader), sig, 1);
	ckpt_group_thaw(g);
	wait_event_killable(g->wait, !atomic_read(&g->nr_inside));
}

bool ckpt_group_is_whole(struct ckpt_group *g)
{
	struct ckpt_process *p;
	struct ckpt_thread *t;

	ckpt_for_each_process(p, g) {
		if (p->is_zombie)
			continue;
		ckpt_for_each_thread(t, p)
			if ((!is_parked(t) && !is_stopped(t)) || __fatal_signal_pending(t->task))
				return false;
	}
	return true;
}

/* Whether a thread is where it was when the job was frozen. */
static bool hold(struct ckpt_thread *t)
{
	if (!is_stopped(t))
		return !t->continued;
	t->pinned = ckpt_stopped_pin(t->task);
	if (t->pinned)
		ckpt_cpu_state_capture_of(t->task, &t->cpu);
	return t->pinned;
}

int ckpt_group_hold(struct ckpt_group *g)
{
	struct ckpt_process *p;
	struct ckpt_thread *t;
	bool held = true;

	down_write(&g->stay);
	ckpt_for_each_process(p, g)
		ckpt_for_each_thread(t, p)
			held = held && hold(t);
	if (held && ckpt_group_is_whole(g))
		return 0;
	ckpt_group_release(g);
	return held ? -ESRCH : -EAGAIN;
}

void ckpt_group_release(struct ckpt_group *g)
{
	struct ckpt_process *p;
	struct ckpt_thread *t;

	ckpt_for_each_process(p, g)
		ckpt_for_each_thread(t, p) {
			if (t->pinned)
				ckpt_stopped_unpin(t->task);
			t->pinned = false;
		}
	up_write(&g->stay);
}
