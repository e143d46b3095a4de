// SPDX-License-Identifier: GPL-2.0-only
/* What only the private structures of fs/eventpoll.c tell of an epoll and let set. */

#include "eventpoll.h"

#include <linux/bsearch.h>
#include <linux/capability.h>
#include <linux/device.h>
#include <linux/fs.h>
/* counts on the one above */
#include <linux/eventpoll.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rbtree.h>
#include <linux/rcupdate.h>
#include <linux/sort.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

/* As the kernel has them in the versions that this module is for. */
struct eventpoll {
	struct mutex mtx; /* the outer lock: guards the items */
	wait_queue_head_t wq;
	wait_queue_head_t poll_wait;
	struct list_head rdllist; /* of epitem.rdllink */
	spinlock_t lock; /* guards rdllist */
};

struct epitem {
	union {
		struct rb_node rbn;
		struct rcu_head rcu;
	};
	struct list_head rdllink;
	struct epitem *next;
	struct {
		struct file *file;
		int fd;
	} __packed ffd;
	bool dying;
	void *pwqlist;
	struct eventpoll *ep;
	struct hlist_node fllink; /* in file->f_ep */
	struct wakeup_source __rcu *ws; /* of EPOLLWAKEUP */
	struct epoll_event event;
};

unsigned int ckpt_epoll_items_of(const struct file *ep, struct file *file,
				 struct ckpt_epoll_item *items, unsigned int max)
{
	const struct epitem *epi;
	unsigned int nr = 0;

	spin_lock(&file->f_lock);
	if (file->f_ep)
		hlist_for_each_entry(epi, file->f_ep, fllink) {
			if (epi->ep != ep->private_data)
				continue;
			if (nr < max)
				items[nr] = (struct ckpt_epoll_item){
					.item = epi,
					.fd = epi->ffd.fd,
					.events = (__force u32)epi->event.events,
					.data = epi->event.data,
				};
			nr++;
		}
	spin_unlock(&file->f_lock);
	return nr;
}

static int compare(const void *a, const void *b)
{
	const void *one = ((const struct ckpt_epoll_item *)a)->item;
	const void *other = ((const struct ckpt_epoll_item *)b)->item;

	return one < other ? -1 : one > other;
}

bool ckpt_epoll_get_ready(struct file *ep, struct ckpt_epoll_item *items, unsigned int nr)
{
	struct eventpoll *p = ep->private_data;
	const struct epitem *epi;
	bool all_known = true;
	u32 place = 0;

	sort(items, nr, sizeof(*items), compare, NULL);
	spin_lock_irq(&p->lock);
	list_for_each_entry(epi, &p->rdllist, rdllink) {
		struct ckpt_epoll_item key = { .item = epi }, *found;

		found = bsearch(&key, items, nr, sizeof(*items), compare);
		all_known = found && !found->ready;
		if (!all_known)
			break;
		found->ready = ++place;
	}
	spin_unlock_irq(&p->lock);
	return all_known;
}

static void unlink(struct epitem *epi)
{
	struct wakeup_source *ws = rcu_dereference_protected(epi->ws, true);

	list_del_init(&epi->rdllink);
	/* A file that is ready keeps the machine awake with EPOLLWAKEUP. */
	if (ws)
		__pm_relax(ws);
}

static void link(struct eventpoll *p, struct epitem *epi)
{
	struct wakeup_source *ws = rcu_dereference_protected(epi->ws, true);

	list_add_tail(&epi->rdllink, &p->rdllist);
	if (ws)
		__pm_stay_awake(ws);
}

void ckpt_epoll_set_ready(struct file *ep, const struct ckpt_epoll_item *items, unsigned int nr)
{
	struct eventpoll *p = ep->private_data;
	unsigned int i;

	mutex_lock(&p->mtx);
	spin_lock_irq(&p->lock);
	for (i = 0; i < nr; i++) {
		struct epitem *epi = (struct epitem *)items[i].item;

		if (!list_empty(&epi->rdllink))
			unlink(epi);
		epi->event.events = (__force __poll_t)items[i].events;
	}
	for (i = 0; i < nr; i++)
		if (items[i].ready)
			link(p, (struct epitem *)items[i].item);
	spin_unlock_irq(&p->lock);
	mutex_unlock(&p->mtx);
}
