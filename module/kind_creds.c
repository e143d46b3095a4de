// SPDX-License-Identifier: GPL-2.0-only
/* Kind: credentials of one thread: IDs, groups, capabilities, securebits, no_new_privs. */

#include <linux/bitops.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/key.h>
#include <linux/overflow.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/coredump.h>
#include <linux/securebits.h>
#include <linux/security.h>
#include <linux/unistd.h>
#include <linux/user_namespace.h>

#include "compat.h"
#include "kinds.h"
#include "ksyms.h"
#include "restorer.h"
#include "saver.h"

#define KNOWN_CAPS GENMASK_ULL(CAP_LAST_CAP, 0)
#define KNOWN_SECUREBITS (SECURE_ALL_BITS | SECURE_ALL_LOCKS)

static u32 uid_of(kuid_t uid)
{
	return from_kuid(&init_user_ns, uid);
}

static u32 gid_of(kgid_t gid)
{
	return from_kgid(&init_user_ns, gid);
}

static void refuse_label(struct ckpt_saver *s, struct task_struct *task)
{
	u32 secid = 0, len = 0;
	char *label = NULL;

	security_task_getsecid_obj(task, &secid);
	/* Without a security module that has labels there is none. */
	if (!secid || security_secid_to_secctx(secid, &label, &len))
		return;
	if (len && strncmp(label, "unconfined", len))
		ckpt_save_refuse(s, "creds", "thread %d: confined as %.*s: %s", task_pid_vnr(task),
				 (int)len, label, "security labels are not supported");
	security_release_secctx(label, len);
}

static bool is_uid_of(struct task_struct *task, kuid_t uid)
{
	bool same;

	rcu_read_lock();
	same = uid_eq(__task_cred(task)->uid, uid);
	rcu_read_unlock();
	return same;
}

static void refuse_keyrings(struct ckpt_saver *s, pid_t tid, const struct cred *cred)
{
#ifdef CONFIG_KEYS
	const struct cred *mine = current_cred();
	const struct key *session = cred->session_keyring;

	if (cred->thread_keyring || cred->process_keyring)
		ckpt_save_refuse(s, "creds", "thread %d: thread or process keyring: %s", tid,
				 "not supported");
	/* One without a name of its own is made by the login; a restored job gets its tool's. */
	if (session && session != mine->session_keyring && strcmp(session->description, "_ses"))
		ckpt_save_refuse(s, "creds", "thread %d: session keyring %s: %s", tid,
				 session->description, "not supported");
	if (cred->jit_keyring != mine->jit_keyring)
		ckpt_save_refuse(s, "creds", "thread %d: default keyring %u for requests: %s", tid,
				 cred->jit_keyring, "reset it first");
#endif
}

static void refuse(struct ckpt_saver *s, struct task_struct *task, const struct cred *cred)
{
	pid_t tid = task_pid_vnr(task);

	if (cred->user_ns != &init_user_ns)
		ckpt_save_refuse(s, "creds", "thread %d: user namespace: not supported", tid);
	if (!is_uid_of(s->task, cred->uid))
		ckpt_save_refuse(s, "creds", "thread %d: real user ID %u: %s", tid,
				 uid_of(cred->uid), "not that of the main thread");
	refuse_keyrings(s, tid, cred);
	if (ckpt_has_landlock(cred))
		ckpt_save_refuse(s, "creds", "thread %d: Landlock sandbox: not supported", tid);
	refuse_label(s, task);
}

static void fill_record(struct ckpt_image_creds *i, const struct cred *cred)
{
	int n;

	i->uid = uid_of(cred->uid);
	i->gid = gid_of(cred->gid);
	i->suid = uid_of(cred->suid);
	i->sgid = gid_of(cred->sgid);
	i->euid = uid_of(cred->euid);
	i->egid = gid_of(cred->egid);
	i->fsuid = uid_of(cred->fsuid);
	i->fsgid = gid_of(cred->fsgid);
	i->securebits = cred->securebits;
	i->cap_inheritable = ckpt_cap_get(cred->cap_inheritable);
	i->cap_permitted = ckpt_cap_get(cred->cap_permitted);
	i->cap_effective = ckpt_cap_get(cred->cap_effective);
	i->cap_bset = ckpt_cap_get(cred->cap_bset);
	i->cap_ambient = ckpt_cap_get(cred->cap_ambient);
	i->nr_groups = cred->group_info->ngroups;
	for (n = 0; n < cred->group_info->ngroups; n++)
		i->groups[n] = gid_of(cred->group_info->gid[n]);
}

