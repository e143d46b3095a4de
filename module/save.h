/* SPDX-License-Identifier: GPL-2.0-only */
/* The save walk. */
#ifndef CKPT_SAVE_H
#define CKPT_SAVE_H

struct ckpt_request;
struct ckpt_save;
struct file;

/**
 * ckpt_save_group() - write the frozen job of a request to an image
 * @req: the request; its lock is held
 * @arg: out: the figures of struct ckpt_save
 * @file: opened for writing, or NULL to look for obstacles only
 *
 * Return: 0 or an errno as told at struct ckpt_save
 */
int ckpt_save_group(struct ckpt_request *req, struct ckpt_save *arg, struct file *file);

#endif /* CKPT_SAVE_H */
