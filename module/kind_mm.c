// SPDX-License-Identifier: GPL-2.0-only
/* State kind: what belongs to the memory of the process as a whole; makes room for its VMAs. */

#include <linux/auxvec.h>
#include <linux/bitops.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/membarrier.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/path.h>
#include <linux/prctl.h>
#include <linux/rcupdate.h>
#include <linux/sched/coredump.h>
#include <linux/sched/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/utsname.h>
#include <asm/unistd.h>

#include "compat.h"
#include "kinds.h"
#include "mapfile.h"
#include "restorer.h"
#include "saver.h"
#include "share.h"
#include "space.h"
#include "vdso.h"

#define KIND "mm"

#define DUMP_FILTER_MAX ((1U << MMF_DUMP_FILTER_BITS) - 1)
/* From the script to where the vDSO is mapped first: more than the guard gap of a stack. */
#define PARKING_GAP SZ_2M

static const struct {
	u32 state;
	u32 cmd;
} barriers[] = {
	{ MEMBARRIER_STATE_GLOBAL_EXPEDITED, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED },
	{ MEMBARRIER_STATE_PRIVATE_EXPEDITED, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED },
	{ MEMBARRIER_STATE_PRIVATE_EXPEDITED_SYNC_CORE,
	  MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE },
	{ MEMBARRIER_STATE_PRIVATE_EXPEDITED_RSEQ, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ },
};

/* The addresses of struct prctl_mm_map, in its order, which the image keeps. */
static_assert(offsetof(struct ckpt_image_mm, env_end) == offsetof(struct prctl_mm_map, env_end));

static void save_addresses(struct ckpt_image_mm *out, struct mm_struct *mm)
{
	spin_lock(&mm->arg_lock);
	out->start_code = mm->start_code;
	out->end_code = mm->end_code;
	out->start_data = mm->start_data;
	out->end_data = mm->end_data;
	out->start_brk = mm->start_brk;
	out->brk = mm->brk;
	out->start_stack = mm->start_stack;
	out->arg_start = mm->arg_start;
	out->arg_end = mm->arg_end;
	out->env_start = mm->env_start;
	out->env_end = mm->env_end;
	spin_unlock(&mm->arg_lock);
}

static void save_flags(struct ckpt_image_mm *out, struct mm_struct *mm)
{
	unsigned long flags = READ_ONCE(mm->flags);
	int state = atomic_read(&mm->membarrier_state);
	unsigned int i;

	out->dumpable = flags & MMF_DUMPABLE_MASK;
	out->dump_filter = (flags & MMF_DUMP_FILTER_MASK) >> MMF_DUMP_FILTER_SHIFT;
	if (flags & MMF_DISABLE_THP_MASK)
		out->flags |= CKPT_MM_THP_DISABLE;
	if (flags & CKPT_MMF_MERGE)
		out->flags |= CKPT_MM_MERGE;
	if (mm->def_flags & VM_LOCKED)
		out->flags |= CKPT_MM_LOCK_FUTURE;
	if (mm->def_flags & VM_LOCKONFAULT)
		out->flags |= CKPT_MM_LOCK_ONFAULT;
	for (i = 0; i < ARRAY_SIZE(barriers); i++)
		if (state & barriers[i].state)
			out->membarrier |= barriers[i].cmd;
}

static void save_auxv(struct ckpt_image_mm *out, struct mm_struct *mm)
{
	unsigned int i, max = min_t(unsigned int, ARRAY_SIZE(mm->saved_auxv) / 2, CKPT_AUXV_MAX);

	for (i = 0; i < max && mm->saved_auxv[2 * i] != AT_NULL; i++) {
		out->auxv[2 * i] = mm->saved_auxv[2 * i];
		out->auxv[2 * i + 1] = mm->saved_auxv[2 * i + 1];
	}
	out->nr_auxv = i;
}

