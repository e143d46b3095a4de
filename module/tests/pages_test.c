// SPDX-License-Identifier: GPL-2.0-only
/* Tests of the pages of a save: packing into runs, finding them, carrying them to the image. */

#include "../pages.h"

#include <kunit/test.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "../inherit.h"
#include "../pagescan.h"
#include "../request.h"
#include "../saver.h"
#include "memfile.h"
#include "usermem.h"

#define ADDRESS 0x400000ULL

/* A job of one process: the program that loads the tests. */
struct fixture {
	struct ckpt_saver save;
	struct ckpt_group group;
	struct ckpt_process process;
	struct ckpt_space_list spaces[2];
};

static int pages_init(struct kunit *test)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	struct ckpt_saver *s;

	if (!f)
		return -ENOMEM;
	s = &f->save;
	ckpt_image_writer_init(&s->out);
	INIT_LIST_HEAD(&f->group.processes);
	list_add(&f->process.node, &f->group.processes);
	f->process.leader = ckpt_kunit_task;
	f->process.number = 1;
	f->group.nr_processes = 1;
	s->group = &f->group;
	/* By number: it inherits from nobody. */
	s->spaces = f->spaces;
	s->req = ckpt_request_new(NULL);
	test->priv = s;
	return !s->req || ckpt_pages_init(&s->pages, 1) ? -ENOMEM : 0;
}

static void pages_exit(struct kunit *test)
{
	struct ckpt_saver *s = test->priv;

	if (!s)
		return;
	if (s->out.file)
		fput(s->out.file);
	ckpt_pages_exit(&s->pages);
	ckpt_image_writer_exit(&s->out);
	ckpt_request_put(s->req);
}

/* The runs of the process, or of all objects. */
static struct ckpt_pages_set *set_of(struct kunit *test, u32 process)
{
	struct ckpt_saver *s = test->priv;

	return ckpt_pages_of(&s->pages, process);
}

/* Runs of objects stand in a set of their own. */
static void expect_run(struct kunit *test, u64 i, u32 object, u64 start, u64 nr_pages)
{
	const struct ckpt_pages_set *set = set_of(test, !object);
	const struct ckpt_image_run *run = &set->runs[i];

	KUNIT_ASSERT_LT(test, i, set->nr_runs);
	KUNIT_EXPECT_EQ_MSG(test, run->start, start, "run %llu", i);
	KUNIT_EXPECT_EQ_MSG(test, run->nr_pages, nr_pages, "run %llu", i);
	KUNIT_EXPECT_EQ_MSG(test, run->object, object, "run %llu", i);
	KUNIT_EXPECT_EQ(test, run->reserved, 0U);
}

static void add(struct kunit *test, u32 object, u64 start, u64 nr_pages)
{
	struct ckpt_saver *s = test->priv;

	KUNIT_ASSERT_EQ(test, ckpt_pages_add(&s->pages, !object, object, start, nr_pages), 0);
}

static void touching_pages_are_joined(struct kunit *test)
{
	struct ckpt_saver *s = test->priv;

	add(test, 0, ADDRESS, 1);
	add(test, 0, ADDRESS + PAGE_SIZE, 2);
	add(test, 0, ADDRESS + 3 * PAGE_SIZE, 5);
	KUNIT_EXPECT_EQ(test, set_of(test, 1)->nr_runs, 1ULL);
	KUNIT_EXPECT_EQ(test, s->pages.nr_pages, 8ULL);
	expect_run(test, 0, 0, ADDRESS, 8);
}

static void gap_begins_a_run(struct kunit *test)
{
	add(test, 0, ADDRESS, 2);
	add(test, 0, ADDRESS + 3 * PAGE_SIZE, 1);
	KUNIT_EXPECT_EQ(test, set_of(test, 1)->nr_runs, 2ULL);
	expect_run(test, 0, 0, ADDRESS, 2);
	expect_run(test, 1, 0, ADDRESS + 3 * PAGE_SIZE, 1);
}

