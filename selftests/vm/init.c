// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first process of the virtual machine: carries out the steps of /vm/steps, runs the command
 * of /vm/argv, passes its output and its exit status to the host, and ends the machine.
 *
 * The host (vm/run) decides on every step; this program only knows how to do each kind.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PORT_OUT "/dev/vport0p1"
#define PORT_ERR "/dev/vport0p2"
#define PORT_STATUS "/dev/vport0p3"
#define CONSOLE "/dev/hvc0"

#define MAX_WORDS 1024
#define DRAIN_SECONDS 5

/* The words of /vm/settings; the last ones are the command's environment. */
enum { SET_FOLDER, SET_TTY, SET_ROWS, SET_COLUMNS, SET_ENVIRONMENT };

struct relay {
	int from;
	int to;
};

struct command {
	pid_t pid;
	bool ended;
	int status;
};

/* The console, until the port is there. */
static int status_port = STDOUT_FILENO;
static char **settings;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void end_machine(void)
{
	sync();
	reboot(RB_AUTOBOOT);
	for (;;)
		pause();
}

static void fail(const char *what, const char *object)
{
	dprintf(status_port, "failed %s %s: %s\n", what, object, strerror(errno));
	end_machine();
}

/* Reads a whole file and cuts it at each NUL. */
static char **read_words(const char *path, int *count)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char **words, *text;
	ssize_t length;

	if (fd < 0 || fstat(fd, &st))
		fail("open", path);
	text = calloc(1, st.st_size + 1);
	words = calloc(MAX_WORDS + 1, sizeof(*words));
	if (!text || !words)
		fail("read", path);
	length = read(fd, text, st.st_size);
	close(fd);
	*count = 0;
	for (char *p = text; p < text + length; p += strlen(p) + 1) {
		if (*count == MAX_WORDS) {
			errno = E2BIG;
			fail("read", path);
		}
		words[(*count)++] = p;
	}
	return words;
}

static void wait_for(const char *path)
{
	const struct timespec pause_time = { .tv_nsec = 2000000 };
	double end = now() + 30;

	while (access(path, F_OK)) {
		if (now() > end)
			fail("wait for", path);
		nanosleep(&pause_time, NULL);
	}
}

static void make_folder(const char *path)
{
	char part[4096];

	snprintf(part, sizeof(part), "%s", path);
	for (char *p = part + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = 0;
		/* What exists may lie on a read-only file system; a gap shows at the last one. */
		mkdir(part, 0755);
		*p = '/';
	}
	if (mkdir(part, 0755) && access(part, F_OK))
		fail("mkdir", path);
}

static void load_module(const char *path, const char *parameters)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || (syscall(SYS_finit_module, fd, parameters, 0) && errno != EEXIST))
		fail("insmod", path);
	close(fd);
	unlink(path);
}

static void mount_one(char **word)
{
	unsigned long flags = strtoul(word[3], NULL, 0);

	make_folder(word[2]);
	if (mount(word[1], word[2], word[0], flags, word[4]))
		fail("mount", word[2]);
}

/* For a file system that not each kernel has. */
static void mount_known(char **word)
{
	if (!mount(word[1], word[2], word[0], strtoul(word[3], NULL, 0), word[4]))
		return;
	if (errno != ENODEV && errno != ENOENT)
		fail("mount", word[2]);
}

static void enter_root(const char *path)
{
	if (chdir(path) || mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/"))
		fail("root", path);
}

static void bring_up(const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request))
		fail("network interface", name);
	close(fd);
}

/* Tells a KVM that only seems to work: some hosts cannot emulate this instruction. */
static void probe(void)
{
	unsigned __int128 memory = 0;
	unsigned long low = 1, high = 2;

	for (int i = 0; i < 1000; i++)
		__asm__ volatile("lock cmpxchg16b %0"
				 : "+m"(memory), "+a"(low), "+d"(high)
				 : "b"(low), "c"(high)
				 : "cc", "memory");
}

/* The machine's last words come through the port, which exists once its driver is there. */
static void open_status(void)
{
	int port;

	wait_for(PORT_STATUS);
	port = open(PORT_STATUS, O_WRONLY | O_CLOEXEC);
	if (port < 0)
		fail("open", PORT_STATUS);
	status_port = port;
}

static void do_insmod(char **word)
{
	load_module(word[0], word[1]);
}

static void do_mkdir(char **word)
{
	make_folder(word[0]);
}

static void do_symlink(char **word)
{
	if (symlink(word[0], word[1]) && errno != EEXIST)
		fail("symlink", word[1]);
}

static void do_chmod(char **word)
{
	if (chmod(word[1], strtoul(word[0], NULL, 8)))
		fail("chmod", word[1]);
}

static void do_wait(char **word)
{
	wait_for(word[0]);
}

static void do_root(char **word)
{
	enter_root(word[0]);
}

static void do_up(char **word)
{
	bring_up(word[0]);
}

static void do_hostname(char **word)
{
	if (sethostname(word[0], strlen(word[0])))
		fail("hostname", word[0]);
}

static void do_status(char **word)
{
	(void)word;
	open_status();
}

static void do_probe(char **word)
{
	(void)word;
	probe();
}

static const struct {
	const char *name;
	int words;
	void (*run)(char **word);
} kinds_of_steps[] = {
	{ "chmod", 2, do_chmod },   { "hostname", 1, do_hostname },
	{ "insmod", 2, do_insmod }, { "mkdir", 1, do_mkdir },
	{ "mount", 5, mount_one },  { "mount-known", 5, mount_known },
	{ "probe", 0, do_probe },   { "root", 1, do_root },
	{ "status", 0, do_status }, { "symlink", 2, do_symlink },
	{ "up", 1, do_up },	    { "wait", 1, do_wait },
};

