/* SPDX-License-Identifier: GPL-2.0-only */
/* The descriptors of a job, for the kinds that walk over them. */
#ifndef CKPT_FDS_H
#define CKPT_FDS_H

#include <linux/types.h>

struct ckpt_restorer;
struct ckpt_saver;
struct file;

#define CKPT_FD_IN_FLIGHT (~0U)

/**
 * struct ckpt_fd - an open descriptor of a process that is being saved
 * @file: its open file description, referenced
 * @fd: its number, CKPT_FD_IN_FLIGHT for none: it travels with a message between sockets
 * @id: id of the description in ckpt_saver.objects
 * @nr: at the first descriptor of a description in the job: how many it has, at the others 0
 * @is_first: it is the first one of its description in its process
 * @cloexec: it is closed by execve
 */
struct ckpt_fd {
	struct file *file;
	unsigned int fd;
	u32 id;
	unsigned int nr;
	bool is_first;
	bool cloexec;
};

/**
 * struct ckpt_fds - the open descriptors of a process that is being saved
 * @fds: in ascending order of their numbers
 * @nr: how many
 * @size: room
 */
struct ckpt_fds {
	struct ckpt_fd *fds;
	unsigned int nr;
	unsigned int size;
};

/* The files in flight; those that no process has a descriptor for have a number of uses. */
static inline struct ckpt_fds *ckpt_fds_in_flight(struct ckpt_fds *all)
{
	return &all[0];
}

#define ckpt_for_each_fd(f, l) for ((f) = (l)->fds; (f) < (l)->fds + (l)->nr; (f)++)

/* The first descriptor of a description from @f on, or NULL. */
static inline struct ckpt_fd *ckpt_fds_file(const struct ckpt_fds *l, struct ckpt_fd *f)
{
	for (; f < l->fds + l->nr; f++)
		if (f->nr)
			return f;
	return NULL;
}

/* The first descriptor in the job of each open file description: each description once. */
#define ckpt_for_each_file(f, l) \
	for ((f) = ckpt_fds_file(l, (l)->fds); (f); (f) = ckpt_fds_file(l, (f) + 1))

/* Whether the job alone uses the descriptors of the process; only then they stay as they are. */
bool ckpt_fds_are_private(struct ckpt_saver *s);

/* Lists the descriptors of the process that is being walked: 0 or -ENOMEM. */
int ckpt_fds_collect(struct ckpt_saver *s);
/* Lists a file that is in flight: 0 or -ENOMEM. */
int ckpt_fds_add_in_flight(struct ckpt_saver *s, struct file *file);
/* Numbers the descriptions, once those of all processes are listed: 0 or -ENOMEM. */
int ckpt_fds_number(struct ckpt_saver *s);
/* Forgets all of them. */
void ckpt_fds_release(struct ckpt_saver *s);

/* The descriptors of the process that is being walked; none when an earlier one has them too. */
struct ckpt_fds *ckpt_fds_of(struct ckpt_saver *s);

#define CKPT_FD_TEXT_LEN 32

/* What a descriptor is called in messages. */
const char *ckpt_fd_text(const struct ckpt_fd *f, char *text, size_t len);

/* Whether somebody else holds the description too; @f is its first descriptor in the job. */
bool ckpt_fd_is_shared(const struct ckpt_fd *f);

/* Restore: the lowest descriptor of a CKPT_REC_FILE in the process, or -1. */
int ckpt_fd_of_file(struct ckpt_restorer *r, u32 file);

/* Restore: the same, but -1 if a process before @r in the image has the file too. */
int ckpt_fd_of_first(struct ckpt_restorer *r, u32 file);

/* Restore: allows current all numbers; the limit of the job comes back in the end. */
void ckpt_fds_raise_limit(void);

/* Restore: gives a file the lowest free number, or says why not; takes over the reference. */
int ckpt_fd_install(struct file *file);

#endif /* CKPT_FDS_H */
