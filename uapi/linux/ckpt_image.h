/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/* The image of ckpt: an ELF core file whose notes of owner "CKPT" hold the state of the job. */
#ifndef _UAPI_LINUX_CKPT_IMAGE_H
#define _UAPI_LINUX_CKPT_IMAGE_H

#include <linux/types.h>

/**
 * DOC: Layout of an image
 *
 * An image is a little endian ELF64 file of type ET_CORE for x86-64, written in one pass:
 *
 * - offset 0: ELF header; e_phoff is 128
 * - offset 64: one section header; when there are 65535 or more program headers e_phnum is PN_XNUM
 *   and sh_info holds their number; else it is all zero and e_shoff too
 * - offset 128: program headers: PT_NOTE first, then one PT_LOAD for each run of stored pages
 *   that has an address in the first process, in order of address
 * - the notes: struct ckpt_image_meta first, then what belongs to the job, such as objects that
 *   processes share, then one process after the other, each with the records of a type in a row
 * - zeros up to a page boundary, then the stored pages in the order of the CKPT_REC_RUNS records
 * - the table of checksums: one __u32, the CRC32C of the page, for each stored page in the same
 *   order
 * - struct ckpt_image_trailer
 *
 * CRC32C is that of RFC 3720 with the initial value ~0 and without a final inversion.
 *
 * Each note has the name "CKPT" and a type CKPT_REC_*. Its descriptor is struct ckpt_rec followed
 * by the structure of that type. Structures are aligned to four bytes only. Text is UTF-8 as the
 * file system has it, ends with NUL and is padded with zeros to four bytes.
 */

/* Version of the format that this header describes. */
#define CKPT_IMAGE_VERSION 1
#define CKPT_IMAGE_PAGE_SIZE 4096
#define CKPT_IMAGE_PHOFF 128
#define CKPT_NOTE_NAME "CKPT"
/* Longest payload of a record, in bytes. */
#define CKPT_IMAGE_MAX_RECORD (64U << 20)

/*
 * Note types. Each structure is named in the comment; @n marks a record that may come any number of
 * times.
 */
enum {
	CKPT_REC_META = 0x434b0000, /* ckpt_image_meta, the first note */
	CKPT_REC_PROCESS, /* ckpt_image_process, one a process */
	CKPT_REC_THREAD, /* ckpt_image_thread, one a thread, the leader's first */
	CKPT_REC_XSTATE, /* ckpt_image_xstate, one a thread */
	CKPT_REC_CREDS, /* ckpt_image_creds, one a thread */
	CKPT_REC_SCHED, /* ckpt_image_sched, one a thread */
	CKPT_REC_SIGHAND, /* ckpt_image_sighand */
	CKPT_REC_SIGINFO, /* ckpt_image_siginfo, @n, in the order of the queue */
	CKPT_REC_RLIMITS, /* ckpt_image_rlimits */
	CKPT_REC_FS, /* ckpt_image_fs */
	CKPT_REC_FILE, /* ckpt_image_file, @n, one an open file description */
	CKPT_REC_PIPE, /* ckpt_image_pipe, @n, one a pipe */
	CKPT_REC_SHM, /* ckpt_image_shm, @n, one an object of shared memory */
	CKPT_REC_FD, /* ckpt_image_fd, @n, one a descriptor */
	CKPT_REC_LOCK, /* ckpt_image_lock, @n, one a file lock */
	CKPT_REC_MM, /* ckpt_image_mm */
	CKPT_REC_VMA, /* ckpt_image_vma, @n, in order of address */
	CKPT_REC_RUNS, /* ckpt_image_runs, @n */
	CKPT_REC_RESTART_SIGNAL, /* ckpt_image_restart_signal, absent when nobody asked */
	CKPT_REC_CPUTIME, /* ckpt_image_cputime, one a thread */
	CKPT_REC_USAGE, /* ckpt_image_usage */
	CKPT_REC_ITIMERS, /* ckpt_image_itimers */
	CKPT_REC_INHERIT, /* ckpt_image_inherit, absent when no page is that of another process */
	CKPT_REC_TIMER, /* ckpt_image_timer, @n, in order of their IDs */
	CKPT_REC_SYSV_SHM, /* ckpt_image_sysv_shm, @n, one a segment */
	CKPT_REC_SOCKET, /* ckpt_image_socket, @n, one a socket */
	CKPT_REC_MESSAGE, /* ckpt_image_message, @n, in the order of the queues */
	CKPT_REC_SHARE, /* ckpt_image_share, absent when the process shares nothing */
	CKPT_REC_STOP, /* ckpt_image_stop, absent when no stop is in force or pending */
	CKPT_REC_TTY, /* ckpt_image_tty, @n, one a pseudo-terminal */
	CKPT_REC_TERMINAL, /* ckpt_image_terminal, of the first process, or absent */
	CKPT_REC_SYSV_SEM, /* ckpt_image_sysv_sem, @n, one a set of semaphores */
	CKPT_REC_SYSV_UNDO, /* ckpt_image_sysv_undo, @n, one a set that has an undo of it */
	CKPT_REC_SYSV_MSG, /* ckpt_image_sysv_msg, @n, one a message queue */
	CKPT_REC_END, /* not a type: one past the last */
};

/* struct ckpt_rec.flags: a reader that does not know the type may ignore the record. */
#define CKPT_REC_COMPATIBLE (1U << 0)

/**
 * struct ckpt_rec - what every record starts with
 * @version: version of the structure that follows, from 1
 * @flags: CKPT_REC_COMPATIBLE or 0
 * @crc: CRC32C over the note type, this structure with @crc 0, and the rest of the record
 * @process: number of the process that the record belongs to, from 1; 0 for the job
 * @tid: thread that the record belongs to, 0 for the process
 * @id: number of the object that the record describes, from 1 and unique in the image, 0 for none
 */
struct ckpt_rec {
	__u16 version;
	__u16 flags;
	__u32 crc;
	__u32 process;
	__u32 tid;
	__u32 id;
} __attribute__((packed, aligned(4)));

/* struct ckpt_image_meta.incompatible: bits that a reader must know. None is defined so far. */
#define CKPT_INCOMPATIBLE_KNOWN 0ULL

/**
 * struct ckpt_image_meta - CKPT_REC_META
 * @format: CKPT_IMAGE_VERSION
 * @page_size: 4096
 * @incompatible: features without which the image cannot be restored
 * @compatible: features that may be ignored
 * @generation: restores that lie behind the job
 * @time: when the state of the job was taken, nanoseconds since the epoch, CLOCK_REALTIME
 * @nr_processes: processes
 * @nr_threads: threads of all of them
 * @nr_records: notes of owner "CKPT", this one included
 * @nr_pages: stored pages
 * @headers_crc: CRC32C over the file up to the notes
 * @monotonic: CLOCK_MONOTONIC of the machine at @time
 * @boottime: CLOCK_BOOTTIME of the machine at @time
 * @monotonic_offset: what the job's time namespace adds to @monotonic
 * @boottime_offset: what the job's time namespace adds to @boottime
 * @release: uname -r of the saving kernel
 * @host: host name
 */
struct ckpt_image_meta {
	__u32 format;
	__u32 page_size;
	__u64 incompatible;
	__u64 compatible;
	__u64 generation;
	__u64 time;
	__u32 nr_processes;
	__u32 nr_threads;
	__u32 nr_records;
	__u32 headers_crc;
	__u64 nr_pages;
	__u64 monotonic;
	__u64 boottime;
	__s64 monotonic_offset;
	__s64 boottime_offset;
	char release[64];
	char host[64];
} __attribute__((packed, aligned(4)));

#define CKPT_TRAILER_MAGIC "CKPTEND"

/**
 * struct ckpt_image_trailer - the last 48 bytes of an image
 * @magic: "CKPTEND" and NUL
 * @length: bytes of the whole image
 * @nr_pages: stored pages
 * @table_crc: CRC32C over the table of checksums
 * @notes_crc: CRC32C over the notes
 * @reserved: 0
 * @crc: CRC32C over this structure up to here
 */