static void refuse_features(struct ckpt_saver *s, struct mm_struct *mm)
{
	pid_t pid = ckpt_space_user(mm, s->group);

	if (pid)
		ckpt_save_refuse(s, KIND, "memory: shared with process %d: wait until that ends",
				 pid);
	if (mm->def_flags & ~(VM_LOCKED | VM_LOCKONFAULT))
		ckpt_save_refuse(s, KIND, "default flags 0x%lx: not known", mm->def_flags);
	if (test_bit(MMF_HAS_UPROBES, &mm->flags))
		ckpt_save_refuse(s, KIND, "uprobes: remove them before the save");
	if (ckpt_mm_has_tags(mm))
		ckpt_save_refuse(s, KIND, "tagged addresses (LAM): run the program without them");
#ifdef CONFIG_MODIFY_LDT_SYSCALL
	if (READ_ONCE(mm->context.ldt))
		ckpt_save_refuse(s, KIND, "segments of modify_ldt(): run the program without them");
#endif
#ifdef CONFIG_X86_INTEL_MEMORY_PROTECTION_KEYS
	/* Key 0 is always there, and one may serve memory that can only be executed. */
	if (mm->context.pkey_allocation_map & ~1U)
		ckpt_save_refuse(s, KIND, "protection keys: free them (pkey_free) before the save");
#endif
}

static int save_vdso(struct ckpt_saver *s, struct ckpt_image_mm *out)
{
	struct ckpt_vdso theirs, ours;
	unsigned int i;
	int err;

	err = ckpt_vdso_get(&theirs, s->task);
	if (!err)
		err = ckpt_vdso_get(&ours, current);
	if (err)
		return err;
	for (i = 0; i < theirs.nr_parts; i++) {
		const struct ckpt_vdso_part *p = &theirs.parts[i];
		const struct ckpt_vdso_part *like = ckpt_vdso_find(&ours, p->name);

		if (!like || like->len != p->len || like->prot != p->prot)
			ckpt_save_refuse(s, KIND, "%s: not as the kernel maps it", p->name);
	}
	if (theirs.len && theirs.crc != ours.crc)
		ckpt_save_refuse(s, KIND,
				 "[vdso]: changed, or of a 32-bit program: remove breakpoints");
	out->vdso_len = theirs.len;
	out->vdso_crc = theirs.crc;
	return 0;
}

static int save_exe(struct ckpt_saver *s, struct mm_struct *mm, char **path,
		    struct ckpt_image_mapped_file *m)
{
	struct file *exe;
	const char *why;
	int err;

	/* Only the process itself could put another in its place, and it is parked. */
	rcu_read_lock();
	exe = rcu_dereference(mm->exe_file);
	if (exe)
		get_file(exe);
	rcu_read_unlock();
	if (!exe) {
		ckpt_save_refuse(s, KIND, "executable: it has none");
		return 0;
	}
	err = ckpt_mapfile_describe(exe, path, m, &why);
	fput(exe);
	if (err != -EOPNOTSUPP)
		return err;
	ckpt_save_refuse(s, KIND, "executable %s: %s", *path, why);
	return 0;
}

static int save(struct ckpt_saver *s)
{
	struct ckpt_image_mapped_file exe = {};
	struct ckpt_image_mm *out;
	char *path = NULL;
	int err;

	err = save_exe(s, s->mm, &path, &exe);
	if (err)
		goto out;
	out = ckpt_save_record(s, &ckpt_kind_mm, 0, 0, sizeof(*out) + strlen(path ?: "") + 1);
	if (IS_ERR(out)) {
		err = PTR_ERR(out);
		goto out;
	}
	if (path)
		memcpy(out->exe_path, path, strlen(path));
	out->exe = exe;
	save_addresses(out, s->mm);
	save_flags(out, s->mm);
	save_auxv(out, s->mm);
	refuse_features(s, s->mm);
	err = save_vdso(s, out);
out:
	kfree(path);
	return err;
}

static int bad(struct ckpt_restorer *r, const char *what)
{
	return ckpt_restore_error(r, -EBADMSG, "image: mm: %s: out of range", what);
}

static int verify_addresses(struct ckpt_restorer *r, const struct ckpt_image_mm *mm)
{
	const u8 *first = (const u8 *)mm;
	unsigned int i;

	for (i = 0; i <= offsetof(struct ckpt_image_mm, env_end) / sizeof(u64); i++) {
		u64 at;

		memcpy(&at, first + i * sizeof(at), sizeof(at));
		if (at >= TASK_SIZE)
			return bad(r, "addresses");
	}
	if (mm->start_code >= mm->end_code || mm->start_data > mm->end_data ||
	    mm->start_brk > mm->brk || mm->arg_start > mm->arg_end || mm->env_start > mm->env_end)
		return bad(r, "addresses");
	return 0;
}

