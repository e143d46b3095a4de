// SPDX-License-Identifier: GPL-2.0-only
/* The ioctls of /dev/ckpt: one table, one handler a row. */

#include "ioctl.h"

#include <linux/capability.h>
#include <linux/ckpt.h>
#include <linux/ckpt_image.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "group.h"
#include "request.h"
#include "restart_signal.h"
#include "restore.h"
#include "restorer.h"
#include "save.h"

#define DEFAULT_TIMEOUT_MS 10000
#define MAX_TIMEOUT_MS 600000

/* Any argument; each starts with the same two fields. */
union ucmd {
	struct {
		__u32 size;
		__u32 flags;
	} head;
	struct ckpt_info info;
	struct ckpt_freeze freeze;
	struct ckpt_status status;
	struct ckpt_save save;
	struct ckpt_thaw thaw;
	struct ckpt_kill kill;
	struct ckpt_open_image open_image;
	struct ckpt_tasks tasks;
	struct ckpt_restore restore;
	struct ckpt_wait wait;
	struct ckpt_restart_signal restart_signal;
};

static_assert(sizeof(struct ckpt_info) == 56);
static_assert(sizeof(struct ckpt_freeze) == 40);
static_assert(sizeof(struct ckpt_status) == 24);
static_assert(sizeof(struct ckpt_save) == 40);
static_assert(sizeof(struct ckpt_thaw) == 8);
static_assert(sizeof(struct ckpt_kill) == 16);
static_assert(sizeof(struct ckpt_open_image) == 40);
static_assert(sizeof(struct ckpt_tasks) == 56);
static_assert(sizeof(struct ckpt_restore) == 24);
static_assert(sizeof(struct ckpt_wait) == 16);
static_assert(sizeof(struct ckpt_restart_signal) == 16);

static int info(struct ckpt_request *req, union ucmd *u)
{
	struct ckpt_info *arg = &u->info;

	arg->abi_version = CKPT_ABI_VERSION;
	arg->image_version = CKPT_IMAGE_VERSION;
	arg->capabilities = CKPT_CAP_SAVE | CKPT_CAP_RESTORE | CKPT_CAP_RESTART_SIGNAL;
	strscpy_pad(arg->module_version, THIS_MODULE->version, sizeof(arg->module_version));
	return 0;
}

static int freeze(struct ckpt_request *req, union ucmd *u)
{
	struct ckpt_freeze *arg = &u->freeze;
	unsigned int timeout = arg->timeout_ms ?: DEFAULT_TIMEOUT_MS;
	u64 start = ktime_get_ns();
	struct ckpt_select select;
	struct ckpt_group *g;
	int err;

	if (arg->reserved)
		return -EOPNOTSUPP;
	if (timeout > MAX_TIMEOUT_MS || arg->select > CKPT_SELECT_CGROUP)
		return -EINVAL;
	if (req->state != CKPT_STATE_IDLE && req->state != CKPT_STATE_THAWED)
		return -EBUSY;
	err = ckpt_select_init(&select, arg->select, arg->id, &req->messages);
	if (err)
		return err;
	g = ckpt_group_freeze(&select, timeout, &req->messages);
	if (IS_ERR(g))
		return PTR_ERR(g);
	req->group = g;
	req->state = CKPT_STATE_FROZEN;
	arg->nr_threads = g->nr_threads;
	arg->nr_processes = g->nr_processes;
	arg->freeze_ns = ktime_get_ns() - start;
	return 0;
}

static int status(struct ckpt_request *req, union ucmd *u)
{
	struct ckpt_status *arg = &u->status;
	struct ckpt_rjob *job = req->job;
	int err = 0;

	arg->state = req->state;
	arg->nr_threads = 0;
	arg->nr_processes = 0;
	if (req->group) {
		arg->nr_threads = req->group->nr_threads;
		arg->nr_processes = req->group->nr_processes;
	} else if (job) {
		arg->nr_threads = job->nr_threads;
		arg->nr_processes = job->nr_processes;
		if (ckpt_restore_ended(job, &err))
			arg->state = err ? CKPT_STATE_FAILED : CKPT_STATE_RESTORED;
		else if (ckpt_restore_begun(job))
			arg->state = CKPT_STATE_RESTORING;
	}
	arg->error = err;
	return 0;
}

static int save(struct ckpt_request *req, union ucmd *u)
{
	struct ckpt_save *arg = &u->save;
	struct file *file;
	int err;

	if (!req->group)
		return -EINVAL;
	if (arg->flags & CKPT_SAVE_CHECK)
		return arg->fd == -1 ? ckpt_save_group(req, arg, NULL) : -EINVAL;
	file = fget(arg->fd);
	if (!file)
		return -EBADF;
	err = file->f_mode & FMODE_WRITE ? ckpt_save_group(req, arg, file) : -EBADF;
	fput(file);
	return err;
}

