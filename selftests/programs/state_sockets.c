// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unix sockets between two processes: what is queued in them, who sent it, what travels with it,
 * what they are called, and who waits to be accepted.
 *
 * usage: state_sockets
 */

#define _GNU_SOURCE
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "state.h"
#include "state_sockets.h"

static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };

#define NR_TYPES 3

/* The parent has [0] of each pair, the child [1]; both have all of them until the fork is done. */
static struct {
	int control[2], pair[NR_TYPES][2], half[2], reset[2], ended[2];
	int receiver, sender, other_sender, rights[2], nested[2], options[2], loop;
	int listener[3], client[3], closed_listener, late_client, gone_receiver;
} fd;
static pid_t parent, child;

static const char *const listeners[] = { "listener", "@ckpt-listener", "removed" };

static void set_up_pairs(void)
{
	int i;

	for (i = 0; i < NR_TYPES; i++) {
		pair(types[i], fd.pair[i]);
		say_to(fd.pair[i][0], "to child");
		say_to(fd.pair[i][0], "more");
		if (types[i] == SOCK_DGRAM)
			say_to(fd.pair[i][0], "");
		say_to(fd.pair[i][0], "end");
		say_to(fd.pair[i][1], "to parent");
	}
	hear(fd.pair[0][1], "to ", 3, "set up");
	pair(SOCK_STREAM, fd.half);
	say_to(fd.half[0], "last words");
	need(!shutdown(fd.half[0], SHUT_WR), "shutdown");
	pair(SOCK_STREAM, fd.ended);
	say_to(fd.ended[1], "legacy");
	close(fd.ended[1]);
	pair(SOCK_STREAM, fd.reset);
	say_to(fd.reset[0], "never read");
	close(fd.reset[1]);
}

static void check_pairs_of_child(void)
{
	hear(fd.pair[0][1], "childmoreend", 12, "stream to child");
	hear(fd.pair[1][1], "to child", 100, "datagram to child");
	hear(fd.pair[1][1], "more", 100, "second datagram to child");
	hear(fd.pair[1][1], "", 100, "empty datagram to child");
	hear(fd.pair[1][1], "end", 100, "last datagram to child");
	hear(fd.pair[2][1], "to child", 100, "packet to child");
	hear(fd.pair[2][1], "more", 100, "second packet to child");
	hear(fd.half[1], "last words", 100, "half closed: what was sent before");
	check(recv(fd.half[1], &child, 1, 0) == 0, "half closed: end of file");
	say_to(fd.half[1], "other way");
}

static void check_pairs_of_parent(void)
{
	int i, error = 0;
	socklen_t len = sizeof(error);

	for (i = 0; i < NR_TYPES; i++)
		hear(fd.pair[i][0], "to parent", 100, "to parent");
	hear(fd.half[0], "other way", 100, "half closed: the other way");
	hear(fd.ended[0], "legacy", 100, "closed peer: what it left");
	check(recv(fd.ended[0], &i, 1, 0) == 0, "closed peer: end of file");
	check(send(fd.ended[0], "x", 1, MSG_NOSIGNAL) < 0 && errno == EPIPE, "closed peer: EPIPE");
	check(!getsockopt(fd.reset[0], SOL_SOCKET, SO_ERROR, &error, &len) && error == ECONNRESET,
	      "reset by peer: SO_ERROR is %d", error);
}

/* Datagrams of several senders in one queue, each with name and credentials. */
static void set_up_senders(void)
{
	int on = 1;

	fd.receiver = named(SOCK_DGRAM, "receiver");
	need(!setsockopt(fd.receiver, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), "SO_PASSCRED");
	need(!setsockopt(fd.receiver, SOL_SOCKET, SO_TIMESTAMP, &on, sizeof(on)), "SO_TIMESTAMP");
	fd.sender = named(SOCK_DGRAM, "@ckpt-sender");
	need(!connect_to(fd.sender, "receiver"), "connected sender");
	say_to(fd.sender, "from the parent");
	fd.other_sender = socket(AF_UNIX, SOCK_DGRAM, 0);
	need(!setsockopt(fd.other_sender, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), "autobind");
	need(!connect_to(fd.other_sender, "receiver"), "connected sender");
	fd.gone_receiver = socket(AF_UNIX, SOCK_DGRAM, 0);
	{
		int gone = named(SOCK_DGRAM, "@ckpt-gone");

		need(!connect_to(fd.gone_receiver, "@ckpt-gone"), "connected to one that goes");
		need(!connect_to(gone, "receiver"), "one that goes");
		say_to(gone, "from one that is gone");
		close(gone);
	}
}

