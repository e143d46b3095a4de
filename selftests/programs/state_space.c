// SPDX-License-Identifier: GPL-2.0-only
/*
 * What memory is as a whole, and its odd corners: modes of the address space, the vDSO at another
 * place or gone, seals, mappings that reach behind the end of their file.
 *
 * usage: state_space modes|corners|vdso-moved|vdso-gone|vdso-covered
 */

#define _GNU_SOURCE
#include <linux/membarrier.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>

#include "state.h"

#define PAGE 4096UL
#define MIB (1UL << 20)
#define GIB (1UL << 30)
#define TEXT_SIZE (1 << 20)
#define PIECES 8
#define STRIPES 3000

static char raw[TEXT_SIZE], before[TEXT_SIZE], after[TEXT_SIZE];

static char *map(const char *name, size_t bytes, int prot, int flags, int fd, off_t offset)
{
	char *p = mmap(NULL, bytes, prot, flags, fd, offset);

	need(p != MAP_FAILED, name);
	return p;
}

/*
 * The areas, without the inodes of memory that has no name. Neighbours that are alike count as one:
 * whether the kernel joins them depends on the order in which they came.
 */
static void read_maps(char *text)
{
	char *line, *next, *end = text, *plain = NULL, last[8] = "";
	unsigned long from = 0, to = 0;

	read_file("/proc/self/maps", raw, sizeof(raw));
	for (line = strtok_r(raw, "\n", &next); line; line = strtok_r(NULL, "\n", &next)) {
		unsigned long start, stop, offset, inode;
		char perms[8], device[16], path[512] = "";

		if (sscanf(line, "%lx-%lx %7s %lx %15s %lu %500[^\n]", &start, &stop, perms,
			   &offset, device, &inode, path) < 6)
			continue;
		if (strstr(path, "(deleted)"))
			inode = 0;
		if (!path[0] || !strcmp(path, "[heap]")) {
			bool joins = plain && start == to && !strcmp(perms, last);

			from = joins ? from : start;
			plain = joins ? plain : end;
			end = plain + sprintf(plain, "%lx-%lx %s\n", from, stop, perms);
		} else {
			plain = NULL;
			end += sprintf(end, "%lx-%lx %s %lx %lu %s\n", start, stop, perms, offset,
				       inode, path);
		}
		to = stop;
		memcpy(last, perms, sizeof(last));
	}
}

static bool find_area(const char *name, unsigned long *start, unsigned long *stop)
{
	char *line, *next;

	read_file("/proc/self/maps", raw, sizeof(raw));
	for (line = strtok_r(raw, "\n", &next); line; line = strtok_r(NULL, "\n", &next))
		if (strstr(line, name))
			return sscanf(line, "%lx-%lx", start, stop) == 2;
	return false;
}

static int barrier(int command)
{
	return syscall(SYS_membarrier, command, 0, 0);
}

static void run_modes(void)
{
	char filter[64], *locked;

	need(!prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0), "PR_SET_THP_DISABLE");
	need(!prctl(PR_SET_DUMPABLE, 0, 0, 0, 0), "PR_SET_DUMPABLE");
	need(!barrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED), "membarrier");
	need(!mlockall(MCL_FUTURE | MCL_ONFAULT), "mlockall");
	int fd = open("/proc/self/coredump_filter", O_WRONLY);

	need(fd >= 0 && write(fd, "0x5a", 4) == 4 && !close(fd), "coredump_filter");

	ready_then_go();

	check(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) == 1, "THP are disabled");
	check(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0, "not dumpable");
	check(!barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED), "membarrier is registered");
	check(barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE) < 0, "another is not");
	read_file("/proc/self/coredump_filter", filter, sizeof(filter));
	check(strtoul(filter, NULL, 16) == 0x5a, "coredump_filter: %s", filter);
	locked = map("locked", 4 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	read_file("/proc/self/smaps", raw, sizeof(raw));
	snprintf(before, 100, "%lx-", (unsigned long)locked);
	char *flags = strstr(raw, before);

	flags = flags ? strstr(flags, "VmFlags:") : NULL;
	flags = flags ? strtok(flags, "\n") : "none";
	check(strstr(flags, " lo "), "mlockall of the future: %s", flags);
}

