// SPDX-License-Identifier: GPL-2.0-only
/*
 * System V shared memory of a parent and its child: segments attached by one and by both, at
 * several addresses, in part, for reading only, removed while attached, and not attached at all.
 */

#include <signal.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/wait.h>

#include "state.h"

#define PAGE 4096
#define KEY 0x636b7001
#define SIZE (5 * PAGE + 100)

enum { SHARED, REMOVED, PRIVATE, LARGE, ALONE, NR };

static int ids[NR];
static struct shmid_ds before[NR];
static char *one, *again, *reader, *holed, *removed, *large, *own;
static char maps_before[20000], maps_after[20000];

/* The lines of /proc/self/maps that are segments. */
static void read_maps(char *text, size_t size)
{
	char raw[40000], *line, *next;
	size_t length = 0;

	read_file("/proc/self/maps", raw, sizeof(raw));
	text[0] = 0;
	for (line = strtok_r(raw, "\n", &next); line; line = strtok_r(NULL, "\n", &next))
		if (strstr(line, "/SYSV") && length < size)
			length += snprintf(text + length, size - length, "%s\n", line);
}

static char *attach(int id, int flags)
{
	char *at = shmat(id, NULL, flags);

	need(at != (void *)-1, "an attachment");
	return at;
}

static void make(int which, key_t key, size_t size, int mode)
{
	ids[which] = shmget(key, size, IPC_CREAT | IPC_EXCL | mode);
	need(ids[which] >= 0, "a segment");
}

static void set_up(void)
{
	struct shmid_ds owner;

	/* Ids that no new segment would get. */
	for (int i = 0; i < 5; i++)
		shmctl(shmget(IPC_PRIVATE, PAGE, 0600), IPC_RMID, NULL);
	make(SHARED, KEY, SIZE, 0640);
	make(REMOVED, KEY + 1, 2 * PAGE, 0600);
	make(PRIVATE, IPC_PRIVATE, 8 * PAGE, 0666);
	make(LARGE, KEY + 2, 300 * PAGE, 0600);
	make(ALONE, KEY + 3, 3 * PAGE, 0600);
	one = attach(ids[SHARED], 0);
	again = attach(ids[SHARED], 0);
	reader = attach(ids[SHARED], SHM_RDONLY);
	fill(one, 5 * PAGE, 1);
	memcpy(one + 5 * PAGE, "the last bytes", 15);
	holed = attach(ids[PRIVATE], 0);
	fill(holed, 8 * PAGE, 2);
	need(!munmap(holed + 3 * PAGE, 2 * PAGE), "a hole");
	need(!mprotect(holed + 6 * PAGE, PAGE, PROT_READ), "a page for reading only");
	removed = attach(ids[REMOVED], 0);
	fill(removed, PAGE, 3);
	need(!shmctl(ids[REMOVED], IPC_RMID, NULL), "a removal");
	/* The key of one that is removed is free again. */
	own = attach(shmget(KEY + 1, PAGE, IPC_CREAT | IPC_EXCL | 0600), 0);
	fill(own, PAGE, 5);
	large = attach(ids[ALONE], 0);
	fill(large, 3 * PAGE, 6);
	need(!shmdt(large), "a detachment");
	large = attach(ids[LARGE], SHM_EXEC);
	fill(large + 200 * PAGE, PAGE, 4);
	need(!shmctl(ids[SHARED], IPC_STAT, &owner), "a look");
	owner.shm_perm.uid = 12;
	owner.shm_perm.gid = 34;
	need(!shmctl(ids[SHARED], IPC_SET, &owner), "another owner");
}

static void look(struct shmid_ds *ds)
{
	for (int i = 0; i < NR; i++)
		need(!shmctl(ids[i], IPC_STAT, &ds[i]), "a look at a segment");
}

static void check_segments(void)
{
	struct shmid_ds after[NR];

	for (int i = 0; i < NR; i++) {
		const struct shmid_ds *a = &before[i], *b = &after[i];

		if (!check(!shmctl(ids[i], IPC_STAT, &after[i]), "segment %d is there", i))
			continue;
		check(!memcmp(&a->shm_perm, &b->shm_perm, sizeof(a->shm_perm)),
		      "segment %d: key 0x%x, owner %d, mode %o", i, b->shm_perm.__key,
		      b->shm_perm.uid, b->shm_perm.mode);
		check(a->shm_segsz == b->shm_segsz && a->shm_nattch == b->shm_nattch,
		      "segment %d: %zu bytes, attached %lu times, before %lu", i, b->shm_segsz,
		      b->shm_nattch, a->shm_nattch);
		check(a->shm_atime == b->shm_atime && a->shm_dtime == b->shm_dtime &&
			      a->shm_ctime == b->shm_ctime,
		      "segment %d: times", i);
		check(a->shm_cpid == b->shm_cpid && a->shm_lpid == b->shm_lpid,
		      "segment %d: processes %d %d, before %d %d", i, b->shm_cpid, b->shm_lpid,
		      a->shm_cpid, a->shm_lpid);
	}
}