/* Carries out one step and returns how many words it had. */
static int step(char **word)
{
	for (size_t i = 0; i < sizeof(kinds_of_steps) / sizeof(*kinds_of_steps); i++) {
		if (strcmp(word[0], kinds_of_steps[i].name))
			continue;
		kinds_of_steps[i].run(word + 1);
		return 1 + kinds_of_steps[i].words;
	}
	errno = EINVAL;
	fail("step", word[0]);
	return 0;
}

/* The console takes the place of the pipes, and becomes the command's controlling terminal. */
static int open_console(void)
{
	struct winsize size = { .ws_row = atoi(settings[SET_ROWS]),
				.ws_col = atoi(settings[SET_COLUMNS]) };
	int fd = open(CONSOLE, O_RDWR);

	if (fd >= 0 && ioctl(fd, TIOCSWINSZ, &size) == 0)
		ioctl(fd, TIOCSCTTY, 0);
	return fd;
}

static void start_command(char **argv, int out, int err)
{
	int in = open("/dev/null", O_RDONLY);
	sigset_t none;

	setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGCHLD, SIG_DFL);
	if (out < 0) {
		in = open_console();
		out = in;
		err = in;
	}
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	if (in > STDERR_FILENO)
		close(in);
	if (chdir(settings[SET_FOLDER]) && chdir("/"))
		_exit(127);
	clearenv();
	for (char **variable = settings + SET_ENVIRONMENT; *variable; variable++)
		putenv(*variable);
	execvp(argv[0], argv);
	dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

static void on_child(int number)
{
	(void)number;
}

/* Waits for whoever has ended, and notes the command's status; false when nobody is left. */
static bool reap(struct command *command)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != command->pid)
			continue;
		command->ended = true;
		command->status = status;
	}
	return pid == 0;
}

static void write_all(int fd, const char *from, ssize_t length)
{
	while (length > 0) {
		ssize_t done = write(fd, from, length);

		if (done < 0 && errno != EINTR)
			return;
		if (done > 0) {
			from += done;
			length -= done;
		}
	}
}

static void pass_on_one(struct relay *relay)
{
	static char buffer[65536];
	ssize_t length = read(relay->from, buffer, sizeof(buffer));

	if (length > 0) {
		write_all(relay->to, buffer, length);
	} else if (!length) {
		close(relay->from);
		relay->from = -1;
	}
}

/* Waits for output, the end of a child, or the time limit, and passes the output on. */
static void pass_on(struct relay relays[2], const struct timespec *limit)
{
	struct pollfd polled[2] = { { .fd = relays[0].from, .events = POLLIN },
				    { .fd = relays[1].from, .events = POLLIN } };
	sigset_t none;

	sigemptyset(&none);
	if (ppoll(polled, 2, limit, &none) <= 0)
		return;
	for (int i = 0; i < 2; i++)
		if (polled[i].fd >= 0 && polled[i].revents)
			pass_on_one(relays + i);
}

/* Ends what the command left running, and passes on the last of the output. */
static void end_others(struct command *command, struct relay relays[2])
{
	const struct timespec slice = { .tv_nsec = 10000000 };
	double end = now() + DRAIN_SECONDS;

	kill(-1, SIGKILL);
	while ((reap(command) || relays[0].from >= 0 || relays[1].from >= 0) && now() < end)
		pass_on(relays, &slice);
}

static int run_command(char **argv, bool tty)
{
	struct relay relays[2] = { { -1, -1 }, { -1, -1 } };
	struct sigaction action = { .sa_handler = on_child };
	int out[2] = { -1, -1 }, err[2] = { -1, -1 };
	struct command command = { 0 };
	sigset_t blocked;

	if (!tty) {
		if (pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
			fail("pipe", argv[0]);
		relays[0] = (struct relay){ out[0], open(PORT_OUT, O_WRONLY | O_CLOEXEC) };
		relays[1] = (struct relay){ err[0], open(PORT_ERR, O_WRONLY | O_CLOEXEC) };
	}
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGCHLD);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	sigaction(SIGCHLD, &action, NULL);
	command.pid = fork();
	if (command.pid < 0)
		fail("fork", argv[0]);
	if (!command.pid)
		start_command(argv, out[1], err[1]);
	close(out[1]);
	close(err[1]);
	while (reap(&command) && !command.ended)
		pass_on(relays, NULL);
	end_others(&command, relays);
	if (WIFSIGNALED(command.status))
		return 128 + WTERMSIG(command.status);
	return WEXITSTATUS(command.status);
}

int main(void)
{
	char **steps, **argv;
	int count, status;

	if (mount("dev", "/dev", "devtmpfs", 0, "") && errno != EBUSY)
		fail("mount", "/dev");
	settings = read_words("/vm/settings", &count);
	argv = read_words("/vm/argv", &count);
	steps = read_words("/vm/steps", &count);
	for (int at = 0; at < count;)
		at += step(steps + at);
	dprintf(status_port, "started\n");
	status = run_command(argv, !strcmp(settings[SET_TTY], "tty"));
	sync();
	umount2("/share", MNT_DETACH);
	umount2("/disk", 0);
	dprintf(status_port, "exit %d\n", status);
	end_machine();
}
