// SPDX-License-Identifier: GPL-2.0-only
/* ckptctl: saves running jobs into files and restores them. */

#include <ckpt.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tool.h"

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *arguments;
	const char *summary;
} commands[] = {
	{ "save", cmd_save, "[--kill|--stop] JOB FILE", "save a job into FILE; it runs on" },
	{ "restore", cmd_restore,
	  "[-d] [--stop-restored] [-n COPIES|--pid same|new] [--signal SIG|--no-signal] "
	  "[--time=freeze|real] FILE",
	  "make the job of FILE run on" },
	{ "check", cmd_check, "JOB", "tell what stands against a save" },
	{ "info", cmd_info, "[--verify] FILE", "tell what is in an image" },
};

#define NR_COMMANDS (sizeof(commands) / sizeof(*commands))

static const char about[] =
	"\n"
	"A FILE of '-' stands for standard output or standard input.\n"
	"\n"
	"JOB:\n"
	"  PID                 the process and all below it\n"
	"      --process PID   the process alone\n"
	"      --pgrp ID       a process group\n"
	"      --session ID    a session\n"
	"      --foreground TTY  the foreground process group of a terminal\n"
	"      --cgroup PATH   a cgroup, below /sys/fs/cgroup or absolute\n"
	"save:\n"
	"  -k, --kill          kill the job once the image is safe on disk\n"
	"  -s, --stop          stop it instead, as by SIGSTOP\n"
	"restore:\n"
	"  -d, --detach        return as soon as the job runs; else stay its parent,\n"
	"                      pass signals on, end with its status\n"
	"      --pid new       in a PID namespace of its own, in which its old PIDs are\n"
	"                      free; --pid same, the default: in that of the caller\n"
	"  -n, --copies N      so many times side by side, each with --pid new\n"
	"      --signal SIG    let it begin with this signal, not the one it asked for\n"
	"      --no-signal     let it begin without a signal\n"
	"      --time=freeze   let its CLOCK_MONOTONIC and CLOCK_BOOTTIME go on from where\n"
	"                      they stopped; 'real', the default, keeps those of the machine\n"
	"      --stop-restored stop all its processes before their first instruction\n"
	"info:\n"
	"      --verify        check the stored memory, too\n"
	"\n"
	"  -h, --help          print this help\n"
	"  -V, --version       print the version\n"
	"\n"
	"Exit status: 0 done, 1 refused or failed, 2 wrong usage, 3 the system lacks\n"
	"something; of restore: that of the first process, 128+N when signal N killed it.\n";

static int print_help(void)
{
	size_t i;

	for (i = 0; i < NR_COMMANDS; i++)
		printf("%s ckptctl %s %s\n", i ? "      " : "Usage:", commands[i].name,
		       commands[i].arguments);
	puts("\nSaves running jobs into files and makes them run on from there.\n");
	for (i = 0; i < NR_COMMANDS; i++)
		printf("  %-9s %s\n", commands[i].name, commands[i].summary);
	fputs(about, stdout);
	return EXIT_DONE;
}

static int print_version(void)
{
	puts("ckptctl " CKPT_VERSION);
	return EXIT_DONE;
}

static int is_option(const char *word, const char *name, const char *letter)
{
	return !strcmp(word, name) || !strcmp(word, letter);
}

static int run(int argc, char **argv)
{
	size_t i;

	if (argc < 2)
		return tool_usage("command", "missing");
	for (i = 1; i < (size_t)argc && strcmp(argv[i], "--"); i++)
		if (is_option(argv[i], "--help", "-h"))
			return print_help();
	if (is_option(argv[1], "--version", "-V"))
		return print_version();
	for (i = 0; i < NR_COMMANDS; i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	return tool_usage(argv[1], argv[1][0] == '-' ? "no such option" : "no such command");
}

int main(int argc, char **argv)
{
	int status = run(argc, argv);

	if (fflush(stdout) || ferror(stdout)) {
		tool_error("standard output: cannot write: %s", strerror(errno));
		if (status == EXIT_DONE)
			status = EXIT_REFUSED;
	}
	return status;
}
