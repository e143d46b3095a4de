/* SPDX-License-Identifier: GPL-2.0-only */
/* The system calls that the threads of the torture program wait in. */
#ifndef TORTURE_WAITS_H
#define TORTURE_WAITS_H

#include <linux/aio_abi.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "torture.h"

static bool in_read(struct waiter *w)
{
	char text[256];

	return read(w->fd[0], text, sizeof(text)) > 0;
}

static bool in_write(struct waiter *w)
{
	return write(w->fd[1], &tiny, 1) == 1;
}

static bool in_recv(struct waiter *w)
{
	char text[64];

	return recv(w->fd[0], text, sizeof(text), 0) == 2;
}

static bool in_recv_limit(struct waiter *w)
{
	return recv(w->fd[0], &tiny, 1, 0) == -1 && errno == EAGAIN;
}

static bool in_accept(struct waiter *w)
{
	return accept(w->fd[0], NULL, NULL) >= 0;
}

static long futex(struct waiter *w, int operation, const struct timespec *time)
{
	long got = syscall(SYS_futex, &w->word, operation, 0, time, NULL, FUTEX_BITSET_MATCH_ANY);

	return got < 0 ? errno : 0;
}

static bool in_futex(struct waiter *w)
{
	return !futex(w, FUTEX_WAIT, NULL);
}

static bool in_futex_relative(struct waiter *w)
{
	return futex(w, FUTEX_WAIT, &limit) == ETIMEDOUT;
}

static bool in_futex_absolute(struct waiter *w)
{
	struct timespec until = later();

	return futex(w, FUTEX_WAIT_BITSET, &until) == ETIMEDOUT;
}

static bool in_wait4(struct waiter *w)
{
	int status;

	return wait4(w->child, &status, 0, NULL) == w->child && !status;
}

static bool in_waitid(struct waiter *w)
{
	siginfo_t info;

	return !waitid(P_PID, w->child, &info, WEXITED) && info.si_pid == w->child;
}

static bool in_flock(struct waiter *w)
{
	return !flock(w->fd[0], LOCK_EX);
}

static bool in_ofd_lock(struct waiter *w)
{
	struct flock lock = { .l_type = F_WRLCK };

	return !fcntl(w->fd[0], F_OFD_SETLKW, &lock);
}

static bool in_posix_lock(struct waiter *w)
{
	struct flock lock = { .l_type = F_WRLCK };

	return !fcntl(w->word, F_SETLKW, &lock);
}

static bool in_poll(struct waiter *w)
{
	struct pollfd fd = { .fd = w->fd[0], .events = POLLIN };

	return poll(&fd, 1, w->flags & TIMED ? SECONDS * 1000 : -1) == !(w->flags & TIMED);
}

static bool in_ppoll(struct waiter *w)
{
	struct pollfd fd = { .fd = w->fd[0], .events = POLLIN };

	return ppoll(&fd, 1, w->flags & TIMED ? &limit : NULL, NULL) == !(w->flags & TIMED);
}

static bool in_select(struct waiter *w)
{
	struct timeval time = { .tv_sec = SECONDS };
	fd_set set;

	FD_ZERO(&set);
	FD_SET(w->fd[0], &set);
	return syscall(SYS_select, w->fd[0] + 1, &set, NULL, NULL,
		       w->flags & TIMED ? &time : NULL) == !(w->flags & TIMED);
}

static bool in_pselect(struct waiter *w)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(w->fd[0], &set);
	return pselect(w->fd[0] + 1, &set, NULL, NULL, w->flags & TIMED ? &limit : NULL, NULL) ==
	       !(w->flags & TIMED);
}

static bool in_msgrcv(struct waiter *w)
{
	struct msgbuf message;

	return msgrcv(w->fd[0], &message, 1, 0, 0) == 1;
}

static bool in_semop(struct waiter *w)
{
	struct sembuf down = { .sem_op = -1 };

	return !semop(w->fd[0], &down, 1);
}

static bool in_semtimedop(struct waiter *w)
{
	const struct timespec long_time = { .tv_sec = 10000 };
	struct sembuf down = { .sem_op = -1 };

	if (w->flags & TIMED)
		return semtimedop(w->fd[0], &down, 1, &limit) == -1 && errno == EAGAIN;
	return !semtimedop(w->fd[0], &down, 1, &long_time);
}

/* These two end with EINTR, but by the handler alone: it is only called once they may. */
static bool in_pause(struct waiter *w)
{
	sigset_t set;

	(void)w;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	return pause() == -1 && errno == EINTR && released;
}

static bool in_sigsuspend(struct waiter *w)
{
	sigset_t set;

	(void)w;
	sigfillset(&set);
	sigdelset(&set, SIGUSR1);
	return sigsuspend(&set) == -1 && errno == EINTR && released;
}

static bool in_sigwaitinfo(struct waiter *w)
{
	siginfo_t info;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	if (w->flags & TIMED)
		return sigtimedwait(&set, &info, &limit) == -1 && errno == EAGAIN;
	return sigwaitinfo(&set, &info) == SIGUSR2;
}

static bool in_sigtimedwait(struct waiter *w)
{
	const struct timespec long_time = { .tv_sec = 10000 };
	siginfo_t info;
	sigset_t set;

	(void)w;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	return sigtimedwait(&set, &info, &long_time) == SIGUSR2;
}

static bool in_nanosleep(struct waiter *w)
{
	(void)w;
	return !nanosleep(&limit, NULL);
}

static bool in_clock_nanosleep(struct waiter *w)
{
	(void)w;
	return !clock_nanosleep(CLOCK_MONOTONIC, 0, &limit, NULL);
}

static bool in_absolute_sleep(struct waiter *w)
{
	struct timespec until = later();

	(void)w;
	return !clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

static bool in_epoll_wait(struct waiter *w)
{
	struct epoll_event event;

	return epoll_wait(w->fd[0], &event, 1, w->flags & TIMED ? SECONDS * 1000 : -1) ==
	       !(w->flags & TIMED);
}

static bool in_epoll_pwait(struct waiter *w)
{
	struct epoll_event event;
	sigset_t set;

	sigfillset(&set);
	return epoll_pwait(w->fd[0], &event, 1, -1, &set) == 1;
}

static bool in_epoll_pwait2(struct waiter *w)
{
	struct epoll_event event;

	return syscall(SYS_epoll_pwait2, w->fd[0], &event, 1, w->flags & TIMED ? &limit : NULL,
		       NULL, 0) == !(w->flags & TIMED);
}

static bool in_io_getevents(struct waiter *w)
{
	aio_context_t context = 0;
	struct io_event event;

	(void)w;
	return !syscall(SYS_io_setup, 4, &context) &&
	       !syscall(SYS_io_getevents, context, 1, 1, &event, &limit) &&
	       !syscall(SYS_io_destroy, context);
}

static bool in_mq_receive(struct waiter *w)
{
	char text[16];

	return mq_receive(w->fd[0], text, sizeof(text), NULL) == 1;
}

#endif /* TORTURE_WAITS_H */
