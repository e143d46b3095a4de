// SPDX-License-Identifier: GPL-2.0-only
/* Kind: pending signals of the process and of each thread, in the order of their queues. */

#include <linux/err.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/unistd.h>

#include "kinds.h"
#include "posix_timer.h"
#include "restorer.h"
#include "saver.h"

static_assert(sizeof(siginfo_t) == sizeof_field(struct ckpt_image_siginfo, info));

/* Room for signals that arrive between counting and copying; later ones came after the save. */
#define SPARE 64

struct entry {
	siginfo_t info;
	u32 flags; /* CKPT_SIGINFO_* bits */
};

struct queue {
	struct entry *entries;
	unsigned int nr, size;
};

static void add(struct queue *q, const kernel_siginfo_t *info, bool of_timer)
{
	struct entry *to;

	if (q->nr == q->size)
		return;
	to = &q->entries[q->nr++];
	copy_siginfo_to_external(&to->info, info);
	/*
	 * What the kernel needs to find out whether to arm the timer again; its record tells that.
	 */
	if (to->info.si_code == SI_TIMER)
		to->info.si_sys_private = 0;
	if (of_timer)
		to->flags |= CKPT_SIGINFO_TIMER;
}

static bool is_queued(const struct sigpending *pending, int sig)
{
	const struct sigqueue *q;

	list_for_each_entry(q, &pending->list, list)
		if (q->info.si_signo == sig)
			return true;
	return false;
}

static void copy(struct queue *to, struct sigpending *pending)
{
	const struct sigqueue *q;
	int sig;

	list_for_each_entry(q, &pending->list, list)
		add(to, &q->info, q->flags & SIGQUEUE_PREALLOC);
	/* One without an entry looks to the program like this, see collect_signal(). */
	for (sig = 1; sig <= _NSIG; sig++) {
		kernel_siginfo_t info;

		if (!sigismember(&pending->signal, sig) || is_queued(pending, sig))
			continue;
		clear_siginfo(&info);
		info.si_signo = sig;
		info.si_code = SI_USER;
		add(to, &info, false);
	}
}

static unsigned int count(const struct sigpending *pending)
{
	const struct sigqueue *q;
	unsigned int n = _NSIG + SPARE;

	list_for_each_entry(q, &pending->list, list)
		n++;
	return n;
}

static int save_queue(struct ckpt_saver *s, struct sigpending *pending, u32 tid)
{
	/* The sighand of a parked task stays. */
	spinlock_t *lock = &rcu_dereference_protected(s->task->sighand, true)->siglock;
	struct ckpt_image_siginfo *i;
	struct queue q = {};
	unsigned int n;
	int err = 0;

	spin_lock_irq(lock);
	q.size = count(pending);
	spin_unlock_irq(lock);
	q.entries = kvcalloc(q.size, sizeof(*q.entries), GFP_KERNEL);
	if (!q.entries)
		return -ENOMEM;
	spin_lock_irq(lock);
	copy(&q, pending);
	spin_unlock_irq(lock);

	for (n = 0; n < q.nr && !err; n++) {
		/* It cannot be blocked until all is in place: the stop kind has it. */
		if (q.entries[n].info.si_signo == SIGSTOP)
			continue;
		i = ckpt_save_record(s, &ckpt_kind_siginfo, tid, 0, sizeof(*i));
		if (IS_ERR(i)) {
			err = PTR_ERR(i);
			break;
		}
		memcpy(i->info, &q.entries[n].info, sizeof(i->info));
		i->flags = q.entries[n].flags;
	}
	kvfree(q.entries);
	return err;
}

static int save(struct ckpt_saver *s)
{
	return save_queue(s, &s->task->signal->shared_pending, 0);
}

static int save_thread(struct ckpt_saver *s, struct ckpt_thread *t)
{
	return save_queue(s, &t->task->pending, task_pid_vnr(t->task));
}

static int verify(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_siginfo *i = rec->data;
	kernel_siginfo_t info;

	memcpy(&info, i->info, sizeof(info));
	if (info.si_signo < 1 || info.si_signo > _NSIG || info.si_signo == SIGKILL ||
	    info.si_signo == SIGSTOP)
		return ckpt_restore_error(r, -EBADMSG, "pending signal: bad number %d",
					  info.si_signo);
	if (memchr_inv(i->info + sizeof(info), 0, sizeof(i->info) - sizeof(info)))
		return ckpt_restore_error(r, -EBADMSG, "pending signal %d: bad padding",
					  info.si_signo);
	if (i->flags & ~CKPT_SIGINFO_TIMER || i->reserved)
		return ckpt_restore_error(r, -EBADMSG, "pending signal %d: unknown flags",
					  info.si_signo);
	if (i->flags & CKPT_SIGINFO_TIMER && info.si_code != SI_TIMER)
		return ckpt_restore_error(r, -EBADMSG, "pending signal %d: not of a timer",
					  info.si_signo);
	return 0;
}

