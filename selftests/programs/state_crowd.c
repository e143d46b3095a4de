// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many processes, or many threads: each waits, then adds its number to a sum in shared memory. The
 * parent waits for all and looks at what they left.
 *
 * usage: state_crowd PROCESSES THREADS
 */

#define _GNU_SOURCE
#include <linux/futex.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "state.h"

#define STACK_SIZE 16384

static struct shared {
	uint32_t go;
	uint64_t sum, nr_waiting;
} * shared;
static pthread_t *threads;
static pid_t *pids;

static void wait_to_go(void)
{
	__atomic_add_fetch(&shared->nr_waiting, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&shared->go, __ATOMIC_SEQ_CST))
		syscall(SYS_futex, &shared->go, FUTEX_WAIT, 0, NULL, NULL, 0);
}

static void add(uint64_t number)
{
	__atomic_add_fetch(&shared->sum, number, __ATOMIC_SEQ_CST);
}

static void *run_thread(void *number)
{
	wait_to_go();
	add((uintptr_t)number);
	return NULL;
}

static void start_threads(long nr)
{
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	for (long i = 0; i < nr; i++) {
		errno = pthread_create(&threads[i], &attr, run_thread, (void *)(i + 1));
		need(!errno, "a thread");
	}
}

static void start_processes(long nr)
{
	for (long i = 0; i < nr; i++) {
		pids[i] = fork();
		need(pids[i] >= 0, "a process");
		if (pids[i])
			continue;
		wait_to_go();
		add(i + 1);
		_exit(i % 100);
	}
}

static void wait_for_processes(long nr)
{
	long nr_right = 0;

	for (long i = 0; i < nr; i++) {
		int status = -1;

		nr_right += waitpid(pids[i], &status, 0) == pids[i] && WIFEXITED(status) &&
			    WEXITSTATUS(status) == i % 100;
	}
	check(nr_right == nr, "%ld of %ld processes ended as they should", nr_right, nr);
	check(waitpid(-1, NULL, 0) < 0 && errno == ECHILD, "no other child is there");
}

int main(int argc, char **argv)
{
	long nr_processes = argc > 1 ? atol(argv[1]) : 0, nr_threads = argc > 2 ? atol(argv[2]) : 0;
	uint64_t want;

	threads = calloc(nr_threads + 1, sizeof(*threads));
	pids = calloc(nr_processes + 1, sizeof(*pids));
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	need(threads && pids && shared != MAP_FAILED, "memory");
	start_processes(nr_processes);
	start_threads(nr_threads);
	while (__atomic_load_n(&shared->nr_waiting, __ATOMIC_SEQ_CST) <
	       (uint64_t)(nr_processes + nr_threads))
		nap(20);
	ready_then_go();

	__atomic_store_n(&shared->go, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, &shared->go, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
	for (long i = 0; i < nr_threads; i++)
		pthread_join(threads[i], NULL);
	wait_for_processes(nr_processes);
	want = (nr_processes * (nr_processes + 1) + nr_threads * (nr_threads + 1)) / 2;
	check(shared->sum == want, "sum %llu, wanted %llu", (unsigned long long)shared->sum,
	      (unsigned long long)want);
	return verdict();
}
