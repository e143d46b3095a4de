// SPDX-License-Identifier: GPL-2.0-only
/* Memory that processes share since fork(2): which process has it from which. */

#include "inherit.h"

#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/mmap_lock.h>
#include <linux/pgtable.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "saver.h"

/* What mmap(2) sets, and what a child has as its parent has it. */
#define MMAP_FLAGS                                                                       \
	(CKPT_VMA_SHARED | CKPT_VMA_MAYWRITE | CKPT_VMA_GROWSDOWN | CKPT_VMA_NORESERVE | \
	 CKPT_VMA_ACCOUNT | CKPT_VMA_LOCKED | CKPT_VMA_LOCKONFAULT)

/* Pages that are compared to choose a source. */
#define SAMPLE 2048

int ckpt_inherit_init(struct ckpt_saver *s)
{
	s->spaces = kvcalloc(s->group->nr_processes + 1, sizeof(*s->spaces), GFP_KERNEL_ACCOUNT);
	return s->spaces ? 0 : -ENOMEM;
}

void ckpt_inherit_exit(struct ckpt_saver *s)
{
	unsigned int i;

	for (i = 1; s->spaces && i <= s->group->nr_processes; i++)
		kvfree(s->spaces[i].vmas);
	kvfree(s->spaces);
}

struct ckpt_space_list *ckpt_inherit_list(struct ckpt_saver *s, unsigned int nr)
{
	struct ckpt_space_list *l = &s->spaces[s->process->number];

	l->vmas = kvcalloc(nr + 1, sizeof(*l->vmas), GFP_KERNEL_ACCOUNT);
	return l->vmas ? l : NULL;
}

u32 ckpt_inherit_first_prot(const struct ckpt_image_vma *v)
{
	bool is_counted = v->flags & (CKPT_VMA_ACCOUNT | CKPT_VMA_NORESERVE);

	if (v->kind == CKPT_VMA_SPECIAL || (v->flags & CKPT_VMA_SHARED) || (v->prot & PROT_WRITE) ||
	    !is_counted)
		return v->prot;
	return PROT_READ | PROT_WRITE | (v->prot & PROT_EXEC);
}

static bool are_alike(const struct ckpt_image_vma *v, const struct ckpt_image_vma *w)
{
	if (v->kind != w->kind || v->object != w->object || ((v->flags ^ w->flags) & MMAP_FLAGS) ||
	    ckpt_inherit_first_prot(v) != ckpt_inherit_first_prot(w))
		return false;
	/* A lock is not inherited, and the vDSO is made anew. */
	if (v->kind == CKPT_VMA_SPECIAL || (v->flags & (CKPT_VMA_LOCKED | CKPT_VMA_LOCKONFAULT)))
		return false;
	return v->kind == CKPT_VMA_ANON || v->offset - w->offset == v->start - w->start;
}

bool ckpt_inherit_cover(const struct ckpt_image_vma *v, const struct ckpt_image_vma *w, u64 *at)
{
	if (w->start > *at || !are_alike(v, w))
		return false;
	*at = w->end;
	return true;
}

/* The page frame at an address, or 0; *@next: the next address where there may be one. */
static unsigned long pfn_at(struct mm_struct *mm, unsigned long at, unsigned long *next)
{
	pgd_t *pgd = pgd_offset(mm, at);
	p4d_t *p4d;
	pud_t *pud;
	pmd_t *pmd, huge;
	pte_t pte;

	*next = (at & PGDIR_MASK) + PGDIR_SIZE;
	if (pgd_none(*pgd) || pgd_bad(*pgd))
		return 0;
	p4d = p4d_offset(pgd, at);
	if (p4d_none(*p4d) || p4d_bad(*p4d))
		return 0;
	*next = (at & PUD_MASK) + PUD_SIZE;
	pud = pud_offset(p4d, at);
	if (pud_none(*pud) || pud_bad(*pud))
		return 0;
	*next = (at & PMD_MASK) + PMD_SIZE;
	pmd = pmd_offset(pud, at);
	huge = READ_ONCE(*pmd);
	if (pmd_none(huge) || !pmd_present(huge))
		return 0;
	if (!pmd_leaf(huge) && pmd_bad(huge))
		return 0;
	*next = at + PAGE_SIZE;
	if (pmd_leaf(huge))
		return pmd_pfn(huge) + ((at & ~PMD_MASK) >> PAGE_SHIFT);
	pte = ptep_get(pte_offset_kernel(pmd, at));
	return pte_present(pte) && !pte_special(pte) ? pte_pfn(pte) : 0;
}

static struct mm_struct *lock_mm(struct ckpt_process *p)
{
	struct mm_struct *mm = get_task_mm(p->leader);

	if (!mm)
		return NULL;
	/* The memory of the process being walked is locked too: never wait here. */
	if (mmap_read_trylock(mm))
		return mm;
	mmput(mm);
	return NULL;
}

static void unlock_mm(struct mm_struct *mm)
{
	mmap_read_unlock(mm);
	mmput(mm);
}

