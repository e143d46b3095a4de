// SPDX-License-Identifier: GPL-2.0-only
/* Tests of one look at all processes, on processes that are made up: who belongs to the job. */

#include "../members.c"

#include <kunit/test.h>

#include "made_up.h"

#define MAX_PROCESSES 8
#define MAX_FOUND 16

/* A system: init, a root with a child and a grandchild, and a stranger. */
struct system {
	struct ckpt_group group;
	struct ckpt_members found;
	struct task_struct *all[MAX_PROCESSES];
	unsigned int nr;
	struct task_struct *root, *child, *grandchild, *stranger;
};

static struct task_struct *add_process(struct kunit *test, pid_t nr, struct task_struct *parent)
{
	struct system *s = test->priv;

	KUNIT_ASSERT_LT(test, s->nr, (unsigned int)MAX_PROCESSES);
	s->all[s->nr] = made_up_process(test, nr, parent);
	return s->all[s->nr++];
}

/* What has been found is forgotten, the job is named anew. */
static void name(struct kunit *test, u32 how, struct pid *pid)
{
	struct system *s = test->priv;

	s->group.select = (struct ckpt_select){ .how = how, .pid = pid };
}

static int members_init(struct kunit *test)
{
	struct system *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	struct task_struct *init;

	if (!s)
		return -ENOMEM;
	test->priv = s;
	xa_init(&s->group.by_task);
	xa_init(&s->group.by_leader);
	INIT_LIST_HEAD(&s->group.processes);
	INIT_LIST_HEAD(&s->group.gone);
	init = add_process(test, 1, NULL);
	s->root = add_process(test, 10, init);
	s->child = add_process(test, 11, s->root);
	s->grandchild = add_process(test, 12, s->child);
	s->stranger = add_process(test, 20, init);
	name(test, CKPT_SELECT_TREE, task_tgid(s->root));
	return 0;
}

static void members_exit(struct kunit *test)
{
	struct system *s = test->priv;

	if (!s)
		return;
	ckpt_members_put(&s->found);
	xa_destroy(&s->group.by_task);
	xa_destroy(&s->group.by_leader);
}

static unsigned long group_key(const struct task_struct *task)
{
	return (unsigned long)task & (ULONG_MAX >> 8);
}

/* The freezer knows this thread of this process, in this state. */
static struct ckpt_thread *know(struct kunit *test, struct task_struct *leader,
				struct task_struct *task, int state)
{
	struct system *s = test->priv;
	struct ckpt_process *p = ckpt_group_process(&s->group, leader);
	struct ckpt_thread *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	if (!p) {
		p = kunit_kzalloc(test, sizeof(*p), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, p);
		p->leader = leader;
		xa_store(&s->group.by_leader, group_key(leader), p, GFP_KERNEL);
	}
	t->process = p;
	t->task = task;
	t->state = state;
	xa_store(&s->group.by_task, group_key(task), t, GFP_KERNEL);
	return t;
}

static void look_with_room(struct kunit *test, unsigned int size)
{
	struct system *s = test->priv;
	struct ckpt_members *m = &s->found;
	unsigned int i;

	ckpt_members_put(m);
	*m = (struct ckpt_members){ .size = size };
	xa_init(&m->leaders);
	m->list = kvmalloc_array(MAX_FOUND, sizeof(*m->list), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, m->list);
	rcu_read_lock();
	for (i = 0; i < s->nr; i++)
		KUNIT_EXPECT_EQ(test, look_at(m, &s->group, s->all[i]), 0);
	rcu_read_unlock();
}

static void look(struct kunit *test)
{
	look_with_room(test, MAX_FOUND);
}

static const struct ckpt_member *found(struct kunit *test, const struct task_struct *task)
{
	struct system *s = test->priv;
	unsigned int i;

	for (i = 0; i < s->found.nr; i++)
		if (s->found.list[i].task == task)
			return &s->found.list[i];
	return NULL;
}

static void expect(struct kunit *test, unsigned int nr, bool again)
{
	struct system *s = test->priv;

	KUNIT_EXPECT_EQ(test, s->found.nr, nr);
	KUNIT_EXPECT_EQ(test, s->found.again, again);
	KUNIT_EXPECT_NULL(test, s->found.refused);
}

static void expect_refused(struct kunit *test, struct task_struct *task, const char *why)
{
	struct system *s = test->priv;

	look(test);
	KUNIT_EXPECT_PTR_EQ(test, s->found.refused, task);
	KUNIT_EXPECT_NOT_NULL(test, strstr(s->found.why ?: "", why));
}

static void one_look_finds_a_tree(struct kunit *test)
{
	struct system *s = test->priv;

	look(test);
	expect(test, 3, false);
	KUNIT_EXPECT_NOT_NULL(test, found(test, s->root));
	KUNIT_EXPECT_NOT_NULL(test, found(test, s->child));
	KUNIT_EXPECT_NOT_NULL(test, found(test, s->grandchild));
	KUNIT_EXPECT_EQ(test, refcount_read(&s->root->usage), 3U);
	ckpt_members_put(&s->found);
	s->found = (struct ckpt_members){};
	KUNIT_EXPECT_EQ(test, refcount_read(&s->root->usage), 1U);
}

