// SPDX-License-Identifier: GPL-2.0-only
/* ckptctl save: saves a job into a file. */

#include <ckpt.h>
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "options.h"
#include "output.h"
#include "selection.h"
#include "tool.h"

/* A job that is to run on does so as soon as it was read; only its end waits for the disk. */
static int save(int ckpt, struct selection *s, struct output *out, int signal)
{
	if (selection_freeze(s, ckpt))
		return EXIT_REFUSED;
	if (ckpt_save(ckpt, out->fd, NULL))
		return tool_explain(ckpt, errno, "cannot write", "%s", out->name);
	if (!signal && ckpt_thaw(ckpt))
		return tool_explain(ckpt, errno, "cannot thaw", "%s", s->name);
	return output_sync(out) ? EXIT_REFUSED : EXIT_DONE;
}

/* The job dies or stops by @signal. */
static int end(int ckpt, const struct selection *s, int signal)
{
	if (ckpt_kill(ckpt, signal))
		return tool_explain(ckpt, errno, signal == SIGKILL ? "cannot kill" : "cannot stop",
				    "%s", s->name);
	return EXIT_DONE;
}

/* An image with its name and a job that was to be killed: both or none. */
static int finish(int ckpt, const struct selection *s, struct output *out, int signal)
{
	sigset_t all, old;
	int status;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	status = output_publish(out) ? EXIT_REFUSED : EXIT_DONE;
	if (status == EXIT_DONE && signal)
		status = end(ckpt, s, signal);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return status;
}

static int run(struct selection *s, const char *file, int signal)
{
	struct output out;
	int status = EXIT_REFUSED, ckpt = -1;

	/* Before the device: the watcher of the output must not have it open. */
	if (!output_open(&out, file)) {
		ckpt = tool_open_device();
		status = ckpt < 0 ? EXIT_LACKING : save(ckpt, s, &out, signal);
	}
	if (status == EXIT_DONE)
		status = finish(ckpt, s, &out, signal);
	/* Thaws what is still frozen; before the watcher is waited for. */
	if (ckpt >= 0)
		close(ckpt);
	output_close(&out);
	return status;
}

static int take_signal(int *signal, int option)
{
	int wanted = option == 'k' ? SIGKILL : SIGSTOP;

	if (*signal && *signal != wanted)
		return tool_usage("save", "either --kill or --stop");
	*signal = wanted;
	return EXIT_DONE;
}

int cmd_save(int argc, char **argv)
{
	static const struct option options[] = {
		{ "kill", no_argument, NULL, 'k' },
		{ "stop", no_argument, NULL, 's' },
		SELECTION_OPTIONS,
		{ 0 },
	};
	struct selection selection = { 0 };
	int option, status, end_by = 0;

	while ((option = options_next(argc, argv, options)) != OPTIONS_END) {
		if (option == OPTIONS_BAD)
			return EXIT_USAGE;
		status = option == 'k' || option == 's' ?
				 take_signal(&end_by, option) :
				 selection_take(&selection, "save", option, optarg);
		if (status)
			return status;
	}
	status = selection_resolve(&selection, "save", argc, argv);
	if (status == EXIT_DONE && argc - optind != 1)
		status = tool_usage("save", "needs a PID, or an option in its place, and a FILE");
	/* A reader that goes away is an error to tell of. */
	signal(SIGPIPE, SIG_IGN);
	if (status == EXIT_DONE)
		status = run(&selection, argv[optind], end_by);
	selection_close(&selection);
	return status;
}
