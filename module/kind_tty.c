// SPDX-License-Identifier: GPL-2.0-only
/* Kind: pseudo-terminals whose master is in the job, and whose controlling terminal they are. */

#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/major.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/pid.h>
#include <linux/sched/signal.h>
#include <linux/stat.h>
#include <linux/tty.h>
#include <linux/tty_driver.h>
#include <linux/xarray.h>

#include "fds.h"
#include "kinds.h"
#include "ksyms.h"
#include "ntty.h"
#include "path.h"
#include "restorer.h"
#include "saver.h"
#include "tty_pair.h"

#define MASTER 0
#define SLAVE 1
#define FLAGS (CKPT_TTY_LOCKED | CKPT_TTY_PACKET)
#define MAX_INDEX (1U << MINORBITS)

/* --- save --- */

/* One pair on its way into the image. */
struct pair {
	struct tty_struct *ends[2];
	struct ckpt_image_tty tty;
	void *data[2];
};

static unsigned int count_files(struct tty_struct *tty)
{
	struct tty_file_private *priv;
	unsigned int n = 0;

	spin_lock(&tty->files_lock);
	list_for_each_entry(priv, &tty->tty_files, list)
		n++;
	spin_unlock(&tty->files_lock);
	return n;
}

/* How many descriptions of an end the job has to itself. */
static unsigned int count_own(struct ckpt_saver *s, const struct tty_struct *tty)
{
	struct ckpt_process *p;
	struct ckpt_fd *f;
	unsigned int n = 0;

	ckpt_for_each_process(p, s->group)
		ckpt_for_each_file(f, &s->fds[p->number])
			n += ckpt_tty_of(f->file) == tty && !ckpt_fd_is_shared(f);
	return n;
}

static bool is_leader_inside(struct ckpt_saver *s, struct pid *session)
{
	struct task_struct *leader;
	bool inside;

	rcu_read_lock();
	leader = pid_task(session, PIDTYPE_TGID);
	inside = leader && ckpt_group_process(s->group, leader) && task_session(leader) == session;
	rcu_read_unlock();
	return inside;
}

static const char *save_session(struct ckpt_saver *s, struct pair *p)
{
	struct tty_struct *slave = p->ends[SLAVE];
	struct pid *session, *foreground;
	const char *why = NULL;

	spin_lock_irq(&slave->ctrl.lock);
	session = get_pid(slave->ctrl.session);
	foreground = get_pid(slave->ctrl.pgrp);
	spin_unlock_irq(&slave->ctrl.lock);
	if (session && !is_leader_inside(s, session))
		why = "it is the controlling terminal of a session outside of the job";
	p->tty.session = pid_vnr(session);
	p->tty.foreground = pid_vnr(foreground);
	put_pid(session);
	put_pid(foreground);
	return why;
}

static void save_settings(struct pair *p)
{
	const struct tty_struct *master = p->ends[MASTER], *slave = p->ends[SLAVE];
	const struct dentry *name = slave->driver_data;
	struct ckpt_image_tty *i = &p->tty;

	i->index = master->index;
	i->flags = (test_bit(TTY_PTY_LOCK, &master->flags) ? CKPT_TTY_LOCKED : 0) |
		   (master->ctrl.packet ? CKPT_TTY_PACKET : 0);
	i->packet_status = slave->ctrl.pktstatus;
	i->rows = slave->winsize.ws_row;
	i->columns = slave->winsize.ws_col;
	i->width = slave->winsize.ws_xpixel;
	i->height = slave->winsize.ws_ypixel;
	if (name) {
		i->uid = __kuid_val(d_inode(name)->i_uid);
		i->gid = __kgid_val(d_inode(name)->i_gid);
		i->mode = d_inode(name)->i_mode & 0777;
	}
}

static const char *read_pair(struct ckpt_saver *s, struct pair *p)
{
	const char *why;
	unsigned int n;

	for (n = 0; n < 2; n++)
		if (count_files(p->ends[n]) != count_own(s, p->ends[n]))
			return "it is open in another process, too";
	why = save_session(s, p);
	/* An echo goes from one end to the other. */
	for (n = 0; n < 2; n++)
		flush_work(&p->ends[n]->port->buf.work);
	for (n = 0; n < 2 && !why; n++)
		why = ckpt_ntty_save(p->ends[n], &p->tty.ends[n], &p->data[n]);
	save_settings(p);
	return why;
}

