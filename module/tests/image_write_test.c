// SPDX-License-Identifier: GPL-2.0-only
/* Tests of the writer of images: what it writes is what the reader reads. */

#include "../image_write.c"

#include <kunit/test.h>
#include <linux/file.h>
#include <linux/resource.h>
#include <linux/sched/signal.h>

#include "../image_read.h"
#include "../ksyms.h"
#include "../message.h"
#include "memfile.h"

struct fixture {
	struct ckpt_saver save;
	struct ckpt_group group;
	struct ckpt_process process;
	struct ckpt_image_reader img;
	struct ckpt_messages messages;
};

static int image_write_init(struct kunit *test)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	if (!f)
		return -ENOMEM;
	ckpt_messages_init(&f->messages);
	ckpt_image_writer_init(&f->save.out);
	if (ckpt_pages_init(&f->save.pages, 1))
		return -ENOMEM;
	INIT_LIST_HEAD(&f->group.processes);
	list_add(&f->process.node, &f->group.processes);
	/* Its pages, if it had any, would be read from memory that it has not. */
	f->process.is_zombie = true;
	f->process.leader = current;
	f->process.number = 1;
	f->group.nr_processes = 2;
	f->group.nr_threads = 3;
	f->save.clocks.real = 123456789;
	f->save.group = &f->group;
	test->priv = f;
	return 0;
}

static void image_write_exit(struct kunit *test)
{
	struct fixture *f = test->priv;

	if (!f)
		return;
	ckpt_image_writer_exit(&f->save.out);
	ckpt_pages_exit(&f->save.pages);
	ckpt_messages_exit(&f->messages);
}

static void add(struct kunit *test, u32 type, u16 version, u32 process, u32 tid, u32 id,
		const char *text)
{
	struct fixture *f = test->priv;
	void *p = ckpt_image_add(&f->save.out, type, version, process, tid, id, strlen(text));

	KUNIT_ASSERT_FALSE(test, IS_ERR(p));
	memcpy(p, text, strlen(text));
}

static void add_three(struct kunit *test)
{
	add(test, CKPT_REC_PROCESS, 1, 1, 0, 0, "process");
	add(test, CKPT_REC_THREAD, 2, 1, 77, 0, "");
	add(test, CKPT_REC_FILE, 3, 0, 0, 9, "1234");
}

static void expect_record(struct kunit *test, const struct ckpt_record *rec, u32 type, u16 version,
			  u32 process, u32 tid, u32 id, const char *text)
{
	KUNIT_EXPECT_EQ(test, rec->type, type);
	KUNIT_EXPECT_EQ(test, rec->version, version);
	KUNIT_EXPECT_EQ(test, rec->flags, 0);
	KUNIT_EXPECT_EQ(test, rec->process, process);
	KUNIT_EXPECT_EQ(test, rec->tid, tid);
	KUNIT_EXPECT_EQ(test, rec->id, id);
	KUNIT_EXPECT_EQ(test, (size_t)rec->len, strlen(text));
	KUNIT_EXPECT_EQ(test, memcmp(rec->data, text, strlen(text)), 0);
}

/* Reads an image of add_three() without pages. */
static void expect_three(struct kunit *test, struct file *file)
{
	struct fixture *f = test->priv;
	const struct ckpt_image_meta *meta;
	int err = ckpt_image_open(&f->img, file, &f->messages);

	KUNIT_ASSERT_EQ_MSG(test, err, 0, "%.*s", (int)f->messages.len, f->messages.text ?: "");
	KUNIT_ASSERT_EQ(test, f->img.nr_records, 4U);
	/* What belongs to the job comes first, whenever it was added. */
	expect_record(test, &f->img.records[1], CKPT_REC_FILE, 3, 0, 0, 9, "1234");
	expect_record(test, &f->img.records[2], CKPT_REC_PROCESS, 1, 1, 0, 0, "process");
	expect_record(test, &f->img.records[3], CKPT_REC_THREAD, 2, 1, 77, 0, "");
	meta = f->img.meta;
	KUNIT_EXPECT_EQ(test, meta->format, (u32)CKPT_IMAGE_VERSION);
	KUNIT_EXPECT_EQ(test, meta->incompatible, 0ULL);
	KUNIT_EXPECT_EQ(test, meta->nr_processes, 2U);
	KUNIT_EXPECT_EQ(test, meta->nr_threads, 3U);
	KUNIT_EXPECT_EQ(test, meta->time, 123456789ULL);
	KUNIT_EXPECT_STREQ(test, (const char *)meta->release,
			   (const char *)init_utsname()->release);
	KUNIT_EXPECT_EQ(test, ckpt_image_finish(&f->img), 0);
	KUNIT_EXPECT_EQ(test, f->img.pos, f->save.out.written);
	ckpt_image_close(&f->img);
}

