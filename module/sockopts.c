// SPDX-License-Identifier: GPL-2.0-only
/* What all sockets have in common: the options of SOL_SOCKET, and whom SO_PEERCRED names. */

#include "sockopts.h"

#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/net.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/skbuff.h>
#include <linux/sockptr.h>
#include <linux/string.h>
#include <linux/uidgid.h>
#include <net/sock.h>

#include "compat.h"
#include "restorer.h"

#define NO_ID (~0U)

/* Options that are a flag of the socket. */
static const struct {
	u32 option;
	enum sock_flags flag;
} flags[] = {
	{ CKPT_SO_OOBINLINE, SOCK_URGINLINE },
	{ CKPT_SO_KEEPALIVE, SOCK_KEEPOPEN },
	{ CKPT_SO_LINGER, SOCK_LINGER },
	{ CKPT_SO_BROADCAST, SOCK_BROADCAST },
	{ CKPT_SO_DEBUG, SOCK_DBG },
	{ CKPT_SO_TIMESTAMP, SOCK_RCVTSTAMP },
	{ CKPT_SO_TIMESTAMPNS, SOCK_RCVTSTAMPNS },
	{ CKPT_SO_TIMESTAMP_NEW, SOCK_TSTAMP_NEW },
	{ CKPT_SO_DONTROUTE, SOCK_LOCALROUTE },
	{ CKPT_SO_RXQ_OVFL, SOCK_RXQ_OVFL },
	{ CKPT_SO_WIFI_STATUS, SOCK_WIFI_STATUS },
	{ CKPT_SO_NOFCS, SOCK_NOFCS },
	{ CKPT_SO_SELECT_ERR_QUEUE, SOCK_SELECT_ERR_QUEUE },
	{ CKPT_SO_RCVMARK, SOCK_RCVMARK },
};

/* Flags that follow from what the socket is and does. */
#define INTERNAL_FLAGS                                                               \
	(BIT(SOCK_DEAD) | BIT(SOCK_DONE) | BIT(SOCK_DESTROY) | BIT(SOCK_TIMESTAMP) | \
	 BIT(SOCK_ZAPPED) | BIT(SOCK_USE_WRITE_QUEUE) | BIT(SOCK_FASYNC) | BIT(SOCK_RCU_FREE))

static bool has_unknown_flag(const struct sock *sk)
{
	unsigned long known = INTERNAL_FLAGS;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++)
		known |= BIT(flags[i].flag);
	return sk->sk_flags & ~known;
}

const char *ckpt_sockopts_obstacle(const struct sock *sk)
{
	const unsigned long *s = sk->sk_socket ? &sk->sk_socket->flags : NULL;

	if (rcu_access_pointer(sk->sk_filter))
		return "has a filter";
	if (sk->sk_user_data || rcu_access_pointer(sk->sk_reuseport_cb))
		return "is used by BPF or the kernel, or shares a port";
	if (READ_ONCE(sk->sk_tsflags))
		return "has SO_TIMESTAMPING, which is not supported";
	if (has_unknown_flag(sk))
		return "has SO_ZEROCOPY, SO_TXTIME or the like, which is not supported";
	if (READ_ONCE(sk->sk_max_pacing_rate) != ~0UL || sk->sk_reserved_mem)
		return "has SO_MAX_PACING_RATE or SO_RESERVE_MEM, which is not supported";
	if (s && test_bit(SOCK_PASSSEC, s))
		return "has SO_PASSSEC, which is not supported";
	if (!skb_queue_empty_lockless(&sk->sk_error_queue))
		return "has messages in its error queue";
	return NULL;
}

static u64 to_ns(long timeout)
{
	return timeout == MAX_SCHEDULE_TIMEOUT ? U64_MAX : jiffies64_to_nsecs(timeout);
}

static long from_ns(u64 ns)
{
	return ns == U64_MAX ? MAX_SCHEDULE_TIMEOUT :
			       min_t(u64, nsecs_to_jiffies64(ns), MAX_SCHEDULE_TIMEOUT - 1);
}

static u32 options_of(const struct sock *sk)
{
	const struct socket *sock = sk->sk_socket;
	u32 options = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++)
		if (sock_flag(sk, flags[i].flag))
			options |= flags[i].option;
	if (sk->sk_reuse)
		options |= CKPT_SO_REUSEADDR;
	if (sk->sk_reuseport)
		options |= CKPT_SO_REUSEPORT;
	if (sk->sk_userlocks & SOCK_SNDBUF_LOCK)
		options |= CKPT_SO_SNDBUF;
	if (sk->sk_userlocks & SOCK_RCVBUF_LOCK)
		options |= CKPT_SO_RCVBUF;
	if (sock && test_bit(SOCK_PASSCRED, &sock->flags))
		options |= CKPT_SO_PASSCRED;
	if (sock && ckpt_passes_pidfd(sock))
		options |= CKPT_SO_PASSPIDFD;
	return options;
}

