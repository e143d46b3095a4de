// SPDX-License-Identifier: GPL-2.0-only
/* Tests of interrupted system calls with a time limit: capture, check, install. */

#include "../restart_block.h"

#include <kunit/test.h>
#include <linux/alarmtimer.h>
#include <linux/ckpt_image.h>
#include <linux/ktime.h>
#include <linux/posix-timers.h>
#include <linux/restart_block.h>
#include <linux/sched.h>
#include <linux/timekeeping.h>

#include "../compat.h"
#include "../ksyms.h"

#define WORD ((u32 __user *)0x5000)
/* How far the clock may run between two lines of a test. */
#define SLACK (5ULL * NSEC_PER_SEC)
#define LONG_TIME (1000ULL * NSEC_PER_SEC)

static long unknown_call(struct restart_block *rb)
{
	return 0;
}

static int restart_block_init(struct kunit *test)
{
	memset(&current->restart_block, 0, sizeof(current->restart_block));
	current->restart_block.fn = unknown_call;
	return 0;
}

/* The time is about @want, never longer. */
static void expect_left(struct kunit *test, u64 time, u64 want)
{
	KUNIT_EXPECT_LE(test, time, want);
	KUNIT_EXPECT_GE(test, time + SLACK, want);
}

static void unknown_call_is_told(struct kunit *test)
{
	struct ckpt_restart c;

	ckpt_restart_capture(&c);
	KUNIT_EXPECT_EQ(test, c.kind, (u32)CKPT_RESTART_OTHER);
	KUNIT_EXPECT_NOT_NULL(test, ckpt_restart_check(&c));
}

static void set_nanosleep(clockid_t clock, enum timespec_type type, u64 expires)
{
	struct restart_block *rb = &current->restart_block;

	rb->fn = ckpt_hrtimer_nanosleep_restart;
	rb->nanosleep.clockid = clock;
	rb->nanosleep.type = type;
	rb->nanosleep.rmtp = (void __user *)WORD;
	rb->nanosleep.expires = expires;
}

static void nanosleep_goes_on(struct kunit *test)
{
	struct restart_block *rb = &current->restart_block;
	struct ckpt_restart c;

	set_nanosleep(CLOCK_MONOTONIC, TT_NATIVE, ktime_get_ns() + LONG_TIME);
	ckpt_restart_capture(&c);
	KUNIT_EXPECT_EQ(test, c.kind, (u32)CKPT_RESTART_NANOSLEEP);
	KUNIT_EXPECT_EQ(test, c.clock, (u32)CLOCK_MONOTONIC);
	KUNIT_EXPECT_EQ(test, c.flags, CKPT_RESTART_TIMEOUT);
	KUNIT_EXPECT_EQ(test, c.address, (u64)(unsigned long)WORD);
	expect_left(test, c.time, LONG_TIME);
	KUNIT_EXPECT_NULL(test, ckpt_restart_check(&c));

	memset(rb, 0, sizeof(*rb));
	ckpt_restart_install(&c);
	KUNIT_EXPECT_TRUE(test, rb->fn == ckpt_hrtimer_nanosleep_restart);
	KUNIT_EXPECT_EQ(test, rb->nanosleep.clockid, CLOCK_MONOTONIC);
	KUNIT_EXPECT_EQ(test, (int)rb->nanosleep.type, (int)TT_NATIVE);
	KUNIT_EXPECT_PTR_EQ(test, (void *)rb->nanosleep.rmtp, (void *)WORD);
	expect_left(test, c.time, rb->nanosleep.expires - ktime_get_ns() + SLACK);
}

static void nanosleep_without_remainder(struct kunit *test)
{
	struct restart_block *rb = &current->restart_block;
	struct ckpt_restart c;

	set_nanosleep(CLOCK_BOOTTIME, TT_NONE, ktime_get_boottime_ns() + LONG_TIME);
	ckpt_restart_capture(&c);
	KUNIT_EXPECT_EQ(test, c.clock, (u32)CLOCK_BOOTTIME);
	KUNIT_EXPECT_EQ(test, c.address, 0ULL);
	expect_left(test, c.time, LONG_TIME);
	ckpt_restart_install(&c);
	KUNIT_EXPECT_EQ(test, (int)rb->nanosleep.type, (int)TT_NONE);
}