struct ckpt_image_trailer {
	char magic[8];
	__u64 length;
	__u64 nr_pages;
	__u32 table_crc;
	__u32 notes_crc;
	__u32 reserved[3];
	__u32 crc;
} __attribute__((packed, aligned(4)));

/**
 * struct ckpt_image_run - stored pages that follow one another
 * @start: address of the first page in the process, or its offset in the object, in bytes
 * @nr_pages: pages, from 1
 * @object: id of the CKPT_REC_SHM object that they belong to, 0 for the memory of the process
 * @reserved: 0
 */
struct ckpt_image_run {
	__u64 start;
	__u64 nr_pages;
	__u32 object;
	__u32 reserved;
} __attribute__((packed, aligned(4)));

/**
 * struct ckpt_image_runs - CKPT_REC_RUNS
 * @nr_runs: runs that follow
 * @reserved: 0
 * @runs: the runs; those of one process or object in order of address and without overlap
 *
 * The record of the job holds the pages of objects, those of a process the pages of its memory.
 */
struct ckpt_image_runs {
	__u32 nr_runs;
	__u32 reserved;
	struct ckpt_image_run runs[];
} __attribute__((packed, aligned(4)));

/* --- threads and process --- */

/* struct ckpt_image_process.flags */
#define CKPT_PROCESS_SUBREAPER (1U << 0) /* orphans below it become its children */
#define CKPT_PROCESS_ZOMBIE (1U << 1) /* it has exited; its parent has not waited for it yet */
#define CKPT_PROCESS_PGRP_OUTSIDE (1U << 2) /* its process group has members outside of the job */
#define CKPT_PROCESS_SESSION_OUTSIDE (1U << 3) /* its session too */
#define CKPT_PROCESS_EXECED (1U << 4) /* called execve since its parent made it: no setpgid */

/**
 * struct ckpt_image_process - CKPT_REC_PROCESS
 * @pid: thread group ID
 * @pgid: process group
 * @sid: session
 * @flags: CKPT_PROCESS_* bits
 * @oom_score_adj: /proc/PID/oom_score_adj, -1000 to 1000
 * @oom_score_adj_min: smallest value that @oom_score_adj may get without privilege
 * @parent: number of the process that is its parent, 0 when that is outside of the job
 * @exit_signal: what its parent gets when it ends, 0 to 64
 * @exit_code: CKPT_PROCESS_ZOMBIE: its status as wait4(2) tells it
 * @tty: id of the CKPT_REC_TTY that is its controlling terminal, else 0
 * @comm: CKPT_PROCESS_ZOMBIE: its name, ends with NUL
 */
struct ckpt_image_process {
	__s32 pid;
	__s32 pgid;
	__s32 sid;
	__u32 flags;
	__s32 oom_score_adj;
	__s32 oom_score_adj_min;
	__u32 parent;
	__u32 exit_signal;
	__u32 exit_code;
	__u32 tty;
	char comm[16];
} __attribute__((packed, aligned(4)));

/**
 * struct ckpt_image_regs - general registers, as in struct user_regs_struct
 * @r15: general register
 * @r14: general register
 * @r13: general register
 * @r12: general register
 * @bp: frame pointer
 * @bx: general register
 * @r11: general register
 * @r10: general register
 * @r9: general register
 * @r8: general register
 * @ax: result of the system call; -512, -513, -514 and -516 stand for one that is to be restarted
 * @cx: general register
 * @dx: general register
 * @si: general register
 * @di: general register
 * @orig_ax: number of the system call, -1 outside of one
 * @ip: address of the next instruction, behind the one of the system call
 * @cs: code segment, 0x33
 * @flags: flags
 * @sp: stack pointer
 * @ss: stack segment, 0x2b
 * @fs_base: base of fs
 * @gs_base: base of gs
 * @ds: data segment, 0 or 0x2b
 * @es: extra segment, 0 or 0x2b
 * @fs: segment, 0
 * @gs: segment, 0
 */
struct ckpt_image_regs {
	__u64 r15;
	__u64 r14;
	__u64 r13;
	__u64 r12;
	__u64 bp;
	__u64 bx;
	__u64 r11;
	__u64 r10;
	__u64 r9;
	__u64 r8;
	__u64 ax;
	__u64 cx;
	__u64 dx;
	__u64 si;
	__u64 di;
	__u64 orig_ax;
	__u64 ip;
	__u64 cs;
	__u64 flags;
	__u64 sp;
	__u64 ss;
	__u64 fs_base;
	__u64 gs_base;
	__u64 ds;
	__u64 es;
	__u64 fs;
	__u64 gs;
} __attribute__((packed, aligned(4)));

/* Values of struct ckpt_image_restart.kind. */
enum {
	CKPT_RESTART_NONE,
	CKPT_RESTART_NANOSLEEP,
	CKPT_RESTART_FUTEX,
	CKPT_RESTART_POLL,
	CKPT_RESTART_OTHER, /* not in images: the save refuses it */
};

/* struct ckpt_image_restart.flags */
#define CKPT_RESTART_TIMEOUT (1U << 0) /* there is a time limit */
#define CKPT_RESTART_ABSOLUTE (1U << 1) /* @time is a point in time of @clock */
#define CKPT_RESTART_SHARED (1U << 2) /* futex: not FUTEX_PRIVATE_FLAG */

/**
 * struct ckpt_image_restart - what an interrupted system call needs to go on (result -516)
 * @kind: CKPT_RESTART_*
 * @flags: CKPT_RESTART_* bits
 * @clock: CLOCK_* of @time
 * @value: futex: value expected; poll: number of descriptors
 * @bitset: futex: bits waited for
 * @reserved: 0
 * @address: futex: the word; poll: the array; nanosleep: where the remainder goes, 0 for nowhere
 * @time: nanoseconds: what was left, or with CKPT_RESTART_ABSOLUTE when it ends
 */
struct ckpt_image_restart {
	__u32 kind;
	__u32 flags;
	__u32 clock;
	__u32 value;
	__u32 bitset;
	__u32 reserved;
	__u64 address;
	__u64 time;
} __attribute__((packed, aligned(4)));

/**
 * struct ckpt_image_thread - CKPT_REC_THREAD
 * @regs: general registers
 * @restart: the interrupted system call
 * @blocked: signal mask; bit 0 is signal 1
 * @altstack_sp: sigaltstack: address
 * @altstack_size: its size, 0 for none
 * @clear_child_tid: address that is cleared when the thread ends, 0 for none
 * @robust_list: list of robust futexes, 0 for none
 * @rseq: address of the struct rseq that is registered, 0 for none
 * @rseq_len: its length
 * @rseq_sig: its signature
 * @altstack_flags: sigaltstack: SS_* flags
 * @personality: personality(2)
 * @pdeath_signal: prctl(PR_SET_PDEATHSIG)
 * @reserved: 0
 * @timer_slack: prctl(PR_SET_TIMERSLACK), nanoseconds
 * @default_timer_slack: what it becomes when 0 is asked for, nanoseconds
 * @comm: name, ends with NUL
 */
struct ckpt_image_thread {
	struct ckpt_image_regs regs;
	struct ckpt_image_restart restart;
	__u64 blocked;
	__u64 altstack_sp;
	__u64 altstack_size;
	__u64 clear_child_tid;
	__u64 robust_list;
	__u64 rseq;
	__u32 rseq_len;
	__u32 rseq_sig;
	__u32 altstack_flags;
	__u32 personality;
	__u32 pdeath_signal;
	__u32 reserved;
	__u64 timer_slack;
	__u64 default_timer_slack;
	char comm[16];
} __attribute__((packed, aligned(4)));

/**
 * struct ckpt_image_xstate_part - one component of the extended registers
 * @feature: number of its bit in XCR0, from 2
 * @offset: where it begins, counted from the legacy area, in bytes
 * @size: bytes
 * @reserved: 0
 */
