/* SPDX-License-Identifier: GPL-2.0-only */
/* System V shared memory segments, for the kinds of mappings and of segments. */
#ifndef CKPT_SYSV_SHM_H
#define CKPT_SYSV_SHM_H

#include <linux/types.h>

struct ckpt_restorer;
struct ckpt_saver;
struct ckpt_sysv_type;
struct file;

extern const struct ckpt_sysv_type ckpt_sysv_shm_type;

/* Whether a mapped file is the attachment of a segment. */
bool ckpt_file_is_sysv_shm(const struct file *file);

/**
 * ckpt_sysv_shm_id() - the id in the image of a segment that a process has attached
 * @s: the save
 * @file: a file for which ckpt_file_is_sysv_shm() holds
 *
 * The first call for a segment adds its record, or refuses it.
 *
 * Return: the id, 0 when it was refused, or a negative errno
 */
int ckpt_sysv_shm_id(struct ckpt_saver *s, struct file *file);

/* Adds the segments that processes of the job have made and have not attached. */
int ckpt_sysv_shm_save_detached(struct ckpt_saver *s);

/**
 * ckpt_sysv_shm_attach() - attach a segment of the image somewhere
 * @r: the restore, in the process that attaches it
 * @object: id of its CKPT_REC_SYSV_SHM
 * @write: for writing too
 * @at: set to the address; it is detached by ckpt_sysv_shm_detach()
 *
 * Return: the file to map for the attachment, with a new reference, or an ERR_PTR
 */
struct file *ckpt_sysv_shm_attach(struct ckpt_restorer *r, u32 object, bool write,
				  unsigned long *at);
void ckpt_sysv_shm_detach(unsigned long at);

#endif /* CKPT_SYSV_SHM_H */