/* A branch is a tree too. */
static void tree_is_what_lies_below(struct kunit *test)
{
	struct system *s = test->priv;

	name(test, CKPT_SELECT_TREE, task_tgid(s->child));
	look(test);
	expect(test, 2, false);
	KUNIT_EXPECT_NULL(test, found(test, s->root));
}

static void process_alone_has_no_children(struct kunit *test)
{
	struct system *s = test->priv;

	name(test, CKPT_SELECT_PROCESS, task_tgid(s->root));
	look(test);
	expect(test, 1, false);
	KUNIT_EXPECT_NOT_NULL(test, found(test, s->root));
}

/* Who is in the group belongs to the job, whoever is its parent; its children do not. */
static void group_and_session_are_asked_for(struct kunit *test)
{
	static const u32 how[] = { CKPT_SELECT_PGRP, CKPT_SELECT_SESSION };
	static const enum pid_type type[] = { PIDTYPE_PGID, PIDTYPE_SID };
	struct system *s = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(how); i++) {
		name(test, how[i], task_tgid(s->child));
		s->stranger->signal->pids[type[i]] = task_tgid(s->child);
		look(test);
		expect(test, 2, false);
		KUNIT_EXPECT_NOT_NULL(test, found(test, s->child));
		KUNIT_EXPECT_NOT_NULL(test, found(test, s->stranger));
		s->stranger->signal->pids[type[i]] = task_tgid(s->stranger);
	}
}

static void all_threads_are_found(struct kunit *test)
{
	struct system *s = test->priv;
	struct task_struct *thread = made_up_thread(test, s->child);
	const struct ckpt_member *m;

	look(test);
	expect(test, 4, false);
	m = found(test, thread);
	KUNIT_ASSERT_NOT_NULL(test, m);
	KUNIT_EXPECT_PTR_EQ(test, m->leader, s->child);
	KUNIT_EXPECT_FALSE(test, m->is_zombie);
}

/* A thread may be the parent: the process belongs to the tree all the same. */
static void child_of_a_thread_is_found(struct kunit *test)
{
	struct system *s = test->priv;

	RCU_INIT_POINTER(s->grandchild->real_parent, made_up_thread(test, s->child));
	look(test);
	expect(test, 4, false);
	KUNIT_EXPECT_NOT_NULL(test, found(test, s->grandchild));
}

static void nothing_is_new_when_all_are_parked(struct kunit *test)
{
	struct system *s = test->priv;

	know(test, s->root, s->root, CKPT_THREAD_PARKED);
	know(test, s->child, s->child, CKPT_THREAD_PARKED);
	know(test, s->grandchild, s->grandchild, CKPT_THREAD_PARKED);
	look(test);
	expect(test, 0, false);
}

/* It is known and not parked: it is asked to park once, and waited for. */
static void thread_on_its_way_is_waited_for(struct kunit *test)
{
	static const int states[] = { CKPT_THREAD_QUEUED, CKPT_THREAD_LEFT };
	struct system *s = test->priv;
	struct ckpt_thread *t = know(test, s->child, s->child, CKPT_THREAD_QUEUED);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(states); i++) {
		t->state = states[i];
		look(test);
		expect(test, 2, true);
		KUNIT_EXPECT_NULL(test, found(test, s->child));
	}
}

/* A process of the job stays one when its parent has left it. */
static void orphan_is_not_lost(struct kunit *test)
{
	struct system *s = test->priv;
	struct task_struct *thread = made_up_thread(test, s->grandchild);

	know(test, s->root, s->root, CKPT_THREAD_PARKED);
	know(test, s->child, s->child, CKPT_THREAD_PARKED);
	know(test, s->grandchild, s->grandchild, CKPT_THREAD_PARKED);
	RCU_INIT_POINTER(s->grandchild->real_parent, s->all[0]);
	look(test);
	expect(test, 1, false);
	KUNIT_EXPECT_NOT_NULL(test, found(test, thread));
}

static void exiting_thread_is_not_queued(struct kunit *test)
{
	struct system *s = test->priv;
	struct task_struct *thread = made_up_thread(test, s->child);

	thread->flags |= PF_EXITING;
	look(test);
	expect(test, 3, true);
	KUNIT_EXPECT_NULL(test, found(test, thread));
}

/* More threads than there was room for: the rest is left to the next look. */
static void full_table_asks_for_another_look(struct kunit *test)
{
	look_with_room(test, 2);
	expect(test, 2, true);
	look_with_room(test, 3);
	expect(test, 3, false);
}

