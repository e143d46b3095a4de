// SPDX-License-Identifier: GPL-2.0-only
/*
 * Descriptors of eventfd, timerfd and signalfd: counters, flags, running and expired timers, masks.
 *
 * usage: state_events
 */

#define _GNU_SOURCE
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include "state.h"

#define FAR 1000000L /* seconds that no test lasts */
#define NEAR (FAR - 10000)

static struct {
	int none, five, twin, most, over, semaphore;
	int relative, periodic, fast, absolute, expired, disarmed, alarm;
	int signals, other;
} fd;

static void set_up_counters(void)
{
	eventfd_t most = UINT64_MAX - 1;

	fd.none = eventfd(0, EFD_NONBLOCK);
	fd.five = eventfd(5, EFD_CLOEXEC);
	fd.twin = dup(fd.five);
	fd.most = eventfd(0, EFD_NONBLOCK);
	fd.semaphore = eventfd(3, EFD_SEMAPHORE | EFD_NONBLOCK);
	need(fd.none >= 0 && fd.five >= 0 && fd.most >= 0 && fd.semaphore >= 0, "eventfd");
	need(!eventfd_write(fd.most, most), "largest count");
	/* O_NONBLOCK comes and goes by fcntl() too. */
	fd.over = eventfd(1, EFD_NONBLOCK);
	need(!fcntl(fd.over, F_SETFL, O_APPEND), "flags");
}

static int timer(int clock, int flags, long s, long ns, long interval_s, long interval_ns)
{
	struct itimerspec its = { { interval_s, interval_ns }, { s, ns } };
	struct timespec now;
	int got = timerfd_create(clock, TFD_NONBLOCK);

	if (flags & TFD_TIMER_ABSTIME) {
		clock_gettime(clock, &now);
		its.it_value.tv_sec += now.tv_sec;
	}
	need(got >= 0 && !timerfd_settime(got, flags, &its, NULL), "timerfd");
	return got;
}

static void set_up_timers(void)
{
	fd.relative = timer(CLOCK_MONOTONIC, 0, FAR, 0, 0, 0);
	/* Has expired once. */
	fd.periodic = timer(CLOCK_BOOTTIME, 0, 0, 1, FAR, 0);
	fd.fast = timer(CLOCK_MONOTONIC, 0, 0, 1000000, 0, 1000000);
	fd.absolute = timer(CLOCK_REALTIME, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, FAR, 0,
			    2 * FAR, 0);
	fd.expired = timer(CLOCK_MONOTONIC, TFD_TIMER_ABSTIME, 0, 1, 0, 0);
	fd.disarmed = timer(CLOCK_REALTIME, 0, 0, 0, 0, 0);
	fd.alarm = timer(CLOCK_BOOTTIME_ALARM, 0, FAR, 0, FAR, 5);
	nap(20);
}

static void set_up_signals(void)
{
	union sigval value = { .sival_int = 42 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN + 2);
	need(!sigprocmask(SIG_BLOCK, &set, NULL), "mask");
	fd.signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	sigfillset(&set);
	fd.other = signalfd(-1, &set, 0);
	need(fd.signals >= 0 && fd.other >= 0, "signalfd");
	need(!raise(SIGUSR1) && !sigqueue(getpid(), SIGRTMIN + 2, value), "signals");
}

/* What fdinfo says of all descriptors, but for what goes on and for the kernel's own numbers. */
static void read_info(char *text, size_t size)
{
	const int *all = (const int *)&fd;
	char path[64], info[2000], *line, *next;
	size_t length = 0;

	for (size_t i = 0; i < sizeof(fd) / sizeof(int); i++) {
		snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", all[i]);
		read_file(path, info, sizeof(info));
		for (line = strtok_r(info, "\n", &next); line; line = strtok_r(NULL, "\n", &next))
			if (!strstr("ino mnt_id it_value eventfd-id", strtok(line, ":")) &&
			    !(all[i] == fd.fast && !strcmp(line, "ticks")))
				length += snprintf(text + length, size - length, "%d %s:%s\n",
						   all[i], line, line + strlen(line) + 1);
	}
}

