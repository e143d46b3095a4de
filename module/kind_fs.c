// SPDX-License-Identifier: GPL-2.0-only
/* Kind: working directory, root directory and umask. */

#include <linux/err.h>
#include <linux/fs_struct.h>
#include <linux/namei.h>
#include <linux/path.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/stat.h>
#include <linux/string.h>
#include <linux/unistd.h>

#include "kinds.h"
#include "path.h"
#include "restorer.h"
#include "saver.h"

static bool is_private(struct ckpt_saver *s)
{
	struct ckpt_process *p;
	struct ckpt_thread *t;
	int n = 0;

	ckpt_for_each_process(p, s->group)
		ckpt_for_each_thread(t, p)
			n += t->task->fs == s->task->fs;
	return s->task->fs->users == n;
}

static void check_root(struct ckpt_saver *s)
{
	struct path root, own;
	char *name;

	get_fs_root(s->task->fs, &root);
	get_fs_root(current->fs, &own);
	name = ckpt_path_name(&root);
	if (!path_equal(&root, &own))
		ckpt_save_refuse(s, "fs", "root directory %s: not the one of the saving tool",
				 IS_ERR(name) ? "" : name);
	if (!IS_ERR(name))
		kfree(name);
	path_put(&own);
	path_put(&root);
}

static int save_cwd(struct ckpt_saver *s, const struct path *cwd, const char *name)
{
	const char *obstacle = ckpt_path_obstacle(cwd, name);
	struct ckpt_image_fs *i;
	size_t len = strlen(name) + 1;

	if (!obstacle && (ckpt_path_is_internal(cwd) || ckpt_path_is_pseudo(cwd)))
		obstacle = "in a file system that the kernel makes up";
	if (obstacle)
		ckpt_save_refuse(s, "fs", "working directory %s: %s: change it before the save",
				 name, obstacle);
	i = ckpt_save_record(s, &ckpt_kind_fs, 0, 0, sizeof(*i) + len);
	if (IS_ERR(i))
		return PTR_ERR(i);
	i->umask = s->task->fs->umask;
	memcpy(i->cwd, name, len);
	return 0;
}

static int save(struct ckpt_saver *s)
{
	struct path cwd;
	char *name;
	int err;

	if (!is_private(s))
		ckpt_save_refuse(s, "fs", "working directory: shared with another process");
	check_root(s);
	get_fs_pwd(s->task->fs, &cwd);
	name = ckpt_path_name(&cwd);
	err = IS_ERR(name) ? PTR_ERR(name) : save_cwd(s, &cwd, name);
	path_put(&cwd);
	if (!IS_ERR(name))
		kfree(name);
	return err;
}

static int save_thread(struct ckpt_saver *s, struct ckpt_thread *t)
{
	if (t->task->fs != s->task->fs)
		ckpt_save_refuse(s, "fs", "thread %d: has a working directory of its own",
				 task_pid_vnr(t->task));
	return 0;
}

static int verify(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_fs *i = rec->data;

	if (i->umask & ~0777U || i->reserved)
		return ckpt_restore_error(r, -EBADMSG, "umask: 0%o: bad value", i->umask);
	if (!ckpt_image_is_text(i->cwd, rec->len - sizeof(*i)) || i->cwd[0] != '/')
		return ckpt_restore_error(r, -EBADMSG, "working directory: not an absolute path");
	return 0;
}

static const struct ckpt_image_fs *saved(struct ckpt_restorer *r)
{
	return ckpt_restore_find(r, CKPT_REC_FS, 0)->data;
}

/* The script would not tell the name of a directory that is gone. */
static int open(struct ckpt_restorer *r)
{
	const struct ckpt_image_fs *i = saved(r);
	struct path path;
	int err = kern_path(i->cwd, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &path);

	if (err)
		return ckpt_restore_error(r, err, "working directory %s: not there: error %d",
					  i->cwd, -err);
	path_put(&path);
	return 0;
}

static int script(struct ckpt_restorer *r)
{
	const struct ckpt_image_fs *i = saved(r);
	unsigned long cwd = ckpt_script_data(&r->script, i->cwd, strlen(i->cwd) + 1);
	int err;

	if (IS_ERR_VALUE(cwd))
		return cwd;
	err = ckpt_script_add(&r->script, __NR_chdir, cwd, 0, 0, 0, 0, 0);
	return err ?: ckpt_script_add(&r->script, __NR_umask, i->umask, 0, 0, 0, 0, 0);
}

const struct ckpt_kind ckpt_kind_fs = {
	.name = "fs",
	.type = CKPT_REC_FS,
	.version = 1,
	.oldest = 1,
	.min_len = sizeof(struct ckpt_image_fs),
	.count = CKPT_ONE,
	.part = CKPT_SHARE_FS,
	.save = save,
	.save_thread = save_thread,
	.verify = verify,
	.open = open,
	.script = script,
};
