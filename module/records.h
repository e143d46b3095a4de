/* SPDX-License-Identifier: GPL-2.0-only */
/* Finding records of an open image: by process and type, or by the object that they describe. */
#ifndef CKPT_RECORDS_H
#define CKPT_RECORDS_H

#include <linux/ckpt_image.h>
#include <linux/types.h>
#include <linux/xarray.h>

#include "image_read.h"

struct ckpt_messages;

#define CKPT_NR_RECORD_TYPES (CKPT_REC_END - CKPT_REC_META)

/**
 * struct ckpt_record_range - records of one type that belong to one process, or to the job
 * @first: place of the first one in ckpt_image_reader.records
 * @nr: how many
 */
struct ckpt_record_range {
	u32 first;
	u32 nr;
};

/**
 * struct ckpt_records - an index over the records of an image
 * @img: the image
 * @ranges: by number of the process (0: the job), then by type
 * @nr_processes: processes, without the job
 * @objects: record by the id of the object
 */
struct ckpt_records {
	const struct ckpt_image_reader *img;
	struct ckpt_record_range (*ranges)[CKPT_NR_RECORD_TYPES];
	u32 nr_processes;
	struct xarray objects;
};

/**
 * ckpt_records_init() - make the index
 * @r: the index; ckpt_records_exit() is due, in case of an error too
 * @img: the image; stays in place
 * @m: gets the reason of a failure
 *
 * Return: 0, -ENOMEM, or -EBADMSG when records are not in the order that the format asks for, a
 * process is out of bounds, or an object is there twice
 */
int ckpt_records_init(struct ckpt_records *r, const struct ckpt_image_reader *img,
		      struct ckpt_messages *m);
void ckpt_records_exit(struct ckpt_records *r);

/* The records of a type that belong to a process; @process 0: to the job. */
struct ckpt_record_range ckpt_records_of(const struct ckpt_records *r, u32 process, u32 type);

static inline const struct ckpt_record *ckpt_records_begin(const struct ckpt_records *r,
							   u32 process, u32 type)
{
	return r->img->records + ckpt_records_of(r, process, type).first;
}

static inline const struct ckpt_record *ckpt_records_end(const struct ckpt_records *r, u32 process,
							 u32 type)
{
	struct ckpt_record_range range = ckpt_records_of(r, process, type);

	return r->img->records + range.first + range.nr;
}

/* The record of a type that describes object @id, or NULL. */
const struct ckpt_record *ckpt_records_object(struct ckpt_records *r, u32 type, u32 id);

#endif /* CKPT_RECORDS_H */
