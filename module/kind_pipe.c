// SPDX-License-Identifier: GPL-2.0-only
/* Kind: pipes that begin and end in the job, with what is in them. */

#include <linux/cred.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/log2.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/pipe_fs_i.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/stat.h>
#include <linux/string.h>
#include <linux/uidgid.h>
#include <linux/unistd.h>

#include "compat.h"
#include "fds.h"
#include "kinds.h"
#include "ksyms.h"
#include "path.h"
#include "restorer.h"
#include "saver.h"

static bool is_pipe(const struct file *file)
{
	const struct inode *inode = file_inode(file);

	return S_ISFIFO(inode->i_mode) && inode->i_sb->s_magic == PIPEFS_MAGIC &&
	       !(file->f_mode & FMODE_PATH);
}

/* What the job has of a pipe. */
struct ends {
	const struct ckpt_fd *fd; /* one of its descriptors */
	struct ckpt_process *process; /* which has that; NULL: it is in flight */
	unsigned int readers, writers;
	bool shared; /* with somebody outside */
};

/* Whether every end of the pipe is a descriptor of the job and of nobody else. */
static bool is_inside(const struct ends *e, const struct pipe_inode_info *pipe)
{
	return !e->shared && e->readers == READ_ONCE(pipe->readers) &&
	       e->writers == READ_ONCE(pipe->writers);
}

static struct pipe_buffer *nth_buffer(const struct pipe_inode_info *pipe, unsigned int n)
{
	return &pipe->bufs[(pipe->tail + n) & (pipe->ring_size - 1)];
}

/* Counts buffers and bytes, and makes the bytes be there; says what cannot be saved. */
static const char *measure(struct pipe_inode_info *pipe, unsigned int *nr, size_t *bytes)
{
	unsigned int n;

	*nr = 0;
	*bytes = 0;
	for (n = 0; n < pipe->head - pipe->tail; n++) {
		struct pipe_buffer *b = nth_buffer(pipe, n);

		if (pipe_buf_confirm(pipe, b))
			return "what was spliced into it cannot be read";
		if (b->len > PAGE_SIZE)
			return "a buffer that was spliced into it is too large";
		*nr += b->len > 0;
		*bytes += b->len;
	}
	if (sizeof(struct ckpt_image_pipe) + *nr * sizeof(struct ckpt_image_pipe_buffer) + *bytes >
	    CKPT_IMAGE_MAX_RECORD)
		return "there is too much in it";
	return NULL;
}

static void fill_record(const struct pipe_inode_info *pipe, struct ckpt_image_pipe *i)
{
	void *data = &i->buffers[i->nr_buffers];
	struct ckpt_image_pipe_buffer *to = i->buffers;
	unsigned int n;

	for (n = 0; n < pipe->head - pipe->tail; n++) {
		const struct pipe_buffer *b = nth_buffer(pipe, n);

		if (!b->len)
			continue;
		to->len = b->len;
		if (b->flags & PIPE_BUF_FLAG_PACKET)
			to->flags |= CKPT_PIPE_PACKET;
		if (b->flags & PIPE_BUF_FLAG_CAN_MERGE)
			to->flags |= CKPT_PIPE_MERGE;
		memcpy(data, page_address(b->page) + b->offset, b->len);
		data += b->len;
		to++;
	}
}

/* Under the lock of the pipe. */
static int save_locked(struct ckpt_saver *s, const struct ckpt_fd *f, const char *name, u32 id)
{
	const struct inode *inode = file_inode(f->file);
	struct pipe_inode_info *pipe = f->file->private_data;
	char text[CKPT_FD_TEXT_LEN];
	struct ckpt_image_pipe *i;
	const char *why;
	unsigned int nr;
	size_t bytes;

	why = pipe_has_watch_queue(pipe) ? "notifications are not supported" :
					   measure(pipe, &nr, &bytes);
	/* Nobody has a descriptor to set it by. */
	if (!why && f->fd == CKPT_FD_IN_FLIGHT && pipe->max_usage != PIPE_DEF_BUFFERS)
		why = "its size was changed";
	if (why) {
		ckpt_save_refuse(s, "pipe", "%s: %s: %s: empty and close it before the save",
				 ckpt_fd_text(f, text, sizeof(text)), name, why);
		return 0;
	}
	i = ckpt_save_record(s, &ckpt_kind_pipe, 0, id,
			     sizeof(*i) + nr * sizeof(i->buffers[0]) + bytes);
	if (IS_ERR(i))
		return PTR_ERR(i);
	i->nr_slots = pipe->max_usage;
	i->nr_buffers = nr;
	i->uid = __kuid_val(inode->i_uid);
	i->gid = __kgid_val(inode->i_gid);
	i->mode = inode->i_mode & 0777;
	fill_record(pipe, i);
	return 0;
}

