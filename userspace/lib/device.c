// SPDX-License-Identifier: LGPL-2.1-or-later
/* The ioctls of /dev/ckpt as functions. */

#include "ckpt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define MESSAGES_FIRST_SIZE 4096

int ckpt_open(void)
{
	return open("/dev/ckpt", O_RDWR | O_CLOEXEC);
}

int ckpt_info(int ckpt, struct ckpt_info *info)
{
	*info = (struct ckpt_info){ .size = sizeof(*info) };
	return ioctl(ckpt, CKPT_IOC_INFO, info);
}

int ckpt_status(int ckpt, struct ckpt_status *status)
{
	*status = (struct ckpt_status){ .size = sizeof(*status) };
	return ioctl(ckpt, CKPT_IOC_STATUS, status);
}

char *ckpt_messages(int ckpt)
{
	size_t size = MESSAGES_FIRST_SIZE, len = 0;
	char *text = malloc(size);

	while (text) {
		ssize_t n = read(ckpt, text + len, size - len - 1);
		char *more;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		len += n;
		if (!n) {
			text[len] = '\0';
			return text;
		}
		more = realloc(text, size + len);
		if (!more)
			break;
		text = more;
		size += len;
	}
	free(text);
	return NULL;
}

int ckpt_freeze(int ckpt, unsigned int select, int id, unsigned int timeout_ms)
{
	struct ckpt_freeze freeze = {
		.size = sizeof(freeze),
		.select = select,
		.id = id,
		.timeout_ms = timeout_ms,
	};

	return ioctl(ckpt, CKPT_IOC_FREEZE, &freeze);
}

int ckpt_check(int ckpt)
{
	struct ckpt_save check = {
		.size = sizeof(check),
		.flags = CKPT_SAVE_CHECK,
		.fd = -1,
	};

	return ioctl(ckpt, CKPT_IOC_SAVE, &check);
}

int ckpt_save(int ckpt, int fd, struct ckpt_save *result)
{
	struct ckpt_save save = {
		.size = sizeof(save),
		.fd = fd,
	};
	int status = ioctl(ckpt, CKPT_IOC_SAVE, &save);

	if (!status && result)
		*result = save;
	return status;
}

int ckpt_thaw(int ckpt)
{
	struct ckpt_thaw thaw = { .size = sizeof(thaw) };

	return ioctl(ckpt, CKPT_IOC_THAW, &thaw);
}

int ckpt_kill(int ckpt, int signal)
{
	struct ckpt_kill kill = {
		.size = sizeof(kill),
		.signal = signal,
	};

	return ioctl(ckpt, CKPT_IOC_KILL, &kill);
}

int ckpt_open_image(int ckpt, int fd, struct ckpt_open_image *image)
{
	struct ckpt_open_image open = {
		.size = sizeof(open),
		.fd = fd,
	};
	int status = ioctl(ckpt, CKPT_IOC_OPEN_IMAGE, &open);

	if (!status && image)
		*image = open;
	return status;
}

int ckpt_wait(int ckpt)
{
	struct ckpt_wait wait = { .size = sizeof(wait) };

	if (ioctl(ckpt, CKPT_IOC_WAIT, &wait))
		return -1;
	if (!wait.error)
		return 0;
	errno = -wait.error;
	return -1;
}