static void check_senders(const char *autobound)
{
	hear_from(fd.receiver, "from the parent", "@ckpt-sender", parent);
	hear_from(fd.receiver, "from one that is gone", "@ckpt-gone", parent);
	hear_from(fd.receiver, "from the child", autobound, child);
	say_to(fd.sender, "again");
	hear_from(fd.receiver, "again", "@ckpt-sender", child);
	check(send(fd.gone_receiver, "x", 1, 0) < 0 && errno == ECONNREFUSED,
	      "datagram to one that is gone: refused");
}

/* Files that only messages have; one of them is a socket with a message that has a file. */
static void set_up_rights(void)
{
	int file = open("travels", O_RDWR | O_CREAT, 0600), ends[2], memory, inner[2];

	need(file >= 0 && write(file, "0123456789", 10) == 10 && lseek(file, 4, SEEK_SET) == 4,
	     "travelling file");
	need(!pipe(ends) && write(ends[1], "in pipe", 7) == 7, "travelling pipe");
	memory = memfd_create("travels", 0);
	need(memory >= 0 && write(memory, "memory", 6) == 6, "travelling memfd");
	pair(SOCK_STREAM, fd.rights);
	pair(SOCK_DGRAM, fd.nested);
	pair(SOCK_SEQPACKET, inner);
	send_fds(inner[0], "inner", &file, 1);
	send_fds(fd.nested[0], "nested", &inner[1], 1);
	say_to(fd.rights[0], "before");
	send_fds(fd.rights[0], "rights", (int[]){ file, ends[0], ends[1], memory, fd.nested[1] },
		 5);
	say_to(fd.rights[0], "after");
	/* A socket that waits in its own queue: a cycle. */
	send_fds(fd.rights[1], "cycle", &fd.rights[0], 1);
	close(file);
	close(ends[0]);
	close(ends[1]);
	close(memory);
	close(inner[0]);
	close(inner[1]);
	close(fd.nested[1]);
}

static void check_rights(void)
{
	int got[8] = { 0 }, inner[8] = { 0 }, file[8] = { 0 };
	char text[32] = "";

	hear(fd.rights[1], "before", 6, "stream before the files");
	if (!check(receive_fds(fd.rights[1], "rights", got) == 5, "five files came"))
		return;
	check(read(got[0], text, 3) == 3 && !memcmp(text, "456", 3), "file: its position");
	check(read(got[1], text, 32) == 7 && !memcmp(text, "in pipe", 7), "pipe: its content");
	check(write(got[2], "x", 1) == 1 && read(got[1], text, 1) == 1, "pipe: both ends");
	check(pread(got[3], text, 6, 0) == 6 && !memcmp(text, "memory", 6), "memfd: its content");
	hear(fd.rights[1], "after", 5, "stream behind the files");
	check(receive_fds(got[4], "nested", inner) == 1, "a socket came with a message in it");
	check(receive_fds(inner[0], "inner", file) == 1, "which had a socket with a file");
	check(lseek(file[0], 0, SEEK_CUR) == 7, "which is the file that came alone");
	check(receive_fds(fd.rights[0], "cycle", got) == 1, "a socket came through itself");
	say_to(got[0], "through");
	hear(fd.rights[1], "through", 7, "and works");
}

