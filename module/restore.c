// SPDX-License-Identifier: GPL-2.0-only
/* The restore walk: the threads of a new process become those of the image. */

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

#include "kinds.h"
#include "request.h"
#include "restorer.h"

enum phase {
	PHASE_ARRIVE,
	PHASE_SCRIPT,
	PHASE_APPLY,
	PHASE_GO,
	PHASE_FAILED,
};

struct file *ckpt_restore_device(struct ckpt_restorer *r)
{
	return get_file(r->req->file);
}

/* Moves on to a later phase unless the restore has failed; returns 0 or its error. */
static int advance(struct ckpt_restorer *r, enum phase phase)
{
	int err;

	spin_lock(&r->wait.lock);
	err = r->phase == PHASE_FAILED ? r->error : 0;
	if (!err)
		r->phase = phase;
	spin_unlock(&r->wait.lock);
	wake_up_all(&r->wait);
	return err;
}

/* Waits for a phase; returns 0, or the error of the restore. */
static int wait_for_phase(struct ckpt_restorer *r, enum phase phase)
{
	int err = wait_event_killable(r->wait, READ_ONCE(r->phase) >= phase);

	if (err)
		err = -EINTR;
	else if (READ_ONCE(r->phase) == PHASE_FAILED)
		err = r->error;
	return err;
}

void ckpt_restore_abort(struct ckpt_restorer *r, int err)
{
	struct task_struct *victim = NULL;
	unsigned int i;

	spin_lock(&r->wait.lock);
	if (r->phase < PHASE_GO) {
		r->error = err;
		r->phase = PHASE_FAILED;
		for (i = 0; i < r->nr_threads && !victim; i++)
			victim = r->threads[i].task;
		if (victim)
			get_task_struct(victim);
	}
	spin_unlock(&r->wait.lock);
	wake_up_all(&r->wait);
	if (victim) {
		/* Not even its exit may look like an end of the job's own. */
		send_sig(SIGKILL, victim, 1);
		put_task_struct(victim);
	}
}

bool ckpt_restore_ended(struct ckpt_restorer *r, int *err)
{
	enum phase phase = READ_ONCE(r->phase);

	*err = phase == PHASE_FAILED ? r->error : 0;
	return phase >= PHASE_GO;
}

bool ckpt_restore_begun(struct ckpt_restorer *r)
{
	return READ_ONCE(r->nr_arrived);
}

static void install(struct callback_head *work)
{
	struct ckpt_rthread *t = container_of(work, struct ckpt_rthread, work);
	struct ckpt_restorer *r = t->r;
	const struct ckpt_kind *k;
	unsigned int i;

	if (!(current->flags & PF_EXITING))
		ckpt_for_each_kind(k, i)
			if (k->install)
				k->install(r, t);
	ckpt_restorer_put(r);
	module_put(THIS_MODULE);
}

/* The saved registers are loaded where the job had parked: on the way back to user mode. */
static int queue_install(struct ckpt_rthread *t)
{
	kref_get(&t->r->ref);
	__module_get(THIS_MODULE);
	init_task_work(&t->work, install);
	/* Fails for a task that exits alone; one that exits needs no registers. */
	if (task_work_add(current, &t->work, TWA_SIGNAL)) {
		module_put(THIS_MODULE);
		ckpt_restorer_put(t->r);
	}
	return 0;
}

static int apply(struct ckpt_rthread *t)
{
	struct ckpt_restorer *r = t->r;
	const struct ckpt_kind *k;
	unsigned int i;
	int err = 0;

	ckpt_for_each_kind(k, i) {
		err = k->apply ? k->apply(r, t) : 0;
		if (err)
			break;
	}
	if (err) {
		ckpt_restore_error(r, err, "thread %d: %s: cannot be restored: error %d", t->tid,
				   k->name, -err);
		ckpt_restore_abort(r, err);
		return err;
	}
	spin_lock(&r->wait.lock);
	t->applied = true;
	r->nr_applied++;
	spin_unlock(&r->wait.lock);
	wake_up_all(&r->wait);
	return 0;
}

static int follow(struct ckpt_rthread *t)
{
	int err = wait_for_phase(t->r, PHASE_APPLY);

	if (!err)
		err = apply(t);
	if (!err)
		err = wait_for_phase(t->r, PHASE_GO);
	if (err) {
		ckpt_restore_abort(t->r, err);
		return err;
	}
	return queue_install(t);
}

/* The new process must hold what is restored and nothing else. */
static int check_process(struct ckpt_restorer *r)
{
	unsigned int i;

	if (get_nr_threads(current) != r->nr_threads)
		return ckpt_restore_error(r, -EINVAL, "process %d: %d threads: the image has %u",
					  task_tgid_vnr(current), get_nr_threads(current),
					  r->nr_threads);
	for (i = 0; i < r->nr_threads; i++) {
		struct task_struct *task = r->threads[i].task;

		if (!same_thread_group(task, current) || task->mm != current->mm ||
		    task->files != current->files || task->fs != current->fs)
			return ckpt_restore_error(r, -EINVAL, "thread %d: not of the new process",
						  r->threads[i].tid);
	}
	if (!thread_group_leader(current) || atomic_read(&current->files->count) != r->nr_threads)
		return ckpt_restore_error(r, -EINVAL, "process %d: shares with another process",
					  task_tgid_vnr(current));
	return 0;
}

