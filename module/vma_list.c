// SPDX-License-Identifier: GPL-2.0-only
/* The VMAs of a process, as they were when its memory was looked at. */

#include "vma_list.h"

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mempolicy.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/pkeys.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/userfaultfd_k.h>

#include "compat.h"

bool ckpt_vma_is_special(struct vm_area_struct *vma, const char **name)
{
	if (vma->vm_file || !vma->vm_ops || !vma->vm_ops->name)
		return false;
	*name = vma->vm_ops->name(vma);
	return *name;
}

static bool has_policy(struct vm_area_struct *vma)
{
#ifdef CONFIG_NUMA
	return vma->vm_policy;
#else
	return false;
#endif
}

static void describe(struct ckpt_vma *v, struct vm_area_struct *vma)
{
	const char *name = ckpt_vma_name(vma);

	v->start = vma->vm_start;
	v->end = vma->vm_end;
	v->flags = vma->vm_flags;
	v->anonymous = vma_is_anonymous(vma);
	v->pkey = vma_pkey(vma);
	v->policy = has_policy(vma);
	v->uffd = userfaultfd_armed(vma);
	if (vma->vm_file) {
		v->file = get_file(vma->vm_file);
		v->offset = (u64)vma->vm_pgoff << PAGE_SHIFT;
	} else if (ckpt_vma_is_special(vma, &name)) {
		v->special = true;
	} else {
		v->foreign = !v->anonymous;
	}
	if (name)
		strscpy(v->name, name, sizeof(v->name));
}

int ckpt_vma_list_get(struct ckpt_vma_list *list, struct mm_struct *mm)
{
	VMA_ITERATOR(vmi, mm, 0);
	struct vm_area_struct *vma;
	unsigned int max;

	list->nr = 0;
	if (mmap_read_lock_killable(mm))
		return -EINTR;
	max = mm->map_count;
	list->vmas = kvcalloc(max + 1, sizeof(*list->vmas), GFP_KERNEL);
	if (!list->vmas) {
		mmap_read_unlock(mm);
		return -ENOMEM;
	}
	for_each_vma(vmi, vma) {
		if (list->nr == max)
			break;
		describe(&list->vmas[list->nr++], vma);
	}
	mmap_read_unlock(mm);
	return 0;
}

void ckpt_vma_list_put(struct ckpt_vma_list *list)
{
	unsigned int i;

	for (i = 0; i < list->nr; i++)
		if (list->vmas[i].file)
			fput(list->vmas[i].file);
	kvfree(list->vmas);
	list->vmas = NULL;
	list->nr = 0;
}
