// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes that share memory, descriptors, working directory or signal handlers with one another,
 * as clone(2) makes them. kcmp(2) tells who shares what, before and after, and each process adds to
 * a counter in what it sees as its memory.
 */

#define _GNU_SOURCE
#include <linux/kcmp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "state.h"

#define STACK_SIZE 65536

static const struct {
	unsigned long flags;
	const char *what;
	bool memory;
} children[] = {
	{ 0, "nothing", false },
	{ CLONE_VM, "memory", true },
	{ CLONE_FILES, "descriptors", false },
	{ CLONE_FS, "working directory", false },
	{ CLONE_VM | CLONE_SIGHAND, "memory and handlers", true },
	{ CLONE_FILES | CLONE_FS, "descriptors and working directory", false },
	{ CLONE_VM | CLONE_FILES | CLONE_FS | CLONE_SIGHAND, "all", true },
};

#define CHILDREN ARRAY_SIZE(children)

static const struct {
	int type;
	const char *what;
} parts[] = {
	{ KCMP_VM, "memory" },
	{ KCMP_FILES, "descriptors" },
	{ KCMP_FS, "working directory" },
	{ KCMP_SIGHAND, "handlers" },
};

static pid_t pids[CHILDREN + 1];
static bool same[CHILDREN + 1][CHILDREN + 1][ARRAY_SIZE(parts)];
static unsigned int counter;
static struct shared {
	uint32_t go, nr_here;
} * shared;

/* Has no function of the C library: some of these processes have one TLS. */
static int live(void *unused)
{
	struct timespec ts = { 0, 10000000 };

	(void)unused;
	__atomic_add_fetch(&shared->nr_here, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&shared->go, __ATOMIC_SEQ_CST))
		syscall(SYS_nanosleep, &ts, NULL);
	__atomic_add_fetch(&counter, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_exit_group, __atomic_load_n(&counter, __ATOMIC_SEQ_CST) ? 5 : 6);
	return 0;
}

static bool compare(unsigned int i, unsigned int j, unsigned int part)
{
	return !syscall(SYS_kcmp, pids[i], pids[j], parts[part].type, 0, 0);
}

static void start(unsigned int i)
{
	char *stack =
		mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	need(stack != MAP_FAILED, "a stack");
	pids[i] = clone(live, stack + STACK_SIZE, children[i - 1].flags | SIGCHLD, NULL);
	need(pids[i] > 0, "a process");
}

int main(void)
{
	unsigned int i, j, part, nr_memory = 0, nr_wrong = 0;
	int status;

	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	need(shared != MAP_FAILED, "shared memory");
	pids[0] = getpid();
	for (i = 1; i <= CHILDREN; i++)
		start(i);
	while (__atomic_load_n(&shared->nr_here, __ATOMIC_SEQ_CST) < CHILDREN)
		nap(10);
	for (i = 0; i <= CHILDREN; i++)
		for (j = 0; j <= CHILDREN; j++)
			for (part = 0; part < ARRAY_SIZE(parts); part++)
				same[i][j][part] = compare(i, j, part);
	need(same[0][2][0] && !same[0][1][0] && same[0][7][3], "shared parts");
	ready_then_go();

	for (i = 0; i <= CHILDREN; i++)
		for (j = 0; j <= CHILDREN; j++)
			for (part = 0; part < ARRAY_SIZE(parts); part++)
				if (compare(i, j, part) != same[i][j][part])
					nr_wrong += check(false, "%u and %u: %s shared or not", i,
							  j, parts[part].what) +
						    1;
	check(!nr_wrong, "all share what they shared");
	__atomic_store_n(&shared->go, 1, __ATOMIC_SEQ_CST);
	for (i = 1; i <= CHILDREN; i++) {
		nr_memory += children[i - 1].memory;
		check(waitpid(pids[i], &status, 0) == pids[i] && WIFEXITED(status) &&
			      WEXITSTATUS(status) == 5,
		      "the one that shares %s ended with %x", children[i - 1].what, status);
	}
	check(counter == nr_memory, "%u have counted in this memory: %u", counter, nr_memory);
	return verdict();
}