struct ckpt_image_xstate_part {
	__u32 feature;
	__u32 offset;
	__u32 size;
	__u32 reserved;
} __attribute__((packed, aligned(4)));

/* struct ckpt_image_xstate.size at least: the legacy area of FXSAVE and the XSAVE header. */
#define CKPT_XSTATE_MIN_SIZE 576
#define CKPT_XSTATE_MAX_SIZE 65536
#define CKPT_XSTATE_MAX_PARTS 62

/**
 * struct ckpt_image_xstate - CKPT_REC_XSTATE
 * @features: components that are not in their initial state, bits of XCR0: XSTATE_BV
 * @nr_parts: components in use beyond x87 and SSE
 * @size: bytes of the area, a multiple of 8
 * @parts: the components in use, in the order of their bits; behind them the area, in the
 *	uncompacted layout of XSAVE
 */
struct ckpt_image_xstate {
	__u64 features;
	__u32 nr_parts;
	__u32 size;
	struct ckpt_image_xstate_part parts[];
} __attribute__((packed, aligned(4)));

/**
 * struct ckpt_image_cpu_times - CPU time, nanoseconds
 * @user: in user mode, as the timer tick samples it
 * @system: in the kernel, likewise
 * @guest: the part of @user in which a virtual machine ran
 * @runtime: all of it as the scheduler measures it
 * @told_user: user time that getrusage(2) has told; it tells never less
 * @told_system: system time, likewise
 */
struct ckpt_image_cpu_times {
	__u64 user;
	__u64 system;
	__u64 guest;
	__u64 runtime;
	__u64 told_user;
	__u64 told_system;
} __attribute__((packed, aligned(4)));

/**
 * struct ckpt_image_events - what else getrusage(2) counts
 * @voluntary_switches: context switches because of waiting
 * @other_switches: context switches because of others
 * @minor_faults: page faults without input
 * @major_faults: page faults with input
 */
struct ckpt_image_events {
	__u64 voluntary_switches;
	__u64 other_switches;
	__u64 minor_faults;
	__u64 major_faults;
} __attribute__((packed, aligned(4)));

/* Longest CPU time in an image, in nanoseconds: 36 years. */
#define CKPT_CPU_TIME_MAX (1ULL << 60)

/**
 * struct ckpt_image_cputime - CKPT_REC_CPUTIME, of a thread
 * @times: its CPU time; @user and @system of all threads and of CKPT_REC_USAGE together are at most
 *	CKPT_CPU_TIME_MAX
 * @events: its counts
 * @start: when it began, by CLOCK_BOOTTIME as the job sees it, nanoseconds
 */
struct ckpt_image_cputime {
	struct ckpt_image_cpu_times times;
	struct ckpt_image_events events;
	__u64 start;
} __attribute__((packed, aligned(4)));

/**
 * struct ckpt_image_usage - CKPT_REC_USAGE
 * @ended: of the threads that have ended; the @told members are those of the process
 * @children: of the children that were waited for; the @told members are 0
 * @ended_events: of the threads that have ended
 * @children_events: of the children that were waited for
 * @clock_user: user time of the process by the clock that its timers go by
 * @clock_system: system time, likewise
 * @clock_runtime: CLOCK_PROCESS_CPUTIME_ID, likewise
 */
struct ckpt_image_usage {
	struct ckpt_image_cpu_times ended;
	struct ckpt_image_cpu_times children;
	struct ckpt_image_events ended_events;
	struct ckpt_image_events children_events;
	__u64 clock_user;
	__u64 clock_system;
	__u64 clock_runtime;
} __attribute__((packed, aligned(4)));

/* struct ckpt_image_creds.flags: prctl(PR_SET_NO_NEW_PRIVS). */
#define CKPT_CREDS_NO_NEW_PRIVS (1U << 0)
#define CKPT_CREDS_MAX_GROUPS 65536

/**
 * struct ckpt_image_creds - CKPT_REC_CREDS; all IDs as the initial user namespace has them
 * @uid: real user ID
 * @gid: real group ID
 * @suid: saved set-user-ID
 * @sgid: saved set-group-ID
 * @euid: effective user ID
 * @egid: effective group ID
 * @fsuid: user ID for file access
 * @fsgid: group ID for file access
 * @securebits: SECBIT_* bits
 * @flags: CKPT_CREDS_* bits
 * @cap_inheritable: capabilities, bit n is capability n
 * @cap_permitted: capabilities
 * @cap_effective: capabilities
 * @cap_bset: capability bounding set
 * @cap_ambient: capabilities
 * @nr_groups: supplementary groups that follow
 * @reserved: 0
 * @groups: supplementary groups, ascending
 */
struct ckpt_image_creds {
	__u32 uid;
	__u32 gid;
	__u32 suid;
	__u32 sgid;
	__u32 euid;
	__u32 egid;
	__u32 fsuid;
	__u32 fsgid;
	__u32 securebits;
	__u32 flags;
	__u64 cap_inheritable;
	__u64 cap_permitted;
	__u64 cap_effective;
	__u64 cap_bset;
	__u64 cap_ambient;
	__u32 nr_groups;
	__u32 reserved;
	__u32 groups[];
} __attribute__((packed, aligned(4)));

/* struct ckpt_image_sched.flags */
#define CKPT_SCHED_RESET_ON_FORK (1U << 0)
#define CKPT_SCHED_RECLAIM (1U << 1) /* SCHED_DEADLINE: SCHED_FLAG_RECLAIM */
#define CKPT_SCHED_DL_OVERRUN (1U << 2) /* SCHED_DEADLINE: SCHED_FLAG_DL_OVERRUN */
#define CKPT_SCHED_AFFINITY (1U << 3) /* sched_setaffinity was called: @cpus holds */
#define CKPT_SCHED_MAX_CPU_WORDS 128

/**
 * struct ckpt_image_sched - CKPT_REC_SCHED
 * @policy: SCHED_*
 * @flags: CKPT_SCHED_* bits
 * @nice: -20 to 19
 * @priority: 1 to 99 with SCHED_FIFO and SCHED_RR, else 0
 * @runtime: SCHED_DEADLINE: nanoseconds; other policies: slice that was asked for, 0 for none
 * @deadline: SCHED_DEADLINE: nanoseconds
 * @period: SCHED_DEADLINE: nanoseconds
 * @ioprio: ioprio_set(2), 0 when it follows from @nice
 * @nr_cpu_words: words that follow
 * @cpus: CPUs that sched_setaffinity(2) allowed; bit 0 of the first word is CPU 0
 */
struct ckpt_image_sched {
	__u32 policy;
	__u32 flags;
	__s32 nice;
	__u32 priority;
	__u64 runtime;
	__u64 deadline;
	__u64 period;
	__u32 ioprio;
	__u32 nr_cpu_words;
	__u64 cpus[];
} __attribute__((packed, aligned(4)));

/* Signals are numbered from 1 to this. */
#define CKPT_NR_SIGNALS 64

/**
 * struct ckpt_image_sigaction - what a signal does
 * @handler: address, 0 for SIG_DFL, 1 for SIG_IGN
 * @flags: SA_* bits
 * @restorer: address
 * @mask: signals blocked meanwhile; bit 0 is signal 1
 */
struct ckpt_image_sigaction {
	__u64 handler;
	__u64 flags;
	__u64 restorer;
	__u64 mask;
} __attribute__((packed, aligned(4)));

/**
 * struct ckpt_image_sighand - CKPT_REC_SIGHAND
 * @actions: of signal 1 to 64
 */
struct ckpt_image_sighand {
	struct ckpt_image_sigaction actions[CKPT_NR_SIGNALS];
} __attribute__((packed, aligned(4)));

/* struct ckpt_image_siginfo.flags: sent by the CKPT_REC_TIMER that @info names. */
#define CKPT_SIGINFO_TIMER (1U << 0)

