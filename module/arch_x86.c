// SPDX-License-Identifier: GPL-2.0-only
/* x86-64: reading and writing the registers of a thread at the boundary to user mode. */

#include "arch_x86.h"

#include <linux/elf.h>
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/regset.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <asm/cpufeature.h>
#include <asm/fpu/api.h>
#include <asm/fpu/types.h>
#include <asm/fpu/xstate.h>
#include <asm/msr.h>
#include <asm/pkru.h>
#include <asm/processor.h>
#include <asm/segment.h>
#include <asm/special_insns.h>

#include "compat.h"
#include "eintr.h"

/* What a program may have set in its flags; trap and resume flag belong to debuggers. */
#define USER_FLAGS                                                                       \
	(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | X86_EFLAGS_ZF | X86_EFLAGS_SF | \
	 X86_EFLAGS_DF | X86_EFLAGS_OF | X86_EFLAGS_NT | X86_EFLAGS_AC | X86_EFLAGS_ID)
/* What the kernel and the processor set by themselves. */
#define OTHER_FLAGS (X86_EFLAGS_FIXED | X86_EFLAGS_IF | X86_EFLAGS_RF)

/* --- extended registers --- */

static const struct user_regset *xstate_regset(void)
{
	const struct user_regset_view *view = task_user_regset_view(current);
	unsigned int i;

	for (i = 0; i < view->n; i++)
		if (view->regsets[i].core_note_type == NT_X86_XSTATE)
			return &view->regsets[i];
	return NULL;
}

u32 ckpt_xstate_size(void)
{
	const struct user_regset *regset = xstate_regset();

	return regset ? regset->n * regset->size : 0;
}

void ckpt_xstate_part(unsigned int feature, u32 *offset, u32 *size)
{
	u32 ecx, edx;

	cpuid_count(XSTATE_CPUID, feature, size, offset, &ecx, &edx);
}

const char *ckpt_xstate_name(unsigned int feature)
{
	static const char *const names[] = {
		[XFEATURE_FP] = "x87",
		[XFEATURE_SSE] = "SSE",
		[XFEATURE_YMM] = "AVX",
		[XFEATURE_BNDREGS] = "MPX",
		[XFEATURE_BNDCSR] = "MPX",
		[XFEATURE_OPMASK] = "AVX-512",
		[XFEATURE_ZMM_Hi256] = "AVX-512",
		[XFEATURE_Hi16_ZMM] = "AVX-512",
		[XFEATURE_PKRU] = "protection key",
		[XFEATURE_XTILE_CFG] = "AMX",
		[XFEATURE_XTILE_DATA] = "AMX",
	};

	return feature < ARRAY_SIZE(names) && names[feature] ? names[feature] : "unknown";
}

/* Extended registers of current, those in the CPU too, or of a thread that sleeps. */
static int xstate_get(struct task_struct *task, void *area, u32 size)
{
	const struct user_regset *regset = xstate_regset();
	struct membuf to = { .p = area, .left = size };

	if (!regset || regset->n * regset->size != size)
		return -ENODEV;
	return regset->regset_get(task, regset, to);
}

int ckpt_xstate_features(u64 *features)
{
	u32 size = ckpt_xstate_size();
	struct xregs_state *area;
	int err;

	if (size < sizeof(*area))
		return -ENODEV;
	area = kvzalloc(size, GFP_KERNEL);
	if (!area)
		return -ENOMEM;
	err = xstate_get(current, area, size);
	if (!err) {
		/* The kernel tells what it knows in words that XSAVE does not use. */
		memcpy(features, area->i387.sw_reserved, sizeof(*features));
		*features &= ~XFEATURE_MASK_USER_DYNAMIC;
	}
	kvfree(area);
	return err;
}

/*
 * PKRU is right in the CPU only, or where it is kept for a thread that sleeps; the bit that says
 * "in use" may be old too.
 */
