// SPDX-License-Identifier: GPL-2.0-only
/* How far a restore is: where its tasks come together, wait for one another, and fail together. */

#include "phase.h"

#include <linux/sched/signal.h>
#include <linux/sched/task.h>

#include "restore.h"

int ckpt_phase_advance(struct ckpt_rjob *job, enum ckpt_phase phase)
{
	int err;

	spin_lock(&job->wait.lock);
	err = job->phase == CKPT_PHASE_FAILED ? job->error : 0;
	if (!err)
		job->phase = phase;
	spin_unlock(&job->wait.lock);
	wake_up_all(&job->wait);
	return err;
}

int ckpt_phase_wait(struct ckpt_rjob *job, enum ckpt_phase phase)
{
	return ckpt_phase_wait_for(job, job->wait, READ_ONCE(job->phase) >= phase);
}

int ckpt_restore_wait_turn(struct ckpt_restorer *r)
{
	return ckpt_phase_wait_for(r->job, r->wait, READ_ONCE(r->job->turn) == r->number);
}

void ckpt_phase_pass_turn(struct ckpt_rjob *job, u32 from)
{
	u32 turn = from + 1;

	while (turn <= job->nr_processes && !ckpt_restorer_has_pages(&job->processes[turn - 1]))
		turn++;
	WRITE_ONCE(job->turn, turn);
	if (turn <= job->nr_processes)
		wake_up_all(&job->processes[turn - 1].wait);
}

void ckpt_restore_pass_turn(struct ckpt_restorer *r)
{
	ckpt_phase_pass_turn(r->job, r->number);
}

static bool is_first_of_process(const struct ckpt_rjob *job, unsigned int i)
{
	return !i || !job->tasks[i].r || job->tasks[i].r != job->tasks[i - 1].r;
}

/* Not even their exit may look like an end of the job's own. */
static void kill_all(struct ckpt_rjob *job)
{
	bool killed = false;
	unsigned int i;

	/* Nobody arrives any more. */
	for (i = 0; i < job->nr_tasks; i++) {
		killed = killed && !is_first_of_process(job, i);
		if (!job->tasks[i].task || killed)
			continue;
		send_sig(SIGKILL, job->tasks[i].task, 1);
		killed = true;
	}
}

void ckpt_restore_abort(struct ckpt_rjob *job, int err)
{
	bool failed;

	spin_lock(&job->wait.lock);
	failed = job->phase < CKPT_PHASE_GO;
	if (failed) {
		job->error = err;
		job->phase = CKPT_PHASE_FAILED;
	}
	spin_unlock(&job->wait.lock);
	wake_up_all(&job->wait);
	if (failed)
		kill_all(job);
}

bool ckpt_restore_ended(struct ckpt_rjob *job, int *err)
{
	enum ckpt_phase phase = READ_ONCE(job->phase);

	*err = phase == CKPT_PHASE_FAILED ? job->error : 0;
	return phase >= CKPT_PHASE_GO;
}

bool ckpt_restore_begun(struct ckpt_rjob *job)
{
	return READ_ONCE(job->nr_arrived);
}

int ckpt_phase_arrive(struct ckpt_rthread *t)
{
	struct ckpt_rjob *job = t->job;
	enum ckpt_phase last = t->r && t->r->source ? CKPT_PHASE_CREATE : CKPT_PHASE_ARRIVE;
	bool all = false, all_of_process = false;
	int err = 0;

	spin_lock(&job->wait.lock);
	if (job->phase == CKPT_PHASE_FAILED) {
		err = job->error;
	} else if (t->task || job->phase > last) {
		err = -EALREADY;
	} else {
		t->task = get_task_struct(current);
		all = ++job->nr_arrived == job->nr_made;
		all_of_process = t->r && ++t->r->nr_arrived == t->r->nr_threads;
	}
	spin_unlock(&job->wait.lock);
	if (all)
		wake_up_all(&job->wait);
	if (all_of_process)
		wake_up_all(&t->r->wait);
	if (all_of_process && t->r->source)
		wake_up_all(&t->r->source->wait);
	return err;
}
