/* SPDX-License-Identifier: GPL-2.0-only */
/* Pages of memory: which ones a save stores, and carrying them to the image. */
#ifndef CKPT_PAGES_H
#define CKPT_PAGES_H

#include <linux/ckpt_image.h>
#include <linux/types.h>

struct ckpt_saver;

/**
 * struct ckpt_pages - the runs of pages to store, in the order of the image
 * @runs: the runs
 * @nr_runs: how many
 * @size: room in @runs
 * @nr_pages: pages in all
 */
struct ckpt_pages {
	struct ckpt_image_run *runs;
	u64 nr_runs;
	u64 size;
	u64 nr_pages;
};

void ckpt_pages_init(struct ckpt_pages *p);
void ckpt_pages_exit(struct ckpt_pages *p);

/* Adds pages behind those that are there; joins them with the last run where they touch. */
int ckpt_pages_add(struct ckpt_pages *p, u32 object, u64 start, u64 nr_pages);

/* Carries every page of s->pages to the image, by ckpt_image_write_pages() and ckpt_image_write_buffer(). */
int ckpt_pages_write(struct ckpt_saver *s);

#endif /* CKPT_PAGES_H */