/* The end of the process's memory and the beginning of an object are no neighbours. */
static void objects_are_kept_apart(struct kunit *test)
{
	struct ckpt_saver *s = test->priv;

	add(test, 0, 0, 1);
	add(test, 3, PAGE_SIZE, 1);
	add(test, 3, 2 * PAGE_SIZE, 1);
	add(test, 4, 3 * PAGE_SIZE, 1);
	KUNIT_EXPECT_EQ(test, set_of(test, 1)->nr_runs, 1ULL);
	KUNIT_EXPECT_EQ(test, set_of(test, 0)->nr_runs, 2ULL);
	KUNIT_EXPECT_EQ(test, set_of(test, 0)->nr_pages, 3ULL);
	KUNIT_EXPECT_EQ(test, s->pages.nr_pages, 4ULL);
	expect_run(test, 0, 0, 0, 1);
	expect_run(test, 0, 3, PAGE_SIZE, 2);
	expect_run(test, 1, 4, 3 * PAGE_SIZE, 1);
}

static void runs_survive_growth(struct kunit *test)
{
	struct ckpt_saver *s = test->priv;
	const u64 nr = 3000;
	u64 i;

	for (i = 0; i < nr; i++)
		add(test, 0, ADDRESS + 2 * i * PAGE_SIZE, 1);
	KUNIT_ASSERT_EQ(test, set_of(test, 1)->nr_runs, nr);
	KUNIT_EXPECT_EQ(test, s->pages.nr_pages, nr);
	for (i = 0; i < nr; i++)
		expect_run(test, i, 0, ADDRESS + 2 * i * PAGE_SIZE, 1);
}

/* Page @i of the file gets @len bytes of this value. */
static void fill(struct kunit *test, struct file *file, u64 i, u8 value, size_t len)
{
	loff_t pos = i * PAGE_SIZE;
	void *p = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	memset(p, value, len);
	KUNIT_ASSERT_EQ(test, kernel_write(file, p, len, &pos), (ssize_t)len);
}

static struct ckpt_pages_object *object(struct kunit *test, u32 id, struct file *file)
{
	struct ckpt_saver *s = test->priv;

	KUNIT_ASSERT_EQ(test, ckpt_pages_add_object(&s->pages, id, file), 0);
	return list_last_entry(&s->pages.objects, struct ckpt_pages_object, node);
}

static void holes_of_an_object_are_skipped(struct kunit *test)
{
	struct file *file = memfile_new(test);
	struct ckpt_saver *s = test->priv;

	fill(test, file, 0, 1, PAGE_SIZE);
	fill(test, file, 3, 2, PAGE_SIZE);
	fill(test, file, 4, 3, PAGE_SIZE);
	fill(test, file, 700, 4, 10);
	KUNIT_EXPECT_EQ(test, ckpt_pages_scan_object(&s->pages, object(test, 7, file)), 0);
	KUNIT_ASSERT_EQ(test, set_of(test, 0)->nr_runs, 3ULL);
	KUNIT_EXPECT_EQ(test, s->pages.nr_pages, 4ULL);
	expect_run(test, 0, 7, 0, 1);
	expect_run(test, 1, 7, 3 * PAGE_SIZE, 2);
	expect_run(test, 2, 7, 700 * PAGE_SIZE, 1);
}

static void empty_object_has_no_pages(struct kunit *test)
{
	struct file *hole = memfile_new(test);
	struct ckpt_saver *s = test->priv;

	KUNIT_EXPECT_EQ(test, ckpt_pages_scan_object(&s->pages, object(test, 1, memfile_new(test))),
			0);
	i_size_write(file_inode(hole), 100 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, ckpt_pages_scan_object(&s->pages, object(test, 2, hole)), 0);
	KUNIT_EXPECT_EQ(test, set_of(test, 0)->nr_runs, 0ULL);
}

/* The image takes as many pages as there are in the runs. */
static void open_writer(struct kunit *test)
{
	struct ckpt_saver *s = test->priv;

	s->out.file = memfile_new(test);
	s->out.pos = &s->out.file->f_pos;
	s->out.nr_pages = s->pages.nr_pages;
	s->out.crcs = kvcalloc(s->pages.nr_pages, sizeof(u32), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, s->out.crcs);
}

static void expect_byte(struct kunit *test, loff_t at, u8 want)
{
	struct ckpt_saver *s = test->priv;
	loff_t pos = at;
	u8 byte = ~want;

	KUNIT_EXPECT_EQ(test, kernel_read(s->out.file, &byte, 1, &pos), (ssize_t)1);
	KUNIT_EXPECT_EQ_MSG(test, byte, want, "offset %lld", at);
}

