// SPDX-License-Identifier: GPL-2.0-only
/* Which processes make up a job. */

#include "select.h"

#include <linux/cgroup.h>
#include <linux/ckpt.h>
#include <linux/err.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "message.h"

static enum pid_type pid_type(u32 how)
{
	switch (how) {
	case CKPT_SELECT_PGRP:
		return PIDTYPE_PGID;
	case CKPT_SELECT_SESSION:
		return PIDTYPE_SID;
	default:
		return PIDTYPE_TGID;
	}
}

static const char *noun(u32 how)
{
	switch (how) {
	case CKPT_SELECT_PGRP:
		return "process group";
	case CKPT_SELECT_SESSION:
		return "session";
	default:
		return "PID";
	}
}

static int init_cgroup(struct ckpt_select *sel, int fd, struct ckpt_messages *m)
{
	struct cgroup *cgroup = cgroup_get_from_fd(fd);

	if (IS_ERR(cgroup)) {
		ckpt_messages_add(m, "cgroup: fd %d: not a directory of cgroup v2", fd);
		return PTR_ERR(cgroup);
	}
	sel->cgroup = cgroup;
	return 0;
}

int ckpt_select_init(struct ckpt_select *sel, u32 how, int id, struct ckpt_messages *m)
{
	*sel = (struct ckpt_select){ .how = how, .id = id };
	if (how == CKPT_SELECT_CGROUP)
		return init_cgroup(sel, id, m);
	if (id <= 0)
		return -EINVAL;
	sel->pid = find_get_pid(id);
	if (sel->pid && pid_has_task(sel->pid, pid_type(how)))
		return 0;
	ckpt_select_exit(sel);
	ckpt_messages_add(m, "%s %d: cannot freeze: no such %s", noun(how), id,
			  pid_type(how) == PIDTYPE_TGID ? "process" : noun(how));
	return -ESRCH;
}

void ckpt_select_exit(struct ckpt_select *sel)
{
	put_pid(sel->pid);
	if (sel->cgroup)
		cgroup_put(sel->cgroup);
	*sel = (struct ckpt_select){};
}

bool ckpt_select_has(const struct ckpt_select *sel, struct task_struct *leader)
{
	switch (sel->how) {
	case CKPT_SELECT_PGRP:
		return task_pgrp(leader) == sel->pid;
	case CKPT_SELECT_SESSION:
		return task_session(leader) == sel->pid;
	case CKPT_SELECT_CGROUP:
		return task_under_cgroup_hierarchy(leader, sel->cgroup);
	default:
		return task_tgid(leader) == sel->pid;
	}
}
