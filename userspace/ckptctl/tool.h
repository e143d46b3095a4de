/* SPDX-License-Identifier: GPL-2.0-only */
/* What the commands of ckptctl share. */
#ifndef CKPTCTL_TOOL_H
#define CKPTCTL_TOOL_H

#include <sys/types.h>

enum {
	EXIT_DONE,
	EXIT_REFUSED,
	EXIT_USAGE,
	EXIT_LACKING,
};

/* One command: gets its own name as argv[0], returns the exit status. */
int cmd_save(int argc, char **argv);
int cmd_restore(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_info(int argc, char **argv);

/* Prints "ckptctl: " and a line in the form "OBJECT: what: why". */
__attribute__((format(printf, 1, 2))) void tool_error(const char *fmt, ...);

/* The same for wrong usage of a command; returns EXIT_USAGE. */
int tool_usage(const char *command, const char *why);

/* Parses what must be a PID; returns 0 after an error was printed. */
pid_t tool_parse_pid(const char *text);

/* Opens /dev/ckpt; returns -1 after an error was printed. */
int tool_open_device(void);

/*
 * Prints the messages of a request. When there are none it prints "OBJECT: what: why" with
 * why from @err. Returns EXIT_REFUSED.
 */
int tool_explain(int ckpt, int err, const char *what, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif /* CKPTCTL_TOOL_H */
