// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes that share objects, and check after a restore that they still do: open file
 * descriptions, pipes, memory, memfds, locks; and 40 processes that share all of them at once.
 */

#define _GNU_SOURCE

#include <sys/file.h>
#include <sys/mman.h>

#include "tree.h"

#define PAGE 4096

/* --- an open file description --- */

static struct gate file_gate;
static pid_t file_child;
static int file;

static void set_up_file(void)
{
	gate_make(&file_gate);
	file = open("shared", O_RDWR | O_CREAT | O_TRUNC, 0600);
	need(file >= 0 && write(file, "0123456789", 10) == 10 && lseek(file, 4, SEEK_SET) == 4,
	     "a shared file");
	file_child = child_make();
	if (!file_child) {
		char c = 0;

		gate_wait(&file_gate);
		check(read(file, &c, 1) == 1 && c == '4', "position of a shared file: '%c'", c);
		check(write(file, "ab", 2) == 2, "write at a shared position");
		fcntl(file, F_SETFL, fcntl(file, F_GETFL) | O_APPEND);
		_exit(verdict());
	}
}

static void check_file(void)
{
	gate_open(&file_gate);
	check_ends(file_child, "a shared open file description");
	check(lseek(file, 0, SEEK_CUR) == 7, "the position moved for both: %ld",
	      (long)lseek(file, 0, SEEK_CUR));
	check(fcntl(file, F_GETFL) & O_APPEND, "a flag was set for both");
}

/* --- pipes between siblings --- */

static struct gate pipe_gate;
static pid_t writer, reader;

static void set_up_pipe(void)
{
	int fds[2];

	gate_make(&pipe_gate);
	need(!pipe(fds), "a pipe");
	writer = child_make();
	if (!writer) {
		close(fds[0]);
		write(fds[1], "before", 6);
		gate_wait(&pipe_gate);
		check(write(fds[1], "after", 5) == 5, "write to a sibling");
		_exit(verdict());
	}
	reader = child_make();
	if (!reader) {
		size_t n = 0;
		ssize_t got;
		char all[32];

		close(pipe_gate.fds[0]);
		close(pipe_gate.fds[1]);
		close(fds[1]);
		while ((got = read(fds[0], all + n, sizeof(all) - 1 - n)) > 0)
			n += got;
		all[n] = 0;
		check(!strcmp(all, "beforeafter"), "what came from a sibling: '%s'", all);
		_exit(verdict());
	}
	close(fds[0]);
	close(fds[1]);
}

static void check_pipe(void)
{
	gate_open(&pipe_gate);
	check_ends(writer, "writer of a pipe");
	check_ends(reader, "reader of a pipe");
}

/* --- memory --- */

static struct gate memory_gate;
static pid_t memory_child;
static unsigned int *anonymous, *of_memfd, *private;
static int memfd;

static void set_up_memory(void)
{
	gate_make(&memory_gate);
	anonymous = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	private = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memfd = memfd_create("shared", 0);
	need(anonymous != MAP_FAILED && private != MAP_FAILED && memfd >= 0 &&
		     !ftruncate(memfd, 3 * PAGE),
	     "shared memory");
	anonymous[0] = 1;
	*private = 1;
	memory_child = child_make();
	if (!memory_child) {
		/* The child alone maps it; the parent has only the descriptor. */
		of_memfd = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
		need(of_memfd != MAP_FAILED, "a memfd");
		close(memfd);
		of_memfd[PAGE / 4] = 3;
		*private = 2;
		__atomic_store_n(&anonymous[PAGE / 4], 2, __ATOMIC_SEQ_CST);
		gate_wait(&memory_gate);
		check(anonymous[0] == 1 && anonymous[PAGE / 4] == 2, "shared memory of a child");
		check(*private == 2, "private memory of a child");
		anonymous[1] = 11;
		of_memfd[0] = 12;
		_exit(verdict());
	}
	while (__atomic_load_n(&anonymous[PAGE / 4], __ATOMIC_SEQ_CST) != 2)
		nap(5);
}

static void check_memory(void)
{
	unsigned int got[2] = { 0 };

	check(anonymous[PAGE / 4] == 2, "the child wrote to shared memory before");
	check(*private == 1, "private memory of the parent");
	gate_open(&memory_gate);
	check_ends(memory_child, "shared memory");
	check(anonymous[1] == 11, "the child wrote to shared memory after: %u", anonymous[1]);
	check(pread(memfd, &got[0], 4, 0) == 4 && pread(memfd, &got[1], 4, PAGE) == 4 &&
		      got[0] == 12 && got[1] == 3,
	      "the child wrote to the memfd before and after: %u %u", got[1], got[0]);
}

/* --- locks --- */

static struct gate lock_gate;
static pid_t lock_child;
static int posix, ofd, flocked;

static struct flock whole(int type)
{
	return (struct flock){ .l_type = type, .l_whence = SEEK_SET };
}

