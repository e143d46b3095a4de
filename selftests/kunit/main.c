// SPDX-License-Identifier: GPL-2.0-only
/* The module that runs all KUnit suites when it is loaded, in place of module/main.c. */

#include <kunit/test.h>
#include <linux/module.h>

#include "suites.h"

static int __init ckpt_kunit_init(void)
{
	/* KUnit prints these two only for suites that it has found itself. */
	pr_info("KTAP version 1\n");
	pr_info("1..%zu\n", ARRAY_SIZE(ckpt_suites));

	return __kunit_test_suites_init(ckpt_suites, ARRAY_SIZE(ckpt_suites));
}
module_init(ckpt_kunit_init);

static void __exit ckpt_kunit_exit(void)
{
	__kunit_test_suites_exit(ckpt_suites, ARRAY_SIZE(ckpt_suites));
}
module_exit(ckpt_kunit_exit);

MODULE_DESCRIPTION("KUnit suites of ckpt");
MODULE_LICENSE("GPL");
