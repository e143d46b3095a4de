/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One file of a FUSE file system of our own, of which a chosen read or write fails or is short.
 *
 * The mount's root is the file itself, open(2) of it makes each read and write a request to the
 * server, a child of this process, at the size that the caller asked for.
 */
#ifndef FUSE_FILE_H
#define FUSE_FILE_H

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define FUSE_FILE_MAX (8 << 20)
#define FUSE_FILE_REQUEST (64 << 10)

enum fuse_fault {
	FUSE_NO_FAULT,
	FUSE_ERROR, /* EIO */
	FUSE_SHORT, /* half of what was asked for, at least one byte */
	FUSE_NOTHING, /* no byte: the end of a file that is read, a device that takes no more */
};

/* What the server and its user share. */
struct fuse_file {
	enum fuse_fault
		fault; /* of the request number @at, from 1; if not short, of all behind, too */
	unsigned int at;
	unsigned int nr_requests; /* reads and writes so far */
	unsigned int was_hit; /* that many faults */
	uint64_t size;
	char data[FUSE_FILE_MAX];
};

/* A request's bytes, and what is told of the reply's. */
struct fuse_call {
	struct fuse_in_header head;
	char body[FUSE_FILE_REQUEST + 4096];
};

static void fuse_reply(int fuse, const struct fuse_call *call, int error, const void *body,
		       size_t len)
{
	static char buf[sizeof(struct fuse_out_header) + FUSE_FILE_REQUEST];
	struct fuse_out_header head = {
		.len = sizeof(head) + len,
		.error = -error,
		.unique = call->head.unique,
	};

	memcpy(buf, &head, sizeof(head));
	if (len)
		memcpy(buf + sizeof(head), body, len);
	/* ENOENT: who asked was killed meanwhile. */
	if (write(fuse, buf, head.len) < 0 && errno != ENOENT)
		_exit(1);
}

/* How much of @len bytes a request shall do; negative is an errno. */
static long fuse_amount(struct fuse_file *f, long len)
{
	int is_hit = ++f->nr_requests == f->at;

	/* Of a large read or write FUSE tells what went well before: the next one fails, too. */
	if (f->fault != FUSE_SHORT)
		is_hit = f->at && f->nr_requests >= f->at;
	if (!is_hit || f->fault == FUSE_NO_FAULT)
		return len;
	f->was_hit++;
	if (f->fault == FUSE_ERROR)
		return -EIO;
	if (f->fault == FUSE_NOTHING)
		return 0;
	return len > 1 ? len / 2 : len;
}

static struct fuse_attr fuse_attributes(const struct fuse_file *f)
{
	return (struct fuse_attr){
		.ino = 1, .size = f->size, .mode = S_IFREG | 0600, .nlink = 1, .blksize = 4096
	};
}

static void fuse_read(int fuse, struct fuse_file *f, const struct fuse_call *call)
{
	const struct fuse_read_in *in = (const void *)call->body;
	uint64_t left = in->offset < f->size ? f->size - in->offset : 0;
	long n = fuse_amount(f, in->size < left ? in->size : left);

	fuse_reply(fuse, call, n < 0 ? -n : 0, f->data + in->offset, n < 0 ? 0 : n);
}

static void fuse_write(int fuse, struct fuse_file *f, const struct fuse_call *call)
{
	const struct fuse_write_in *in = (const void *)call->body;
	struct fuse_write_out out = {};
	long n;

	if (in->offset + in->size > FUSE_FILE_MAX) {
		fuse_reply(fuse, call, EFBIG, NULL, 0);
		return;
	}
	n = fuse_amount(f, in->size);
	if (n < 0) {
		fuse_reply(fuse, call, -n, NULL, 0);
		return;
	}
	memcpy(f->data + in->offset, in + 1, n);
	if (f->size < in->offset + n)
		f->size = in->offset + n;
	out.size = n;
	fuse_reply(fuse, call, 0, &out, sizeof(out));
}

static void fuse_attr(int fuse, struct fuse_file *f, const struct fuse_call *call)
{
	const struct fuse_setattr_in *in = (const void *)call->body;
	struct fuse_attr_out out = {};

	if (call->head.opcode == FUSE_SETATTR && in->valid & FATTR_SIZE &&
	    in->size <= FUSE_FILE_MAX) {
		if (in->size < f->size)
			memset(f->data + in->size, 0, f->size - in->size);
		f->size = in->size;
	}
	out.attr = fuse_attributes(f);
	fuse_reply(fuse, call, 0, &out, sizeof(out));
}

static void fuse_answer(int fuse, struct fuse_file *f, const struct fuse_call *call)
{
	struct fuse_init_out init = {
		.major = FUSE_KERNEL_VERSION,
		.minor = 31,
		.flags = FUSE_BIG_WRITES | FUSE_MAX_PAGES,
		.max_write = FUSE_FILE_REQUEST,
		.max_pages = FUSE_FILE_REQUEST / 4096,
		.max_background = 8,
	};
	struct fuse_open_out opened = { .open_flags = FOPEN_DIRECT_IO };

	switch (call->head.opcode) {
	case FUSE_INIT:
		fuse_reply(fuse, call, 0, &init, sizeof(init));
		break;
	case FUSE_GETATTR:
	case FUSE_SETATTR:
		fuse_attr(fuse, f, call);
		break;
	case FUSE_OPEN:
		fuse_reply(fuse, call, 0, &opened, sizeof(opened));
		break;
	case FUSE_READ:
		fuse_read(fuse, f, call);
		break;
	case FUSE_WRITE:
		fuse_write(fuse, f, call);
		break;
	case FUSE_FLUSH:
	case FUSE_RELEASE:
	case FUSE_FSYNC:
		fuse_reply(fuse, call, 0, NULL, 0);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;
	default:
		fuse_reply(fuse, call, EOPNOTSUPP, NULL, 0);
	}
}

static void fuse_serve(int fuse, struct fuse_file *f)
{
	static struct fuse_call call;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		ssize_t n = read(fuse, &call, sizeof(call));

		if (n >= (ssize_t)sizeof(call.head))
			fuse_answer(fuse, f, &call);
		else if (n < 0 && errno != EINTR && errno != EAGAIN && errno != ENOENT)
			_exit(errno != ENODEV);
	}
}

/* Mounts the file over the regular file @path. Returns NULL with errno set on failure. */
static struct fuse_file *fuse_file_mount(const char *path, pid_t *server)
{
	struct fuse_file *f =
		mmap(NULL, sizeof(*f), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	char options[100];

	if (f == MAP_FAILED || fuse < 0 || fd < 0)
		return NULL;
	close(fd);
	snprintf(options, sizeof(options), "fd=%d,rootmode=100600,user_id=0,group_id=0,max_read=%d",
		 fuse, FUSE_FILE_REQUEST);
	if (mount("image", path, "fuse", MS_NOSUID | MS_NODEV, options))
		return NULL;
	*server = fork();
	if (!*server)
		fuse_serve(fuse, f);
	close(fuse);
	return *server < 0 ? NULL : f;
}

static void fuse_file_unmount(const char *path, pid_t server)
{
	umount2(path, MNT_DETACH);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
}

#endif /* FUSE_FILE_H */
