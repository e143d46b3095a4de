// SPDX-License-Identifier: GPL-2.0-only
/*
 * The syscall script: system calls that the restored process makes itself, from memory that lies in
 * a hole.
 */

#include "script.h"

#include <linux/err.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/syscalls.h>
#include <linux/uaccess.h>
#include <asm/unistd.h>

/*
 * The code fills one page at the base; entries and data follow behind it, writable and not
 * executable. A failing entry goes to CKPT_IOC_FAIL; when that returns, the job has failed already.
 *
 * rbx: entry, r12: descriptor of /dev/ckpt. An entry with number ~0 ends the script by
 * CKPT_IOC_FINISH. A task that clone3(2) has made goes on with the entry that the last argument
 * points to.
 */
asm(".pushsection .rodata\n"
    "ckpt_stub_start:\n"
    "1:	mov 0(%rbx), %rax\n"
    "	cmp $-1, %rax\n"
    "	je 3f\n"
    "	mov 8(%rbx), %rdi\n"
    "	mov 16(%rbx), %rsi\n"
    "	mov 24(%rbx), %rdx\n"
    "	mov 32(%rbx), %r10\n"
    "	mov 40(%rbx), %r8\n"
    "	mov 48(%rbx), %r9\n"
    "	syscall\n"
    "	mov %rax, 56(%rbx)\n"
    "	cmp $-4095, %rax\n"
    "	jae 2f\n"
    "	test %rax, %rax\n"
    "	jnz 4f\n"
    "	cmpq $435, 0(%rbx)\n"
    "	jne 4f\n"
    "	mov 48(%rbx), %rbx\n"
    "	jmp 1b\n"
    "4:	add $64, %rbx\n"
    "	jmp 1b\n"
    "2:	mov $16, %eax\n"
    "	mov %r12, %rdi\n"
    "	mov %r14, %rsi\n"
    "	mov %rbx, %rdx\n"
    "	syscall\n"
    "5:	mov $231, %eax\n"
    "	mov $1, %edi\n"
    "	syscall\n"
    "	ud2\n"
    "3:	mov $16, %eax\n"
    "	mov %r12, %rdi\n"
    "	mov %r13, %rsi\n"
    "	xor %edx, %edx\n"
    "	syscall\n"
    "	jmp 5b\n"
    "ckpt_stub_end:\n"
    ".popsection\n");

extern const char ckpt_stub_start[], ckpt_stub_end[];

#define MAX_ENTRIES (1U << 20)
#define DATA_ALIGN 16
/* Half of the space holds the entries, the other half the data. */
#define DATA_OFFSET (CKPT_SCRIPT_SPACE / 2)
#define END_OF_SCRIPT (~0ULL)

static_assert(sizeof(struct ckpt_script_entry) == 64);
/* As the code has them. */
static_assert(__NR_ioctl == 16 && __NR_exit_group == 231 && __NR_clone3 == 435);

void ckpt_script_init(struct ckpt_script *s)
{
	memset(s, 0, sizeof(*s));
}

void ckpt_script_exit(struct ckpt_script *s)
{
	kvfree(s->entries);
	kvfree(s->data);
	ckpt_script_init(s);
}

/* kvrealloc() has another signature in each kernel. */
static void *grow(void *old, size_t old_size, size_t size)
{
	void *p = kvzalloc(size, GFP_KERNEL);

	if (!p)
		return NULL;
	if (old)
		memcpy(p, old, old_size);
	kvfree(old);
	return p;
}

int ckpt_script_add(struct ckpt_script *s, u64 nr, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5)
{
	const size_t entry = sizeof(*s->entries);

	if (s->nr_entries == s->max_entries) {
		unsigned int max = s->max_entries ? 2 * s->max_entries : 64;
		void *p;

		if (PAGE_SIZE + max * entry > DATA_OFFSET || max > MAX_ENTRIES)
			return -E2BIG;
		p = grow(s->entries, s->nr_entries * entry, max * entry);
		if (!p)
			return -ENOMEM;
		s->entries = p;
		s->max_entries = max;
	}
	s->entries[s->nr_entries++] = (struct ckpt_script_entry){
		.nr = nr,
		.args = { a0, a1, a2, a3, a4, a5 },
	};
	return 0;
}