static bool is_covered(const struct ckpt_image_vma *v, const struct ckpt_space_list *source,
		       unsigned int j)
{
	u64 at = v->start;

	while (at < v->end && j < source->nr && ckpt_inherit_cover(v, source->vmas[j], &at))
		j++;
	return at >= v->end;
}

/* Marks the VMAs that may be taken over from a source. */
static void mark(struct ckpt_space_list *l, const struct ckpt_space_list *source)
{
	unsigned int i, j = 0;

	for (i = 0; i < l->nr; i++) {
		struct ckpt_image_vma *v = l->vmas[i];

		while (j < source->nr && source->vmas[j]->end <= v->start)
			j++;
		if (is_covered(v, source, j))
			v->flags |= CKPT_VMA_INHERITED;
		else
			v->flags &= ~CKPT_VMA_INHERITED;
	}
}

/* How many of a sample of pages are the same in the process being walked and in @source. */
static unsigned int count_same(struct ckpt_saver *s, struct ckpt_process *source)
{
	struct ckpt_space_list *l = &s->spaces[s->process->number];
	struct mm_struct *mm = lock_mm(source);
	unsigned int i, nr_seen = 0, nr_same = 0;

	if (!mm)
		return 0;
	mark(l, &s->spaces[source->number]);
	for (i = 0; i < l->nr && nr_seen < SAMPLE; i++) {
		const struct ckpt_image_vma *v = l->vmas[i];
		unsigned long at, next, other;

		if (!(v->flags & CKPT_VMA_INHERITED) || (v->flags & CKPT_VMA_SHARED))
			continue;
		for (at = v->start; at < v->end && nr_seen < SAMPLE; at = next) {
			unsigned long pfn = pfn_at(s->mm, at, &next);

			if (!pfn || !PageAnon(pfn_to_page(pfn)))
				continue;
			nr_seen++;
			nr_same += pfn_at(mm, at, &other) == pfn;
		}
	}
	unlock_mm(mm);
	return nr_same;
}

static struct task_struct *parent_of(const struct ckpt_process *p)
{
	return rcu_access_pointer(p->leader->real_parent);
}

static bool may_give(const struct ckpt_process *p, const struct ckpt_process *to)
{
	return p && p->number < to->number && !p->is_zombie && !(p->shares & CKPT_SHARE_MM);
}

static void try(struct ckpt_saver *s, struct ckpt_process *p, unsigned int *most)
{
	struct ckpt_space_list *l = &s->spaces[s->process->number];
	unsigned int n;

	if (!may_give(p, s->process) || p == l->source)
		return;
	n = count_same(s, p);
	if (n <= *most)
		return;
	*most = n;
	l->source = p;
}

static struct ckpt_process *process_of_number(struct ckpt_group *g, u32 number)
{
	struct ckpt_process *p;

	ckpt_for_each_process(p, g)
		if (p->number == number)
			return p;
	return NULL;
}

/* The process of the job that a process has as its parent, by whichever thread. */
static struct ckpt_process *parent_process(struct ckpt_saver *s)
{
	struct ckpt_thread *t = ckpt_group_thread(s->group, parent_of(s->process));

	return t ? t->process : NULL;
}

void ckpt_inherit_choose(struct ckpt_saver *s)
{
	struct ckpt_space_list *l = &s->spaces[s->process->number];
	struct ckpt_process *p, *first = NULL, *last = NULL;
	unsigned int most = 0, i;

	if (mmap_read_lock_killable(s->mm))
		return;
	ckpt_for_each_process(p, s->group) {
		if (p == s->process)
			break;
		if (p->is_zombie || parent_of(p) != parent_of(s->process))
			continue;
		first = first ?: p;
		last = p;
	}
	if (s->process->with) {
		/* It is made by that one in any case. */
		try(s, process_of_number(s->group, s->process->with), &most);
	} else {
		try(s, parent_process(s), &most);
		try(s, first, &most);
		try(s, last, &most);
	}
	if (l->source)
		mark(l, &s->spaces[l->source->number]);
	else
		for (i = 0; i < l->nr; i++)
			l->vmas[i]->flags &= ~CKPT_VMA_INHERITED;
	mmap_read_unlock(s->mm);
}

void ckpt_inherit_view_open(struct ckpt_saver *s, struct ckpt_inherit_view *v)
{
	*v = (struct ckpt_inherit_view){ .vmas = &s->spaces[s->process->number] };
	if (v->vmas->source)
		v->mm = lock_mm(v->vmas->source);
}

void ckpt_inherit_view_close(struct ckpt_inherit_view *v)
{
	if (v->mm)
		unlock_mm(v->mm);
}

bool ckpt_inherit_has(struct ckpt_inherit_view *v, unsigned long at, unsigned long pfn)
{
	const struct ckpt_image_vma *vma;
	unsigned long next;

	if (!v->mm)
		return false;
	while (v->at < v->vmas->nr && v->vmas->vmas[v->at]->end <= at)
		v->at++;
	if (v->at == v->vmas->nr)
		return false;
	vma = v->vmas->vmas[v->at];
	return vma->start <= at && (vma->flags & CKPT_VMA_INHERITED) &&
	       pfn_at(v->mm, at, &next) == pfn;
}
