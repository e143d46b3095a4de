// SPDX-License-Identifier: GPL-2.0-only
/* Kind: POSIX timers (timer_create). */

#include <linux/alarmtimer.h>
#include <linux/ckpt.h>
#include <linux/err.h>
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/time.h>
#include <linux/unistd.h>

#include "clocks.h"
#include "compat.h"
#include "kinds.h"
#include "posix_timer.h"
#include "restorer.h"
#include "saver.h"

/* --- save --- */

/* A timer as it was under the lock, when nothing can be allocated. */
struct copy {
	struct ckpt_image_timer image;
	bool is_pending;
	bool lost_target, lost_clock;
};

static struct task_struct *leader_of(struct pid *pid, enum pid_type type)
{
	struct task_struct *task = pid_task(pid, type);

	return task ? task->group_leader : NULL;
}

static void copy_clock(struct copy *c, struct k_itimer *timer, struct task_struct *leader)
{
	struct ckpt_image_timer *i = &c->image;
	struct hrtimer *hrtimer = ckpt_posix_timer_hrtimer(timer);
	struct alarm *alarm = ckpt_posix_timer_alarm(timer);
	enum pid_type type = ckpt_posix_timer_is_of_thread(timer) ? PIDTYPE_PID : PIDTYPE_TGID;

	if (!hrtimer) {
		i->base = timer->it_clock;
		i->expires = cpu_timer_getexpires(&timer->it.cpu);
		i->cpu_target = pid_vnr(timer->it.cpu.pid);
		c->lost_clock = leader_of(timer->it.cpu.pid, type) != leader;
		if (cpu_timer_queued(&timer->it.cpu))
			i->flags |= CKPT_TIMER_ARMED;
		return;
	}
	i->base = hrtimer->base->clockid;
	i->expires = alarm ? alarm->node.expires : hrtimer_get_expires(hrtimer);
	if (hrtimer_active(hrtimer))
		i->flags |= CKPT_TIMER_ARMED;
}

static void copy_timer(struct copy *c, struct k_itimer *timer, struct task_struct *leader)
{
	struct ckpt_image_timer *i = &c->image;

	*c = (struct copy){};
	i->id = timer->it_id;
	i->clock = timer->it_clock;
	i->notify = timer->it_sigev_notify;
	i->signal = timer->sigq->info.si_signo;
	i->value = (unsigned long)timer->sigq->info.si_value.sival_ptr;
	i->interval = timer->it_interval;
	i->overrun = timer->it_overrun;
	i->last_overrun = timer->it_overrun_last;
	if (timer->it_requeue_pending & REQUEUE_PENDING)
		i->flags |= CKPT_TIMER_REARM;
	if (i->notify & SIGEV_THREAD_ID) {
		i->target = pid_vnr(timer->it_pid);
		c->lost_target = leader_of(timer->it_pid, PIDTYPE_PID) != leader;
	}
	c->is_pending = !list_empty(&timer->sigq->list);
	copy_clock(c, timer, leader);
}

static int by_id(const void *a, const void *b)
{
	const struct copy *one = a, *other = b;

	return one->image.id < other->image.id ? -1 : one->image.id > other->image.id;
}

/* Returns an array of *@nr, which the caller frees. */
static struct copy *copy_timers(struct ckpt_saver *s, unsigned int *nr)
{
	struct signal_struct *sig = s->task->signal;
	/* The sighand of a parked task stays. */
	spinlock_t *lock = &rcu_dereference_protected(s->task->sighand, true)->siglock;
	struct k_itimer *timer;
	unsigned int size = 0;
	struct copy *copies;

	/* The threads, which alone make and delete timers, are parked. */
	spin_lock_irq(lock);
	ckpt_for_each_posix_timer(timer, sig)
		size++;
	spin_unlock_irq(lock);
	copies = kvcalloc(size + 1, sizeof(*copies), GFP_KERNEL_ACCOUNT);
	if (!copies)
		return NULL;
	*nr = 0;
	rcu_read_lock();
	ckpt_posix_timers_lock(sig, lock);
	ckpt_for_each_posix_timer(timer, sig)
		if (*nr < size)
			copy_timer(&copies[(*nr)++], timer, s->task);
	spin_unlock_irq(lock);
	rcu_read_unlock();
	sort(copies, *nr, sizeof(*copies), by_id, NULL);
	return copies;
}

