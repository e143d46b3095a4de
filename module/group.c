// SPDX-License-Identifier: GPL-2.0-only
/* Freezing a job: each of its threads parks itself in task work at the boundary to user mode. */

#include "group.h"

#include <linux/module.h>
#include <linux/pid.h>
#include <linux/pid_namespace.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

#include "message.h"

static void release(struct kref *ref)
{
	struct ckpt_group *g = container_of(ref, struct ckpt_group, ref);
	struct ckpt_thread *t, *next;

	list_splice(&g->gone, &g->threads);
	list_for_each_entry_safe(t, next, &g->threads, node) {
		put_task_struct(t->task);
		ckpt_cpu_state_exit(&t->cpu);
		kfree(t);
	}
	put_task_struct(g->leader);
	kfree(g);
}

void ckpt_group_put(struct ckpt_group *g)
{
	kref_put(&g->ref, release);
}

static bool is_parked(const struct ckpt_thread *t)
{
	/* Pairs with set_state(). */
	return smp_load_acquire(&t->state) == CKPT_THREAD_PARKED;
}

static void set_state(struct ckpt_thread *t, int state)
{
	/* Pairs with is_parked(): who sees the state sees what was captured before. */
	smp_store_release(&t->state, state);
}

static void stay_parked(struct ckpt_thread *t)
{
	struct ckpt_group *g = t->group;

	atomic_inc(&g->nr_inside);
	set_state(t, CKPT_THREAD_PARKED);
	if (atomic_dec_and_test(&g->nr_pending))
		wake_up(&g->wait);

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
	struct ckpt_group *g = t->group;

	if ((current->flags & PF_EXITING) || READ_ONCE(g->thawed)) {
		set_state(t, CKPT_THREAD_LEFT);
		if (atomic_dec_and_test(&g->nr_pending))
			wake_up(&g->wait);
	} else {
		ckpt_cpu_state_capture(&t->cpu);
		stay_parked(t);
	}
	ckpt_group_put(g);
	module_put(THIS_MODULE);
}

static struct ckpt_thread *find(struct ckpt_group *g, struct task_struct *task)
{
	struct ckpt_thread *t;

	ckpt_for_each_thread(t, g)
		if (t->task == task)
			return t;
	return NULL;
}

/* Sends one thread on its way to the freezer. Takes over the reference to @task. */
static int queue(struct ckpt_group *g, struct task_struct *task)
{
	struct ckpt_thread *t = kzalloc(sizeof(*t), GFP_KERNEL);
	int err = t ? ckpt_cpu_state_init(&t->cpu) : -ENOMEM;

	if (err) {
		kfree(t);
		put_task_struct(task);
		return err;
	}
	t->group = g;
	t->task = task;
	init_task_work(&t->work, park);
	list_add_tail(&t->node, &g->threads);

	kref_get(&g->ref);
	__module_get(THIS_MODULE);
	atomic_inc(&g->nr_pending);
	if (task_work_add(task, &t->work, TWA_SIGNAL)) {
		/* It has run its last task work already. */
		atomic_dec(&g->nr_pending);
		set_state(t, CKPT_THREAD_LEFT);
		module_put(THIS_MODULE);
		ckpt_group_put(g);
	}
	return 0;
}

/* What one look at the thread list found. */
struct scan {
	struct task_struct **tasks;
	unsigned int nr, size;
	bool is_full, has_exiting;
};

static void collect(struct ckpt_group *g, struct scan *s)
{
	struct task_struct *task;

	s->nr = 0;
	s->is_full = false;
	s->has_exiting = false;
	rcu_read_lock();
	for_each_thread(g->leader, task) {
		struct ckpt_thread *t = find(g, task);

		if (t && is_parked(t))
			continue;
		if (t || (task->flags & PF_EXITING)) {
			s->has_exiting = true;
			continue;
		}
		if (s->nr == s->size) {
			s->is_full = true;
			break;
		}
		s->tasks[s->nr++] = get_task_struct(task);
	}
	rcu_read_unlock();
}

/* Returns the number of new threads that were queued, or an errno. */
static int queue_new(struct ckpt_group *g, bool *again)
{
	struct scan s = { .size = get_nr_threads(g->leader) + 16 };
	unsigned int i;
	int err = 0;

	s.tasks = kvmalloc_array(s.size, sizeof(*s.tasks), GFP_KERNEL);
	if (!s.tasks)
		return -ENOMEM;
	collect(g, &s);
	for (i = 0; i < s.nr; i++) {
		if (err)
			put_task_struct(s.tasks[i]);
		else
			err = queue(g, s.tasks[i]);
	}
	*again = s.nr || s.is_full || s.has_exiting;
	kvfree(s.tasks);
	return err ?: s.nr;
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

	if (state & __TASK_TRACED)
		return "is stopped by its tracer: detach it first";
	if (state & __TASK_STOPPED)
		return "is stopped by a signal: send SIGCONT first";
	if (waits_for_vfork(task))
		return "waits for a vfork child: try again when that has called execve or exited";
	return NULL;
}

static bool report_obstacles(struct ckpt_group *g, struct ckpt_messages *m, bool timed_out)
{
	bool found = false;
	struct ckpt_thread *t;

	ckpt_for_each_thread(t, g) {
		const char *why;

		/* Pairs with set_state(). */
		if (smp_load_acquire(&t->state) != CKPT_THREAD_QUEUED)
			continue;
		why = obstacle(t->task);
		if (!why && timed_out)
			why = "did not come to a boundary of user mode in time";
		if (!why)
			continue;
		ckpt_messages_add(m, "process %d (%s): thread %d: %s", task_tgid_vnr(g->leader),
				  g->leader->comm, task_pid_vnr(t->task), why);
		found = true;
	}
	return found;
}

