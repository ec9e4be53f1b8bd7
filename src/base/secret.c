/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base.h"

#include <string.h>

void sr_wipe(void *data, size_t len)
{
	if (!len)
		return;
	memset(data, 0, len);
	/* The compiler must assume that the zeros are read here. */
	__asm__ volatile("" : : "r"(data) : "memory");
}

bool sr_equal_ct(const void *a, const void *b, size_t len)
{
	const volatile uint8_t *x = a;
	const volatile uint8_t *y = b;
	uint8_t diff = 0;

	for (size_t i = 0; i < len; i++)
		diff |= (uint8_t)(x[i] ^ y[i]);
	return diff == 0;
}
