/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CRC32C, as the image has it: nothing is inverted here. */
#ifndef CKPT_CRC32C_H
#define CKPT_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* @crc: ~0 to begin with, or what the bytes before gave. */
uint32_t ckpt_crc32c(uint32_t crc, const void *data, size_t len);

#endif /* CKPT_CRC32C_H */
