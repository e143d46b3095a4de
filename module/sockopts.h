/* SPDX-License-Identifier: GPL-2.0-only */
/* What all sockets have in common: the options of SOL_SOCKET, and whom SO_PEERCRED names. */
#ifndef CKPT_SOCKOPTS_H
#define CKPT_SOCKOPTS_H

#include <linux/ckpt_image.h>
#include <linux/types.h>

struct ckpt_restorer;
struct pid;
struct sock;
struct socket;

/* What keeps the options of a socket from being brought back, or NULL. */
const char *ckpt_sockopts_obstacle(const struct sock *sk);
/* Saves owner, options, peer's credentials but its groups, errors and shutdown. */
void ckpt_sockopts_save(struct sock *sk, struct ckpt_image_socket *i);
/* Bounds of what ckpt_sockopts_save() has saved: whether they are kept. */
bool ckpt_sockopts_are_valid(const struct ckpt_image_socket *i);

/* Makes a new socket belong to whom it belonged to. */
void ckpt_sockopts_own(struct socket *sock, const struct ckpt_image_socket *i);
/* Sets the options; a socket that is pending has no @sock: 0 or what setsockopt(2) said. */
int ckpt_sockopts_restore(struct socket *sock, struct sock *sk, const struct ckpt_image_socket *i);
/* Sets what ends a socket's use: shutdown and SO_ERROR. */
void ckpt_sockopts_finish(struct sock *sk, const struct ckpt_image_socket *i);
/* Sets the peer's credentials: 0 or -ENOMEM. */
int ckpt_sockopts_set_peer(struct ckpt_restorer *r, struct sock *sk,
			   const struct ckpt_image_socket *i);

/* The number of a process as the saving tool has it, 0 for none. */
u32 ckpt_sockopts_pid(struct pid *pid);
/* The restored process that had a number, referenced; NULL when it is not of the job. */
struct pid *ckpt_sockopts_find_pid(struct ckpt_restorer *r, u32 nr);

#endif /* CKPT_SOCKOPTS_H */
