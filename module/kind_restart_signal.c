// SPDX-License-Identifier: GPL-2.0-only
/* Kind: the signal that a program asked for when it resumes from an image (SIGRESTART). */

#include <linux/ckpt.h>
#include <linux/err.h>
#include <linux/sched.h>
#include <linux/signal.h>
#include <linux/unistd.h>

#include "kinds.h"
#include "restart_signal.h"
#include "restorer.h"
#include "saver.h"

static int save(struct ckpt_saver *s)
{
	int signo = ckpt_restart_signal_of(s->task);
	struct ckpt_image_restart_signal *i;

	if (!signo)
		return 0;
	i = ckpt_save_record(s, &ckpt_kind_restart_signal, 0, 0, sizeof(*i));
	if (IS_ERR(i))
		return PTR_ERR(i);
	i->signal = signo;
	return 0;
}

static int verify(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_restart_signal *i = rec->data;

	if (!i->signal || i->signal > _NSIG || i->signal == SIGKILL || i->signal == SIGSTOP ||
	    i->reserved)
		return ckpt_restore_error(r, -EBADMSG, "restart signal: bad number %u", i->signal);
	return 0;
}

/* It comes behind the signals that were pending, and all are blocked until the end. */
static int script(struct ckpt_restorer *r)
{
	kernel_siginfo_t info;
	unsigned long address;
	siginfo_t user;

	if (!r->signal)
		return 0;
	clear_siginfo(&info);
	info.si_signo = r->signal;
	info.si_code = CKPT_SI_RESTART;
	info.si_int = r->job->img.meta->generation;
	copy_siginfo_to_external(&user, &info);
	address = ckpt_script_data(&r->script, &user, sizeof(user));
	if (IS_ERR_VALUE(address))
		return address;
	return ckpt_script_add(&r->script, __NR_rt_sigqueueinfo, r->threads[0].tid, r->signal,
			       address, 0, 0, 0);
}

static int apply(struct ckpt_restorer *r, struct ckpt_rthread *t)
{
	const struct ckpt_record *rec = ckpt_restore_find(r, CKPT_REC_RESTART_SIGNAL, 0);
	const struct ckpt_image_restart_signal *i = rec ? rec->data : NULL;
	int err;

	if (!ckpt_rthread_is_leader(t))
		return 0;
	err = ckpt_restart_generation_set(r->job->img.meta->generation + 1);
	if (!err && i)
		err = ckpt_restart_signal_set(i->signal);
	return err;
}

const struct ckpt_kind ckpt_kind_restart_signal = {
	.name = "restart_signal",
	.type = CKPT_REC_RESTART_SIGNAL,
	.version = 1,
	.oldest = 1,
	.min_len = sizeof(struct ckpt_image_restart_signal),
	.count = CKPT_AT_MOST_ONE,
	.save = save,
	.verify = verify,
	.script = script,
	.apply = apply,
};
