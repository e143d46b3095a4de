// SPDX-License-Identifier: GPL-2.0-only
/* Interrupted system calls that go on with their remaining time. */

#include "restart_block.h"

#include <linux/alarmtimer.h>
#include <linux/ckpt_image.h>
#include <linux/ktime.h>
#include <linux/posix-timers.h>
#include <linux/restart_block.h>
#include <linux/sched.h>
#include <linux/timekeeping.h>

#include "compat.h"
#include "ksyms.h"

#define KNOWN_FLAGS (CKPT_RESTART_TIMEOUT | CKPT_RESTART_ABSOLUTE | CKPT_RESTART_SHARED)

static u64 now(u32 clock)
{
	switch (clock) {
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		return ktime_get_boottime_ns();
	case CLOCK_REALTIME_ALARM:
		return ktime_get_real_ns();
	case CLOCK_TAI:
		return ktime_get_clocktai_ns();
	default:
		return ktime_get_ns();
	}
}

/* A time that has passed already is no time left: the call ends as soon as it is restarted. */
static u64 time_left(u32 clock, u64 expires)
{
	u64 t = now(clock);

	return expires > t ? expires - t : 0;
}

static u64 expiry(u32 clock, u64 left)
{
	return ktime_add_safe(now(clock), left);
}

static void capture_nanosleep(struct ckpt_restart *c, const struct restart_block *rb)
{
	/* A sleep by CLOCK_REALTIME runs by CLOCK_MONOTONIC; an absolute one needs no data. */
	c->kind = CKPT_RESTART_NANOSLEEP;
	c->flags = CKPT_RESTART_TIMEOUT;
	c->clock = rb->nanosleep.clockid;
	c->address = rb->nanosleep.type == TT_NONE ? 0 : (unsigned long)rb->nanosleep.rmtp;
	c->time = time_left(c->clock, rb->nanosleep.expires);
	if (rb->nanosleep.type == TT_COMPAT || ckpt_restart_check(c))
		c->kind = CKPT_RESTART_OTHER;
}

/* The clock of CPU time goes on from where it was: the end is the same by it. */
static void capture_cpu_sleep(struct ckpt_restart *c, const struct restart_block *rb)
{
	capture_nanosleep(c, rb);
	c->kind = CKPT_RESTART_NANOSLEEP;
	c->flags |= CKPT_RESTART_ABSOLUTE;
	c->time = rb->nanosleep.expires;
	if (rb->nanosleep.type == TT_COMPAT || ckpt_restart_check(c))
		c->kind = CKPT_RESTART_OTHER;
}

/* Here the kernel keeps its number of the kind of alarm. */
static void capture_alarm(struct ckpt_restart *c, const struct restart_block *rb)
{
	capture_nanosleep(c, rb);
	c->kind = CKPT_RESTART_NANOSLEEP;
	c->clock = rb->nanosleep.clockid == ALARM_BOOTTIME ? CLOCK_BOOTTIME_ALARM :
							     CLOCK_REALTIME_ALARM;
	c->time = time_left(c->clock, rb->nanosleep.expires);
	if (rb->nanosleep.type == TT_COMPAT || ckpt_restart_check(c))
		c->kind = CKPT_RESTART_OTHER;
}

static void capture_futex(struct ckpt_restart *c, const struct restart_block *rb)
{
	c->kind = CKPT_RESTART_FUTEX;
	c->address = (unsigned long)rb->futex.uaddr;
	c->value = rb->futex.val;
	c->bitset = rb->futex.bitset;
	if (rb->futex.flags & CKPT_FUTEX_SHARED)
		c->flags |= CKPT_RESTART_SHARED;
	if (rb->futex.flags & CKPT_FUTEX_HAS_TIMEOUT)
		c->flags |= CKPT_RESTART_TIMEOUT;
	c->clock = CLOCK_MONOTONIC;
	if (rb->futex.flags & CKPT_FUTEX_CLOCKRT) {
		/* The futex calls know this clock only with points in time. */
		c->clock = CLOCK_REALTIME;
		c->flags |= CKPT_RESTART_ABSOLUTE;
		c->time = rb->futex.time;
	} else if (c->flags & CKPT_RESTART_TIMEOUT) {
		c->time = time_left(c->clock, rb->futex.time);
	}
	if (rb->futex.flags & ~CKPT_FUTEX_KNOWN || ckpt_restart_check(c))
		c->kind = CKPT_RESTART_OTHER;
}

static void capture_poll(struct ckpt_restart *c, const struct restart_block *rb)
{
	c->kind = CKPT_RESTART_POLL;
	c->address = (unsigned long)rb->poll.ufds;
	c->value = rb->poll.nfds;
	c->clock = CLOCK_MONOTONIC;
	if (rb->poll.has_timeout) {
		struct timespec64 end = { rb->poll.tv_sec, rb->poll.tv_nsec };

		c->flags = CKPT_RESTART_TIMEOUT;
		c->time = time_left(c->clock, timespec64_to_ns(&end));
	}
	if (ckpt_restart_check(c))
		c->kind = CKPT_RESTART_OTHER;
}

