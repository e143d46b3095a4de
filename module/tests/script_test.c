// SPDX-License-Identifier: GPL-2.0-only
/* Tests of the builder of syscall scripts. */

#include "../script.c"

#include <kunit/test.h>

#define BASE 0x100000000000UL

static int script_init(struct kunit *test)
{
	struct ckpt_script *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);

	if (!s)
		return -ENOMEM;
	ckpt_script_init(s);
	s->base = BASE;
	test->priv = s;
	return 0;
}

static void script_exit(struct kunit *test)
{
	if (test->priv)
		ckpt_script_exit(test->priv);
}

static void call_is_stored_as_given(struct kunit *test)
{
	struct ckpt_script *s = test->priv;
	int i;

	KUNIT_ASSERT_EQ(test, ckpt_script_add(s, 9, 1, 2, 3, 4, 5, 6), 0);
	KUNIT_ASSERT_EQ(test, s->nr_entries, 1U);
	KUNIT_EXPECT_EQ(test, s->entries[0].nr, 9ULL);
	KUNIT_EXPECT_EQ(test, s->entries[0].result, 0ULL);
	for (i = 0; i < 6; i++)
		KUNIT_EXPECT_EQ(test, s->entries[0].args[i], i + 1ULL);
}

static void calls_survive_growth(struct kunit *test)
{
	struct ckpt_script *s = test->priv;
	const unsigned int nr = 1000;
	unsigned int i;

	for (i = 0; i < nr; i++)
		KUNIT_ASSERT_EQ(test, ckpt_script_add(s, i, i, 0, 0, 0, 0, ~(u64)i), 0);
	KUNIT_ASSERT_EQ(test, s->nr_entries, nr);
	KUNIT_EXPECT_GE(test, s->max_entries, nr);
	for (i = 0; i < nr; i++) {
		KUNIT_ASSERT_EQ(test, s->entries[i].nr, (u64)i);
		KUNIT_ASSERT_EQ(test, s->entries[i].args[0], (u64)i);
		KUNIT_ASSERT_EQ(test, s->entries[i].args[5], ~(u64)i);
	}
}

/* All entries and the code page fit in front of the data. */
static void calls_stay_in_their_half(struct kunit *test)
{
	struct ckpt_script *s = test->priv;
	unsigned int nr = 0;
	int err;

	while (!(err = ckpt_script_add(s, nr, 0, 0, 0, 0, 0, 0)))
		nr++;
	KUNIT_EXPECT_EQ(test, err, -E2BIG);
	KUNIT_EXPECT_EQ(test, s->nr_entries, nr);
	KUNIT_EXPECT_GE(test, nr, 10000U);
	KUNIT_EXPECT_LE(test, PAGE_SIZE + nr * sizeof(*s->entries), (size_t)DATA_OFFSET);
	KUNIT_EXPECT_EQ(test, s->entries[nr - 1].nr, nr - 1ULL);
}

static void data_is_aligned_and_kept(struct kunit *test)
{
	struct ckpt_script *s = test->priv;
	unsigned long at[64], end = BASE + DATA_OFFSET;
	const void *stored;
	u8 bytes[64];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(at); i++) {
		memset(bytes, i, sizeof(bytes));
		at[i] = ckpt_script_data(s, bytes, i + 1);
		KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(at[i]));
		KUNIT_ASSERT_EQ(test, at[i] % DATA_ALIGN, 0UL);
		KUNIT_ASSERT_GE(test, at[i], end);
		end = at[i] + i + 1;
	}
	KUNIT_EXPECT_LE(test, end, BASE + CKPT_SCRIPT_SPACE);
	for (i = 0; i < ARRAY_SIZE(at); i++) {
		memset(bytes, i, sizeof(bytes));
		stored = s->data + (at[i] - BASE - DATA_OFFSET);
		KUNIT_ASSERT_EQ(test, memcmp(stored, bytes, i + 1), 0);
	}
}

