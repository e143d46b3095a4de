// SPDX-License-Identifier: GPL-2.0-only
/* CPU time in images: what threads and processes have in common. */

#include "cputime.h"

#include <linux/ckpt_image.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

const char *ckpt_cputime_check(const struct ckpt_image_cpu_times *times)
{
	const u64 max = CKPT_CPU_TIME_MAX;

	if (times->user > max || times->system > max || times->guest > max ||
	    times->runtime > max || times->told_user > max || times->told_system > max)
		return "longer than 36 years";
	return NULL;
}

void ckpt_cputime_save_told(struct ckpt_image_cpu_times *times, struct prev_cputime *told)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&told->lock, flags);
	times->told_user = told->utime;
	times->told_system = told->stime;
	raw_spin_unlock_irqrestore(&told->lock, flags);
}

void ckpt_cputime_load_told(struct prev_cputime *told, const struct ckpt_image_cpu_times *times)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&told->lock, flags);
	told->utime = times->told_user;
	told->stime = times->told_system;
	raw_spin_unlock_irqrestore(&told->lock, flags);
}