static void put_pkru(struct task_struct *task, struct xregs_state *area)
{
	u32 offset, size, pkru;

	if (!cpu_feature_enabled(X86_FEATURE_OSPKE))
		return;
	pkru = task == current ? read_pkru() : task->thread.pkru;
	ckpt_xstate_part(XFEATURE_PKRU, &offset, &size);
	memcpy((void *)area + offset, &pkru, sizeof(pkru));
	if (pkru)
		area->header.xfeatures |= XFEATURE_MASK_PKRU;
	else
		area->header.xfeatures &= ~XFEATURE_MASK_PKRU;
}

void ckpt_xstate_install_pkru(const void *area)
{
	const struct xregs_state *from = area;
	u32 offset, size, pkru = 0;

	if (!cpu_feature_enabled(X86_FEATURE_OSPKE))
		return;
	ckpt_xstate_part(XFEATURE_PKRU, &offset, &size);
	if (from->header.xfeatures & XFEATURE_MASK_PKRU)
		memcpy(&pkru, area + offset, sizeof(pkru));
	write_pkru(pkru);
}

struct set_work {
	struct work_struct work;
	struct task_struct *task;
	const struct user_regset *regset;
	const void *area;
	int err;
};

static void set_from_worker(struct work_struct *work)
{
	struct set_work *w = container_of(work, struct set_work, work);

	w->err = w->regset->set(w->task, w->regset, 0, w->regset->n * w->regset->size, w->area,
				NULL);
}

int ckpt_xstate_apply(const void *area)
{
	struct set_work w = { .task = current, .regset = xstate_regset(), .area = area };
	u32 size = ckpt_xstate_size();
	void *old = kvzalloc(size, GFP_KERNEL);
	int err;

	if (!old)
		return -ENOMEM;
	/* What set() does not replace, the supervisor's components, must be in memory first. */
	err = xstate_get(current, old, size);
	kvfree(old);
	if (err)
		return err;
	/* From here on memory holds the truth; the CPU loads it on return to user mode. */
	fpregs_lock();
	set_thread_flag(TIF_NEED_FPU_LOAD);
	fpregs_unlock();

	/* The kernel warns when a task sets its own: they might be loaded. */
	INIT_WORK_ONSTACK(&w.work, set_from_worker);
	schedule_work(&w.work);
	flush_work(&w.work);
	destroy_work_on_stack(&w.work);
	return w.err;
}

/* --- capture --- */

int ckpt_cpu_state_init(struct ckpt_cpu_state *c)
{
	memset(c, 0, sizeof(*c));
	c->xstate_size = ckpt_xstate_size();
	if (c->xstate_size < sizeof(struct xregs_state))
		return -ENODEV;
	c->xstate = kvzalloc(c->xstate_size, GFP_KERNEL_ACCOUNT);
	return c->xstate ? 0 : -ENOMEM;
}

void ckpt_cpu_state_exit(struct ckpt_cpu_state *c)
{
	kvfree(c->xstate);
	c->xstate = NULL;
}

void ckpt_cpu_state_capture_of(struct task_struct *task, struct ckpt_cpu_state *c)
{
	const struct thread_struct *thread = &task->thread;

	c->regs = *task_pt_regs(task);
	c->restart = (struct ckpt_restart){};
	if ((int)c->regs.orig_ax >= 0 && c->regs.ax == -ERESTART_RESTARTBLOCK)
		ckpt_restart_capture_of(task, &c->restart);

	c->fs_base = thread->fsbase;
	c->gs_base = thread->gsbase;
	c->fs = thread->fsindex;
	c->gs = thread->gsindex;
	c->ds = thread->ds;
	c->es = thread->es;

	c->blocked = test_tsk_restore_sigmask(task) ? task->saved_sigmask : task->blocked;
	c->error = xstate_get(task, c->xstate, c->xstate_size);
	if (!c->error)
		put_pkru(task, c->xstate);
}

void ckpt_cpu_state_capture(struct ckpt_cpu_state *c)
{
	ckpt_eintr_mend(task_pt_regs(current));
	current_save_fsgs();
	savesegment(ds, current->thread.ds);
	savesegment(es, current->thread.es);
	ckpt_cpu_state_capture_of(current, c);
}

