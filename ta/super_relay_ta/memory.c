/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <tee_internal_api.h>

#include "memory.h"

void ta_wipe(void *data, size_t len)
{
	if (!len)
		return;
	TEE_MemFill(data, 0, len);
	/* Link-time optimisation could see through TEE_MemFill: this it must respect. */
	__asm__ volatile("" : : "r"(data) : "memory");
}

bool ta_equal_ct(const void *a, const void *b, size_t len)
{
	const volatile uint8_t *x = a;
	const volatile uint8_t *y = b;
	uint8_t difference = 0;

	for (size_t i = 0; i < len; i++)
		difference |= (uint8_t)(x[i] ^ y[i]);
	return difference == 0;
}
