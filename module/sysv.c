// SPDX-License-Identifier: GPL-2.0-only
/* System V objects: what segments, sets of semaphores and message queues have in common. */

#include "sysv.h"

#include <linux/err.h>
#include <linux/idr.h>
#include <linux/ipc_namespace.h>
#include <linux/nsproxy.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uidgid.h>

#include "image_read.h"
#include "ksyms.h"
#include "restorer.h"
#include "saver.h"

struct ipc_namespace *ckpt_sysv_ns(void)
{
	return current->nsproxy->ipc_ns;
}

struct ipc_ids *ckpt_sysv_ids(struct ipc_namespace *ns, const struct ckpt_sysv_type *type)
{
	return &ns->ids[type->ids];
}

/* How an id is made up of index and sequence number depends on how the kernel was booted. */
struct kern_ipc_perm *ckpt_sysv_find(struct ipc_ids *ids, int id)
{
	struct kern_ipc_perm *perm;
	int index;

	idr_for_each_entry(&ids->ipcs_idr, perm, index)
		if (perm->id == id)
			return perm;
	return NULL;
}

static struct kern_ipc_perm *find_key(struct ipc_ids *ids, key_t key)
{
	struct kern_ipc_perm *perm;
	int index;

	if (key == IPC_PRIVATE)
		return NULL;
	idr_for_each_entry(&ids->ipcs_idr, perm, index)
		if (perm->key == key)
			return perm;
	return NULL;
}

pid_t ckpt_sysv_pid(struct pid *pid)
{
	return pid_vnr(pid);
}

bool ckpt_sysv_is_member(struct ckpt_saver *s, struct pid *pid)
{
	struct task_struct *leader;
	bool found;

	rcu_read_lock();
	leader = pid_task(pid, PIDTYPE_TGID);
	found = leader && ckpt_group_process(s->group, leader);
	rcu_read_unlock();
	return found;
}

pid_t ckpt_sysv_outsider(struct ckpt_saver *s, struct pid *pid)
{
	struct task_struct *leader;
	pid_t nr = 0;

	rcu_read_lock();
	leader = pid_task(pid, PIDTYPE_TGID);
	if (leader && !ckpt_group_process(s->group, leader))
		nr = pid_vnr(pid) ?: -1;
	rcu_read_unlock();
	return nr;
}

bool ckpt_sysv_is_waited_for(struct ckpt_saver *s, int id, const long *calls, unsigned int nr)
{
	struct ckpt_process *p;
	struct ckpt_thread *t;
	unsigned int i;

	ckpt_for_each_process(p, s->group)
		ckpt_for_each_thread(t, p)
			for (i = 0; i < nr; i++)
				if (!p->is_zombie && (int)t->cpu.regs.di == id &&
				    (long)t->cpu.regs.orig_ax == calls[i])
					return true;
	return false;
}

void ckpt_sysv_set_pid(struct pid **place, s32 nr)
{
	struct pid *old = *place;

	rcu_read_lock();
	*place = nr ? get_pid(find_vpid(nr)) : NULL;
	rcu_read_unlock();
	put_pid(old);
}

void ckpt_sysv_describe(struct ckpt_image_sysv *i, const struct kern_ipc_perm *perm, time64_t ctime)
{
	i->id = perm->id;
	i->key = perm->key;
	i->uid = from_kuid(&init_user_ns, perm->uid);
	i->gid = from_kgid(&init_user_ns, perm->gid);
	i->cuid = from_kuid(&init_user_ns, perm->cuid);
	i->cgid = from_kgid(&init_user_ns, perm->cgid);
	i->mode = perm->mode;
	i->ctime = ctime;
}

