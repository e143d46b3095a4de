// SPDX-License-Identifier: GPL-2.0-only
/*
 * Small properties that are easily forgotten: a save may refuse them or a restore may bring them
 * back, but none may get lost without a word.
 *
 * usage: quirk PROPERTY | list
 */

#define _GNU_SOURCE
#include <asm/ldt.h>
#include <linux/ioprio.h>
#include <linux/membarrier.h>
#include <linux/mempolicy.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "odd.h"

#define PAGE 4096

static int fd, key;
static char *memory;
static bool done;
static pthread_t thread;

/* ---- prctl ---- */

#define PRCTL(name, option, set, get)                \
	static bool with_##name(void)                \
	{                                            \
		return !prctl(option, set, 0, 0, 0); \
	}                                            \
	static bool still_##name(void)               \
	{                                            \
		return get;                          \
	}

static int told(int option)
{
	int value = -1;

	prctl(option, &value, 0, 0, 0);
	return value;
}

PRCTL(death_signal, PR_SET_PDEATHSIG, SIGUSR1, told(PR_GET_PDEATHSIG) == SIGUSR1)
PRCTL(subreaper, PR_SET_CHILD_SUBREAPER, 1, told(PR_GET_CHILD_SUBREAPER) == 1)
PRCTL(slack, PR_SET_TIMERSLACK, 123456, prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0) == 123456)
PRCTL(not_dumpable, PR_SET_DUMPABLE, 0, prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0)
PRCTL(no_huge_pages, PR_SET_THP_DISABLE, 1, prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) == 1)
PRCTL(io_flusher, PR_SET_IO_FLUSHER, 1, prctl(PR_GET_IO_FLUSHER, 0, 0, 0, 0) == 1)
PRCTL(no_tsc, PR_SET_TSC, PR_TSC_SIGSEGV, told(PR_GET_TSC) == PR_TSC_SIGSEGV)
/* PR_SET_MDWE and PR_GET_MDWE of Linux 6.3, PR_SET_MEMORY_MERGE of 6.4. */
PRCTL(no_new_code, 65, 1, prctl(66, 0, 0, 0, 0) == 1)
PRCTL(merging, 67, 1, prctl(68, 0, 0, 0, 0) == 1)

static bool with_memory_errors(void)
{
	return !prctl(PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0);
}

static bool still_memory_errors(void)
{
	return prctl(PR_MCE_KILL_GET, 0, 0, 0, 0) == PR_MCE_KILL_EARLY;
}

static bool with_speculation(void)
{
	return !prctl(PR_SET_SPECULATION_CTRL, PR_SPEC_STORE_BYPASS, PR_SPEC_DISABLE, 0, 0);
}

static bool still_speculation(void)
{
	return prctl(PR_GET_SPECULATION_CTRL, PR_SPEC_STORE_BYPASS, 0, 0, 0) & PR_SPEC_DISABLE;
}

static volatile char selector;
static volatile bool caught;

static void on_call(int signal)
{
	selector = PR_SYS_DISPATCH_OFF;
	caught = signal == SIGSYS;
}

static bool with_dispatch(void)
{
	signal(SIGSYS, on_call);
	return !prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, 0, 0, &selector);
}

/* It cannot be asked for, but a system call is caught once the selector says so. */
static bool still_dispatch(void)
{
	selector = PR_SYS_DISPATCH_ON;
	getppid();
	selector = PR_SYS_DISPATCH_OFF;
	return caught;
}

/* ---- scheduling ---- */

static bool with_io_priority(void)
{
	return !syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0,
			IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 6));
}

static bool still_io_priority(void)
{
	return syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0) ==
	       IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 6);
}

/* struct sched_attr, which the C library lacks. */
struct attributes {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t least, most;
};

static bool with_deadline(void)
{
	struct attributes a = { .size = 48,
				.policy = 6,
				.runtime = 1000000,
				.deadline = 10000000,
				.period = 20000000 };

	return !syscall(SYS_sched_setattr, 0, &a, 0);
}

