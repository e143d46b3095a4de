// SPDX-License-Identifier: GPL-2.0-only
/* A pseudo-terminal with both ends in the job: settings, queues, session, foreground group. */

#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>

#include "state.h"

static int master, slave, raw_master, raw_slave;
static pid_t leader, runner;
static int index_before, raw_index;
static struct termios termios_before[3];
static int told[2];

static int open_pty(int *other, int *number)
{
	int fd = open("/dev/ptmx", O_RDWR | O_NOCTTY), unlock = 0;
	char name[32];

	need(fd >= 0 && !ioctl(fd, TIOCSPTLCK, &unlock) && !ioctl(fd, TIOCGPTN, number), "ptmx");
	snprintf(name, sizeof(name), "/dev/pts/%d", *number);
	*other = open(name, O_RDWR | O_NOCTTY);
	need(*other >= 0, name);
	return fd;
}

static size_t queued(int fd)
{
	int n = -1;

	ioctl(fd, FIONREAD, &n);
	return n;
}

static void put(int fd, const char *text)
{
	need(write(fd, text, strlen(text)) == (ssize_t)strlen(text), text);
}

/* Input passes through a worker of the kernel. */
static void wait_queued(int fd, size_t bytes)
{
	while (queued(fd) < bytes)
		nap(1);
}

static void set_up_cooked(void)
{
	struct winsize size = { 33, 77, 5, 6 };
	struct termios t = {};

	master = open_pty(&slave, &index_before);
	tcgetattr(slave, &t);
	t.c_cc[VKILL] = 'K' & 0x1f;
	t.c_lflag &= ~ECHOCTL;
	tcsetattr(slave, TCSANOW, &t);
	need(!ioctl(master, TIOCSWINSZ, &size), "TIOCSWINSZ");
	put(slave, "out\n");
	wait_queued(master, 5);
	put(master, "one\ntwo\n\004three\nhal");
	wait_queued(slave, 14);
	/* Echo comes back, too. */
	wait_queued(master, 5 + 5 + 5 + 7 + 3);
	tcgetattr(slave, &termios_before[0]);
	tcgetattr(master, &termios_before[1]);
}

static void set_up_raw(void)
{
	char block[1000];
	struct termios t = {};
	int packet = 1, i, lock = 1;

	raw_master = open_pty(&raw_slave, &raw_index);
	tcgetattr(raw_slave, &t);
	cfmakeraw(&t);
	t.c_cc[VMIN] = 3;
	tcsetattr(raw_slave, TCSANOW, &t);
	tcgetattr(raw_slave, &termios_before[2]);
	memset(block, 0, sizeof(block));
	for (i = 0; i < 6; i++) {
		memset(block, 'a' + i, sizeof(block));
		need(write(raw_master, block, sizeof(block)) == sizeof(block), "raw input");
	}
	wait_queued(raw_slave, 4095);
	need(!ioctl(raw_master, TIOCPKT, &packet), "TIOCPKT");
	need(!tcflow(raw_slave, TCOOFF), "TCOOFF");
	need(!ioctl(raw_slave, TIOCEXCL), "TIOCEXCL");
	need(!ioctl(raw_master, TIOCSPTLCK, &lock), "TIOCSPTLCK");
	fcntl(raw_master, F_SETFL, O_NONBLOCK);
}

/* In the foreground of the terminal; it hears what the terminal sends to its group. */
static void on_winch(int signal)
{
	(void)signal;
	put(told[1], "w");
}

static void run(void)
{
	char text[64];
	int tty;

	signal(SIGWINCH, on_winch);
	setpgid(0, 0);
	put(told[1], "r");
	while (tcgetpgrp(slave) != getpid())
		nap(1);
	tty = open("/dev/tty", O_RDWR);
	put(told[1], tty >= 0 ? "t" : "f");
	wait_for_file(go_file);
	for (;;) {
		ssize_t n = read(tty, text, sizeof(text));

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 4 && !memcmp(text, "end\n", 4))
			break;
		put(told[1], n < 0 ? "E" : "l");
	}
	_exit(0);
}

