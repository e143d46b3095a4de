// SPDX-License-Identifier: GPL-2.0-only
/* The families of sockets that an image can hold. */

#include "socket_families.h"

#include <linux/err.h>
#include <linux/slab.h>
#include <linux/socket.h>
#include <net/sock.h>

#include "saver.h"
#include "sockets.h"
#include "unix_socket.h"

static const char *family_name(unsigned int family)
{
	switch (family) {
	case AF_INET:
		return "IPv4";
	case AF_INET6:
		return "IPv6";
	case AF_NETLINK:
		return "netlink";
	case AF_PACKET:
		return "packet";
	case AF_VSOCK:
		return "vsock";
	case AF_ALG:
		return "crypto";
	case AF_BLUETOOTH:
		return "Bluetooth";
	case AF_XDP:
		return "XDP";
	case AF_SMC:
		return "SMC";
	}
	return "other";
}

char *ckpt_socket_obstacle(struct ckpt_saver *s, const struct ckpt_sock *x)
{
	unsigned int family = x->sk->sk_family;
	char *why;

	if (family == AF_UNIX)
		return ckpt_unix_obstacle(s, x);
	why = kasprintf(GFP_KERNEL, "%s sockets (family %u) are not supported", family_name(family),
			family);
	return why ?: ERR_PTR(-ENOMEM);
}

int ckpt_socket_save(struct ckpt_saver *s, const struct ckpt_sock *x, struct ckpt_image_socket *i)
{
	return x->sk->sk_family == AF_UNIX ? ckpt_unix_save(s, x, i) : 0;
}

bool ckpt_socket_is_valid(const struct ckpt_image_socket *i)
{
	return i->family == AF_UNIX && ckpt_unix_is_valid(i);
}
