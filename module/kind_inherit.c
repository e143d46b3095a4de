// SPDX-License-Identifier: GPL-2.0-only
/* State kind: memory that a process shares with another one since fork(2). */

#include <linux/err.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <asm/unistd.h>

#include "inherit.h"
#include "kinds.h"
#include "restorer.h"
#include "saver.h"

/* The kind of the pages has looked for them. */
static int save(struct ckpt_saver *s)
{
	const struct ckpt_pages_set *set = &s->pages.inherited[s->process->number];
	const struct ckpt_process *source = s->spaces[s->process->number].source;
	struct ckpt_image_inherit *out;
	u64 i;

	if (!source)
		return 0;
	if (struct_size(out, runs, set->nr_runs) > CKPT_IMAGE_MAX_RECORD) {
		ckpt_save_refuse(s, "inherit", "memory: in too many pieces: save it by itself");
		return 0;
	}
	out = ckpt_save_record(s, &ckpt_kind_inherit, 0, 0, struct_size(out, runs, set->nr_runs));
	if (IS_ERR(out))
		return PTR_ERR(out);
	out->source = source->number;
	out->nr_runs = set->nr_runs;
	for (i = 0; i < set->nr_runs; i++) {
		out->runs[i].start = set->runs[i].start;
		out->runs[i].nr_pages = set->runs[i].nr_pages;
	}
	return 0;
}

static int bad(struct ckpt_restorer *r, const char *what)
{
	return ckpt_restore_error(r, -EBADMSG, "image: process %d: inherited memory: %s",
				  r->saved->pid, what);
}

static int verify(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_inherit *i = rec->data;
	u64 end = 0;
	u32 n;

	if (!i->source || i->source >= r->number)
		return bad(r, "of no process before it");
	if (i->nr_runs > CKPT_IMAGE_MAX_RECORD || struct_size(i, runs, i->nr_runs) != rec->len)
		return bad(r, "runs that do not fit their record");
	for (n = 0; n < i->nr_runs; n++) {
		const struct ckpt_image_inherit_run *run = &i->runs[n];

		if (!PAGE_ALIGNED(run->start) || run->start < end || run->start >= TASK_SIZE ||
		    !run->nr_pages || run->nr_pages > (TASK_SIZE - run->start) / PAGE_SIZE)
			return bad(r, "runs out of order");
		end = run->start + run->nr_pages * PAGE_SIZE;
	}
	r->source = r->job->processes + i->source - 1;
	return ckpt_restorer_is_zombie(r->source) ? bad(r, "of a process that has exited") : 0;
}

/* The VMA of the source that ends behind an address, from @rec on. */
static const struct ckpt_record *skip_to(const struct ckpt_record *rec,
					 const struct ckpt_record *end, u64 at)
{
	while (rec < end && ((const struct ckpt_image_vma *)rec->data)->end <= at)
		rec++;
	return rec;
}

static int verify_all(struct ckpt_restorer *r)
{
	u32 source = r->source ? r->source->number : 0;
	const struct ckpt_record *rec, *from, *end, *w;

	from = ckpt_records_begin(&r->job->records, source, CKPT_REC_VMA);
	end = ckpt_records_end(&r->job->records, source, CKPT_REC_VMA);
	ckpt_for_each_record_of(rec, r, CKPT_REC_VMA) {
		const struct ckpt_image_vma *v = rec->data;
		u64 at = v->start;

		if (!(v->flags & CKPT_VMA_INHERITED))
			continue;
		if (!r->source)
			return bad(r, "of no process");
		from = skip_to(from, end, v->start);
		for (w = from; w < end && at < v->end && ckpt_inherit_cover(v, w->data, &at);)
			w++;
		if (at < v->end)
			return bad(r, "not as in the other process");
		cond_resched();
	}
	return 0;
}

/* Where two lists of runs stand that are walked by ascending addresses: stored, and inherited. */
struct walk {
	const struct ckpt_record *rec, *end; /* CKPT_REC_RUNS */
	u32 stored, inherited;
	const struct ckpt_image_inherit *from;
};

static void walk_init(struct walk *w, struct ckpt_restorer *r)
{
	const struct ckpt_record *rec = ckpt_restore_find(r, CKPT_REC_INHERIT, 0);

	*w = (struct walk){
		.rec = ckpt_records_begin(&r->job->records, r->number, CKPT_REC_RUNS),
		.end = ckpt_records_end(&r->job->records, r->number, CKPT_REC_RUNS),
		.from = rec ? rec->data : NULL,
	};
}

