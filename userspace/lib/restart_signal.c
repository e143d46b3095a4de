// SPDX-License-Identifier: LGPL-2.1-or-later
/* The call for a program that wants to know when it resumes from an image. */

#include "ckpt.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

int ckpt_restart_signal(int signal)
{
	struct ckpt_restart_signal wish = {
		.size = sizeof(wish),
		.signal = signal,
	};
	int ckpt = ckpt_open(), status, err;

	if (ckpt < 0)
		return -1;
	status = ioctl(ckpt, CKPT_IOC_RESTART_SIGNAL, &wish);
	err = errno;
	close(ckpt);
	errno = err;
	return status;
}
