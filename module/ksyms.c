// SPDX-License-Identifier: GPL-2.0-only
/* Kernel functions that are not exported: the one table of them. Each row is a debt. */

#include "ksyms.h"

#include <linux/cred.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/lsm_hooks.h>
#include <linux/pid.h>
#include <linux/printk.h>
#include <linux/spinlock.h>
#include <linux/static_call.h>
#include <linux/string.h>
#include <linux/task_work.h>
#include <asm/ptrace.h>

static unsigned long no_lookup(const char *name)
{
	return 0;
}

static int no_pipe(struct file **res, int flags)
{
	return -EOPNOTSUPP;
}

typedef bool match_fn(struct callback_head *work, void *data);

static struct callback_head *no_cancel(struct task_struct *task, match_fn *match, void *data)
{
	return NULL;
}

static void no_change_pid(struct task_struct *task, enum pid_type type, struct pid *pid)
{
}

static long no_syscall(const struct pt_regs *regs, unsigned int nr)
{
	return -ENOSYS;
}

static void no_remove(struct ipc_namespace *ns, struct kern_ipc_perm *perm)
{
}

static void no_put_ipc_ns(struct ipc_namespace *ns)
{
}

/*
 * A call through a pointer traps on kernels with IBT, which seal the landing pads of functions that
 * nobody calls indirectly: these become direct calls, patched in when the module loads.
 */
DEFINE_STATIC_CALL(lookup, no_lookup);
DEFINE_STATIC_CALL(create_pipe, no_pipe);
DEFINE_STATIC_CALL(change_task_pid, no_change_pid);
DEFINE_STATIC_CALL(system_call, no_syscall);
DEFINE_STATIC_CALL(remove_sem, no_remove);
DEFINE_STATIC_CALL(remove_msg, no_remove);
DEFINE_STATIC_CALL(remove_shm, no_remove);
DEFINE_STATIC_CALL(put_ipc, no_put_ipc_ns);
DEFINE_STATIC_CALL(cancel_work, no_cancel);

ckpt_restart_fn ckpt_hrtimer_nanosleep_restart;
ckpt_restart_fn ckpt_posix_cpu_nsleep_restart;
ckpt_restart_fn ckpt_alarm_timer_nsleep_restart;
ckpt_restart_fn ckpt_futex_wait_restart;
ckpt_restart_fn ckpt_do_restart_poll;
static void *create_pipe_address;
static void *change_pid_address;
static void *cancel_address;
static rwlock_t *tasks_lock;
static void *syscall_address;
static void *remove_sem_address, *remove_msg_address, *remove_shm_address;
static void *put_ipc_address;
#ifdef CONFIG_SECURITY_LANDLOCK
static const bool *landlock_is_on;
static const struct lsm_blob_sizes *landlock_sizes;
#endif

static const struct {
	const char *name;
	void **address;
} table[] = {
	{ "hrtimer_nanosleep_restart", (void **)&ckpt_hrtimer_nanosleep_restart },
	{ "posix_cpu_nsleep_restart", (void **)&ckpt_posix_cpu_nsleep_restart },
	{ "alarm_timer_nsleep_restart", (void **)&ckpt_alarm_timer_nsleep_restart },
	{ "futex_wait_restart", (void **)&ckpt_futex_wait_restart },
	{ "do_restart_poll", (void **)&ckpt_do_restart_poll },
	{ "create_pipe_files", &create_pipe_address },
	{ "change_pid", &change_pid_address },
	{ "task_work_cancel_match", &cancel_address },
	{ "tasklist_lock", (void **)&tasks_lock },
	{ "x64_sys_call", &syscall_address },
	{ "freeary", &remove_sem_address },
	{ "freeque", &remove_msg_address },
	{ "do_shm_rmid", &remove_shm_address },
	{ "put_ipc_ns", &put_ipc_address },
#ifdef CONFIG_SECURITY_LANDLOCK
	{ "landlock_initialized", (void **)&landlock_is_on },
	{ "landlock_blob_sizes", (void **)&landlock_sizes },
#endif
};

int ckpt_create_pipe_files(struct file **res, int flags)
{
	return static_call(create_pipe)(res, flags);
}

void ckpt_change_pid(struct task_struct *task, enum pid_type type, struct pid *pid)
{
	static_call(change_task_pid)(task, type, pid);
}

static bool is_same(struct callback_head *work, void *data)
{
	return work == data;
}

bool ckpt_task_work_cancel(struct task_struct *task, struct callback_head *work)
{
	return static_call(cancel_work)(task, is_same, work);
}

/* Sparse wants each function to release what it takes. */
void ckpt_tasklist_lock(void)
{
	write_lock_irq(tasks_lock);
	__release(tasks_lock);
}

void ckpt_tasklist_unlock(void)
{
	__acquire(tasks_lock);
	write_unlock_irq(tasks_lock);
}

long ckpt_syscall(unsigned int nr, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4)
{
	const struct pt_regs regs = {
		.di = a0, .si = a1, .dx = a2, .r10 = a3, .r8 = a4, .orig_ax = nr
	};

	return static_call(system_call)(&regs, nr);
}

void ckpt_remove_sem(struct ipc_namespace *ns, struct kern_ipc_perm *perm)
{
	static_call(remove_sem)(ns, perm);
}

void ckpt_remove_msg(struct ipc_namespace *ns, struct kern_ipc_perm *perm)
{
	static_call(remove_msg)(ns, perm);
}

void ckpt_remove_shm(struct ipc_namespace *ns, struct kern_ipc_perm *perm)
{
	static_call(remove_shm)(ns, perm);
}

void ckpt_put_ipc_ns(struct ipc_namespace *ns)
{
	static_call(put_ipc)(ns);
}

bool ckpt_has_landlock(const struct cred *cred)
{
#ifdef CONFIG_SECURITY_LANDLOCK
	/* struct landlock_cred_security begins with the domain, NULL for none. */
	void *const *domain = cred->security + landlock_sizes->lbs_cred;

	return *landlock_is_on && *domain;
#else
	return false;
#endif
}

/* A kprobe skips the landing pad at the start of a function: ENDBR64, or the NOP that seals one. */
static void *function_start(void *address)
{
	u32 before;

	memcpy(&before, address - sizeof(before), sizeof(before));
	if (before == 0xfa1e0ff3 || before == 0x001f0f66)
		return address - sizeof(before);
	return address;
}

static int find_lookup(void)
{
	struct kprobe probe = { .symbol_name = "kallsyms_lookup_name" };
	int err = register_kprobe(&probe);

	if (err)
		return err;
	static_call_update(lookup, function_start(probe.addr));
	unregister_kprobe(&probe);
	return 0;
}

int ckpt_ksyms_init(void)
{
	unsigned int i;
	int err;

	err = find_lookup();
	if (err) {
		pr_err("ckpt: kallsyms_lookup_name: not found by a kprobe: %d\n", err);
		return err;
	}
	for (i = 0; i < ARRAY_SIZE(table); i++) {
		*table[i].address = (void *)static_call(lookup)(table[i].name);
		if (!*table[i].address) {
			pr_err("ckpt: %s: this kernel does not have it\n", table[i].name);
			return -ENOENT;
		}
	}
	static_call_update(create_pipe, create_pipe_address);
	static_call_update(change_task_pid, change_pid_address);
	static_call_update(system_call, syscall_address);
	static_call_update(remove_sem, remove_sem_address);
	static_call_update(remove_msg, remove_msg_address);
	static_call_update(remove_shm, remove_shm_address);
	static_call_update(put_ipc, put_ipc_address);
	static_call_update(cancel_work, cancel_address);
	return 0;
}
