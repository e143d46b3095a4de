// SPDX-License-Identifier: GPL-2.0-only
/*
 * POSIX timers of all clocks go on: the same IDs, times, overruns and pending signals. The file
 * "down" tells for how long, in seconds, the process was not there.
 *
 * usage: state_timers [freeze]	"freeze": clocks but the time of day stood still
 */

#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>

#include "state.h"
#include "timing.h"

#define SECOND 1000000000LL
#define FAR 100000
#define NR_DELETED 3
/* All pending signals have this number, but that of the thread. */
#define PENDING (SIGRTMIN + 3)
#define OF_THREAD (SIGRTMIN + 4)
#define TICK (SIGRTMIN + 5)
#define BY_CPU (SIGRTMIN + 6)

static const struct timespec at_once = { .tv_nsec = 1 }, patience = { .tv_sec = 60 };
static volatile sig_atomic_t nr_ticks, nr_by_cpu;
static pid_t helper;
static pthread_t helper_thread;
static bool helper_may_end;
static int in_helper = -1, of_thread;

static int create(clockid_t clock, int notify, int signal, int value, pid_t tid)
{
	struct sigevent event = { .sigev_notify = notify, .sigev_signo = signal };
	int id = -1;

	event.sigev_value.sival_ptr = (void *)(0x123400000000L + value);
	event._sigev_un._tid = tid;
	if (syscall(SYS_timer_create, clock, &event, &id))
		return -1;
	return id;
}

static void set(int id, int flags, const struct timespec *value, long interval_ns)
{
	struct itimerspec spec = { .it_value = *value };

	spec.it_interval.tv_sec = interval_ns / SECOND;
	spec.it_interval.tv_nsec = interval_ns % SECOND;
	need(!syscall(SYS_timer_settime, id, flags, &spec, NULL), "timer_settime");
}

static long long left_of(int id)
{
	struct itimerspec spec;

	need(!syscall(SYS_timer_gettime, id, &spec), "timer_gettime");
	return spec.it_value.tv_sec * SECOND + spec.it_value.tv_nsec;
}

static long long interval_of(int id)
{
	struct itimerspec spec;

	need(!syscall(SYS_timer_gettime, id, &spec), "timer_gettime");
	return spec.it_interval.tv_sec * SECOND + spec.it_interval.tv_nsec;
}

/* --- timers that are far from expiring --- */

/* What a timer's end is fixed to. */
enum { NOTHING, REST, END };

static const struct far {
	const char *name;
	clockid_t clock;
	int notify;
	int flags;
	long interval;
	int kept;
} fars[] = {
	{ "monotonic", CLOCK_MONOTONIC, SIGEV_SIGNAL, 0, 3000000007, REST },
	{ "realtime", CLOCK_REALTIME, SIGEV_THREAD_ID, 0, 0, REST },
	{ "realtime absolute", CLOCK_REALTIME, SIGEV_SIGNAL, TIMER_ABSTIME, 5, END },
	{ "boottime without signal", CLOCK_BOOTTIME, SIGEV_NONE, 0, SECOND, REST },
	{ "monotonic absolute", CLOCK_MONOTONIC, SIGEV_THREAD, TIMER_ABSTIME, 0, REST },
	{ "TAI", CLOCK_TAI, SIGEV_SIGNAL, TIMER_ABSTIME, 0, END },
	{ "boottime alarm", CLOCK_BOOTTIME_ALARM, SIGEV_SIGNAL, 0, SECOND, REST },
	{ "realtime alarm", CLOCK_REALTIME_ALARM, SIGEV_NONE, TIMER_ABSTIME, SECOND, END },
	{ "CPU time of the process", CLOCK_PROCESS_CPUTIME_ID, SIGEV_SIGNAL, 0, 7, END },
	{ "CPU time of the thread", CLOCK_THREAD_CPUTIME_ID, SIGEV_NONE, 0, 7, END },
	{ "not armed", CLOCK_MONOTONIC, SIGEV_SIGNAL, 0, 0, NOTHING },
};

/* What was seen of each: it ends by its clock between two bounds. */
static struct seen {
	int id;
	long long armed, left, low, high;
} seen[ARRAY_SIZE(fars)];

static void look_at(const struct far *f, struct seen *s)
{
	s->low = clock_ns(f->clock);
	s->left = left_of(s->id);
	s->high = clock_ns(f->clock) + s->left;
	s->low += s->left;
}

