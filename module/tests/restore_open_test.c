// SPDX-License-Identifier: GPL-2.0-only
/* Tests of the verification of records: those of a real image, each spoilt in turn. */

#include "../restore_open.c"

#include <kunit/test.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kthread.h>

#include "edit_records.h"
#include "saved_image.h"
#include "usermem.h"

/* The image that all tests start from, read once. */
static struct ckpt_image_reader saved;
static struct ckpt_messages saved_messages;

int edit_suite_init(struct kunit_suite *suite)
{
	struct file *file;
	int err;

	if (!*ckpt_kunit_image)
		return 0;
	ckpt_messages_init(&saved_messages);
	file = filp_open(ckpt_kunit_image, O_RDONLY, 0);
	if (IS_ERR(file))
		return PTR_ERR(file);
	err = ckpt_image_open(&saved, file, &saved_messages);
	fput(file);
	return err;
}

void edit_suite_exit(struct kunit_suite *suite)
{
	if (saved.file) {
		ckpt_image_close(&saved);
		ckpt_messages_exit(&saved_messages);
	}
}

void edit_reset(struct edit *e)
{
	e->meta = *saved.meta;
	e->nr = saved.nr_records;
	memcpy(e->records, saved.records, e->nr * sizeof(*e->records));
	e->req->messages.len = 0;
}

int edit_init(struct kunit *test)
{
	struct edit *e;

	if (!saved.file)
		kunit_skip(test, "no image was given");
	e = kvzalloc(sizeof(*e), GFP_KERNEL);
	if (!e || saved.nr_records > EDIT_MAX_RECORDS - 1)
		return -ENOMEM;
	e->req = ckpt_request_new(NULL);
	test->priv = e;
	if (!e->req)
		return -ENOMEM;
	edit_reset(e);
	return 0;
}

void edit_exit(struct kunit *test)
{
	struct edit *e = test->priv;

	if (!e)
		return;
	ckpt_request_put(e->req);
	kvfree(e);
}

static struct ckpt_rjob *new_job(struct edit *e)
{
	struct ckpt_rjob *job = new_rjob(e->req);

	if (!job)
		return NULL;
	job->img.meta = &e->meta;
	job->img.records = e->records;
	job->img.nr_records = e->nr;
	job->img.messages = &e->req->messages;
	return job;
}

int edit_verified(struct kunit *test)
{
	struct edit *e = test->priv;
	struct ckpt_rjob *job = new_job(e);
	int err;

	KUNIT_ASSERT_NOT_NULL(test, job);
	e->req->messages.len = 0;
	/* The tool's memory is looked at, and get_task_mm() knows of none in a kernel thread. */
	kthread_use_mm(ckpt_kunit_mm);
	current->flags &= ~PF_KTHREAD;
	err = open_records(job);
	current->flags |= PF_KTHREAD;
	kthread_unuse_mm(ckpt_kunit_mm);
	e->nr_tasks = job->nr_tasks;
	e->nr_threads = job->nr_threads;
	e->nr_living = job->nr_living;
	/* The records are not its own. */
	memset(&job->img, 0, sizeof(job->img));
	ckpt_rjob_put(job);
	if (err)
		KUNIT_EXPECT_TRUE_MSG(test, ckpt_messages_pending(&e->req->messages), "error %d",
				      err);
	return err;
}

void edit_expect(struct kunit *test, int want, const char *what, u32 type)
{
	struct edit *e = test->priv;
	int err = edit_verified(test);

	KUNIT_EXPECT_EQ_MSG(test, err, want, "%s, record %x: %.*s", what, type,
			    (int)e->req->messages.len, e->req->messages.text ?: "");
	edit_reset(e);
}

int edit_find_of(struct edit *e, u32 process, u32 type)
{
	u32 i;

	for (i = 0; i < e->nr; i++)
		if (e->records[i].type == type && e->records[i].process == process)
			return i;
	return -1;
}

int edit_find(struct edit *e, u32 type)
{
	u32 i;

	for (i = 0; i < e->nr; i++)
		if (e->records[i].type == type)
			return i;
	return -1;
}

void edit_drop(struct edit *e, u32 i)
{
	memmove(&e->records[i], &e->records[i + 1], (e->nr - i - 1) * sizeof(*e->records));
	e->nr--;
}

void edit_twice(struct edit *e, u32 i)
{
	memmove(&e->records[i + 1], &e->records[i], (e->nr - i) * sizeof(*e->records));
	e->nr++;
}

