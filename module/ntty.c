// SPDX-License-Identifier: GPL-2.0-only
/* One end of a terminal: its settings, and the queues that its line discipline N_TTY has. */

#include "ntty.h"

#include <linux/bitmap.h>
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/termios.h>
#include <linux/tty.h>
#include <linux/tty_flip.h>
#include <linux/tty_ldisc.h>
#include <linux/workqueue.h>

#define MASK (N_TTY_BUF_SIZE - 1)
#define FLAGS                                                                                     \
	(CKPT_TTY_END_LNEXT | CKPT_TTY_END_ERASING | CKPT_TTY_END_PUSH | CKPT_TTY_END_EXCLUSIVE | \
	 CKPT_TTY_END_STOPPED | CKPT_TTY_END_STOPPED_BY_PROGRAM | CKPT_TTY_END_CLOSED)

static_assert(CKPT_TTY_QUEUE == N_TTY_BUF_SIZE);
static_assert(sizeof_field(struct ckpt_image_termios, cc) == NCCS);

/*
 * The beginning of struct n_tty_data, which drivers/tty/n_tty.c keeps to itself, as it is from 6.1
 * to 6.12. Positions count on; their low bits are the place in the ring.
 */
struct n_tty_data {
	size_t read_head;
	size_t commit_head;
	size_t canon_head;
	size_t echo_head;
	size_t echo_commit;
	size_t echo_mark;
	DECLARE_BITMAP(char_map, 256);
	unsigned long overrun_time;
	unsigned int num_overrun;
	bool no_room;
	unsigned char lnext : 1, erasing : 1, raw : 1, real_raw : 1, icanon : 1;
	unsigned char push : 1;
	u8 read_buf[N_TTY_BUF_SIZE];
	DECLARE_BITMAP(read_flags, N_TTY_BUF_SIZE);
	u8 echo_buf[N_TTY_BUF_SIZE];
	size_t read_tail;
	size_t line_start;
	size_t lookahead_count;
	unsigned int column;
	unsigned int canon_column;
	size_t echo_tail;
};

/* Where the queues of an end are in its data. */
struct queues {
	u8 *read;
	u8 *marks; /* 1 where a line ends */
	u8 *echo;
	u8 *waiting;
};

static struct queues queues_of(const struct ckpt_image_tty_end *i, const void *data)
{
	struct queues q = { .read = (u8 *)data };

	q.marks = q.read + i->nr_read;
	q.echo = q.marks + i->nr_read;
	q.waiting = q.echo + i->nr_echo;
	return q;
}

size_t ckpt_ntty_len(const struct ckpt_image_tty_end *i)
{
	return 2UL * i->nr_read + i->nr_echo + i->nr_waiting;
}

static void save_termios(struct ckpt_image_termios *to, const struct ktermios *from)
{
	to->iflag = from->c_iflag;
	to->oflag = from->c_oflag;
	to->cflag = from->c_cflag;
	to->lflag = from->c_lflag;
	to->line = from->c_line;
	memcpy(to->cc, from->c_cc, sizeof(to->cc));
	to->ispeed = from->c_ispeed;
	to->ospeed = from->c_ospeed;
}

static void load_termios(struct ktermios *to, const struct ckpt_image_termios *from)
{
	to->c_iflag = from->iflag;
	to->c_oflag = from->oflag;
	to->c_cflag = from->cflag;
	to->c_lflag = from->lflag;
	to->c_line = from->line;
	memcpy(to->c_cc, from->cc, sizeof(to->c_cc));
	to->c_ispeed = from->ispeed;
	to->c_ospeed = from->ospeed;
}

/*
 * A position that is not kept up in the present mode may be anywhere: then it is taken for @other.
 */
static u32 distance(size_t from, size_t to, u32 limit, u32 other)
{
	return to - from <= limit ? to - from : other;
}

static void measure(struct tty_struct *tty, struct ckpt_image_tty_end *i)
{
	const struct n_tty_data *n = tty->disc_data;
	const struct tty_buffer *b;

	i->nr_read = n->read_head - n->read_tail;
	i->nr_canon = distance(n->read_tail, n->canon_head, i->nr_read, 0);
	i->nr_committed = distance(n->read_tail, n->commit_head, i->nr_read, 0);
	i->nr_echo = n->echo_head - n->echo_tail;
	i->nr_echo_committed = distance(n->echo_tail, n->echo_commit, i->nr_echo, 0);
	i->nr_echo_marked = distance(n->echo_tail, n->echo_mark, i->nr_echo, i->nr_echo);
	for (b = tty->port->buf.head; b; b = b->next)
		i->nr_waiting += b->commit - b->read;
}

