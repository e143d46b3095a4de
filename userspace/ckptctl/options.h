/* SPDX-License-Identifier: GPL-2.0-only */
/* Options of a command. */
#ifndef CKPTCTL_OPTIONS_H
#define CKPTCTL_OPTIONS_H

#include <getopt.h>

enum {
	OPTIONS_END = -1,
	OPTIONS_BAD = '?',
};

/*
 * The next option of a command, whose argv[0] is its name: the val of the row, whose letter
 * it is, too, when it is one. OPTIONS_BAD after an error was printed.
 */
int options_next(int argc, char **argv, const struct option *options);

#endif /* CKPTCTL_OPTIONS_H */