const struct ckpt_kind *edit_next_kind(struct edit *e, unsigned int *n, int *i)
{
	while (ckpt_kinds[*n]) {
		const struct ckpt_kind *k = ckpt_kinds[(*n)++];

		*i = k->type ? edit_find(e, k->type) : -1;
		if (*i >= 0)
			return k;
	}
	return NULL;
}

static void saved_image_is_good(struct kunit *test)
{
	edit_expect(test, 0, "unchanged", 0);
}

/*
 * The program whose image this is must have state of every kind, but for a terminal, whose other
 * end is always outside of the job.
 */
static void every_kind_is_there(struct kunit *test)
{
	const struct ckpt_kind *k;
	unsigned int n;

	ckpt_for_each_kind(k, n)
		if (k->type && k->type != CKPT_REC_TERMINAL)
			KUNIT_EXPECT_GE_MSG(test, edit_find(test->priv, k->type), 0, "%s", k->name);
}

static void unknown_versions(struct kunit *test)
{
	struct edit *e = test->priv;
	const struct ckpt_kind *k;
	unsigned int n = 0;
	int i;

	while ((k = edit_next_kind(e, &n, &i))) {
		e->records[i].version = k->version + 1;
		edit_expect(test, -EOPNOTSUPP, "newer version", k->type);
		e->records[i].version = k->oldest - 1;
		edit_expect(test, -EOPNOTSUPP, "older version", k->type);
		e->records[i].version = U16_MAX;
		edit_expect(test, -EOPNOTSUPP, "last version", k->type);
	}
}

static void unknown_flags(struct kunit *test)
{
	struct edit *e = test->priv;
	u32 i;

	for (i = 0; i < e->nr; i++) {
		u32 type = e->records[i].type;

		e->records[i].flags = 1 << (1 + i % 15);
		edit_expect(test, -EOPNOTSUPP, "unknown flag", type);
	}
}

static void unknown_types(struct kunit *test)
{
	static const u32 types[] = { 0,	     1, CKPT_REC_META - 1, CKPT_REC_END, CKPT_REC_END + 100,
				     U32_MAX };
	struct edit *e = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		u32 process = e->records[e->nr - 1].process;

		edit_twice(e, e->nr - 1);
		e->records[e->nr - 1] = (struct ckpt_record){
			.type = types[i],
			.version = 1,
			.process = process,
		};
		edit_expect(test, -EOPNOTSUPP, "unknown type", types[i]);
		edit_twice(e, e->nr - 1);
		e->records[e->nr - 1] = (struct ckpt_record){
			.type = types[i],
			.flags = CKPT_REC_COMPATIBLE,
			.process = process,
		};
		edit_expect(test, 0, "unknown type that may be ignored", types[i]);
	}
}

static bool is_padding(const u8 *p, u32 len)
{
	return len < 4 && !memchr_inv(p, 0, len);
}

/* Each record is cut to each shorter length; zeros behind a text are the only thing that may go. */
static void cut_at_each_length(struct kunit *test)
{
	struct edit *e = test->priv;
	const struct ckpt_kind *k;
	unsigned int n = 0;
	int i;

	while ((k = edit_next_kind(e, &n, &i))) {
		u32 whole = e->records[i].len, len;

		for (len = 0; len < whole; len++) {
			/* Of its own, so that KASAN sees who reads behind the end. */
			u8 *copy = kmemdup(e->records[i].data, len, GFP_KERNEL);
			bool padding = is_padding(e->records[i].data + len, whole - len);
			int err;

			if (len && !copy)
				break;
			e->records[i].data = copy;
			e->records[i].len = len;
			err = edit_verified(test);
			kfree(copy);
			edit_reset(e);
			KUNIT_ASSERT_TRUE_MSG(test, err == -EBADMSG || (!err && padding),
					      "%s: %u of %u bytes: error %d", k->name, len, whole,
					      err);
		}
	}
}

static void unknown_thread(struct kunit *test)
{
	struct edit *e = test->priv;
	const struct ckpt_kind *k;
	unsigned int n = 0;
	int i;

	while ((k = edit_next_kind(e, &n, &i))) {
		if (k->type == CKPT_REC_THREAD)
			continue;
		e->records[i].tid = PID_MAX_LIMIT + 1;
		edit_expect(test, -EBADMSG, "unknown thread", k->type);
	}
}

