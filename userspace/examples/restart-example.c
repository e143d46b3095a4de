// SPDX-License-Identifier: GPL-2.0-only
/* Counts the seconds, and tells when it resumed from an image. */

#include <ckpt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static volatile sig_atomic_t restarted, generation;

static void resumed(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	/* Anybody may send the signal, hardly with this code. */
	if (info->si_code != CKPT_SI_RESTART)
		return;
	generation = info->si_value.sival_int;
	restarted = 1;
}

int main(void)
{
	struct sigaction action = { .sa_sigaction = resumed, .sa_flags = SA_SIGINFO | SA_RESTART };
	unsigned int seconds;

	setvbuf(stdout, NULL, _IOLBF, 0);
	sigaction(SIGUSR1, &action, NULL);
	if (ckpt_restart_signal(SIGUSR1)) {
		perror("ckpt_restart_signal");
		return EXIT_FAILURE;
	}
	printf("process %d: asked for a signal\n", getpid());
	for (seconds = 0;; seconds++) {
		if (restarted) {
			restarted = 0;
			printf("resumed from an image of generation %d\n", (int)generation);
		}
		printf("%u\n", seconds);
		sleep(1);
	}
}
