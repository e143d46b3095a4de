// SPDX-License-Identifier: GPL-2.0-only
/* The module that runs all KUnit suites when it is loaded, in place of module/main.c. */

#include <kunit/test.h>
#include <linux/module.h>
#include <linux/sched/mm.h>

#include "ksyms.h"
#include "suites.h"
#include "tests/saved_image.h"
#include "tests/usermem.h"

/* Tests run in kernel threads: the memory of the program that loads them is lent to them. */
struct mm_struct *ckpt_kunit_mm;
struct task_struct *ckpt_kunit_task;

char *ckpt_kunit_image = "";
module_param_named(image, ckpt_kunit_image, charp, 0);
MODULE_PARM_DESC(image, "image of a program, whose records are spoilt in every way");

static int __init ckpt_kunit_init(void)
{
	int err = ckpt_ksyms_init();

	if (err)
		return err;
	/* KUnit prints these two only for suites that it has found itself. */
	pr_info("KTAP version 1\n");
	pr_info("1..%zu\n", ARRAY_SIZE(ckpt_suites));

	ckpt_kunit_mm = current->mm;
	ckpt_kunit_task = current;
	return __kunit_test_suites_init(ckpt_suites, ARRAY_SIZE(ckpt_suites));
}
module_init(ckpt_kunit_init);

static void __exit ckpt_kunit_exit(void)
{
	__kunit_test_suites_exit(ckpt_suites, ARRAY_SIZE(ckpt_suites));
}
module_exit(ckpt_kunit_exit);

MODULE_DESCRIPTION("KUnit suites of ckpt");
MODULE_VERSION("kunit");
MODULE_LICENSE("GPL");
