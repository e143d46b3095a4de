// SPDX-License-Identifier: GPL-2.0-only
/*
 * Descriptors of every kind that an image covers: positions, flags, sharing, contents and locks.
 *
 * usage: state_files
 */

#define _GNU_SOURCE
#include <dirent.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "state.h"

#define ENTRIES 120
#define HIGH_FD 500

struct linux_dirent64 {
	uint64_t d_ino;
	int64_t d_off;
	unsigned short d_reclen;
	unsigned char d_type;
	char d_name[];
};

static struct {
	int plain, twin, high, other, append, flags, write_only, created, folder;
	int null, zero, full, random, urandom;
	int full_pipe[2], packets[2], empty[2], ended[2], broken[2];
	int posix, ofd, shared, exclusive;
} fd;
static char seen[ENTRIES];
static char flags_before[65536], flags_after[65536];

static int open_file(const char *name, int flags)
{
	int got = open(name, flags, 0600);

	need(got >= 0, name);
	return got;
}

static void set_up_files(void)
{
	char text[5000];

	memset(text, 'a', sizeof(text));
	fd.plain = open_file("plain", O_RDWR | O_CREAT);
	need(write(fd.plain, text, sizeof(text)) == sizeof(text), "plain");
	need(lseek(fd.plain, 4711, SEEK_SET) == 4711, "position");
	fd.twin = dup(fd.plain);
	fd.high = fcntl(fd.plain, F_DUPFD_CLOEXEC, HIGH_FD);
	need(fd.high == HIGH_FD, "high descriptor");
	fd.other = open_file("plain", O_RDONLY | O_CLOEXEC);
	need(lseek(fd.other, 17, SEEK_SET) == 17, "position");
	fd.append = open_file("append", O_WRONLY | O_CREAT | O_APPEND);
	need(write(fd.append, "first\n", 6) == 6, "append");
	fd.flags = open_file("plain", O_RDONLY | O_NONBLOCK | O_NOATIME | O_DSYNC | O_LARGEFILE);
	fd.write_only = open_file("write-only", O_WRONLY | O_CREAT | O_SYNC);
	need(write(fd.write_only, text, 100) == 100 && !fchmod(fd.write_only, 0), "write-only");
	/* A restore must neither create nor truncate it again. */
	fd.created = open_file("created", O_RDWR | O_CREAT | O_TRUNC | O_EXCL);
	need(write(fd.created, text, 1000) == 1000, "created");
	need(lseek(fd.created, 1L << 40, SEEK_SET) == 1L << 40, "position beyond the end");
}

static void set_up_devices(void)
{
	fd.null = open_file("/dev/null", O_RDWR);
	fd.zero = open_file("/dev/zero", O_RDONLY);
	fd.full = open_file("/dev/full", O_WRONLY);
	fd.random = open_file("/dev/random", O_RDONLY | O_NONBLOCK);
	fd.urandom = open_file("/dev/urandom", O_RDONLY);
}

/* Reads names of the folder and counts each. */
static int read_folder(size_t room)
{
	char buffer[32768];
	long got = syscall(SYS_getdents64, fd.folder, buffer, room);

	for (long at = 0; at < got;) {
		struct linux_dirent64 *entry = (void *)(buffer + at);

		if (entry->d_name[0] == 'e')
			seen[atoi(entry->d_name + 1)]++;
		at += entry->d_reclen;
	}
	return got;
}

