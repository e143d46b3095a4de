/* SPDX-License-Identifier: GPL-2.0-only */
/* Threads that a stop signal has stopped: they are looked at where they stand. */
#ifndef CKPT_STOPPED_H
#define CKPT_STOPPED_H

#include <linux/types.h>

struct task_struct;

/* Whether a thread stands in a stop of job control and is off the CPU. */
bool ckpt_stopped_is(struct task_struct *task);

/**
 * ckpt_stopped_pin() - keep a stopped thread where it is, whatever signal comes
 * @task: a thread; not current
 *
 * SIGCONT and SIGKILL take effect once it is unpinned.
 *
 * Return: whether it was stopped and now is pinned
 */
bool ckpt_stopped_pin(struct task_struct *task);
void ckpt_stopped_unpin(struct task_struct *task);

#endif /* CKPT_STOPPED_H */
