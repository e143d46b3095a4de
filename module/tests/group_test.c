// SPDX-License-Identifier: GPL-2.0-only
/* Tests of freezing: threads and processes that come and go, on a job that is made up. */

#include "../group.c"

#include <kunit/test.h>

#include "made_up.h"

#define NR_THREADS 5

/* A job of one process; its threads exist only as far as the freezer looks at them. */
struct made_up {
	struct ckpt_select select;
	struct ckpt_group *group;
	struct ckpt_process *process;
	struct task_struct *tasks[NR_THREADS];
	struct ckpt_thread threads[NR_THREADS];
};

/* A process without threads, behind the others. */
static struct ckpt_process *add_process(struct kunit *test, struct task_struct *leader)
{
	struct made_up *m = test->priv;
	struct ckpt_process *p = new_process(m->group, leader);

	KUNIT_ASSERT_NOT_NULL(test, p);
	return p;
}

static int group_init(struct kunit *test)
{
	struct made_up *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);
	int i;

	if (!m)
		return -ENOMEM;
	m->group = new_group(&m->select);
	if (!m->group)
		return -ENOMEM;
	test->priv = m;
	m->tasks[0] = made_up_process(test, 10, NULL);
	for (i = 1; i < NR_THREADS; i++)
		m->tasks[i] = made_up_thread(test, m->tasks[0]);
	m->process = add_process(test, m->tasks[0]);
	m->group->select.pid = task_tgid(m->tasks[0]);
	return 0;
}

/* Thread @i is known to the freezer, in this state. */
static void know(struct made_up *m, int i, int state)
{
	m->threads[i].task = m->tasks[i];
	m->threads[i].process = m->process;
	m->threads[i].state = state;
	list_add_tail(&m->threads[i].node, &m->process->threads);
	xa_store(&m->group->by_task, ckpt_objtab_key(m->tasks[i]), &m->threads[i], GFP_KERNEL);
}

static void group_exit(struct kunit *test)
{
	struct made_up *m = test->priv;
	struct ckpt_process *p;

	if (!m)
		return;
	/* The threads are the test's own, and so is what the job was named by. */
	ckpt_for_each_process(p, m->group)
		INIT_LIST_HEAD(&p->threads);
	INIT_LIST_HEAD(&m->group->gone);
	m->group->select.pid = NULL;
	ckpt_group_put(m->group);
}

static void threads_that_are_gone_are_not_counted(struct kunit *test)
{
	struct made_up *m = test->priv;
	struct ckpt_group *g = m->group;

	know(m, 0, CKPT_THREAD_PARKED);
	know(m, 1, CKPT_THREAD_LEFT);
	know(m, 2, CKPT_THREAD_PARKED);
	know(m, 3, CKPT_THREAD_QUEUED);
	drop_gone(g);
	KUNIT_EXPECT_EQ(test, g->nr_threads, 3U);
	KUNIT_EXPECT_EQ(test, g->nr_processes, 1U);
	KUNIT_EXPECT_EQ(test, m->process->nr_threads, 3U);
	KUNIT_EXPECT_PTR_EQ(test, ckpt_group_thread(g, m->tasks[0]), &m->threads[0]);
	KUNIT_EXPECT_PTR_EQ(test, ckpt_group_thread(g, m->tasks[3]), &m->threads[3]);
	KUNIT_EXPECT_NULL(test, ckpt_group_thread(g, m->tasks[1]));
	KUNIT_EXPECT_NULL(test, ckpt_group_thread(g, m->tasks[4]));
	KUNIT_EXPECT_TRUE(test, list_is_singular(&g->gone));

	/* Again: a thread that is gone is moved once. */
	m->threads[3].state = CKPT_THREAD_LEFT;
	drop_gone(g);
	KUNIT_EXPECT_EQ(test, g->nr_threads, 2U);
	KUNIT_EXPECT_PTR_EQ(test, list_last_entry(&g->gone, struct ckpt_thread, node),
			    &m->threads[3]);
}

