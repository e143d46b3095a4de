// SPDX-License-Identifier: GPL-2.0-only
// link: ckpt
/* Fails every allocation of a save and a restore in turn, and cuts the image at many places. */

#define _GNU_SOURCE

#include <ckpt.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_POINTS 20000
#define IMAGE "image"
#define PATIENCE_MS 60000

/* What the job counts in a file that both map. */
static volatile uint64_t *counter;

static void die(const char *what)
{
	fprintf(stderr, "fault_sweep: %s: %s\n", what, strerror(errno));
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

/* --- the job --- */

static void map_counter(void)
{
	int fd = open("counter", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	need(fd >= 0 && !ftruncate(fd, 4096), "counter");
	counter = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	need(counter != MAP_FAILED, "counter");
	close(fd);
}

/* Has a pipe with something in it, a shared object and a lock, beside its memory. */
static void be_job(void)
{
	int ends[2], fd = open("/dev/null", O_RDWR), lock;
	char *shared;

	setsid();
	for (int i = 0; i < 3; i++)
		dup2(fd, i);
	closefrom(3);
	lock = open("lock", O_RDWR | O_CREAT, 0600);
	shared = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (pipe(ends) || write(ends[1], "hello", 5) != 5 || lockf(lock, F_LOCK, 0) ||
	    shared == MAP_FAILED)
		_exit(1);
	shared[0] = 1;
	while (shared[0]) {
		++*counter;
		wait_ms(1);
	}
	_exit(0);
}

static pid_t start_job(void)
{
	pid_t pid = fork();

	need(pid >= 0, "fork");
	if (!pid)
		be_job();
	return pid;
}

/* Whether the job counts on. */
static int is_running(void)
{
	uint64_t old = *counter;

	for (int ms = 0; ms < PATIENCE_MS; ms += 2) {
		if (*counter != old)
			return 1;
		wait_ms(2);
	}
	return 0;
}

/* --- faults --- */

/* Fails the @n-th allocation of the calling thread from now on; 0 takes it back. */
static void arm(int fd, int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", n), tries = 0;

	/* The write that takes it back may be the very call that it fails. */
	while (pwrite(fd, text, len, 0) != len)
		need(tries++ < 3, "fail-nth");
}

/* Whether it has failed. */
static int has_failed(int fd)
{
	char text[16] = "";

	while (pread(fd, text, sizeof(text) - 1, 0) <= 0)
		need(errno == EFAULT || errno == ENOMEM, "fail-nth");
	return atoi(text) == 0;
}

static int open_fail_nth(void)
{
	int fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);

	need(fd >= 0, "/proc/thread-self/fail-nth");
	return fd;
}

/* Lack of memory, and of the caller's own memory, need no more words. */
static void must_explain(int ckpt, const char *what, int n, int err)
{
	char *text = ckpt_messages(ckpt);

	if (!text || (!*text && err != ENOMEM && err != EFAULT)) {
		fprintf(stderr, "%s: point %d: error %d without a message\n", what, n, err);
		exit(1);
	}
	free(text);
}

/* --- save --- */

/* Returns 0 or the errno of what failed. */
static int save_once(int fail_nth, int n, pid_t pid, int *is_hit)
{
	int ckpt = ckpt_open(), out = memfd_create("image", MFD_CLOEXEC), err = 0;

	need(ckpt >= 0 && out >= 0, "/dev/ckpt");
	arm(fail_nth, n);
	if (ckpt_freeze(ckpt, CKPT_SELECT_TREE, pid, 0) || ckpt_save(ckpt, out, NULL))
		err = errno;
	*is_hit = has_failed(fail_nth);
	arm(fail_nth, 0);
	if (err)
		must_explain(ckpt, "save", n, err);
	close(out);
	close(ckpt);
	return err;
}

static void sweep_save(pid_t pid)
{
	int fail_nth = open_fail_nth(), is_hit = 1, nr_errors = 0, n;

	for (n = 1; is_hit; n++) {
		int err = save_once(fail_nth, n, pid, &is_hit);

		need(n < MAX_POINTS, "save: no end of allocations");
		nr_errors += !!err;
		if (err && !is_hit) {
			fprintf(stderr, "save: error %d though nothing was failed\n", err);
			exit(1);
		}
		if (!is_running()) {
			fprintf(stderr, "save: point %d: the job has stopped\n", n);
			exit(1);
		}
	}
	close(fail_nth);
	need(nr_errors > 10, "save: hardly any fault was seen");
	printf("save: %d allocations failed in turn, %d saves refused, the job unharmed\n", n - 2,
	       nr_errors);
}

/* A reader that goes away after @limit bytes. */
static pid_t start_reader(int from, long limit)
{
	pid_t pid = fork();

	need(pid >= 0, "fork");
	if (!pid) {
		char buf[4096];
		ssize_t n = 1;

		while (limit > 0 && n > 0) {
			n = read(from, buf, limit < 4096 ? limit : 4096);
			limit -= n;
		}
		_exit(0);
	}
	return pid;
}

static void sweep_writes(pid_t pid, long total)
{
	int nr = 0;

	signal(SIGPIPE, SIG_IGN);
	for (long limit = 0; limit < total - 65536; limit += 4096 + limit % 77) {
		int ends[2], ckpt = ckpt_open();
		pid_t reader;

		need(ckpt >= 0 && !pipe2(ends, O_CLOEXEC), "pipe");
		reader = start_reader(ends[0], limit);
		close(ends[0]);
		need(!ckpt_freeze(ckpt, CKPT_SELECT_TREE, pid, 0), "freeze");
		if (!ckpt_save(ckpt, ends[1], NULL) || errno != EPIPE) {
			fprintf(stderr, "save: reader gone after %ld bytes: %s\n", limit,
				strerror(errno));
			exit(1);
		}
		close(ends[1]);
		close(ckpt);
		waitpid(reader, NULL, 0);
		need(is_running(), "the job runs on after a write that failed");
		nr++;
	}
	printf("save: %d writes failed in turn, the job unharmed\n", nr);
}

/* --- restore --- */

static void become_job(int ckpt, int n)
{
	struct ckpt_restore call = { .size = sizeof(call), .tid = getpid(), .tty_fd = -1 };
	int fail_nth = open_fail_nth();
	uint64_t all = ~0ULL;

	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof(all));
	arm(fail_nth, n);
	ioctl(ckpt, CKPT_IOC_RESTORE, &call);
	_exit(1);
}

