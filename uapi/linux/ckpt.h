/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/* The ioctls of /dev/ckpt: checkpoint and restart of Linux jobs. */
#ifndef _UAPI_LINUX_CKPT_H
#define _UAPI_LINUX_CKPT_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * DOC: General rules of the ckpt ioctls
 *
 * Every operation belongs to one open /dev/ckpt descriptor, its request. What the request froze
 * thaws and what it half restored dies when the opener closes it. A request serves one freeze or
 * one image.
 *
 * Each structure starts with its own size as the caller knows it. A shorter structure than the
 * kernel's is extended with zeros, a longer one is accepted when the surplus is zero. Flags that
 * are not defined and padding must be zero. All numbers are little endian, all times nanoseconds,
 * all sizes bytes unless a field says otherwise.
 *
 * Text that explains a refusal or failure is read from the descriptor with read(2): one message a
 * line, UTF-8, in the form "OBJECT: what: why". read(2) returns 0 when there is none; poll(2) tells
 * EPOLLIN.
 *
 * Errors that any of them may return:
 *
 * - ENOTTY: the ioctl number is not known
 * - EPERM: the caller lacks CAP_SYS_ADMIN in the initial user namespace
 * - EFAULT: a pointer is bad
 * - EINVAL: @size is smaller than the first version of the structure, or a value is out of its
 *   range
 * - E2BIG: the structure is longer than the kernel's and the surplus is not zero
 * - EOPNOTSUPP: an undefined flag or padding is not zero, or the job has state that cannot be
 *   saved; in the second case the messages name each obstacle
 * - EBUSY: the request already serves something else, or another ioctl of it is under way
 * - ENOMEM: out of memory
 * - EINTR: a signal arrived while waiting; nothing was done
 */

#define CKPT_IOC_TYPE 0xE1

enum {
	CKPT_CMD_INFO = 0x80,
	CKPT_CMD_FREEZE,
	CKPT_CMD_STATUS,
	CKPT_CMD_SAVE,
	CKPT_CMD_THAW,
	CKPT_CMD_KILL,
	CKPT_CMD_OPEN_IMAGE,
	CKPT_CMD_TASKS,
	CKPT_CMD_RESTORE,
	CKPT_CMD_WAIT,
	CKPT_CMD_RESTART_SIGNAL,
	CKPT_CMD_FINISH,
	CKPT_CMD_FAIL,
	CKPT_CMD_TIMER_ID,
};

/* Version of this interface; grows when an ioctl or a capability bit is added. */
#define CKPT_ABI_VERSION 1

/* Bits of struct ckpt_info.capabilities. */
#define CKPT_CAP_SAVE (1ULL << 0)
#define CKPT_CAP_RESTORE (1ULL << 1)
#define CKPT_CAP_RESTART_SIGNAL (1ULL << 2)

/**
 * struct ckpt_info - ioctl(CKPT_IOC_INFO)
 * @size: sizeof(struct ckpt_info)
 * @flags: must be 0
 * @abi_version: out: CKPT_ABI_VERSION of the module
 * @image_version: out: image format that the module writes
 * @capabilities: out: CKPT_CAP_* bits
 * @module_version: out: version of the module, a string that ends with NUL
 */
struct ckpt_info {
	__u32 size;
	__u32 flags;
	__u32 abi_version;
	__u32 image_version;
	__aligned_u64 capabilities;
	char module_version[32];
};

#define CKPT_IOC_INFO _IO(CKPT_IOC_TYPE, CKPT_CMD_INFO)

/* Values of struct ckpt_freeze.select: what @id names. */
enum {
	CKPT_SELECT_TREE, /* a process and all below it */
	CKPT_SELECT_PROCESS, /* one process */
	CKPT_SELECT_PGRP, /* a process group */
	CKPT_SELECT_SESSION, /* a session */
	CKPT_SELECT_CGROUP, /* descriptor of a cgroup v2 directory: it and those below it */
};

