// SPDX-License-Identifier: GPL-2.0-only
/* Type of open file: timerfd_create(2). */

#include <linux/alarmtimer.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/time64.h>
#include <linux/timerfd.h>
#include <linux/unistd.h>

#include "clocks.h"
#include "fdinfo.h"
#include "file_types.h"
#include "image_read.h"
#include "restorer.h"
#include "saver.h"

/* What fdinfo says. */
struct told {
	u64 clock, ticks, flags;
	u64 interval;
};

/* What the timer itself says; @remaining is negative when it expired. */
struct timer {
	bool is_active;
	ktime_t expires, remaining;
};

static bool recognise(struct ckpt_saver *s, const struct file *file)
{
	return ckpt_file_is_anon(file, "[timerfd]");
}

static bool parse(const char *text, struct told *t)
{
	unsigned long long s, ns;
	const char *interval = ckpt_fdinfo_find(text, "it_interval:");

	if (!interval || sscanf(interval, "(%llu, %llu)", &s, &ns) != 2)
		return false;
	if (s > KTIME_SEC_MAX || ns >= NSEC_PER_SEC)
		return false;
	t->interval = ktime_set(s, ns);
	return ckpt_fdinfo_number(text, "clockid:", 10, &t->clock) &&
	       ckpt_fdinfo_number(text, "ticks:", 10, &t->ticks) &&
	       ckpt_fdinfo_number(text, "settime flags:", 8, &t->flags);
}

static bool is_alarm(u32 clock)
{
	return clock == CLOCK_REALTIME_ALARM || clock == CLOCK_BOOTTIME_ALARM;
}

/* The timer is the first member of the kernel's struct timerfd_ctx. */
static struct timer look(const struct file *file, u32 clock)
{
	const struct hrtimer *timer = file->private_data;
	const struct alarm *alarm = file->private_data;

	if (is_alarm(clock))
		return (struct timer){
			.is_active = alarm->state & ALARMTIMER_STATE_ENQUEUED,
			.expires = alarm->node.expires,
			.remaining = alarm_expires_remaining(alarm),
		};
	return (struct timer){
		.is_active = hrtimer_active(timer),
		.expires = hrtimer_get_expires(timer),
		.remaining = hrtimer_expires_remaining(timer),
	};
}

static int ask(struct file *file, struct told *t)
{
	char *text = ckpt_fdinfo_get(file);
	bool known;

	if (IS_ERR(text))
		return PTR_ERR(text);
	known = parse(text, t);
	kvfree(text);
	return known ? 0 : -EOPNOTSUPP;
}

/* It may expire at any time: what is told before must hold afterwards. */
static int find_out(struct file *file, struct told *t, struct timer *timer)
{
	struct told again;
	int err;

	do {
		err = ask(file, t);
		if (err)
			return err;
		*timer = look(file, t->clock);
		err = ask(file, &again);
	} while (!err && memcmp(t, &again, sizeof(again)));
	return err;
}

/*
 * A periodic timer that expired is only started again when it is read. The periods that have passed
 * meanwhile are counted here, as read(2) would do it.
 */
static void fill_in(struct ckpt_image_timerfd *out, const struct told *t, struct timer timer)
{
	u64 missed = 0;

	out->clock = t->clock;
	out->flags = (t->flags & TFD_TIMER_ABSTIME ? CKPT_TIMERFD_ABSOLUTE : 0) |
		     (t->flags & TFD_TIMER_CANCEL_ON_SET ? CKPT_TIMERFD_CANCEL_ON_SET : 0);
	out->interval = t->interval;
	if (!timer.is_active && t->ticks && t->interval) {
		if (timer.remaining <= 0)
			missed = div64_u64(-timer.remaining, t->interval);
		timer.remaining += (missed + 1) * t->interval;
		timer.expires += (missed + 1) * t->interval;
		timer.is_active = true;
	}
	out->ticks = t->ticks + missed;
	if (timer.is_active)
		out->value = max_t(
			s64, out->flags & CKPT_TIMERFD_ABSOLUTE ? timer.expires : timer.remaining,
			1);
}

static s64 offset_of(struct ckpt_saver *s, u32 clock)
{
	struct ckpt_clocks now;

	ckpt_clocks_read(&now, s->task);
	switch (clock) {
	case CLOCK_MONOTONIC:
		return now.monotonic_offset;
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		return now.boottime_offset;
	default:
		return 0;
	}
}

