/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages of a request: a bounded queue of lines that the caller reads. */
#ifndef CKPT_MESSAGE_H
#define CKPT_MESSAGE_H

#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/wait.h>

/*
 * Bytes of text kept for one request; later messages are counted and their number is said at the
 * end.
 */
#define CKPT_MESSAGES_MAX (256 * 1024)

/**
 * struct ckpt_messages - lines of text that wait for a reader
 * @lock: guards all that follows but @wait
 * @wait: readers
 * @text: the lines, each with its newline
 * @len: bytes of @text
 * @size: room at @text
 * @nr_dropped: lines that did not fit
 */
struct ckpt_messages {
	struct mutex lock;
	wait_queue_head_t wait;
	char *text;
	size_t len, size;
	unsigned int nr_dropped;
};

void ckpt_messages_init(struct ckpt_messages *m);
void ckpt_messages_exit(struct ckpt_messages *m);

/*
 * Adds a line; control characters become '?'. Never fails: a line without memory counts as dropped.
 */
__printf(2, 0) void ckpt_messages_addv(struct ckpt_messages *m, const char *fmt, va_list args);
__printf(2, 3) void ckpt_messages_add(struct ckpt_messages *m, const char *fmt, ...);

bool ckpt_messages_pending(struct ckpt_messages *m);
ssize_t ckpt_messages_read(struct ckpt_messages *m, char __user *buf, size_t len);

#endif /* CKPT_MESSAGE_H */