static int add_pair(struct ckpt_saver *s, const struct pair *p, u32 id)
{
	size_t len[2] = { ckpt_ntty_len(&p->tty.ends[0]), ckpt_ntty_len(&p->tty.ends[1]) };
	struct ckpt_image_tty *i;

	i = ckpt_save_record(s, &ckpt_kind_tty, 0, id, sizeof(*i) + len[0] + len[1]);
	if (IS_ERR(i))
		return PTR_ERR(i);
	*i = p->tty;
	memcpy(i->data, p->data[0], len[0]);
	memcpy(i->data + len[0], p->data[1], len[1]);
	return 0;
}

static int save_pair(struct ckpt_saver *s, struct ckpt_process *process, const struct ckpt_fd *f)
{
	struct tty_struct *master = ckpt_tty_of(f->file);
	struct pair p = { .ends = { master, master->link } };
	const char *why = read_pair(s, &p);
	int id = ckpt_tty_id(s, master), err = id < 0 ? id : 0;

	if (why)
		ckpt_save_refuse(s, "tty", "process %d: fd %u: /dev/pts/%d: %s: %s",
				 task_tgid_vnr(process->leader), f->fd, master->index, why,
				 "close it before the save");
	else if (!err)
		err = add_pair(s, &p, id);
	kvfree(p.data[0]);
	kvfree(p.data[1]);
	return err;
}

static int save_job(struct ckpt_saver *s)
{
	struct ckpt_process *p;
	struct ckpt_fd *f;
	int err = 0;

	ckpt_for_each_process(p, s->group)
		ckpt_for_each_file(f, &s->fds[p->number]) {
			const struct tty_struct *tty = ckpt_tty_of(f->file);

			if (tty && ckpt_tty_is_master(tty))
				err = err ?: save_pair(s, p, f);
		}
	return err;
}

/* --- verify --- */

/* The first CKPT_REC_FILE of a type that is an end of the pair. */
static const struct ckpt_record *find_end(struct ckpt_restorer *r, u32 id, u32 type)
{
	const struct ckpt_record *rec;

	ckpt_for_each_shared_record_of(rec, r, CKPT_REC_FILE) {
		const struct ckpt_image_file *i = rec->data;

		if (rec->len >= sizeof(*i) && i->type == type && i->object == id)
			return rec;
	}
	return NULL;
}

static const void *data_of(const struct ckpt_image_tty *i, unsigned int end)
{
	return i->data + (end == MASTER ? 0 : ckpt_ntty_len(&i->ends[MASTER]));
}

static int verify_ends(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_tty *i = rec->data;
	const char *why = NULL;
	unsigned int n;

	for (n = 0; n < 2 && !why; n++)
		why = ckpt_ntty_check(&i->ends[n], NULL);
	if (!why && sizeof(*i) + ckpt_ntty_len(&i->ends[MASTER]) + ckpt_ntty_len(&i->ends[SLAVE]) >
			    rec->len)
		why = "too short";
	for (n = 0; n < 2 && !why; n++)
		why = ckpt_ntty_check(&i->ends[n], data_of(i, n));
	return why ? ckpt_restore_error(r, -EBADMSG, "terminal %u: %s", rec->id, why) : 0;
}

static int verify(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_tty *i = rec->data;
	const struct ckpt_record *other, *master;

	master = rec->id ? find_end(r, rec->id, CKPT_FILE_PTMX) : NULL;
	if (!master)
		return ckpt_restore_error(r, -EBADMSG, "terminal %u: no file is its master",
					  rec->id);
	ckpt_for_each_shared_record_of(other, r, CKPT_REC_FILE) {
		const struct ckpt_image_file *file = other->data;

		if (other != master && other->len >= sizeof(*file) &&
		    file->type == CKPT_FILE_PTMX && file->object == rec->id)
			return ckpt_restore_error(r, -EBADMSG, "terminal %u: two masters", rec->id);
	}
	if (i->flags & ~FLAGS)
		return ckpt_restore_error(r, -EOPNOTSUPP, "terminal %u: unknown flags 0x%x",
					  rec->id, i->flags);
	if (i->index >= MAX_INDEX || i->packet_status > 0xff || i->mode & ~0777U ||
	    i->session < 0 || i->foreground < 0 || i->reserved || !uid_valid(KUIDT_INIT(i->uid)) ||
	    !gid_valid(KGIDT_INIT(i->gid)))
		return ckpt_restore_error(r, -EBADMSG, "terminal %u: bad number, owner or mode",
					  rec->id);
	return verify_ends(r, rec);
}

