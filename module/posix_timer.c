// SPDX-License-Identifier: GPL-2.0-only
/* POSIX timers as the kernel has them. */

#include "posix_timer.h"

#include <linux/hrtimer.h>
#include <linux/processor.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "compat.h"

bool ckpt_posix_timer_is_cpu(const struct k_itimer *timer)
{
	return timer->it_clock < 0;
}

bool ckpt_posix_timer_is_of_thread(const struct k_itimer *timer)
{
	return ckpt_posix_timer_is_cpu(timer) && CPUCLOCK_PERTHREAD(timer->it_clock);
}

struct alarm *ckpt_posix_timer_alarm(struct k_itimer *timer)
{
	if (timer->it_clock == CLOCK_REALTIME_ALARM || timer->it_clock == CLOCK_BOOTTIME_ALARM)
		return &timer->it.alarm.alarmtimer;
	return NULL;
}

struct hrtimer *ckpt_posix_timer_hrtimer(struct k_itimer *timer)
{
	struct alarm *alarm = ckpt_posix_timer_alarm(timer);

	if (ckpt_posix_timer_is_cpu(timer))
		return NULL;
	return alarm ? &alarm->timer : &timer->it.real.timer;
}

static bool is_any_expiring(struct signal_struct *sig)
{
	struct k_itimer *timer;

	ckpt_for_each_posix_timer(timer, sig) {
		struct hrtimer *hrtimer = ckpt_posix_timer_hrtimer(timer);

		if (hrtimer && hrtimer_callback_running(hrtimer))
			return true;
	}
	return hrtimer_callback_running(&sig->real_timer);
}

void ckpt_posix_timers_lock(struct signal_struct *sig, spinlock_t *lock) __acquires(lock)
{
	spin_lock_irq(lock);
	while (is_any_expiring(sig)) {
		spin_unlock_irq(lock);
		cpu_relax();
		spin_lock_irq(lock);
	}
}

int ckpt_posix_timers_index(struct xarray *index)
{
	struct k_itimer *timer;

	ckpt_for_each_posix_timer(timer, current->signal) {
		int err = xa_err(xa_store(index, timer->it_id, timer, GFP_KERNEL));

		if (err)
			return err;
	}
	return 0;
}
