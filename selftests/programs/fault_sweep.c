// SPDX-License-Identifier: GPL-2.0-only
// link: ckpt
/* Fails every allocation of a save and a restore in turn. */

#include "fault_job.h"

#include <linux/sched.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#define MAX_POINTS 20000

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
		must_be_unused("save", n);
	}
	close(fail_nth);
	need(nr_errors > 10, "save: hardly any fault was seen");
	printf("save: %d allocations failed in turn, %d saves refused, the job unharmed\n", n - 2,
	       nr_errors);
}

/* --- restore --- */

/* The image is read and verified; returns 0 or the errno. */
static int open_once(int fail_nth, int n, int *is_hit)
{
	int ckpt = ckpt_open(), in = open(IMAGE, O_RDONLY | O_CLOEXEC), err;

	need(ckpt >= 0 && in >= 0, IMAGE);
	arm(fail_nth, n);
	err = ckpt_open_image(ckpt, in, NULL) ? errno : 0;
	*is_hit = has_failed(fail_nth);
	arm(fail_nth, 0);
	if (err)
		must_explain(ckpt, "open", n, err);
	close(in);
	close(ckpt);
	return err;
}

static void sweep_open(void)
{
	int fail_nth = open_fail_nth(), is_hit = 1, nr_errors = 0, n;

	for (n = 1; is_hit; n++) {
		int err = open_once(fail_nth, n, &is_hit);

		need(n < MAX_POINTS, "open: no end of allocations");
		nr_errors += !!err;
		if (err && !is_hit) {
			fprintf(stderr, "open: error %d though nothing was failed\n", err);
			exit(1);
		}
		must_be_unused("open", n);
	}
	close(fail_nth);
	need(nr_errors > 2, "open: hardly any fault was seen");
	printf("open: %d allocations failed in turn, %d images not opened\n", n - 2, nr_errors);
}

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
	end_job(child);
	close(image.fd);
	close(ckpt);
	return err;
}

static void sweep_restore(void)
{
	int is_hit = 1, nr_errors = 0, n;

	for (n = 1; is_hit; n++) {
		int err = restore_once(n, &is_hit);

		need(n < MAX_POINTS, "restore: no end of allocations");
		nr_errors += !!err;
		must_be_unused("restore", n);
	}
	need(nr_errors > 10, "restore: hardly any fault was seen");
	printf("restore: %d allocations failed in turn, %d restores refused, no task left\n", n - 2,
	       nr_errors);
}

int main(void)
{
	pid_t pid;

	setvbuf(stdout, NULL, _IOLBF, 0);
	map_counter();
	pid = start_job(1);
	need(is_running(), "the job runs");
	save_image(pid);
	sweep_save(pid);
	end_job(pid);
	sweep_open();
	sweep_restore();
	return 0;
}
