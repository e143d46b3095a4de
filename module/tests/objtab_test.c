// SPDX-License-Identifier: GPL-2.0-only
/* Tests of the object table. */

#include "../objtab.h"

#include <kunit/test.h>

#include "memfile.h"

static int objtab_init(struct kunit *test)
{
	struct ckpt_objtab *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	if (!t)
		return -ENOMEM;
	ckpt_objtab_init(t);
	test->priv = t;
	return 0;
}

static void objtab_exit(struct kunit *test)
{
	if (test->priv)
		ckpt_objtab_exit(test->priv);
}

static void ids_are_given_once(struct kunit *test)
{
	struct ckpt_objtab *t = test->priv;
	int a, b;
	bool is_new = false;

	KUNIT_EXPECT_EQ(test, ckpt_objtab_id(t, &a, &is_new), 1);
	KUNIT_EXPECT_TRUE(test, is_new);
	KUNIT_EXPECT_EQ(test, ckpt_objtab_id(t, &b, &is_new), 2);
	KUNIT_EXPECT_TRUE(test, is_new);
	KUNIT_EXPECT_EQ(test, ckpt_objtab_id(t, &a, &is_new), 1);
	KUNIT_EXPECT_FALSE(test, is_new);
	KUNIT_EXPECT_EQ(test, ckpt_objtab_id(t, &b, &is_new), 2);
	KUNIT_EXPECT_FALSE(test, is_new);
}

/* Neighbouring addresses, and those of modules and of the direct map, stay apart. */
static void ids_of_many_objects_differ(struct kunit *test)
{
	struct ckpt_objtab *t = test->priv;
	const size_t nr = 3000;
	char *objects = kunit_kzalloc(test, nr, GFP_KERNEL);
	bool is_new;
	size_t i;

	KUNIT_ASSERT_NOT_NULL(test, objects);
	for (i = 0; i < nr; i++)
		KUNIT_ASSERT_EQ(test, ckpt_objtab_id(t, objects + i, &is_new), (int)i + 1);
	KUNIT_EXPECT_EQ(test, ckpt_objtab_id(t, THIS_MODULE, &is_new), (int)nr + 1);
	KUNIT_EXPECT_TRUE(test, is_new);
	for (i = 0; i < nr; i++)
		KUNIT_ASSERT_EQ(test, ckpt_objtab_id(t, objects + i, &is_new), (int)i + 1);
	KUNIT_EXPECT_FALSE(test, is_new);
}

static void ids_run_out(struct kunit *test)
{
	struct ckpt_objtab *t = test->priv;
	int a, b;
	bool is_new;

	t->last_id = INT_MAX - 1;
	KUNIT_EXPECT_EQ(test, ckpt_objtab_id(t, &a, &is_new), INT_MAX);
	KUNIT_EXPECT_EQ(test, ckpt_objtab_id(t, &b, &is_new), -ENOMEM);
	KUNIT_EXPECT_EQ(test, ckpt_objtab_id(t, &a, &is_new), INT_MAX);
}

static void file_is_found_by_id(struct kunit *test)
{
	struct ckpt_objtab *t = test->priv;
	struct file *a = memfile_new(test), *b = memfile_new(test);

	KUNIT_EXPECT_EQ(test, ckpt_objtab_put_file(t, 7, a), 0);
	KUNIT_EXPECT_EQ(test, ckpt_objtab_put_file(t, U32_MAX, b), 0);
	KUNIT_EXPECT_PTR_EQ(test, ckpt_objtab_file(t, 7), a);
	KUNIT_EXPECT_PTR_EQ(test, ckpt_objtab_file(t, U32_MAX), b);
	KUNIT_EXPECT_NULL(test, ckpt_objtab_file(t, 6));
	KUNIT_EXPECT_NULL(test, ckpt_objtab_file(t, 0));
	KUNIT_EXPECT_EQ(test, file_count(a), 1L);
}

/* Two ids of one open file description: each holds a reference of its own. */
static void table_owns_its_references(struct kunit *test)
{
	struct ckpt_objtab *t = test->priv;
	struct file *file = memfile_new(test);

	KUNIT_EXPECT_EQ(test, ckpt_objtab_put_file(t, 1, get_file(file)), 0);
	KUNIT_EXPECT_EQ(test, ckpt_objtab_put_file(t, 2, get_file(file)), 0);
	KUNIT_EXPECT_EQ(test, file_count(file), 3L);
	ckpt_objtab_exit(t);
	KUNIT_EXPECT_EQ(test, file_count(file), 1L);
	KUNIT_EXPECT_NULL(test, ckpt_objtab_file(t, 1));
	fput(file);
	ckpt_objtab_init(t);
}

static void taken_id_is_refused(struct kunit *test)
{
	struct ckpt_objtab *t = test->priv;
	struct file *first = memfile_new(test), *second = memfile_new(test);

	KUNIT_EXPECT_EQ(test, ckpt_objtab_put_file(t, 1, first), 0);
	KUNIT_EXPECT_EQ(test, ckpt_objtab_put_file(t, 1, get_file(second)), -EEXIST);
	KUNIT_EXPECT_EQ(test, file_count(second), 1L);
	KUNIT_EXPECT_PTR_EQ(test, ckpt_objtab_file(t, 1), first);
	fput(second);
}

static void empty_table_can_end(struct kunit *test)
{
	struct ckpt_objtab *t = test->priv;

	KUNIT_EXPECT_NULL(test, ckpt_objtab_file(t, 1));
	KUNIT_EXPECT_EQ(test, t->last_id, 0U);
}

/* clang-format off */

static struct kunit_case objtab_cases[] = {
	KUNIT_CASE(ids_are_given_once),
	KUNIT_CASE(ids_of_many_objects_differ),
	KUNIT_CASE(ids_run_out),
	KUNIT_CASE(file_is_found_by_id),
	KUNIT_CASE(table_owns_its_references),
	KUNIT_CASE(taken_id_is_refused),
	KUNIT_CASE(empty_table_can_end),
	{}
};

/* clang-format on */

struct kunit_suite ckpt_objtab_suite = {
	.name = "objtab",
	.init = objtab_init,
	.exit = objtab_exit,
	.test_cases = objtab_cases,
};
