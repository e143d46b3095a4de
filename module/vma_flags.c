// SPDX-License-Identifier: GPL-2.0-only
/* Flags of a VMA: from the kernel's to those of the image, and to the calls that set them. */

#include "vma_flags.h"

#include <linux/bits.h>
#include <linux/ckpt_image.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/mman.h>

#include "compat.h"

#define NO_ADVICE (-1)

static const struct {
	vm_flags_t vm;
	u32 flag;
	int advice;
} carried[] = {
	{ VM_MAYSHARE, CKPT_VMA_SHARED, NO_ADVICE },
	{ VM_GROWSDOWN, CKPT_VMA_GROWSDOWN, NO_ADVICE },
	{ VM_NORESERVE, CKPT_VMA_NORESERVE, NO_ADVICE },
	{ VM_ACCOUNT, CKPT_VMA_ACCOUNT, NO_ADVICE },
	{ VM_LOCKED, CKPT_VMA_LOCKED, NO_ADVICE },
	{ VM_LOCKONFAULT, CKPT_VMA_LOCKONFAULT, NO_ADVICE },
	{ VM_HUGEPAGE, CKPT_VMA_HUGEPAGE, MADV_HUGEPAGE },
	{ VM_NOHUGEPAGE, CKPT_VMA_NOHUGEPAGE, MADV_NOHUGEPAGE },
	{ VM_DONTCOPY, CKPT_VMA_DONTFORK, MADV_DONTFORK },
	{ VM_DONTDUMP, CKPT_VMA_DONTDUMP, MADV_DONTDUMP },
	{ VM_WIPEONFORK, CKPT_VMA_WIPEONFORK, MADV_WIPEONFORK },
	{ VM_MERGEABLE, CKPT_VMA_MERGEABLE, MADV_MERGEABLE },
	{ VM_SEQ_READ, CKPT_VMA_SEQUENTIAL, MADV_SEQUENTIAL },
	{ VM_RAND_READ, CKPT_VMA_RANDOM, MADV_RANDOM },
};

/* What the kernel sets by itself when the mapping is made again. */
#define DERIVED (VM_ACCESS_FLAGS | VM_SHARED | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC | VM_SOFTDIRTY)

static const struct {
	vm_flags_t vm;
	const char *why;
} refused[] = {
	{ VM_HUGETLB, "huge pages of hugetlbfs: cannot be saved: unmap them before the save" },
	{ CKPT_VM_SHADOW_STACK, "shadow stack: cannot be saved: run the program without one" },
	{ CKPT_VM_SEALED, "sealed by mseal(): cannot be made again: run the program without it" },
	{ CKPT_VM_DROPPABLE, "MAP_DROPPABLE: cannot be saved: unmap it before the save" },
	{ VM_SYNC, "MAP_SYNC: cannot be saved: unmap it before the save" },
	{ VM_IO | VM_PFNMAP | VM_MIXEDMAP,
	  "memory of a device: cannot be saved: unmap it before the save" },
	{ VM_DONTEXPAND, "memory of a driver: cannot be saved: unmap it before the save" },
};

u32 ckpt_vma_prot(vm_flags_t flags)
{
	return (flags & VM_READ ? PROT_READ : 0) | (flags & VM_WRITE ? PROT_WRITE : 0) |
	       (flags & VM_EXEC ? PROT_EXEC : 0);
}

u32 ckpt_vma_flags(vm_flags_t flags)
{
	unsigned int i;
	u32 out = 0;

	for (i = 0; i < ARRAY_SIZE(carried); i++)
		if (flags & carried[i].vm)
			out |= carried[i].flag;
	/* A file that was opened for reading only leaves MAP_SHARED without VM_SHARED. */
	if ((flags & VM_MAYSHARE) && (flags & VM_MAYWRITE))
		out |= CKPT_VMA_MAYWRITE;
	return out;
}

const char *ckpt_vma_flags_refused(vm_flags_t flags)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(refused); i++)
		if (flags & refused[i].vm)
			return refused[i].why;
	return NULL;
}

vm_flags_t ckpt_vma_flags_unknown(vm_flags_t flags)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(carried); i++)
		flags &= ~carried[i].vm;
	return flags & ~(vm_flags_t)DERIVED;
}

int ckpt_vma_advice(u32 flags, unsigned int i)
{
	unsigned int j;

	for (j = 0; j < ARRAY_SIZE(carried); j++)
		if (carried[j].advice != NO_ADVICE && (flags & carried[j].flag) && !i--)
			return carried[j].advice;
	return NO_ADVICE;
}
