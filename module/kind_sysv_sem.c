// SPDX-License-Identifier: GPL-2.0-only
/*
 * State kind: sets of System V semaphores that the job uses. What it has to undo is another kind.
 */

#include <linux/err.h>
#include <linux/idr.h>
#include <linux/ipc_namespace.h>
#include <linux/overflow.h>
#include <linux/sched/signal.h>
#include <linux/unistd.h>

#include "compat.h"
#include "kinds.h"
#include "ksyms.h"
#include "restorer.h"
#include "saver.h"
#include "sysv.h"

#define KIND "sysv_sem"

static struct ckpt_ipc_sem_array *set_of(struct kern_ipc_perm *perm)
{
	return container_of(perm, struct ckpt_ipc_sem_array, perm);
}

/* PID of a process that has a list of undos, with @s one outside of the job; or 0. */
static pid_t list_user(struct ckpt_saver *s, const struct ckpt_ipc_undo_list *list)
{
	struct task_struct *p, *t;
	pid_t pid = 0;

	rcu_read_lock();
	for_each_process_thread(p, t) {
		if ((const void *)READ_ONCE(t->sysvsem.undo_list) != list ||
		    (s && ckpt_group_process(s->group, p)))
			continue;
		pid = task_tgid_vnr(p) ?: -1;
		break;
	}
	rcu_read_unlock();
	return pid;
}

static bool is_empty(struct ckpt_ipc_undo *undo, int nsems)
{
	const short *adjust = ckpt_sem_undo_adjust(&undo->semid);
	int i;

	for (i = 0; i < nsems; i++)
		if (adjust[i])
			return false;
	return true;
}

static pid_t waiter(struct list_head *queue)
{
	struct ckpt_ipc_sem_queue *q;

	q = list_first_entry_or_null(queue, struct ckpt_ipc_sem_queue, list);
	return q ? task_tgid_vnr(q->sleeper) ?: -1 : 0;
}

/* Threads of the job have left the queues when they were frozen. */
static pid_t waiter_of(struct ckpt_ipc_sem *sem)
{
	pid_t pid;

	spin_lock(&sem->lock);
	pid = waiter(&sem->pending_alter) ?: waiter(&sem->pending_const);
	spin_unlock(&sem->lock);
	return pid;
}

/* PID of a process that uses a set, with @s one outside of the job; under its lock. */
static pid_t user_of(struct ckpt_saver *s, struct ckpt_ipc_sem_array *set)
{
	pid_t pid = waiter(&set->pending_alter) ?: waiter(&set->pending_const);
	struct ckpt_ipc_undo *undo;
	int i;

	list_for_each_entry(undo, &set->list_id, list_id)
		if (!pid && !is_empty(undo, set->nsems))
			pid = list_user(s, undo->ulp);
	for (i = 0; i < set->nsems && !pid; i++) {
		pid = waiter_of(&set->sems[i]);
		if (s && !pid)
			pid = ckpt_sysv_outsider(s, set->sems[i].sempid);
	}
	return pid;
}

static pid_t user(struct kern_ipc_perm *perm)
{
	pid_t pid;

	spin_lock(&perm->lock);
	pid = user_of(NULL, set_of(perm));
	spin_unlock(&perm->lock);
	return pid;
}

static bool is_same(const struct kern_ipc_perm *perm, const void *data)
{
	const struct ckpt_ipc_sem_array *set = container_of(perm, struct ckpt_ipc_sem_array, perm);
	const struct ckpt_image_sysv_sem *i = data;

	return set->nsems == i->nr_sems && set->ctime == i->sysv.ctime;
}

static long make(const void *data)
{
	const struct ckpt_image_sysv_sem *i = data;

	return ckpt_syscall(__NR_semget, i->sysv.key, i->nr_sems,
			    IPC_CREAT | IPC_EXCL | (i->sysv.mode & 0777), 0, 0);
}

static const struct ckpt_sysv_type type = {
	.ids = CKPT_IPC_SEM,
	.name = "semaphore set",
	.remover = "ipcrm -s",
	.is_same = is_same,
	.user = user,
	.make = make,
	.remove = ckpt_remove_sem,
};

/* --- save --- */

/*
 * Whether a process of the job has something to undo in it, has changed it last, or waits for it.
 */
static bool is_used(struct ckpt_saver *s, struct ckpt_ipc_sem_array *set)
{
	static const long calls[] = { __NR_semop, __NR_semtimedop };
	struct ckpt_process *p;
	struct ckpt_ipc_undo *undo;
	int i;

	for (i = 0; i < set->nsems; i++)
		if (ckpt_sysv_is_member(s, set->sems[i].sempid))
			return true;
	list_for_each_entry(undo, &set->list_id, list_id)
		ckpt_for_each_process(p, s->group)
			if ((const void *)p->leader->sysvsem.undo_list == undo->ulp)
				return true;
	return ckpt_sysv_is_waited_for(s, set->perm.id, calls, ARRAY_SIZE(calls));
}

