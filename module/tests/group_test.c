// SPDX-License-Identifier: GPL-2.0-only
/* Tests of freezing: the rescan, on threads that are made up, and who is refused. */

#include "../group.c"

#include <kunit/test.h>

#define NR_THREADS 5

/* A job whose threads exist only as far as the rescan looks at them. */
struct made_up {
	struct ckpt_group group;
	struct signal_struct signal;
	struct task_struct *tasks[NR_THREADS];
	struct ckpt_thread threads[NR_THREADS];
	struct task_struct *found[NR_THREADS + 1];
	struct scan scan;
};

static int group_init(struct kunit *test)
{
	struct made_up *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	int i;

	if (!m)
		return -ENOMEM;
	INIT_LIST_HEAD(&m->group.threads);
	INIT_LIST_HEAD(&m->group.gone);
	init_rwsem(&m->group.stay);
	INIT_LIST_HEAD(&m->signal.thread_head);
	for (i = 0; i < NR_THREADS; i++) {
		m->tasks[i] = kunit_kzalloc(test, sizeof(struct task_struct), GFP_KERNEL);
		if (!m->tasks[i])
			return -ENOMEM;
		m->tasks[i]->signal = &m->signal;
		refcount_set(&m->tasks[i]->usage, 1);
		list_add_tail(&m->tasks[i]->thread_node, &m->signal.thread_head);
		m->threads[i].task = m->tasks[i];
	}
	m->group.leader = m->tasks[0];
	m->scan.tasks = m->found;
	m->scan.size = ARRAY_SIZE(m->found);
	test->priv = m;
	return 0;
}

/* Thread @i is known to the freezer, in this state. */
static void know(struct made_up *m, int i, int state)
{
	m->threads[i].state = state;
	list_add_tail(&m->threads[i].node, &m->group.threads);
}

static void look(struct kunit *test)
{
	struct made_up *m = test->priv;

	/* What an earlier look has left must not matter. */
	m->scan.nr = 77;
	m->scan.is_full = true;
	m->scan.has_exiting = true;
	collect(&m->group, &m->scan);
}

static void expect(struct kunit *test, unsigned int nr, bool is_full, bool has_exiting)
{
	struct made_up *m = test->priv;

	KUNIT_EXPECT_EQ(test, m->scan.nr, nr);
	KUNIT_EXPECT_EQ(test, m->scan.is_full, is_full);
	KUNIT_EXPECT_EQ(test, m->scan.has_exiting, has_exiting);
}

static void all_threads_are_new_at_first(struct kunit *test)
{
	struct made_up *m = test->priv;
	int i;

	look(test);
	expect(test, NR_THREADS, false, false);
	for (i = 0; i < NR_THREADS; i++) {
		KUNIT_EXPECT_PTR_EQ(test, m->found[i], m->tasks[i]);
		KUNIT_EXPECT_EQ(test, refcount_read(&m->tasks[i]->usage), 2U);
	}
}

static void nothing_is_new_when_all_are_parked(struct kunit *test)
{
	struct made_up *m = test->priv;
	int i;

	for (i = 0; i < NR_THREADS; i++)
		know(m, i, CKPT_THREAD_PARKED);
	look(test);
	expect(test, 0, false, false);
	KUNIT_EXPECT_EQ(test, refcount_read(&m->tasks[0]->usage), 1U);
}

static void thread_that_appears_is_found(struct kunit *test)
{
	struct made_up *m = test->priv;
	int i;

	for (i = 0; i < NR_THREADS; i++)
		if (i != 3)
			know(m, i, CKPT_THREAD_PARKED);
	look(test);
	expect(test, 1, false, false);
	KUNIT_EXPECT_PTR_EQ(test, m->found[0], m->tasks[3]);
}

/* It is known and not parked: it is asked to park once, and waited for. */
static void thread_on_its_way_is_not_new(struct kunit *test)
{
	struct made_up *m = test->priv;
	int i;

	for (i = 0; i < NR_THREADS; i++)
		know(m, i, i == 2 ? CKPT_THREAD_QUEUED : CKPT_THREAD_PARKED);
	look(test);
	expect(test, 0, false, true);
}

