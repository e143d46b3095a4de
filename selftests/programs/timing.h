/* SPDX-License-Identifier: GPL-2.0-only */
/* Clocks of programs that check how time went on for them. */
#ifndef TIMING_H
#define TIMING_H

#include "state.h"

/* What a clock says, in nanoseconds. */
unused_ok static long long clock_ns(clockid_t clock)
{
	struct timespec ts;

	need(!clock_gettime(clock, &ts), "clock_gettime");
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

/* Whether the clocks stood still meanwhile. */
unused_ok static bool time_stood;

/* For how long the process was not there, as the test says: not more than it was. */
unused_ok static long long time_down(void)
{
	char text[64];

	return !time_stood && read_file("down", text, sizeof(text)) ? strtod(text, NULL) * 1e9 : 0;
}

#endif /* TIMING_H */