/* Only the kernel may send signals of any sender to one thread; all of them are blocked. */
static int create(struct ckpt_restorer *r)
{
	const struct ckpt_record *rec;

	ckpt_for_each_record_of(rec, r, CKPT_REC_SIGINFO) {
		const struct ckpt_image_siginfo *i = rec->data;
		kernel_siginfo_t info;
		int err = 0;

		if (!rec->tid || i->flags & CKPT_SIGINFO_TIMER)
			continue;
		memcpy(&info, i->info, sizeof(info));
		err = send_sig_info(info.si_signo, &info,
				    ckpt_restore_thread(r->job, rec->tid)->task);
		if (err)
			return ckpt_restore_error(r, err, "thread %u: pending signal %d: %s",
						  rec->tid, info.si_signo, "cannot be queued");
	}
	return 0;
}

static int script(struct ckpt_restorer *r)
{
	const struct ckpt_record *rec;
	int err = 0;

	ckpt_for_each_record_of(rec, r, CKPT_REC_SIGINFO) {
		const struct ckpt_image_siginfo *i = rec->data;
		kernel_siginfo_t info;
		unsigned long address;

		if (rec->tid || err || i->flags & CKPT_SIGINFO_TIMER)
			continue;
		memcpy(&info, i->info, sizeof(info));
		address = ckpt_script_data(&r->script, i->info, sizeof(i->info));
		if (IS_ERR_VALUE(address))
			return address;
		err = ckpt_script_add(&r->script, __NR_rt_sigqueueinfo, r->threads[0].tid,
				      info.si_signo, address, 0, 0, 0);
	}
	return err;
}

/* Where the record that is looked at stands among the signals of each number in the queue. */
struct cursor {
	u32 tid;
	struct sigpending *pending;
	struct list_head *at[_NSIG + 1];
};

static void enter_queue(struct cursor *c, struct ckpt_restorer *r, u32 tid)
{
	unsigned int sig;

	c->tid = tid;
	c->pending = tid ? &ckpt_restore_thread(r->job, tid)->task->pending :
			   &current->signal->shared_pending;
	for (sig = 0; sig <= _NSIG; sig++)
		c->at[sig] = &c->pending->list;
}

/* Only the order among signals of one number matters. */
static void pass(struct cursor *c, int sig)
{
	struct list_head *at = c->at[sig]->next;

	for (; at != &c->pending->list; at = at->next)
		if (list_entry(at, struct sigqueue, list)->info.si_signo == sig) {
			c->at[sig] = at;
			break;
		}
}

/* The entry that belongs to the timer, as the kernel looks there for the overruns. */
static int insert(struct cursor *c, struct k_itimer *timer, const kernel_siginfo_t *info)
{
	struct sigqueue *q = timer ? timer->sigq : NULL;
	int sig = info->si_signo;

	if (!q || q->info.si_signo != sig || !list_empty(&q->list))
		return -EBADMSG;
	q->info.si_overrun = info->si_overrun;
	list_add(&q->list, c->at[sig]);
	c->at[sig] = &q->list;
	sigaddset(&c->pending->signal, sig);
	return 0;
}

/* Under the lock of the signals: others may send and take away some at any time. */
static int insert_all(struct ckpt_restorer *r, struct xarray *timers)
{
	const struct ckpt_record *rec;
	kernel_siginfo_t info;
	struct cursor c;
	int err = 0;

	enter_queue(&c, r, 0);
	ckpt_for_each_record_of(rec, r, CKPT_REC_SIGINFO) {
		const struct ckpt_image_siginfo *i = rec->data;

		if (rec->tid != c.tid)
			enter_queue(&c, r, rec->tid);
		memcpy(&info, i->info, sizeof(info));
		if (i->flags & CKPT_SIGINFO_TIMER)
			err = insert(&c, xa_load(timers, info.si_tid), &info);
		else
			pass(&c, info.si_signo);
		if (err)
			break;
	}
	return err;
}

static bool has_timers(struct ckpt_restorer *r)
{
	const struct ckpt_record *rec;

	ckpt_for_each_record_of(rec, r, CKPT_REC_SIGINFO) {
		const struct ckpt_image_siginfo *i = rec->data;

		if (i->flags & CKPT_SIGINFO_TIMER)
			return true;
	}
	return false;
}

/*
 * The script has made the timers, which are not armed yet: their signals come between the others.
 */
static int apply(struct ckpt_restorer *r, struct ckpt_rthread *t)
{
	/* Nobody but current itself replaces its sighand. */
	spinlock_t *lock = &rcu_dereference_protected(current->sighand, true)->siglock;
	struct xarray timers;
	int err;

	if (!ckpt_rthread_is_leader(t) || !has_timers(r))
		return 0;
	xa_init(&timers);
	err = ckpt_posix_timers_index(&timers);
	if (!err) {
		spin_lock_irq(lock);
		err = insert_all(r, &timers);
		spin_unlock_irq(lock);
	}
	xa_destroy(&timers);
	if (err == -EBADMSG)
		ckpt_restore_error(r, err, "pending signals: not of the timers in the image");
	return err;
}

const struct ckpt_kind ckpt_kind_siginfo = {
	.name = "siginfo",
	.type = CKPT_REC_SIGINFO,
	.version = 1,
	.oldest = 1,
	.min_len = sizeof(struct ckpt_image_siginfo),
	.count = CKPT_ANY,
	.save = save,
	.save_thread = save_thread,
	.verify = verify,
	.create = create,
	.script = script,
	.apply = apply,
};
