// SPDX-License-Identifier: GPL-2.0-only
/* What /proc/PID/fdinfo says of an open file. */

#include "fdinfo.h"

#include <linux/err.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#define FIRST_SIZE 4096
/* An epoll with 100000 items tells about 10 MiB. */
#define MAX_SIZE (64U << 20)

char *ckpt_fdinfo_get(struct file *file)
{
	struct seq_file m = { .file = file };

	for (m.size = FIRST_SIZE; m.size <= MAX_SIZE; m.size *= 2) {
		m.buf = kvmalloc(m.size, GFP_KERNEL);
		if (!m.buf)
			return ERR_PTR(-ENOMEM);
		m.count = 0;
		if (file->f_op->show_fdinfo)
			file->f_op->show_fdinfo(&m, file);
		if (m.count < m.size) {
			m.buf[m.count] = 0;
			return m.buf;
		}
		kvfree(m.buf);
	}
	return ERR_PTR(-E2BIG);
}

const char *ckpt_fdinfo_find(const char *text, const char *name)
{
	size_t len = strlen(name);

	while (text && *text) {
		if (!strncmp(text, name, len))
			return skip_spaces(text + len);
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	return NULL;
}

bool ckpt_fdinfo_number(const char *text, const char *name, unsigned int base, u64 *value)
{
	const char *at = ckpt_fdinfo_find(text, name);
	char number[32];

	if (!at)
		return false;
	strscpy(number, at, min_t(size_t, sizeof(number), strcspn(at, "\n") + 1));
	return !kstrtou64(number, base, value);
}
