/* SPDX-License-Identifier: GPL-2.0-only */
/* Sockets with names, messages and options, as state_sockets.c needs them. */
#ifndef STATE_SOCKETS_H
#define STATE_SOCKETS_H

#include <stddef.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "state.h"

static void pair(int type, int ends[2])
{
	need(!socketpair(AF_UNIX, type, 0, ends), "pair");
}

/* A name that begins with @ is abstract. */
static socklen_t address(const char *name, struct sockaddr_un *a)
{
	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	memcpy(a->sun_path, name, strlen(name));
	if (*name != '@')
		return sizeof(*a);
	a->sun_path[0] = 0;
	return offsetof(struct sockaddr_un, sun_path) + strlen(name);
}

static int connect_to(int fd, const char *name)
{
	struct sockaddr_un a = { 0 };
	socklen_t len = address(name, &a);

	return connect(fd, (struct sockaddr *)&a, len);
}

static int named(int type, const char *name)
{
	int fd = socket(AF_UNIX, type, 0);
	struct sockaddr_un a = { 0 };
	socklen_t len = address(name, &a);

	need(fd >= 0 && !bind(fd, (struct sockaddr *)&a, len), name);
	return fd;
}

static void name_from(const struct sockaddr_un *a, socklen_t len, char *name)
{
	size_t n = len - offsetof(struct sockaddr_un, sun_path);

	if (len <= offsetof(struct sockaddr_un, sun_path)) {
		*name = 0;
		return;
	}
	if (a->sun_path[0])
		n = strnlen(a->sun_path, n);
	memcpy(name, a->sun_path, n);
	name[n] = 0;
	if (!a->sun_path[0])
		name[0] = '@';
}

static void name_of(int fd, char *name)
{
	struct sockaddr_un a = { 0 };
	socklen_t len = sizeof(a);

	need(!getsockname(fd, (struct sockaddr *)&a, &len), "name");
	name_from(&a, len, name);
}

static void check_name(int fd, const char *name, const char *what)
{
	char got[sizeof(struct sockaddr_un) + 1];

	name_of(fd, got);
	check(!strcmp(got, name), "%s: its name is %s", what, got);
}

static void check_peer_name(int fd, const char *name, const char *what)
{
	char got[sizeof(struct sockaddr_un) + 1] = "";
	struct sockaddr_un a = { 0 };
	socklen_t len = sizeof(a);

	if (!getpeername(fd, (struct sockaddr *)&a, &len))
		name_from(&a, len, got);
	check(!strcmp(got, name), "%s: its peer's name is %s", what, got);
}

static void say_to(int fd, const char *text)
{
	ssize_t len = strlen(text);

	need(send(fd, text, len, MSG_NOSIGNAL) == len, text);
}

/* What comes next must be this text; at most @len bytes of it are asked for. */
static void hear(int fd, const char *text, size_t len, const char *what)
{
	char got[256] = "";
	ssize_t n = recv(fd, got, len, MSG_DONTWAIT);

	check(n == (ssize_t)strlen(text) && !memcmp(got, text, n), "%s: %zd bytes: %s", what, n,
	      got);
}

static void hear_from(int fd, const char *text, const char *name, pid_t pid)
{
	char got[256] = "", from[sizeof(struct sockaddr_un) + 1] = "", control[256];
	struct iovec data = { got, sizeof(got) - 1 };
	struct sockaddr_un a = { 0 };
	struct msghdr m = {
		.msg_name = &a,
		.msg_namelen = sizeof(a),
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct ucred cred = { 0 };
	struct timeval time = { 0 };
	struct cmsghdr *c;
	ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT);

	check(n == (ssize_t)strlen(text) && !strcmp(got, text), "from %s: %s", name, got);
	if (n < 0)
		return;
	for (c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_type == SCM_CREDENTIALS)
			memcpy(&cred, CMSG_DATA(c), sizeof(cred));
		if (c->cmsg_type == SCM_TIMESTAMP)
			memcpy(&time, CMSG_DATA(c), sizeof(time));
	}
	name_from(&a, m.msg_namelen, from);
	check(!strcmp(from, name), "%s: its name is %s", text, from);
	check(cred.pid == pid && cred.uid == getuid(), "%s: of process %d, user %u", text, cred.pid,
	      cred.uid);
	check(time.tv_sec > 1000000, "%s: has a time", text);
}

