// SPDX-License-Identifier: GPL-2.0-only
/* ckptctl check: tells what stands against a save. */

#include <ckpt.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "options.h"
#include "selection.h"
#include "tool.h"

static int check(int ckpt, struct selection *s)
{
	if (selection_freeze(s, ckpt))
		return EXIT_REFUSED;
	if (ckpt_check(ckpt))
		return tool_explain(ckpt, errno, "cannot be saved", "%s", s->name);
	printf("%s can be saved\n", s->name);
	return EXIT_DONE;
}

static int run(struct selection *s)
{
	int ckpt = tool_open_device(), status;

	if (ckpt < 0)
		return EXIT_LACKING;
	status = check(ckpt, s);
	/* Thaws the job. */
	close(ckpt);
	return status;
}

int cmd_check(int argc, char **argv)
{
	static const struct option options[] = { SELECTION_OPTIONS, { 0 } };
	struct selection selection = { 0 };
	int option, status;

	while ((option = options_next(argc, argv, options)) != OPTIONS_END)
		if (option == OPTIONS_BAD || selection_take(&selection, "check", option, optarg))
			return EXIT_USAGE;
	status = selection_resolve(&selection, "check", argc, argv);
	if (status == EXIT_DONE && optind != argc)
		status = tool_usage("check", "needs a PID, or an option in its place");
	if (status == EXIT_DONE)
		status = run(&selection);
	selection_close(&selection);
	return status;
}
