/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernel functions that are not exported: the one table of them. */
#ifndef CKPT_KSYMS_H
#define CKPT_KSYMS_H

#include <linux/pid.h>
#include <linux/types.h>

struct callback_head;
struct cred;
struct file;
struct ipc_namespace;
struct kern_ipc_perm;
struct pid;
struct restart_block;
struct task_struct;

/* Addresses to compare with and to store in a restart_block; never called from here. */
typedef long (*ckpt_restart_fn)(struct restart_block *);
extern ckpt_restart_fn ckpt_hrtimer_nanosleep_restart;
extern ckpt_restart_fn ckpt_posix_cpu_nsleep_restart;
extern ckpt_restart_fn ckpt_alarm_timer_nsleep_restart;
extern ckpt_restart_fn ckpt_futex_wait_restart;
extern ckpt_restart_fn ckpt_do_restart_poll;

/* change_pid(): under ckpt_tasklist_lock(), for a thread group leader. */
void ckpt_change_pid(struct task_struct *task, enum pid_type type, struct pid *pid);
/* tasklist_lock, for writing. */
void ckpt_tasklist_lock(void);
void ckpt_tasklist_unlock(void);

/* Takes back what task_work_add() added: true, or false when it has run or is about to. */
bool ckpt_task_work_cancel(struct task_struct *task, struct callback_head *work);

/* create_pipe_files(): res[0] reads, res[1] writes. */
int ckpt_create_pipe_files(struct file **res, int flags);

/* x64_sys_call(): a system call of current, with its rights and its memory. */
long ckpt_syscall(unsigned int nr, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4);

/*
 * freeary(), freeque(), do_shm_rmid(): remove a System V object. Under the rwsem of its IDs, for
 * writing, rcu_read_lock() and the lock of @perm, of which they release the latter two.
 */
void ckpt_remove_sem(struct ipc_namespace *ns, struct kern_ipc_perm *perm);
void ckpt_remove_msg(struct ipc_namespace *ns, struct kern_ipc_perm *perm);
void ckpt_remove_shm(struct ipc_namespace *ns, struct kern_ipc_perm *perm);
/* put_ipc_ns() */
void ckpt_put_ipc_ns(struct ipc_namespace *ns);

/* Whether credentials are confined by Landlock, which the kernel tells nobody. */
bool ckpt_has_landlock(const struct cred *cred);

int ckpt_ksyms_init(void);

#endif /* CKPT_KSYMS_H */
