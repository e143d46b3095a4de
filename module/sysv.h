/* SPDX-License-Identifier: GPL-2.0-only */
/* System V objects: what segments, sets of semaphores and message queues have in common. */
#ifndef CKPT_SYSV_H
#define CKPT_SYSV_H

#include <linux/ckpt_image.h>
#include <linux/list.h>
#include <linux/types.h>

#include "ipc_layout.h"

struct ckpt_record;
struct ckpt_restorer;
struct ckpt_rjob;
struct ckpt_saver;
struct ckpt_sysv_object;

/**
 * struct ckpt_sysv_type - one of the three types of objects
 * @ids: where the IPC namespace has them
 * @name: as it stands in messages
 * @remover: how a user removes one
 * @is_same: whether an object with the right id, key and creator has the size and the time of
 *	change of a record; under its lock
 * @user: PID of a process that uses an object, 0 for none, -1 for one that is not known; under the
 *	rwsem of the IDs, which it may not take
 * @make: make a new object by a system call; returns its id or a negative errno
 * @remove: remove one; see ksyms.h
 * @forget: called when the restore has ended, before an object is forgotten and perhaps removed;
 *	may be NULL
 */
struct ckpt_sysv_type {
	enum ckpt_ipc_ids ids;
	const char *name;
	const char *remover;
	bool (*is_same)(const struct kern_ipc_perm *perm, const void *data);
	pid_t (*user)(struct kern_ipc_perm *perm);
	long (*make)(const void *data);
	void (*remove)(struct ipc_namespace *ns, struct kern_ipc_perm *perm);
	void (*forget)(struct ckpt_sysv_object *o, bool restored);
};

/**
 * struct ckpt_sysv_object - an object that a restore has made or taken over
 * @node: in ckpt_rjob.sysv
 * @type: its type
 * @ns: the IPC namespace, referenced
 * @id: its id
 * @record: id of its record, 0 for one that is needed during the restore only
 * @is_new: the restore has made it, and removes it when it fails
 * @old: segments: what one that was there had as its content, referenced, or NULL
 * @own: segments: what it has now, not referenced
 * @filled: queues: where the messages of the image wait, perhaps itself
 */
struct ckpt_sysv_object {
	struct list_head node;
	const struct ckpt_sysv_type *type;
	struct ipc_namespace *ns;
	int id;
	u32 record;
	bool is_new;
	struct file *old;
	const struct file *own;
	const struct ckpt_sysv_object *filled;
};

/* The IPC namespace of the job, which is that of the tool. */
struct ipc_namespace *ckpt_sysv_ns(void);
struct ipc_ids *ckpt_sysv_ids(struct ipc_namespace *ns, const struct ckpt_sysv_type *type);

/* The object with an id, or NULL; under the rwsem of the IDs. */
struct kern_ipc_perm *ckpt_sysv_find(struct ipc_ids *ids, int id);

/* The PID by which the caller knows a process; 0 for none. */
pid_t ckpt_sysv_pid(struct pid *pid);
/* Whether a process of the job goes by @pid. */
bool ckpt_sysv_is_member(struct ckpt_saver *s, struct pid *pid);
/* PID of a living process outside of the job that goes by @pid, or 0. */
pid_t ckpt_sysv_outsider(struct ckpt_saver *s, struct pid *pid);
/* Whether a frozen thread of the job waits in one of these system calls for an object. */
bool ckpt_sysv_is_waited_for(struct ckpt_saver *s, int id, const long *calls, unsigned int nr);
/* Puts the process with a PID of an image in place of @place. */
void ckpt_sysv_set_pid(struct pid **place, s32 nr);

/* Fills in what an image says about any of them; under the object's lock. */
void ckpt_sysv_describe(struct ckpt_image_sysv *i, const struct kern_ipc_perm *perm,
			time64_t ctime);

/**
 * ckpt_sysv_verify() - check what records of all types have
 * @r: the restore
 * @rec: the record
 * @type: its type
 * @modes: bits that its mode may have
 *
 * Return: 0 or -EBADMSG
 */
int ckpt_sysv_verify(struct ckpt_restorer *r, const struct ckpt_record *rec,
		     const struct ckpt_sysv_type *type, u32 modes);

/**
 * ckpt_sysv_open() - find the object of a record in the system, or make it
 * @r: the restore
 * @rec: the record
 * @type: its type
 *
 * One that is there is taken when it is the very same and nobody uses it. One that is made has the
 * owner, mode and creator of the record; its other properties are up to the caller.
 *
 * Return: the object, which ckpt_sysv_end() forgets, or an ERR_PTR; the reason was told
 */
struct ckpt_sysv_object *ckpt_sysv_open(struct ckpt_restorer *r, const struct ckpt_record *rec,
					const struct ckpt_sysv_type *type);

/**
 * ckpt_sysv_make() - make an object that is gone when the restore has ended
 * @r: the restore
 * @data: what the type's make() wants
 * @type: its type
 *
 * Return: the object, which ckpt_sysv_end() removes, or an ERR_PTR; the reason was told
 */
struct ckpt_sysv_object *ckpt_sysv_make(struct ckpt_restorer *r, const void *data,
					const struct ckpt_sysv_type *type);

/* The object of a record, or NULL. */
struct ckpt_sysv_object *ckpt_sysv_object(struct ckpt_rjob *job, u32 record);

/**
 * ckpt_sysv_lock() - get hold of an object of a restore
 * @o: the object
 *
 * Return: it, locked, and ckpt_sysv_unlock() is due; or NULL when somebody has removed it
 */
struct kern_ipc_perm *ckpt_sysv_lock(const struct ckpt_sysv_object *o);
void ckpt_sysv_unlock(const struct ckpt_sysv_object *o, struct kern_ipc_perm *perm);

/* Forgets the objects; when the restore has failed those that it has made are removed. */
void ckpt_sysv_end(struct ckpt_rjob *job, bool restored);

#endif /* CKPT_SYSV_H */
