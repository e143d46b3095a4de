// SPDX-License-Identifier: GPL-2.0-only
/* Kind: messages in the queues of sockets, with the files and credentials that travel with them. */

#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/net.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <linux/socket.h>
#include <linux/uidgid.h>
#include <linux/uio.h>
#include <net/af_unix.h>
#include <net/scm.h>
#include <net/sock.h>
#include <net/tcp_states.h>

#include "kinds.h"
#include "restorer.h"
#include "saver.h"
#include "sockets.h"
#include "sockopts.h"

/* What has been read of a piece of a stream is gone. */
static u32 start_of(const struct sk_buff *skb)
{
	return UNIXCB(skb).consumed;
}

static void fill_record(struct ckpt_saver *s, const struct sk_buff *skb,
			struct ckpt_image_message *i)
{
	const struct scm_fp_list *fp = UNIXCB(skb).fp;
	u32 n;

	i->sender = skb->sk ? ckpt_objtab_find(&s->objects, skb->sk) : 0;
	i->pid = ckpt_sockopts_pid(UNIXCB(skb).pid);
	i->uid = __kuid_val(UNIXCB(skb).uid);
	i->gid = __kgid_val(UNIXCB(skb).gid);
	i->time = ktime_to_ns(skb->tstamp);
	for (n = 0; n < i->nr_files; n++)
		i->files[n] = ckpt_objtab_find(&s->objects, fp->fp[n]);
}

static int save_message(struct ckpt_saver *s, const struct ckpt_sock *x, const struct sk_buff *skb)
{
	const struct scm_fp_list *fp = UNIXCB(skb).fp;
	u32 n = fp ? fp->count : 0, len = skb->len - start_of(skb);
	struct ckpt_image_message *i;

	/* What is left of out-of-band data that was read. */
	if (!len && x->sk->sk_type == SOCK_STREAM)
		return 0;
	i = ckpt_save_record(s, &ckpt_kind_message, 0, 0, struct_size(i, files, n) + len);
	if (IS_ERR(i))
		return PTR_ERR(i);
	i->socket = x->id;
	i->nr_files = n;
	i->len = len;
	fill_record(s, skb, i);
	return skb_copy_bits(skb, start_of(skb), &i->files[n], len);
}

static int save_queue(struct ckpt_saver *s, const struct ckpt_sock *x)
{
	struct ckpt_queue q;
	unsigned int n;
	int err = ckpt_queue_get(x->sk, &q);

	if (err)
		return err;
	for (n = 0; n < q.nr && !err; n++) {
		err = save_message(s, x, q.skbs[n]);
		cond_resched();
	}
	ckpt_queue_put(x->sk, &q);
	return err;
}

static int save_job(struct ckpt_saver *s)
{
	struct ckpt_sock *x;
	unsigned long id;
	int err;

	/* What is to be refused may be somebody else's, and read meanwhile. */
	if (s->nr_refused)
		return 0;
	ckpt_for_each_sock(x, id, s) {
		if (x->sk->sk_family != AF_UNIX || x->role == CKPT_SOCK_CLOSED ||
		    READ_ONCE(x->sk->sk_state) == TCP_LISTEN)
			continue;
		err = save_queue(s, x);
		if (err)
			return err;
	}
	return 0;
}

static int verify(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_message *i = rec->data;

	if (i->nr_files > CKPT_MESSAGE_MAX_FILES || i->reserved || i->pid > INT_MAX ||
	    rec->len < struct_size(i, files, i->nr_files) + (u64)i->len)
		return ckpt_restore_error(r, -EBADMSG, "message to socket %u: bad value",
					  i->socket);
	return 0;
}

static const struct ckpt_image_socket *find(struct ckpt_restorer *r, u32 id)
{
	const struct ckpt_record *rec = ckpt_restore_object(r, CKPT_REC_SOCKET, id);
	const struct ckpt_image_socket *i = rec ? rec->data : NULL;

	return i && i->family == AF_UNIX ? i : NULL;
}

static bool sockets_are_valid(struct ckpt_restorer *r, const struct ckpt_image_message *i)
{
	const struct ckpt_image_socket *to = find(r, i->socket), *from = find(r, i->sender);

	if (!to || !from || to->type != from->type)
		return false;
	if (to->flags & (CKPT_SOCKET_LISTENS | CKPT_SOCKET_CLOSED) ||
	    from->flags & (CKPT_SOCKET_LISTENS | CKPT_SOCKET_PENDING))
		return false;
	return to->type == SOCK_DGRAM || to->peer == i->sender;
}

static int verify_all(struct ckpt_restorer *r)
{
	const struct ckpt_record *rec;
	u32 n;

	ckpt_for_each_shared_record_of(rec, r, CKPT_REC_MESSAGE) {
		const struct ckpt_image_message *i = rec->data;

		if (!sockets_are_valid(r, i))
			return ckpt_restore_error(r, -EBADMSG,
						  "message to socket %u: bad socket or sender %u",
						  i->socket, i->sender);
		for (n = 0; n < i->nr_files; n++)
			if (!ckpt_restore_object(r, CKPT_REC_FILE, i->files[n]))
				return ckpt_restore_error(r, -EBADMSG,
							  "message to socket %u: no file %u",
							  i->socket, i->files[n]);
		cond_resched();
	}
	return 0;
}

