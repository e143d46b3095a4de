// SPDX-License-Identifier: LGPL-2.1-or-later
/* The time namespace that the processes of a job are made in. */

#define _GNU_SOURCE

#include "timens.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000LL
#define OFFSETS "/proc/self/timens_offsets"

/* What is added to the clocks of the machine, in nanoseconds. */
struct offsets {
	long long monotonic, boottime;
};

static int read_offsets(struct offsets *o)
{
	FILE *in = fopen(OFFSETS, "re");
	char name[32];
	long long seconds;
	long ns;

	if (!in)
		return errno;
	while (fscanf(in, "%31s %lld %ld", name, &seconds, &ns) == 3) {
		if (!strcmp(name, "monotonic"))
			o->monotonic = seconds * SECOND + ns;
		else if (!strcmp(name, "boottime"))
			o->boottime = seconds * SECOND + ns;
	}
	fclose(in);
	return 0;
}

/* Rounded down, as the nanoseconds are not negative. */
static long long seconds_of(long long ns)
{
	return (ns - (ns % SECOND + SECOND) % SECOND) / SECOND;
}

static int write_offsets(const struct offsets *o)
{
	int fd = open(OFFSETS, O_WRONLY | O_CLOEXEC), err = 0;
	char text[160];
	int length;

	if (fd < 0)
		return errno;
	length = snprintf(text, sizeof(text), "monotonic %lld %lld\nboottime %lld %lld\n",
			  seconds_of(o->monotonic),
			  o->monotonic - seconds_of(o->monotonic) * SECOND, seconds_of(o->boottime),
			  o->boottime - seconds_of(o->boottime) * SECOND);
	if (write(fd, text, length) != length)
		err = errno;
	close(fd);
	return err;
}

/* What has to be added to a clock for it to say @wanted. */
static long long offset_for(clockid_t clock, long long own, unsigned long long wanted)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (long long)wanted - (ts.tv_sec * SECOND + ts.tv_nsec - own);
}

int timens_enter(const struct ckpt_tasks *clocks, int freeze, int *old)
{
	struct offsets own = { 0 }, wanted = { clocks->monotonic_offset, clocks->boottime_offset };
	int err;

	*old = -1;
	err = read_offsets(&own);
	/* A kernel without time namespaces has no such file. */
	if (err == ENOENT && !freeze && !wanted.monotonic && !wanted.boottime)
		return 0;
	if (err)
		return err;
	if (!freeze && wanted.monotonic == own.monotonic && wanted.boottime == own.boottime)
		return 0;
	*old = open("/proc/self/ns/time", O_RDONLY | O_CLOEXEC);
	if (*old < 0 || unshare(CLONE_NEWTIME))
		return errno;
	if (freeze) {
		wanted.monotonic = offset_for(CLOCK_MONOTONIC, own.monotonic, clocks->monotonic);
		wanted.boottime = offset_for(CLOCK_BOOTTIME, own.boottime, clocks->boottime);
	}
	return write_offsets(&wanted);
}

void timens_leave(int old)
{
	int err = errno;

	if (old < 0)
		return;
	/* Fails for a program with threads: its later children stay in the namespace of the job. */
	if (setns(old, CLONE_NEWTIME))
		errno = err;
	close(old);
	errno = err;
}
