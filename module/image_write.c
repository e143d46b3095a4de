// SPDX-License-Identifier: GPL-2.0-only
/* Writing an image: records are collected first, then all goes out in one pass. */

#include "image_write.h"

#include <linux/bvec.h>
#include <linux/crc32c.h>
#include <linux/elf.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include <linux/utsname.h>

#include "compat.h"
#include "kinds.h"
#include "pages.h"
#include "request.h"
#include "restart_signal.h"
#include "saver.h"

#define MAX_BATCH 512

/* A note as it stands in the file; the payload follows. */
struct note {
	Elf64_Nhdr head;
	char name[8];
	struct ckpt_rec rec;
} __packed __aligned(4);

static_assert(sizeof(struct note) == 40);
static_assert(sizeof(Elf64_Ehdr) + sizeof(Elf64_Shdr) == CKPT_IMAGE_PHOFF);

struct ckpt_image_note {
	struct list_head node;
	size_t len; /* of @note and payload, without padding */
	struct note note;
	u8 payload[];
} __packed __aligned(8);

void ckpt_image_writer_init(struct ckpt_image_writer *w)
{
	unsigned int i;

	memset(w, 0, sizeof(*w));
	INIT_LIST_HEAD(&w->records);
	for (i = 0; i < ARRAY_SIZE(w->shared); i++)
		INIT_LIST_HEAD(&w->shared[i]);
}

/* Puts all records but the first in the order of the image. */
static void join(struct ckpt_image_writer *w)
{
	unsigned int i = ARRAY_SIZE(w->shared);

	while (i--)
		list_splice_init(&w->shared[i], &w->records);
}

void ckpt_image_writer_exit(struct ckpt_image_writer *w)
{
	struct ckpt_image_note *n, *next;

	join(w);
	list_for_each_entry_safe(n, next, &w->records, node)
		kvfree(n);
	kvfree(w->meta);
	kvfree(w->crcs);
	ckpt_image_writer_init(w);
}

static struct ckpt_image_note *new_note(u32 type, u16 version, size_t len)
{
	struct ckpt_image_note *n;

	if (len > CKPT_IMAGE_MAX_RECORD)
		return ERR_PTR(-E2BIG);
	n = kvzalloc(ALIGN(struct_size(n, payload, len), 4), GFP_KERNEL_ACCOUNT);
	if (!n)
		return ERR_PTR(-ENOMEM);
	n->len = sizeof(n->note) + len;
	n->note.head.n_namesz = sizeof(CKPT_NOTE_NAME);
	n->note.head.n_descsz = sizeof(n->note.rec) + len;
	n->note.head.n_type = type;
	strscpy(n->note.name, CKPT_NOTE_NAME, sizeof(n->note.name));
	n->note.rec.version = version;
	return n;
}

void *ckpt_image_add(struct ckpt_image_writer *w, u32 type, u16 version, u32 process, u32 tid,
		     u32 id, size_t len)
{
	struct ckpt_image_note *n = new_note(type, version, len);

	if (IS_ERR(n))
		return n;
	n->note.rec.process = process;
	n->note.rec.tid = tid;
	n->note.rec.id = id;
	list_add_tail(&n->node, process ? &w->records : &w->shared[type - CKPT_REC_META]);
	w->nr_records++;
	w->notes_len += ALIGN(n->len, 4);
	return n->payload;
}

const void *ckpt_image_added(const struct ckpt_image_writer *w, const void *after, u32 type,
			     u32 process, u32 tid)
{
	const struct list_head *at = &w->records;
	const struct ckpt_image_note *n;

	if (after)
		at = &container_of(after, struct ckpt_image_note, payload)->node;
	for (at = at->next; at != &w->records; at = at->next) {
		n = list_entry(at, struct ckpt_image_note, node);
		if (n->note.head.n_type == type && n->note.rec.process == process &&
		    n->note.rec.tid == tid)
			return n->payload;
	}
	return NULL;
}

static void seal(struct ckpt_image_note *n)
{
	u32 type = n->note.head.n_type;

	n->note.rec.crc = 0;
	n->note.rec.crc =
		crc32c(crc32c(~0U, &type, sizeof(type)), &n->note.rec, n->note.head.n_descsz);
}

static int put(struct ckpt_image_writer *w, const void *p, size_t len)
{
	while (len) {
		ssize_t n = kernel_write(w->file, p, len, w->pos);

		if (n < 0)
			return n;
		if (!n)
			return -EIO;
		if (fatal_signal_pending(current))
			return -EINTR;
		p += n;
		len -= n;
		w->written += n;
	}
	return 0;
}

static int put_zeros(struct ckpt_image_writer *w, size_t len)
{
	const void *zeros = page_address(ZERO_PAGE(0));
	int err = 0;

	while (len && !err) {
		size_t n = min_t(size_t, len, PAGE_SIZE);

		err = put(w, zeros, n);
		len -= n;
	}
	return err;
}

