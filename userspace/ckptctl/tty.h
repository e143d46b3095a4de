/* SPDX-License-Identifier: GPL-2.0-only */
/* The controlling terminal, and others. */
#ifndef CKPTCTL_TTY_H
#define CKPTCTL_TTY_H

#include <stdbool.h>
#include <sys/types.h>

/* A descriptor of the controlling terminal under its real name, or -1 when there is none. */
int tty_open(void);

/* Whether the process group @pgid is in the foreground. @tty may be -1. */
bool tty_has_foreground(int tty, pid_t pgid);

/* Puts a process group into the foreground; SIGTTOU must be blocked. */
bool tty_set_foreground(int tty, pid_t pgid);

/*
 * The process group in the foreground of a terminal, by the path of its device, which need
 * not be that of the caller; 0 and a reason when there is none.
 */
pid_t tty_foreground(const char *path, const char **why);

#endif /* CKPTCTL_TTY_H */
