/* SPDX-License-Identifier: GPL-2.0-only */
/* Which pages a process has of its own: a walk over its page tables. */
#ifndef CKPT_PAGESCAN_H
#define CKPT_PAGESCAN_H

struct ckpt_saver;

/**
 * ckpt_pagescan() - add the pages of the process's private memory to s->pages
 * @s: the save; the process is parked
 *
 * These are the anonymous pages, be they in memory or swapped out. Holes cost nothing: empty parts
 * of the page tables are skipped as a whole. Pages that cannot be read are refused.
 *
 * Return: 0, -ENOMEM or -EINTR
 */
int ckpt_pagescan(struct ckpt_saver *s);

#endif /* CKPT_PAGESCAN_H */
