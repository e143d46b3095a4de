// SPDX-License-Identifier: GPL-2.0-only
/*
 * A family of processes that checks itself after a restore: who is whose child, zombies and their
 * statuses, waits, process groups and sessions.
 */

#define _GNU_SOURCE

#include <sched.h>
#include <sys/resource.h>

#include "tree.h"

static pid_t root;

/* --- zombies --- */

static pid_t exited, killed, dumped, quiet;

static void set_up_zombies(void)
{
	struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };

	need(!setrlimit(RLIMIT_CORE, &all), "core files");
	exited = child_make();
	if (!exited)
		_exit(7);
	killed = child_make();
	if (!killed) {
		raise(SIGTERM);
		_exit(1);
	}
	dumped = child_make();
	if (!dumped) {
		signal(SIGABRT, SIG_DFL);
		abort();
	}
	/* One whose parent is told by another signal than SIGCHLD: by none. */
	quiet = syscall(SYS_clone, 0, NULL, NULL, NULL, 0);
	need(quiet >= 0, "a child without a signal");
	if (!quiet)
		_exit(9);
	see_exit(exited);
	see_exit(killed);
	see_exit(dumped);
	see_exit(quiet);
}

static void check_zombie(pid_t pid, int options, int wanted, const char *what)
{
	char path[64], text[512], state = 0;
	int status = -1;
	pid_t got;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	read_file(path, text, sizeof(text));
	if (strrchr(text, ')'))
		state = strrchr(text, ')')[2];
	check(state == 'Z' && strstr(text, "(state_tree)"), "%s: is a zombie: %.60s", what, text);
	got = waitpid(pid, &status, options);
	check(got == pid && status == wanted, "%s: wait gives %d, status 0x%x, expected 0x%x", what,
	      got, status, wanted);
}

static void check_zombies(void)
{
	check_zombie(exited, 0, 7 << 8, "exited");
	check_zombie(killed, 0, SIGTERM, "killed");
	check_zombie(dumped, 0, SIGABRT | 0x80, "dumped core");
	check(waitpid(quiet, NULL, 0) < 0 && errno == ECHILD,
	      "not waited for as an ordinary child");
	check_zombie(quiet, __WCLONE, 9 << 8, "without a signal");
	check(waitpid(exited, NULL, 0) < 0 && errno == ECHILD, "a zombie is waited for once");
}

/* --- exit signals --- */

static volatile sig_atomic_t nr_usr2, nr_chld;
static struct gate usr2_gate;
static pid_t usr2_child;

static void count(int signo)
{
	if (signo == SIGUSR2)
		nr_usr2++;
	else
		nr_chld++;
}

static void set_up_exit_signal(void)
{
	gate_make(&usr2_gate);
	signal(SIGUSR2, count);
	usr2_child = syscall(SYS_clone, SIGUSR2, NULL, NULL, NULL, 0);
	need(usr2_child >= 0, "a child with an exit signal");
	if (!usr2_child) {
		gate_wait(&usr2_gate);
		_exit(getppid() == root ? 0 : 1);
	}
}

static void check_exit_signal(void)
{
	check(nr_usr2 == 0, "no exit signal came before the end");
	gate_open(&usr2_gate);
	check_ends(usr2_child, "exit signal");
	check(nr_usr2 == 1, "the exit signal came once: %d", (int)nr_usr2);
}

/* --- orphans --- */

static struct gate orphan_gate;
static pid_t orphan;

/* Its parent has exited: the root is the subreaper that has got it. */
static void set_up_orphan(void)
{
	pid_t middle;
	int pipes[2];

	need(!prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "a subreaper");
	gate_make(&orphan_gate);
	need(!pipe(pipes), "a pipe");
	middle = child_make();
	if (!middle) {
		orphan = child_make();
		if (orphan) {
			write(pipes[1], &orphan, sizeof(orphan));
			_exit(0);
		}
		close(pipes[0]);
		close(pipes[1]);
		gate_wait(&orphan_gate);
		check(getppid() == root, "orphan: its parent is the subreaper: %d", getppid());
		/* And whoever becomes one now goes the same way. */
		_exit(verdict());
	}
	need(read(pipes[0], &orphan, sizeof(orphan)) == sizeof(orphan), "the orphan's PID");
	close(pipes[0]);
	close(pipes[1]);
	need(waitpid(middle, NULL, 0) == middle, "the end of the parent");
}

static void check_orphan(void)
{
	int is_subreaper = 0, pipes[2], status = 0;
	pid_t middle;

	prctl(PR_GET_CHILD_SUBREAPER, &is_subreaper, 0, 0, 0);
	check(is_subreaper == 1, "still a subreaper");
	gate_open(&orphan_gate);
	check_ends(orphan, "orphan");
	need(!pipe(pipes), "a pipe");
	middle = child_make();
	if (!middle) {
		orphan = child_make();
		if (!orphan)
			_exit(3);
		write(pipes[1], &orphan, sizeof(orphan));
		_exit(0);
	}
	need(read(pipes[0], &orphan, sizeof(orphan)) == sizeof(orphan), "the orphan's PID");
	waitpid(middle, NULL, 0);
	check(waitpid(orphan, &status, 0) == orphan && status == 3 << 8,
	      "a new orphan comes to the subreaper: 0x%x", status);
	close(pipes[0]);
	close(pipes[1]);
}

/* --- process groups and sessions --- */

static struct gate group_gate;
static pid_t group_leader, group_other, session_leader, session_other;

