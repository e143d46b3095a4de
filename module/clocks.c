// SPDX-License-Identifier: GPL-2.0-only
/* The clocks at one moment. */

#include "clocks.h"

#include <linux/ckpt_image.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/nsproxy.h>
#include <linux/sched.h>
#include <linux/time_namespace.h>
#include <linux/timekeeping.h>

void ckpt_clocks_read(struct ckpt_clocks *c, struct task_struct *task)
{
	const struct timens_offsets *offsets;

	c->monotonic = ktime_get();
	c->real = ktime_mono_to_any(c->monotonic, TK_OFFS_REAL);
	c->boottime = ktime_mono_to_any(c->monotonic, TK_OFFS_BOOT);
	c->go_on = false;
	c->monotonic_offset = 0;
	c->boottime_offset = 0;
	if (!task->nsproxy)
		return;
	offsets = &task->nsproxy->time_ns->offsets;
	c->monotonic_offset = timespec64_to_ns(&offsets->monotonic);
	c->boottime_offset = timespec64_to_ns(&offsets->boottime);
}

void ckpt_clocks_load(struct ckpt_clocks *c, const struct ckpt_image_meta *meta)
{
	c->go_on = false;
	c->real = meta->time;
	c->monotonic = meta->monotonic;
	c->boottime = meta->boottime;
	c->monotonic_offset = meta->monotonic_offset;
	c->boottime_offset = meta->boottime_offset;
}

void ckpt_clocks_store(const struct ckpt_clocks *c, struct ckpt_image_meta *meta)
{
	meta->time = c->real;
	meta->monotonic = c->monotonic;
	meta->boottime = c->boottime;
	meta->monotonic_offset = c->monotonic_offset;
	meta->boottime_offset = c->boottime_offset;
}

/*
 * Half of what the kernel allows: sums and differences of two of them do not
 * overflow.
 */
#define MAX_TIME (KTIME_MAX / 2)

static bool is_time(u64 ns)
{
	return ns <= MAX_TIME;
}

static bool is_offset(s64 ns)
{
	return ns >= -MAX_TIME && ns <= MAX_TIME;
}

const char *ckpt_clocks_check(const struct ckpt_image_meta *meta)
{
	if (!is_time(meta->time) || !is_time(meta->monotonic) || !is_time(meta->boottime))
		return "bad time";
	if (!is_offset(meta->monotonic_offset) || !is_offset(meta->boottime_offset) ||
	    !is_time(meta->monotonic + meta->monotonic_offset) ||
	    !is_time(meta->boottime + meta->boottime_offset))
		return "bad offset of a clock";
	return NULL;
}

/* The rest may be negative. */
static s64 add_rest(s64 now, s64 rest)
{
	return rest > KTIME_MAX - now ? KTIME_MAX : now + rest;
}

s64 ckpt_clocks_expiry(const struct ckpt_clocks *saved, const struct ckpt_clocks *now,
		       clockid_t clock, u64 expires)
{
	switch (clock) {
	case CLOCK_MONOTONIC:
		if (now->go_on)
			return add_rest(saved->monotonic_offset - now->monotonic_offset, expires);
		return add_rest(now->monotonic, (s64)expires - saved->monotonic);
	case CLOCK_BOOTTIME:
		if (now->go_on)
			return add_rest(saved->boottime_offset - now->boottime_offset, expires);
		return add_rest(now->boottime, (s64)expires - saved->boottime);
	default:
		return expires;
	}
}

u64 ckpt_clocks_start(const struct ckpt_clocks *saved, const struct ckpt_clocks *now, u64 start)
{
	s64 shift;

	if (now->boottime_offset)
		shift = -now->boottime_offset;
	else
		/* When the machine was booted, by the time of day, then and now. */
		shift = (saved->real - saved->boottime - saved->boottime_offset) -
			(now->real - now->boottime);
	return clamp_t(s64, (s64)min_t(u64, start, MAX_TIME) + shift, 0, now->boottime);
}
