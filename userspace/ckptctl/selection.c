// SPDX-License-Identifier: GPL-2.0-only
/* Which processes a command is about. */

#include "selection.h"

#include <ckpt.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"
#include "tty.h"

#define CGROUPS "/sys/fs/cgroup/"

int selection_take(struct selection *s, const char *command, int option, const char *argument)
{
	if (s->option)
		return tool_usage(command, "only one option may say what the job is");
	s->option = option;
	s->argument = argument;
	return EXIT_DONE;
}

static int resolve_number(struct selection *s, unsigned int select, const char *noun,
			  const char *text)
{
	s->select = select;
	s->id = tool_parse_pid(text);
	if (!s->id)
		return EXIT_USAGE;
	snprintf(s->name, sizeof(s->name), "%s %d", noun, s->id);
	return EXIT_DONE;
}

/* A name without a slash in front is one below /dev. */
static int resolve_foreground(struct selection *s)
{
	char path[PATH_MAX];
	const char *why;

	snprintf(path, sizeof(path), "%s%s", *s->argument == '/' ? "" : "/dev/", s->argument);
	s->select = CKPT_SELECT_PGRP;
	s->id = tty_foreground(path, &why);
	if (s->id <= 0) {
		tool_error("%s: no foreground job: %s", path, why);
		return EXIT_REFUSED;
	}
	snprintf(s->name, sizeof(s->name), "process group %d", s->id);
	return EXIT_DONE;
}

static int resolve_cgroup(struct selection *s)
{
	snprintf(s->name, sizeof(s->name), "%s%s", *s->argument == '/' ? "" : CGROUPS, s->argument);
	s->select = CKPT_SELECT_CGROUP;
	s->id = open(s->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->id < 0) {
		tool_error("%s: cannot open: %s", s->name, strerror(errno));
		return EXIT_REFUSED;
	}
	return EXIT_DONE;
}

int selection_resolve(struct selection *s, const char *command, int argc, char **argv)
{
	switch (s->option) {
	case SELECTION_PROCESS:
		return resolve_number(s, CKPT_SELECT_PROCESS, "PID", s->argument);
	case SELECTION_PGRP:
		return resolve_number(s, CKPT_SELECT_PGRP, "process group", s->argument);
	case SELECTION_SESSION:
		return resolve_number(s, CKPT_SELECT_SESSION, "session", s->argument);
	case SELECTION_FOREGROUND:
		return resolve_foreground(s);
	case SELECTION_CGROUP:
		return resolve_cgroup(s);
	}
	if (optind == argc)
		return tool_usage(command, "needs a PID");
	return resolve_number(s, CKPT_SELECT_TREE, "PID", argv[optind++]);
}

int selection_freeze(struct selection *s, int ckpt)
{
	if (ckpt_freeze(ckpt, s->select, s->id, 0))
		return tool_explain(ckpt, errno, "cannot freeze", "%s", s->name);
	return EXIT_DONE;
}

void selection_close(struct selection *s)
{
	if (s->select == CKPT_SELECT_CGROUP && s->id >= 0)
		close(s->id);
	s->id = -1;
}
