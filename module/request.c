// SPDX-License-Identifier: GPL-2.0-only
/* A request: one open /dev/ckpt, with its messages and the one thing that it does. */

#include "request.h"

#include <linux/sched.h>
#include <linux/slab.h>

struct ckpt_request *ckpt_request_new(struct file *file)
{
	struct ckpt_request *req = kzalloc(sizeof(*req), GFP_KERNEL);

	if (!req)
		return NULL;
	kref_init(&req->ref);
	mutex_init(&req->lock);
	ckpt_messages_init(&req->messages);
	req->file = file;
	req->owner = current->files;
	return req;
}

static void release(struct kref *ref)
{
	struct ckpt_request *req = container_of(ref, struct ckpt_request, ref);

	ckpt_messages_exit(&req->messages);
	kfree(req);
}

void ckpt_request_get(struct ckpt_request *req)
{
	kref_get(&req->ref);
}

void ckpt_request_put(struct ckpt_request *req)
{
	kref_put(&req->ref, release);
}
