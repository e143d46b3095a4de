// SPDX-License-Identifier: GPL-2.0-only
/* The test that runs, for a kernel whose struct task_struct has no place for it. */

struct kunit *ckpt_kunit_current;
EXPORT_SYMBOL_GPL(ckpt_kunit_current);
