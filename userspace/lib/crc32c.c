// SPDX-License-Identifier: LGPL-2.1-or-later
/* CRC32C by the processor's instruction, or bit by bit where it lacks that. */

#include "crc32c.h"

#include <stdbool.h>
#include <string.h>

/* The polynomial of RFC 3720, lowest bit first. */
#define POLYNOMIAL 0x82f63b78

static uint32_t by_bits(uint32_t crc, const unsigned char *p, size_t len)
{
	int bit;

	while (len--) {
		crc ^= *p++;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
	}
	return crc;
}

#ifdef __x86_64__
static bool has_instruction(void)
{
	return __builtin_cpu_supports("sse4.2");
}

__attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t crc,
								 const unsigned char *p, size_t len)
{
	uint64_t word;

	for (; len >= sizeof(word); len -= sizeof(word), p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		crc = __builtin_ia32_crc32di(crc, word);
	}
	while (len--)
		crc = __builtin_ia32_crc32qi(crc, *p++);
	return crc;
}
#else
static bool has_instruction(void)
{
	return false;
}

#define by_instruction by_bits
#endif

uint32_t ckpt_crc32c(uint32_t crc, const void *data, size_t len)
{
	return has_instruction() ? by_instruction(crc, data, len) : by_bits(crc, data, len);
}
