// SPDX-License-Identifier: GPL-2.0-only
/*
 * Credentials, folders, limits and scheduling, some of them different for each thread.
 *
 * usage: state_identity
 */

#define _GNU_SOURCE
#include <linux/capability.h>
#include <linux/sched.h>
#include <linux/securebits.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "state.h"

#define THREADS 6
#define TEXT_SIZE 8192
#define BIT(capability) (1ULL << (capability))

/* struct sched_attr of its first version, which the C library lacks. */
struct attributes {
	uint32_t size;
	uint32_t policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime;
	uint64_t deadline;
	uint64_t period;
};

static const struct attributes schedulers[THREADS] = {
	{ .policy = SCHED_OTHER, .nice = -3 },
	{ .policy = SCHED_OTHER, .nice = 7 },
	{ .policy = SCHED_BATCH, .nice = 11 },
	{ .policy = SCHED_IDLE, .nice = 4 },
	{ .policy = SCHED_FIFO, .priority = 17 },
	{ .policy = SCHED_RR, .priority = 3, .flags = SCHED_FLAG_RESET_ON_FORK },
};

static bool released;
static unsigned int nr_ready;

static void set_capabilities(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	for (int i = 0; i < 2; i++) {
		data[i].effective = effective >> 32 * i;
		data[i].permitted = permitted >> 32 * i;
		data[i].inheritable = inheritable >> 32 * i;
	}
	need(!syscall(SYS_capset, &header, data), "capabilities");
}

/*
 * The calls themselves, not those of the C library, which would change all threads. What is left
 * lets it look for its file.
 */
static void set_credentials(unsigned int me)
{
	static const gid_t groups[] = { 7, 70000, 12, 4000000000U };
	uint64_t kept = BIT(CAP_DAC_READ_SEARCH) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_NET_RAW);

	need(!prctl(PR_CAPBSET_DROP, CAP_SYS_RAWIO, 0, 0, 0), "bounding set");
	need(!syscall(SYS_setgroups, 3 + me % 2, groups), "groups");
	need(!prctl(PR_SET_SECUREBITS, SECBIT_KEEP_CAPS | SECBIT_NO_SETUID_FIXUP, 0, 0, 0),
	     "securebits");
	need(!syscall(SYS_setresgid, 100 + me, 200, 300), "group IDs");
	/* The first one is that of the process. */
	need(!syscall(SYS_setresuid, 1000, 2000 + me, 3000), "user IDs");
	syscall(SYS_setfsgid, 300);
	syscall(SYS_setfsuid, 3000);
	set_capabilities(kept, kept | BIT(CAP_KILL), kept);
	need(!prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_RAW, 0, 0), "ambient set");
	if (me % 2)
		need(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
}

static void set_scheduler(unsigned int me)
{
	struct attributes attributes = schedulers[me];
	cpu_set_t cpus;

	attributes.size = sizeof(attributes);
	need(!syscall(SYS_sched_setattr, 0, &attributes, 0), "scheduler");
	CPU_ZERO(&cpus);
	CPU_SET(me % 2 ? 0 : sysconf(_SC_NPROCESSORS_ONLN) - 1, &cpus);
	if (me > 1)
		need(!sched_setaffinity(0, sizeof(cpus), &cpus), "affinity");
}

/* What the kernel says of the calling thread. */
static void read_thread(char *text, size_t size)
{
	struct attributes attributes = {};
	size_t length;

	read_status(gettid(), text, size);
	length = strlen(text);
	syscall(SYS_sched_getattr, 0, &attributes, sizeof(attributes), 0);
	snprintf(text + length, size - length,
		 "scheduler %u nice %d priority %u flags %lx\nsecurebits %d\nfsuid %ld fsgid %ld\n",
		 attributes.policy, attributes.nice, attributes.priority, attributes.flags,
		 prctl(PR_GET_SECUREBITS, 0, 0, 0, 0), syscall(SYS_setfsuid, -1),
		 syscall(SYS_setfsgid, -1));
}

