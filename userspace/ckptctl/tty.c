// SPDX-License-Identifier: GPL-2.0-only
/* The controlling terminal, and others. */

#include "tty.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

/* Of the pseudo-terminals in /dev/pts. */
#define PTS_MAJOR 136
/* Of /dev/tty, minor number 0. */
#define TTYAUX_MAJOR 5

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

/* Device number of a terminal; /dev/tty stands for that of the caller. */
static bool device_of(const char *path, unsigned int *number, const char **why)
{
	struct stat st;
	int fd, err;

	if (stat(path, &st)) {
		*why = strerror(errno);
		return false;
	}
	*why = "not a terminal";
	if (!S_ISCHR(st.st_mode))
		return false;
	*number = st.st_rdev;
	if (st.st_rdev != makedev(TTYAUX_MAJOR, 0))
		return true;
	fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	err = fd < 0 ? -1 : ioctl(fd, TIOCGDEV, number);
	if (fd >= 0)
		close(fd);
	return !err;
}

/* The foreground of the terminal that a process has; 0 when that is another one, or none. */
static pid_t foreground_of(const char *pid, unsigned int number)
{
	int tty, foreground, n = 0;
	char path[64], line[512];
	const char *rest;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%.32s/stat", pid);
	in = fopen(path, "re");
	if (!in)
		return 0;
	/* The name in parentheses may hold anything. */
	rest = fgets(line, sizeof(line), in) ? strrchr(line, ')') : NULL;
	if (rest)
		n = sscanf(rest, ") %*c %*d %*d %*d %d %d", &tty, &foreground);
	fclose(in);
	return n == 2 && (unsigned int)tty == number && foreground > 0 ? foreground : 0;
}

pid_t tty_foreground(const char *path, const char **why)
{
	const struct dirent *entry;
	unsigned int number;
	pid_t found = 0;
	DIR *proc;

	if (!device_of(path, &number, why))
		return 0;
	*why = "no process has it for its controlling terminal";
	proc = opendir("/proc");
	while (proc && !found && (entry = readdir(proc)))
		if (*entry->d_name >= '1' && *entry->d_name <= '9')
			found = foreground_of(entry->d_name, number);
	if (proc)
		closedir(proc);
	return found;
}
