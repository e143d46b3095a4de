// SPDX-License-Identifier: GPL-2.0-only
/* Kind: registers, interrupted system call, signal mask and what else belongs to one thread. */

#include <linux/err.h>
#include <linux/personality.h>
#include <linux/pid.h>
#include <linux/posix-timers.h>
#include <linux/rseq.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <linux/signal.h>
#include <linux/string.h>

#include "arch_x86.h"
#include "compat.h"
#include "kinds.h"
#include "restorer.h"
#include "saver.h"

static_assert(sizeof(sigset_t) == sizeof(u64));
static_assert(sizeof_field(struct ckpt_image_thread, comm) == TASK_COMM_LEN);

#define KNOWN_PERSONALITY                                                                         \
	(PER_MASK | ADDR_NO_RANDOMIZE | MMAP_PAGE_ZERO | ADDR_COMPAT_LAYOUT | READ_IMPLIES_EXEC | \
	 ADDR_LIMIT_32BIT | SHORT_INODE | WHOLE_SECONDS | STICKY_TIMEOUTS | ADDR_LIMIT_3GB |      \
	 UNAME26)

static bool is_interrupted(const struct ckpt_image_regs *r)
{
	return (int)r->orig_ax >= 0 && r->ax == -ERESTART_RESTARTBLOCK;
}

static void save_restart(struct ckpt_image_restart *to, const struct ckpt_restart *from)
{
	to->kind = from->kind;
	to->flags = from->flags;
	to->clock = from->clock;
	to->value = from->value;
	to->bitset = from->bitset;
	to->address = from->address;
	to->time = from->time;
}

static struct ckpt_restart load_restart(const struct ckpt_image_restart *from)
{
	return (struct ckpt_restart){
		.kind = from->kind,
		.flags = from->flags,
		.clock = from->clock,
		.value = from->value,
		.bitset = from->bitset,
		.address = from->address,
		.time = from->time,
	};
}

static void save_fields(struct ckpt_image_thread *i, struct task_struct *task)
{
	i->altstack_sp = task->sas_ss_sp;
	i->altstack_size = task->sas_ss_size;
	i->altstack_flags = task->sas_ss_flags;
	i->clear_child_tid = (unsigned long)task->clear_child_tid;
	i->robust_list = (unsigned long)task->robust_list;
	i->rseq = (unsigned long)task->rseq;
	if (i->rseq) {
		i->rseq_len = ckpt_rseq_len(task);
		i->rseq_sig = task->rseq_sig;
	}
	i->personality = task->personality;
	i->pdeath_signal = task->pdeath_signal;
	i->timer_slack = task->timer_slack_ns;
	i->default_timer_slack = task->default_timer_slack_ns;
	get_task_comm(i->comm, task);
}

/* A clock of CPU time goes on when it is one of the process itself. */
static bool sleeps_by_other(struct ckpt_saver *s, const struct ckpt_restart *restart)
{
	bool is_nanosleep = restart->kind == CKPT_RESTART_NANOSLEEP;
	s32 clock = restart->clock;
	struct task_struct *target;
	bool is_own;

	if (!is_nanosleep || clock >= 0 || !CPUCLOCK_PID(clock))
		return false;
	rcu_read_lock();
	target = pid_task(find_vpid(CPUCLOCK_PID(clock)), PIDTYPE_PID);
	is_own = target && same_thread_group(target, s->task);
	rcu_read_unlock();
	return !is_own;
}

static int save_thread(struct ckpt_saver *s, struct ckpt_thread *t)
{
	pid_t tid = task_pid_vnr(t->task);
	struct ckpt_image_thread *i;

	if (t->cpu.restart.kind == CKPT_RESTART_OTHER || sleeps_by_other(s, &t->cpu.restart))
		ckpt_save_refuse(s, "thread",
				 "thread %d: sleeps by the CPU time of another process: %s", tid,
				 "try again when it has woken up");
	if (t->task->personality & ~KNOWN_PERSONALITY)
		ckpt_save_refuse(s, "thread", "thread %d: personality 0x%x: not supported", tid,
				 t->task->personality);
	if (t->task->compat_robust_list)
		ckpt_save_refuse(s, "thread", "thread %d: robust futexes of a 32-bit program: %s",
				 tid, "not supported");
	i = ckpt_save_record(s, &ckpt_kind_thread, tid, 0, sizeof(*i));
	if (IS_ERR(i))
		return PTR_ERR(i);
	ckpt_regs_save(&i->regs, &t->cpu);
	save_restart(&i->restart, &t->cpu.restart);
	memcpy(&i->blocked, &t->cpu.blocked, sizeof(i->blocked));
	save_fields(i, t->task);
	return 0;
}

static bool is_user_address(u64 address, u64 len)
{
	return address < TASK_SIZE_MAX && len <= TASK_SIZE_MAX - address;
}

static const char *check_restart(const struct ckpt_image_thread *i)
{
	struct ckpt_restart restart = load_restart(&i->restart);
	bool has_data = restart.kind != CKPT_RESTART_NONE;

	if (is_interrupted(&i->regs) != has_data)
		return "result and restart data do not match";
	return ckpt_restart_check(&restart);
}

