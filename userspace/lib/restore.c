// SPDX-License-Identifier: LGPL-2.1-or-later
/* The restore: children with the IDs of the image enter the kernel with each thread. */

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

#include "timens.h"

#define THREAD_FLAGS \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)

/* A thread never uses its stack; it must have one that is its own all the same. */
#define STACK_SIZE 4096

/* The kernel's signal set; sigprocmask(3) would leave out the signals of the C library. */
typedef uint64_t kernel_sigset;

/**
 * struct crew - what the children need, all made by the parent
 * @ckpt: descriptor of the request
 * @report: the children's end of a pipe
 * @job: as the caller wants it
 * @nr: tasks
 * @tasks: the tasks of the image: those of a process in a row, the leader's first
 * @calls: what each hands to the kernel
 * @clocks: of the job, when it was saved
 * @stacks: STACK_SIZE each; those of leaders are not used
 */
struct crew {
	int ckpt;
	int report;
	const struct ckpt_job *job;
	uint32_t nr;
	struct ckpt_task *tasks;
	struct ckpt_restore *calls;
	struct ckpt_tasks clocks;
	char *stacks;
};

/*
 * What a child tells its parent: an errno and whose ID it is about, or 0 once all its
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
	free(crew->tasks);
}

/* How many tasks there are; -1 when no image is open. */
static long count_tasks(int ckpt)
{
	struct ckpt_tasks tasks = { .size = sizeof(tasks) };

	if (!ioctl(ckpt, CKPT_IOC_TASKS, &tasks)) {
		errno = EINVAL;
		return -1;
	}
	return errno == ENOSPC ? (long)tasks.count : -1;
}

static int read_tasks(struct crew *crew)
{
	struct ckpt_tasks tasks = {
		.size = sizeof(tasks),
		.count = crew->nr,
		.tasks = (uintptr_t)crew->tasks,
	};

	if (ioctl(crew->ckpt, CKPT_IOC_TASKS, &tasks))
		return -1;
	crew->clocks = tasks;
	return 0;
}

