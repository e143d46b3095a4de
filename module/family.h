/* SPDX-License-Identifier: GPL-2.0-only */
/* Who is whose child, and process groups and sessions: as they were in the saved job. */
#ifndef CKPT_FAMILY_H
#define CKPT_FAMILY_H

struct ckpt_restorer;
struct ckpt_rjob;

/**
 * ckpt_family_assemble() - put the new processes in their places
 * @job: the job; all its tasks have come
 *
 * Gives each process its parent, process group and session. A process whose parent was outside of
 * the job stays a child of the tool; a group or session that had members outside becomes that of
 * the first process, as the tool made it.
 *
 * Return: 0, or -ESRCH when the holder of a number is not there
 */
int ckpt_family_assemble(struct ckpt_rjob *job);

/* Makes current exit as the saved process did, without its parent being told. */
void ckpt_family_die(struct ckpt_restorer *r);

/**
 * ckpt_family_settle() - wait until all who are to be zombies are
 * @job: the job
 *
 * Return: 0 or -EINTR
 */
int ckpt_family_settle(struct ckpt_rjob *job);

#endif /* CKPT_FAMILY_H */
