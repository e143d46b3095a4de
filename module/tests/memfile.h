/* SPDX-License-Identifier: GPL-2.0-only */
/* Files in memory for tests. */
#ifndef CKPT_TESTS_MEMFILE_H
#define CKPT_TESTS_MEMFILE_H

#include <kunit/test.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/shmem_fs.h>

/* An empty file, open for reading and writing; the test owns the reference. */
static inline struct file *memfile_new(struct kunit *test)
{
	struct file *file = shmem_file_setup("ckpt-test", 0, 0);

	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	file->f_mode |= FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE;
	return file;
}

/* A file with this content, at its beginning. */
static inline struct file *memfile_of(struct kunit *test, const void *p, size_t len)
{
	struct file *file = memfile_new(test);
	loff_t pos = 0;

	KUNIT_ASSERT_EQ(test, kernel_write(file, p, len, &pos), (ssize_t)len);
	return file;
}

#endif /* CKPT_TESTS_MEMFILE_H */