static int verify_flags(struct ckpt_restorer *r, const struct ckpt_image_mm *mm)
{
	u32 known = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(barriers); i++)
		known |= barriers[i].cmd;
	if ((mm->flags & ~CKPT_MM_FLAGS) || (mm->membarrier & ~known) ||
	    mm->dump_filter > DUMP_FILTER_MAX)
		return ckpt_restore_error(r, -EOPNOTSUPP,
					  "image: mm: flags 0x%x, 0x%x, 0x%x: not known here",
					  mm->flags, mm->membarrier, mm->dump_filter);
	if ((mm->flags & CKPT_MM_MERGE) && !CKPT_HAS_MEMORY_MERGE)
		return ckpt_restore_error(r, -EOPNOTSUPP,
					  "image: mm: PR_SET_MEMORY_MERGE: kernel %s lacks it",
					  utsname()->release);
	if ((mm->flags & CKPT_MM_LOCK_ONFAULT) && !(mm->flags & CKPT_MM_LOCK_FUTURE))
		return bad(r, "flags");
	return mm->dumpable > SUID_DUMP_ROOT ? bad(r, "dumpable") : 0;
}

static int verify_auxv(struct ckpt_restorer *r, const struct ckpt_image_mm *mm)
{
	unsigned int i;

	if (mm->nr_auxv > CKPT_AUXV_MAX)
		return bad(r, "auxv");
	for (i = 0; i < mm->nr_auxv; i++)
		if (mm->auxv[2 * i] == AT_NULL)
			return bad(r, "auxv");
	/* One pair is the end. */
	if (mm->nr_auxv >= ARRAY_SIZE(current->mm->saved_auxv) / 2)
		return ckpt_restore_error(r, -EOPNOTSUPP,
					  "image: mm: auxv of %u entries: this kernel %s keeps %zu",
					  mm->nr_auxv, utsname()->release,
					  ARRAY_SIZE(current->mm->saved_auxv) / 2 - 1);
	return 0;
}

static int verify(struct ckpt_restorer *r, const struct ckpt_record *rec)
{
	const struct ckpt_image_mm *mm = rec->data;
	int err;

	err = verify_addresses(r, mm);
	if (!err)
		err = verify_flags(r, mm);
	if (!err)
		err = verify_auxv(r, mm);
	if (err)
		return err;
	if (mm->reserved || mm->exe.mode != S_IFREG || ckpt_mapfile_verify(&mm->exe) ||
	    !ckpt_image_is_text(mm->exe_path, rec->len - sizeof(*mm)) || mm->exe_path[0] != '/')
		return bad(r, "executable");
	return 0;
}

/* The code of the vDSO stands in the image of the program: it must be found again, to the byte. */
static int verify_vdso(struct ckpt_restorer *r)
{
	const struct ckpt_image_mm *mm = ckpt_restore_find(r, CKPT_REC_MM, 0)->data;
	int err = ckpt_restorer_is_first(r) ? ckpt_vdso_get(&r->job->vdso, current) : 0;

	if (err)
		return ckpt_restore_error(r, err, "vdso: cannot be read: error %d", -err);
	if (mm->vdso_len && (mm->vdso_len != r->job->vdso.len || mm->vdso_crc != r->job->vdso.crc))
		return ckpt_restore_error(r, -EOPNOTSUPP,
					  "vdso: saved on kernel %s, not as on %s: restore there",
					  r->job->img.meta->release, utsname()->release);
	return 0;
}

static int open_exe(struct ckpt_restorer *r)
{
	const struct ckpt_image_mm *mm = ckpt_restore_find(r, CKPT_REC_MM, 0)->data;
	struct file *exe = ckpt_mapfile_open(r, mm->exe_path, &mm->exe, -1, O_RDONLY);

	if (IS_ERR(exe))
		return PTR_ERR(exe);
	r->exe = exe;
	return 0;
}

static unsigned long parking(struct ckpt_restorer *r)
{
	return r->script.base + CKPT_SCRIPT_SPACE + PARKING_GAP;
}

static int create(struct ckpt_restorer *r)
{
	unsigned long len = CKPT_SCRIPT_SPACE + PARKING_GAP + ckpt_vdso_span(&r->job->vdso);
	pid_t pid = r->source ? 0 : ckpt_space_user(current->mm, NULL);

	/* Whoever shares this memory would lose it. */
	if (pid)
		return ckpt_restore_error(r, -EBUSY,
					  "process %d: shares its memory with process %d",
					  task_tgid_vnr(current), pid);
	r->script_space = len;
	len *= 1 + ckpt_share_count_mm(r);
	r->script.base = ckpt_space_find(r, len);
	if (!r->script.base)
		return ckpt_restore_error(r, -ENOMEM,
					  "memory: %lu free addresses in a row: not there", len);
	return ckpt_space_clear(r);
}

