// SPDX-License-Identifier: GPL-2.0-only
/* Kind: what the process does on each signal. */

#include <linux/err.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>
#include <linux/string.h>

#include "kinds.h"
#include "restorer.h"
#include "saver.h"

static_assert(CKPT_NR_SIGNALS == _NSIG);

/* The kernel clears other bits that a program asks for. */
#define KNOWN_FLAGS ((u64)UAPI_SA_FLAGS)

static int save(struct ckpt_saver *s)
{
	/* The sighand of a parked task stays. */
	struct sighand_struct *sighand = rcu_dereference_protected(s->task->sighand, true);
	struct ckpt_image_sighand *i;
	unsigned int n;
	u64 odd = 0;

	i = ckpt_save_record(s, &ckpt_kind_sighand, 0, 0, sizeof(*i));
	if (IS_ERR(i))
		return PTR_ERR(i);
	spin_lock_irq(&sighand->siglock);
	for (n = 0; n < CKPT_NR_SIGNALS; n++) {
		const struct sigaction *from = &sighand->action[n].sa;
		struct ckpt_image_sigaction *to = &i->actions[n];

		to->handler = (unsigned long)from->sa_handler;
		to->flags = from->sa_flags;
		to->restorer = (unsigned long)from->sa_restorer;
		memcpy(&to->mask, &from->sa_mask, sizeof(to->mask));
		odd |= to->flags & ~KNOWN_FLAGS;
	}
	spin_unlock_irq(&sighand->siglock);
	if (odd)
		ckpt_save_refuse(s, "sighand", "signal handlers: unknown flags 0x%llx", odd);
	return 0;
}

static bool is_user_address(u64 address)
{
	return address < TASK_SIZE_MAX;
}

static int verify(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const u64 unblockable = sigmask(SIGKILL) | sigmask(SIGSTOP);
	const struct ckpt_image_sighand *i = rec->data;
	unsigned int n;

	for (n = 0; n < CKPT_NR_SIGNALS; n++) {
		const struct ckpt_image_sigaction *a = &i->actions[n];

		if (a->flags & ~KNOWN_FLAGS)
			return ckpt_restore_error(r, -EOPNOTSUPP, "signal %u: unknown flags 0x%llx",
						  n + 1, a->flags);
		if (!is_user_address(a->handler) || !is_user_address(a->restorer) ||
		    a->mask & unblockable)
			return ckpt_restore_error(r, -EBADMSG, "signal %u: bad handler or mask",
						  n + 1);
		if ((BIT_ULL(n) & unblockable) && a->handler)
			return ckpt_restore_error(r, -EBADMSG, "signal %u: cannot have a handler",
						  n + 1);
	}
	return 0;
}

static int apply(struct ckpt_restorer *r, struct ckpt_rthread *t)
{
	const struct ckpt_image_sighand *i = ckpt_restore_find(r, CKPT_REC_SIGHAND, 0)->data;
	/* Nobody but current itself replaces its sighand. */
	struct sighand_struct *sighand = rcu_dereference_protected(current->sighand, true);
	unsigned int n;

	if (!ckpt_rthread_is_leader(t))
		return 0;
	/* Every signal is blocked in every thread: no handler runs before all is in place. */
	spin_lock_irq(&sighand->siglock);
	for (n = 0; n < CKPT_NR_SIGNALS; n++) {
		const struct ckpt_image_sigaction *from = &i->actions[n];
		struct sigaction *to = &sighand->action[n].sa;

		to->sa_handler = (__sighandler_t)(unsigned long)from->handler;
		to->sa_flags = from->flags;
		to->sa_restorer = (__sigrestore_t)(unsigned long)from->restorer;
		memcpy(&to->sa_mask, &from->mask, sizeof(to->sa_mask));
	}
	spin_unlock_irq(&sighand->siglock);
	return 0;
}

const struct ckpt_kind ckpt_kind_sighand = {
	.name = "sighand",
	.type = CKPT_REC_SIGHAND,
	.version = 1,
	.oldest = 1,
	.min_len = sizeof(struct ckpt_image_sighand),
	.count = CKPT_ONE,
	.part = CKPT_SHARE_SIGHAND,
	.save = save,
	.verify = verify,
	.apply = apply,
};
