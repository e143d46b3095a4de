// SPDX-License-Identifier: LGPL-2.1-or-later
/* The restore: a child with the thread IDs of the image enters the kernel with each thread. */

#define _GNU_SOURCE

#include "ckpt.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define THREAD_FLAGS \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)

/* A thread never uses its stack; it must have one that is its own all the same. */
#define STACK_SIZE 4096

/* The kernel's signal set; sigprocmask(3) would leave out the signals of the C library. */
typedef uint64_t kernel_sigset;

/**
 * struct crew - what the child needs, all made by the parent
 * @ckpt: descriptor of the request
 * @report: the child's end of a pipe
 * @job: as the caller wants it
 * @nr: threads
 * @tids: their IDs, the leader's first
 * @calls: what each hands to the kernel
 * @stacks: STACK_SIZE each; the leader's is not used
 */
struct crew {
	int ckpt;
	int report;
	const struct ckpt_job *job;
	uint32_t nr;
	pid_t *tids;
	struct ckpt_restore *calls;
	char *stacks;
};

/*
 * What the child tells its parent: an errno and whose ID it is about, or 0 once all
 * threads exist.
 */
struct report {
	int err;
	pid_t tid;
};

static void free_crew(struct crew *crew)
{
	if (crew->stacks != MAP_FAILED)
		munmap(crew->stacks, (size_t)crew->nr * STACK_SIZE);
	free(crew->calls);
	free(crew->tids);
}

static int read_tids(struct crew *crew)
{
	struct ckpt_tasks tasks = {
		.size = sizeof(tasks),
		.count = crew->nr,
		.tids = (uintptr_t)crew->tids,
	};

	return ioctl(crew->ckpt, CKPT_IOC_TASKS, &tasks);
}

