/* SPDX-License-Identifier: GPL-2.0-only */
/* One save under way: what the save hooks of the kinds get. */
#ifndef CKPT_SAVER_H
#define CKPT_SAVER_H

#include <linux/types.h>

#include "clocks.h"
#include "group.h"
#include "image_write.h"
#include "objtab.h"
#include "pages.h"

struct ckpt_fds;
struct ckpt_kind;
struct ckpt_request;
struct ckpt_space_list;

/**
 * struct ckpt_saver - a save under way
 * @req: the request that it serves (messages)
 * @group: the frozen job
 * @process: the process that is being walked
 * @task: its leader; parked, or a zombie
 * @mm: its memory, referenced; NULL for a zombie
 * @parts: what processes may share, such as memories: address to number of the first that has it
 * @fds: descriptors of each process, by its number, and at 0 the files in flight; see fds.h
 * @spaces: memory of each process, by its number; see inherit.h
 * @socks: sockets by id, struct ckpt_sock; see sockets.h
 * @objects: shared objects by address: struct file, inode, pipe... to id
 * @out: records collected so far
 * @pages: what memory is to be stored
 * @clocks: the clocks once all records were there: what happened later is not in the image
 * @nr_refused: obstacles found
 */
struct ckpt_saver {
	struct ckpt_request *req;
	struct ckpt_group *group;
	struct ckpt_process *process;
	struct task_struct *task;
	struct mm_struct *mm;
	struct xarray parts;
	struct ckpt_fds *fds;
	struct ckpt_space_list *spaces;
	struct xarray socks;
	struct ckpt_objtab objects;
	struct ckpt_image_writer out;
	struct ckpt_pages pages;
	struct ckpt_clocks clocks;
	unsigned int nr_refused;
};

/* Makes a process the one that is being walked: 0, or -ESRCH when its memory is gone. */
int ckpt_saver_enter(struct ckpt_saver *s, struct ckpt_process *p);
void ckpt_saver_leave(struct ckpt_saver *s);
/* Whether a memory is that of a process of the job. */
bool ckpt_saver_has_mm(struct ckpt_saver *s, const struct mm_struct *mm);

/**
 * ckpt_save_refuse() - report state that cannot be brought back
 * @s: the save
 * @kind: kind of state, as in struct ckpt_kind.name
 * @fmt: "OBJECT: what can be done", e.g. "fd 5: socket:[123]: close it before the save"
 *
 * The message becomes "process PID (COMM): KIND: ...", or "job: KIND: ..." in a save_job hook. The
 * save goes on, to find the other
 * obstacles, and fails with EOPNOTSUPP before anything is written.
 */
__printf(3, 4) void ckpt_save_refuse(struct ckpt_saver *s, const char *kind, const char *fmt, ...);

/**
 * ckpt_save_record() - add a record to the image
 * @s: the save
 * @k: its kind; gives type and version, and says whether the record is one of the job
 * @tid: thread that it belongs to, 0 for the process
 * @id: number of the object, 0 for none
 * @len: bytes of payload
 *
 * Return: the zeroed payload to fill in (stays in place until the end of the save), or
 * ERR_PTR(-ENOMEM)
 */
void *ckpt_save_record(struct ckpt_saver *s, const struct ckpt_kind *k, u32 tid, u32 id,
		       size_t len);

#endif /* CKPT_SAVER_H */
