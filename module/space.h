/* SPDX-License-Identifier: GPL-2.0-only */
/* The address space of the process: who shares it, making it empty, finding room in it. */
#ifndef CKPT_SPACE_H
#define CKPT_SPACE_H

#include <linux/types.h>

struct ckpt_group;
struct ckpt_restorer;
struct mm_struct;

/**
 * ckpt_space_user() - another process that uses a memory
 * @mm: the memory
 * @g: job whose processes do not count; NULL: current alone does not
 *
 * Return: PID of such a process, or 0
 */
pid_t ckpt_space_user(struct mm_struct *mm, struct ckpt_group *g);

/**
 * ckpt_space_clear() - unmap all memory of the new process but what it has from another one
 * @r: the restore; current is its leader and the other threads wait in the kernel
 *
 * What the kernel would write into that memory as the threads run on or end is forgotten first.
 *
 * Return: 0 or a negative errno
 */
int ckpt_space_clear(struct ckpt_restorer *r);

/**
 * ckpt_space_find() - find addresses that the saved process does not use
 * @r: the restore
 * @len: how many, in bytes
 *
 * Return: the first address, page aligned, with room to the next VMA that is larger than the guard
 * gap of a stack, or 0 when there is none
 */
unsigned long ckpt_space_find(struct ckpt_restorer *r, unsigned long len);

#endif /* CKPT_SPACE_H */