static int make_crew(struct crew *crew)
{
	const struct ckpt_job *job = crew->job;
	struct ckpt_status status;
	uint32_t i;

	crew->stacks = MAP_FAILED;
	if (ckpt_status(crew->ckpt, &status))
		return -1;
	if (status.state != CKPT_STATE_IMAGE || !status.nr_threads) {
		errno = EINVAL;
		return -1;
	}
	crew->nr = status.nr_threads;
	crew->tids = calloc(crew->nr, sizeof(*crew->tids));
	crew->calls = calloc(crew->nr, sizeof(*crew->calls));
	crew->stacks = mmap(NULL, (size_t)crew->nr * STACK_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (!crew->tids || !crew->calls || crew->stacks == MAP_FAILED || read_tids(crew))
		return -1;
	for (i = 0; i < crew->nr; i++) {
		crew->calls[i].size = sizeof(crew->calls[i]);
		crew->calls[i].tid = crew->tids[i];
		crew->calls[i].tty_fd = i ? -1 : job->tty_fd;
		if (job->flags & CKPT_JOB_SIGNAL) {
			crew->calls[i].flags = CKPT_RESTORE_SIGNAL;
			crew->calls[i].signal = job->signal;
		}
	}
	return 0;
}

/*
 * Makes a thread that does nothing but the ioctl; it would share the leader's TLS, so that
 * no function of the C library may run in it. Returns its ID or a negative errno.
 */
static long start_thread(struct clone_args *how, int ckpt, struct ckpt_restore *what)
{
	register long fd asm("r12") = ckpt;
	register struct ckpt_restore *call asm("r13") = what;
	long ret;

	asm volatile("syscall\n\t"
		     "test %%rax, %%rax\n\t"
		     "jnz 1f\n\t"
		     "mov %[ioctl], %%eax\n\t"
		     "mov %%r12, %%rdi\n\t"
		     "mov %[restore], %%esi\n\t"
		     "mov %%r13, %%rdx\n\t"
		     "syscall\n\t"
		     "mov %[exit_group], %%eax\n\t"
		     "mov $1, %%edi\n\t"
		     "syscall\n\t"
		     "hlt\n"
		     "1:"
		     : "=a"(ret)
		     : "a"((long)SYS_clone3), "D"(how), "S"(sizeof(*how)), "r"(fd),
		       "r"(call), [ioctl] "i"(SYS_ioctl), [restore] "i"(CKPT_IOC_RESTORE),
		       [exit_group] "i"(SYS_exit_group)
		     : "rcx", "rdx", "r11", "memory", "cc");
	return ret;
}

static long start_threads(struct crew *crew, pid_t *tid)
{
	uint32_t i;

	for (i = 1; i < crew->nr; i++) {
		struct clone_args how = {
			.flags = THREAD_FLAGS,
			.stack = (uintptr_t)(crew->stacks + (size_t)i * STACK_SIZE),
			.stack_size = STACK_SIZE,
			.set_tid = (uintptr_t)&crew->tids[i],
			.set_tid_size = 1,
		};
		long ret = start_thread(&how, crew->ckpt, &crew->calls[i]);

		*tid = crew->tids[i];
		if (ret < 0)
			return ret;
	}
	return 0;
}

static void lead_group(const struct ckpt_job *job)
{
	pid_t pid = getpid();

	if (job->flags & CKPT_JOB_SESSION)
		setsid();
	else if (job->flags & CKPT_JOB_GROUP)
		setpgid(0, 0);
	/* Before the job runs: it could be stopped for using a terminal that is not its own. */
	if (job->flags & CKPT_JOB_FOREGROUND)
		ioctl(job->tty_fd, TIOCSPGRP, &pid);
}

/* The child: it has but system calls, as its parent may have had threads. */
static _Noreturn void become(struct crew *crew)
{
	struct report report = { 0 };

	lead_group(crew->job);
	report.err = -start_threads(crew, &report.tid);
	if (write(crew->report, &report, sizeof(report)) == sizeof(report) && !report.err)
		ioctl(crew->ckpt, CKPT_IOC_RESTORE, &crew->calls[0]);
	_exit(EXIT_FAILURE);
}

static ssize_t read_report(int fd, struct report *report)
{
	ssize_t n;

	do
		n = read(fd, report, sizeof(*report));
	while (n < 0 && errno == EINTR);
	return n;
}

/* Waits until the child has its threads. Returns 0, or an errno with the child gone. */
static int wait_for_threads(struct ckpt_job *job, pid_t child, int fd)
{
	/* What a child that was killed tells: nothing. */
	struct report report = { .err = ECHILD };

	if (read_report(fd, &report) == sizeof(report) && !report.err)
		return 0;
	if (report.err != ECHILD)
		job->failed_tid = report.tid;
	kill(child, SIGKILL);
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	return report.err;
}

static pid_t make_child(struct crew *crew, struct ckpt_job *job)
{
	struct clone_args how = {
		.exit_signal = SIGCHLD,
		.set_tid = (uintptr_t)crew->tids,
		.set_tid_size = 1,
	};
	kernel_sigset all = ~0ULL, old;
	int fds[2], err;
	long pid;

	if (pipe2(fds, O_CLOEXEC))
		return -1;
	crew->report = fds[1];
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &old, sizeof(all));
	pid = syscall(SYS_clone3, &how, sizeof(how));
	if (!pid)
		become(crew);
	err = errno;
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &old, NULL, sizeof(old));
	close(fds[1]);
	if (pid < 0)
		job->failed_tid = crew->tids[0];
	else
		err = wait_for_threads(job, pid, fds[0]);
	close(fds[0]);
	errno = err;
	return err ? -1 : pid;
}

pid_t ckpt_restore(int ckpt, struct ckpt_job *job)
{
	struct crew crew = { .ckpt = ckpt, .job = job };
	pid_t pid = -1;
	int err;

	job->failed_tid = 0;
	if (!make_crew(&crew))
		pid = make_child(&crew, job);
	err = errno;
	free_crew(&crew);
	errno = err;
	return pid;
}