static void set_up_locks(void)
{
	struct flock lock = whole(F_WRLCK);
	struct gate taken;
	char c;

	gate_make(&lock_gate);
	gate_make(&taken);
	posix = open("posix", O_RDWR | O_CREAT, 0600);
	ofd = open("ofd", O_RDWR | O_CREAT, 0600);
	flocked = open("flock", O_RDWR | O_CREAT, 0600);
	need(!fcntl(ofd, F_OFD_SETLK, &lock) && !flock(flocked, LOCK_EX), "locks");
	lock_child = child_make();
	if (!lock_child) {
		need(!fcntl(posix, F_SETLK, &lock), "a lock");
		close(taken.fds[0]);
		close(taken.fds[1]);
		gate_wait(&lock_gate);
		lock = whole(F_WRLCK);
		check(!fcntl(ofd, F_OFD_SETLK, &lock), "a lock of the description is the child's");
		check(!flock(flocked, LOCK_EX | LOCK_NB), "a flock is the child's");
		_exit(verdict());
	}
	close(taken.fds[1]);
	while (read(taken.fds[0], &c, 1) < 0)
		;
	close(taken.fds[0]);
}

static void check_locks(void)
{
	int again = open("ofd", O_RDWR), other = open("flock", O_RDWR);
	struct flock lock = whole(F_WRLCK);

	check(!fcntl(posix, F_GETLK, &lock) && lock.l_type == F_WRLCK && lock.l_pid == lock_child,
	      "a lock is held by the child: type %d, process %d", lock.l_type, lock.l_pid);
	lock = whole(F_WRLCK);
	check(fcntl(again, F_OFD_SETLK, &lock) < 0, "a lock of the description holds");
	check(flock(other, LOCK_EX | LOCK_NB) < 0, "a flock holds");
	gate_open(&lock_gate);
	check_ends(lock_child, "locks");
	lock = whole(F_WRLCK);
	check(!fcntl(posix, F_SETLK, &lock), "the child's lock ended with it");
	lock = whole(F_WRLCK);
	check(fcntl(again, F_OFD_SETLK, &lock) < 0, "that of the description did not");
	check(flock(other, LOCK_EX | LOCK_NB) < 0, "the flock did not");
	close(again);
	close(other);
}

/* --- 40 processes --- */

#define NR_MANY 40
#define BRANCHES 3

static struct gate many_gate;
static unsigned int *counter;
static int many_fds[2], many_file;

/* Makes the children of number @n of a tree; returns its number in a child, 0 in the parent. */
static unsigned int grow(unsigned int n, pid_t *children, unsigned int *nr)
{
	unsigned int i, first = BRANCHES * n + 1;

	*nr = 0;
	for (i = first; i < first + BRANCHES && i < NR_MANY; i++) {
		children[*nr] = child_make();
		if (!children[*nr])
			return i;
		++*nr;
	}
	return 0;
}

/* Each makes its children, waits for them, and tells. */
static void be_many(pid_t parent)
{
	unsigned int n = 0, i, nr, child;
	pid_t children[BRANCHES], self;

	for (;;) {
		self = getpid();
		child = grow(n, children, &nr);
		if (!child)
			break;
		n = child;
		parent = self;
	}
	__atomic_add_fetch(&counter[0], 1, __ATOMIC_SEQ_CST);
	gate_wait(&many_gate);
	check(getppid() == parent && getpid() == self, "process %u: parent %d", n, getppid());
	__atomic_add_fetch(&counter[1], n, __ATOMIC_SEQ_CST);
	write(many_fds[1], "x", 1);
	write(many_file, "y", 1);
	for (i = 0; i < nr; i++)
		check_ends(children[i], "one of many");
	_exit(verdict());
}

static pid_t many;

static void set_up_many(void)
{
	gate_make(&many_gate);
	many_file = open("many", O_RDWR | O_CREAT | O_TRUNC, 0600);
	counter = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	need(!pipe(many_fds) && many_file >= 0 && counter != MAP_FAILED, "what many share");
	many = child_make();
	if (!many)
		be_many(getppid());
	while (__atomic_load_n(&counter[0], __ATOMIC_SEQ_CST) != NR_MANY)
		nap(5);
}

static void check_many(void)
{
	char text[2 * NR_MANY] = "";

	gate_open(&many_gate);
	check_ends(many, "many");
	check(counter[1] == NR_MANY * (NR_MANY - 1) / 2, "all of many have counted: %u",
	      counter[1]);
	check(read(many_fds[0], text, sizeof(text)) == NR_MANY, "all of many have written");
	check(lseek(many_file, 0, SEEK_CUR) == NR_MANY, "at one position");
}

/* --- */

static const struct world {
	void (*set_up)(void);
	void (*check)(void);
} worlds[] = {
	{ set_up_file, check_file },   { set_up_pipe, check_pipe }, { set_up_memory, check_memory },
	{ set_up_locks, check_locks }, { set_up_many, check_many },
};

int main(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(worlds); i++)
		worlds[i].set_up();
	ready_then_go();
	for (i = ARRAY_SIZE(worlds); i--;)
		worlds[i].check();
	return verdict();
}