static void copy_queues(struct tty_struct *tty, const struct ckpt_image_tty_end *i, void *data)
{
	const struct n_tty_data *n = tty->disc_data;
	struct queues q = queues_of(i, data);
	struct tty_buffer *b;
	u32 k;

	for (k = 0; k < i->nr_read; k++) {
		q.read[k] = n->read_buf[(n->read_tail + k) & MASK];
		q.marks[k] = test_bit((n->read_tail + k) & MASK, n->read_flags);
	}
	for (k = 0; k < i->nr_echo; k++)
		q.echo[k] = n->echo_buf[(n->echo_tail + k) & MASK];
	for (b = tty->port->buf.head; b; b = b->next) {
		memcpy(q.waiting, char_buf_ptr(b, b->read), b->commit - b->read);
		q.waiting += b->commit - b->read;
	}
}

static u32 flags_of(const struct tty_struct *tty)
{
	const struct n_tty_data *n = tty->disc_data;

	return (n->lnext ? CKPT_TTY_END_LNEXT : 0) | (n->erasing ? CKPT_TTY_END_ERASING : 0) |
	       (n->push ? CKPT_TTY_END_PUSH : 0) |
	       (test_bit(TTY_EXCLUSIVE, &tty->flags) ? CKPT_TTY_END_EXCLUSIVE : 0) |
	       (tty->flow.stopped ? CKPT_TTY_END_STOPPED : 0) |
	       (tty->flow.tco_stopped ? CKPT_TTY_END_STOPPED_BY_PROGRAM : 0) |
	       (test_bit(TTY_IO_ERROR, &tty->flags) ? CKPT_TTY_END_CLOSED : 0);
}

/* With the line discipline held, and nobody who moves the queues. */
static const char *save_locked(struct tty_struct *tty, struct ckpt_image_tty_end *i, void **data)
{
	const struct n_tty_data *n = tty->disc_data;

	save_termios(&i->termios, &tty->termios);
	save_termios(&i->locked, &tty->termios_locked);
	i->flags = flags_of(tty);
	i->column = n->column;
	i->canon_column = n->canon_column;
	measure(tty, i);
	if (ckpt_ntty_check(i, NULL) || n->icanon != !!L_ICANON(tty))
		return "it is in a state that is not known";
	*data = kvzalloc(ckpt_ntty_len(i) + 1, GFP_KERNEL);
	if (!*data)
		return "no memory";
	copy_queues(tty, i, *data);
	return NULL;
}

const char *ckpt_ntty_save(struct tty_struct *tty, struct ckpt_image_tty_end *i, void **data)
{
	struct tty_ldisc *ldisc = tty_ldisc_ref(tty);
	const char *why = "its line discipline is not N_TTY";

	if (!ldisc)
		return "it was hung up";
	if (ldisc->ops->num == N_TTY) {
		/*
		 * What has room in the queue gets there; the rest waits in the order of its coming.
		 */
		flush_work(&tty->port->buf.work);
		tty_buffer_lock_exclusive(tty->port);
		down_read(&tty->termios_rwsem);
		why = save_locked(tty, i, data);
		up_read(&tty->termios_rwsem);
		tty_buffer_unlock_exclusive(tty->port);
	}
	tty_ldisc_deref(ldisc);
	return why;
}

const char *ckpt_ntty_check(const struct ckpt_image_tty_end *i, const void *data)
{
	struct queues q = queues_of(i, data);
	u32 k;

	if (i->nr_read > CKPT_TTY_QUEUE || i->nr_echo > CKPT_TTY_QUEUE ||
	    i->nr_waiting > CKPT_TTY_MAX_WAITING)
		return "too much in its queues";
	if (i->nr_canon > i->nr_read || i->nr_committed > i->nr_read ||
	    i->nr_echo_committed > i->nr_echo || i->nr_echo_marked > i->nr_echo)
		return "bad place in a queue";
	if (i->flags & ~FLAGS)
		return "unknown flags";
	if (i->termios.line != N_TTY)
		return "unknown line discipline";
	for (k = 0; data && k < i->nr_read; k++)
		if (q.marks[k] > 1)
			return "bad end of a line";
	return NULL;
}