static bool is_current_exe(struct ckpt_restorer *r)
{
	struct file *exe;
	bool same;

	rcu_read_lock();
	exe = rcu_dereference(current->mm->exe_file);
	same = exe && path_equal(&exe->f_path, &r->exe->f_path);
	rcu_read_unlock();
	return same;
}

static int script_map(struct ckpt_restorer *r, const struct ckpt_image_mm *mm)
{
	struct prctl_mm_map map = { .exe_fd = r->exe_fd };
	const u64 end[2] = { AT_NULL };
	unsigned long auxv, at;

	memcpy(&map, mm, offsetofend(struct ckpt_image_mm, env_end));
	/* The pair that ends it is zero. */
	map.auxv_size = (mm->nr_auxv + 1) * 2 * sizeof(u64);
	auxv = ckpt_script_data(&r->script, mm->auxv, mm->nr_auxv * 2 * sizeof(u64));
	if (IS_ERR_VALUE(auxv))
		return auxv;
	at = ckpt_script_data(&r->script, end, sizeof(end));
	if (IS_ERR_VALUE(at))
		return at;
	map.auxv = (void *)auxv;
	/* The kernel wants the old file not to be mapped any more, even if it is the new one. */
	if (is_current_exe(r))
		map.exe_fd = ~0U;
	at = ckpt_script_data(&r->script, &map, sizeof(map));
	if (IS_ERR_VALUE(at))
		return at;
	return ckpt_script_add(&r->script, __NR_prctl, PR_SET_MM, PR_SET_MM_MAP, at, sizeof(map), 0,
			       0);
}

static int script_flags(struct ckpt_restorer *r, const struct ckpt_image_mm *mm)
{
	struct ckpt_script *s = &r->script;
	bool merges = current->mm->flags & CKPT_MMF_MERGE;
	bool merge = mm->flags & CKPT_MM_MERGE;
	unsigned int i;
	int err;

	err = ckpt_script_add(s, __NR_prctl, PR_SET_THP_DISABLE,
			      !!(mm->flags & CKPT_MM_THP_DISABLE), 0, 0, 0, 0);
	if (!err && merge != merges)
		err = ckpt_script_add(s, __NR_prctl, CKPT_PR_SET_MEMORY_MERGE, merge, 0, 0, 0, 0);
	for (i = 0; i < ARRAY_SIZE(barriers) && !err; i++)
		if (mm->membarrier & barriers[i].cmd)
			err = ckpt_script_add(s, __NR_membarrier, barriers[i].cmd, 0, 0, 0, 0, 0);
	if (!err && (mm->flags & CKPT_MM_LOCK_FUTURE))
		err = ckpt_script_add(s, __NR_mlockall,
				      mm->flags & CKPT_MM_LOCK_ONFAULT ? MCL_FUTURE | MCL_ONFAULT :
									 MCL_FUTURE,
				      0, 0, 0, 0, 0);
	return err;
}

static int script(struct ckpt_restorer *r)
{
	const struct ckpt_image_mm *mm = ckpt_restore_find(r, CKPT_REC_MM, 0)->data;
	int err;

	err = ckpt_vdso_script(r, parking(r));
	if (!err)
		err = script_map(r, mm);
	if (!err)
		err = ckpt_script_add(&r->script, __NR_close, r->exe_fd, 0, 0, 0, 0, 0);
	if (!err)
		err = script_flags(r, mm);
	return err;
}

/* Not before: new credentials reset whether the process can be dumped. */
static void install(struct ckpt_restorer *r, struct ckpt_rthread *t)
{
	const struct ckpt_image_mm *mm = ckpt_restore_find(r, CKPT_REC_MM, 0)->data;

	if (ckpt_rthread_is_leader(t))
		set_mask_bits(&current->mm->flags, MMF_DUMPABLE_MASK | MMF_DUMP_FILTER_MASK,
			      mm->dumpable | mm->dump_filter << MMF_DUMP_FILTER_SHIFT);
}

const struct ckpt_kind ckpt_kind_mm = {
	.name = KIND,
	.type = CKPT_REC_MM,
	.version = 1,
	.oldest = 1,
	.min_len = sizeof(struct ckpt_image_mm),
	.count = CKPT_ONE,
	.part = CKPT_SHARE_MM,
	.save = save,
	.verify = verify,
	.verify_all = verify_vdso,
	.open = open_exe,
	.create = create,
	.script = script,
	.install = install,
};
