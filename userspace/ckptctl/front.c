// SPDX-License-Identifier: GPL-2.0-only
/* A restored job in front: what a shell does for its jobs. */

#include "front.h"

#include <ckpt.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <unistd.h>
#include <sys/wait.h>

#include "tty.h"

/* What ends the tool as long as the job does not run. */
static const int ending[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
static const int passed[] = { SIGINT,  SIGTERM,	 SIGHUP,  SIGQUIT, SIGUSR1,
			      SIGUSR2, SIGWINCH, SIGTSTP, SIGCONT };

#define NR(array) (sizeof(array) / sizeof(*(array)))

static sigjmp_buf interrupted;

void front_block_signals(void)
{
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < NR(passed); i++)
		sigaddset(&set, passed[i]);
	sigaddset(&set, SIGCHLD);
	/* The tool writes to the terminal and hands it over from the background, too. */
	sigaddset(&set, SIGTTOU);
	sigprocmask(SIG_BLOCK, &set, NULL);
	/* A parent may have left it ignored: then there would be no status to wait for. */
	signal(SIGCHLD, SIG_DFL);
}

/*
 * The only way out of a system call that does not miss a signal just before it: see
 * signal-safety(7).
 */
static void interrupt(int signal)
{
	siglongjmp(interrupted, signal);
}

/* Lets the signals through that end a wait, but those that the tool's parent made it ignore. */
static void let_through(void)
{
	struct sigaction action = { .sa_handler = interrupt, .sa_flags = SA_NOCLDSTOP }, old;
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	sigfillset(&action.sa_mask);
	for (i = 0; i < NR(ending); i++)
		if (!sigaction(ending[i], NULL, &old) && old.sa_handler != SIG_IGN) {
			sigaction(ending[i], &action, NULL);
			sigaddset(&set, ending[i]);
		}
	sigaction(SIGCHLD, &action, NULL);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static int ask_status(int ckpt, int signal)
{
	struct ckpt_status status;

	if (ckpt_status(ckpt, &status))
		return errno;
	if (status.state == CKPT_STATE_RESTORED) {
		/* It came too late to end the restore: now it is for the job. */
		if (signal != SIGCHLD)
			kill(getpid(), signal);
		return 0;
	}
	if (signal != SIGCHLD)
		return -signal;
	return status.state == CKPT_STATE_FAILED ? -status.error : ECHILD;
}

/*
 * Waits for those that have held a number for the job and are through. Whether another one has
 * ended: that is left for others to wait for.
 */
static bool has_lost(void)
{
	siginfo_t info = { 0 };

	while (!waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) && info.si_pid) {
		if (info.si_code != CLD_EXITED || info.si_status)
			return true;
		waitpid(info.si_pid, NULL, 0);
		info.si_pid = 0;
	}
	return false;
}

int front_wait(int ckpt)
{
	int signal = sigsetjmp(interrupted, 1), err;

	if (signal) {
		err = ask_status(ckpt, signal);
		if (err != ECHILD || has_lost())
			return err == ECHILD ? ask_status(ckpt, signal) : err;
	}
	let_through();
	err = ckpt_wait(ckpt) ? errno : 0;
	front_block_signals();
	return err;
}

void front_take_terminal(pid_t pid, int tty)
{
	if (tty_has_foreground(tty, pid))
		tty_set_foreground(tty, getpgrp());
}

/* Goes on after a stop or when told to: in the foreground when the tool is. */
static void resume(pid_t pid, int tty)
{
	if (tty_has_foreground(tty, getpgrp()))
		tty_set_foreground(tty, pid);
	kill(pid, SIGCONT);
}

/* The tool stops with the job, so that the shell that started it takes over. */
static void stop(pid_t pid, int tty, int signal)
{
	sigset_t set, old;

	if ((signal == SIGTTIN || signal == SIGTTOU) && tty_has_foreground(tty, getpgrp()) &&
	    tty_set_foreground(tty, pid)) {
		kill(pid, SIGCONT);
		return;
	}
	/* Without a terminal nobody would make the tool run on. */
	if (tty < 0)
		return;
	front_take_terminal(pid, tty);
	/* Unlike SIGSTOP it does nothing where no shell would see it. */
	kill(getpid(), SIGTSTP);
	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &set, &old);
	sigprocmask(SIG_SETMASK, &old, NULL);
}

/* Sees to all that happened to the job; true when it has ended. */
static bool reap(pid_t pid, int tty, int *status)
{
	pid_t found;

	while ((found = waitpid(-1, status, WNOHANG | WUNTRACED)) > 0) {
		/* Orphans of the job, and what has held a number for it. */
		if (found != pid)
			continue;
		if (!WIFSTOPPED(*status))
			return true;
		stop(pid, tty, WSTOPSIG(*status));
	}
	return found < 0 && errno == ECHILD;
}

int front_next_signal(void)
{
	sigset_t set;
	int signal;
	size_t i;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (i = 0; i < NR(passed); i++)
		sigaddset(&set, passed[i]);
	do
		signal = sigwaitinfo(&set, NULL);
	while (signal < 0);
	return signal;
}

int front_run(pid_t pid, int tty)
{
	int status = 0, signal;

	while (!reap(pid, tty, &status)) {
		signal = front_next_signal();
		if (signal == SIGCONT)
			resume(pid, tty);
		else if (signal != SIGCHLD)
			kill(pid, signal);
	}
	front_take_terminal(pid, tty);
	return WIFSIGNALED(status) ? FRONT_SIGNALLED + WTERMSIG(status) : WEXITSTATUS(status);
}
