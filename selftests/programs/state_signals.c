// SPDX-License-Identifier: GPL-2.0-only
/*
 * Handlers, masks, alternate stacks and pending signals.
 *
 * usage: state_signals state	waits for "go" inside a handler on its alternate stack
 *	  state_signals restart SIGNAL	asks for a signal at each restart, 0 for none, and spins
 *	  state_signals exec SIGNAL	asks for it, then executes itself as "restart 0"
 */

#define _GNU_SOURCE
#include <linux/ckpt.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "state.h"

#define PENDING 8
#define STACK_SIZE (64 << 10)
#define SI_OWN (-42)
/* What the kernel fills of a sigset_t. */
#define KERNEL_SIGSET 8

static struct sigaction actions[65];
static char status_before[2][4096], status_after[4096];
static char *stack;
static volatile int handled;
static bool thread_ready, thread_go;
static pid_t thread_tid;

/* ---- restart ---- */

static volatile uint64_t counter;

/* Tells how far the program had come when the signal came. */
static void on_restart(int signal, siginfo_t *info, void *context)
{
	uint64_t seen = counter;

	(void)context;
	dprintf(STDOUT_FILENO, "signal %d code %d value %d counter %lu\n", signal, info->si_code,
		info->si_int, seen);
}

static int ask(int signal)
{
	struct ckpt_restart_signal request = { .size = sizeof(request), .signal = signal };
	int fd = open("/dev/ckpt", O_RDWR | O_CLOEXEC), error;

	need(fd >= 0, "/dev/ckpt");
	error = ioctl(fd, CKPT_IOC_RESTART_SIGNAL, &request);
	close(fd);
	return error;
}

/* Counts in user mode until there is a file "go", which it looks for but seldom. */
static int restart(int signal)
{
	struct sigaction action = { .sa_sigaction = on_restart,
				    .sa_flags = SA_SIGINFO | SA_RESTART };
	struct stat st;

	for (int i = 1; i < 65; i++)
		if (i != SIGKILL && i != SIGSTOP && i != SIGCONT && i != 32 && i != 33)
			need(!sigaction(i, &action, NULL), "handlers");
	need(!signal || !ask(signal), "the restart signal");
	dprintf(STDOUT_FILENO, "counter at %lx\nready\n", (unsigned long)&counter);
	for (;;) {
		counter++;
		if (!(counter & 0xfffff) && !stat("go", &st))
			return 0;
	}
}

/* ---- state ---- */

static void on_signal(int signal)
{
	handled = signal;
}

static void set_up_handlers(void)
{
	for (int i = 1; i < 65; i++) {
		struct sigaction *a = &actions[i];

		if (i == SIGKILL || i == SIGSTOP || i == 32 || i == 33)
			continue;
		a->sa_handler = i % 4 == 0 ? SIG_IGN : i % 4 == 1 ? SIG_DFL : on_signal;
		if (i % 3 == 0)
			a->sa_flags |= SA_RESTART;
		if (i % 5 == 0)
			a->sa_flags |= SA_NODEFER;
		if (i % 7 == 0)
			a->sa_flags |= SA_ONSTACK;
		if (i % 11 == 0)
			a->sa_flags |= SA_NOCLDSTOP | SA_NOCLDWAIT;
		sigaddset(&a->sa_mask, 1 + i % 30);
		need(!sigaction(i, a, NULL), "handlers");
		need(!sigaction(i, NULL, a), "handlers");
	}
}

static void check_handlers(void)
{
	int wrong = 0;

	for (int i = 1; i < 65; i++) {
		struct sigaction now = {};

		if (i == SIGKILL || i == SIGSTOP || i == 32 || i == 33 || i == SIGUSR2)
			continue;
		sigaction(i, NULL, &now);
		wrong += now.sa_handler != actions[i].sa_handler ||
			 now.sa_flags != actions[i].sa_flags ||
			 now.sa_restorer != actions[i].sa_restorer ||
			 memcmp(&now.sa_mask, &actions[i].sa_mask, KERNEL_SIGSET);
	}
	check(!wrong, "handlers, their flags and masks: %d differ", wrong);
}

/* Blocks and queues: real-time signals to the process and to this thread, two of the old kind. */
static void set_up_pending(void)
{
	siginfo_t info = { .si_code = SI_OWN };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 3);
	sigaddset(&set, SIGRTMIN + 4);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGIO);
	need(!sigprocmask(SIG_BLOCK, &set, NULL), "mask");
	for (int i = 0; i < PENDING; i++)
		need(!sigqueue(getpid(), SIGRTMIN + 3, (union sigval){ .sival_int = 1000 + i }),
		     "sigqueue");
	for (int i = 0; i < 2; i++) {
		info.si_value.sival_ptr = (void *)(0x123456789abcUL + i);
		info.si_pid = 4000 + i;
		info.si_uid = 5000 + i;
		need(!syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), SIGRTMIN + 4, &info),
		     "tgsigqueue");
	}
	need(!kill(getpid(), SIGUSR1), "kill");
	need(!syscall(SYS_tgkill, getpid(), gettid(), SIGIO), "tgkill");
}

