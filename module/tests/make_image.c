// SPDX-License-Identifier: GPL-2.0-only
/* Images made by hand for tests. */

#include "make_image.h"

#include <linux/crc32c.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "memfile.h"

#define FIRST_ADDRESS 0x400000ULL
#define NAME_LEN 8

static void *append(struct make_image *m, const void *p, size_t len)
{
	void *at = m->data + m->len;

	KUNIT_ASSERT_LE(m->test, m->len + len, m->size);
	if (p)
		memcpy(at, p, len);
	m->len += len;
	return at;
}

struct make_image *make_image_new(struct kunit *test, unsigned int nr_threads,
				  unsigned int nr_loads)
{
	struct make_image *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	struct ckpt_image_meta meta = {
		.format = CKPT_IMAGE_VERSION,
		.page_size = CKPT_IMAGE_PAGE_SIZE,
		.nr_processes = 1,
		.nr_threads = nr_threads,
		.release = "6.0-test",
		.host = "test",
	};
	Elf64_Ehdr eh = {
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_CORE,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = CKPT_IMAGE_PHOFF,
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = nr_loads + 1,
	};
	Elf64_Phdr load = { .p_type = PT_LOAD, .p_filesz = PAGE_SIZE, .p_memsz = PAGE_SIZE };
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, m);
	m->test = test;
	m->size = SZ_4M;
	m->nr_loads = nr_loads;
	m->data = kvzalloc(m->size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, m->data);

	append(m, NULL, CKPT_IMAGE_PHOFF + (nr_loads + 1) * sizeof(Elf64_Phdr));
	*make_image_ehdr(m) = eh;
	for (i = 0; i <= nr_loads; i++) {
		load.p_vaddr = FIRST_ADDRESS + 2 * i * PAGE_SIZE;
		*make_image_phdr(m, i) = load;
	}
	make_image_phdr(m, 0)->p_type = PT_NOTE;
	make_image_phdr(m, 0)->p_offset = m->len;
	m->notes_end = m->len;
	make_image_add(m, CKPT_REC_META, 1, 0, 0, 0, &meta, sizeof(meta));
	return m;
}

void make_image_free(struct make_image *m)
{
	kvfree(m->data);
	m->data = NULL;
}

void *make_image_add(struct make_image *m, u32 type, u16 version, u32 process, u32 tid, u32 id,
		     const void *p, size_t len)
{
	Elf64_Nhdr head = {
		.n_namesz = sizeof(CKPT_NOTE_NAME),
		.n_descsz = sizeof(struct ckpt_rec) + len,
		.n_type = type,
	};
	struct ckpt_rec rec = { .version = version, .process = process, .tid = tid, .id = id };
	void *payload;

	KUNIT_ASSERT_LT(m->test, m->nr_notes, (unsigned int)MAKE_IMAGE_MAX_NOTES);
	m->note_at[m->nr_notes] = m->len;
	m->desc_len[m->nr_notes++] = head.n_descsz;
	append(m, &head, sizeof(head));
	append(m, CKPT_NOTE_NAME "\0\0\0", NAME_LEN);
	append(m, &rec, sizeof(rec));
	payload = append(m, p, len);
	append(m, NULL, ALIGN(m->len, 4) - m->len);
	m->notes_end = m->len;
	return payload;
}

void make_image_end(struct make_image *m, unsigned int nr_pages)
{
	unsigned int i;

	append(m, NULL, PAGE_ALIGN(m->len) - m->len);
	m->pages_at = m->len;
	m->nr_pages = nr_pages;
	for (i = 0; i < nr_pages; i++)
		memset(append(m, NULL, PAGE_SIZE), i + 1, PAGE_SIZE);
	for (i = 1; i <= m->nr_loads; i++)
		make_image_phdr(m, i)->p_offset = m->pages_at + (i - 1) * PAGE_SIZE;
	append(m, NULL, nr_pages * sizeof(u32) + sizeof(struct ckpt_image_trailer));
	make_image_phdr(m, 0)->p_filesz = m->notes_end - m->note_at[0];
	make_image_seal(m, MAKE_IMAGE_KEEP_NOTHING);
}

static void seal_notes(struct make_image *m)
{
	unsigned int i;

	for (i = 0; i < m->nr_notes; i++) {
		struct ckpt_rec *rec = make_image_rec(m, i);
		u32 type = make_image_note(m, i)->n_type;

		rec->crc = 0;
		rec->crc = crc32c(crc32c(~0U, &type, sizeof(type)), rec, m->desc_len[i]);
	}
}

static void seal_trailer(struct make_image *m, unsigned int keep)
{
	struct ckpt_image_trailer *t = make_image_trailer(m);

	if (!(keep & MAKE_IMAGE_KEEP_TRAILER)) {
		memcpy(t->magic, CKPT_TRAILER_MAGIC, sizeof(t->magic));
		t->length = m->len;
		t->nr_pages = m->nr_pages;
		t->table_crc = crc32c(~0U, make_image_table(m), m->nr_pages * sizeof(u32));
		t->notes_crc = crc32c(~0U, m->data + m->note_at[0], m->notes_end - m->note_at[0]);
	}
	t->crc = crc32c(~0U, t, offsetof(struct ckpt_image_trailer, crc));
}

void make_image_seal(struct make_image *m, unsigned int keep)
{
	struct ckpt_image_meta *meta = make_image_meta(m);
	unsigned int i;

	if (!(keep & MAKE_IMAGE_KEEP_COUNTS)) {
		meta->nr_records = m->nr_notes;
		meta->nr_pages = m->nr_pages;
	}
	meta->headers_crc = crc32c(~0U, m->data, m->note_at[0]);
	seal_notes(m);
	for (i = 0; i < m->nr_pages && !(keep & MAKE_IMAGE_KEEP_TABLE); i++)
		make_image_table(m)[i] =
			crc32c(~0U, m->data + m->pages_at + i * PAGE_SIZE, PAGE_SIZE);
	seal_trailer(m, keep);
}

Elf64_Ehdr *make_image_ehdr(struct make_image *m)
{
	return (void *)m->data;
}

Elf64_Shdr *make_image_shdr(struct make_image *m)
{
	return (void *)m->data + sizeof(Elf64_Ehdr);
}

Elf64_Phdr *make_image_phdr(struct make_image *m, unsigned int i)
{
	return (Elf64_Phdr *)(m->data + CKPT_IMAGE_PHOFF) + i;
}

Elf64_Nhdr *make_image_note(struct make_image *m, unsigned int i)
{
	return (void *)m->data + m->note_at[i];
}

struct ckpt_rec *make_image_rec(struct make_image *m, unsigned int i)
{
	return (void *)(make_image_note(m, i) + 1) + NAME_LEN;
}

struct ckpt_image_meta *make_image_meta(struct make_image *m)
{
	return (void *)(make_image_rec(m, 0) + 1);
}

u32 *make_image_table(struct make_image *m)
{
	return (void *)m->data + m->pages_at + m->nr_pages * PAGE_SIZE;
}

struct ckpt_image_trailer *make_image_trailer(struct make_image *m)
{
	return (void *)(make_image_table(m) + m->nr_pages);
}

struct file *make_image_file(struct make_image *m, size_t len)
{
	return memfile_of(m->test, m->data, len);
}
