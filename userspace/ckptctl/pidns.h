/* SPDX-License-Identifier: GPL-2.0-only */
/* PID namespaces made for restored jobs, in which their old PIDs are free. */
#ifndef CKPTCTL_PIDNS_H
#define CKPTCTL_PIDNS_H

#include <sys/types.h>

/**
 * struct pidns - a PID namespace
 * @init: its init process, a child of the caller
 * @report: init tells here that the job runs, or that it could not be restored
 */
struct pidns {
	pid_t init;
	int report;
};

/*
 * Makes a PID namespace with a /proc of its own. Its init calls @run with @arg and a
 * descriptor for pidns_tell(); it ends with what that returns, when no other process is left
 * there. Returns 0, or -1 after an error was printed.
 */
int pidns_start(struct pidns *ns, int (*run)(void *arg, int report), void *arg);

/* Called by init, once: the job runs (0), or the exit status of a restore that failed. */
void pidns_tell(int report, int status);

/* Waits for what init tells: 0, or an exit status; a dead init tells EXIT_REFUSED. */
int pidns_hear(struct pidns *ns);

/*
 * Passes signals on to @n namespaces until all have ended. Returns the exit status of the
 * first one that did not end with 0, or 0.
 */
int pidns_wait(struct pidns *ns, unsigned int n);

#endif /* CKPTCTL_PIDNS_H */