static void set_up_listeners(void)
{
	int i, gone;

	for (i = 0; i < 3; i++) {
		fd.listener[i] = named(i == 1 ? SOCK_SEQPACKET : SOCK_STREAM, listeners[i]);
		need(!listen(fd.listener[i], 5), "listen");
		fd.client[i] = socket(AF_UNIX, i == 1 ? SOCK_SEQPACKET : SOCK_STREAM, 0);
		need(!connect_to(fd.client[i], listeners[i]), "client");
		say_to(fd.client[i], "I wait");
	}
	gone = named(SOCK_STREAM, "@ckpt-short-lived");
	need(!connect_to(gone, "listener"), "client that goes");
	say_to(gone, "I left");
	close(gone);
	need(!chmod("listener", 0620) && !chown("listener", 7, 8), "owner of a name");
	need(!unlink("removed"), "removed name");
	fd.closed_listener = named(SOCK_STREAM, "@ckpt-closed");
	need(!listen(fd.closed_listener, 1), "listen");
	fd.late_client = socket(AF_UNIX, SOCK_STREAM, 0);
	need(!connect_to(fd.late_client, "@ckpt-closed"), "client of one that goes");
	close(fd.closed_listener);
}

static void check_listeners(void)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	struct stat st;
	int i, got;

	for (i = 0; i < 3; i++) {
		check_name(fd.listener[i], listeners[i], "listener");
		got = accept(fd.listener[i], NULL, NULL);
		hear(got, "I wait", 100, "who waited to be accepted");
		check(!getsockopt(got, SOL_SOCKET, SO_PEERCRED, &cred, &len) && cred.pid == parent,
		      "listener %d: who waited is process %d", i, cred.pid);
		check_name(got, listeners[i], "accepted");
		say_to(got, "welcome");
	}
	got = accept(fd.listener[0], NULL, NULL);
	hear(got, "I left", 100, "who waited and left");
	check(recv(got, &i, 1, 0) == 0, "who left: end of file");
	check_peer_name(got, "@ckpt-short-lived", "who left");
	check(!stat("listener", &st) && S_ISSOCK(st.st_mode) && (st.st_mode & 07777) == 0620 &&
		      st.st_uid == 7 && st.st_gid == 8,
	      "listener: owner and mode of its file");
	check(stat("removed", &st), "removed name: stays removed");
}

static void check_clients(void)
{
	int i, got;

	for (i = 0; i < 3; i++)
		hear(fd.client[i], "welcome", 100, "client was accepted");
	got = socket(AF_UNIX, SOCK_STREAM, 0);
	check(!connect_to(got, "listener"), "new client");
	check(send(fd.late_client, "x", 1, MSG_NOSIGNAL) < 0, "client of a closed listener");
}

static void set_up_options(void)
{
	pair(SOCK_STREAM, fd.options);
	set_options(fd.options[0]);
	fcntl(fd.options[0], F_SETFL, O_NONBLOCK);
	fd.loop = named(SOCK_DGRAM, "loop");
	need(!connect_to(fd.loop, "loop"), "connected to itself");
	say_to(fd.loop, "echo");
}

static int run_child(const char *autobound)
{
	char word[16] = "";

	child = getpid();
	say_to(fd.other_sender, "from the child");
	say_to(fd.control[1], "set up");
	/* The save finds it here. */
	check(recv(fd.control[1], word, sizeof(word), 0) == 2, "child was woken");
	check_pairs_of_child();
	check_listeners();
	check_rights();
	check_senders(autobound);
	return nr_bad;
}

int main(void)
{
	char before[NR_OPTIONS][OPTION_LEN], autobound[32] = "@";
	int status = 1;

	parent = getpid();
	pair(SOCK_SEQPACKET, fd.control);
	set_up_pairs();
	set_up_senders();
	set_up_rights();
	set_up_listeners();
	set_up_options();
	name_of(fd.other_sender, autobound);
	child = fork();
	need(child >= 0, "child");
	if (!child)
		return run_child(autobound);
	close(fd.pair[0][1]);
	need(recv(fd.control[0], autobound, sizeof(autobound), 0) == 6, "child");
	name_of(fd.other_sender, autobound);
	get_options(fd.options[0], before);
	ready_then_go();

	compare_options(fd.options[0], before);
	check(fcntl(fd.options[0], F_GETFL) & O_NONBLOCK, "O_NONBLOCK");
	check_name(fd.other_sender, autobound, "autobind");
	hear(fd.loop, "echo", 100, "connected to itself");
	say_to(fd.control[0], "go");
	check(waitpid(child, &status, 0) == child && !status, "child: status 0x%x", status);
	check_pairs_of_parent();
	check_clients();
	return nr_bad != 0;
}
