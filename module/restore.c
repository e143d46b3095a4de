// SPDX-License-Identifier: GPL-2.0-only
/* The restore walk: the threads of new processes become those of the image. */

#include "restore.h"

#include <linux/ckpt.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/signal.h>
#include <linux/slab.h>
#include <linux/task_work.h>
#include <linux/uaccess.h>

#include "family.h"
#include "fds.h"
#include "kinds.h"
#include "offspring.h"
#include "phase.h"
#include "request.h"
#include "restorer.h"
#include "share.h"

struct file *ckpt_restore_device(struct ckpt_restorer *r)
{
	return get_file(r->job->req->file);
}

static bool concerns(const struct ckpt_kind *k, const struct ckpt_restorer *r)
{
	return ckpt_kind_concerns(k, ckpt_restorer_is_zombie(r), r->shares);
}

static void install(struct callback_head *work)
{
	struct ckpt_rthread *t = container_of(work, struct ckpt_rthread, work);
	const struct ckpt_kind *k;
	unsigned int i;

	if (!(current->flags & PF_EXITING))
		ckpt_for_each_kind(k, i)
			if (k->install && concerns(k, t->r))
				k->install(t->r, t);
	ckpt_rjob_put(t->job);
	module_put(THIS_MODULE);
}

/* The saved registers are loaded where the job had parked: on the way back to user mode. */
static int queue_install(struct ckpt_rthread *t)
{
	kref_get(&t->job->ref);
	__module_get(THIS_MODULE);
	init_task_work(&t->work, install);
	/* Fails for a task that exits alone; one that exits needs no registers. */
	if (task_work_add(current, &t->work, TWA_SIGNAL)) {
		module_put(THIS_MODULE);
		ckpt_rjob_put(t->job);
	}
	return 0;
}

static int apply(struct ckpt_rthread *t)
{
	const struct ckpt_kind *k;
	unsigned int i;
	int err = 0;

	ckpt_for_each_kind(k, i) {
		if (!concerns(k, t->r))
			continue;
		err = k->apply ? k->apply(t->r, t) : 0;
		if (err)
			return ckpt_restore_error(t->r, err,
						  "thread %d: %s: cannot be restored: error %d",
						  t->tid, k->name, -err);
	}
	return 0;
}

/*
 * What the job closes from now on is closed: a reference of ours would keep the end of a pipe open.
 */
static void drop_files(struct ckpt_rjob *job)
{
	struct ckpt_restorer *r;

	ckpt_objtab_exit(&job->objects);
	ckpt_for_each_rprocess(r, job) {
		if (r->exe)
			fput(r->exe);
		r->exe = NULL;
	}
	if (job->tty)
		fput(job->tty);
	job->tty = NULL;
}

static int settle(struct ckpt_rjob *job)
{
	const struct ckpt_kind *k;
	unsigned int i;
	int err;

	ckpt_for_each_kind(k, i) {
		err = k->settle ? k->settle(job) : 0;
		if (err)
			return ckpt_rjob_error(job, err, "job: %s: cannot be restored: error %d",
					       k->name, -err);
	}
	drop_files(job);
	return ckpt_phase_advance(job, CKPT_PHASE_GO);
}

static bool count_applied(struct ckpt_rjob *job)
{
	bool is_last;

	spin_lock(&job->wait.lock);
	is_last = ++job->nr_applied == job->nr_living;
	spin_unlock(&job->wait.lock);
	return is_last;
}

/* A thread has applied: who comes last settles the job. */
static int wait_to_go(struct ckpt_rjob *job)
{
	return count_applied(job) ? settle(job) : ckpt_phase_wait(job, CKPT_PHASE_GO);
}

static int follow(struct ckpt_rthread *t)
{
	int err = ckpt_phase_wait_for(t->job, t->r->wait, READ_ONCE(t->r->scripted));

	if (!err)
		err = apply(t);
	return err ?: wait_to_go(t->job);
}