static void set_up_folder(void)
{
	char name[32];

	need(!mkdir("folder", 0700), "folder");
	for (int i = 0; i < ENTRIES; i++) {
		snprintf(name, sizeof(name), "folder/e%d", i);
		close(open_file(name, O_WRONLY | O_CREAT));
	}
	fd.folder = open_file("folder", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	need(read_folder(1000) > 0, "reading the folder");
}

static void set_up_pipes(void)
{
	char text[200000];

	fill(text, sizeof(text), 1);
	need(!pipe2(fd.full_pipe, O_CLOEXEC), "pipe");
	need(fcntl(fd.full_pipe[1], F_SETPIPE_SZ, 256 << 10) == 256 << 10, "pipe size");
	need(write(fd.full_pipe[1], text, 200000) == 200000, "pipe");
	need(read(fd.full_pipe[0], text, 8000) == 8000, "pipe");
	need(!fcntl(fd.full_pipe[0], F_SETFL, O_NONBLOCK), "pipe");

	need(!pipe2(fd.packets, O_DIRECT), "packets");
	for (size_t i = 1; i <= 5; i++)
		need(write(fd.packets[1], text, 100 * i) == (ssize_t)(100 * i), "packet");

	need(!pipe(fd.empty) && !pipe(fd.ended) && !pipe(fd.broken), "pipes");
	need(write(fd.ended[1], "last words", 10) == 10, "pipe");
	close(fd.ended[1]);
	close(fd.broken[0]);
}

static void set_up_locks(void)
{
	struct flock lock = { .l_type = F_RDLCK, .l_start = 100, .l_len = 50 };
	struct flock ofd = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 7, .l_len = 0 };

	fd.posix = open_file("locked", O_RDWR | O_CREAT);
	need(!fcntl(fd.posix, F_SETLK, &lock), "read lock");
	lock.l_type = F_WRLCK;
	lock.l_start = 1000;
	need(!fcntl(fd.posix, F_SETLK, &lock), "write lock");
	fd.ofd = open_file("ofd", O_RDWR | O_CREAT);
	need(!fcntl(fd.ofd, F_OFD_SETLK, &ofd), "lock of a description");
	fd.shared = open_file("flock-shared", O_RDWR | O_CREAT);
	need(!flock(fd.shared, LOCK_SH), "flock");
	fd.exclusive = open_file("flock-exclusive", O_RDWR | O_CREAT);
	need(!flock(fd.exclusive, LOCK_EX), "flock");
}

/* Every descriptor with its target, its flags and its position. */
static void read_descriptors(char *text, size_t size)
{
	size_t length = 0;

	for (int i = 0; i <= HIGH_FD; i++) {
		char path[64], target[300], info[600], *line, *next;
		ssize_t got;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", i);
		got = readlink(path, target, sizeof(target) - 1);
		if (got < 0)
			continue;
		target[got] = 0;
		/* A pipe has a new number, and the job's output has grown. */
		if (!strncmp(target, "pipe:", 5))
			target[5] = 0;
		length += snprintf(text + length, size - length, "fd %d %s", i, target);
		snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", i);
		read_file(path, info, sizeof(info));
		for (line = strtok_r(info, "\n", &next); line; line = strtok_r(NULL, "\n", &next))
			if (!strncmp(line, "flags", 5) || (i > 2 && !strncmp(line, "pos", 3)))
				length += snprintf(text + length, size - length, " %s", line);
		length += snprintf(text + length, size - length, "\n");
	}
}

static void check_files(void)
{
	char text[200];
	struct stat st;

	check(lseek(fd.plain, 0, SEEK_CUR) == 4711, "position");
	check(read(fd.twin, text, 100) == 100 && lseek(fd.plain, 0, SEEK_CUR) == 4811 &&
		      lseek(fd.high, 0, SEEK_CUR) == 4811,
	      "three descriptors of one description");
	check(lseek(fd.other, 0, SEEK_CUR) == 17, "another description of the same file");
	check(fcntl(fd.high, F_GETFD) == FD_CLOEXEC && fcntl(fd.twin, F_GETFD) == 0 &&
		      fcntl(fd.other, F_GETFD) == FD_CLOEXEC,
	      "close on exec");
	check(write(fd.append, "second\n", 7) == 7 && !fstat(fd.append, &st) && st.st_size == 13,
	      "append");
	check(write(fd.write_only, "x", 1) == 1 && !fstat(fd.write_only, &st) &&
		      st.st_size == 101 && read(fd.write_only, text, 1) < 0 && errno == EBADF,
	      "write-only, and mode 000");
	check(!fstat(fd.created, &st) && st.st_size == 1000 &&
		      lseek(fd.created, 0, SEEK_CUR) == 1L << 40,
	      "created, truncated, beyond its end");
}

static void check_devices(void)
{
	char text[64] = "x";

	check(write(fd.null, text, 10) == 10 && read(fd.null, text, 10) == 0, "/dev/null");
	check(read(fd.zero, text, 64) == 64 && is_zero(text, 64), "/dev/zero");
	check(write(fd.full, text, 1) < 0 && errno == ENOSPC, "/dev/full");
	check(read(fd.random, text, 64) == 64 && !is_zero(text, 64), "/dev/random");
	check(read(fd.urandom, text, 64) == 64 && !is_zero(text, 64), "/dev/urandom");
}

