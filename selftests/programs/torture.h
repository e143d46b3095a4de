/* SPDX-License-Identifier: GPL-2.0-only */
/* What a waiting thread of the torture program is. */
#ifndef TORTURE_H
#define TORTURE_H

#include <pthread.h>

#include "state.h"

/* How long a timed wait lasts. */
#define SECONDS 3

enum {
	COVERED = 1, /* by an image */
	TIMED = 2,
	ANEW = 4, /* an interruption starts its time again: the kernel keeps no rest */
};

struct waiter {
	const char *name;
	unsigned int flags;
	bool (*wait)(struct waiter *w); /* whether it returned what it had to */
	void (*wake)(struct waiter *w);
	bool (*set_up)(struct waiter *w);
	int fd[2];
	int word;
	pid_t tid;
	pid_t child;
	pthread_t thread;
};

static volatile bool released;
static const struct timespec limit = { .tv_sec = SECONDS };
static char tiny;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static struct timespec later(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += SECONDS;
	return ts;
}

#endif /* TORTURE_H */
