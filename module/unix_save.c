// SPDX-License-Identifier: GPL-2.0-only
/* Unix sockets of a job that is being saved. */

#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/pid.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <net/af_unix.h>
#include <net/sock.h>
#include <net/tcp_states.h>

#include "path.h"
#include "saver.h"
#include "sockets.h"
#include "sockopts.h"
#include "unix_socket.h"

/* Longest path that bind(2) takes, with its NUL. */
#define MAX_PATH_LEN sizeof_field(struct ckpt_image_socket, path)

/* A name stays with its socket until that is freed. */
static const struct unix_address *address_of(const struct sock *sk)
{
	/* Pairs with bind(). */
	return smp_load_acquire(&unix_sk(sk)->addr);
}

/* The name of a socket as messages show it; to be freed. */
static char *name_of(const struct sock *sk)
{
	const struct unix_address *a = address_of(sk);
	int len = a ? a->len - offsetof(struct sockaddr_un, sun_path) : 0;

	if (len <= 0)
		return kstrdup("without a name", GFP_KERNEL);
	if (!a->name->sun_path[0])
		return kasprintf(GFP_KERNEL, "@%*pE", len - 1, a->name->sun_path + 1);
	return kasprintf(GFP_KERNEL, "%.*s", len, a->name->sun_path);
}

static bool is_packet_like(const struct sock *sk)
{
	return sk->sk_type == SOCK_DGRAM;
}

/* Whether a socket can be found by its name in the file system, which has not been removed. */
static bool has_path(const struct sock *sk)
{
	const struct dentry *dentry = READ_ONCE(unix_sk(sk)->path.dentry);

	return dentry && !hlist_unhashed(&sk->sk_bind_node) && !d_unlinked(dentry);
}

static bool is_abstract(const struct sock *sk)
{
	const struct unix_address *a = address_of(sk);

	/* One that was accepted has the name, but not its place in the table. */
	return a && !a->name->sun_path[0] && sk->sk_hash > UNIX_HASH_MOD;
}

static char *path_obstacle(const struct sock *sk)
{
	const struct path *path = &unix_sk(sk)->path;
	char *name, *why = NULL;
	const char *obstacle;

	if (!has_path(sk))
		return NULL;
	name = ckpt_path_name(path);
	if (IS_ERR(name))
		return name;
	obstacle = ckpt_path_obstacle(path, name);
	if (!obstacle && strlen(name) >= MAX_PATH_LEN)
		obstacle = "longer than the name of a socket may be";
	if (obstacle)
		why = kasprintf(GFP_KERNEL, "its name %s: %s", name, obstacle) ?: ERR_PTR(-ENOMEM);
	kfree(name);
	return why;
}

/* Whether the job has a socket, or the socket is gone. */
static bool is_inside(struct ckpt_saver *s, const struct sock *sk)
{
	const struct ckpt_sock *x = ckpt_sock_find(s, sk);

	return x && (x->role != CKPT_SOCK_CLOSED || sock_flag(sk, SOCK_DEAD));
}

static char *peer_obstacle(struct ckpt_saver *s, struct sock *sk)
{
	struct sock *peer = unix_peer_get(sk);
	char *name, *why = NULL;

	if (!peer)
		return NULL;
	if (!is_inside(s, peer)) {
		name = name_of(peer);
		why = kasprintf(GFP_KERNEL,
				"connected to a socket outside of the job (%s, process %u)",
				name ?: "", ckpt_sockopts_pid(READ_ONCE(sk->sk_peer_pid)));
		kfree(name);
		why = why ?: ERR_PTR(-ENOMEM);
	}
	sock_put(peer);
	return why;
}

char *ckpt_unix_obstacle(struct ckpt_saver *s, const struct ckpt_sock *x)
{
	const struct unix_address *a = address_of(x->sk);
	const char *why = ckpt_sockopts_obstacle(x->sk);
	char *text;

	if (!why && a && a->len > CKPT_SOCKET_MAX_NAME)
		why = "its name is too long";
#if IS_ENABLED(CONFIG_AF_UNIX_OOB)
	if (!why && READ_ONCE(unix_sk(x->sk)->oob_skb))
		why = "out-of-band data (MSG_OOB) waits in it, which is not supported";
#endif
	if (why)
		return kstrdup(why, GFP_KERNEL) ?: ERR_PTR(-ENOMEM);
	if (x->role == CKPT_SOCK_CLOSED)
		return NULL;
	text = path_obstacle(x->sk);
	return text ?: peer_obstacle(s, x->sk);
}

static int save_path(const struct sock *sk, struct ckpt_image_socket *i)
{
	const struct path *path = &unix_sk(sk)->path;
	const struct inode *inode = d_backing_inode(path->dentry);
	char *name = ckpt_path_name(path);

	if (IS_ERR(name))
		return PTR_ERR(name);
	strscpy(i->path, name, sizeof(i->path));
	kfree(name);
	i->file_uid = __kuid_val(inode->i_uid);
	i->file_gid = __kgid_val(inode->i_gid);
	i->file_mode = inode->i_mode & 07777;
	return 0;
}

static void save_name(const struct sock *sk, struct ckpt_image_socket *i)
{
	const struct unix_address *a = address_of(sk);

	if (!a)
		return;
	i->name_len = a->len;
	memcpy(i->name, a->name, a->len);
}

static void save_peer(struct ckpt_saver *s, const struct ckpt_sock *x, struct ckpt_image_socket *i)
{
	struct sock *peer = unix_peer_get(x->sk);

	if (!peer)
		return;
	i->peer = ckpt_objtab_find(&s->objects, peer);
	sock_put(peer);
}

/* One that has gone has no peer; another of a pair knows it. */
static void save_closed_peer(struct ckpt_saver *s, const struct ckpt_sock *x,
			     struct ckpt_image_socket *i)
{
	struct ckpt_sock *other;
	unsigned long id;

	if (is_packet_like(x->sk))
		return;
	ckpt_for_each_sock(other, id, s)
		if (other->sk->sk_family == AF_UNIX && unix_peer(other->sk) == x->sk)
			i->peer = other->id;
}

int ckpt_unix_save(struct ckpt_saver *s, const struct ckpt_sock *x, struct ckpt_image_socket *i)
{
	struct sock *sk = x->sk;

	save_name(sk, i);
	if (x->role == CKPT_SOCK_CLOSED) {
		i->flags |= CKPT_SOCKET_CLOSED;
		save_closed_peer(s, x, i);
		return 0;
	}
	i->backlog = READ_ONCE(sk->sk_max_ack_backlog);
	save_peer(s, x, i);
	if (READ_ONCE(sk->sk_state) == TCP_LISTEN)
		i->flags |= CKPT_SOCKET_LISTENS;
	else if (READ_ONCE(sk->sk_state) == TCP_ESTABLISHED)
		i->flags |= CKPT_SOCKET_CONNECTED;
	if (x->role == CKPT_SOCK_PENDING) {
		i->flags |= CKPT_SOCKET_PENDING;
		i->listener = ckpt_objtab_find(&s->objects, x->listener);
		return 0;
	}
	if (is_abstract(sk))
		i->flags |= CKPT_SOCKET_BOUND;
	if (!has_path(sk))
		return 0;
	i->flags |= CKPT_SOCKET_BOUND;
	return save_path(sk, i);
}
