// SPDX-License-Identifier: GPL-2.0-only
/* Tests of the reader of images: what is damaged, cut or out of bounds is refused with a reason. */

#include "../image_read.h"

#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../message.h"
#include "make_image.h"
#include "memfile.h"

#define NR_PAGES 3
#define NR_LOADS 2

struct fixture {
	struct make_image *made;
	struct ckpt_image_reader img;
	struct ckpt_messages messages;
	void *page;
};

static int image_read_init(struct kunit *test)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	if (!f)
		return -ENOMEM;
	f->page = kunit_kzalloc(test, NR_PAGES * PAGE_SIZE, GFP_KERNEL);
	if (!f->page)
		return -ENOMEM;
	ckpt_messages_init(&f->messages);
	f->made = make_image_new(test, 1, NR_LOADS);
	make_image_add(f->made, CKPT_REC_FILE, 1, 0, 0, 5, NULL, 0);
	make_image_add(f->made, CKPT_REC_PROCESS, 1, 1, 0, 0, "process", 8);
	make_image_add(f->made, CKPT_REC_THREAD, 2, 1, 77, 0, "odd", 3);
	make_image_end(f->made, NR_PAGES);
	test->priv = f;
	return 0;
}

static void image_read_exit(struct kunit *test)
{
	struct fixture *f = test->priv;

	if (!f)
		return;
	ckpt_messages_exit(&f->messages);
	make_image_free(f->made);
}

static int open_bytes(struct kunit *test, size_t len)
{
	struct fixture *f = test->priv;
	struct file *file = make_image_file(f->made, len);
	int err = ckpt_image_open(&f->img, file, &f->messages);

	fput(file);
	return err;
}

static int open(struct kunit *test)
{
	struct fixture *f = test->priv;

	return open_bytes(test, f->made->len);
}

/* Reads all there is; returns the first error. */
static int read_all(struct kunit *test, size_t len)
{
	struct fixture *f = test->priv;
	int err = open_bytes(test, len);
	u64 i;

	if (err)
		return err;
	for (i = 0; i < f->img.meta->nr_pages && !err; i++)
		err = ckpt_image_read_pages(&f->img, f->page, 1);
	if (!err)
		err = ckpt_image_finish(&f->img);
	ckpt_image_close(&f->img);
	return err;
}

/* The sealed image is refused when it is opened: with this error, and a reason. */
static void expect_refused(struct kunit *test, unsigned int keep, int want)
{
	struct fixture *f = test->priv;
	int err;

	f->messages.len = 0;
	make_image_seal(f->made, keep);
	err = open(test);
	KUNIT_EXPECT_EQ_MSG(test, err, want, "%.*s", (int)f->messages.len, f->messages.text ?: "");
	KUNIT_EXPECT_TRUE(test, ckpt_messages_pending(&f->messages));
	if (!err)
		ckpt_image_close(&f->img);
}

static void expect_good(struct kunit *test)
{
	struct fixture *f = test->priv;

	make_image_seal(f->made, MAKE_IMAGE_KEEP_NOTHING);
	KUNIT_EXPECT_EQ_MSG(test, read_all(test, f->made->len), 0, "%.*s", (int)f->messages.len,
			    f->messages.text ?: "");
}

static void good_image_is_read(struct kunit *test)
{
	struct fixture *f = test->priv;
	const struct ckpt_record *rec;

	KUNIT_ASSERT_EQ(test, open(test), 0);
	KUNIT_ASSERT_EQ(test, f->img.nr_records, 4U);
	KUNIT_EXPECT_EQ(test, f->img.meta->nr_pages, (u64)NR_PAGES);
	ckpt_for_each_record(rec, &f->img)
		KUNIT_EXPECT_EQ(test, (unsigned long)rec->data % 4, 0UL);

	rec = &f->img.records[1];
	KUNIT_EXPECT_EQ(test, rec->process, 0U);
	KUNIT_EXPECT_EQ(test, rec->id, 5U);
	KUNIT_EXPECT_EQ(test, rec->len, 0U);
	rec = &f->img.records[2];
	KUNIT_EXPECT_EQ(test, rec->type, (u32)CKPT_REC_PROCESS);
	KUNIT_EXPECT_EQ(test, rec->process, 1U);
	KUNIT_EXPECT_EQ(test, rec->len, 8U);
	KUNIT_EXPECT_STREQ(test, (const char *)rec->data, "process");
	rec = &f->img.records[3];
	KUNIT_EXPECT_EQ(test, rec->process, 1U);
	KUNIT_EXPECT_EQ(test, rec->version, 2);
	KUNIT_EXPECT_EQ(test, rec->tid, 77U);
	KUNIT_EXPECT_EQ(test, rec->len, 3U);
	ckpt_image_close(&f->img);
	KUNIT_EXPECT_EQ(test, read_all(test, f->made->len), 0);
	KUNIT_EXPECT_FALSE(test, ckpt_messages_pending(&f->messages));
}

