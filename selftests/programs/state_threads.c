// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fifty threads, each with a name, a mask, thread-local storage and more of its own. Some spin with
 * a known value in every register, so that the save meets them in user mode.
 *
 * usage: state_threads
 */

#define _GNU_SOURCE
#include <asm/prctl.h>
#include <linux/rseq.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/rseq.h>

#include "state.h"

#define THREADS 50
#define SPINNERS 3
#define GPRS 14

/* What a spinner loads, and what it finds afterwards; spin() knows the offsets. */
struct registers {
	uint64_t gpr[GPRS];
	uint64_t flags;
	uint64_t moved;
	unsigned char ymm[16][32];
	uint64_t x87[8];
	uint32_t mxcsr;
	uint32_t x87_control;
};

_Static_assert(offsetof(struct registers, ymm) == 128, "known to spin()");
_Static_assert(offsetof(struct registers, x87) == 640, "known to spin()");
_Static_assert(offsetof(struct registers, mxcsr) == 704, "known to spin()");

void spin(struct registers *r);

volatile char stop_spinning;

/* All registers but rsp and rsi are loaded; these two are checked where they point afterwards. */
asm(".text\n"
    ".type spin, @function\n"
    "spin:\n"
    "	push %rbx\n	push %rbp\n	push %r12\n	push %r13\n	push %r14\n	push %r15\n"
    "	mov %rdi, %rsi\n	push %rsi\n"
    "	ldmxcsr 704(%rsi)\n	fldcw 708(%rsi)\n"
    "	.irp i, 0, 1, 2, 3, 4, 5, 6, 7\n	fildll 640+\\i*8(%rsi)\n	.endr\n"
    "	.irp i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
    "	vmovdqu 128+\\i*32(%rsi), %ymm\\i\n	.endr\n"
    "	mov 0(%rsi), %rax\n	mov 8(%rsi), %rbx\n	mov 16(%rsi), %rcx\n"
    "	mov 24(%rsi), %rdx\n	mov 32(%rsi), %rdi\n	mov 40(%rsi), %rbp\n"
    "	mov 48(%rsi), %r8\n	mov 56(%rsi), %r9\n	mov 64(%rsi), %r10\n"
    "	mov 72(%rsi), %r11\n	mov 80(%rsi), %r12\n	mov 88(%rsi), %r13\n"
    "	mov 96(%rsi), %r14\n	mov 104(%rsi), %r15\n"
    "	std\n"
    "1:	pause\n	cmpb $0, stop_spinning(%rip)\n	je 1b\n"
    "	mov %rax, 0(%rsi)\n	mov %rbx, 8(%rsi)\n	mov %rcx, 16(%rsi)\n"
    "	mov %rdx, 24(%rsi)\n	mov %rdi, 32(%rsi)\n	mov %rbp, 40(%rsi)\n"
    "	mov %r8, 48(%rsi)\n	mov %r9, 56(%rsi)\n	mov %r10, 64(%rsi)\n"
    "	mov %r11, 72(%rsi)\n	mov %r12, 80(%rsi)\n	mov %r13, 88(%rsi)\n"
    "	mov %r14, 96(%rsi)\n	mov %r15, 104(%rsi)\n"
    "	pushfq\n	pop %rax\n	mov %rax, 112(%rsi)\n	cld\n"
    "	.irp i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
    "	vmovdqu %ymm\\i, 128+\\i*32(%rsi)\n	.endr\n"
    "	.irp i, 7, 6, 5, 4, 3, 2, 1, 0\n	fistpll 640+\\i*8(%rsi)\n	.endr\n"
    "	stmxcsr 704(%rsi)\n	fnstcw 708(%rsi)\n"
    "	pop %rax\n	sub %rsi, %rax\n	mov %rax, 120(%rsi)\n"
    "	pop %r15\n	pop %r14\n	pop %r13\n	pop %r12\n	pop %rbp\n	pop %rbx\n"
    "	vzeroupper\n	fninit\n"
    "	movl $0x1f80, -4(%rsp)\n	ldmxcsr -4(%rsp)\n"
    "	ret\n"
    ".size spin, . - spin\n");

static unsigned int nr_set_up;
static bool released;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_mutex_t robust;
static pthread_key_t key;
static __thread uint64_t local[64];

/* What the kernel says of a thread. */
struct facts {
	pid_t tid;
	char name[16];
	unsigned long robust_head, robust_length, clear_tid, gs;
	sigset_t mask;
	int error;
	bool rseq;
};

static void read_facts(struct facts *f)
{
	memset(f, 0, sizeof(*f));
	f->error = errno;
	f->tid = gettid();
	prctl(PR_GET_NAME, f->name);
	syscall(SYS_get_robust_list, 0, &f->robust_head, &f->robust_length);
	prctl(PR_GET_TID_ADDRESS, &f->clear_tid);
	syscall(SYS_arch_prctl, ARCH_GET_GS, &f->gs);
	pthread_sigmask(SIG_BLOCK, NULL, &f->mask);
	f->rseq = __rseq_size > 0;
}