static int save_pipe(struct ckpt_saver *s, const struct ends *e, u32 id)
{
	struct pipe_inode_info *pipe = e->fd->file->private_data;
	char *name = ckpt_path_name(&e->fd->file->f_path);
	char text[CKPT_FD_TEXT_LEN];
	int err = 0;

	if (IS_ERR(name))
		return PTR_ERR(name);
	if (!is_inside(e, pipe)) {
		/* Its lock may be held by a stranger for long. */
		ckpt_save_refuse(s, "pipe", "process %d: %s: %s: %s",
				 e->process ? task_tgid_vnr(e->process->leader) : 0,
				 ckpt_fd_text(e->fd, text, sizeof(text)), name,
				 "its other end is outside of the job: use a file");
	} else {
		pipe_lock(pipe);
		err = save_locked(s, e->fd, name, id);
		pipe_unlock(pipe);
	}
	kfree(name);
	return err;
}

/* Counts the ends that are descriptors of one process, or without one that are in flight. */
static int count_ends(struct ckpt_saver *s, struct ckpt_process *p, struct xarray *pipes)
{
	struct ckpt_fds *list = p ? &s->fds[p->number] : ckpt_fds_in_flight(s->fds);
	struct ckpt_fd *f;
	struct ends *e;
	bool is_new;
	int id;

	ckpt_for_each_file(f, list) {
		if (!is_pipe(f->file))
			continue;
		id = ckpt_objtab_id(&s->objects, f->file->private_data, &is_new);
		if (id < 0)
			return id;
		e = xa_load(pipes, id);
		if (!e) {
			e = kzalloc(sizeof(*e), GFP_KERNEL);
			if (!e || xa_err(xa_store(pipes, id, e, GFP_KERNEL))) {
				kfree(e);
				return -ENOMEM;
			}
			e->fd = f;
			e->process = p;
		}
		e->shared = e->shared || ckpt_fd_is_shared(f);
		e->readers += !!(f->file->f_mode & FMODE_READ);
		e->writers += !!(f->file->f_mode & FMODE_WRITE);
	}
	return 0;
}

static int save_job(struct ckpt_saver *s)
{
	struct ckpt_process *p;
	struct xarray pipes;
	unsigned long id;
	struct ends *e;
	int err = 0;

	xa_init(&pipes);
	ckpt_for_each_process(p, s->group)
		err = err ?: count_ends(s, p, &pipes);
	err = err ?: count_ends(s, NULL, &pipes);
	xa_for_each(&pipes, id, e) {
		err = err ?: save_pipe(s, e, id);
		kfree(e);
	}
	xa_destroy(&pipes);
	return err;
}

static int verify_buffers(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_pipe *i = rec->data;
	u64 need = sizeof(*i) + (u64)i->nr_buffers * sizeof(i->buffers[0]);
	u32 n;

	if (need > rec->len)
		return ckpt_restore_error(r, -EBADMSG, "pipe %u: too short", rec->id);
	for (n = 0; n < i->nr_buffers; n++) {
		if (i->buffers[n].flags & ~(CKPT_PIPE_PACKET | CKPT_PIPE_MERGE))
			return ckpt_restore_error(r, -EOPNOTSUPP, "pipe %u: unknown flags 0x%x",
						  rec->id, i->buffers[n].flags);
		if (!i->buffers[n].len || i->buffers[n].len > PAGE_SIZE)
			return ckpt_restore_error(r, -EBADMSG, "pipe %u: bad length %u", rec->id,
						  i->buffers[n].len);
		need += i->buffers[n].len;
	}
	if (need > rec->len)
		return ckpt_restore_error(r, -EBADMSG, "pipe %u: too short", rec->id);
	return 0;
}

/* The first CKPT_REC_FILE that is an end of the pipe. */
static const struct ckpt_record *an_end(struct ckpt_restorer *r, u32 pipe)
{
	const struct ckpt_record *rec;

	ckpt_for_each_shared_record_of(rec, r, CKPT_REC_FILE) {
		const struct ckpt_image_file *i = rec->data;

		if (rec->len >= sizeof(*i) && i->type == CKPT_FILE_PIPE && i->object == pipe)
			return rec;
	}
	return NULL;
}

static int verify(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_pipe *i = rec->data;

	if (!rec->id || !an_end(r, rec->id))
		return ckpt_restore_error(r, -EBADMSG, "pipe %u: no file is its end", rec->id);
	if (!is_power_of_2(i->nr_slots) || i->nr_slots > CKPT_PIPE_MAX_SLOTS ||
	    i->nr_buffers > i->nr_slots)
		return ckpt_restore_error(r, -EBADMSG, "pipe %u: bad size %u", rec->id,
					  i->nr_slots);
	if (i->mode & ~0777U || i->reserved || !uid_valid(KUIDT_INIT(i->uid)) ||
	    !gid_valid(KGIDT_INIT(i->gid)))
		return ckpt_restore_error(r, -EBADMSG, "pipe %u: bad owner or mode", rec->id);
	return verify_buffers(r, rec);
}

