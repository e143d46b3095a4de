// SPDX-License-Identifier: GPL-2.0-only
/* Tests of the index over the records of an image: their order, and finding them. */

#include "../records.h"

#include <kunit/test.h>

#include "../message.h"

#define MAX_RECORDS 16

/* An image of two processes, and an index over it. */
struct fixture {
	struct ckpt_image_meta meta;
	struct ckpt_record records[MAX_RECORDS];
	struct ckpt_image_reader img;
	struct ckpt_records index;
	struct ckpt_messages messages;
};

static const struct ckpt_record good[] = {
	{ .type = CKPT_REC_META },
	{ .type = CKPT_REC_FILE, .id = 4 },
	{ .type = CKPT_REC_FILE, .id = 2 },
	{ .type = CKPT_REC_PIPE, .id = 3 },
	{ .type = CKPT_REC_PROCESS, .process = 1 },
	{ .type = CKPT_REC_THREAD, .process = 1, .tid = 10 },
	{ .type = CKPT_REC_THREAD, .process = 1, .tid = 11 },
	{ .type = CKPT_REC_PROCESS, .process = 2 },
	{ .type = CKPT_REC_THREAD, .process = 2, .tid = 20 },
};

static void reset(struct fixture *f)
{
	memcpy(f->records, good, sizeof(good));
	f->meta.nr_processes = 2;
	f->img.nr_records = ARRAY_SIZE(good);
	f->messages.len = 0;
}

static int records_init(struct kunit *test)
{
	struct fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);

	if (!f)
		return -ENOMEM;
	f->img.meta = &f->meta;
	f->img.records = f->records;
	ckpt_messages_init(&f->messages);
	xa_init(&f->index.objects);
	reset(f);
	test->priv = f;
	return 0;
}

static void records_exit(struct kunit *test)
{
	struct fixture *f = test->priv;

	if (!f)
		return;
	ckpt_records_exit(&f->index);
	ckpt_messages_exit(&f->messages);
}

static int make(struct kunit *test)
{
	struct fixture *f = test->priv;

	ckpt_records_exit(&f->index);
	return ckpt_records_init(&f->index, &f->img, &f->messages);
}

static void expect_refused(struct kunit *test, const char *why)
{
	struct fixture *f = test->priv;

	f->messages.len = 0;
	KUNIT_EXPECT_EQ(test, make(test), -EBADMSG);
	KUNIT_EXPECT_TRUE_MSG(test, strnstr(f->messages.text ?: "", why, f->messages.len), "%.*s",
			      (int)f->messages.len, f->messages.text ?: "");
	reset(f);
	KUNIT_EXPECT_EQ(test, make(test), 0);
}

static void expect_range(struct kunit *test, u32 process, u32 type, u32 first, u32 nr)
{
	struct fixture *f = test->priv;
	struct ckpt_record_range range = ckpt_records_of(&f->index, process, type);

	KUNIT_EXPECT_EQ(test, range.nr, nr);
	if (nr)
		KUNIT_EXPECT_EQ(test, range.first, first);
	KUNIT_EXPECT_EQ(test,
			(u32)(ckpt_records_end(&f->index, process, type) -
			      ckpt_records_begin(&f->index, process, type)),
			nr);
}

static void records_are_found_by_their_owner(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, make(test), 0);
	expect_range(test, 0, CKPT_REC_META, 0, 1);
	expect_range(test, 0, CKPT_REC_FILE, 1, 2);
	expect_range(test, 0, CKPT_REC_PROCESS, 0, 0);
	expect_range(test, 1, CKPT_REC_PROCESS, 4, 1);
	expect_range(test, 1, CKPT_REC_THREAD, 5, 2);
	expect_range(test, 1, CKPT_REC_FILE, 0, 0);
	expect_range(test, 2, CKPT_REC_THREAD, 8, 1);
	expect_range(test, 2, CKPT_REC_END - 1, 0, 0);
}

