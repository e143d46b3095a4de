// SPDX-License-Identifier: GPL-2.0-only
/* The table of state kinds, in the order of saving and restoring. */

#include "kinds.h"

#include <linux/stddef.h>

/*
 * What needs the tool's privileges (limits, scheduling) is applied before the credentials; objects
 * come before the descriptors and mappings that refer to them; the registers are loaded last.
 */
const struct ckpt_kind *const ckpt_kinds[] = {
	&ckpt_kind_process,
	&ckpt_kind_share,
	&ckpt_kind_sched,
	&ckpt_kind_cputime,
	&ckpt_kind_usage,
	&ckpt_kind_rlimits,
	&ckpt_kind_fs,
	&ckpt_kind_pipe,
	&ckpt_kind_tty,
	&ckpt_kind_terminal,
	&ckpt_kind_shm,
	&ckpt_kind_sysv_shm,
	&ckpt_kind_message,
	&ckpt_kind_socket,
	&ckpt_kind_sysv_sem,
	&ckpt_kind_sysv_undo,
	&ckpt_kind_sysv_msg,
	&ckpt_kind_file,
	&ckpt_kind_fd,
	&ckpt_kind_lock,
	&ckpt_kind_mm,
	&ckpt_kind_vma,
	&ckpt_kind_runs,
	&ckpt_kind_inherit,
	&ckpt_kind_sighand,
	&ckpt_kind_siginfo,
	&ckpt_kind_stop,
	&ckpt_kind_restart_signal,
	&ckpt_kind_itimer,
	&ckpt_kind_timer,
	&ckpt_kind_creds,
	&ckpt_kind_thread,
	&ckpt_kind_xstate,
	&ckpt_kind_unsupported,
	NULL,
};

const struct ckpt_kind *ckpt_kind_of_type(u32 type)
{
	const struct ckpt_kind *k;
	unsigned int i;

	if (!type)
		return NULL;
	ckpt_for_each_kind(k, i)
		if (k->type == type)
			return k;
	return NULL;
}
