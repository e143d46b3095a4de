// SPDX-License-Identifier: GPL-2.0-only
/* Makes the mistake that its parameter names, to see that the debug kernel reports it. */

#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#define BYTES 40

static char *mistake = "none";
module_param(mistake, charp, 0444);

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);
static DEFINE_SPINLOCK(spinlock);

/*
 * Memory of which the compiler knows nothing, so that it neither warns nor leaves out the access.
 */
static char *memory(void)
{
	char *p = kmalloc(BYTES, GFP_KERNEL);

	if (p)
		memset(p, 'x', BYTES);
	OPTIMIZER_HIDE_VAR(p);
	return p;
}

static void none(void)
{
}

static void use_after_free(void)
{
	char *p = memory(), *q = p;

	OPTIMIZER_HIDE_VAR(q);
	kfree(p);
	WRITE_ONCE(*q, 'y');
}

static void out_of_bounds(void)
{
	char *p = memory();

	WRITE_ONCE(p[BYTES], 'y');
	kfree(p);
}

/* The access is not the module's own, but memcpy()'s. */
static void too_much_copied(void)
{
	char *p = memory(), *q = memory();
	size_t bytes = BYTES + 1;

	OPTIMIZER_HIDE_VAR(bytes);
	memcpy(p, q, bytes);
	kfree(p);
	kfree(q);
}

static void shift(void)
{
	int by = BYTES;

	OPTIMIZER_HIDE_VAR(by);
	pr_info("%d\n", 1 << by);
}

static void sleep_under_spinlock(void)
{
	spin_lock(&spinlock);
	msleep(1);
	spin_unlock(&spinlock);
}

static void lock_order(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);

	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
}

static void list_twice_deleted(void)
{
	struct list_head list, entry;

	INIT_LIST_HEAD(&list);
	list_add(&entry, &list);
	list_del(&entry);
	list_del(&entry);
}

static void leak(void)
{
	/* A single one may still be seen in a register or on a stack. */
	for (int i = 0; i < 20; i++)
		memory();
}

static const struct {
	const char *name;
	void (*make)(void);
} mistakes[] = {
	{ "none", none },
	{ "use-after-free", use_after_free },
	{ "out-of-bounds", out_of_bounds },
	{ "too-much-copied", too_much_copied },
	{ "shift", shift },
	{ "sleep-under-spinlock", sleep_under_spinlock },
	{ "lock-order", lock_order },
	{ "list-twice-deleted", list_twice_deleted },
	{ "leak", leak },
};

static int __init mistakes_init(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
		if (strcmp(mistakes[i].name, mistake))
			continue;
		mistakes[i].make();
		return 0;
	}
	return -EINVAL;
}
module_init(mistakes_init);

static void __exit mistakes_exit(void)
{
}
module_exit(mistakes_exit);

MODULE_DESCRIPTION("Mistakes that the debug kernel must report");
MODULE_LICENSE("GPL");
