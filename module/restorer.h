/* SPDX-License-Identifier: GPL-2.0-only */
/* One restore under way: what the restore hooks of the kinds get. */
#ifndef CKPT_RESTORER_H
#define CKPT_RESTORER_H

#include <linux/completion.h>
#include <linux/kref.h>
#include <linux/task_work.h>
#include <linux/types.h>
#include <linux/wait.h>

#include "image_read.h"
#include "objtab.h"
#include "script.h"
#include "vdso.h"

struct ckpt_request;
struct ckpt_restorer;

/**
 * struct ckpt_rthread - a thread being restored
 * @r: the restore
 * @tid: its thread ID, in the saved job and now
 * @task: the task that became it; NULL before it came
 * @work: runs the install hooks at the boundary to user mode
 * @applied: its apply hooks are done
 * @xstate: extended registers in the kernel's layout, made by the xstate kind
 */
struct ckpt_rthread {
	struct ckpt_restorer *r;
	pid_t tid;
	struct task_struct *task;
	struct callback_head work;
	bool applied;
	void *xstate;
};

/* Objects that the open hooks make, by record id; see objtab.h. */

/**
 * struct ckpt_restorer - a restore under way
 * @ref: the request holds one, each arrived thread another
 * @req: the request (messages); valid while @ref is held
 * @img: the image
 * @objects: object (struct file) by record id
 * @threads: the threads of the image, the leader's first
 * @nr_threads: how many
 * @script: system calls that the leader makes
 * @vdso: the running kernel's vDSO, seen by the mm kind as it verifies the image
 * @exe: executable file, opened by the mm kind
 * @tty: controlling terminal that the tool gave, or NULL
 * @signal: signal to queue before the first instruction, 0 for none
 * @dev_fd: descriptor number of /dev/ckpt in the restored process while the script runs; the fd
 *	kind chooses one that the job does not use and installs ckpt_restore_device() there
 * @exe_fd: the same for @exe
 * @wait: threads wait here for the next phase; its lock guards what follows and the tasks of
 *	@threads
 * @nr_arrived: threads that came
 * @nr_applied: threads whose apply hooks are done
 * @phase: how far it is; private to restore.c
 * @error: why it failed
 */
struct ckpt_restorer {
	struct kref ref;
	struct ckpt_request *req;
	struct ckpt_image_reader img;
	struct ckpt_objtab objects;
	struct ckpt_rthread *threads;
	unsigned int nr_threads;
	struct ckpt_script script;
	struct ckpt_vdso vdso;
	struct file *exe;
	struct file *tty;
	int signal;
	int dev_fd;
	int exe_fd;
	wait_queue_head_t wait;
	unsigned int nr_arrived;
	unsigned int nr_applied;
	unsigned int phase;
	int error;
};

/**
 * ckpt_restore_error() - say why a restore fails
 * @r: the restore
 * @err: negative errno
 * @fmt: "OBJECT: what: why"; the caller passes names, not addresses of the kernel
 *
 * Return: @err, for use in a return statement
 */
__printf(3, 4) int ckpt_restore_error(struct ckpt_restorer *r, int err, const char *fmt, ...);

/**
 * ckpt_restore_device() - the open file of the request
 * @r: the restore
 *
 * Return: the file of /dev/ckpt, with a new reference
 */
struct file *ckpt_restore_device(struct ckpt_restorer *r);

static inline bool ckpt_rthread_is_leader(const struct ckpt_rthread *t)
{
	return t == t->r->threads;
}

#endif /* CKPT_RESTORER_H */
