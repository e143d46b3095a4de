// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waits for a vfork(2) child that sleeps: vforked MILLISECONDS. Then until the file "end" is there.
 */

#define _GNU_SOURCE

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char stack[65536] __attribute__((aligned(16)));

static int sleep_and_end(void *milliseconds)
{
	usleep(*(long *)milliseconds * 1000);
	_exit(7);
}

/* As vfork(2) does it, but for the stack. */
static pid_t start(long milliseconds)
{
	return clone(sleep_and_end, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD,
		     &milliseconds);
}

int main(int argc, char **argv)
{
	long milliseconds = argc == 2 ? atol(argv[1]) : 0;
	int status = -1;
	pid_t pid;

	dprintf(STDOUT_FILENO, "ready\n");
	pid = start(milliseconds);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 1;
	dprintf(STDOUT_FILENO, "child %d\n", WEXITSTATUS(status));
	while (access("end", F_OK))
		usleep(20000);
	return 0;
}
