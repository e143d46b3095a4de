/* SPDX-License-Identifier: GPL-2.0-only */
/* Images made by hand for tests: a test spoils a part and seals the rest again. */
#ifndef CKPT_TESTS_MAKE_IMAGE_H
#define CKPT_TESTS_MAKE_IMAGE_H

#include <kunit/test.h>
#include <linux/ckpt_image.h>
#include <linux/elf.h>
#include <linux/types.h>

#define MAKE_IMAGE_MAX_NOTES 64

/**
 * struct make_image - an image in memory
 * @test: the test that it is for
 * @data: its bytes
 * @len: how many
 * @size: room
 * @nr_loads: PT_LOAD headers
 * @note_at: offset of each note
 * @desc_len: bytes of each note's descriptor, whatever its header says
 * @nr_notes: how many
 * @notes_end: offset behind the notes
 * @pages_at: offset of the pages
 * @nr_pages: how many
 */
struct make_image {
	struct kunit *test;
	u8 *data;
	size_t len, size;
	unsigned int nr_loads;
	size_t note_at[MAKE_IMAGE_MAX_NOTES];
	size_t desc_len[MAKE_IMAGE_MAX_NOTES];
	unsigned int nr_notes;
	size_t notes_end;
	size_t pages_at;
	unsigned int nr_pages;
};

/*
 * Starts an image of one process: headers, and the meta record. It must be ended by
 * make_image_free().
 */
struct make_image *make_image_new(struct kunit *test, unsigned int nr_threads,
				  unsigned int nr_loads);
void make_image_free(struct make_image *m);

/* Adds a record; returns its payload, which stays in place until the next call. */
void *make_image_add(struct make_image *m, u32 type, u16 version, u32 process, u32 tid, u32 id,
		     const void *p, size_t len);
/* Adds the pages, the table of checksums and the trailer; seals all. */
void make_image_end(struct make_image *m, unsigned int nr_pages);

/* Makes counts and checksums right again, as far as a test does not want them wrong. */
enum make_image_keep {
	MAKE_IMAGE_KEEP_NOTHING = 0,
	MAKE_IMAGE_KEEP_COUNTS = 1 << 0, /* numbers of records and pages in the meta record */
	MAKE_IMAGE_KEEP_TABLE = 1 << 1, /* the checksums of the pages */
	MAKE_IMAGE_KEEP_TRAILER = 1 << 2, /* all of the trailer but its own checksum */
};

void make_image_seal(struct make_image *m, unsigned int keep);

/* Parts of the image. */
Elf64_Ehdr *make_image_ehdr(struct make_image *m);
Elf64_Shdr *make_image_shdr(struct make_image *m);
Elf64_Phdr *make_image_phdr(struct make_image *m, unsigned int i);
Elf64_Nhdr *make_image_note(struct make_image *m, unsigned int i);
struct ckpt_rec *make_image_rec(struct make_image *m, unsigned int i);
struct ckpt_image_meta *make_image_meta(struct make_image *m);
u32 *make_image_table(struct make_image *m);
struct ckpt_image_trailer *make_image_trailer(struct make_image *m);

/* The first @len bytes as a file. */
struct file *make_image_file(struct make_image *m, size_t len);

#endif /* CKPT_TESTS_MAKE_IMAGE_H */
