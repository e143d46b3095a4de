// SPDX-License-Identifier: GPL-2.0-only
/* Kind: the interval timers of setitimer(2) and alarm(2). */

#include <linux/err.h>
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>
#include <linux/time.h>
#include <linux/unistd.h>

#include "clocks.h"
#include "kinds.h"
#include "posix_timer.h"
#include "restorer.h"
#include "saver.h"

/* --- save --- */

static bool has_expired(const struct sigpending *pending)
{
	const struct sigqueue *q;

	list_for_each_entry(q, &pending->list, list)
		if (q->info.si_signo == SIGALRM && q->info.si_code == SI_KERNEL)
			return true;
	return false;
}

static bool is_saved(struct ckpt_saver *s)
{
	const struct ckpt_image_siginfo *i = NULL;
	kernel_siginfo_t info;

	while ((i = ckpt_image_added(&s->out, i, CKPT_REC_SIGINFO, s->process->number, 0))) {
		memcpy(&info, i->info, sizeof(info));
		if (info.si_signo == SIGALRM && info.si_code == SI_KERNEL)
			return true;
	}
	return false;
}

static void save_cpu(struct ckpt_image_itimer *i, const struct cpu_itimer *it)
{
	i->expires = it->expires;
	i->interval = it->incr;
}

/*
 * Comes after the pending signals: a signal of this timer that came in between
 * is not in them.
 */
static int save(struct ckpt_saver *s)
{
	struct signal_struct *sig = s->task->signal;
	/* The sighand of a parked task stays. */
	spinlock_t *lock = &rcu_dereference_protected(s->task->sighand, true)->siglock;
	bool is_running, is_pending;
	struct ckpt_image_itimers *i;

	i = ckpt_save_record(s, &ckpt_kind_itimer, 0, 0, sizeof(*i));
	if (IS_ERR(i))
		return PTR_ERR(i);
	ckpt_posix_timers_lock(sig, lock);
	is_running = hrtimer_active(&sig->real_timer);
	is_pending = has_expired(&sig->shared_pending);
	i->real.expires = hrtimer_get_expires_ns(&sig->real_timer);
	i->real.interval = sig->it_real_incr;
	save_cpu(&i->virtual, &sig->it[CPUCLOCK_VIRT]);
	save_cpu(&i->prof, &sig->it[CPUCLOCK_PROF]);
	i->next_timer = sig->next_posix_timer_id;
	spin_unlock_irq(lock);
	if (is_running || (is_pending && !is_saved(s)))
		i->flags |= CKPT_ITIMERS_REAL;
	return 0;
}

/* --- restore --- */

static const struct ckpt_image_itimers *image_of(struct ckpt_restorer *r)
{
	return ckpt_restore_find(r, CKPT_REC_ITIMERS, 0)->data;
}

static int verify(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_itimers *i = rec->data;
	const char *why = NULL;

	if (i->real.expires > KTIME_MAX || i->real.interval > KTIME_MAX ||
	    i->virtual.interval > KTIME_MAX || i->prof.interval > KTIME_MAX)
		why = "bad time";
	else if (i->flags & ~CKPT_ITIMERS_REAL)
		why = "unknown flags";
	else if (i->next_timer > INT_MAX)
		why = "bad ID of a timer";
	return why ? ckpt_restore_error(r, -EBADMSG, "interval timers: %s", why) : 0;
}

static int script_cpu(struct ckpt_restorer *r, const struct ckpt_image_itimer *i, int which)
{
	struct __kernel_old_itimerval value = { .it_value.tv_sec = CKPT_FAR_AWAY };
	unsigned long address;

	if (!i->expires)
		return 0;
	address = ckpt_script_data(&r->script, &value, sizeof(value));
	if (IS_ERR_VALUE(address))
		return address;
	return ckpt_script_add(&r->script, __NR_setitimer, which, address, 0, 0, 0, 0);
}

/*
 * The system call starts the clocks that these timers go by; when they expire
 * is set later.
 */
static int script(struct ckpt_restorer *r)
{
	int err = script_cpu(r, &image_of(r)->virtual, ITIMER_VIRTUAL);

	return err ?: script_cpu(r, &image_of(r)->prof, ITIMER_PROF);
}

static void load_cpu(struct signal_struct *sig, unsigned int clock,
		     const struct ckpt_image_itimer *i)
{
	u64 *next = &sig->posix_cputimers.bases[clock].nextevt;

	sig->it[clock].expires = i->expires;
	sig->it[clock].incr = i->interval;
	if (i->expires && i->expires < *next)
		*next = i->expires;
}

static void load_real(struct ckpt_restorer *r, struct signal_struct *sig,
		      const struct ckpt_image_itimers *i)
{
	struct hrtimer *timer = &sig->real_timer;
	struct ckpt_clocks saved, now;

	ckpt_clocks_load(&saved, r->job->img.meta);
	ckpt_clocks_read(&now, current);
	now.go_on = r->job->keeps_clocks;
	sig->it_real_incr = i->real.interval;
	hrtimer_set_expires(timer,
			    ckpt_clocks_expiry(&saved, &now, CLOCK_MONOTONIC, i->real.expires));
	if (i->flags & CKPT_ITIMERS_REAL)
		hrtimer_start_expires(timer, HRTIMER_MODE_ABS);
}

static int apply(struct ckpt_restorer *r, struct ckpt_rthread *t)
{
	const struct ckpt_image_itimers *i = image_of(r);
	struct signal_struct *sig = current->signal;
	spinlock_t *lock = &rcu_dereference_protected(current->sighand, true)->siglock;

	if (!ckpt_rthread_is_leader(t))
		return 0;
	spin_lock_irq(lock);
	load_cpu(sig, CPUCLOCK_VIRT, &i->virtual);
	load_cpu(sig, CPUCLOCK_PROF, &i->prof);
	if (!hrtimer_active(&sig->real_timer))
		load_real(r, sig, i);
	spin_unlock_irq(lock);
	sig->next_posix_timer_id = i->next_timer;
	return 0;
}

const struct ckpt_kind ckpt_kind_itimer = {
	.name = "itimer",
	.type = CKPT_REC_ITIMERS,
	.version = 1,
	.oldest = 1,
	.min_len = sizeof(struct ckpt_image_itimers),
	.count = CKPT_ONE,
	.save = save,
	.verify = verify,
	.script = script,
	.apply = apply,
};
