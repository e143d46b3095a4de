// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process with memory that an image does not cover, or that a file backs that will change.
 *
 * usage: odd_memory KIND; says "ready", or why it cannot
 */

#define _GNU_SOURCE
#include <asm/ldt.h>
#include <linux/mempolicy.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "state.h"

#define PAGE 4096UL
#define CANNOT 77

static char *memory;

static void skip(const char *why)
{
	dprintf(STDOUT_FILENO, "cannot: %s: %s\n", why, strerror(errno));
	exit(CANNOT);
}

static void *map(int prot, int flags, int fd)
{
	void *p = mmap(NULL, 4 * PAGE, prot, flags, fd, 0);

	need(p != MAP_FAILED, "mmap");
	return p;
}

static void with_userfault(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);

	if (fd < 0)
		skip("userfaultfd");
	reg.range.start = (unsigned long)memory;
	reg.range.len = 4 * PAGE;
	need(!ioctl(fd, UFFDIO_API, &api) && !ioctl(fd, UFFDIO_REGISTER, &reg), "userfaultfd");
}

static void with_policy(void)
{
	unsigned long nodes = 1;

	if (syscall(SYS_mbind, memory, 4 * PAGE, MPOL_BIND, &nodes, 8, 0))
		skip("mbind");
}

static void with_key(void)
{
	int key = pkey_alloc(0, 0);

	if (key < 0)
		skip("pkey_alloc");
	need(!pkey_mprotect(memory, PAGE, PROT_READ, key), "pkey_mprotect");
}

static void with_segment(void)
{
	struct user_desc desc = { .limit = 100, .seg_32bit = 1 };

	if (syscall(SYS_modify_ldt, 1, &desc, sizeof(desc)))
		skip("modify_ldt");
}

static void with_memfd(void)
{
	int fd = memfd_create("shared", 0);

	need(fd >= 0 && !ftruncate(fd, 4 * PAGE), "memfd");
	memory = map(PROT_READ | PROT_WRITE, MAP_SHARED, fd);
	memory[0] = 1;
	close(fd);
}

static void with_file(int access, int prot, int flags)
{
	int fd = open("mapped", access);

	need(fd >= 0, "mapped");
	memory = map(prot, flags, fd);
	close(fd);
}

int main(int argc, char **argv)
{
	const char *kind = argc > 1 ? argv[1] : "";

	memory = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	memory[0] = 1;
	if (!strcmp(kind, "userfault"))
		with_userfault();
	else if (!strcmp(kind, "policy"))
		with_policy();
	else if (!strcmp(kind, "key"))
		with_key();
	else if (!strcmp(kind, "segment"))
		with_segment();
	else if (!strcmp(kind, "memfd"))
		with_memfd();
	else if (!strcmp(kind, "private"))
		with_file(O_RDONLY, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	else if (!strcmp(kind, "reader"))
		with_file(O_RDONLY, PROT_READ, MAP_SHARED);
	else if (!strcmp(kind, "writer"))
		with_file(O_RDWR, PROT_READ | PROT_WRITE, MAP_SHARED);
	dprintf(STDOUT_FILENO, "memory at %lx\n", (unsigned long)memory);
	ready_then_go();
	check(memory[0] == 1 || memory[0] == 'x', "memory");
	return verdict();
}
