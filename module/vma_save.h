/* SPDX-License-Identifier: GPL-2.0-only */
/* Saving VMAs: a record for each, a refusal for what cannot be mapped again. */
#ifndef CKPT_VMA_SAVE_H
#define CKPT_VMA_SAVE_H

struct ckpt_saver;

/**
 * ckpt_vma_save() - add the records of all VMAs
 * @s: the save
 *
 * Return: 0, -ENOMEM, -EINTR, or what opening an object of shared memory gave
 */
int ckpt_vma_save(struct ckpt_saver *s);

#endif /* CKPT_VMA_SAVE_H */