static bool next_pending(int signal, siginfo_t *info)
{
	const struct timespec none = {};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal);
	memset(info, 0, sizeof(*info));
	return sigtimedwait(&set, info, &none) == signal;
}

static void check_pending(void)
{
	siginfo_t info;

	for (int i = 0; i < PENDING; i++)
		check(next_pending(SIGRTMIN + 3, &info) && info.si_code == SI_QUEUE &&
			      info.si_int == 1000 + i && info.si_pid == getpid() &&
			      info.si_uid == getuid(),
		      "pending to the process: number %d", i);
	for (int i = 0; i < 2; i++)
		check(next_pending(SIGRTMIN + 4, &info) && info.si_code == SI_OWN &&
			      info.si_ptr == (void *)(0x123456789abcUL + i) &&
			      info.si_pid == 4000 + i && info.si_uid == (uid_t)5000 + i,
		      "pending to the thread: number %d", i);
	check(next_pending(SIGUSR1, &info) && info.si_code == SI_USER && info.si_pid == getpid(),
	      "pending SIGUSR1");
	/* The C library shows SI_TKILL as SI_USER. */
	check(next_pending(SIGIO, &info) && info.si_code == SI_USER && info.si_pid == getpid(),
	      "pending SIGIO");
	check(!next_pending(SIGRTMIN + 3, &info) && !next_pending(SIGRTMIN + 4, &info) &&
		      !next_pending(SIGUSR1, &info) && !next_pending(SIGIO, &info),
	      "no more are pending");
}

/* Waits in sigsuspend() with a mask of its own; the old one must come back afterwards. */
static void *suspended(void *arg)
{
	sigset_t blocked, open, now;

	sigfillset(&blocked);
	pthread_sigmask(SIG_SETMASK, &blocked, NULL);
	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	sigfillset(&open);
	sigdelset(&open, SIGRTMIN + 9);
	thread_tid = gettid();
	read_status(thread_tid, status_before[1], sizeof(status_before[1]));
	__atomic_store_n(&thread_ready, true, __ATOMIC_SEQ_CST);
	sigsuspend(&open);
	check(__atomic_load_n(&thread_go, __ATOMIC_SEQ_CST),
	      "sigsuspend: ends by its signal alone");
	pthread_sigmask(SIG_SETMASK, NULL, &now);
	check(!memcmp(&now, &blocked, KERNEL_SIGSET), "sigsuspend: the old mask comes back");
	read_status(thread_tid, status_after, sizeof(status_after));
	check_same_text("signal sets of a thread", status_before[1], status_after);
	return arg;
}

static void on_usr2(int signal, siginfo_t *info, void *context)
{
	char here;
	stack_t now;

	(void)info;
	(void)context;
	handled = signal;
	ready_then_go();
	sigaltstack(NULL, &now);
	check(&here >= stack && &here < stack + STACK_SIZE,
	      "the handler is on the alternate stack");
	check(now.ss_flags & SS_ONSTACK && now.ss_sp == stack && now.ss_size == STACK_SIZE,
	      "the kernel says so too");
	read_status(getpid(), status_after, sizeof(status_after));
	check_same_text("signal sets in the handler", status_before[0], status_after);
}

static int state(void)
{
	struct sigaction action = { .sa_sigaction = on_usr2, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	stack_t alternate = { .ss_size = STACK_SIZE };
	sigset_t before, after, set;
	pthread_t thread;

	set_up_handlers();
	sigemptyset(&action.sa_mask);
	sigaddset(&action.sa_mask, SIGALRM);
	need(!sigaction(SIGUSR2, &action, NULL), "SIGUSR2");
	need(!pthread_create(&thread, NULL, suspended, NULL), "thread");
	while (!__atomic_load_n(&thread_ready, __ATOMIC_SEQ_CST))
		nap(5);
	stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	alternate.ss_sp = stack;
	need(stack != MAP_FAILED && !sigaltstack(&alternate, NULL), "alternate stack");
	set_up_pending();
	sigprocmask(SIG_BLOCK, NULL, &before);
	/* Within the handler these two are blocked as well. */
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	read_status(getpid(), status_before[0], sizeof(status_before[0]));
	sigprocmask(SIG_SETMASK, &before, NULL);
	syscall(SYS_tgkill, getpid(), gettid(), SIGUSR2);

	check(handled == SIGUSR2, "the handler has returned");
	sigprocmask(SIG_BLOCK, NULL, &after);
	check(!memcmp(&before, &after, KERNEL_SIGSET), "the mask before the handler comes back");
	check_handlers();
	check_pending();
	__atomic_store_n(&thread_go, true, __ATOMIC_SEQ_CST);
	syscall(SYS_tgkill, getpid(), thread_tid, SIGRTMIN + 9);
	pthread_join(thread, NULL);
	return verdict();
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "state"))
		return state();
	if (argc > 2 && !strcmp(argv[1], "restart"))
		return restart(atoi(argv[2]));
	if (argc > 2 && !strcmp(argv[1], "exec")) {
		need(!ask(atoi(argv[2])), "the restart signal");
		execl(argv[0], argv[0], "restart", "0", NULL);
	}
	fprintf(stderr, "usage: state_signals state | restart SIGNAL | exec SIGNAL\n");
	return 2;
}