static void check_counters(void)
{
	eventfd_t value = 0;

	check(eventfd_read(fd.none, &value) && errno == EAGAIN, "eventfd: empty, does not block");
	check(!eventfd_write(fd.five, 2) && !eventfd_read(fd.twin, &value) && value == 7,
	      "eventfd: count, and two descriptors of one");
	check(eventfd_write(fd.most, 1) && errno == EAGAIN && !eventfd_read(fd.most, &value) &&
		      value == UINT64_MAX - 1,
	      "eventfd: the largest count");
	for (int i = 0; i < 3; i++)
		check(!eventfd_read(fd.semaphore, &value) && value == 1, "eventfd: semaphore");
	check(eventfd_read(fd.semaphore, &value) && errno == EAGAIN, "eventfd: semaphore is down");
	check(fcntl(fd.over, F_GETFL) == (O_RDWR | O_APPEND) && !eventfd_read(fd.over, &value),
	      "eventfd: flags of fcntl()");
	check(fcntl(fd.five, F_GETFD) == FD_CLOEXEC && !fcntl(fd.twin, F_GETFD), "close on exec");
}

static uint64_t ticks_of(int file)
{
	uint64_t ticks = 0;

	return read(file, &ticks, sizeof(ticks)) == sizeof(ticks) ? ticks : 0;
}

static bool is_far(int file, long interval_s, long interval_ns)
{
	struct itimerspec its;

	return !timerfd_gettime(file, &its) && its.it_value.tv_sec > NEAR &&
	       its.it_value.tv_sec <= FAR && its.it_interval.tv_sec == interval_s &&
	       its.it_interval.tv_nsec == interval_ns;
}

static void check_timers(void)
{
	struct itimerspec its;

	check(is_far(fd.relative, 0, 0) && !ticks_of(fd.relative), "timerfd: remaining time");
	check(ticks_of(fd.periodic) == 1 && is_far(fd.periodic, FAR, 0),
	      "timerfd: an expiration that was not read, and the next");
	check(ticks_of(fd.fast) >= 19, "timerfd: many expirations");
	nap(2);
	check(ticks_of(fd.fast) >= 1, "timerfd: goes on");
	check(is_far(fd.absolute, 2 * FAR, 0) && !ticks_of(fd.absolute) && errno == EAGAIN,
	      "timerfd: point in time");
	check(!timerfd_gettime(fd.expired, &its) && !its.it_value.tv_sec && !its.it_value.tv_nsec &&
		      ticks_of(fd.expired) == 1 && !ticks_of(fd.expired),
	      "timerfd: has expired");
	check(!timerfd_gettime(fd.disarmed, &its) && !its.it_value.tv_sec && !ticks_of(fd.disarmed),
	      "timerfd: disarmed");
	check(is_far(fd.alarm, FAR, 5), "timerfd: alarm clock");
}

/* The clock is set to what it is, which a timer with TFD_TIMER_CANCEL_ON_SET tells. */
static void check_cancel(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (clock_settime(CLOCK_REALTIME, &now))
		return;
	check(!ticks_of(fd.absolute) && errno == ECANCELED,
	      "timerfd: cancelled as the clock is set");
}

static void check_signals(void)
{
	struct signalfd_siginfo info;

	check(read(fd.signals, &info, sizeof(info)) == sizeof(info) && info.ssi_signo == SIGUSR1,
	      "signalfd: a signal that was pending");
	check(read(fd.signals, &info, sizeof(info)) == sizeof(info) &&
		      info.ssi_signo == (uint32_t)SIGRTMIN + 2 && info.ssi_int == 42,
	      "signalfd: the next with its value");
	check(read(fd.signals, &info, sizeof(info)) < 0 && errno == EAGAIN, "signalfd: no other");
	raise(SIGUSR1);
	check(read(fd.signals, &info, sizeof(info)) == sizeof(info) && info.ssi_signo == SIGUSR1,
	      "signalfd: goes on");
}

int main(void)
{
	static char before[20000], after[20000];

	set_up_counters();
	set_up_timers();
	set_up_signals();
	read_info(before, sizeof(before));

	ready_then_go();

	read_info(after, sizeof(after));
	check_same_text("fdinfo of all descriptors", before, after);
	check_counters();
	check_timers();
	check_cancel();
	check_signals();
	return verdict();
}