/* The new process must hold what is restored and nothing else. */
static int check_process(struct ckpt_restorer *r)
{
	struct task_struct *leader = r->threads[0].task;
	unsigned int i;

	if (get_nr_threads(leader) != r->nr_threads)
		return ckpt_restore_error(r, -EINVAL, "process %d: %d threads: the image has %u",
					  task_tgid_vnr(leader), get_nr_threads(leader),
					  r->nr_threads);
	for (i = 0; i < r->nr_threads; i++) {
		struct task_struct *task = r->threads[i].task;

		if (!same_thread_group(task, leader) || task->mm != leader->mm ||
		    task->files != leader->files || task->fs != leader->fs)
			return ckpt_restore_error(r, -EINVAL, "thread %d: not of the new process",
						  r->threads[i].tid);
	}
	if (!(r->shares & CKPT_SHARE_FILES) && atomic_read(&leader->files->count) != r->nr_threads)
		return ckpt_restore_error(r, -EINVAL, "process %d: shares with another process",
					  task_tgid_vnr(leader));
	return 0;
}

static int call_open(struct ckpt_rjob *job, const struct ckpt_kind *k)
{
	struct ckpt_restorer *r;
	int err = 0;

	if (!k->open)
		return 0;
	ckpt_for_each_rprocess(r, job) {
		if (!concerns(k, r))
			continue;
		err = k->open(r);
		if (err || k->shared)
			break;
	}
	if (err)
		ckpt_rjob_error(job, err, "process %d: %s: cannot be restored: error %d",
				r->threads[0].tid, k->name, -err);
	return err;
}

/* The leader of the first process waits for those whom the tool makes, and opens what is shared. */
static int begin(struct ckpt_rjob *job)
{
	const struct ckpt_kind *k;
	unsigned int i;
	int err;

	err = ckpt_phase_wait_for(job, job->wait, READ_ONCE(job->nr_arrived) == job->nr_made);
	if (err)
		return err;
	ckpt_for_each_kind(k, i) {
		err = call_open(job, k);
		if (err)
			return err;
	}
	return 0;
}

/* Not one page is used before the checksums of all were compared. */
static int end_create(struct ckpt_rjob *job)
{
	bool is_last;
	int err;

	spin_lock(&job->wait.lock);
	is_last = ++job->nr_created == job->nr_processes - (job->nr_threads - job->nr_living);
	spin_unlock(&job->wait.lock);
	if (!is_last)
		return ckpt_phase_wait(job, CKPT_PHASE_SCRIPT);
	err = ckpt_image_finish(&job->img);
	if (!err)
		err = ckpt_family_assemble(job);
	return err ?: ckpt_phase_advance(job, CKPT_PHASE_SCRIPT);
}

typedef int (*hook)(struct ckpt_restorer *r);

/* Calls a hook of each kind, given by its place in the row. */
static int call_hooks(struct ckpt_restorer *r, size_t place)
{
	const struct ckpt_kind *k;
	unsigned int i;
	int err;

	ckpt_for_each_kind(k, i) {
		hook call = *(const hook *)((const char *)k + place);

		if (!concerns(k, r))
			continue;
		err = call ? call(r) : 0;
		if (err)
			return ckpt_restore_error(r, err,
						  "process %d: %s: cannot be restored: error %d",
						  r->threads[0].tid, k->name, -err);
	}
	return 0;
}

/* A signal that the caller asked for is for the first process, and none is none for all. */
static int signal_of(struct ckpt_restorer *r)
{
	const struct ckpt_record *rec = ckpt_restore_find(r, CKPT_REC_RESTART_SIGNAL, 0);
	const struct ckpt_image_restart_signal *asked = rec ? rec->data : NULL;

	if (r->job->has_signal && (ckpt_restorer_is_first(r) || !r->job->signal))
		return r->job->signal;
	return asked ? asked->signal : 0;
}

static int script(struct ckpt_restorer *r)
{
	int err = end_create(r->job);

	if (err)
		return err;
	r->signal = signal_of(r);
	err = call_hooks(r, offsetof(struct ckpt_kind, script));
	if (!err)
		err = ckpt_script_end(&r->script);
	return err ?: ckpt_script_start(&r->script, r->dev_fd);
}

/* What comes after all that the processes share was made. */
static int create(struct ckpt_restorer *r)
{
	int err = ckpt_share_prepare(r);

	if (!err)
		err = call_hooks(r, offsetof(struct ckpt_kind, create));
	if (err)
		return err;
	/* Its memory is as it was at the fork of those who have it from this one. */
	err = ckpt_offspring_script(r);
	if (err <= 0)
		return err ?: script(r);
	r->forking = true;
	return 0;
}

