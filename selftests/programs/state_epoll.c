// SPDX-License-Identifier: GPL-2.0-only
/*
 * Epolls: what they watch, by which number and with which data, what is ready in which order, what
 * was
 * told already, what is disarmed; epolls in epolls.
 *
 * usage: state_epoll
 */

#define _GNU_SOURCE
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include "state.h"

#define DATA 0x1234567800000000ULL
#define MAX 32

/* Each pipe of these is watched in its own way. */
enum { LEVEL, LATE, TOLD, EDGE, DISARMED, SILENT, ARMED, EXCLUSIVE, MOVED, REUSED, NR };

static int ep, pipes[NR][2], moved, reused, at_own, own_pipe[2];
static int outer, inner, counter, timer, signals, mixed;

static void watch(int epoll, int file, uint32_t events, uint64_t data)
{
	struct epoll_event event = { .events = events, .data.u64 = data };

	need(!epoll_ctl(epoll, EPOLL_CTL_ADD, file, &event), "epoll_ctl");
}

static void put_in(int which)
{
	need(write(pipes[which][1], "x", 1) == 1, "pipe");
}

/* Fetches events; says how many, and their data without what all have in common. */
static int fetch(int epoll, int max, uint64_t *data)
{
	struct epoll_event events[MAX];
	int nr = epoll_wait(epoll, events, max, 0);

	for (int i = 0; i < nr; i++)
		data[i] = events[i].data.u64 - DATA;
	return nr;
}

static bool fetches(int epoll, const char *what, int nr, const uint64_t *wanted)
{
	uint64_t data[MAX] = {};
	int got = fetch(epoll, MAX, data);
	bool same = got == nr && !memcmp(data, wanted, nr * sizeof(*data));

	check(same, "%s", what);
	for (int i = 0; i < got && !same; i++)
		dprintf(STDOUT_FILENO, "got %lld\n", (long long)data[i]);
	return same;
}

static void set_up_pipes(void)
{
	uint64_t data[MAX];

	ep = epoll_create1(EPOLL_CLOEXEC);
	for (int i = 0; i < NR; i++)
		need(!pipe2(pipes[i], O_NONBLOCK), "pipe");
	watch(ep, pipes[TOLD][0], EPOLLIN | EPOLLET, DATA + TOLD);
	watch(ep, pipes[DISARMED][0], EPOLLIN | EPOLLONESHOT, DATA + DISARMED);
	watch(ep, pipes[SILENT][0], EPOLLIN | EPOLLONESHOT, DATA + SILENT);
	put_in(TOLD);
	put_in(DISARMED);
	put_in(SILENT);
	need(fetch(ep, MAX, data) == 3 && fetch(ep, MAX, data) == 0, "told events");
	need(read(pipes[SILENT][0], data, 1) == 1, "pipe");

	watch(ep, pipes[LEVEL][0], EPOLLIN, DATA + LEVEL);
	watch(ep, pipes[LATE][0], EPOLLIN | EPOLLRDHUP, DATA + LATE);
	watch(ep, pipes[EDGE][0], EPOLLIN | EPOLLET, DATA + EDGE);
	watch(ep, pipes[ARMED][0], EPOLLIN | EPOLLONESHOT, DATA + ARMED);
	watch(ep, pipes[EXCLUSIVE][0], EPOLLIN | EPOLLEXCLUSIVE, DATA + EXCLUSIVE);
}

/* Items whose number is no longer that of their file. */
static void set_up_numbers(void)
{
	/* The number is that of the epoll itself. */
	need(!pipe2(own_pipe, O_NONBLOCK), "pipe");
	at_own = epoll_create1(0);
	watch(at_own, own_pipe[0], EPOLLIN, DATA + 77);
	need(write(own_pipe[1], "x", 1) == 1, "pipe");
	own_pipe[1] = fcntl(own_pipe[0], F_DUPFD, 100);
	need(dup2(at_own, own_pipe[0]) == own_pipe[0], "dup2");
	close(at_own);
	at_own = own_pipe[0];

	watch(ep, pipes[MOVED][0], EPOLLIN, DATA + MOVED);
	moved = pipes[MOVED][0];
	pipes[MOVED][0] = fcntl(moved, F_DUPFD, 100);
	close(moved);
	watch(ep, pipes[REUSED][0], EPOLLIN, DATA + REUSED);
	reused = pipes[REUSED][0];
	pipes[REUSED][0] = fcntl(reused, F_DUPFD_CLOEXEC, 100);
	/* Another pipe has its number now, with its own flag. */
	need(dup3(pipes[LATE][0], reused, O_CLOEXEC) == reused, "dup3");
}