/* Whether its pending signal is among the records. */
static bool is_saved(struct ckpt_saver *s, const struct ckpt_image_timer *timer)
{
	const struct ckpt_image_siginfo *i = NULL;
	kernel_siginfo_t info;

	while ((i = ckpt_image_added(&s->out, i, CKPT_REC_SIGINFO, s->process->number,
				     timer->target))) {
		memcpy(&info, i->info, sizeof(info));
		if (i->flags & CKPT_SIGINFO_TIMER && info.si_tid == timer->id)
			return true;
	}
	return false;
}

static void refuse(struct ckpt_saver *s, const struct copy *c)
{
	u32 id = c->image.id;

	if (c->lost_target)
		ckpt_save_refuse(s, "timer", "POSIX timer %u: its thread has ended: %s", id,
				 "delete it first");
	if (c->lost_clock)
		ckpt_save_refuse(s, "timer",
				 "POSIX timer %u: goes by the CPU time of another process or of a "
				 "thread that has ended: delete it first",
				 id);
}

/* Comes after the pending signals: one that was sent in between is not in them. */
static int save(struct ckpt_saver *s)
{
	unsigned int nr = 0, n;
	struct copy *copies = copy_timers(s, &nr);
	struct ckpt_image_timer *i;
	int err = 0;

	if (!copies)
		return -ENOMEM;
	for (n = 0; n < nr && !err; n++) {
		refuse(s, &copies[n]);
		i = ckpt_save_record(s, &ckpt_kind_timer, 0, 0, sizeof(*i));
		if (IS_ERR(i)) {
			err = PTR_ERR(i);
			break;
		}
		*i = copies[n].image;
		if (copies[n].is_pending && !is_saved(s, i)) {
			i->flags &= ~CKPT_TIMER_REARM;
			i->flags |= CKPT_TIMER_ARMED;
		}
	}
	kvfree(copies);
	return err;
}

/* --- verify --- */

static const char *check_clock(struct ckpt_restorer *r, const struct ckpt_image_timer *i)
{
	struct ckpt_rthread *t = ckpt_restore_thread(r->job, i->cpu_target);
	bool fits;

	switch (i->clock) {
	case CLOCK_REALTIME:
		fits = i->base == CLOCK_REALTIME || i->base == CLOCK_MONOTONIC;
		break;
	case CLOCK_REALTIME_ALARM:
		fits = i->base == CLOCK_REALTIME;
		break;
	case CLOCK_BOOTTIME_ALARM:
		fits = i->base == CLOCK_BOOTTIME;
		break;
	case CLOCK_MONOTONIC:
	case CLOCK_BOOTTIME:
	case CLOCK_TAI:
		fits = i->base == i->clock;
		break;
	default:
		if (i->clock >= 0 || CPUCLOCK_WHICH(i->clock) >= CPUCLOCK_MAX)
			return "unknown clock";
		fits = i->base == i->clock && t && t->r == r &&
		       (CPUCLOCK_PERTHREAD(i->clock) || ckpt_rthread_is_leader(t));
	}
	return fits ? NULL : "bad clock";
}

static const char *check_event(struct ckpt_restorer *r, const struct ckpt_image_timer *i)
{
	struct ckpt_rthread *t = ckpt_restore_thread(r->job, i->target);

	switch (i->notify) {
	case SIGEV_SIGNAL | SIGEV_THREAD_ID:
		if (!t || t->r != r)
			return "signals go to a thread that is not in the process";
		fallthrough;
	case SIGEV_SIGNAL:
	case SIGEV_THREAD:
		return i->signal < 1 || i->signal > _NSIG ? "bad signal number" : NULL;
	case SIGEV_NONE:
		return NULL;
	default:
		return "unknown notification";
	}
}