/* --- obstacles --- */

static bool is_32_bit(struct task_struct *t, const struct ckpt_cpu_state *c)
{
	return test_tsk_thread_flag(t, TIF_ADDR32) || c->regs.cs != __USER_CS ||
	       c->regs.ss != __USER_DS || task_thread_info(t)->status & TS_COMPAT;
}

static bool has_odd_segments(struct task_struct *t, const struct ckpt_cpu_state *c)
{
	return c->fs || c->gs || (c->ds && c->ds != __USER_DS) || (c->es && c->es != __USER_DS);
}

static bool has_odd_addresses(struct task_struct *t, const struct ckpt_cpu_state *c)
{
	return c->regs.ip >= TASK_SIZE_MAX || c->regs.sp >= TASK_SIZE_MAX ||
	       c->fs_base >= TASK_SIZE_MAX || c->gs_base >= TASK_SIZE_MAX;
}

static bool has_tls_array(struct task_struct *t, const struct ckpt_cpu_state *c)
{
	return memchr_inv(t->thread.tls_array, 0, sizeof(t->thread.tls_array));
}

static bool has_io_ports(struct task_struct *t, const struct ckpt_cpu_state *c)
{
	return test_tsk_thread_flag(t, TIF_IO_BITMAP) || t->thread.io_bitmap || t->thread.iopl_emul;
}

static bool has_breakpoints(struct task_struct *t, const struct ckpt_cpu_state *c)
{
	return memchr_inv(t->thread.ptrace_bps, 0, sizeof(t->thread.ptrace_bps)) ||
	       t->thread.ptrace_dr7;
}

static bool is_stepped(struct task_struct *t, const struct ckpt_cpu_state *c)
{
	return test_tsk_thread_flag(t, TIF_SINGLESTEP) || test_tsk_thread_flag(t, TIF_BLOCKSTEP) ||
	       c->regs.flags & X86_EFLAGS_TF;
}

static bool has_faulting_cpuid(struct task_struct *t, const struct ckpt_cpu_state *c)
{
	return test_tsk_thread_flag(t, TIF_NOCPUID);
}

static bool has_faulting_tsc(struct task_struct *t, const struct ckpt_cpu_state *c)
{
	return test_tsk_thread_flag(t, TIF_NOTSC);
}

static bool has_speculation_control(struct task_struct *t, const struct ckpt_cpu_state *c)
{
	return task_spec_ssb_disable(t) || task_spec_ssb_noexec(t) ||
	       task_spec_ssb_force_disable(t) || task_spec_ib_disable(t) ||
	       task_spec_ib_force_disable(t) || test_tsk_thread_flag(t, TIF_SPEC_L1D_FLUSH);
}

static bool has_dynamic_xstate(struct task_struct *t, const struct ckpt_cpu_state *c)
{
	return t->group_leader->thread.fpu.perm.__state_perm & XFEATURE_MASK_USER_DYNAMIC;
}

static bool has_shadow_stack(struct task_struct *t, const struct ckpt_cpu_state *c)
{
	return ckpt_has_shadow_stack(t);
}

static bool has_address_masking(struct task_struct *t, const struct ckpt_cpu_state *c)
{
	return ckpt_has_address_masking(t->mm);
}

static const struct {
	bool (*is_there)(struct task_struct *t, const struct ckpt_cpu_state *c);
	const char *what;
} obstacles[] = {
	{ is_32_bit, "32-bit program or system call" },
	{ has_odd_segments, "segment register that is not that of a 64-bit program" },
	{ has_odd_addresses, "register that points outside of user memory" },
	{ has_tls_array, "set_thread_area entry" },
	{ has_io_ports, "permission for I/O ports (ioperm, iopl)" },
	{ has_breakpoints, "hardware breakpoint" },
	{ is_stepped, "single-stepped" },
	{ has_faulting_cpuid, "faulting CPUID (ARCH_CPUID)" },
	{ has_faulting_tsc, "faulting TSC (PR_SET_TSC)" },
	{ has_speculation_control, "speculation control (PR_SET_SPECULATION_CTRL)" },
	{ has_dynamic_xstate, "permission for AMX registers (ARCH_REQ_XCOMP_PERM)" },
	{ has_shadow_stack, "shadow stack" },
	{ has_address_masking, "linear address masking" },
};

