/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Objects of shared memory without a path: of memfd_create(), shared anonymous memory, and what is
 * in System V segments.
 */
#ifndef CKPT_SHM_H
#define CKPT_SHM_H

#include <linux/types.h>

struct ckpt_record;
struct ckpt_restorer;
struct ckpt_rjob;
struct ckpt_saver;
struct address_space;
struct dentry;
struct file;

/* Whether a file is such an object; its content is then stored in the image. */
bool ckpt_file_is_shm(const struct file *file);
/* Whether a file lies in a tmpfs: its content is stored for the case that it is gone. */
bool ckpt_file_is_named_shm(const struct file *file);

/* Whether a name is that of the content of a System V segment. */
bool ckpt_shm_is_segment(const char *name);

/* A process that maps an object, with @s one outside of the job; -1 when not known which, or 0. */
pid_t ckpt_shm_user(struct ckpt_saver *s, struct address_space *mapping);

/* Another name of such a file whose own one was deleted, referenced, or NULL. */
struct dentry *ckpt_shm_other_name(const struct file *file);

/**
 * ckpt_shm_id() - the id of such an object
 * @s: the save
 * @file: a file for which ckpt_file_is_shm() or ckpt_file_is_named_shm() holds
 *
 * The first call for an object adds its record and lets its pages be stored, or refuses it.
 *
 * Return: the id, from 1, or a negative errno
 */
int ckpt_shm_id(struct ckpt_saver *s, struct file *file);

/**
 * ckpt_shm_check_users() - refuse objects that somebody else has open
 * @s: the save; all mappings and descriptors have been walked
 *
 * Return: 0, -ENOMEM or -EINTR
 */
int ckpt_shm_check_users(struct ckpt_saver *s);

/* Makes the object of a record, empty; its file is open for reading and writing. */
struct file *ckpt_shm_make(const struct ckpt_record *rec);

/* Makes the file of a record at its path, if there is none: NULL when there is. */
struct file *ckpt_shm_make_named(const struct ckpt_record *rec);

/* Puts the seals on all objects, once they have their content and are mapped. */
int ckpt_shm_seal(struct ckpt_rjob *job);

/**
 * ckpt_shm_verify() - check a record of an object
 * @r: the restore
 * @rec: the record
 *
 * Return: 0, -EBADMSG or -EOPNOTSUPP
 */
int ckpt_shm_verify(struct ckpt_restorer *r, const struct ckpt_record *rec);

#endif /* CKPT_SHM_H */