static int keep_crc(struct ckpt_image_writer *w, u64 total, const void *page)
{
	if (w->nr_crcs == total)
		return -EIO;
	w->crcs[w->nr_crcs++] = crc32c(~0U, page, PAGE_SIZE);
	return 0;
}

int ckpt_image_write_buffer(struct ckpt_image_writer *w, const void *buf, unsigned int nr_pages)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < nr_pages && !err; i++)
		err = keep_crc(w, w->nr_pages, buf + i * PAGE_SIZE);
	return err ?: put(w, buf, nr_pages * PAGE_SIZE);
}

/* Neighbours in memory, as in a huge page, go out as one piece. */
static unsigned int make_bvec(struct bio_vec *bv, struct page **pages, unsigned int nr)
{
	unsigned int i, n = 0;

	for (i = 0; i < nr; i++) {
		if (n && page_to_pfn(pages[i]) ==
				 page_to_pfn(bv[n - 1].bv_page) + bv[n - 1].bv_len / PAGE_SIZE) {
			bv[n - 1].bv_len += PAGE_SIZE;
			continue;
		}
		bv[n].bv_page = pages[i];
		bv[n].bv_len = PAGE_SIZE;
		bv[n++].bv_offset = 0;
	}
	return n;
}

static int put_bvec(struct ckpt_image_writer *w, struct bio_vec *bv, unsigned int nr_bv, size_t len)
{
	struct iov_iter iter;

	iov_iter_bvec(&iter, ITER_SOURCE, bv, nr_bv, len);
	while (iov_iter_count(&iter)) {
		ssize_t n = ckpt_vfs_iter_write(w->file, &iter, w->pos);

		if (n < 0)
			return n;
		if (!n)
			return -EIO;
		if (fatal_signal_pending(current))
			return -EINTR;
		w->written += n;
	}
	return 0;
}

int ckpt_image_write_pages(struct ckpt_image_writer *w, struct page **pages, unsigned int nr)
{
	struct bio_vec *bv;
	unsigned int i;
	int err = 0;

	if (nr > MAX_BATCH)
		return -EINVAL;
	for (i = 0; i < nr && !err; i++) {
		void *p = kmap_local_page(pages[i]);

		err = keep_crc(w, w->nr_pages, p);
		kunmap_local(p);
	}
	if (err)
		return err;
	bv = kvmalloc_array(nr, sizeof(*bv), GFP_KERNEL);
	if (!bv)
		return -ENOMEM;
	err = put_bvec(w, bv, make_bvec(bv, pages, nr), (size_t)nr * PAGE_SIZE);
	kvfree(bv);
	return err;
}

/* All headers up to the notes, in one buffer; the segments are the pages of the first process. */
static void *make_headers(struct ckpt_saver *s, size_t len, u64 pages_at)
{
	struct ckpt_process *p = ckpt_group_first(s->group);
	const struct ckpt_pages_set *set = ckpt_pages_of(&s->pages, p->number);
	struct ckpt_image_writer *w = &s->out;
	u64 nr_runs = set->nr_runs;
	void *buf = kvzalloc(len, GFP_KERNEL);
	Elf64_Ehdr *eh = buf;
	Elf64_Phdr *ph = buf + CKPT_IMAGE_PHOFF;
	u64 i;

	if (!buf)
		return NULL;
	/* Those of objects come first. */
	pages_at += ckpt_pages_of(&s->pages, 0)->nr_pages * PAGE_SIZE;
	memcpy(eh->e_ident, ELFMAG, SELFMAG);
	eh->e_ident[EI_CLASS] = ELFCLASS64;
	eh->e_ident[EI_DATA] = ELFDATA2LSB;
	eh->e_ident[EI_VERSION] = EV_CURRENT;
	eh->e_type = ET_CORE;
	eh->e_machine = EM_X86_64;
	eh->e_version = EV_CURRENT;
	eh->e_phoff = CKPT_IMAGE_PHOFF;
	eh->e_ehsize = sizeof(*eh);
	eh->e_phentsize = sizeof(*ph);
	eh->e_phnum = min_t(u64, nr_runs + 1, PN_XNUM);
	if (nr_runs + 1 >= PN_XNUM) {
		Elf64_Shdr *sh = buf + sizeof(*eh);

		eh->e_shoff = sizeof(*eh);
		eh->e_shentsize = sizeof(*sh);
		eh->e_shnum = 1;
		sh->sh_info = nr_runs + 1;
	}

	ph[0].p_type = PT_NOTE;
	ph[0].p_offset = len;
	ph[0].p_filesz = w->notes_len;
	ph[0].p_align = 4;
	for (i = 0; i < nr_runs; i++) {
		const struct ckpt_image_run *run = &set->runs[i];

		ph[i + 1].p_type = PT_LOAD;
		ph[i + 1].p_flags = PF_R | PF_W;
		ph[i + 1].p_offset = pages_at;
		ph[i + 1].p_vaddr = run->start;
		ph[i + 1].p_filesz = run->nr_pages * PAGE_SIZE;
		ph[i + 1].p_memsz = run->nr_pages * PAGE_SIZE;
		ph[i + 1].p_align = PAGE_SIZE;
		pages_at += run->nr_pages * PAGE_SIZE;
	}
	return buf;
}

