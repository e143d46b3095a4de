// SPDX-License-Identifier: GPL-2.0-only
// link: ckpt
/*
 * Tells which threads of an image wait, and how long they yet would: a line "TID NANOSECONDS" for
 * each whose system call goes on with the rest of its time.
 *
 * usage: rests IMAGE
 */

#include <ckpt.h>
#include <fcntl.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	const struct ckpt_image_record *rec;
	struct ckpt_image *image;
	char why[200] = "cannot be opened";
	int fd = open(argc > 1 ? argv[1] : "image", O_RDONLY);

	image = fd < 0 ? NULL : ckpt_image_read(fd, 0, why, sizeof(why));
	if (!image) {
		fprintf(stderr, "rests: %s\n", why);
		return 1;
	}
	for (size_t i = 0; (rec = ckpt_image_record(image, i)); i++) {
		const struct ckpt_image_thread *thread = rec->data;

		if (rec->type == CKPT_REC_THREAD &&
		    (thread->restart.flags & (CKPT_RESTART_TIMEOUT | CKPT_RESTART_ABSOLUTE)) ==
			    CKPT_RESTART_TIMEOUT)
			printf("%u %llu\n", rec->tid, (unsigned long long)thread->restart.time);
	}
	ckpt_image_free(image);
	return 0;
}
