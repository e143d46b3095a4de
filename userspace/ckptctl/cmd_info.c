// SPDX-License-Identifier: GPL-2.0-only
/* ckptctl info: tells what is in an image, without the module. */

#include <ckpt.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "options.h"
#include "tool.h"

#define NSEC_PER_SEC 1000000000ULL

/* A size in bytes and, from 1024 on, in a larger unit, too. */
static void print_size(const char *what, unsigned long long bytes)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
	double n = bytes / 1024.0;
	size_t unit = 0;

	if (bytes < 1024) {
		printf("%-13s %llu bytes\n", what, bytes);
		return;
	}
	while (n >= 1024 && unit + 1 < sizeof(units) / sizeof(*units)) {
		n /= 1024;
		unit++;
	}
	printf("%-13s %llu bytes (%.1f %s)\n", what, bytes, n, units[unit]);
}

/* Text of an image may hold anything; a terminal must not act on it. */
static void print_text(const char *what, const char *text, size_t size)
{
	size_t i;

	printf("%-13s ", what);
	for (i = 0; i < size && text[i]; i++)
		putchar((unsigned char)text[i] < ' ' || text[i] == 0x7f ? '?' : text[i]);
	putchar('\n');
}

static void print_time(unsigned long long ns)
{
	time_t seconds = ns / NSEC_PER_SEC;
	struct tm tm;
	char text[64];

	if (!localtime_r(&seconds, &tm) ||
	    !strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %z", &tm))
		snprintf(text, sizeof(text), "%llu s after the epoch", ns / NSEC_PER_SEC);
	printf("%-13s %s\n", "saved:", text);
}

static unsigned int count_records(const struct ckpt_image *image, unsigned int type)
{
	const struct ckpt_image_record *rec;
	unsigned int n = 0;
	size_t i;

	for (i = 0; (rec = ckpt_image_record(image, i)); i++)
		n += rec->type == type;
	return n;
}

/* The first record of a type that has at least @size bytes, which is the leader's. */
static const void *find_record(const struct ckpt_image *image, unsigned int type, size_t size)
{
	const struct ckpt_image_record *rec;
	size_t i;

	for (i = 0; (rec = ckpt_image_record(image, i)); i++)
		if (rec->type == type)
			return rec->len >= size ? rec->data : NULL;
	return NULL;
}

static void print_process(const struct ckpt_image *image)
{
	const struct ckpt_image_process *process =
		find_record(image, CKPT_REC_PROCESS, sizeof(*process));
	const struct ckpt_image_thread *leader =
		find_record(image, CKPT_REC_THREAD, sizeof(*leader));

	if (process)
		printf("%-13s %d\n", "PID:", process->pid);
	if (leader)
		print_text("command:", leader->comm, sizeof(leader->comm));
}

static void print_info(const struct ckpt_image *image)
{
	const struct ckpt_image_meta *meta = ckpt_image_meta(image);

	print_process(image);
	printf("%-13s %u\n", "processes:", meta->nr_processes);
	printf("%-13s %u\n", "threads:", meta->nr_threads);
	printf("%-13s %u\n", "descriptors:", count_records(image, CKPT_REC_FD));
	print_size("memory:", (unsigned long long)meta->nr_pages * CKPT_IMAGE_PAGE_SIZE);
	print_size("size:", ckpt_image_length(image));
	print_time(meta->time);
	print_text("host:", meta->host, sizeof(meta->host));
	print_text("kernel:", meta->release, sizeof(meta->release));
	printf("%-13s %llu\n", "restores:", (unsigned long long)meta->generation);
	printf("%-13s %u\n", "format:", meta->format);
}

static int info(int fd, const char *name, unsigned int flags)
{
	char why[256];
	struct ckpt_image *image = ckpt_image_read(fd, flags, why, sizeof(why));

	if (!image && errno == EINVAL) {
		tool_error("%s: %s", name, why);
		return EXIT_REFUSED;
	}
	if (!image) {
		tool_error("%s: cannot read the image: %s", name, why);
		return EXIT_REFUSED;
	}
	print_info(image);
	ckpt_image_free(image);
	return EXIT_DONE;
}

int cmd_info(int argc, char **argv)
{
	static const struct option options[] = {
		{ "verify", no_argument, NULL, 1 },
		{ 0 },
	};
	unsigned int flags = 0;
	const char *name;
	int option, fd, status;

	while ((option = options_next(argc, argv, options)) != OPTIONS_END) {
		if (option == OPTIONS_BAD)
			return EXIT_USAGE;
		flags |= CKPT_IMAGE_PAGES;
	}
	if (argc - optind != 1)
		return tool_usage("info", "needs a FILE");
	name = argv[optind];
	if (!strcmp(name, "-"))
		return info(STDIN_FILENO, "standard input", flags);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		tool_error("%s: cannot open: %s", name, strerror(errno));
		return EXIT_REFUSED;
	}
	status = info(fd, name, flags);
	close(fd);
	return status;
}
