// SPDX-License-Identifier: GPL-2.0-only
/* Types of open files: the ends of pseudo-terminals in the job. The tty kind opens them. */

#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/major.h>
#include <linux/tty.h>

#include "file_types.h"
#include "image_read.h"
#include "path.h"
#include "restorer.h"
#include "saver.h"
#include "tty_pair.h"

static bool recognise_master(struct ckpt_saver *s, const struct file *file)
{
	const struct tty_struct *tty = ckpt_tty_of(file);

	return tty && ckpt_tty_is_master(tty);
}

static bool recognise_slave(struct ckpt_saver *s, const struct file *file)
{
	const struct tty_struct *tty = ckpt_tty_of(file);
	struct ckpt_process *p;

	return tty && !ckpt_tty_is_master(tty) && !tty_hung_up_p((struct file *)file) &&
	       ckpt_tty_master_of(s, tty, &p);
}

static int save(struct ckpt_saver *s, const struct ckpt_fd *f, struct ckpt_image_file *i,
		struct ckpt_file_own *own)
{
	const char *why = ckpt_path_obstacle(&f->file->f_path, i->path);
	int id;

	if (why) {
		ckpt_save_refuse(s, "file", "fd %u: %s: %s: close it before the save", f->fd,
				 i->path, why);
		return 0;
	}
	id = ckpt_tty_id(s, ckpt_tty_of(f->file));
	if (id < 0)
		return id;
	i->object = id;
	i->major = MAJOR(file_inode(f->file)->i_rdev);
	i->minor = MINOR(file_inode(f->file)->i_rdev);
	return 0;
}

static int verify(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_file *i = rec->data;
	bool is_tty = i->major == TTYAUX_MAJOR && !i->minor;
	bool is_master = i->major == TTYAUX_MAJOR && i->minor == 2;

	if (i->type == CKPT_FILE_PTMX ? !is_master : !is_tty && i->major != UNIX98_PTY_SLAVE_MAJOR)
		return ckpt_restore_error(r, -EBADMSG, "%s: bad device %u:%u", i->path, i->major,
					  i->minor);
	if (i->path[0] == '/' && ckpt_restore_object(r, CKPT_REC_TTY, i->object))
		return 0;
	return ckpt_restore_error(r, -EBADMSG, "%s: bad object %u", i->path, i->object);
}

const struct ckpt_file_type ckpt_file_ptmx = {
	.type = CKPT_FILE_PTMX,
	.recognise = recognise_master,
	.save = save,
	.verify = verify,
};

const struct ckpt_file_type ckpt_file_pts = {
	.type = CKPT_FILE_PTS,
	.recognise = recognise_slave,
	.save = save,
	.verify = verify,
};