/**
 * struct ckpt_freeze - ioctl(CKPT_IOC_FREEZE)
 * @size: sizeof(struct ckpt_freeze)
 * @flags: must be 0
 * @select: CKPT_SELECT_*
 * @id: what @select says; PIDs are those of the caller's PID namespace
 * @timeout_ms: how long to wait for all threads to park, 1 to 600000; 0 stands for 10000
 * @nr_threads: out: threads of the job
 * @nr_processes: out: its processes, zombies too
 * @reserved: must be 0
 * @freeze_ns: out: time from the call until the last thread had parked
 *
 * Parks every thread of the job at the boundary to user mode. The job and its parent see no signal
 * and no change. It stays frozen until CKPT_IOC_THAW, CKPT_IOC_KILL or the close of the descriptor.
 * What the job makes while it is being frozen belongs to it. A child of vfork(2) runs on until it
 * has called execve(2) or exited.
 *
 * Errors: ESRCH no such process, process group or session, or no process in it; EINVAL a process is
 * a kernel thread, the caller itself or the init of its namespace; EBADF no descriptor of a cgroup;
 * ETIMEDOUT a thread did not park in time (the message names it); EOPNOTSUPP a thread is in a stop.
 * After any error the job runs as before.
 */
struct ckpt_freeze {
	__u32 size;
	__u32 flags;
	__u32 select;
	__s32 id;
	__u32 timeout_ms;
	__u32 nr_threads;
	__u32 nr_processes;
	__u32 reserved;
	__aligned_u64 freeze_ns;
};

#define CKPT_IOC_FREEZE _IO(CKPT_IOC_TYPE, CKPT_CMD_FREEZE)

/* Values of struct ckpt_status.state. */
enum {
	CKPT_STATE_IDLE,
	CKPT_STATE_FROZEN,
	CKPT_STATE_THAWED,
	CKPT_STATE_IMAGE,
	CKPT_STATE_RESTORING,
	CKPT_STATE_RESTORED,
	CKPT_STATE_FAILED,
};

/**
 * struct ckpt_status - ioctl(CKPT_IOC_STATUS)
 * @size: sizeof(struct ckpt_status)
 * @flags: must be 0
 * @state: out: CKPT_STATE_*
 * @nr_threads: out: threads of the frozen job or of the image
 * @error: out: negative errno of the restore that failed, else 0
 * @nr_processes: out: processes of the frozen job or of the image
 */
struct ckpt_status {
	__u32 size;
	__u32 flags;
	__u32 state;
	__u32 nr_threads;
	__s32 error;
	__u32 nr_processes;
};

#define CKPT_IOC_STATUS _IO(CKPT_IOC_TYPE, CKPT_CMD_STATUS)

/* Only look for obstacles: @fd must be -1, nothing is written. */
#define CKPT_SAVE_CHECK (1U << 0)

/**
 * struct ckpt_save - ioctl(CKPT_IOC_SAVE)
 * @size: sizeof(struct ckpt_save)
 * @flags: CKPT_SAVE_* bits
 * @fd: descriptor open for writing, the image is written from its current position on; a pipe will
 *	do
 * @nr_records: out: state records in the image
 * @image_bytes: out: bytes written
 * @nr_pages: out: pages of memory in the image
 * @write_ns: out: time of the whole call
 *
 * Needs a frozen job. All obstacles are found before the first byte is written; each is one
 * message. The caller makes the file valid in one step (temporary name, fsync, rename): after an
 * error what was written is worthless.
 *
 * Errors: EINVAL nothing is frozen; EBADF @fd is not open for writing; EOPNOTSUPP see the general
 * rules; EINTR a fatal signal; any error of write(2), such as ENOSPC.
 */
struct ckpt_save {
	__u32 size;
	__u32 flags;
	__s32 fd;
	__u32 nr_records;
	__aligned_u64 image_bytes;
	__aligned_u64 nr_pages;
	__aligned_u64 write_ns;
};

#define CKPT_IOC_SAVE _IO(CKPT_IOC_TYPE, CKPT_CMD_SAVE)

/**
 * struct ckpt_thaw - ioctl(CKPT_IOC_THAW)
 * @size: sizeof(struct ckpt_thaw)
 * @flags: must be 0
 *
 * Lets the frozen job run on. Errors: EINVAL nothing is frozen.
 */
struct ckpt_thaw {
	__u32 size;
	__u32 flags;
};

