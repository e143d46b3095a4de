// SPDX-License-Identifier: GPL-2.0-only
/* What the commands of ckptctl share: errors, arguments, the device. */

#include "tool.h"

#include <ckpt.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME "ckptctl"

void tool_error(const char *fmt, ...)
{
	va_list args;

	flockfile(stderr);
	fputs(NAME ": ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	funlockfile(stderr);
}

int tool_usage(const char *command, const char *why)
{
	tool_error("%s: %s: try '" NAME " --help'", command, why);
	return EXIT_USAGE;
}

pid_t tool_parse_pid(const char *text)
{
	char *end;
	long pid;

	errno = 0;
	pid = strtol(text, &end, 10);
	/* strtol would take blanks and signs. */
	if (*text >= '0' && *text <= '9' && !*end && !errno && pid > 0 && pid <= INT_MAX)
		return pid;
	tool_error("%s: not a PID: it must be a number above 0", text);
	return 0;
}

int tool_open_device(void)
{
	struct ckpt_info info;
	int ckpt = ckpt_open();

	if (ckpt < 0) {
		const char *hint = "";

		if (errno == ENOENT || errno == ENXIO || errno == ENODEV)
			hint = " (is the module ckpt loaded?)";
		else if (errno == EACCES || errno == EPERM)
			hint = " (only root may use it)";
		tool_error("/dev/ckpt: cannot open: %s%s", strerror(errno), hint);
		return -1;
	}
	if (ckpt_info(ckpt, &info)) {
		tool_error("/dev/ckpt: cannot use: %s%s", strerror(errno),
			   errno == EPERM ? " (only root may use it)" : "");
		close(ckpt);
		return -1;
	}
	if (info.abi_version < CKPT_ABI_VERSION) {
		tool_error("/dev/ckpt: interface %u is too old: load a newer module than %.32s",
			   info.abi_version, info.module_version);
		close(ckpt);
		return -1;
	}
	return ckpt;
}

/* The kernel knows the file of an image by no name. */
static void print_message(const char *message, const char *object)
{
	static const char image[] = "image: ";

	if (!strncmp(message, image, strlen(image)))
		tool_error("%s: %s", object, message + strlen(image));
	else
		tool_error("%s", message);
}

int tool_explain(int ckpt, int err, const char *what, const char *fmt, ...)
{
	char *messages = ckpt_messages(ckpt), *rest = messages, *line;
	char object[PATH_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(object, sizeof(object), fmt, args);
	va_end(args);
	if (!messages || !*messages)
		tool_error("%s: %s: %s", object, what, strerror(err));
	while ((line = strsep(&rest, "\n")))
		if (*line)
			print_message(line, object);
	free(messages);
	return EXIT_REFUSED;
}
