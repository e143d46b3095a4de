// SPDX-License-Identifier: GPL-2.0-only
/* Which pages a process has of its own: a walk over its page tables. */

#include "pagescan.h"

#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/mmap_lock.h>
#include <linux/page-flags.h>
#include <linux/pgtable.h>
#include <linux/sched/signal.h>
#include <linux/swap.h>
#include <linux/swapops.h>

#include "compat.h"
#include "inherit.h"
#include "pages.h"
#include "saver.h"
#include "vma_list.h"

/*
 * What stands in the way of an address. The lock of the memory is held for reading and the process
 * is parked, so tables stay where they are: only a huge page may be split into a table, by reclaim.
 */
enum found {
	FOUND_TABLE,
	FOUND_HUGE,
	FOUND_NOTHING,
	FOUND_MIGRATION, /* a page that is being moved */
	FOUND_BAD,
};

/* What a table holds; its bits are set for the pages to store, and those that are inherited. */
struct table {
	DECLARE_BITMAP(pages, PTRS_PER_PTE);
	DECLARE_BITMAP(inherited, PTRS_PER_PTE);
	unsigned long moving, bad; /* address of the first such page, or 0 */
};

static enum found look_at_entry(pte_t pte)
{
	swp_entry_t entry;

	if (pte_none(pte))
		return FOUND_NOTHING;
	if (pte_present(pte)) {
		/* The zero page is special, as is memory of devices. */
		if (pte_special(pte) || !PageAnon(pte_page(pte)))
			return FOUND_NOTHING;
		return FOUND_TABLE;
	}
	entry = pte_to_swp_entry(pte);
	if (!non_swap_entry(entry))
		return FOUND_TABLE;
	return is_migration_entry(entry) ? FOUND_MIGRATION : FOUND_BAD;
}

static void note_page(struct ckpt_inherit_view *view, pte_t pte, unsigned long at, struct table *t)
{
	if (pte_present(pte) && ckpt_inherit_has(view, at, pte_pfn(pte)))
		__set_bit(pte_index(at), t->inherited);
	else
		__set_bit(pte_index(at), t->pages);
}

static void look_at_table(struct mm_struct *mm, pmd_t *pmd, unsigned long at, unsigned long end,
			  struct ckpt_inherit_view *view, struct table *t)
{
	spinlock_t *lock = pte_lockptr(mm, pmd);
	pte_t *pte = pte_offset_kernel(pmd, at);

	memset(t, 0, sizeof(*t));
	spin_lock(lock);
	for (; at < end; at += PAGE_SIZE, pte++) {
		switch (look_at_entry(ptep_get(pte))) {
		case FOUND_MIGRATION:
			t->moving = t->moving ?: at;
			break;
		case FOUND_BAD:
			t->bad = t->bad ?: at;
			break;
		case FOUND_TABLE:
			note_page(view, ptep_get(pte), at, t);
			break;
		default:
			break;
		}
	}
	spin_unlock(lock);
}

static enum found look_at_pmd(struct mm_struct *mm, pmd_t *pmd)
{
	enum found found;
	/* keeps the entry as it is */
	spinlock_t *lock;

	if (pmd_none(READ_ONCE(*pmd)))
		return FOUND_NOTHING;
	lock = pmd_lock(mm, pmd);
	if (pmd_none(*pmd))
		found = FOUND_NOTHING;
	else if (!pmd_present(*pmd))
		found = FOUND_MIGRATION;
	else if (pmd_leaf(*pmd))
		/* The huge zero page is not anonymous. */
		found = PageAnon(pmd_page(*pmd)) ? FOUND_HUGE : FOUND_NOTHING;
	else
		found = pmd_bad(*pmd) ? FOUND_BAD : FOUND_TABLE;
	spin_unlock(lock);
	return found;
}

struct scan {
	struct ckpt_saver *s;
	struct ckpt_inherit_view view;
	unsigned long bad; /* address of the first page that cannot be read, or 0 */
	unsigned long nr_bad;
};

static void note_bad(struct scan *scan, unsigned long at)
{
	scan->bad = scan->bad ?: at;
	scan->nr_bad++;
}

/* Waits until a page has been moved, by reading it. */
static int wait_for_page(struct ckpt_saver *s, unsigned long at)
{
	struct page *page;
	long n = ckpt_get_user_pages_remote(s->mm, at, 1, FOLL_FORCE | FOLL_DUMP, &page);

	if (n == 1)
		put_page(page);
	cond_resched();
	return fatal_signal_pending(current) ? -EINTR : 0;
}

