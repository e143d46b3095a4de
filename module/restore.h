/* SPDX-License-Identifier: GPL-2.0-only */
/* The restore walk. */
#ifndef CKPT_RESTORE_H
#define CKPT_RESTORE_H

#include <linux/types.h>

struct ckpt_request;
struct ckpt_restore;
struct ckpt_rjob;
struct file;

/**
 * ckpt_rjob_open() - open an image and verify all its records
 * @req: the request that it is for
 * @file: opened for reading
 *
 * Return: the restore, or an ERR_PTR as told at struct ckpt_open_image
 */
struct ckpt_rjob *ckpt_rjob_open(struct ckpt_request *req, struct file *file);
void ckpt_rjob_put(struct ckpt_rjob *job);

/* CKPT_IOC_RESTORE: current becomes a task of the image. */
int ckpt_restore_task(struct ckpt_rjob *job, const struct ckpt_restore *arg);
/* CKPT_IOC_FINISH: the script has ended. */
int ckpt_restore_finish(struct ckpt_rjob *job);
/* CKPT_IOC_TIMER_ID: the next POSIX timer of the process gets the ID @id. */
int ckpt_restore_timer_id(struct ckpt_rjob *job, unsigned long id);
/* CKPT_IOC_FAIL: an entry of the script, at @entry in user memory, has failed. */
int ckpt_restore_fail(struct ckpt_rjob *job, const void __user *entry);

/* Ends a restore that has not succeeded yet; kills what was half restored. */
void ckpt_restore_abort(struct ckpt_rjob *job, int err);
/* Whether it has succeeded (*@err 0) or failed. */
bool ckpt_restore_ended(struct ckpt_rjob *job, int *err);
/* Whether any task has come to be restored. */
bool ckpt_restore_begun(struct ckpt_rjob *job);

#endif /* CKPT_RESTORE_H */
