/* SPDX-License-Identifier: Apache-2.0 */
#include "ct.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <valgrind/memcheck.h>

void ct_secret(void *data, size_t len)
{
	(void)VALGRIND_MAKE_MEM_UNDEFINED(data, len);
}

void ct_public(void *data, size_t len)
{
	(void)VALGRIND_MAKE_MEM_DEFINED(data, len);
}

/* How many of the bits are known. */
static size_t known_bits(const void *data, size_t len)
{
	const uint8_t *bytes = data;
	size_t known = 0;

	for (size_t i = 0; i < len; i++) {
		uint8_t unknown = 0;

		if (VALGRIND_GET_VBITS(bytes + i, &unknown, 1) != 1)
			fail_msg("memcheck does not know of this memory");
		known += 8u - (unsigned)__builtin_popcount(unknown);
	}
	return known;
}

bool ct_is_public(const void *data, size_t len)
{
	return known_bits(data, len) == 8 * len;
}

bool ct_is_secret(const void *data, size_t len)
{
	return !known_bits(data, len);
}

unsigned ct_errors(void)
{
	return (unsigned)VALGRIND_COUNT_ERRORS;
}

/* Outside of memcheck all of these tests would pass, and show nothing. */
int ct_set_up(void **state)
{
	(void)state;
	if (VALGRIND_MAKE_MEM_DEFINED(state, sizeof(*state)))
		return 0;
	print_error("this runs under valgrind's memcheck only: meson test ct\n");
	return -1;
}
