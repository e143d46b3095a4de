/* SPDX-License-Identifier: GPL-2.0-only */
/* Writing an image: records are collected first, then all goes out in one pass. */
#ifndef CKPT_IMAGE_WRITE_H
#define CKPT_IMAGE_WRITE_H

#include <linux/ckpt_image.h>
#include <linux/list.h>
#include <linux/types.h>

struct ckpt_image_note;
struct ckpt_saver;
struct file;
struct page;

/**
 * struct ckpt_image_writer - an image being written
 * @meta: the first record, made by ckpt_image_write()
 * @shared: records of the job by type, struct ckpt_image_note
 * @records: those of the processes, in the order of the image
 * @nr_records: how many in all
 * @notes_len: bytes of all notes
 * @file: what is written to; NULL before ckpt_image_write()
 * @pos: position in @file, NULL for a stream
 * @written: bytes written
 * @nr_pages: pages that the image will hold
 * @crcs: checksum of each stored page
 * @nr_crcs: pages written
 */
struct ckpt_image_writer {
	struct ckpt_image_note *meta;
	struct list_head shared[CKPT_REC_END - CKPT_REC_META];
	struct list_head records;
	u32 nr_records;
	u64 notes_len;
	struct file *file;
	loff_t *pos;
	u64 written;
	u64 nr_pages;
	u32 *crcs;
	u64 nr_crcs;
};

void ckpt_image_writer_init(struct ckpt_image_writer *w);
void ckpt_image_writer_exit(struct ckpt_image_writer *w);

/* Adds a record of process number @process, or of the job; see ckpt_save_record(). */
void *ckpt_image_add(struct ckpt_image_writer *w, u32 type, u16 version, u32 process, u32 tid,
		     u32 id, size_t len);

/**
 * ckpt_image_added() - look at the records of processes that were added so far
 * @w: the writer
 * @after: payload of the one before, or NULL
 * @type: CKPT_REC_*
 * @process: number of the process
 * @tid: thread, 0 for the process
 *
 * Return: payload of the next one of that type and thread, or NULL
 */
const void *ckpt_image_added(const struct ckpt_image_writer *w, const void *after, u32 type,
			     u32 process, u32 tid);

/**
 * ckpt_image_write() - write the whole image
 * @s: the save; all its records are there and s->pages is complete
 * @file: opened for writing
 *
 * Return: 0 or a negative errno
 */
int ckpt_image_write(struct ckpt_saver *s, struct file *file);

/* Called by ckpt_pages_write() alone, for all stored pages in their order. */
int ckpt_image_write_pages(struct ckpt_image_writer *w, struct page **pages, unsigned int nr);
int ckpt_image_write_buffer(struct ckpt_image_writer *w, const void *buf, unsigned int nr_pages);

#endif /* CKPT_IMAGE_WRITE_H */
