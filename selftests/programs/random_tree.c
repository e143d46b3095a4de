// SPDX-License-Identifier: GPL-2.0-only
// link: pthread
/*
 * A random tree of processes: random_tree SEED. Says "ready" when all is set up; then every process
 * waits for ever. What each of them has follows from the seed.
 */

#define _GNU_SOURCE

#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "tree.h"

#define PAGE 4096UL
#define MAX_PROCESSES 16
#define MAX_DEPTH 4

/* In shared memory: processes that are to be, and those that are as they shall stay. */
static struct {
	unsigned int made, done, nr_files;
} * common;

static uint64_t state;

static unsigned int draw(unsigned int n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 11) % n;
}

static bool by_chance(unsigned int percent)
{
	return draw(100) < percent;
}

/* A process or thread is on its way until this is called. */
static void is_done(void)
{
	__atomic_add_fetch(&common->done, 1, __ATOMIC_SEQ_CST);
}

static void begin_one(void)
{
	__atomic_add_fetch(&common->made, 1, __ATOMIC_SEQ_CST);
}

static void wait_for_ever(void)
{
	for (;;)
		pause();
}

static void handler(int signo)
{
	(void)signo;
}

static void be_signalled(void)
{
	struct sigaction action = { .sa_handler = by_chance(50) ? handler : SIG_IGN };
	int signo = SIGRTMIN + draw(20);
	sigset_t set;

	sigemptyset(&action.sa_mask);
	sigaddset(&action.sa_mask, SIGHUP);
	action.sa_flags = by_chance(50) ? SA_RESTART : SA_NODEFER;
	sigaction(SIGRTMIN + draw(20), &action, NULL);
	if (by_chance(50))
		return;
	sigemptyset(&set);
	sigaddset(&set, signo);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (by_chance(70))
		sigqueue(getpid(), signo, (union sigval){ .sival_int = draw(1000) });
	if (by_chance(30))
		syscall(SYS_tgkill, getpid(), gettid(), signo);
}

static void have_pipe(void)
{
	char text[64];
	int fds[2];

	need(!pipe2(fds, by_chance(30) ? O_NONBLOCK : 0), "a pipe");
	memset(text, 'a' + draw(26), sizeof(text));
	write(fds[1], text, draw(sizeof(text)));
	if (by_chance(20))
		close(fds[draw(2)]);
}

static void have_file(void)
{
	char name[32];
	int fd;

	snprintf(name, sizeof(name), "file%u",
		 __atomic_fetch_add(&common->nr_files, 1, __ATOMIC_SEQ_CST));
	fd = open(name, O_RDWR | O_CREAT | (by_chance(30) ? O_APPEND : 0), 0600);
	need(fd >= 0 && write(fd, name, sizeof(name)) == sizeof(name), "a file");
	lseek(fd, draw(40), SEEK_SET);
	if (by_chance(30))
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	if (by_chance(30))
		need(dup2(fd, 100 + draw(100)) >= 0, "a copy of a descriptor");
	if (by_chance(30))
		fcntl(fd, F_SETLK, &(struct flock){ .l_type = F_WRLCK, .l_len = 1 + draw(9) });
}

static void have_memory(void)
{
	unsigned long pages = 1 + draw(20), i;
	bool is_shared = by_chance(40), has_file = by_chance(25);
	int fd = has_file ? memfd_create("random", 0) : -1;
	char *p;

	if (has_file)
		need(fd >= 0 && !ftruncate(fd, pages * PAGE), "a memfd");
	p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
		 (is_shared ? MAP_SHARED : MAP_PRIVATE) | (has_file ? 0 : MAP_ANONYMOUS), fd, 0);
	need(p != MAP_FAILED, "memory");
	for (i = 0; i < pages; i++)
		if (by_chance(60))
			memset(p + i * PAGE, 1 + draw(255), PAGE);
	if (has_file && by_chance(50))
		close(fd);
	i = draw(pages);
	if (by_chance(30))
		mprotect(p + i * PAGE, PAGE, by_chance(50) ? PROT_READ : PROT_NONE);
	if (by_chance(20))
		munmap(p + i * PAGE, PAGE);
	if (by_chance(20))
		madvise(p, PAGE, by_chance(50) ? MADV_DONTFORK : MADV_DONTDUMP);
	if (by_chance(15))
		mlock(p, PAGE);
}