static void *run(void *arg)
{
	char before[TEXT_SIZE], after[TEXT_SIZE], what[64];
	unsigned int me = (unsigned long)arg;

	set_scheduler(me);
	set_credentials(me);
	read_thread(before, sizeof(before));
	__atomic_add_fetch(&nr_ready, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&released, __ATOMIC_SEQ_CST))
		nap(20);
	read_thread(after, sizeof(after));
	snprintf(what, sizeof(what), "thread %u: credentials and scheduler", me);
	check_same_text(what, before, after);
	return NULL;
}

/* What the kernel says of the process as a whole. */
static void read_process(char *text, size_t size)
{
	static const char *const links[] = { "cwd", "root" };
	char path[64], target[300];
	struct stat here, root;
	size_t length = 0;

	for (int i = 0; i < RLIM_NLIMITS; i++) {
		struct rlimit limit;

		getrlimit(i, &limit);
		length += snprintf(text + length, size - length, "limit %d %lx %lx\n", i,
				   limit.rlim_cur, limit.rlim_max);
	}
	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		ssize_t got;

		snprintf(path, sizeof(path), "/proc/self/%s", links[i]);
		got = readlink(path, target, sizeof(target));
		length += snprintf(text + length, size - length, "%s %.*s\n", links[i], (int)got,
				   target);
	}
	read_file("/proc/self/oom_score_adj", target, sizeof(target));
	length += snprintf(text + length, size - length, "oom_score_adj %s", target);
	need(!stat(".", &here) && !stat("/", &root), "folders");
	snprintf(text + length, size - length, "here %lx %lu root %lx %lu\nnumbers %d %d %d\n",
		 here.st_dev, here.st_ino, root.st_dev, root.st_ino, getpid(), getpgrp(),
		 getsid(0));
}

static void set_limits(void)
{
	static const int kinds[] = { RLIMIT_CORE,   RLIMIT_NOFILE,     RLIMIT_STACK,
				     RLIMIT_CPU,    RLIMIT_MEMLOCK,    RLIMIT_FSIZE,
				     RLIMIT_RTPRIO, RLIMIT_SIGPENDING, RLIMIT_MSGQUEUE,
				     RLIMIT_NICE,   RLIMIT_NPROC };
	int fd = open("/proc/self/oom_score_adj", O_WRONLY);

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct rlimit limit = { (8 << 20) + 4096 * i, (64 << 20) + 4096 * i };

		if (kinds[i] == RLIMIT_NOFILE || kinds[i] == RLIMIT_RTPRIO ||
		    kinds[i] == RLIMIT_NICE)
			limit = (struct rlimit){ 90, 99 };
		need(!setrlimit(kinds[i], &limit), "limits");
	}
	need(fd >= 0 && write(fd, "321\n", 4) == 4, "oom_score_adj");
	close(fd);
}

int main(void)
{
	char before[TEXT_SIZE], after[TEXT_SIZE], thread_before[TEXT_SIZE], thread_after[TEXT_SIZE];
	pthread_t threads[THREADS];

	umask(0137);
	need(!mkdir("inner", 0700) && !mkdir("inner/most", 0700), "folders");
	set_limits();
	for (unsigned long i = 0; i < THREADS; i++)
		need(!pthread_create(&threads[i], NULL, run, (void *)i), "thread");
	while (__atomic_load_n(&nr_ready, __ATOMIC_SEQ_CST) < THREADS)
		nap(5);
	need(!chdir("inner/most"), "chdir");
	set_credentials(2 * THREADS);
	read_process(before, sizeof(before));
	read_thread(thread_before, sizeof(thread_before));

	dprintf(STDOUT_FILENO, "ready\n");
	wait_for_file("../../go");

	read_process(after, sizeof(after));
	read_thread(thread_after, sizeof(thread_after));
	check_same_text("limits, folders and numbers", before, after);
	check_same_text("main thread: credentials and scheduler", thread_before, thread_after);
	__atomic_store_n(&released, true, __ATOMIC_SEQ_CST);
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	check(umask(0) == 0137, "umask");
	return verdict();
}
