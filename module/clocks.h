/* SPDX-License-Identifier: GPL-2.0-only */
/* The clocks at one moment: of a save in the image, and of now. */
#ifndef CKPT_CLOCKS_H
#define CKPT_CLOCKS_H

#include <linux/types.h>

struct ckpt_image_meta;
struct task_struct;

/* What a timer is first set to, in seconds: later than a restore ends. 253 years. */
#define CKPT_FAR_AWAY 8000000000

/**
 * struct ckpt_clocks - what the clocks say at one moment, nanoseconds
 * @real: CLOCK_REALTIME
 * @monotonic: CLOCK_MONOTONIC of the machine
 * @boottime: CLOCK_BOOTTIME of the machine
 * @monotonic_offset: what a time namespace adds to @monotonic
 * @boottime_offset: what a time namespace adds to @boottime
 * @go_on: the clocks of a namespace go on from where those of the image stopped
 */
struct ckpt_clocks {
	s64 real;
	s64 monotonic;
	s64 boottime;
	s64 monotonic_offset;
	s64 boottime_offset;
	bool go_on;
};

/*
 * Reads all of them, with the offsets that @task sees. @task is current, or parked or a zombie,
 * which
 * sees none.
 */
void ckpt_clocks_read(struct ckpt_clocks *c, struct task_struct *task);
/* Those of the image; what ckpt_clocks_check() has passed. */
void ckpt_clocks_load(struct ckpt_clocks *c, const struct ckpt_image_meta *meta);
void ckpt_clocks_store(const struct ckpt_clocks *c, struct ckpt_image_meta *meta);
/* What is wrong with those of an image, or NULL. */
const char *ckpt_clocks_check(const struct ckpt_image_meta *meta);

/**
 * ckpt_clocks_start() - when a task of an image began, by CLOCK_BOOTTIME of this machine
 * @saved: the clocks of the image
 * @now: the clocks now, with the offsets of the restored task
 * @start: when it began, by CLOCK_BOOTTIME as the job saw it
 *
 * In a time namespace the job reads the same number as before. Without one the point in time is
 * kept, by the time of day: the number is the same until the machine is booted anew.
 *
 * Return: nanoseconds, not before the machine was booted
 */
u64 ckpt_clocks_start(const struct ckpt_clocks *saved, const struct ckpt_clocks *now, u64 start);

/**
 * ckpt_clocks_expiry() - when a timer of an image expires, by a clock of this machine
 * @saved: the clocks of the image
 * @now: the clocks now
 * @clock: CLOCK_MONOTONIC or CLOCK_BOOTTIME; others are not changed
 * @expires: when it expires by that clock of the saving machine
 *
 * What was left of the time is left now; when the clocks go on, it is the same time by them.
 *
 * Return: nanoseconds
 */
s64 ckpt_clocks_expiry(const struct ckpt_clocks *saved, const struct ckpt_clocks *now,
		       clockid_t clock, u64 expires);

#endif /* CKPT_CLOCKS_H */