static void lead(void)
{
	int status;

	setsid();
	need(!ioctl(slave, TIOCSCTTY, 0), "TIOCSCTTY");
	signal(SIGTTOU, SIG_IGN);
	runner = fork();
	if (!runner)
		run();
	setpgid(runner, runner);
	need(!tcsetpgrp(slave, runner), "tcsetpgrp");
	put(told[1], "s");
	while (waitpid(runner, &status, WUNTRACED) == runner && WIFSTOPPED(status))
		put(told[1], "z");
	_exit(tcgetsid(slave) == getpid() && tcgetpgrp(slave) == runner ? 0 : 1);
}

static char hear(void)
{
	char word = 0;

	return read(told[0], &word, 1) == 1 ? word : 0;
}

static void expect_word(char word, const char *what)
{
	char got = hear();

	check(got == word, "%s: '%c'", what, got);
}

static void check_cooked(void)
{
	struct winsize size = {};
	struct termios t = {};
	char text[256];
	ssize_t n;

	tcgetattr(slave, &t);
	check(!memcmp(&t, &termios_before[0], sizeof(t)), "settings");
	tcgetattr(master, &t);
	check(!memcmp(&t, &termios_before[1], sizeof(t)), "settings of the master");
	ioctl(slave, TIOCGWINSZ, &size);
	check(size.ws_row == 33 && size.ws_col == 77 && size.ws_xpixel == 5 && size.ws_ypixel == 6,
	      "window size");
	n = read(master, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = 0;
	check(!strcmp(text, "out\r\none\r\ntwo\r\nthree\r\nhal"), "output and echo: '%s'", text);
}

/* The runner in the foreground reads lines: those that were there, and one that is ended now. */
static void check_session(void)
{
	struct winsize size = { 34, 78, 0, 0 };
	int status, i, n;

	check(tcgetpgrp(master) > 0 && tcgetsid(master) == leader, "session of the terminal");
	for (i = 0; i < 4; i++)
		expect_word('l', "line");
	put(master, "f\n");
	expect_word('l', "line that was half there");
	ioctl(master, TIOCSWINSZ, &size);
	expect_word('w', "signal of the terminal");
	/* Ctrl-Z reaches the foreground group; its parent is told. */
	put(master, "\032");
	expect_word('z', "stop by the terminal");
	kill(-tcgetpgrp(master), SIGCONT);
	put(master, "end\n");
	n = waitpid(leader, &status, 0);
	check(n == leader && !status, "session: ended with 0x%x", status);
}

static void check_raw(void)
{
	char text[9000];
	int i, packet = 0, lock = 0;
	struct termios t = {};
	size_t have = 0;

	tcgetattr(raw_slave, &t);
	check(!memcmp(&t, &termios_before[2], sizeof(t)), "raw settings");
	ioctl(raw_master, TIOCGPKT, &packet);
	check(packet == 1, "packet mode");
	ioctl(raw_master, TIOCGPTLCK, &lock);
	check(lock == 1, "lock");
	ioctl(raw_slave, TIOCGEXCL, &packet);
	check(packet == 1, "exclusive");
	while (have < 6000) {
		ssize_t n = read(raw_slave, text + have, sizeof(text) - have);

		if (n <= 0)
			break;
		have += n;
	}
	check(have == 6000, "raw input: %zu bytes", have);
	for (i = 0; i < 6000 && text[i] == 'a' + i / 1000; i++)
		;
	check(i == 6000, "raw input: right up to %d", i);
	/* Stopped output is held back; what the stop says in packet mode was not read yet. */
	check(read(raw_master, text, 100) == 1 && text[0] == TIOCPKT_STOP, "packet: stop");
	fcntl(raw_slave, F_SETFL, O_NONBLOCK);
	check(write(raw_slave, "x", 1) < 0 && errno == EAGAIN, "stopped output");
	tcflow(raw_slave, TCOON);
	check(read(raw_master, text, 100) == 1 && text[0] == TIOCPKT_START, "packet: start");
	put(raw_slave, "x");
	while (read(raw_master, text, 100) < 0 && errno == EAGAIN)
		nap(1);
	check(text[0] == TIOCPKT_DATA && text[1] == 'x', "packet: data");
}

int main(void)
{
	int number;

	signal(SIGHUP, SIG_IGN);
	need(!pipe(told), "pipe");
	set_up_cooked();
	set_up_raw();
	leader = fork();
	if (!leader)
		lead();
	for (number = 0; number < 3; number++)
		hear();
	ready_then_go();
	ioctl(master, TIOCGPTN, &number);
	check(number == index_before, "number %d", number);
	check_cooked();
	check_session();
	check_raw();
	return verdict();
}
