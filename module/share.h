/* SPDX-License-Identifier: GPL-2.0-only */
/* What processes of a job share without being threads of one: memory, descriptors... (CLONE_*). */
#ifndef CKPT_SHARE_H
#define CKPT_SHARE_H

#include <linux/types.h>

struct ckpt_restorer;
struct ckpt_saver;

/**
 * ckpt_share_collect() - find out what the process being walked shares with an earlier one
 * @s: the save; called for each process in order, before anything else
 *
 * Sets @shares and @with of the process; refuses what is shared with several earlier ones.
 *
 * Return: 0 or -ENOMEM
 */
int ckpt_share_collect(struct ckpt_saver *s);

/* The flags of clone(2) that make a process share what it shared. */
u64 ckpt_share_clone_flags(const struct ckpt_restorer *r);

/* How many processes run scripts in the memory of a process, beside itself. */
unsigned int ckpt_share_count_mm(const struct ckpt_restorer *r);

/**
 * ckpt_share_prepare() - what a process that shares needs instead of what it does not make
 * @r: the process: current is its leader
 *
 * Return: 0 or a negative errno
 */
int ckpt_share_prepare(struct ckpt_restorer *r);

#endif /* CKPT_SHARE_H */