/* Only descriptors can be sent: gives the files some for a while. */
static int install_files(struct ckpt_restorer *r, const struct ckpt_image_message *i, int *fds)
{
	struct file *file;
	u32 n;
	int fd;

	for (n = 0; n < i->nr_files; n++) {
		file = ckpt_objtab_file(r->objects, i->files[n]);
		fd = file ? get_unused_fd_flags(O_CLOEXEC) : -EBADMSG;
		if (fd < 0)
			return fd;
		fd_install(fd, get_file(file));
		fds[n] = fd;
	}
	return 0;
}

/* Tells what the message says of its sender and its time. */
static void mark(struct sk_buff *skb, const struct ckpt_image_message *i)
{
	put_pid(UNIXCB(skb).pid);
	UNIXCB(skb).pid = NULL;
	/* Until the process is there its number is kept where unix sockets have nothing. */
	skb->mark = i->pid;
	UNIXCB(skb).uid = KUIDT_INIT(i->uid);
	UNIXCB(skb).gid = KGIDT_INIT(i->gid);
	skb->tstamp = ns_to_ktime(i->time);
}

/* Sends to a socket that is connected, or that @from is made to be connected to for once. */
static int send(struct socket *from, struct sock *to, struct msghdr *msg,
		const struct ckpt_image_message *i)
{
	struct kvec data = { (void *)&i->files[i->nr_files], i->len };
	bool connects = to->sk_type == SOCK_DGRAM;
	struct sk_buff *last, *skb;
	int n;

	last = skb_peek_tail(&to->sk_receive_queue);
	if (connects)
		unix_peer(from->sk) = to;
	n = kernel_sendmsg(from, msg, &data, 1, i->len);
	if (connects)
		unix_peer(from->sk) = NULL;
	if (n != i->len)
		return n < 0 ? n : -EIO;
	/* Nobody reads yet; a name may let others add messages, which come later. */
	spin_lock(&to->sk_receive_queue.lock);
	skb = last ? skb_peek_next(last, &to->sk_receive_queue) : skb_peek(&to->sk_receive_queue);
	for (; skb; skb = skb_peek_next(skb, &to->sk_receive_queue))
		if (skb->sk == from->sk)
			mark(skb, i);
	spin_unlock(&to->sk_receive_queue.lock);
	return 0;
}

static int send_with_files(struct ckpt_restorer *r, const struct ckpt_image_message *i,
			   struct cmsghdr *control)
{
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };
	struct socket *from = ckpt_socket_made(r, i->sender);
	struct sock *to = ckpt_sock_made(r, i->socket);
	int *fds = (int *)CMSG_DATA(control);
	u32 n;
	int err;

	if (!from || !to)
		return -EBADMSG;
	for (n = 0; n < i->nr_files; n++)
		fds[n] = -1;
	err = install_files(r, i, fds);
	if (!err && i->nr_files) {
		control->cmsg_level = SOL_SOCKET;
		control->cmsg_type = SCM_RIGHTS;
		control->cmsg_len = CMSG_LEN(i->nr_files * sizeof(int));
		msg.msg_control = control;
		msg.msg_controllen = control->cmsg_len;
	}
	if (!err)
		err = send(from, to, &msg, i);
	for (n = 0; n < i->nr_files && fds[n] >= 0; n++)
		close_fd(fds[n]);
	return err;
}

/* While the first process still has the tool's descriptors, and all files are there. */
static int create(struct ckpt_restorer *r)
{
	const struct ckpt_record *rec;
	struct cmsghdr *control;
	int err = 0;

	if (!ckpt_restorer_is_first(r))
		return 0;
	control = kmalloc(CMSG_SPACE(CKPT_MESSAGE_MAX_FILES * sizeof(int)), GFP_KERNEL);
	if (!control)
		return -ENOMEM;
	ckpt_for_each_shared_record_of(rec, r, CKPT_REC_MESSAGE) {
		const struct ckpt_image_message *i = rec->data;

		err = send_with_files(r, i, control);
		if (err) {
			ckpt_restore_error(r, err, "message to socket %u: cannot be sent: error %d",
					   i->socket, -err);
			break;
		}
		cond_resched();
	}
	kfree(control);
	return err;
}

static void set_pids(struct ckpt_restorer *r, struct sk_buff_head *queue)
{
	struct sk_buff *skb;

	spin_lock(&queue->lock);
	skb_queue_walk(queue, skb)
	{
		if (!skb->mark)
			continue;
		UNIXCB(skb).pid = ckpt_sockopts_find_pid(r, skb->mark);
		skb->mark = 0;
	}
	spin_unlock(&queue->lock);
}

/* All processes are there. */
static int settle(struct ckpt_rjob *job)
{
	struct ckpt_restorer *r = job->processes;
	const struct ckpt_record *rec;

	ckpt_for_each_shared_record_of(rec, r, CKPT_REC_SOCKET) {
		const struct ckpt_image_socket *i = rec->data;
		struct sock *sk = i->family == AF_UNIX ? ckpt_sock_made(r, rec->id) : NULL;

		if (sk && !(i->flags & CKPT_SOCKET_LISTENS))
			set_pids(r, &sk->sk_receive_queue);
		cond_resched();
	}
	return 0;
}

const struct ckpt_kind ckpt_kind_message = {
	.name = "message",
	.type = CKPT_REC_MESSAGE,
	.version = 1,
	.oldest = 1,
	.min_len = sizeof(struct ckpt_image_message),
	.count = CKPT_ANY,
	.shared = true,
	.save_job = save_job,
	.verify = verify,
	.verify_all = verify_all,
	.create = create,
	.settle = settle,
};
