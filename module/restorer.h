/* SPDX-License-Identifier: GPL-2.0-only */
/* One restore under way: what the restore hooks of the kinds get. */
#ifndef CKPT_RESTORER_H
#define CKPT_RESTORER_H

#include <linux/completion.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/task_work.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/xarray.h>

#include "image_read.h"
#include "objtab.h"
#include "records.h"
#include "script.h"
#include "vdso.h"

struct ckpt_request;
struct ckpt_restorer;
struct ckpt_rjob;

/**
 * struct ckpt_rthread - a thread being restored
 * @r: the process that it belongs to; NULL for a task that only holds a number
 * @job: the job
 * @tid: its thread ID, in the saved job and now
 * @task: the task that became it; NULL before it came
 * @work: runs the install hooks at the boundary to user mode
 * @xstate: extended registers in the kernel's layout, made by the xstate kind
 */
struct ckpt_rthread {
	struct ckpt_restorer *r;
	struct ckpt_rjob *job;
	pid_t tid;
	struct task_struct *task;
	struct callback_head work;
	void *xstate;
};

/**
 * struct ckpt_restorer - a process being restored
 * @job: the job that it belongs to
 * @number: its number in the image, from 1
 * @saved: its record
 * @source: the process that makes it by clone(2), as it has memory or something else from that;
 *	NULL: the tool makes it
 * @shares: CKPT_SHARE_*: what it has in common with @source
 * @objects: object (struct file) by record id: that of the job
 * @threads: its threads, the leader's first
 * @nr_threads: how many
 * @script: system calls that the leader makes
 * @first_made: first process: entry of @script that makes the first file of the file kind
 * @script_space: addresses kept for the script, and as many for each process that shares the memory
 * @exe: executable file, opened by the mm kind
 * @signal: signal to queue before the first instruction, 0 for none
 * @dev_fd: descriptor number of /dev/ckpt in the restored process while the script runs; the fd
 *	kind chooses one that the job does not use and installs ckpt_restore_device() there
 * @exe_fd: the same for @exe
 * @nr_arrived: tasks of it that came
 * @forking: its script makes other processes
 * @scripted: its script has ended: its threads may apply
 * @wait: its leader waits here for its turn, its other threads for @scripted
 */
struct ckpt_restorer {
	struct ckpt_rjob *job;
	u32 number;
	const struct ckpt_image_process *saved;
	struct ckpt_restorer *source;
	u32 shares;
	struct ckpt_objtab *objects;
	struct ckpt_rthread *threads;
	unsigned int nr_threads;
	struct ckpt_script script;
	unsigned long script_space;
	unsigned int first_made;
	struct file *exe;
	int signal;
	int dev_fd;
	int exe_fd;
	unsigned int nr_arrived;
	bool forking;
	bool scripted;
	wait_queue_head_t wait;
};

/**
 * struct ckpt_rjob - a job being restored
 * @ref: the request holds one, each task in its work another
 * @req: the request (messages); valid while @ref is held
 * @img: the image
 * @records: index over its records
 * @objects: object (struct file) by record id
 * @processes: the processes, in the order of the image
 * @nr_processes: how many
 * @tasks: the tasks that the tool makes: the threads of the first process, of the second..., then
 *	those that only hold a number
 * @nr_tasks: how many
 * @nr_made: how many of them the tool makes
 * @nr_threads: how many of them are threads of the job
 * @nr_living: how many of these have not exited
 * @by_tid: struct ckpt_rthread by ID
 * @nr_pages: pages in the runs that have been verified
 * @vdso: the running kernel's vDSO, seen by the mm kind as it verifies the image
 * @sysv: struct ckpt_sysv_object: System V objects that the restore has made or taken over
 * @tty: controlling terminal that the tool gave, or NULL
 * @stop: all processes are to be stopped before their first instruction
 * @wait: tasks wait here for the next phase, the first leader for all tasks; its lock guards what
 * follows, the tasks of @tasks and
 *	ckpt_restorer.scripted
 * @keeps_clocks: CLOCK_MONOTONIC and CLOCK_BOOTTIME go on for the job from where they stopped
 * @has_signal: the tool chose @signal
 * @signal: for the first process; 0: none for any process
 * @nr_arrived: tasks that came
 * @nr_created: processes that have their memory
 * @nr_applied: threads whose apply hooks are done
 * @turn: number of the process whose pages come next in the image
 * @phase: how far it is: enum ckpt_phase
 * @error: why it failed
 */