static void object_is_carried_to_the_image(struct kunit *test)
{
	struct file *file = memfile_new(test);
	struct ckpt_saver *s = test->priv;

	fill(test, file, 1, 0x11, PAGE_SIZE);
	fill(test, file, 9, 0x22, 10);
	KUNIT_EXPECT_EQ(test, ckpt_pages_scan_object(&s->pages, object(test, 7, file)), 0);
	open_writer(test);
	KUNIT_ASSERT_EQ(test, ckpt_pages_write(s), 0);
	KUNIT_EXPECT_EQ(test, s->out.nr_crcs, 2ULL);
	KUNIT_EXPECT_EQ(test, s->out.written, 2ULL * PAGE_SIZE);
	expect_byte(test, 0, 0x11);
	expect_byte(test, PAGE_SIZE - 1, 0x11);
	expect_byte(test, PAGE_SIZE, 0x22);
	expect_byte(test, PAGE_SIZE + 9, 0x22);
	expect_byte(test, PAGE_SIZE + 10, 0);
	expect_byte(test, 2 * PAGE_SIZE - 1, 0);
}

static void object_that_shrank_is_an_error(struct kunit *test)
{
	struct file *file = memfile_new(test);
	struct ckpt_saver *s = test->priv;

	fill(test, file, 0, 1, PAGE_SIZE);
	object(test, 7, file);
	add(test, 7, 0, 2);
	open_writer(test);
	KUNIT_EXPECT_EQ(test, ckpt_pages_write(s), -EIO);
	KUNIT_EXPECT_TRUE(test, ckpt_messages_pending(&s->req->messages));
}

static void unknown_object_is_an_error(struct kunit *test)
{
	struct ckpt_saver *s = test->priv;

	add(test, 7, 0, 1);
	open_writer(test);
	KUNIT_EXPECT_EQ(test, ckpt_pages_write(s), -EIO);
}

static void memory_is_carried_to_the_image(struct kunit *test)
{
	unsigned long at = usermem_begin(test);
	struct ckpt_saver *s = test->priv;

	if (!at)
		return;
	KUNIT_EXPECT_EQ(test, put_user(0x33, (u8 __user *)at), 0);
	KUNIT_EXPECT_EQ(test, put_user(0x44, (u8 __user *)at + PAGE_SIZE - 1), 0);
	KUNIT_EXPECT_EQ(test, ckpt_pages_add(&s->pages, 1, 0, at, 1), 0);
	s->out.crcs = kvcalloc(1, sizeof(u32), GFP_KERNEL);
	s->out.file = shmem_file_setup("ckpt-test", 0, 0);
	s->out.pos = &s->out.file->f_pos;
	s->out.nr_pages = 1;
	KUNIT_EXPECT_EQ(test, ckpt_pages_write(s), 0);
	usermem_end(test, at);
	expect_byte(test, 0, 0x33);
	expect_byte(test, 1, 0);
	expect_byte(test, PAGE_SIZE - 1, 0x44);
}

static void memory_that_is_gone_is_an_error(struct kunit *test)
{
	struct ckpt_saver *s = test->priv;

	add(test, 0, PAGE_SIZE, 1);
	open_writer(test);
	KUNIT_EXPECT_LT(test, ckpt_pages_write(s), 0);
	KUNIT_EXPECT_TRUE(test, ckpt_messages_pending(&s->req->messages));
}

#define NR_MAPPED 300

/* Maps pages, touches some of them, and looks which of them are found. */
static void scan(struct kunit *test, unsigned long prot, unsigned long kind, const u16 *written,
		 unsigned int nr_written, unsigned long *found)
{
	const struct ckpt_pages_set *set = set_of(test, 1);
	struct ckpt_saver *s = test->priv;
	unsigned long at;
	unsigned int i;
	u64 run, page;
	u8 byte;

	kthread_use_mm(ckpt_kunit_mm);
	at = vm_mmap(NULL, 0, NR_MAPPED * PAGE_SIZE, prot, kind | MAP_ANONYMOUS, 0);
	KUNIT_EXPECT_FALSE(test, IS_ERR_VALUE(at));
	if (!IS_ERR_VALUE(at)) {
		for (i = 0; i < nr_written; i++)
			KUNIT_EXPECT_EQ(test, put_user(i, (u8 __user *)at + written[i] * PAGE_SIZE),
					0);
		/* Reading alone maps the page of zeros. */
		KUNIT_EXPECT_EQ(test, get_user(byte, (u8 __user *)at + 100 * PAGE_SIZE), 0);
		KUNIT_EXPECT_EQ(test, ckpt_saver_enter(s, ckpt_group_first(s->group)), 0);
		KUNIT_EXPECT_EQ(test, ckpt_pagescan(s), 0);
		ckpt_saver_leave(s);
		KUNIT_EXPECT_EQ(test, vm_munmap(at, NR_MAPPED * PAGE_SIZE), 0);
	}
	kthread_unuse_mm(ckpt_kunit_mm);

	for (run = 0; run < set->nr_runs; run++)
		for (page = 0; page < set->runs[run].nr_pages; page++) {
			u64 offset = set->runs[run].start + page * PAGE_SIZE - at;

			if (offset < NR_MAPPED * PAGE_SIZE)
				__set_bit(offset / PAGE_SIZE, found);
		}
}

