// SPDX-License-Identifier: GPL-2.0-only
/* Tests of the queue of messages. */

#include "../message.h"

#include <kunit/test.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "usermem.h"

static int message_init(struct kunit *test)
{
	struct ckpt_messages *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);

	if (!m)
		return -ENOMEM;
	ckpt_messages_init(m);
	test->priv = m;
	return 0;
}

static void message_exit(struct kunit *test)
{
	if (test->priv)
		ckpt_messages_exit(test->priv);
}

static void expect_text(struct kunit *test, const char *text)
{
	struct ckpt_messages *m = test->priv;

	KUNIT_ASSERT_EQ(test, m->len, strlen(text));
	KUNIT_EXPECT_EQ_MSG(test, memcmp(m->text, text, m->len), 0, "%.*s", (int)m->len, m->text);
}

static void nothing_is_pending_at_first(struct kunit *test)
{
	KUNIT_EXPECT_FALSE(test, ckpt_messages_pending(test->priv));
}

static void each_message_is_a_line(struct kunit *test)
{
	ckpt_messages_add(test->priv, "fd %d: %s", 3, "socket");
	ckpt_messages_add(test->priv, "second");
	KUNIT_EXPECT_TRUE(test, ckpt_messages_pending(test->priv));
	expect_text(test, "fd 3: socket\nsecond\n");
}

/* A file name cannot forge a message, nor talk to the terminal. */
static void control_characters_are_replaced(struct kunit *test)
{
	ckpt_messages_add(test->priv, "%s", "a\nb\x1b[31mc\td\x7f");
	expect_text(test, "a?b?[31mc?d?\n");
}

static void text_beyond_ascii_is_kept(struct kunit *test)
{
	ckpt_messages_add(test->priv, "%s", "na\xc3\xafve");
	expect_text(test, "na\xc3\xafve\n");
}

static void long_message_is_whole(struct kunit *test)
{
	struct ckpt_messages *m = test->priv;
	char *line = kunit_kzalloc(test, 5001, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, line);
	memset(line, 'x', 5000);
	ckpt_messages_add(m, "%s", line);
	KUNIT_ASSERT_EQ(test, m->len, (size_t)5001);
	KUNIT_EXPECT_EQ(test, memcmp(m->text, line, 5000), 0);
	KUNIT_EXPECT_EQ(test, m->text[5000], '\n');
}

static void queue_is_bounded(struct kunit *test)
{
	struct ckpt_messages *m = test->priv;
	const unsigned int nr = CKPT_MESSAGES_MAX / 64 + 10;
	unsigned int i;

	for (i = 0; i < nr; i++)
		ckpt_messages_add(m, "%063u", i);
	KUNIT_EXPECT_LE(test, m->len, (size_t)CKPT_MESSAGES_MAX);
	KUNIT_EXPECT_GT(test, m->nr_dropped, 0U);
	KUNIT_EXPECT_EQ(test, m->len / 64 + m->nr_dropped, (size_t)nr);
	/* What is kept are whole lines, the first ones. */
	KUNIT_EXPECT_EQ(test, m->len % 64, (size_t)0);
	KUNIT_EXPECT_EQ(test, m->text[m->len - 1], '\n');
	KUNIT_EXPECT_EQ(test, m->text[62], '0');
}

/* Reads up to @len bytes into the page and compares them. */
static void expect_read(struct kunit *test, unsigned long at, size_t len, const char *text)
{
	char got[128] = "";
	ssize_t n = ckpt_messages_read(test->priv, (char __user *)at, len);

	KUNIT_EXPECT_EQ(test, n, (ssize_t)strlen(text));
	KUNIT_EXPECT_EQ(test, copy_from_user(got, (void __user *)at, strlen(text)), 0UL);
	KUNIT_EXPECT_STREQ(test, (const char *)got, text);
}

static void text_is_read_in_pieces(struct kunit *test)
{
	unsigned long at = usermem_begin(test);

	if (!at)
		return;
	ckpt_messages_add(test->priv, "first");
	ckpt_messages_add(test->priv, "second");
	expect_read(test, at, 0, "");
	expect_read(test, at, 4, "firs");
	expect_read(test, at, 4, "t\nse");
	ckpt_messages_add(test->priv, "third");
	expect_read(test, at, 100, "cond\nthird\n");
	expect_read(test, at, 100, "");
	KUNIT_EXPECT_FALSE(test, ckpt_messages_pending(test->priv));
	usermem_end(test, at);
}

static void bad_buffer_loses_nothing(struct kunit *test)
{
	unsigned long at = usermem_begin(test);
	struct ckpt_messages *m = test->priv;

	if (!at)
		return;
	ckpt_messages_add(m, "text");
	KUNIT_EXPECT_EQ(test, ckpt_messages_read(m, NULL, 10), (ssize_t)-EFAULT);
	KUNIT_EXPECT_EQ(test, ckpt_messages_read(m, (char __user *)at + PAGE_SIZE, 10),
			(ssize_t)-EFAULT);
	expect_read(test, at, 100, "text\n");
	usermem_end(test, at);
}

static void dropped_messages_are_told_last(struct kunit *test)
{
	unsigned long at = usermem_begin(test);
	struct ckpt_messages *m = test->priv;

	if (!at)
		return;
	ckpt_messages_add(m, "kept");
	m->nr_dropped = 3;
	expect_read(test, at, 100, "kept\n");
	KUNIT_EXPECT_TRUE(test, ckpt_messages_pending(m));
	expect_read(test, at, 100, "messages: 3 more did not fit\n");
	KUNIT_EXPECT_FALSE(test, ckpt_messages_pending(m));
	usermem_end(test, at);
}

/* clang-format off */

static struct kunit_case message_cases[] = {
	KUNIT_CASE(nothing_is_pending_at_first),
	KUNIT_CASE(each_message_is_a_line),
	KUNIT_CASE(control_characters_are_replaced),
	KUNIT_CASE(text_beyond_ascii_is_kept),
	KUNIT_CASE(long_message_is_whole),
	KUNIT_CASE(queue_is_bounded),
	KUNIT_CASE(text_is_read_in_pieces),
	KUNIT_CASE(bad_buffer_loses_nothing),
	KUNIT_CASE(dropped_messages_are_told_last),
	{}
};

/* clang-format on */

struct kunit_suite ckpt_message_suite = {
	.name = "message",
	.init = message_init,
	.exit = message_exit,
	.test_cases = message_cases,
};
