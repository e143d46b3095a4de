// SPDX-License-Identifier: GPL-2.0-only
/*
 * Shared memory of a parent, its child and its grandchild: files of /dev/shm, with and without a
 * name, named and nameless semaphores in them, and shared anonymous memory, mapped in part and
 * moved.
 */

// link: pthread rt

#define _GNU_SOURCE
#include <semaphore.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "state.h"

#define PAGE 4096
#define SIZE (16 * PAGE)
#define NAME "/ckpt-state"
#define GONE "/ckpt-gone"
#define SEMAPHORE "/ckpt-semaphore"

/* What the processes tell one another. */
struct talk {
	sem_t nameless;
	int step;
};

static char *named, *gone, *anonymous, *moved;
static struct talk *talk;
static sem_t *semaphore;
static int fd;
static char maps_before[8000], maps_after[8000];

static void read_maps(char *text, size_t size)
{
	char raw[40000], *line, *next;
	size_t length = 0;

	read_file("/proc/self/maps", raw, sizeof(raw));
	text[0] = 0;
	/*
	 * Without the number of the inode and the device, which a new file has anew, and without
	 * the name under which sem_open() has made a semaphore, which is deleted at once.
	 */
	for (line = strtok_r(raw, "\n", &next); line; line = strtok_r(NULL, "\n", &next))
		if (strstr(line, "rw-s") && !strstr(line, "/sem.") && length < size)
			length += snprintf(text + length, size - length, "%.39s %s\n", line,
					   strchr(line, '/') ? strchr(line, '/') : "");
}

static char *map(int file, size_t bytes)
{
	char *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			MAP_SHARED | (file < 0 ? MAP_ANONYMOUS : 0), file, 0);

	need(at != MAP_FAILED, "a mapping");
	return at;
}

static void step_to(int step)
{
	__atomic_store_n(&talk->step, step, __ATOMIC_SEQ_CST);
}

static void wait_for_step(int step)
{
	while (__atomic_load_n(&talk->step, __ATOMIC_SEQ_CST) != step)
		nap(5);
}

static char *map_file(const char *name, int seed)
{
	int file = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0640);
	char *at;

	need(file >= 0 && !ftruncate(file, SIZE), name);
	at = map(file, SIZE);
	fill(at, SIZE / 2, seed);
	close(file);
	return at;
}

static void set_up(void)
{
	named = map_file(NAME, 1);
	gone = map_file(GONE, 2);
	fd = shm_open(GONE, O_RDWR, 0);
	need(fd >= 0 && lseek(fd, 5 * PAGE, SEEK_SET) == 5 * PAGE && !shm_unlink(GONE), GONE);
	anonymous = map(-1, SIZE);
	fill(anonymous, SIZE, 3);
	moved = map(-1, SIZE);
	fill(moved, SIZE, 4);
	talk = (struct talk *)map(-1, PAGE);
	need(!sem_init(&talk->nameless, 1, 0), "a semaphore");
	semaphore = sem_open(SEMAPHORE, O_CREAT | O_EXCL, 0600, 3);
	need(semaphore != SEM_FAILED, "a named semaphore");
}

static void check_contents(const char *who, const char *twice, const char *third)
{
	static char whole[SIZE];

	check(is_filled(named, SIZE / 2, 1) && is_zero(named + SIZE / 2, SIZE / 2), "%s: named",
	      who);
	check(is_filled(gone, SIZE / 2, 2), "%s: deleted", who);
	check(is_filled(anonymous, SIZE, 3), "%s: anonymous", who);
	fill(whole, SIZE, 4);
	check(!memcmp(twice, whole + 4 * PAGE, 4 * PAGE) && !memcmp(third, whole, PAGE),
	      "%s: moved, in part", who);
}

/* The parts lie elsewhere than in the parent. */
static char *move_part(void)
{
	char *at = mremap(moved + 4 * PAGE, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			  moved + 1024 * PAGE);

	need(at != MAP_FAILED && !munmap(moved + 8 * PAGE, 8 * PAGE), "other places");
	return at;
}

static int grandchild(char *part)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	step_to(2);
	while (sem_wait(&talk->nameless) && errno == EINTR)
		;
	check_contents("grandchild", part, moved);
	moved[0] = 42;
	step_to(4);
	return verdict();
}

static int child(void)
{
	char *part = move_part();
	int status;
	pid_t pid;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pid = fork();
	need(pid >= 0, "a grandchild");
	if (!pid)
		exit(grandchild(part));
	read_maps(maps_before, sizeof(maps_before));
	wait_for_file(go_file);
	read_maps(maps_after, sizeof(maps_after));
	check_same_text("child: maps", maps_before, maps_after);
	wait_for_step(3);
	check_contents("child", part, moved);
	sem_post(&talk->nameless);
	need(waitpid(pid, &status, 0) == pid, "the end of the grandchild");
	check(WIFEXITED(status) && !WEXITSTATUS(status), "the grandchild found all as it was");
	sem_post(semaphore);
	return verdict();
}

static void check_files(void)
{
	char page[PAGE];
	struct stat st;
	sem_t *again;
	int value, file;

	check(pread(fd, page, PAGE, 0) == PAGE && !memcmp(page, gone, PAGE),
	      "deleted: descriptor and mapping are one");
	check(lseek(fd, 0, SEEK_CUR) == 5 * PAGE && !fstat(fd, &st) && st.st_size == SIZE &&
		      !st.st_nlink,
	      "deleted: position, size");
	file = shm_open(NAME, O_RDWR, 0);
	check(file >= 0 && !fstat(file, &st) && (st.st_mode & 07777) == 0640 && st.st_size == SIZE,
	      "named: the file is there");
	check(pread(file, page, PAGE, 0) == PAGE && !memcmp(page, named, PAGE),
	      "named: file and mapping are one");
	check(!sem_getvalue(semaphore, &value) && value == 3, "named semaphore: %d", value);
	/* The C library knows it again by the number of its inode, which a new file has anew. */
	again = sem_open(SEMAPHORE, 0);
	check(again != SEM_FAILED && !sem_wait(again) && !sem_getvalue(semaphore, &value) &&
		      value == 2 && !sem_post(again),
	      "named semaphore, opened again");
	close(file);
}

int main(void)
{
	int status, value;
	pid_t pid;

	check(true, "starts");
	set_up();
	pid = fork();
	need(pid >= 0, "a child");
	if (!pid)
		return child();
	wait_for_step(2);
	nap(50);
	read_maps(maps_before, sizeof(maps_before));

	ready_then_go();

	read_maps(maps_after, sizeof(maps_after));
	check_same_text("maps", maps_before, maps_after);
	check_contents("parent", moved + 4 * PAGE, moved);
	check_files();
	step_to(3);
	need(waitpid(pid, &status, 0) == pid, "the end of the child");
	check(WIFEXITED(status) && !WEXITSTATUS(status), "the child found all as it was");
	check(moved[0] == 42, "what the grandchild wrote");
	check(!sem_getvalue(semaphore, &value) && value == 4, "what the child has posted");
	shm_unlink(NAME);
	sem_unlink(SEMAPHORE);
	return verdict();
}
