// SPDX-License-Identifier: GPL-2.0-only
/* Pseudo-terminals: which open files and processes have a pair whose master is in the job. */

#include "tty_pair.h"

#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/major.h>
#include <linux/sched/signal.h>
#include <linux/stat.h>
#include <linux/tty.h>
#include <linux/tty_driver.h>

#include "fds.h"
#include "saver.h"

/* Devices whose files have a struct tty_file_private, whatever terminal that leads to. */
static bool is_terminal(dev_t rdev)
{
	return rdev == MKDEV(TTYAUX_MAJOR, 0) || rdev == MKDEV(TTYAUX_MAJOR, 2) ||
	       MAJOR(rdev) == UNIX98_PTY_SLAVE_MAJOR;
}

struct tty_struct *ckpt_tty_of(const struct file *file)
{
	const struct tty_file_private *priv = file->private_data;

	if (!S_ISCHR(file_inode(file)->i_mode) || !is_terminal(file_inode(file)->i_rdev) ||
	    file->f_mode & FMODE_PATH || !priv || !priv->tty)
		return NULL;
	return priv->tty->driver->type == TTY_DRIVER_TYPE_PTY && priv->tty->link ? priv->tty : NULL;
}

bool ckpt_tty_is_master(const struct tty_struct *tty)
{
	return tty->driver->subtype == PTY_TYPE_MASTER;
}

const struct ckpt_fd *ckpt_tty_master_of(struct ckpt_saver *s, const struct tty_struct *tty,
					 struct ckpt_process **p)
{
	const struct tty_struct *master = ckpt_tty_is_master(tty) ? tty : tty->link;
	struct ckpt_process *process;
	struct ckpt_fd *f;

	ckpt_for_each_process(process, s->group)
		ckpt_for_each_file(f, &s->fds[process->number])
			if (ckpt_tty_of(f->file) == master) {
				*p = process;
				return f;
			}
	return NULL;
}

int ckpt_tty_id(struct ckpt_saver *s, struct tty_struct *tty)
{
	struct ckpt_process *p;
	bool is_new;

	if (!ckpt_tty_master_of(s, tty, &p))
		return 0;
	return ckpt_objtab_id(&s->objects, ckpt_tty_is_master(tty) ? tty : tty->link, &is_new);
}

int ckpt_tty_id_of_task(struct ckpt_saver *s, struct task_struct *task)
{
	/* A task in the freezer keeps it. */
	struct sighand_struct *sighand = rcu_dereference_protected(task->sighand, true);
	struct tty_struct *tty;
	int id = 0;

	spin_lock_irq(&sighand->siglock);
	tty = tty_kref_get(task->signal->tty);
	spin_unlock_irq(&sighand->siglock);
	if (tty && tty->driver->type == TTY_DRIVER_TYPE_PTY && tty->link)
		id = ckpt_tty_id(s, tty);
	tty_kref_put(tty);
	return id;
}
