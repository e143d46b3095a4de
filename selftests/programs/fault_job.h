/* SPDX-License-Identifier: GPL-2.0-only */
/* What the sweeps of faults share: the job that is saved and restored, and what must hold of it. */
#ifndef FAULT_JOB_H
#define FAULT_JOB_H

#define _GNU_SOURCE

#include <ckpt.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define IMAGE "image"
#define PATIENCE_MS 60000
/* Memory that takes more than one write. */
#define JOB_BYTES (256 << 10)

#define unused_ok __attribute__((unused))

/* What the job counts in a file that both map. */
static volatile uint64_t *counter;

static void die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(2);
}

static void need(int is_true, const char *what)
{
	if (!is_true)
		die(what);
}

static void wait_ms(int ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&t, NULL);
}

static void map_counter(void)
{
	int fd = open("counter", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	need(fd >= 0 && !ftruncate(fd, 4096), "counter");
	counter = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	need(counter != MAP_FAILED, "counter");
	close(fd);
}

static void *idle(void *arg)
{
	for (;;)
		wait_ms(1000);
	return arg;
}

static void on_signal(int number)
{
	(void)number;
}

/* Memory of its own, an object that is shared, a memfd, a pipe with something in it, a lock. */
static void have_state(void)
{
	int ends[2], memfd = memfd_create("job", 0), lock = open("lock", O_RDWR | O_CREAT, 0600);
	char *own, *shared;

	own = mmap(NULL, JOB_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	shared = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (pipe(ends) || write(ends[1], "hello", 5) != 5 || lockf(lock, F_LOCK, 0) ||
	    own == MAP_FAILED || shared == MAP_FAILED || write(memfd, "memfd", 5) != 5)
		_exit(1);
	memset(own, 1, JOB_BYTES);
	shared[0] = 1;
}

static void have_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	signal(SIGUSR2, on_signal);
	if (ckpt_restart_signal(SIGUSR2) || sigprocmask(SIG_BLOCK, &set, NULL) ||
	    kill(getpid(), SIGUSR1))
		_exit(1);
}

static void be_job(int nr_threads)
{
	int fd = open("/dev/null", O_RDWR);
	pthread_t thread;

	setsid();
	for (int i = 0; i < 3; i++)
		dup2(fd, i);
	closefrom(3);
	have_state();
	have_signals();
	while (--nr_threads > 0)
		if (pthread_create(&thread, NULL, idle, NULL))
			_exit(1);
	for (;;) {
		++*counter;
		wait_ms(1);
	}
}

unused_ok static pid_t start_job(int nr_threads)
{
	pid_t pid = fork();

	need(pid >= 0, "fork");
	if (!pid)
		be_job(nr_threads);
	return pid;
}

/* Whether the job counts on. */
unused_ok static int is_running(void)
{
	uint64_t old = *counter;

	for (int ms = 0; ms < PATIENCE_MS; ms += 2) {
		if (*counter != old)
			return 1;
		wait_ms(2);
	}
	return 0;
}

/* How many hold the module. */
static int use_count(void)
{
	FILE *file = fopen("/sys/module/ckpt/refcnt", "re");
	int n = -1;

	need(file && fscanf(file, "%d", &n) == 1, "/sys/module/ckpt/refcnt");
	fclose(file);
	return n;
}

/* Nobody does any more; what a task gives back on its way takes a moment. */
unused_ok static void must_be_unused(const char *what, int n)
{
	for (int ms = 0; use_count(); ms += 2) {
		if (ms > PATIENCE_MS) {
			fprintf(stderr, "%s: point %d: the module is still in use\n", what, n);
			exit(1);
		}
		wait_ms(2);
	}
}

/* Lack of memory, and of the caller's own memory, need no more words. */
unused_ok static void must_explain(int ckpt, const char *what, int n, int err)
{
	char *text = ckpt_messages(ckpt);

	if (!text || (!*text && err != ENOMEM && err != EFAULT)) {
		fprintf(stderr, "%s: point %d: error %d without a message\n", what, n, err);
		exit(1);
	}
	free(text);
}

unused_ok static void save_image(pid_t pid)
{
	int ckpt = ckpt_open(), out = open(IMAGE, O_RDWR | O_CREAT | O_TRUNC, 0600);

	need(ckpt >= 0 && out >= 0, IMAGE);
	if (ckpt_freeze(ckpt, CKPT_SELECT_TREE, pid, 0) || ckpt_save(ckpt, out, NULL)) {
		fprintf(stderr, "%s", ckpt_messages(ckpt));
		exit(1);
	}
	close(out);
	close(ckpt);
}

unused_ok static void end_job(pid_t pid)
{
	kill(pid, SIGKILL);
	need(waitpid(pid, NULL, 0) == pid, "waitpid");
	need(kill(pid, 0) && errno == ESRCH, "no task is left");
}

#endif /* FAULT_JOB_H */
