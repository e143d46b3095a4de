// SPDX-License-Identifier: GPL-2.0-only
/* Shared objects: pointer to id while saving, id to pointer while restoring. */

#include "objtab.h"

#include <linux/file.h>
#include <linux/fs.h>

void ckpt_objtab_init(struct ckpt_objtab *t)
{
	xa_init(&t->by_key);
	xa_init(&t->by_id);
	t->last_id = 0;
}

void ckpt_objtab_exit(struct ckpt_objtab *t)
{
	struct file *file;
	unsigned long id;

	xa_for_each(&t->by_id, id, file)
		fput(file);
	xa_destroy(&t->by_id);
	xa_destroy(&t->by_key);
}

/* Kernel addresses share their top bits; without them the tree stays low. */
int ckpt_objtab_find(struct ckpt_objtab *t, const void *object)
{
	void *entry = xa_load(&t->by_key, ckpt_objtab_key(object));

	return entry ? xa_to_value(entry) : 0;
}

int ckpt_objtab_id(struct ckpt_objtab *t, const void *object, bool *is_new)
{
	unsigned long key = ckpt_objtab_key(object);
	void *entry = xa_load(&t->by_key, key);

	*is_new = !entry;
	if (entry)
		return xa_to_value(entry);
	if (t->last_id >= INT_MAX)
		return -ENOMEM;
	if (xa_err(xa_store(&t->by_key, key, xa_mk_value(t->last_id + 1), GFP_KERNEL)))
		return -ENOMEM;
	return ++t->last_id;
}

int ckpt_objtab_put_file(struct ckpt_objtab *t, u32 id, struct file *file)
{
	int err = xa_insert(&t->by_id, id, file, GFP_KERNEL);

	if (err)
		fput(file);
	return err == -EBUSY ? -EEXIST : err;
}

struct file *ckpt_objtab_file(struct ckpt_objtab *t, u32 id)
{
	return xa_load(&t->by_id, id);
}
