/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages of System V and POSIX queues: what is in them, and memory to send them from. */
#ifndef CKPT_MSG_DATA_H
#define CKPT_MSG_DATA_H

#include <linux/types.h>

struct msg_msg;

/* Copies the text of a message, msg->m_ts bytes; under the lock of its queue. */
void ckpt_msg_copy(void *to, const struct msg_msg *msg);

/**
 * struct ckpt_msg_buffer - memory of current that a system call sends from
 * @at: its address, 0 for none
 * @size: bytes
 */
struct ckpt_msg_buffer {
	unsigned long at;
	size_t size;
};

/* Puts @len bytes at @offset of the buffer, which grows: 0 or a negative errno. */
int ckpt_msg_buffer_put(struct ckpt_msg_buffer *b, size_t offset, const void *data, size_t len);
void ckpt_msg_buffer_exit(struct ckpt_msg_buffer *b);

#endif /* CKPT_MSG_DATA_H */
