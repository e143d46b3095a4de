// SPDX-License-Identifier: GPL-2.0-only
/* Kind: sockets, and how they are connected. What is in their queues is another kind. */

#include <linux/cred.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/net.h>
#include <linux/slab.h>
#include <linux/socket.h>
#include <linux/spinlock.h>
#include <net/sock.h>

#include "kinds.h"
#include "restorer.h"
#include "saver.h"
#include "socket_families.h"
#include "sockets.h"
#include "sockopts.h"
#include "unix_socket.h"

/* Flags of a description that fcntl(F_SETFL) can set. */
#define SETTABLE_FLAGS (O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME)

/* The groups of the peer, referenced, or NULL. */
static struct group_info *peer_groups(struct sock *sk)
{
	struct group_info *groups = NULL;

	spin_lock(&sk->sk_peer_lock);
	if (sk->sk_peer_cred)
		groups = get_group_info(sk->sk_peer_cred->group_info);
	spin_unlock(&sk->sk_peer_lock);
	return groups;
}

static int save_socket(struct ckpt_saver *s, const struct ckpt_sock *x)
{
	struct group_info *groups = peer_groups(x->sk);
	unsigned int n = groups ? groups->ngroups : 0;
	struct ckpt_image_socket *i;
	int err;

	i = ckpt_save_record(s, &ckpt_kind_socket, 0, x->id, struct_size(i, groups, n));
	err = PTR_ERR_OR_ZERO(i);
	if (err)
		goto put_groups;
	i->family = x->sk->sk_family;
	i->type = x->sk->sk_type;
	i->nr_groups = n;
	while (n--)
		i->groups[n] = __kgid_val(groups->gid[n]);
	ckpt_sockopts_save(x->sk, i);
	err = ckpt_socket_save(s, x, i);
put_groups:
	if (groups)
		put_group_info(groups);
	return err;
}

/* Those that are files were looked at with their file. */
static int check(struct ckpt_saver *s, const struct ckpt_sock *x)
{
	char *why = x->role == CKPT_SOCK_OPEN ? NULL : ckpt_socket_obstacle(s, x);

	if (IS_ERR(why))
		return PTR_ERR(why);
	if (why)
		ckpt_save_refuse(s, "socket", "a connection that was not accepted: %s: accept it",
				 why);
	kfree(why);
	return 0;
}

