// SPDX-License-Identifier: GPL-2.0-only
/* Kind: settings and foreground group of the terminal that is outside of the job. */

#include <linux/err.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>
#include <linux/tty.h>
#include <linux/tty_driver.h>

#include "kinds.h"
#include "ntty.h"
#include "restorer.h"
#include "saver.h"
#include "tty_pair.h"

/* Another terminal than a pseudo-terminal has settings that belong to a line. */
static bool is_slave(const struct tty_struct *tty)
{
	return tty && tty->driver->type == TTY_DRIVER_TYPE_PTY && tty->link &&
	       !ckpt_tty_is_master(tty);
}

static int save_terminal(struct ckpt_saver *s, struct tty_struct *tty)
{
	struct ckpt_image_terminal *i;
	struct pid *foreground;

	i = ckpt_save_record(s, &ckpt_kind_terminal, 0, 0, sizeof(*i));
	if (IS_ERR(i))
		return PTR_ERR(i);
	ckpt_ntty_save_termios(tty, &i->termios);
	spin_lock_irq(&tty->ctrl.lock);
	foreground = get_pid(tty->ctrl.pgrp);
	spin_unlock_irq(&tty->ctrl.lock);
	i->foreground = pid_vnr(foreground);
	put_pid(foreground);
	i->rows = tty->winsize.ws_row;
	i->columns = tty->winsize.ws_col;
	return 0;
}

static int save(struct ckpt_saver *s)
{
	/* A task in the freezer keeps it. */
	struct sighand_struct *sighand = rcu_dereference_protected(s->task->sighand, true);
	struct ckpt_process *p;
	struct tty_struct *tty;
	int err = 0;

	if (s->process != ckpt_group_first(s->group))
		return 0;
	spin_lock_irq(&sighand->siglock);
	tty = tty_kref_get(s->task->signal->tty);
	spin_unlock_irq(&sighand->siglock);
	if (is_slave(tty) && !ckpt_tty_master_of(s, tty, &p))
		err = save_terminal(s, tty);
	tty_kref_put(tty);
	return err;
}

static int verify(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_terminal *i = rec->data;

	if (i->foreground < 0)
		return ckpt_restore_error(r, -EBADMSG, "terminal: bad process group %d",
					  i->foreground);
	return 0;
}

/* Whether the tool has put the first process into the foreground of its terminal. */
static bool is_ours(struct ckpt_restorer *r, struct tty_struct *tty)
{
	bool ours;

	rcu_read_lock();
	spin_lock_irq(&tty->ctrl.lock);
	ours = tty->ctrl.pgrp && tty->ctrl.pgrp == task_pgrp(r->threads[0].task);
	spin_unlock_irq(&tty->ctrl.lock);
	rcu_read_unlock();
	return ours;
}

/* The group that had the terminal, when it is a group of the job in the session that has it. */
static struct pid *find_foreground(struct ckpt_rjob *job, s32 pgid, struct pid *session)
{
	struct pid *found = NULL;
	struct ckpt_restorer *r;

	rcu_read_lock();
	ckpt_for_each_rprocess(r, job) {
		struct task_struct *task = r->threads[0].task;

		if (r->saved->pgid == pgid && !ckpt_restorer_is_zombie(r) &&
		    task_session(task) == session)
			found = get_pid(task_pgrp(task));
		if (found)
			break;
	}
	rcu_read_unlock();
	return found;
}

static void set_terminal(struct ckpt_rjob *job, struct tty_struct *tty,
			 const struct ckpt_image_terminal *i)
{
	struct pid *foreground = find_foreground(job, i->foreground, tty->ctrl.session);
	struct pid *old = get_pid(foreground);
	bool resized;

	ckpt_ntty_set_termios(tty, &i->termios);
	if (!foreground)
		return;
	spin_lock_irq(&tty->ctrl.lock);
	swap(tty->ctrl.pgrp, old);
	spin_unlock_irq(&tty->ctrl.lock);
	put_pid(old);
	mutex_lock(&tty->winsize_mutex);
	resized = tty->winsize.ws_row != i->rows || tty->winsize.ws_col != i->columns;
	mutex_unlock(&tty->winsize_mutex);
	if (resized)
		kill_pgrp(foreground, SIGWINCH, 1);
	put_pid(foreground);
}

/* Only now: a terminal in raw mode is of no use to a user whose restore has failed. */
static int settle(struct ckpt_rjob *job)
{
	struct ckpt_restorer *r = job->processes;
	const struct ckpt_record *rec = ckpt_restore_find(r, CKPT_REC_TERMINAL, 0);
	struct tty_struct *tty = rec && job->tty ? ckpt_tty_of(job->tty) : NULL;

	if (is_slave(tty) && is_ours(r, tty))
		set_terminal(job, tty, rec->data);
	return 0;
}

const struct ckpt_kind ckpt_kind_terminal = {
	.name = "terminal",
	.type = CKPT_REC_TERMINAL,
	.version = 1,
	.oldest = 1,
	.min_len = sizeof(struct ckpt_image_terminal),
	.count = CKPT_AT_MOST_ONE,
	.save = save,
	.verify = verify,
	.settle = settle,
};
