// SPDX-License-Identifier: GPL-2.0-only
/*
 * System V semaphores and message queues of a parent and its children: values, waiters, what is
 * undone at the end, messages of several types and lengths, a full queue.
 */

#include <signal.h>
#include <stddef.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/wait.h>

#include "state.h"

#define KEY 0x636b7100
#define NR_SEMS 6
#define LONG_MESSAGE 8000

enum { GUARD, PLUS, MINUS, GATE, DONE, HIGH };

union semun {
	int val;
	struct semid_ds *buf;
	unsigned short *array;
};

struct message {
	long type;
	char text[LONG_MESSAGE];
};

static int set, plain, queue, full, empty;
static struct semid_ds set_before, set_after;
static struct msqid_ds queues_before[3], queues_after[3];
static unsigned short values_before[NR_SEMS], values_after[NR_SEMS];
static int pids_before[NR_SEMS], pids_after[NR_SEMS];

static bool change(int number, int by, int flags)
{
	struct sembuf op = { number, by, flags };
	int err;

	do
		err = semop(set, &op, 1);
	while (err && errno == EINTR);
	return !err;
}

static void send(int id, long type, size_t len, int seed)
{
	static struct message message;

	message.type = type;
	memset(message.text, seed, sizeof(message.text));
	need(!msgsnd(id, &message, len, IPC_NOWAIT), "a message");
}

static bool receive(int id, long type, long wanted, ssize_t len, int seed)
{
	struct message message;
	char text[LONG_MESSAGE];

	memset(text, seed, sizeof(text));
	return msgrcv(id, &message, sizeof(message.text), type, IPC_NOWAIT) == len &&
	       message.type == wanted && !memcmp(message.text, text, len);
}

static void set_up(void)
{
	unsigned short high[NR_SEMS] = { 1, 0, 5, 0, 0, 32767 };
	struct msqid_ds ds;

	for (int i = 0; i < 3; i++)
		semctl(semget(IPC_PRIVATE, 1, 0600), 0, IPC_RMID);
	set = semget(KEY, NR_SEMS, IPC_CREAT | IPC_EXCL | 0640);
	plain = semget(IPC_PRIVATE, 2, 0600);
	need(set >= 0 && plain >= 0, "sets");
	need(!semctl(set, 0, SETALL, (union semun){ .array = high }), "values");
	need(!semctl(plain, 1, SETVAL, (union semun){ .val = 42 }), "a value");
	queue = msgget(KEY, IPC_CREAT | IPC_EXCL | 0622);
	full = msgget(IPC_PRIVATE, 0600);
	empty = msgget(KEY + 1, IPC_CREAT | IPC_EXCL | 0600);
	need(queue >= 0 && full >= 0 && empty >= 0, "queues");
	send(queue, 7, 10, 'a');
	send(queue, 3, LONG_MESSAGE, 'b');
	send(queue, 7, 0, 'c');
	send(queue, 1L << 40, 4100, 'd');
	need(receive(queue, 0, 7, 10, 'a'), "a message that was read");
	send(full, 5, LONG_MESSAGE, 'e');
	send(full, 6, LONG_MESSAGE, 'f');
	/* It holds more than it may from now on. */
	need(!msgctl(full, IPC_STAT, &ds), "a look");
	ds.msg_qbytes = 9000;
	need(!msgctl(full, IPC_SET, &ds), "a limit");
	send(empty, 1, 1, 'g');
	need(receive(empty, 0, 1, 1, 'g'), "an empty queue");
}

static void look(struct semid_ds *ds, unsigned short *values, int *pids, struct msqid_ds *queues)
{
	need(!semctl(set, 0, IPC_STAT, (union semun){ .buf = ds }), "a look");
	need(!semctl(set, 0, GETALL, (union semun){ .array = values }), "a look");
	for (int i = 0; i < NR_SEMS; i++)
		pids[i] = semctl(set, i, GETPID);
	need(!msgctl(queue, IPC_STAT, &queues[0]) && !msgctl(full, IPC_STAT, &queues[1]) &&
		     !msgctl(empty, IPC_STAT, &queues[2]),
	     "a look");
}

/* It holds a semaphore, has given to one and taken from another, and waits for a fourth. */
static int holder(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	need(change(GUARD, -1, SEM_UNDO) && change(PLUS, 3, SEM_UNDO) &&
		     change(MINUS, -4, SEM_UNDO),
	     "undos");
	need(change(DONE, 1, 0), "a sign");
	check(change(GATE, -1, 0), "holder: the gate opened");
	check(change(DONE, -2, 0), "holder: a second wait");
	return verdict();
}

/* It waits for a message until it gets one. */
static int receiver(void)
{
	struct message message;
	ssize_t got;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	need(change(DONE, 1, 0), "a sign");
	do
		got = msgrcv(empty, &message, sizeof(message.text), 77, 0);
	while (got < 0 && errno == EINTR);
	check(got == 5 && message.type == 77 && !memcmp(message.text, "hello", 5),
	      "receiver: a message");
	return verdict();
}

