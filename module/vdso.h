/* SPDX-License-Identifier: GPL-2.0-only */
/* The vDSO: code of the kernel that runs in the process, and its data. */
#ifndef CKPT_VDSO_H
#define CKPT_VDSO_H

#include <linux/types.h>

struct ckpt_restorer;
struct task_struct;

#define CKPT_VDSO_PARTS 4

/**
 * struct ckpt_vdso_part - a mapping of the vDSO
 * @name: "[vdso]", "[vvar]"...
 * @start: first address
 * @len: length in bytes
 * @prot: PROT_*
 */
struct ckpt_vdso_part {
	char name[16];
	unsigned long start, len;
	u32 prot;
};

/**
 * struct ckpt_vdso - the vDSO of a process
 * @parts: its mappings in order of address
 * @nr_parts: how many
 * @len: length of the code in bytes, 0 when there is none
 * @crc: CRC32C of the code
 */
struct ckpt_vdso {
	struct ckpt_vdso_part parts[CKPT_VDSO_PARTS];
	unsigned int nr_parts;
	u32 len;
	u32 crc;
};

/**
 * ckpt_vdso_get() - look at the vDSO of a process
 * @v: filled in
 * @task: the process; current or parked
 *
 * Return: 0, -ENOMEM, -EINTR, -ESRCH without memory, -EFAULT when the code cannot be read, -E2BIG
 * when the kernel has mapped more than is known
 */
int ckpt_vdso_get(struct ckpt_vdso *v, struct task_struct *task);

/* The mapping of a name, or NULL. */
const struct ckpt_vdso_part *ckpt_vdso_find(const struct ckpt_vdso *v, const char *name);

/* Whether a mapping with this name belongs to the vDSO. */
bool ckpt_vdso_is_part(const char *name);

/* Lengths of all mappings, in bytes. */
unsigned long ckpt_vdso_span(const struct ckpt_vdso *v);

/**
 * ckpt_vdso_script() - add the calls that map the vDSO where the saved process had it
 * @r: the restore; r->vdso is that of the running kernel
 * @parking: ckpt_vdso_span() free bytes with nothing near
 *
 * Return: 0 or a negative errno
 */
int ckpt_vdso_script(struct ckpt_restorer *r, unsigned long parking);

#endif /* CKPT_VDSO_H */