/**
 * struct ckpt_image_siginfo - CKPT_REC_SIGINFO, of the thread that the record names or of all
 * @info: a pending signal, siginfo_t of the x86-64 ABI
 * @flags: CKPT_SIGINFO_* bits
 * @reserved: 0
 */
struct ckpt_image_siginfo {
	__u8 info[128];
	__u32 flags;
	__u32 reserved;
} __attribute__((packed, aligned(4)));

/* Bytes in a queue of a terminal, and in what waits for room there. */
#define CKPT_TTY_QUEUE 4096
#define CKPT_TTY_MAX_WAITING 65536

/* struct ckpt_image_tty_end.flags */
#define CKPT_TTY_END_LNEXT (1U << 0) /* the next character is taken as it is */
#define CKPT_TTY_END_ERASING (1U << 1) /* characters are being erased */
#define CKPT_TTY_END_PUSH (1U << 2) /* the queue was cut as canonical mode was switched on */
#define CKPT_TTY_END_EXCLUSIVE (1U << 3) /* TIOCEXCL */
#define CKPT_TTY_END_STOPPED (1U << 4) /* output stopped: Ctrl-S */
#define CKPT_TTY_END_STOPPED_BY_PROGRAM (1U << 5) /* output stopped: tcflow(TCOOFF) */
#define CKPT_TTY_END_CLOSED (1U << 6) /* slave: the last who had it open has closed it */

/**
 * struct ckpt_image_termios - settings of a terminal, see termios(3)
 * @iflag: c_iflag
 * @oflag: c_oflag
 * @cflag: c_cflag
 * @lflag: c_lflag
 * @line: c_line
 * @cc: c_cc
 * @ispeed: bits per second
 * @ospeed: bits per second
 */
struct ckpt_image_termios {
	__u32 iflag;
	__u32 oflag;
	__u32 cflag;
	__u32 lflag;
	__u8 line;
	__u8 cc[19];
	__u32 ispeed;
	__u32 ospeed;
} __attribute__((packed, aligned(4)));

/**
 * struct ckpt_image_tty_end - one end of a pseudo-terminal
 * @termios: settings; line discipline 0
 * @locked: settings that are locked (TIOCSLCKTRMIOS)
 * @flags: CKPT_TTY_END_* bits
 * @nr_read: bytes that can be read here, or will be when the line ends; at most CKPT_TTY_QUEUE
 * @nr_canon: of these, bytes of whole lines
 * @nr_committed: of these, bytes that can be read without canonical mode
 * @nr_echo: bytes in the queue of echoes, in the kernel's coding; at most CKPT_TTY_QUEUE
 * @nr_echo_committed: of these, bytes about to be written
 * @nr_echo_marked: of these, bytes to be written next
 * @nr_waiting: bytes from the other end that wait for room; at most CKPT_TTY_MAX_WAITING
 * @column: of the cursor
 * @canon_column: where the line began
 */
struct ckpt_image_tty_end {
	struct ckpt_image_termios termios;
	struct ckpt_image_termios locked;
	__u32 flags;
	__u32 nr_read;
	__u32 nr_canon;
	__u32 nr_committed;
	__u32 nr_echo;
	__u32 nr_echo_committed;
	__u32 nr_echo_marked;
	__u32 nr_waiting;
	__u32 column;
	__u32 canon_column;
} __attribute__((packed, aligned(4)));

/* struct ckpt_image_tty.flags */
#define CKPT_TTY_LOCKED (1U << 0) /* TIOCSPTLCK: the slave cannot be opened yet */
#define CKPT_TTY_PACKET (1U << 1) /* TIOCPKT */

/**
 * struct ckpt_image_tty - CKPT_REC_TTY, a pseudo-terminal with both ends in the job
 * @index: its number, as in /dev/pts
 * @flags: CKPT_TTY_* bits
 * @packet_status: what the master reads next in packet mode, TIOCPKT_* bits, 0 for nothing
 * @session: session whose controlling terminal it is, 0 for none
 * @foreground: its foreground process group, 0 for none
 * @uid: owner of the slave
 * @gid: group of the slave
 * @mode: permissions of the slave
 * @reserved: 0
 * @rows: window size
 * @columns: window size
 * @width: window size, pixels
 * @height: window size, pixels
 * @ends: master, slave
 * @data: of the master, then of the slave: what can be read, a byte 1 for each of it that ends a
 *	line and 0 for the others, the echoes, what waits
 */
struct ckpt_image_tty {
	__u32 index;
	__u32 flags;
	__u32 packet_status;
	__s32 session;
	__s32 foreground;
	__u32 uid;
	__u32 gid;
	__u32 mode;
	__u32 reserved;
	__u16 rows;
	__u16 columns;
	__u16 width;
	__u16 height;
	struct ckpt_image_tty_end ends[2];
	__u8 data[];
} __attribute__((packed, aligned(4)));

/**
 * struct ckpt_image_terminal - CKPT_REC_TERMINAL, a controlling pseudo-terminal that is outside
 * @termios: its settings
 * @foreground: its foreground process group, 0 for none and for one of another PID namespace
 * @rows: window size
 * @columns: window size
 */
struct ckpt_image_terminal {
	struct ckpt_image_termios termios;
	__s32 foreground;
	__u16 rows;
	__u16 columns;
} __attribute__((packed, aligned(4)));

/* struct ckpt_image_stop.flags */
#define CKPT_STOP_STOPPED (1U << 0) /* by a stop signal */
#define CKPT_STOP_STOPPING (1U << 1) /* not all threads have stopped; the parent is told then */
#define CKPT_STOP_CONTINUED (1U << 2) /* SIGCONT came, wait(2) can tell so */
#define CKPT_STOP_TELL_STOPPED (1U << 3) /* the parent is yet to be told that it stopped */
#define CKPT_STOP_TELL_CONTINUED (1U << 4) /* the parent is yet to be told that it continued */
#define CKPT_STOP_PENDING (1U << 5) /* SIGSTOP is pending */

/**
 * struct ckpt_image_stop - CKPT_REC_STOP
 * @flags: CKPT_STOP_* bits
 * @signal: the signal that stopped it, or 0
 * @code: the same until the parent has got this status from wait(2), then 0
 * @reserved: 0
 */
struct ckpt_image_stop {
	__u32 flags;
	__u32 signal;
	__u32 code;
	__u32 reserved;
} __attribute__((packed, aligned(4)));

/**
 * struct ckpt_image_itimer - an interval timer
 * @expires: when it expires by its clock, nanoseconds
 * @interval: how often then, nanoseconds; 0 for once
 */
struct ckpt_image_itimer {
	__u64 expires;
	__u64 interval;
} __attribute__((packed, aligned(4)));

/* struct ckpt_image_itimers.flags: @real runs; without it only its interval counts. */
#define CKPT_ITIMERS_REAL (1U << 0)

/**
 * struct ckpt_image_itimers - CKPT_REC_ITIMERS
 * @real: ITIMER_REAL, by CLOCK_MONOTONIC of the saving machine; an interval without
 *	CKPT_ITIMERS_REAL waits for SIGALRM to be taken, and counts on from @expires
 * @virtual: ITIMER_VIRTUAL, by the user time of the process; does not run when @expires is 0
 * @prof: ITIMER_PROF, by user and system time of the process, likewise
 * @flags: CKPT_ITIMERS_* bits
 * @next_timer: ID that timer_create(2) tries next
 */
struct ckpt_image_itimers {
	struct ckpt_image_itimer real;
	struct ckpt_image_itimer virtual;
	struct ckpt_image_itimer prof;
	__u32 flags;
	__u32 next_timer;
} __attribute__((packed, aligned(4)));

/* struct ckpt_image_timer.flags */
#define CKPT_TIMER_ARMED (1U << 0) /* it runs */
#define CKPT_TIMER_REARM (1U << 1) /* it runs again once its pending signal is taken */

