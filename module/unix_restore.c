// SPDX-License-Identifier: GPL-2.0-only
/* Unix sockets of a job that is being restored. */

#include <linux/dcache.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/net.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/un.h>
#include <linux/unistd.h>
#include <net/af_unix.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include <net/tcp_states.h>

#include "compat.h"
#include "image_read.h"
#include "restorer.h"
#include "sockets.h"
#include "sockopts.h"
#include "unix_socket.h"

/* While queues are filled nothing may be too much. */
#define ENOUGH (INT_MAX >> 1)

#define NAME_OFFSET ((int)offsetof(struct sockaddr_un, sun_path))

/* An address with room for the NUL that bind() adds. */
struct address {
	struct sockaddr_storage name;
	int len;
};

static bool is_pair_like(const struct ckpt_image_socket *i)
{
	return i->type != SOCK_DGRAM;
}

/* The address by which others find a socket: by its path, whatever it was called. */
static void address_of(const struct ckpt_image_socket *i, struct address *a)
{
	struct sockaddr_un *name = (struct sockaddr_un *)&a->name;

	memset(a, 0, sizeof(*a));
	if (!(i->flags & CKPT_SOCKET_BOUND)) {
		/* One that nobody finds any more gets a name that nobody knows. */
		name->sun_family = AF_UNIX;
		a->len = NAME_OFFSET;
	} else if (i->path[0]) {
		name->sun_family = AF_UNIX;
		memcpy(name->sun_path, i->path, strnlen(i->path, sizeof(i->path) - 1));
		a->len = NAME_OFFSET + strlen(name->sun_path) + 1;
	} else {
		memcpy(name, i->name, i->name_len);
		a->len = i->name_len;
	}
}

/* Whether somebody has a socket of this name. */
static bool is_alive(const struct address *a)
{
	struct address copy = *a;
	struct socket *probe;
	int err;

	err = sock_create(AF_UNIX, SOCK_DGRAM, 0, &probe);
	if (err)
		return true;
	err = kernel_connect(probe, (struct sockaddr *)&copy.name, copy.len, O_NONBLOCK);
	sock_release(probe);
	return err != -ECONNREFUSED;
}

/* Under the lock of the folder. */
static int unlink_socket(const struct path *dir, struct dentry *dentry)
{
	if (dentry->d_parent != dir->dentry || !d_is_positive(dentry))
		return -ESTALE;
	return ckpt_unlink(dir, dentry);
}

/* The file of a socket outlives it, and bind() does not take a name that is there. */
static int remove_stale(const struct ckpt_image_socket *i, const struct address *a)
{
	struct path path, dir;
	int err = kern_path(i->path, 0, &path);

	if (err)
		return err == -ENOENT ? 0 : err;
	err = -EADDRINUSE;
	if (!S_ISSOCK(d_backing_inode(path.dentry)->i_mode) || is_alive(a))
		goto put_path;
	dir.mnt = path.mnt;
	dir.dentry = dget_parent(path.dentry);
	err = mnt_want_write(dir.mnt);
	if (err)
		goto put_dir;
	inode_lock_nested(d_inode(dir.dentry), I_MUTEX_PARENT);
	err = unlink_socket(&dir, path.dentry);
	inode_unlock(d_inode(dir.dentry));
	mnt_drop_write(dir.mnt);
put_dir:
	dput(dir.dentry);
put_path:
	path_put(&path);
	return err;
}

static int bind_socket(struct ckpt_restorer *r, struct socket *sock,
		       const struct ckpt_image_socket *i)
{
	struct address a;
	int err = 0;

	address_of(i, &a);
	if (i->path[0])
		err = remove_stale(i, &a);
	if (!err)
		err = kernel_bind(sock, (struct sockaddr *)&a.name, a.len);
	if (!err)
		return 0;
	return ckpt_restore_error(r, err, "socket %s%*pE: cannot have this name: error %d%s",
				  i->path[0] ? i->path : "@",
				  i->path[0] ? 0 : (int)i->name_len - NAME_OFFSET - 1,
				  i->name + NAME_OFFSET + 1, -err,
				  err == -EADDRINUSE ? ": another socket has it" : "");
}

/* Those that others find by a name, and those that must have one to listen. */
static int bind_all(struct ckpt_restorer *r)
{
	const struct ckpt_record *rec;
	int err;

	ckpt_for_each_shared_record_of(rec, r, CKPT_REC_SOCKET) {
		const struct ckpt_image_socket *i = rec->data;

		if (i->family != AF_UNIX || !(i->flags & (CKPT_SOCKET_BOUND | CKPT_SOCKET_LISTENS)))
			continue;
		err = bind_socket(r, ckpt_socket_made(r, rec->id), i);
		if (err)
			return err;
	}
	return 0;
}

