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
#include "restorer.h"
#include "saver.h"

static_assert(sizeof(siginfo_t) == sizeof(struct ckpt_image_siginfo));

/* Room for signals that arrive between counting and copying; later ones came after the save. */
#define SPARE 64

struct queue {
	siginfo_t *infos;
	unsigned int nr, size;
};

static void add(struct queue *q, const kernel_siginfo_t *info)
{
	siginfo_t *to;

	if (q->nr == q->size)
		return;
	to = &q->infos[q->nr++];
	copy_siginfo_to_external(to, info);
	/* The number of the timer that expired; it has none here. */
	if (to->si_code == SI_TIMER)
		to->si_sys_private = 0;
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
		add(to, &q->info);
	/* One without an entry looks to the program like this, see collect_signal(). */
	for (sig = 1; sig <= _NSIG; sig++) {
		kernel_siginfo_t info;

		if (!sigismember(&pending->signal, sig) || is_queued(pending, sig))
			continue;
		clear_siginfo(&info);
		info.si_signo = sig;
		info.si_code = SI_USER;
		add(to, &info);
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
	q.infos = kvcalloc(q.size, sizeof(*q.infos), GFP_KERNEL);
	if (!q.infos)
		return -ENOMEM;
	spin_lock_irq(lock);
	copy(&q, pending);
	spin_unlock_irq(lock);

	for (n = 0; n < q.nr && !err; n++) {
		if (q.infos[n].si_signo == SIGSTOP)
			ckpt_save_refuse(s, "siginfo", "a stop is pending: send SIGCONT first");
		i = ckpt_save_record(s, &ckpt_kind_siginfo, tid, 0, sizeof(*i));
		if (IS_ERR(i))
			err = PTR_ERR(i);
		else
			memcpy(i->info, &q.infos[n], sizeof(i->info));
	}
	kvfree(q.infos);
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

		if (!rec->tid)
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

		if (rec->tid || err)
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
};
