// SPDX-License-Identifier: GPL-2.0-only
/* Kind: what belongs to the process as a whole: IDs, subreaper, out-of-memory score. */

#include <linux/err.h>
#include <linux/oom.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/unistd.h>

#include "kinds.h"
#include "restorer.h"
#include "saver.h"

static int save(struct ckpt_saver *s)
{
	struct signal_struct *sig = s->task->signal;
	struct ckpt_image_process *i;

	if (s->task->exit_signal != SIGCHLD)
		ckpt_save_refuse(s, "process", "exit signal %d: only SIGCHLD is supported",
				 s->task->exit_signal);
	i = ckpt_save_record(s, &ckpt_kind_process, 0, 0, sizeof(*i));
	if (IS_ERR(i))
		return PTR_ERR(i);
	i->pid = task_tgid_vnr(s->task);
	i->pgid = task_pgrp_vnr(s->task);
	i->sid = task_session_vnr(s->task);
	if (sig->is_child_subreaper)
		i->flags |= CKPT_PROCESS_SUBREAPER;
	i->oom_score_adj = sig->oom_score_adj;
	i->oom_score_adj_min = sig->oom_score_adj_min;
	return 0;
}

static bool is_oom_score(s32 score)
{
	return score >= OOM_SCORE_ADJ_MIN && score <= OOM_SCORE_ADJ_MAX;
}

static int verify(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_process *i = rec->data;

	if (i->flags & ~CKPT_PROCESS_SUBREAPER)
		return ckpt_restore_error(r, -EOPNOTSUPP, "process: unknown flags 0x%x", i->flags);
	/* A group or session of another PID namespace is 0. */
	if (i->pid != r->threads[0].tid || i->pgid < 0 || i->sid < 0)
		return ckpt_restore_error(r, -EBADMSG, "process: bad IDs");
	if (!is_oom_score(i->oom_score_adj) || !is_oom_score(i->oom_score_adj_min))
		return ckpt_restore_error(r, -EBADMSG, "process: bad out-of-memory score");
	return 0;
}

static int script(struct ckpt_restorer *r)
{
	const struct ckpt_image_process *i = ckpt_image_find(&r->img, CKPT_REC_PROCESS, 0)->data;

	if (!(i->flags & CKPT_PROCESS_SUBREAPER))
		return 0;
	return ckpt_script_add(&r->script, __NR_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0, 0);
}

static int apply(struct ckpt_restorer *r, struct ckpt_rthread *t)
{
	const struct ckpt_image_process *i = ckpt_image_find(&r->img, CKPT_REC_PROCESS, 0)->data;

	if (!ckpt_rthread_is_leader(t))
		return 0;
	current->signal->oom_score_adj = i->oom_score_adj;
	current->signal->oom_score_adj_min = i->oom_score_adj_min;
	return 0;
}

const struct ckpt_kind ckpt_kind_process = {
	.name = "process",
	.type = CKPT_REC_PROCESS,
	.version = 1,
	.oldest = 1,
	.min_len = sizeof(struct ckpt_image_process),
	.count = CKPT_ONE,
	.save = save,
	.verify = verify,
	.script = script,
	.apply = apply,
};
