/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What /proc/PID/fdinfo says of an open file: the one stable account of the state of files whose
 * structures are private to the kernel.
 */
#ifndef CKPT_FDINFO_H
#define CKPT_FDINFO_H

#include <linux/types.h>

struct file;

/**
 * ckpt_fdinfo_get() - let a file tell about itself
 * @file: any open file
 *
 * Return: lines of text, to be freed by kvfree(); empty when the file has nothing to tell. Or
 * ERR_PTR(-ENOMEM), ERR_PTR(-E2BIG)
 */
char *ckpt_fdinfo_get(struct file *file);

/**
 * ckpt_fdinfo_find() - find what follows a name
 * @text: lines
 * @name: what a line begins with
 *
 * Return: the rest of the first line that begins so, without leading blanks, or NULL
 */
const char *ckpt_fdinfo_find(const char *text, const char *name);

/**
 * ckpt_fdinfo_number() - read the number that follows a name
 * @text: lines
 * @name: what the line begins with
 * @base: of the number: 8, 10 or 16
 * @value: set to it
 *
 * Return: whether the line is there and holds nothing but a number that fits
 */
bool ckpt_fdinfo_number(const char *text, const char *name, unsigned int base, u64 *value);

#endif /* CKPT_FDINFO_H */
