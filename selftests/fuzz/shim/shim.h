/* SPDX-License-Identifier: GPL-2.0-only */
/* As much of the kernel as the image reader and the index of records need, in user space. */
#ifndef CKPT_FUZZ_SHIM_H
#define CKPT_FUZZ_SHIM_H

#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <linux/const.h>
#include <linux/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef long long s64;

#define __user
#define __printf(a, b) __attribute__((format(printf, a, b)))
#define BUILD_BUG_ON(x) _Static_assert(!(x), #x)

#define PAGE_SIZE 4096UL
#define ALIGN(x, a) __ALIGN_KERNEL(x, a)
#define PAGE_ALIGN(x) ALIGN(x, PAGE_SIZE)
#define min_t(type, a, b) ((type)(a) < (type)(b) ? (type)(a) : (type)(b))

/* What the kernel would refuse to allocate fails here too. */
#define SHIM_MAX_ALLOC (512UL << 20)
#define GFP_KERNEL 0
#define GFP_KERNEL_ACCOUNT 0

static inline void *kvmalloc(size_t size, int flags)
{
	return size > SHIM_MAX_ALLOC ? NULL : malloc(size);
}

static inline void *kvmalloc_array(size_t n, size_t size, int flags)
{
	size_t bytes;

	return __builtin_mul_overflow(n, size, &bytes) ? NULL : kvmalloc(bytes, flags);
}

static inline void *kvcalloc(size_t n, size_t size, int flags)
{
	void *p = kvmalloc_array(n, size, flags);

	return p ? memset(p, 0, n * size) : NULL;
}

#define kvfree(p) free((void *)(p))
#define __get_free_page(flags) ((unsigned long)aligned_alloc(PAGE_SIZE, PAGE_SIZE))
#define free_page(p) free((void *)(p))

/* Numbers and what they stand for, in no order. */
struct xarray {
	struct {
		unsigned long index;
		void *entry;
	} * slots;
	size_t nr;
};

static inline void xa_init(struct xarray *xa)
{
	memset(xa, 0, sizeof(*xa));
}

static inline void xa_destroy(struct xarray *xa)
{
	free(xa->slots);
	xa_init(xa);
}

static inline void *xa_load(struct xarray *xa, unsigned long index)
{
	for (size_t i = 0; i < xa->nr; i++)
		if (xa->slots[i].index == index)
			return xa->slots[i].entry;
	return NULL;
}

static inline int xa_insert(struct xarray *xa, unsigned long index, void *entry, int flags)
{
	if (xa_load(xa, index))
		return -EBUSY;
	xa->slots = realloc(xa->slots, (xa->nr + 1) * sizeof(*xa->slots));
	if (!xa->slots)
		abort();
	xa->slots[xa->nr].index = index;
	xa->slots[xa->nr++].entry = entry;
	return 0;
}

struct mutex {
	int unused;
};

typedef int wait_queue_head_t;

#define cond_resched() \
	do {           \
	} while (0)
#define fatal_signal_pending(task) false

#define FMODE_STREAM 1U

/* A file in memory that hands out at most @chunk bytes a call. */
struct file {
	const u8 *data;
	size_t len;
	size_t chunk;
	size_t at;
	loff_t f_pos;
	unsigned int f_mode;
};

#define get_file(f) (f)
#define fput(f) \
	do {    \
	} while (0)

static inline ssize_t kernel_read(struct file *f, void *buf, size_t len, loff_t *pos)
{
	size_t at = pos ? (size_t)*pos : f->at;
	size_t n = at < f->len ? f->len - at : 0;

	n = min_t(size_t, n, len);
	n = min_t(size_t, n, f->chunk);
	memcpy(buf, f->data + at, n);
	if (pos)
		*pos += n;
	else
		f->at += n;
	return n;
}

static inline const void *memchr_inv(const void *p, int c, size_t len)
{
	const u8 *b = p;

	for (; len; len--, b++)
		if (*b != (u8)c)
			return b;
	return NULL;
}

u32 crc32c(u32 crc, const void *p, size_t len);

#endif /* CKPT_FUZZ_SHIM_H */