static int verify(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_timer *i = rec->data;
	const s64 max = S64_MAX / 4;
	const char *why;

	why = check_clock(r, i) ?: check_event(r, i);
	if (!why && (i->id > INT_MAX || rec->tid))
		why = "bad ID";
	if (!why && i->flags & ~(CKPT_TIMER_ARMED | CKPT_TIMER_REARM))
		why = "unknown flags";
	if (!why && (i->interval > KTIME_MAX || (i->clock >= 0 && i->expires > KTIME_MAX)))
		why = "bad time";
	if (!why &&
	    (i->overrun < -1 || i->overrun > max || i->last_overrun < -1 || i->last_overrun > max))
		why = "bad count of overruns";
	if (!why && i->flags & CKPT_TIMER_ARMED && i->notify == SIGEV_NONE &&
	    (i->clock >= 0 || !CKPT_ARMS_SILENT_CPU_TIMERS))
		why = "armed, and sends no signal";
	return why ? ckpt_restore_error(r, -EBADMSG, "POSIX timer %u: %s", i->id, why) : 0;
}

static int verify_all(struct ckpt_restorer *r)
{
	const struct ckpt_image_timer *last = NULL;
	const struct ckpt_record *rec;

	ckpt_for_each_record_of(rec, r, CKPT_REC_TIMER) {
		const struct ckpt_image_timer *i = rec->data;

		if (last && i->id <= last->id)
			return ckpt_restore_error(r, -EBADMSG, "POSIX timer %u: not in order",
						  i->id);
		last = i;
	}
	return 0;
}

/* --- restore --- */

/* By the number of the thread or process, as the script runs in another thread. */
static clockid_t clock_of(const struct ckpt_image_timer *i)
{
	if (i->clock >= 0)
		return i->clock;
	if (CPUCLOCK_PERTHREAD(i->clock))
		return make_thread_cpuclock(i->cpu_target, CPUCLOCK_WHICH(i->clock));
	return make_process_cpuclock(i->cpu_target, CPUCLOCK_WHICH(i->clock));
}

static int script_timer(struct ckpt_restorer *r, const struct ckpt_image_timer *i)
{
	struct {
		struct __kernel_itimerspec far;
		sigevent_t event;
		u32 id;
	} data = {
		.far.it_value.tv_sec = CKPT_FAR_AWAY,
		.event.sigev_value.sival_ptr = (void __user *)i->value,
		.event.sigev_signo = i->signal,
		.event.sigev_notify = i->notify,
	};
	unsigned long at;
	int err;

	if (i->notify & SIGEV_THREAD_ID)
		data.event.sigev_notify_thread_id = i->target;
	at = ckpt_script_data(&r->script, &data, sizeof(data));
	if (IS_ERR_VALUE(at))
		return at;
	err = ckpt_script_add(&r->script, __NR_ioctl, r->dev_fd, CKPT_IOC_TIMER_ID, i->id, 0, 0, 0);
	if (!err)
		err = ckpt_script_add(&r->script, __NR_timer_create, clock_of(i),
				      at + offsetof(typeof(data), event),
				      at + offsetof(typeof(data), id), 0, 0, 0);
	/* The kernel does not tell it, but what is set to a point in time goes by another base. */
	if (!err)
		err = ckpt_script_add(&r->script, __NR_timer_settime, i->id,
				      i->base == CLOCK_REALTIME ? TIMER_ABSTIME : 0, at, 0, 0, 0);
	return err;
}

static int script(struct ckpt_restorer *r)
{
	const struct ckpt_record *rec;
	int err = 0;

	ckpt_for_each_record_of(rec, r, CKPT_REC_TIMER) {
		err = script_timer(r, rec->data);
		if (err)
			break;
	}
	return err;
}