static void written_pages_are_found(struct kunit *test)
{
	static const u16 written[] = { 0, 1, 2, 63, 64, 200, 299 };
	DECLARE_BITMAP(found, NR_MAPPED) = {};
	unsigned int i;

	scan(test, PROT_READ | PROT_WRITE, MAP_PRIVATE, written, ARRAY_SIZE(written), found);
	for (i = 0; i < ARRAY_SIZE(written); i++)
		KUNIT_EXPECT_TRUE_MSG(test, test_bit(written[i], found), "page %u", written[i]);
	KUNIT_EXPECT_EQ(test, bitmap_weight(found, NR_MAPPED), (unsigned int)ARRAY_SIZE(written));
}

static void untouched_memory_has_no_pages(struct kunit *test)
{
	DECLARE_BITMAP(found, NR_MAPPED) = {};

	scan(test, PROT_READ | PROT_WRITE, MAP_PRIVATE, NULL, 0, found);
	KUNIT_EXPECT_TRUE(test, bitmap_empty(found, NR_MAPPED));
}

/* Shared memory is an object of its own. */
static void shared_memory_is_not_the_process_s_own(struct kunit *test)
{
	static const u16 written[] = { 0, 5 };
	DECLARE_BITMAP(found, NR_MAPPED) = {};

	scan(test, PROT_READ | PROT_WRITE, MAP_SHARED, written, ARRAY_SIZE(written), found);
	KUNIT_EXPECT_TRUE(test, bitmap_empty(found, NR_MAPPED));
}

static void runs_are_in_order(struct kunit *test)
{
	static const u16 written[] = { 7, 9 };
	DECLARE_BITMAP(found, NR_MAPPED) = {};
	const struct ckpt_pages_set *set = set_of(test, 1);
	struct ckpt_saver *s = test->priv;
	u64 i, end = 0, nr = 0;

	scan(test, PROT_READ | PROT_WRITE, MAP_PRIVATE, written, ARRAY_SIZE(written), found);
	for (i = 0; i < set->nr_runs; i++) {
		/* A run that touches the one before would have been joined to it. */
		KUNIT_EXPECT_GT(test, set->runs[i].start, end);
		KUNIT_EXPECT_EQ(test, set->runs[i].object, 0U);
		end = set->runs[i].start + set->runs[i].nr_pages * PAGE_SIZE;
		nr += set->runs[i].nr_pages;
	}
	KUNIT_EXPECT_EQ(test, set->nr_pages, nr);
	KUNIT_EXPECT_EQ(test, s->pages.nr_pages, nr);
}

/* clang-format off */

static struct kunit_case pages_cases[] = {
	KUNIT_CASE(touching_pages_are_joined),
	KUNIT_CASE(gap_begins_a_run),
	KUNIT_CASE(objects_are_kept_apart),
	KUNIT_CASE(runs_survive_growth),
	KUNIT_CASE(holes_of_an_object_are_skipped),
	KUNIT_CASE(empty_object_has_no_pages),
	KUNIT_CASE(object_is_carried_to_the_image),
	KUNIT_CASE(object_that_shrank_is_an_error),
	KUNIT_CASE(unknown_object_is_an_error),
	KUNIT_CASE(memory_is_carried_to_the_image),
	KUNIT_CASE(memory_that_is_gone_is_an_error),
	KUNIT_CASE(written_pages_are_found),
	KUNIT_CASE(untouched_memory_has_no_pages),
	KUNIT_CASE(shared_memory_is_not_the_process_s_own),
	KUNIT_CASE(runs_are_in_order),
	{}
};

/* clang-format on */

struct kunit_suite ckpt_pages_suite = {
	.name = "pages",
	.init = pages_init,
	.exit = pages_exit,
	.test_cases = pages_cases,
};
