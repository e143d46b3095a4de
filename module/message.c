// SPDX-License-Identifier: GPL-2.0-only
/* Messages of a request: a bounded queue of lines that the caller reads. */

#include "message.h"

#include <linux/ctype.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#define FIRST_SIZE 1024

void ckpt_messages_init(struct ckpt_messages *m)
{
	mutex_init(&m->lock);
	init_waitqueue_head(&m->wait);
	m->text = NULL;
	m->len = 0;
	m->size = 0;
	m->nr_dropped = 0;
}

void ckpt_messages_exit(struct ckpt_messages *m)
{
	kvfree(m->text);
}

static bool has_room(struct ckpt_messages *m, size_t need)
{
	size_t size = max_t(size_t, m->size, FIRST_SIZE);
	char *text;

	while (size < m->len + need)
		size *= 2;
	if (size > CKPT_MESSAGES_MAX)
		return false;
	if (size == m->size)
		return true;
	text = kvmalloc(size, GFP_KERNEL);
	if (!text)
		return false;
	memcpy(text, m->text, m->len);
	kvfree(m->text);
	m->text = text;
	m->size = size;
	return true;
}

void ckpt_messages_addv(struct ckpt_messages *m, const char *fmt, va_list args)
{
	char *line = kvasprintf(GFP_KERNEL, fmt, args), *c;
	size_t len;

	mutex_lock(&m->lock);
	len = line ? strlen(line) : 0;
	if (!line || !has_room(m, len + 1)) {
		m->nr_dropped++;
		goto out;
	}
	/* A file name may hold anything: one message stays one line, a terminal stays as it is. */
	for (c = line; *c; c++)
		if (iscntrl(*c))
			*c = '?';
	memcpy(m->text + m->len, line, len);
	m->text[m->len + len] = '\n';
	m->len += len + 1;
out:
	mutex_unlock(&m->lock);
	wake_up_interruptible(&m->wait);
	kfree(line);
}

void ckpt_messages_add(struct ckpt_messages *m, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	ckpt_messages_addv(m, fmt, args);
	va_end(args);
}

bool ckpt_messages_pending(struct ckpt_messages *m)
{
	return READ_ONCE(m->len) || READ_ONCE(m->nr_dropped);
}

/* Says how many messages did not fit, once those that did are read. */
static ssize_t read_dropped(struct ckpt_messages *m, char __user *buf, size_t len)
{
	char line[64];
	int n;

	n = scnprintf(line, sizeof(line), "messages: %u more did not fit\n", m->nr_dropped);
	if (n > len)
		return -EMSGSIZE;
	if (copy_to_user(buf, line, n))
		return -EFAULT;
	m->nr_dropped = 0;
	return n;
}

ssize_t ckpt_messages_read(struct ckpt_messages *m, char __user *buf, size_t len)
{
	ssize_t n;

	mutex_lock(&m->lock);
	n = min(len, m->len);
	if (n && copy_to_user(buf, m->text, n)) {
		n = -EFAULT;
	} else if (n) {
		m->len -= n;
		memmove(m->text, m->text + n, m->len);
	} else if (m->nr_dropped && len) {
		n = read_dropped(m, buf, len);
	}
	mutex_unlock(&m->lock);
	return n;
}