static bool still_deadline(void)
{
	struct attributes a = {};

	return !syscall(SYS_sched_getattr, 0, &a, 48, 0) && a.policy == 6 && a.period == 20000000;
}

static bool with_clamp(void)
{
	/* SCHED_FLAG_KEEP_ALL and SCHED_FLAG_UTIL_CLAMP_MIN. */
	struct attributes a = { .size = sizeof(a), .flags = 0x18 | 0x20, .least = 300 };

	return !syscall(SYS_sched_setattr, 0, &a, 0);
}

static bool still_clamp(void)
{
	struct attributes a = {};

	return !syscall(SYS_sched_getattr, 0, &a, sizeof(a), 0) && a.least == 300;
}

static bool with_policy(void)
{
	unsigned long nodes = 1;

	return !syscall(SYS_set_mempolicy, MPOL_BIND, &nodes, 8);
}

static bool still_policy(void)
{
	int mode = -1;

	return !syscall(SYS_get_mempolicy, &mode, NULL, 0, 0, 0) && mode == MPOL_BIND;
}

static bool with_barrier(void)
{
	return !syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
}

static bool still_barrier(void)
{
	return !syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
}

/* ---- processor ---- */

static bool with_personality(void)
{
	return personality(ADDR_NO_RANDOMIZE | UNAME26) >= 0;
}

static bool still_personality(void)
{
	return personality(0xffffffff) == (ADDR_NO_RANDOMIZE | UNAME26);
}

static bool with_ports(void)
{
	return !ioperm(0x80, 1, 1);
}

static bool still_ports(void)
{
	outb(0, 0x80);
	return true;
}

static bool with_io_level(void)
{
	return !iopl(3);
}

static bool with_table(void)
{
	struct user_desc entry = {
		.entry_number = 0, .limit = 0xfffff, .seg_32bit = 1, .limit_in_pages = 1
	};

	return !syscall(SYS_modify_ldt, 1, &entry, sizeof(entry));
}

static bool still_table(void)
{
	char entries[64] = {};

	return syscall(SYS_modify_ldt, 0, entries, sizeof(entries)) > 0 && !is_zero(entries, 8);
}

static bool with_segment(void)
{
	struct user_desc entry = {
		.entry_number = 12, .base_addr = 0x1000, .limit = 0xfff, .seg_32bit = 1
	};

	return !syscall(SYS_set_thread_area, &entry);
}

static bool still_segment(void)
{
	struct user_desc entry = { .entry_number = 12 };

	return !syscall(SYS_get_thread_area, &entry) && entry.base_addr == 0x1000;
}

/* ---- memory ---- */

static bool map_page(void)
{
	memory = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return memory != MAP_FAILED;
}

static bool with_key(void)
{
	if (!map_page())
		return false;
	memory[0] = 42;
	key = pkey_alloc(0, PKEY_DISABLE_WRITE);
	return key > 0 && !pkey_mprotect(memory, PAGE, PROT_READ | PROT_WRITE, key);
}

static bool still_key(void)
{
	char text[1 << 16], wanted[32];

	read_file("/proc/self/smaps", text, sizeof(text));
	snprintf(wanted, sizeof(wanted), "ProtectionKey: %9d", key);
	return pkey_get(key) == PKEY_DISABLE_WRITE && strstr(text, wanted) && memory[0] == 42;
}

static bool with_name(void)
{
	return map_page() && !prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, memory, 4 * PAGE, "quirk");
}

static bool still_name(void)
{
	char text[1 << 16];

	read_file("/proc/self/maps", text, sizeof(text));
	return strstr(text, "[anon:quirk]");
}

static bool with_bound_memory(void)
{
	unsigned long nodes = 1;

	return map_page() && !syscall(SYS_mbind, memory, 4 * PAGE, MPOL_BIND, &nodes, 8, 0);
}

static bool still_bound_memory(void)
{
	int mode = -1;

	return !syscall(SYS_get_mempolicy, &mode, NULL, 0, memory, MPOL_F_ADDR) &&
	       mode == MPOL_BIND;
}

