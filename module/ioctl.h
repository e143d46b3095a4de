/* SPDX-License-Identifier: GPL-2.0-only */
/* The ioctls of /dev/ckpt. */
#ifndef CKPT_IOCTL_H
#define CKPT_IOCTL_H

struct file;

long ckpt_ioctl(struct file *file, unsigned int cmd, unsigned long arg);

#endif /* CKPT_IOCTL_H */
