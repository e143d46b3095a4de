// SPDX-License-Identifier: GPL-2.0-only
/* Unix sockets of an image: what a record may hold, and how records refer to each other. */

#include <linux/limits.h>
#include <linux/net.h>
#include <linux/socket.h>
#include <linux/string.h>
#include <linux/un.h>

#include "image_read.h"
#include "restorer.h"
#include "unix_socket.h"

static bool is_packet_like(const struct ckpt_image_socket *i)
{
	return i->type == SOCK_DGRAM;
}

static bool name_is_valid(const struct ckpt_image_socket *i)
{
	const struct sockaddr_un *name = (const void *)i->name;

	if (strnlen(i->path, sizeof(i->path)) == sizeof(i->path))
		return false;
	if (!(i->flags & CKPT_SOCKET_BOUND) && i->path[0])
		return false;
	if (!i->name_len)
		return !(i->flags & (CKPT_SOCKET_BOUND | CKPT_SOCKET_LISTENS));
	if (i->name_len <= offsetof(struct sockaddr_un, sun_path) ||
	    i->name_len > CKPT_SOCKET_MAX_NAME || name->sun_family != AF_UNIX)
		return false;
	if (!(i->flags & CKPT_SOCKET_BOUND))
		return true;
	/* It is found by the file, or by the name itself. */
	return i->path[0] == '/' ? name->sun_path[0] : !name->sun_path[0] && !i->path[0];
}

static bool flags_are_valid(const struct ckpt_image_socket *i)
{
	u32 only = i->flags & (CKPT_SOCKET_LISTENS | CKPT_SOCKET_PENDING | CKPT_SOCKET_CLOSED);

	/* Each of these excludes the others. */
	if (only & (only - 1) || i->flags & ~CKPT_SOCKET_FLAGS)
		return false;
	if (i->flags & CKPT_SOCKET_BOUND && only && only != CKPT_SOCKET_LISTENS)
		return false;
	if (is_packet_like(i))
		return !only || only == CKPT_SOCKET_CLOSED;
	return !(i->peer && only == CKPT_SOCKET_LISTENS) &&
	       !!i->listener == (only == CKPT_SOCKET_PENDING);
}

bool ckpt_unix_is_valid(const struct ckpt_image_socket *i)
{
	return (i->type == SOCK_STREAM || i->type == SOCK_DGRAM || i->type == SOCK_SEQPACKET) &&
	       !i->protocol && !i->remote_len && !i->device[0] && i->backlog <= INT_MAX &&
	       flags_are_valid(i) && name_is_valid(i);
}

static const struct ckpt_image_socket *find(struct ckpt_restorer *r, u32 id)
{
	const struct ckpt_record *rec = ckpt_restore_object(r, CKPT_REC_SOCKET, id);
	const struct ckpt_image_socket *i = rec ? rec->data : NULL;

	return i && i->family == AF_UNIX ? i : NULL;
}

static bool peer_is_valid(struct ckpt_restorer *r, u32 id, const struct ckpt_image_socket *i)
{
	const struct ckpt_image_socket *peer = find(r, i->peer), *listener;

	if (!i->peer)
		return !(i->flags & CKPT_SOCKET_PENDING);
	if (!peer || peer->type != i->type)
		return false;
	if (is_packet_like(i))
		return true;
	if (peer->peer != id || i->peer == id)
		return false;
	if (!(i->flags & CKPT_SOCKET_PENDING))
		return true;
	listener = find(r, i->listener);
	return !(peer->flags & CKPT_SOCKET_PENDING) && listener && listener->type == i->type &&
	       listener->flags & CKPT_SOCKET_LISTENS;
}

int ckpt_unix_verify_all(struct ckpt_restorer *r)
{
	const struct ckpt_record *rec;

	ckpt_for_each_shared_record_of(rec, r, CKPT_REC_SOCKET) {
		const struct ckpt_image_socket *i = rec->data;

		if (i->family == AF_UNIX && !peer_is_valid(r, rec->id, i))
			return ckpt_restore_error(r, -EBADMSG, "socket %u: bad peer or listener",
						  rec->id);
		cond_resched();
	}
	return 0;
}