/* The session that has a terminal, and the processes that have it. */
static int verify_all(struct ckpt_restorer *r)
{
	const struct ckpt_record *rec;
	struct ckpt_restorer *p;

	ckpt_for_each_shared_record_of(rec, r, CKPT_REC_TTY) {
		const struct ckpt_image_tty *i = rec->data;

		if (i->session && !ckpt_restore_thread(r->job, i->session))
			return ckpt_restore_error(r, -EBADMSG, "terminal %u: no session %d",
						  rec->id, i->session);
	}
	ckpt_for_each_rprocess(p, r->job) {
		const struct ckpt_image_tty *i;

		if (!p->saved->tty)
			continue;
		rec = ckpt_restore_object(r, CKPT_REC_TTY, p->saved->tty);
		i = rec ? rec->data : NULL;
		if (!i || i->session != p->saved->sid)
			return ckpt_restore_error(r, -EBADMSG, "process %d: bad terminal %u",
						  p->saved->pid, p->saved->tty);
	}
	return 0;
}

/* --- open --- */

/* Masters that were opened on the way to the number that is wanted, by their numbers. */
static void drop_spare(struct xarray *spare)
{
	unsigned long index;
	struct file *file;

	xa_for_each(spare, index, file)
		fput(file);
	xa_destroy(spare);
}

/* The kernel gives the lowest number that is free. */
static struct file *open_master(struct ckpt_restorer *r, const struct ckpt_image_file *f, u32 index,
				struct xarray *spare)
{
	struct file *file = xa_erase(spare, index);
	const struct tty_struct *tty;
	int err;

	while (!file) {
		file = ckpt_path_open(r, f->path, f->flags, S_IFCHR, MKDEV(TTYAUX_MAJOR, 2));
		if (IS_ERR(file))
			return file;
		tty = ckpt_tty_of(file);
		if (tty && tty->index == index)
			break;
		err = !tty || tty->index > index || signal_pending(current) ? -EBUSY : 0;
		if (!err)
			err = xa_err(xa_store(spare, tty->index, file, GFP_KERNEL));
		if (err) {
			fput(file);
			ckpt_restore_error(r, err, "/dev/pts/%u: %s", index,
					   "another program has this terminal");
			return ERR_PTR(err);
		}
		file = NULL;
	}
	return file;
}

static struct tty_struct *swap_terminal(struct tty_struct *tty)
{
	struct sighand_struct *sighand = rcu_dereference_protected(current->sighand, true);

	spin_lock_irq(&sighand->siglock);
	swap(current->signal->tty, tty);
	spin_unlock_irq(&sighand->siglock);
	return tty;
}

/* /dev/tty leads to the controlling terminal of who opens it. */
static struct file *open_slave(struct ckpt_restorer *r, const struct ckpt_image_file *f,
			       struct tty_struct *slave)
{
	bool is_tty = f->major == TTYAUX_MAJOR;
	struct tty_struct *old = NULL;
	struct file *file;

	if (is_tty)
		old = swap_terminal(slave);
	file = ckpt_path_open(r, f->path, f->flags, S_IFCHR, MKDEV(f->major, f->minor));
	if (is_tty)
		swap_terminal(old);
	if (IS_ERR(file) || ckpt_tty_of(file) == slave)
		return file;
	fput(file);
	ckpt_restore_error(r, -ESTALE, "%s: is not the terminal /dev/pts/%d", f->path,
			   slave->index);
	return ERR_PTR(-ESTALE);
}

static int open_slaves(struct ckpt_restorer *r, u32 id, struct tty_struct *master)
{
	const struct ckpt_record *rec;
	struct file *file;
	int err;

	ckpt_for_each_shared_record_of(rec, r, CKPT_REC_FILE) {
		const struct ckpt_image_file *f = rec->data;

		if (f->type != CKPT_FILE_PTS || f->object != id)
			continue;
		file = open_slave(r, f, master->link);
		if (IS_ERR(file))
			return PTR_ERR(file);
		err = ckpt_objtab_put_file(r->objects, rec->id, file);
		if (err)
			return err;
	}
	return 0;
}

static int open_pair(struct ckpt_restorer *r, const struct ckpt_record *rec, struct xarray *spare)
{
	const struct ckpt_record *end = find_end(r, rec->id, CKPT_FILE_PTMX);
	const struct ckpt_image_tty *i = rec->data;
	struct tty_struct *master;
	struct dentry *name;
	struct file *file;
	int err;

	file = open_master(r, end->data, i->index, spare);
	if (IS_ERR(file))
		return PTR_ERR(file);
	err = ckpt_objtab_put_file(r->objects, end->id, file);
	if (err)
		return err;
	master = ckpt_tty_of(file);
	name = master->link->driver_data;
	if (name) {
		d_inode(name)->i_uid = KUIDT_INIT(i->uid);
		d_inode(name)->i_gid = KGIDT_INIT(i->gid);
		d_inode(name)->i_mode = S_IFCHR | i->mode;
	}
	clear_bit(TTY_PTY_LOCK, &master->flags);
	return open_slaves(r, rec->id, master);
}

