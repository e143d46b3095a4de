// SPDX-License-Identifier: GPL-2.0-only
// link: ckpt
/*
 * Makes every write of a save and every read of a restore fail, stop short and do nothing, in turn.
 * A short count must make no difference; after all else the job runs on, or is absent.
 */

#include "fault_job.h"
#include "fuse_file.h"

#define MAX_POINTS 5000

static const struct way {
	const char *name;
	enum fuse_fault fault;
} ways[] = {
	{ "failed", FUSE_ERROR },
	{ "short", FUSE_SHORT },
	{ "empty", FUSE_NOTHING },
};

static struct fuse_file *file;

static void arm(const struct way *way, int at)
{
	file->fault = way ? way->fault : FUSE_NO_FAULT;
	file->at = at;
	file->nr_requests = 0;
	file->was_hit = 0;
}

static void fail(const char *what, const struct way *way, int n, const char *why)
{
	fprintf(stderr, "%s: request %d %s: %s\n", what, n, way->name, why);
	exit(1);
}

/*
 * After an operation that had a fault at its request @n: only a short one may have succeeded. The
 * error of a write is the caller's to explain, who knows the file's name.
 */
static void judge(const char *what, const struct way *way, int n, int ckpt, int err)
{
	int may_fail = file->was_hit && way->fault != FUSE_SHORT;

	if (err && !may_fail) {
		fprintf(stderr, "%s", ckpt_messages(ckpt));
		fail(what, way, n, strerror(err));
	}
	if (!err && may_fail)
		fail(what, way, n, "success in spite of it");
	if (err && err != EIO)
		must_explain(ckpt, what, n, err);
}

/* Returns 0 or the errno of what failed. */
static int save(pid_t pid, const struct way *way, int n)
{
	int out = open(IMAGE, O_RDWR | O_TRUNC | O_CLOEXEC), ckpt = ckpt_open(), err = 0;

	need(ckpt >= 0 && out >= 0, IMAGE);
	arm(way, n);
	if (ckpt_freeze(ckpt, CKPT_SELECT_TREE, pid, 0) || ckpt_save(ckpt, out, NULL))
		err = errno;
	judge("save", way, n, ckpt, err);
	close(out);
	close(ckpt);
	return err;
}

/* Whether the file holds a whole image: what was short was not lost. */
static int is_image(void)
{
	int fd = open(IMAGE, O_RDONLY | O_CLOEXEC);
	struct ckpt_image *image;
	char why[200];

	arm(NULL, 0);
	image = ckpt_image_read(fd, CKPT_IMAGE_PAGES, why, sizeof(why));
	if (!image)
		fprintf(stderr, "%s\n", why);
	ckpt_image_free(image);
	close(fd);
	return !!image;
}

static int sweep_save(pid_t pid, const struct way *way)
{
	int n = 0, hit = 1;

	while (hit) {
		int err;

		need(n < MAX_POINTS, "save: no end of writes");
		err = save(pid, way, ++n);
		hit = file->was_hit;
		if (!err && !is_image())
			fail("save", way, n, "the image is not whole");
		if (!is_running())
			fail("save", way, n, "the job has stopped");
		must_be_unused("save", n);
	}
	return n - 1;
}

/* Returns 0 when the job ran, else the errno; in both cases it is gone afterwards. */
static int restore(const struct way *way, int n)
{
	int in = open(IMAGE, O_RDONLY | O_CLOEXEC), ckpt = ckpt_open(), err = 0;
	struct ckpt_job job = { .tty_fd = -1 };
	pid_t pid = -1;

	need(ckpt >= 0 && in >= 0, IMAGE);
	arm(way, n);
	if (!ckpt_open_image(ckpt, in, NULL))
		pid = ckpt_restore(ckpt, &job);
	if (pid < 0 || ckpt_wait(ckpt))
		err = errno;
	judge("restore", way, n, ckpt, err);
	if (!err && !is_running())
		fail("restore", way, n, "the job does not run");
	if (pid > 0)
		end_job(pid);
	close(in);
	close(ckpt);
	return err;
}

static int sweep_restore(const struct way *way)
{
	int n = 0, hit = 1;

	while (hit) {
		need(n < MAX_POINTS, "restore: no end of reads");
		restore(way, ++n);
		hit = file->was_hit;
		must_be_unused("restore", n);
	}
	return n - 1;
}

int main(void)
{
	pid_t pid, server;

	setvbuf(stdout, NULL, _IOLBF, 0);
	map_counter();
	/* The job first: the file's memory is not its own. */
	pid = start_job(2);
	need(is_running(), "the job runs");
	file = fuse_file_mount(IMAGE, &server);
	need(!!file, "mount of a FUSE file");
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		printf("save: %d writes %s in turn, the job unharmed\n", sweep_save(pid, &ways[i]),
		       ways[i].name);
	end_job(pid);
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		printf("restore: %d reads %s in turn, the job whole or absent\n",
		       sweep_restore(&ways[i]), ways[i].name);
	fuse_file_unmount(IMAGE, server);
	return 0;
}