static void check_folder(void)
{
	int missing = 0, twice = 0;

	while (read_folder(32768) > 0)
		;
	for (int i = 0; i < ENTRIES; i++) {
		missing += !seen[i];
		twice += seen[i] > 1;
	}
	check(!missing && !twice, "directory read on: %d entries lost, %d read twice", missing,
	      twice);
}

static void check_pipes(void)
{
	char text[200000], wanted[200000];
	int left = 0;

	fill(wanted, sizeof(wanted), 1);
	check(fcntl(fd.full_pipe[1], F_GETPIPE_SZ) == 256 << 10, "pipe: size");
	check(!ioctl(fd.full_pipe[0], FIONREAD, &left) && left == 192000,
	      "pipe: 192000 bytes inside");
	check(read(fd.full_pipe[0], text, sizeof(text)) == 192000 &&
		      !memcmp(text, wanted + 8000, 192000),
	      "pipe: contents");
	check(read(fd.full_pipe[0], text, 1) < 0 && errno == EAGAIN,
	      "pipe: its reader does not block");
	check(write(fd.full_pipe[1], "again", 5) == 5 && read(fd.full_pipe[0], text, 10) == 5 &&
		      !memcmp(text, "again", 5),
	      "pipe: goes on");
	for (size_t i = 1; i <= 5; i++)
		check(read(fd.packets[0], text, sizeof(text)) == (ssize_t)(100 * i) &&
			      !memcmp(text, wanted, 100 * i),
		      "pipe of packets: packet %zu", i);
	check(write(fd.empty[1], "x", 1) == 1 && read(fd.empty[0], text, 10) == 1, "empty pipe");
	check(read(fd.ended[0], text, 100) == 10 && !memcmp(text, "last words", 10) &&
		      read(fd.ended[0], text, 100) == 0,
	      "pipe without a writer: contents, then its end");
	signal(SIGPIPE, SIG_IGN);
	check(write(fd.broken[1], "x", 1) < 0 && errno == EPIPE, "pipe without a reader");
}

/* Another process asks for a lock and is told who holds it. */
static bool is_held(int type, off_t start, off_t length, pid_t holder, off_t from, off_t until)
{
	pid_t child = fork();
	int status = 0;

	if (!child) {
		struct flock lock = {
			.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length
		};
		int file = open("locked", O_RDWR);

		if (fcntl(file, F_GETLK, &lock) || lock.l_type == F_UNLCK)
			_exit(1);
		_exit(lock.l_pid != holder || lock.l_start != from || lock.l_len != until - from);
	}
	waitpid(child, &status, 0);
	return !status;
}

static void check_locks(void)
{
	struct flock ofd = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
	int file;

	check(is_held(F_WRLCK, 120, 1, getpid(), 100, 150), "POSIX read lock");
	check(!is_held(F_RDLCK, 120, 1, getpid(), 100, 150), "POSIX read lock: not a write lock");
	check(is_held(F_RDLCK, 0, 2000, getpid(), 1000, 1050), "POSIX write lock");
	check(!is_held(F_WRLCK, 150, 850, getpid(), 0, 0), "no lock in between");
	file = open_file("ofd", O_RDWR);
	check(!fcntl(file, F_OFD_GETLK, &ofd) && ofd.l_type == F_WRLCK && ofd.l_start == 7 &&
		      ofd.l_len == 0 && ofd.l_pid == -1,
	      "lock of a description");
	file = open_file("flock-shared", O_RDWR);
	check(!flock(file, LOCK_SH | LOCK_NB) && flock(file, LOCK_EX | LOCK_NB) < 0,
	      "flock, shared");
	file = open_file("flock-exclusive", O_RDWR);
	check(flock(file, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK, "flock, exclusive");
	check(!flock(fd.exclusive, LOCK_UN) && !flock(file, LOCK_SH | LOCK_NB), "flock, given up");
}

int main(void)
{
	set_up_files();
	set_up_devices();
	set_up_folder();
	set_up_pipes();
	set_up_locks();
	read_descriptors(flags_before, sizeof(flags_before));

	ready_then_go();

	read_descriptors(flags_after, sizeof(flags_after));
	check_same_text("descriptors, their targets, flags and positions", flags_before,
			flags_after);
	check_files();
	check_devices();
	check_folder();
	check_pipes();
	check_locks();
	return verdict();
}
