// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects of shared memory without a path: of memfd_create(), shared anonymous memory, and what is
 * in System V segments.
 */

#include "shm.h"

#include <linux/cred.h>
#include <linux/dcache.h>
#include <linux/err.h>
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/rbtree.h>
#include <linux/sched/signal.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uidgid.h>
#include <linux/xarray.h>

#include "fds.h"
#include "kinds.h"
#include "path.h"
#include "restorer.h"
#include "saver.h"
#include "space.h"
#include "vma_list.h"

#define MEMFD_PREFIX "memfd:"
#define DELETED " (deleted)"
#define SEGMENT_PREFIX "SYSV"
#define KNOWN_SEALS \
	(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE | SEAL_EXEC)
/* F_SEAL_EXEC came in 6.3. */
#define SEAL_EXEC 0x20

static bool is_of_tmpfs(const struct inode *inode)
{
	return S_ISREG(inode->i_mode) && inode->i_sb->s_magic == TMPFS_MAGIC;
}

/* The kernel's own mount of tmpfs: all that lies there was made without a path. */
static bool is_internal(const struct inode *inode)
{
	return (inode->i_sb->s_flags & SB_KERNMOUNT) && (inode->i_sb->s_flags & SB_NOUSER);
}

/* What was deleted in a tmpfs has no path any more. */
bool ckpt_file_is_shm(const struct file *file)
{
	const struct inode *inode = file_inode(file);

	return is_of_tmpfs(inode) && (is_internal(inode) || !inode->i_nlink);
}

bool ckpt_file_is_named_shm(const struct file *file)
{
	return is_of_tmpfs(file_inode(file)) && !ckpt_file_is_shm(file);
}

bool ckpt_shm_is_segment(const char *name)
{
	return !strncmp(name, SEGMENT_PREFIX, strlen(SEGMENT_PREFIX));
}

/* A named semaphore is made under another name, which goes: tmpfs keeps all names in memory. */
struct dentry *ckpt_shm_other_name(const struct file *file)
{
	struct inode *inode = file_inode(file);

	if (!d_unlinked(file->f_path.dentry) || !ckpt_file_is_named_shm(file))
		return NULL;
	return d_find_alias(inode);
}

static bool name_is_known(const char *name)
{
	/* No driver has a path in the name, but what was restored of a deleted file has. */
	return !strncmp(name, MEMFD_PREFIX, strlen(MEMFD_PREFIX)) || ckpt_shm_is_segment(name) ||
	       strchr(name, '/');
}

pid_t ckpt_shm_user(struct ckpt_saver *s, struct address_space *mapping)
{
	struct mm_struct *other = NULL;
	struct rb_node *node;
	pid_t pid = 0;

	i_mmap_lock_read(mapping);
	for (node = rb_first_cached(&mapping->i_mmap); node && !other; node = rb_next(node)) {
		struct vm_area_struct *vma = rb_entry(node, struct vm_area_struct, shared.rb);

		if (!s || !ckpt_saver_has_mm(s, vma->vm_mm))
			other = vma->vm_mm;
	}
	if (other)
		pid = ckpt_space_user(other, s ? s->group : NULL);
	i_mmap_unlock_read(mapping);
	return other && !pid ? -1 : pid;
}

/* What keeps the object from being saved is told. */
static void check(struct ckpt_saver *s, struct file *file, const char *name)
{
	struct shmem_inode_info *info = SHMEM_I(file_inode(file));
	pid_t pid = ckpt_shm_user(s, file->f_mapping);

	if (!name_is_known(name))
		ckpt_save_refuse(s, "shm", "%s: made by a driver: unmap it before the save", name);
	if (pid > 0)
		ckpt_save_refuse(s, "shm",
				 "%s: shared with process %d: unmap it there before the save", name,
				 pid);
	else if (pid)
		ckpt_save_refuse(s, "shm", "%s: shared with another process: unmap it there", name);
	if (info->fsflags)
		ckpt_save_refuse(s, "shm", "%s: has file attributes (chattr): clear them", name);
	if (info->seals & ~KNOWN_SEALS)
		ckpt_save_refuse(s, "shm", "%s: seals 0x%x: not known", name, info->seals);
}

/*
 * The name that the kernel shows in maps: what has no path is shown as lying in the root, and
 * deleted.
 */
static char *name_of(const struct file *file)
{
	struct dentry *other = ckpt_shm_other_name(file);
	struct path where = { .mnt = file->f_path.mnt, .dentry = other ?: file->f_path.dentry };
	char *path = ckpt_path_name(&where);
	size_t len;

	dput(other);
	if (IS_ERR(path))
		return path;
	len = strlen(path);
	if (len > strlen(DELETED) && !strcmp(path + len - strlen(DELETED), DELETED))
		path[len - strlen(DELETED)] = 0;
	/* A name may not be longer than that of a file. */
	if (!ckpt_file_is_named_shm(file) && strlen(path) > NAME_MAX)
		memmove(path, path + strlen(path) - NAME_MAX, NAME_MAX + 1);
	else if (!ckpt_file_is_named_shm(file))
		memmove(path, path + 1, strlen(path));
	return path;
}