static pid_t clone_as(pid_t pid, int *pidfd)
{
	struct clone_args args = {
		.flags = CLONE_PIDFD,
		.pidfd = (uintptr_t)pidfd,
		.exit_signal = SIGCHLD,
		.set_tid = (uintptr_t)&pid,
		.set_tid_size = 1,
	};

	return syscall(SYS_clone3, &args, sizeof(args));
}

/* Waits for the end of a restore. Returns 0 or an errno: ECHILD when the child died before. */
static int wait_restored(int ckpt, int pidfd)
{
	struct pollfd fds[] = { { .fd = ckpt, .events = POLLPRI },
				{ .fd = pidfd, .events = POLLIN } };
	struct ckpt_status status;

	need(poll(fds, 2, PATIENCE_MS) > 0, "restore: neither succeeds nor fails");
	close(pidfd);
	need(!ckpt_status(ckpt, &status), "status");
	if (status.state == CKPT_STATE_RESTORED)
		return 0;
	return status.state == CKPT_STATE_FAILED ? -status.error : ECHILD;
}

/* Returns 0 or the errno; *@is_hit: the child's fault was used up. */
static int restore_once(int n, int *is_hit)
{
	struct ckpt_open_image image = { .size = sizeof(image), .fd = open(IMAGE, O_RDONLY) };
	int ckpt = ckpt_open(), fail_nth, pidfd, err;
	char path[64];
	pid_t child;

	need(ckpt >= 0 && image.fd >= 0 && !ioctl(ckpt, CKPT_IOC_OPEN_IMAGE, &image), "image");
	child = clone_as(image.pid, &pidfd);
	need(child >= 0, "clone3");
	if (!child)
		become_job(ckpt, n);
	err = wait_restored(ckpt, pidfd);
	*is_hit = 1;
	if (!err) {
		snprintf(path, sizeof(path), "/proc/%d/fail-nth", child);
		fail_nth = open(path, O_RDWR | O_CLOEXEC);
		need(fail_nth >= 0, path);
		*is_hit = has_failed(fail_nth);
		arm(fail_nth, 0);
		close(fail_nth);
		need(is_running(), "the restored job runs");
	} else if (err != ECHILD) {
		must_explain(ckpt, "restore", n, err);
	}
	kill(child, SIGKILL);
	need(waitpid(child, NULL, 0) == child, "waitpid");
	close(image.fd);
	close(ckpt);
	need(kill(child, 0) && errno == ESRCH, "no task is left");
	return err;
}

static void sweep_restore(void)
{
	int is_hit = 1, nr_errors = 0, n;

	for (n = 1; is_hit; n++) {
		int err = restore_once(n, &is_hit);

		need(n < MAX_POINTS, "restore: no end of allocations");
		nr_errors += !!err;
	}
	need(nr_errors > 10, "restore: hardly any fault was seen");
	printf("restore: %d allocations failed in turn, %d restores refused, no task left\n", n - 2,
	       nr_errors);
}

/* --- both --- */

static long save_image(pid_t pid)
{
	int ckpt = ckpt_open(), out = open(IMAGE, O_RDWR | O_CREAT | O_TRUNC, 0600);
	struct ckpt_save result;

	need(ckpt >= 0 && out >= 0, IMAGE);
	if (ckpt_freeze(ckpt, CKPT_SELECT_TREE, pid, 0) || ckpt_save(ckpt, out, &result)) {
		fprintf(stderr, "%s", ckpt_messages(ckpt));
		exit(1);
	}
	close(out);
	close(ckpt);
	return result.image_bytes;
}

int main(void)
{
	pid_t pid;
	long total;

	setvbuf(stdout, NULL, _IOLBF, 0);
	map_counter();
	pid = start_job();
	need(is_running(), "the job runs");
	total = save_image(pid);
	sweep_writes(pid, total);
	sweep_save(pid);
	kill(pid, SIGKILL);
	need(waitpid(pid, NULL, 0) == pid, "waitpid");
	sweep_restore();
	return 0;
}
