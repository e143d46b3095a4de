// SPDX-License-Identifier: GPL-2.0-only
// link: pthread
/* Children that stop signals have stopped or not, and what their parent knows of it. */

#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "state.h"

#define NR_THREADS 3

enum { REPORTED, UNREPORTED, CONTINUED, THREADS, HANDLER, SLEEPER, BLOCKED, NR };

static const char *const names[NR] = { "reported", "unreported", "continued", "threads",
				       "handler",  "sleeper",	 "blocked" };
static pid_t pids[NR];
static int told[2];
static volatile sig_atomic_t handled, nr_chld;

static void on_signal(int signal)
{
	if (signal == SIGCHLD)
		nr_chld++;
	else
		handled = signal;
}

/* Tells the parent a word, in one write. */
static void tell(char word)
{
	if (write(told[1], &word, 1) != 1)
		_exit(9);
}

static char hear(void)
{
	char word = 0;

	return read(told[0], &word, 1) == 1 ? word : 0;
}

/* Counts in registers alone; a value that was lost shows. */
static void *spin(void *arg)
{
	double a = 1, b = 2;
	uint64_t n = 0;

	(void)arg;
	tell('t');
	while (!handled) {
		a = a * b / 2;
		n++;
		asm volatile("" : "+x"(a), "+x"(b), "+r"(n));
	}
	if (a == 1 && b == 2 && n)
		tell('T');
	return NULL;
}

static int threads(void)
{
	pthread_t thread[NR_THREADS];
	int i;

	for (i = 0; i < NR_THREADS; i++)
		pthread_create(&thread[i], NULL, spin, NULL);
	for (i = 0; i < NR_THREADS; i++)
		pthread_join(thread[i], NULL);
	return 0;
}

/* A sleep that the stop interrupted goes on. */
static int sleeper(void)
{
	struct timespec ts = { 2, 0 }, left = {};

	tell('s');
	return nanosleep(&ts, &left) ? 1 : 0;
}

static int child(int which)
{
	sigset_t set;

	/* Terminal stops stop no group whose parents are all in it. */
	setpgid(0, 0);
	signal(SIGUSR1, on_signal);
	if (which == THREADS)
		return threads();
	if (which == SLEEPER)
		return sleeper();
	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	if (which == BLOCKED)
		sigprocmask(SIG_BLOCK, &set, NULL);
	tell('r');
	while (!handled)
		nap(10);
	if (which == BLOCKED) {
		sigpending(&set);
		return sigismember(&set, SIGTSTP) ? 0 : 1;
	}
	return 0;
}

static void start(int which)
{
	int n = which == THREADS ? NR_THREADS : 1;

	pids[which] = fork();
	need(pids[which] >= 0, names[which]);
	if (!pids[which])
		_exit(child(which));
	while (n--)
		hear();
}

static char state_of(pid_t pid)
{
	char path[64], text[512], *end;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	read_file(path, text, sizeof(text));
	end = strrchr(text, ')');
	return end ? end[2] : 0;
}

static void stop(int which, int signal)
{
	int options = which == UNREPORTED ? WNOWAIT : 0;
	siginfo_t info;

	kill(pids[which], signal);
	need(!waitid(P_PID, pids[which], &info, WSTOPPED | options) && info.si_status == signal,
	     names[which]);
}

static int status_of(int which, int options)
{
	int status = 0;
	pid_t pid = waitpid(pids[which], &status, options | WNOHANG);

	return pid == pids[which] ? status : pid ? -1 : 0;
}

static void set_up(void)
{
	int i;

	need(!pipe(told), "pipe");
	for (i = 0; i < NR; i++)
		start(i);
	signal(SIGCHLD, on_signal);
	stop(REPORTED, SIGSTOP);
	stop(UNREPORTED, SIGTTIN);
	stop(CONTINUED, SIGSTOP);
	stop(THREADS, SIGSTOP);
	stop(HANDLER, SIGTTOU);
	stop(SLEEPER, SIGTSTP);
	kill(pids[HANDLER], SIGUSR1);
	kill(pids[BLOCKED], SIGTSTP);
	/* The child itself sends the signal for it. */
	nr_chld = 0;
	kill(pids[CONTINUED], SIGCONT);
	while (!nr_chld)
		nap(1);
	nr_chld = 0;
}

/* A restored thread stops on its way to user mode, which may take it a moment. */
static bool comes_to_stop(pid_t pid)
{
	int i;

	for (i = 0; i < 1000 && state_of(pid) != 'T'; i++)
		nap(10);
	return state_of(pid) == 'T';
}

static void check_stopped(void)
{
	int i;

	for (i = 0; i < NR; i++)
		if (i == CONTINUED || i == BLOCKED)
			check(state_of(pids[i]) != 'T', "%s: runs", names[i]);
		else
			check(comes_to_stop(pids[i]), "%s: is stopped", names[i]);
	check(nr_chld == 0, "no SIGCHLD came: %d", nr_chld);
	for (i = 0; i < NR; i++)
		if (i != UNREPORTED && i != CONTINUED)
			check(status_of(i, WUNTRACED | WCONTINUED) == 0, "%s: no status again",
			      names[i]);
	check(WSTOPSIG(status_of(UNREPORTED, WUNTRACED)) == SIGTTIN, "unreported: SIGTTIN is told");
	check(status_of(UNREPORTED, WUNTRACED) == 0, "unreported: once");
	check(WIFCONTINUED(status_of(CONTINUED, WCONTINUED)), "continued: is told");
	check(status_of(CONTINUED, WCONTINUED) == 0, "continued: once");
}

static void check_goes_on(void)
{
	int i, status, n = 0;

	for (i = 0; i < NR; i++) {
		if (i != BLOCKED)
			kill(pids[i], SIGCONT);
		if (i != HANDLER && i != SLEEPER)
			kill(pids[i], SIGUSR1);
	}
	for (i = 0; i < NR; i++) {
		bool waited = waitpid(pids[i], &status, 0) == pids[i];

		check(waited && !status, "%s: ended with 0x%x", names[i], status);
	}
	check(nr_chld > 0, "SIGCHLD came: %d", nr_chld);
	close(told[1]);
	while (hear() == 'T')
		n++;
	check(n == NR_THREADS, "threads: %d kept their registers", n);
}

int main(void)
{
	set_up();
	ready_then_go();
	check_stopped();
	check_goes_on();
	return verdict();
}