/* Waits until all queued threads are in the freezer. */
static int wait_parked(struct ckpt_group *g, unsigned long deadline, struct ckpt_messages *m)
{
	const long poll = HZ / 10 ?: 1;
	unsigned int nr_polls = 0;

	while (atomic_read(&g->nr_pending)) {
		long left = wait_event_interruptible_timeout(g->wait, !atomic_read(&g->nr_pending),
							     poll);

		if (left < 0)
			return -EINTR;
		/* A stop on its way from one state to the next may look like one for a moment. */
		if (!left && ++nr_polls > 2 && report_obstacles(g, m, false))
			return -EOPNOTSUPP;
		if (time_after(jiffies, deadline) && atomic_read(&g->nr_pending)) {
			report_obstacles(g, m, true);
			return -ETIMEDOUT;
		}
	}
	return 0;
}

static void drop_gone(struct ckpt_group *g)
{
	struct ckpt_thread *t, *next;

	g->nr_threads = 0;
	list_for_each_entry_safe(t, next, &g->threads, node) {
		if (is_parked(t))
			g->nr_threads++;
		else
			list_move_tail(&t->node, &g->gone);
	}
}

static int park_all(struct ckpt_group *g, unsigned int timeout_ms, struct ckpt_messages *m)
{
	unsigned long deadline = jiffies + msecs_to_jiffies(timeout_ms);
	bool again = true;
	int n, err;

	while (again) {
		n = queue_new(g, &again);
		if (n < 0)
			return n;
		err = wait_parked(g, deadline, m);
		if (err)
			return err;
		drop_gone(g);
		if (again && !n) {
			/* A thread is on its way out: what it still writes belongs to the job. */
			if (time_after(jiffies, deadline))
				return -ETIMEDOUT;
			if (schedule_timeout_interruptible(1) && signal_pending(current))
				return -EINTR;
		}
	}
	if (list_empty(&g->threads) || !find(g, g->leader))
		return -ESRCH;
	return 0;
}

static struct task_struct *find_leader(pid_t pid, struct ckpt_messages *m)
{
	struct task_struct *task;
	const char *why = NULL;
	bool is_init = false;
	struct pid *p;

	rcu_read_lock();
	p = find_vpid(pid);
	task = pid_task(p, PIDTYPE_TGID);
	if (task) {
		get_task_struct(task);
		/* Its own pointer to @p goes when it is reaped. */
		is_init = is_child_reaper(p);
	}
	rcu_read_unlock();
	if (!task) {
		ckpt_messages_add(m, "PID %d: cannot freeze: no such process", pid);
		return ERR_PTR(-ESRCH);
	}
	if (task->flags & PF_KTHREAD)
		why = "it is a kernel thread";
	else if (same_thread_group(task, current))
		why = "it is the caller itself";
	else if (is_init)
		why = "it is the init process of its PID namespace";
	if (why) {
		ckpt_messages_add(m, "PID %d (%s): cannot freeze: %s", pid, task->comm, why);
		put_task_struct(task);
		return ERR_PTR(-EINVAL);
	}
	if (task->flags & PF_EXITING) {
		ckpt_messages_add(m, "PID %d (%s): cannot freeze: %s", pid, task->comm,
				  "its main thread has exited");
		put_task_struct(task);
		return ERR_PTR(-ESRCH);
	}
	return task;
}

struct ckpt_group *ckpt_group_freeze(pid_t pid, unsigned int timeout_ms, struct ckpt_messages *m)
{
	struct task_struct *leader = find_leader(pid, m);
	struct ckpt_group *g;
	int err;

	if (IS_ERR(leader))
		return ERR_CAST(leader);
	g = kzalloc(sizeof(*g), GFP_KERNEL);
	if (!g) {
		put_task_struct(leader);
		return ERR_PTR(-ENOMEM);
	}
	kref_init(&g->ref);
	g->leader = leader;
	INIT_LIST_HEAD(&g->threads);
	INIT_LIST_HEAD(&g->gone);
	init_waitqueue_head(&g->wait);
	init_waitqueue_head(&g->park);
	init_rwsem(&g->stay);

	err = park_all(g, timeout_ms, m);
	if (err) {
		if (err == -ESRCH)
			ckpt_messages_add(m, "PID %d: cannot freeze: it exited meanwhile", pid);
		ckpt_group_thaw(g);
		ckpt_group_put(g);
		return ERR_PTR(err);
	}
	g->frozen_time = ktime_get_real_ns();
	return g;
}

void ckpt_group_thaw(struct ckpt_group *g)
{
	WRITE_ONCE(g->thawed, true);
	wake_up_all(&g->park);
}

void ckpt_group_kill(struct ckpt_group *g, int sig)
{
	kill_pid(task_tgid(g->leader), sig, 1);
	ckpt_group_thaw(g);
	wait_event_killable(g->wait, !atomic_read(&g->nr_inside));
}

bool ckpt_group_is_whole(struct ckpt_group *g)
{
	struct ckpt_thread *t;

	ckpt_for_each_thread(t, g)
		if (!is_parked(t) || __fatal_signal_pending(t->task))
			return false;
	return true;
}

int ckpt_group_hold(struct ckpt_group *g)
{
	down_write(&g->stay);
	if (ckpt_group_is_whole(g))
		return 0;
	up_write(&g->stay);
	return -ESRCH;
}

void ckpt_group_release(struct ckpt_group *g)
{
	up_write(&g->stay);
}