static void time_that_has_passed_is_none(struct kunit *test)
{
	struct ckpt_restart c;

	set_nanosleep(CLOCK_MONOTONIC, TT_NATIVE, 1);
	ckpt_restart_capture(&c);
	KUNIT_EXPECT_EQ(test, c.kind, (u32)CKPT_RESTART_NANOSLEEP);
	KUNIT_EXPECT_EQ(test, c.time, 0ULL);
}

static void nanosleep_of_another_abi(struct kunit *test)
{
	struct ckpt_restart c;

	set_nanosleep(CLOCK_MONOTONIC, TT_COMPAT, ktime_get_ns() + LONG_TIME);
	ckpt_restart_capture(&c);
	KUNIT_EXPECT_EQ(test, c.kind, (u32)CKPT_RESTART_OTHER);
}

/* By a clock of CPU time the end is kept, not the rest. */
static void cpu_sleep_goes_on(struct kunit *test)
{
	struct restart_block *rb = &current->restart_block;
	clockid_t clock = make_process_cpuclock(0, CPUCLOCK_SCHED);
	struct ckpt_restart c;

	set_nanosleep(clock, TT_NATIVE, 12345);
	rb->fn = ckpt_posix_cpu_nsleep_restart;
	ckpt_restart_capture(&c);
	KUNIT_EXPECT_EQ(test, c.kind, (u32)CKPT_RESTART_NANOSLEEP);
	KUNIT_EXPECT_EQ(test, (clockid_t)c.clock, clock);
	KUNIT_EXPECT_EQ(test, c.flags, CKPT_RESTART_TIMEOUT | CKPT_RESTART_ABSOLUTE);
	KUNIT_EXPECT_EQ(test, c.time, 12345ULL);
	KUNIT_EXPECT_NULL(test, ckpt_restart_check(&c));

	memset(rb, 0, sizeof(*rb));
	ckpt_restart_install(&c);
	KUNIT_EXPECT_TRUE(test, rb->fn == ckpt_posix_cpu_nsleep_restart);
	KUNIT_EXPECT_EQ(test, rb->nanosleep.clockid, clock);
	KUNIT_EXPECT_EQ(test, rb->nanosleep.expires, 12345ULL);
}

/* The kernel keeps its own number of the alarm clock. */
static void alarm_sleep_goes_on(struct kunit *test)
{
	struct restart_block *rb = &current->restart_block;
	struct ckpt_restart c;

	set_nanosleep(ALARM_BOOTTIME, TT_NONE, ktime_get_boottime_ns() + LONG_TIME);
	rb->fn = ckpt_alarm_timer_nsleep_restart;
	ckpt_restart_capture(&c);
	KUNIT_EXPECT_EQ(test, c.kind, (u32)CKPT_RESTART_NANOSLEEP);
	KUNIT_EXPECT_EQ(test, c.clock, (u32)CLOCK_BOOTTIME_ALARM);
	expect_left(test, c.time, LONG_TIME);
	ckpt_restart_install(&c);
	KUNIT_EXPECT_TRUE(test, rb->fn == ckpt_alarm_timer_nsleep_restart);
	KUNIT_EXPECT_EQ(test, rb->nanosleep.clockid, (clockid_t)ALARM_BOOTTIME);
}

static void set_futex(u32 flags, u64 time)
{
	struct restart_block *rb = &current->restart_block;

	rb->fn = ckpt_futex_wait_restart;
	rb->futex.uaddr = WORD;
	rb->futex.val = 7;
	rb->futex.bitset = 0xf0;
	rb->futex.flags = CKPT_FUTEX_BASE | flags;
	rb->futex.time = time;
}

static void futex_goes_on(struct kunit *test)
{
	struct restart_block *rb = &current->restart_block;
	struct ckpt_restart c;

	set_futex(CKPT_FUTEX_HAS_TIMEOUT, ktime_get_ns() + LONG_TIME);
	ckpt_restart_capture(&c);
	KUNIT_EXPECT_EQ(test, c.kind, (u32)CKPT_RESTART_FUTEX);
	KUNIT_EXPECT_EQ(test, c.flags, CKPT_RESTART_TIMEOUT);
	KUNIT_EXPECT_EQ(test, c.clock, (u32)CLOCK_MONOTONIC);
	KUNIT_EXPECT_EQ(test, c.value, 7U);
	KUNIT_EXPECT_EQ(test, c.bitset, 0xf0U);
	KUNIT_EXPECT_EQ(test, c.address, (u64)(unsigned long)WORD);
	expect_left(test, c.time, LONG_TIME);
	KUNIT_EXPECT_NULL(test, ckpt_restart_check(&c));

	memset(rb, 0, sizeof(*rb));
	ckpt_restart_install(&c);
	KUNIT_EXPECT_TRUE(test, rb->fn == ckpt_futex_wait_restart);
	KUNIT_EXPECT_EQ(test, rb->futex.val, 7U);
	KUNIT_EXPECT_EQ(test, rb->futex.bitset, 0xf0U);
	KUNIT_EXPECT_EQ(test, rb->futex.flags, (u32)(CKPT_FUTEX_BASE | CKPT_FUTEX_HAS_TIMEOUT));
	KUNIT_EXPECT_PTR_EQ(test, (void *)rb->futex.uaddr, (void *)WORD);
	expect_left(test, c.time, rb->futex.time - ktime_get_ns() + SLACK);
}