static void image_may_start_anywhere(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct file *file = memfile_new(test);
	loff_t pos = 1000;
	ssize_t n = kernel_write(file, f->made->data, f->made->len, &pos);

	KUNIT_ASSERT_EQ(test, n, (ssize_t)f->made->len);
	file->f_pos = 1000;
	KUNIT_ASSERT_EQ(test, ckpt_image_open(&f->img, file, &f->messages), 0);
	KUNIT_EXPECT_EQ(test, ckpt_image_read_pages(&f->img, f->page, NR_PAGES), 0);
	KUNIT_EXPECT_EQ(test, ckpt_image_finish(&f->img), 0);
	ckpt_image_close(&f->img);
	KUNIT_EXPECT_EQ(test, file_count(file), 1L);
	fput(file);
}

static void pages_come_as_stored(struct kunit *test)
{
	struct fixture *f = test->priv;
	u8 *bytes = f->page;

	KUNIT_ASSERT_EQ(test, open(test), 0);
	KUNIT_ASSERT_EQ(test, ckpt_image_read_pages(&f->img, f->page, 2), 0);
	KUNIT_EXPECT_EQ(test, bytes[0], 1);
	KUNIT_EXPECT_EQ(test, bytes[2 * PAGE_SIZE - 1], 2);
	KUNIT_ASSERT_EQ(test, ckpt_image_read_pages(&f->img, f->page, 0), 0);
	KUNIT_EXPECT_EQ(test, ckpt_image_read_pages(&f->img, f->page, 2), -EBADMSG);
	KUNIT_ASSERT_EQ(test, ckpt_image_read_pages(&f->img, f->page, 1), 0);
	KUNIT_EXPECT_EQ(test, bytes[0], 3);
	KUNIT_EXPECT_EQ(test, ckpt_image_finish(&f->img), 0);
	ckpt_image_close(&f->img);
}

static void end_comes_after_all_pages(struct kunit *test)
{
	struct fixture *f = test->priv;

	KUNIT_ASSERT_EQ(test, open(test), 0);
	KUNIT_ASSERT_EQ(test, ckpt_image_read_pages(&f->img, f->page, 2), 0);
	KUNIT_EXPECT_EQ(test, ckpt_image_finish(&f->img), -EBADMSG);
	ckpt_image_close(&f->img);
}

static void cut_at_each_length(struct kunit *test)
{
	struct fixture *f = test->priv;
	size_t len;

	for (len = 0; len < f->made->len; len++) {
		f->messages.len = 0;
		KUNIT_ASSERT_EQ_MSG(test, read_all(test, len), -EBADMSG, "%zu bytes", len);
		KUNIT_ASSERT_TRUE(test, ckpt_messages_pending(&f->messages));
	}
	KUNIT_EXPECT_EQ(test, read_all(test, len), 0);
}

static void any_changed_byte_is_noticed(struct kunit *test)
{
	struct fixture *f = test->priv;
	size_t at;

	for (at = 0; at < f->made->len; at++) {
		f->made->data[at] ^= 0x10;
		KUNIT_ASSERT_LT_MSG(test, read_all(test, f->made->len), 0, "offset %zu", at);
		f->made->data[at] ^= 0x10;
		f->messages.len = 0;
	}
	KUNIT_EXPECT_EQ(test, read_all(test, f->made->len), 0);
}

