// SPDX-License-Identifier: GPL-2.0-only
/* Type of open file: epoll(7), with what it watches and what is ready. */

#include <linux/capability.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
/* counts on the one above */
#include <linux/eventpoll.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <linux/unistd.h>

#include "eventpoll.h"
#include "fdinfo.h"
#include "file_types.h"
#include "image_read.h"
#include "restorer.h"
#include "saver.h"

static bool recognise(struct ckpt_saver *s, const struct file *file)
{
	return ckpt_file_is_anon(file, "[eventpoll]");
}

/* --- saving --- */

/* The items that fdinfo tells of, without their files. */
struct told {
	struct ckpt_epoll_item *items;
	unsigned int nr;
};

static unsigned int count_lines(const char *text)
{
	unsigned int nr = 0;

	for (text = strstr(text, "tfd:"); text; text = strstr(text + 1, "\ntfd:"))
		nr++;
	return nr;
}

static int ask(struct file *ep, struct told *t)
{
	char *text = ckpt_fdinfo_get(ep);
	struct ckpt_epoll_item *i;
	const char *line = text;
	int err = 0;

	if (IS_ERR(text))
		return PTR_ERR(text);
	t->nr = count_lines(text);
	t->items = kvcalloc(t->nr + 1, sizeof(*t->items), GFP_KERNEL);
	if (!t->items)
		err = -ENOMEM;
	for (i = t->items; !err && i < t->items + t->nr; i++) {
		line = strstr(line, "tfd:");
		if (!line || sscanf(line, "tfd: %d events: %x data: %llx", &i->fd, &i->events,
				    &i->data) != 3)
			err = -EOPNOTSUPP;
		else
			line++;
	}
	kvfree(text);
	return err;
}

static unsigned int find_in(const struct ckpt_fds *list, struct file *ep,
			    struct ckpt_epoll_item *items, unsigned int max)
{
	unsigned int nr = 0, here, i;
	struct ckpt_fd *f;

	ckpt_for_each_file(f, list) {
		here = ckpt_epoll_items_of(ep, f->file, items + nr, max - nr);
		for (i = nr; i < min(nr + here, max); i++)
			items[i].file = f->id;
		nr = min(nr + here, max);
		cond_resched();
	}
	return nr;
}

/* Finds the items again at the files of the job. */
static unsigned int find(struct ckpt_saver *s, struct file *ep, struct ckpt_epoll_item *items,
			 unsigned int max)
{
	struct ckpt_process *p;
	unsigned int nr = 0;

	ckpt_for_each_process(p, s->group)
		nr += find_in(&s->fds[p->number], ep, items + nr, max - nr);
	return nr;
}

static int compare(const void *a, const void *b)
{
	const struct ckpt_epoll_item *one = a, *other = b;

	if (one->fd != other->fd)
		return one->fd < other->fd ? -1 : 1;
	if (one->data != other->data)
		return one->data < other->data ? -1 : 1;
	return one->events < other->events ? -1 : one->events > other->events;
}

/* An item that fdinfo tells of and that no file of the job has, or NULL. Sorts both. */
static const struct ckpt_epoll_item *missing(struct told *t, struct ckpt_epoll_item *items,
					     unsigned int nr)
{
	unsigned int i;

	sort(t->items, t->nr, sizeof(*items), compare, NULL);
	sort(items, nr, sizeof(*items), compare, NULL);
	for (i = 0; i < t->nr; i++)
		if (i == nr || compare(&t->items[i], &items[i]))
			return &t->items[i];
	return NULL;
}

static int fill_in(struct ckpt_file_own *own, const struct ckpt_epoll_item *items, unsigned int nr)
{
	struct ckpt_image_epoll *out = ckpt_file_own_alloc(own, struct_size(out, items, nr));
	unsigned int i;

	if (IS_ERR(out))
		return PTR_ERR(out);
	out->nr_items = nr;
	for (i = 0; i < nr; i++)
		out->items[i] = (struct ckpt_image_epoll_item){
			.fd = items[i].fd,
			.events = items[i].events,
			.data = items[i].data,
			.file = items[i].file,
			.ready = items[i].ready,
		};
	return 0;
}

