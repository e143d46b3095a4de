// SPDX-License-Identifier: GPL-2.0-only
/*
 * Properties that an image does not cover, so that a save has to refuse them by name.
 *
 * usage: odd PROPERTY | list
 *	  odd tracer PID	traces another process
 */

#define _GNU_SOURCE
#include <linux/aio_abi.h>
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <linux/userfaultfd.h>
#include <mqueue.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "odd.h"

static int fd, id;
static pid_t child;
static char *memory;
static const char *argument;

/* ---- descriptors ---- */

/* Whoever runs this listens there. */
static bool with_socket(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "../outside" };

	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	return fd >= 0 && !connect(fd, (struct sockaddr *)&address, sizeof(address));
}

static bool still_sends(void)
{
	return send(fd, "hello", 5, MSG_NOSIGNAL) == 5;
}

static bool with_netlink_socket(void)
{
	fd = socket(AF_NETLINK, SOCK_RAW, 0);
	return fd >= 0;
}

static bool with_inet_socket(void)
{
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	return fd >= 0;
}

static bool with_inotify(void)
{
	fd = inotify_init1(0);
	return fd >= 0 && inotify_add_watch(fd, ".", IN_DELETE) >= 0;
}

static bool with_fanotify(void)
{
	fd = fanotify_init(FAN_CLASS_NOTIF, O_RDONLY);
	return fd >= 0;
}

static bool with_io_uring(void)
{
	struct io_uring_params params = {};

	fd = syscall(SYS_io_uring_setup, 4, &params);
	return fd >= 0;
}

static bool with_secret_memory(void)
{
	fd = syscall(SYS_memfd_secret, 0);
	return fd >= 0 && !ftruncate(fd, 8192) &&
	       mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) != MAP_FAILED;
}

static bool with_userfaultfd(void)
{
	struct uffdio_api api = { .api = UFFD_API };

	fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);
	return fd >= 0 && !ioctl(fd, UFFDIO_API, &api);
}

static bool with_perf_event(void)
{
	struct perf_event_attr attributes = { .type = PERF_TYPE_SOFTWARE,
					      .size = sizeof(attributes),
					      .config = PERF_COUNT_SW_TASK_CLOCK };

	fd = syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0);
	return fd >= 0;
}

static bool with_pidfd(void)
{
	fd = syscall(SYS_pidfd_open, getpid(), 0);
	return fd >= 0;
}

static bool with_mqueue(void)
{
	fd = mq_open("/ckpt-odd", O_RDWR | O_CREAT, 0600, NULL);
	mq_unlink("/ckpt-odd");
	return fd >= 0;
}

static bool with_namespace_file(void)
{
	fd = open("/proc/self/ns/net", O_RDONLY);
	return fd >= 0;
}

static bool with_device(void)
{
	fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	return fd >= 0;
}

static bool with_request(void)
{
	fd = open("/dev/ckpt", O_RDWR);
	return fd >= 0;
}

static bool still_kept(void)
{
	char text[8];

	return pread(fd, text, 8, 0) == 4 && !memcmp(text, "kept", 4);
}

static bool with_nameless_file(void)
{
	fd = open(".", O_RDWR | O_TMPFILE, 0600);
	return fd >= 0 && write(fd, "kept", 4) == 4;
}

/* The test has left one end of a pipe here. */
static bool with_pipe_outside(void)
{
	return fcntl(9, F_GETFD) >= 0;
}

/* ---- process ---- */

static bool with_child(void)
{
	child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return child > 0;
}

static bool still_parent(void)
{
	int status;

	return !kill(child, SIGKILL) && waitpid(child, &status, 0) == child;
}

static bool with_deleted_folder(void)
{
	static char path[4096];

	/* Relative to a folder that is gone there is no file. */
	if (!getcwd(path, sizeof(path) - 3))
		return false;
	go_file = strcat(path, "/go");
	return !mkdir("gone", 0700) && !chdir("gone") && !rmdir("../gone");
}

static bool with_seccomp(void)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { 1, &allow };

	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	       !syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

static bool with_uts(void)
{
	return !unshare(CLONE_NEWUTS);
}

static bool with_net(void)
{
	return !unshare(CLONE_NEWNET);
}

static bool with_ipc(void)
{
	return !unshare(CLONE_NEWIPC);
}

static bool with_mounts(void)
{
	return !unshare(CLONE_NEWNS);
}

static bool with_cgroups(void)
{
	return !unshare(CLONE_NEWCGROUP);
}

static bool with_users(void)
{
	return !unshare(CLONE_NEWUSER);
}

static bool with_pids_of_children(void)
{
	return !unshare(CLONE_NEWPID);
}

static bool with_times_of_children(void)
{
	return !unshare(0x80 /* CLONE_NEWTIME */);
}

static bool with_tracer(void)
{
	child = argument ? atoi(argument) : 0;
	return child > 0 && !ptrace(PTRACE_SEIZE, child, NULL, NULL);
}

