/* SPDX-License-Identifier: GPL-2.0-only */
/* Files that are mapped: by what they are found again, and known to be the same. */
#ifndef CKPT_MAPFILE_H
#define CKPT_MAPFILE_H

#include <linux/ckpt_image.h>
#include <linux/types.h>

struct ckpt_restorer;
struct file;

/**
 * ckpt_mapfile_describe() - find out how a mapped file can be found again
 * @file: the file, as it is mapped
 * @path: set to its path, to be freed by kfree(); also when it cannot be found again
 * @m: filled in
 * @why: set to what keeps it from being found again
 *
 * Return: 0, -EOPNOTSUPP with *@why set, or -ENOMEM
 */
int ckpt_mapfile_describe(const struct file *file, char **path, struct ckpt_image_mapped_file *m,
			  const char **why);

/**
 * ckpt_mapfile_open() - open a mapped file again
 * @r: the restore
 * @path: its path
 * @m: how it is known again
 * @min_size: bytes that must be there in a file that others may change; -1: it must be unchanged
 * @flags: open flags
 *
 * Return: the file or an ERR_PTR; the reason was told
 */
struct file *ckpt_mapfile_open(struct ckpt_restorer *r, const char *path,
			       const struct ckpt_image_mapped_file *m, s64 min_size, int flags);

/* Checks what an image says of a file; 0 or -EBADMSG. */
int ckpt_mapfile_verify(const struct ckpt_image_mapped_file *m);

#endif /* CKPT_MAPFILE_H */
