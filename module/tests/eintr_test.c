// SPDX-License-Identifier: GPL-2.0-only
/* Tests of the table of system calls that are kept from telling that they were interrupted. */

#include "../eintr.h"

#include <kunit/test.h>
#include <linux/errno.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/net.h>
#include <linux/ptrace.h>
#include <linux/unistd.h>
#include <net/net_namespace.h>
#include <net/sock.h>

#include "memfile.h"

#define NR_SYSCALLS 512

/* What the call returns to user space after mending. */
static long mended(long nr, long ax, unsigned long di, unsigned long si, unsigned long dx)
{
	struct pt_regs regs = { .orig_ax = nr, .ax = ax, .di = di, .si = si, .dx = dx };

	ckpt_eintr_mend(&regs);
	return regs.ax;
}

static bool always_restarts(long nr)
{
	static const long table[] = {
		__NR_epoll_wait,   __NR_epoll_pwait,   __NR_epoll_pwait2,
		__NR_semop,	   __NR_semtimedop,    __NR_rt_sigtimedwait,
		__NR_io_getevents, __NR_io_pgetevents, __NR_io_uring_enter,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(table); i++)
		if (table[i] == nr)
			return true;
	return false;
}

static void waits_are_restarted(struct kunit *test)
{
	long nr;

	for (nr = 0; nr < NR_SYSCALLS; nr++)
		KUNIT_EXPECT_EQ_MSG(test, mended(nr, -EINTR, -1, -1, -1),
				    always_restarts(nr) ? (long)-ERESTARTNOHAND : (long)-EINTR,
				    "system call %ld", nr);
}

static void other_results_are_kept(struct kunit *test)
{
	static const long results[] = { 0,
					1,
					4,
					-EAGAIN,
					-EBADF,
					-ERESTARTSYS,
					-ERESTARTNOINTR,
					-ERESTARTNOHAND,
					-ERESTART_RESTARTBLOCK,
					LONG_MIN,
					0xfffffffcL };
	unsigned int i;
	long nr;

	for (nr = 0; nr < NR_SYSCALLS; nr++)
		for (i = 0; i < ARRAY_SIZE(results); i++)
			KUNIT_EXPECT_EQ_MSG(test, mended(nr, results[i], -1, -1, -1), results[i],
					    "system call %ld", nr);
}

/* A fault or an interrupt: ax is the program's own. */
static void no_system_call_is_left_alone(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, mended(-1, -EINTR, 0, 0, 0), (long)-EINTR);
}

/* A descriptor of this kernel thread; -1 after a failed expectation. */
static int install(struct kunit *test, struct file *file)
{
	int fd = get_unused_fd_flags(O_CLOEXEC);

	KUNIT_EXPECT_GE(test, fd, 0);
	if (fd >= 0)
		fd_install(fd, file);
	else
		fput(file);
	return fd;
}

static int install_socket(struct kunit *test, long receive_limit, long send_limit)
{
	struct socket *sock;
	struct file *file;
	int err = sock_create_kern(&init_net, AF_UNIX, SOCK_STREAM, 0, &sock);

	KUNIT_EXPECT_EQ(test, err, 0);
	if (err)
		return -1;
	sock->sk->sk_rcvtimeo = receive_limit;
	sock->sk->sk_sndtimeo = send_limit;
	file = sock_alloc_file(sock, 0, NULL);
	KUNIT_EXPECT_FALSE(test, IS_ERR(file));
	return IS_ERR(file) ? -1 : install(test, file);
}

static const long receiving[] = { __NR_read,	__NR_readv,    __NR_preadv2, __NR_recvfrom,
				  __NR_recvmsg, __NR_recvmmsg, __NR_accept,  __NR_accept4 };
static const long sending[] = { __NR_write,   __NR_writev,   __NR_pwritev2, __NR_sendto,
				__NR_sendmsg, __NR_sendmmsg, __NR_connect };

static void expect_calls(struct kunit *test, int fd, bool receives, bool sends)
{
	const long no = -EINTR, yes = -ERESTARTNOHAND;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(receiving); i++)
		KUNIT_EXPECT_EQ_MSG(test, mended(receiving[i], -EINTR, fd, 0, 0),
				    receives ? yes : no, "system call %ld", receiving[i]);
	for (i = 0; i < ARRAY_SIZE(sending); i++)
		KUNIT_EXPECT_EQ_MSG(test, mended(sending[i], -EINTR, fd, 0, 0), sends ? yes : no,
				    "system call %ld", sending[i]);

	/* splice(from, ..., to), sendfile(to, from): the other one is no socket. */
	KUNIT_EXPECT_EQ(test, mended(__NR_splice, -EINTR, fd, 0, -1), receives ? yes : no);
	KUNIT_EXPECT_EQ(test, mended(__NR_splice, -EINTR, -1, 0, fd), sends ? yes : no);
	KUNIT_EXPECT_EQ(test, mended(__NR_sendfile, -EINTR, -1, fd, 0), receives ? yes : no);
	KUNIT_EXPECT_EQ(test, mended(__NR_sendfile, -EINTR, fd, -1, 0), sends ? yes : no);
}

static void socket_without_time_limit(struct kunit *test)
{
	int fd = install_socket(test, MAX_SCHEDULE_TIMEOUT, MAX_SCHEDULE_TIMEOUT);

	expect_calls(test, fd, false, false);
	close_fd(fd);
}

static void socket_that_receives_for_a_time(struct kunit *test)
{
	int fd = install_socket(test, HZ, MAX_SCHEDULE_TIMEOUT);

	expect_calls(test, fd, true, false);
	close_fd(fd);
}

static void socket_that_sends_for_a_time(struct kunit *test)
{
	int fd = install_socket(test, MAX_SCHEDULE_TIMEOUT, HZ);

	expect_calls(test, fd, false, true);
	close_fd(fd);
}

static void other_file_is_no_socket(struct kunit *test)
{
	int fd = install(test, memfile_new(test));

	expect_calls(test, fd, false, false);
	close_fd(fd);
}

/* clang-format off */

static struct kunit_case eintr_cases[] = {
	KUNIT_CASE(waits_are_restarted),
	KUNIT_CASE(other_results_are_kept),
	KUNIT_CASE(no_system_call_is_left_alone),
	KUNIT_CASE(socket_without_time_limit),
	KUNIT_CASE(socket_that_receives_for_a_time),
	KUNIT_CASE(socket_that_sends_for_a_time),
	KUNIT_CASE(other_file_is_no_socket),
	{}
};

/* clang-format on */

struct kunit_suite ckpt_eintr_suite = {
	.name = "eintr",
	.test_cases = eintr_cases,
};
