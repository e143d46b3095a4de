/* SPDX-License-Identifier: GPL-2.0-only */
/* Pseudo-terminals: which open files and processes have a pair whose master is in the job. */
#ifndef CKPT_TTY_PAIR_H
#define CKPT_TTY_PAIR_H

#include <linux/types.h>

struct ckpt_fd;
struct ckpt_process;
struct ckpt_saver;
struct file;
struct task_struct;
struct tty_struct;

/* The end of a pseudo-terminal that an open file is, by whatever name it was opened, or NULL. */
struct tty_struct *ckpt_tty_of(const struct file *file);
bool ckpt_tty_is_master(const struct tty_struct *tty);

/**
 * ckpt_tty_master_of() - find the descriptor of the job that is the master of a pair
 * @s: the save
 * @tty: either end
 * @p: set to the process that has it
 *
 * Return: its first descriptor, or NULL
 */
const struct ckpt_fd *ckpt_tty_master_of(struct ckpt_saver *s, const struct tty_struct *tty,
					 struct ckpt_process **p);

/**
 * ckpt_tty_id() - number a pair whose master is in the job
 * @s: the save
 * @tty: either end
 *
 * Return: the id of its record, 0 when the master is outside, or -ENOMEM
 */
int ckpt_tty_id(struct ckpt_saver *s, struct tty_struct *tty);
/* The same for the controlling terminal of a process. */
int ckpt_tty_id_of_task(struct ckpt_saver *s, struct task_struct *task);

#endif /* CKPT_TTY_PAIR_H */
