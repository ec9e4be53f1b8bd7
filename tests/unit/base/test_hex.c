/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/base.h"

#include <string.h>

static void writes_lower_case_digits(void **state)
{
	static const uint8_t bytes[] = { 0x00, 0x01, 0x7f, 0x80, 0xab, 0xff };
	char text[2 * sizeof(bytes) + 3];

	(void)state;
	sr_hex_encode(bytes, sizeof(bytes), text);
	assert_string_equal(text, "00017f80abff");
	sr_hex_encode_0x(bytes, sizeof(bytes), text);
	assert_string_equal(text, "0x00017f80abff");
	sr_hex_encode_0x(bytes, 0, text);
	assert_string_equal(text, "0x");
}

static void reads_either_case_with_or_without_prefix(void **state)
{
	static const char *const texts[] = { "00abCDef", "0x00abCDef", "0X00ABcdEF" };
	static const uint8_t expected[] = { 0x00, 0xab, 0xcd, 0xef };

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(texts); i++) {
		uint8_t out[4] = { 0 };

		assert_true(sr_hex_decode(texts[i], strlen(texts[i]), out, sizeof(out)));
		assert_memory_equal(out, expected, sizeof(out));
	}
	assert_true(sr_hex_decode("", 0, NULL, 0));
	assert_true(sr_hex_decode("0x", 2, NULL, 0));
}

static void refuses_wrong_lengths(void **state)
{
	uint8_t out[8];

	(void)state;
	assert_false(sr_hex_decode("aabb", 4, out, 1));
	assert_false(sr_hex_decode("aabb", 4, out, 3));
	assert_false(sr_hex_decode("aab", 3, out, 1));
	assert_false(sr_hex_decode("aab", 3, out, 2));
	assert_false(sr_hex_decode("", 0, out, 1));
	/* a prefix counts once */
	assert_false(sr_hex_decode("0x0x", 4, out, 1));
	assert_false(sr_hex_decode("0x0xaa", 6, out, 2));
}

/* every byte value in either place of a digit pair */
static void takes_hex_digits_and_no_other_byte(void **state)
{
	static const char digits[] = "0123456789abcdefABCDEF";

	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		const char high[2] = { (char)c, '1' };
		const char low[2] = { '1', (char)c };
		bool is_digit = c != 0 && strchr(digits, (int)c) != NULL;
		uint8_t out[1];

		assert_int_equal(sr_hex_decode(high, 2, out, 1), is_digit);
		assert_int_equal(sr_hex_decode(low, 2, out, 1), is_digit);
	}
}

static void reads_back_every_byte(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 256; i++) {
		uint8_t byte = (uint8_t)i;
		uint8_t back = (uint8_t)~byte;
		char text[3];

		sr_hex_encode(&byte, 1, text);
		assert_true(sr_hex_decode(text, 2, &back, 1));
		assert_int_equal(back, byte);
	}
}

static void compares_whole_secrets(void **state)
{
	uint8_t a[32];
	uint8_t b[32];

	(void)state;
	memset(a, 0x5a, sizeof(a));
	for (size_t i = 0; i < 8 * sizeof(a); i++) {
		memcpy(b, a, sizeof(a));
		assert_true(sr_equal_ct(a, b, sizeof(a)));
		b[i / 8] ^= (uint8_t)(1u << (i % 8));
		assert_false(sr_equal_ct(a, b, sizeof(a)));
	}
	assert_true(sr_equal_ct(a, b, 0));
}

static void wipes_exactly_what_it_is_told_to(void **state)
{
	uint8_t data[4] = { 1, 2, 3, 4 };

	(void)state;
	sr_wipe(data + 1, 2);
	assert_int_equal(data[0], 1);
	assert_int_equal(data[1] | data[2], 0);
	assert_int_equal(data[3], 4);
	sr_wipe(NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_lower_case_digits),
		cmocka_unit_test(reads_either_case_with_or_without_prefix),
		cmocka_unit_test(refuses_wrong_lengths),
		cmocka_unit_test(takes_hex_digits_and_no_other_byte),
		cmocka_unit_test(reads_back_every_byte),
		cmocka_unit_test(compares_whole_secrets),
		cmocka_unit_test(wipes_exactly_what_it_is_told_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