static int save_job(struct ckpt_saver *s)
{
	unsigned int refused = s->nr_refused;
	struct ckpt_sock *x;
	unsigned long id;
	int err;

	ckpt_for_each_sock(x, id, s) {
		err = check(s, x);
		if (err)
			return err;
	}
	if (s->nr_refused != refused)
		return 0;
	ckpt_for_each_sock(x, id, s) {
		err = save_socket(s, x);
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

static int verify(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_socket *i = rec->data;

	if (!rec->id || i->nr_groups > CKPT_SOCKET_MAX_GROUPS ||
	    rec->len < struct_size(i, groups, i->nr_groups))
		return ckpt_restore_error(r, -EBADMSG, "socket %u: no id or bad length", rec->id);
	if (!ckpt_sockopts_are_valid(i) || !ckpt_socket_is_valid(i))
		return ckpt_restore_error(r, -EBADMSG, "socket %u: bad value", rec->id);
	return 0;
}

/* Each socket that is one at the restore has one file, or nobody has it. */
static int verify_files(struct ckpt_restorer *r)
{
	const struct ckpt_record *rec, *socket;
	const struct ckpt_image_socket *i;
	u32 files = 0, sockets = 0;

	ckpt_for_each_shared_record_of(rec, r, CKPT_REC_FILE) {
		const struct ckpt_image_file *file = rec->data;

		if (file->type != CKPT_FILE_SOCKET)
			continue;
		socket = ckpt_restore_object(r, CKPT_REC_SOCKET, file->object);
		i = socket->data;
		if (i->flags & (CKPT_SOCKET_PENDING | CKPT_SOCKET_CLOSED))
			return ckpt_restore_error(r, -EBADMSG, "%s: bad object %u", file->path,
						  file->object);
		files++;
	}
	ckpt_for_each_shared_record_of(rec, r, CKPT_REC_SOCKET) {
		i = rec->data;
		sockets += !(i->flags & (CKPT_SOCKET_PENDING | CKPT_SOCKET_CLOSED));
	}
	if (files == sockets)
		return 0;
	return ckpt_restore_error(r, -EBADMSG, "%u sockets: %u files", sockets, files);
}

static int verify_all(struct ckpt_restorer *r)
{
	int err = verify_files(r);

	return err ?: ckpt_unix_verify_all(r);
}

/* Makes the open file of a socket, which is known by the socket's number too. */
static struct file *make_file(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_socket *i = rec->data;
	struct socket *sock;
	struct file *file;
	int err;

	err = sock_create(i->family, i->type, i->protocol, &sock);
	if (err)
		return ERR_PTR(err);
	/* Takes the socket, in case of an error too. */
	file = sock_alloc_file(sock, 0, NULL);
	if (IS_ERR(file))
		return file;
	if (!(i->flags & CKPT_SOCKET_CLOSED))
		ckpt_sockopts_own(sock, i);
	err = ckpt_objtab_put_file(r->objects, rec->id, get_file(file));
	if (err) {
		fput(file);
		return ERR_PTR(err);
	}
	return file;
}

static int make(struct ckpt_restorer *r, const struct ckpt_record *rec, u32 file_id, u32 flags)
{
	struct file *file = make_file(r, rec);

	if (IS_ERR(file))
		return ckpt_restore_error(r, PTR_ERR(file), "socket %u: cannot be made: error %ld",
					  rec->id, -PTR_ERR(file));
	if (!file_id) {
		fput(file);
		return 0;
	}
	spin_lock(&file->f_lock);
	file->f_flags = (file->f_flags & ~SETTABLE_FLAGS) | (flags & SETTABLE_FLAGS);
	spin_unlock(&file->f_lock);
	return ckpt_objtab_put_file(r->objects, file_id, file);
}

static int open(struct ckpt_restorer *r)
{
	const struct ckpt_record *rec;
	int err;

	ckpt_for_each_shared_record_of(rec, r, CKPT_REC_FILE) {
		const struct ckpt_image_file *file = rec->data;

		if (file->type != CKPT_FILE_SOCKET)
			continue;
		err = make(r, ckpt_restore_object(r, CKPT_REC_SOCKET, file->object), rec->id,
			   file->flags);
		if (err)
			return err;
		cond_resched();
	}
	ckpt_for_each_shared_record_of(rec, r, CKPT_REC_SOCKET) {
		const struct ckpt_image_socket *i = rec->data;

		err = i->flags & CKPT_SOCKET_CLOSED ? make(r, rec, 0, 0) : 0;
		if (err)
			return err;
		cond_resched();
	}
	return ckpt_unix_connect_all(r);
}

/* The queues are full: the kind of messages comes first. */
static int create(struct ckpt_restorer *r)
{
	return ckpt_restorer_is_first(r) ? ckpt_unix_finish_all(r) : 0;
}

static int settle(struct ckpt_rjob *job)
{
	return ckpt_unix_settle_all(job->processes);
}

static int script(struct ckpt_restorer *r)
{
	return ckpt_restorer_is_first(r) ? ckpt_unix_script(r) : 0;
}

const struct ckpt_kind ckpt_kind_socket = {
	.name = "socket",
	.type = CKPT_REC_SOCKET,
	.version = 1,
	.oldest = 1,
	.min_len = sizeof(struct ckpt_image_socket),
	.count = CKPT_ANY,
	.shared = true,
	.save_job = save_job,
	.verify = verify,
	.verify_all = verify_all,
	.open = open,
	.create = create,
	.script = script,
	.settle = settle,
};
