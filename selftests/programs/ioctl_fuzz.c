// SPDX-License-Identifier: GPL-2.0-only
// link: ckpt
/* Random ioctls, valid and not, from several threads and processes, while jobs come and go. */

#define _GNU_SOURCE

#include <ckpt.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NR_JOBS 6
#define NR_WORKERS 3
#define NR_THREADS 3
#define NR_CMDS (CKPT_CMD_TIMER_ID - CKPT_CMD_INFO + 1)

/* What all processes see. */
struct board {
	int stop;
	pid_t jobs[NR_JOBS];
	unsigned long nr_jobs, nr_calls, nr_done, nr_saved, nr_opened;
};

static struct board *shared;

/* Descriptors that the threads of one worker share, and the image that it saved last. */
static int common = -1, image = -1;

static __thread uint64_t seed;

static uint32_t draw(uint32_t below)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (seed >> 33) % below;
}

static void count(unsigned long *n)
{
	__atomic_add_fetch(n, 1, __ATOMIC_RELAXED);
}

static int is_over(void)
{
	return __atomic_load_n(&shared->stop, __ATOMIC_RELAXED);
}

static void pause_ms(int ms)
{
	struct timespec t = { 0, ms * 1000000L };

	nanosleep(&t, NULL);
}

/* --- jobs --- */

static void *idle(void *arg)
{
	for (;;)
		pause_ms(1);
	return arg;
}

static void be_job(void)
{
	int nr = draw(3), null = open("/dev/null", O_RDWR);
	pthread_t thread;

	/* What it shared with others could not be saved. */
	munmap(shared, sizeof(*shared));
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	while (nr--)
		if (pthread_create(&thread, NULL, idle, NULL))
			_exit(1);
	idle(NULL);
}

/* Keeps the jobs coming and going; what was stopped or killed by a worker is replaced too. */
static void run_jobs(void)
{
	while (!is_over()) {
		int i = draw(NR_JOBS);
		pid_t pid = shared->jobs[i];

		if (pid) {
			kill(pid, SIGKILL);
			waitpid(pid, NULL, 0);
		}
		pid = fork();
		if (!pid)
			be_job();
		__atomic_store_n(&shared->jobs[i], pid > 0 ? pid : 0, __ATOMIC_RELAXED);
		count(&shared->nr_jobs);
		pause_ms(20);
	}
	for (int i = 0; i < NR_JOBS; i++) {
		if (!shared->jobs[i])
			continue;
		kill(shared->jobs[i], SIGKILL);
		waitpid(shared->jobs[i], NULL, 0);
	}
}

/* --- calls --- */

static pid_t draw_pid(void)
{
	switch (draw(8)) {
	case 0:
		/* A kernel thread, or nobody. */
		return draw(2) ? 2 : 10000000 + draw(1000);
	case 1:
		return getpid();
	case 2:
		return -1;
	default:
		return __atomic_load_n(&shared->jobs[draw(NR_JOBS)], __ATOMIC_RELAXED);
	}
}

static int draw_fd(void)
{
	switch (draw(6)) {
	case 0:
		return 3 + draw(16);
	case 1:
		return -1;
	default:
		lseek(image, 0, SEEK_SET);
		return image;
	}
}

/* Fills in what makes the call sensible most of the time, and returns its right size. */
static uint32_t fill(int cmd, void *buf)
{
	static struct ckpt_task list[64];
	struct ckpt_freeze *freeze = buf;
	struct ckpt_save *save = buf;
	struct ckpt_kill *killing = buf;
	struct ckpt_open_image *open_image = buf;
	struct ckpt_tasks *tasks = buf;
	struct ckpt_restart_signal *restart = buf;

	switch (cmd) {
	case CKPT_CMD_INFO:
		return sizeof(struct ckpt_info);
	case CKPT_CMD_FREEZE:
		freeze->select = draw(8) ? draw(2) : draw(6);
		freeze->id = draw_pid();
		freeze->timeout_ms = 1 + draw(50);
		return sizeof(*freeze);
	case CKPT_CMD_STATUS:
		return sizeof(struct ckpt_status);
	case CKPT_CMD_SAVE:
		save->flags = draw(2) ? CKPT_SAVE_CHECK : 0;
		save->fd = save->flags ? -1 : draw_fd();
		return sizeof(*save);
	case CKPT_CMD_THAW:
		return sizeof(struct ckpt_thaw);
	case CKPT_CMD_KILL:
		killing->signal = draw(2) ? SIGKILL : SIGSTOP;
		return sizeof(*killing);
	case CKPT_CMD_OPEN_IMAGE:
		open_image->fd = draw_fd();
		return sizeof(*open_image);
	case CKPT_CMD_TASKS:
		tasks->count = draw(64);
		tasks->tasks = (uintptr_t)list;
		return sizeof(*tasks);
	case CKPT_CMD_RESTART_SIGNAL:
		restart->signal = draw(66);
		return sizeof(*restart);
	case CKPT_CMD_RESTORE:
		((struct ckpt_restore *)buf)->tid = draw_pid();
		((struct ckpt_restore *)buf)->tty_fd = -1;
		return sizeof(struct ckpt_restore);
	case CKPT_CMD_WAIT:
		return sizeof(struct ckpt_wait);
	}
	return 64;
}