/* mseal() of Linux 6.10. */
static bool with_seal(void)
{
	return map_page() && !syscall(462, memory, 4 * PAGE, 0);
}

static bool still_sealed(void)
{
	return munmap(memory, PAGE) < 0 && errno == EPERM;
}

static bool with_locked_future(void)
{
	return !mlockall(MCL_FUTURE);
}

static bool still_locked_future(void)
{
	char text[4096];

	if (!map_page())
		return false;
	read_file("/proc/self/status", text, sizeof(text));
	return !strstr(text, "VmLck:\t       0 kB");
}

static bool with_zero_device(void)
{
	fd = open("/dev/zero", O_RDWR);
	memory = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	return memory != MAP_FAILED && (memory[0] = 42) && !close(fd);
}

static bool still_zero_device(void)
{
	return memory[0] == 42 && !memory[PAGE];
}

/* ---- descriptors ---- */

static bool with_owner(void)
{
	int pair[2];

	if (pipe(pair))
		return false;
	fd = pair[0];
	signal(SIGUSR1, SIG_IGN);
	return !fcntl(fd, F_SETOWN, getpid()) && !fcntl(fd, F_SETSIG, SIGUSR1) &&
	       !fcntl(fd, F_SETFL, O_ASYNC);
}

static bool still_owner(void)
{
	return fcntl(fd, F_GETOWN) == getpid() && fcntl(fd, F_GETSIG) == SIGUSR1 &&
	       fcntl(fd, F_GETFL) & O_ASYNC;
}

static bool with_lease(void)
{
	fd = open("leased", O_RDONLY | O_CREAT, 0600);
	return fd >= 0 && !fcntl(fd, F_SETLEASE, F_RDLCK);
}

static bool still_leased(void)
{
	return fcntl(fd, F_GETLEASE) == F_RDLCK;
}

static bool with_watch(void)
{
	fd = open(".", O_RDONLY | O_DIRECTORY);
	signal(SIGIO, SIG_IGN);
	return fd >= 0 && !fcntl(fd, F_NOTIFY, DN_CREATE | DN_MULTISHOT);
}

static bool still_watched(void)
{
	sigset_t set;
	const struct timespec some = { .tv_sec = 30 };

	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGIO, SIG_DFL);
	close(open("made", O_WRONLY | O_CREAT, 0600));
	return sigtimedwait(&set, NULL, &some) == SIGIO;
}

static bool with_path(void)
{
	fd = open(".", O_PATH);
	return fd >= 0;
}

static bool still_path(void)
{
	return fcntl(fd, F_GETFL) & O_PATH;
}

static bool with_fifo(void)
{
	if (mkfifo("fifo", 0600))
		return false;
	fd = open("fifo", O_RDWR);
	return fd >= 0 && write(fd, "kept", 4) == 4;
}

static bool still_fifo(void)
{
	char text[8];

	return read(fd, text, 8) == 4 && !memcmp(text, "kept", 4);
}

static bool with_proc_file(void)
{
	char text[8];

	fd = open("/proc/self/comm", O_RDWR);
	return fd >= 0 && read(fd, text, 3) == 3;
}

static bool still_proc_file(void)
{
	char text[8];

	return read(fd, text, 8) == 3 && !memcmp(text, "rk\n", 3);
}

/* ---- threads ---- */

static void *apart(void *flags)
{
	if (!unshare((long)flags) && !((long)flags == CLONE_FS && chdir("/")))
		__atomic_store_n(&done, true, __ATOMIC_SEQ_CST);
	/* Its own descriptor under a number that the others lack. */
	if ((long)flags == CLONE_FILES)
		dup2(1, 77);
	for (;;)
		pause();
	return NULL;
}

static bool with_thread(long flags)
{
	pthread_create(&thread, NULL, apart, (void *)flags);
	for (int i = 0; i < 100 && !__atomic_load_n(&done, __ATOMIC_SEQ_CST); i++)
		nap(10);
	nap(10);
	return done;
}

static bool with_own_files(void)
{
	return with_thread(CLONE_FILES);
}

