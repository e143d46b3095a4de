// SPDX-License-Identifier: GPL-2.0-only
/* The address space of the process: who shares it, making it empty, finding room in it. */

#include "space.h"

#include <linux/align.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>

#include "group.h"
#include "restorer.h"

/* Below this lie programs that are not position independent, and their heaps. */
#define FIRST_ADDRESS SZ_4G
/* Distance to other VMAs; a stack keeps 1 MiB free below it, unless the kernel is told so. */
#define MARGIN SZ_16M

static bool uses(struct task_struct *process, struct mm_struct *mm)
{
	struct task_struct *t;

	for_each_thread(process, t)
		if (!(t->flags & PF_KTHREAD) && READ_ONCE(t->mm) == mm)
			return true;
	return false;
}

pid_t ckpt_space_user(struct mm_struct *mm, struct ckpt_group *g)
{
	struct task_struct *p;
	pid_t pid = 0;

	rcu_read_lock();
	for_each_process(p) {
		if (g ? !!ckpt_group_process(g, p) : same_thread_group(p, current))
			continue;
		if (uses(p, mm)) {
			pid = task_tgid_vnr(p);
			break;
		}
	}
	rcu_read_unlock();
	return pid;
}

/* All but what is taken over from another process. */
static int unmap_rest(struct ckpt_restorer *r)
{
	const struct ckpt_record *rec;
	unsigned long at = 0;
	int err = 0;

	ckpt_for_each_record_of(rec, r, CKPT_REC_VMA) {
		const struct ckpt_image_vma *v = rec->data;

		if (!(v->flags & CKPT_VMA_INHERITED))
			continue;
		if (at < v->start)
			err = vm_munmap(at, v->start - at);
		if (err)
			return err;
		at = v->end;
	}
	return vm_munmap(at, TASK_SIZE - at);
}

int ckpt_space_clear(struct ckpt_restorer *r)
{
	unsigned int i;

	/* The other threads sleep in the kernel: nothing reads these before they are set again. */
	for (i = 0; i < r->nr_threads; i++) {
		struct task_struct *t = r->threads[i].task;

#ifdef CONFIG_RSEQ
		WRITE_ONCE(t->rseq, NULL);
#endif
		WRITE_ONCE(t->clear_child_tid, NULL);
		WRITE_ONCE(t->robust_list, NULL);
#ifdef CONFIG_COMPAT
		WRITE_ONCE(t->compat_robust_list, NULL);
#endif
	}
	return unmap_rest(r);
}

unsigned long ckpt_space_find(struct ckpt_restorer *r, unsigned long len)
{
	unsigned long at = FIRST_ADDRESS;
	const struct ckpt_record *rec;

	ckpt_for_each_record_of(rec, r, CKPT_REC_VMA) {
		const struct ckpt_image_vma *v = rec->data;

		if (v->start >= at && v->start - at >= len + MARGIN)
			return at;
		at = max_t(unsigned long, at, ALIGN(v->end + MARGIN, PMD_SIZE));
	}
	return at < TASK_SIZE && TASK_SIZE - at >= len + MARGIN ? at : 0;
}
