// SPDX-License-Identifier: GPL-2.0-only
/* Tests of what becomes of points in time. */

#include "../clocks.h"

#include <kunit/test.h>
#include <linux/ckpt_image.h>
#include <linux/ktime.h>
#include <linux/time.h>

#define BOOT 1000000
#define LATER_BOOT 5000000

/* Saved 700 after the machine was booted, and now 900 after that, or 100 after the next boot. */
static const struct ckpt_clocks saved = { .real = BOOT + 700, .monotonic = 650, .boottime = 700 };
static const struct ckpt_clocks same_boot = { .real = BOOT + 900,
					      .monotonic = 850,
					      .boottime = 900 };
static const struct ckpt_clocks next_boot = { .real = LATER_BOOT + 100,
					      .monotonic = 100,
					      .boottime = 100 };

static void a_rest_is_kept(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, ckpt_clocks_expiry(&saved, &next_boot, CLOCK_MONOTONIC, 670), 120LL);
	KUNIT_EXPECT_EQ(test, ckpt_clocks_expiry(&saved, &next_boot, CLOCK_BOOTTIME, 710), 110LL);
	KUNIT_EXPECT_EQ(test, ckpt_clocks_expiry(&saved, &same_boot, CLOCK_MONOTONIC, 640), 840LL);
	KUNIT_EXPECT_EQ(test, ckpt_clocks_expiry(&saved, &next_boot, CLOCK_MONOTONIC, 500), -50LL);
	KUNIT_EXPECT_EQ(test, ckpt_clocks_expiry(&saved, &same_boot, CLOCK_MONOTONIC, KTIME_MAX),
			(s64)KTIME_MAX);
}

static void a_point_in_time_is_kept(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, ckpt_clocks_expiry(&saved, &next_boot, CLOCK_REALTIME, 5), 5LL);
	KUNIT_EXPECT_EQ(test, ckpt_clocks_expiry(&saved, &next_boot, CLOCK_TAI, 5), 5LL);
}

static void start_stays_until_the_next_boot(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, ckpt_clocks_start(&saved, &same_boot, 123), 123ULL);
	KUNIT_EXPECT_EQ(test, ckpt_clocks_start(&saved, &next_boot, 123), 0ULL);
	/* The time of day was turned back in between. */
	KUNIT_EXPECT_EQ(test, ckpt_clocks_start(&next_boot, &saved, 1), 700ULL);
	KUNIT_EXPECT_EQ(test, ckpt_clocks_start(&saved, &same_boot, ~0ULL), 900ULL);
}

static void start_is_as_the_namespace_has_it(struct kunit *test)
{
	struct ckpt_clocks then = saved, now = same_boot;

	then.boottime_offset = 10000;
	now.boottime_offset = 9800;
	KUNIT_EXPECT_EQ(test, ckpt_clocks_start(&then, &now, 10123), 323ULL);
	KUNIT_EXPECT_EQ(test, ckpt_clocks_start(&then, &now, 123), 0ULL);
}

static void bad_clocks_are_refused(struct kunit *test)
{
	struct ckpt_image_meta meta = { .time = 1000, .monotonic = 100, .boottime = 100 };

	KUNIT_EXPECT_NULL(test, ckpt_clocks_check(&meta));
	meta.monotonic_offset = -101;
	KUNIT_EXPECT_NOT_NULL(test, ckpt_clocks_check(&meta));
	meta.monotonic_offset = S64_MAX;
	KUNIT_EXPECT_NOT_NULL(test, ckpt_clocks_check(&meta));
	meta.monotonic_offset = S64_MIN;
	KUNIT_EXPECT_NOT_NULL(test, ckpt_clocks_check(&meta));
	meta.monotonic_offset = 0;
	meta.boottime = ~0ULL;
	KUNIT_EXPECT_NOT_NULL(test, ckpt_clocks_check(&meta));
	meta.boottime = 100;
	meta.time = KTIME_MAX;
	KUNIT_EXPECT_NOT_NULL(test, ckpt_clocks_check(&meta));
}

static struct kunit_case clocks_cases[] = {
	KUNIT_CASE(a_rest_is_kept),
	KUNIT_CASE(a_point_in_time_is_kept),
	KUNIT_CASE(start_stays_until_the_next_boot),
	KUNIT_CASE(start_is_as_the_namespace_has_it),
	KUNIT_CASE(bad_clocks_are_refused),
	{},
};

struct kunit_suite ckpt_clocks_suite = {
	.name = "ckpt_clocks",
	.test_cases = clocks_cases,
};
