/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private structures of ipc/, which no header of the kernel tells. They are the same from 6.1 to
 * 6.12; who uses them looks first whether what it finds makes sense.
 */
#ifndef CKPT_IPC_LAYOUT_H
#define CKPT_IPC_LAYOUT_H

#include <linux/ipc.h>
#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/time64.h>
#include <linux/types.h>

#ifdef CONFIG_RANDSTRUCT
#error "this kernel lays out structures at random: those of ipc/ cannot be known"
#endif

struct file;
struct ipc_namespace;
struct pid;
struct task_struct;
struct ucounts;

/* Where struct ipc_namespace has what. */
enum ckpt_ipc_ids {
	CKPT_IPC_SEM,
	CKPT_IPC_MSG,
	CKPT_IPC_SHM,
};

/* Bits of kern_ipc_perm.mode beside the permissions, of segments. */
#define CKPT_SHM_DEST 01000 /* goes when the last one detaches it */
#define CKPT_SHM_LOCKED 02000

/* struct shmid_kernel: a shared memory segment. */
struct ckpt_ipc_shm {
	struct kern_ipc_perm perm;
	struct file *file;
	unsigned long nattch;
	unsigned long segsz;
	time64_t atim;
	time64_t dtim;
	time64_t ctim;
	struct pid *cprid;
	struct pid *lprid;
	struct ucounts *mlock_ucounts;
	struct task_struct *creator;
	struct list_head clist;
	struct ipc_namespace *ns;
};

/* struct sem: a semaphore. */
struct ckpt_ipc_sem {
	int semval;
	struct pid *sempid;
	spinlock_t lock;
	struct list_head pending_alter; /* struct ckpt_ipc_sem_queue */
	struct list_head pending_const;
	time64_t sem_otime;
} ____cacheline_aligned_in_smp;

/* struct sem_array: a set of semaphores. */
struct ckpt_ipc_sem_array {
	struct kern_ipc_perm perm;
	time64_t ctime;
	struct list_head pending_alter; /* struct ckpt_ipc_sem_queue */
	struct list_head pending_const;
	struct list_head list_id; /* struct ckpt_ipc_undo */
	int nsems;
	int complex_count;
	unsigned int use_global_lock;
	struct ckpt_ipc_sem sems[];
};

/* The head of struct sem_queue: who waits for a semaphore. */
struct ckpt_ipc_sem_queue {
	struct list_head list;
	struct task_struct *sleeper;
};

/* struct sem_undo_list: what is undone when the threads that share it have ended. */
struct ckpt_ipc_undo_list {
	refcount_t refcnt;
	spinlock_t lock;
	struct list_head list_proc; /* struct ckpt_ipc_undo */
};

/* struct sem_undo: what is undone in one set. */
struct ckpt_ipc_undo {
	struct list_head list_proc;
	struct rcu_head rcu;
	struct ckpt_ipc_undo_list *ulp;
	struct list_head list_id;
	int semid; /* ckpt_sem_undo_adjust() tells what is behind it */
};

/* struct msg_queue: a message queue. */
struct ckpt_ipc_msg {
	struct kern_ipc_perm perm;
	time64_t stime;
	time64_t rtime;
	time64_t ctime;
	unsigned long cbytes;
	unsigned long qnum;
	unsigned long qbytes;
	struct pid *lspid;
	struct pid *lrpid;
	struct list_head messages; /* struct msg_msg */
	struct list_head receivers; /* struct ckpt_ipc_msg_receiver */
	struct list_head senders; /* struct ckpt_ipc_msg_sender */
};

/* The heads of struct msg_receiver and struct msg_sender. */
struct ckpt_ipc_msg_receiver {
	struct list_head list;
	struct task_struct *task;
};

struct ckpt_ipc_msg_sender {
	struct list_head list;
	struct task_struct *task;
};

#endif /* CKPT_IPC_LAYOUT_H */
