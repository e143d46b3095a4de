// SPDX-License-Identifier: GPL-2.0-only
/* Messages of System V and POSIX queues: what is in them, and memory to send them from. */

#include "msg_data.h"

#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/msg.h>
#include <linux/string.h>
#include <linux/uaccess.h>

/* struct msg_msgseg of ipc/msgutil.c: what does not fit into the first page. */
struct msg_msgseg {
	struct msg_msgseg *next;
	/* the next part follows */
};

void ckpt_msg_copy(void *to, const struct msg_msg *msg)
{
	size_t left = msg->m_ts, n = min_t(size_t, left, PAGE_SIZE - sizeof(*msg));
	const struct msg_msgseg *seg;

	memcpy(to, msg + 1, n);
	for (seg = msg->next; seg && left > n; seg = seg->next) {
		to += n;
		left -= n;
		n = min_t(size_t, left, PAGE_SIZE - sizeof(*seg));
		memcpy(to, seg + 1, n);
	}
}

void ckpt_msg_buffer_exit(struct ckpt_msg_buffer *b)
{
	if (b->at)
		vm_munmap(b->at, b->size);
	b->at = 0;
	b->size = 0;
}

static int grow(struct ckpt_msg_buffer *b, size_t size)
{
	unsigned long at = vm_mmap(NULL, 0, PAGE_ALIGN(size), PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, 0);

	if (IS_ERR_VALUE(at))
		return at;
	ckpt_msg_buffer_exit(b);
	b->at = at;
	b->size = PAGE_ALIGN(size);
	return 0;
}

int ckpt_msg_buffer_put(struct ckpt_msg_buffer *b, size_t offset, const void *data, size_t len)
{
	/* Nothing that was put before is needed once it has to grow. */
	int err = offset + len > b->size ? grow(b, offset + len) : 0;

	if (err)
		return err;
	return copy_to_user((void __user *)(b->at + offset), data, len) ? -EFAULT : 0;
}
