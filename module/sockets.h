/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The sockets of a job, for the kinds that walk over them: those that it has
 * descriptors for, and those that are reached through the queues of others.
 */
#ifndef CKPT_SOCKETS_H
#define CKPT_SOCKETS_H

#include <linux/types.h>

struct ckpt_restorer;
struct ckpt_saver;
struct file;
struct sk_buff;
struct sock;
struct socket;

/* What the job has of a socket. */
enum ckpt_sock_role {
	CKPT_SOCK_OPEN, /* an open file description, perhaps one in flight */
	CKPT_SOCK_PENDING, /* a connection in the queue of a listening socket */
	CKPT_SOCK_CLOSED, /* nothing; a socket of the job refers to it */
};

/**
 * struct ckpt_sock - a socket of a job that is being saved
 * @sk: the socket, referenced
 * @listener: in whose queue it is, when it is CKPT_SOCK_PENDING
 * @id: its id in ckpt_saver.objects
 * @role: what the job has of it
 */
struct ckpt_sock {
	struct sock *sk;
	const struct sock *listener;
	u32 id;
	enum ckpt_sock_role role;
};

#define ckpt_for_each_sock(x, id, s) xa_for_each(&(s)->socks, id, x)

/*
 * Lists the sockets of all processes, once their descriptors are listed, and
 * adds the files that are in flight between them to the descriptors of the job:
 * 0, -EINTR or -ENOMEM.
 */
int ckpt_socks_collect(struct ckpt_saver *s);
/* Forgets all of them. */
void ckpt_socks_release(struct ckpt_saver *s);

/* The socket of the job that @sk is, or NULL. */
struct ckpt_sock *ckpt_sock_find(struct ckpt_saver *s, const struct sock *sk);

/**
 * struct ckpt_queue - what is in the receive queue of a socket
 * @skbs: the messages, the first one first, each referenced
 * @nr: how many
 */
struct ckpt_queue {
	struct sk_buff **skbs;
	unsigned int nr;
};

/* Takes a look at a queue: 0, -EINTR or -ENOMEM. Until ckpt_queue_put() nobody reads from it. */
int ckpt_queue_get(struct sock *sk, struct ckpt_queue *q);
void ckpt_queue_put(struct sock *sk, struct ckpt_queue *q);

/* Restore: the socket of a CKPT_REC_SOCKET that was made, or NULL; one that is pending has none. */
struct socket *ckpt_socket_made(struct ckpt_restorer *r, u32 id);
/* Restore: the same for any, in the protocol's words. */
struct sock *ckpt_sock_made(struct ckpt_restorer *r, u32 id);

#endif /* CKPT_SOCKETS_H */
