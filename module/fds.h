/* SPDX-License-Identifier: GPL-2.0-only */
/* The descriptors of a job, for the kinds that walk over them. */
#ifndef CKPT_FDS_H
#define CKPT_FDS_H

#include <linux/types.h>

struct ckpt_restorer;
struct ckpt_saver;
struct file;

/**
 * struct ckpt_fd - an open descriptor of the job that is being saved
 * @file: its open file description, referenced
 * @fd: its number
 * @id: id of the description in ckpt_saver.objects
 * @nr: at the first descriptor of a description: how many it has, at the others 0
 * @cloexec: it is closed by execve
 */
struct ckpt_fd {
	struct file *file;
	unsigned int fd;
	u32 id;
	unsigned int nr;
	bool cloexec;
};

/**
 * struct ckpt_fds - the open descriptors of the job that is being saved
 * @fds: in ascending order of their numbers
 * @nr: how many
 */
struct ckpt_fds {
	struct ckpt_fd *fds;
	unsigned int nr;
};

#define ckpt_for_each_fd(f, l) for ((f) = (l)->fds; (f) < (l)->fds + (l)->nr; (f)++)

/* The first descriptor of a description from @f on, or NULL. */
static inline struct ckpt_fd *ckpt_fds_file(const struct ckpt_fds *l, struct ckpt_fd *f)
{
	for (; f < l->fds + l->nr; f++)
		if (f->nr)
			return f;
	return NULL;
}

/* The first descriptor of each open file description. */
#define ckpt_for_each_file(f, l) \
	for ((f) = ckpt_fds_file(l, (l)->fds); (f); (f) = ckpt_fds_file(l, (f) + 1))

/* Whether the job alone uses its descriptors; only then they stay as they are. */
bool ckpt_fds_are_private(struct ckpt_saver *s);

/**
 * ckpt_fds_get() - list the descriptors of the job
 * @s: the save
 * @l: filled in; without entries when the descriptors are not private
 *
 * Return: 0 and ckpt_fds_put() is due, or -ENOMEM
 */
int ckpt_fds_get(struct ckpt_saver *s, struct ckpt_fds *l);
void ckpt_fds_put(struct ckpt_fds *l);

/* Whether somebody else holds the description too; @f is its first descriptor in a list. */
bool ckpt_fd_is_shared(const struct ckpt_fd *f);

/* Restore: the lowest descriptor of a CKPT_REC_FILE, or -1. */
int ckpt_fd_of_file(struct ckpt_restorer *r, u32 file);

#endif /* CKPT_FDS_H */
