// SPDX-License-Identifier: GPL-2.0-only
/* The controlling terminal. */

#include "tty.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

/* Of the pseudo-terminals in /dev/pts. */
#define PTS_MAJOR 136

/* Opens the terminal of a device number; the other names are in sysfs. */
static int open_by_number(unsigned int number)
{
	char link[64], path[PATH_MAX], target[PATH_MAX];
	ssize_t n;

	if (major(number) == PTS_MAJOR) {
		snprintf(path, sizeof(path), "/dev/pts/%u", minor(number));
	} else {
		snprintf(link, sizeof(link), "/sys/dev/char/%u:%u", major(number), minor(number));
		n = readlink(link, target, sizeof(target) - 1);
		if (n < 0)
			return -1;
		target[n] = '\0';
		snprintf(path, sizeof(path), "/dev/%.255s", strrchr(target, '/') + 1);
	}
	return open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
}

static bool is_controlling(int fd)
{
	return fd >= 0 && isatty(fd) && tcgetsid(fd) == getsid(0);
}

int tty_open(void)
{
	unsigned int number;
	int tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC), fd;

	if (tty < 0 || ioctl(tty, TIOCGDEV, &number))
		return tty;
	fd = open_by_number(number);
	if (is_controlling(fd)) {
		close(tty);
		return fd;
	}
	if (fd >= 0)
		close(fd);
	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (is_controlling(fd)) {
			close(tty);
			return fd;
		}
	return tty;
}

bool tty_has_foreground(int tty, pid_t pgid)
{
	return tty >= 0 && tcgetpgrp(tty) == pgid;
}

bool tty_set_foreground(int tty, pid_t pgid)
{
	return tty >= 0 && !tcsetpgrp(tty, pgid);
}