static void image_is_read_back(struct kunit *test)
{
	struct file *file = memfile_new(test);
	struct fixture *f = test->priv;

	add_three(test);
	KUNIT_ASSERT_EQ(test, ckpt_image_write(&f->save, file), 0);
	KUNIT_EXPECT_EQ(test, (u64)i_size_read(file_inode(file)), f->save.out.written);
	KUNIT_EXPECT_EQ(test, (u64)file->f_pos, f->save.out.written);
	file->f_pos = 0;
	expect_three(test, file);
	fput(file);
}

static void image_begins_where_the_file_stands(struct kunit *test)
{
	struct file *file = memfile_new(test);
	struct fixture *f = test->priv;

	add_three(test);
	file->f_pos = 5000;
	KUNIT_ASSERT_EQ(test, ckpt_image_write(&f->save, file), 0);
	KUNIT_EXPECT_EQ(test, (u64)file->f_pos, 5000 + f->save.out.written);
	file->f_pos = 5000;
	expect_three(test, file);
	fput(file);
}

static void image_passes_a_pipe(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct file *ends[2];

	add_three(test);
	KUNIT_ASSERT_EQ(test, ckpt_create_pipe_files(ends, 0), 0);
	KUNIT_EXPECT_EQ(test, ckpt_image_write(&f->save, ends[1]), 0);
	fput(ends[1]);
	expect_three(test, ends[0]);
	fput(ends[0]);
}

/* A write that is cut short is carried on, and then meets the error. */
static void limit_of_the_file_is_told(struct kunit *test)
{
	struct rlimit *limit = &current->signal->rlim[RLIMIT_FSIZE], old = *limit;
	struct file *file = memfile_new(test);
	struct fixture *f = test->priv;

	add_three(test);
	limit->rlim_cur = 2000;
	KUNIT_EXPECT_EQ(test, ckpt_image_write(&f->save, file), -EFBIG);
	*limit = old;
	KUNIT_EXPECT_EQ(test, f->save.out.written, 2000ULL);
	KUNIT_EXPECT_EQ(test, i_size_read(file_inode(file)), 2000LL);
	fput(file);
}

static void payload_is_zero_and_aligned(struct kunit *test)
{
	struct fixture *f = test->priv;
	size_t len;

	for (len = 1; len < 200; len++) {
		void *p = ckpt_image_add(&f->save.out, CKPT_REC_FILE, 1, 0, 0, 0, len);

		KUNIT_ASSERT_FALSE(test, IS_ERR(p));
		KUNIT_EXPECT_EQ(test, (unsigned long)p % 4, 0UL);
		KUNIT_EXPECT_NULL(test, memchr_inv(p, 0, len));
		memset(p, 0xff, len);
	}
	KUNIT_EXPECT_EQ(test, f->save.out.nr_records, 199U);
	KUNIT_EXPECT_EQ(test, f->save.out.notes_len % 4, 0ULL);
}

static void record_is_bounded(struct kunit *test)
{
	struct fixture *f = test->priv;
	void *p =
		ckpt_image_add(&f->save.out, CKPT_REC_FILE, 1, 0, 0, 0, CKPT_IMAGE_MAX_RECORD + 1);

	KUNIT_EXPECT_EQ(test, PTR_ERR(p), (long)-E2BIG);
	p = ckpt_image_add(&f->save.out, CKPT_REC_FILE, 1, 0, 0, 0, SIZE_MAX);
	KUNIT_EXPECT_EQ(test, PTR_ERR(p), (long)-E2BIG);
	KUNIT_EXPECT_EQ(test, f->save.out.nr_records, 0U);
	p = ckpt_image_add(&f->save.out, CKPT_REC_FILE, 1, 0, 0, 0, CKPT_IMAGE_MAX_RECORD);
	KUNIT_EXPECT_FALSE(test, IS_ERR(p));
}