static int listen_all(struct ckpt_restorer *r)
{
	const struct ckpt_record *rec;
	int err;

	ckpt_for_each_shared_record_of(rec, r, CKPT_REC_SOCKET) {
		const struct ckpt_image_socket *i = rec->data;

		if (i->family != AF_UNIX || !(i->flags & CKPT_SOCKET_LISTENS))
			continue;
		err = kernel_listen(ckpt_socket_made(r, rec->id), ENOUGH);
		if (err)
			return ckpt_restore_error(r, err, "socket %u: cannot listen: error %d",
						  rec->id, -err);
	}
	return 0;
}

/* For now this task is the peer of both. */
static int join(struct socket *a, struct socket *b)
{
	if (unix_peer(a->sk) || unix_peer(b->sk))
		return -EISCONN;
	return a->ops->socketpair(a, b);
}

static int connect_pending(struct ckpt_restorer *r, const struct ckpt_image_socket *i,
			   struct socket *client)
{
	struct address a = {};

	a.len = kernel_getsockname(ckpt_socket_made(r, i->listener), (struct sockaddr *)&a.name);
	if (a.len < 0)
		return a.len;
	return kernel_connect(client, (struct sockaddr *)&a.name, a.len, O_NONBLOCK);
}

/* Pairs first: who connects must find those that listen. */
static int join_all(struct ckpt_restorer *r, bool pending)
{
	const struct ckpt_record *rec;
	int err;

	ckpt_for_each_shared_record_of(rec, r, CKPT_REC_SOCKET) {
		const struct ckpt_image_socket *i = rec->data;
		struct socket *peer;

		if (i->family != AF_UNIX || !is_pair_like(i) || !i->peer)
			continue;
		if (pending != !!(i->flags & CKPT_SOCKET_PENDING))
			continue;
		peer = ckpt_socket_made(r, i->peer);
		/* The other of a pair sees to it: the one that comes first, or the pending one. */
		if (!peer || (!pending && i->peer < rec->id))
			continue;
		err = pending ? connect_pending(r, i, peer) :
				join(ckpt_socket_made(r, rec->id), peer);
		if (err)
			return ckpt_restore_error(
				r, err, "socket %u: cannot be connected: error %d", rec->id, -err);
		cond_resched();
	}
	return 0;
}

static struct unix_address *make_address(const struct ckpt_image_socket *i)
{
	struct unix_address *a = kmalloc(sizeof(*a) + i->name_len, GFP_KERNEL_ACCOUNT);

	if (!a)
		return NULL;
	refcount_set(&a->refcnt, 1);
	a->len = i->name_len;
	memcpy(a->name, i->name, i->name_len);
	return a;
}

/* Gives a socket the name that its own and its peer's getsockname() tell. */
static int give_name(struct sock *sk, const struct ckpt_image_socket *i)
{
	struct unix_address *old = unix_sk(sk)->addr, *new;
	spinlock_t *lock = &sock_net(sk)->unx.table.locks[sk->sk_hash];

	if (!i->name_len)
		return 0;
	if (old && old->len == i->name_len && !memcmp(old->name, i->name, i->name_len))
		return 0;
	new = make_address(i);
	if (!new)
		return -ENOMEM;
	/* Those who go through the table look at it under this lock. */
	spin_lock(lock);
	/* Pairs with those who look at it without the lock, as getsockname() does. */
	smp_store_release(&unix_sk(sk)->addr, new);
	spin_unlock(lock);
	if (!old)
		return 0;
	/* Others count on a name that stays: let those finish who are looking at it. */
	synchronize_rcu_tasks();
	if (refcount_dec_and_test(&old->refcnt))
		kfree(old);
	return 0;
}