struct ckpt_rjob {
	struct kref ref;
	struct ckpt_request *req;
	struct ckpt_image_reader img;
	struct ckpt_records records;
	struct ckpt_objtab objects;
	struct ckpt_restorer *processes;
	unsigned int nr_processes;
	struct ckpt_rthread *tasks;
	unsigned int nr_tasks, nr_made, nr_threads, nr_living;
	struct xarray by_tid;
	u64 nr_pages;
	struct ckpt_vdso vdso;
	struct list_head sysv;
	struct file *tty;
	bool keeps_clocks;
	bool has_signal;
	int signal;
	bool stop;
	wait_queue_head_t wait;
	unsigned int nr_arrived;
	unsigned int nr_created;
	unsigned int nr_applied;
	u32 turn;
	unsigned int phase;
	int error;
};

#define ckpt_for_each_rprocess(r, job) \
	for ((r) = (job)->processes; (r) < (job)->processes + (job)->nr_processes; (r)++)

/* The records of a type that belong to the process. */
#define ckpt_for_each_record_of(rec, r, type)                                   \
	for ((rec) = ckpt_records_begin(&(r)->job->records, (r)->number, type); \
	     (rec) < ckpt_records_end(&(r)->job->records, (r)->number, type); (rec)++)

/* The records of a type that belong to the job. */
#define ckpt_for_each_shared_record_of(rec, r, type)                  \
	for ((rec) = ckpt_records_begin(&(r)->job->records, 0, type); \
	     (rec) < ckpt_records_end(&(r)->job->records, 0, type); (rec)++)

/* The first record of a type that belongs to thread @tid of the process, or with 0 to itself. */
const struct ckpt_record *ckpt_restore_find(const struct ckpt_restorer *r, u32 type, u32 tid);

/* The record of a type that describes object @id, or NULL. */
static inline const struct ckpt_record *ckpt_restore_object(const struct ckpt_restorer *r, u32 type,
							    u32 id)
{
	return ckpt_records_object(&r->job->records, type, id);
}

/* The task with an ID of the image, or NULL. */
static inline struct ckpt_rthread *ckpt_restore_thread(struct ckpt_rjob *job, u32 tid)
{
	return xa_load(&job->by_tid, tid);
}

/**
 * ckpt_restore_error() - say why a restore fails
 * @r: a process of the job
 * @err: negative errno
 * @fmt: "OBJECT: what: why"; the caller passes names, not addresses of the kernel
 *
 * Return: @err, for use in a return statement
 */
__printf(3, 4) int ckpt_restore_error(struct ckpt_restorer *r, int err, const char *fmt, ...);
/* The same for the job. */
__printf(3, 4) int ckpt_rjob_error(struct ckpt_rjob *job, int err, const char *fmt, ...);

/**
 * ckpt_restore_device() - the open file of the request
 * @r: the restore
 *
 * Return: the file of /dev/ckpt, with a new reference
 */
struct file *ckpt_restore_device(struct ckpt_restorer *r);

/**
 * ckpt_restore_wait_turn() - wait until the pages of a process come next in the image
 * @r: the process
 *
 * Return: 0 and ckpt_restore_pass_turn() is due, or a negative errno
 */
int ckpt_restore_wait_turn(struct ckpt_restorer *r);
void ckpt_restore_pass_turn(struct ckpt_restorer *r);

static inline bool ckpt_rthread_is_leader(const struct ckpt_rthread *t)
{
	return t == t->r->threads;
}

static inline bool ckpt_restorer_is_first(const struct ckpt_restorer *r)
{
	return r == r->job->processes;
}

/* Whether its pages stand in the image: it lives, and has a memory of its own. */
static inline bool ckpt_restorer_has_pages(const struct ckpt_restorer *r)
{
	return !(r->saved->flags & CKPT_PROCESS_ZOMBIE) && !(r->shares & CKPT_SHARE_MM);
}

static inline bool ckpt_restorer_is_zombie(const struct ckpt_restorer *r)
{
	return r->saved->flags & CKPT_PROCESS_ZOMBIE;
}

#endif /* CKPT_RESTORER_H */