static void limit(u64 start, u64 at, u64 *next)
{
	if (start > at)
		*next = min(*next, start);
}

static bool in_run(u64 start, u64 nr_pages, u64 at, u64 *next)
{
	u64 end = start + nr_pages * PAGE_SIZE;

	limit(start, at, next);
	limit(end, at, next);
	return start <= at && at < end;
}

/* Whether the process has a page at an address; until *@next the answer is the same. */
static bool has_page(struct walk *w, u64 at, u64 *next)
{
	bool found = false;

	while (w->rec < w->end) {
		const struct ckpt_image_runs *runs = w->rec->data;

		while (w->stored < runs->nr_runs &&
		       runs->runs[w->stored].start + runs->runs[w->stored].nr_pages * PAGE_SIZE <=
			       at)
			w->stored++;
		if (w->stored < runs->nr_runs) {
			found = in_run(runs->runs[w->stored].start, runs->runs[w->stored].nr_pages,
				       at, next);
			break;
		}
		w->rec++;
		w->stored = 0;
	}
	if (!w->from)
		return found;
	while (w->inherited < w->from->nr_runs &&
	       w->from->runs[w->inherited].start +
			       w->from->runs[w->inherited].nr_pages * PAGE_SIZE <=
		       at)
		w->inherited++;
	if (w->inherited < w->from->nr_runs &&
	    in_run(w->from->runs[w->inherited].start, w->from->runs[w->inherited].nr_pages, at,
		   next))
		found = true;
	return found;
}

/*
 * The sources of a process: that which it was made by, that one's own, and so on. Each is made
 * before its script has dropped what is not its own, so that all of them count.
 */
struct sources {
	struct walk *walks;
	unsigned int nr;
};

static int sources_init(struct sources *s, struct ckpt_restorer *r)
{
	struct ckpt_restorer *a;
	unsigned int i = 0;

	*s = (struct sources){};
	for (a = r->source; a; a = a->source)
		s->nr++;
	s->walks = kvcalloc(s->nr, sizeof(*s->walks), GFP_KERNEL_ACCOUNT);
	if (!s->walks)
		return -ENOMEM;
	for (a = r->source; a; a = a->source)
		walk_init(&s->walks[i++], a);
	return 0;
}

static bool any_has_page(struct sources *s, u64 at, u64 *next)
{
	bool found = false;
	unsigned int i;

	for (i = 0; i < s->nr; i++)
		found = has_page(&s->walks[i], at, next) || found;
	return found;
}

/* What a source has in a VMA that was taken over, and the process had not, goes. */
static int script_vma(struct ckpt_restorer *r, const struct ckpt_image_vma *v, struct walk *own,
		      struct sources *sources)
{
	u64 at = v->start;
	int err = 0;

	while (at < v->end && !err) {
		u64 next = v->end;
		bool surplus = any_has_page(sources, at, &next);

		surplus = !has_page(own, at, &next) && surplus;
		if (surplus)
			err = ckpt_script_add(&r->script, __NR_madvise, at, next - at,
					      MADV_DONTNEED, 0, 0, 0);
		at = next;
		cond_resched();
	}
	return err;
}

static int script(struct ckpt_restorer *r)
{
	const struct ckpt_record *rec;
	struct sources sources;
	struct walk own;
	int err;

	if (!r->source)
		return 0;
	err = sources_init(&sources, r);
	if (err)
		return err;
	walk_init(&own, r);
	ckpt_for_each_record_of(rec, r, CKPT_REC_VMA) {
		const struct ckpt_image_vma *v = rec->data;

		if ((v->flags & CKPT_VMA_INHERITED) && !(v->flags & CKPT_VMA_SHARED))
			err = script_vma(r, v, &own, &sources);
		if (err)
			break;
	}
	kvfree(sources.walks);
	return err;
}

const struct ckpt_kind ckpt_kind_inherit = {
	.name = "inherit",
	.type = CKPT_REC_INHERIT,
	.version = 1,
	.oldest = 1,
	.min_len = sizeof(struct ckpt_image_inherit),
	.count = CKPT_AT_MOST_ONE,
	.part = CKPT_SHARE_MM,
	.save = save,
	.verify = verify,
	.verify_all = verify_all,
	.script = script,
};