static int end_make(struct ckpt_restorer *r)
{
	int err;

	ckpt_script_exit(&r->script);
	ckpt_phase_pass_turn(r->job, 0);
	err = ckpt_phase_advance(r->job, CKPT_PHASE_CREATE);
	return err ?: create(r);
}

/* What only system calls make is made by a first script, if there is any. */
static int make(struct ckpt_restorer *r)
{
	int err = ckpt_script_place(&r->script);

	if (!err)
		err = call_hooks(r, offsetof(struct ckpt_kind, make));
	if (err || !r->script.nr_entries)
		return err ?: end_make(r);
	ckpt_fds_raise_limit();
	r->dev_fd = ckpt_fd_install(ckpt_restore_device(r));
	if (r->dev_fd < 0)
		return r->dev_fd;
	err = ckpt_script_end(&r->script);
	if (!err)
		err = ckpt_phase_advance(r->job, CKPT_PHASE_MAKE);
	return err ?: ckpt_script_start(&r->script, r->dev_fd);
}

/* The first script has ended. */
static int take_made(struct ckpt_restorer *r)
{
	int err = call_hooks(r, offsetof(struct ckpt_kind, made));

	if (!err)
		err = ckpt_script_unmap(&r->script);
	return err ?: end_make(r);
}

static int lead(struct ckpt_restorer *r)
{
	int err = ckpt_restorer_is_first(r) ? begin(r->job) :
					      ckpt_phase_wait(r->job, CKPT_PHASE_CREATE);

	if (!err)
		err = ckpt_phase_wait_for(r->job, r->wait,
					  READ_ONCE(r->nr_arrived) == r->nr_threads);
	if (!err)
		err = check_process(r);
	if (err)
		return err;
	return ckpt_restorer_is_first(r) ? make(r) : create(r);
}

/*
 * The task becomes a process that has exited and that its parent has not waited for: it dies on
 * return to user mode.
 */
static int die(struct ckpt_rthread *t)
{
	int err = ckpt_phase_wait(t->job, CKPT_PHASE_SCRIPT);

	if (!err)
		err = apply(t);
	if (!err)
		ckpt_family_die(t->r);
	return err;
}

/*
 * Signals that stand for faults cannot be blocked for long; the others stay out until the mask is
 * restored.
 */
static bool all_blocked(void)
{
	sigset_t all;

	sigfillset(&all);
	sigdelsetmask(&all, sigmask(SIGKILL) | sigmask(SIGSTOP));
	sigandnsets(&all, &all, &current->blocked);
	return sigisemptyset(&all);
}

static int take_options(struct ckpt_rjob *job, const struct ckpt_restore *arg)
{
	job->has_signal = arg->flags & CKPT_RESTORE_SIGNAL;
	job->signal = arg->signal;
	job->keeps_clocks = arg->flags & CKPT_RESTORE_TIME;
	job->stop = arg->flags & CKPT_RESTORE_STOPPED;
	if (arg->tty_fd < 0)
		return 0;
	job->tty = fget(arg->tty_fd);
	return job->tty ? 0 : -EBADF;
}

static int become(struct ckpt_rthread *t, const struct ckpt_restore *arg)
{
	int err = t == t->job->tasks ? take_options(t->job, arg) : 0;

	if (err)
		return err;
	if (ckpt_restorer_is_zombie(t->r))
		return die(t);
	if (ckpt_rthread_is_leader(t))
		return lead(t->r);
	err = follow(t);
	return err ?: queue_install(t);
}

int ckpt_restore_task(struct ckpt_rjob *job, const struct ckpt_restore *arg)
{
	struct ckpt_rthread *t = ckpt_restore_thread(job, arg->tid);
	int err;

	if (!t)
		return -ESRCH;
	if (task_pid_vnr(current) != arg->tid || !all_blocked())
		return -EINVAL;
	if (thread_group_leader(current) != (!t->r || ckpt_rthread_is_leader(t)))
		return -EINVAL;
	err = ckpt_phase_arrive(t);
	if (err)
		return err;
	/* One that only holds a number does so until all who go by it are there. */
	err = t->r ? become(t, arg) : ckpt_phase_wait(job, CKPT_PHASE_SCRIPT);
	if (err)
		ckpt_restore_abort(job, err);
	return err || t->r ? err : -EALREADY;
}