static void send_fds(int to, const char *text, const int *fds, int nr)
{
	char control[CMSG_SPACE(8 * sizeof(int))] = { 0 };
	struct iovec data = { (char *)text, strlen(text) };
	struct msghdr m = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = CMSG_SPACE(nr * sizeof(int)),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(nr * sizeof(int));
	memcpy(CMSG_DATA(c), fds, nr * sizeof(int));
	need(sendmsg(to, &m, 0) == (ssize_t)strlen(text), text);
}

/* How many descriptors come with a text, -1 for another text. */
static int receive_fds(int from, const char *text, int fds[8])
{
	char control[CMSG_SPACE(8 * sizeof(int))], got[64] = "";
	struct iovec data = { got, strlen(text) };
	struct msghdr m = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *c;
	int nr;

	if (recvmsg(from, &m, MSG_DONTWAIT) != (ssize_t)strlen(text) || strcmp(got, text))
		return -1;
	c = CMSG_FIRSTHDR(&m);
	if (!c || c->cmsg_type != SCM_RIGHTS)
		return 0;
	nr = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	memcpy(fds, CMSG_DATA(c), nr * sizeof(int));
	return nr;
}

static const int options[] = {
	SO_SNDBUF,     SO_RCVBUF,   SO_RCVTIMEO, SO_SNDTIMEO,  SO_LINGER,      SO_PEEK_OFF,
	SO_PASSCRED,   SO_PRIORITY, SO_RCVLOWAT, SO_TIMESTAMP, SO_TIMESTAMPNS, SO_KEEPALIVE,
	SO_ACCEPTCONN, SO_MARK,	    SO_PEERCRED, SO_OOBINLINE,
};

#define NR_OPTIONS ARRAY_SIZE(options)
#define OPTION_LEN 32

static void set_option(int fd, int option, const void *value, size_t len)
{
	need(!setsockopt(fd, SOL_SOCKET, option, value, len), "option");
}

static void set_options(int fd)
{
	struct timeval wait = { 5, 500000 };
	struct linger linger = { 1, 7 };
	int size = 70000, on = 1;

	set_option(fd, SO_SNDBUF, &size, sizeof(size));
	size = 50000;
	set_option(fd, SO_RCVBUF, &size, sizeof(size));
	set_option(fd, SO_RCVTIMEO, &wait, sizeof(wait));
	wait.tv_sec = 9;
	set_option(fd, SO_SNDTIMEO, &wait, sizeof(wait));
	set_option(fd, SO_LINGER, &linger, sizeof(linger));
	size = 3;
	set_option(fd, SO_PEEK_OFF, &size, sizeof(size));
	set_option(fd, SO_PRIORITY, &size, sizeof(size));
	set_option(fd, SO_RCVLOWAT, &size, sizeof(size));
	set_option(fd, SO_MARK, &size, sizeof(size));
	set_option(fd, SO_PASSCRED, &on, sizeof(on));
	set_option(fd, SO_TIMESTAMPNS, &on, sizeof(on));
}

static void get_options(int fd, char values[NR_OPTIONS][OPTION_LEN])
{
	socklen_t len;
	size_t i;

	memset(values, 0, NR_OPTIONS * OPTION_LEN);
	for (i = 0; i < NR_OPTIONS; i++) {
		len = OPTION_LEN;
		need(!getsockopt(fd, SOL_SOCKET, options[i], values[i], &len), "option");
	}
}

static void compare_options(int fd, char before[NR_OPTIONS][OPTION_LEN])
{
	char now[NR_OPTIONS][OPTION_LEN];
	size_t i;

	get_options(fd, now);
	for (i = 0; i < NR_OPTIONS; i++)
		check(!memcmp(before[i], now[i], OPTION_LEN), "option %d", options[i]);
}

#endif /* STATE_SOCKETS_H */
