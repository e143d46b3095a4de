/* SPDX-License-Identifier: GPL-2.0-only */
/* CPU time in images: what threads and processes have in common. */
#ifndef CKPT_CPUTIME_H
#define CKPT_CPUTIME_H

#include <linux/types.h>

struct ckpt_image_cpu_times;
struct prev_cputime;

/* What is wrong with CPU times of an image, or NULL. */
const char *ckpt_cputime_check(const struct ckpt_image_cpu_times *times);

/* What getrusage(2) has told, which it keeps in order to tell never less. */
void ckpt_cputime_save_told(struct ckpt_image_cpu_times *times, struct prev_cputime *told);
void ckpt_cputime_load_told(struct prev_cputime *told, const struct ckpt_image_cpu_times *times);

#endif /* CKPT_CPUTIME_H */
