/* SPDX-License-Identifier: GPL-2.0-only */
/* What differs between the kernels: one inline for each difference, the newest kernel first. */
#ifndef CKPT_COMPAT_H
#define CKPT_COMPAT_H

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/uio.h>
#include <linux/version.h>

/* get_user_pages_remote() lost its vmas argument in 6.5. */
static inline long ckpt_get_user_pages_remote(struct mm_struct *mm, unsigned long start,
					      unsigned long nr, unsigned int flags,
					      struct page **pages)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
	return get_user_pages_remote(mm, start, nr, flags, pages, NULL);
#else
	return get_user_pages_remote(mm, start, nr, flags, pages, NULL, NULL);
#endif
}

/* vfs_iter_write() holds off a freeze of the file system by itself since 6.8. */
static inline ssize_t ckpt_vfs_iter_write(struct file *file, struct iov_iter *iter, loff_t *pos)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
	return vfs_iter_write(file, iter, pos, 0);
#else
	ssize_t n;

	file_start_write(file);
	n = vfs_iter_write(file, iter, pos, 0);
	file_end_write(file);
	return n;
#endif
}

#endif /* CKPT_COMPAT_H */
