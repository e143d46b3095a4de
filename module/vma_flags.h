/* SPDX-License-Identifier: GPL-2.0-only */
/* Flags of a VMA: from the kernel's to those of the image, and to the calls that set them. */
#ifndef CKPT_VMA_FLAGS_H
#define CKPT_VMA_FLAGS_H

#include <linux/mm_types.h>
#include <linux/types.h>

/* PROT_* of a VMA. */
u32 ckpt_vma_prot(vm_flags_t flags);
/* CKPT_VMA_* of a VMA. */
u32 ckpt_vma_flags(vm_flags_t flags);
/* What keeps a VMA with such flags from being restored, or NULL. */
const char *ckpt_vma_flags_refused(vm_flags_t flags);
/* Flags that are not known at all. */
vm_flags_t ckpt_vma_flags_unknown(vm_flags_t flags);

/**
 * ckpt_vma_advice() - the advice of madvise() that sets a flag
 * @flags: CKPT_VMA_*
 * @i: from 0 on
 *
 * Return: advice number @i of those that the flags ask for, or -1
 */
int ckpt_vma_advice(u32 flags, unsigned int i);

#endif /* CKPT_VMA_FLAGS_H */
