/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table of state kinds: what the save walk and the restore walk call, never knowing a kind by
 * name.
 */
#ifndef CKPT_KINDS_H
#define CKPT_KINDS_H

#include <linux/types.h>

struct ckpt_record;
struct ckpt_restorer;
struct ckpt_rjob;
struct ckpt_rthread;
struct ckpt_saver;
struct ckpt_thread;

/* How many records of a kind a process, or the job, has in an image. */
enum ckpt_kind_count {
	CKPT_ONE, /* exactly one */
	CKPT_AT_MOST_ONE,
	CKPT_PER_THREAD, /* exactly one for each thread, in their order */
	CKPT_ANY,
};

/**
 * struct ckpt_kind - one kind of state
 * @name: as it stands in messages
 * @type: CKPT_REC_* of its records, 0 when it has none (it only refuses)
 * @version: version that it writes
 * @oldest: oldest version that it reads
 * @min_len: shortest payload (what follows struct ckpt_rec) that it reads, in bytes
 * @count: how many records there must be
 * @shared: its records describe objects of the job, which have an id and are saved once; else they
 *	belong to the process that is being walked
 * @zombies: it is called for processes that have exited too
 * @part: CKPT_SHARE_* that it belongs to: it is not called for processes that share that
 * @save: save what belongs to the process being walked; in the saving tool's context, the job is
 *	parked. Adds records, or calls ckpt_save_refuse() for each obstacle and returns 0. An errno
 *	aborts the save.
 * @save_thread: the same for one thread
 * @save_job: the same for the job, when all processes have been walked; s->task is NULL
 * @verify: look at one record of the image being opened; bounds, ranges, strings. Changes nothing.
 *	The generic part (length, version, count, CRC) was checked. Says why by
 *	ckpt_restore_error().
 * @verify_all: the same once all records were verified one by one, for what crosses records; for
 *	each process, or once when @shared
 * @open: before anything of the new processes was changed, in the descriptors and memory of the
 *	tool: opens files and makes objects, puts them into the object table. The leader of the
 *	first process calls it, for each process; once for the job when @shared
 * @make: leader of the first process, after all @open; appends system calls that make what the
 *	kernel exports no function for. They run in the descriptors and memory of the tool
 * @made: the same, when they have run; takes their results from r->script
 * @create: leader of each process; replaces descriptors, memory... of the new process by the saved
 *	ones
 * @script: leader of each process; appends the system calls that the process makes itself
 * @apply: each thread in its own context after the script of its process, the leader first; may
 *	fail
 * @settle: once for the job when all threads have applied, in the context of the one that came
 *	last; may fail
 * @install: each thread in its own context at the boundary to user mode; cannot fail
 *
 * Each hook may be NULL. Kinds are called in the order of the table.
 */
struct ckpt_kind {
	const char *name;
	u32 type;
	u16 version;
	u16 oldest;
	u32 min_len;
	enum ckpt_kind_count count;
	bool shared;
	bool zombies;
	u32 part;
	int (*save)(struct ckpt_saver *s);
	int (*save_thread)(struct ckpt_saver *s, struct ckpt_thread *t);
	int (*save_job)(struct ckpt_saver *s);
	int (*verify)(struct ckpt_restorer *r, const struct ckpt_record *rec);
	int (*verify_all)(struct ckpt_restorer *r);
	int (*open)(struct ckpt_restorer *r);
	int (*make)(struct ckpt_restorer *r);
	int (*made)(struct ckpt_restorer *r);
	int (*create)(struct ckpt_restorer *r);
	int (*script)(struct ckpt_restorer *r);
	int (*apply)(struct ckpt_restorer *r, struct ckpt_rthread *t);
	int (*settle)(struct ckpt_rjob *job);
	void (*install)(struct ckpt_restorer *r, struct ckpt_rthread *t);
};

extern const struct ckpt_kind ckpt_kind_process;
extern const struct ckpt_kind ckpt_kind_thread;
extern const struct ckpt_kind ckpt_kind_xstate;
extern const struct ckpt_kind ckpt_kind_creds;
extern const struct ckpt_kind ckpt_kind_sched;
extern const struct ckpt_kind ckpt_kind_cputime;
extern const struct ckpt_kind ckpt_kind_usage;
extern const struct ckpt_kind ckpt_kind_itimer;
extern const struct ckpt_kind ckpt_kind_timer;
extern const struct ckpt_kind ckpt_kind_sighand;
extern const struct ckpt_kind ckpt_kind_siginfo;
extern const struct ckpt_kind ckpt_kind_stop;
extern const struct ckpt_kind ckpt_kind_rlimits;
extern const struct ckpt_kind ckpt_kind_fs;
extern const struct ckpt_kind ckpt_kind_file;
extern const struct ckpt_kind ckpt_kind_pipe;
extern const struct ckpt_kind ckpt_kind_tty;
extern const struct ckpt_kind ckpt_kind_terminal;
extern const struct ckpt_kind ckpt_kind_shm;
extern const struct ckpt_kind ckpt_kind_sysv_shm;
extern const struct ckpt_kind ckpt_kind_message;
extern const struct ckpt_kind ckpt_kind_socket;
extern const struct ckpt_kind ckpt_kind_sysv_sem;
extern const struct ckpt_kind ckpt_kind_sysv_undo;
extern const struct ckpt_kind ckpt_kind_sysv_msg;
extern const struct ckpt_kind ckpt_kind_fd;
extern const struct ckpt_kind ckpt_kind_lock;
extern const struct ckpt_kind ckpt_kind_mm;
extern const struct ckpt_kind ckpt_kind_vma;
extern const struct ckpt_kind ckpt_kind_runs;
extern const struct ckpt_kind ckpt_kind_inherit;
extern const struct ckpt_kind ckpt_kind_share;
extern const struct ckpt_kind ckpt_kind_restart_signal;
extern const struct ckpt_kind ckpt_kind_unsupported;

/* All kinds in the order of saving and restoring; ends with NULL. */
extern const struct ckpt_kind *const ckpt_kinds[];

/* Whether a kind has to do with a process that has exited, or shares parts with another one. */
static inline bool ckpt_kind_concerns(const struct ckpt_kind *k, bool is_zombie, u32 shares)
{
	return (!is_zombie || k->zombies) && !(shares & k->part);
}

#define ckpt_for_each_kind(k, i) for ((i) = 0; ((k) = ckpt_kinds[i]); (i)++)

/**
 * ckpt_kind_of_type() - find the kind of a record type
 * @type: CKPT_REC_*
 *
 * Return: the kind, or NULL when none has it
 */
const struct ckpt_kind *ckpt_kind_of_type(u32 type);

#endif /* CKPT_KINDS_H */