static void set_up_registers(struct registers *r, uint64_t seed)
{
	memset(r, 0, sizeof(*r));
	fill(r->gpr, sizeof(r->gpr), seed);
	fill(r->ymm, sizeof(r->ymm), seed + 1000);
	for (int i = 0; i < 8; i++)
		r->x87[i] = word_at(seed, i) >> 2;
	/* Rounds towards zero; the x87 downwards, with the full precision that integers need. */
	r->mxcsr = 0x7f80;
	r->x87_control = 0x77f;
}

static void check_registers(uint64_t seed)
{
	struct registers wanted, r;

	set_up_registers(&wanted, seed);
	set_up_registers(&r, seed);
	spin(&r);
	check(!memcmp(r.gpr, wanted.gpr, sizeof(r.gpr)), "spinner %lu: general registers", seed);
	check(!r.moved, "spinner %lu: rsi and rsp", seed);
	check(r.flags & 0x400, "spinner %lu: direction flag", seed);
	check(!memcmp(r.ymm, wanted.ymm, sizeof(r.ymm)), "spinner %lu: vector registers", seed);
	check(!memcmp(r.x87, wanted.x87, sizeof(r.x87)), "spinner %lu: x87 registers", seed);
	check(r.mxcsr == wanted.mxcsr && (r.x87_control & 0xffff) == wanted.x87_control,
	      "spinner %lu: MXCSR %x and x87 control word %x", seed, r.mxcsr, r.x87_control);
}

/* The kernel goes on to write the number of the processor. */
static bool rseq_works(void)
{
	struct rseq *area = (void *)((char *)__builtin_thread_pointer() + __rseq_offset);
	cpu_set_t all, one;
	bool works = true;

	if (!__rseq_size)
		return true;
	sched_getaffinity(0, sizeof(all), &all);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &all))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		sched_setaffinity(0, sizeof(one), &one);
		works &= *(volatile uint32_t *)&area->cpu_id == (uint32_t)cpu;
	}
	sched_setaffinity(0, sizeof(all), &all);
	return works;
}

static void wait_for_release(void)
{
	pthread_mutex_lock(&lock);
	__atomic_add_fetch(&nr_set_up, 1, __ATOMIC_SEQ_CST);
	pthread_cond_broadcast(&changed);
	while (!released)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
}

static void set_up_thread(unsigned long me)
{
	char name[16];
	sigset_t mask;

	snprintf(name, sizeof(name), "thread-%lu", me);
	prctl(PR_SET_NAME, name);
	sigemptyset(&mask);
	sigaddset(&mask, SIGRTMIN + me % 20);
	pthread_sigmask(SIG_BLOCK, &mask, NULL);
	fill(local, sizeof(local), me);
	pthread_setspecific(key, (void *)(me + 1));
	syscall(SYS_arch_prctl, ARCH_SET_GS, 0x10000 * (me + 1));
}

static void *run(void *arg)
{
	unsigned long me = (unsigned long)arg;
	struct facts before, after;

	set_up_thread(me);
	/* It will end with the mutex in its hands. */
	if (me == 7)
		pthread_mutex_lock(&robust);
	errno = 1000 + me;
	read_facts(&before);

	if (me < SPINNERS) {
		__atomic_add_fetch(&nr_set_up, 1, __ATOMIC_SEQ_CST);
		check_registers(me);
		errno = 1000 + me;
	} else {
		wait_for_release();
	}

	read_facts(&after);
	check(!memcmp(&before, &after, sizeof(before)),
	      "thread %lu: number %d and %d, name %s and %s, robust list, clear_child_tid, gs, mask, errno %d and %d",
	      me, before.tid, after.tid, before.name, after.name, before.error, after.error);
	check(is_filled(local, sizeof(local), me) && pthread_getspecific(key) == (void *)(me + 1),
	      "thread %lu: thread-local storage", me);
	check(rseq_works(), "thread %lu: rseq", me);
	return (void *)(me * 3);
}

int main(void)
{
	pthread_t threads[THREADS];
	pthread_mutexattr_t attributes;
	int joined = 0;

	pthread_key_create(&key, NULL);
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&robust, &attributes);
	for (unsigned long i = 0; i < THREADS; i++)
		need(!pthread_create(&threads[i], NULL, run, (void *)i), "thread");
	while (__atomic_load_n(&nr_set_up, __ATOMIC_SEQ_CST) < THREADS)
		nap(10);

	ready_then_go();

	stop_spinning = 1;
	pthread_mutex_lock(&lock);
	released = true;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	for (unsigned long i = 0; i < THREADS; i++) {
		void *result;

		joined += !pthread_join(threads[i], &result) && result == (void *)(i * 3);
	}
	check(joined == THREADS, "%d of %d threads joined", joined, THREADS);
	check(pthread_mutex_lock(&robust) == EOWNERDEAD, "robust mutex of a thread that ended");
	return verdict();
}