static int add_record(struct ckpt_saver *s, const struct file *file, const char *name, u32 id)
{
	struct inode *inode = file_inode(file);
	struct shmem_inode_info *info = SHMEM_I(inode);
	struct ckpt_image_shm *out;

	out = ckpt_save_record(s, &ckpt_kind_shm, 0, id, sizeof(*out) + strlen(name) + 1);
	if (IS_ERR(out))
		return PTR_ERR(out);
	out->size = i_size_read(inode);
	out->flags = (info->flags & VM_NORESERVE ? CKPT_SHM_NORESERVE : 0) |
		     (ckpt_file_is_named_shm(file) ? CKPT_SHM_NAMED : 0);
	out->seals = info->seals;
	out->mode = inode->i_mode & 07777;
	out->uid = from_kuid(&init_user_ns, inode->i_uid);
	out->gid = from_kgid(&init_user_ns, inode->i_gid);
	memcpy(out->name, name, strlen(name));
	return 0;
}

static int save_object(struct ckpt_saver *s, struct file *file, u32 id)
{
	char *name = name_of(file);
	struct file *reader;
	int err;

	if (IS_ERR(name))
		return PTR_ERR(name);
	if (!ckpt_file_is_named_shm(file))
		check(s, file, name);
	err = add_record(s, file, name, id);
	kfree(name);
	if (err)
		return err;
	reader = dentry_open(&file->f_path, O_RDONLY | O_LARGEFILE, current_cred());
	if (IS_ERR(reader))
		return PTR_ERR(reader);
	return ckpt_pages_add_object(&s->pages, id, reader);
}

int ckpt_shm_id(struct ckpt_saver *s, struct file *file)
{
	bool is_new;
	int id = ckpt_objtab_id(&s->objects, file_inode(file), &is_new);
	int err = 0;

	if (id > 0 && is_new)
		err = save_object(s, file, id);
	return err ?: id;
}

/* How often the job refers to each file, and how many files it has of each object. */
struct users {
	struct xarray files;
	struct xarray objects;
};

static unsigned long count_of(struct xarray *xa, const void *key)
{
	void *entry = xa_load(xa, (unsigned long)key);

	return entry ? xa_to_value(entry) : 0;
}

static int count(struct xarray *xa, const void *key, unsigned long more)
{
	unsigned long n = count_of(xa, key) + more;

	return xa_err(xa_store(xa, (unsigned long)key, xa_mk_value(n), GFP_KERNEL));
}

/* @n: references that one use of the file has, with that of a list. */
static int count_file(struct users *u, struct file *file, unsigned long n)
{
	int err = 0;

	if (!ckpt_file_is_shm(file))
		return 0;
	if (!count_of(&u->files, file))
		err = count(&u->objects, file_inode(file), 1);
	return err ?: count(&u->files, file, n);
}

/* The list of VMAs is gone when the references are compared, that of descriptors is not. */
static int count_users(struct ckpt_saver *s, struct users *u, struct ckpt_process *p)
{
	struct ckpt_vma_list vmas;
	struct ckpt_fd *f;
	unsigned int i;
	int err = 0;

	ckpt_for_each_fd(f, &s->fds[p->number])
		err = err ?: count_file(u, f->file, 2);
	if (err)
		return err;
	err = ckpt_saver_enter(s, p);
	if (err)
		return err;
	err = ckpt_vma_list_get(&vmas, s->mm);
	ckpt_saver_leave(s);
	if (err)
		return err;
	for (i = 0; i < vmas.nr && !err; i++)
		if (vmas.vmas[i].file)
			err = count_file(u, vmas.vmas[i].file, 1);
	ckpt_vma_list_put(&vmas);
	return err;
}

/* Whether anybody else holds a file of the object, or has opened it anew. */
static bool is_open_elsewhere(struct users *u, const struct ckpt_pages_object *o)
{
	const struct dentry *dentry = o->file->f_path.dentry;
	unsigned long own = count_of(&u->objects, file_inode(o->file)), index;
	void *entry;

	/* The reader has one reference, a segment another. */
	if (d_count(dentry) > own + 1 + ckpt_shm_is_segment(dentry->d_iname))
		return true;
	xa_for_each(&u->files, index, entry) {
		const struct file *file = (const struct file *)index;

		if (file_inode(file) == file_inode(o->file) &&
		    file_count(file) > xa_to_value(entry))
			return true;
	}
	return false;
}

static int check_users(struct ckpt_saver *s, struct users *u)
{
	struct ckpt_pages_object *o;
	struct ckpt_process *p;
	struct ckpt_fd *f;
	int err = 0;

	ckpt_for_each_fd(f, ckpt_fds_in_flight(s->fds))
		err = err ?: count_file(u, f->file, 2);
	ckpt_for_each_process(p, s->group)
		if (!p->is_zombie && !(p->shares & CKPT_SHARE_MM))
			err = err ?: count_users(s, u, p);
	list_for_each_entry(o, &s->pages.objects, node) {
		if (err)
			break;
		if (ckpt_file_is_shm(o->file) && is_open_elsewhere(u, o))
			ckpt_save_refuse(s, "shm", "%s: open in another process: close it there",
					 o->file->f_path.dentry->d_iname);
		if (fatal_signal_pending(current))
			err = -EINTR;
		cond_resched();
	}
	return err;
}