static void thread_that_left_is_waited_for(struct kunit *test)
{
	struct made_up *m = test->priv;
	int i;

	for (i = 0; i < NR_THREADS; i++)
		know(m, i, i == 4 ? CKPT_THREAD_LEFT : CKPT_THREAD_PARKED);
	look(test);
	expect(test, 0, false, true);
}

static void exiting_thread_is_not_queued(struct kunit *test)
{
	struct made_up *m = test->priv;

	m->tasks[1]->flags |= PF_EXITING;
	look(test);
	expect(test, NR_THREADS - 1, false, true);
	KUNIT_EXPECT_PTR_EQ(test, m->found[1], m->tasks[2]);
	KUNIT_EXPECT_EQ(test, refcount_read(&m->tasks[1]->usage), 1U);
}

/* More threads than there was room for: the rest is left to the next look. */
static void full_table_asks_for_another_look(struct kunit *test)
{
	struct made_up *m = test->priv;
	int i;

	m->scan.size = 2;
	look(test);
	expect(test, 2, true, false);
	for (i = 0; i < NR_THREADS; i++)
		KUNIT_EXPECT_EQ(test, refcount_read(&m->tasks[i]->usage), i < 2 ? 2U : 1U);

	know(m, 0, CKPT_THREAD_PARKED);
	know(m, 1, CKPT_THREAD_PARKED);
	look(test);
	expect(test, 2, true, false);
	KUNIT_EXPECT_PTR_EQ(test, m->found[0], m->tasks[2]);

	know(m, 2, CKPT_THREAD_PARKED);
	know(m, 3, CKPT_THREAD_PARKED);
	look(test);
	expect(test, 1, false, false);
	KUNIT_EXPECT_PTR_EQ(test, m->found[0], m->tasks[4]);
}

static void exactly_full_table_is_enough(struct kunit *test)
{
	struct made_up *m = test->priv;

	m->scan.size = NR_THREADS;
	look(test);
	expect(test, NR_THREADS, false, false);
}

static void threads_that_are_gone_are_not_counted(struct kunit *test)
{
	struct made_up *m = test->priv;
	struct ckpt_thread *first, *last;

	know(m, 0, CKPT_THREAD_PARKED);
	know(m, 1, CKPT_THREAD_LEFT);
	know(m, 2, CKPT_THREAD_PARKED);
	know(m, 3, CKPT_THREAD_QUEUED);
	drop_gone(&m->group);
	KUNIT_EXPECT_EQ(test, m->group.nr_threads, 2U);
	KUNIT_EXPECT_PTR_EQ(test, find(&m->group, m->tasks[0]), &m->threads[0]);
	KUNIT_EXPECT_PTR_EQ(test, find(&m->group, m->tasks[2]), &m->threads[2]);
	KUNIT_EXPECT_NULL(test, find(&m->group, m->tasks[1]));
	KUNIT_EXPECT_NULL(test, find(&m->group, m->tasks[3]));
	first = list_first_entry(&m->group.gone, struct ckpt_thread, node);
	last = list_last_entry(&m->group.gone, struct ckpt_thread, node);
	KUNIT_EXPECT_PTR_EQ(test, first, &m->threads[1]);
	KUNIT_EXPECT_PTR_EQ(test, last, &m->threads[3]);

	/* Again: the threads that are gone are moved once. */
	drop_gone(&m->group);
	KUNIT_EXPECT_EQ(test, m->group.nr_threads, 2U);
}

static void hold_refuses_a_job_with_a_gap(struct kunit *test)
{
	struct made_up *m = test->priv;
	int i;

	for (i = 0; i < NR_THREADS; i++)
		know(m, i, CKPT_THREAD_PARKED);
	KUNIT_EXPECT_TRUE(test, ckpt_group_is_whole(&m->group));
	KUNIT_EXPECT_EQ(test, ckpt_group_hold(&m->group), 0);
	KUNIT_EXPECT_FALSE(test, down_read_trylock(&m->group.stay));
	ckpt_group_release(&m->group);

	m->threads[2].state = CKPT_THREAD_LEFT;
	KUNIT_EXPECT_FALSE(test, ckpt_group_is_whole(&m->group));
	KUNIT_EXPECT_EQ(test, ckpt_group_hold(&m->group), -ESRCH);
	/* The lock was given back. */
	KUNIT_ASSERT_TRUE(test, down_read_trylock(&m->group.stay));
	up_read(&m->group.stay);
}