/* A point in time stays that point, however long the job was away. */
static void futex_until_a_point_in_time(struct kunit *test)
{
	const u32 flags = CKPT_FUTEX_HAS_TIMEOUT | CKPT_FUTEX_CLOCKRT | CKPT_FUTEX_SHARED;
	struct restart_block *rb = &current->restart_block;
	struct ckpt_restart c;

	set_futex(flags, 12345);
	ckpt_restart_capture(&c);
	KUNIT_EXPECT_EQ(test, c.clock, (u32)CLOCK_REALTIME);
	KUNIT_EXPECT_EQ(test, c.flags,
			CKPT_RESTART_TIMEOUT | CKPT_RESTART_ABSOLUTE | CKPT_RESTART_SHARED);
	KUNIT_EXPECT_EQ(test, c.time, 12345ULL);
	KUNIT_EXPECT_NULL(test, ckpt_restart_check(&c));

	memset(rb, 0, sizeof(*rb));
	ckpt_restart_install(&c);
	KUNIT_EXPECT_EQ(test, rb->futex.flags, CKPT_FUTEX_BASE | flags);
	KUNIT_EXPECT_EQ(test, rb->futex.time, 12345ULL);
}

static void futex_with_unknown_flags(struct kunit *test)
{
	struct ckpt_restart c;

	set_futex(CKPT_FUTEX_HAS_TIMEOUT | 0x800, ktime_get_ns() + LONG_TIME);
	ckpt_restart_capture(&c);
	KUNIT_EXPECT_EQ(test, c.kind, (u32)CKPT_RESTART_OTHER);
}

static void poll_goes_on(struct kunit *test)
{
	struct timespec64 end = ns_to_timespec64(ktime_get_ns() + LONG_TIME);
	struct restart_block *rb = &current->restart_block;
	struct ckpt_restart c;

	rb->fn = ckpt_do_restart_poll;
	rb->poll.ufds = (void __user *)WORD;
	rb->poll.nfds = 3;
	rb->poll.has_timeout = 1;
	rb->poll.tv_sec = end.tv_sec;
	rb->poll.tv_nsec = end.tv_nsec;
	ckpt_restart_capture(&c);
	KUNIT_EXPECT_EQ(test, c.kind, (u32)CKPT_RESTART_POLL);
	KUNIT_EXPECT_EQ(test, c.flags, CKPT_RESTART_TIMEOUT);
	KUNIT_EXPECT_EQ(test, c.value, 3U);
	expect_left(test, c.time, LONG_TIME);
	KUNIT_EXPECT_NULL(test, ckpt_restart_check(&c));

	memset(rb, 0, sizeof(*rb));
	ckpt_restart_install(&c);
	KUNIT_EXPECT_TRUE(test, rb->fn == ckpt_do_restart_poll);
	KUNIT_EXPECT_EQ(test, rb->poll.nfds, 3);
	KUNIT_EXPECT_EQ(test, rb->poll.has_timeout, 1);
	KUNIT_EXPECT_LT(test, (u64)rb->poll.tv_nsec, (u64)NSEC_PER_SEC);
	end.tv_sec = rb->poll.tv_sec;
	end.tv_nsec = rb->poll.tv_nsec;
	expect_left(test, c.time, timespec64_to_ns(&end) - ktime_get_ns() + SLACK);
}

static void poll_without_end(struct kunit *test)
{
	struct restart_block *rb = &current->restart_block;
	struct ckpt_restart c;

	rb->fn = ckpt_do_restart_poll;
	rb->poll.tv_sec = 99;
	ckpt_restart_capture(&c);
	KUNIT_EXPECT_EQ(test, c.kind, (u32)CKPT_RESTART_POLL);
	KUNIT_EXPECT_EQ(test, c.flags, 0U);
	KUNIT_EXPECT_EQ(test, c.time, 0ULL);
	ckpt_restart_install(&c);
	KUNIT_EXPECT_EQ(test, rb->poll.has_timeout, 0);
}