/* It waits for room. */
static int sender(void)
{
	static struct message message = { .type = 99, .text = "there is room" };
	int err;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	need(change(DONE, 1, 0), "a sign");
	do
		err = msgsnd(full, &message, 100, 0);
	while (err && errno == EINTR);
	check(!err, "sender: it was sent");
	return verdict();
}

static pid_t start(int (*work)(void))
{
	pid_t pid = fork();

	need(pid >= 0, "a child");
	if (!pid)
		exit(work());
	return pid;
}

static void check_same(void)
{
	look(&set_after, values_after, pids_after, queues_after);
	check(!memcmp(&set_before.sem_perm, &set_after.sem_perm, sizeof(set_before.sem_perm)),
	      "set: key 0x%x, mode %o", set_after.sem_perm.__key, set_after.sem_perm.mode);
	check(set_before.sem_otime == set_after.sem_otime &&
		      set_before.sem_ctime == set_after.sem_ctime,
	      "set: times");
	for (int i = 0; i < NR_SEMS; i++)
		check(values_before[i] == values_after[i] && pids_before[i] == pids_after[i],
		      "semaphore %d: %d by %d, before %d by %d", i, values_after[i], pids_after[i],
		      values_before[i], pids_before[i]);
	for (int i = 0; i < 3; i++) {
		struct msqid_ds *a = &queues_before[i], *b = &queues_after[i];

		check(!memcmp(&a->msg_perm, &b->msg_perm, sizeof(a->msg_perm)),
		      "queue %d: key 0x%x, mode %o", i, b->msg_perm.__key, b->msg_perm.mode);
		check(!memcmp(&a->msg_stime, &b->msg_stime,
			      sizeof(*a) - offsetof(struct msqid_ds, msg_stime)),
		      "queue %d: %lu messages, %lu bytes of %lu, processes %d %d", i, b->msg_qnum,
		      b->__msg_cbytes, b->msg_qbytes, b->msg_lspid, b->msg_lrpid);
	}
	check(semctl(plain, 1, GETVAL) == 42 && semctl(plain, 0, GETVAL) == 0, "nameless set");
}

static bool ended_well(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && !WEXITSTATUS(status);
}

static void check_semaphores(pid_t held_by)
{
	check(!change(GUARD, -1, IPC_NOWAIT) && errno == EAGAIN, "the guard is held");
	check(change(GATE, 1, 0), "open the gate");
	check(change(DONE, 2, 0), "let it go on");
	check(ended_well(held_by), "the holder found all as it was");
	check(semctl(set, GUARD, GETVAL) == 1, "undone: the guard is free");
	check(semctl(set, PLUS, GETVAL) == 0, "undone: what was given");
	check(semctl(set, MINUS, GETVAL) == 5, "undone: what was taken");
	check(semctl(set, HIGH, GETVAL) == 32767, "the highest value");
}

static void check_queues(pid_t receiving, pid_t sending)
{
	struct message hello = { .type = 77, .text = "hello" };

	check(receive(queue, -5, 3, LONG_MESSAGE, 'b'), "a long message, by its type");
	check(receive(queue, 0, 7, 0, 'c'), "an empty message");
	check(receive(queue, 0, 1L << 40, 4100, 'd'), "the last message");
	check(receive(full, 0, 5, LONG_MESSAGE, 'e'), "a message of the full queue");
	check(receive(full, 0, 6, LONG_MESSAGE, 'f'), "another one");
	check(ended_well(sending), "the sender found room");
	check(msgrcv(full, &hello, 100, 99, 0) == 100 && !strcmp(hello.text, "there is room"),
	      "what it sent");
	hello = (struct message){ .type = 77, .text = "hello" };
	check(!msgsnd(empty, &hello, 5, 0), "send what is waited for");
	check(ended_well(receiving), "the receiver got it");
	check(semget(KEY, 0, 0) == set && msgget(KEY, 0) == queue && msgget(KEY + 1, 0) == empty,
	      "they are found by their keys");
}

int main(void)
{
	pid_t holding, receiving, sending;

	check(true, "starts");
	set_up();
	holding = start(holder);
	receiving = start(receiver);
	sending = start(sender);
	need(change(DONE, -3, 0), "three children");
	nap(100);
	look(&set_before, values_before, pids_before, queues_before);

	ready_then_go();

	check_same();
	check_semaphores(holding);
	check_queues(receiving, sending);
	semctl(set, 0, IPC_RMID);
	semctl(plain, 0, IPC_RMID);
	msgctl(queue, IPC_RMID, NULL);
	msgctl(full, IPC_RMID, NULL);
	msgctl(empty, IPC_RMID, NULL);
	return verdict();
}