u32 ckpt_sockopts_pid(struct pid *pid)
{
	return pid ? pid_vnr(pid) : 0;
}

static void save_peer(struct sock *sk, struct ckpt_image_socket *i)
{
	i->peer_uid = NO_ID;
	i->peer_gid = NO_ID;
	spin_lock(&sk->sk_peer_lock);
	i->peer_pid = ckpt_sockopts_pid(sk->sk_peer_pid);
	if (sk->sk_peer_cred) {
		i->peer_uid = __kuid_val(sk->sk_peer_cred->euid);
		i->peer_gid = __kgid_val(sk->sk_peer_cred->egid);
	}
	spin_unlock(&sk->sk_peer_lock);
}

static void save_owner(struct socket *sock, struct ckpt_image_socket *i)
{
	const struct inode *inode = SOCK_INODE(sock);

	i->uid = __kuid_val(inode->i_uid);
	i->gid = __kgid_val(inode->i_gid);
	i->mode = inode->i_mode & 0777;
}

void ckpt_sockopts_save(struct sock *sk, struct ckpt_image_socket *i)
{
	if (sk->sk_socket)
		save_owner(sk->sk_socket, i);
	i->options = options_of(sk);
	i->sndbuf = READ_ONCE(sk->sk_sndbuf);
	i->rcvbuf = READ_ONCE(sk->sk_rcvbuf);
	i->rcvlowat = READ_ONCE(sk->sk_rcvlowat);
	i->priority = READ_ONCE(sk->sk_priority);
	i->mark = READ_ONCE(sk->sk_mark);
	i->peek_off = READ_ONCE(sk->sk_peek_off);
	i->busy_poll = ckpt_sock_busy_poll(sk);
	i->linger = to_ns(READ_ONCE(sk->sk_lingertime));
	i->rcvtimeo = to_ns(READ_ONCE(sk->sk_rcvtimeo));
	i->sndtimeo = to_ns(READ_ONCE(sk->sk_sndtimeo));
	i->shutdown = READ_ONCE(sk->sk_shutdown);
	i->error = READ_ONCE(sk->sk_err);
	save_peer(sk, i);
}

bool ckpt_sockopts_are_valid(const struct ckpt_image_socket *i)
{
	return !(i->options & ~CKPT_SO_KNOWN) && !(i->shutdown & ~(CKPT_SHUT_RD | CKPT_SHUT_WR)) &&
	       i->error <= MAX_ERRNO && !(i->mode & ~0777U) && !(i->file_mode & ~07777U) &&
	       i->sndbuf <= INT_MAX && i->rcvbuf <= INT_MAX && i->rcvlowat <= INT_MAX &&
	       i->busy_poll <= INT_MAX && i->peek_off >= -1 && i->peer_pid <= INT_MAX;
}

void ckpt_sockopts_own(struct socket *sock, const struct ckpt_image_socket *i)
{
	struct inode *inode = SOCK_INODE(sock);

	inode->i_uid = KUIDT_INIT(i->uid);
	inode->i_gid = KGIDT_INIT(i->gid);
	inode->i_mode = S_IFSOCK | i->mode;
	sock->sk->sk_uid = inode->i_uid;
}

/* Time stamps need the kernel to take the time, so they are asked for as a program does it. */
static int ask_for_time(struct socket *sock, u32 options)
{
	bool is_new = options & CKPT_SO_TIMESTAMP_NEW;
	int one = 1, name;

	if (!(options & CKPT_SO_TIMESTAMP) || !sock)
		return 0;
	if (options & CKPT_SO_TIMESTAMPNS)
		name = is_new ? SO_TIMESTAMPNS_NEW : SO_TIMESTAMPNS_OLD;
	else
		name = is_new ? SO_TIMESTAMP_NEW : SO_TIMESTAMP_OLD;
	return sock_setsockopt(sock, SOL_SOCKET, name, KERNEL_SOCKPTR(&one), sizeof(one));
}

