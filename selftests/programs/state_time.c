// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads that sleep, each in another way, for the same time. Each says when it began and when it
 * woke, by CLOCK_MONOTONIC of the machine, and its thread ID.
 *
 * usage: state_time SECONDS
 */

#define _GNU_SOURCE
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>

#include "state.h"

static int seconds, silent[2];

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static int by_nanosleep(void)
{
	struct timespec ts = { .tv_sec = seconds };

	return nanosleep(&ts, NULL);
}

static int by_clock_nanosleep(void)
{
	struct timespec ts = { .tv_sec = seconds };

	return clock_nanosleep(CLOCK_BOOTTIME, 0, &ts, NULL);
}

static int by_futex(void)
{
	struct timespec ts = { .tv_sec = seconds };
	int word = 0;

	return syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &ts, NULL, 0) != -1 ||
	       errno != ETIMEDOUT;
}

static int by_poll(void)
{
	struct pollfd fd = { .fd = silent[0], .events = POLLIN };

	return poll(&fd, 1, seconds * 1000);
}

static int by_absolute_sleep(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += seconds;
	return clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

static const struct sleeper {
	const char *name;
	int (*sleep)(void);
} sleepers[] = {
	{ "nanosleep", by_nanosleep },
	{ "clock_nanosleep", by_clock_nanosleep },
	{ "futex", by_futex },
	{ "poll", by_poll },
	{ "absolute", by_absolute_sleep },
};

static void *run(void *arg)
{
	const struct sleeper *s = arg;
	int error;

	dprintf(STDOUT_FILENO, "begin %s %.6f %d\n", s->name, now(), gettid());
	error = s->sleep();
	dprintf(STDOUT_FILENO, "end %s %.6f %d\n", s->name, now(), gettid());
	check(!error, "%s", s->name);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[ARRAY_SIZE(sleepers)];

	seconds = argc > 1 ? atoi(argv[1]) : 0;
	if (seconds <= 0) {
		fprintf(stderr, "usage: state_time SECONDS\n");
		return 2;
	}
	need(!pipe(silent), "pipe");
	for (size_t i = 0; i < ARRAY_SIZE(sleepers); i++)
		need(!pthread_create(&threads[i], NULL, run, (void *)&sleepers[i]), "thread");
	for (size_t i = 0; i < ARRAY_SIZE(sleepers); i++)
		pthread_join(threads[i], NULL);
	return verdict();
}
