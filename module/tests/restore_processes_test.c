// SPDX-License-Identifier: GPL-2.0-only
/* Tests of the verification of processes: who is whose, in a job of several with a zombie. */

#include <kunit/test.h>
#include <linux/limits.h>
#include <linux/string.h>
#include <linux/threads.h>

#include "../kinds.h"
#include "edit_records.h"

/* The record of a process. */
static const struct ckpt_image_process *process_of(struct kunit *test, u32 number, int *at)
{
	struct edit *e = test->priv;

	*at = edit_find_of(e, number, CKPT_REC_PROCESS);
	KUNIT_ASSERT_GE(test, *at, 0);
	return e->records[*at].data;
}

static int changed_process(struct kunit *test, u32 number, size_t at, u32 value)
{
	int i;

	process_of(test, number, &i);
	return edit_changed(test, i, at, &value, sizeof(value));
}

/* Offset of a member of a process. */
#define PROCESS(member) offsetof(struct ckpt_image_process, member)

/* The number of a process that is a zombie, or not. */
static u32 find_process(struct kunit *test, bool is_zombie, u32 first)
{
	struct edit *e = test->priv;
	u32 n;
	int i;

	for (n = first; n <= e->meta.nr_processes; n++)
		if (!!(process_of(test, n, &i)->flags & CKPT_PROCESS_ZOMBIE) == is_zombie)
			return n;
	KUNIT_ASSERT_TRUE_MSG(test, false, "the image has no such process");
	return 0;
}

/* A parent comes before its children, and it lives. */
static void parents_are_there_before(struct kunit *test)
{
	u32 zombie = find_process(test, true, 1), child = find_process(test, false, 2);
	const struct ckpt_image_process *p;
	u32 own, first;
	int i;

	first = process_of(test, 1, &i)->pid;
	p = process_of(test, child, &i);
	own = p->pid;
	KUNIT_EXPECT_EQ(test, p->parent, first);
	KUNIT_EXPECT_EQ(test, changed_process(test, child, PROCESS(parent), 0), 0);
	KUNIT_EXPECT_EQ(test, changed_process(test, child, PROCESS(parent), own), -EBADMSG);
	KUNIT_EXPECT_EQ(test, changed_process(test, 1, PROCESS(parent), own), -EBADMSG);
	KUNIT_EXPECT_EQ(test, changed_process(test, 1, PROCESS(parent), first), -EBADMSG);
	KUNIT_EXPECT_EQ(test, changed_process(test, child, PROCESS(parent), PID_MAX_LIMIT),
			-EBADMSG);
	/* Nobody outside has waited for it: it would be left to the tool. */
	KUNIT_EXPECT_EQ(test, changed_process(test, zombie, PROCESS(parent), 0), -EBADMSG);
	KUNIT_EXPECT_EQ(test,
			changed_process(test, child, PROCESS(parent),
					process_of(test, zombie, &i)->pid),
			-EBADMSG);
}

static void zombies_have_exited(struct kunit *test)
{
	struct edit *e = test->priv;
	u32 zombie = find_process(test, true, 1), alive = find_process(test, false, 2);
	const struct ckpt_image_process *p;
	int i, thread;

	/* One more process that lives, without anything that it lives by. */
	p = process_of(test, zombie, &i);
	KUNIT_EXPECT_EQ(test, edit_changed(test, i, PROCESS(flags), &(u32){ 0 }, 4), -EBADMSG);
	KUNIT_EXPECT_EQ(test, edit_changed(test, i, PROCESS(exit_code), &(u32){ 0x10000 }, 4),
			-EBADMSG);
	KUNIT_EXPECT_EQ(test, edit_changed(test, i, PROCESS(exit_signal), &(u32){ 65 }, 4),
			-EBADMSG);
	KUNIT_EXPECT_EQ(test, edit_changed(test, i, PROCESS(exit_signal), &(u32){ 0 }, 4), 0);
	KUNIT_EXPECT_EQ(test,
			edit_changed(test, i, PROCESS(comm), "0123456789abcdef", sizeof(p->comm)),
			-EBADMSG);
	/* Those that have ended are no threads of the job that live. */
	KUNIT_EXPECT_EQ(test, edit_verified(test), 0);
	KUNIT_EXPECT_LT(test, e->nr_living, e->nr_threads);

	p = process_of(test, alive, &i);
	KUNIT_EXPECT_EQ(test, edit_changed(test, i, PROCESS(exit_code), &(u32){ 1 }, 4), -EBADMSG);
	KUNIT_EXPECT_EQ(test,
			edit_changed(test, i, PROCESS(flags),
				     &(u32){ p->flags | CKPT_PROCESS_ZOMBIE }, 4),
			-EBADMSG);
	p = process_of(test, 1, &i);
	KUNIT_EXPECT_EQ(test,
			edit_changed(test, i, PROCESS(flags),
				     &(u32){ p->flags | CKPT_PROCESS_ZOMBIE }, 4),
			-EBADMSG);

	/* It has no memory and no thread. */
	thread = edit_find_of(e, alive, CKPT_REC_THREAD);
	process_of(test, zombie, &i);
	edit_twice(e, i);
	e->records[i + 1] = e->records[thread > i ? thread + 1 : thread];
	e->records[i + 1].process = zombie;
	e->records[i + 1].tid = process_of(test, zombie, &i)->pid;
	edit_expect(test, -EBADMSG, "thread of a zombie", CKPT_REC_THREAD);
}