static void end_freeze(struct ckpt_request *req)
{
	ckpt_group_put(req->group);
	req->group = NULL;
	req->state = CKPT_STATE_THAWED;
}

static int thaw(struct ckpt_request *req, union ucmd *u)
{
	if (!req->group)
		return -EINVAL;
	ckpt_group_thaw(req->group);
	end_freeze(req);
	return 0;
}

static int kill(struct ckpt_request *req, union ucmd *u)
{
	struct ckpt_kill *arg = &u->kill;

	if (arg->reserved)
		return -EOPNOTSUPP;
	if (!req->group || (arg->signal != SIGKILL && arg->signal != SIGSTOP))
		return -EINVAL;
	ckpt_group_kill(req->group, arg->signal);
	end_freeze(req);
	return 0;
}

static int open_image(struct ckpt_request *req, union ucmd *u)
{
	struct ckpt_open_image *arg = &u->open_image;
	const struct ckpt_restorer *first;
	const struct ckpt_record *rec;
	struct ckpt_rjob *job;
	struct file *file;

	if (req->state != CKPT_STATE_IDLE)
		return -EBUSY;
	file = fget(arg->fd);
	if (!file)
		return -EBADF;
	job = file->f_mode & FMODE_READ ? ckpt_rjob_open(req, file) : ERR_PTR(-EBADF);
	fput(file);
	if (IS_ERR(job))
		return PTR_ERR(job);

	first = job->processes;
	rec = ckpt_restore_find(first, CKPT_REC_RESTART_SIGNAL, 0);
	arg->nr_tasks = job->nr_made;
	arg->pid = first->saved->pid;
	arg->pgid = first->saved->pgid;
	arg->sid = first->saved->sid;
	arg->restart_signal = rec ? ((struct ckpt_image_restart_signal *)rec->data)->signal : 0;
	arg->generation = job->img.meta->generation;
	/* Those who do not hold the lock may see it from here on. */
	smp_store_release(&req->job, job);
	req->state = CKPT_STATE_IMAGE;
	return 0;
}

static int tasks(struct ckpt_request *req, union ucmd *u)
{
	struct ckpt_tasks *arg = &u->tasks;
	struct ckpt_rjob *job = req->job;
	struct ckpt_task __user *out = u64_to_user_ptr(arg->tasks);
	unsigned int i, room = arg->count;

	if (arg->reserved)
		return -EOPNOTSUPP;
	if (!job)
		return -EINVAL;
	arg->count = job->nr_made;
	arg->monotonic = job->img.meta->monotonic + job->img.meta->monotonic_offset;
	arg->boottime = job->img.meta->boottime + job->img.meta->boottime_offset;
	arg->monotonic_offset = job->img.meta->monotonic_offset;
	arg->boottime_offset = job->img.meta->boottime_offset;
	if (room < job->nr_made)
		return -ENOSPC;
	for (i = 0; i < job->nr_tasks; i++) {
		const struct ckpt_rthread *t = &job->tasks[i];
		struct ckpt_task task = { .tid = t->tid, .process = t->r ? t->r->number : 0 };

		if (t->r && t->r->source)
			continue;
		if (copy_to_user(out++, &task, sizeof(task)))
			return -EFAULT;
	}
	return 0;
}

static int restore(struct ckpt_request *req, union ucmd *u)
{
	struct ckpt_rjob *job = ckpt_request_job(req);
	struct ckpt_restore *arg = &u->restore;

	if (arg->reserved)
		return -EOPNOTSUPP;
	if (!job || arg->signal > _NSIG || arg->tty_fd < -1 ||
	    (arg->signal && !(arg->flags & CKPT_RESTORE_SIGNAL)))
		return -EINVAL;
	return ckpt_restore_task(job, arg);
}

static int wait(struct ckpt_request *req, union ucmd *u)
{
	struct ckpt_rjob *job = ckpt_request_job(req);
	int err;

	if (u->wait.reserved)
		return -EOPNOTSUPP;
	if (!job)
		return -EINVAL;
	if (wait_event_interruptible(job->wait, ckpt_restore_ended(job, &err)))
		return -EINTR;
	u->wait.error = err;
	return 0;
}

static int restart_signal(struct ckpt_request *req, union ucmd *u)
{
	struct ckpt_restart_signal *arg = &u->restart_signal;

	if (arg->reserved)
		return -EOPNOTSUPP;
	if (arg->signal > _NSIG || arg->signal == SIGKILL || arg->signal == SIGSTOP)
		return -EINVAL;
	return ckpt_restart_signal_set(arg->signal);
}

