// SPDX-License-Identifier: GPL-2.0-only
/* What processes of a job share without being threads of one: memory, descriptors... (CLONE_*). */

#include "share.h"

#include <linux/err.h>
#include <linux/fs.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/xarray.h>

#include "fds.h"
#include "restorer.h"
#include "saver.h"

static const struct {
	u32 share;
	u64 clone;
	const char *what;
} parts[] = {
	{ CKPT_SHARE_MM, CLONE_VM, "memory" },
	{ CKPT_SHARE_FILES, CLONE_FILES, "descriptors" },
	{ CKPT_SHARE_FS, CLONE_FS, "working directory" },
	{ CKPT_SHARE_SIGHAND, CLONE_SIGHAND, "signal handlers" },
};

static const void *part_of(const struct ckpt_saver *s, u32 share)
{
	switch (share) {
	case CKPT_SHARE_MM:
		return s->mm;
	case CKPT_SHARE_FILES:
		return s->task->files;
	case CKPT_SHARE_FS:
		return s->task->fs;
	default:
		return rcu_access_pointer(s->task->sighand);
	}
}

/* The number of the first process that has a part; that being walked when it is the first. */
static int owner_of(struct ckpt_saver *s, const void *part)
{
	unsigned long key = ckpt_objtab_key(part);
	void *entry = xa_load(&s->parts, key);

	if (entry)
		return xa_to_value(entry);
	entry = xa_mk_value(s->process->number);
	return xa_err(xa_store(&s->parts, key, entry, GFP_KERNEL)) ?: s->process->number;
}

int ckpt_share_collect(struct ckpt_saver *s)
{
	struct ckpt_process *p = s->process;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		int owner = owner_of(s, part_of(s, parts[i].share));

		if (owner < 0)
			return owner;
		if (owner == p->number)
			continue;
		if (p->with && p->with != owner)
			ckpt_save_refuse(s, "share", "%s: shared with another process than %s",
					 parts[i].what, "the rest: not supported");
		p->with = owner;
		p->shares |= parts[i].share;
	}
	return 0;
}

u64 ckpt_share_clone_flags(const struct ckpt_restorer *r)
{
	unsigned int i;
	u64 flags = 0;

	for (i = 0; i < ARRAY_SIZE(parts); i++)
		if (r->shares & parts[i].share)
			flags |= parts[i].clone;
	return flags;
}

/* Those whose number is not higher than that of @last. */
static unsigned int count_mm(const struct ckpt_restorer *r, const struct ckpt_restorer *last)
{
	const struct ckpt_restorer *p;
	unsigned int n = 0;

	for (p = r + 1; p <= last; p++)
		n += p->source == r && (p->shares & CKPT_SHARE_MM);
	return n;
}

unsigned int ckpt_share_count_mm(const struct ckpt_restorer *r)
{
	return count_mm(r, r->job->processes + r->job->nr_processes - 1);
}

int ckpt_share_prepare(struct ckpt_restorer *r)
{
	if (r->shares & CKPT_SHARE_MM)
		r->script.base =
			r->source->script.base + count_mm(r->source, r) * r->source->script_space;
	if (!(r->shares & CKPT_SHARE_FILES))
		return 0;
	r->dev_fd = ckpt_fd_install(ckpt_restore_device(r));
	if (r->dev_fd < 0)
		return r->dev_fd;
	if (r->exe && !(r->shares & CKPT_SHARE_MM))
		r->exe_fd = ckpt_fd_install(get_file(r->exe));
	return r->exe && r->exe_fd < 0 ? r->exe_fd : 0;
}