static void load_cpu(struct k_itimer *timer, const struct ckpt_image_timer *i)
{
	struct task_struct *task = current;
	struct posix_cputimer_base *base;

	rcu_read_lock();
	if (ckpt_posix_timer_is_of_thread(timer))
		task = pid_task(timer->it.cpu.pid, PIDTYPE_PID) ?: current;
	base = ckpt_posix_timer_is_of_thread(timer) ? task->posix_cputimers.bases :
						      task->signal->posix_cputimers.bases;
	base += CPUCLOCK_WHICH(timer->it_clock);
	cpu_timer_dequeue(&timer->it.cpu);
	cpu_timer_setexpires(&timer->it.cpu, i->expires);
	if (i->flags & CKPT_TIMER_ARMED)
		cpu_timer_enqueue(&base->tqhead, &timer->it.cpu);
	/* The next tick finds out when it really is. */
	base->nextevt = 0;
	rcu_read_unlock();
}

static int load_clock(struct k_itimer *timer, const struct ckpt_image_timer *i, s64 expires)
{
	struct hrtimer *hrtimer = ckpt_posix_timer_hrtimer(timer);
	struct alarm *alarm = ckpt_posix_timer_alarm(timer);
	bool is_armed = i->flags & CKPT_TIMER_ARMED;

	if (alarm) {
		if (alarm_try_to_cancel(alarm) < 0)
			return -EBUSY;
		alarm->node.expires = expires;
		if (is_armed)
			alarm_start(alarm, expires);
		return 0;
	}
	if (hrtimer_try_to_cancel(hrtimer) < 0)
		return -EBUSY;
	hrtimer_set_expires(hrtimer, expires);
	if (is_armed)
		hrtimer_start_expires(hrtimer, HRTIMER_MODE_ABS);
	return 0;
}

static int load(struct ckpt_restorer *r, struct k_itimer *timer, const struct ckpt_image_timer *i)
{
	/* Nobody but current itself replaces its sighand. */
	spinlock_t *lock = &rcu_dereference_protected(current->sighand, true)->siglock;
	bool rearm = i->flags & CKPT_TIMER_REARM;
	struct ckpt_clocks saved, now;
	int err = 0;

	ckpt_clocks_load(&saved, r->job->img.meta);
	ckpt_clocks_read(&now, current);
	now.go_on = r->job->keeps_clocks;
	spin_lock_irq(&timer->it_lock);
	timer->it_clock = i->clock;
	timer->it_interval = i->interval;
	timer->it_overrun = i->overrun;
	timer->it_overrun_last = i->last_overrun;
	/* What is odd, and the same in both, arms it again when its signal is taken. */
	timer->it_requeue_pending = rearm;
	timer->sigq->info.si_sys_private = rearm;
	timer->it_active = !!(i->flags & CKPT_TIMER_ARMED);
	if (ckpt_posix_timer_is_cpu(timer)) {
		spin_lock(lock);
		load_cpu(timer, i);
		spin_unlock(lock);
	} else {
		err = load_clock(timer, i, ckpt_clocks_expiry(&saved, &now, i->base, i->expires));
	}
	spin_unlock_irq(&timer->it_lock);
	return err;
}

static int load_all(struct ckpt_restorer *r, struct xarray *index)
{
	const struct ckpt_record *rec;

	ckpt_for_each_record_of(rec, r, CKPT_REC_TIMER) {
		const struct ckpt_image_timer *i = rec->data;
		struct k_itimer *timer = xa_load(index, i->id);
		int err = timer ? load(r, timer, i) : -ENOENT;

		if (err)
			return ckpt_restore_error(r, err, "POSIX timer %u: cannot be set", i->id);
		cond_resched();
	}
	return 0;
}

/* Comes after the pending signals, which may be those of timers that have expired. */
static int apply(struct ckpt_restorer *r, struct ckpt_rthread *t)
{
	struct xarray index;
	int err;

	if (!ckpt_rthread_is_leader(t))
		return 0;
	xa_init(&index);
	err = ckpt_posix_timers_index(&index) ?: load_all(r, &index);
	xa_destroy(&index);
	return err;
}

const struct ckpt_kind ckpt_kind_timer = {
	.name = "timer",
	.type = CKPT_REC_TIMER,
	.version = 1,
	.oldest = 1,
	.min_len = sizeof(struct ckpt_image_timer),
	.count = CKPT_ANY,
	.save = save,
	.verify = verify,
	.verify_all = verify_all,
	.script = script,
	.apply = apply,
};