static int save_items(struct ckpt_saver *s, const struct ckpt_fd *f, struct ckpt_file_own *own,
		      struct told *t, struct ckpt_epoll_item *items)
{
	unsigned int nr = find(s, f->file, items, t->nr);
	const struct ckpt_epoll_item *lost = missing(t, items, nr);

	if (lost)
		ckpt_save_refuse(s, "file", "fd %u: epoll: watches what was fd %d: %s", f->fd,
				 lost->fd,
				 "that file is open outside of the job only: close it there");
	else if (!ckpt_epoll_get_ready(f->file, items, nr))
		ckpt_save_refuse(s, "file", "fd %u: epoll: %s", f->fd,
				 "what is ready is not told: close it before the save");
	return fill_in(own, items, nr);
}

static int save(struct ckpt_saver *s, const struct ckpt_fd *f, struct ckpt_image_file *i,
		struct ckpt_file_own *own)
{
	struct ckpt_epoll_item *items;
	struct told told = {};
	int err;

	err = ask(f->file, &told);
	if (err == -EOPNOTSUPP || err == -E2BIG) {
		ckpt_save_refuse(s, "file", "fd %u: epoll: its items are not told: close it",
				 f->fd);
		err = 0;
	} else if (!err) {
		items = kvcalloc(told.nr + 1, sizeof(*items), GFP_KERNEL);
		err = items ? save_items(s, f, own, &told, items) : -ENOMEM;
		kvfree(items);
	}
	kvfree(told.items);
	return err;
}

/* --- restoring --- */

static int verify(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_file_own own = ckpt_file_own(rec);
	const struct ckpt_image_epoll *e = own.data;
	u32 n;

	if (e->reserved || (own.len - sizeof(*e)) / sizeof(e->items[0]) < e->nr_items)
		return ckpt_restore_error(r, -EBADMSG, "epoll: %u items: do not fit their record",
					  e->nr_items);
	for (n = 0; n < e->nr_items; n++) {
		const struct ckpt_image_epoll_item *i = &e->items[n];

		if (i->fd >= CKPT_FD_MAX || i->ready > e->nr_items ||
		    !ckpt_restore_object(r, CKPT_REC_FILE, i->file))
			return ckpt_restore_error(r, -EBADMSG, "epoll: item of fd %u: bad value",
						  i->fd);
	}
	return 0;
}

static int make(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	return ckpt_script_add(&r->script, __NR_epoll_create1, 0, 0, 0, 0, 0, 0);
}

/* What a process does to add an item: its descriptors, and where the epoll is among them. */
struct adding {
	struct ckpt_restorer *r;
	int ep;
	int spare; /* no descriptor has this number, nor one above it */
};

static int call(struct adding *a, u64 nr, u64 a0, u64 a1, u64 a2, u64 a3)
{
	return ckpt_script_add(&a->r->script, nr, a0, a1, a2, a3, 0, 0);
}

static int add(struct adding *a, int ep, const struct ckpt_image_epoll_item *i)
{
	struct epoll_event event = { .events = (__force __poll_t)i->events, .data = i->data };
	unsigned long at = ckpt_script_data(&a->r->script, &event, sizeof(event));

	if (IS_ERR_VALUE(at))
		return at;
	return call(a, __NR_epoll_ctl, ep, EPOLL_CTL_ADD, i->fd, at);
}

/* The number is free, or that of another file: for a moment it is that of the file. */
static int add_in_place(struct adding *a, const struct ckpt_image_epoll_item *i, int file,
			bool is_taken, bool cloexec)
{
	int ep = i->fd == a->ep ? a->spare : a->ep;
	int err = 0;

	if (is_taken)
		err = call(a, __NR_dup3, i->fd, a->spare, 0, 0);
	if (!err)
		err = call(a, __NR_dup3, file, i->fd, 0, 0);
	if (!err)
		err = add(a, ep, i);
	if (err)
		return err;
	if (!is_taken)
		return call(a, __NR_close, i->fd, 0, 0, 0);
	err = call(a, __NR_dup3, a->spare, i->fd, cloexec ? O_CLOEXEC : 0, 0);
	return err ?: call(a, __NR_close, a->spare, 0, 0, 0);
}