static bool with_locked_shm(void)
{
	id = shmget(IPC_PRIVATE, 4096, 0600);
	memory = shmat(id, NULL, 0);
	shmctl(id, IPC_RMID, NULL);
	return memory != (void *)-1 && !shmctl(id, SHM_LOCK, NULL) && (memory[0] = 42);
}

static bool still_memory(void)
{
	return memory[0] == 42;
}

static bool with_process_keyring(void)
{
	return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 1) > 0;
}

static bool with_thread_keyring(void)
{
	return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_THREAD_KEYRING, 1) > 0;
}

static bool with_aio(void)
{
	aio_context_t context = 0;

	return !syscall(SYS_io_setup, 4, &context);
}

/* ---- memory ---- */

static bool reserve_huge_pages(void)
{
	int file = open("/proc/sys/vm/nr_hugepages", O_WRONLY);
	bool done = file >= 0 && write(file, "4", 1) == 1;

	close(file);
	return done;
}

static bool with_huge_pages(void)
{
	if (!reserve_huge_pages())
		return false;
	memory = mmap(NULL, 2 << 20, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	return memory != MAP_FAILED && (memory[0] = 42);
}

static bool with_huge_memfd(void)
{
	fd = memfd_create("huge", MFD_HUGETLB);
	return reserve_huge_pages() && fd >= 0 && !ftruncate(fd, 2 << 20);
}

static bool with_device_memory(void)
{
	/* The video memory of a PC, which any machine has room for. */
	fd = open("/dev/mem", O_RDWR);
	return fd >= 0 && mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0xa0000) != MAP_FAILED &&
	       !close(fd);
}

/* By the CPU time of its parent. */
static bool with_timer_by_other(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_NONE };
	timer_t timer;
	clockid_t clock;

	return !clock_getcpuclockid(getppid(), &clock) && !timer_create(clock, &event, &timer);
}

static void *tell_tid(void *arg)
{
	*(pid_t *)arg = gettid();
	nap(100);
	return NULL;
}

static bool with_timer_to_ended(void)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1 };
	volatile pid_t tid = 0;
	pthread_t thread;
	timer_t timer;

	if (pthread_create(&thread, NULL, tell_tid, (void *)&tid))
		return false;
	while (!tid)
		nap(1);
	event._sigev_un._tid = tid;
	return !timer_create(CLOCK_MONOTONIC, &event, &timer) && !pthread_join(thread, NULL);
}

static bool with_huge_shm(void)
{
	if (!reserve_huge_pages())
		return false;
	id = shmget(IPC_PRIVATE, 2 << 20, SHM_HUGETLB | 0600);
	memory = shmat(id, NULL, 0);
	shmctl(id, IPC_RMID, NULL);
	return memory != (void *)-1 && !shmctl(id, SHM_LOCK, NULL) && (memory[0] = 42);
}

static const struct property properties[] = {
	{ "socket", with_socket, still_sends },
	{ "netlink-socket", with_netlink_socket, NULL },
	{ "inet-socket", with_inet_socket, NULL },
	{ "inotify", with_inotify, NULL },
	{ "fanotify", with_fanotify, NULL },
	{ "io_uring", with_io_uring, NULL },
	{ "secret-memory", with_secret_memory, NULL },
	{ "userfaultfd", with_userfaultfd, NULL },
	{ "perf-event", with_perf_event, NULL },
	{ "pidfd", with_pidfd, NULL },
	{ "mqueue", with_mqueue, NULL },
	{ "namespace-file", with_namespace_file, NULL },
	{ "device", with_device, NULL },
	{ "request", with_request, NULL },
	{ "nameless-file", with_nameless_file, still_kept },
	{ "pipe-outside", with_pipe_outside, NULL },
	{ "child", with_child, still_parent },
	{ "timer-by-other", with_timer_by_other, NULL },
	{ "timer-to-ended", with_timer_to_ended, NULL },
	{ "deleted-cwd", with_deleted_folder, NULL },
	{ "seccomp", with_seccomp, NULL },
	{ "uts-namespace", with_uts, NULL },
	{ "net-namespace", with_net, NULL },
	{ "ipc-namespace", with_ipc, NULL },
	{ "mount-namespace", with_mounts, NULL },
	{ "cgroup-namespace", with_cgroups, NULL },
	{ "user-namespace", with_users, NULL },
	{ "pid-namespace-of-children", with_pids_of_children, NULL },
	{ "time-namespace-of-children", with_times_of_children, NULL },
	{ "tracer", with_tracer, NULL },
	{ "locked-sysv-shm", with_locked_shm, still_memory },
	{ "process-keyring", with_process_keyring, NULL },
	{ "thread-keyring", with_thread_keyring, NULL },
	{ "aio", with_aio, NULL },
	{ "huge-pages", with_huge_pages, still_memory },
	{ "huge-memfd", with_huge_memfd, NULL },
	{ "huge-sysv-shm", with_huge_shm, still_memory },
	{ "device-memory", with_device_memory, NULL },
};

int main(int argc, char **argv)
{
	argument = argc > 2 ? argv[2] : NULL;
	return run_property(properties, ARRAY_SIZE(properties), argc, argv);
}
