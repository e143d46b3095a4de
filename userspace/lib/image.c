// SPDX-License-Identifier: LGPL-2.1-or-later
/* Reading an image in one pass: nothing in it is trusted. */

#include "ckpt.h"

#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crc32c.h"

/* The bounds that the module has. */
#define MAX_NOTES (256U << 20)
#define MAX_PHDRS (16U << 20)
#define MAX_PAGES (1ULL << 28)

#define NAME_LEN 8
#define ALIGN4(n) (((n) + 3) & ~(uint64_t)3)

struct ckpt_image {
	void *notes;
	uint64_t notes_len;
	struct ckpt_image_record *records;
	size_t nr_records;
	const struct ckpt_image_meta *meta;
	uint64_t length;
};

/**
 * struct source - an image being read
 * @fd: where it comes from
 * @size: bytes that a regular file has from the image's first one on, else UINT64_MAX
 * @pos: bytes read so far
 * @flags: CKPT_IMAGE_*
 * @why: gets the reason of a failure
 * @why_size: bytes at @why
 * @nr_phdrs: program headers
 * @headers_crc: checksum of all before the notes
 * @crcs: checksums of the pages that were read, or NULL
 */
struct source {
	int fd;
	uint64_t size;
	uint64_t pos;
	unsigned int flags;
	char *why;
	size_t why_size;
	uint64_t nr_phdrs;
	uint32_t headers_crc;
	uint32_t *crcs;
};

__attribute__((format(printf, 3, 4))) static void tell(struct source *s, int err, const char *fmt,
						       ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(s->why, s->why_size, fmt, args);
	va_end(args);
	errno = err;
}

/* A macro, so that a static analyser sees what it returns. */
#define fail(...) (tell(__VA_ARGS__), -1)

static int fail_cut(struct source *s, const char *what)
{
	return fail(s, EBADMSG, "cut at offset %llu: %s is not whole", (unsigned long long)s->pos,
		    what);
}