static int add_table(struct ckpt_saver *s, const struct table *t, unsigned long base)
{
	unsigned int from, to;
	int err = 0;

	for_each_set_bitrange(from, to, t->pages, PTRS_PER_PTE) {
		err = ckpt_pages_add(&s->pages, s->process->number, 0, base + from * PAGE_SIZE,
				     to - from);
		if (err)
			return err;
	}
	for_each_set_bitrange(from, to, t->inherited, PTRS_PER_PTE) {
		err = ckpt_pages_inherit(&s->pages, s->process->number, base + from * PAGE_SIZE,
					 to - from);
		if (err)
			break;
	}
	return err;
}

/* A huge page is inherited as a whole or not at all. */
static int add_huge(struct scan *scan, pmd_t *pmd, unsigned long at, unsigned long end)
{
	unsigned long pfn = pmd_pfn(READ_ONCE(*pmd)) + ((at & ~PMD_MASK) >> PAGE_SHIFT);
	unsigned long n = (end - at) >> PAGE_SHIFT;
	u32 number = scan->s->process->number;

	if (ckpt_inherit_has(&scan->view, at, pfn) &&
	    ckpt_inherit_has(&scan->view, end - PAGE_SIZE, pfn + n - 1))
		return ckpt_pages_inherit(&scan->s->pages, number, at, n);
	return ckpt_pages_add(&scan->s->pages, number, 0, at, n);
}

static int scan_pmd(struct scan *scan, pmd_t *pmd, unsigned long at, unsigned long end)
{
	struct ckpt_saver *s = scan->s;
	struct table t;
	int err;

	for (;;) {
		enum found found = look_at_pmd(s->mm, pmd);

		t.moving = at;
		if (found == FOUND_NOTHING)
			return 0;
		if (found == FOUND_HUGE)
			return add_huge(scan, pmd, at, end);
		if (found == FOUND_BAD) {
			note_bad(scan, at);
			return 0;
		}
		if (found == FOUND_TABLE)
			look_at_table(s->mm, pmd, at, end, &scan->view, &t);
		if (!t.moving)
			break;
		err = wait_for_page(s, t.moving);
		if (err)
			return err;
	}
	if (t.bad)
		note_bad(scan, t.bad);
	return add_table(s, &t, at & PMD_MASK);
}

/* The lowest table for an address, or NULL with *@next set to where the hole ends. */
static pmd_t *find_pmd(struct mm_struct *mm, unsigned long at, unsigned long end,
		       unsigned long *next)
{
	pgd_t *pgd = pgd_offset(mm, at);
	p4d_t *p4d;
	pud_t *pud;

	*next = pgd_addr_end(at, end);
	if (pgd_none(*pgd) || pgd_bad(*pgd))
		return NULL;
	p4d = p4d_offset(pgd, at);
	*next = p4d_addr_end(at, end);
	if (p4d_none(*p4d) || p4d_bad(*p4d))
		return NULL;
	pud = pud_offset(p4d, at);
	*next = pud_addr_end(at, end);
	/* Pages of this size are of hugetlbfs or of a device, both of which are refused. */
	if (pud_none(*pud) || pud_bad(*pud))
		return NULL;
	*next = pmd_addr_end(at, end);
	return pmd_offset(pud, at);
}

static int scan_vma(struct scan *scan, struct vm_area_struct *vma)
{
	unsigned long at = vma->vm_start, next;
	int err = 0;

	while (at < vma->vm_end && !err) {
		pmd_t *pmd = find_pmd(vma->vm_mm, at, vma->vm_end, &next);

		if (pmd)
			err = scan_pmd(scan, pmd, at, next);
		at = next;
		if (fatal_signal_pending(current))
			err = -EINTR;
		cond_resched();
	}
	return err;
}

/* What a VMA without anon_vma shows comes from elsewhere, or is zero. */
static bool has_own_pages(struct vm_area_struct *vma)
{
	const char *name;

	return vma->anon_vma && !(vma->vm_flags & VM_MAYSHARE) && !ckpt_vma_is_special(vma, &name);
}

int ckpt_pagescan(struct ckpt_saver *s)
{
	VMA_ITERATOR(vmi, s->mm, 0);
	struct scan scan = { .s = s };
	struct vm_area_struct *vma;
	int err = 0;

	if (mmap_read_lock_killable(s->mm))
		return -EINTR;
	ckpt_inherit_view_open(s, &scan.view);
	for_each_vma(vmi, vma) {
		if (has_own_pages(vma))
			err = scan_vma(&scan, vma);
		if (err)
			break;
	}
	ckpt_inherit_view_close(&scan.view);
	mmap_read_unlock(s->mm);
	if (scan.bad)
		ckpt_save_refuse(s, "memory",
				 "%lx and %lu more: pages that cannot be read: unmap them",
				 scan.bad, scan.nr_bad - 1);
	return err;
}
