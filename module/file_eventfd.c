// SPDX-License-Identifier: GPL-2.0-only
/* Type of open file: eventfd(2). */

#include <linux/err.h>
#include <linux/eventfd.h>
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/mm.h>
#include <linux/unistd.h>
#include <linux/wait.h>

#include "compat.h"
#include "fdinfo.h"
#include "file_types.h"
#include "image_read.h"
#include "restorer.h"
#include "saver.h"

static bool recognise(struct ckpt_saver *s, const struct file *file)
{
	return ckpt_file_is_anon(file, "[eventfd]");
}

/* The private structure of fs/eventfd.c: fdinfo tells of semaphores since 6.5 only. */
struct eventfd_private {
	struct kref kref;
	wait_queue_head_t wqh;
	__u64 count;
	unsigned int flags;
	int id;
};

static bool ask_semaphore(const struct file *file, const char *text, u64 count, u64 *is_semaphore)
{
	const struct eventfd_private *e = file->private_data;
	u64 id;

	if (ckpt_fdinfo_find(text, "eventfd-semaphore:"))
		return ckpt_fdinfo_number(text, "eventfd-semaphore:", 10, is_semaphore);
	*is_semaphore = e->flags & EFD_SEMAPHORE;
	return ckpt_fdinfo_number(text, "eventfd-id:", 10, &id) && e->id == id && e->count == count;
}

static bool read_state(struct file *file, const char *text, struct ckpt_image_eventfd *e)
{
	u64 count, is_semaphore;

	if (!ckpt_fdinfo_number(text, "eventfd-count:", 16, &count) ||
	    !ask_semaphore(file, text, count, &is_semaphore))
		return false;
	e->count = count;
	e->flags = is_semaphore ? CKPT_EVENTFD_SEMAPHORE : 0;
	return true;
}

static int save(struct ckpt_saver *s, const struct ckpt_fd *f, struct ckpt_image_file *i,
		struct ckpt_file_own *own)
{
	struct ckpt_image_eventfd *e = ckpt_file_own_alloc(own, sizeof(*e));
	char *text;

	if (IS_ERR(e))
		return PTR_ERR(e);
	text = ckpt_fdinfo_get(f->file);
	if (IS_ERR(text))
		return PTR_ERR(text);
	if (!read_state(f->file, text, e))
		ckpt_save_refuse(s, "file", "fd %u: %s: its state is not told: close it", f->fd,
				 i->path);
	kvfree(text);
	return 0;
}

static int verify(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_file *i = rec->data;
	const struct ckpt_image_eventfd *e = ckpt_file_own(rec).data;

	if (i->object || e->reserved || e->flags & ~CKPT_EVENTFD_SEMAPHORE)
		return ckpt_restore_error(r, -EOPNOTSUPP, "%s: unknown flags 0x%x", i->path,
					  e->flags);
	return 0;
}

static int make(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_eventfd *e = ckpt_file_own(rec).data;

	return ckpt_script_add(&r->script, __NR_eventfd2, 0,
			       e->flags & CKPT_EVENTFD_SEMAPHORE ? EFD_SEMAPHORE : 0, 0, 0, 0, 0);
}

/* Written, as eventfd2(2) takes 32 bits. A full counter is filled by the kernel alone. */
static int script(struct ckpt_restorer *r, const struct ckpt_record *rec, int fd)
{
	const struct ckpt_image_eventfd *e = ckpt_file_own(rec).data;
	u64 count = min(e->count, ULLONG_MAX - 1);
	unsigned long at;

	if (!count)
		return 0;
	at = ckpt_script_data(&r->script, &count, sizeof(count));
	if (IS_ERR_VALUE(at))
		return at;
	return ckpt_script_add(&r->script, __NR_write, fd, at, sizeof(count), 0, 0, 0);
}

static int settle(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_eventfd *e = ckpt_file_own(rec).data;
	struct eventfd_ctx *ctx;

	if (e->count != ULLONG_MAX)
		return 0;
	ctx = eventfd_ctx_fileget(ckpt_objtab_file(r->objects, rec->id));
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	ckpt_eventfd_signal(ctx);
	eventfd_ctx_put(ctx);
	return 0;
}

const struct ckpt_file_type ckpt_file_eventfd = {
	.type = CKPT_FILE_EVENTFD,
	.is_private = true,
	.own_len = sizeof(struct ckpt_image_eventfd),
	.recognise = recognise,
	.save = save,
	.verify = verify,
	.make = make,
	.script = script,
	.settle = settle,
};