static void make_far(const struct far *f, struct seen *s, int value)
{
	struct timespec when = { .tv_sec = FAR };

	s->armed = clock_ns(CLOCK_MONOTONIC);
	s->id = create(f->clock, f->notify, SIGRTMIN + value % 3, value, helper);
	if (s->id < 0 && errno == EOPNOTSUPP)
		return;
	need(s->id >= 0, f->name);
	if (f->flags)
		when.tv_sec += clock_ns(f->clock) / SECOND;
	if (f->kept != NOTHING)
		set(s->id, f->flags, &when, f->interval);
	look_at(f, s);
}

static void check_far(const struct far *f, struct seen *s)
{
	struct seen before = *s;
	long long alive;

	if (s->id < 0) {
		check(true, "%s: not on this machine", f->name);
		return;
	}
	look_at(f, s);
	check(interval_of(s->id) == f->interval, "%s: interval", f->name);
	alive = clock_ns(CLOCK_MONOTONIC) - s->armed - time_down();
	if (f->kept == END || (f->kept == REST && time_stood && f->clock != CLOCK_REALTIME))
		check(before.low <= s->high && s->low <= before.high,
		      "%s: ends at the same time: %lld to %lld, then %lld to %lld", f->name,
		      before.low, before.high, s->low, s->high);
	else if (f->kept == REST)
		check(s->left <= before.left && s->left >= before.left - alive,
		      "%s: %lld, then %lld are left after %lld", f->name, before.left, s->left,
		      alive);
	else
		check(!s->left, "%s: %lld are left", f->name, s->left);
}

/* --- timers that have expired --- */

static int ids[5];

static void send(int value)
{
	union sigval v = { .sival_ptr = (void *)(0x123400000000L + value) };

	need(!sigqueue(getpid(), PENDING, v), "sigqueue");
}

static int expire(int value)
{
	int id = create(CLOCK_MONOTONIC, SIGEV_SIGNAL, PENDING, value, 0);

	need(id >= 0, "timer_create");
	set(id, 0, &at_once, 0);
	nap(5);
	return id;
}

/* Signals of timers between signals of the process itself. */
static void make_pending(void)
{
	send(0);
	ids[1] = expire(1);
	send(2);
	ids[3] = expire(3);
	/* While its signal is pending it expires once more. */
	set(ids[3], 0, &at_once, 0);
	nap(5);
	/* The signal of a timer that is gone. */
	ids[4] = expire(4);
	need(!syscall(SYS_timer_delete, ids[4]), "timer_delete");
}

static bool take(int signal, siginfo_t *info)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal);
	return sigtimedwait(&set, info, &patience) == signal;
}

static void check_pending(void)
{
	for (int i = 0; i < 5; i++) {
		siginfo_t info = {};
		bool of_timer = i == 1 || i >= 3;

		check(take(PENDING, &info), "pending signal %d", i);
		check(info.si_ptr == (void *)(0x123400000000L + i), "pending signal %d: value %p",
		      i, info.si_ptr);
		check(info.si_code == (of_timer ? SI_TIMER : SI_QUEUE),
		      "pending signal %d: code %d", i, info.si_code);
		if (of_timer)
			check(info.si_timerid == ids[i] && info.si_overrun == (i == 3),
			      "pending signal %d: timer %d, overruns %d", i, info.si_timerid,
			      info.si_overrun);
	}
}

/* --- timers that expire often --- */

static int ticking, blocked, by_cpu, first_overruns;
static long long blocked_since, cpu_end;

static void on_tick(int signal)
{
	if (signal == TICK)
		nr_ticks++;
	else
		nr_by_cpu++;
}

static void make_often(void)
{
	struct timespec soon = { .tv_nsec = 10000000 }, used = { .tv_nsec = 300000000 };
	siginfo_t info;

	ticking = create(CLOCK_MONOTONIC, SIGEV_SIGNAL, TICK, 0, 0);
	set(ticking, 0, &soon, 10000000);
	/* Its signal is taken once, with overruns, and then comes again and stays. */
	blocked = create(CLOCK_BOOTTIME, SIGEV_SIGNAL, SIGRTMIN + 7, 77, 0);
	set(blocked, 0, &soon, 1000000);
	nap(50);
	blocked_since = clock_ns(CLOCK_MONOTONIC);
	need(take(SIGRTMIN + 7, &info) && info.si_overrun > 0, "overruns");
	first_overruns = info.si_overrun;
	nap(50);
	by_cpu = create(CLOCK_PROCESS_CPUTIME_ID, SIGEV_SIGNAL, BY_CPU, 0, 0);
	cpu_end = clock_ns(CLOCK_PROCESS_CPUTIME_ID) + used.tv_nsec;
	set(by_cpu, 0, &used, 0);
}