int ckpt_sysv_verify(struct ckpt_restorer *r, const struct ckpt_record *rec,
		     const struct ckpt_sysv_type *type, u32 modes)
{
	const struct ckpt_image_sysv *i = rec->data;

	if (rec->id && i->id >= 0 && !i->reserved && !(i->mode & ~modes) &&
	    uid_valid(KUIDT_INIT(i->uid)) && gid_valid(KGIDT_INIT(i->gid)) &&
	    uid_valid(KUIDT_INIT(i->cuid)) && gid_valid(KGIDT_INIT(i->cgid)))
		return 0;
	return ckpt_restore_error(r, -EBADMSG, "image: %s %d: out of range", type->name, i->id);
}

/* --- restore --- */

static bool is_same(const struct ckpt_sysv_type *type, struct kern_ipc_perm *perm,
		    const struct ckpt_image_sysv *i)
{
	bool same;

	spin_lock(&perm->lock);
	same = perm->key == i->key && from_kuid(&init_user_ns, perm->cuid) == i->cuid &&
	       from_kgid(&init_user_ns, perm->cgid) == i->cgid && type->is_same(perm, i);
	spin_unlock(&perm->lock);
	return same;
}

/* Whether one that is there may be taken. */
static int take(struct ckpt_restorer *r, const struct ckpt_sysv_type *type,
		struct kern_ipc_perm *perm, const struct ckpt_image_sysv *i)
{
	static const char id_is_taken[] = "%s %d: another one has this id: remove it (%s %d)";
	pid_t user;

	if (!is_same(type, perm, i))
		return ckpt_restore_error(r, -EEXIST, id_is_taken, type->name, i->id, type->remover,
					  i->id);
	user = type->user(perm);
	if (user > 0)
		return ckpt_restore_error(r, -EBUSY, "%s %d: process %d uses it: end it first",
					  type->name, i->id, user);
	if (user)
		return ckpt_restore_error(r, -EBUSY, "%s %d: another process uses it", type->name,
					  i->id);
	return 0;
}

static void set_owner(struct kern_ipc_perm *perm, const struct ckpt_image_sysv *i)
{
	perm->uid = KUIDT_INIT(i->uid);
	perm->gid = KGIDT_INIT(i->gid);
	perm->cuid = KUIDT_INIT(i->cuid);
	perm->cgid = KGIDT_INIT(i->cgid);
}

static void remove(struct ckpt_sysv_object *o)
{
	struct ipc_ids *ids = ckpt_sysv_ids(o->ns, o->type);
	struct kern_ipc_perm *perm;

	down_write(&ids->rwsem);
	perm = ckpt_sysv_find(ids, o->id);
	if (perm) {
		rcu_read_lock();
		spin_lock(&perm->lock);
		/* Releases both; told to sparse alone. */
		o->type->remove(o->ns, perm);
		__release(&perm->lock);
		__release(RCU);
	}
	up_write(&ids->rwsem);
}

static void set_next_id(struct ipc_ids *ids, int id)
{
	down_write(&ids->rwsem);
	ids->next_id = id;
	up_write(&ids->rwsem);
}

/* The kernel gives the next object the id that was asked for, whoever makes it. */
static int make(struct ckpt_restorer *r, struct ckpt_sysv_object *o,
		const struct ckpt_image_sysv *i)
{
	struct ipc_ids *ids = ckpt_sysv_ids(o->ns, o->type);
	struct kern_ipc_perm *perm;
	long id;

	set_next_id(ids, i->id);
	id = o->type->make(i);
	if (id < 0) {
		set_next_id(ids, -1);
		return ckpt_restore_error(r, id, "%s %d: cannot be made: error %ld", o->type->name,
					  i->id, -id);
	}
	o->id = id;
	o->is_new = true;
	if (id != i->id)
		return ckpt_restore_error(r, -EEXIST, "%s %d: the id is taken", o->type->name,
					  i->id);
	perm = ckpt_sysv_lock(o);
	if (!perm)
		return -EIDRM;
	set_owner(perm, i);
	ckpt_sysv_unlock(o, perm);
	return 0;
}

