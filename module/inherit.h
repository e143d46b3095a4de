/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory that processes share since fork(2): which process has it from which. */
#ifndef CKPT_INHERIT_H
#define CKPT_INHERIT_H

#include <linux/ckpt_image.h>
#include <linux/mm_types.h>
#include <linux/types.h>

struct ckpt_process;
struct ckpt_saver;

/**
 * struct ckpt_space_list - the VMAs of a process that is being saved, as its records have them
 * @vmas: in order of address
 * @nr: how many
 * @source: the process that it has memory from, or NULL
 */
struct ckpt_space_list {
	struct ckpt_image_vma **vmas;
	unsigned int nr;
	struct ckpt_process *source;
};

/* Makes room for the lists of all processes: 0 or -ENOMEM. */
int ckpt_inherit_init(struct ckpt_saver *s);
void ckpt_inherit_exit(struct ckpt_saver *s);

/* The list of the process that is being walked, with room for @nr VMAs; NULL: out of memory. */
struct ckpt_space_list *ckpt_inherit_list(struct ckpt_saver *s, unsigned int nr);

/**
 * ckpt_inherit_choose() - find the process that the one being walked has memory from
 * @s: the save; the VMAs of the process are listed
 *
 * Looked at are its parent, and the first and last of its elder siblings. Marks the VMAs that may
 * be taken over.
 */
void ckpt_inherit_choose(struct ckpt_saver *s);

/**
 * struct ckpt_inherit_view - another memory, to be compared page by page
 * @mm: it, referenced and locked for reading, or NULL
 * @vmas: VMAs of the process being walked that may be taken over from it
 * @at: the first of them that ends behind what was asked for last
 */
struct ckpt_inherit_view {
	struct mm_struct *mm;
	struct ckpt_space_list *vmas;
	unsigned int at;
};

/* Opens the memory that the process being walked has pages from. */
void ckpt_inherit_view_open(struct ckpt_saver *s, struct ckpt_inherit_view *v);
void ckpt_inherit_view_close(struct ckpt_inherit_view *v);

/*
 * Whether the other memory has page frame @pfn at @at, in a VMA that may be taken over; addresses
 * ascend from call to call.
 */
bool ckpt_inherit_has(struct ckpt_inherit_view *v, unsigned long at, unsigned long pfn);

/**
 * ckpt_inherit_cover() - take a VMA of the source into account
 * @v: VMA that may be taken over
 * @w: the next VMA of the source, the first time the one that ends behind the start of @v
 * @at: up to where @v is covered; the first time its start
 *
 * VMAs that differ in protection alone are one when the source makes the process.
 *
 * Return: whether @w goes on where @v is not yet covered, and is alike; then *@at is its end
 */
bool ckpt_inherit_cover(const struct ckpt_image_vma *v, const struct ckpt_image_vma *w, u64 *at);

/*
 * The protection that a VMA is mapped with at first. Private memory that has been writable is so
 * until the script runs: it counts as committed, and others may have parts of it by another one.
 */
u32 ckpt_inherit_first_prot(const struct ckpt_image_vma *v);

#endif /* CKPT_INHERIT_H */
