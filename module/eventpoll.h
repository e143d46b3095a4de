/* SPDX-License-Identifier: GPL-2.0-only */
/* What only the private structures of fs/eventpoll.c tell of an epoll and let set. */
#ifndef CKPT_EVENTPOLL_H
#define CKPT_EVENTPOLL_H

#include <linux/types.h>

struct file;

/**
 * struct ckpt_epoll_item - an item of an epoll
 * @item: the kernel's struct epitem
 * @fd: descriptor by which it was added; by now it may be another file's, or nobody's
 * @events: EPOLL* bits; only flags when EPOLLONESHOT has disarmed it
 * @data: what the user gets with its events
 * @file: id of the file, free for the caller
 * @ready: place in the list of what is ready, from 1; 0 when it is not in it
 */
struct ckpt_epoll_item {
	const void *item;
	int fd;
	u32 events;
	u64 data;
	u32 file;
	u32 ready;
};

/**
 * ckpt_epoll_items_of() - the items by which an epoll watches one file
 * @ep: the epoll
 * @file: any open file
 * @items: filled in, but for @ready
 * @max: room in @items
 *
 * Return: how many there are, perhaps more than @max
 */
unsigned int ckpt_epoll_items_of(const struct file *ep, struct file *file,
				 struct ckpt_epoll_item *items, unsigned int max);

/**
 * ckpt_epoll_get_ready() - find out what is ready, and in which order it would be told
 * @ep: the epoll
 * @items: all its items; sorted and completed by @ready
 * @nr: how many
 *
 * Return: whether all that is ready is one of the items
 */
bool ckpt_epoll_get_ready(struct file *ep, struct ckpt_epoll_item *items, unsigned int nr);

/**
 * ckpt_epoll_set_ready() - make those items ready that were, and disarm those that were
 * @ep: the epoll; nobody waits for it yet
 * @items: all its items
 * @nr: how many
 *
 * Ready are exactly those with a place, in the order of @items. Adding an item makes it ready when
 * its file is; with EPOLLET that had been told already.
 */
void ckpt_epoll_set_ready(struct file *ep, const struct ckpt_epoll_item *items, unsigned int nr);

#endif /* CKPT_EVENTPOLL_H */