static void process_without_threads_is_not_counted(struct kunit *test)
{
	struct made_up *m = test->priv;
	struct task_struct *other = made_up_process(test, 11, NULL);

	know(m, 0, CKPT_THREAD_PARKED);
	add_process(test, other);
	KUNIT_EXPECT_NOT_NULL(test, ckpt_group_process(m->group, other));
	KUNIT_EXPECT_EQ(test, refcount_read(&other->usage), 2U);
	drop_gone(m->group);
	KUNIT_EXPECT_EQ(test, m->group->nr_processes, 1U);
	KUNIT_EXPECT_EQ(test, number(m->group), 0);
	KUNIT_EXPECT_NULL(test, ckpt_group_process(m->group, other));
	KUNIT_EXPECT_EQ(test, refcount_read(&other->usage), 1U);
}

/* A zombie that its parent has waited for, while that was on its way to the freezer. */
static void zombie_that_was_waited_for_is_gone(struct kunit *test)
{
	struct made_up *m = test->priv;

	know(m, 0, CKPT_THREAD_PARKED);
	m->process->is_zombie = true;
	m->tasks[0]->exit_state = EXIT_ZOMBIE;
	drop_reaped(m->group);
	KUNIT_EXPECT_EQ(test, m->group->nr_processes, 1U);
	m->tasks[0]->exit_state = EXIT_DEAD;
	drop_reaped(m->group);
	KUNIT_EXPECT_EQ(test, m->group->nr_processes, 0U);
	KUNIT_EXPECT_EQ(test, number(m->group), -ESRCH);
}

/* Whoever is found first: the root of a tree is number 1. */
static void root_comes_first(struct kunit *test)
{
	struct made_up *m = test->priv;
	struct ckpt_group *g = m->group;
	struct task_struct *other = made_up_process(test, 11, m->tasks[0]);
	struct ckpt_process *p = add_process(test, other);
	struct ckpt_thread t = { .process = p, .task = other, .state = CKPT_THREAD_PARKED };

	know(m, 0, CKPT_THREAD_PARKED);
	list_add(&t.node, &p->threads);
	list_move(&p->node, &g->processes);
	KUNIT_EXPECT_EQ(test, number(g), 0);
	KUNIT_EXPECT_PTR_EQ(test, ckpt_group_first(g), m->process);
	KUNIT_EXPECT_EQ(test, m->process->number, 1U);
	KUNIT_EXPECT_EQ(test, p->number, 2U);

	/* A group has no root: they keep their order. */
	g->select.how = CKPT_SELECT_PGRP;
	list_move(&p->node, &g->processes);
	KUNIT_EXPECT_EQ(test, number(g), 0);
	KUNIT_EXPECT_EQ(test, p->number, 1U);

	/* A tree whose root is gone is none. */
	g->select.how = CKPT_SELECT_TREE;
	g->select.pid = NULL;
	KUNIT_EXPECT_EQ(test, number(g), -ESRCH);
	INIT_LIST_HEAD(&p->threads);
}

/* What others hold of a zombie does not say whether the job is whole: it is past killing. */
static void zombie_is_whole(struct kunit *test)
{
	struct made_up *m = test->priv;

	know(m, 0, CKPT_THREAD_PARKED);
	sigaddset(&m->tasks[0]->pending.signal, SIGKILL);
	KUNIT_EXPECT_FALSE(test, ckpt_group_is_whole(m->group));
	m->process->is_zombie = true;
	KUNIT_EXPECT_TRUE(test, ckpt_group_is_whole(m->group));
}

