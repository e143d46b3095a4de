// SPDX-License-Identifier: GPL-2.0-only
/* Reading an image: hostile input, verified before anything is changed. */

#include "image_read.h"

#include <linux/crc32c.h>
#include <linux/elf.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "message.h"

/* All notes together; what bounds the memory that an image may make the kernel allocate. */
#define MAX_NOTES (256ULL << 20)
#define MAX_PHDRS (16ULL << 20)
#define MAX_PAGES (1ULL << 28)
#define CHUNK (1UL << 20)
#define FIRST_CRCS 1024

__printf(3, 4) static int bad(struct ckpt_image_reader *img, int err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	ckpt_messages_addv(img->messages, fmt, args);
	va_end(args);
	return err;
}

/* Reads exactly @len bytes. */
static int get(struct ckpt_image_reader *img, void *buf, size_t len, const char *what)
{
	while (len) {
		ssize_t n = kernel_read(img->file, buf, len, img->file_pos);

		if (n < 0)
			return bad(img, n, "image: offset %llu: cannot be read: error %zd",
				   img->pos, -n);
		if (!n)
			return bad(img, -EBADMSG, "image: cut at offset %llu: in %s", img->pos,
				   what);
		if (fatal_signal_pending(current))
			return -EINTR;
		buf += n;
		len -= n;
		img->pos += n;
	}
	return 0;
}

/* Reads and forgets up to an offset. */
static int skip_to(struct ckpt_image_reader *img, u64 offset, u32 *crc, const char *what)
{
	void *buf = (void *)__get_free_page(GFP_KERNEL);
	int err = buf ? 0 : -ENOMEM;

	while (!err && img->pos < offset) {
		size_t n = min_t(u64, offset - img->pos, PAGE_SIZE);

		err = get(img, buf, n, what);
		if (!err && crc)
			*crc = crc32c(*crc, buf, n);
		else if (!err && memchr_inv(buf, 0, n))
			err = bad(img, -EBADMSG, "image: %s: not zero", what);
	}
	free_page((unsigned long)buf);
	return err;
}

static int check_ehdr(struct ckpt_image_reader *img, const Elf64_Ehdr *eh)
{
	if (memcmp(eh->e_ident, ELFMAG, SELFMAG))
		return bad(img, -EINVAL, "image: not an image of ckpt: no ELF header");
	if (eh->e_ident[EI_CLASS] != ELFCLASS64 || eh->e_ident[EI_DATA] != ELFDATA2LSB ||
	    eh->e_type != ET_CORE || eh->e_machine != EM_X86_64)
		return bad(img, -EINVAL, "image: not an image of ckpt: no x86-64 core file");
	if (eh->e_phoff != CKPT_IMAGE_PHOFF || eh->e_phentsize != sizeof(Elf64_Phdr) ||
	    !eh->e_phnum)
		return bad(img, -EINVAL, "image: not an image of ckpt: another layout of headers");
	return 0;
}

static int read_headers(struct ckpt_image_reader *img, Elf64_Phdr *note, u64 *nr_phdrs, u32 *crc)
{
	struct {
		Elf64_Ehdr eh;
		Elf64_Shdr sh;
	} h;
	int err;

	BUILD_BUG_ON(sizeof(h) != CKPT_IMAGE_PHOFF);
	err = get(img, &h.eh, sizeof(h.eh), "the ELF header");
	if (!err)
		err = check_ehdr(img, &h.eh);
	if (!err)
		err = get(img, &h.sh, sizeof(h.sh), "the ELF header");
	if (!err)
		err = get(img, note, sizeof(*note), "the program header of the notes");
	if (err)
		return err;
	*nr_phdrs = h.eh.e_phnum == PN_XNUM ? h.sh.sh_info : h.eh.e_phnum;
	if (!*nr_phdrs || *nr_phdrs > MAX_PHDRS)
		return bad(img, -EBADMSG, "image: %llu program headers: out of range", *nr_phdrs);
	if (note->p_type != PT_NOTE ||
	    note->p_offset != CKPT_IMAGE_PHOFF + *nr_phdrs * sizeof(Elf64_Phdr))
		return bad(img, -EINVAL,
			   "image: not an image of ckpt: no notes behind the headers");
	if (note->p_filesz > MAX_NOTES || note->p_filesz % 4)
		return bad(img, -EBADMSG, "image: notes of %llu bytes: out of range",
			   (u64)note->p_filesz);
	*crc = crc32c(crc32c(~0U, &h, sizeof(h)), note, sizeof(*note));
	return skip_to(img, note->p_offset, crc, "the program headers");
}