static void have_properties(void)
{
	char name[16], folder[32];

	snprintf(name, sizeof(name), "random %u", draw(1000));
	if (by_chance(40))
		prctl(PR_SET_NAME, name);
	if (by_chance(30))
		umask(draw(0777));
	if (by_chance(20))
		setpriority(PRIO_PROCESS, 0, draw(20));
	if (by_chance(30))
		setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 300 + draw(100), 500 });
	if (by_chance(20))
		prctl(PR_SET_TIMERSLACK, 1000 + draw(100000));
	if (by_chance(20))
		prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (by_chance(20))
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (by_chance(20)) {
		snprintf(folder, sizeof(folder), "folder%d", getpid());
		need(!mkdir(folder, 0700) && !chdir(folder), "a folder");
	}
}

static void *thread(void *arg)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, 1 + (int)(uintptr_t)arg % 30);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	prctl(PR_SET_NAME, "thread");
	is_done();
	wait_for_ever();
	return NULL;
}

static void have_threads(void)
{
	unsigned int n = by_chance(30) ? 1 + draw(3) : 0;
	pthread_t id;

	while (n--) {
		begin_one();
		need(!pthread_create(&id, NULL, thread, (void *)(uintptr_t)draw(1000)), "a thread");
	}
}

static void have_something(void)
{
	static void (*const things[])(void) = { have_pipe, have_file, have_memory, have_properties,
						be_signalled };
	unsigned int n = draw(8);

	while (n--)
		things[draw(ARRAY_SIZE(things))]();
}

/* A child that ends at once, and stays a zombie or leaves an orphan to whoever gets it. */
static void have_mortal(bool leaves_orphan)
{
	unsigned int how = draw(256);
	pid_t pid;

	if (leaves_orphan)
		begin_one();
	pid = child_make();
	if (!pid) {
		signal(SIGTERM, SIG_DFL);
		if (leaves_orphan && !child_make()) {
			have_something();
			is_done();
			wait_for_ever();
		}
		if (!leaves_orphan && how < 60)
			raise(SIGTERM);
		_exit(how);
	}
	see_exit(pid);
	if (leaves_orphan)
		waitpid(pid, NULL, 0);
}

static void live(unsigned int depth);

static void have_child(unsigned int depth)
{
	uint64_t seed = draw(1U << 30) + 1;
	unsigned int group = draw(100);

	if (__atomic_add_fetch(&common->made, 1, __ATOMIC_SEQ_CST) > MAX_PROCESSES) {
		__atomic_sub_fetch(&common->made, 1, __ATOMIC_SEQ_CST);
		return;
	}
	if (child_make())
		return;
	state = seed;
	if (group < 25)
		setpgid(0, 0);
	else if (group < 40)
		setsid();
	live(depth + 1);
	wait_for_ever();
}

/* Sets up one process, what is below it included. */
static void live(unsigned int depth)
{
	unsigned int n = depth < MAX_DEPTH ? draw(4) : 0;

	have_something();
	while (n--) {
		if (by_chance(25))
			have_mortal(by_chance(40));
		else
			have_child(depth);
		have_something();
	}
	have_threads();
	is_done();
}

int main(int argc, char **argv)
{
	state = argc == 2 ? strtoull(argv[1], NULL, 10) * 2654435761U + 88172645463325252ULL : 1;
	common = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	need(common != MAP_FAILED, "what all share");
	/* Orphans stay in the tree. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	common->made = 1;
	live(0);
	while (__atomic_load_n(&common->made, __ATOMIC_SEQ_CST) !=
	       __atomic_load_n(&common->done, __ATOMIC_SEQ_CST))
		nap(2);
	dprintf(STDOUT_FILENO, "ready\n");
	wait_for_ever();
}
