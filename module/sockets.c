// SPDX-License-Identifier: GPL-2.0-only
/* The sockets of a job, for the kinds that walk over them. */

#include "sockets.h"

#include <linux/err.h>
#include <linux/file.h>
#include <linux/net.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/xarray.h>
#include <net/af_unix.h>
#include <net/scm.h>
#include <net/sock.h>
#include <net/tcp_states.h>

#include "fds.h"
#include "restorer.h"
#include "saver.h"

static bool is_unix(const struct sock *sk)
{
	return sk->sk_family == AF_UNIX;
}

/* A pending connection is no message: its socket is not locked by those who accept it. */
static bool is_listening(const struct sock *sk)
{
	return READ_ONCE(sk->sk_state) == TCP_LISTEN;
}

int ckpt_queue_get(struct sock *sk, struct ckpt_queue *q)
{
	struct sk_buff *skb;
	unsigned int size;

	*q = (struct ckpt_queue){};
	/* Whoever reads from it holds this lock, and takes the files out of a message. */
	if (mutex_lock_killable(&unix_sk(sk)->iolock))
		return -EINTR;
	size = skb_queue_len_lockless(&sk->sk_receive_queue);
	if (!size)
		return 0;
	q->skbs = kvcalloc(size, sizeof(*q->skbs), GFP_KERNEL);
	if (!q->skbs) {
		mutex_unlock(&unix_sk(sk)->iolock);
		return -ENOMEM;
	}
	/* Others may throw messages away, or add some. */
	spin_lock(&sk->sk_receive_queue.lock);
	skb_queue_walk(&sk->sk_receive_queue, skb)
	{
		if (q->nr == size)
			break;
		q->skbs[q->nr++] = skb_get(skb);
	}
	spin_unlock(&sk->sk_receive_queue.lock);
	return 0;
}

void ckpt_queue_put(struct sock *sk, struct ckpt_queue *q)
{
	unsigned int i;

	for (i = 0; i < q->nr; i++)
		consume_skb(q->skbs[i]);
	kvfree(q->skbs);
	mutex_unlock(&unix_sk(sk)->iolock);
}

struct ckpt_sock *ckpt_sock_find(struct ckpt_saver *s, const struct sock *sk)
{
	int id = ckpt_objtab_find(&s->objects, sk);

	return id ? xa_load(&s->socks, id) : NULL;
}

static int add(struct ckpt_saver *s, struct sock *sk, enum ckpt_sock_role role,
	       const struct sock *listener)
{
	struct ckpt_sock *x;
	bool is_new;
	int id = ckpt_objtab_id(&s->objects, sk, &is_new);

	if (id < 0)
		return id;
	x = xa_load(&s->socks, id);
	if (x)
		return 0;
	x = kzalloc(sizeof(*x), GFP_KERNEL);
	if (!x || xa_err(xa_store(&s->socks, id, x, GFP_KERNEL))) {
		kfree(x);
		return -ENOMEM;
	}
	sock_hold(sk);
	*x = (struct ckpt_sock){ .sk = sk, .listener = listener, .id = id, .role = role };
	return 0;
}

static int add_file(struct ckpt_saver *s, struct file *file)
{
	struct socket *sock = file->f_mode & FMODE_PATH ? NULL : sock_from_file(file);

	return sock && sock->sk ? add(s, sock->sk, CKPT_SOCK_OPEN, NULL) : 0;
}

/* A message that waits: its files are files of the job. */
static int add_in_flight(struct ckpt_saver *s, const struct sk_buff *skb)
{
	const struct scm_fp_list *fp = UNIXCB(skb).fp;
	int i, err = 0;

	for (i = 0; fp && i < fp->count && !err; i++) {
		err = ckpt_fds_add_in_flight(s, fp->fp[i]);
		if (!err)
			err = add_file(s, fp->fp[i]);
	}
	return err;
}

static int scan_queue(struct ckpt_saver *s, struct sock *sk,
		      int (*fn)(struct ckpt_saver *s, const struct sock *sk,
				const struct sk_buff *skb))
{
	struct ckpt_queue q;
	unsigned int i;
	int err = ckpt_queue_get(sk, &q);

	if (err)
		return err;
	for (i = 0; i < q.nr && !err; i++) {
		err = fn(s, sk, q.skbs[i]);
		cond_resched();
	}
	ckpt_queue_put(sk, &q);
	return err;
}

static int find_in_message(struct ckpt_saver *s, const struct sock *sk, const struct sk_buff *skb)
{
	if (is_listening(sk))
		return add(s, skb->sk, CKPT_SOCK_PENDING, sk);
	return add_in_flight(s, skb);
}

/* Who is not of the job is known by the messages that it left, and as one that has gone. */
static int find_sender(struct ckpt_saver *s, const struct sock *sk, const struct sk_buff *skb)
{
	return is_listening(sk) || !skb->sk ? 0 : add(s, skb->sk, CKPT_SOCK_CLOSED, NULL);
}

static int find_closed_peer(struct ckpt_saver *s, struct sock *sk)
{
	struct sock *peer = unix_peer_get(sk);
	int err = 0;

	if (peer && sock_flag(peer, SOCK_DEAD))
		err = add(s, peer, CKPT_SOCK_CLOSED, NULL);
	if (peer)
		sock_put(peer);
	return err;
}

int ckpt_socks_collect(struct ckpt_saver *s)
{
	struct ckpt_sock *x;
	unsigned long id;
	struct ckpt_fd *f;
	unsigned int i;
	int err;

	for (i = 1; i <= s->group->nr_processes; i++) {
		ckpt_for_each_fd(f, &s->fds[i]) {
			err = add_file(s, f->file);
			if (err)
				return err;
		}
	}
	/* What is found while this goes on has a higher id, and is looked at too. */
	ckpt_for_each_sock(x, id, s) {
		err = is_unix(x->sk) ? scan_queue(s, x->sk, find_in_message) : 0;
		if (err)
			return err;
	}
	ckpt_for_each_sock(x, id, s) {
		if (!is_unix(x->sk) || x->role == CKPT_SOCK_CLOSED)
			continue;
		err = find_closed_peer(s, x->sk);
		if (!err)
			err = scan_queue(s, x->sk, find_sender);
		if (err)
			return err;
	}
	return 0;
}

void ckpt_socks_release(struct ckpt_saver *s)
{
	struct ckpt_sock *x;
	unsigned long id;

	ckpt_for_each_sock(x, id, s) {
		sock_put(x->sk);
		kfree(x);
	}
	xa_destroy(&s->socks);
}

struct socket *ckpt_socket_made(struct ckpt_restorer *r, u32 id)
{
	struct file *file = ckpt_objtab_file(r->objects, id);
	struct socket *sock = file ? sock_from_file(file) : NULL;

	return sock && sock->sk ? sock : NULL;
}

struct sock *ckpt_sock_made(struct ckpt_restorer *r, u32 id)
{
	const struct ckpt_record *rec = ckpt_restore_object(r, CKPT_REC_SOCKET, id);
	const struct ckpt_image_socket *i = rec ? rec->data : NULL;
	struct socket *sock;

	if (!i)
		return NULL;
	sock = ckpt_socket_made(r, i->flags & CKPT_SOCKET_PENDING ? i->peer : id);
	if (!sock)
		return NULL;
	/* Connecting has made it. */
	return i->flags & CKPT_SOCKET_PENDING ? unix_peer(sock->sk) : sock->sk;
}