struct corners {
	char *zero, *sealed, *future, *odd, *reader, *beyond, *none, *wide, *stripes, *relro,
		*named;
	int sealed_fd, future_fd, odd_fd;
};

static void set_up_memfds(struct corners *c)
{
	c->sealed_fd = memfd_create("", MFD_ALLOW_SEALING);
	need(c->sealed_fd >= 0 && !ftruncate(c->sealed_fd, 4 * PAGE), "memfd");
	fill(before, PAGE, 2);
	need(pwrite(c->sealed_fd, before, PAGE, PAGE) == PAGE, "memfd");
	need(!fcntl(c->sealed_fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL), "F_SEAL_WRITE");
	/* Kernels before 6.7 allow no shared mapping of it, not even one to read. */
	c->sealed = mmap(NULL, 4 * PAGE, PROT_READ, MAP_SHARED, c->sealed_fd, 0);
	if (c->sealed == MAP_FAILED)
		c->sealed = map("sealed", 4 * PAGE, PROT_READ, MAP_PRIVATE, c->sealed_fd, 0);

	c->future_fd = memfd_create("a name (deleted)\n", MFD_ALLOW_SEALING);
	need(c->future_fd >= 0 && !ftruncate(c->future_fd, 4 * PAGE), "memfd");
	c->future = map("future", 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, c->future_fd, 0);
	need(!fcntl(c->future_fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), "F_SEAL_FUTURE_WRITE");
	fill(c->future, PAGE, 3);

	c->odd_fd = memfd_create("odd", 0);
	need(c->odd_fd >= 0 && !ftruncate(c->odd_fd, 5 * PAGE + 100), "memfd");
	need(!fchmod(c->odd_fd, 0640), "fchmod");
	c->odd = map("odd", 6 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, c->odd_fd, 0);
	fill(c->odd + 5 * PAGE, 96, 4);
}