/* Numbers that groups and sessions go by need a task each, as do threads. */
static void numbers_are_held(struct kunit *test)
{
	const u32 free = PID_MAX_LIMIT - 1, other = PID_MAX_LIMIT - 2;
	u32 child = find_process(test, false, 2);
	const struct ckpt_image_process *p;
	struct edit *e = test->priv;
	unsigned int nr_tasks;
	int i;

	KUNIT_EXPECT_EQ(test, edit_verified(test), 0);
	nr_tasks = e->nr_tasks;
	KUNIT_EXPECT_EQ(test, changed_process(test, child, PROCESS(pgid), free), 0);
	KUNIT_EXPECT_EQ(test, e->nr_tasks, nr_tasks + 1);
	KUNIT_EXPECT_EQ(test, changed_process(test, child, PROCESS(sid), other), 0);
	KUNIT_EXPECT_EQ(test, e->nr_tasks, nr_tasks + 1);
	/* The number of a process is there already. */
	p = process_of(test, child, &i);
	KUNIT_EXPECT_EQ(test, changed_process(test, child, PROCESS(pgid), p->pid), 0);
	KUNIT_EXPECT_EQ(test, e->nr_tasks, nr_tasks);
	KUNIT_EXPECT_EQ(test, changed_process(test, child, PROCESS(pgid), -1), -EBADMSG);
	KUNIT_EXPECT_EQ(test, changed_process(test, child, PROCESS(pgid), PID_MAX_LIMIT + 1),
			-EBADMSG);
	KUNIT_EXPECT_EQ(test, changed_process(test, child, PROCESS(sid), INT_MAX), -EBADMSG);
}

static void ids_are_unique(struct kunit *test)
{
	u32 zombie = find_process(test, true, 1), child = find_process(test, false, 2);
	struct edit *e = test->priv;
	u32 first;
	int i;

	first = process_of(test, 1, &i)->pid;
	KUNIT_EXPECT_EQ(test, changed_process(test, zombie, PROCESS(pid), first), -EBADMSG);
	KUNIT_EXPECT_EQ(test, changed_process(test, child, PROCESS(pid), first), -EBADMSG);
	i = edit_find_of(e, child, CKPT_REC_THREAD);
	e->records[i].tid = first;
	edit_expect(test, -EBADMSG, "thread of two processes", CKPT_REC_THREAD);
}

/* Whose a record is follows from its kind. */
static void records_belong_to_the_right_owner(struct kunit *test)
{
	struct edit *e = test->priv;
	const struct ckpt_kind *k;
	unsigned int n = 0;
	int i, to;

	while ((k = edit_next_kind(e, &n, &i))) {
		struct ckpt_record rec = e->records[i];

		/* Runs may be the job's or a process's. */
		if (k->type == CKPT_REC_RUNS)
			continue;
		edit_drop(e, i);
		to = rec.process ? 1 : edit_find_of(e, 1, CKPT_REC_PROCESS);
		rec.process = !rec.process;
		memmove(&e->records[to + 1], &e->records[to], (e->nr - to) * sizeof(*e->records));
		e->records[to] = rec;
		e->nr++;
		edit_expect(test, -EBADMSG, "of another owner", k->type);
	}
}

/* clang-format off */

static struct kunit_case restore_processes_cases[] = {
	KUNIT_CASE(parents_are_there_before),
	KUNIT_CASE(zombies_have_exited),
	KUNIT_CASE(numbers_are_held),
	KUNIT_CASE(ids_are_unique),
	KUNIT_CASE(records_belong_to_the_right_owner),
	{}
};

/* clang-format on */

struct kunit_suite ckpt_restore_processes_suite = {
	.name = "restore_processes",
	.suite_init = edit_suite_init,
	.suite_exit = edit_suite_exit,
	.init = edit_init,
	.exit = edit_exit,
	.test_cases = restore_processes_cases,
};
