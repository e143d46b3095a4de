// SPDX-License-Identifier: GPL-2.0-only
/* Kind: resource limits of the process. */

#include <linux/err.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/unistd.h>

#include "kinds.h"
#include "restorer.h"
#include "saver.h"

static_assert(CKPT_NR_RLIMITS == RLIM_NLIMITS);
static_assert(RLIM_INFINITY == ~0UL);

static int save(struct ckpt_saver *s)
{
	struct ckpt_image_rlimits *i;
	unsigned int n;

	i = ckpt_save_record(s, &ckpt_kind_rlimits, 0, 0, sizeof(*i));
	if (IS_ERR(i))
		return PTR_ERR(i);
	task_lock(s->task);
	for (n = 0; n < CKPT_NR_RLIMITS; n++) {
		i->limits[n].cur = s->task->signal->rlim[n].rlim_cur;
		i->limits[n].max = s->task->signal->rlim[n].rlim_max;
	}
	task_unlock(s->task);
	return 0;
}

static int verify(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_rlimits *i = rec->data;
	unsigned int n;

	for (n = 0; n < CKPT_NR_RLIMITS; n++)
		if (i->limits[n].cur > i->limits[n].max)
			return ckpt_restore_error(r, -EBADMSG, "resource limit %u: %s", n,
						  "soft limit above hard limit");
	return 0;
}

/* The limit of CPU time arms a timer, which only the system call does. */
static int script(struct ckpt_restorer *r)
{
	const struct ckpt_image_rlimits *i = ckpt_restore_find(r, CKPT_REC_RLIMITS, 0)->data;
	unsigned long address;

	if (i->limits[RLIMIT_CPU].cur == rlimit(RLIMIT_CPU))
		return 0;
	address = ckpt_script_data(&r->script, &i->limits[RLIMIT_CPU], sizeof(i->limits[0]));
	if (IS_ERR_VALUE(address))
		return address;
	return ckpt_script_add(&r->script, __NR_prlimit64, 0, RLIMIT_CPU, address, 0, 0, 0);
}

/* Not before the script is done, which the limits of memory would get in the way of. */
static int apply(struct ckpt_restorer *r, struct ckpt_rthread *t)
{
	const struct ckpt_image_rlimits *i = ckpt_restore_find(r, CKPT_REC_RLIMITS, 0)->data;
	unsigned int n;

	if (!ckpt_rthread_is_leader(t))
		return 0;
	task_lock(current);
	for (n = 0; n < CKPT_NR_RLIMITS; n++) {
		current->signal->rlim[n].rlim_cur = i->limits[n].cur;
		current->signal->rlim[n].rlim_max = i->limits[n].max;
	}
	task_unlock(current);
	return 0;
}

const struct ckpt_kind ckpt_kind_rlimits = {
	.name = "rlimits",
	.type = CKPT_REC_RLIMITS,
	.version = 1,
	.oldest = 1,
	.min_len = sizeof(struct ckpt_image_rlimits),
	.count = CKPT_ONE,
	.save = save,
	.verify = verify,
	.script = script,
	.apply = apply,
};
