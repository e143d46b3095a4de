/* SPDX-License-Identifier: GPL-2.0-only */
/* The families of sockets that an image can hold. */
#ifndef CKPT_SOCKET_FAMILIES_H
#define CKPT_SOCKET_FAMILIES_H

#include <linux/types.h>

struct ckpt_image_socket;
struct ckpt_saver;
struct ckpt_sock;

/* What keeps a socket from being brought back: text to be freed, NULL or ERR_PTR(-ENOMEM). */
char *ckpt_socket_obstacle(struct ckpt_saver *s, const struct ckpt_sock *x);
/* Saves what is special to a family: 0 or -ENOMEM. */
int ckpt_socket_save(struct ckpt_saver *s, const struct ckpt_sock *x, struct ckpt_image_socket *i);
/* Whether a record is of a family that is known, and sound by itself. */
bool ckpt_socket_is_valid(const struct ckpt_image_socket *i);

#endif /* CKPT_SOCKET_FAMILIES_H */