static int read_notes(struct ckpt_image_reader *img, u64 len)
{
	u64 at = 0;
	int err = 0;

	img->notes = kvmalloc(len ?: 1, GFP_KERNEL_ACCOUNT);
	if (!img->notes)
		return -ENOMEM;
	img->notes_len = len;
	while (at < len && !err) {
		u64 n = min_t(u64, len - at, CHUNK);

		err = get(img, img->notes + at, n, "the notes");
		at += n;
	}
	if (!err)
		img->notes_crc = crc32c(~0U, img->notes, len);
	return err;
}

/* Takes the note at @at apart; returns the offset of the next one, or an errno. */
static s64 parse_note(struct ckpt_image_reader *img, u64 at, struct ckpt_record *out)
{
	const size_t name_len = ALIGN(sizeof(CKPT_NOTE_NAME), 4);
	u64 left = img->notes_len - at;
	const Elf64_Nhdr *head = img->notes + at;
	struct ckpt_rec rec;
	u32 crc;

	if (left < sizeof(*head) + name_len + sizeof(rec))
		return bad(img, -EBADMSG, "image: note at %llu: cut", at);
	left -= sizeof(*head) + name_len;
	if (head->n_namesz != sizeof(CKPT_NOTE_NAME) ||
	    memcmp(head + 1, CKPT_NOTE_NAME "\0\0\0", name_len))
		return bad(img, -EBADMSG, "image: note at %llu: not of ckpt", at);
	if (head->n_descsz < sizeof(rec) || head->n_descsz > left ||
	    head->n_descsz > CKPT_IMAGE_MAX_RECORD + sizeof(rec))
		return bad(img, -EBADMSG, "image: note at %llu: length %u is out of bounds", at,
			   head->n_descsz);
	memcpy(&rec, (void *)(head + 1) + name_len, sizeof(rec));
	out->type = head->n_type;
	out->version = rec.version;
	out->flags = rec.flags;
	out->process = rec.process;
	out->tid = rec.tid;
	out->id = rec.id;
	out->len = head->n_descsz - sizeof(rec);
	out->data = (void *)(head + 1) + name_len + sizeof(rec);

	crc = rec.crc;
	rec.crc = 0;
	rec.crc = crc32c(crc32c(~0U, &head->n_type, sizeof(u32)), &rec, sizeof(rec));
	if (crc32c(rec.crc, out->data, out->len) != crc)
		return bad(img, -EBADMSG, "image: record %x at %llu: damaged (CRC32C)", out->type,
			   at);
	at += sizeof(*head) + name_len + ALIGN((u64)head->n_descsz, 4);
	if (at > img->notes_len)
		return bad(img, -EBADMSG, "image: note at %llu: cut in its padding", at);
	return at;
}

static int walk_notes(struct ckpt_image_reader *img)
{
	u32 max = img->notes_len / (sizeof(Elf64_Nhdr) + 8 + sizeof(struct ckpt_rec));
	s64 at = 0;

	img->records = kvmalloc_array(max + 1, sizeof(*img->records), GFP_KERNEL_ACCOUNT);
	if (!img->records)
		return -ENOMEM;
	while (at < img->notes_len) {
		at = parse_note(img, at, &img->records[img->nr_records]);
		if (at < 0)
			return at;
		img->nr_records++;
		cond_resched();
	}
	return 0;
}

static int check_meta(struct ckpt_image_reader *img, u64 nr_phdrs, u32 headers_crc)
{
	const struct ckpt_record *rec = img->records;
	const struct ckpt_image_meta *m;

	if (!img->nr_records || rec->type != CKPT_REC_META || rec->len < sizeof(*m))
		return bad(img, -EINVAL, "image: not an image of ckpt: no meta record");
	m = rec->data;
	if (rec->version != 1 || m->format != CKPT_IMAGE_VERSION)
		return bad(img, -EOPNOTSUPP, "image: format version %u: this module reads %u",
			   m->format, CKPT_IMAGE_VERSION);
	if (m->incompatible & ~CKPT_INCOMPATIBLE_KNOWN)
		return bad(img, -EOPNOTSUPP, "image: features 0x%llx: not known to this module",
			   m->incompatible & ~CKPT_INCOMPATIBLE_KNOWN);
	if (m->page_size != PAGE_SIZE)
		return bad(img, -EOPNOTSUPP, "image: pages of %u bytes: this machine has others",
			   m->page_size);
	if (m->headers_crc != headers_crc)
		return bad(img, -EBADMSG, "image: headers: damaged (CRC32C)");
	if (m->nr_records != img->nr_records)
		return bad(img, -EBADMSG, "image: %u records: the image says %u", img->nr_records,
			   m->nr_records);
	if (m->nr_pages > MAX_PAGES || nr_phdrs - 1 > m->nr_pages)
		return bad(img, -EBADMSG, "image: %llu pages: out of range", m->nr_pages);
	if (!ckpt_image_is_text(m->release, sizeof(m->release)) ||
	    !memchr(m->host, 0, sizeof(m->host)))
		return bad(img, -EBADMSG, "image: kernel release or host: not a string");
	img->meta = m;
	return 0;
}

