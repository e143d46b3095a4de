// SPDX-License-Identifier: GPL-2.0-only
/* Kind without records: state that cannot be brought back yet is refused by name. */

#include <linux/err.h>
#include <linux/io_uring_types.h>
#include <linux/ipc_namespace.h>
#include <linux/nsproxy.h>
#include <linux/pid_namespace.h>
#include <linux/prctl.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/sched/coredump.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/seccomp.h>

#include "arch_x86.h"
#include "compat.h"
#include "kinds.h"
#include "saver.h"

/* --- the process --- */

static bool dumps_core(struct ckpt_saver *s)
{
	return s->task->signal->core_state;
}

static bool has_aio(struct ckpt_saver *s)
{
	return rcu_access_pointer(s->mm->ioctx_table);
}

static bool has_uprobes(struct ckpt_saver *s)
{
	return test_bit(MMF_HAS_UPROBES, &s->mm->flags);
}

static bool denies_write_exec(struct ckpt_saver *s)
{
	return ckpt_denies_write_exec(s->mm);
}

static bool has_uts_ns(struct ckpt_saver *s)
{
	return s->task->nsproxy->uts_ns != current->nsproxy->uts_ns;
}

static bool has_ipc_ns(struct ckpt_saver *s)
{
	return s->task->nsproxy->ipc_ns != current->nsproxy->ipc_ns;
}

static bool has_mnt_ns(struct ckpt_saver *s)
{
	return s->task->nsproxy->mnt_ns != current->nsproxy->mnt_ns;
}

static bool has_net_ns(struct ckpt_saver *s)
{
	return s->task->nsproxy->net_ns != current->nsproxy->net_ns;
}

static bool has_cgroup_ns(struct ckpt_saver *s)
{
	return s->task->nsproxy->cgroup_ns != current->nsproxy->cgroup_ns;
}

static bool has_pid_ns(struct ckpt_saver *s)
{
	struct pid_namespace *mine = task_active_pid_ns(current);

	return task_active_pid_ns(s->task) != mine || s->task->nsproxy->pid_ns_for_children != mine;
}

static bool has_time_ns(struct ckpt_saver *s)
{
	struct nsproxy *first = ckpt_group_first(s->group)->leader->nsproxy;

	return s->task->nsproxy->time_ns != s->task->nsproxy->time_ns_for_children ||
	       (first && s->task->nsproxy->time_ns != first->time_ns);
}

static const struct {
	bool (*is_there)(struct ckpt_saver *s);
	const char *what;
} of_process[] = {
	{ dumps_core, "is dumping core: it cannot be saved any more" },
	{ has_aio, "asynchronous I/O context (io_setup): not supported" },
	{ has_uprobes, "breakpoint of a tracing tool (uprobe): remove it first" },
	{ denies_write_exec, "PR_SET_MDWE: not supported" },
	{ has_uts_ns, "other UTS namespace than that of the saving tool: not supported" },
	{ has_ipc_ns, "other IPC namespace than that of the saving tool: not supported" },
	{ has_mnt_ns, "other mount namespace than that of the saving tool: not supported" },
	{ has_net_ns, "other network namespace than that of the saving tool: not supported" },
	{ has_cgroup_ns, "other cgroup namespace than that of the saving tool: not supported" },
	{ has_pid_ns, "other PID namespace than that of the saving tool: not supported" },
	{ has_time_ns,
	  "other time namespace than the rest of the job or its children: not supported" },
};

/* --- other processes --- */

#define MAX_NAMED 16

/* How another process is bound to the job. */
static const char *relation(struct ckpt_saver *s, struct task_struct *p)
{
	struct task_struct *parent = rcu_dereference(p->real_parent);

	if (same_thread_group(p, s->task))
		return NULL;
	if (same_thread_group(parent, s->task) && thread_group_leader(p) &&
	    !ckpt_group_process(s->group, p))
		return "is its child and not of the job: save them together";
	if ((p->flags & PF_KTHREAD) || ckpt_group_thread(s->group, p))
		return NULL;
	if (READ_ONCE(p->mm) == s->mm)
		return "shares its memory (CLONE_VM): not supported";
	if (READ_ONCE(p->files) == s->task->files)
		return "shares its descriptors (CLONE_FILES): not supported";
	if (READ_ONCE(p->fs) == s->task->fs)
		return "shares its working directory (CLONE_FS): not supported";
	if (READ_ONCE(p->ptrace) && same_thread_group(rcu_dereference(p->parent), s->task))
		return "is traced by it: not supported";
	return NULL;
}

struct related {
	pid_t pid;
	const char *how;
	char comm[TASK_COMM_LEN];
};