static int save_thread(struct ckpt_saver *s, struct ckpt_thread *t)
{
	const struct cred *cred = get_task_cred(t->task);
	struct ckpt_image_creds *i;

	refuse(s, t->task, cred);
	i = ckpt_save_record(s, &ckpt_kind_creds, task_pid_vnr(t->task), 0,
			     struct_size(i, groups, cred->group_info->ngroups));
	if (!IS_ERR(i)) {
		fill_record(i, cred);
		if (task_no_new_privs(t->task))
			i->flags |= CKPT_CREDS_NO_NEW_PRIVS;
	}
	put_cred(cred);
	return PTR_ERR_OR_ZERO(i);
}

static const char *check_ids(const struct ckpt_image_creds *i)
{
	const u32 uids[] = { i->uid, i->euid, i->suid, i->fsuid };
	const u32 gids[] = { i->gid, i->egid, i->sgid, i->fsgid };
	unsigned int n;

	for (n = 0; n < ARRAY_SIZE(uids); n++)
		if (!uid_valid(make_kuid(&init_user_ns, uids[n])) ||
		    !gid_valid(make_kgid(&init_user_ns, gids[n])))
			return "bad user or group ID";
	for (n = 0; n < i->nr_groups; n++)
		if (!gid_valid(make_kgid(&init_user_ns, i->groups[n])))
			return "bad supplementary group";
	return NULL;
}

static const char *check_caps(const struct ckpt_image_creds *i)
{
	if (i->cap_effective & ~i->cap_permitted ||
	    i->cap_ambient & ~(i->cap_permitted & i->cap_inheritable))
		return "capability sets that do not fit together";
	return NULL;
}

/* Nobody gets by a restore what he does not have. */
static int check_gain(struct ckpt_restorer *r, u32 tid, const struct ckpt_image_creds *i)
{
	const struct cred *mine = current_cred();
	u64 gain = (i->cap_permitted & ~ckpt_cap_get(mine->cap_permitted)) |
		   (i->cap_bset & ~ckpt_cap_get(mine->cap_bset)) |
		   (i->cap_inheritable &
		    ~(ckpt_cap_get(mine->cap_inheritable) | ckpt_cap_get(mine->cap_permitted)));
	u64 all = i->cap_inheritable | i->cap_permitted | i->cap_bset;

	if (all & ~KNOWN_CAPS)
		return ckpt_restore_error(r, -EOPNOTSUPP, "thread %u: capability %lu: %s", tid,
					  __ffs(all & ~KNOWN_CAPS), "not known to this kernel");
	if (gain)
		return ckpt_restore_error(r, -EPERM, "thread %u: capability %lu: %s", tid,
					  __ffs(gain), "the restoring program does not have it");
	return 0;
}

static int verify(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_creds *i = rec->data;
	const char *why = NULL;

	if (i->nr_groups > CKPT_CREDS_MAX_GROUPS ||
	    rec->len != struct_size(i, groups, i->nr_groups))
		return ckpt_restore_error(r, -EBADMSG, "thread %u: credentials: bad length",
					  rec->tid);
	if (i->securebits & ~KNOWN_SECUREBITS || i->flags & ~CKPT_CREDS_NO_NEW_PRIVS)
		return ckpt_restore_error(r, -EOPNOTSUPP, "thread %u: credentials: unknown flags",
					  rec->tid);
	if (i->reserved)
		why = "reserved field is not 0";
	why = why ?: check_ids(i);
	why = why ?: check_caps(i);
	if (why)
		return ckpt_restore_error(r, -EBADMSG, "thread %u: credentials: %s", rec->tid, why);
	return check_gain(r, rec->tid, i);
}

static const struct ckpt_image_creds *creds_of(struct ckpt_restorer *r, u32 tid)
{
	return ckpt_restore_find(r, CKPT_REC_CREDS, tid)->data;
}