static int call_hooks(struct ckpt_restorer *r)
{
	const struct ckpt_kind *k;
	unsigned int i;
	int err = 0;

	ckpt_for_each_kind(k, i) {
		err = k->open ? k->open(r) : 0;
		if (err)
			goto failed;
	}
	ckpt_for_each_kind(k, i) {
		err = k->create ? k->create(r) : 0;
		if (err)
			goto failed;
	}
	/* Not one page is used before the checksums of all were compared. */
	err = ckpt_image_finish(&r->img);
	if (err)
		return err;
	ckpt_for_each_kind(k, i) {
		err = k->script ? k->script(r) : 0;
		if (err)
			goto failed;
	}
	return ckpt_script_start(&r->script, r->dev_fd);
failed:
	return ckpt_restore_error(r, err, "process %d: %s: cannot be restored: error %d",
				  r->threads[0].tid, k->name, -err);
}

static int lead(struct ckpt_restorer *r)
{
	int err;

	err = wait_event_killable(r->wait, READ_ONCE(r->nr_arrived) == r->nr_threads ||
						   READ_ONCE(r->phase) == PHASE_FAILED);
	if (err)
		err = -EINTR;
	if (!err)
		err = check_process(r);
	if (!err)
		err = call_hooks(r);
	if (!err)
		err = advance(r, PHASE_SCRIPT);
	if (err)
		ckpt_restore_abort(r, err);
	return err;
}

static bool all_blocked(void)
{
	sigset_t all;

	sigfillset(&all);
	sigdelsetmask(&all, sigmask(SIGKILL) | sigmask(SIGSTOP));
	sigandnsets(&all, &all, &current->blocked);
	return sigisemptyset(&all);
}

/*
 * Signals that stand for faults cannot be blocked for long; the others stay out until the mask is
 * restored.
 */
static int arrive(struct ckpt_rthread *t)
{
	struct ckpt_restorer *r = t->r;
	int err = 0;

	spin_lock(&r->wait.lock);
	if (r->phase == PHASE_FAILED) {
		err = r->error;
	} else if (t->task || r->phase != PHASE_ARRIVE) {
		err = -EALREADY;
	} else {
		t->task = get_task_struct(current);
		r->nr_arrived++;
	}
	spin_unlock(&r->wait.lock);
	wake_up_all(&r->wait);
	return err;
}

static int take_options(struct ckpt_restorer *r, const struct ckpt_restore *arg)
{
	const struct ckpt_record *rec = ckpt_image_find(&r->img, CKPT_REC_RESTART_SIGNAL, 0);
	const struct ckpt_image_restart_signal *asked = rec ? rec->data : NULL;

	r->signal = asked ? asked->signal : 0;
	if (arg->flags & CKPT_RESTORE_SIGNAL)
		r->signal = arg->signal;
	if (arg->tty_fd < 0)
		return 0;
	r->tty = fget(arg->tty_fd);
	return r->tty ? 0 : -EBADF;
}

int ckpt_restore_task(struct ckpt_restorer *r, const struct ckpt_restore *arg)
{
	struct ckpt_rthread *t = NULL;
	unsigned int i;
	int err;

	for (i = 0; i < r->nr_threads; i++)
		if (r->threads[i].tid == arg->tid)
			t = &r->threads[i];
	if (!t)
		return -ESRCH;
	if (task_pid_vnr(current) != arg->tid || !all_blocked())
		return -EINVAL;
	if (thread_group_leader(current) != ckpt_rthread_is_leader(t))
		return -EINVAL;
	err = arrive(t);
	if (err)
		return err;
	if (!ckpt_rthread_is_leader(t))
		return follow(t);
	err = take_options(r, arg);
	if (err) {
		ckpt_restore_abort(r, err);
		return err;
	}
	return lead(r);
}

/* The caller is the leader in its script and not somebody who knows the number. */
static bool in_script(struct ckpt_restorer *r)
{
	return READ_ONCE(r->phase) == PHASE_SCRIPT && r->threads[0].task == current;
}

int ckpt_restore_fail(struct ckpt_restorer *r, const void __user *entry)
{
	struct ckpt_script_entry e;
	int err;

	if (!in_script(r))
		return -EINVAL;
	if (copy_from_user(&e, entry, sizeof(e)))
		return -EFAULT;
	err = (s64)e.result < 0 && (s64)e.result >= -MAX_ERRNO ? (int)e.result : -EIO;
	ckpt_restore_error(
		r, err,
		"process %d: system call %llu(0x%llx, 0x%llx, 0x%llx, 0x%llx): failed with error %d",
		r->threads[0].tid, e.nr, e.args[0], e.args[1], e.args[2], e.args[3], -err);
	ckpt_restore_abort(r, err);
	return err;
}

/*
 * What the job closes from now on is closed: a reference of ours would keep the end of a pipe open.
 */
static void drop_files(struct ckpt_restorer *r)
{
	ckpt_objtab_exit(&r->objects);
	if (r->exe)
		fput(r->exe);
	if (r->tty)
		fput(r->tty);
	r->exe = NULL;
	r->tty = NULL;
}

int ckpt_restore_finish(struct ckpt_restorer *r)
{
	struct ckpt_rthread *t = r->threads;
	int err;

	if (!in_script(r))
		return -EINVAL;
	err = ckpt_script_unmap(&r->script);
	if (!err)
		err = close_fd(r->dev_fd);
	if (!err)
		err = apply(t);
	if (!err)
		err = advance(r, PHASE_APPLY);
	if (!err && wait_event_killable(r->wait, READ_ONCE(r->nr_applied) == r->nr_threads ||
							 READ_ONCE(r->phase) == PHASE_FAILED))
		err = -EINTR;
	if (!err)
		drop_files(r);
	if (!err)
		err = advance(r, PHASE_GO);
	if (err) {
		ckpt_restore_abort(r, err);
		return err;
	}
	return queue_install(t);
}