/* The positions begin at one turn of the ring. */
static void fill(struct n_tty_data *n, const struct ckpt_image_tty_end *i, const void *data)
{
	const struct queues q = queues_of(i, data);
	const size_t start = N_TTY_BUF_SIZE;

	memcpy(n->read_buf, q.read, i->nr_read);
	memcpy(n->echo_buf, q.echo, i->nr_echo);
	bitmap_zero(n->read_flags, N_TTY_BUF_SIZE);
	for (u32 k = 0; k < i->nr_read; k++)
		if (q.marks[k])
			__set_bit(k, n->read_flags);
	n->read_tail = start;
	n->line_start = start;
	n->read_head = start + i->nr_read;
	n->canon_head = start + i->nr_canon;
	n->commit_head = start + i->nr_committed;
	n->echo_tail = start;
	n->echo_head = start + i->nr_echo;
	n->echo_commit = start + i->nr_echo_committed;
	n->echo_mark = start + i->nr_echo_marked;
	n->lnext = !!(i->flags & CKPT_TTY_END_LNEXT);
	n->erasing = !!(i->flags & CKPT_TTY_END_ERASING);
	n->push = !!(i->flags & CKPT_TTY_END_PUSH);
	n->column = i->column;
	n->canon_column = i->canon_column;
}

static void set_flag(struct tty_struct *tty, int bit, bool value)
{
	if (value)
		set_bit(bit, &tty->flags);
	else
		clear_bit(bit, &tty->flags);
}

int ckpt_ntty_restore(struct tty_struct *tty, const struct ckpt_image_tty_end *i, const void *data)
{
	struct tty_ldisc *ldisc = tty_ldisc_ref_wait(tty);

	if (!ldisc || ldisc->ops->num != N_TTY) {
		if (ldisc)
			tty_ldisc_deref(ldisc);
		return -EIO;
	}
	down_write(&tty->termios_rwsem);
	load_termios(&tty->termios, &i->termios);
	load_termios(&tty->termios_locked, &i->locked);
	/* As for a new terminal: what it does on each character follows from the settings. */
	ldisc->ops->set_termios(tty, NULL);
	fill(tty->disc_data, i, data);
	up_write(&tty->termios_rwsem);
	tty_ldisc_deref(ldisc);
	set_flag(tty, TTY_EXCLUSIVE, i->flags & CKPT_TTY_END_EXCLUSIVE);
	return 0;
}

int ckpt_ntty_complete(struct tty_struct *tty, const struct ckpt_image_tty_end *i, const void *data)
{
	const struct queues q = queues_of(i, data);

	if (i->nr_waiting) {
		if (tty_insert_flip_string(tty->port, q.waiting, i->nr_waiting) != i->nr_waiting)
			return -ENOSPC;
		tty_flip_buffer_push(tty->port);
		flush_work(&tty->port->buf.work);
	}
	spin_lock_irq(&tty->flow.lock);
	tty->flow.stopped = i->flags & CKPT_TTY_END_STOPPED;
	tty->flow.tco_stopped = i->flags & CKPT_TTY_END_STOPPED_BY_PROGRAM;
	spin_unlock_irq(&tty->flow.lock);
	if (i->flags & CKPT_TTY_END_CLOSED) {
		set_bit(TTY_IO_ERROR, &tty->flags);
		set_bit(TTY_OTHER_CLOSED, &tty->link->flags);
	}
	return 0;
}

void ckpt_ntty_save_termios(struct tty_struct *tty, struct ckpt_image_termios *i)
{
	down_read(&tty->termios_rwsem);
	save_termios(i, &tty->termios);
	up_read(&tty->termios_rwsem);
}

void ckpt_ntty_set_termios(struct tty_struct *tty, const struct ckpt_image_termios *i)
{
	struct ktermios new;

	load_termios(&new, i);
	new.c_line = tty->termios.c_line;
	tty_set_termios(tty, &new);
}
