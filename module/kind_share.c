// SPDX-License-Identifier: GPL-2.0-only
/* State kind: what a process shares with another one without being a thread of it (CLONE_*). */

#include <linux/err.h>

#include "kinds.h"
#include "restorer.h"
#include "saver.h"

static int save(struct ckpt_saver *s)
{
	struct ckpt_image_share *i;

	if (!s->process->shares)
		return 0;
	i = ckpt_save_record(s, &ckpt_kind_share, 0, 0, sizeof(*i));
	if (IS_ERR(i))
		return PTR_ERR(i);
	i->with = s->process->with;
	i->parts = s->process->shares;
	return 0;
}

static int verify(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_share *i = rec->data;

	if (!i->with || i->with >= r->number || !i->parts)
		return ckpt_restore_error(r, -EBADMSG, "image: process %d: shares with nobody",
					  r->saved->pid);
	if (i->parts & ~CKPT_SHARE_PARTS)
		return ckpt_restore_error(r, -EOPNOTSUPP, "image: process %d: shares 0x%x: %s",
					  r->saved->pid, i->parts, "not known to this module");
	/* As clone(2) wants it. */
	if ((i->parts & CKPT_SHARE_SIGHAND) && !(i->parts & CKPT_SHARE_MM))
		return ckpt_restore_error(r, -EBADMSG, "image: process %d: shares handlers alone",
					  r->saved->pid);
	r->source = r->job->processes + i->with - 1;
	r->shares = i->parts;
	if (!ckpt_restorer_is_zombie(r->source) && !(r->source->shares & r->shares))
		return 0;
	return ckpt_restore_error(r, -EBADMSG, "image: process %d: shares with one that lacks it",
				  r->saved->pid);
}

/* Memory can be shared or inherited, and only from one process. */
static int verify_all(struct ckpt_restorer *r)
{
	const struct ckpt_record *rec = ckpt_restore_find(r, CKPT_REC_INHERIT, 0);
	const struct ckpt_image_inherit *i = rec ? rec->data : NULL;

	if (!i || !r->shares || (i->source == r->source->number && !(r->shares & CKPT_SHARE_MM)))
		return 0;
	return ckpt_restore_error(r, -EBADMSG, "image: process %d: shares and inherits",
				  r->saved->pid);
}

const struct ckpt_kind ckpt_kind_share = {
	.name = "share",
	.type = CKPT_REC_SHARE,
	.version = 1,
	.oldest = 1,
	.min_len = sizeof(struct ckpt_image_share),
	.count = CKPT_AT_MOST_ONE,
	.save = save,
	.verify = verify,
	.verify_all = verify_all,
};