/* The segments are the pages of the first process; those of objects stand before them. */
static void headers_describe_the_runs(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct ckpt_pages *p = &f->save.pages;
	size_t len = CKPT_IMAGE_PHOFF + 3 * sizeof(Elf64_Phdr);
	const Elf64_Phdr *ph;
	const Elf64_Ehdr *eh;
	void *buf;

	KUNIT_ASSERT_EQ(test, ckpt_pages_add(p, 1, 0, 0x400000, 2), 0);
	KUNIT_ASSERT_EQ(test, ckpt_pages_add(p, 1, 0, 0x700000, 1), 0);
	KUNIT_ASSERT_EQ(test, ckpt_pages_add(p, 0, 3, 0, 5), 0);
	f->save.out.notes_len = 1000;
	buf = make_headers(&f->save, len, 8192);
	KUNIT_ASSERT_NOT_NULL(test, buf);
	eh = buf;
	ph = buf + CKPT_IMAGE_PHOFF;
	KUNIT_EXPECT_EQ(test, eh->e_phnum, 3);
	KUNIT_EXPECT_EQ(test, eh->e_shnum, 0);
	KUNIT_EXPECT_EQ(test, ph[0].p_type, (u32)PT_NOTE);
	KUNIT_EXPECT_EQ(test, ph[0].p_offset, (u64)len);
	KUNIT_EXPECT_EQ(test, ph[0].p_filesz, 1000ULL);
	KUNIT_EXPECT_EQ(test, ph[1].p_type, (u32)PT_LOAD);
	KUNIT_EXPECT_EQ(test, ph[1].p_vaddr, 0x400000ULL);
	KUNIT_EXPECT_EQ(test, ph[1].p_offset, 8192ULL + 5 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, ph[1].p_filesz, 2ULL * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, ph[2].p_vaddr, 0x700000ULL);
	KUNIT_EXPECT_EQ(test, ph[2].p_offset, 8192ULL + 7 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, ph[2].p_memsz, 1ULL * PAGE_SIZE);
	kvfree(buf);
	KUNIT_EXPECT_EQ(test, f->save.out.nr_records, 0U);
}

static void expect_phnum(struct kunit *test, u64 nr_runs, u16 phnum, u32 sh_info)
{
	size_t len = CKPT_IMAGE_PHOFF + (nr_runs + 1) * sizeof(Elf64_Phdr);
	struct fixture *f = test->priv;
	struct ckpt_pages_set *set = ckpt_pages_of(&f->save.pages, 1);
	const Elf64_Ehdr *eh;
	const Elf64_Shdr *sh;
	void *buf;

	set->runs = kvcalloc(nr_runs, sizeof(*set->runs), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, set->runs);
	set->nr_runs = nr_runs;
	buf = make_headers(&f->save, len, PAGE_ALIGN(len));
	KUNIT_EXPECT_NOT_NULL(test, buf);
	if (buf) {
		eh = buf;
		sh = buf + sizeof(*eh);
		KUNIT_EXPECT_EQ(test, eh->e_phnum, phnum);
		KUNIT_EXPECT_EQ(test, sh->sh_info, sh_info);
		KUNIT_EXPECT_EQ(test, eh->e_shnum, sh_info ? 1 : 0);
		KUNIT_EXPECT_EQ(test, eh->e_shoff, sh_info ? sizeof(*eh) : 0ULL);
	}
	kvfree(buf);
	kvfree(set->runs);
	*set = (struct ckpt_pages_set){};
}

/* e_phnum has 16 bits, and its last value means that the number stands elsewhere. */
static void many_runs_use_the_section_header(struct kunit *test)
{
	expect_phnum(test, PN_XNUM - 2, PN_XNUM - 1, 0);
	expect_phnum(test, PN_XNUM - 1, PN_XNUM, PN_XNUM);
	expect_phnum(test, PN_XNUM + 100, PN_XNUM, PN_XNUM + 101);
}

static void neighbours_become_one_piece(struct kunit *test)
{
	struct page *head = alloc_pages(GFP_KERNEL, 3);
	struct page *pages[] = { head, head + 1, head + 2, head + 4, head + 3, head + 6, head + 7 };
	struct bio_vec bv[ARRAY_SIZE(pages)];

	KUNIT_ASSERT_NOT_NULL(test, head);
	KUNIT_EXPECT_EQ(test, make_bvec(bv, pages, ARRAY_SIZE(pages)), 4U);
	KUNIT_EXPECT_PTR_EQ(test, bv[0].bv_page, head);
	KUNIT_EXPECT_EQ(test, (unsigned long)bv[0].bv_len, 3 * PAGE_SIZE);
	KUNIT_EXPECT_PTR_EQ(test, bv[1].bv_page, head + 4);
	KUNIT_EXPECT_EQ(test, (unsigned long)bv[1].bv_len, PAGE_SIZE);
	KUNIT_EXPECT_PTR_EQ(test, bv[2].bv_page, head + 3);
	KUNIT_EXPECT_PTR_EQ(test, bv[3].bv_page, head + 6);
	KUNIT_EXPECT_EQ(test, (unsigned long)bv[3].bv_len, 2 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, make_bvec(bv, pages, 1), 1U);
	__free_pages(head, 3);
}