#define CKPT_IOC_THAW _IO(CKPT_IOC_TYPE, CKPT_CMD_THAW)

/**
 * struct ckpt_kill - ioctl(CKPT_IOC_KILL)
 * @size: sizeof(struct ckpt_kill)
 * @flags: must be 0
 * @signal: SIGKILL or SIGSTOP
 * @reserved: must be 0
 *
 * Sends the signal to the frozen job and thaws it: it dies or stops before it runs another
 * instruction. Returns once every thread has left the freezer, for SIGKILL towards its end.
 *
 * Errors: EINVAL nothing is frozen, or another signal.
 */
struct ckpt_kill {
	__u32 size;
	__u32 flags;
	__s32 signal;
	__u32 reserved;
};

#define CKPT_IOC_KILL _IO(CKPT_IOC_TYPE, CKPT_CMD_KILL)

/**
 * struct ckpt_open_image - ioctl(CKPT_IOC_OPEN_IMAGE)
 * @size: sizeof(struct ckpt_open_image)
 * @flags: must be 0
 * @fd: descriptor open for reading, the image starts at its current position; a pipe will do
 * @nr_tasks: out: tasks that the caller has to create, see CKPT_IOC_TASKS
 * @pid: out: PID that the first process had
 * @pgid: out: its process group
 * @sid: out: its session
 * @restart_signal: out: signal that the program asked for with CKPT_IOC_RESTART_SIGNAL, 0 when none
 * @generation: out: how many restores lie behind this image
 *
 * Reads and verifies everything but the pages of memory. Nothing is changed.
 *
 * Errors: EBADF @fd is not open for reading; EBADMSG the image is cut or damaged (the message names
 * the place); EINVAL not an image of ckpt; EOPNOTSUPP the image needs a feature, record, record
 * version or CPU state that this system lacks (named by the message).
 */
struct ckpt_open_image {
	__u32 size;
	__u32 flags;
	__s32 fd;
	__u32 nr_tasks;
	__s32 pid;
	__s32 pgid;
	__s32 sid;
	__u32 restart_signal;
	__aligned_u64 generation;
};

#define CKPT_IOC_OPEN_IMAGE _IO(CKPT_IOC_TYPE, CKPT_CMD_OPEN_IMAGE)

/**
 * struct ckpt_task - a task that a restore needs
 * @tid: its ID
 * @process: number of the process that it belongs to, from 1, the leader's entry first; 0: a
 *	process that holds a number which a process group or session goes by: it exits by itself
 */
struct ckpt_task {
	__s32 tid;
	__u32 process;
};

/**
 * struct ckpt_tasks - ioctl(CKPT_IOC_TASKS)
 * @size: sizeof(struct ckpt_tasks)
 * @flags: must be 0
 * @count: in: room at @tasks, in entries; out: tasks of the image
 * @reserved: must be 0
 * @tasks: address of an array of struct ckpt_task, in the order of the processes
 * @monotonic: out: what CLOCK_MONOTONIC said to the job when it was saved
 * @boottime: out: what CLOCK_BOOTTIME said
 * @monotonic_offset: out: what its time namespace had added to CLOCK_MONOTONIC
 * @boottime_offset: out: what its time namespace had added to CLOCK_BOOTTIME
 *
 * Errors: EINVAL no image is open; ENOSPC @count is too small (and tells how many there are).
 */
struct ckpt_tasks {
	__u32 size;
	__u32 flags;
	__u32 count;
	__u32 reserved;
	__aligned_u64 tasks;
	__aligned_u64 monotonic;
	__aligned_u64 boottime;
	__s64 monotonic_offset;
	__s64 boottime_offset;
};

#define CKPT_IOC_TASKS _IO(CKPT_IOC_TYPE, CKPT_CMD_TASKS)

/* Queue @signal instead of the one in the image; 0 queues none. */
#define CKPT_RESTORE_SIGNAL (1U << 0)
/*
 * The tasks are in a time namespace in which CLOCK_MONOTONIC and CLOCK_BOOTTIME go on from what
 * CKPT_IOC_TASKS told: timers expire at the same time by these clocks.
 */
