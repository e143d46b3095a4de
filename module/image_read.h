/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading an image: hostile input, verified before anything is changed. */
#ifndef CKPT_IMAGE_READ_H
#define CKPT_IMAGE_READ_H

#include <linux/ckpt_image.h>
#include <linux/types.h>

struct ckpt_messages;
struct file;

/**
 * struct ckpt_record - one record of an open image
 * @type: CKPT_REC_*
 * @version: its version
 * @flags: CKPT_REC_COMPATIBLE
 * @process: number of the process, 0 for the job
 * @tid: thread, 0 for the process
 * @id: object, 0 for none
 * @len: bytes at @data
 * @data: the payload; aligned to four bytes
 */
struct ckpt_record {
	u32 type;
	u16 version;
	u16 flags;
	u32 process;
	u32 tid;
	u32 id;
	u32 len;
	const void *data;
};

/**
 * struct ckpt_image_reader - an image being read
 * @file: what is read, referenced
 * @messages: where errors are told
 * @meta: the first record
 * @notes: all notes, as they stand in the file
 * @notes_len: bytes of @notes
 * @records: the records, in the order of the image
 * @nr_records: how many
 * @start: position in @file
 * @file_pos: points to @start, NULL for a stream
 * @pos: bytes read so far, counted from the first byte of the image
 * @crcs: checksum of each page that was read
 * @nr_crcs: pages read
 * @crcs_size: room in @crcs
 * @notes_crc: CRC32C of @notes
 */
struct ckpt_image_reader {
	struct file *file;
	struct ckpt_messages *messages;
	const struct ckpt_image_meta *meta;
	void *notes;
	u64 notes_len;
	struct ckpt_record *records;
	u32 nr_records;
	loff_t start;
	loff_t *file_pos;
	u64 pos;
	u32 *crcs;
	u64 nr_crcs;
	u64 crcs_size;
	u32 notes_crc;
};

#define ckpt_for_each_record(rec, img) \
	for ((rec) = (img)->records; (rec) < (img)->records + (img)->nr_records; (rec)++)

/**
 * ckpt_image_open() - read and check the headers and all records
 * @img: filled in
 * @file: opened for reading; a reference is taken
 * @m: gets the reason of a failure
 *
 * Return: 0 or an errno as told at struct ckpt_open_image; after an error ckpt_image_close() is not
 * due
 */
int ckpt_image_open(struct ckpt_image_reader *img, struct file *file, struct ckpt_messages *m);
void ckpt_image_close(struct ckpt_image_reader *img);

/* Reads the next stored pages into @buf and keeps their checksums. */
int ckpt_image_read_pages(struct ckpt_image_reader *img, void *buf, unsigned int nr_pages);
/* Reads what follows the pages and compares all checksums. */
int ckpt_image_finish(struct ckpt_image_reader *img);

/* Whether @len bytes at @text are a string that ends with NUL within them, and not an empty one. */
bool ckpt_image_is_text(const char *text, size_t len);

#endif /* CKPT_IMAGE_READ_H */
