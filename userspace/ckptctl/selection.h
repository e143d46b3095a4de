/* SPDX-License-Identifier: GPL-2.0-only */
/* Which processes a command is about. */
#ifndef CKPTCTL_SELECTION_H
#define CKPTCTL_SELECTION_H

#include <getopt.h>
#include <limits.h>

/* Values of options that have no letter. */
enum {
	SELECTION_PROCESS = 0x100,
	SELECTION_PGRP,
	SELECTION_SESSION,
	SELECTION_FOREGROUND,
	SELECTION_CGROUP,
};

/* Rows of a table of options. */
/* clang-format off */
#define SELECTION_OPTIONS \
	{ "process", required_argument, NULL, SELECTION_PROCESS }, \
	{ "pgrp", required_argument, NULL, SELECTION_PGRP }, \
	{ "session", required_argument, NULL, SELECTION_SESSION }, \
	{ "foreground", required_argument, NULL, SELECTION_FOREGROUND }, \
	{ "cgroup", required_argument, NULL, SELECTION_CGROUP }
/* clang-format on */

/**
 * struct selection - which processes a command is about
 * @option: SELECTION_* that was given, 0 for none: then a PID is the first argument
 * @argument: its argument
 * @select: CKPT_SELECT_*
 * @id: what it says
 * @name: what messages call it
 */
struct selection {
	int option;
	const char *argument;
	unsigned int select;
	int id;
	char name[PATH_MAX];
};

/* Takes an option of SELECTION_OPTIONS; returns EXIT_USAGE after an error was printed. */
int selection_take(struct selection *s, const char *command, int option, const char *argument);

/*
 * Takes the first argument too, if it stands for the processes: advances optind. Returns
 * EXIT_USAGE or EXIT_REFUSED after an error was printed.
 */
int selection_resolve(struct selection *s, const char *command, int argc, char **argv);

/* Freezes them; prints an error. */
int selection_freeze(struct selection *s, int ckpt);

void selection_close(struct selection *s);

#endif /* CKPTCTL_SELECTION_H */