static int refuse_related(struct ckpt_saver *s)
{
	struct related *found = kcalloc(MAX_NAMED, sizeof(*found), GFP_KERNEL);
	struct task_struct *p, *t;
	unsigned int nr = 0, i;

	if (!found)
		return -ENOMEM;
	rcu_read_lock();
	for_each_process_thread(p, t) {
		const char *how = relation(s, t);

		if (!how || nr == MAX_NAMED)
			continue;
		found[nr].pid = task_pid_vnr(t);
		found[nr].how = how;
		memcpy(found[nr++].comm, t->comm, TASK_COMM_LEN);
	}
	rcu_read_unlock();
	for (i = 0; i < nr; i++)
		ckpt_save_refuse(s, "unsupported", "process %d (%.*s) %s", found[i].pid,
				 TASK_COMM_LEN, found[i].comm, found[i].how);
	kfree(found);
	return 0;
}

/* --- threads --- */

static bool is_traced(struct ckpt_saver *s, struct task_struct *t)
{
	return t->ptrace;
}

static bool has_seccomp(struct ckpt_saver *s, struct task_struct *t)
{
	return t->seccomp.mode != SECCOMP_MODE_DISABLED;
}

static bool has_dispatch(struct ckpt_saver *s, struct task_struct *t)
{
	return test_task_syscall_work(t, SYSCALL_USER_DISPATCH);
}

static bool has_io_uring(struct ckpt_saver *s, struct task_struct *t)
{
	return t->io_uring && !xa_empty(&t->io_uring->xa);
}

static bool is_worker(struct ckpt_saver *s, struct task_struct *t)
{
	return t->flags & (PF_IO_WORKER | PF_KTHREAD);
}

static bool has_mempolicy(struct ckpt_saver *s, struct task_struct *t)
{
#ifdef CONFIG_NUMA
	return t->mempolicy;
#else
	return false;
#endif
}

static bool has_pi_futex(struct ckpt_saver *s, struct task_struct *t)
{
	return !list_empty(&t->pi_state_list);
}

static bool has_perf_events(struct ckpt_saver *s, struct task_struct *t)
{
	return !list_empty(&t->perf_event_list);
}

static bool has_mce_policy(struct ckpt_saver *s, struct task_struct *t)
{
	return t->flags & PF_MCE_PROCESS;
}

static bool is_io_flusher(struct ckpt_saver *s, struct task_struct *t)
{
	return t->flags & (PF_MEMALLOC_NOIO | PF_LOCAL_THROTTLE);
}

static bool has_own_nsproxy(struct ckpt_saver *s, struct task_struct *t)
{
	return t->nsproxy != s->task->nsproxy;
}

static bool has_own_undo(struct ckpt_saver *s, struct task_struct *t)
{
	return t->sysvsem.undo_list != s->task->sysvsem.undo_list;
}

static const struct {
	bool (*is_there)(struct ckpt_saver *s, struct task_struct *t);
	const char *what;
} of_thread[] = {
	{ is_traced, "traced (ptrace): detach the tracer first" },
	{ is_worker, "worker of the kernel: not supported" },
	{ has_seccomp, "seccomp filter or strict mode: not supported" },
	{ has_dispatch, "PR_SET_SYSCALL_USER_DISPATCH: not supported" },
	{ has_io_uring, "io_uring: not supported" },
	{ has_mempolicy, "memory policy (set_mempolicy): not supported" },
	{ has_pi_futex,
	  "owns a priority inheritance futex that another process waits for: try later" },
	{ has_perf_events, "performance counter (perf_event_open): not supported" },
	{ has_mce_policy, "machine check policy (PR_MCE_KILL): not supported" },
	{ is_io_flusher, "PR_SET_IO_FLUSHER: not supported" },
	{ has_own_undo, "System V semaphore undo list of its own: not supported" },
	{ has_own_nsproxy, "namespaces of its own: not supported" },
};

static int save(struct ckpt_saver *s)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(of_process); i++)
		if (of_process[i].is_there(s))
			ckpt_save_refuse(s, "unsupported", "%s", of_process[i].what);
	return refuse_related(s);
}

static int save_thread(struct ckpt_saver *s, struct ckpt_thread *t)
{
	pid_t tid = task_pid_vnr(t->task);
	const char *what;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(of_thread); i++)
		if (of_thread[i].is_there(s, t->task))
			ckpt_save_refuse(s, "unsupported", "thread %d: %s", tid, of_thread[i].what);
	for (i = 0; ckpt_cpu_state_obstacle(t->task, &t->cpu, i, &what); i++)
		if (what)
			ckpt_save_refuse(s, "unsupported", "thread %d: %s: not supported", tid,
					 what);
	return 0;
}

const struct ckpt_kind ckpt_kind_unsupported = {
	.name = "unsupported",
	.save = save,
	.save_thread = save_thread,
};
