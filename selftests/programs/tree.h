/* SPDX-License-Identifier: GPL-2.0-only */
/* What the programs of many processes share: children, and gates that hold them until the end. */
#ifndef TREE_H
#define TREE_H

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "state.h"

/* A pipe that children wait at until its writer closes it, or ends. */
struct gate {
	int fds[2];
};

unused_ok static void gate_make(struct gate *g)
{
	need(!pipe(g->fds), "a gate");
}

/* In a child: waits until the gate is opened, which its parent alone can do from now on. */
unused_ok static void gate_wait(struct gate *g)
{
	char c;

	close(g->fds[1]);
	while (read(g->fds[0], &c, 1) < 0 && errno == EINTR)
		;
}

unused_ok static void gate_open(struct gate *g)
{
	close(g->fds[0]);
	close(g->fds[1]);
}

/* fork(2); what the child has found to be wrong is its own. */
unused_ok static pid_t child_make(void)
{
	pid_t pid = fork();

	need(pid >= 0, "a child");
	if (!pid)
		nr_bad = 0;
	return pid;
}

/* Checks that a child ends without having found anything wrong. */
unused_ok static void check_ends(pid_t pid, const char *what)
{
	int status = -1;
	pid_t got = waitpid(pid, &status, __WALL);

	check(got == pid && !status, "%s: child %d: wait gives %d, status 0x%x", what, pid, got,
	      status);
}

/* Waits until a child has exited, and leaves it as it is. */
unused_ok static void see_exit(pid_t pid)
{
	siginfo_t info;

	need(!waitid(P_PID, pid, &info, WEXITED | WNOWAIT | __WALL), "the end of a child");
}

#endif /* TREE_H */
