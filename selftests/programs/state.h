/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the programs that check their own state share: they set it up, say "ready", wait for the
 * file "go" in their folder, and compare what the kernel says about them to what it said before.
 */
#ifndef STATE_H
#define STATE_H

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define unused_ok __attribute__((unused))

static int nr_bad;
/* What tells the program to go on. */
unused_ok static const char *go_file = "go";

/* Says on one line whether a claim holds. */
unused_ok __attribute__((format(printf, 2, 3))) static bool check(bool holds, const char *format,
								  ...)
{
	char text[900];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	dprintf(STDOUT_FILENO, "%s %s\n", holds ? "ok" : "bad", text);
	if (!holds)
		__atomic_add_fetch(&nr_bad, 1, __ATOMIC_SEQ_CST);
	return holds;
}

/* Ends a program whose state cannot even be set up. */
unused_ok static void need(bool done, const char *what)
{
	if (done)
		return;
	dprintf(STDOUT_FILENO, "cannot set up %s: %s\n", what, strerror(errno));
	exit(3);
}

unused_ok static void nap(long milliseconds)
{
	struct timespec ts = { milliseconds / 1000, milliseconds % 1000 * 1000000 };

	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
}

/* stat(), because access() looks with the real user ID. */
unused_ok static void wait_for_file(const char *name)
{
	struct stat st;

	while (stat(name, &st))
		nap(20);
}

unused_ok static void ready_then_go(void)
{
	dprintf(STDOUT_FILENO, "ready\n");
	wait_for_file(go_file);
}

unused_ok static int verdict(void)
{
	return nr_bad ? 1 : 0;
}

/* Reads a small file whole; the text ends with NUL and is cut where the room ends. */
unused_ok static size_t read_file(const char *path, char *text, size_t size)
{
	size_t have = 0;
	ssize_t got = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		while (have < size - 1 && (got = read(fd, text + have, size - 1 - have)) > 0)
			have += got;
		close(fd);
	}
	text[have] = 0;
	return have;
}

/* Finds the first line in which two texts differ and reports it. */
unused_ok static void check_same_text(const char *what, const char *before, const char *after)
{
	while (*before || *after) {
		int one = strcspn(before, "\n"), other = strcspn(after, "\n");

		if (one != other || memcmp(before, after, one)) {
			check(false, "%s: before '%.*s', after '%.*s'", what, one, before, other,
			      after);
			return;
		}
		before += one + !!before[one];
		after += other + !!after[other];
	}
	check(true, "%s", what);
}

/* The lines of /proc/PID/task/TID/status that an image has to keep. */
unused_ok static void read_status(pid_t tid, char *text, size_t size)
{
	static const char *const keep[] = {
		" Name Umask Tgid Ngid Pid TracerPid Uid Gid Groups NStgid NSpid NSpgid NSsid ",
		" SigPnd ShdPnd SigBlk SigIgn SigCgt CapInh CapPrm CapEff CapBnd CapAmb NoNewPrivs ",
		" Seccomp Seccomp_filters Speculation_Store_Bypass SpeculationIndirectBranch ",
		" THP_enabled Cpus_allowed Mems_allowed VmLck VmPin ",
	};
	char path[64], raw[8192], *line, *next;
	size_t length = 0;

	snprintf(path, sizeof(path), "/proc/self/task/%d/status", tid);
	read_file(path, raw, sizeof(raw));
	text[0] = 0;
	for (line = strtok_r(raw, "\n", &next); line; line = strtok_r(NULL, "\n", &next)) {
		char name[64];

		snprintf(name, sizeof(name), " %.*s ", (int)strcspn(line, ":"), line);
		for (size_t i = 0; i < ARRAY_SIZE(keep); i++)
			if (strstr(keep[i], name) && length < size)
				length += snprintf(text + length, size - length, "%s\n", line);
	}
}

/* A word that tells place and seed. */
unused_ok static uint64_t word_at(uint64_t seed, uint64_t place)
{
	uint64_t x = (seed + 1) * 0x9e3779b97f4a7c15ULL ^ (place + 1) * 0xbf58476d1ce4e5b9ULL;

	return x ^ x >> 29;
}

unused_ok static void fill(void *start, size_t bytes, uint64_t seed)
{
	uint64_t *words = start;

	for (size_t i = 0; i < bytes / 8; i++)
		words[i] = word_at(seed, i);
}

unused_ok static bool is_filled(const void *start, size_t bytes, uint64_t seed)
{
	const uint64_t *words = start;

	for (size_t i = 0; i < bytes / 8; i++)
		if (words[i] != word_at(seed, i))
			return false;
	return true;
}

unused_ok static bool is_zero(const void *start, size_t bytes)
{
	const uint64_t *words = start;

	for (size_t i = 0; i < bytes / 8; i++)
		if (words[i])
			return false;
	return true;
}

#endif /* STATE_H */
