// SPDX-License-Identifier: GPL-2.0-only
/* ckptctl restore: makes the process of an image run on. */

#define _GNU_SOURCE

#include <ckpt.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "front.h"
#include "options.h"
#include "pidns.h"
#include "tool.h"
#include "tty.h"

#define MAX_COPIES 10000

/**
 * struct restore - what is asked for
 * @name: image file, as the user calls it
 * @fd: that file
 * @detach: do not stay the parent
 * @nr_copies: in as many PID namespaces, 0: with the old PIDs in that of the caller
 * @report: to whom it is told that the job runs, or -1; see pidns.h
 * @job: how
 */
struct restore {
	const char *name;
	int fd;
	bool detach;
	unsigned int nr_copies;
	int report;
	struct ckpt_job job;
};

/* The number of a signal by name or number; -1 when there is none. */
static int parse_signal(const char *text)
{
	int number;
	char *end;
	long n;

	if (*text >= '0' && *text <= '9') {
		n = strtol(text, &end, 10);
		return !*end && n > 0 && n <= SIGRTMAX ? n : -1;
	}
	if (!strncasecmp(text, "SIG", 3))
		text += 3;
	if (!strncasecmp(text, "RTMIN", 5)) {
		n = strtol(text + 5, &end, 10);
		return (text[5] == '+' || !text[5]) && !*end && n >= 0 && n <= SIGRTMAX - SIGRTMIN ?
			       SIGRTMIN + n :
			       -1;
	}
	for (number = 1; number < SIGRTMIN; number++) {
		const char *name = sigabbrev_np(number);

		if (name && !strcasecmp(name, text))
			return number;
	}
	return -1;
}

/*
 * A word of the file /proc/ID/NAME that follows @key at the beginning of a line; empty
 * when there is none.
 */
static void read_proc(pid_t id, const char *file, const char *key, char *word, size_t size)
{
	char path[64], line[256];
	FILE *in;

	*word = '\0';
	snprintf(path, sizeof(path), "/proc/%d/%s", id, file);
	in = fopen(path, "re");
	while (in && fgets(line, sizeof(line), in))
		if (!strncmp(line, key, strlen(key))) {
			snprintf(word, size, "%.*s", (int)strcspn(line + strlen(key), "\n"),
				 line + strlen(key));
			break;
		}
	if (in)
		fclose(in);
}

static int explain_taken(pid_t tid)
{
	char comm[64], state[64];
	const char *who;

	read_proc(tid, "comm", "", comm, sizeof(comm));
	read_proc(tid, "status", "State:\t", state, sizeof(state));
	if (!*comm)
		who = "a process group or session";
	else if (*state == 'Z' || *state == 'X')
		who = "a dead process that its parent has not waited for";
	else
		who = "another process";
	tool_error("PID %d: taken by %s%s%s%s: restore needs its PID", tid, who, *comm ? " (" : "",
		   comm, *comm ? ")" : "");
	return EXIT_REFUSED;
}

static void choose_group(struct restore *r, const struct ckpt_open_image *image)
{
	struct ckpt_job *job = &r->job;

	/* Several jobs cannot have one terminal. */
	job->tty_fd = r->nr_copies > 1 ? -1 : tty_open();
	if (r->detach || r->nr_copies > 1 || image->sid == image->pid) {
		job->flags |= CKPT_JOB_SESSION;
		return;
	}
	job->flags |= CKPT_JOB_GROUP;
	if (tty_has_foreground(job->tty_fd, getpgrp()))
		job->flags |= CKPT_JOB_FOREGROUND;
}

/* Ends a restore that did not succeed, which the close of the device does. */
static int fail(struct restore *r, int ckpt, pid_t pid, int err)
{
	int status = err < 0 ? 128 - err : tool_explain(ckpt, err, "cannot restore", "%s", r->name);

	close(ckpt);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
	front_take_terminal(pid, r->job.tty_fd);
	return status;
}