static int find_or_make(struct ckpt_restorer *r, struct ckpt_sysv_object *o,
			const struct ckpt_image_sysv *i)
{
	static const char key_is_taken[] = "%s %d: key 0x%x: %d has it: remove it (%s %d)";
	struct ipc_ids *ids = ckpt_sysv_ids(o->ns, o->type);
	struct kern_ipc_perm *perm, *other;
	int err = 0;

	down_read(&ids->rwsem);
	perm = ckpt_sysv_find(ids, i->id);
	other = perm ? NULL : find_key(ids, i->key);
	if (perm)
		err = take(r, o->type, perm, i);
	else if (other)
		err = ckpt_restore_error(r, -EEXIST, key_is_taken, o->type->name, i->id, i->key,
					 other->id, o->type->remover, other->id);
	up_read(&ids->rwsem);
	o->id = i->id;
	return err || perm ? err : make(r, o, i);
}

static struct ckpt_sysv_object *add(struct ckpt_restorer *r, const struct ckpt_sysv_type *type)
{
	struct ckpt_sysv_object *o = kzalloc(sizeof(*o), GFP_KERNEL_ACCOUNT);

	if (!o)
		return ERR_PTR(-ENOMEM);
	o->type = type;
	o->ns = get_ipc_ns(ckpt_sysv_ns());
	list_add_tail(&o->node, &r->job->sysv);
	return o;
}

struct ckpt_sysv_object *ckpt_sysv_open(struct ckpt_restorer *r, const struct ckpt_record *rec,
					const struct ckpt_sysv_type *type)
{
	struct ckpt_sysv_object *o = add(r, type);
	int err;

	if (IS_ERR(o))
		return o;
	o->record = rec->id;
	err = find_or_make(r, o, rec->data);
	return err ? ERR_PTR(err) : o;
}

struct ckpt_sysv_object *ckpt_sysv_make(struct ckpt_restorer *r, const void *data,
					const struct ckpt_sysv_type *type)
{
	struct ckpt_sysv_object *o = add(r, type);
	long id;

	if (IS_ERR(o))
		return o;
	id = type->make(data);
	if (id < 0)
		return ERR_PTR(ckpt_restore_error(r, id, "%s: cannot be made: error %ld",
						  type->name, -id));
	o->id = id;
	o->is_new = true;
	return o;
}

struct ckpt_sysv_object *ckpt_sysv_object(struct ckpt_rjob *job, u32 record)
{
	struct ckpt_sysv_object *o;

	list_for_each_entry(o, &job->sysv, node)
		if (o->record == record)
			return o;
	return NULL;
}

struct kern_ipc_perm *ckpt_sysv_lock(const struct ckpt_sysv_object *o)
{
	struct ipc_ids *ids = ckpt_sysv_ids(o->ns, o->type);
	struct kern_ipc_perm *perm;

	down_read(&ids->rwsem);
	perm = ckpt_sysv_find(ids, o->id);
	if (!perm) {
		up_read(&ids->rwsem);
		return NULL;
	}
	spin_lock(&perm->lock);
	/* Until ckpt_sysv_unlock(), which sparse does not see. */
	__release(&perm->lock);
	return perm;
}

void ckpt_sysv_unlock(const struct ckpt_sysv_object *o, struct kern_ipc_perm *perm)
{
	__acquire(&perm->lock);
	spin_unlock(&perm->lock);
	up_read(&ckpt_sysv_ids(o->ns, o->type)->rwsem);
}

void ckpt_sysv_end(struct ckpt_rjob *job, bool restored)
{
	struct ckpt_sysv_object *o, *next;

	list_for_each_entry_safe(o, next, &job->sysv, node) {
		if (o->type->forget)
			o->type->forget(o, restored);
		if (o->is_new && (!restored || !o->record))
			remove(o);
		ckpt_put_ipc_ns(o->ns);
		list_del(&o->node);
		kfree(o);
	}
}