static void check_contents(const char *who)
{
	check(is_filled(one, 5 * PAGE, 1) && !strcmp(one + 5 * PAGE, "the last bytes"),
	      "%s: shared by both", who);
	check(!memcmp(one, again, SIZE) && !memcmp(one, reader, SIZE), "%s: at three addresses",
	      who);
	check(is_filled(removed, PAGE, 3) && is_zero(removed + PAGE, PAGE), "%s: removed", who);
	check(is_filled(large + 200 * PAGE, PAGE, 4) && is_zero(large, 200 * PAGE), "%s: large",
	      who);
	check(is_filled(own, PAGE, 5), "%s: the key of the removed one", who);
}

/* The parts of one that fill() has filled as a whole. */
static void check_holed(void)
{
	static char whole[8 * PAGE];

	fill(whole, sizeof(whole), 2);
	check(!memcmp(holed, whole, 3 * PAGE) &&
		      !memcmp(holed + 5 * PAGE, whole + 5 * PAGE, 3 * PAGE),
	      "attached in part");
	check(msync(holed + 3 * PAGE, PAGE, MS_ASYNC) < 0, "the hole is one");
}

static void wait_for_byte(const char *place, char value)
{
	while (__atomic_load_n(place, __ATOMIC_SEQ_CST) != value)
		nap(5);
}

/* It maps what it inherited and one segment more, and answers in shared memory. */
static int child(void)
{
	char *more = attach(ids[LARGE], 0);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	need(!munmap(again + 2 * PAGE, PAGE) && !shmdt(holed), "other attachments");
	read_maps(maps_before, sizeof(maps_before));
	one[0] = 77;
	wait_for_file(go_file);
	wait_for_byte(one, 78);
	read_maps(maps_after, sizeof(maps_after));
	check_same_text("child: segments in its maps", maps_before, maps_after);
	check(more[PAGE] == 0 && large[PAGE] == 0, "child: large");
	more[PAGE] = 9;
	check(large[PAGE] == 9, "child: twice the same");
	one[0] = 79;
	wait_for_byte(reader, 80);
	return verdict();
}

/* Once the last has detached it a removed segment is gone. */
static void check_end(int status)
{
	struct shmid_ds ds;

	check(WIFEXITED(status) && !WEXITSTATUS(status), "the child found all as it was");
	check(!shmctl(ids[REMOVED], IPC_STAT, &ds) && ds.shm_nattch == 1,
	      "the removed one is still there");
	check(!shmdt(removed) && shmctl(ids[REMOVED], IPC_STAT, &ds), "the removed one goes");
	large = shmat(ids[ALONE], NULL, 0);
	check(large != (void *)-1 && is_filled(large, 3 * PAGE, 6), "one that nobody has attached");
	check(shmget(KEY, 0, 0) == ids[SHARED] && shmget(KEY + 2, 0, 0) == ids[LARGE],
	      "they are found by their keys");
	shmctl(shmget(KEY + 1, 0, 0), IPC_RMID, NULL);
	for (int i = 0; i < NR; i++)
		shmctl(ids[i], IPC_RMID, NULL);
}

int main(void)
{
	int status;
	pid_t pid;

	check(true, "starts");
	set_up();
	pid = fork();
	need(pid >= 0, "a child");
	if (!pid)
		return child();
	wait_for_byte(one, 77);
	read_maps(maps_before, sizeof(maps_before));
	look(before);

	ready_then_go();

	check_segments();
	read_maps(maps_after, sizeof(maps_after));
	check_same_text("segments in the maps", maps_before, maps_after);
	check(one[0] == 77, "what the child wrote");
	one[0] = (char)word_at(1, 0);
	check_contents("parent");
	check_holed();
	one[0] = 78;
	wait_for_byte(reader, 79);
	check(again[0] == 79 && large[PAGE] == 9, "what the child writes now");
	one[0] = 80;
	need(waitpid(pid, &status, 0) == pid, "the end of the child");
	check_end(status);
	return verdict();
}