static void nothing_to_install(struct kunit *test)
{
	struct ckpt_restart c = { .kind = CKPT_RESTART_NONE };

	KUNIT_EXPECT_NULL(test, ckpt_restart_check(&c));
	ckpt_restart_install(&c);
	KUNIT_EXPECT_TRUE(test, current->restart_block.fn == unknown_call);
}

/* What stands in an image is checked before it gets near a restart_block. */
static void bad_values_are_refused(struct kunit *test)
{
	static const struct ckpt_restart bad[] = {
		{ .kind = CKPT_RESTART_OTHER, .clock = CLOCK_MONOTONIC },
		{ .kind = U32_MAX, .clock = CLOCK_MONOTONIC },
		{ .kind = CKPT_RESTART_NANOSLEEP, .clock = CLOCK_REALTIME },
		{ .kind = CKPT_RESTART_NANOSLEEP, .clock = U32_MAX },
		{ .kind = CKPT_RESTART_NANOSLEEP, .clock = CLOCK_PROCESS_CPUTIME_ID },
		{ .kind = CKPT_RESTART_NANOSLEEP,
		  .clock = CLOCK_MONOTONIC,
		  .flags = CKPT_RESTART_ABSOLUTE },
		{ .kind = CKPT_RESTART_NANOSLEEP,
		  .clock = CLOCK_MONOTONIC,
		  .flags = CKPT_RESTART_SHARED },
		{ .kind = CKPT_RESTART_NANOSLEEP,
		  .clock = CLOCK_MONOTONIC,
		  .time = (u64)KTIME_MAX + 1 },
		{ .kind = CKPT_RESTART_NANOSLEEP, .clock = CLOCK_MONOTONIC, .time = U64_MAX },
		{ .kind = CKPT_RESTART_NANOSLEEP, .clock = CLOCK_MONOTONIC, .address = 1ULL << 56 },
		{ .kind = CKPT_RESTART_NANOSLEEP, .clock = CLOCK_MONOTONIC, .address = U64_MAX },
		{ .kind = CKPT_RESTART_FUTEX, .clock = CLOCK_REALTIME },
		{ .kind = CKPT_RESTART_FUTEX,
		  .clock = CLOCK_MONOTONIC,
		  .flags = CKPT_RESTART_ABSOLUTE },
		{ .kind = CKPT_RESTART_FUTEX, .clock = CLOCK_MONOTONIC, .flags = 1U << 3 },
		{ .kind = CKPT_RESTART_FUTEX, .clock = CLOCK_MONOTONIC, .address = 1ULL << 63 },
		{ .kind = CKPT_RESTART_POLL, .clock = CLOCK_BOOTTIME },
		{ .kind = CKPT_RESTART_POLL,
		  .clock = CLOCK_MONOTONIC,
		  .flags = CKPT_RESTART_SHARED },
		{ .kind = CKPT_RESTART_POLL, .clock = CLOCK_MONOTONIC, .flags = 1U << 31 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_NOT_NULL_MSG(test, ckpt_restart_check(&bad[i]), "row %u", i);
}

/* clang-format off */

static struct kunit_case restart_block_cases[] = {
	KUNIT_CASE(unknown_call_is_told),
	KUNIT_CASE(nanosleep_goes_on),
	KUNIT_CASE(nanosleep_without_remainder),
	KUNIT_CASE(time_that_has_passed_is_none),
	KUNIT_CASE(nanosleep_of_another_abi),
	KUNIT_CASE(cpu_sleep_goes_on),
	KUNIT_CASE(alarm_sleep_goes_on),
	KUNIT_CASE(futex_goes_on),
	KUNIT_CASE(futex_until_a_point_in_time),
	KUNIT_CASE(futex_with_unknown_flags),
	KUNIT_CASE(poll_goes_on),
	KUNIT_CASE(poll_without_end),
	KUNIT_CASE(nothing_to_install),
	KUNIT_CASE(bad_values_are_refused),
	{}
};

/* clang-format on */

struct kunit_suite ckpt_restart_block_suite = {
	.name = "restart_block",
	.init = restart_block_init,
	.test_cases = restart_block_cases,
};
