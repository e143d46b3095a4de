/* SPDX-License-Identifier: GPL-2.0-only */
/* System calls that would tell the program that it was interrupted. */
#ifndef CKPT_EINTR_H
#define CKPT_EINTR_H

struct pt_regs;

/* Restarts current's interrupted system call where the program would see EINTR. */
void ckpt_eintr_mend(struct pt_regs *regs);

#endif /* CKPT_EINTR_H */