static int make_crew(struct crew *crew)
{
	const struct ckpt_job *job = crew->job;
	long nr = count_tasks(crew->ckpt);
	uint32_t i;

	crew->stacks = MAP_FAILED;
	if (nr < 0)
		return -1;
	crew->nr = nr;
	crew->tasks = calloc(crew->nr, sizeof(*crew->tasks));
	crew->calls = calloc(crew->nr, sizeof(*crew->calls));
	crew->stacks = mmap(NULL, (size_t)crew->nr * STACK_SIZE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (!crew->tasks || !crew->calls || crew->stacks == MAP_FAILED || read_tasks(crew))
		return -1;
	for (i = 0; i < crew->nr; i++) {
		crew->calls[i].size = sizeof(crew->calls[i]);
		crew->calls[i].tid = crew->tasks[i].tid;
		crew->calls[i].tty_fd = i ? -1 : job->tty_fd;
		if (job->flags & CKPT_JOB_SIGNAL) {
			crew->calls[i].flags = CKPT_RESTORE_SIGNAL;
			crew->calls[i].signal = job->signal;
		}
		if (job->flags & CKPT_JOB_FREEZE_TIME)
			crew->calls[i].flags |= CKPT_RESTORE_TIME;
		if (job->flags & CKPT_JOB_STOPPED)
			crew->calls[i].flags |= CKPT_RESTORE_STOPPED;
	}
	return 0;
}

/* The first task behind those of the process that task @first leads. */
static uint32_t end_of_process(const struct crew *crew, uint32_t first)
{
	uint32_t i = first + 1;

	while (i < crew->nr && crew->tasks[first].process &&
	       crew->tasks[i].process == crew->tasks[first].process)
		i++;
	return i;
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

static long start_threads(struct crew *crew, uint32_t first, pid_t *tid)
{
	uint32_t end = end_of_process(crew, first), i;

	for (i = first + 1; i < end; i++) {
		struct clone_args how = {
			.flags = THREAD_FLAGS,
			.stack = (uintptr_t)(crew->stacks + (size_t)i * STACK_SIZE),
			.stack_size = STACK_SIZE,
			.set_tid = (uintptr_t)&crew->tasks[i].tid,
			.set_tid_size = 1,
		};
		long ret = start_thread(&how, crew->ckpt, &crew->calls[i]);

		*tid = crew->tasks[i].tid;
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

/* A child: it has but system calls, as its parent may have had threads. */
static _Noreturn void become(struct crew *crew, uint32_t first)
{
	struct report report = { 0 };
	ssize_t n;

	if (!first)
		lead_group(crew->job);
	report.err = -start_threads(crew, first, &report.tid);
	n = write(crew->report, &report, sizeof(report));
	/* Once all have closed it the parent knows that no report comes any more. */
	close(crew->report);
	if (n == sizeof(report) && !report.err)
		ioctl(crew->ckpt, CKPT_IOC_RESTORE, &crew->calls[first]);
	/* What only held a number has done so. */
	_exit(crew->tasks[first].process ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* Makes a process; returns 0, or an errno. */
static int make_child(struct crew *crew, uint32_t first)
{
	struct clone_args how = {
		.exit_signal = SIGCHLD,
		.set_tid = (uintptr_t)&crew->tasks[first].tid,
		.set_tid_size = 1,
	};
	long pid = syscall(SYS_clone3, &how, sizeof(how));

	if (!pid)
		become(crew, first);
	return pid < 0 ? errno : 0;
}

/* Makes all processes; returns how many, and the errno of the one that failed. */
static uint32_t make_children(struct crew *crew, struct ckpt_job *job, int *err)
{
	uint32_t first = 0, n = 0;

	for (*err = 0; first < crew->nr; first = end_of_process(crew, first)) {
		*err = make_child(crew, first);
		if (*err) {
			job->failed_tid = crew->tasks[first].tid;
			break;
		}
		n++;
	}
	return n;
}

static ssize_t read_report(int fd, struct report *report)
{
	ssize_t n;

	do
		n = read(fd, report, sizeof(*report));
	while (n < 0 && errno == EINTR);
	return n;
}

/* Waits until @n children have their threads; returns 0, or an errno. */
static int wait_for_threads(struct ckpt_job *job, uint32_t n, int fd)
{
	struct report report;

	for (; n; n--) {
		/* A child that was killed tells nothing. */
		if (read_report(fd, &report) != sizeof(report))
			return ECHILD;
		if (report.err) {
			job->failed_tid = report.tid;
			return report.err;
		}
	}
	return 0;
}

/* None of them has become a process of the job yet: all are children of the caller. */
static void kill_children(struct crew *crew, uint32_t n)
{
	uint32_t first = 0, i;

	for (i = 0; i < n; i++, first = end_of_process(crew, first))
		kill(crew->tasks[first].tid, SIGKILL);
	for (i = 0, first = 0; i < n; i++, first = end_of_process(crew, first))
		while (waitpid(crew->tasks[first].tid, NULL, 0) < 0 && errno == EINTR)
			;
}

static int make_job(struct crew *crew, struct ckpt_job *job)
{
	kernel_sigset all = ~0ULL, old;
	int fds[2], err, time_ns;
	uint32_t n;

	if (pipe2(fds, O_CLOEXEC))
		return -1;
	crew->report = fds[1];
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &old, sizeof(all));
	err = timens_enter(&crew->clocks, job->flags & CKPT_JOB_FREEZE_TIME, &time_ns);
	n = err ? 0 : make_children(crew, job, &err);
	timens_leave(time_ns);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &old, NULL, sizeof(old));
	close(fds[1]);
	if (!err)
		err = wait_for_threads(job, n, fds[0]);
	close(fds[0]);
	if (err)
		kill_children(crew, n);
	errno = err;
	return err ? -1 : 0;
}

pid_t ckpt_restore(int ckpt, struct ckpt_job *job)
{
	struct crew crew = { .ckpt = ckpt, .job = job };
	pid_t pid = -1;
	int err;

	job->failed_tid = 0;
	if (!make_crew(&crew) && !make_job(&crew, job))
		pid = crew.tasks[0].tid;
	err = errno;
	free_crew(&crew);
	errno = err;
	return pid;
}