/* A group, and a session, that go by the number of a process that is no more. */
static void set_up_groups(void)
{
	struct gate early;
	int pipes[2];

	gate_make(&group_gate);
	gate_make(&early);
	group_leader = child_make();
	if (!group_leader) {
		setpgid(0, 0);
		gate_wait(&early);
		_exit(0);
	}
	setpgid(group_leader, group_leader);
	group_other = child_make();
	if (!group_other) {
		close(early.fds[1]);
		gate_wait(&group_gate);
		check(getpgid(0) == group_leader, "group of a dead leader: %d", getpgid(0));
		check(getsid(0) == getsid(root), "session of the root: %d", getsid(0));
		_exit(verdict());
	}
	need(!setpgid(group_other, group_leader), "a group of two");
	gate_open(&early);
	need(waitpid(group_leader, NULL, 0) == group_leader, "the end of a group's leader");

	need(!pipe(pipes), "a pipe");
	session_leader = child_make();
	if (!session_leader) {
		session_leader = setsid();
		session_other = child_make();
		if (!session_other) {
			close(pipes[1]);
			gate_wait(&group_gate);
			check(getsid(0) == session_leader, "session of a dead leader: %d",
			      getsid(0));
			check(getpgid(0) == getpid(), "leads its own group: %d", getpgid(0));
			check(setsid() < 0 && errno == EPERM, "a leader of a group cannot setsid");
			_exit(verdict());
		}
		setpgid(session_other, session_other);
		write(pipes[1], &session_other, sizeof(session_other));
		_exit(0);
	}
	need(read(pipes[0], &session_other, sizeof(session_other)) == sizeof(session_other),
	     "the PID of a session's member");
	close(pipes[0]);
	close(pipes[1]);
	need(waitpid(session_leader, NULL, 0) == session_leader, "the end of a session's leader");
}

/* Whoever had to hold the number for a while is waited for by the restoring tool. */
static bool is_free(pid_t pid)
{
	int i;

	for (i = 0; i < 500 && !kill(pid, 0); i++)
		nap(20);
	return kill(pid, 0) && errno == ESRCH;
}

static void check_groups(void)
{
	pid_t late;

	check(getsid(session_other) == session_leader, "session of the member: %d",
	      getsid(session_other));
	check(!kill(-group_leader, 0), "the group of the dead leader can be signalled");
	check(is_free(group_leader), "the dead leader of a group is not there");
	check(is_free(session_leader), "the dead leader of a session is not there");
	late = child_make();
	if (!late)
		_exit(getpgid(0) == getpgid(root) ? 0 : 1);
	check_ends(late, "a child gets the group of its parent");
	late = child_make();
	if (!late) {
		pause();
		_exit(0);
	}
	check(!setpgid(late, group_leader), "a new child joins the group of the dead leader");
	check(setpgid(late, session_other) < 0 && errno == EPERM,
	      "a new child cannot join a group of another session");
	kill(late, SIGKILL);
	waitpid(late, NULL, 0);
	gate_open(&group_gate);
	check_ends(group_other, "member of a group");
	check_ends(session_other, "member of a session");
}

/* --- waits in progress --- */

enum { BY_PID, BY_ANY, BY_GROUP, BY_PEEK, NR_WAYS };

static struct gate wait_gate;
static pid_t waiters[NR_WAYS];

static bool wait_by(int how, pid_t pid)
{
	siginfo_t info = { 0 };
	int status = -1;

	switch (how) {
	case BY_PID:
		return wait4(pid, &status, 0, NULL) == pid && status == 5 << 8;
	case BY_ANY:
		return wait4(-1, &status, 0, NULL) == pid && status == 5 << 8;
	case BY_GROUP:
		return waitpid(-pid, &status, 0) == pid && status == 5 << 8;
	default:
		return !waitid(P_PGID, pid, &info, WEXITED | WNOWAIT) && info.si_pid == pid &&
		       info.si_status == 5 && waitpid(pid, &status, WNOHANG) == pid;
	}
}

static void set_up_waits(void)
{
	int how;

	gate_make(&wait_gate);
	for (how = 0; how < NR_WAYS; how++) {
		waiters[how] = child_make();
		if (!waiters[how]) {
			pid_t pid = child_make();

			if (!pid) {
				setpgid(0, 0);
				gate_wait(&wait_gate);
				_exit(getppid() == root ? 1 : 5);
			}
			setpgid(pid, pid);
			/* The gate is the root's alone to open. */
			close(wait_gate.fds[1]);
			check(wait_by(how, pid), "wait %d for child %d", how, pid);
			_exit(verdict());
		}
	}
}

static void check_waits(void)
{
	int how;

	gate_open(&wait_gate);
	for (how = 0; how < NR_WAYS; how++)
		check_ends(waiters[how], "a wait in progress");
}

/* --- */

static const struct world {
	void (*set_up)(void);
	void (*check)(void);
} worlds[] = {
	{ set_up_zombies, check_zombies }, { set_up_exit_signal, check_exit_signal },
	{ set_up_orphan, check_orphan },   { set_up_groups, check_groups },
	{ set_up_waits, check_waits },
};

int main(void)
{
	unsigned int i;

	root = getpid();
	for (i = 0; i < ARRAY_SIZE(worlds); i++)
		worlds[i].set_up();
	signal(SIGCHLD, count);
	nr_chld = 0;
	ready_then_go();
	check(nr_chld == 0, "nobody told the root of an end: %d", (int)nr_chld);
	signal(SIGCHLD, SIG_DFL);
	for (i = ARRAY_SIZE(worlds); i--;)
		worlds[i].check();
	check(waitpid(-1, NULL, __WALL) < 0 && errno == ECHILD, "no child is left");
	return verdict();
}
