// SPDX-License-Identifier: GPL-2.0-only
/* ckptctl save: saves a process into a file. */

#include <ckpt.h>
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "options.h"
#include "output.h"
#include "tool.h"

/* A process that is to run on does so as soon as it was read; only its end waits for the disk. */
static int save(int ckpt, pid_t pid, struct output *out, int signal)
{
	if (ckpt_freeze(ckpt, CKPT_SELECT_TREE, pid, 0))
		return tool_explain(ckpt, errno, "cannot freeze", "PID %d", pid);
	if (ckpt_save(ckpt, out->fd, NULL))
		return tool_explain(ckpt, errno, "cannot write", "%s", out->name);
	if (!signal && ckpt_thaw(ckpt))
		return tool_explain(ckpt, errno, "cannot thaw", "PID %d", pid);
	return output_sync(out) ? EXIT_REFUSED : EXIT_DONE;
}

/* The process dies or stops by @signal. */
static int end(int ckpt, pid_t pid, int signal)
{
	if (ckpt_kill(ckpt, signal))
		return tool_explain(ckpt, errno, signal == SIGKILL ? "cannot kill" : "cannot stop",
				    "PID %d", pid);
	return EXIT_DONE;
}

/* An image with its name and a process that was to be killed: both or none. */
static int finish(int ckpt, pid_t pid, struct output *out, int signal)
{
	sigset_t all, old;
	int status;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	status = output_publish(out) ? EXIT_REFUSED : EXIT_DONE;
	if (status == EXIT_DONE && signal)
		status = end(ckpt, pid, signal);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return status;
}

static int run(pid_t pid, const char *file, int signal)
{
	struct output out;
	int status = EXIT_REFUSED, ckpt = -1;

	/* Before the device: the watcher of the output must not have it open. */
	if (!output_open(&out, file)) {
		ckpt = tool_open_device();
		status = ckpt < 0 ? EXIT_LACKING : save(ckpt, pid, &out, signal);
	}
	if (status == EXIT_DONE)
		status = finish(ckpt, pid, &out, signal);
	/* Thaws what is still frozen; before the watcher is waited for. */
	if (ckpt >= 0)
		close(ckpt);
	output_close(&out);
	return status;
}

int cmd_save(int argc, char **argv)
{
	static const struct option options[] = {
		{ "kill", no_argument, NULL, 'k' },
		{ "stop", no_argument, NULL, 's' },
		{ 0 },
	};
	int option, chosen = 0;
	pid_t pid;

	while ((option = options_next(argc, argv, options)) != OPTIONS_END) {
		if (option == OPTIONS_BAD)
			return EXIT_USAGE;
		if (chosen && chosen != option)
			return tool_usage("save", "either --kill or --stop");
		chosen = option;
	}
	if (argc - optind != 2)
		return tool_usage("save", "needs a PID and a FILE");
	pid = tool_parse_pid(argv[optind]);
	if (!pid)
		return EXIT_USAGE;
	/* A reader that goes away is an error to tell of. */
	signal(SIGPIPE, SIG_IGN);
	return run(pid, argv[optind + 1], chosen == 'k' ? SIGKILL : chosen == 's' ? SIGSTOP : 0);
}