unsigned long ckpt_script_data(struct ckpt_script *s, const void *p, size_t len)
{
	size_t at = ALIGN(s->data_len, DATA_ALIGN);

	if (len > CKPT_SCRIPT_SPACE - DATA_OFFSET || at > CKPT_SCRIPT_SPACE - DATA_OFFSET - len)
		return -E2BIG;
	if (at + len > s->data_size) {
		size_t size = max_t(size_t, roundup_pow_of_two(at + len), PAGE_SIZE);
		void *data = grow(s->data, s->data_len, size);

		if (!data)
			return -ENOMEM;
		s->data = data;
		s->data_size = size;
	}
	memcpy(s->data + at, p, len);
	s->data_len = at + len;
	return s->base + DATA_OFFSET + at;
}

static int map(unsigned long at, size_t len, unsigned long prot)
{
	unsigned long got = vm_mmap(NULL, at, PAGE_ALIGN(len), prot,
				    MAP_FIXED_NOREPLACE | MAP_PRIVATE | MAP_ANONYMOUS, 0);

	if (IS_ERR_VALUE(got))
		return got;
	return got == at ? 0 : -EEXIST;
}

static int put(unsigned long at, const void *p, size_t len)
{
	if (!len)
		return 0;
	return access_process_vm(current, at, (void *)p, len, FOLL_WRITE | FOLL_FORCE) == len ?
		       0 :
		       -EFAULT;
}

int ckpt_script_place(struct ckpt_script *s)
{
	unsigned long at = vm_mmap(NULL, 0, CKPT_SCRIPT_SPACE, PROT_NONE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, 0);

	if (IS_ERR_VALUE(at))
		return at;
	s->base = at;
	return vm_munmap(at, CKPT_SCRIPT_SPACE);
}

int ckpt_script_result(const struct ckpt_script *s, unsigned int n, s64 *result)
{
	const struct ckpt_script_entry __user *e = (void __user *)(s->base + PAGE_SIZE);

	return copy_from_user(result, &e[n].result, sizeof(*result)) ? -EFAULT : 0;
}

int ckpt_script_end(struct ckpt_script *s)
{
	return ckpt_script_add(s, END_OF_SCRIPT, 0, 0, 0, 0, 0, 0);
}

unsigned long ckpt_script_address(const struct ckpt_script *s, unsigned int entry)
{
	return s->base + PAGE_SIZE + entry * sizeof(*s->entries);
}

int ckpt_script_start(struct ckpt_script *s, int dev_fd)
{
	struct pt_regs *regs = current_pt_regs();
	size_t entries_len;
	int err;

	entries_len = s->nr_entries * sizeof(*s->entries);
	err = map(s->base, PAGE_SIZE, PROT_READ | PROT_EXEC);
	if (!err)
		err = map(s->base + PAGE_SIZE, entries_len, PROT_READ | PROT_WRITE);
	if (!err && s->data_len)
		err = map(s->base + DATA_OFFSET, s->data_len, PROT_READ | PROT_WRITE);
	if (!err)
		err = put(s->base, ckpt_stub_start, ckpt_stub_end - ckpt_stub_start);
	if (!err)
		err = put(s->base + PAGE_SIZE, s->entries, entries_len);
	if (!err)
		err = put(s->base + DATA_OFFSET, s->data, s->data_len);
	if (err)
		return err;
	regs->ip = s->base;
	regs->sp = s->base + DATA_OFFSET;
	regs->bx = s->base + PAGE_SIZE;
	regs->r12 = dev_fd;
	regs->r13 = CKPT_IOC_FINISH;
	regs->r14 = CKPT_IOC_FAIL;
	return 0;
}

int ckpt_script_unmap(struct ckpt_script *s)
{
	unsigned long base = s->base;

	ckpt_script_exit(s);
	s->base = base;
	return vm_munmap(base, CKPT_SCRIPT_SPACE);
}
