// SPDX-License-Identifier: GPL-2.0-only
/* Kind: locks that the job holds on its files, taken by fcntl(2) or flock(2). */

#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "compat.h"
#include "fds.h"
#include "kinds.h"
#include "path.h"
#include "restorer.h"
#include "saver.h"

#define MAX_LOCKS 1000000U

/* The locks of one description; with @locks NULL they are only counted. */
struct collection {
	const struct file *file;
	fl_owner_t process;
	u32 id;
	bool with_file; /* those of the description too, which all processes share */
	struct ckpt_image_lock *locks;
	unsigned int nr, size;
	bool leased;
};

static u32 kind_of(const struct collection *c, const struct file_lock *lock)
{
	unsigned int flags = ckpt_lock_field(lock, flags);

	if (ckpt_lock_field(lock, file) != c->file)
		return 0;
	if (flags & FL_FLOCK)
		return c->with_file ? CKPT_LOCK_FLOCK : 0;
	if (flags & FL_OFDLCK)
		return c->with_file ? CKPT_LOCK_OFD : 0;
	/* Another process may have taken one through a description that it shares with the job. */
	return ckpt_lock_field(lock, owner) == c->process ? CKPT_LOCK_POSIX : 0;
}

/* Under the lock of the list. */
static void collect(struct collection *c, const struct list_head *list)
{
	const struct file_lock *lock;
	struct list_head *node;
	u32 kind;

	list_for_each(node, list) {
		lock = ckpt_lock_entry(node);
		kind = kind_of(c, lock);
		if (!kind)
			continue;
		if (c->nr < c->size)
			c->locks[c->nr] = (struct ckpt_image_lock){
				.file = c->id,
				.kind = kind,
				.type = ckpt_lock_field(lock, type) == F_WRLCK ? CKPT_LOCK_WRITE :
										 CKPT_LOCK_READ,
				.start = lock->fl_start,
				.end = lock->fl_end,
			};
		c->nr++;
	}
}

static void walk(struct collection *c)
{
	struct file_lock_context *ctx = locks_inode_context(file_inode(c->file));
	struct list_head *node;

	c->nr = 0;
	if (!ctx)
		return;
	spin_lock(&ctx->flc_lock);
	collect(c, &ctx->flc_posix);
	collect(c, &ctx->flc_flock);
	list_for_each(node, &ctx->flc_lease)
		c->leased = c->leased || ckpt_lease_file(node) == c->file;
	spin_unlock(&ctx->flc_lock);
}

static int add_records(struct ckpt_saver *s, const struct collection *c)
{
	struct ckpt_image_lock *i;
	unsigned int n;

	for (n = 0; n < min(c->nr, c->size); n++) {
		i = ckpt_save_record(s, &ckpt_kind_lock, 0, 0, sizeof(*i));
		if (IS_ERR(i))
			return PTR_ERR(i);
		*i = c->locks[n];
	}
	return 0;
}

static void refuse(struct ckpt_saver *s, const struct ckpt_fd *f, const char *why)
{
	char *name = ckpt_path_name(&f->file->f_path), text[CKPT_FD_TEXT_LEN];

	ckpt_save_refuse(s, "lock", "%s: %s: %s", ckpt_fd_text(f, text, sizeof(text)),
			 IS_ERR(name) ? "" : name, why);
	if (!IS_ERR(name))
		kfree(name);
}

static int save_file(struct ckpt_saver *s, const struct ckpt_fd *f)
{
	struct collection c = {
		.file = f->file,
		.process = s->task->files,
		.id = f->id,
		.with_file = f->nr,
	};
	int err;

	walk(&c);
	if (c.leased && f->nr)
		refuse(s, f, "leases are not supported: give it up before the save");
	if (c.nr > MAX_LOCKS)
		refuse(s, f, "too many locks");
	if (!c.nr || c.nr > MAX_LOCKS)
		return 0;
	c.size = c.nr;
	c.locks = kvcalloc(c.size, sizeof(*c.locks), GFP_KERNEL);
	if (!c.locks)
		return -ENOMEM;
	walk(&c);
	err = add_records(s, &c);
	kvfree(c.locks);
	return err;
}

