// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer target: the module's image reader and its index of the records, fed with what the
 * fuzzer makes of real images.
 */

#include "shim.h"

#include <stdio.h>

#include "image_read.h"
#include "message.h"
#include "records.h"

/* Where the notes' headers stand; what the fuzzer breaks is left broken. */
#define NOTE_HEAD (sizeof(Elf64_Nhdr) + 8)

u32 crc32c(u32 crc, const void *p, size_t len)
{
	static u32 table[256];
	const u8 *b = p;

	for (u32 i = 256; !table[1] && i--;) {
		u32 c = i;

		for (int bit = 0; bit < 8; bit++)
			c = c >> 1 ^ (c & 1 ? 0x82f63b78U : 0);
		table[i] = c;
	}
	while (len--)
		crc = crc >> 8 ^ table[(crc ^ *b++) & 0xff];
	return crc;
}

/* Makes every message as the kernel would: a bad format or argument shows. */
void ckpt_messages_addv(struct ckpt_messages *m, const char *fmt, va_list args)
{
	char line[512];

	if (vsnprintf(line, sizeof(line), fmt, args) <= 0)
		abort();
	if (getenv("CKPT_FUZZ_WHOLE")) {
		fprintf(stderr, "a whole image is refused: %s\n", line);
		abort();
	}
}

void ckpt_messages_add(struct ckpt_messages *m, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	ckpt_messages_addv(m, fmt, args);
	va_end(args);
}

static void fix_notes(u8 *notes, u64 len, u32 headers_crc)
{
	u64 at = 0;

	while (at < len && len - at >= NOTE_HEAD + sizeof(struct ckpt_rec)) {
		Elf64_Nhdr *head = (void *)(notes + at);
		struct ckpt_rec *rec = (void *)(notes + at + NOTE_HEAD);
		struct ckpt_image_meta *meta = (void *)(rec + 1);

		if (head->n_descsz < sizeof(*rec) || head->n_descsz > len - at - NOTE_HEAD)
			return;
		if (!at && head->n_descsz >= sizeof(*rec) + sizeof(*meta))
			meta->headers_crc = headers_crc;
		rec->crc = 0;
		rec->crc = crc32c(crc32c(~0U, &head->n_type, sizeof(u32)), rec, head->n_descsz);
		at += NOTE_HEAD + ALIGN((u64)head->n_descsz, 4);
	}
}

/* Puts the checksums of a changed image right, so that what lies behind them is reached. */
static void fix(u8 *data, size_t len)
{
	Elf64_Phdr *note = (void *)(data + CKPT_IMAGE_PHOFF);
	struct ckpt_image_trailer *t;
	u64 at;

	if (len < CKPT_IMAGE_PHOFF + sizeof(*note) || note->p_offset > len ||
	    note->p_offset < CKPT_IMAGE_PHOFF + sizeof(*note) || note->p_offset % 4 ||
	    note->p_filesz > len - note->p_offset)
		return;
	fix_notes(data + note->p_offset, note->p_filesz, crc32c(~0U, data, note->p_offset));

	at = PAGE_ALIGN(note->p_offset + note->p_filesz);
	if (len < sizeof(*t) || at > len - sizeof(*t))
		return;
	t = (void *)(data + (len - sizeof(*t)) / 4 * 4);
	t->nr_pages = (len - sizeof(*t) - at) / (PAGE_SIZE + sizeof(u32));
	for (u64 i = 0; i < t->nr_pages; i++) {
		u32 crc = crc32c(~0U, data + at + i * PAGE_SIZE, PAGE_SIZE);

		memcpy(data + at + t->nr_pages * PAGE_SIZE + i * sizeof(u32), &crc, sizeof(crc));
	}
	t->length = len;
	t->table_crc = crc32c(~0U, data + at + t->nr_pages * PAGE_SIZE, t->nr_pages * sizeof(u32));
	t->notes_crc = crc32c(~0U, data + note->p_offset, note->p_filesz);
	t->crc = crc32c(~0U, t, offsetof(struct ckpt_image_trailer, crc));
}

/* Every record that the index knows is found there. */
static void use_index(const struct ckpt_image_reader *img, struct ckpt_messages *messages)
{
	const struct ckpt_record *rec;
	struct ckpt_records index;

	if (!ckpt_records_init(&index, img, messages))
		ckpt_for_each_record(rec, img) {
			if (rec->type < CKPT_REC_META || rec->type >= CKPT_REC_END)
				continue;
			if (rec < ckpt_records_begin(&index, rec->process, rec->type) ||
			    rec >= ckpt_records_end(&index, rec->process, rec->type))
				abort();
			if (rec->id && ckpt_records_object(&index, rec->type, rec->id) != rec)
				abort();
		}
	ckpt_records_exit(&index);
}

/* Touches all that a kind may touch. */
static void use_records(const struct ckpt_image_reader *img)
{
	const struct ckpt_record *rec;
	u8 sum = 0;

	ckpt_for_each_record(rec, img)
		for (u32 i = 0; i < rec->len; i++)
			sum += ((const u8 *)rec->data)[i];
	/* Nobody may optimise the reads away. */
	asm volatile("" : : "r"(sum));
}

static void read_all(struct ckpt_image_reader *img)
{
	static u8 buf[16 * 4096];
	u64 left = img->meta->nr_pages;
	int err = 0;

	while (left && !err) {
		unsigned int n = min_t(u64, left, 16);

		err = ckpt_image_read_pages(img, buf, n);
		left -= n;
	}
	if (!err)
		ckpt_image_finish(img);
}

int LLVMFuzzerTestOneInput(const u8 *input, size_t len);

/*
 * The last byte of the input chooses: checksums put right or not, a file or a stream, whole or
 * short reads.
 */
int LLVMFuzzerTestOneInput(const u8 *input, size_t len)
{
	struct ckpt_image_reader img;
	struct ckpt_messages messages;
	struct file file = {};
	u8 how, *data;

	if (!len)
		return 0;
	how = input[--len];
	data = malloc(len + 1);
	memcpy(data, input, len);
	if (how & 1)
		fix(data, len);
	file.data = data;
	file.len = len;
	file.f_mode = how & 2 ? FMODE_STREAM : 0;
	file.chunk = how & 4 ? 1 + (how >> 3) : SIZE_MAX;
	if (!ckpt_image_open(&img, &file, &messages)) {
		use_records(&img);
		use_index(&img, &messages);
		read_all(&img);
		ckpt_image_close(&img);
	}
	free(data);
	return 0;
}
