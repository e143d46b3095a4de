// SPDX-License-Identifier: GPL-2.0-only
/* Kind: what belongs to the process as a whole: IDs, parent, subreaper, out-of-memory score. */

#include <linux/err.h>
#include <linux/oom.h>
#include <linux/pid.h>
#include <linux/prctl.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>
#include <linux/string.h>
#include <linux/unistd.h>

#include "family.h"
#include "kinds.h"
#include "restorer.h"
#include "saver.h"
#include "tty_pair.h"

#define FLAGS                                                                       \
	(CKPT_PROCESS_SUBREAPER | CKPT_PROCESS_ZOMBIE | CKPT_PROCESS_PGRP_OUTSIDE | \
	 CKPT_PROCESS_SESSION_OUTSIDE | CKPT_PROCESS_EXECED)

/* Whether a process that does not belong to the job is in a group or session. */
static bool has_outsider(struct ckpt_saver *s, struct pid *pid, enum pid_type type)
{
	struct task_struct *p;
	bool found = false;

	rcu_read_lock();
	for_each_process(p)
		if ((type == PIDTYPE_PGID ? task_pgrp(p) : task_session(p)) == pid &&
		    !ckpt_group_process(s->group, p)) {
			found = true;
			break;
		}
	rcu_read_unlock();
	return found;
}

static u32 flags_of(struct ckpt_saver *s)
{
	struct task_struct *task = s->task;
	u32 flags = 0;

	if (task->signal->is_child_subreaper)
		flags |= CKPT_PROCESS_SUBREAPER;
	if (s->process->is_zombie)
		flags |= CKPT_PROCESS_ZOMBIE;
	if (!(task->flags & PF_FORKNOEXEC))
		flags |= CKPT_PROCESS_EXECED;
	if (task_pgrp(task) != task_tgid(task) && has_outsider(s, task_pgrp(task), PIDTYPE_PGID))
		flags |= CKPT_PROCESS_PGRP_OUTSIDE;
	if (task_session(task) != task_tgid(task) &&
	    has_outsider(s, task_session(task), PIDTYPE_SID))
		flags |= CKPT_PROCESS_SESSION_OUTSIDE;
	return flags;
}

/* The thread of the job that is the parent, or 0. */
static pid_t parent_of(struct ckpt_saver *s)
{
	struct task_struct *parent;
	pid_t tid = 0;

	rcu_read_lock();
	parent = rcu_dereference(s->task->real_parent);
	if (ckpt_group_thread(s->group, parent))
		tid = task_pid_vnr(parent);
	rcu_read_unlock();
	return tid;
}

static int save(struct ckpt_saver *s)
{
	struct signal_struct *sig = s->task->signal;
	int tty = s->process->is_zombie ? 0 : ckpt_tty_id_of_task(s, s->task);
	struct ckpt_image_process *i;

	if (tty < 0)
		return tty;

	i = ckpt_save_record(s, &ckpt_kind_process, 0, 0, sizeof(*i));
	if (IS_ERR(i))
		return PTR_ERR(i);
	i->pid = task_tgid_vnr(s->task);
	i->pgid = task_pgrp_vnr(s->task);
	i->sid = task_session_vnr(s->task);
	i->flags = flags_of(s);
	i->oom_score_adj = sig->oom_score_adj;
	i->oom_score_adj_min = sig->oom_score_adj_min;
	i->parent = parent_of(s);
	i->exit_signal = s->task->exit_signal;
	i->tty = tty;
	if (s->process->is_zombie) {
		i->exit_code = sig->flags & SIGNAL_GROUP_EXIT ? sig->group_exit_code :
								s->task->exit_code;
		get_task_comm(i->comm, s->task);
	}
	return 0;
}

static bool is_oom_score(s32 score)
{
	return score >= OOM_SCORE_ADJ_MIN && score <= OOM_SCORE_ADJ_MAX;
}

static int verify(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_process *i = rec->data;
	bool is_zombie = i->flags & CKPT_PROCESS_ZOMBIE;

	if (i->flags & ~FLAGS)
		return ckpt_restore_error(r, -EOPNOTSUPP, "process: unknown flags 0x%x", i->flags);
	/* A group or session of another PID namespace is 0. */
	if (i->pid != r->threads[0].tid || i->pgid < 0 || i->sid < 0)
		return ckpt_restore_error(r, -EBADMSG, "process: bad IDs");
	if (!is_oom_score(i->oom_score_adj) || !is_oom_score(i->oom_score_adj_min))
		return ckpt_restore_error(r, -EBADMSG, "process: bad out-of-memory score");
	if (!valid_signal(i->exit_signal) || (i->exit_code & ~0xffffU) ||
	    (!is_zombie && i->exit_code) || strnlen(i->comm, sizeof(i->comm)) == sizeof(i->comm))
		return ckpt_restore_error(r, -EBADMSG, "process %d: bad exit status", i->pid);
	if (is_zombie && r->nr_threads != 1)
		return ckpt_restore_error(r, -EBADMSG, "process %d: a zombie with threads", i->pid);
	return 0;
}

/* A parent comes before its children, as it was there before them. */
static int verify_parent(struct ckpt_restorer *r)
{
	const struct ckpt_rthread *parent = ckpt_restore_thread(r->job, r->saved->parent);

	if (r->saved->parent ? parent && parent->r && parent->r->number < r->number &&
				       !ckpt_restorer_is_zombie(parent->r) :
			       !ckpt_restorer_is_zombie(r))
		return 0;
	return ckpt_restore_error(r, -EBADMSG, "process %d: bad parent %u", r->saved->pid,
				  r->saved->parent);
}

static int script(struct ckpt_restorer *r)
{
	if (!(r->saved->flags & CKPT_PROCESS_SUBREAPER))
		return 0;
	return ckpt_script_add(&r->script, __NR_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0, 0);
}

static int apply(struct ckpt_restorer *r, struct ckpt_rthread *t)
{
	if (r->saved->flags & CKPT_PROCESS_EXECED)
		current->flags &= ~PF_FORKNOEXEC;
	else
		current->flags |= PF_FORKNOEXEC;
	if (!ckpt_rthread_is_leader(t))
		return 0;
	current->signal->oom_score_adj = r->saved->oom_score_adj;
	current->signal->oom_score_adj_min = r->saved->oom_score_adj_min;
	if (ckpt_restorer_is_zombie(r))
		strscpy_pad(current->comm, r->saved->comm, sizeof(current->comm));
	return 0;
}

const struct ckpt_kind ckpt_kind_process = {
	.name = "process",
	.type = CKPT_REC_PROCESS,
	.version = 1,
	.oldest = 1,
	.min_len = sizeof(struct ckpt_image_process),
	.count = CKPT_ONE,
	.zombies = true,
	.save = save,
	.verify = verify,
	.verify_all = verify_parent,
	.script = script,
	.apply = apply,
	.settle = ckpt_family_settle,
};
