// SPDX-License-Identifier: GPL-2.0-only
/* A file that gets its name in one step once it is whole. */

#define _GNU_SOURCE

#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool.h"

#define MODE 0600
#define TRIES 100

static int fail(const struct output *out, const char *what)
{
	tool_error("%s: %s: %s", out->name, what, strerror(errno));
	return -1;
}

static int set_direct(struct output *out, int fd)
{
	if (fd < 0)
		return fail(out, "cannot open");
	out->fd = fd;
	out->direct = true;
	if (!isatty(fd))
		return 0;
	tool_error("%s: cannot write an image: it is a terminal", out->name);
	return -1;
}

static int set_folder(struct output *out, const char *path)
{
	char *one = strdup(path), *other = strdup(path);
	int status = -1;

	if (!one || !other) {
		fail(out, "cannot open");
	} else if (!*path || path[strlen(path) - 1] == '/') {
		errno = *path ? EISDIR : ENOENT;
		fail(out, "cannot write");
	} else if (strlen(basename(one)) > NAME_MAX) {
		errno = ENAMETOOLONG;
		fail(out, "cannot write");
	} else {
		snprintf(out->base, sizeof(out->base), "%s", basename(one));
		out->folder = open(dirname(other), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		status = out->folder < 0 ? fail(out, "cannot open its folder") : 0;
	}
	free(one);
	free(other);
	return status;
}

/* A symbolic link stays: the file that it leads to is replaced. */
static int find_target(struct output *out)
{
	struct stat st;
	char *path;
	int status;

	if (stat(out->name, &st)) {
		if (errno != ENOENT)
			return fail(out, "cannot write");
		if (!lstat(out->name, &st)) {
			tool_error("%s: cannot write: it is a symbolic link that leads nowhere",
				   out->name);
			return -1;
		}
		return set_folder(out, out->name);
	}
	if (S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		return fail(out, "cannot write");
	}
	if (!S_ISREG(st.st_mode))
		return set_direct(out, open(out->name, O_WRONLY | O_NOCTTY | O_CLOEXEC));
	path = realpath(out->name, NULL);
	if (!path)
		return fail(out, "cannot write");
	status = set_folder(out, path);
	free(path);
	return status;
}

static void choose_name(struct output *out)
{
	unsigned long long random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		random = getpid();
	snprintf(out->temporary, sizeof(out->temporary), ".ckpt-%016llx", random);
}

/*
 * The watcher has nothing open but the pipe and the folder, and outlives every signal but
 * SIGKILL.
 */
static _Noreturn void watch(const struct output *out, int end)
{
	char c;

	setsid();
	if (dup2(end, 0) < 0 || dup2(out->folder, 1) < 0 || close_range(2, ~0U, 0))
		_exit(EXIT_FAILURE);
	while (read(0, &c, 1) < 0 && errno == EINTR)
		;
	unlinkat(1, out->temporary, 0);
	_exit(EXIT_SUCCESS);
}

static int start_watcher(struct output *out)
{
	sigset_t all, old;
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		return fail(out, "cannot watch over it");
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	out->watcher = fork();
	if (!out->watcher)
		watch(out, fds[0]);
	sigprocmask(SIG_SETMASK, &old, NULL);
	close(fds[0]);
	out->watch = fds[1];
	if (out->watcher > 0)
		return 0;
	out->watcher = 0;
	return fail(out, "cannot watch over it");
}

/* For a file system without O_TMPFILE: a name that somebody must remove whatever happens. */
static int open_named(struct output *out)
{
	choose_name(out);
	if (start_watcher(out))
		return -1;
	out->fd =
		openat(out->folder, out->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, MODE);
	if (out->fd < 0)
		return fail(out, "cannot create a file in its folder");
	return 0;
}

int output_open(struct output *out, const char *name)
{
	*out = (struct output){ .name = name, .fd = -1, .folder = -1, .watch = -1 };
	if (!strcmp(name, "-")) {
		out->name = "standard output";
		return set_direct(out, STDOUT_FILENO);
	}
	if (find_target(out))
		return -1;
	if (out->direct)
		return 0;
	out->fd = openat(out->folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, MODE);
	if (out->fd >= 0)
		return 0;
	if (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL || errno == ENOENT)
		return open_named(out);
	return fail(out, "cannot create a file in its folder");
}

int output_sync(struct output *out)
{
	/* A pipe cannot be synced. */
	if (!fsync(out->fd) || (out->direct && (errno == EINVAL || errno == EROFS)))
		return 0;
	return fail(out, "cannot write");
}

static int link_as(const struct output *out, const char *name)
{
	char self[64];

	if (!linkat(out->fd, "", out->folder, name, AT_EMPTY_PATH))
		return 0;
	if (errno != ENOENT)
		return -1;
	/* ENOENT: that way needs CAP_DAC_READ_SEARCH. */
	snprintf(self, sizeof(self), "/proc/self/fd/%d", out->fd);
	return linkat(AT_FDCWD, self, out->folder, name, AT_SYMLINK_FOLLOW);
}

/* Names a file that has no name; one that is there can only be replaced by renaming. */
static int give_name(struct output *out)
{
	int tries;

	if (!link_as(out, out->base))
		return 0;
	for (tries = 0; errno == EEXIST && tries < TRIES; tries++) {
		choose_name(out);
		if (link_as(out, out->temporary))
			continue;
		if (!renameat(out->folder, out->temporary, out->folder, out->base))
			return 0;
		break;
	}
	return -1;
}

int output_publish(struct output *out)
{
	int status;

	if (out->direct)
		return 0;
	if (*out->temporary)
		status = renameat(out->folder, out->temporary, out->folder, out->base);
	else
		status = give_name(out);
	if (status)
		return fail(out, "cannot name the image");
	*out->temporary = '\0';
	return fsync(out->folder) ? fail(out, "cannot sync its folder") : 0;
}

void output_close(struct output *out)
{
	if (*out->temporary && out->folder >= 0)
		unlinkat(out->folder, out->temporary, 0);
	if (out->watch >= 0)
		close(out->watch);
	if (out->watcher)
		while (waitpid(out->watcher, NULL, 0) < 0 && errno == EINTR)
			;
	if (out->fd >= 0 && out->fd != STDOUT_FILENO)
		close(out->fd);
	if (out->folder >= 0)
		close(out->folder);
}