/**
 * struct ckpt_image_timer - CKPT_REC_TIMER
 * @id: what timer_create(2) returned
 * @clock: CLOCK_* that it was made for; a negative one is of CPU time
 * @base: clock that @expires goes by; for CLOCK_REALTIME that is CLOCK_MONOTONIC when the time was
 *	relative
 * @notify: SIGEV_*
 * @signal: signal number, 1 to 64 unless @notify is SIGEV_NONE
 * @target: SIGEV_THREAD_ID: thread that gets the signals, else 0
 * @value: value that comes with the signals
 * @expires: when it expires, or expired last, nanoseconds; by CLOCK_MONOTONIC or CLOCK_BOOTTIME of
 *	the saving machine; a point in time by other clocks
 * @interval: how often then, nanoseconds, 0 for once
 * @overrun: overruns of the signal that comes next; -1 before the first
 * @last_overrun: timer_getoverrun(2)
 * @cpu_target: thread or process whose CPU time is meant, else 0
 * @flags: CKPT_TIMER_* bits
 */
struct ckpt_image_timer {
	__u32 id;
	__s32 clock;
	__s32 base;
	__u32 notify;
	__s32 signal;
	__u32 target;
	__u64 value;
	__u64 expires;
	__u64 interval;
	__s64 overrun;
	__s64 last_overrun;
	__u32 cpu_target;
	__u32 flags;
} __attribute__((packed, aligned(4)));

#define CKPT_NR_RLIMITS 16

/**
 * struct ckpt_image_rlimit - a resource limit
 * @cur: soft limit, ~0 for none
 * @max: hard limit, ~0 for none
 */
struct ckpt_image_rlimit {
	__u64 cur;
	__u64 max;
} __attribute__((packed, aligned(4)));

/**
 * struct ckpt_image_rlimits - CKPT_REC_RLIMITS
 * @limits: by RLIMIT_*
 */
struct ckpt_image_rlimits {
	struct ckpt_image_rlimit limits[CKPT_NR_RLIMITS];
} __attribute__((packed, aligned(4)));

/**
 * struct ckpt_image_restart_signal - CKPT_REC_RESTART_SIGNAL
 * @signal: what ioctl(CKPT_IOC_RESTART_SIGNAL) asked for, 1 to 64
 * @reserved: 0
 */
struct ckpt_image_restart_signal {
	__u32 signal;
	__u32 reserved;
} __attribute__((packed, aligned(4)));

/* --- descriptors --- */

/* Descriptors are below this. */
#define CKPT_FD_MAX (1U << 27)
/* struct ckpt_image_fd.flags */
#define CKPT_FD_CLOEXEC (1U << 0)

/**
 * struct ckpt_image_fd - CKPT_REC_FD, in ascending order of @fd
 * @fd: the descriptor
 * @flags: CKPT_FD_* bits
 * @file: id of the CKPT_REC_FILE that it refers to
 * @reserved: 0
 */
struct ckpt_image_fd {
	__u32 fd;
	__u32 flags;
	__u32 file;
	__u32 reserved;
} __attribute__((packed, aligned(4)));

/* Values of struct ckpt_image_file.type. */
enum {
	CKPT_FILE_REGULAR = 1,
	CKPT_FILE_DIRECTORY,
	CKPT_FILE_DEVICE, /* character device without state: null, zero, full, random, urandom */
	CKPT_FILE_TTY, /* the controlling terminal */
	CKPT_FILE_PIPE,
	CKPT_FILE_SHM, /* memfd */
	CKPT_FILE_EVENTFD, /* ckpt_image_eventfd */
	CKPT_FILE_TIMERFD, /* ckpt_image_timerfd */
	CKPT_FILE_SIGNALFD, /* ckpt_image_signalfd */
	CKPT_FILE_EPOLL, /* ckpt_image_epoll */
	CKPT_FILE_SOCKET,
	CKPT_FILE_PTMX, /* master of a pseudo-terminal */
	CKPT_FILE_PTS, /* its other end, by the name of it or as /dev/tty */
};

/**
 * struct ckpt_image_file - CKPT_REC_FILE
 * @type: CKPT_FILE_*
 * @flags: open(2) flags: access mode, O_APPEND, O_NONBLOCK, O_SYNC...
 * @position: file position
 * @size: CKPT_FILE_REGULAR: bytes in the file
 * @mtime: CKPT_FILE_REGULAR: when it was modified, nanoseconds since the epoch
 * @object: CKPT_FILE_PIPE, CKPT_FILE_SHM and CKPT_FILE_SOCKET: id of the CKPT_REC_PIPE,
 *	CKPT_REC_SHM or CKPT_REC_SOCKET, else 0
 * @major: CKPT_FILE_DEVICE: major number
 * @minor: CKPT_FILE_DEVICE: minor number
 * @object: CKPT_FILE_PIPE, CKPT_FILE_SHM, CKPT_FILE_PTMX and CKPT_FILE_PTS: id of the
 * CKPT_REC_PIPE,
 *	CKPT_REC_SHM or CKPT_REC_TTY, else 0
 * @major: CKPT_FILE_DEVICE, CKPT_FILE_PTMX and CKPT_FILE_PTS: major number
 * @minor: the same: minor number
 * @path_len: bytes of @path, with the NUL at its end
 * @path: absolute path; of types that have none the name for messages. Behind it, padded to four
 *	bytes, is the structure of the type, if there is one for it
 */
struct ckpt_image_file {
	__u32 type;
	__u32 flags;
	__u64 position;
	__u64 size;
	__s64 mtime;
	__u32 object;
	__u32 major;
	__u32 minor;
	__u32 path_len;
	char path[];
} __attribute__((packed, aligned(4)));

/* struct ckpt_image_eventfd.flags: EFD_SEMAPHORE. */
#define CKPT_EVENTFD_SEMAPHORE (1U << 0)

/**
 * struct ckpt_image_eventfd - own structure of a CKPT_FILE_EVENTFD
 * @count: the counter
 * @flags: CKPT_EVENTFD_* bits
 * @reserved: 0
 */
struct ckpt_image_eventfd {
	__u64 count;
	__u32 flags;
	__u32 reserved;
} __attribute__((packed, aligned(4)));

/* struct ckpt_image_timerfd.flags */
#define CKPT_TIMERFD_ABSOLUTE (1U << 0) /* TFD_TIMER_ABSTIME: @value is a point in time */
#define CKPT_TIMERFD_CANCEL_ON_SET (1U << 1) /* TFD_TIMER_CANCEL_ON_SET */

/**
 * struct ckpt_image_timerfd - own structure of a CKPT_FILE_TIMERFD
 * @clock: CLOCK_*
 * @flags: CKPT_TIMERFD_* bits, as at the last timerfd_settime(2)
 * @value: nanoseconds until the next expiration, or with CKPT_TIMERFD_ABSOLUTE when it is; 0: none
 * @interval: nanoseconds between expirations, 0 for none
 * @ticks: expirations that nobody has read yet
 */
struct ckpt_image_timerfd {
	__u32 clock;
	__u32 flags;
	__u64 value;
	__u64 interval;
	__u64 ticks;
} __attribute__((packed, aligned(4)));

/**
 * struct ckpt_image_signalfd - own structure of a CKPT_FILE_SIGNALFD
 * @mask: signals that it reads; bit 0 is signal 1
 */
struct ckpt_image_signalfd {
	__u64 mask;
} __attribute__((packed, aligned(4)));

/**
 * struct ckpt_image_epoll_item - what an epoll watches
 * @fd: descriptor by which it was added; by now it may be that of another file, or of none
 * @events: EPOLL* bits; only flags when EPOLLONESHOT has disarmed it
 * @data: what epoll_wait(2) returns with its events
 * @file: id of the CKPT_REC_FILE that it watches
 * @ready: its place in the list of what is ready, from 1; 0: it is not in it
 */
struct ckpt_image_epoll_item {
	__u32 fd;
	__u32 events;
	__u64 data;
	__u32 file;
	__u32 ready;
} __attribute__((packed, aligned(4)));

