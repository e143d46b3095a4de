/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The syscall script: system calls that the restored process makes itself, from memory that lies in
 * a hole.
 */
#ifndef CKPT_SCRIPT_H
#define CKPT_SCRIPT_H

#include <linux/ckpt.h>
#include <linux/types.h>

/* Address space that a script may need: code, table and data. */
#define CKPT_SCRIPT_SPACE (64UL << 20)

/**
 * struct ckpt_script - system calls to make
 * @base: address of the script in the process, page aligned; set before any entry is added, for
 *	calls in the tool's memory by ckpt_script_place(), for those in the job's by the mm kind's
 *	create hook: CKPT_SCRIPT_SPACE bytes that neither the old nor the new layout uses
 * @entries: the calls
 * @nr_entries: how many
 * @max_entries: room
 * @data: bytes that the calls point to
 * @data_len: how many
 * @data_size: room
 */
struct ckpt_script {
	unsigned long base;
	struct ckpt_script_entry *entries;
	unsigned int nr_entries, max_entries;
	void *data;
	size_t data_len, data_size;
};

void ckpt_script_init(struct ckpt_script *s);
void ckpt_script_exit(struct ckpt_script *s);

/* Appends a call; absent arguments are 0. */
int ckpt_script_add(struct ckpt_script *s, u64 nr, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5);

/**
 * ckpt_script_data() - store bytes for calls to point to
 * @s: the script
 * @p: the bytes
 * @len: how many
 *
 * Return: their address in the process (aligned to 16), or a value for which IS_ERR_VALUE() holds
 */
unsigned long ckpt_script_data(struct ckpt_script *s, const void *p, size_t len);

/* Places a script that runs in the memory of the tool. */
int ckpt_script_place(struct ckpt_script *s);

/**
 * ckpt_script_result() - what a call of a script that has ended has returned
 * @s: the script, still mapped
 * @n: its place in @entries
 * @result: set to it
 *
 * Return: 0 or -EFAULT
 */
int ckpt_script_result(const struct ckpt_script *s, unsigned int n, s64 *result);

/* Appends the end: CKPT_IOC_FINISH. What follows it is reached by new tasks alone. */
int ckpt_script_end(struct ckpt_script *s);
/* Where an entry will be in the process. */
unsigned long ckpt_script_address(const struct ckpt_script *s, unsigned int entry);

/*
 * Maps the script into current's memory and lets it run on return to user mode. Its ioctls use
 * @dev_fd.
 */
int ckpt_script_start(struct ckpt_script *s, int dev_fd);
/* Unmaps and empties it; called from its last entry. */
int ckpt_script_unmap(struct ckpt_script *s);

#endif /* CKPT_SCRIPT_H */