#define CKPT_RESTORE_TIME (1U << 1)
/* All processes are stopped, as by SIGSTOP, before their first instruction; of the first task. */
#define CKPT_RESTORE_STOPPED (1U << 2)

/**
 * struct ckpt_restore - ioctl(CKPT_IOC_RESTORE)
 * @size: sizeof(struct ckpt_restore)
 * @flags: CKPT_RESTORE_* bits
 * @tid: task of the image that the caller becomes
 * @signal: with CKPT_RESTORE_SIGNAL: signal number, 0 to 64
 * @tty_fd: descriptor of the caller that stands for the controlling terminal of the saved job, or
 *	-1; only that of the first task counts
 * @reserved: must be 0
 *
 * Called by every task of CKPT_IOC_TASKS, with the ID that it has there, all signals blocked. The
 * tasks of one process are threads of one new, single-purpose process and share everything; all
 * processes are children of the caller of CKPT_IOC_OPEN_IMAGE. The call does not return on success:
 * the caller goes on as the saved thread. When any part fails all of them are killed. To one that
 * holds a number it returns EALREADY when it is no longer needed.
 *
 * Errors (before anything was changed): EINVAL no image is open, or signals are not blocked; ESRCH
 * the image has no such task; EALREADY the task is there already.
 */
struct ckpt_restore {
	__u32 size;
	__u32 flags;
	__s32 tid;
	__u32 signal;
	__s32 tty_fd;
	__u32 reserved;
};

#define CKPT_IOC_RESTORE _IO(CKPT_IOC_TYPE, CKPT_CMD_RESTORE)

/**
 * struct ckpt_wait - ioctl(CKPT_IOC_WAIT)
 * @size: sizeof(struct ckpt_wait)
 * @flags: must be 0
 * @error: out: 0 when the job runs, else the negative errno of the failure
 * @reserved: must be 0
 *
 * Waits until the restore of this request has succeeded or failed. Errors: EINVAL no image is open.
 */
struct ckpt_wait {
	__u32 size;
	__u32 flags;
	__s32 error;
	__u32 reserved;
};

#define CKPT_IOC_WAIT _IO(CKPT_IOC_TYPE, CKPT_CMD_WAIT)

/*
 * si_code of the signal that tells a program that it resumed from an image. si_int: the generation.
 */
#define CKPT_SI_RESTART (-75)

/**
 * struct ckpt_restart_signal - ioctl(CKPT_IOC_RESTART_SIGNAL)
 * @size: sizeof(struct ckpt_restart_signal)
 * @flags: must be 0
 * @signal: signal number, 1 to 64 but not SIGKILL and not SIGSTOP; 0 takes the wish back
 * @reserved: must be 0
 *
 * The calling process asks for a signal when it resumes from an image: queued to the process before
 * its first instruction, with si_code CKPT_SI_RESTART and the generation in si_int. The wish is
 * kept in images, not inherited by fork, and cleared by execve. The descriptor may be closed
 * afterwards.
 */
struct ckpt_restart_signal {
	__u32 size;
	__u32 flags;
	__u32 signal;
	__u32 reserved;
};

#define CKPT_IOC_RESTART_SIGNAL _IO(CKPT_IOC_TYPE, CKPT_CMD_RESTART_SIGNAL)

/**
 * struct ckpt_script_entry - one system call of a restore, made by the restored process itself
 * @nr: system call number
 * @args: its arguments
 * @result: what it returned
 *
 * CKPT_IOC_FINISH and CKPT_IOC_FAIL end such a script, CKPT_IOC_TIMER_ID in it sets the ID that the
 * next timer_create(2) returns, the argument; only the module's own code calls them,
 * anybody else gets EINVAL.
 */
struct ckpt_script_entry {
	__aligned_u64 nr;
	__aligned_u64 args[6];
	__aligned_u64 result;
};

#define CKPT_IOC_FINISH _IO(CKPT_IOC_TYPE, CKPT_CMD_FINISH)
#define CKPT_IOC_FAIL _IO(CKPT_IOC_TYPE, CKPT_CMD_FAIL)
#define CKPT_IOC_TIMER_ID _IO(CKPT_IOC_TYPE, CKPT_CMD_TIMER_ID)

#endif /* _UAPI_LINUX_CKPT_H */