static void pages_are_written_in_order(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct ckpt_image_writer *w = &f->save.out;
	struct page *head = alloc_pages(GFP_KERNEL | __GFP_ZERO, 2);
	struct page *pages[] = { head + 2, head + 1, head, head + 3 };
	u8 *bytes = kunit_kzalloc(test, 4 * PAGE_SIZE, GFP_KERNEL);
	loff_t pos = 0;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, head);
	KUNIT_ASSERT_NOT_NULL(test, bytes);
	w->file = memfile_new(test);
	w->pos = &pos;
	w->nr_pages = 4;
	w->crcs = kvcalloc(4, sizeof(u32), GFP_KERNEL);
	for (i = 0; i < 4; i++)
		memset(page_address(pages[i]), i + 1, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, ckpt_image_write_pages(w, pages, 3), 0);
	KUNIT_EXPECT_EQ(test, ckpt_image_write_buffer(w, page_address(pages[3]), 1), 0);
	KUNIT_EXPECT_EQ(test, w->written, 4ULL * PAGE_SIZE);

	/* Neither way takes more than the image has promised. */
	KUNIT_EXPECT_EQ(test, ckpt_image_write_pages(w, pages, 1), -EIO);
	KUNIT_EXPECT_EQ(test, ckpt_image_write_buffer(w, bytes, 1), -EIO);
	KUNIT_EXPECT_EQ(test, ckpt_image_write_pages(w, pages, MAX_BATCH + 1), -EINVAL);

	pos = 0;
	KUNIT_EXPECT_EQ(test, kernel_read(w->file, bytes, 4 * PAGE_SIZE, &pos),
			(ssize_t)(4 * PAGE_SIZE));
	for (i = 0; i < 4; i++) {
		KUNIT_EXPECT_EQ(test, bytes[i * PAGE_SIZE], i + 1);
		KUNIT_EXPECT_EQ(test, bytes[(i + 1) * PAGE_SIZE - 1], i + 1);
		KUNIT_EXPECT_EQ(test, w->crcs[i], crc32c(~0U, bytes + i * PAGE_SIZE, PAGE_SIZE));
	}
	fput(w->file);
	w->file = NULL;
	__free_pages(head, 2);
}

/* Pages that were promised and do not come must not make a valid image. */
static void missing_pages_are_told(struct kunit *test)
{
	struct file *file = memfile_new(test);
	struct fixture *f = test->priv;

	add_three(test);
	f->save.pages.nr_pages = 1;
	KUNIT_EXPECT_EQ(test, ckpt_image_write(&f->save, file), -EIO);
	file->f_pos = 0;
	KUNIT_EXPECT_EQ(test, ckpt_image_open(&f->img, file, &f->messages), 0);
	KUNIT_EXPECT_LT(test, ckpt_image_finish(&f->img), 0);
	ckpt_image_close(&f->img);
	fput(file);
}

/* clang-format off */

static struct kunit_case image_write_cases[] = {
	KUNIT_CASE(image_is_read_back),
	KUNIT_CASE(image_begins_where_the_file_stands),
	KUNIT_CASE(image_passes_a_pipe),
	KUNIT_CASE(limit_of_the_file_is_told),
	KUNIT_CASE(payload_is_zero_and_aligned),
	KUNIT_CASE(record_is_bounded),
	KUNIT_CASE(headers_describe_the_runs),
	KUNIT_CASE(many_runs_use_the_section_header),
	KUNIT_CASE(neighbours_become_one_piece),
	KUNIT_CASE(pages_are_written_in_order),
	KUNIT_CASE(missing_pages_are_told),
	{}
};

/* clang-format on */

struct kunit_suite ckpt_image_write_suite = {
	.name = "image_write",
	.init = image_write_init,
	.exit = image_write_exit,
	.test_cases = image_write_cases,
};
