/* SPDX-License-Identifier: GPL-2.0-only */
/* One end of a terminal: its settings, and the queues that its line discipline N_TTY has. */
#ifndef CKPT_NTTY_H
#define CKPT_NTTY_H

#include <linux/ckpt_image.h>
#include <linux/types.h>

struct tty_struct;

/**
 * ckpt_ntty_save() - read an end of a terminal that nobody uses meanwhile
 * @tty: the end
 * @i: filled in
 * @data: set to what is in its queues, ckpt_ntty_len() bytes; kvfree() is due
 *
 * Return: NULL, or why it cannot be saved
 */
const char *ckpt_ntty_save(struct tty_struct *tty, struct ckpt_image_tty_end *i, void **data);

/* Bytes in the queues of an end, as an image has them. */
size_t ckpt_ntty_len(const struct ckpt_image_tty_end *i);

/**
 * ckpt_ntty_check() - whether an end of an image can be restored
 * @i: the end, from an image
 * @data: ckpt_ntty_len() bytes, or NULL to look at the lengths first
 *
 * Return: NULL, or what is wrong with it
 */
const char *ckpt_ntty_check(const struct ckpt_image_tty_end *i, const void *data);

/* Gives an end of a new terminal settings and queues: 0 or a negative errno. */
int ckpt_ntty_restore(struct tty_struct *tty, const struct ckpt_image_tty_end *i, const void *data);

/* When both ends are as they were: what waits for room in the queue, and the flow control. */
int ckpt_ntty_complete(struct tty_struct *tty, const struct ckpt_image_tty_end *i,
		       const void *data);

/* The settings alone, of a terminal that others use too. */
void ckpt_ntty_save_termios(struct tty_struct *tty, struct ckpt_image_termios *i);
void ckpt_ntty_set_termios(struct tty_struct *tty, const struct ckpt_image_termios *i);

#endif /* CKPT_NTTY_H */
