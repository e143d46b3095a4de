// SPDX-License-Identifier: GPL-2.0-only
/* Paths of files: by what path a file is found again, and opening it there. */

#include "path.h"

#include <linux/dcache.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/namei.h>
#include <linux/path.h>
#include <linux/slab.h>
#include <linux/stat.h>
#include <linux/string.h>

#include "restorer.h"

/* The kernel has these numbers in files of its own. */
#define MAGIC_CONFIGFS 0x62656570
#define MAGIC_MQUEUE 0x19800202
#define MAGIC_FUSECTL 0x65735543
#define MAGIC_RPC_PIPEFS 0x67596969
#define MAGIC_NFSD 0x6e667364

static const u32 pseudo[] = {
	PROC_SUPER_MAGIC,   SYSFS_MAGIC,	  DEBUGFS_MAGIC,	 TRACEFS_MAGIC,
	CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC,  PSTOREFS_MAGIC,	 DEVPTS_SUPER_MAGIC,
	SECURITYFS_MAGIC,   SELINUX_MAGIC,	  SMACK_MAGIC,		 AAFS_MAGIC,
	BPF_FS_MAGIC,	    BINFMTFS_MAGIC,	  EFIVARFS_MAGIC,	 RDTGROUP_SUPER_MAGIC,
	XENFS_SUPER_MAGIC,  BINDERFS_SUPER_MAGIC, USBDEVICE_SUPER_MAGIC, MAGIC_CONFIGFS,
	MAGIC_MQUEUE,	    MAGIC_FUSECTL,	  MAGIC_RPC_PIPEFS,	 MAGIC_NFSD,
};

char *ckpt_path_name(const struct path *path)
{
	char *buf = kmalloc(PATH_MAX, GFP_KERNEL), *name;

	if (!buf)
		return ERR_PTR(-ENOMEM);
	name = d_path(path, buf, PATH_MAX);
	name = kstrdup(IS_ERR(name) ? "(a path that is too long)" : name, GFP_KERNEL);
	kfree(buf);
	return name ?: ERR_PTR(-ENOMEM);
}

const char *ckpt_path_obstacle(const struct path *path, const char *name)
{
	struct path found;
	bool same;

	if (d_unlinked(path->dentry))
		return "was deleted";
	/* d_path() does not tell what is outside of the caller's root: looking it up does. */
	if (name[0] != '/' || kern_path(name, 0, &found))
		return "cannot be found by this path";
	same = d_inode(found.dentry) == d_inode(path->dentry);
	path_put(&found);
	return same ? NULL : "another file is at this path";
}

bool ckpt_path_is_internal(const struct path *path)
{
	return path->dentry->d_sb->s_flags & (SB_NOUSER | SB_KERNMOUNT);
}

bool ckpt_path_is_pseudo(const struct path *path)
{
	const struct super_block *sb = path->dentry->d_sb;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pseudo); i++)
		if (sb->s_magic == pseudo[i])
			return true;
	return false;
}

static bool is_wanted(const struct inode *inode, umode_t type, dev_t rdev)
{
	if ((inode->i_mode & S_IFMT) != type)
		return false;
	return !(S_ISCHR(type) || S_ISBLK(type)) || inode->i_rdev == rdev;
}

/* Looks before it opens: opening may have effects of its own. */
static int look(const char *name, umode_t type, dev_t rdev, bool *wanted)
{
	struct path path;
	int err = kern_path(name, LOOKUP_FOLLOW, &path);

	if (err)
		return err;
	*wanted = is_wanted(d_inode(path.dentry), type, rdev);
	path_put(&path);
	return 0;
}

struct file *ckpt_path_open(struct ckpt_restorer *r, const char *name, int flags, umode_t type,
			    dev_t rdev)
{
	struct file *file = NULL;
	bool wanted = false;
	int err;

	err = look(name, type, rdev, &wanted);
	if (!err && wanted) {
		file = filp_open(name, flags | O_NOCTTY, 0);
		err = PTR_ERR_OR_ZERO(file);
	}
	if (err) {
		ckpt_restore_error(r, err, "%s: cannot be opened: error %d", name, -err);
		return ERR_PTR(err);
	}
	if (wanted && is_wanted(file_inode(file), type, rdev))
		return file;
	if (file)
		fput(file);
	ckpt_restore_error(r, -ESTALE, "%s: another kind of file since the save", name);
	return ERR_PTR(-ESTALE);
}
