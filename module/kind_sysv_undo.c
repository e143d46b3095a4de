// SPDX-License-Identifier: GPL-2.0-only
/* State kind: what is undone in sets of semaphores when a process ends (SEM_UNDO). */

#include <linux/err.h>
#include <linux/ipc_namespace.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/unistd.h>
#include <uapi/linux/sem.h>

#include "compat.h"
#include "kinds.h"
#include "restorer.h"
#include "saver.h"
#include "sysv.h"

#define KIND "sysv_undo"

static struct ckpt_ipc_undo_list *list_of(struct task_struct *task)
{
	return (void *)READ_ONCE(task->sysvsem.undo_list);
}

static int save_undo(struct ckpt_saver *s, struct ckpt_ipc_undo *undo, struct ipc_ids *ids)
{
	struct kern_ipc_perm *perm = ckpt_sysv_find(ids, undo->semid);
	struct ckpt_ipc_sem_array *set = container_of(perm, struct ckpt_ipc_sem_array, perm);
	struct ckpt_image_sysv_undo *out;
	bool is_new;
	int id;

	if (!perm)
		return 0;
	id = ckpt_objtab_id(&s->objects, set, &is_new);
	if (id < 0)
		return id;
	out = ckpt_save_record(s, &ckpt_kind_sysv_undo, 0, 0, struct_size(out, adjust, set->nsems));
	if (IS_ERR(out))
		return PTR_ERR(out);
	out->set = id;
	out->nr_sems = set->nsems;
	memcpy(out->adjust, ckpt_sem_undo_adjust(&undo->semid), set->nsems * sizeof(short));
	return 0;
}

/* Only the process itself adds to its list, and nobody takes from it: the rwsem is held. */
static int save(struct ckpt_saver *s)
{
	struct ckpt_ipc_undo_list *list = list_of(s->task);
	struct ipc_ids *ids = &ckpt_sysv_ns()->ids[CKPT_IPC_SEM];
	struct ckpt_ipc_undo *undo;
	int err = 0;

	if (!list || list_empty(&list->list_proc))
		return 0;
	if (refcount_read(&list->refcnt) != s->process->nr_threads)
		ckpt_save_refuse(s, KIND, "SEM_UNDO shared by processes (CLONE_SYSVSEM): %s",
				 "not supported");
	down_read(&ids->rwsem);
	list_for_each_entry(undo, &list->list_proc, list_proc) {
		err = save_undo(s, undo, ids);
		if (err)
			break;
	}
	up_read(&ids->rwsem);
	return err;
}

/* --- restore --- */

static int verify(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_sysv_undo *i = rec->data;
	u32 n;

	if (!i->nr_sems || i->nr_sems > CKPT_SYSV_MAX_SEMS ||
	    rec->len < struct_size(i, adjust, i->nr_sems))
		return ckpt_restore_error(r, -EBADMSG, "image: undo in set %u: bad size", i->set);
	for (n = 0; n < i->nr_sems; n++)
		if (abs(i->adjust[n]) > CKPT_SYSV_MAX_VALUE)
			return ckpt_restore_error(r, -EBADMSG, "image: undo in set %u: bad value",
						  i->set);
	return 0;
}

static int verify_all(struct ckpt_restorer *r)
{
	const struct ckpt_record *rec;

	ckpt_for_each_record_of(rec, r, CKPT_REC_SYSV_UNDO) {
		const struct ckpt_image_sysv_undo *i = rec->data;
		const struct ckpt_record *set = ckpt_restore_object(r, CKPT_REC_SYSV_SEM, i->set);
		const struct ckpt_image_sysv_sem *sem = set ? set->data : NULL;

		if (!sem || sem->nr_sems != i->nr_sems)
			return ckpt_restore_error(r, -EBADMSG, "image: undo in set %u: not there",
						  i->set);
	}
	return 0;
}

/* Makes the kernel remember the set for the process, with nothing to undo so far. */
static int script_undo(struct ckpt_restorer *r, const struct ckpt_sysv_object *o)
{
	const short flags = IPC_NOWAIT | SEM_UNDO;
	const struct sembuf up_down[] = { { 0, 1, flags }, { 0, -1, flags } };
	const struct sembuf down_up[] = { { 0, -1, flags }, { 0, 1, flags } };
	struct kern_ipc_perm *perm = ckpt_sysv_lock(o);
	unsigned long calls;
	bool is_up;

	if (!perm)
		return -EIDRM;
	is_up = container_of(perm, struct ckpt_ipc_sem_array, perm)->sems[0].semval;
	ckpt_sysv_unlock(o, perm);
	calls = ckpt_script_data(&r->script, is_up ? down_up : up_down, sizeof(up_down));
	if (IS_ERR_VALUE(calls))
		return calls;
	return ckpt_script_add(&r->script, __NR_semop, o->id, calls, ARRAY_SIZE(up_down), 0, 0, 0);
}

static int script(struct ckpt_restorer *r)
{
	const struct ckpt_record *rec;

	ckpt_for_each_record_of(rec, r, CKPT_REC_SYSV_UNDO) {
		const struct ckpt_image_sysv_undo *i = rec->data;
		const struct ckpt_sysv_object *o = ckpt_sysv_object(r->job, i->set);
		int err = o ? script_undo(r, o) : -ENOENT;

		if (err)
			return err;
	}
	return 0;
}

/* The list of a process that is being killed may be gone: it is only compared. */
static int set_undo(struct ckpt_restorer *r, const struct ckpt_image_sysv_undo *i)
{
	const struct ckpt_sysv_object *o = ckpt_sysv_object(r->job, i->set);
	const struct ckpt_ipc_undo_list *list = list_of(r->threads[0].task);
	struct kern_ipc_perm *perm = o && list ? ckpt_sysv_lock(o) : NULL;
	struct ckpt_ipc_sem_array *set = container_of(perm, struct ckpt_ipc_sem_array, perm);
	struct ckpt_ipc_undo *undo;
	int err = -EIDRM;

	if (!perm)
		return err;
	list_for_each_entry(undo, &set->list_id, list_id) {
		if (undo->ulp != list)
			continue;
		memcpy(ckpt_sem_undo_adjust(&undo->semid), i->adjust, i->nr_sems * sizeof(short));
		err = 0;
	}
	ckpt_sysv_unlock(o, perm);
	return err;
}

static int settle(struct ckpt_rjob *job)
{
	const struct ckpt_record *rec;
	struct ckpt_restorer *r;
	int err;

	ckpt_for_each_rprocess(r, job) {
		ckpt_for_each_record_of(rec, r, CKPT_REC_SYSV_UNDO) {
			err = set_undo(r, rec->data);
			if (err)
				return err;
		}
	}
	return 0;
}

const struct ckpt_kind ckpt_kind_sysv_undo = {
	.name = KIND,
	.type = CKPT_REC_SYSV_UNDO,
	.version = 1,
	.oldest = 1,
	.min_len = sizeof(struct ckpt_image_sysv_undo),
	.count = CKPT_ANY,
	.save = save,
	.verify = verify,
	.verify_all = verify_all,
	.script = script,
	.settle = settle,
};