static void not_an_image(struct kunit *test)
{
	struct fixture *f = test->priv;
	Elf64_Ehdr *eh = make_image_ehdr(f->made), good = *eh;
	static const struct {
		size_t at;
		u8 value;
	} wrong[] = {
		{ EI_MAG0, 0 },
		{ EI_MAG3, 'f' },
		{ EI_CLASS, ELFCLASS32 },
		{ EI_DATA, ELFDATA2MSB },
		{ offsetof(Elf64_Ehdr, e_type), ET_EXEC },
		{ offsetof(Elf64_Ehdr, e_machine), EM_386 },
		{ offsetof(Elf64_Ehdr, e_phoff), 64 },
		{ offsetof(Elf64_Ehdr, e_phoff) + 7, 0xff },
		{ offsetof(Elf64_Ehdr, e_phentsize), 0 },
		{ offsetof(Elf64_Ehdr, e_phentsize), 57 },
		{ offsetof(Elf64_Ehdr, e_phnum), 0 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		((u8 *)eh)[wrong[i].at] = wrong[i].value;
		expect_refused(test, 0, -EINVAL);
		*eh = good;
	}
	expect_good(test);
}

static void program_headers_out_of_bounds(struct kunit *test)
{
	struct fixture *f = test->priv;
	Elf64_Phdr *ph = make_image_phdr(f->made, 0), good = *ph;
	Elf64_Ehdr *eh = make_image_ehdr(f->made);

	eh->e_phnum = NR_LOADS + 2;
	expect_refused(test, 0, -EINVAL);
	eh->e_phnum = NR_LOADS;
	expect_refused(test, 0, -EINVAL);
	eh->e_phnum = NR_LOADS + 1;

	ph->p_type = PT_LOAD;
	expect_refused(test, 0, -EINVAL);
	*ph = good;
	ph->p_offset += 4;
	expect_refused(test, 0, -EINVAL);
	ph->p_offset = U64_MAX;
	expect_refused(test, 0, -EINVAL);
	*ph = good;
	ph->p_filesz = U64_MAX - 3;
	expect_refused(test, 0, -EBADMSG);
	ph->p_filesz = good.p_filesz + 2;
	expect_refused(test, 0, -EBADMSG);
	ph->p_filesz = good.p_filesz - 4;
	expect_refused(test, 0, -EBADMSG);
	ph->p_filesz = good.p_filesz + 4;
	expect_refused(test, 0, -EBADMSG);
	ph->p_filesz = f->made->len;
	expect_refused(test, 0, -EBADMSG);
	ph->p_filesz = 0;
	expect_refused(test, 0, -EINVAL);
	*ph = good;
	expect_good(test);
}

/* Where e_phnum is too narrow, the section header holds the number. */
static void many_program_headers(struct kunit *test)
{
	struct fixture *f = test->priv;
	Elf64_Ehdr *eh = make_image_ehdr(f->made);
	Elf64_Shdr *sh = make_image_shdr(f->made);

	eh->e_phnum = PN_XNUM;
	sh->sh_info = NR_LOADS + 1;
	expect_good(test);
	sh->sh_info = 0;
	expect_refused(test, 0, -EBADMSG);
	sh->sh_info = NR_LOADS + 2;
	expect_refused(test, 0, -EINVAL);
	sh->sh_info = U32_MAX;
	expect_refused(test, 0, -EBADMSG);
}

/* By the length itself, and not by what happens to be found behind it. */
static void expect_out_of_bounds(struct kunit *test)
{
	struct fixture *f = test->priv;

	f->messages.len = 0;
	expect_refused(test, 0, -EBADMSG);
	KUNIT_EXPECT_TRUE(test, strnstr(f->messages.text, "out of bounds", f->messages.len));
}

static void note_out_of_bounds(struct kunit *test)
{
	struct fixture *f = test->priv;
	unsigned int i, j;

	for (i = 0; i < f->made->nr_notes; i++) {
		Elf64_Nhdr *note = make_image_note(f->made, i), good = *note;
		size_t left = f->made->notes_end - f->made->note_at[i] - sizeof(*note) - 8;
		const u32 wrong[] = { 0,	1,	     sizeof(struct ckpt_rec) - 1,
				      left + 1, left + 4,    CKPT_IMAGE_MAX_RECORD + 21,
				      INT_MAX,	U32_MAX - 3, U32_MAX };

		for (j = 0; j < ARRAY_SIZE(wrong); j++) {
			note->n_descsz = wrong[j];
			expect_out_of_bounds(test);
		}
		*note = good;
		for (j = 0; j < 9; j++) {
			if (j == good.n_namesz)
				continue;
			note->n_namesz = j;
			expect_refused(test, 0, -EBADMSG);
		}
		note->n_namesz = U32_MAX;
		expect_refused(test, 0, -EBADMSG);
		*note = good;
		((u8 *)(note + 1))[0] = 'c';
		expect_refused(test, 0, -EBADMSG);
		((u8 *)(note + 1))[0] = 'C';
		((u8 *)(note + 1))[7] = 1;
		expect_refused(test, 0, -EBADMSG);
		((u8 *)(note + 1))[7] = 0;
	}
	expect_good(test);
}

/* A record that reaches into its neighbour leaves notes behind that are none. */
static void overlapping_notes(struct kunit *test)
{
	struct fixture *f = test->priv;
	Elf64_Nhdr *note = make_image_note(f->made, 2);

	note->n_descsz += 4;
	f->made->desc_len[2] += 4;
	expect_refused(test, 0, -EBADMSG);
	note->n_descsz -= 8;
	f->made->desc_len[2] -= 8;
	expect_refused(test, 0, -EBADMSG);
}

static void wrong_format(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct ckpt_image_meta *meta = make_image_meta(f->made), good = *meta;
	int bit;

	meta->format = 0;
	expect_refused(test, 0, -EOPNOTSUPP);
	meta->format = CKPT_IMAGE_VERSION + 1;
	expect_refused(test, 0, -EOPNOTSUPP);
	*meta = good;
	make_image_rec(f->made, 0)->version = 2;
	expect_refused(test, 0, -EOPNOTSUPP);
	make_image_rec(f->made, 0)->version = 1;
	for (bit = 0; bit < 64; bit++) {
		meta->incompatible = 1ULL << bit;
		if (meta->incompatible & ~CKPT_INCOMPATIBLE_KNOWN)
			expect_refused(test, 0, -EOPNOTSUPP);
	}
	*meta = good;
	meta->page_size = 65536;
	expect_refused(test, 0, -EOPNOTSUPP);
	*meta = good;
	meta->compatible = U64_MAX;
	expect_good(test);
}

static void wrong_counts(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct ckpt_image_meta *meta = make_image_meta(f->made), good = *meta;

	meta->nr_records++;
	expect_refused(test, MAKE_IMAGE_KEEP_COUNTS, -EBADMSG);
	meta->nr_records -= 2;
	expect_refused(test, MAKE_IMAGE_KEEP_COUNTS, -EBADMSG);
	*meta = good;
	meta->nr_pages = U64_MAX;
	expect_refused(test, MAKE_IMAGE_KEEP_COUNTS, -EBADMSG);
	meta->nr_pages = NR_LOADS - 1;
	expect_refused(test, MAKE_IMAGE_KEEP_COUNTS, -EBADMSG);
	meta->nr_pages = NR_PAGES + 1;
	make_image_seal(f->made, MAKE_IMAGE_KEEP_COUNTS);
	KUNIT_EXPECT_EQ(test, read_all(test, f->made->len), -EBADMSG);
	meta->nr_pages = NR_PAGES - 1;
	make_image_seal(f->made, MAKE_IMAGE_KEEP_COUNTS);
	KUNIT_EXPECT_EQ(test, read_all(test, f->made->len), -EBADMSG);
	expect_good(test);
}

static void names_are_text(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct ckpt_image_meta *meta = make_image_meta(f->made);

	memset(meta->release, 'x', sizeof(meta->release));
	expect_refused(test, 0, -EBADMSG);
	memset(meta->release, 0, sizeof(meta->release));
	expect_refused(test, 0, -EBADMSG);

	KUNIT_EXPECT_TRUE(test, ckpt_image_is_text("a", 2));
	KUNIT_EXPECT_FALSE(test, ckpt_image_is_text("a", 1));
	KUNIT_EXPECT_FALSE(test, ckpt_image_is_text("", 1));
	KUNIT_EXPECT_FALSE(test, ckpt_image_is_text("", 0));
}

static void meta_comes_first(struct kunit *test)
{
	struct fixture *f = test->priv;

	make_image_note(f->made, 0)->n_type = CKPT_REC_PROCESS;
	expect_refused(test, 0, -EINVAL);
}

static void meta_is_whole(struct kunit *test)
{
	struct make_image *m = make_image_new(test, 1, 0);
	struct fixture *f = test->priv;

	make_image_free(f->made);
	f->made = m;
	/* The rest of the record becomes another note's padding, with nothing in it. */
	make_image_note(m, 0)->n_descsz -= 4;
	m->desc_len[0] -= 4;
	m->len -= 4;
	m->notes_end -= 4;
	make_image_end(m, 0);
	expect_refused(test, 0, -EINVAL);
}

static void padding_is_zero(struct kunit *test)
{
	struct fixture *f = test->priv;

	f->made->data[f->made->pages_at - 1] = 1;
	expect_refused(test, 0, -EBADMSG);
	f->made->data[f->made->pages_at - 1] = 0;
	f->made->data[f->made->notes_end] = 1;
	expect_refused(test, 0, -EBADMSG);
}

static void damaged_page_is_named(struct kunit *test)
{
	struct fixture *f = test->priv;

	f->made->data[f->made->pages_at + PAGE_SIZE] ^= 1;
	make_image_seal(f->made, MAKE_IMAGE_KEEP_TABLE);
	KUNIT_EXPECT_EQ(test, read_all(test, f->made->len), -EBADMSG);
	KUNIT_EXPECT_NOT_NULL(test, strnstr(f->messages.text ?: "", "page 1:", f->messages.len));
}

static void trailer_of_another_image(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct ckpt_image_trailer *t = make_image_trailer(f->made), good = *t;
	/* One byte of each member; what is reserved may mean something one day. */
	const size_t at[] = {
		offsetof(struct ckpt_image_trailer, magic) + 7,
		offsetof(struct ckpt_image_trailer, length),
		offsetof(struct ckpt_image_trailer, nr_pages),
		offsetof(struct ckpt_image_trailer, table_crc),
		offsetof(struct ckpt_image_trailer, notes_crc),
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(at); i++) {
		((u8 *)t)[at[i]] ^= 1;
		make_image_seal(f->made, MAKE_IMAGE_KEEP_TRAILER);
		KUNIT_EXPECT_EQ(test, read_all(test, f->made->len), -EBADMSG);
		*t = good;
	}
	expect_good(test);
}

static void image_without_pages(struct kunit *test)
{
	struct make_image *m = make_image_new(test, 1, 0);
	struct fixture *f = test->priv;

	make_image_free(f->made);
	f->made = m;
	make_image_end(m, 0);
	expect_good(test);
}

/* clang-format off */

static struct kunit_case image_read_cases[] = {
	KUNIT_CASE(good_image_is_read),
	KUNIT_CASE(image_may_start_anywhere),
	KUNIT_CASE(pages_come_as_stored),
	KUNIT_CASE(end_comes_after_all_pages),
	KUNIT_CASE(cut_at_each_length),
	KUNIT_CASE(any_changed_byte_is_noticed),
	KUNIT_CASE(not_an_image),
	KUNIT_CASE(program_headers_out_of_bounds),
	KUNIT_CASE(many_program_headers),
	KUNIT_CASE(note_out_of_bounds),
	KUNIT_CASE(overlapping_notes),
	KUNIT_CASE(wrong_format),
	KUNIT_CASE(wrong_counts),
	KUNIT_CASE(names_are_text),
	KUNIT_CASE(meta_comes_first),
	KUNIT_CASE(meta_is_whole),
	KUNIT_CASE(padding_is_zero),
	KUNIT_CASE(damaged_page_is_named),
	KUNIT_CASE(trailer_of_another_image),
	KUNIT_CASE(image_without_pages),
	{}
};

/* clang-format on */

struct kunit_suite ckpt_image_read_suite = {
	.name = "image_read",
	.init = image_read_init,
	.exit = image_read_exit,
	.test_cases = image_read_cases,
};
