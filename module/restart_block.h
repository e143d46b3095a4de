/* SPDX-License-Identifier: GPL-2.0-only */
/* Interrupted system calls: the restart_block of the kernel, in numbers of our own. */
#ifndef CKPT_RESTART_BLOCK_H
#define CKPT_RESTART_BLOCK_H

#include <linux/types.h>

struct task_struct;

/**
 * struct ckpt_restart - what a thread needs to go on with an interrupted system call
 * @kind: CKPT_RESTART_*; what the system call was
 * @flags: CKPT_RESTART_* bits
 * @clock: CLOCK_* of @time
 * @value: futex: value expected; poll: number of descriptors
 * @bitset: futex: bits waited for
 * @address: futex: the word; poll: the array; nanosleep: where the remainder goes, 0 for nowhere
 * @time: nanoseconds: what was left, or with CKPT_RESTART_ABSOLUTE when it ends
 */
struct ckpt_restart {
	u32 kind;
	u32 flags;
	u32 clock;
	u32 value;
	u32 bitset;
	u64 address;
	u64 time;
};

/**
 * ckpt_restart_capture() - read current's restart_block
 * @c: filled in; of kind CKPT_RESTART_OTHER when nobody knows how to bring it back
 *
 * Called as current parks, so that the time left is that of the freeze.
 */
void ckpt_restart_capture(struct ckpt_restart *c);
/* The same for another thread, which sleeps. */
void ckpt_restart_capture_of(const struct task_struct *task, struct ckpt_restart *c);

/**
 * ckpt_restart_check() - whether it can be installed
 * @c: as an image has it
 *
 * Return: NULL, or what is wrong with it
 */
const char *ckpt_restart_check(const struct ckpt_restart *c);

/* Writes current's restart_block. For what passed ckpt_restart_check(). */
void ckpt_restart_install(const struct ckpt_restart *c);

#endif /* CKPT_RESTART_BLOCK_H */