static void data_may_be_empty(struct kunit *test)
{
	struct ckpt_script *s = test->priv;
	unsigned long at = ckpt_script_data(s, "", 0);

	KUNIT_EXPECT_EQ(test, at, BASE + DATA_OFFSET);
	KUNIT_EXPECT_EQ(test, ckpt_script_data(s, "a", 1), at);
}

static void data_stays_in_its_half(struct kunit *test)
{
	const size_t room = CKPT_SCRIPT_SPACE - DATA_OFFSET;
	struct ckpt_script *s = test->priv;
	void *bytes = kvzalloc(room, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, bytes);
	KUNIT_EXPECT_EQ(test, (long)ckpt_script_data(s, bytes, SIZE_MAX), (long)-E2BIG);
	KUNIT_EXPECT_EQ(test, (long)ckpt_script_data(s, bytes, room + 1), (long)-E2BIG);
	KUNIT_EXPECT_EQ(test, s->data_len, (size_t)0);
	KUNIT_EXPECT_EQ(test, ckpt_script_data(s, bytes, room - 1), BASE + DATA_OFFSET);
	KUNIT_EXPECT_EQ(test, (long)ckpt_script_data(s, bytes, 1), (long)-E2BIG);
	KUNIT_EXPECT_EQ(test, s->data_len, room - 1);
	kvfree(bytes);
}

static void room_is_filled_to_the_last_byte(struct kunit *test)
{
	const size_t room = CKPT_SCRIPT_SPACE - DATA_OFFSET;
	struct ckpt_script *s = test->priv;
	void *bytes = kvzalloc(room, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, bytes);
	KUNIT_EXPECT_EQ(test, ckpt_script_data(s, bytes, room), BASE + DATA_OFFSET);
	KUNIT_EXPECT_EQ(test, (long)ckpt_script_data(s, bytes, 1), (long)-E2BIG);
	kvfree(bytes);
}

/* The code knows the entries by their offsets. */
static void stub_fits_the_entries(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, offsetof(struct ckpt_script_entry, nr), (size_t)0);
	KUNIT_EXPECT_EQ(test, offsetof(struct ckpt_script_entry, args), (size_t)8);
	KUNIT_EXPECT_EQ(test, offsetof(struct ckpt_script_entry, result), (size_t)56);
	KUNIT_EXPECT_GT(test, ckpt_stub_end - ckpt_stub_start, 0L);
	KUNIT_EXPECT_LE(test, ckpt_stub_end - ckpt_stub_start, (long)PAGE_SIZE);
}

static void exit_leaves_nothing(struct kunit *test)
{
	struct ckpt_script *s = test->priv;

	KUNIT_ASSERT_EQ(test, ckpt_script_add(s, 1, 0, 0, 0, 0, 0, 0), 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(ckpt_script_data(s, "a", 2)));
	ckpt_script_exit(s);
	KUNIT_EXPECT_NULL(test, s->entries);
	KUNIT_EXPECT_NULL(test, s->data);
	KUNIT_EXPECT_EQ(test, s->nr_entries, 0U);
	KUNIT_EXPECT_EQ(test, s->data_len, (size_t)0);
}

/* clang-format off */

static struct kunit_case script_cases[] = {
	KUNIT_CASE(call_is_stored_as_given),
	KUNIT_CASE(calls_survive_growth),
	KUNIT_CASE(calls_stay_in_their_half),
	KUNIT_CASE(data_is_aligned_and_kept),
	KUNIT_CASE(data_may_be_empty),
	KUNIT_CASE(data_stays_in_its_half),
	KUNIT_CASE(room_is_filled_to_the_last_byte),
	KUNIT_CASE(stub_fits_the_entries),
	KUNIT_CASE(exit_leaves_nothing),
	{}
};

/* clang-format on */

struct kunit_suite ckpt_script_suite = {
	.name = "script",
	.init = script_init,
	.exit = script_exit,
	.test_cases = script_cases,
};
