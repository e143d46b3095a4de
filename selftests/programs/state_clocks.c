// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looks at the clocks before and after it was not there, in the vDSO and in the kernel, and sleeps
 * until a point in time. The file "down" tells for how long, in seconds, it was not there.
 *
 * usage: state_clocks		the clocks of the machine
 *	  state_clocks freeze	CLOCK_MONOTONIC and CLOCK_BOOTTIME stood still
 */

#define _GNU_SOURCE
#include <pthread.h>

#include "state.h"
#include "timing.h"

#define SECOND 1000000000LL

static const struct {
	const char *name;
	clockid_t clock;
} clocks[] = {
	{ "CLOCK_MONOTONIC", CLOCK_MONOTONIC },
	{ "CLOCK_MONOTONIC_RAW", CLOCK_MONOTONIC_RAW },
	{ "CLOCK_BOOTTIME", CLOCK_BOOTTIME },
};

static long long sleep_ends;
static bool slept_enough;

/* The same without the vDSO. */
static long long kernel_ns(clockid_t clock)
{
	struct timespec ts;

	need(!syscall(SYS_clock_gettime, clock, &ts), "clock_gettime");
	return ts.tv_sec * SECOND + ts.tv_nsec;
}

static void *sleep_long(void *arg)
{
	struct timespec until = { sleep_ends / SECOND, sleep_ends % SECOND };

	slept_enough = !clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) &&
		       clock_ns(CLOCK_MONOTONIC) >= sleep_ends;
	return arg;
}

static void uptime(char *text, size_t size)
{
	char whole[64];

	read_file("/proc/uptime", whole, sizeof(whole));
	snprintf(text, size, "%.*s", (int)strcspn(whole, "."), whole);
}

int main(int argc, char **argv)
{
	bool freeze = argc > 1 && !strcmp(argv[1], "freeze");
	long long before[ARRAY_SIZE(clocks)], real = clock_ns(CLOCK_REALTIME), alive;
	char up_before[64], up_after[64];
	pthread_t thread;

	for (size_t i = 0; i < ARRAY_SIZE(clocks); i++)
		before[i] = clock_ns(clocks[i].clock);
	uptime(up_before, sizeof(up_before));
	/* As long as the process is not there at least, and longer than the rest of it lasts. */
	sleep_ends = clock_ns(CLOCK_MONOTONIC) + 3 * SECOND;
	need(!pthread_create(&thread, NULL, sleep_long, NULL), "thread");
	ready_then_go();
	for (size_t i = 0; i < ARRAY_SIZE(clocks); i++) {
		long long low = kernel_ns(clocks[i].clock), vdso = clock_ns(clocks[i].clock);
		long long high = kernel_ns(clocks[i].clock), passed = vdso - before[i];

		/* The raw clock runs a little faster or slower. */
		alive = clock_ns(CLOCK_REALTIME) - real - time_down() + SECOND / 10;
		check(low <= vdso && vdso <= high, "%s: vDSO %lld, kernel %lld to %lld",
		      clocks[i].name, vdso, low, high);
		check(passed >= 0 && (!freeze || passed <= alive),
		      "%s: has moved on by %lld of %lld", clocks[i].name, passed, alive);
		check(freeze || passed >= time_down(), "%s: has not stood still", clocks[i].name);
	}
	uptime(up_after, sizeof(up_after));
	check(atoll(up_after) >= atoll(up_before) &&
		      (!freeze || atoll(up_after) - atoll(up_before) <= alive / SECOND + 2),
	      "/proc/uptime: %s, then %s", up_before, up_after);
	pthread_join(thread, NULL);
	check(slept_enough, "absolute sleep");
	return verdict();
}
