// SPDX-License-Identifier: GPL-2.0-only
/* Tests of the queue of messages. */

#include "../message.h"

#include <kunit/test.h>
#include <linux/string.h>

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

static struct kunit_case message_cases[] = { KUNIT_CASE(nothing_is_pending_at_first),
					     KUNIT_CASE(each_message_is_a_line),
					     KUNIT_CASE(control_characters_are_replaced),
					     KUNIT_CASE(text_beyond_ascii_is_kept),
					     KUNIT_CASE(long_message_is_whole),
					     KUNIT_CASE(queue_is_bounded),
					     {} };

struct kunit_suite ckpt_message_suite = {
	.name = "message",
	.init = message_init,
	.exit = message_exit,
	.test_cases = message_cases,
};