void ckpt_restart_capture_of(const struct task_struct *task, struct ckpt_restart *c)
{
	const struct restart_block *rb = &task->restart_block;

	*c = (struct ckpt_restart){ .kind = CKPT_RESTART_OTHER };
	if (rb->fn == ckpt_hrtimer_nanosleep_restart)
		capture_nanosleep(c, rb);
	else if (rb->fn == ckpt_posix_cpu_nsleep_restart)
		capture_cpu_sleep(c, rb);
	else if (rb->fn == ckpt_alarm_timer_nsleep_restart)
		capture_alarm(c, rb);
	else if (rb->fn == ckpt_futex_wait_restart)
		capture_futex(c, rb);
	else if (rb->fn == ckpt_do_restart_poll)
		capture_poll(c, rb);
}

void ckpt_restart_capture(struct ckpt_restart *c)
{
	ckpt_restart_capture_of(current, c);
}

static bool is_cpu_clock(u32 clock)
{
	return (s32)clock < 0 && CPUCLOCK_WHICH(clock) < CPUCLOCK_MAX;
}

const char *ckpt_restart_check(const struct ckpt_restart *c)
{
	bool known_clock = c->clock == CLOCK_MONOTONIC;
	u32 flags = 0;

	switch (c->kind) {
	case CKPT_RESTART_NONE:
		return NULL;
	case CKPT_RESTART_NANOSLEEP:
		flags = CKPT_RESTART_TIMEOUT;
		known_clock |= c->clock == CLOCK_BOOTTIME || c->clock == CLOCK_TAI ||
			       c->clock == CLOCK_BOOTTIME_ALARM || c->clock == CLOCK_REALTIME_ALARM;
		if (is_cpu_clock(c->clock)) {
			flags |= CKPT_RESTART_ABSOLUTE;
			known_clock = c->flags & CKPT_RESTART_ABSOLUTE;
		}
		break;
	case CKPT_RESTART_FUTEX:
		flags = KNOWN_FLAGS;
		if (c->flags & CKPT_RESTART_ABSOLUTE)
			known_clock = c->clock == CLOCK_REALTIME;
		break;
	case CKPT_RESTART_POLL:
		flags = CKPT_RESTART_TIMEOUT;
		break;
	default:
		return "unknown kind of system call";
	}
	if (c->flags & ~flags)
		return "unknown flags";
	if (!known_clock)
		return "unknown clock";
	if (c->address >= TASK_SIZE_MAX)
		return "bad address";
	if (c->time > KTIME_MAX)
		return "bad time";
	return NULL;
}

static void install_poll(struct restart_block *rb, const struct ckpt_restart *c)
{
	rb->poll.ufds = (void __user *)c->address;
	rb->poll.nfds = c->value;
	rb->poll.has_timeout = !!(c->flags & CKPT_RESTART_TIMEOUT);
	if (rb->poll.has_timeout) {
		struct timespec64 end = ns_to_timespec64(expiry(c->clock, c->time));

		rb->poll.tv_sec = end.tv_sec;
		rb->poll.tv_nsec = end.tv_nsec;
	}
	rb->fn = ckpt_do_restart_poll;
}

static void install_futex(struct restart_block *rb, const struct ckpt_restart *c)
{
	rb->futex.uaddr = (void __user *)c->address;
	rb->futex.val = c->value;
	rb->futex.bitset = c->bitset;
	rb->futex.flags = CKPT_FUTEX_BASE;
	if (c->flags & CKPT_RESTART_SHARED)
		rb->futex.flags |= CKPT_FUTEX_SHARED;
	if (c->flags & CKPT_RESTART_TIMEOUT)
		rb->futex.flags |= CKPT_FUTEX_HAS_TIMEOUT;
	if (c->flags & CKPT_RESTART_ABSOLUTE) {
		rb->futex.flags |= CKPT_FUTEX_CLOCKRT;
		rb->futex.time = c->time;
	} else {
		rb->futex.time = expiry(c->clock, c->time);
	}
	rb->fn = ckpt_futex_wait_restart;
}

static void install_nanosleep(struct restart_block *rb, const struct ckpt_restart *c)
{
	rb->nanosleep.clockid = c->clock;
	rb->nanosleep.type = c->address ? TT_NATIVE : TT_NONE;
	rb->nanosleep.rmtp = (void __user *)c->address;
	rb->nanosleep.expires = c->flags & CKPT_RESTART_ABSOLUTE ? c->time :
								   expiry(c->clock, c->time);
	rb->fn = ckpt_hrtimer_nanosleep_restart;
	if (is_cpu_clock(c->clock)) {
		rb->fn = ckpt_posix_cpu_nsleep_restart;
	} else if (c->clock == CLOCK_BOOTTIME_ALARM || c->clock == CLOCK_REALTIME_ALARM) {
		rb->fn = ckpt_alarm_timer_nsleep_restart;
		rb->nanosleep.clockid = c->clock == CLOCK_BOOTTIME_ALARM ? ALARM_BOOTTIME :
									   ALARM_REALTIME;
	}
}

void ckpt_restart_install(const struct ckpt_restart *c)
{
	struct restart_block *rb = &current->restart_block;

	switch (c->kind) {
	case CKPT_RESTART_NANOSLEEP:
		install_nanosleep(rb, c);
		break;
	case CKPT_RESTART_FUTEX:
		install_futex(rb, c);
		break;
	case CKPT_RESTART_POLL:
		install_poll(rb, c);
		break;
	}
}