static int get(struct source *s, void *buf, size_t len, const char *what)
{
	while (len) {
		ssize_t n = read(s->fd, buf, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(s, errno, "offset %llu: cannot be read: %s",
				    (unsigned long long)s->pos, strerror(errno));
		if (!n)
			return fail_cut(s, what);
		buf = (char *)buf + n;
		len -= n;
		s->pos += n;
	}
	return 0;
}

/* Reads and forgets; @crc or NULL. */
static int read_over(struct source *s, uint64_t len, uint32_t *crc, const char *what)
{
	char buf[CKPT_IMAGE_PAGE_SIZE];

	while (len) {
		size_t n = len < sizeof(buf) ? len : sizeof(buf);

		if (get(s, buf, n, what))
			return -1;
		if (crc)
			*crc = ckpt_crc32c(*crc, buf, n);
		len -= n;
	}
	return 0;
}

static int pass_over(struct source *s, uint64_t len, const char *what)
{
	if (s->size == UINT64_MAX)
		return read_over(s, len, NULL, what);
	if (len > s->size - s->pos) {
		s->pos = s->size;
		return fail_cut(s, what);
	}
	if (lseek(s->fd, len, SEEK_CUR) < 0)
		return fail(s, errno, "cannot seek: %s", strerror(errno));
	s->pos += len;
	return 0;
}

static int check_ehdr(struct source *s, const Elf64_Ehdr *eh)
{
	if (memcmp(eh->e_ident, ELFMAG, SELFMAG))
		return fail(s, EINVAL, "not an image of ckpt: no ELF header");
	if (eh->e_ident[EI_CLASS] != ELFCLASS64 || eh->e_ident[EI_DATA] != ELFDATA2LSB ||
	    eh->e_type != ET_CORE || eh->e_machine != EM_X86_64)
		return fail(s, EINVAL, "not an image of ckpt: no x86-64 core file");
	if (eh->e_phoff != CKPT_IMAGE_PHOFF || eh->e_phentsize != sizeof(Elf64_Phdr) ||
	    !eh->e_phnum)
		return fail(s, EINVAL, "not an image of ckpt: another layout of headers");
	return 0;
}

static int read_headers(struct source *s, uint64_t *notes_len)
{
	struct {
		Elf64_Ehdr eh;
		Elf64_Shdr sh;
	} h;
	Elf64_Phdr note;

	_Static_assert(sizeof(h) == CKPT_IMAGE_PHOFF, "headers before the program headers");
	if (get(s, &h.eh, sizeof(h.eh), "the ELF header") || check_ehdr(s, &h.eh) ||
	    get(s, &h.sh, sizeof(h.sh), "the section header") ||
	    get(s, &note, sizeof(note), "the program header of the notes"))
		return -1;
	s->nr_phdrs = h.eh.e_phnum == PN_XNUM ? h.sh.sh_info : h.eh.e_phnum;
	if (!s->nr_phdrs || s->nr_phdrs > MAX_PHDRS)
		return fail(s, EBADMSG, "%llu program headers: out of range",
			    (unsigned long long)s->nr_phdrs);
	if (note.p_type != PT_NOTE ||
	    note.p_offset != CKPT_IMAGE_PHOFF + s->nr_phdrs * sizeof(note))
		return fail(s, EINVAL, "not an image of ckpt: no notes behind the headers");
	if (note.p_filesz > MAX_NOTES || note.p_filesz % 4)
		return fail(s, EBADMSG, "notes of %llu bytes: out of range",
			    (unsigned long long)note.p_filesz);
	*notes_len = note.p_filesz;
	s->headers_crc = ckpt_crc32c(ckpt_crc32c(~0U, &h, sizeof(h)), &note, sizeof(note));
	return read_over(s, note.p_offset - s->pos, &s->headers_crc,
			 "the table of program headers");
}

/* Takes one note apart; returns where the next one begins, or -1. */
static int64_t parse_note(struct source *s, struct ckpt_image *image, uint64_t at)
{
	const char *note = (const char *)image->notes + at;
	const Elf64_Nhdr *head = (const void *)note;
	uint64_t left = image->notes_len - at;
	struct ckpt_image_record *out = &image->records[image->nr_records];
	struct ckpt_rec rec;
	uint32_t crc, want;

	if (left < sizeof(*head) + NAME_LEN + sizeof(rec))
		return fail(s, EBADMSG, "note at %llu: cut", (unsigned long long)at);
	left -= sizeof(*head) + NAME_LEN;
	if (head->n_namesz != sizeof(CKPT_NOTE_NAME) ||
	    memcmp(note + sizeof(*head), CKPT_NOTE_NAME "\0\0\0", NAME_LEN))
		return fail(s, at ? EBADMSG : EINVAL, "%snote at %llu: not of ckpt",
			    at ? "" : "not an image of ckpt: ", (unsigned long long)at);
	if (head->n_descsz < sizeof(rec) || ALIGN4(head->n_descsz) > left ||
	    head->n_descsz > CKPT_IMAGE_MAX_RECORD + sizeof(rec))
		return fail(s, EBADMSG, "note at %llu: length %u is out of bounds",
			    (unsigned long long)at, head->n_descsz);
	memcpy(&rec, note + sizeof(*head) + NAME_LEN, sizeof(rec));
	out->type = head->n_type;
	out->process = rec.process;
	out->tid = rec.tid;
	out->id = rec.id;
	out->version = rec.version;
	out->flags = rec.flags;
	out->len = head->n_descsz - sizeof(rec);
	out->data = note + sizeof(*head) + NAME_LEN + sizeof(rec);

	want = rec.crc;
	rec.crc = 0;
	crc = ckpt_crc32c(~0U, &head->n_type, sizeof(head->n_type));
	crc = ckpt_crc32c(crc, &rec, sizeof(rec));
	if (ckpt_crc32c(crc, out->data, out->len) != want)
		return fail(s, EBADMSG, "record %x at %llu: damaged (CRC32C)", out->type,
			    (unsigned long long)at);
	image->nr_records++;
	return at + sizeof(*head) + NAME_LEN + ALIGN4(head->n_descsz);
}

static int read_notes(struct source *s, struct ckpt_image *image)
{
	size_t max = image->notes_len / (sizeof(Elf64_Nhdr) + NAME_LEN + sizeof(struct ckpt_rec));
	int64_t at = 0;

	image->notes = malloc(image->notes_len + 1);
	image->records = malloc((max + 1) * sizeof(*image->records));
	if (!image->notes || !image->records)
		return fail(s, ENOMEM, "out of memory");
	if (get(s, image->notes, image->notes_len, "the part with the notes"))
		return -1;
	while ((uint64_t)at < image->notes_len) {
		at = parse_note(s, image, at);
		if (at < 0)
			return -1;
	}
	return 0;
}

static bool is_text(const char *text, size_t size)
{
	return memchr(text, '\0', size);
}

static int check_meta(struct source *s, struct ckpt_image *image)
{
	const struct ckpt_image_record *rec = image->records;
	const struct ckpt_image_meta *m;

	if (!image->nr_records || rec->type != CKPT_REC_META || rec->len < sizeof(*m))
		return fail(s, EINVAL, "not an image of ckpt: no meta record");
	m = rec->data;
	if (rec->version != 1 || m->format != CKPT_IMAGE_VERSION)
		return fail(s, EOPNOTSUPP, "format version %u: this program reads %u", m->format,
			    CKPT_IMAGE_VERSION);
	if (m->page_size != CKPT_IMAGE_PAGE_SIZE)
		return fail(s, EOPNOTSUPP, "pages of %u bytes: this program reads %u", m->page_size,
			    CKPT_IMAGE_PAGE_SIZE);
	if (m->headers_crc != s->headers_crc)
		return fail(s, EBADMSG, "headers: damaged (CRC32C)");
	if (m->nr_records != image->nr_records)
		return fail(s, EBADMSG, "%zu records: the image says %u", image->nr_records,
			    m->nr_records);
	if (m->nr_pages > MAX_PAGES || s->nr_phdrs - 1 > m->nr_pages)
		return fail(s, EBADMSG, "%llu pages: out of range",
			    (unsigned long long)m->nr_pages);
	if (!is_text(m->release, sizeof(m->release)) || !is_text(m->host, sizeof(m->host)))
		return fail(s, EBADMSG, "kernel release or host: not a string");
	image->meta = m;
	return 0;
}

static int read_pages(struct source *s, uint64_t nr)
{
	char page[CKPT_IMAGE_PAGE_SIZE];
	uint64_t i;

	if (!(s->flags & CKPT_IMAGE_PAGES))
		return pass_over(s, nr * sizeof(page), "the part with the pages");
	s->crcs = calloc(nr + 1, sizeof(*s->crcs));
	if (!s->crcs)
		return fail(s, ENOMEM, "out of memory");
	for (i = 0; i < nr; i++) {
		if (get(s, page, sizeof(page), "the part with the pages"))
			return -1;
		s->crcs[i] = ckpt_crc32c(~0U, page, sizeof(page));
	}
	return 0;
}

static int read_table(struct source *s, uint64_t nr, uint32_t *crc)
{
	uint32_t want[CKPT_IMAGE_PAGE_SIZE / sizeof(uint32_t)] = { 0 };
	uint64_t done = 0, i;

	*crc = ~0U;
	while (done < nr) {
		uint64_t n = nr - done;

		if (n > sizeof(want) / sizeof(*want))
			n = sizeof(want) / sizeof(*want);
		if (get(s, want, n * sizeof(*want), "the table of checksums"))
			return -1;
		*crc = ckpt_crc32c(*crc, want, n * sizeof(*want));
		for (i = 0; s->crcs && i < n; i++)
			if (s->crcs[done + i] != want[i])
				return fail(s, EBADMSG, "page %llu: damaged (CRC32C)",
					    (unsigned long long)(done + i));
		done += n;
	}
	return 0;
}

static int read_trailer(struct source *s, struct ckpt_image *image, uint32_t table_crc)
{
	struct ckpt_image_trailer t;
	char surplus;

	if (get(s, &t, sizeof(t), "the trailer"))
		return -1;
	if (memcmp(t.magic, CKPT_TRAILER_MAGIC, sizeof(t.magic)) ||
	    t.crc != ckpt_crc32c(~0U, &t, offsetof(struct ckpt_image_trailer, crc)))
		return fail(s, EBADMSG, "trailer: damaged (CRC32C)");
	if (t.length != s->pos || t.nr_pages != image->meta->nr_pages)
		return fail(s, EBADMSG, "trailer: tells of %llu bytes: there are %llu",
			    (unsigned long long)t.length, (unsigned long long)s->pos);
	if (t.table_crc != table_crc)
		return fail(s, EBADMSG, "table of checksums: damaged (CRC32C)");
	if (t.notes_crc != ckpt_crc32c(~0U, image->notes, image->notes_len))
		return fail(s, EBADMSG, "notes: damaged (CRC32C)");
	if (read(s->fd, &surplus, 1) > 0)
		return fail(s, EBADMSG, "bytes follow the end at offset %llu",
			    (unsigned long long)s->pos);
	image->length = s->pos;
	return 0;
}

static int read_padding(struct source *s)
{
	static const char zeros[CKPT_IMAGE_PAGE_SIZE];
	char buf[CKPT_IMAGE_PAGE_SIZE];
	size_t len = -s->pos % sizeof(buf);

	if (get(s, buf, len, "padding behind the notes"))
		return -1;
	if (memcmp(buf, zeros, len))
		return fail(s, EBADMSG, "padding behind the notes: not zero");
	return 0;
}

static int read_image(struct source *s, struct ckpt_image *image)
{
	uint32_t table_crc;
	uint64_t nr_pages;

	if (read_headers(s, &image->notes_len) || read_notes(s, image) || check_meta(s, image) ||
	    read_padding(s))
		return -1;
	nr_pages = image->meta->nr_pages;
	if (read_pages(s, nr_pages) || read_table(s, nr_pages, &table_crc))
		return -1;
	return read_trailer(s, image, table_crc);
}

static void find_size(struct source *s)
{
	struct stat st;
	off_t at = lseek(s->fd, 0, SEEK_CUR);

	if (at >= 0 && !fstat(s->fd, &st) && S_ISREG(st.st_mode) && st.st_size >= at)
		s->size = st.st_size - at;
}

struct ckpt_image *ckpt_image_read(int fd, unsigned int flags, char *why, size_t size)
{
	struct source s = {
		.fd = fd,
		.size = UINT64_MAX,
		.flags = flags,
		.why = why,
		.why_size = size,
	};
	struct ckpt_image *image = calloc(1, sizeof(*image));
	int status, err;

	find_size(&s);
	status = image ? read_image(&s, image) : fail(&s, ENOMEM, "out of memory");
	err = errno;
	free(s.crcs);
	if (status) {
		ckpt_image_free(image);
		errno = err;
		return NULL;
	}
	return image;
}

void ckpt_image_free(struct ckpt_image *image)
{
	if (!image)
		return;
	free(image->records);
	free(image->notes);
	free(image);
}

const struct ckpt_image_meta *ckpt_image_meta(const struct ckpt_image *image)
{
	return image->meta;
}

unsigned long long ckpt_image_length(const struct ckpt_image *image)
{
	return image->length;
}

const struct ckpt_image_record *ckpt_image_record(const struct ckpt_image *image, size_t index)
{
	return index < image->nr_records ? &image->records[index] : NULL;
}