static void set_flags(struct socket *sock, struct sock *sk, u32 options)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++)
		sock_valbool_flag(sk, flags[i].flag, options & flags[i].option);
	sk->sk_reuse = options & CKPT_SO_REUSEADDR ? SK_CAN_REUSE : SK_NO_REUSE;
	sk->sk_reuseport = !!(options & CKPT_SO_REUSEPORT);
	sk->sk_userlocks &= ~(SOCK_SNDBUF_LOCK | SOCK_RCVBUF_LOCK);
	if (options & CKPT_SO_SNDBUF)
		sk->sk_userlocks |= SOCK_SNDBUF_LOCK;
	if (options & CKPT_SO_RCVBUF)
		sk->sk_userlocks |= SOCK_RCVBUF_LOCK;
	if (sock && options & CKPT_SO_PASSCRED)
		set_bit(SOCK_PASSCRED, &sock->flags);
	if (sock && options & CKPT_SO_PASSPIDFD)
		ckpt_pass_pidfd(sock);
}

int ckpt_sockopts_restore(struct socket *sock, struct sock *sk, const struct ckpt_image_socket *i)
{
	int err = ask_for_time(sock, i->options);

	if (err)
		return err;
	lock_sock(sk);
	set_flags(sock, sk, i->options);
	WRITE_ONCE(sk->sk_sndbuf, max_t(int, i->sndbuf, SOCK_MIN_SNDBUF));
	WRITE_ONCE(sk->sk_rcvbuf, max_t(int, i->rcvbuf, SOCK_MIN_RCVBUF));
	WRITE_ONCE(sk->sk_rcvlowat, i->rcvlowat ?: 1);
	WRITE_ONCE(sk->sk_priority, i->priority);
	WRITE_ONCE(sk->sk_mark, i->mark);
	WRITE_ONCE(sk->sk_peek_off, i->peek_off);
	ckpt_sock_set_busy_poll(sk, i->busy_poll);
	WRITE_ONCE(sk->sk_lingertime, from_ns(i->linger));
	WRITE_ONCE(sk->sk_rcvtimeo, from_ns(i->rcvtimeo));
	WRITE_ONCE(sk->sk_sndtimeo, from_ns(i->sndtimeo));
	release_sock(sk);
	return 0;
}

void ckpt_sockopts_finish(struct sock *sk, const struct ckpt_image_socket *i)
{
	WRITE_ONCE(sk->sk_shutdown, i->shutdown);
	WRITE_ONCE(sk->sk_err, i->error);
}

struct pid *ckpt_sockopts_find_pid(struct ckpt_restorer *r, u32 nr)
{
	const struct ckpt_rthread *t = nr ? ckpt_restore_thread(r->job, nr) : NULL;

	return t && t->task ? get_task_pid(t->task, PIDTYPE_PID) : NULL;
}

/* The credentials of one that is asked for nothing but these IDs. */
static struct cred *make_cred(const struct ckpt_image_socket *i)
{
	struct group_info *groups;
	struct cred *cred;
	u32 n;

	groups = groups_alloc(i->nr_groups);
	if (!groups)
		return NULL;
	for (n = 0; n < i->nr_groups; n++)
		groups->gid[n] = KGIDT_INIT(i->groups[n]);
	cred = prepare_creds();
	if (cred) {
		cred->uid = KUIDT_INIT(i->peer_uid);
		cred->suid = cred->uid;
		cred->euid = cred->uid;
		cred->fsuid = cred->uid;
		cred->gid = KGIDT_INIT(i->peer_gid);
		cred->sgid = cred->gid;
		cred->egid = cred->gid;
		cred->fsgid = cred->gid;
		cred->cap_permitted = (kernel_cap_t){};
		cred->cap_effective = (kernel_cap_t){};
		cred->cap_inheritable = (kernel_cap_t){};
		cred->cap_ambient = (kernel_cap_t){};
		set_groups(cred, groups);
	}
	put_group_info(groups);
	return cred;
}

int ckpt_sockopts_set_peer(struct ckpt_restorer *r, struct sock *sk,
			   const struct ckpt_image_socket *i)
{
	const struct cred *cred = NULL, *old_cred;
	struct pid *pid = NULL, *old_pid;

	if (i->peer_uid != NO_ID) {
		cred = make_cred(i);
		if (!cred)
			return -ENOMEM;
		pid = ckpt_sockopts_find_pid(r, i->peer_pid);
	}
	spin_lock(&sk->sk_peer_lock);
	old_pid = sk->sk_peer_pid;
	old_cred = sk->sk_peer_cred;
	sk->sk_peer_pid = pid;
	sk->sk_peer_cred = cred;
	spin_unlock(&sk->sk_peer_lock);
	put_pid(old_pid);
	put_cred(old_cred);
	return 0;
}
