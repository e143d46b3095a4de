/* SPDX-License-Identifier: GPL-2.0-only */
/* How far a restore is: where its tasks come together, wait for one another, and fail together. */
#ifndef CKPT_PHASE_H
#define CKPT_PHASE_H

#include <linux/compiler.h>
#include <linux/wait.h>

#include "restorer.h"

/* Values of struct ckpt_rjob.phase. */
enum ckpt_phase {
	CKPT_PHASE_ARRIVE, /* tasks come */
	CKPT_PHASE_MAKE, /* the first process makes files by system calls */
	CKPT_PHASE_CREATE, /* objects are there: processes get their descriptors and memory */
	CKPT_PHASE_SCRIPT, /* all are there, all pages were verified: scripts run, threads apply */
	CKPT_PHASE_GO,
	CKPT_PHASE_FAILED,
};

/* Current becomes a task of the image: 0, -EALREADY, or the error of the restore. */
int ckpt_phase_arrive(struct ckpt_rthread *t);

/* Moves on to a later phase unless the restore has failed: 0, or its error. */
int ckpt_phase_advance(struct ckpt_rjob *job, enum ckpt_phase phase);

static inline bool ckpt_phase_has_failed(const struct ckpt_rjob *job)
{
	return READ_ONCE(job->phase) == CKPT_PHASE_FAILED;
}

/**
 * ckpt_phase_wait_for() - wait for a condition
 * @job: the restore
 * @queue: where to wait
 * @condition: expression to become true
 *
 * When the restore fails all tasks are killed, so that those who wait elsewhere than on job->wait
 * need not be woken.
 *
 * Return: 0, -EINTR, or the error of the restore
 */
#define ckpt_phase_wait_for(job, queue, condition)                                                 \
	({                                                                                         \
		int __err = wait_event_killable(queue, ckpt_phase_has_failed(job) || (condition)); \
		__err ? -EINTR : ckpt_phase_has_failed(job) ? (job)->error : 0;                    \
	})

/* Waits for a phase. */
int ckpt_phase_wait(struct ckpt_rjob *job, enum ckpt_phase phase);

/* The pages of the first living process behind number @from come next in the image. */
void ckpt_phase_pass_turn(struct ckpt_rjob *job, u32 from);

#endif /* CKPT_PHASE_H */