static const char *check_addresses(const struct ckpt_image_thread *i)
{
	u32 mode = i->altstack_flags & ~SS_FLAG_BITS;

	if (mode != 0 && mode != SS_ONSTACK && mode != SS_DISABLE)
		return "bad flags of the alternate signal stack";
	if (i->altstack_size && !is_user_address(i->altstack_sp, i->altstack_size))
		return "bad alternate signal stack";
	if (i->rseq && !ckpt_rseq_len_is_known(i->rseq_len))
		return "restartable sequences of a length that this kernel does not support";
	if (i->rseq && (!IS_ALIGNED(i->rseq, __alignof__(struct rseq)) ||
			!is_user_address(i->rseq, i->rseq_len)))
		return "bad address of restartable sequences";
	if (!is_user_address(i->robust_list, 0) || !is_user_address(i->clear_child_tid, 0))
		return "bad address";
	return NULL;
}

static const char *check_rest(const struct ckpt_image_thread *i)
{
	if (!memchr(i->comm, 0, sizeof(i->comm)))
		return "bad name";
	if (i->blocked & (sigmask(SIGKILL) | sigmask(SIGSTOP)))
		return "bad signal mask";
	if (i->pdeath_signal > _NSIG)
		return "bad signal number";
	if (i->personality & ~KNOWN_PERSONALITY)
		return "unknown personality";
	if (i->reserved || i->restart.reserved)
		return "reserved field is not 0";
	return NULL;
}

static int verify(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_thread *i = rec->data;
	const char *why;

	why = ckpt_regs_check(&i->regs);
	if (why)
		return ckpt_restore_error(r, -EBADMSG, "thread %u: registers: %s", rec->tid, why);
	why = check_restart(i);
	if (why)
		return ckpt_restore_error(r, -EBADMSG, "thread %u: interrupted system call: %s",
					  rec->tid, why);
	why = check_addresses(i) ?: check_rest(i);
	if (why)
		return ckpt_restore_error(r, -EBADMSG, "thread %u: %s", rec->tid, why);
	return 0;
}

/* What the kernel writes to on its own must not point to memory that is about to be replaced. */
static void forget_user_memory(void)
{
	preempt_disable();
	current->rseq = NULL;
	current->rseq_sig = 0;
	current->rseq_event_mask = 0;
	ckpt_rseq_set_len(current, 0);
	preempt_enable();
	current->clear_child_tid = NULL;
	current->robust_list = NULL;
}

static int open_leader(struct ckpt_restorer *r)
{
	forget_user_memory();
	return 0;
}

static int apply(struct ckpt_restorer *r, struct ckpt_rthread *t)
{
	struct pt_regs *regs = task_pt_regs(current);

	forget_user_memory();
	if (regs->cs != __USER_CS || test_thread_flag(TIF_ADDR32))
		return ckpt_restore_error(r, -EOPNOTSUPP, "thread %d: restored by a 32-bit program",
					  t->tid);
	return 0;
}

static void install_rseq(const struct ckpt_image_thread *i)
{
	if (!i->rseq)
		return;
	preempt_disable();
	current->rseq = (struct rseq __user *)i->rseq;
	current->rseq_sig = i->rseq_sig;
	ckpt_rseq_set_len(current, i->rseq_len);
	/* A critical section starts again, and the CPU number is written anew. */
	rseq_preempt(current);
	preempt_enable();
}

static void install_signals(const struct ckpt_image_thread *i)
{
	/* Nobody but current itself replaces its sighand. */
	struct sighand_struct *sighand = rcu_dereference_protected(current->sighand, true);

	spin_lock_irq(&sighand->siglock);
	memcpy(&current->blocked, &i->blocked, sizeof(current->blocked));
	current->sas_ss_sp = i->altstack_sp;
	current->sas_ss_size = i->altstack_size;
	current->sas_ss_flags = i->altstack_flags;
	recalc_sigpending();
	spin_unlock_irq(&sighand->siglock);
}

static void install(struct ckpt_restorer *r, struct ckpt_rthread *t)
{
	const struct ckpt_image_thread *i = ckpt_restore_find(r, CKPT_REC_THREAD, t->tid)->data;
	struct ckpt_restart restart = load_restart(&i->restart);

	task_lock(current);
	strscpy_pad(current->comm, i->comm, sizeof(current->comm));
	task_unlock(current);
	current->personality = i->personality;
	current->pdeath_signal = i->pdeath_signal;
	current->timer_slack_ns = i->timer_slack;
	current->default_timer_slack_ns = i->default_timer_slack;
	current->clear_child_tid = (int __user *)i->clear_child_tid;
	current->robust_list = (struct robust_list_head __user *)i->robust_list;
	ckpt_restart_install(&restart);
	ckpt_regs_install(&i->regs);
	install_rseq(i);
	install_signals(i);
}

const struct ckpt_kind ckpt_kind_thread = {
	.name = "thread",
	.type = CKPT_REC_THREAD,
	.version = 1,
	.oldest = 1,
	.min_len = sizeof(struct ckpt_image_thread),
	.count = CKPT_PER_THREAD,
	.save_thread = save_thread,
	.verify = verify,
	.open = open_leader,
	.apply = apply,
	.install = install,
};
