// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads that wait, one in each interruptible system call. None may return before its time or with
 * EINTR, whatever is done to the process. It says "ready", waits for the file "go", wakes all, and
 * tells what each saw. A timed wait is repeated; each that ended in time is told at once.
 *
 * usage: torture freeze	all of them
 *	  torture restore	those that an image covers
 */

#define _GNU_SOURCE
#include <sys/prctl.h>

#include "torture_set_up.h"
#include "torture_waits.h"

/* How long to wait for one that was woken. */
#define NEVER_SECONDS 60

#define WAITER(n, f, wait_in, wake_by, set_up_with)                                            \
	{                                                                                      \
		.name = n, .flags = f, .wait = wait_in, .wake = wake_by, .set_up = set_up_with \
	}

static struct waiter waiters[] = {
	WAITER("pipe read", COVERED, in_read, by_writing, with_pipe),
	WAITER("pipe write", COVERED, in_write, by_reading, with_full_pipe),
	WAITER("futex", COVERED, in_futex, by_futex, NULL),
	WAITER("futex relative", COVERED | TIMED, in_futex_relative, NULL, NULL),
	WAITER("futex absolute", COVERED | TIMED, in_futex_absolute, NULL, NULL),
	WAITER("flock", COVERED, in_flock, by_unlocking, with_flock),
	WAITER("OFD lock", COVERED, in_ofd_lock, by_unlocking, with_ofd_lock),
	WAITER("poll", COVERED, in_poll, by_writing, with_pipe),
	WAITER("poll timed", COVERED | TIMED, in_poll, NULL, with_pipe),
	WAITER("ppoll", COVERED, in_ppoll, by_writing, with_pipe),
	WAITER("ppoll timed", COVERED | TIMED, in_ppoll, NULL, with_pipe),
	WAITER("select", COVERED, in_select, by_writing, with_pipe),
	WAITER("select timed", COVERED | TIMED, in_select, NULL, with_pipe),
	WAITER("pselect", COVERED, in_pselect, by_writing, with_pipe),
	WAITER("pselect timed", COVERED | TIMED, in_pselect, NULL, with_pipe),
	WAITER("msgrcv", COVERED, in_msgrcv, by_message, with_queue),
	WAITER("semop", COVERED, in_semop, by_semaphore, with_semaphore),
	WAITER("semtimedop", COVERED, in_semtimedop, by_semaphore, with_semaphore),
	WAITER("semtimedop timed", COVERED | TIMED | ANEW, in_semtimedop, NULL, with_semaphore),
	WAITER("pause", COVERED, in_pause, by_handler, NULL),
	WAITER("sigsuspend", COVERED, in_sigsuspend, by_handler, NULL),
	WAITER("sigwaitinfo", COVERED, in_sigwaitinfo, by_blocked_signal, NULL),
	WAITER("sigtimedwait", COVERED, in_sigtimedwait, by_blocked_signal, NULL),
	WAITER("sigtimedwait timed", COVERED | TIMED | ANEW, in_sigwaitinfo, NULL, NULL),
	WAITER("nanosleep", COVERED | TIMED, in_nanosleep, NULL, NULL),
	WAITER("clock_nanosleep", COVERED | TIMED, in_clock_nanosleep, NULL, NULL),
	WAITER("absolute sleep", COVERED | TIMED, in_absolute_sleep, NULL, NULL),
	WAITER("eventfd read", COVERED, in_read, by_count, with_eventfd),
	WAITER("recv", 0, in_recv, by_writing, with_sockets),
	WAITER("recv, SO_RCVTIMEO", 0, in_recv, by_writing, with_limited_sockets),
	WAITER("read, SO_RCVTIMEO", 0, in_read, by_writing, with_limited_sockets),
	WAITER("recv, timed", TIMED | ANEW, in_recv_limit, NULL, with_limited_sockets),
	WAITER("accept", 0, in_accept, by_connecting, with_listener),
	WAITER("wait4", 0, in_wait4, by_writing, with_child),
	WAITER("waitid", 0, in_waitid, by_writing, with_child),
	WAITER("POSIX lock", 0, in_posix_lock, by_writing, with_child),
	WAITER("epoll_wait", COVERED, in_epoll_wait, by_writing, with_epoll),
	WAITER("epoll_wait timed", COVERED | TIMED | ANEW, in_epoll_wait, NULL, with_epoll),
	WAITER("epoll_pwait", COVERED, in_epoll_pwait, by_writing, with_epoll),
	WAITER("epoll_pwait2", COVERED, in_epoll_pwait2, by_writing, with_epoll),
	WAITER("epoll_pwait2 timed", COVERED | TIMED | ANEW, in_epoll_pwait2, NULL, with_epoll),
	WAITER("io_getevents", TIMED | ANEW, in_io_getevents, NULL, NULL),
	WAITER("mq_receive", 0, in_mq_receive, by_mqueue, with_mqueue),
	WAITER("tty read", 0, in_read, by_writing, with_tty),
	WAITER("inotify read", 0, in_read, by_file, with_inotify),
	WAITER("timerfd read", COVERED, in_read, by_timer, with_timerfd),
	WAITER("signalfd read", COVERED, in_read, by_blocked_signal, with_signalfd),
};

