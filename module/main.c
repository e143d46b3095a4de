// SPDX-License-Identifier: GPL-2.0-only
/* ckpt.ko: /dev/ckpt, checkpoint and restart of Linux jobs. */

#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/rcupdate.h>

#include "group.h"
#include "ioctl.h"
#include "ksyms.h"
#include "request.h"
#include "restart_signal.h"
#include "restore.h"
#include "restorer.h"

static int open(struct inode *inode, struct file *file)
{
	/* Replaces the miscdevice that misc_open() left there. */
	file->private_data = ckpt_request_new(file);
	return file->private_data ? stream_open(inode, file) : -ENOMEM;
}

static ssize_t read(struct file *file, char __user *buf, size_t len, loff_t *pos)
{
	struct ckpt_request *req = file->private_data;

	return ckpt_messages_read(&req->messages, buf, len);
}

/* EPOLLIN: messages can be read; EPOLLPRI: the restore has ended. */
static __poll_t poll(struct file *file, poll_table *table)
{
	struct ckpt_request *req = file->private_data;
	struct ckpt_rjob *job = ckpt_request_job(req);
	__poll_t events = 0;
	int err;

	poll_wait(file, &req->messages.wait, table);
	if (job)
		poll_wait(file, &job->wait, table);
	if (ckpt_messages_pending(&req->messages))
		events |= EPOLLIN | EPOLLRDNORM;
	if (job && ckpt_restore_ended(job, &err))
		events |= EPOLLPRI;
	return events;
}

/* The opener closes, or dies: what it has half restored, with this file open too, dies with it. */
static int flush(struct file *file, fl_owner_t owner)
{
	struct ckpt_request *req = file->private_data;
	struct ckpt_rjob *job = ckpt_request_job(req);

	if (job && owner == req->owner)
		ckpt_restore_abort(job, -ECANCELED);
	return 0;
}

static int release(struct inode *inode, struct file *file)
{
	struct ckpt_request *req = file->private_data;

	if (req->group) {
		ckpt_group_thaw(req->group);
		ckpt_group_put(req->group);
	}
	if (req->job) {
		ckpt_restore_abort(req->job, -ECANCELED);
		ckpt_rjob_put(req->job);
	}
	ckpt_request_put(req);
	return 0;
}

static const struct file_operations fops = {
	.owner = THIS_MODULE,
	.open = open,
	.read = read,
	.poll = poll,
	.flush = flush,
	.release = release,
	.unlocked_ioctl = ckpt_ioctl,
};

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "ckpt",
	.mode = 0600,
	.fops = &fops,
};

static int __init ckpt_init(void)
{
	int err = ckpt_ksyms_init();

	return err ?: misc_register(&device);
}

static void __exit ckpt_exit(void)
{
	misc_deregister(&device);
	/*
	 * Task work drops its reference to the module a few instructions before it leaves our code.
	 */
	synchronize_rcu_tasks();
	ckpt_restart_signal_exit();
}

module_init(ckpt_init);
module_exit(ckpt_exit);
MODULE_DESCRIPTION("Checkpoint and restart of Linux jobs");
MODULE_AUTHOR("The ckpt authors");
MODULE_VERSION("0.1.0");
MODULE_LICENSE("GPL");
