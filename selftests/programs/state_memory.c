// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of every kind: what it holds and what the kernel says about each area must be the same
 * after a restore, and it must go on to behave as its kind does.
 *
 * usage: state_memory
 */

#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "state.h"

#define PAGE 4096UL
#define MIB (1UL << 20)
#define GIB (1UL << 30)
#define SPARSE (64 * GIB)
#define TEXT_SIZE (512 << 10)

struct area {
	const char *name;
	char *start;
	size_t bytes;
};

static char smaps_before[TEXT_SIZE], smaps_after[TEXT_SIZE], raw[TEXT_SIZE];
static struct area plain, shared, twin, memfd_shared, memfd_private, file_private, file_shared,
	hidden, frozen, code, grows, locked, lazily_locked, sparse, huge, moved;
static struct area advised[8];
static char *heap_end, *small;
static long rss_before;
static int memfd;

static const struct {
	const char *name;
	int advice;
} advices[] = {
	{ "DONTFORK", MADV_DONTFORK },	   { "DONTDUMP", MADV_DONTDUMP },
	{ "WIPEONFORK", MADV_WIPEONFORK }, { "HUGEPAGE", MADV_HUGEPAGE },
	{ "NOHUGEPAGE", MADV_NOHUGEPAGE }, { "MERGEABLE", MADV_MERGEABLE },
	{ "SEQUENTIAL", MADV_SEQUENTIAL }, { "RANDOM", MADV_RANDOM },
};

static struct area map(const char *name, size_t bytes, int prot, int flags, int fd, off_t offset)
{
	struct area a = { name, mmap(NULL, bytes, prot, flags, fd, offset), bytes };

	need(a.start != MAP_FAILED, name);
	return a;
}

