/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared objects: pointer to id while saving, id to pointer while restoring. */
#ifndef CKPT_OBJTAB_H
#define CKPT_OBJTAB_H

#include <linux/limits.h>
#include <linux/types.h>
#include <linux/xarray.h>

struct file;

/**
 * struct ckpt_objtab - the objects of one save or restore
 * @by_key: save: pointer to id
 * @by_id: restore: id to struct file, one reference to each is owned by the table
 * @last_id: save: id given last
 */
struct ckpt_objtab {
	struct xarray by_key;
	struct xarray by_id;
	u32 last_id;
};

/* The key of an object in an xarray by address. */
static inline unsigned long ckpt_objtab_key(const void *object)
{
	/* Kernel addresses share their top bits; without them the tree stays low. */
	return (unsigned long)object & (ULONG_MAX >> 8);
}

void ckpt_objtab_init(struct ckpt_objtab *t);
void ckpt_objtab_exit(struct ckpt_objtab *t);

/**
 * ckpt_objtab_id() - the id of an object that is being saved
 * @t: the table
 * @object: address of the object: struct file, struct inode, struct pipe_inode_info...
 * @is_new: set to true when the object got its id by this call: the caller saves it
 *
 * Return: the id, from 1, or -ENOMEM
 */
int ckpt_objtab_id(struct ckpt_objtab *t, const void *object, bool *is_new);

/* The id that an object that is being saved has got, or 0. */
int ckpt_objtab_find(struct ckpt_objtab *t, const void *object);

/**
 * ckpt_objtab_put_file() - store the file that stands for an id
 * @t: the table
 * @id: id of the record
 * @file: the file; the table takes over the caller's reference, in case of an error too
 *
 * Return: 0, -EEXIST when the id is taken, -ENOMEM
 */
int ckpt_objtab_put_file(struct ckpt_objtab *t, u32 id, struct file *file);

/**
 * ckpt_objtab_file() - the file that stands for an id
 * @t: the table
 * @id: id of a record
 *
 * Return: the file, no new reference, or NULL
 */
struct file *ckpt_objtab_file(struct ckpt_objtab *t, u32 id);

#endif /* CKPT_OBJTAB_H */