static int open(struct ckpt_restorer *r)
{
	const struct ckpt_record *rec;
	struct xarray spare;
	int err = 0;

	xa_init(&spare);
	ckpt_for_each_shared_record_of(rec, r, CKPT_REC_TTY) {
		err = open_pair(r, rec, &spare);
		if (err)
			break;
		cond_resched();
	}
	drop_spare(&spare);
	return err;
}

/* --- settle --- */

static void set_session(struct tty_struct *slave, const struct ckpt_image_tty *i)
{
	struct pid *session = find_get_pid(i->session), *foreground = find_get_pid(i->foreground);

	spin_lock_irq(&slave->ctrl.lock);
	swap(slave->ctrl.session, session);
	swap(slave->ctrl.pgrp, foreground);
	spin_unlock_irq(&slave->ctrl.lock);
	put_pid(session);
	put_pid(foreground);
}

static void set_settings(struct tty_struct *master, const struct ckpt_image_tty *i)
{
	struct winsize size = {
		.ws_row = i->rows,
		.ws_col = i->columns,
		.ws_xpixel = i->width,
		.ws_ypixel = i->height,
	};

	mutex_lock(&master->winsize_mutex);
	master->winsize = size;
	master->link->winsize = size;
	mutex_unlock(&master->winsize_mutex);
	spin_lock_irq(&master->link->ctrl.lock);
	master->link->ctrl.pktstatus = i->packet_status;
	spin_unlock_irq(&master->link->ctrl.lock);
	spin_lock_irq(&master->ctrl.lock);
	master->ctrl.packet = i->flags & CKPT_TTY_PACKET;
	spin_unlock_irq(&master->ctrl.lock);
	if (i->flags & CKPT_TTY_LOCKED)
		set_bit(TTY_PTY_LOCK, &master->flags);
}

static int settle_pair(struct tty_struct *master, const struct ckpt_image_tty *i)
{
	struct tty_struct *ends[2] = { master, master->link };
	unsigned int n;
	int err = 0;

	for (n = 0; n < 2 && !err; n++)
		err = ckpt_ntty_restore(ends[n], &i->ends[n], data_of(i, n));
	for (n = 0; n < 2 && !err; n++)
		err = ckpt_ntty_complete(ends[n], &i->ends[n], data_of(i, n));
	set_settings(master, i);
	if (i->session)
		set_session(master->link, i);
	return err;
}

static struct tty_struct *master_of(struct ckpt_restorer *r, u32 id)
{
	const struct ckpt_record *end = find_end(r, id, CKPT_FILE_PTMX);

	return ckpt_tty_of(ckpt_objtab_file(r->objects, end->id));
}

/*
 * A session that came with the job has no other terminal than one of the job; one that was there
 * before has that of the tool.
 */
static void set_terminal(struct ckpt_restorer *r)
{
	struct task_struct *leader = r->threads[0].task;
	struct sighand_struct *sighand;
	struct tty_struct *tty = NULL;

	if (ckpt_restorer_is_zombie(r) || r->saved->flags & CKPT_PROCESS_SESSION_OUTSIDE)
		return;
	if (r->saved->tty)
		tty = tty_kref_get(master_of(r, r->saved->tty)->link);
	/* A process that is being killed keeps its sighand under this lock. */
	ckpt_tasklist_lock();
	sighand = rcu_dereference_protected(leader->sighand, true);
	if (sighand) {
		spin_lock(&sighand->siglock);
		swap(leader->signal->tty, tty);
		spin_unlock(&sighand->siglock);
	}
	ckpt_tasklist_unlock();
	tty_kref_put(tty);
}

static int settle(struct ckpt_rjob *job)
{
	struct ckpt_restorer *r = job->processes;
	const struct ckpt_record *rec;
	int err;

	ckpt_for_each_shared_record_of(rec, r, CKPT_REC_TTY) {
		const struct ckpt_image_tty *i = rec->data;

		err = settle_pair(master_of(r, rec->id), i);
		if (err)
			return ckpt_restore_error(r, err, "/dev/pts/%u: cannot be set: error %d",
						  i->index, -err);
	}
	ckpt_for_each_rprocess(r, job)
		set_terminal(r);
	return 0;
}

const struct ckpt_kind ckpt_kind_tty = {
	.name = "tty",
	.type = CKPT_REC_TTY,
	.version = 1,
	.oldest = 1,
	.min_len = sizeof(struct ckpt_image_tty),
	.count = CKPT_ANY,
	.shared = true,
	.save_job = save_job,
	.verify = verify,
	.verify_all = verify_all,
	.open = open,
	.settle = settle,
};
