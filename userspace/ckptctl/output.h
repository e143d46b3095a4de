/* SPDX-License-Identifier: GPL-2.0-only */
/* A file that gets its name in one step once it is whole. */
#ifndef CKPTCTL_OUTPUT_H
#define CKPTCTL_OUTPUT_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

/**
 * struct output - where an image is written to
 * @name: as the user calls it
 * @fd: what to write to
 * @direct: standard output, a FIFO or a device: nothing to name afterwards
 * @folder: descriptor of the folder
 * @base: the name in it
 * @temporary: the name that the file has until then; empty when it has none
 * @watcher: process that removes @temporary when this one dies, or 0
 * @watch: pipe whose end tells the watcher that it did
 */
struct output {
	const char *name;
	int fd;
	bool direct;
	int folder;
	char base[NAME_MAX + 1];
	char temporary[64];
	pid_t watcher;
	int watch;
};

/*
 * All return 0, or -1 after an error was printed. What stands under the name stays as it is
 * until output_publish(). output_close() is always due, and removes what was not published.
 */
int output_open(struct output *out, const char *name);
int output_sync(struct output *out);
int output_publish(struct output *out);
void output_close(struct output *out);

#endif /* CKPTCTL_OUTPUT_H */