static void threads_are_whole(struct kunit *test)
{
	struct edit *e = test->priv;
	int i = edit_find(e, CKPT_REC_THREAD);

	KUNIT_ASSERT_GE(test, i, 0);
	e->records[i].tid = 0;
	edit_expect(test, -EBADMSG, "thread 0", CKPT_REC_THREAD);
	e->records[i].tid = PID_MAX_LIMIT + 1;
	edit_expect(test, -EBADMSG, "thread out of range", CKPT_REC_THREAD);
	edit_twice(e, i);
	e->meta.nr_threads++;
	edit_expect(test, -EBADMSG, "thread twice", CKPT_REC_THREAD);
	e->meta.nr_threads++;
	edit_expect(test, -EBADMSG, "thread missing", CKPT_REC_THREAD);
	e->meta.nr_threads = 0;
	edit_expect(test, -EBADMSG, "no threads", CKPT_REC_THREAD);
}

static void wrong_numbers_of_records(struct kunit *test)
{
	struct edit *e = test->priv;
	const struct ckpt_kind *k;
	unsigned int n = 0;
	int i;

	while ((k = edit_next_kind(e, &n, &i))) {
		if (k->count == CKPT_ONE || k->count == CKPT_PER_THREAD) {
			edit_drop(e, i);
			edit_expect(test, -EBADMSG, "missing", k->type);
		}
		if (k->count != CKPT_ANY) {
			edit_twice(e, i);
			e->records[i].id = 0;
			edit_expect(test, -EBADMSG, "twice", k->type);
		}
	}
	edit_twice(e, 0);
	edit_expect(test, -EBADMSG, "twice", CKPT_REC_META);
}

static void id_stands_for_one_object(struct kunit *test)
{
	struct edit *e = test->priv;
	unsigned int found = 0;
	u32 i;

	for (i = 0; i < e->nr; i++) {
		u32 type = e->records[i].type;

		if (!e->records[i].id)
			continue;
		found++;
		edit_twice(e, i);
		edit_expect(test, -EBADMSG, "object twice", type);
	}
	KUNIT_EXPECT_GT(test, found, 0U);
}

/* Objects that records refer to are there: without any of them the image is refused. */
static void referred_object_is_there(struct kunit *test)
{
	static const u32 types[] = { CKPT_REC_FILE, CKPT_REC_PIPE, CKPT_REC_SHM };
	struct edit *e = test->priv;
	unsigned int i;
	int at;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		at = edit_find(e, types[i]);
		KUNIT_EXPECT_GE(test, at, 0);
		if (at < 0)
			continue;
		edit_drop(e, at);
		edit_expect(test, -EBADMSG, "object missing", types[i]);
	}
}

int edit_changed(struct kunit *test, int i, size_t at, const void *value, size_t len)
{
	struct edit *e = test->priv;
	u8 *copy = kmemdup(e->records[i].data, e->records[i].len, GFP_KERNEL);
	int err;

	if (!copy || at + len > e->records[i].len) {
		kfree(copy);
		return 1;
	}
	memcpy(copy + at, value, len);
	e->records[i].data = copy;
	err = edit_verified(test);
	kfree(copy);
	edit_reset(e);
	return err;
}

/* Whatever a field holds: it is taken or refused, and nothing else happens. */
static void any_value_in_any_place(struct kunit *test)
{
	static const u32 values[] = { 0, 0x7fffffff, 0xffffffff };
	struct edit *e = test->priv;
	const struct ckpt_kind *k;
	unsigned int n = 0, v;
	int i;

	while ((k = edit_next_kind(e, &n, &i))) {
		u32 at, len = min(e->records[i].len, 512U);

		for (at = 0; at + 4 <= len; at += 4)
			for (v = 0; v < ARRAY_SIZE(values); v++) {
				int err = edit_changed(test, i, at, &values[v], 4);

				KUNIT_ASSERT_TRUE_MSG(test,
						      !err || err == -EBADMSG || err == -EOPNOTSUPP,
						      "%s at %u: error %d", k->name, at, err);
			}
	}
}

/* Offset of a member of an area. */
#define AREA(member) offsetof(struct ckpt_image_vma, member)

static int change_area(struct kunit *test, int i, size_t at, u64 value)
{
	return edit_changed(test, i, at, &value, sizeof(value));
}

