/* SPDX-License-Identifier: GPL-2.0-only */
/* A restored job in front: what a shell does for its jobs. */
#ifndef CKPTCTL_FRONT_H
#define CKPTCTL_FRONT_H

#include <sys/types.h>

/* Exit status of a job that the signal N killed: this and N. */
#define FRONT_SIGNALLED 128

/* Blocks the signals that front_run() passes on. */
void front_block_signals(void);

/*
 * Waits for a restore that ckpt_restore() began. Returns 0 when the job runs, else an errno.
 * A signal that would end the tool ends the restore: -N for the signal N. Signals stay
 * blocked.
 */
int front_wait(int ckpt);

/*
 * Stays the parent of the job @pid, which may have got the terminal @tty (or -1), until it
 * ends. Returns its exit status, 128 + N when the signal N killed it.
 */
int front_run(pid_t pid, int tty);

/* Waits for one of the signals that front_block_signals() blocks. */
int front_next_signal(void);

/* Takes the terminal back from the job. */
void front_take_terminal(pid_t pid, int tty);

#endif /* CKPTCTL_FRONT_H */
