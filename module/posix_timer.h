/* SPDX-License-Identifier: GPL-2.0-only */
/* POSIX timers as the kernel has them. */
#ifndef CKPT_POSIX_TIMER_H
#define CKPT_POSIX_TIMER_H

#include <linux/posix-timers.h>
#include <linux/types.h>
#include <linux/xarray.h>

struct signal_struct;

/* Whether it goes by CPU time, and by that of one thread. */
bool ckpt_posix_timer_is_cpu(const struct k_itimer *timer);
bool ckpt_posix_timer_is_of_thread(const struct k_itimer *timer);

/* The alarm of one that goes by an alarm clock, or NULL. */
struct alarm *ckpt_posix_timer_alarm(struct k_itimer *timer);
/* The hrtimer that drives it, or NULL for one that goes by CPU time. */
struct hrtimer *ckpt_posix_timer_hrtimer(struct k_itimer *timer);

/**
 * ckpt_posix_timers_lock() - lock the signals while no timer is halfway through sending one
 * @sig: the process
 * @lock: its siglock; taken on return
 *
 * A timer whose callback starts afterwards waits for the lock before it changes anything that
 * counts.
 */
void ckpt_posix_timers_lock(struct signal_struct *sig, spinlock_t *lock) __acquires(lock);

/**
 * ckpt_posix_timers_index() - the timers of current's process by their IDs
 * @index: empty; gets struct k_itimer; xa_destroy() is due, after an error too
 *
 * Only while no other thread can make or delete a timer.
 *
 * Return: 0 or -ENOMEM
 */
int ckpt_posix_timers_index(struct xarray *index);

#endif /* CKPT_POSIX_TIMER_H */