bool ckpt_cpu_state_obstacle(struct task_struct *task, const struct ckpt_cpu_state *c,
			     unsigned int i, const char **what)
{
	if (i >= ARRAY_SIZE(obstacles))
		return false;
	*what = obstacles[i].is_there(task, c) ? obstacles[i].what : NULL;
	return true;
}

/* --- general registers --- */

void ckpt_regs_save(struct ckpt_image_regs *r, const struct ckpt_cpu_state *c)
{
	const struct pt_regs *p = &c->regs;

	*r = (struct ckpt_image_regs){
		.r15 = p->r15,
		.r14 = p->r14,
		.r13 = p->r13,
		.r12 = p->r12,
		.bp = p->bp,
		.bx = p->bx,
		.r11 = p->r11,
		.r10 = p->r10,
		.r9 = p->r9,
		.r8 = p->r8,
		.ax = p->ax,
		.cx = p->cx,
		.dx = p->dx,
		.si = p->si,
		.di = p->di,
		.orig_ax = p->orig_ax,
		.ip = p->ip,
		.cs = p->cs,
		.flags = p->flags,
		.sp = p->sp,
		.ss = p->ss,
		.fs_base = c->fs_base,
		.gs_base = c->gs_base,
		.ds = c->ds,
		.es = c->es,
		.fs = c->fs,
		.gs = c->gs,
	};
}

const char *ckpt_regs_check(const struct ckpt_image_regs *r)
{
	if (r->cs != __USER_CS || r->ss != __USER_DS)
		return "not those of a 64-bit program";
	if (r->fs || r->gs || (r->ds && r->ds != __USER_DS) || (r->es && r->es != __USER_DS))
		return "bad segment";
	if (r->flags & ~(u64)(USER_FLAGS | OTHER_FLAGS))
		return "bad flags";
	if (r->ip >= TASK_SIZE_MAX || r->sp >= TASK_SIZE_MAX)
		return "instruction or stack pointer outside of user memory";
	if (r->fs_base >= TASK_SIZE_MAX || r->gs_base >= TASK_SIZE_MAX)
		return "segment base outside of user memory";
	return NULL;
}

static void install_segments(const struct ckpt_image_regs *r)
{
	preempt_disable();
	loadsegment(ds, r->ds);
	loadsegment(es, r->es);
	loadsegment(fs, 0);
	load_gs_index(0);
	current->thread.ds = r->ds;
	current->thread.es = r->es;
	current->thread.fsindex = 0;
	current->thread.gsindex = 0;
	current->thread.fsbase = r->fs_base;
	current->thread.gsbase = r->gs_base;
	wrmsrl(MSR_FS_BASE, r->fs_base);
	/* In the kernel the user's gs base is in the other register of the pair. */
	wrmsrl(MSR_KERNEL_GS_BASE, r->gs_base);
	preempt_enable();
}

void ckpt_regs_install(const struct ckpt_image_regs *r)
{
	struct pt_regs *p = task_pt_regs(current);

	p->r15 = r->r15;
	p->r14 = r->r14;
	p->r13 = r->r13;
	p->r12 = r->r12;
	p->bp = r->bp;
	p->bx = r->bx;
	p->r11 = r->r11;
	p->r10 = r->r10;
	p->r9 = r->r9;
	p->r8 = r->r8;
	p->ax = r->ax;
	p->cx = r->cx;
	p->dx = r->dx;
	p->si = r->si;
	p->di = r->di;
	p->orig_ax = r->orig_ax;
	p->ip = r->ip;
	p->sp = r->sp;
	p->cs = __USER_CS;
	p->ss = __USER_DS;
	p->flags = (r->flags & USER_FLAGS) | X86_EFLAGS_FIXED | X86_EFLAGS_IF;
	install_segments(r);
}
