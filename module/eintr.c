// SPDX-License-Identifier: GPL-2.0-only
/* System calls that return EINTR when their thread is frozen: they are restarted instead. */

#include "eintr.h"

#include <linux/errno.h>
#include <linux/file.h>
#include <linux/net.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/unistd.h>
#include <net/sock.h>
#include <asm/syscall.h>

/* How a system call came to return EINTR. */
enum cause {
	CAUSE_NONE,
	CAUSE_WAIT, /* it always does when its wait is interrupted; nothing was done so far */
	CAUSE_RECEIVE, /* the first argument is a socket with a time limit for receiving */
	CAUSE_SEND, /* the same for sending */
	CAUSE_COPY, /* from the first or second descriptor among its arguments to the other */
};

static enum cause cause(long nr)
{
	switch (nr) {
	case __NR_epoll_wait:
	case __NR_epoll_pwait:
	case __NR_epoll_pwait2:
	case __NR_semop:
	case __NR_semtimedop:
	case __NR_rt_sigtimedwait:
	case __NR_io_getevents:
	case __NR_io_pgetevents:
	case __NR_io_uring_enter:
		return CAUSE_WAIT;
	case __NR_read:
	case __NR_readv:
	case __NR_preadv2:
	case __NR_recvfrom:
	case __NR_recvmsg:
	case __NR_recvmmsg:
	case __NR_accept:
	case __NR_accept4:
		return CAUSE_RECEIVE;
	case __NR_write:
	case __NR_writev:
	case __NR_pwritev2:
	case __NR_sendto:
	case __NR_sendmsg:
	case __NR_sendmmsg:
	case __NR_connect:
		return CAUSE_SEND;
	case __NR_splice:
	case __NR_sendfile:
		return CAUSE_COPY;
	}
	return CAUSE_NONE;
}

static bool has_time_limit(unsigned int fd, bool sends)
{
	struct file *file = fget(fd);
	struct socket *sock;
	bool found = false;

	if (!file)
		return false;
	sock = sock_from_file(file);
	if (sock && sock->sk) {
		long limit = sends ? READ_ONCE(sock->sk->sk_sndtimeo) :
				     READ_ONCE(sock->sk->sk_rcvtimeo);

		found = limit != MAX_SCHEDULE_TIMEOUT;
	}
	fput(file);
	return found;
}

static bool copies_with_time_limit(const struct pt_regs *regs)
{
	bool is_splice = regs->orig_ax == __NR_splice;
	unsigned int from = is_splice ? regs->di : regs->si;
	unsigned int to = is_splice ? regs->dx : regs->di;

	return has_time_limit(from, false) || has_time_limit(to, true);
}

void ckpt_eintr_mend(struct pt_regs *regs)
{
	long nr = syscall_get_nr(current, regs);
	bool found = false;

	if (nr < 0 || regs->ax != -EINTR)
		return;
	switch (cause(nr)) {
	case CAUSE_NONE:
		break;
	case CAUSE_WAIT:
		found = true;
		break;
	case CAUSE_RECEIVE:
		found = has_time_limit(regs->di, false);
		break;
	case CAUSE_SEND:
		found = has_time_limit(regs->di, true);
		break;
	case CAUSE_COPY:
		found = copies_with_time_limit(regs);
		break;
	}
	/* A handler that runs now still makes it return EINTR, whatever SA_RESTART says. */
	if (found)
		regs->ax = -ERESTARTNOHAND;
}