static void describe(struct ckpt_image_sysv_sem *out, struct ckpt_ipc_sem_array *set)
{
	int i;

	ckpt_sysv_describe(&out->sysv, &set->perm, set->ctime);
	out->nr_sems = set->nsems;
	for (i = 0; i < set->nsems; i++) {
		out->sems[i].value = set->sems[i].semval;
		out->sems[i].pid = ckpt_sysv_pid(set->sems[i].sempid);
		out->sems[i].otime = set->sems[i].sem_otime;
	}
}

/* The set stays: the rwsem of the IDs is held. */
static int save_set(struct ckpt_saver *s, struct ckpt_ipc_sem_array *set)
{
	struct ckpt_image_sysv_sem *out;
	bool is_new;
	pid_t pid;
	int id = ckpt_objtab_id(&s->objects, set, &is_new);

	if (id < 0)
		return id;
	out = ckpt_save_record(s, &ckpt_kind_sysv_sem, 0, id, struct_size(out, sems, set->nsems));
	if (IS_ERR(out))
		return PTR_ERR(out);
	spin_lock(&set->perm.lock);
	pid = user_of(s, set);
	describe(out, set);
	spin_unlock(&set->perm.lock);
	if (pid > 0)
		ckpt_save_refuse(s, KIND, "set %d: process %d uses it too: save them together",
				 set->perm.id, pid);
	else if (pid)
		ckpt_save_refuse(s, KIND, "set %d: another process uses it too", set->perm.id);
	return 0;
}

static int save_job(struct ckpt_saver *s)
{
	struct ipc_ids *ids = ckpt_sysv_ids(ckpt_sysv_ns(), &type);
	struct kern_ipc_perm *perm;
	int err = 0, index;
	bool used;

	down_read(&ids->rwsem);
	idr_for_each_entry(&ids->ipcs_idr, perm, index) {
		spin_lock(&perm->lock);
		used = is_used(s, set_of(perm));
		spin_unlock(&perm->lock);
		if (used)
			err = save_set(s, set_of(perm));
		if (err)
			break;
	}
	up_read(&ids->rwsem);
	return err;
}

/* --- restore --- */

static int verify(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_sysv_sem *i = rec->data;
	int err = ckpt_sysv_verify(r, rec, &type, 0777);
	u32 n;

	if (err)
		return err;
	if (!i->nr_sems || i->nr_sems > CKPT_SYSV_MAX_SEMS || i->reserved ||
	    rec->len < struct_size(i, sems, i->nr_sems))
		return ckpt_restore_error(r, -EBADMSG, "image: set %d: bad size", i->sysv.id);
	for (n = 0; n < i->nr_sems; n++)
		if (i->sems[n].value > CKPT_SYSV_MAX_VALUE)
			return ckpt_restore_error(r, -EBADMSG, "image: set %d: bad value",
						  i->sysv.id);
	return 0;
}

static int open(struct ckpt_restorer *r)
{
	const struct ckpt_record *rec;

	ckpt_for_each_shared_record_of(rec, r, CKPT_REC_SYSV_SEM) {
		struct ckpt_sysv_object *o = ckpt_sysv_open(r, rec, &type);

		if (IS_ERR(o))
			return PTR_ERR(o);
	}
	return 0;
}

static void set_values(struct ckpt_ipc_sem_array *set, const struct ckpt_image_sysv_sem *i)
{
	u32 n;

	set->ctime = i->sysv.ctime;
	set->perm.mode = i->sysv.mode;
	for (n = 0; n < i->nr_sems; n++) {
		set->sems[n].semval = i->sems[n].value;
		set->sems[n].sem_otime = i->sems[n].otime;
		ckpt_sysv_set_pid(&set->sems[n].sempid, i->sems[n].pid);
	}
}

/* By no system call: those forget what others have to undo, and leave their traces. */
static int settle(struct ckpt_rjob *job)
{
	const struct ckpt_record *rec;

	ckpt_for_each_shared_record_of(rec, job->processes, CKPT_REC_SYSV_SEM) {
		const struct ckpt_image_sysv_sem *i = rec->data;
		struct ckpt_sysv_object *o = ckpt_sysv_object(job, rec->id);
		struct kern_ipc_perm *perm = o ? ckpt_sysv_lock(o) : NULL;

		if (!perm)
			return ckpt_rjob_error(job, -EIDRM, "set %d: was removed", i->sysv.id);
		set_values(set_of(perm), i);
		ckpt_sysv_unlock(o, perm);
	}
	return 0;
}

const struct ckpt_kind ckpt_kind_sysv_sem = {
	.name = KIND,
	.type = CKPT_REC_SYSV_SEM,
	.version = 1,
	.oldest = 1,
	.min_len = sizeof(struct ckpt_image_sysv_sem),
	.count = CKPT_ANY,
	.shared = true,
	.save_job = save_job,
	.verify = verify,
	.open = open,
	.settle = settle,
};