/* A descriptor of the file of an item, perhaps a new one, which is above @lent then. */
static int borrow(struct adding *a, u32 id, int *lent)
{
	int fd = ckpt_fd_of_file(a->r, id);
	struct file *file;

	*lent = -1;
	if (fd >= 0)
		return fd;
	file = ckpt_objtab_file(a->r->objects, id);
	if (!file)
		return -ENOENT;
	*lent = ckpt_fd_install(get_file(file));
	a->spare = max(a->spare, *lent + 1);
	return *lent;
}

static const struct ckpt_image_fd *find_fd(struct ckpt_restorer *r, u32 fd)
{
	const struct ckpt_record *rec;

	ckpt_for_each_record_of(rec, r, CKPT_REC_FD) {
		const struct ckpt_image_fd *i = rec->data;

		if (i->fd == fd)
			return i;
	}
	return NULL;
}

static int add_item(struct adding *a, const struct ckpt_image_epoll_item *i)
{
	const struct ckpt_image_fd *holder = find_fd(a->r, i->fd);
	bool is_helper = i->fd == a->r->dev_fd || i->fd == a->r->exe_fd;
	int file, lent, err;

	if (holder && holder->file == i->file)
		return add(a, a->ep, i);
	file = borrow(a, i->file, &lent);
	if (file < 0)
		return file;
	err = file == i->fd ? add(a, a->ep, i) :
			      add_in_place(a, i, file, holder || is_helper,
					   is_helper || holder->flags & CKPT_FD_CLOEXEC);
	if (!err && lent >= 0)
		err = call(a, __NR_close, lent, 0, 0, 0);
	return err;
}

static int script(struct ckpt_restorer *r, const struct ckpt_record *rec, int fd)
{
	const struct ckpt_image_epoll *e = ckpt_file_own(rec).data;
	struct adding a = { .r = r, .ep = fd, .spare = max(r->dev_fd, r->exe_fd) + 1 };
	const struct ckpt_record *other;
	int err;
	u32 n;

	ckpt_for_each_record_of(other, r, CKPT_REC_FD)
		a.spare = max_t(int, a.spare, ((const struct ckpt_image_fd *)other->data)->fd + 1);
	for (n = 0; n < e->nr_items; n++)
		a.spare = max_t(int, a.spare, e->items[n].fd + 1);
	for (n = 0; n < e->nr_items; n++) {
		err = add_item(&a, &e->items[n]);
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

static int by_ready(const void *a, const void *b)
{
	const struct ckpt_epoll_item *one = a, *other = b;

	return one->ready < other->ready ? -1 : one->ready > other->ready;
}

static int find_item(struct ckpt_restorer *r, struct file *ep,
		     const struct ckpt_image_epoll_item *i, struct ckpt_epoll_item *item)
{
	struct file *file = ckpt_objtab_file(r->objects, i->file);
	struct ckpt_epoll_item *found;
	unsigned int nr, n;
	int err = -ENOENT;

	nr = ckpt_epoll_items_of(ep, file, NULL, 0);
	found = kvcalloc(nr + 1, sizeof(*found), GFP_KERNEL);
	if (!found)
		return -ENOMEM;
	nr = min(nr, ckpt_epoll_items_of(ep, file, found, nr));
	for (n = 0; n < nr; n++)
		if (found[n].fd == i->fd) {
			*item = found[n];
			err = 0;
		}
	kvfree(found);
	item->events = i->events;
	item->ready = i->ready;
	return err;
}

static int settle(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_epoll *e = ckpt_file_own(rec).data;
	struct file *ep = ckpt_objtab_file(r->objects, rec->id);
	struct ckpt_epoll_item *items = kvcalloc(e->nr_items + 1, sizeof(*items), GFP_KERNEL);
	int err = items ? 0 : -ENOMEM;
	u32 n;

	for (n = 0; n < e->nr_items && !err; n++) {
		err = find_item(r, ep, &e->items[n], &items[n]);
		cond_resched();
	}
	if (!err) {
		sort(items, e->nr_items, sizeof(*items), by_ready, NULL);
		ckpt_epoll_set_ready(ep, items, e->nr_items);
	}
	kvfree(items);
	return err;
}

const struct ckpt_file_type ckpt_file_epoll = {
	.type = CKPT_FILE_EPOLL,
	.is_private = true,
	.own_len = sizeof(struct ckpt_image_epoll),
	.recognise = recognise,
	.save = save,
	.verify = verify,
	.make = make,
	.script = script,
	.settle = settle,
};
