// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interval timers, CPU clocks and the start time go on from where they were. The file "down" tells
 * for how long, in seconds, the process was not there.
 *
 * usage: state_cputime
 */

#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/times.h>

#include "state.h"
#include "timing.h"

#define SECOND 1000000000LL
/* By the ticks: user time, and all time, of the process. */
#define PROCESS_VIRT ((clockid_t)(~0U << 3 | 1))
#define PROCESS_PROF ((clockid_t)(~0U << 3 | 0))

static const struct itimerval real = { { 7, 5 }, { 100000, 0 } };
static const struct itimerval virtual = { { 3, 1 }, { 5000, 0 } };
static const struct itimerval prof = { { 0, 0 }, { 6000, 0 } };

static volatile sig_atomic_t nr_alarms;

/* What counts CPU time, in nanoseconds, and must go on. */
static const struct clock {
	const char *name;
	long long (*read)(void);
} clocks[];

static long long process_clock(void)
{
	return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

static long long thread_clock(void)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

static long long virt_clock(void)
{
	return clock_ns(PROCESS_VIRT);
}

static long long prof_clock(void)
{
	return clock_ns(PROCESS_PROF);
}

static long long usage(int who)
{
	struct rusage u;

	getrusage(who, &u);
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * SECOND +
	       (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000LL;
}

static long long usage_of_process(void)
{
	return usage(RUSAGE_SELF);
}

static long long usage_of_thread(void)
{
	return usage(RUSAGE_THREAD);
}

static long long process_times(void)
{
	struct tms t;

	times(&t);
	return (t.tms_utime + t.tms_stime) * (SECOND / sysconf(_SC_CLK_TCK));
}

static const struct clock clocks[] = {
	{ "CLOCK_PROCESS_CPUTIME_ID", process_clock },
	{ "CLOCK_THREAD_CPUTIME_ID", thread_clock },
	{ "user time of the process", virt_clock },
	{ "user and system time of the process", prof_clock },
	{ "getrusage of the process", usage_of_process },
	{ "getrusage of the thread", usage_of_thread },
	{ "times", process_times },
};

/* Uses CPU time for long enough that the ticks see both user and system time. */
static void *use_time(void *arg)
{
	long long end = clock_ns(CLOCK_THREAD_CPUTIME_ID) + SECOND / 10;

	while (clock_ns(CLOCK_THREAD_CPUTIME_ID) < end)
		for (volatile int i = 0; i < 100000; i++)
			;
	return arg;
}

/* Where an interval timer ends by the clock that it goes by: between two bounds. */
struct span {
	long long low, high;
};

static struct span end_of(int which, clockid_t clock)
{
	struct itimerval left;
	struct span end;

	end.low = clock_ns(clock);
	getitimer(which, &left);
	end.high = clock_ns(clock) + 1000;
	end.low += left.it_value.tv_sec * SECOND + left.it_value.tv_usec * 1000;
	end.high += left.it_value.tv_sec * SECOND + left.it_value.tv_usec * 1000;
	return end;
}

static long long real_left(void)
{
	struct itimerval left;

	getitimer(ITIMER_REAL, &left);
	return left.it_value.tv_sec * SECOND + left.it_value.tv_usec * 1000;
}

static void check_interval(const char *name, int which, const struct itimerval *set)
{
	struct itimerval now;

	getitimer(which, &now);
	check(!memcmp(&now.it_interval, &set->it_interval, sizeof(now.it_interval)), "%s: interval",
	      name);
}

static void check_cpu_timer(const char *name, struct span before, struct span after)
{
	check(before.low <= after.high && after.low <= before.high,
	      "%s: ends at the same CPU time: %lld to %lld, then %lld to %lld", name, before.low,
	      before.high, after.low, after.high);
}

/* Sleeps by an alarm clock, and until the process has used some more CPU time. */
static long long cpu_sleep_ends;
static bool cpu_slept, cpu_woke, alarm_slept;

static void *sleep_by_cpu(void *arg)
{
	struct timespec ts = { .tv_nsec = SECOND * 7 / 10 };

	cpu_sleep_ends = clock_ns(CLOCK_PROCESS_CPUTIME_ID) + ts.tv_nsec;
	cpu_slept = !clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, 0, &ts, NULL) &&
		    clock_ns(CLOCK_PROCESS_CPUTIME_ID) >= cpu_sleep_ends;
	__atomic_store_n(&cpu_woke, true, __ATOMIC_SEQ_CST);
	return arg;
}

static void *sleep_by_alarm(void *arg)
{
	struct timespec ts = { .tv_sec = 3 };
	long long begin = clock_ns(CLOCK_BOOTTIME);
	int error = clock_nanosleep(CLOCK_BOOTTIME_ALARM, 0, &ts, NULL);

	/* A machine may lack such a clock. */
	alarm_slept = error == EOPNOTSUPP ||
		      (!error && clock_ns(CLOCK_BOOTTIME) - begin >= 3 * SECOND);
	return arg;
}

static void start_time(char *text, size_t size)
{
	char stat[1024], *field;
	int n;

	read_file("/proc/self/stat", stat, sizeof(stat));
	field = strrchr(stat, ')') + 2;
	for (n = 3; n < 22; n++)
		field = strchr(field, ' ') + 1;
	snprintf(text, size, "%.*s", (int)strcspn(field, " "), field);
}

static void on_signal(int signal)
{
	(void)signal;
	nr_alarms++;
}

/* Each kind of timer still sends its signal. */
static void check_signals(void)
{
	static const struct {
		const char *name;
		int which, signal;
	} kinds[] = {
		{ "ITIMER_REAL", ITIMER_REAL, SIGALRM },
		{ "ITIMER_VIRTUAL", ITIMER_VIRTUAL, SIGVTALRM },
		{ "ITIMER_PROF", ITIMER_PROF, SIGPROF },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct itimerval soon = { { 0, 0 }, { 0, 10000 } };

		signal(kinds[i].signal, on_signal);
		nr_alarms = 0;
		setitimer(kinds[i].which, &soon, NULL);
		while (!nr_alarms)
			;
		check(nr_alarms == 1, "%s: sends its signal", kinds[i].name);
	}
}

int main(void)
{
	long long before[ARRAY_SIZE(clocks)], armed, began, first, left, ended;
	struct span virt_before, prof_before;
	char started[32], starts[32];
	struct rusage u, v;
	pthread_t thread, by_cpu, by_alarm;

	need(!pthread_create(&thread, NULL, use_time, NULL) && !pthread_join(thread, NULL),
	     "thread");
	use_time(NULL);
	armed = clock_ns(CLOCK_MONOTONIC);
	need(!setitimer(ITIMER_REAL, &real, NULL) && !setitimer(ITIMER_VIRTUAL, &virtual, NULL) &&
		     !setitimer(ITIMER_PROF, &prof, NULL),
	     "timers");
	need(!pthread_create(&by_cpu, NULL, sleep_by_cpu, NULL) &&
		     !pthread_create(&by_alarm, NULL, sleep_by_alarm, NULL),
	     "sleepers");
	nap(50);
	start_time(started, sizeof(started));
	virt_before = end_of(ITIMER_VIRTUAL, PROCESS_VIRT);
	prof_before = end_of(ITIMER_PROF, PROCESS_PROF);
	getrusage(RUSAGE_SELF, &u);
	first = real_left();
	began = clock_ns(CLOCK_MONOTONIC);
	for (size_t i = 0; i < ARRAY_SIZE(clocks); i++)
		before[i] = clocks[i].read();
	ready_then_go();

	left = real_left();
	ended = clock_ns(CLOCK_MONOTONIC);
	for (size_t i = 0; i < ARRAY_SIZE(clocks); i++) {
		long long after = clocks[i].read(), ran;

		ran = clock_ns(CLOCK_MONOTONIC) - began - time_down();
		/* times() rounds to ticks of the clock. */
		check(after >= before[i] && after - before[i] <= ran + SECOND / 50,
		      "%s: %lld, then %lld within %lld", clocks[i].name, before[i], after, ran);
	}
	check(left <= first && left >= 100000 * SECOND - 1000 - (ended - armed - time_down()),
	      "ITIMER_REAL: %lld, then %lld are left after %lld, down for %lld", first, left,
	      ended - armed, time_down());
	check_interval("ITIMER_REAL", ITIMER_REAL, &real);
	check_interval("ITIMER_VIRTUAL", ITIMER_VIRTUAL, &virtual);
	check_interval("ITIMER_PROF", ITIMER_PROF, &prof);
	check_cpu_timer("ITIMER_VIRTUAL", virt_before, end_of(ITIMER_VIRTUAL, PROCESS_VIRT));
	check_cpu_timer("ITIMER_PROF", prof_before, end_of(ITIMER_PROF, PROCESS_PROF));
	getrusage(RUSAGE_SELF, &v);
	check(v.ru_minflt >= u.ru_minflt && v.ru_majflt >= u.ru_majflt &&
		      v.ru_nvcsw >= u.ru_nvcsw && v.ru_nivcsw >= u.ru_nivcsw,
	      "page faults and context switches");
	start_time(starts, sizeof(starts));
	check(!strcmp(started, starts), "start time: %s, then %s", started, starts);
	check_signals();
	/* A tick must find it at work behind the end. */
	while (!__atomic_load_n(&cpu_woke, __ATOMIC_SEQ_CST))
		use_time(NULL);
	pthread_join(by_cpu, NULL);
	check(cpu_slept, "sleep by CPU time");
	pthread_join(by_alarm, NULL);
	check(alarm_slept, "sleep by an alarm clock");
	return verdict();
}