static void spoil(uint8_t *buf, uint32_t size)
{
	buf[4 + draw(size - 4)] = draw(256);
	if (!draw(4))
		*(uint32_t *)buf = draw(2) ? draw(200) : draw(0x7fffffff);
}

static void call(int ckpt)
{
	uint8_t buf[256] = {};
	int cmd = CKPT_CMD_INFO + draw(NR_CMDS);
	uint32_t size = fill(cmd, buf);
	void *arg = buf;

	*(uint32_t *)buf = size;
	if (!draw(4))
		spoil(buf, size);
	if (!draw(50))
		arg = (void *)(uintptr_t)(draw(2) ? draw(0x7fffffff) : ~0ULL << draw(48));
	count(&shared->nr_calls);
	if (ioctl(ckpt, _IO(CKPT_IOC_TYPE, cmd), arg))
		return;
	count(&shared->nr_done);
	if (cmd == CKPT_CMD_SAVE && ((struct ckpt_save *)buf)->image_bytes)
		count(&shared->nr_saved);
	if (cmd == CKPT_CMD_OPEN_IMAGE)
		count(&shared->nr_opened);
}

static void *work(void *arg)
{
	char text[512];
	int own = -1;

	seed = (uintptr_t)arg;
	while (!is_over()) {
		if (own < 0 || !draw(10)) {
			if (own >= 0)
				close(own);
			own = ckpt_open();
		}
		if (!draw(40)) {
			int fresh = ckpt_open();

			if (fresh >= 0 && dup2(fresh, common) >= 0)
				close(fresh);
		}
		call(draw(3) ? own : common);
		if (!draw(8) && read(draw(2) ? own : common, text, draw(sizeof(text))) < 0 &&
		    errno != EINTR && errno != EMSGSIZE && errno != EBADF)
			abort();
	}
	close(own);
	return NULL;
}

static void wake(int sig)
{
	(void)sig;
}

/* WAIT may wait for ever: a timer takes the threads out of it. */
static void run_worker(unsigned long first_seed)
{
	struct itimerval often = { { 0, 20000 }, { 0, 20000 } };
	struct sigaction action = { .sa_handler = wake };
	pthread_t threads[NR_THREADS];

	common = ckpt_open();
	image = memfd_create("image", MFD_CLOEXEC);
	sigaction(SIGALRM, &action, NULL);
	for (unsigned long i = 0; i < NR_THREADS; i++)
		if (pthread_create(&threads[i], NULL, work, (void *)(first_seed + i)))
			abort();
	setitimer(ITIMER_REAL, &often, NULL);
	while (!is_over())
		pause_ms(10);
	for (int i = 0; i < NR_THREADS; i++) {
		/* The timer goes to any thread: each is asked until it has ended. */
		while (pthread_tryjoin_np(threads[i], NULL)) {
			pthread_kill(threads[i], SIGALRM);
			pause_ms(10);
		}
	}
	_exit(0);
}

int main(int argc, char **argv)
{
	int seconds = argc > 1 ? atoi(argv[1]) : 10, failed = 0, status;
	pid_t jobs, workers[NR_WORKERS];
	unsigned long start = time(NULL);

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		return 2;
	printf("seed %lu\n", start);
	fflush(stdout);
	jobs = fork();
	if (!jobs) {
		seed = start;
		run_jobs();
		_exit(0);
	}
	for (int i = 0; i < NR_WORKERS; i++) {
		workers[i] = fork();
		if (!workers[i])
			run_worker(start + 1000 * (i + 1));
	}
	sleep(seconds);
	__atomic_store_n(&shared->stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < NR_WORKERS; i++)
		failed |= waitpid(workers[i], &status, 0) != workers[i] || status;
	failed |= waitpid(jobs, &status, 0) != jobs || status;
	printf("%lu ioctls, %lu done, %lu images saved, %lu opened, %lu jobs\n", shared->nr_calls,
	       shared->nr_done, shared->nr_saved, shared->nr_opened, shared->nr_jobs);
	return failed || !shared->nr_done || !shared->nr_saved || !shared->nr_opened;
}