static int save(struct ckpt_saver *s)
{
	struct ckpt_fds *list = ckpt_fds_of(s);
	struct ckpt_fd *f;
	int err = 0;

	ckpt_for_each_fd(f, list) {
		if (f->is_first)
			err = save_file(s, f);
		if (err)
			break;
		cond_resched();
	}
	if (s->process->number != 1)
		return err;
	/* The first process takes the locks of files that nobody has a descriptor for. */
	ckpt_for_each_file(f, ckpt_fds_in_flight(s->fds))
		err = err ?: save_file(s, f);
	return err;
}

static int verify(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_lock *i = rec->data;

	if (i->kind < CKPT_LOCK_POSIX || i->kind > CKPT_LOCK_FLOCK || i->type < CKPT_LOCK_READ ||
	    i->type > CKPT_LOCK_WRITE)
		return ckpt_restore_error(r, -EOPNOTSUPP, "lock: unknown kind %u, type %u", i->kind,
					  i->type);
	if (i->start > i->end || i->end > S64_MAX || i->reserved)
		return ckpt_restore_error(r, -EBADMSG, "lock: bad range %llu to %llu", i->start,
					  i->end);
	if (!ckpt_restore_object(r, CKPT_REC_FILE, i->file))
		return ckpt_restore_error(r, -EBADMSG, "lock: no file %u in the image", i->file);
	return 0;
}

static int take_lock(const struct ckpt_image_lock *i, struct file *file)
{
	struct file_lock *lock = locks_alloc_lock();
	int err;

	if (!lock)
		return -ENOMEM;
	ckpt_lock_field(lock, file) = file;
	ckpt_lock_field(lock, pid) = current->tgid;
	ckpt_lock_field(lock, owner) = i->kind == CKPT_LOCK_POSIX ? (fl_owner_t)current->files :
								    (fl_owner_t)file;
	ckpt_lock_field(lock, type) = i->type == CKPT_LOCK_WRITE ? F_WRLCK : F_RDLCK;
	ckpt_lock_field(lock, flags) = i->kind == CKPT_LOCK_POSIX ? FL_POSIX :
				       i->kind == CKPT_LOCK_OFD	  ? FL_POSIX | FL_OFDLCK :
								    FL_FLOCK;
	lock->fl_start = i->start;
	lock->fl_end = i->end;
	if (i->kind != CKPT_LOCK_FLOCK)
		err = vfs_lock_file(file, F_SETLK, lock, NULL);
	else if (file->f_op->flock)
		err = file->f_op->flock(file, F_SETLK, lock);
	else
		err = locks_lock_file_wait(file, lock);
	locks_free_lock(lock);
	return err;
}

/* After the script: a process loses its POSIX locks on a file by closing any descriptor of it. */
static int apply(struct ckpt_restorer *r, struct ckpt_rthread *t)
{
	const struct ckpt_record *rec;
	int err;

	if (!ckpt_rthread_is_leader(t))
		return 0;
	ckpt_for_each_record_of(rec, r, CKPT_REC_LOCK) {
		const struct ckpt_image_lock *i = rec->data;
		const struct ckpt_image_file *f =
			ckpt_restore_object(r, CKPT_REC_FILE, i->file)->data;

		err = take_lock(i, ckpt_objtab_file(r->objects, i->file));
		if (err == -EAGAIN)
			return ckpt_restore_error(r, err, "%s: locked by another process now",
						  f->path);
		if (err)
			return ckpt_restore_error(r, err, "%s: cannot be locked again: error %d",
						  f->path, -err);
	}
	return 0;
}

const struct ckpt_kind ckpt_kind_lock = {
	.name = "lock",
	.type = CKPT_REC_LOCK,
	.version = 1,
	.oldest = 1,
	.min_len = sizeof(struct ckpt_image_lock),
	.count = CKPT_ANY,
	.part = CKPT_SHARE_FILES,
	.save = save,
	.verify = verify,
	.apply = apply,
};