/**
 * struct ckpt_image_epoll - own structure of a CKPT_FILE_EPOLL
 * @nr_items: items that follow
 * @reserved: 0
 * @items: what it watches
 */
struct ckpt_image_epoll {
	__u32 nr_items;
	__u32 reserved;
	struct ckpt_image_epoll_item items[];
} __attribute__((packed, aligned(4)));

/* struct ckpt_image_pipe_buffer.flags */
#define CKPT_PIPE_PACKET (1U << 0) /* read(2) ends at its end: O_DIRECT */
#define CKPT_PIPE_MERGE (1U << 1) /* the next write may go on in its page */

/**
 * struct ckpt_image_pipe_buffer - one buffer of a pipe
 * @len: bytes in it, 1 to 4096
 * @flags: CKPT_PIPE_* bits
 */
struct ckpt_image_pipe_buffer {
	__u32 len;
	__u32 flags;
} __attribute__((packed, aligned(4)));

#define CKPT_PIPE_MAX_SLOTS (1U << 19)

/**
 * struct ckpt_image_pipe - CKPT_REC_PIPE
 * @nr_slots: buffers that it has room for, a power of two; F_GETPIPE_SZ tells 4096 times that
 * @nr_buffers: buffers that follow
 * @uid: owner
 * @gid: group
 * @mode: permission bits
 * @reserved: 0
 * @buffers: its buffers, the one that is read first at the front; behind them their bytes
 */
struct ckpt_image_pipe {
	__u32 nr_slots;
	__u32 nr_buffers;
	__u32 uid;
	__u32 gid;
	__u32 mode;
	__u32 reserved;
	struct ckpt_image_pipe_buffer buffers[];
} __attribute__((packed, aligned(4)));

/* --- sockets --- */

/* struct ckpt_image_socket.flags: its place among other sockets */
#define CKPT_SOCKET_BOUND (1U << 0) /* it is found by its name */
#define CKPT_SOCKET_LISTENS (1U << 1) /* listen(2) was called */
#define CKPT_SOCKET_PENDING (1U << 2) /* a connection that nobody has accepted yet */
#define CKPT_SOCKET_CLOSED (1U << 3) /* gone: others were connected to it, or have its messages */
#define CKPT_SOCKET_CONNECTED (1U << 4) /* connected to @peer, or to @remote */
#define CKPT_SOCKET_FLAGS 0x1fU

/* struct ckpt_image_socket.options: options of SOL_SOCKET that are on or off, by SO_* name */
#define CKPT_SO_PASSCRED (1U << 0)
#define CKPT_SO_PASSPIDFD (1U << 1)
#define CKPT_SO_OOBINLINE (1U << 2)
#define CKPT_SO_KEEPALIVE (1U << 3)
#define CKPT_SO_LINGER (1U << 4)
#define CKPT_SO_BROADCAST (1U << 5)
#define CKPT_SO_DEBUG (1U << 6)
#define CKPT_SO_TIMESTAMP (1U << 7)
#define CKPT_SO_TIMESTAMPNS (1U << 8)
#define CKPT_SO_TIMESTAMP_NEW (1U << 9) /* asked for by SO_TIMESTAMP_NEW or SO_TIMESTAMPNS_NEW */
#define CKPT_SO_DONTROUTE (1U << 10)
#define CKPT_SO_RXQ_OVFL (1U << 11)
#define CKPT_SO_WIFI_STATUS (1U << 12)
#define CKPT_SO_NOFCS (1U << 13)
#define CKPT_SO_SELECT_ERR_QUEUE (1U << 14)
#define CKPT_SO_RCVMARK (1U << 15)
#define CKPT_SO_REUSEADDR (1U << 16)
#define CKPT_SO_REUSEPORT (1U << 17)
#define CKPT_SO_SNDBUF (1U << 18) /* @sndbuf was asked for */
#define CKPT_SO_RCVBUF (1U << 19) /* @rcvbuf was asked for */
#define CKPT_SO_KNOWN 0xfffffU

/* struct ckpt_image_socket.shutdown */
#define CKPT_SHUT_RD (1U << 0)
#define CKPT_SHUT_WR (1U << 1)

#define CKPT_SOCKET_MAX_NAME 110
#define CKPT_SOCKET_MAX_GROUPS 65536

/**
 * struct ckpt_image_socket - CKPT_REC_SOCKET
 * @family: AF_UNIX
 * @type: SOCK_STREAM, SOCK_DGRAM or SOCK_SEQPACKET
 * @protocol: IPPROTO_*, 0 with AF_UNIX
 * @flags: CKPT_SOCKET_* bits
 * @options: CKPT_SO_* bits
 * @shutdown: CKPT_SHUT_* bits
 * @error: what SO_ERROR tells next, an errno or 0
 * @backlog: CKPT_SOCKET_LISTENS: connections that may wait; AF_UNIX: messages that may wait
 * @peer: AF_UNIX: id of the socket that it is connected to, 0 for none
 * @listener: CKPT_SOCKET_PENDING: id of the socket in whose queue it is, else 0
 * @uid: owner
 * @gid: group
 * @mode: permission bits
 * @sndbuf: SO_SNDBUF, as getsockopt(2) tells it
 * @rcvbuf: SO_RCVBUF, as getsockopt(2) tells it
 * @rcvlowat: SO_RCVLOWAT
 * @priority: SO_PRIORITY
 * @mark: SO_MARK
 * @peek_off: SO_PEEK_OFF, -1 for off
 * @busy_poll: SO_BUSY_POLL
 * @linger: SO_LINGER, nanoseconds
 * @rcvtimeo: SO_RCVTIMEO, nanoseconds, ~0 for none
 * @sndtimeo: SO_SNDTIMEO, nanoseconds, ~0 for none
 * @peer_pid: SO_PEERCRED: a process of the job, or 0
 * @peer_uid: SO_PEERCRED: user ID, ~0 when there are no credentials
 * @peer_gid: SO_PEERCRED: group ID
 * @nr_groups: SO_PEERGROUPS: groups that follow
 * @file_uid: owner of the file @path
 * @file_gid: its group
 * @file_mode: its permission bits
 * @name_len: bytes of @name, 0 for none
 * @remote_len: bytes of @remote, 0 for none
 * @name: what getsockname(2) tells, struct sockaddr
 * @remote: what it is connected to outside of the job, struct sockaddr
 * @path: AF_UNIX and CKPT_SOCKET_BOUND: absolute path of its file, empty for an abstract name
 * @device: SO_BINDTODEVICE
 * @groups: SO_PEERGROUPS
 */
struct ckpt_image_socket {
	__u32 family;
	__u32 type;
	__u32 protocol;
	__u32 flags;
	__u32 options;
	__u32 shutdown;
	__u32 error;
	__u32 backlog;
	__u32 peer;
	__u32 listener;
	__u32 uid;
	__u32 gid;
	__u32 mode;
	__u32 sndbuf;
	__u32 rcvbuf;
	__u32 rcvlowat;
	__u32 priority;
	__u32 mark;
	__s32 peek_off;
	__u32 busy_poll;
	__u64 linger;
	__u64 rcvtimeo;
	__u64 sndtimeo;
	__u32 peer_pid;
	__u32 peer_uid;
	__u32 peer_gid;
	__u32 nr_groups;
	__u32 file_uid;
	__u32 file_gid;
	__u32 file_mode;
	__u32 name_len;
	__u32 remote_len;
	__u8 name[112];
	__u8 remote[32];
	char path[108];
	char device[16];
	__u32 groups[];
} __attribute__((packed, aligned(4)));

#define CKPT_MESSAGE_MAX_FILES 253