static int verify_all(struct ckpt_restorer *r)
{
	u32 uid = creds_of(r, r->threads[0].tid)->uid;
	unsigned int n;

	for (n = 1; n < r->nr_threads; n++)
		if (creds_of(r, r->threads[n].tid)->uid != uid)
			return ckpt_restore_error(r, -EBADMSG, "thread %d: credentials: %s",
						  r->threads[n].tid,
						  "real user ID is not that of the main thread");
	return 0;
}

/*
 * Only the system call makes the accounts of another user. The real user ID alone leaves the
 * tool its capabilities; all else follows in apply().
 */
static int script(struct ckpt_restorer *r)
{
	u32 uid = creds_of(r, r->threads[0].tid)->uid;

	if (uid_eq(current_uid(), make_kuid(&init_user_ns, uid)))
		return 0;
	return ckpt_script_add(&r->script, __NR_setresuid, uid, -1, -1, 0, 0, 0);
}

/* New credentials with the user accounts of the leader, which it got in the script. */
static struct cred *prepare(struct ckpt_restorer *r)
{
	const struct cred *leader = get_task_cred(r->threads[0].task), *old;
	struct cred *new;

	old = override_creds(leader);
	new = prepare_creds();
	revert_creds(old);
	put_cred(leader);
	return new;
}

static int fill_groups(struct cred *cred, const struct ckpt_image_creds *i)
{
	struct group_info *groups = groups_alloc(i->nr_groups);
	unsigned int n;

	if (!groups)
		return -ENOMEM;
	for (n = 0; n < i->nr_groups; n++)
		groups->gid[n] = make_kgid(&init_user_ns, i->groups[n]);
	groups_sort(groups);
	set_groups(cred, groups);
	put_group_info(groups);
	return 0;
}

static void fill_cred(struct cred *cred, const struct ckpt_image_creds *i)
{
	cred->gid = make_kgid(&init_user_ns, i->gid);
	cred->suid = make_kuid(&init_user_ns, i->suid);
	cred->sgid = make_kgid(&init_user_ns, i->sgid);
	cred->euid = make_kuid(&init_user_ns, i->euid);
	cred->egid = make_kgid(&init_user_ns, i->egid);
	cred->fsuid = make_kuid(&init_user_ns, i->fsuid);
	cred->fsgid = make_kgid(&init_user_ns, i->fsgid);
	cred->securebits = i->securebits;
	cred->cap_inheritable = ckpt_cap_make(i->cap_inheritable);
	cred->cap_permitted = ckpt_cap_make(i->cap_permitted);
	cred->cap_effective = ckpt_cap_make(i->cap_effective);
	cred->cap_bset = ckpt_cap_make(i->cap_bset);
	cred->cap_ambient = ckpt_cap_make(i->cap_ambient);
}

/* A change of credentials makes the memory undumpable; what the job had set stays. */
static void commit(struct cred *cred)
{
	unsigned long *flags = &current->mm->flags;
	unsigned long dumpable = READ_ONCE(*flags) & MMF_DUMPABLE_MASK;

	commit_creds(cred);
	set_mask_bits(flags, (unsigned long)MMF_DUMPABLE_MASK, dumpable);
}

static int apply(struct ckpt_restorer *r, struct ckpt_rthread *t)
{
	const struct ckpt_image_creds *i = creds_of(r, t->tid);
	struct cred *new = prepare(r);
	int err;

	if (!new)
		return -ENOMEM;
	if (!uid_eq(new->uid, make_kuid(&init_user_ns, i->uid))) {
		err = ckpt_restore_error(r, -EPERM, "thread %d: real user ID %u: could not be set",
					 t->tid, i->uid);
		goto err_abort;
	}
	err = fill_groups(new, i);
	if (err)
		goto err_abort;
	fill_cred(new, i);
	commit(new);
	if (i->flags & CKPT_CREDS_NO_NEW_PRIVS)
		task_set_no_new_privs(current);
	return 0;
err_abort:
	abort_creds(new);
	return err;
}

const struct ckpt_kind ckpt_kind_creds = {
	.name = "creds",
	.type = CKPT_REC_CREDS,
	.version = 1,
	.oldest = 1,
	.min_len = sizeof(struct ckpt_image_creds),
	.count = CKPT_PER_THREAD,
	.save_thread = save_thread,
	.verify = verify,
	.verify_all = verify_all,
	.script = script,
	.apply = apply,
};