static void killed_thread_makes_a_gap(struct kunit *test)
{
	struct made_up *m = test->priv;

	know(m, 0, CKPT_THREAD_PARKED);
	sigaddset(&m->tasks[0]->pending.signal, SIGTERM);
	KUNIT_EXPECT_TRUE(test, ckpt_group_is_whole(&m->group));
	sigaddset(&m->tasks[0]->pending.signal, SIGKILL);
	KUNIT_EXPECT_FALSE(test, ckpt_group_is_whole(&m->group));
}

static void obstacles_are_told_by_state(struct kunit *test)
{
	struct made_up *m = test->priv;
	struct task_struct *task = m->tasks[0];

	WRITE_ONCE(task->__state, TASK_INTERRUPTIBLE);
	KUNIT_EXPECT_NULL(test, obstacle(task));
	WRITE_ONCE(task->__state, TASK_STOPPED);
	KUNIT_EXPECT_NOT_NULL(test, strstr(obstacle(task) ?: "", "SIGCONT"));
	WRITE_ONCE(task->__state, TASK_TRACED);
	KUNIT_EXPECT_NOT_NULL(test, strstr(obstacle(task) ?: "", "tracer"));
}

/* Freezing @pid fails with @err, and the message says @why. */
static void expect_refused(struct kunit *test, pid_t pid, int err, const char *why)
{
	struct ckpt_messages messages;
	struct ckpt_group *g;

	ckpt_messages_init(&messages);
	g = ckpt_group_freeze(pid, 1000, &messages);
	KUNIT_EXPECT_EQ(test, PTR_ERR(g), (long)err);
	KUNIT_EXPECT_TRUE(test, ckpt_messages_pending(&messages));
	KUNIT_EXPECT_TRUE_MSG(test, strnstr(messages.text ?: "", why, messages.len), "%.*s",
			      (int)messages.len, messages.text ?: "");
	ckpt_messages_exit(&messages);
}

static void no_process_is_refused(struct kunit *test)
{
	expect_refused(test, 0, -ESRCH, "no such process");
	expect_refused(test, -1, -ESRCH, "no such process");
	expect_refused(test, INT_MAX, -ESRCH, "no such process");
	expect_refused(test, INT_MIN, -ESRCH, "no such process");
}

static void kernel_thread_is_refused(struct kunit *test)
{
	/* 2 is kthreadd. */
	expect_refused(test, 2, -EINVAL, "kernel thread");
}

static void init_is_refused(struct kunit *test)
{
	expect_refused(test, 1, -EINVAL, "init process");
}

/* clang-format off */

static struct kunit_case group_cases[] = {
	KUNIT_CASE(all_threads_are_new_at_first),
	KUNIT_CASE(nothing_is_new_when_all_are_parked),
	KUNIT_CASE(thread_that_appears_is_found),
	KUNIT_CASE(thread_on_its_way_is_not_new),
	KUNIT_CASE(thread_that_left_is_waited_for),
	KUNIT_CASE(exiting_thread_is_not_queued),
	KUNIT_CASE(full_table_asks_for_another_look),
	KUNIT_CASE(exactly_full_table_is_enough),
	KUNIT_CASE(threads_that_are_gone_are_not_counted),
	KUNIT_CASE(hold_refuses_a_job_with_a_gap),
	KUNIT_CASE(killed_thread_makes_a_gap),
	KUNIT_CASE(obstacles_are_told_by_state),
	KUNIT_CASE(no_process_is_refused),
	KUNIT_CASE(kernel_thread_is_refused),
	KUNIT_CASE(init_is_refused),
	{}
};

/* clang-format on */

struct kunit_suite ckpt_group_suite = {
	.name = "group",
	.init = group_init,
	.test_cases = group_cases,
};