/**
 * struct ckpt_image_message - CKPT_REC_MESSAGE: a message, or a piece of a stream, not read yet
 * @socket: id of the CKPT_REC_SOCKET in whose queue it is
 * @sender: id of the CKPT_REC_SOCKET that sent it
 * @pid: SCM_CREDENTIALS: a process of the job, or 0
 * @uid: SCM_CREDENTIALS: user ID, ~0 when there are no credentials
 * @gid: SCM_CREDENTIALS: group ID
 * @nr_files: SCM_RIGHTS: files
 * @len: bytes
 * @reserved: 0
 * @time: SO_TIMESTAMP: when it came, nanoseconds since the epoch, 0 when nobody wanted to know
 * @files: ids of the CKPT_REC_FILE records that travel with it; behind them its bytes
 */
struct ckpt_image_message {
	__u32 socket;
	__u32 sender;
	__u32 pid;
	__u32 uid;
	__u32 gid;
	__u32 nr_files;
	__u32 len;
	__u32 reserved;
	__s64 time;
	__u32 files[];
} __attribute__((packed, aligned(4)));

/* Values of struct ckpt_image_lock.kind. */
enum {
	CKPT_LOCK_POSIX = 1, /* fcntl(F_SETLK) */
	CKPT_LOCK_OFD, /* fcntl(F_OFD_SETLK) */
	CKPT_LOCK_FLOCK, /* flock(2) */
};

/* Values of struct ckpt_image_lock.type. */
enum {
	CKPT_LOCK_READ = 1,
	CKPT_LOCK_WRITE,
};

/**
 * struct ckpt_image_lock - CKPT_REC_LOCK
 * @file: id of the CKPT_REC_FILE that it was taken by
 * @kind: CKPT_LOCK_*, how it was taken
 * @type: CKPT_LOCK_READ or CKPT_LOCK_WRITE
 * @reserved: 0
 * @start: first byte
 * @end: last byte; 2^63 - 1 for a lock that has no end
 */
struct ckpt_image_lock {
	__u32 file;
	__u32 kind;
	__u32 type;
	__u32 reserved;
	__u64 start;
	__u64 end;
} __attribute__((packed, aligned(4)));

/**
 * struct ckpt_image_fs - CKPT_REC_FS
 * @umask: umask(2)
 * @reserved: 0
 * @cwd: working directory, an absolute path
 */
struct ckpt_image_fs {
	__u32 umask;
	__u32 reserved;
	char cwd[];
} __attribute__((packed, aligned(4)));

/* --- System V objects --- */

/**
 * struct ckpt_image_sysv - what segments, sets and queues have in common
 * @id: what shmget(2), semget(2) or msgget(2) returned
 * @key: key, 0 (IPC_PRIVATE) for none
 * @uid: owner
 * @gid: group
 * @cuid: user who created it
 * @cgid: group of that user
 * @mode: permission bits; of a segment also 01000: it goes when the last process detaches it
 * @reserved: 0
 * @ctime: when it was created, or changed by shmctl(2), semctl(2), msgctl(2); seconds
 */
struct ckpt_image_sysv {
	__s32 id;
	__s32 key;
	__u32 uid;
	__u32 gid;
	__u32 cuid;
	__u32 cgid;
	__u32 mode;
	__u32 reserved;
	__s64 ctime;
} __attribute__((packed, aligned(4)));

/**
 * struct ckpt_image_sysv_shm - CKPT_REC_SYSV_SHM: a shared memory segment
 * @sysv: id, key, owner, mode
 * @size: its size, in bytes
 * @atime: when it was attached last, seconds
 * @dtime: when it was detached last, seconds
 * @cpid: process that created it
 * @lpid: process that attached or detached it last, 0 for none
 * @object: id of the CKPT_REC_SHM that holds its content
 * @reserved: 0
 */
struct ckpt_image_sysv_shm {
	struct ckpt_image_sysv sysv;
	__u64 size;
	__s64 atime;
	__s64 dtime;
	__s32 cpid;
	__s32 lpid;
	__u32 object;
	__u32 reserved;
} __attribute__((packed, aligned(4)));

/* Semaphores in a set, and the highest value that one has. */
#define CKPT_SYSV_MAX_SEMS 32000
#define CKPT_SYSV_MAX_VALUE 32767

/**
 * struct ckpt_image_semaphore - a semaphore of a set
 * @value: its value, 0 to CKPT_SYSV_MAX_VALUE
 * @pid: process that changed it last, 0 for none
 * @otime: when that was, seconds
 */
struct ckpt_image_semaphore {
	__u32 value;
	__s32 pid;
	__s64 otime;
} __attribute__((packed, aligned(4)));

/**
 * struct ckpt_image_sysv_sem - CKPT_REC_SYSV_SEM: a set of semaphores
 * @sysv: id, key, owner, mode
 * @nr_sems: semaphores that follow
 * @reserved: 0
 * @sems: the semaphores
 */
struct ckpt_image_sysv_sem {
	struct ckpt_image_sysv sysv;
	__u32 nr_sems;
	__u32 reserved;
	struct ckpt_image_semaphore sems[];
} __attribute__((packed, aligned(4)));

/**
 * struct ckpt_image_sysv_undo - CKPT_REC_SYSV_UNDO: SEM_UNDO of a process in a set
 * @set: id of the CKPT_REC_SYSV_SEM
 * @nr_sems: semaphores of the set
 * @adjust: what is added to each when the process ends
 */
struct ckpt_image_sysv_undo {
	__u32 set;
	__u32 nr_sems;
	__s16 adjust[];
} __attribute__((packed, aligned(4)));

/**
 * struct ckpt_image_sysv_message - a message of a queue
 * @type: type of a System V message, priority of a POSIX one
 * @len: its bytes
 * @reserved: 0
 */
struct ckpt_image_sysv_message {
	__u64 type;
	__u32 len;
	__u32 reserved;
} __attribute__((packed, aligned(4)));

/**
 * struct ckpt_image_sysv_msg - CKPT_REC_SYSV_MSG: a message queue
 * @sysv: id, key, owner, mode
 * @stime: when a message was sent last, seconds
 * @rtime: when one was received last, seconds
 * @qbytes: bytes that it may hold
 * @lspid: process that sent last, 0 for none
 * @lrpid: process that received last, 0 for none
 * @nr_messages: messages that follow
 * @reserved: 0
 * @messages: the messages, the oldest first; behind them their bytes
 */
struct ckpt_image_sysv_msg {
	struct ckpt_image_sysv sysv;
	__s64 stime;
	__s64 rtime;
	__u64 qbytes;
	__s32 lspid;
	__s32 lrpid;
	__u32 nr_messages;
	__u32 reserved;
	struct ckpt_image_sysv_message messages[];
} __attribute__((packed, aligned(4)));

/* --- memory --- */

/**
 * struct ckpt_image_mapped_file - how a mapped file is known again
 * @size: its size, in bytes
 * @mtime: when its content was changed last, nanoseconds since the epoch
 * @mode: its type, S_IFREG or S_IFCHR
 * @rdev: number of the device when it is one, as in struct stat
 */
struct ckpt_image_mapped_file {
	__u64 size;
	__s64 mtime;
	__u32 mode;
	__u32 rdev;
} __attribute__((packed, aligned(4)));

/* struct ckpt_image_shm.flags: memory is not reserved in advance, as with MAP_NORESERVE. */
#define CKPT_SHM_NORESERVE (1U << 0)
/* The object is a file of a tmpfs: @name is its path, and it is made when it is not there. */
#define CKPT_SHM_NAMED (1U << 1)
#define CKPT_SHM_FLAGS (CKPT_SHM_NORESERVE | CKPT_SHM_NAMED)

/**
 * struct ckpt_image_shm - CKPT_REC_SHM: memory that can be mapped more than once
 * @size: its size, in bytes
 * @flags: CKPT_SHM_*
 * @seals: F_SEAL_*
 * @mode: permission bits
 * @uid: owner
 * @gid: group
 * @reserved: 0
 * @name: "memfd:NAME" for an object of memfd_create(), "dev/zero" for shared anonymous memory,
 *	"SYSV" and eight digits for a System V segment, path without the first slash for a deleted
 *	file, or path
 */
