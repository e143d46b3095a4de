// SPDX-License-Identifier: GPL-2.0-only
/* Counts in a file of its own until the file "end" is there: count NAME. */

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	unsigned int n = 0;

	while (argc == 2 && access("end", F_OK)) {
		int fd = open(argv[1], O_WRONLY | O_CREAT | O_APPEND, 0644);

		if (fd < 0 || dprintf(fd, "%u\n", ++n) < 2)
			return 1;
		close(fd);
		usleep(20000);
	}
	return argc == 2 ? 0 : 2;
}