static void zombie_belongs_to_its_parent(struct kunit *test)
{
	struct system *s = test->priv;
	const struct ckpt_member *m;

	s->grandchild->exit_state = EXIT_ZOMBIE;
	s->stranger->exit_state = EXIT_ZOMBIE;
	look(test);
	expect(test, 3, false);
	m = found(test, s->grandchild);
	KUNIT_ASSERT_NOT_NULL(test, m);
	KUNIT_EXPECT_TRUE(test, m->is_zombie);

	/* With a group too, of which it is no member. */
	name(test, CKPT_SELECT_PGRP, task_tgid(s->child));
	look(test);
	expect(test, 2, false);
	KUNIT_EXPECT_NOT_NULL(test, found(test, s->grandchild));

	/* In the group, but a child of somebody outside, who alone can wait for it. */
	s->stranger->signal->pids[PIDTYPE_PGID] = task_tgid(s->child);
	look(test);
	expect(test, 2, false);
}

static void zombie_is_found_once(struct kunit *test)
{
	struct system *s = test->priv;
	struct ckpt_thread *t;

	s->grandchild->exit_state = EXIT_ZOMBIE;
	t = know(test, s->grandchild, s->grandchild, CKPT_THREAD_PARKED);
	t->process->is_zombie = true;
	look(test);
	expect(test, 2, false);
}

/* Its threads were queued and have exited meanwhile. */
static void process_that_exits_becomes_a_zombie(struct kunit *test)
{
	struct system *s = test->priv;

	know(test, s->grandchild, s->grandchild, CKPT_THREAD_LEFT);
	s->grandchild->exit_state = EXIT_ZOMBIE;
	look(test);
	expect(test, 3, false);
	KUNIT_ASSERT_NOT_NULL(test, found(test, s->grandchild));
	KUNIT_EXPECT_TRUE(test, found(test, s->grandchild)->is_zombie);
}

/* Its parent can park once it has called execve() or exited, and not before. */
static void vfork_child_runs_on(struct kunit *test)
{
	struct system *s = test->priv;
	struct completion done;

	s->child->vfork_done = &done;
	look(test);
	expect(test, 1, true);
	KUNIT_EXPECT_NULL(test, found(test, s->child));

	/* The root of a tree has a parent outside, whom nobody freezes. */
	s->child->vfork_done = NULL;
	s->root->vfork_done = &done;
	look(test);
	expect(test, 3, false);
}

static void main_thread_that_has_exited_is_refused(struct kunit *test)
{
	struct system *s = test->priv;

	made_up_thread(test, s->child);
	s->child->exit_state = EXIT_ZOMBIE;
	expect_refused(test, s->child, "main thread");
}

static void root_that_has_exited_is_refused(struct kunit *test)
{
	struct system *s = test->priv;

	s->root->exit_state = EXIT_ZOMBIE;
	expect_refused(test, s->root, "has exited");
	name(test, CKPT_SELECT_PROCESS, task_tgid(s->root));
	expect_refused(test, s->root, "has exited");
}

static void who_cannot_be_frozen_is_refused(struct kunit *test)
{
	struct system *s = test->priv;
	struct signal_struct *old = s->grandchild->signal;

	s->child->flags |= PF_KTHREAD;
	expect_refused(test, s->child, "kernel thread");
	s->child->flags = 0;
	s->grandchild->signal = current->signal;
	expect_refused(test, s->grandchild, "caller itself");
	s->grandchild->signal = old;
	name(test, CKPT_SELECT_TREE, task_tgid(s->all[0]));
	expect_refused(test, s->all[0], "init process");
}

/* clang-format off */

static struct kunit_case members_cases[] = {
	KUNIT_CASE(one_look_finds_a_tree),
	KUNIT_CASE(tree_is_what_lies_below),
	KUNIT_CASE(process_alone_has_no_children),
	KUNIT_CASE(group_and_session_are_asked_for),
	KUNIT_CASE(all_threads_are_found),
	KUNIT_CASE(child_of_a_thread_is_found),
	KUNIT_CASE(nothing_is_new_when_all_are_parked),
	KUNIT_CASE(thread_on_its_way_is_waited_for),
	KUNIT_CASE(orphan_is_not_lost),
	KUNIT_CASE(exiting_thread_is_not_queued),
	KUNIT_CASE(full_table_asks_for_another_look),
	KUNIT_CASE(zombie_belongs_to_its_parent),
	KUNIT_CASE(zombie_is_found_once),
	KUNIT_CASE(process_that_exits_becomes_a_zombie),
	KUNIT_CASE(vfork_child_runs_on),
	KUNIT_CASE(main_thread_that_has_exited_is_refused),
	KUNIT_CASE(root_that_has_exited_is_refused),
	KUNIT_CASE(who_cannot_be_frozen_is_refused),
	{}
};

/* clang-format on */

struct kunit_suite ckpt_members_suite = {
	.name = "members",
	.init = members_init,
	.exit = members_exit,
	.test_cases = members_cases,
};