static void areas_do_not_overlap(struct kunit *test)
{
	int i = edit_find(test->priv, CKPT_REC_VMA);
	struct edit *e = test->priv;
	const struct ckpt_image_vma *first;

	KUNIT_ASSERT_GE(test, i, 0);
	KUNIT_ASSERT_EQ(test, e->records[i + 1].type, (u32)CKPT_REC_VMA);
	first = e->records[i].data;

	edit_twice(e, i);
	edit_expect(test, -EBADMSG, "area twice", CKPT_REC_VMA);
	swap(e->records[i], e->records[i + 1]);
	edit_expect(test, -EBADMSG, "areas out of order", CKPT_REC_VMA);
	KUNIT_EXPECT_EQ(test, change_area(test, i + 1, AREA(start), first->start), -EBADMSG);
	KUNIT_EXPECT_EQ(test, change_area(test, i, AREA(end), first->start), -EBADMSG);
	KUNIT_EXPECT_EQ(test, change_area(test, i, AREA(end), first->start - PAGE_SIZE), -EBADMSG);
	KUNIT_EXPECT_EQ(test, change_area(test, i, AREA(end), first->end - 1), -EBADMSG);
	KUNIT_EXPECT_EQ(test, change_area(test, i, AREA(start), first->start + 1), -EBADMSG);
	KUNIT_EXPECT_EQ(test, change_area(test, i, AREA(end), U64_MAX & PAGE_MASK), -EBADMSG);
}

/* Offset of a member of the first run in a record of runs. */
#define RUN(member) \
	(offsetof(struct ckpt_image_runs, runs) + offsetof(struct ckpt_image_run, member))

static void runs_do_not_overlap(struct kunit *test)
{
	int i = edit_find_of(test->priv, 1, CKPT_REC_RUNS);
	struct edit *e = test->priv;
	const struct ckpt_image_runs *runs;
	const size_t next = sizeof(struct ckpt_image_run);
	u64 value;
	u32 number;

	KUNIT_ASSERT_GE(test, i, 0);
	runs = e->records[i].data;
	KUNIT_ASSERT_GE(test, runs->nr_runs, 2U);

	edit_twice(e, i);
	edit_expect(test, -EBADMSG, "runs twice", CKPT_REC_RUNS);
	edit_drop(e, i);
	edit_expect(test, -EBADMSG, "runs missing", CKPT_REC_RUNS);
	e->meta.nr_pages++;
	edit_expect(test, -EBADMSG, "pages without a run", CKPT_REC_RUNS);
	value = runs->runs[0].start;
	KUNIT_EXPECT_EQ(test, edit_changed(test, i, RUN(start) + next, &value, 8), -EBADMSG);
	value = runs->runs[0].start + 1;
	KUNIT_EXPECT_EQ(test, edit_changed(test, i, RUN(start), &value, 8), -EBADMSG);
	value = 0;
	KUNIT_EXPECT_EQ(test, edit_changed(test, i, RUN(nr_pages), &value, 8), -EBADMSG);
	value = U64_MAX;
	KUNIT_EXPECT_EQ(test, edit_changed(test, i, RUN(nr_pages), &value, 8), -EBADMSG);
	value = 1ULL << 52;
	KUNIT_EXPECT_EQ(test, edit_changed(test, i, RUN(nr_pages), &value, 8), -EBADMSG);
	number = 0xfffffff0;
	KUNIT_EXPECT_EQ(test, edit_changed(test, i, RUN(object), &number, 4), -EBADMSG);
	number = runs->nr_runs + 1;
	KUNIT_EXPECT_EQ(test, edit_changed(test, i, 0, &number, 4), -EBADMSG);
	number = U32_MAX;
	KUNIT_EXPECT_EQ(test, edit_changed(test, i, 0, &number, 4), -EBADMSG);
}

/* clang-format off */

static struct kunit_case restore_open_cases[] = {
	KUNIT_CASE(saved_image_is_good),
	KUNIT_CASE(every_kind_is_there),
	KUNIT_CASE(unknown_versions),
	KUNIT_CASE(unknown_flags),
	KUNIT_CASE(unknown_types),
	KUNIT_CASE(cut_at_each_length),
	KUNIT_CASE(unknown_thread),
	KUNIT_CASE(threads_are_whole),
	KUNIT_CASE(wrong_numbers_of_records),
	KUNIT_CASE(id_stands_for_one_object),
	KUNIT_CASE(referred_object_is_there),
	KUNIT_CASE(any_value_in_any_place),
	KUNIT_CASE(areas_do_not_overlap),
	KUNIT_CASE(runs_do_not_overlap),
	{}
};

/* clang-format on */

struct kunit_suite ckpt_restore_open_suite = {
	.name = "restore_open",
	.suite_init = edit_suite_init,
	.suite_exit = edit_suite_exit,
	.init = edit_init,
	.exit = edit_exit,
	.test_cases = restore_open_cases,
};