static void set_up_corners(struct corners *c)
{
	int fd = open("/dev/zero", O_RDWR), file;

	c->zero = map("/dev/zero", 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	fill(c->zero + PAGE, PAGE, 1);
	close(fd);

	file = open("short", O_RDWR | O_CREAT | O_TRUNC, 0600);
	fill(before, 2 * PAGE, 5);
	need(file >= 0 && write(file, before, 2 * PAGE) == 2 * PAGE, "short");
	fd = open("short", O_RDONLY);
	c->reader = map("reader", 8 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	c->beyond = map("beyond", 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	fill(c->beyond + PAGE, PAGE, 6);
	/* Kernels without names for memory refuse this. */
	prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, c->zero, 4 * PAGE, "of /dev/zero");
	c->named = map("named", 4 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, c->named, 2 * PAGE, "a name");
	c->relro = map("relro", 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	fill(c->relro, PAGE, 7);
	need(!mprotect(c->relro, 2 * PAGE, PROT_READ), "relro");
	close(fd);
	close(file);

	c->none = map("none", 4 * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);
	fill(c->none, 4 * PAGE, 8);
	need(!mprotect(c->none, 4 * PAGE, PROT_NONE), "none");

	c->wide = map("wide", PIECES * GIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < PIECES; i++)
		need(!mprotect(c->wide + i * GIB, GIB, PROT_READ | PROT_WRITE), "wide");
	c->wide[3 * GIB + 5] = 9;

	c->stripes = map("stripes", STRIPES * PAGE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < STRIPES; i += 2) {
		c->stripes[i * PAGE] = i;
		need(!mprotect(c->stripes + i * PAGE, PAGE, PROT_READ), "stripes");
	}
}

static void check_memfds(const struct corners *c)
{
	struct stat st;

	check(fcntl(c->sealed_fd, F_GET_SEALS) == (F_SEAL_WRITE | F_SEAL_SEAL), "seals");
	check(is_filled(c->sealed + PAGE, PAGE, 2) && write(c->sealed_fd, "x", 1) < 0,
	      "sealed against writing");
	check(mprotect(c->sealed, PAGE, PROT_READ) == 0, "sealed: can be read on");

	check(fcntl(c->future_fd, F_GET_SEALS) == F_SEAL_FUTURE_WRITE, "seals for the future");
	check(is_filled(c->future, PAGE, 3), "sealed for the future: content");
	c->future[PAGE] = 33;
	check(pread(c->future_fd, raw, 1, PAGE) == 1 && raw[0] == 33, "sealed: old mapping writes");
	check(mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, c->future_fd, 0) == MAP_FAILED,
	      "sealed: new mapping does not");

	check(!fstat(c->odd_fd, &st) && st.st_size == 5 * PAGE + 100, "memfd: its size");
	check((st.st_mode & 07777) == 0640, "memfd: its mode");
	check(is_filled(c->odd + 5 * PAGE, 96, 4), "memfd: its last page");
}

static void check_corners(const struct corners *c)
{
	bool holds = true;

	check(is_filled(c->zero + PAGE, PAGE, 1) && is_zero(c->zero, PAGE), "/dev/zero");
	check_memfds(c);
	check(is_filled(c->reader, 2 * PAGE, 5), "shared, to read");
	check(mprotect(c->reader, PAGE, PROT_READ | PROT_WRITE) < 0, "shared, to read only");
	check(is_filled(c->beyond + PAGE, PAGE, 6), "behind the end");
	check(is_filled(c->relro, PAGE, 7), "read-only after relocation");
	check(!mprotect(c->none, 4 * PAGE, PROT_READ) && is_filled(c->none, 4 * PAGE, 8),
	      "locked, not to be read");
	check(c->wide[3 * GIB + 5] == 9 && !c->wide[4 * GIB], "wider than the machine");
	for (int i = 0; i < STRIPES; i += 2)
		holds &= c->stripes[i * PAGE] == (char)i && !c->stripes[(i + 1) * PAGE];
	check(holds, "stripes");
}

static void run_corners(void)
{
	struct corners c;

	set_up_memfds(&c);
	set_up_corners(&c);
	read_maps(before);
	read_maps(before);
	ready_then_go();
	read_maps(after);
	check_same_text("areas", before, after);
	check_corners(&c);
}

static void move(const char *name, char *to)
{
	unsigned long start, stop;

	need(find_area(name, &start, &stop), name);
	need(mremap((void *)start, stop - start, stop - start, MREMAP_MAYMOVE | MREMAP_FIXED, to) ==
		     to,
	     name);
}

static void remove_area(const char *name, unsigned long *start, unsigned long *stop)
{
	need(find_area(name, start, stop), name);
	need(!munmap((void *)*start, *stop - *start), name);
}

/* Nothing here may ask the C library for the time: it would call the vDSO where that was. */
static void run_vdso(const char *mode)
{
	char *room = map("room", MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *cover = NULL;
	unsigned long start = 0, stop = 0, vvar = 0, vvar_stop = 0;

	if (!strcmp(mode, "vdso-moved")) {
		move("[vdso]", room + 16 * PAGE);
		move("[vvar]", room + 64 * PAGE);
	} else {
		remove_area("[vdso]", &start, &stop);
		remove_area("[vvar]", &vvar, &vvar_stop);
	}
	if (!strcmp(mode, "vdso-covered")) {
		cover = mmap((void *)vvar, stop - vvar, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		need(cover == (void *)vvar, "cover");
		fill(cover, stop - vvar, 1);
	}
	read_maps(before);
	read_maps(before);
	ready_then_go();
	read_maps(after);
	check_same_text("areas", before, after);
	if (!strcmp(mode, "vdso-moved"))
		check(!memcmp(room + 16 * PAGE, "\177ELF", 4), "the vDSO is where it was");
	if (cover)
		check(is_filled(cover, stop - vvar, 1), "what lies in the place of the vDSO");
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	/* Where the kernel puts the vDSO is then the same in each process. */
	if (!strcmp(mode, "vdso-covered") && !(personality(~0U) & ADDR_NO_RANDOMIZE)) {
		need(personality(ADDR_NO_RANDOMIZE) != -1, "personality");
		execv("/proc/self/exe", argv);
		need(false, "exec");
	}
	/* What the C library allocates when it first prints. */
	check(true, "starts");
	if (!strcmp(mode, "modes"))
		run_modes();
	else if (!strcmp(mode, "corners"))
		run_corners();
	else
		run_vdso(mode);
	return verdict();
}
