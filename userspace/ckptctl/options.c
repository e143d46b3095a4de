// SPDX-License-Identifier: GPL-2.0-only
/* Options of a command. */

#include "options.h"

#include <stdio.h>
#include <string.h>

#include "tool.h"

#define MAX_LETTERS 32

int options_next(int argc, char **argv, const struct option *options)
{
	/* ':' makes getopt leave the words to us. */
	char letters[MAX_LETTERS] = ":", why[256];
	size_t n = 1, i;
	int found;

	for (i = 0; options[i].name; i++)
		if (options[i].val > ' ' && options[i].val <= '~' && n + 2 < sizeof(letters)) {
			letters[n++] = options[i].val;
			if (options[i].has_arg)
				letters[n++] = ':';
		}
	found = getopt_long(argc, argv, letters, options, NULL);
	if (found != '?' && found != ':')
		return found;
	/* In a word of several letters getopt has not yet passed on. */
	if (found == '?' && optopt > ' ' && optopt <= '~')
		snprintf(why, sizeof(why), "-%c: no such option", optopt);
	else
		snprintf(why, sizeof(why), "%.200s: %s", argv[optind - 1],
			 found == ':' ? "lacks its argument" : "no such option");
	tool_usage(argv[0], why);
	return OPTIONS_BAD;
}