/* Opens all descriptions of a pipe through @path, which leads to one of its ends. */
static int open_ends(struct ckpt_restorer *r, u32 pipe, const struct path *path)
{
	const struct ckpt_record *rec;
	struct file *file;
	int err;

	ckpt_for_each_shared_record_of(rec, r, CKPT_REC_FILE) {
		const struct ckpt_image_file *i = rec->data;

		if (i->type != CKPT_FILE_PIPE || i->object != pipe)
			continue;
		/* open() does not know O_DIRECT of pipes: it stands for packets. */
		file = dentry_open(path, i->flags & ~O_DIRECT, current_cred());
		if (IS_ERR(file))
			return ckpt_restore_error(r, PTR_ERR(file), "%s: no end of it: error %ld",
						  i->path, -PTR_ERR(file));
		file->f_mode |= CKPT_PIPE_FMODE;
		file->f_flags |= i->flags & O_DIRECT;
		err = ckpt_objtab_put_file(r->objects, rec->id, file);
		if (err)
			return err;
	}
	return 0;
}

static int open(struct ckpt_restorer *r)
{
	const struct ckpt_record *rec;
	struct file *ends[2];
	int err;

	ckpt_for_each_shared_record_of(rec, r, CKPT_REC_PIPE) {
		const struct ckpt_image_pipe *i = rec->data;
		struct inode *inode;

		err = ckpt_create_pipe_files(ends, 0);
		if (err)
			return ckpt_restore_error(r, err, "pipe %u: cannot be made: error %d",
						  rec->id, -err);
		inode = file_inode(ends[0]);
		inode->i_uid = KUIDT_INIT(i->uid);
		inode->i_gid = KGIDT_INIT(i->gid);
		inode->i_mode = S_IFIFO | i->mode;
		err = open_ends(r, rec->id, &ends[0]->f_path);
		/* Gone before the job runs: an end too many would hide the end of file. */
		fput(ends[0]);
		fput(ends[1]);
		if (err)
			return err;
	}
	return 0;
}

static struct file *end_file(struct ckpt_restorer *r, u32 pipe)
{
	const struct ckpt_record *end = an_end(r, pipe);

	return end ? ckpt_objtab_file(r->objects, end->id) : NULL;
}

/* Only the system call keeps account of a pipe's size. */
static int script(struct ckpt_restorer *r)
{
	const struct ckpt_record *rec;
	int fd, err;

	ckpt_for_each_shared_record_of(rec, r, CKPT_REC_PIPE) {
		const struct ckpt_image_pipe *i = rec->data;
		const struct pipe_inode_info *pipe = end_file(r, rec->id)->private_data;

		if (pipe->max_usage == i->nr_slots)
			continue;
		fd = ckpt_fd_of_file(r, an_end(r, rec->id)->id);
		if (fd < 0)
			continue;
		err = ckpt_script_add(&r->script, __NR_fcntl, fd, F_SETPIPE_SZ,
				      (u64)i->nr_slots * PAGE_SIZE, 0, 0, 0);
		if (err)
			return err;
	}
	return 0;
}

/* Under the lock of the pipe. */
static int fill_pipe(struct pipe_inode_info *pipe, const struct ckpt_image_pipe *i)
{
	const void *data = &i->buffers[i->nr_buffers];
	u32 n;

	for (n = 0; n < i->nr_buffers; n++) {
		const struct ckpt_image_pipe_buffer *from = &i->buffers[n];
		struct page *page;

		if (pipe_full(pipe->head, pipe->tail, pipe->max_usage))
			return -ENOSPC;
		page = alloc_page(GFP_KERNEL_ACCOUNT);
		if (!page)
			return -ENOMEM;
		memcpy(page_address(page), data, from->len);
		data += from->len;
		pipe->bufs[pipe->head & (pipe->ring_size - 1)] = (struct pipe_buffer){
			.page = page,
			.len = from->len,
			.ops = &nosteal_pipe_buf_ops,
			.flags = (from->flags & CKPT_PIPE_PACKET ? PIPE_BUF_FLAG_PACKET : 0) |
				 (from->flags & CKPT_PIPE_MERGE ? PIPE_BUF_FLAG_CAN_MERGE : 0),
		};
		pipe->head++;
	}
	return 0;
}

/* Puts the buffers back as they were: written anew they might find no room. */
static int settle(struct ckpt_rjob *job)
{
	struct ckpt_restorer *r = job->processes;
	const struct ckpt_record *rec;
	int err;

	ckpt_for_each_shared_record_of(rec, r, CKPT_REC_PIPE) {
		struct pipe_inode_info *pipe = end_file(r, rec->id)->private_data;

		pipe_lock(pipe);
		err = fill_pipe(pipe, rec->data);
		pipe_unlock(pipe);
		if (err)
			return ckpt_restore_error(r, err, "pipe %u: cannot be filled: error %d",
						  rec->id, -err);
	}
	return 0;
}

const struct ckpt_kind ckpt_kind_pipe = {
	.name = "pipe",
	.type = CKPT_REC_PIPE,
	.version = 1,
	.oldest = 1,
	.min_len = sizeof(struct ckpt_image_pipe),
	.count = CKPT_ANY,
	.shared = true,
	.save_job = save_job,
	.verify = verify,
	.open = open,
	.script = script,
	.settle = settle,
};
