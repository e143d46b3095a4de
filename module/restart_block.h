/* SPDX-License-Identifier: GPL-2.0-only */
/* An interrupted system call that goes on with its remaining time: the kernel's restart_block in numbers of ours. */
#ifndef CKPT_RESTART_BLOCK_H
#define CKPT_RESTART_BLOCK_H

#include <linux/ckpt_image.h>
#include <linux/types.h>

/**
 * struct ckpt_restart - what a thread does when it calls restart_syscall
 * @kind: CKPT_RESTART_*; CKPT_RESTART_OTHER cannot be brought back
 * @clock: CLOCK_* that @time is counted by
 * @is_absolute: @time is a point in time of @clock, else what was left when the thread parked
 * @time: nanoseconds, never negative
 * @address: futex word, array of struct pollfd, or where nanosleep stores the remainder (0: nowhere)
 * @value: futex: value expected; poll: number of descriptors
 * @bitset: futex: bitset waited for
 * @flags: CKPT_RESTART_* flags
 */
struct ckpt_restart {
	u32 kind;
	u32 clock;
	u64 time;
	u64 address;
	u32 value;
	u32 bitset;
	u32 flags;
	bool is_absolute;
};

/* Reads current's restart_block; called as current parks, so that the time left is that of the freeze. */
void ckpt_restart_capture(struct ckpt_restart *c);
/* Writes current's restart_block; cannot fail for what ckpt_restart_verify() let pass. */
void ckpt_restart_install(const struct ckpt_restart *c);
/* Why it cannot be brought back, or NULL. */
const char *ckpt_restart_verify(const struct ckpt_restart *c);

#endif /* CKPT_RESTART_BLOCK_H */