static void hold_refuses_a_job_with_a_gap(struct kunit *test)
{
	struct made_up *m = test->priv;
	int i;

	for (i = 0; i < NR_THREADS; i++)
		know(m, i, CKPT_THREAD_PARKED);
	KUNIT_EXPECT_TRUE(test, ckpt_group_is_whole(m->group));
	KUNIT_EXPECT_EQ(test, ckpt_group_hold(m->group), 0);
	KUNIT_EXPECT_FALSE(test, down_read_trylock(&m->group->stay));
	ckpt_group_release(m->group);

	m->threads[2].state = CKPT_THREAD_LEFT;
	KUNIT_EXPECT_FALSE(test, ckpt_group_is_whole(m->group));
	KUNIT_EXPECT_EQ(test, ckpt_group_hold(m->group), -ESRCH);
	/* The lock was given back. */
	KUNIT_ASSERT_TRUE(test, down_read_trylock(&m->group->stay));
	up_read(&m->group->stay);
}

static void killed_thread_makes_a_gap(struct kunit *test)
{
	struct made_up *m = test->priv;

	know(m, 0, CKPT_THREAD_PARKED);
	sigaddset(&m->tasks[0]->pending.signal, SIGTERM);
	KUNIT_EXPECT_TRUE(test, ckpt_group_is_whole(m->group));
	sigaddset(&m->tasks[0]->pending.signal, SIGKILL);
	KUNIT_EXPECT_FALSE(test, ckpt_group_is_whole(m->group));
}

static void obstacles_are_told_by_state(struct kunit *test)
{
	struct made_up *m = test->priv;
	struct task_struct *task = m->tasks[0];

	WRITE_ONCE(task->__state, TASK_INTERRUPTIBLE);
	KUNIT_EXPECT_NULL(test, obstacle(task));
	WRITE_ONCE(task->__state, TASK_STOPPED);
	KUNIT_EXPECT_NULL(test, obstacle(task));
	WRITE_ONCE(task->__state, TASK_TRACED);
	KUNIT_EXPECT_NOT_NULL(test, strstr(obstacle(task) ?: "", "tracer"));
}

/* Freezing fails with @err, and the message says @why. */
static void expect_refused(struct kunit *test, u32 how, int id, int err, const char *why)
{
	struct ckpt_messages messages;
	struct ckpt_select select;
	struct ckpt_group *g;

	ckpt_messages_init(&messages);
	KUNIT_ASSERT_EQ(test, ckpt_select_init(&select, how, id, &messages), 0);
	g = ckpt_group_freeze(&select, 1000, &messages);
	KUNIT_EXPECT_EQ(test, PTR_ERR(g), (long)err);
	KUNIT_EXPECT_TRUE(test, ckpt_messages_pending(&messages));
	KUNIT_EXPECT_TRUE_MSG(test, strnstr(messages.text ?: "", why, messages.len), "%.*s",
			      (int)messages.len, messages.text ?: "");
	ckpt_messages_exit(&messages);
}

static void kernel_thread_is_refused(struct kunit *test)
{
	/* 2 is kthreadd. */
	expect_refused(test, CKPT_SELECT_TREE, 2, -EINVAL, "kernel thread");
	expect_refused(test, CKPT_SELECT_PROCESS, 2, -EINVAL, "kernel thread");
}

static void init_is_refused(struct kunit *test)
{
	expect_refused(test, CKPT_SELECT_TREE, 1, -EINVAL, "init process");
	expect_refused(test, CKPT_SELECT_PROCESS, 1, -EINVAL, "init process");
}

/* clang-format off */

static struct kunit_case group_cases[] = {
	KUNIT_CASE(threads_that_are_gone_are_not_counted),
	KUNIT_CASE(process_without_threads_is_not_counted),
	KUNIT_CASE(zombie_that_was_waited_for_is_gone),
	KUNIT_CASE(root_comes_first),
	KUNIT_CASE(zombie_is_whole),
	KUNIT_CASE(hold_refuses_a_job_with_a_gap),
	KUNIT_CASE(killed_thread_makes_a_gap),
	KUNIT_CASE(obstacles_are_told_by_state),
	KUNIT_CASE(kernel_thread_is_refused),
	KUNIT_CASE(init_is_refused),
	{}
};

/* clang-format on */

struct kunit_suite ckpt_group_suite = {
	.name = "group",
	.init = group_init,
	.exit = group_exit,
	.test_cases = group_cases,
};