static void fill_meta(struct ckpt_saver *s, struct ckpt_image_meta *m, u32 headers_crc)
{
	m->format = CKPT_IMAGE_VERSION;
	m->page_size = PAGE_SIZE;
	m->generation = ckpt_restart_generation(ckpt_group_first(s->group)->leader);
	ckpt_clocks_store(&s->clocks, m);
	m->nr_processes = s->group->nr_processes;
	m->nr_threads = s->group->nr_threads;
	m->nr_records = s->out.nr_records;
	m->nr_pages = s->pages.nr_pages;
	m->headers_crc = headers_crc;
	strscpy(m->release, init_utsname()->release, sizeof(m->release));
	strscpy(m->host, utsname()->nodename, sizeof(m->host));
}

static int put_note(struct ckpt_image_writer *w, struct ckpt_image_note *n, u32 *crc)
{
	seal(n);
	/* The allocation is zeroed up to the padding. */
	*crc = crc32c(*crc, &n->note, ALIGN(n->len, 4));
	return put(w, &n->note, ALIGN(n->len, 4));
}

static int put_notes(struct ckpt_image_writer *w, u32 *crc)
{
	struct ckpt_image_note *n;
	int err;

	*crc = ~0U;
	join(w);
	err = put_note(w, w->meta, crc);
	list_for_each_entry(n, &w->records, node) {
		if (err)
			break;
		err = put_note(w, n, crc);
		cond_resched();
	}
	return err;
}

static int put_end(struct ckpt_image_writer *w, u32 notes_crc)
{
	struct ckpt_image_trailer t = {
		.magic = CKPT_TRAILER_MAGIC,
		.nr_pages = w->nr_crcs,
		.table_crc = crc32c(~0U, w->crcs, w->nr_crcs * sizeof(u32)),
		.notes_crc = notes_crc,
	};
	int err = put(w, w->crcs, w->nr_crcs * sizeof(u32));

	if (err)
		return err;
	t.length = w->written + sizeof(t);
	t.crc = crc32c(~0U, &t, offsetof(struct ckpt_image_trailer, crc));
	return put(w, &t, sizeof(t));
}

static int write_all(struct ckpt_saver *s)
{
	u64 nr_runs = ckpt_pages_of(&s->pages, ckpt_group_first(s->group)->number)->nr_runs;
	struct ckpt_image_writer *w = &s->out;
	size_t len = CKPT_IMAGE_PHOFF + (nr_runs + 1) * sizeof(Elf64_Phdr);
	u64 notes_end = len + w->notes_len;
	u32 notes_crc;
	void *headers;
	int err;

	w->nr_pages = s->pages.nr_pages;
	w->crcs = kvmalloc_array(w->nr_pages + 1, sizeof(u32), GFP_KERNEL);
	headers = make_headers(s, len, PAGE_ALIGN(notes_end));
	if (!w->crcs || !headers) {
		kvfree(headers);
		return -ENOMEM;
	}
	fill_meta(s, (struct ckpt_image_meta *)w->meta->payload, crc32c(~0U, headers, len));
	err = put(w, headers, len);
	kvfree(headers);
	if (!err)
		err = put_notes(w, &notes_crc);
	if (!err)
		err = put_zeros(w, PAGE_ALIGN(notes_end) - notes_end);
	if (!err)
		err = ckpt_pages_write(s);
	if (!err && w->nr_crcs != w->nr_pages)
		err = -EIO;
	return err ?: put_end(w, notes_crc);
}

int ckpt_image_write(struct ckpt_saver *s, struct file *file)
{
	struct ckpt_image_writer *w = &s->out;
	struct ckpt_image_note *n;
	loff_t pos = file->f_pos;
	int err;

	n = new_note(CKPT_REC_META, 1, sizeof(struct ckpt_image_meta));
	if (IS_ERR(n))
		return PTR_ERR(n);
	w->meta = n;
	w->nr_records++;
	w->notes_len += ALIGN(n->len, 4);

	w->file = file;
	/* A stream has no position. */
	w->pos = file->f_mode & FMODE_STREAM ? NULL : &pos;
	err = write_all(s);
	if (!err && w->pos)
		file->f_pos = pos;
	return err;
}