struct row {
	unsigned int size;
	unsigned int min_size; /* what its first version had */
	u32 flags; /* those that it knows */
	bool unlocked; /* blocks for others of the same request, or takes part in a restore */
	bool one_way; /* nothing is told back: the caller's memory may be another one by then */
	int (*handle)(struct ckpt_request *req, union ucmd *u);
};

static const struct row rows[] = {
#define ROW(cmd, type, last, known, fn, is_unlocked)        \
	[(cmd)-CKPT_CMD_INFO] = {                           \
		.size = sizeof(struct type),                \
		.min_size = offsetofend(struct type, last), \
		.flags = (known),                           \
		.unlocked = (is_unlocked),                  \
		.one_way = (cmd) == CKPT_CMD_RESTORE,       \
		.handle = (fn),                             \
	}
	ROW(CKPT_CMD_INFO, ckpt_info, module_version, 0, info, false),
	ROW(CKPT_CMD_FREEZE, ckpt_freeze, freeze_ns, 0, freeze, false),
	ROW(CKPT_CMD_STATUS, ckpt_status, nr_processes, 0, status, false),
	ROW(CKPT_CMD_SAVE, ckpt_save, write_ns, CKPT_SAVE_CHECK, save, false),
	ROW(CKPT_CMD_THAW, ckpt_thaw, flags, 0, thaw, false),
	ROW(CKPT_CMD_KILL, ckpt_kill, reserved, 0, kill, false),
	ROW(CKPT_CMD_OPEN_IMAGE, ckpt_open_image, generation, 0, open_image, false),
	ROW(CKPT_CMD_TASKS, ckpt_tasks, boottime_offset, 0, tasks, false),
	ROW(CKPT_CMD_RESTORE, ckpt_restore, reserved,
	    CKPT_RESTORE_SIGNAL | CKPT_RESTORE_TIME | CKPT_RESTORE_STOPPED, restore, true),
	ROW(CKPT_CMD_WAIT, ckpt_wait, reserved, 0, wait, true),
	ROW(CKPT_CMD_RESTART_SIGNAL, ckpt_restart_signal, reserved, 0, restart_signal, false),
#undef ROW
};

static const struct row *find_row(unsigned int cmd)
{
	unsigned int i = _IOC_NR(cmd) - CKPT_CMD_INFO;

	if (cmd != _IO(CKPT_IOC_TYPE, _IOC_NR(cmd)) || i >= ARRAY_SIZE(rows))
		return NULL;
	return rows[i].handle ? &rows[i] : NULL;
}

static long call(const struct row *row, struct ckpt_request *req, void __user *arg)
{
	union ucmd u = {};
	u32 size;
	long err;

	if (get_user(size, (u32 __user *)arg))
		return -EFAULT;
	if (size < row->min_size)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	err = copy_struct_from_user(&u, row->size, arg, size);
	if (err)
		return err;
	/* Another thread may have changed it in between. */
	u.head.size = size;
	if (u.head.flags & ~row->flags)
		return -EOPNOTSUPP;

	if (!row->unlocked && !mutex_trylock(&req->lock))
		return -EBUSY;
	err = row->handle(req, &u);
	if (!row->unlocked)
		mutex_unlock(&req->lock);
	if (!row->one_way && copy_to_user(arg, &u, min(size, row->size)) && !err)
		err = -EFAULT;
	return err;
}

static bool is_of_script(unsigned int cmd)
{
	return cmd == CKPT_IOC_FINISH || cmd == CKPT_IOC_FAIL || cmd == CKPT_IOC_TIMER_ID;
}

static long script_ioctl(struct ckpt_request *req, unsigned int cmd, unsigned long arg)
{
	struct ckpt_rjob *job = ckpt_request_job(req);

	if (!job)
		return -EINVAL;
	if (cmd == CKPT_IOC_TIMER_ID)
		return ckpt_restore_timer_id(job, arg);
	return cmd == CKPT_IOC_FINISH ? ckpt_restore_finish(job) :
					ckpt_restore_fail(job, (void __user *)arg);
}

/*
 * A wait inside, such as that for room in a pipe, may end for a signal and ask for a restart of the
 * system call. These are not calls to make twice.
 */
static long no_restart(long err)
{
	switch (err) {
	case -ERESTARTSYS:
	case -ERESTARTNOINTR:
	case -ERESTARTNOHAND:
	case -ERESTART_RESTARTBLOCK:
		return -EINTR;
	default:
		return err;
	}
}

long ckpt_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	const struct row *row = find_row(cmd);
	long err;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (!row && !is_of_script(cmd))
		return -ENOTTY;
	/* A restore closes the very descriptor that it was called by. */
	get_file(file);
	if (row)
		err = call(row, file->private_data, (void __user *)arg);
	else
		err = script_ioctl(file->private_data, cmd, arg);
	fput(file);
	return no_restart(err);
}