static void set_up_others(void)
{
	sigset_t set;

	outer = epoll_create1(0);
	inner = epoll_create1(0);
	mixed = epoll_create1(0);
	counter = eventfd(0, EFD_NONBLOCK);
	timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signals = signalfd(-1, &set, SFD_NONBLOCK);
	watch(outer, inner, EPOLLIN | EPOLLET, DATA + 1);
	watch(inner, counter, EPOLLIN, DATA + 2);
	need(!eventfd_write(counter, 3), "eventfd");
	watch(mixed, timer, EPOLLIN, DATA + 3);
	watch(mixed, signals, EPOLLIN, DATA + 4);
	watch(mixed, counter, EPOLLIN | EPOLLOUT | EPOLLET, DATA + 5);
	raise(SIGUSR1);
}

static void read_info(char *text, size_t size)
{
	const int all[] = { ep, at_own, outer, inner, mixed };
	char path[64], info[4000], *line, *next;
	size_t length = 0;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		unsigned int lines = 0, sum = 0;

		snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", all[i]);
		read_file(path, info, sizeof(info));
		/* Their order is that of addresses in the kernel. */
		for (line = strtok_r(info, "\n", &next); line; line = strtok_r(NULL, "\n", &next)) {
			char *rest = strstr(line, " pos:");

			if (strncmp(line, "tfd:", 4) || !rest)
				continue;
			*rest = 0;
			lines++;
			for (unsigned int n = 0, hash = 5381; line[n] || (sum += hash, false); n++)
				hash = hash * 33 + line[n];
		}
		length += snprintf(text + length, size - length, "epoll %zu: %u items, %x\n", i,
				   lines, sum);
	}
}

static void check_pipes(void)
{
	const uint64_t in_order[] = { ARMED, EDGE, REUSED, LEVEL, MOVED, EXCLUSIVE };
	const uint64_t level[] = { REUSED, LEVEL, MOVED, EXCLUSIVE };
	const uint64_t told[] = { REUSED, LEVEL, MOVED, EXCLUSIVE, TOLD };
	const uint64_t late[] = { REUSED, LEVEL, MOVED, EXCLUSIVE, LATE };
	struct epoll_event event = { .events = EPOLLIN | EPOLLONESHOT,
				     .data.u64 = DATA + DISARMED };
	uint64_t data[MAX];

	fetches(ep, "what is ready, in its order", ARRAY_SIZE(in_order), in_order);
	fetches(ep, "then what is level-triggered", ARRAY_SIZE(level), level);
	put_in(TOLD);
	fetches(ep, "an edge", ARRAY_SIZE(told), told);
	close(pipes[SILENT][1]);
	fetches(ep, "a disarmed item does not tell the end", ARRAY_SIZE(level), level);
	put_in(LATE);
	fetches(ep, "what was not ready", ARRAY_SIZE(late), late);
	check(!epoll_ctl(ep, EPOLL_CTL_MOD, pipes[DISARMED][0], &event) &&
		      fetch(ep, MAX, data) == 6 && data[5] == DISARMED,
	      "armed again");
	check(!epoll_ctl(ep, EPOLL_CTL_DEL, pipes[EDGE][0], NULL), "removed by its number");
	check(epoll_ctl(ep, EPOLL_CTL_DEL, moved, NULL) && errno == EBADF,
	      "not removed by a number that is closed");
	check(epoll_ctl(ep, EPOLL_CTL_DEL, reused, NULL) && errno == ENOENT &&
		      fcntl(reused, F_GETFD) == FD_CLOEXEC,
	      "nor by one that is another pipe's");
	check(dup2(pipes[MOVED][0], moved) == moved && !epoll_ctl(ep, EPOLL_CTL_DEL, moved, NULL),
	      "removed when the number is the file's again");
	check(fetch(at_own, MAX, data) == 1 && data[0] == 77, "its number is that of the epoll");
}

static void check_others(void)
{
	const uint64_t one[] = { 1 }, two[] = { 2 }, signal_and_count[] = { 5, 4 }, four[] = { 4 };
	struct signalfd_siginfo info;
	eventfd_t value;

	fetches(outer, "an epoll in an epoll", 1, one);
	check(fetch(outer, MAX, &value) == 0, "told once");
	fetches(inner, "and what is in it", 1, two);
	fetches(mixed, "signals and counters", 2, signal_and_count);
	fetches(mixed, "signals", 1, four);
	check(read(signals, &info, sizeof(info)) == sizeof(info), "signal");
	check(fetch(mixed, MAX, &value) == 0, "no more signals");
	raise(SIGUSR1);
	fetches(mixed, "a new signal", 1, four);
	eventfd_read(counter, &value);
	check(value == 3, "counter");
}

int main(void)
{
	static char before[4000], after[4000];

	set_up_pipes();
	set_up_others();
	set_up_numbers();
	/* Not the order in which they were added. */
	put_in(ARMED);
	put_in(EDGE);
	put_in(REUSED);
	put_in(LEVEL);
	put_in(MOVED);
	put_in(EXCLUSIVE);
	read_info(before, sizeof(before));

	ready_then_go();

	read_info(after, sizeof(after));
	check_same_text("fdinfo of all epolls", before, after);
	check_pipes();
	check_others();
	return verdict();
}
