/* SPDX-License-Identifier: GPL-2.0-only */
/* x86-64: the registers of a thread at the boundary to user mode. */
#ifndef CKPT_ARCH_X86_H
#define CKPT_ARCH_X86_H

#include <linux/signal_types.h>
#include <linux/types.h>
#include <asm/ptrace.h>

#include "restart_block.h"

/**
 * struct ckpt_cpu_state - what a thread captures of itself as it parks
 * @regs: registers as the entry code left them: ax is the raw result, orig_ax the number of the call
 * @fs_base: base of fs
 * @gs_base: base of gs
 * @fs: selector fs, gs, ds, es below
 * @restart: the restart_block when ax is -ERESTART_RESTARTBLOCK
 * @blocked: signal mask, the saved one when a call had put another in its place
 * @xstate: extended registers, uncompacted XSAVE layout; allocated by ckpt_cpu_state_init()
 * @xstate_size: bytes of it
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
/* In the thread itself, from task work. Mends the result of calls that would leak EINTR first (eintr.c). */
void ckpt_cpu_state_capture(struct ckpt_cpu_state *c);

#endif /* CKPT_ARCH_X86_H */