struct ckpt_image_shm {
	__u64 size;
	__u32 flags;
	__u32 seals;
	__u32 mode;
	__u32 uid;
	__u32 gid;
	__u32 reserved;
	char name[];
} __attribute__((packed, aligned(4)));

/* struct ckpt_image_mm.flags */
#define CKPT_MM_THP_DISABLE (1U << 0) /* prctl(PR_SET_THP_DISABLE) */
#define CKPT_MM_LOCK_FUTURE (1U << 1) /* mlockall(MCL_FUTURE) */
#define CKPT_MM_LOCK_ONFAULT (1U << 2) /* mlockall(MCL_FUTURE | MCL_ONFAULT) */
#define CKPT_MM_MERGE (1U << 3) /* prctl(PR_SET_MEMORY_MERGE) */
#define CKPT_MM_FLAGS ((1U << 4) - 1)

/* Pairs in struct ckpt_image_mm.auxv, without the one that ends it. */
#define CKPT_AUXV_MAX 64

/**
 * struct ckpt_image_mm - CKPT_REC_MM: what belongs to the memory of the process as a whole
 * @start_code: where the code of the executable starts
 * @end_code: where it ends
 * @start_data: where its data starts
 * @end_data: where it ends
 * @start_brk: where the heap of brk() starts
 * @brk: where it ends
 * @start_stack: where the main stack started
 * @arg_start: where the arguments start
 * @arg_end: where they end
 * @env_start: where the environment starts
 * @env_end: where it ends
 * @exe: the executable
 * @flags: CKPT_MM_*
 * @dumpable: 0, 1 or 2 as in /proc/sys/fs/suid_dumpable
 * @dump_filter: /proc/PID/coredump_filter
 * @membarrier: MEMBARRIER_CMD_REGISTER_* that the process has called
 * @vdso_len: length of the vDSO, in bytes; 0 when the process has none
 * @vdso_crc: CRC32C of the vDSO
 * @nr_auxv: pairs in @auxv that count
 * @reserved: 0
 * @auxv: the auxiliary vector: type, value
 * @exe_path: path of the executable
 */
struct ckpt_image_mm {
	__u64 start_code;
	__u64 end_code;
	__u64 start_data;
	__u64 end_data;
	__u64 start_brk;
	__u64 brk;
	__u64 start_stack;
	__u64 arg_start;
	__u64 arg_end;
	__u64 env_start;
	__u64 env_end;
	struct ckpt_image_mapped_file exe;
	__u32 flags;
	__u32 dumpable;
	__u32 dump_filter;
	__u32 membarrier;
	__u32 vdso_len;
	__u32 vdso_crc;
	__u32 nr_auxv;
	__u32 reserved;
	__u64 auxv[2 * CKPT_AUXV_MAX];
	char exe_path[];
} __attribute__((packed, aligned(4)));

/* struct ckpt_image_vma.kind */
enum {
	CKPT_VMA_ANON = 1, /* private anonymous memory */
	CKPT_VMA_FILE, /* a file; private mappings may have pages of their own */
	CKPT_VMA_SHM, /* an object of CKPT_REC_SHM */
	CKPT_VMA_SPECIAL, /* of the kernel: @path is "[vdso]", "[vvar]" or "[vvar_vclock]" */
	CKPT_VMA_SYSV, /* a segment of CKPT_REC_SYSV_SHM */
};

/* struct ckpt_image_vma.flags */
#define CKPT_VMA_SHARED (1U << 0) /* MAP_SHARED */
#define CKPT_VMA_MAYWRITE (1U << 1) /* shared: the file was opened for writing too */
#define CKPT_VMA_GROWSDOWN (1U << 2) /* MAP_GROWSDOWN */
#define CKPT_VMA_NORESERVE (1U << 3) /* MAP_NORESERVE */
#define CKPT_VMA_ACCOUNT (1U << 4) /* counts as committed, even if it is read-only now */
#define CKPT_VMA_LOCKED (1U << 5) /* mlock() */
#define CKPT_VMA_LOCKONFAULT (1U << 6) /* mlock2(MLOCK_ONFAULT) */
#define CKPT_VMA_HUGEPAGE (1U << 7) /* MADV_HUGEPAGE */
#define CKPT_VMA_NOHUGEPAGE (1U << 8) /* MADV_NOHUGEPAGE */
#define CKPT_VMA_DONTFORK (1U << 9) /* MADV_DONTFORK */
#define CKPT_VMA_DONTDUMP (1U << 10) /* MADV_DONTDUMP */
#define CKPT_VMA_WIPEONFORK (1U << 11) /* MADV_WIPEONFORK */
#define CKPT_VMA_MERGEABLE (1U << 12) /* MADV_MERGEABLE */
#define CKPT_VMA_SEQUENTIAL (1U << 13) /* MADV_SEQUENTIAL */
#define CKPT_VMA_RANDOM (1U << 14) /* MADV_RANDOM */
#define CKPT_VMA_INHERITED (1U << 15) /* taken over from the process of CKPT_REC_INHERIT */
#define CKPT_VMA_FLAGS ((1U << 16) - 1)

/**
 * struct ckpt_image_vma - CKPT_REC_VMA: a range of addresses
 * @start: first address
 * @end: address behind the last
 * @offset: offset of @start in the file or object, in bytes
 * @kind: CKPT_VMA_ANON...
 * @prot: PROT_READ, PROT_WRITE, PROT_EXEC
 * @flags: CKPT_VMA_*
 * @object: CKPT_VMA_SHM and CKPT_VMA_SYSV: id of the object; CKPT_VMA_FILE: id of the first
 *	record that maps the file, the only one that has @path, and perhaps this one; else 0
 * @file: the file, in each CKPT_VMA_FILE; else 0
 * @path: path of the file, name of a special mapping, name of prctl(PR_SET_VMA), or nothing
 */
struct ckpt_image_vma {
	__u64 start;
	__u64 end;
	__u64 offset;
	__u32 kind;
	__u32 prot;
	__u32 flags;
	__u32 object;
	struct ckpt_image_mapped_file file;
	char path[];
} __attribute__((packed, aligned(4)));

/* struct ckpt_image_share.parts */
#define CKPT_SHARE_MM (1U << 0) /* memory: CLONE_VM */
#define CKPT_SHARE_FILES (1U << 1) /* descriptors: CLONE_FILES */
#define CKPT_SHARE_FS (1U << 2) /* working directory, umask: CLONE_FS */
#define CKPT_SHARE_SIGHAND (1U << 3) /* signal handlers: CLONE_SIGHAND */
#define CKPT_SHARE_PARTS ((1U << 4) - 1)

/**
 * struct ckpt_image_share - CKPT_REC_SHARE: what a process shares with another one
 * @with: number of that process, lower than that of this one; it has these parts itself
 * @parts: CKPT_SHARE_* bits; the process has no records of what belongs to them
 */
struct ckpt_image_share {
	__u32 with;
	__u32 parts;
} __attribute__((packed, aligned(4)));

/**
 * struct ckpt_image_inherit_run - pages that follow one another
 * @start: address of the first page, in both processes
 * @nr_pages: pages, from 1
 */
struct ckpt_image_inherit_run {
	__u64 start;
	__u64 nr_pages;
} __attribute__((packed, aligned(4)));

/**
 * struct ckpt_image_inherit - CKPT_REC_INHERIT: memory that is the same as another process's
 * @source: number of that process, lower than that of this one
 * @nr_runs: runs that follow
 * @runs: pages that both share as fork(2) left them, in order of address, in VMAs that have
 *	CKPT_VMA_INHERITED; they are not stored again
 *
 * Such a VMA lies within VMAs of the source that follow one another without a gap and have the same
 * kind, object and, as far as mmap(2) sets them, flags.
 */
struct ckpt_image_inherit {
	__u32 source;
	__u32 nr_runs;
	struct ckpt_image_inherit_run runs[];
} __attribute__((packed, aligned(4)));

#endif /* _UAPI_LINUX_CKPT_IMAGE_H */
