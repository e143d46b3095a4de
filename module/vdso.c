// SPDX-License-Identifier: GPL-2.0-only
/* The vDSO: code of the kernel that runs in the process, and its data. */

#include "vdso.h"

#include <linux/ckpt_image.h>
#include <linux/crc32c.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <asm/prctl.h>
#include <asm/unistd.h>

#include "restorer.h"
#include "vma_flags.h"
#include "vma_list.h"

#define CODE "[vdso]"
/* Bounds the buffer; the code takes one to four pages. */
#define MAX_CODE SZ_1M

/* In the order in which the kernel maps them, the code last. */
static const char *const part_names[] = { "[vvar]", "[vvar_vclock]", CODE };

bool ckpt_vdso_is_part(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(part_names); i++)
		if (!strcmp(name, part_names[i]))
			return true;
	return false;
}

const struct ckpt_vdso_part *ckpt_vdso_find(const struct ckpt_vdso *v, const char *name)
{
	unsigned int i;

	for (i = 0; i < v->nr_parts; i++)
		if (!strcmp(v->parts[i].name, name))
			return &v->parts[i];
	return NULL;
}

unsigned long ckpt_vdso_span(const struct ckpt_vdso *v)
{
	unsigned long span = 0;
	unsigned int i;

	for (i = 0; i < v->nr_parts; i++)
		span += v->parts[i].len;
	return span;
}

static int hash_code(struct ckpt_vdso *v, struct task_struct *task)
{
	const struct ckpt_vdso_part *p = ckpt_vdso_find(v, CODE);
	void *buf;
	int err = 0;

	if (!p)
		return 0;
	if (p->len > MAX_CODE)
		return -E2BIG;
	buf = kvmalloc(p->len, GFP_KERNEL);
	if (!buf)
		return -ENOMEM;
	if (access_process_vm(task, p->start, buf, p->len, FOLL_FORCE) != p->len)
		err = -EFAULT;
	else
		v->crc = crc32c(~0U, buf, p->len);
	v->len = p->len;
	kvfree(buf);
	return err;
}

static int take_part(struct ckpt_vdso *v, const struct ckpt_vma *vma)
{
	struct ckpt_vdso_part *p = &v->parts[v->nr_parts];

	if (v->nr_parts == CKPT_VDSO_PARTS || ckpt_vdso_find(v, vma->name))
		return -E2BIG;
	strscpy(p->name, vma->name, sizeof(p->name));
	p->start = vma->start;
	p->len = vma->end - vma->start;
	p->prot = ckpt_vma_prot(vma->flags);
	v->nr_parts++;
	return 0;
}

int ckpt_vdso_get(struct ckpt_vdso *v, struct task_struct *task)
{
	struct mm_struct *mm = get_task_mm(task);
	struct ckpt_vma_list list;
	unsigned int i;
	int err;

	memset(v, 0, sizeof(*v));
	if (!mm)
		return -ESRCH;
	err = ckpt_vma_list_get(&list, mm);
	mmput(mm);
	if (err)
		return err;
	for (i = 0; i < list.nr && !err; i++)
		if (list.vmas[i].special && ckpt_vdso_is_part(list.vmas[i].name))
			err = take_part(v, &list.vmas[i]);
	ckpt_vma_list_put(&list);
	return err ?: hash_code(v, task);
}

static const struct ckpt_image_vma *saved_part(struct ckpt_restorer *r, const char *name)
{
	const struct ckpt_record *rec;

	ckpt_for_each_record_of(rec, r, CKPT_REC_VMA) {
		const struct ckpt_image_vma *v = rec->data;

		if (v->kind == CKPT_VMA_SPECIAL && !strcmp(v->path, name))
			return v;
	}
	return NULL;
}

/* Moves a mapping to its saved place, or away when the saved process had removed it. */
static int place(struct ckpt_restorer *r, const struct ckpt_vdso_part *p, unsigned long at)
{
	const struct ckpt_image_vma *v = saved_part(r, p->name);

	if (!v)
		return ckpt_script_add(&r->script, __NR_munmap, at, p->len, 0, 0, 0, 0);
	return ckpt_script_add(&r->script, __NR_mremap, at, p->len, p->len,
			       MREMAP_MAYMOVE | MREMAP_FIXED, v->start, 0);
}

int ckpt_vdso_script(struct ckpt_restorer *r, unsigned long parking)
{
	unsigned int i;
	int err;

	if (!r->job->vdso.nr_parts)
		return 0;
	/* May be done when the process has none, and spares moving the old one out of the way. */
	err = ckpt_script_add(&r->script, __NR_arch_prctl, ARCH_MAP_VDSO_64, parking, 0, 0, 0, 0);
	for (i = 0; i < ARRAY_SIZE(part_names) && !err; i++) {
		const struct ckpt_vdso_part *p = ckpt_vdso_find(&r->job->vdso, part_names[i]);

		if (!p)
			continue;
		err = place(r, p, parking);
		parking += p->len;
	}
	return err;
}
