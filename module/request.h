/* SPDX-License-Identifier: GPL-2.0-only */
/* A request: one open /dev/ckpt, with its messages and the one thing that it does. */
#ifndef CKPT_REQUEST_H
#define CKPT_REQUEST_H

#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/types.h>

#include "message.h"

struct ckpt_group;
struct ckpt_rjob;

/**
 * struct ckpt_request - one open /dev/ckpt
 * @ref: the open file holds one reference, a restore under way another
 * @lock: held during each ioctl but RESTORE, WAIT and those of scripts; guards @group, @job,
 *	@state
 * @file: the open file; not referenced
 * @owner: descriptor table of the opener: its close ends a restore
 * @messages: texts for the caller
 * @state: CKPT_STATE_*
 * @group: the frozen job, or NULL
 * @job: the restore, or NULL
 */
struct ckpt_request {
	struct kref ref;
	struct mutex lock;
	struct file *file;
	fl_owner_t owner;
	struct ckpt_messages messages;
	unsigned int state;
	struct ckpt_group *group;
	struct ckpt_rjob *job;
};

struct ckpt_request *ckpt_request_new(struct file *file);
void ckpt_request_get(struct ckpt_request *req);
void ckpt_request_put(struct ckpt_request *req);

/* The restore, or NULL, for those who do not hold the lock: once it is there it stays. */
static inline struct ckpt_rjob *ckpt_request_job(struct ckpt_request *req)
{
	/* Pairs with open_image(). */
	return smp_load_acquire(&req->job);
}

#endif /* CKPT_REQUEST_H */