static void check_often(void)
{
	int ticks = nr_ticks, overruns = syscall(SYS_timer_getoverrun, blocked);
	long long used, alive;
	siginfo_t info;

	check(overruns == first_overruns, "overruns: %d, then %d", first_overruns, overruns);
	check(take(SIGRTMIN + 7, &info), "blocked timer: its signal");
	check(info.si_timerid == blocked && info.si_ptr == (void *)0x12340000004dL,
	      "blocked timer %d: signal of timer %d", blocked, info.si_timerid);
	alive = clock_ns(CLOCK_MONOTONIC) - blocked_since - time_down();
	check(info.si_overrun > 0 && info.si_overrun <= alive / 1000000,
	      "blocked timer: %d overruns of 1 ms in %lld ns", info.si_overrun, alive);
	check(take(SIGRTMIN + 7, &info), "blocked timer: goes on");
	while (nr_ticks == ticks)
		nap(1);
	check(true, "ticks: go on");
	do
		used = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	while (!nr_by_cpu && used < cpu_end + 10 * SECOND);
	check(nr_by_cpu == 1 && clock_ns(CLOCK_PROCESS_CPUTIME_ID) >= cpu_end,
	      "CPU time: expires after %lld of %lld", used, cpu_end);
}

/* --- a thread that gets signals --- */

static void *help(void *arg)
{
	siginfo_t info;

	in_helper = create(CLOCK_THREAD_CPUTIME_ID, SIGEV_SIGNAL, SIGRTMIN, 0, 0);
	__atomic_store_n(&helper, gettid(), __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&helper_may_end, __ATOMIC_SEQ_CST))
		nap(10);
	check(take(OF_THREAD, &info), "signal to a thread");
	check(info.si_code == SI_TIMER && info.si_timerid == of_thread,
	      "signal of a timer to a thread: timer %d", info.si_timerid);
	return arg;
}

static void make_helper(void)
{
	struct timespec used = { .tv_sec = FAR };

	need(!pthread_create(&helper_thread, NULL, help, NULL), "thread");
	while (!__atomic_load_n(&helper, __ATOMIC_SEQ_CST))
		nap(1);
	set(in_helper, 0, &used, 0);
	of_thread = create(CLOCK_MONOTONIC, SIGEV_THREAD_ID, OF_THREAD, 0, helper);
	set(of_thread, 0, &at_once, 0);
	nap(5);
}

static void check_helper(void)
{
	long long left = left_of(in_helper);

	check(left <= FAR * SECOND && left > (FAR - 10) * SECOND,
	      "CPU time of another thread: %lld are left", left);
	__atomic_store_n(&helper_may_end, true, __ATOMIC_SEQ_CST);
	pthread_join(helper_thread, NULL);
}

int main(int argc, char **argv)
{
	static char before[8192], after[8192];
	int next, got;
	sigset_t set;

	time_stood = argc > 1 && !strcmp(argv[1], "freeze");
	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	make_helper();
	signal(TICK, on_tick);
	signal(BY_CPU, on_tick);
	sigemptyset(&set);
	sigaddset(&set, TICK);
	sigaddset(&set, BY_CPU);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	for (int i = 0; i < NR_DELETED; i++)
		next = create(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0, 0);
	for (int i = 0; i < NR_DELETED; i++)
		syscall(SYS_timer_delete, next - i);
	for (size_t i = 0; i < ARRAY_SIZE(fars); i++)
		make_far(&fars[i], &seen[i], i);
	make_pending();
	make_often();
	next = create(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0, 0);
	need(next > NR_DELETED && !syscall(SYS_timer_delete, next), "IDs");
	read_file("/proc/self/timers", before, sizeof(before));
	ready_then_go();
	read_file("/proc/self/timers", after, sizeof(after));
	check(strlen(before) > 500, "/proc/PID/timers names them");
	check_same_text("/proc/PID/timers", before, after);
	got = create(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0, 0);
	check(got == next + 1, "the next ID: %d", got);
	for (size_t i = 0; i < ARRAY_SIZE(fars); i++)
		check_far(&fars[i], &seen[i]);
	check_pending();
	check_often();
	check_helper();
	for (size_t i = 0; i < ARRAY_SIZE(fars); i++)
		check(seen[i].id < 0 || !syscall(SYS_timer_delete, seen[i].id), "%s: deleted",
		      fars[i].name);
	return verdict();
}
