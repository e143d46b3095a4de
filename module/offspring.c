// SPDX-License-Identifier: GPL-2.0-only
/* Processes that a restored process makes by fork(2), as they have memory from it. */

#include "offspring.h"

#include <linux/ckpt.h>
#include <linux/err.h>
#include <linux/sched.h>
#include <linux/signal.h>
#include <asm/unistd.h>

#include "restorer.h"
#include "share.h"

#define THREAD_FLAGS \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)

/* The new task goes on with entry number @child of the script. */
static int add_clone(struct ckpt_script *s, const struct ckpt_rthread *t, u64 flags,
		     unsigned int child)
{
	s32 tid = t->tid;
	unsigned long at = ckpt_script_data(s, &tid, sizeof(tid));
	struct clone_args args = {
		.flags = flags,
		.exit_signal = flags & CLONE_THREAD ? 0 : SIGCHLD,
		.set_tid = at,
		.set_tid_size = 1,
	};

	if (IS_ERR_VALUE(at))
		return at;
	at = ckpt_script_data(s, &args, sizeof(args));
	if (IS_ERR_VALUE(at))
		return at;
	return ckpt_script_add(s, __NR_clone3, at, sizeof(args), 0, 0, tid,
			       ckpt_script_address(s, child));
}

static int add_restore(struct ckpt_restorer *r, const struct ckpt_rthread *t)
{
	struct ckpt_restore call = { .size = sizeof(call), .tid = t->tid, .tty_fd = -1 };
	unsigned long at = ckpt_script_data(&r->script, &call, sizeof(call));

	if (IS_ERR_VALUE(at))
		return at;
	return ckpt_script_add(&r->script, __NR_ioctl, r->dev_fd, CKPT_IOC_RESTORE, at, 0, 0, 0);
}

/*
 * What a new process does: first its threads are made, each of which goes on behind the leader's
 * own call, then that.
 */
static int add_process(struct ckpt_restorer *r, const struct ckpt_restorer *child)
{
	unsigned int first = r->script.nr_entries, i;
	int err = 0;

	for (i = 1; i < child->nr_threads && !err; i++)
		err = add_clone(&r->script, &child->threads[i], THREAD_FLAGS,
				first + child->nr_threads - 1 + i);
	for (i = 0; i < child->nr_threads && !err; i++)
		err = add_restore(r, &child->threads[i]);
	return err;
}

int ckpt_offspring_script(struct ckpt_restorer *r)
{
	const struct ckpt_restorer *end = r->job->processes + r->job->nr_processes, *child;
	unsigned int nr = 0, at;
	int err = 0;

	for (child = r + 1; child < end; child++)
		nr += child->source == r;
	if (!nr)
		return 0;
	/* First comes what this process does, one entry for each, and the end. */
	at = nr + 1;
	for (child = r + 1; child < end && !err; child++) {
		if (child->source != r)
			continue;
		err = add_clone(&r->script, child->threads, ckpt_share_clone_flags(child), at);
		at += 2 * child->nr_threads - 1;
	}
	if (!err)
		err = ckpt_script_end(&r->script);
	for (child = r + 1; child < end && !err; child++)
		if (child->source == r)
			err = add_process(r, child);
	if (!err)
		err = ckpt_script_start(&r->script, r->dev_fd);
	return err ?: 1;
}

pid_t ckpt_offspring_tid(const struct ckpt_script_entry *e)
{
	return e->nr == __NR_clone3 ? (pid_t)e->args[4] : 0;
}
