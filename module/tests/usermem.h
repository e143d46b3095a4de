/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory of user space for tests of what copies from and to it. */
#ifndef CKPT_TESTS_USERMEM_H
#define CKPT_TESTS_USERMEM_H

#include <kunit/test.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/mman.h>

/* The memory of the program that loads the tests, which waits for them meanwhile. */
extern struct mm_struct *ckpt_kunit_mm;
/* That program. */
extern struct task_struct *ckpt_kunit_task;

/*
 * usermem_begin() - a page of zeros in user space, and nothing behind it
 *
 * Until usermem_end() the test may not use KUNIT_ASSERT_*: it would end with
 * another's memory.
 *
 * Return: its address, or 0 after a failed expectation
 */
static inline unsigned long usermem_begin(struct kunit *test)
{
	unsigned long at;

	kthread_use_mm(ckpt_kunit_mm);
	at = vm_mmap(NULL, 0, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		     0);
	KUNIT_EXPECT_FALSE(test, IS_ERR_VALUE(at));
	if (IS_ERR_VALUE(at)) {
		kthread_unuse_mm(ckpt_kunit_mm);
		return 0;
	}
	KUNIT_EXPECT_EQ(test, vm_munmap(at + PAGE_SIZE, PAGE_SIZE), 0);
	return at;
}

static inline void usermem_end(struct kunit *test, unsigned long at)
{
	KUNIT_EXPECT_EQ(test, vm_munmap(at, PAGE_SIZE), 0);
	kthread_unuse_mm(ckpt_kunit_mm);
}

#endif /* CKPT_TESTS_USERMEM_H */
