/* SPDX-License-Identifier: GPL-2.0-only */
/* One look at all processes of the system: which threads of the job are not frozen yet. */
#ifndef CKPT_MEMBERS_H
#define CKPT_MEMBERS_H

#include <linux/types.h>
#include <linux/xarray.h>

struct ckpt_group;
struct ckpt_messages;
struct task_struct;

/**
 * struct ckpt_member - a thread that was found
 * @task: it, referenced
 * @leader: leader of its thread group, referenced
 * @is_zombie: @task is @leader and has exited, with all its threads
 */
struct ckpt_member {
	struct task_struct *task;
	struct task_struct *leader;
	bool is_zombie;
};

/**
 * struct ckpt_members - what one look found
 * @list: threads of the job that the group does not have yet
 * @nr: how many
 * @size: room in @list
 * @leaders: leaders of processes of the job, by address
 * @again: something is on its way: look once more
 * @refused: a process that cannot be frozen, referenced, or NULL
 * @why: why not
 */
struct ckpt_members {
	struct ckpt_member *list;
	unsigned int nr, size;
	struct xarray leaders;
	bool again;
	struct task_struct *refused;
	const char *why;
};

/**
 * ckpt_members_find() - look at all processes of the system
 * @m: filled in; ckpt_members_put() is due, in case of an error too
 * @g: the job, being frozen
 *
 * A parent stands in the kernel's list before its children, so one pass finds a whole tree.
 *
 * Return: 0 or -ENOMEM
 */
int ckpt_members_find(struct ckpt_members *m, struct ckpt_group *g);
void ckpt_members_put(struct ckpt_members *m);

#endif /* CKPT_MEMBERS_H */
