/* SPDX-License-Identifier: GPL-2.0-only */
/* The frozen job: the threads of all its processes, parked at the boundary to user mode. */
#ifndef CKPT_GROUP_H
#define CKPT_GROUP_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/task_work.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include "arch_x86.h"
#include "select.h"

struct ckpt_group;
struct ckpt_messages;
struct ckpt_process;

enum ckpt_thread_state {
	CKPT_THREAD_QUEUED,
	CKPT_THREAD_PARKED,
	CKPT_THREAD_STOPPED, /* by a signal: it parks when it is continued */
	CKPT_THREAD_LEFT, /* exited, or released */
};

/**
 * struct ckpt_thread - a thread of the frozen job
 * @node: in ckpt_process.threads, the leader first; in ckpt_group.gone when it exited while
 *	freezing
 * @process: what it belongs to
 * @task: the thread, referenced
 * @work: brings it into the freezer
 * @state: enum ckpt_thread_state
 * @pinned: it is stopped, and nothing continues it
 * @continued: it was stopped and has parked since
 * @cpu: what the thread itself captured as it parked, or what was read where it is stopped:
 *	registers, signal mask, interrupted system call
 */
struct ckpt_thread {
	struct list_head node;
	struct ckpt_process *process;
	struct task_struct *task;
	struct callback_head work;
	int state;
	bool pinned, continued;
	struct ckpt_cpu_state cpu;
};

/**
 * struct ckpt_process - a process of the frozen job
 * @node: in ckpt_group.processes
 * @group: the job
 * @leader: the thread group leader, referenced
 * @threads: its threads, the leader first; the list changes only while freezing
 * @nr_threads: how many
 * @number: its place in the job, from 1; what the image calls it
 * @shares: CKPT_SHARE_*: what it has in common with an earlier process of the job
 * @with: number of that process
 * @is_zombie: it has exited and waits for its parent; its one thread is not parked
 */
struct ckpt_process {
	struct list_head node;
	struct ckpt_group *group;
	struct task_struct *leader;
	struct list_head threads;
	unsigned int nr_threads;
	u32 number;
	u32 shares;
	u32 with;
	bool is_zombie;
};

/**
 * struct ckpt_group - the frozen job
 * @ref: the request holds one reference, each queued work another
 * @select: which processes belong to it
 * @processes: its processes; with CKPT_SELECT_TREE and CKPT_SELECT_PROCESS the root first
 * @nr_processes: how many
 * @nr_threads: threads of all of them
 * @by_task: thread by the address of its task
 * @by_leader: process by the address of its leader
 * @wait: who freezes or kills waits here
 * @park: the parked threads wait here
 * @gone: threads that exited while freezing
 * @stay: written: a killed thread stays in the freezer; read: it may leave
 * @nr_pending: works queued whose threads are not yet in the freezer
 * @nr_inside: threads in the freezer
 * @thawed: the freezer is open
 */
struct ckpt_group {
	struct kref ref;
	struct ckpt_select select;
	struct list_head processes;
	unsigned int nr_processes;
	unsigned int nr_threads;
	struct xarray by_task;
	struct xarray by_leader;
	wait_queue_head_t wait, park;
	struct list_head gone;
	struct rw_semaphore stay;
	atomic_t nr_pending;
	atomic_t nr_inside;
	bool thawed;
};

#define ckpt_for_each_process(p, g) list_for_each_entry(p, &(g)->processes, node)
#define ckpt_for_each_thread(t, p) list_for_each_entry(t, &(p)->threads, node)

/**
 * ckpt_group_freeze() - park all threads of a job
 * @select: which processes; its reference to a cgroup is taken over, in case of an error too
 * @timeout_ms: how long to wait
 * @m: gets the reason of a failure
 *
 * Return: the frozen job, or an ERR_PTR as told at struct ckpt_freeze
 */
struct ckpt_group *ckpt_group_freeze(const struct ckpt_select *select, unsigned int timeout_ms,
				     struct ckpt_messages *m);
void ckpt_group_thaw(struct ckpt_group *g);

/**
 * ckpt_group_hold() - keep every thread in the freezer, even one that gets SIGKILL
 * @g: the frozen job
 *
 * Threads that a signal has stopped stay stopped, and what they have in registers is read. For the
 * walk over the job's state alone, which must not block on anything that another program controls.
 *
 * Return: 0 and ckpt_group_release() is due; -ESRCH when a thread has left; -EAGAIN when a stopped
 * one was continued
 */
int ckpt_group_hold(struct ckpt_group *g);
void ckpt_group_release(struct ckpt_group *g);
/* Whether every thread is still in the freezer, or stopped. */
bool ckpt_group_is_whole(struct ckpt_group *g);

/* The thread that a task is, or NULL when it is not of the job. */
struct ckpt_thread *ckpt_group_thread(struct ckpt_group *g, const struct task_struct *task);
/* The process that a task leads, or NULL when that is not of the job. */
struct ckpt_process *ckpt_group_process(struct ckpt_group *g, const struct task_struct *leader);
/* The first process: the root of a tree. */
struct ckpt_process *ckpt_group_first(struct ckpt_group *g);

/* Sends SIGKILL or SIGSTOP, thaws, waits until every thread has left the freezer. */
void ckpt_group_kill(struct ckpt_group *g, int sig);
void ckpt_group_put(struct ckpt_group *g);

#endif /* CKPT_GROUP_H */
