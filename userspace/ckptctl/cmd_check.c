// SPDX-License-Identifier: GPL-2.0-only
/* ckptctl check: tells what stands against a save. */

#include <ckpt.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "options.h"
#include "tool.h"

static int check(int ckpt, pid_t pid)
{
	if (ckpt_freeze(ckpt, CKPT_SELECT_TREE, pid, 0))
		return tool_explain(ckpt, errno, "cannot freeze", "PID %d", pid);
	if (ckpt_check(ckpt))
		return tool_explain(ckpt, errno, "cannot be saved", "PID %d", pid);
	printf("PID %d can be saved\n", pid);
	return EXIT_DONE;
}

int cmd_check(int argc, char **argv)
{
	static const struct option options[] = { { 0 } };
	int ckpt, status;
	pid_t pid;

	if (options_next(argc, argv, options) != OPTIONS_END)
		return EXIT_USAGE;
	if (argc - optind != 1)
		return tool_usage("check", "needs a PID");
	pid = tool_parse_pid(argv[optind]);
	if (!pid)
		return EXIT_USAGE;
	ckpt = tool_open_device();
	if (ckpt < 0)
		return EXIT_LACKING;
	status = check(ckpt, pid);
	/* Thaws the process. */
	close(ckpt);
	return status;
}