static int open_image(struct ckpt_image_reader *img)
{
	Elf64_Phdr note;
	u64 nr_phdrs;
	u32 crc;
	int err;

	err = read_headers(img, &note, &nr_phdrs, &crc);
	if (!err)
		err = read_notes(img, note.p_filesz);
	if (!err)
		err = walk_notes(img);
	if (!err)
		err = check_meta(img, nr_phdrs, crc);
	if (!err)
		err = skip_to(img, PAGE_ALIGN(img->pos), NULL, "padding behind the notes");
	return err;
}

int ckpt_image_open(struct ckpt_image_reader *img, struct file *file, struct ckpt_messages *m)
{
	int err;

	memset(img, 0, sizeof(*img));
	img->file = get_file(file);
	img->messages = m;
	img->start = file->f_pos;
	/* A stream has no position. */
	img->file_pos = file->f_mode & FMODE_STREAM ? NULL : &img->start;
	err = open_image(img);
	if (err)
		ckpt_image_close(img);
	return err;
}

void ckpt_image_close(struct ckpt_image_reader *img)
{
	if (img->file)
		fput(img->file);
	kvfree(img->notes);
	kvfree(img->records);
	kvfree(img->crcs);
	memset(img, 0, sizeof(*img));
}

/* The list of checksums grows with what was read, not with what the image promises. */
static int grow_crcs(struct ckpt_image_reader *img, u64 need)
{
	u64 size = img->crcs_size ?: FIRST_CRCS;
	u32 *crcs;

	while (size < need)
		size *= 2;
	if (size == img->crcs_size)
		return 0;
	crcs = kvmalloc_array(size, sizeof(*crcs), GFP_KERNEL_ACCOUNT);
	if (!crcs)
		return -ENOMEM;
	if (img->crcs)
		memcpy(crcs, img->crcs, img->nr_crcs * sizeof(*crcs));
	kvfree(img->crcs);
	img->crcs = crcs;
	img->crcs_size = size;
	return 0;
}

int ckpt_image_read_pages(struct ckpt_image_reader *img, void *buf, unsigned int nr_pages)
{
	unsigned int i;
	int err;

	if (nr_pages > img->meta->nr_pages - img->nr_crcs)
		return bad(img, -EBADMSG, "image: more pages than the %llu it has",
			   img->meta->nr_pages);
	err = grow_crcs(img, img->nr_crcs + nr_pages);
	if (!err)
		err = get(img, buf, nr_pages * PAGE_SIZE, "the memory");
	for (i = 0; i < nr_pages && !err; i++)
		img->crcs[img->nr_crcs++] = crc32c(~0U, buf + i * PAGE_SIZE, PAGE_SIZE);
	return err;
}

static int compare_crcs(struct ckpt_image_reader *img, u32 *table_crc)
{
	u32 *part = (void *)__get_free_page(GFP_KERNEL);
	u64 at = 0, i;
	int err = part ? 0 : -ENOMEM;

	*table_crc = ~0U;
	while (!err && at < img->nr_crcs) {
		u64 n = min_t(u64, img->nr_crcs - at, PAGE_SIZE / sizeof(u32));

		err = get(img, part, n * sizeof(u32), "the table of checksums");
		if (err)
			break;
		*table_crc = crc32c(*table_crc, part, n * sizeof(u32));
		for (i = 0; i < n && !err; i++)
			if (part[i] != img->crcs[at + i])
				err = bad(img, -EBADMSG, "image: page %llu: damaged (CRC32C)",
					  at + i);
		at += n;
	}
	free_page((unsigned long)part);
	return err;
}

int ckpt_image_finish(struct ckpt_image_reader *img)
{
	struct ckpt_image_trailer t;
	u32 table_crc;
	int err;

	if (img->nr_crcs != img->meta->nr_pages)
		return bad(img, -EBADMSG, "image: %llu pages: the image says %llu", img->nr_crcs,
			   img->meta->nr_pages);
	err = compare_crcs(img, &table_crc);
	if (!err)
		err = get(img, &t, sizeof(t), "the trailer");
	if (err)
		return err;
	if (memcmp(t.magic, CKPT_TRAILER_MAGIC, sizeof(t.magic)) ||
	    t.crc != crc32c(~0U, &t, offsetof(struct ckpt_image_trailer, crc)) ||
	    t.length != img->pos || t.nr_pages != img->nr_crcs || t.table_crc != table_crc ||
	    t.notes_crc != img->notes_crc)
		return bad(img, -EBADMSG, "image: trailer: damaged, or not that of this image");
	return 0;
}

bool ckpt_image_is_text(const char *text, size_t len)
{
	return len && text[0] && strnlen(text, len) < len;
}
