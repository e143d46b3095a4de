// SPDX-License-Identifier: GPL-2.0-only
/* Type of open file: signalfd(2). What it reads is pending with the threads. */

#include <linux/err.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/unistd.h>

#include "fdinfo.h"
#include "file_types.h"
#include "image_read.h"
#include "restorer.h"
#include "saver.h"

static bool recognise(struct ckpt_saver *s, const struct file *file)
{
	return ckpt_file_is_anon(file, "[signalfd]");
}

static int save(struct ckpt_saver *s, const struct ckpt_fd *f, struct ckpt_image_file *i,
		struct ckpt_file_own *own)
{
	struct ckpt_image_signalfd *out = ckpt_file_own_alloc(own, sizeof(*out));
	char *text;
	u64 mask;

	if (IS_ERR(out))
		return PTR_ERR(out);
	text = ckpt_fdinfo_get(f->file);
	if (IS_ERR(text))
		return PTR_ERR(text);
	if (ckpt_fdinfo_number(text, "sigmask:", 16, &mask))
		out->mask = mask;
	else
		ckpt_save_refuse(s, "file", "fd %u: %s: its mask is not told: close it", f->fd,
				 i->path);
	kvfree(text);
	return 0;
}

static int make(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_signalfd *in = ckpt_file_own(rec).data;
	unsigned long at = ckpt_script_data(&r->script, &in->mask, sizeof(in->mask));

	if (IS_ERR_VALUE(at))
		return at;
	return ckpt_script_add(&r->script, __NR_signalfd4, -1, at, sizeof(in->mask), 0, 0, 0);
}

const struct ckpt_file_type ckpt_file_signalfd = {
	.type = CKPT_FILE_SIGNALFD,
	.own_len = sizeof(struct ckpt_image_signalfd),
	.recognise = recognise,
	.save = save,
	.make = make,
};
