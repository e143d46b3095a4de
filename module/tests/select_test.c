// SPDX-License-Identifier: GPL-2.0-only
/* Tests of what a caller may name a job by. */

#include "../select.h"

#include <kunit/test.h>
#include <linux/ckpt.h>
#include <linux/pid.h>
#include <linux/sched.h>

#include "../message.h"
#include "made_up.h"

static void expect_error(struct kunit *test, u32 how, int id, int want, const char *why)
{
	struct ckpt_messages messages;
	struct ckpt_select sel;

	ckpt_messages_init(&messages);
	KUNIT_EXPECT_EQ(test, ckpt_select_init(&sel, how, id, &messages), want);
	KUNIT_EXPECT_EQ(test, ckpt_messages_pending(&messages), *why != '\0');
	KUNIT_EXPECT_TRUE_MSG(test, strnstr(messages.text ?: "", why, messages.len), "%.*s",
			      (int)messages.len, messages.text ?: "");
	ckpt_messages_exit(&messages);
}

static void what_is_not_there_is_refused(struct kunit *test)
{
	expect_error(test, CKPT_SELECT_TREE, INT_MAX, -ESRCH, "no such process\n");
	expect_error(test, CKPT_SELECT_PROCESS, INT_MAX, -ESRCH, "no such process\n");
	expect_error(test, CKPT_SELECT_PGRP, INT_MAX, -ESRCH, "no such process group\n");
	expect_error(test, CKPT_SELECT_SESSION, INT_MAX, -ESRCH, "no such session\n");
	expect_error(test, CKPT_SELECT_CGROUP, -1, -EBADF, "fd -1: not a directory");
	expect_error(test, CKPT_SELECT_CGROUP, INT_MAX, -EBADF, "not a directory");
}

static void numbers_are_above_zero(struct kunit *test)
{
	u32 how;

	for (how = CKPT_SELECT_TREE; how < CKPT_SELECT_CGROUP; how++) {
		expect_error(test, how, 0, -EINVAL, "");
		expect_error(test, how, -1, -EINVAL, "");
		expect_error(test, how, INT_MIN, -EINVAL, "");
	}
}

/* 2 is kthreadd, which is a process but leads neither a group nor a session. */
static void number_must_be_of_the_right_kind(struct kunit *test)
{
	struct ckpt_messages messages;
	struct ckpt_select sel;

	ckpt_messages_init(&messages);
	KUNIT_EXPECT_EQ(test, ckpt_select_init(&sel, CKPT_SELECT_TREE, 2, &messages), 0);
	KUNIT_EXPECT_EQ(test, pid_nr(sel.pid), 2);
	ckpt_select_exit(&sel);
	KUNIT_EXPECT_NULL(test, sel.pid);
	ckpt_messages_exit(&messages);
	expect_error(test, CKPT_SELECT_PGRP, 2, -ESRCH, "no such process group");
	expect_error(test, CKPT_SELECT_SESSION, 2, -ESRCH, "no such session");
}

static void process_is_asked_for_its_numbers(struct kunit *test)
{
	struct task_struct *a = made_up_process(test, 10, NULL);
	struct task_struct *b = made_up_process(test, 11, a);
	static const enum pid_type types[] = {
		[CKPT_SELECT_TREE] = PIDTYPE_TGID,
		[CKPT_SELECT_PROCESS] = PIDTYPE_TGID,
		[CKPT_SELECT_PGRP] = PIDTYPE_PGID,
		[CKPT_SELECT_SESSION] = PIDTYPE_SID,
	};
	u32 how;

	for (how = CKPT_SELECT_TREE; how < CKPT_SELECT_CGROUP; how++) {
		struct ckpt_select sel = { .how = how, .pid = task_tgid(a) };
		struct pid *old = b->signal->pids[types[how]];

		KUNIT_EXPECT_TRUE(test, ckpt_select_has(&sel, a));
		KUNIT_EXPECT_FALSE(test, ckpt_select_has(&sel, b));
		b->signal->pids[types[how]] = task_tgid(a);
		KUNIT_EXPECT_TRUE(test, ckpt_select_has(&sel, b));
		b->signal->pids[types[how]] = old;
	}
}

/* clang-format off */

static struct kunit_case select_cases[] = {
	KUNIT_CASE(what_is_not_there_is_refused),
	KUNIT_CASE(numbers_are_above_zero),
	KUNIT_CASE(number_must_be_of_the_right_kind),
	KUNIT_CASE(process_is_asked_for_its_numbers),
	{}
};

/* clang-format on */

struct kunit_suite ckpt_select_suite = {
	.name = "select",
	.test_cases = select_cases,
};