static void objects_are_found_by_their_id(struct kunit *test)
{
	struct fixture *f = test->priv;
	struct ckpt_records *r = &f->index;

	KUNIT_ASSERT_EQ(test, make(test), 0);
	KUNIT_EXPECT_PTR_EQ(test, ckpt_records_object(r, CKPT_REC_FILE, 2), f->records + 2);
	KUNIT_EXPECT_PTR_EQ(test, ckpt_records_object(r, CKPT_REC_PIPE, 3), f->records + 3);
	KUNIT_EXPECT_NULL(test, ckpt_records_object(r, CKPT_REC_FILE, 3));
	KUNIT_EXPECT_NULL(test, ckpt_records_object(r, CKPT_REC_FILE, 5));
	KUNIT_EXPECT_NULL(test, ckpt_records_object(r, CKPT_REC_META, 0));
	KUNIT_EXPECT_NULL(test, ckpt_records_object(r, CKPT_REC_FILE, U32_MAX));
}

static void numbers_of_processes_are_bounded(struct kunit *test)
{
	static const u32 bad[] = { 0, ARRAY_SIZE(good) + 1, 1 << 20, (1 << 20) + 1, U32_MAX };
	struct fixture *f = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		f->meta.nr_processes = bad[i];
		expect_refused(test, "processes: out of range");
	}
}

static void process_that_is_not_there_is_refused(struct kunit *test)
{
	struct fixture *f = test->priv;

	f->records[8].process = 3;
	expect_refused(test, "no such process");
	f->records[8].process = U32_MAX;
	expect_refused(test, "no such process");
}

static void processes_come_in_order(struct kunit *test)
{
	struct fixture *f = test->priv;

	/* Of the job, behind a process. */
	f->records[8].process = 0;
	expect_refused(test, "out of order");
	f->records[8].process = 1;
	expect_refused(test, "out of order");
	swap(f->records[3], f->records[4]);
	expect_refused(test, "out of order");
}

static void records_of_a_type_stand_together(struct kunit *test)
{
	struct fixture *f = test->priv;

	swap(f->records[2], f->records[3]);
	expect_refused(test, "apart");
	f->records[f->img.nr_records++] =
		(struct ckpt_record){ .type = CKPT_REC_PROCESS, .process = 2 };
	expect_refused(test, "apart");
	swap(f->records[4], f->records[5]);
	expect_refused(test, "apart");
}

/* What the module does not know it does not look for. */
static void unknown_types_may_stand_anywhere(struct kunit *test)
{
	struct fixture *f = test->priv;

	f->records[1].type = CKPT_REC_END;
	f->records[2].type = 0;
	f->records[3].type = U32_MAX;
	KUNIT_EXPECT_EQ(test, make(test), 0);
	KUNIT_EXPECT_NULL(test, ckpt_records_object(&f->index, CKPT_REC_FILE, 2));
}

static void object_is_there_once(struct kunit *test)
{
	struct fixture *f = test->priv;

	f->records[2].id = 4;
	expect_refused(test, "object 4: there twice");
	/* An id is unique whatever it stands for, and whosever it is. */
	f->records[3].id = 4;
	expect_refused(test, "object 4: there twice");
	f->records[8].id = 3;
	expect_refused(test, "object 3: there twice");
}

/* clang-format off */

static struct kunit_case records_cases[] = {
	KUNIT_CASE(records_are_found_by_their_owner),
	KUNIT_CASE(objects_are_found_by_their_id),
	KUNIT_CASE(numbers_of_processes_are_bounded),
	KUNIT_CASE(process_that_is_not_there_is_refused),
	KUNIT_CASE(processes_come_in_order),
	KUNIT_CASE(records_of_a_type_stand_together),
	KUNIT_CASE(unknown_types_may_stand_anywhere),
	KUNIT_CASE(object_is_there_once),
	{}
};

/* clang-format on */

struct kunit_suite ckpt_records_suite = {
	.name = "records",
	.init = records_init,
	.exit = records_exit,
	.test_cases = records_cases,
};
