// SPDX-License-Identifier: GPL-2.0-only
/* Kind: extended registers (x87, SSE, AVX...) of one thread: only the components in use. */

#include <linux/bitops.h>
#include <linux/err.h>
#include <linux/overflow.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <asm/fpu/api.h>
#include <asm/fpu/types.h>

#include "arch_x86.h"
#include "kinds.h"
#include "restorer.h"
#include "saver.h"

static_assert(sizeof(struct xregs_state) == CKPT_XSTATE_MIN_SIZE);

/* The components that have a place of their own behind the legacy area. */
#define FIRST_PART 2
#define PART_BITS(f) ((f) & ~(XFEATURE_MASK_FP | XFEATURE_MASK_SSE))

static const u8 *area_of(const struct ckpt_image_xstate *i)
{
	return (const u8 *)&i->parts[i->nr_parts];
}

static u32 used_size(u64 features)
{
	u32 end = CKPT_XSTATE_MIN_SIZE;
	unsigned int f;

	for (f = FIRST_PART; f < 64; f++) {
		u32 offset, size;

		if (!(features & BIT_ULL(f)))
			continue;
		ckpt_xstate_part(f, &offset, &size);
		end = max(end, offset + size);
	}
	return ALIGN(end, 8);
}

static int save_thread(struct ckpt_saver *s, struct ckpt_thread *t)
{
	const struct xregs_state *from = t->cpu.xstate;
	u64 features = from->header.xfeatures;
	u32 size = min(used_size(features), t->cpu.xstate_size);
	unsigned int nr_parts = hweight64(PART_BITS(features)), f, n = 0;
	struct ckpt_image_xstate *i;

	i = ckpt_save_record(s, &ckpt_kind_xstate, task_pid_vnr(t->task), 0,
			     struct_size(i, parts, nr_parts) + size);
	if (IS_ERR(i))
		return PTR_ERR(i);
	i->features = features;
	i->nr_parts = nr_parts;
	i->size = size;
	for (f = FIRST_PART; f < 64; f++) {
		if (!(features & BIT_ULL(f)))
			continue;
		i->parts[n].feature = f;
		ckpt_xstate_part(f, &i->parts[n].offset, &i->parts[n].size);
		n++;
	}
	memcpy((u8 *)&i->parts[nr_parts], from, size);
	return 0;
}

/* Whether the parts are those of @features, in order, and inside of the area. */
static const char *check_parts(const struct ckpt_image_xstate *i)
{
	u64 left = PART_BITS(i->features);
	unsigned int n;

	for (n = 0; n < i->nr_parts; n++) {
		const struct ckpt_image_xstate_part *p = &i->parts[n];

		if (!left || p->feature != __ffs(left) || p->reserved)
			return "bad list of components";
		left &= left - 1;
		if (p->offset < CKPT_XSTATE_MIN_SIZE || p->offset > i->size ||
		    p->size > i->size - p->offset)
			return "component outside of the area";
	}
	return left ? "bad list of components" : NULL;
}

static const char *check_header(const struct ckpt_image_xstate *i)
{
	const u8 *area = area_of(i);
	struct xstate_header header;
	u32 mxcsr;

	memcpy(&header, area + offsetof(struct xregs_state, header), sizeof(header));
	if (header.xfeatures != i->features || header.xcomp_bv ||
	    memchr_inv(header.reserved, 0, sizeof(header.reserved)))
		return "bad header";
	memcpy(&mxcsr, area + offsetof(struct fxregs_state, mxcsr), sizeof(mxcsr));
	if (mxcsr & ~mxcsr_feature_mask)
		return "bad MXCSR";
	return NULL;
}

/* Whether this CPU has every component in use, with the same size. */
static int check_cpu(struct ckpt_restorer *r, u32 tid, const struct ckpt_image_xstate *i)
{
	u64 known, missing;
	unsigned int n;
	int err = ckpt_xstate_features(&known);

	if (err)
		return err;
	missing = i->features & ~known;
	if (missing)
		return ckpt_restore_error(r, -EOPNOTSUPP,
					  "thread %u: %s registers (component %lu) in use: %s", tid,
					  ckpt_xstate_name(__ffs(missing)), __ffs(missing),
					  "this CPU lacks them");
	for (n = 0; n < i->nr_parts; n++) {
		const struct ckpt_image_xstate_part *p = &i->parts[n];
		u32 offset, size;

		ckpt_xstate_part(p->feature, &offset, &size);
		if (size != p->size || offset + size > ckpt_xstate_size())
			return ckpt_restore_error(r, -EOPNOTSUPP,
						  "thread %u: %s registers: %u bytes, here %u", tid,
						  ckpt_xstate_name(p->feature), p->size, size);
	}
	return 0;
}

static int verify(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_xstate *i = rec->data;
	const char *why = NULL;

	if (i->nr_parts > CKPT_XSTATE_MAX_PARTS || i->size < CKPT_XSTATE_MIN_SIZE ||
	    i->size > CKPT_XSTATE_MAX_SIZE || i->size % 8 ||
	    rec->len != struct_size(i, parts, i->nr_parts) + i->size)
		why = "bad length";
	why = why ?: check_parts(i);
	why = why ?: check_header(i);
	if (why)
		return ckpt_restore_error(r, -EBADMSG, "thread %u: extended registers: %s",
					  rec->tid, why);
	return check_cpu(r, rec->tid, i);
}

/* In the layout of this CPU. */
static void *make_area(const struct ckpt_image_xstate *i)
{
	void *area = kvzalloc(ckpt_xstate_size(), GFP_KERNEL_ACCOUNT);
	const u8 *from = area_of(i);
	unsigned int n;

	if (!area)
		return NULL;
	memcpy(area, from, CKPT_XSTATE_MIN_SIZE);
	for (n = 0; n < i->nr_parts; n++) {
		const struct ckpt_image_xstate_part *p = &i->parts[n];
		u32 offset, size;

		ckpt_xstate_part(p->feature, &offset, &size);
		memcpy(area + offset, from + p->offset, size);
	}
	return area;
}

static int apply(struct ckpt_restorer *r, struct ckpt_rthread *t)
{
	const struct ckpt_record *rec = ckpt_restore_find(r, CKPT_REC_XSTATE, t->tid);
	int err;

	t->xstate = make_area(rec->data);
	if (!t->xstate)
		return -ENOMEM;
	err = ckpt_xstate_apply(t->xstate);
	if (err)
		return ckpt_restore_error(r, err, "thread %d: extended registers: refused by %s",
					  t->tid, "the kernel");
	return 0;
}

static void install(struct ckpt_restorer *r, struct ckpt_rthread *t)
{
	ckpt_xstate_install_pkru(t->xstate);
}

const struct ckpt_kind ckpt_kind_xstate = {
	.name = "xstate",
	.type = CKPT_REC_XSTATE,
	.version = 1,
	.oldest = 1,
	.min_len = sizeof(struct ckpt_image_xstate) + CKPT_XSTATE_MIN_SIZE,
	.count = CKPT_PER_THREAD,
	.save_thread = save_thread,
	.verify = verify,
	.apply = apply,
	.install = install,
};
