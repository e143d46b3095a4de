/* SPDX-License-Identifier: GPL-2.0-only */
/* x86-64: the registers of a thread at the boundary to user mode. */
#ifndef CKPT_ARCH_X86_H
#define CKPT_ARCH_X86_H

#include <linux/ckpt_image.h>
#include <linux/signal_types.h>
#include <linux/types.h>
#include <asm/ptrace.h>

#include "restart_block.h"

struct task_struct;

/**
 * struct ckpt_cpu_state - what a thread captures of itself as it parks
 * @regs: as the entry code left them: ax is the raw result, orig_ax the number of the call
 * @fs_base: base of fs
 * @gs_base: base of gs
 * @fs: selector
 * @gs: selector
 * @ds: selector
 * @es: selector
 * @restart: the restart_block when ax is -ERESTART_RESTARTBLOCK
 * @blocked: signal mask, the saved one when a call had put another in its place
 * @xstate: extended registers, uncompacted XSAVE layout; allocated by ckpt_cpu_state_init()
 * @xstate_size: bytes of it
 * @error: negative errno when the registers could not be read
 */
struct ckpt_cpu_state {
	struct pt_regs regs;
	u64 fs_base;
	u64 gs_base;
	u16 fs, gs, ds, es;
	struct ckpt_restart restart;
	sigset_t blocked;
	void *xstate;
	u32 xstate_size;
	int error;
};

int ckpt_cpu_state_init(struct ckpt_cpu_state *c);
void ckpt_cpu_state_exit(struct ckpt_cpu_state *c);
/* In the thread itself, from task work. Mends calls that would leak EINTR first (eintr.c). */
void ckpt_cpu_state_capture(struct ckpt_cpu_state *c);
/* The same for a thread that was stopped on its way to user mode and is pinned there. */
void ckpt_cpu_state_capture_of(struct task_struct *task, struct ckpt_cpu_state *c);

/**
 * ckpt_cpu_state_obstacle() - state of the processor that cannot be brought back
 * @task: a parked thread
 * @c: what it captured
 * @i: number of the test, from 0
 * @what: set to the name of the obstacle, or to NULL when test @i finds none
 *
 * Return: whether there is a test @i
 */
bool ckpt_cpu_state_obstacle(struct task_struct *task, const struct ckpt_cpu_state *c,
			     unsigned int i, const char **what);

/* The general registers as an image has them. */
void ckpt_regs_save(struct ckpt_image_regs *r, const struct ckpt_cpu_state *c);
/* Why a thread must not get these registers, or NULL. */
const char *ckpt_regs_check(const struct ckpt_image_regs *r);
/* Makes them current's. From task work, for what passed ckpt_regs_check(). */
void ckpt_regs_install(const struct ckpt_image_regs *r);

/* Extended registers. */

/* Bits that MXCSR may have on this CPU; exported, but declared in a header of the kernel's own. */
extern unsigned int mxcsr_feature_mask;

/* Bytes of the uncompacted layout; a multiple of 8. */
u32 ckpt_xstate_size(void);
/* Where component @feature, from 2, is in the uncompacted layout. */
void ckpt_xstate_part(unsigned int feature, u32 *offset, u32 *size);
/* Name of a component, for messages. */
const char *ckpt_xstate_name(unsigned int feature);
/* The components that a thread may use here, bits of XCR0. */
int ckpt_xstate_features(u64 *features);

/**
 * ckpt_xstate_apply() - give current the extended registers of @area
 * @area: uncompacted layout, ckpt_xstate_size() bytes
 *
 * They are loaded on the way to user mode. PKRU alone takes effect by ckpt_xstate_install_pkru().
 *
 * Return: 0 or a negative errno
 */
int ckpt_xstate_apply(const void *area);
void ckpt_xstate_install_pkru(const void *area);

#endif /* CKPT_ARCH_X86_H */
