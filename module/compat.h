/* SPDX-License-Identifier: GPL-2.0-only */
/* What differs between the kernels: one inline for each difference, the newest kernel first. */
#ifndef CKPT_COMPAT_H
#define CKPT_COMPAT_H

#include <linux/capability.h>
#include <linux/cpumask.h>
#include <linux/eventfd.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mount.h>
#include <linux/net.h>
#include <linux/sched.h>
#include <linux/sched/coredump.h>
#include <linux/sched/signal.h>
#include <linux/prctl.h>
#include <linux/uio.h>
#include <linux/version.h>
#include <net/sock.h>

/* Locks of files left <linux/fs.h> in 6.3. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
#include <linux/filelock.h>
#endif

/* get_user_pages_remote() lost its vmas argument in 6.5. */
static inline long ckpt_get_user_pages_remote(struct mm_struct *mm, unsigned long start,
					      unsigned long nr, unsigned int flags,
					      struct page **pages)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
	return get_user_pages_remote(mm, start, nr, flags, pages, NULL);
#else
	return get_user_pages_remote(mm, start, nr, flags, pages, NULL, NULL);
#endif
}

/* vfs_iter_write() holds off a freeze of the file system by itself since 6.8. */
static inline ssize_t ckpt_vfs_iter_write(struct file *file, struct iov_iter *iter, loff_t *pos)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
	return vfs_iter_write(file, iter, pos, 0);
#else
	ssize_t n;

	file_start_write(file);
	n = vfs_iter_write(file, iter, pos, 0);
	file_end_write(file);
	return n;
#endif
}

/* The flags of an interrupted futex call moved in 6.7, which added the size of the word. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
#define CKPT_FUTEX_BASE 0x02
#define CKPT_FUTEX_SHARED 0x10
#define CKPT_FUTEX_CLOCKRT 0x20
#define CKPT_FUTEX_HAS_TIMEOUT 0x40
#else
#define CKPT_FUTEX_BASE 0x00
#define CKPT_FUTEX_SHARED 0x01
#define CKPT_FUTEX_CLOCKRT 0x02
#define CKPT_FUTEX_HAS_TIMEOUT 0x04
#endif
#define CKPT_FUTEX_KNOWN \
	(CKPT_FUTEX_BASE | CKPT_FUTEX_SHARED | CKPT_FUTEX_CLOCKRT | CKPT_FUTEX_HAS_TIMEOUT)

/* kernel_cap_t became one number in 6.3. */
static inline u64 ckpt_cap_get(kernel_cap_t cap)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	return cap.val;
#else
	return (u64)cap.cap[1] << 32 | cap.cap[0];
#endif
}

static inline kernel_cap_t ckpt_cap_make(u64 bits)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	return (kernel_cap_t){ bits };
#else
	return (kernel_cap_t){ { bits, bits >> 32 } };
#endif
}

/* struct rseq has had one length before 6.3. */
static inline u32 ckpt_rseq_len(const struct task_struct *task)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	return task->rseq_len;
#else
	return sizeof(struct rseq);
#endif
}

static inline void ckpt_rseq_set_len(struct task_struct *task, u32 len)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	task->rseq_len = len;
#endif
}

static inline bool ckpt_rseq_len_is_known(u32 len)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	return len >= 32 && len <= PAGE_SIZE;
#else
	return len == sizeof(struct rseq);
#endif
}

/*
 * CPUs that sched_setaffinity() was asked for, or NULL. Kept beside the mask in use since 6.2;
 * before, a mask that leaves out a CPU is taken for one that was asked for. Under task->pi_lock.
 */
static inline const struct cpumask *ckpt_asked_affinity(const struct task_struct *task)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	return task->user_cpus_ptr;
#else
	return cpumask_subset(cpu_online_mask, &task->cpus_mask) ? NULL : &task->cpus_mask;
#endif
}

/* A time slice of one's own is new in 6.12. */
static inline u64 ckpt_sched_slice(const struct task_struct *task)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	return task->se.custom_slice ? task->se.slice : 0;
#else
	return 0;
#endif
}

/* Before 6.12 timers by CPU time that send no signal are armed as others are. */
#define CKPT_ARMS_SILENT_CPU_TIMERS (LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0))

/* The list of POSIX timers became an hlist in 6.12. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#define ckpt_for_each_posix_timer(timer, sig) \
	hlist_for_each_entry(timer, &(sig)->posix_timers, list)
#else
#define ckpt_for_each_posix_timer(timer, sig) list_for_each_entry(timer, &(sig)->posix_timers, list)
#endif

/* Shadow stacks of user space are new in 6.6. */
static inline bool ckpt_has_shadow_stack(const struct task_struct *task)
{
#ifdef CONFIG_X86_USER_SHADOW_STACK
	return task->thread.features || task->thread.features_locked;
#else
	return false;
#endif
}

/* Linear address masking is new in 6.4. */
static inline bool ckpt_has_address_masking(const struct mm_struct *mm)
{
#ifdef CONFIG_ADDRESS_MASKING
	return mm->context.lam_cr3_mask;
#else
	return false;
#endif
}

static inline bool ckpt_has_utilization_clamps(const struct task_struct *task)
{
#ifdef CONFIG_UCLAMP_TASK
	return task->uclamp_req[UCLAMP_MIN].user_defined ||
	       task->uclamp_req[UCLAMP_MAX].user_defined;
#else
	return false;
#endif
}

static inline bool ckpt_has_core_cookie(const struct task_struct *task)
{
#ifdef CONFIG_SCHED_CORE
	return task->core_cookie;
#else
	return false;
#endif
}

