/* SPDX-License-Identifier: GPL-2.0-only */
/* The records of a real image, for suites that spoil them and look what the verification says. */
#ifndef CKPT_TESTS_EDIT_RECORDS_H
#define CKPT_TESTS_EDIT_RECORDS_H

#include <kunit/test.h>
#include <linux/ckpt_image.h>
#include <linux/types.h>

#include "../image_read.h"

#define EDIT_MAX_RECORDS 4096

struct ckpt_kind;
struct ckpt_request;

/**
 * struct edit - records being edited, and what they are verified for
 * @req: gets the messages
 * @meta: the meta record
 * @records: the records
 * @nr: how many
 * @nr_tasks: tasks of the job that was verified last
 * @nr_threads: how many of them are threads
 * @nr_living: how many of these have not exited
 */
struct edit {
	struct ckpt_request *req;
	struct ckpt_image_meta meta;
	struct ckpt_record records[EDIT_MAX_RECORDS];
	u32 nr;
	unsigned int nr_tasks, nr_threads, nr_living;
};

/* What a suite needs: test->priv is a struct edit, whose records are those of the image. */
int edit_suite_init(struct kunit_suite *suite);
void edit_suite_exit(struct kunit_suite *suite);
int edit_init(struct kunit *test);
void edit_exit(struct kunit *test);

/* Takes the records of the image again. */
void edit_reset(struct edit *e);
/* Verifies the records as they are now. Whoever refuses says why. */
int edit_verified(struct kunit *test);
/* The same, expects an errno or 0, and takes the records of the image again. */
void edit_expect(struct kunit *test, int want, const char *what, u32 type);

/* Position of the first record of a type, or -1. */
int edit_find(struct edit *e, u32 type);
/* The same of a process, 0 for the job. */
int edit_find_of(struct edit *e, u32 process, u32 type);
/* The next kind that has a record, the first of which is at *@i. *@n counts the kinds. */
const struct ckpt_kind *edit_next_kind(struct edit *e, unsigned int *n, int *i);

void edit_drop(struct edit *e, u32 i);
/* Puts a copy of a record behind it. */
void edit_twice(struct edit *e, u32 i);
/*
 * Changes a copy of a record's payload, and says what the verification makes of it; 1 when the
 * payload is too short. Takes the records of the image again.
 */
int edit_changed(struct kunit *test, int i, size_t at, const void *value, size_t len);

#endif /* CKPT_TESTS_EDIT_RECORDS_H */