/* Whoever reads what the tool prints need not wait for the end of the job. */
static void drop_output(void)
{
	int fd, null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (fd = STDIN_FILENO; null >= 0 && fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
	close(null);
}

static int run(struct restore *r)
{
	struct ckpt_open_image image;
	int ckpt = tool_open_device(), err;
	pid_t pid;

	if (ckpt < 0)
		return EXIT_LACKING;
	if (ckpt_open_image(ckpt, r->fd, &image))
		return tool_explain(ckpt, errno, "cannot restore", "%s", r->name);
	choose_group(r, &image);
	front_block_signals();
	/* What a failing restore leaves behind is ours to wait for. */
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	pid = ckpt_restore(ckpt, &r->job);
	if (pid < 0 && errno == EEXIST)
		return explain_taken(r->job.failed_tid);
	if (pid < 0)
		return tool_explain(ckpt, errno, "cannot create its threads", "%s", r->name);
	err = front_wait(ckpt);
	if (err)
		return fail(r, ckpt, pid, err);
	close(ckpt);
	close(r->fd);
	if (r->report >= 0) {
		if (r->detach)
			drop_output();
		pidns_tell(r->report, EXIT_DONE);
		r->report = -1;
		return front_run(pid, r->job.tty_fd);
	}
	return r->detach ? EXIT_DONE : front_run(pid, r->job.tty_fd);
}

static int open_image(struct restore *r)
{
	if (!strcmp(r->name, "-")) {
		r->name = "standard input";
		r->fd = STDIN_FILENO;
		return 0;
	}
	r->fd = open(r->name, O_RDONLY | O_CLOEXEC);
	if (r->fd >= 0)
		return 0;
	tool_error("%s: cannot open: %s", r->name, strerror(errno));
	return -1;
}

/* The init process of a PID namespace: each reads the image by itself. */
static int run_as_init(void *arg, int report)
{
	struct restore r = *(struct restore *)arg;
	int status;

	r.report = report;
	/* Nobody outside sends the signals of a terminal to what is detached. */
	if (r.detach)
		setsid();
	status = open_image(&r) ? EXIT_REFUSED : run(&r);
	if (r.report >= 0)
		pidns_tell(r.report, status);
	return status;
}

static int run_copies(struct restore *r)
{
	struct pidns *ns = calloc(r->nr_copies, sizeof(*ns));
	int status = EXIT_DONE;
	unsigned int n, i;

	front_block_signals();
	for (n = 0; ns && n < r->nr_copies; n++)
		if (pidns_start(&ns[n], run_as_init, r))
			break;
	if (n < r->nr_copies)
		status = EXIT_LACKING;
	for (i = 0; i < n; i++) {
		int told = pidns_hear(&ns[i]);

		status = status ? status : told;
	}
	if (!r->detach || status)
		i = pidns_wait(ns, n);
	else
		i = 0;
	free(ns);
	return status ? status : (int)i;
}

/* --pid same|new, -n COPIES; returns 0 or EXIT_USAGE. */
static int parse_pids(struct restore *r, bool is_copies)
{
	char *end;
	long n;

	if (!is_copies && !strcmp(optarg, "same")) {
		r->nr_copies = 0;
		return 0;
	}
	if (!is_copies && !strcmp(optarg, "new")) {
		r->nr_copies = r->nr_copies ? r->nr_copies : 1;
		return 0;
	}
	n = strtol(optarg, &end, 10);
	if (!is_copies || *end || n < 1 || n > MAX_COPIES)
		return tool_usage(optarg,
				  is_copies ? "not a number of copies" : "--pid is same or new");
	r->nr_copies = n;
	return 0;
}

/* Whether CLOCK_MONOTONIC and CLOCK_BOOTTIME stood still; 0, or -1 for another word. */
static int parse_time(struct restore *r, const char *text)
{
	r->job.flags &= ~CKPT_JOB_FREEZE_TIME;
	if (!strcmp(text, "freeze"))
		r->job.flags |= CKPT_JOB_FREEZE_TIME;
	else if (strcmp(text, "real") != 0)
		return -1;
	return 0;
}

/* Returns 0 or EXIT_USAGE. */
static int parse(struct restore *r, int argc, char **argv)
{
	static const struct option options[] = {
		{ "detach", no_argument, NULL, 'd' },
		{ "copies", required_argument, NULL, 'n' },
		{ "pid", required_argument, NULL, 3 },
		{ "signal", required_argument, NULL, 1 },
		{ "no-signal", no_argument, NULL, 2 },
		{ "time", required_argument, NULL, 4 },
		{ "stop-restored", no_argument, NULL, 5 },
		{ 0 },
	};
	int option;

	while ((option = options_next(argc, argv, options)) != OPTIONS_END) {
		if (option == OPTIONS_BAD)
			return EXIT_USAGE;
		if (option == 'd') {
			r->detach = true;
			continue;
		}
		if (option == 5) {
			r->job.flags |= CKPT_JOB_STOPPED;
			continue;
		}
		if (option == 'n' || option == 3) {
			if (parse_pids(r, option == 'n'))
				return EXIT_USAGE;
			continue;
		}
		if (option == 4) {
			if (parse_time(r, optarg))
				return tool_usage(optarg, "--time is 'freeze' or 'real'");
			continue;
		}
		if (r->job.flags & CKPT_JOB_SIGNAL)
			return tool_usage("restore", "either --signal or --no-signal, once");
		r->job.flags |= CKPT_JOB_SIGNAL;
		r->job.signal = option == 1 ? parse_signal(optarg) : 0;
		if (r->job.signal < 0)
			return tool_usage(optarg, "no such signal");
	}
	if (argc - optind != 1)
		return tool_usage("restore", "needs a FILE");
	r->name = argv[optind];
	return EXIT_DONE;
}

int cmd_restore(int argc, char **argv)
{
	struct restore r = { .report = -1, .job.tty_fd = -1 };

	if (parse(&r, argc, argv) || !r.name)
		return EXIT_USAGE;
	if (r.nr_copies > 1 && !strcmp(r.name, "-"))
		return tool_usage("restore", "several copies need a FILE");
	if (r.nr_copies)
		return run_copies(&r);
	return open_image(&r) ? EXIT_REFUSED : run(&r);
}