/* The process that current leads, when that is in its script; not somebody who knows the number. */
static struct ckpt_restorer *in_script(struct ckpt_rjob *job)
{
	struct ckpt_rthread *t = ckpt_restore_thread(job, task_pid_vnr(current));
	enum ckpt_phase phase = READ_ONCE(job->phase);

	if (!t || t->task != current || !t->r || !ckpt_rthread_is_leader(t) || t->r->scripted ||
	    ckpt_restorer_is_zombie(t->r))
		return NULL;
	if (phase == CKPT_PHASE_CREATE)
		return t->r->forking ? t->r : NULL;
	if (phase == CKPT_PHASE_MAKE)
		return ckpt_restorer_is_first(t->r) ? t->r : NULL;
	return phase == CKPT_PHASE_SCRIPT && !t->r->forking ? t->r : NULL;
}

static void tell_entry(struct ckpt_restorer *r, const struct ckpt_script_entry *e, int err)
{
	pid_t tid = ckpt_offspring_tid(e);

	if (tid && err == -EEXIST)
		ckpt_restore_error(r, err, "PID %d: taken by another process: restore needs it",
				   tid);
	else
		ckpt_restore_error(
			r, err,
			"process %d: system call %llu(0x%llx, 0x%llx, 0x%llx, 0x%llx): failed with error %d",
			r->threads[0].tid, e->nr, e->args[0], e->args[1], e->args[2], e->args[3],
			-err);
}

int ckpt_restore_fail(struct ckpt_rjob *job, const void __user *entry)
{
	struct ckpt_restorer *r = in_script(job);
	struct ckpt_script_entry e;
	int err;

	if (!r)
		return -EINVAL;
	if (copy_from_user(&e, entry, sizeof(e)))
		return -EFAULT;
	err = (s64)e.result < 0 && (s64)e.result >= -MAX_ERRNO ? (int)e.result : -EIO;
	tell_entry(r, &e, err);
	ckpt_restore_abort(job, err);
	return err;
}

int ckpt_restore_timer_id(struct ckpt_rjob *job, unsigned long id)
{
	if (!in_script(job) || id > INT_MAX)
		return -EINVAL;
	current->signal->next_posix_timer_id = id;
	return 0;
}

static void set_scripted(struct ckpt_restorer *r)
{
	WRITE_ONCE(r->scripted, true);
	wake_up_all(&r->wait);
}

static int finish(struct ckpt_restorer *r)
{
	int err;

	err = ckpt_script_unmap(&r->script);
	if (!err)
		err = close_fd(r->dev_fd);
	if (!err)
		err = apply(r->threads);
	if (err)
		return err;
	set_scripted(r);
	err = wait_to_go(r->job);
	return err ?: queue_install(r->threads);
}

/* All who have memory from this process were made. */
static int end_fork(struct ckpt_restorer *r)
{
	const struct ckpt_restorer *end = r->job->processes + r->job->nr_processes;
	struct ckpt_restorer *p;
	int err = 0;

	/* Those who share the memory run in the script until they have come. */
	for (p = r + 1; p < end && !err; p++)
		if (p->source == r && (p->shares & CKPT_SHARE_MM))
			err = ckpt_phase_wait_for(r->job, r->wait,
						  READ_ONCE(p->nr_arrived) == p->nr_threads);
	if (!err)
		err = ckpt_script_unmap(&r->script);

	r->forking = false;
	return err ?: script(r);
}

int ckpt_restore_finish(struct ckpt_rjob *job)
{
	struct ckpt_restorer *r = in_script(job);
	int err;

	if (!r)
		return -EINVAL;
	if (r->forking)
		err = end_fork(r);
	else
		err = READ_ONCE(job->phase) == CKPT_PHASE_MAKE ? take_made(r) : finish(r);
	if (err)
		ckpt_restore_abort(job, err);
	return err;
}
