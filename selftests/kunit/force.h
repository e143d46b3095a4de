/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Included before all else where KUnit is used and the kernel has none.
 *
 * CONFIG_KUNIT changes the layout of struct module and struct task_struct.
 * Both must be seen as the running kernel has them, so the headers that define
 * them come first and only then is KUnit said to be there.
 */
#ifndef _CKPT_KUNIT_FORCE_H
#define _CKPT_KUNIT_FORCE_H
#ifndef __ASSEMBLY__

#include <linux/module.h>
#include <linux/sched.h>

/* A file may still choose its prefix of messages; printk.h has set the plain one. */
#undef pr_fmt

#define CONFIG_KUNIT_MODULE 1
#define CONFIG_KUNIT_DEFAULT_ENABLED 1

struct kunit;

/* What is current->kunit_test elsewhere: one test runs at a time. */
extern struct kunit *ckpt_kunit_current;

/* The kernel's header, changed to use it; takes that header's include guard. */
#include "test-bug.h"

#ifndef pr_fmt
#define pr_fmt(fmt) fmt
#endif

#endif
#endif