/* prctl(PR_SET_MDWE) is new in 6.3. */
static inline bool ckpt_denies_write_exec(const struct mm_struct *mm)
{
#ifdef MMF_HAS_MDWE
	return test_bit(MMF_HAS_MDWE, &mm->flags);
#else
	return false;
#endif
}

/* Files that overlayfs maps carry the path that the user sees beside their own since 6.8. */
static inline const struct path *ckpt_file_path(const struct file *file)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
	return file_user_path(file);
#else
	return &file->f_path;
#endif
}

/* prctl(PR_SET_MEMORY_MERGE) came in 6.4. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
#define CKPT_HAS_MEMORY_MERGE true
#define CKPT_PR_SET_MEMORY_MERGE PR_SET_MEMORY_MERGE
#define CKPT_MMF_MERGE BIT(MMF_VM_MERGE_ANY)
#else
#define CKPT_HAS_MEMORY_MERGE false
#define CKPT_PR_SET_MEMORY_MERGE 67
#define CKPT_MMF_MERGE 0UL
#endif

/* Flags of a VMA that came later: sealing (6.10), droppable memory (6.11), shadow stacks (6.6). */
#ifdef VM_SEALED
#define CKPT_VM_SEALED VM_SEALED
#else
#define CKPT_VM_SEALED VM_NONE
#endif
#ifdef VM_DROPPABLE
#define CKPT_VM_DROPPABLE VM_DROPPABLE
#else
#define CKPT_VM_DROPPABLE VM_NONE
#endif
#ifdef VM_SHADOW_STACK
#define CKPT_VM_SHADOW_STACK VM_SHADOW_STACK
#else
#define CKPT_VM_SHADOW_STACK VM_NONE
#endif

/* Until 6.2 only memory without a file could have a name, in a place that files use otherwise. */
static inline const char *ckpt_vma_name(struct vm_area_struct *vma)
{
#ifdef CONFIG_ANON_VMA_NAME
	if (LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0) && vma->vm_file)
		return NULL;
	return vma->anon_name ? vma->anon_name->name : NULL;
#else
	return NULL;
#endif
}

/* Tagged addresses (LAM) came in 6.4. */
static inline bool ckpt_mm_has_tags(struct mm_struct *mm)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0) && defined(CONFIG_ADDRESS_MASKING)
	return mm->context.lam_cr3_mask;
#else
	return false;
#endif
}

/*
 * The adjustments of a struct sem_undo lie behind its last number since 6.6, before it had a
 * pointer.
 */
static inline short *ckpt_sem_undo_adjust(int *semid)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
	return (short *)(semid + 1);
#else
	return *(short **)PTR_ALIGN(semid + 1, sizeof(short *));
#endif
}

/* Who gets SIGIO for a file is allocated on demand since 6.12. */
static inline bool ckpt_file_has_owner(const struct file *file)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	const struct fown_struct *owner = file_f_owner(file);

	return owner && (owner->pid || owner->signum);
#else
	return file->f_owner.pid || file->f_owner.signum;
#endif
}

/* pipe2() lets pipes do RWF_NOWAIT since 6.4. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
#define CKPT_PIPE_FMODE FMODE_NOWAIT
#else
#define CKPT_PIPE_FMODE ((__force fmode_t)0)
#endif

/* What locks and leases have in common got a structure of its own in 6.9. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
#define ckpt_lock_field(lock, name) ((lock)->c.flc_##name)
#define ckpt_lock_entry(node) list_entry(node, struct file_lock, c.flc_list)
#define ckpt_lease_file(node) (list_entry(node, struct file_lock_core, flc_list)->flc_file)
#else
#define ckpt_lock_field(lock, name) ((lock)->fl_##name)
#define ckpt_lock_entry(node) list_entry(node, struct file_lock, fl_list)
#define ckpt_lease_file(node) (list_entry(node, struct file_lock, fl_list)->fl_file)
#endif

/* Until 6.7 it was said how much to add to an eventfd. */
static inline void ckpt_eventfd_signal(struct eventfd_ctx *ctx)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
	eventfd_signal(ctx);
#else
	eventfd_signal(ctx, 1);
#endif
}

/* Threads of a group had a second list until 6.7; for tasks that tests make up. */
static inline void ckpt_join_thread_group(struct task_struct *task, struct task_struct *leader)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
	if (task == leader)
		INIT_LIST_HEAD(&task->thread_group);
	else
		list_add_tail(&task->thread_group, &leader->thread_group);
#endif
}

/* SO_PASSPIDFD came in 6.5. */
static inline bool ckpt_passes_pidfd(const struct socket *sock)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
	return test_bit(SOCK_PASSPIDFD, &sock->flags);
#else
	return false;
#endif
}

static inline void ckpt_pass_pidfd(struct socket *sock)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
	set_bit(SOCK_PASSPIDFD, &sock->flags);
#endif
}

/* SO_BUSY_POLL exists where the kernel was built with it. */
static inline u32 ckpt_sock_busy_poll(const struct sock *sk)
{
#ifdef CONFIG_NET_RX_BUSY_POLL
	return READ_ONCE(sk->sk_ll_usec);
#else
	return 0;
#endif
}

static inline void ckpt_sock_set_busy_poll(struct sock *sk, u32 usec)
{
#ifdef CONFIG_NET_RX_BUSY_POLL
	WRITE_ONCE(sk->sk_ll_usec, usec);
#endif
}

/* Mounts got an ID mapping of their own kind in 6.3. */
static inline int ckpt_unlink(const struct path *dir, struct dentry *dentry)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	return vfs_unlink(mnt_idmap(dir->mnt), d_inode(dir->dentry), dentry, NULL);
#else
	return vfs_unlink(mnt_user_ns(dir->mnt), d_inode(dir->dentry), dentry, NULL);
#endif
}

#endif /* CKPT_COMPAT_H */
