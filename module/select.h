/* SPDX-License-Identifier: GPL-2.0-only */
/* Which processes make up a job. */
#ifndef CKPT_SELECT_H
#define CKPT_SELECT_H

#include <linux/types.h>

struct cgroup;
struct ckpt_group;
struct ckpt_messages;
struct pid;
struct task_struct;

/**
 * struct ckpt_select - which processes make up a job
 * @how: CKPT_SELECT_*
 * @id: what the caller named it by, in its PID namespace
 * @pid: the process, process group or session; referenced
 * @cgroup: with CKPT_SELECT_CGROUP: that and those below it; referenced
 */
struct ckpt_select {
	u32 how;
	pid_t id;
	struct pid *pid;
	struct cgroup *cgroup;
};

/**
 * ckpt_select_init() - take what a caller named
 * @sel: filled in
 * @how: CKPT_SELECT_*
 * @id: PID, process group, session, or a descriptor of a cgroup's directory
 * @m: gets the reason of a failure
 *
 * Return: 0 and ckpt_select_exit() is due, or -ESRCH, -EBADF, -EINVAL
 */
int ckpt_select_init(struct ckpt_select *sel, u32 how, int id, struct ckpt_messages *m);
void ckpt_select_exit(struct ckpt_select *sel);

/**
 * ckpt_select_has() - whether a process belongs to a job by what was named
 * @sel: what was named
 * @leader: the process; under RCU
 *
 * Children are not looked at: CKPT_SELECT_TREE has the root alone.
 *
 * Return: true when it does
 */
bool ckpt_select_has(const struct ckpt_select *sel, struct task_struct *leader);

#endif /* CKPT_SELECT_H */
