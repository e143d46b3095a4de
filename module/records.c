// SPDX-License-Identifier: GPL-2.0-only
/* Finding records of an open image: by process and type, or by the object that they describe. */

#include "records.h"

#include <linux/err.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "message.h"

/* What bounds the memory that an image may make the kernel allocate. */
#define MAX_PROCESSES (1U << 20)

static int bad(struct ckpt_messages *m, const struct ckpt_record *rec, const char *what)
{
	ckpt_messages_add(m, "image: record %x of process %u: %s", rec->type, rec->process, what);
	return -EBADMSG;
}

/* The range of a record, or NULL for a type that is not known. */
static struct ckpt_record_range *range_of(const struct ckpt_records *r,
					  const struct ckpt_record *rec)
{
	if (rec->type < CKPT_REC_META || rec->type >= CKPT_REC_END)
		return NULL;
	return &r->ranges[rec->process][rec->type - CKPT_REC_META];
}

static int add(struct ckpt_records *r, const struct ckpt_record *rec, struct ckpt_messages *m)
{
	u32 i = rec - r->img->records;
	struct ckpt_record_range *range;
	int err;

	if (rec->process > r->nr_processes)
		return bad(m, rec, "no such process");
	if (i && rec->process < rec[-1].process)
		return bad(m, rec, "out of order");
	range = range_of(r, rec);
	if (range) {
		if (!range->nr)
			range->first = i;
		else if (range->first + range->nr != i)
			return bad(m, rec, "apart from those of its type");
		range->nr++;
	}
	if (!rec->id)
		return 0;
	err = xa_insert(&r->objects, rec->id, (void *)rec, GFP_KERNEL);
	if (err == -EBUSY) {
		ckpt_messages_add(m, "image: object %u: there twice", rec->id);
		err = -EBADMSG;
	}
	return err;
}

int ckpt_records_init(struct ckpt_records *r, const struct ckpt_image_reader *img,
		      struct ckpt_messages *m)
{
	const struct ckpt_record *rec;
	u32 n = img->meta->nr_processes;
	int err;

	*r = (struct ckpt_records){ .img = img };
	xa_init(&r->objects);
	/* Each has a record at least. */
	if (!n || n > MAX_PROCESSES || n > img->nr_records) {
		ckpt_messages_add(m, "image: %u processes: out of range", n);
		return -EBADMSG;
	}
	r->ranges = kvcalloc(n + 1, sizeof(*r->ranges), GFP_KERNEL_ACCOUNT);
	if (!r->ranges)
		return -ENOMEM;
	r->nr_processes = n;
	ckpt_for_each_record(rec, img) {
		err = add(r, rec, m);
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

void ckpt_records_exit(struct ckpt_records *r)
{
	kvfree(r->ranges);
	r->ranges = NULL;
	xa_destroy(&r->objects);
}

struct ckpt_record_range ckpt_records_of(const struct ckpt_records *r, u32 process, u32 type)
{
	return r->ranges[process][type - CKPT_REC_META];
}

const struct ckpt_record *ckpt_records_object(struct ckpt_records *r, u32 type, u32 id)
{
	const struct ckpt_record *rec = id ? xa_load(&r->objects, id) : NULL;

	return rec && rec->type == type ? rec : NULL;
}
