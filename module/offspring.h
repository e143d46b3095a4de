/* SPDX-License-Identifier: GPL-2.0-only */
/* Processes that a restored process makes by fork(2), as they have memory from it. */
#ifndef CKPT_OFFSPRING_H
#define CKPT_OFFSPRING_H

#include <linux/types.h>

struct ckpt_restorer;
struct ckpt_script_entry;

/**
 * ckpt_offspring_script() - let a process make those that have memory from it
 * @r: the process: current is its leader, and its memory is complete
 *
 * Starts a script of clone3(2) calls. Each new process makes its own threads, and each of its tasks
 * calls CKPT_IOC_RESTORE.
 *
 * Return: 1 when the script runs on return to user mode, 0 when there are no such processes, or a
 * negative errno
 */
int ckpt_offspring_script(struct ckpt_restorer *r);

/* The ID that an entry which failed should have made, or 0 for an entry of another kind. */
pid_t ckpt_offspring_tid(const struct ckpt_script_entry *e);

#endif /* CKPT_OFFSPRING_H */
