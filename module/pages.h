/* SPDX-License-Identifier: GPL-2.0-only */
/* Pages of memory: which ones a save stores, and carrying them to the image. */
#ifndef CKPT_PAGES_H
#define CKPT_PAGES_H

#include <linux/ckpt_image.h>
#include <linux/list.h>
#include <linux/types.h>

struct ckpt_saver;
struct file;

/**
 * struct ckpt_pages_object - an object whose pages are stored
 * @node: in struct ckpt_pages.objects
 * @id: id of its record
 * @file: it, opened for reading; referenced
 */
struct ckpt_pages_object {
	struct list_head node;
	u32 id;
	struct file *file;
};

/**
 * struct ckpt_pages_set - the runs of one process, or of all objects
 * @runs: the runs, in the order of the image
 * @nr_runs: how many
 * @size: room in @runs
 * @nr_pages: pages in all
 */
struct ckpt_pages_set {
	struct ckpt_image_run *runs;
	u64 nr_runs;
	u64 size;
	u64 nr_pages;
};

/**
 * struct ckpt_pages - the pages to store: those of objects, then those of each process
 * @sets: by number of the process; 0: objects
 * @inherited: by number of the process: pages that another process has too, which are not stored
 * @nr_sets: how many
 * @nr_pages: pages in all
 * @objects: struct ckpt_pages_object, in order of id
 */
struct ckpt_pages {
	struct ckpt_pages_set *sets;
	struct ckpt_pages_set *inherited;
	unsigned int nr_sets;
	u64 nr_pages;
	struct list_head objects;
};

/* Room for @nr_processes processes; ckpt_pages_exit() is due, in case of an error too. */
int ckpt_pages_init(struct ckpt_pages *p, unsigned int nr_processes);
void ckpt_pages_exit(struct ckpt_pages *p);

static inline struct ckpt_pages_set *ckpt_pages_of(struct ckpt_pages *p, u32 process)
{
	return &p->sets[process];
}

/* Adds pages behind those that the set has; joins them with the last run where they touch. */
int ckpt_pages_add(struct ckpt_pages *p, u32 process, u32 object, u64 start, u64 nr_pages);
/* The same for pages that the process has from another one. */
int ckpt_pages_inherit(struct ckpt_pages *p, u32 process, u64 start, u64 nr_pages);

/* Takes an object into the list; the reference to @file is taken over, in case of an error too. */
int ckpt_pages_add_object(struct ckpt_pages *p, u32 id, struct file *file);
/* Adds the pages of an object that hold anything. */
int ckpt_pages_scan_object(struct ckpt_pages *p, const struct ckpt_pages_object *o);

/* Carries every page of s->pages to the image, in their order: objects, then processes. */
int ckpt_pages_write(struct ckpt_saver *s);

#endif /* CKPT_PAGES_H */