static int name_all(struct ckpt_restorer *r)
{
	const struct ckpt_record *rec;
	int err;

	ckpt_for_each_shared_record_of(rec, r, CKPT_REC_SOCKET) {
		const struct ckpt_image_socket *i = rec->data;
		struct sock *sk = i->family == AF_UNIX ? ckpt_sock_made(r, rec->id) : NULL;

		err = sk ? give_name(sk, i) : 0;
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

static void make_room(struct ckpt_restorer *r)
{
	const struct ckpt_record *rec;

	ckpt_for_each_shared_record_of(rec, r, CKPT_REC_SOCKET) {
		const struct ckpt_image_socket *i = rec->data;
		struct sock *sk = i->family == AF_UNIX ? ckpt_sock_made(r, rec->id) : NULL;

		if (!sk)
			continue;
		WRITE_ONCE(sk->sk_sndbuf, ENOUGH);
		WRITE_ONCE(sk->sk_max_ack_backlog, ENOUGH);
	}
}

int ckpt_unix_connect_all(struct ckpt_restorer *r)
{
	int err;

	err = bind_all(r);
	if (!err)
		err = join_all(r, false);
	if (!err)
		err = listen_all(r);
	if (!err)
		err = join_all(r, true);
	if (!err)
		err = name_all(r);
	make_room(r);
	return err;
}

static int add_owner(struct ckpt_restorer *r, const struct ckpt_image_socket *i)
{
	unsigned long path = ckpt_script_data(&r->script, i->path, strlen(i->path) + 1);
	int err;

	if (!path)
		return -ENOMEM;
	err = ckpt_script_add(&r->script, __NR_fchownat, AT_FDCWD, path, i->file_uid, i->file_gid,
			      AT_SYMLINK_NOFOLLOW, 0);
	if (err)
		return err;
	return ckpt_script_add(&r->script, __NR_fchmodat, AT_FDCWD, path, i->file_mode, 0, 0, 0);
}

int ckpt_unix_script(struct ckpt_restorer *r)
{
	const struct ckpt_record *rec;
	int err = 0;

	ckpt_for_each_shared_record_of(rec, r, CKPT_REC_SOCKET) {
		const struct ckpt_image_socket *i = rec->data;

		if (i->family == AF_UNIX && i->path[0])
			err = err ?: add_owner(r, i);
	}
	return err;
}

/* What connect() does to a socket for datagrams, without looking for the name. */
static void connect_packets(struct ckpt_restorer *r, struct sock *sk,
			    const struct ckpt_image_socket *i)
{
	struct sock *peer = i->peer ? ckpt_sock_made(r, i->peer) : NULL;

	if (peer)
		sock_hold(peer);
	unix_state_lock(sk);
	unix_peer(sk) = peer;
	WRITE_ONCE(sk->sk_state, i->flags & CKPT_SOCKET_CONNECTED ? TCP_ESTABLISHED : TCP_CLOSE);
	unix_state_unlock(sk);
}

static int finish(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_socket *i = rec->data;
	struct socket *sock = i->flags & CKPT_SOCKET_PENDING ? NULL : ckpt_socket_made(r, rec->id);
	struct sock *sk = ckpt_sock_made(r, rec->id);
	int err = sk ? 0 : -EBADMSG;

	if (!err)
		err = ckpt_sockopts_restore(sock, sk, i);
	if (err)
		return err;
	unix_state_lock(sk);
	WRITE_ONCE(sk->sk_max_ack_backlog, i->backlog);
	ckpt_sockopts_finish(sk, i);
	unix_state_unlock(sk);
	return 0;
}

/* Those that were connected to one that had gone find that it has gone. */
static void close_all(struct ckpt_restorer *r)
{
	const struct ckpt_record *rec;

	ckpt_for_each_shared_record_of(rec, r, CKPT_REC_SOCKET) {
		const struct ckpt_image_socket *i = rec->data;
		struct socket *sock;

		if (i->family != AF_UNIX || !(i->flags & CKPT_SOCKET_CLOSED))
			continue;
		sock = ckpt_socket_made(r, rec->id);
		if (sock)
			sock->ops->release(sock);
	}
}

int ckpt_unix_finish_all(struct ckpt_restorer *r)
{
	const struct ckpt_record *rec;
	int err;

	ckpt_for_each_shared_record_of(rec, r, CKPT_REC_SOCKET) {
		const struct ckpt_image_socket *i = rec->data;

		if (i->family != AF_UNIX || i->flags & CKPT_SOCKET_CLOSED)
			continue;
		if (!is_pair_like(i))
			connect_packets(r, ckpt_sock_made(r, rec->id), i);
		err = finish(r, rec);
		if (err)
			return ckpt_restore_error(
				r, err, "socket %u: cannot be completed: error %d", rec->id, -err);
		cond_resched();
	}
	return 0;
}

int ckpt_unix_settle_all(struct ckpt_restorer *r)
{
	const struct ckpt_record *rec;
	int err;

	ckpt_for_each_shared_record_of(rec, r, CKPT_REC_SOCKET) {
		const struct ckpt_image_socket *i = rec->data;

		if (i->family != AF_UNIX || i->flags & CKPT_SOCKET_CLOSED)
			continue;
		err = ckpt_sockopts_set_peer(r, ckpt_sock_made(r, rec->id), i);
		if (err)
			return err;
		cond_resched();
	}
	close_all(r);
	return 0;
}
