/* SPDX-License-Identifier: GPL-2.0-only */
/* The frame of programs that set up one unusual property and look whether it is still there. */
#ifndef ODD_H
#define ODD_H

#include "state.h"

#define CANNOT 77

struct property {
	const char *name;
	bool (*set_up)(void); /* false when this kernel lacks it */
	bool (*still)(void); /* NULL when there is nothing to look at */
};

/* With "list" it names them, one a line. */
unused_ok static int run_property(const struct property *properties, size_t count, int argc,
				  char **argv)
{
	for (size_t i = 0; i < count; i++) {
		const struct property *p = &properties[i];

		if (argc > 1 && !strcmp(argv[1], "list"))
			puts(p->name);
		if (argc < 2 || strcmp(argv[1], p->name))
			continue;
		if (!p->set_up()) {
			dprintf(STDOUT_FILENO, "cannot set up %s: %s\n", p->name, strerror(errno));
			return CANNOT;
		}
		ready_then_go();
		check(!p->still || p->still(), "%s", p->name);
		return verdict();
	}
	return argc > 1 && !strcmp(argv[1], "list") ? 0 : 2;
}

#endif /* ODD_H */