static bool with_own_folder(void)
{
	return with_thread(CLONE_FS);
}

static void *other_user(void *arg)
{
	__atomic_store_n(&done, !syscall(SYS_setresuid, 1234, -1, -1), __ATOMIC_SEQ_CST);
	for (;;)
		pause();
	return arg;
}

static bool with_own_user(void)
{
	pthread_create(&thread, NULL, other_user, NULL);
	for (int i = 0; i < 100 && !__atomic_load_n(&done, __ATOMIC_SEQ_CST); i++)
		nap(10);
	return done;
}

static bool with_own_root(void)
{
	return !chroot(".");
}

static bool still_own_root(void)
{
	struct stat st;

	return !stat("/go", &st);
}

static char *of_thread(const char *file)
{
	static char target[300];
	char path[300];
	ssize_t got;

	for (pid_t tid = getpid() + 1; tid < getpid() + 1000; tid++) {
		snprintf(path, sizeof(path), "/proc/self/task/%d/%s", tid, file);
		got = readlink(path, target, sizeof(target) - 1);
		if (got <= 0)
			continue;
		target[got] = 0;
		return target;
	}
	return "";
}

static bool still_own_files(void)
{
	return *of_thread("fd/77") && fcntl(77, F_GETFD) < 0;
}

static bool still_own_folder(void)
{
	return !strcmp(of_thread("cwd"), "/");
}

static bool still_own_user(void)
{
	char path[300], text[8192];

	for (pid_t tid = getpid() + 1; tid < getpid() + 1000; tid++) {
		snprintf(path, sizeof(path), "/proc/self/task/%d/status", tid);
		if (read_file(path, text, sizeof(text)))
			return strstr(text, "\nUid:\t1234\t");
	}
	return false;
}

static const struct property properties[] = {
	{ "death-signal", with_death_signal, still_death_signal },
	{ "subreaper", with_subreaper, still_subreaper },
	{ "timer-slack", with_slack, still_slack },
	{ "not-dumpable", with_not_dumpable, still_not_dumpable },
	{ "no-huge-pages", with_no_huge_pages, still_no_huge_pages },
	{ "io-flusher", with_io_flusher, still_io_flusher },
	{ "no-tsc", with_no_tsc, still_no_tsc },
	{ "no-new-code", with_no_new_code, still_no_new_code },
	{ "merging", with_merging, still_merging },
	{ "memory-errors", with_memory_errors, still_memory_errors },
	{ "speculation", with_speculation, still_speculation },
	{ "syscall-dispatch", with_dispatch, still_dispatch },
	{ "io-priority", with_io_priority, still_io_priority },
	{ "deadline", with_deadline, still_deadline },
	{ "utilization-clamp", with_clamp, still_clamp },
	{ "memory-policy", with_policy, still_policy },
	{ "membarrier", with_barrier, still_barrier },
	{ "personality", with_personality, still_personality },
	{ "io-ports", with_ports, still_ports },
	{ "io-level", with_io_level, still_ports },
	{ "descriptor-table", with_table, still_table },
	{ "thread-segment", with_segment, still_segment },
	{ "protection-key", with_key, still_key },
	{ "memory-name", with_name, still_name },
	{ "bound-memory", with_bound_memory, still_bound_memory },
	{ "sealed-memory", with_seal, still_sealed },
	{ "locked-future", with_locked_future, still_locked_future },
	{ "mapped-zero-device", with_zero_device, still_zero_device },
	{ "file-owner", with_owner, still_owner },
	{ "lease", with_lease, still_leased },
	{ "folder-watch", with_watch, still_watched },
	{ "path-descriptor", with_path, still_path },
	{ "fifo", with_fifo, still_fifo },
	{ "proc-file", with_proc_file, still_proc_file },
	{ "own-files", with_own_files, still_own_files },
	{ "own-folder", with_own_folder, still_own_folder },
	{ "own-user", with_own_user, still_own_user },
	{ "own-root", with_own_root, still_own_root },
};

int main(int argc, char **argv)
{
	return run_property(properties, ARRAY_SIZE(properties), argc, argv);
}