static struct area map_anonymous(const char *name, size_t bytes, int flags)
{
	return map(name, bytes, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
}

static void set_up_anonymous(void)
{
	static const unsigned char answer[] = { 0xb8, 42, 0, 0, 0, 0xc3 };

	/* Only the outer quarters are touched. */
	plain = map_anonymous("private anonymous", 64 * PAGE, MAP_PRIVATE);
	fill(plain.start, 16 * PAGE, 1);
	fill(plain.start + 48 * PAGE, 16 * PAGE, 2);

	shared = map_anonymous("shared anonymous", 32 * PAGE, MAP_SHARED);
	fill(shared.start, 16 * PAGE, 3);
	twin = shared;
	twin.name = "second view of shared anonymous";
	twin.start = mremap(shared.start, 0, shared.bytes, MREMAP_MAYMOVE);
	need(twin.start != MAP_FAILED, twin.name);

	hidden = map_anonymous("PROT_NONE with content", 8 * PAGE, MAP_PRIVATE);
	fill(hidden.start, hidden.bytes, 4);
	need(!mprotect(hidden.start, hidden.bytes, PROT_NONE), hidden.name);

	frozen = map_anonymous("read-only with content", 8 * PAGE, MAP_PRIVATE);
	fill(frozen.start, frozen.bytes, 5);
	need(!mprotect(frozen.start, frozen.bytes, PROT_READ), frozen.name);

	code = map_anonymous("code", PAGE, MAP_PRIVATE);
	memcpy(code.start, answer, sizeof(answer));
	need(!mprotect(code.start, code.bytes, PROT_READ | PROT_EXEC), code.name);

	moved = map_anonymous("moved by mremap", 8 * PAGE, MAP_PRIVATE);
	fill(moved.start, moved.bytes, 6);
	moved.start = mremap(moved.start, 8 * PAGE, 16 * PAGE, MREMAP_MAYMOVE);
	need(moved.start != MAP_FAILED, moved.name);
}

static void set_up_special(void)
{
	/* Room to grow into, too small for others; it may grow up to what nobody can touch. */
	char *room = mmap(NULL, 4 * MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	need(room != MAP_FAILED && !munmap(room + 4 * MIB - 64 * PAGE, 64 * PAGE), "room");
	grows = (struct area){ "GROWSDOWN", room + 4 * MIB - 4 * PAGE, 4 * PAGE };
	need(mmap(grows.start, grows.bytes, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN, -1, 0) == grows.start,
	     grows.name);
	fill(grows.start, grows.bytes, 7);

	locked = map_anonymous("locked", 8 * PAGE, MAP_PRIVATE);
	fill(locked.start, locked.bytes, 8);
	need(!mlock(locked.start, locked.bytes), locked.name);
	lazily_locked = map_anonymous("locked on fault", 8 * PAGE, MAP_PRIVATE);
	need(!mlock2(lazily_locked.start, lazily_locked.bytes, MLOCK_ONFAULT), lazily_locked.name);
	fill(lazily_locked.start, PAGE, 9);

	sparse = map_anonymous("sparse 64 GiB", SPARSE, MAP_PRIVATE | MAP_NORESERVE);
	for (size_t i = 0; i < 64; i++)
		fill(sparse.start + i * GIB + i * 17 * PAGE, PAGE, 100 + i);

	huge = map_anonymous("transparent huge pages", 6 * MIB, MAP_PRIVATE);
	need(!madvise(huge.start, huge.bytes, MADV_HUGEPAGE), huge.name);
	fill(huge.start, 5 * MIB, 10);

	for (size_t i = 0; i < ARRAY_SIZE(advices); i++) {
		advised[i] = map_anonymous(advices[i].name, 4 * PAGE, MAP_PRIVATE);
		fill(advised[i].start, 2 * PAGE, 20 + i);
		need(!madvise(advised[i].start, 4 * PAGE, advices[i].advice), advices[i].name);
	}
}

static void set_up_files(void)
{
	char page[PAGE];
	int fd = open("mapped", O_RDWR | O_CREAT | O_TRUNC, 0600), lost_memfd;

	need(fd >= 0, "mapped");
	for (int i = 0; i < 24; i++) {
		fill(page, PAGE, 40 + i);
		need(write(fd, page, PAGE) == PAGE, "mapped");
	}
	/* Pages 4 to 11, of which the second was written to; pages 12 to 15, shared. */
	file_private =
		map("file-private", 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 4 * PAGE);
	fill(file_private.start + PAGE, PAGE, 11);
	file_shared =
		map("file-shared", 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 12 * PAGE);
	fill(file_shared.start + PAGE, PAGE, 12);
	close(fd);

	memfd = memfd_create("kept", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	need(memfd >= 0 && !ftruncate(memfd, 64 * MIB), "memfd");
	need(!fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), "seals");
	need(lseek(memfd, 12345, SEEK_SET) == 12345, "memfd");
	memfd_shared = map("memfd, shared", 64 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	fill(memfd_shared.start + 32 * MIB, 8 * PAGE, 13);
	memfd_private = map("memfd, private", 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, memfd,
			    32 * MIB);
	fill(memfd_private.start + PAGE, PAGE, 14);

	/* This one is held by its mapping alone. */
	lost_memfd = memfd_create("closed", 0);
	need(lost_memfd >= 0 && !ftruncate(lost_memfd, 8 * PAGE), "memfd");
	small = map("memfd, closed", 8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, lost_memfd, 0)
			.start;
	fill(small, 4 * PAGE, 15);
	close(lost_memfd);
}

static void set_up_heap(void)
{
	heap_end = sbrk(40 * PAGE);
	need(heap_end != (void *)-1, "brk");
	fill(heap_end, 40 * PAGE, 16);
	heap_end += 40 * PAGE;
}

/* The areas with their flags; what tells the inode of memory that has no name is left out. */
static void read_areas(char *text)
{
	char *line, *next, *end = text;
	unsigned long start, stop, offset, inode;
	char perms[8], device[16], path[512];

	read_file("/proc/self/smaps", raw, sizeof(raw));
	for (line = strtok_r(raw, "\n", &next); line; line = strtok_r(NULL, "\n", &next)) {
		path[0] = 0;
		if (sscanf(line, "%lx-%lx %7s %lx %15s %lu %500[^\n]", &start, &stop, perms,
			   &offset, device, &inode, path) >= 6) {
			if (strstr(path, "(deleted)"))
				inode = 0, device[0] = 0;
			end += sprintf(end, "%lx-%lx %s %lx %s %lu %s ", start, stop, perms, offset,
				       device, inode, path);
		} else if (!strncmp(line, "VmFlags:", 8)) {
			char *dirty = strstr(line, "sd ");

			/* Soft-dirty: what was filled anew has been written to. */
			if (dirty)
				memmove(dirty, dirty + 3, strlen(dirty + 3) + 1);
			end += sprintf(end, "%s\n", line);
		}
	}
}

static void read_process(char *text, size_t size)
{
	static const char *const files[] = { "cmdline", "environ", "auxv" };
	char path[64], *field;
	size_t length;

	length = readlink("/proc/self/exe", text, 1000);
	text[length++] = '\n';
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		unsigned long sum = 5381;
		char bytes[16384];
		size_t have;

		snprintf(path, sizeof(path), "/proc/self/%s", files[i]);
		have = read_file(path, bytes, sizeof(bytes));
		for (size_t k = 0; k < have; k++)
			sum = sum * 33 + bytes[k];
		length +=
			snprintf(text + length, size - length, "%s %zu %lx\n", files[i], have, sum);
	}
	/* 26 to 28 and 45 to 51: the borders of code, stack, data, brk, argv, environment. */
	read_file("/proc/self/stat", raw, sizeof(raw));
	field = strrchr(raw, ')');
	for (int n = 2; field && *field; n++) {
		int width = strcspn(field, " ");

		if ((n >= 26 && n <= 28) || n >= 45)
			length += snprintf(text + length, size - length, "stat %d %.*s\n", n, width,
					   field);
		field += width;
		field += *field == ' ';
	}
	read_status(getpid(), text + length, size - length);
}

static void check_anonymous(void)
{
	int (*answer)(void) = (int (*)(void))code.start;

	check(is_filled(plain.start, 16 * PAGE, 1) &&
		      is_filled(plain.start + 48 * PAGE, 16 * PAGE, 2) &&
		      is_zero(plain.start + 16 * PAGE, 32 * PAGE),
	      "%s", plain.name);
	check(is_filled(shared.start, 16 * PAGE, 3) && is_zero(shared.start + 16 * PAGE, 16 * PAGE),
	      "%s", shared.name);
	shared.start[20 * PAGE] = 77;
	check(is_filled(twin.start, 16 * PAGE, 3) && twin.start[20 * PAGE] == 77, "%s", twin.name);
	check(!mprotect(hidden.start, hidden.bytes, PROT_READ) &&
		      is_filled(hidden.start, hidden.bytes, 4),
	      "%s", hidden.name);
	check(is_filled(frozen.start, frozen.bytes, 5), "%s", frozen.name);
	check(answer() == 42, "%s", code.name);
	check(is_filled(moved.start, 8 * PAGE, 6) && is_zero(moved.start + 8 * PAGE, 8 * PAGE),
	      "%s", moved.name);
}

static void check_special(void)
{
	bool holds = true;

	check(is_filled(grows.start, grows.bytes, 7), "%s", grows.name);
	for (int i = 1; i <= 20; i++)
		grows.start[-i * (long)PAGE] = i;
	check(grows.start[-20 * (long)PAGE] == 20, "%s grows", grows.name);
	check(is_filled(locked.start, locked.bytes, 8), "%s", locked.name);
	check(is_filled(lazily_locked.start, PAGE, 9) &&
		      is_zero(lazily_locked.start + PAGE, 7 * PAGE),
	      "%s", lazily_locked.name);
	for (size_t i = 0; i < 64; i++)
		holds &= is_filled(sparse.start + i * GIB + i * 17 * PAGE, PAGE, 100 + i) &&
			 is_zero(sparse.start + i * GIB + (i * 17 + 1) * PAGE, PAGE);
	check(holds, "%s", sparse.name);
	check(is_filled(huge.start, 5 * MIB, 10) && is_zero(huge.start + 5 * MIB, MIB), "%s",
	      huge.name);
	for (size_t i = 0; i < ARRAY_SIZE(advices); i++)
		check(is_filled(advised[i].start, 2 * PAGE, 20 + i) &&
			      is_zero(advised[i].start + 2 * PAGE, 2 * PAGE),
		      "%s", advised[i].name);
}

static void check_files(void)
{
	char page[PAGE];
	bool holds = true;
	int fd = open("mapped", O_RDONLY);

	for (int i = 0; i < 8; i++)
		holds &= is_filled(file_private.start + i * PAGE, PAGE, i == 1 ? 11 : 44 + i);
	check(holds, "%s", file_private.name);
	for (int i = 0; i < 4; i++)
		holds &= is_filled(file_shared.start + i * PAGE, PAGE, i == 1 ? 12 : 52 + i);
	check(holds, "%s", file_shared.name);
	check(pread(fd, page, PAGE, 5 * PAGE) == PAGE && is_filled(page, PAGE, 45),
	      "%s: the file has its own", file_private.name);
	fill(file_shared.start + 2 * PAGE, PAGE, 17);
	check(pread(fd, page, PAGE, 14 * PAGE) == PAGE && is_filled(page, PAGE, 17),
	      "%s: the file has it too", file_shared.name);

	check(is_filled(memfd_shared.start + 32 * MIB, 8 * PAGE, 13) &&
		      is_zero(memfd_shared.start + 40 * MIB, MIB),
	      "%s", memfd_shared.name);
	check(is_filled(memfd_private.start + PAGE, PAGE, 14), "%s", memfd_private.name);
	check(fcntl(memfd, F_GET_SEALS) == (F_SEAL_SHRINK | F_SEAL_GROW), "memfd: seals");
	check(lseek(memfd, 0, SEEK_CUR) == 12345, "memfd: position");
	check(pread(memfd, page, PAGE, 32 * MIB) == PAGE &&
		      !memcmp(page, memfd_shared.start + 32 * MIB, PAGE),
	      "memfd: descriptor and mapping are one");
	fill(memfd_shared.start, PAGE, 18);
	check(pread(memfd, page, PAGE, 0) == PAGE && is_filled(page, PAGE, 18),
	      "memfd: descriptor and mapping stay one");
	check(is_filled(small, 4 * PAGE, 15) && is_zero(small + 4 * PAGE, 4 * PAGE),
	      "memfd, closed");
}

/* Not folded by the compiler: it must take stack. */
static __attribute__((noinline)) unsigned int deep(unsigned int depth)
{
	volatile unsigned char here[4000];

	here[0] = depth;
	here[3999] = 1;
	return depth ? deep(depth - 1) + here[3999] : here[3999];
}

static void check_growth(void)
{
	struct rlimit limit;
	struct rusage usage;
	char *more;

	getrlimit(RLIMIT_STACK, &limit);
	check(deep(1000) == 1001, "the stack grows by 4 MB");
	check(sbrk(0) == heap_end && is_filled(heap_end - 40 * PAGE, 40 * PAGE, 16), "brk");
	more = sbrk(10 * PAGE);
	check(more == heap_end && is_zero(more, 10 * PAGE), "brk goes on");
	getrusage(RUSAGE_SELF, &usage);
	/* Each touched page of the sparse area may be a huge one. */
	check(usage.ru_maxrss < rss_before + (32 << 10), "holes stay holes: %ld KiB, before %ld",
	      usage.ru_maxrss, rss_before);
}

int main(void)
{
	static char process_before[20000], process_after[20000];
	struct rusage usage;

	/* What the C library allocates when it first prints. */
	check(true, "starts");
	set_up_anonymous();
	set_up_special();
	set_up_files();
	set_up_heap();
	deep(40);
	/* Once for the sake of what reading itself allocates. */
	read_areas(smaps_before);
	read_process(process_before, sizeof(process_before));
	read_areas(smaps_before);

	getrusage(RUSAGE_SELF, &usage);
	rss_before = usage.ru_maxrss;

	ready_then_go();

	read_areas(smaps_after);
	read_process(process_after, sizeof(process_after));
	check_same_text("areas and their flags", smaps_before, smaps_after);
	check_same_text("program file, arguments, environment, auxv, borders, status",
			process_before, process_after);
	check_anonymous();
	check_special();
	check_files();
	check_growth();
	return verdict();
}
