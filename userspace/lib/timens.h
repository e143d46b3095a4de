/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The time namespace that the processes of a job are made in. */
#ifndef CKPT_TIMENS_H
#define CKPT_TIMENS_H

#include <linux/ckpt.h>

/*
 * Lets later children of the caller be in the time namespace that the job needs: with @freeze one
 * in which its clocks go on from where they stopped, else one with the offsets that it had; none
 * is made when the caller's will do. @old gets a descriptor for timens_leave(), or -1. Returns 0
 * or an errno.
 */
int timens_enter(const struct ckpt_tasks *clocks, int freeze, int *old);
/* Back to the caller's own, as far as the kernel lets a program with threads; closes @old. */
void timens_leave(int old);

#endif /* CKPT_TIMENS_H */
