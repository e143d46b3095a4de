/* SPDX-License-Identifier: GPL-2.0-only */
/* How the torture program sets up what its threads wait for, and wakes them. */
#ifndef TORTURE_SET_UP_H
#define TORTURE_SET_UP_H

#include <linux/futex.h>
#include <mqueue.h>
#include <pty.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>

#include "torture.h"

static bool with_pipe(struct waiter *w)
{
	return !pipe(w->fd);
}

static bool with_full_pipe(struct waiter *w)
{
	static char text[1 << 16];

	return !pipe(w->fd) && write(w->fd[1], text, sizeof(text)) == sizeof(text);
}

static bool with_sockets(struct waiter *w)
{
	return !socketpair(AF_UNIX, SOCK_STREAM, 0, w->fd);
}

static bool with_limited_sockets(struct waiter *w)
{
	struct timeval limit = { .tv_sec = w->flags & TIMED ? SECONDS : 1000 };

	return with_sockets(w) &&
	       !setsockopt(w->fd[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

/* Two open file descriptions, the second of which has the lock. */
static bool with_flock(struct waiter *w)
{
	w->fd[0] = open(w->name, O_RDWR | O_CREAT, 0600);
	w->fd[1] = open(w->name, O_RDWR);
	return w->fd[1] >= 0 && !flock(w->fd[1], LOCK_EX);
}

static bool with_ofd_lock(struct waiter *w)
{
	struct flock lock = { .l_type = F_WRLCK };

	w->fd[0] = open(w->name, O_RDWR | O_CREAT, 0600);
	w->fd[1] = open(w->name, O_RDWR);
	return w->fd[1] >= 0 && !fcntl(w->fd[1], F_OFD_SETLK, &lock);
}

/* A child that lives until it reads from the pipe, with a lock where one is wanted. */
static bool with_child(struct waiter *w)
{
	struct flock lock = { .l_type = F_WRLCK };
	int told[2];

	w->word = open(w->name, O_RDWR | O_CREAT, 0600);
	if (pipe2(w->fd, O_CLOEXEC) || pipe(told))
		return false;
	w->child = fork();
	if (!w->child) {
		if (fcntl(w->word, F_SETLK, &lock) || write(told[1], &tiny, 1) != 1)
			_exit(1);
		_exit(read(w->fd[0], &tiny, 1) != 1);
	}
	return w->child > 0 && read(told[0], &tiny, 1) == 1 && !close(told[0]) && !close(told[1]);
}

static bool with_epoll(struct waiter *w)
{
	struct epoll_event event = { .events = EPOLLIN };
	int inner[2];

	if (pipe(inner))
		return false;
	w->fd[0] = epoll_create1(0);
	w->fd[1] = inner[1];
	return !epoll_ctl(w->fd[0], EPOLL_CTL_ADD, inner[0], &event);
}

static bool with_queue(struct waiter *w)
{
	w->fd[0] = msgget(IPC_PRIVATE, 0600);
	return w->fd[0] >= 0;
}

static bool with_semaphore(struct waiter *w)
{
	w->fd[0] = semget(IPC_PRIVATE, 1, 0600);
	return w->fd[0] >= 0;
}

static bool with_listener(struct waiter *w)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "listener" };

	w->fd[0] = socket(AF_UNIX, SOCK_STREAM, 0);
	w->fd[1] = socket(AF_UNIX, SOCK_STREAM, 0);
	return !bind(w->fd[0], (void *)&address, sizeof(address)) && !listen(w->fd[0], 5);
}

static bool with_eventfd(struct waiter *w)
{
	w->fd[0] = eventfd(0, 0);
	return w->fd[0] >= 0;
}

static bool with_tty(struct waiter *w)
{
	return !openpty(&w->fd[1], &w->fd[0], NULL, NULL, NULL);
}

static bool with_inotify(struct waiter *w)
{
	w->fd[0] = inotify_init1(0);
	return !mkdir("watched", 0700) && inotify_add_watch(w->fd[0], "watched", IN_CREATE) >= 0;
}

static bool with_timerfd(struct waiter *w)
{
	w->fd[0] = timerfd_create(CLOCK_MONOTONIC, 0);
	return w->fd[0] >= 0;
}

static bool with_signalfd(struct waiter *w)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	w->fd[0] = signalfd(-1, &set, 0);
	return w->fd[0] >= 0;
}

static bool with_mqueue(struct waiter *w)
{
	struct mq_attr attributes = { .mq_maxmsg = 2, .mq_msgsize = 16 };

	w->fd[0] = mq_open("/ckpt-torture", O_RDWR | O_CREAT, 0600, &attributes);
	mq_unlink("/ckpt-torture");
	return w->fd[0] >= 0;
}

/* ---- waking ---- */

static void by_writing(struct waiter *w)
{
	need(write(w->fd[1], "x\n", 2) == 2, w->name);
}

static void by_reading(struct waiter *w)
{
	char text[4096];

	need(read(w->fd[0], text, sizeof(text)) > 0, w->name);
}

static void by_unlocking(struct waiter *w)
{
	struct flock lock = { .l_type = F_UNLCK };

	need(!flock(w->fd[1], LOCK_UN) && !fcntl(w->fd[1], F_OFD_SETLK, &lock), w->name);
}

static void by_futex(struct waiter *w)
{
	__atomic_store_n(&w->word, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &w->word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void by_message(struct waiter *w)
{
	struct msgbuf message = { .mtype = 1 };

	need(!msgsnd(w->fd[0], &message, 1, 0), w->name);
}

static void by_semaphore(struct waiter *w)
{
	struct sembuf up = { .sem_op = 1 };

	need(!semop(w->fd[0], &up, 1), w->name);
}

static void by_count(struct waiter *w)
{
	need(!eventfd_write(w->fd[0], 1), w->name);
}

static void by_handler(struct waiter *w)
{
	syscall(SYS_tgkill, getpid(), w->tid, SIGUSR1);
}

static void by_blocked_signal(struct waiter *w)
{
	syscall(SYS_tgkill, getpid(), w->tid, SIGUSR2);
}

static void by_connecting(struct waiter *w)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "listener" };

	need(!connect(w->fd[1], (void *)&address, sizeof(address)), w->name);
}

static void by_file(struct waiter *w)
{
	close(open("watched/file", O_WRONLY | O_CREAT, 0600));
	(void)w;
}

static void by_timer(struct waiter *w)
{
	struct itimerspec at_once = { .it_value.tv_nsec = 1 };

	need(!timerfd_settime(w->fd[0], 0, &at_once, NULL), w->name);
}

static void by_mqueue(struct waiter *w)
{
	need(!mq_send(w->fd[0], "x", 1, 0), w->name);
}

#endif /* TORTURE_SET_UP_H */
