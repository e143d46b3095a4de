// SPDX-License-Identifier: GPL-2.0-only
/*
 * A family whose members share memory since fork(2) and have each changed a part of it. After the
 * restore each finds its own contents, and the pages that nobody changed are shared again: the
 * proportional share (PSS) of each is what it was.
 */

#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/wait.h>

#include "state.h"

#define PAGE 4096UL
#define PAGES 2048UL
#define MEMBERS 6
/* What the check itself changes: its stack and output buffers. */
#define SLACK_KB 200

/* What a member has done to a range of pages. */
enum change {
	CHANGE_WRITE,
	CHANGE_DISCARD,
	CHANGE_UNMAP,
	CHANGE_PROTECT,
};

static const struct {
	unsigned int first, nr;
	enum change what;
} changes[MEMBERS] = {
	{ 100, 50, CHANGE_WRITE }, /* the parent, when all children are there */
	{ 300, 100, CHANGE_WRITE },   { 500, 100, CHANGE_DISCARD }, { 700, 100, CHANGE_UNMAP },
	{ 900, 100, CHANGE_PROTECT }, { 1100, 300, CHANGE_WRITE }, /* a grandchild */
};

static char *memory;

static char *page(unsigned int n)
{
	return memory + n * PAGE;
}

static uint64_t first_word(unsigned int n, unsigned int writer)
{
	return n * 0x9e3779b97f4a7c15ULL + writer;
}

static void change(unsigned int member)
{
	unsigned int first = changes[member].first, nr = changes[member].nr, i;

	switch (changes[member].what) {
	case CHANGE_WRITE:
		for (i = first; i < first + nr; i++)
			*(uint64_t *)page(i) = first_word(i, member + 1);
		break;
	case CHANGE_DISCARD:
		need(!madvise(page(first), nr * PAGE, MADV_DONTNEED), "MADV_DONTNEED");
		break;
	case CHANGE_UNMAP:
		need(!munmap(page(first), nr * PAGE), "munmap");
		break;
	case CHANGE_PROTECT:
		need(!mprotect(page(first), nr * PAGE, PROT_READ), "mprotect");
		break;
	}
}

static unsigned int writer_of(unsigned int member, unsigned int n)
{
	bool own = n >= changes[member].first && n < changes[member].first + changes[member].nr;

	return own && changes[member].what == CHANGE_WRITE ? member + 1 : 0;
}

/* Whether each page holds what the member left there. */
static void check_contents(unsigned int member)
{
	unsigned int wrong = 0, n;

	for (n = 0; n < PAGES; n++) {
		bool own = n >= changes[member].first &&
			   n < changes[member].first + changes[member].nr;
		uint64_t want = first_word(n, writer_of(member, n));
		unsigned char there;

		if (own && changes[member].what == CHANGE_UNMAP) {
			wrong += !mincore(page(n), PAGE, &there);
			continue;
		}
		if (own && changes[member].what == CHANGE_DISCARD)
			want = 0;
		wrong += *(uint64_t *)page(n) != want;
	}
	check(!wrong, "member %u: %u of %lu pages are wrong", member, wrong, PAGES);
}

/* A number of /proc/self/smaps_rollup, in KiB. */
static long rollup(const char *what)
{
	FILE *in = fopen("/proc/self/smaps_rollup", "r");
	char line[200];
	long kb = -1;

	while (in && fgets(line, sizeof(line), in))
		if (!strncmp(line, what, strlen(what)))
			kb = atol(line + strlen(what));
	if (in)
		fclose(in);
	return kb;
}

/* All measure at the same time: nobody may have ended yet. */
static void meet(volatile uint32_t *counter)
{
	__atomic_add_fetch(counter, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(counter, __ATOMIC_SEQ_CST) < MEMBERS)
		nap(5);
}

static struct shared {
	uint32_t changed, measured, again, ended;
} * shared;

static void live(unsigned int member)
{
	long before, after;

	change(member);
	meet(&shared->changed);
	before = rollup("Pss_Anon:");
	meet(&shared->measured);
	if (!member)
		ready_then_go();
	else
		wait_for_file(go_file);
	meet(&shared->again);
	after = rollup("Pss_Anon:");
	meet(&shared->ended);
	check(before > 0 && after <= before + SLACK_KB,
	      "member %u: proportional share %ld KiB, before the save %ld", member, after, before);
	check_contents(member);
}

static pid_t start(unsigned int member)
{
	pid_t pid = fork();

	need(pid >= 0, "a process");
	if (pid)
		return pid;
	if (member == 4)
		start(5);
	live(member);
	if (member == 4) {
		int status;

		wait(&status);
		check(WIFEXITED(status) && !WEXITSTATUS(status), "the grandchild ended with %x",
		      status);
	}
	exit(verdict());
}

int main(void)
{
	unsigned int i;
	int status;

	shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		      0);
	need(shared != MAP_FAILED && memory != MAP_FAILED, "memory");
	need(!madvise(memory, PAGES * PAGE, MADV_NOHUGEPAGE), "small pages");
	for (i = 0; i < PAGES; i++)
		*(uint64_t *)page(i) = first_word(i, 0);
	for (i = 1; i < MEMBERS - 1; i++)
		start(i);
	live(0);
	while (wait(&status) > 0)
		check(WIFEXITED(status) && !WEXITSTATUS(status), "a child ended with %x", status);
	return verdict();
}
