// SPDX-License-Identifier: GPL-2.0-only
/* Kind: what belongs to the process as a whole: IDs, memory barriers, out-of-memory score. */

#include <linux/err.h>
#include <linux/membarrier.h>
#include <linux/oom.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/unistd.h>

#include "kinds.h"
#include "restorer.h"
#include "saver.h"

static const struct {
	int state;
	u32 command;
} barriers[] = {
	{ MEMBARRIER_STATE_GLOBAL_EXPEDITED_READY, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED },
	{ MEMBARRIER_STATE_PRIVATE_EXPEDITED_READY, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED },
	{ MEMBARRIER_STATE_PRIVATE_EXPEDITED_SYNC_CORE_READY,
	  MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE },
	{ MEMBARRIER_STATE_PRIVATE_EXPEDITED_RSEQ_READY,
	  MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ },
};

static int save(struct ckpt_saver *s)
{
	struct signal_struct *sig = s->task->signal;
	int state = atomic_read(&s->mm->membarrier_state);
	struct ckpt_image_process *i;
	unsigned int n;

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
	for (n = 0; n < ARRAY_SIZE(barriers); n++)
		if (state & barriers[n].state)
			i->membarrier |= barriers[n].command;
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
	u32 unknown = i->membarrier;
	unsigned int n;

	for (n = 0; n < ARRAY_SIZE(barriers); n++)
		unknown &= ~barriers[n].command;
	if (unknown || i->flags & ~CKPT_PROCESS_SUBREAPER)
		return ckpt_restore_error(r, -EOPNOTSUPP, "process: unknown flags 0x%x, 0x%x",
					  i->flags, unknown);
	/* A group or session of another PID namespace is 0. */
	if (i->pid != r->threads[0].tid || i->pgid < 0 || i->sid < 0)
		return ckpt_restore_error(r, -EBADMSG, "process: bad IDs");
	if (!is_oom_score(i->oom_score_adj) || !is_oom_score(i->oom_score_adj_min))
		return ckpt_restore_error(r, -EBADMSG, "process: bad out-of-memory score");
	if (i->reserved)
		return ckpt_restore_error(r, -EBADMSG, "process: reserved field is not 0");
	return 0;
}

static int script(struct ckpt_restorer *r)
{
	const struct ckpt_image_process *i = ckpt_image_find(&r->img, CKPT_REC_PROCESS, 0)->data;
	struct ckpt_script *s = &r->script;
	unsigned int n;
	int err = 0;

	if (i->flags & CKPT_PROCESS_SUBREAPER)
		err = ckpt_script_add(s, __NR_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0, 0);
	for (n = 0; !err && n < ARRAY_SIZE(barriers); n++)
		if (i->membarrier & barriers[n].command)
			err = ckpt_script_add(s, __NR_membarrier, barriers[n].command, 0, 0, 0, 0,
					      0);
	return err;
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