static int save(struct ckpt_saver *s, const struct ckpt_fd *f, struct ckpt_image_file *i,
		struct ckpt_file_own *own)
{
	struct ckpt_image_timerfd *out = ckpt_file_own_alloc(own, sizeof(*out));
	struct timer timer;
	struct told told;
	int err;

	if (IS_ERR(out))
		return PTR_ERR(out);
	err = find_out(f->file, &told, &timer);
	if (err == -EOPNOTSUPP) {
		ckpt_save_refuse(s, "file", "fd %u: %s: its state is not told: close it", f->fd,
				 i->path);
		return 0;
	}
	if (err)
		return err;
	/* Only the clock makes a running timer readable. */
	if (told.flags & TFD_TIMER_CANCEL_ON_SET && told.ticks && timer.is_active)
		ckpt_save_refuse(s, "file", "fd %u: %s: the clock was set: read it first", f->fd,
				 i->path);
	fill_in(out, &told, timer);
	/*
	 * The kernel keeps points in time by the clocks of the machine, without those of a
	 * namespace.
	 */
	if (out->value && out->flags & CKPT_TIMERFD_ABSOLUTE)
		out->value += offset_of(s, out->clock);
	return 0;
}

static int verify(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_file *i = rec->data;
	const struct ckpt_image_timerfd *t = ckpt_file_own(rec).data;

	if (t->flags & ~(CKPT_TIMERFD_ABSOLUTE | CKPT_TIMERFD_CANCEL_ON_SET))
		return ckpt_restore_error(r, -EOPNOTSUPP, "%s: unknown flags 0x%x", i->path,
					  t->flags);
	if (i->object || t->value > S64_MAX || t->interval > S64_MAX ||
	    (t->clock != CLOCK_MONOTONIC && t->clock != CLOCK_REALTIME &&
	     t->clock != CLOCK_BOOTTIME && !is_alarm(t->clock)))
		return ckpt_restore_error(r, -EBADMSG, "%s: bad time or clock %u", i->path,
					  t->clock);
	return 0;
}

static int make(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_timerfd *t = ckpt_file_own(rec).data;

	return ckpt_script_add(&r->script, __NR_timerfd_create, t->clock, 0, 0, 0, 0, 0);
}

static int script(struct ckpt_restorer *r, const struct ckpt_record *rec, int fd)
{
	const struct ckpt_image_timerfd *t = ckpt_file_own(rec).data;
	struct __kernel_itimerspec its = {};
	u64 ticks = t->ticks;
	unsigned long at;
	int flags, err;

	flags = (t->flags & CKPT_TIMERFD_ABSOLUTE ? TFD_TIMER_ABSTIME : 0) |
		(t->flags & CKPT_TIMERFD_CANCEL_ON_SET ? TFD_TIMER_CANCEL_ON_SET : 0);
	its.it_value.tv_sec = div_u64(t->value, NSEC_PER_SEC);
	its.it_value.tv_nsec = t->value - its.it_value.tv_sec * NSEC_PER_SEC;
	its.it_interval.tv_sec = div_u64(t->interval, NSEC_PER_SEC);
	its.it_interval.tv_nsec = t->interval - its.it_interval.tv_sec * NSEC_PER_SEC;
	at = ckpt_script_data(&r->script, &its, sizeof(its));
	if (IS_ERR_VALUE(at))
		return at;
	err = ckpt_script_add(&r->script, __NR_timerfd_settime, fd, flags, at, 0, 0, 0);
	if (err || !ticks)
		return err;
	at = ckpt_script_data(&r->script, &ticks, sizeof(ticks));
	if (IS_ERR_VALUE(at))
		return at;
	return ckpt_script_add(&r->script, __NR_ioctl, fd, TFD_IOC_SET_TICKS, at, 0, 0, 0);
}

const struct ckpt_file_type ckpt_file_timerfd = {
	.type = CKPT_FILE_TIMERFD,
	.is_private = true,
	.own_len = sizeof(struct ckpt_image_timerfd),
	.recognise = recognise,
	.save = save,
	.verify = verify,
	.make = make,
	.script = script,
};
