/* SPDX-License-Identifier: GPL-2.0-only */
/* Paths of files: by what path a file is found again, and opening it there. */
#ifndef CKPT_PATH_H
#define CKPT_PATH_H

#include <linux/types.h>

struct ckpt_restorer;
struct file;
struct path;

/**
 * ckpt_path_name() - the path of a file, or the name that the kernel shows for what has none
 * @path: the file
 *
 * Return: text to be freed by kfree(), or ERR_PTR(-ENOMEM)
 */
char *ckpt_path_name(const struct path *path);

/**
 * ckpt_path_obstacle() - what keeps a file from being found again by its path
 * @path: the file
 * @name: what ckpt_path_name() told
 *
 * Return: NULL, or the obstacle
 */
const char *ckpt_path_obstacle(const struct path *path, const char *name);

/* Whether its file system is one that nobody mounts: that of sockets, pipes, memfds... */
bool ckpt_path_is_internal(const struct path *path);

/* Whether the kernel makes up the files of its file system: after a restart they differ. */
bool ckpt_path_is_pseudo(const struct path *path);

/**
 * ckpt_path_open() - open a file of an image again
 * @r: the restore
 * @name: its path
 * @flags: open flags, none that creates or truncates
 * @type: S_IF* that it had
 * @rdev: device number that it had when it is a device
 *
 * Return: the file or an ERR_PTR; the reason was told
 */
struct file *ckpt_path_open(struct ckpt_restorer *r, const char *name, int flags, umode_t type,
			    dev_t rdev);

#endif /* CKPT_PATH_H */
