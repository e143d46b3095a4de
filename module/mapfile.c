// SPDX-License-Identifier: GPL-2.0-only
/* Files that are mapped: by what they are found again, and known to be the same. */

#include "mapfile.h"

#include <linux/dcache.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/stat.h>
#include <linux/time64.h>

#include "compat.h"
#include "path.h"
#include "restorer.h"
#include "shm.h"

#define WANTED (STATX_TYPE | STATX_INO | STATX_SIZE | STATX_MTIME)

static void take(struct ckpt_image_mapped_file *m, const struct kstat *st)
{
	m->size = S_ISREG(st->mode) ? st->size : 0;
	m->mtime = S_ISREG(st->mode) ? st->mtime.tv_sec * NSEC_PER_SEC + st->mtime.tv_nsec : 0;
	m->mode = st->mode & S_IFMT;
	m->rdev = S_ISCHR(st->mode) ? new_encode_dev(st->rdev) : 0;
}

static int describe(const struct path *p, char **path, struct ckpt_image_mapped_file *m,
		    const char **why)
{
	struct kstat st;

	*path = ckpt_path_name(p);
	if (IS_ERR(*path)) {
		*path = NULL;
		return -ENOMEM;
	}
	if (vfs_getattr(p, &st, WANTED, AT_STATX_SYNC_AS_STAT)) {
		*why = "cannot be looked at";
		return -EOPNOTSUPP;
	}
	take(m, &st);
	*why = ckpt_path_obstacle(p, *path);
	return *why ? -EOPNOTSUPP : 0;
}

int ckpt_mapfile_describe(const struct file *file, char **path, struct ckpt_image_mapped_file *m,
			  const char **why)
{
	struct dentry *other = ckpt_shm_other_name(file);
	struct path p = *ckpt_file_path(file);
	int err;

	if (other)
		p.dentry = other;
	err = describe(&p, path, m, why);
	dput(other);
	return err;
}

int ckpt_mapfile_verify(const struct ckpt_image_mapped_file *m)
{
	if (m->mode != S_IFREG && m->mode != S_IFCHR)
		return -EBADMSG;
	return m->size > MAX_LFS_FILESIZE ? -EBADMSG : 0;
}

/* What is wrong with a file that was found at the path of @m, or NULL. */
static const char *compare(const struct ckpt_image_mapped_file *m,
			   const struct ckpt_image_mapped_file *now, s64 min_size)
{
	if (min_size >= 0)
		return now->size < min_size ? "the file has been cut since the save" : NULL;
	if (now->size != m->size || now->mtime != m->mtime)
		return "the file has changed since the save";
	return NULL;
}

struct file *ckpt_mapfile_open(struct ckpt_restorer *r, const char *path,
			       const struct ckpt_image_mapped_file *m, s64 min_size, int flags)
{
	struct ckpt_image_mapped_file now;
	struct file *file;
	const char *wrong;
	struct kstat st;
	int err;

	file = ckpt_path_open(r, path, flags | O_LARGEFILE, m->mode, new_decode_dev(m->rdev));
	if (IS_ERR(file))
		return file;
	err = vfs_getattr(ckpt_file_path(file), &st, WANTED, AT_STATX_SYNC_AS_STAT);
	if (err) {
		ckpt_restore_error(r, err, "%s: cannot be looked at: error %d", path, -err);
		goto err_file;
	}
	take(&now, &st);
	wrong = compare(m, &now, min_size);
	if (wrong) {
		err = ckpt_restore_error(r, -ESTALE, "%s: cannot be mapped: %s", path, wrong);
		goto err_file;
	}
	return file;

err_file:
	fput(file);
	return ERR_PTR(err);
}
