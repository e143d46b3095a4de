/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libckpt: save running jobs into files and restore them, through /dev/ckpt. */
#ifndef CKPT_H
#define CKPT_H

#include <linux/ckpt.h>
#include <linux/ckpt_image.h>
#include <stddef.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CKPT_VERSION "0.1.0"

/*
 * Unless it says otherwise a function returns 0, or -1 with errno set as <linux/ckpt.h>
 * tells. @ckpt is a descriptor that ckpt_open() returned. It serves one freeze or one image;
 * its close thaws what is frozen and ends a restore that has not succeeded. After an error
 * ckpt_messages() says why.
 */

/* For the program that is saved */

/*
 * Asks for @signal, with si_code CKPT_SI_RESTART and the generation in si_int, when the
 * calling process resumes from an image; 0 takes the wish back. Forgotten by execve(2), not
 * inherited by fork(2).
 */
int ckpt_restart_signal(int signal);

/* Requests */

/* Returns a new descriptor of /dev/ckpt that execve(2) closes. */
int ckpt_open(void);

int ckpt_info(int ckpt, struct ckpt_info *info);
int ckpt_status(int ckpt, struct ckpt_status *status);

/*
 * Takes the messages that are there. Returns them, each ended by a newline, as a string for
 * free(3): an empty one when there are none; NULL with errno set after an error.
 */
char *ckpt_messages(int ckpt);

/* Save */

/*
 * Parks the job that @select (CKPT_SELECT_*) and @id name; @timeout_ms 0 stands for the
 * kernel's 10 seconds.
 */
int ckpt_freeze(int ckpt, unsigned int select, int id, unsigned int timeout_ms);

/* Looks for what stands against a save; the messages name each obstacle. */
int ckpt_check(int ckpt);

/* Writes the image to @fd from its position on. @result may be NULL. */
int ckpt_save(int ckpt, int fd, struct ckpt_save *result);

int ckpt_thaw(int ckpt);

/* Ends the freeze by SIGKILL or SIGSTOP. */
int ckpt_kill(int ckpt, int signal);

/* Restore */

/* Reads and verifies the image at @fd. @image may be NULL. */
int ckpt_open_image(int ckpt, int fd, struct ckpt_open_image *image);

/* Bits of struct ckpt_job.flags. */
#define CKPT_JOB_SIGNAL (1U << 0) /* queue @signal (none if 0), not the image's */
#define CKPT_JOB_SESSION (1U << 1) /* the job leads a new session */
#define CKPT_JOB_GROUP (1U << 2) /* the job leads a new process group */
#define CKPT_JOB_FOREGROUND (1U << 3) /* whose terminal is @tty_fd */
#define CKPT_JOB_FREEZE_TIME \
	(1U << 4) /* CLOCK_MONOTONIC and CLOCK_BOOTTIME go on from where they stopped */
#define CKPT_JOB_STOPPED (1U << 5) /* its processes are stopped, as by SIGSTOP */

/*
 * How to restore a job.
 *
 * @tty_fd:	controlling terminal of the caller, which becomes the job's, or -1
 * @failed_tid:	out: when ckpt_restore() fails for the sake of one thread ID: that ID, else 0
 */
struct ckpt_job {
	unsigned int flags;
	int signal;
	int tty_fd;
	pid_t failed_tid;
};

/*
 * Makes children of the caller, with the PIDs and thread IDs of the image that is open, that
 * become the job. Returns the PID of the first process as soon as all threads exist;
 * ckpt_wait() then tells whether the job runs: its processes have their own parents then,
 * and the caller keeps those whose parent was outside. A caller that is a subreaper
 * (prctl(2)) gets what is left of a restore that fails. Other children of the caller may
 * have ended that it has to wait for. Fails with EEXIST when the ID @failed_tid is taken.
 * Ends with all children gone after an error.
 */
pid_t ckpt_restore(int ckpt, struct ckpt_job *job);

/* Waits until the restore has succeeded or failed; 0 when the job runs. */
int ckpt_wait(int ckpt);

/* Images, without the module */

struct ckpt_image;

/* A record of an image; what a member of struct ckpt_rec is called has its meaning. */
struct ckpt_image_record {
	__u32 type;
	__u32 process;
	__u32 tid;
	__u32 id;
	__u16 version;
	__u16 flags;
	size_t len;
	const void *data;
};

/* Flag of ckpt_image_read(): compare the checksums of the stored pages, too. */
#define CKPT_IMAGE_PAGES (1U << 0)

/*
 * Reads an image from the position of @fd, which may be a pipe, to its end and checks it.
 * Returns NULL after an error: errno is EINVAL when it is no image, EBADMSG when it is cut
 * or damaged, EOPNOTSUPP when its format is not known, or that of the system call that
 * failed; @why gets the reason and the place.
 */
struct ckpt_image *ckpt_image_read(int fd, unsigned int flags, char *why, size_t size);
void ckpt_image_free(struct ckpt_image *image);

const struct ckpt_image_meta *ckpt_image_meta(const struct ckpt_image *image);

/* Bytes of the whole image. */
unsigned long long ckpt_image_length(const struct ckpt_image *image);

/* The record number @index from 0; NULL behind the last one. */
const struct ckpt_image_record *ckpt_image_record(const struct ckpt_image *image, size_t index);

#ifdef __cplusplus
}
#endif

#endif /* CKPT_H */