static void on_signal(int signal)
{
	(void)signal;
}

static bool wait_once(struct waiter *w)
{
	double begin = now(), lasted;
	bool as_wanted = w->wait(w);
	int error = errno;

	lasted = now() - begin;
	if (!as_wanted)
		return check(false, "%s: wrong result after %.3f s: %s", w->name, lasted,
			     strerror(error));
	if (w->flags & TIMED) {
		dprintf(STDOUT_FILENO, "slept %.3f s: %s\n", lasted, w->name);
		return lasted >= SECONDS ||
		       check(false, "%s: cut short to %.3f s", w->name, lasted);
	}
	return released || check(false, "%s: returned of itself after %.3f s", w->name, lasted);
}

static void *run(void *arg)
{
	struct waiter *w = arg;
	bool right;

	prctl(PR_SET_NAME, w->name);
	__atomic_store_n(&w->tid, gettid(), __ATOMIC_SEQ_CST);
	do {
		right = wait_once(w);
	} while (right && w->flags & TIMED && !released);
	if (right)
		check(true, "%s", w->name);
	return NULL;
}

/* Whether it waits, as far as the kernel tells. */
static bool is_asleep(const struct waiter *w)
{
	char path[64], text[512], *state;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", w->tid);
	read_file(path, text, sizeof(text));
	state = strrchr(text, ')');
	return w->tid && state && state[2] == 'S';
}

static void start(struct waiter *w)
{
	need(!w->set_up || w->set_up(w), w->name);
	need(!pthread_create(&w->thread, NULL, run, w), w->name);
	while (!is_asleep(w) && !nr_bad)
		nap(2);
}

static void end(struct waiter *w)
{
	struct timespec until;

	if (w->wake)
		w->wake(w);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += NEVER_SECONDS;
	if (pthread_timedjoin_np(w->thread, NULL, &until)) {
		check(false, "%s: does not wake", w->name);
		exit(1);
	}
}

static void remove_ipc(const struct waiter *w)
{
	if (w->set_up == with_queue)
		msgctl(w->fd[0], IPC_RMID, NULL);
	if (w->set_up == with_semaphore)
		semctl(w->fd[0], 0, IPC_RMID);
}

int main(int argc, char **argv)
{
	bool all = argc > 1 && !strcmp(argv[1], "freeze");
	sigset_t set;

	if (argc != 2 || (!all && strcmp(argv[1], "restore"))) {
		fprintf(stderr, "usage: torture freeze | restore\n");
		return 2;
	}
	signal(SIGUSR1, on_signal);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(waiters); i++)
		if (all || waiters[i].flags & COVERED)
			start(&waiters[i]);
	ready_then_go();
	released = true;
	for (size_t i = 0; i < ARRAY_SIZE(waiters); i++)
		if (all || waiters[i].flags & COVERED)
			end(&waiters[i]);
	for (size_t i = 0; i < ARRAY_SIZE(waiters); i++)
		remove_ipc(&waiters[i]);
	return verdict();
}
