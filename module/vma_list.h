/* SPDX-License-Identifier: GPL-2.0-only */
/* The VMAs of a process, as they were when its memory was looked at. */
#ifndef CKPT_VMA_LIST_H
#define CKPT_VMA_LIST_H

#include <linux/mm_types.h>
#include <linux/types.h>

/* Room for the name of a VMA and its NUL: as much as the kernel has. */
#define CKPT_VMA_NAME_MAX 80

/**
 * struct ckpt_vma - a VMA
 * @start: first address
 * @end: address behind the last
 * @offset: offset in the file, in bytes
 * @flags: VM_*
 * @file: what is mapped, referenced, or NULL
 * @special: the kernel has made it
 * @name: name of a special mapping, or the one that prctl(PR_SET_VMA) gave, or empty
 * @anonymous: private memory that comes into being zeroed, even if @file is there (/dev/zero)
 * @foreign: neither anonymous, nor of a file, nor special
 * @pkey: memory protection key
 * @policy: it has a NUMA policy
 * @uffd: it is registered with a userfaultfd
 */
struct ckpt_vma {
	unsigned long start, end;
	u64 offset;
	vm_flags_t flags;
	struct file *file;
	char name[CKPT_VMA_NAME_MAX];
	bool special, anonymous, foreign;
	bool policy, uffd;
	int pkey;
};

struct ckpt_vma_list {
	struct ckpt_vma *vmas;
	unsigned int nr;
};

/**
 * ckpt_vma_list_get() - list the VMAs of a process in order of address
 * @list: filled in
 * @mm: its memory
 *
 * What is to be found out about the files may sleep on them, which must not happen under the lock
 * of the memory; so the list holds all that is needed later.
 *
 * Return: 0, -ENOMEM or -EINTR; after an error ckpt_vma_list_put() is not due
 */
int ckpt_vma_list_get(struct ckpt_vma_list *list, struct mm_struct *mm);
void ckpt_vma_list_put(struct ckpt_vma_list *list);

/* Whether the kernel itself has made a VMA: the vDSO and its data. Its name is then at *@name. */
bool ckpt_vma_is_special(struct vm_area_struct *vma, const char **name);

#endif /* CKPT_VMA_LIST_H */
