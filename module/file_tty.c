// SPDX-License-Identifier: GPL-2.0-only
/* Type of open file: the controlling terminal of the job, by whatever name it was opened. */

#include <linux/cred.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/stat.h>
#include <linux/tty.h>

#include "file_types.h"
#include "image_read.h"
#include "restorer.h"
#include "saver.h"

static bool recognise(struct ckpt_saver *s, const struct file *file)
{
	/* A task in the freezer keeps it. */
	struct sighand_struct *sighand = rcu_access_pointer(s->task->sighand);
	struct tty_file_private *priv;
	struct tty_struct *tty;
	bool found = false;

	if (!S_ISCHR(file_inode(file)->i_mode))
		return false;
	spin_lock_irq(&sighand->siglock);
	tty = tty_kref_get(s->task->signal->tty);
	spin_unlock_irq(&sighand->siglock);
	if (!tty)
		return false;
	spin_lock(&tty->files_lock);
	list_for_each_entry(priv, &tty->tty_files, list)
		found = found || priv->file == file;
	spin_unlock(&tty->files_lock);
	tty_kref_put(tty);
	return found;
}

/* A description of its own: the flags of the tool's may not change with those of the job's. */
static struct file *open(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_file *i = rec->data;
	struct file *file;

	if (!r->job->tty || !S_ISCHR(file_inode(r->job->tty)->i_mode)) {
		ckpt_restore_error(r, -ENOTTY,
				   "%s: was the terminal of the job: restore it from a terminal",
				   i->path);
		return ERR_PTR(-ENOTTY);
	}
	file = dentry_open(&r->job->tty->f_path, i->flags | O_NOCTTY, current_cred());
	if (IS_ERR(file))
		ckpt_restore_error(r, PTR_ERR(file), "terminal: cannot be opened: error %ld",
				   -PTR_ERR(file));
	return file;
}

const struct ckpt_file_type ckpt_file_tty = {
	.type = CKPT_FILE_TTY,
	.recognise = recognise,
	.open = open,
};
