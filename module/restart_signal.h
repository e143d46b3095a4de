/* SPDX-License-Identifier: GPL-2.0-only */
/* Which processes asked for a signal at resume, and how often they did resume. */
#ifndef CKPT_RESTART_SIGNAL_H
#define CKPT_RESTART_SIGNAL_H

#include <linux/types.h>

struct task_struct;

/**
 * ckpt_restart_signal_set() - current's process asks for a signal
 * @signo: signal number, 0 takes the wish back
 *
 * Not inherited by fork; execve clears it.
 *
 * Return: 0, -EINVAL when the signal cannot be asked for, -ENOMEM
 */
int ckpt_restart_signal_set(u32 signo);

/* The signal that a process asked for, or 0. */
int ckpt_restart_signal_of(struct task_struct *leader);

/**
 * ckpt_restart_generation_set() - note that current's process was restored
 * @generation: restores that lie behind it, from 1
 *
 * Return: 0 or -ENOMEM
 */
int ckpt_restart_generation_set(u64 generation);

/* How many restores lie behind a process. */
u64 ckpt_restart_generation(struct task_struct *leader);

void ckpt_restart_signal_exit(void);

#endif /* CKPT_RESTART_SIGNAL_H */