int ckpt_shm_check_users(struct ckpt_saver *s)
{
	struct users u = {};
	int err;

	if (list_empty(&s->pages.objects))
		return 0;
	xa_init(&u.files);
	xa_init(&u.objects);
	err = check_users(s, &u);
	xa_destroy(&u.files);
	xa_destroy(&u.objects);
	return err;
}

static bool name_fits(const struct ckpt_image_shm *shm)
{
	if (shm->flags & CKPT_SHM_NAMED)
		return shm->name[0] == '/' && strlen(shm->name) < PATH_MAX;
	return strlen(shm->name) <= NAME_MAX && name_is_known(shm->name);
}

int ckpt_shm_verify(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_shm *shm = rec->data;

	if (!rec->id || !ckpt_image_is_text(shm->name, rec->len - sizeof(*shm)) || !name_fits(shm))
		return ckpt_restore_error(r, -EBADMSG, "image: shm %u: bad id or name", rec->id);
	if (shm->size > MAX_LFS_FILESIZE || shm->reserved || shm->mode & ~07777)
		return ckpt_restore_error(r, -EBADMSG, "image: shm %u (%s): out of range", rec->id,
					  shm->name);
	if (!uid_valid(make_kuid(&init_user_ns, shm->uid)) ||
	    !gid_valid(make_kgid(&init_user_ns, shm->gid)))
		return ckpt_restore_error(r, -EBADMSG, "image: shm %u (%s): bad owner", rec->id,
					  shm->name);
	if ((shm->flags & ~CKPT_SHM_FLAGS) || (shm->seals & ~KNOWN_SEALS))
		return ckpt_restore_error(r, -EOPNOTSUPP,
					  "image: shm %u (%s): flags 0x%x, 0x%x: not known here",
					  rec->id, shm->name, shm->flags, shm->seals);
	return 0;
}

static void set_owner(struct inode *inode, const struct ckpt_image_shm *shm)
{
	inode->i_mode = S_IFREG | shm->mode;
	inode->i_uid = make_kuid(&init_user_ns, shm->uid);
	inode->i_gid = make_kgid(&init_user_ns, shm->gid);
}

struct file *ckpt_shm_make_named(const struct ckpt_record *rec)
{
	const struct ckpt_image_shm *shm = rec->data;
	struct file *file = filp_open(shm->name, O_RDWR | O_CREAT | O_EXCL | O_LARGEFILE, 0600);
	int err = -EXDEV;

	/* The file is there: its content is its own. */
	if (file == ERR_PTR(-EEXIST))
		return NULL;
	if (IS_ERR(file))
		return file;
	if (is_of_tmpfs(file_inode(file)))
		err = vfs_truncate(&file->f_path, shm->size);
	if (err) {
		fput(file);
		return ERR_PTR(err);
	}
	set_owner(file_inode(file), shm);
	return file;
}

struct file *ckpt_shm_make(const struct ckpt_record *rec)
{
	const struct ckpt_image_shm *shm = rec->data;
	unsigned long flags = shm->flags & CKPT_SHM_NORESERVE ? VM_NORESERVE : 0;
	struct file *file = shmem_file_setup(shm->name, shm->size, flags);
	struct inode *inode;

	if (IS_ERR(file))
		return file;
	/* As memfd_create() does it. */
	file->f_mode |= FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE;
	file->f_flags |= O_LARGEFILE;
	inode = file_inode(file);
	/* As the kernel does it for objects that only itself opens. */
	if (ckpt_shm_is_segment(shm->name))
		inode->i_flags |= S_PRIVATE;
	set_owner(inode, shm);
	return file;
}

static int seal(struct file *file, u32 seals)
{
	struct inode *inode = file_inode(file);
	int err = 0;

	inode_lock(inode);
	if (seals & F_SEAL_WRITE)
		err = mapping_deny_writable(file->f_mapping);
	if (!err)
		SHMEM_I(inode)->seals = seals;
	inode_unlock(inode);
	return err;
}

int ckpt_shm_seal(struct ckpt_rjob *job)
{
	struct ckpt_restorer *r = job->processes;
	const struct ckpt_record *rec;

	ckpt_for_each_shared_record_of(rec, r, CKPT_REC_SHM) {
		const struct ckpt_image_shm *shm = rec->data;
		struct file *file = ckpt_objtab_file(r->objects, rec->id);
		int err;

		if (shm->flags & CKPT_SHM_NAMED)
			continue;
		err = file ? seal(file, shm->seals) : -ENOENT;

		if (err)
			return ckpt_restore_error(r, err, "%s: cannot be sealed: error %d",
						  shm->name, -err);
	}
	return 0;
}
