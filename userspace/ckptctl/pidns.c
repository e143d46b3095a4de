// SPDX-License-Identifier: GPL-2.0-only
/* PID namespaces made for restored jobs, in which their old PIDs are free. */

#define _GNU_SOURCE

#include "pidns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "front.h"
#include "tool.h"

/* What belongs to the namespace must not show outside, nor /proc of outside in it. */
static int mount_proc(void)
{
	if (!mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) &&
	    !mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL))
		return 0;
	tool_error("/proc: cannot mount it for the PID namespace: %s", strerror(errno));
	return -1;
}

static int be_init(int (*run)(void *arg, int report), void *arg, int report)
{
	int status = EXIT_LACKING;

	if (mount_proc())
		pidns_tell(report, status);
	else
		status = run(arg, report);
	/* The kernel kills all who are left when init ends. */
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
	return status;
}

int pidns_start(struct pidns *ns, int (*run)(void *arg, int report), void *arg)
{
	struct clone_args how = {
		.flags = CLONE_NEWPID | CLONE_NEWNS,
		.exit_signal = SIGCHLD,
	};
	int fds[2], err;
	long pid;

	if (pipe2(fds, O_CLOEXEC)) {
		tool_error("pipe: cannot make one: %s", strerror(errno));
		return -1;
	}
	pid = syscall(SYS_clone3, &how, sizeof(how));
	if (!pid) {
		close(fds[0]);
		_exit(be_init(run, arg, fds[1]));
	}
	err = errno;
	close(fds[1]);
	*ns = (struct pidns){ .init = pid, .report = fds[0] };
	if (pid > 0)
		return 0;
	close(fds[0]);
	tool_error("PID namespace: cannot make one: %s", strerror(err));
	return -1;
}

void pidns_tell(int report, int status)
{
	uint8_t byte = status;
	ssize_t n;

	do
		n = write(report, &byte, sizeof(byte));
	while (n < 0 && errno == EINTR);
	close(report);
}

int pidns_hear(struct pidns *ns)
{
	uint8_t byte = EXIT_REFUSED;
	ssize_t n;

	do
		n = read(ns->report, &byte, sizeof(byte));
	while (n < 0 && errno == EINTR);
	close(ns->report);
	return byte;
}

static int status_of(int status)
{
	return WIFSIGNALED(status) ? FRONT_SIGNALLED + WTERMSIG(status) : WEXITSTATUS(status);
}

int pidns_wait(struct pidns *ns, unsigned int n)
{
	unsigned int i, nr_left = n;
	int first = 0, status, signal;

	while (nr_left) {
		pid_t pid = waitpid(-1, &status, WNOHANG);

		if (pid < 0)
			break;
		if (pid) {
			nr_left--;
			first = first ? first : status_of(status);
			for (i = 0; i < n; i++)
				if (ns[i].init == pid)
					ns[i].init = 0;
			continue;
		}
		signal = front_next_signal();
		for (i = 0; i < n && signal != SIGCHLD; i++)
			if (ns[i].init)
				kill(ns[i].init, signal);
	}
	return first;
}
