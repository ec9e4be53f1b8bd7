/* SPDX-License-Identifier: Apache-2.0 */
#include "vectors.h"

#define SIXTEEN_F "ffffffffffffffff"
#define MAX_HEX "0x" SIXTEEN_F SIXTEEN_F SIXTEEN_F SIXTEEN_F
#define MAX_DEC                                                                        \
	"1157920892373161954235709850086879078532699846656405640394575840079131296399" \
	"35"

static bool quantity(const char *text, struct eth_u256 *out)
{
	return eth_u256_from_quantity(text, strlen(text), out);
}

static bool decimal(const char *text, struct eth_u256 *out)
{
	return eth_u256_from_dec(text, strlen(text), out);
}

static void writes_quantities_without_leading_zeros(void **state)
{
	static const char *const texts[] = { "0x0",
					     "0x1",
					     "0xf",
					     "0x10",
					     "0xabcdef",
					     "0x10000000000000000",
					     "0x8000000000000000000000000000000000000000",
					     MAX_HEX };

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(texts); i++) {
		struct eth_u256 v = { { 0 } };
		char out[ETH_U256_HEX_MAX];

		assert_true(quantity(texts[i], &v));
		assert_int_equal(eth_u256_to_quantity(&v, out), strlen(texts[i]));
		assert_string_equal(out, texts[i]);
	}
}

static void reads_quantities_with_leading_zeros_and_capitals(void **state)
{
	struct eth_u256 v = { { 0 } };

	(void)state;
	assert_true(quantity("0x00aBc", &v));
	assert_true(v.limb[0] == 0xabc);
	assert_true(
		quantity("0x000000000000000000000000000000000000000000000000000000000000000f", &v));
	assert_true(v.limb[0] == 15);
}

static void refuses_what_is_no_quantity(void **state)
{
	static const char *const texts[] = {
		"",	 "0",	 "0x",	      "x1",
		"12",	 "0X1",	 "0xg",	      "0x 1",
		"0x1 ",	 " 0x1", "-0x1",      "0x-1",
		"0x1.0", "0x+1", MAX_HEX "0", "0x0" SIXTEEN_F SIXTEEN_F SIXTEEN_F SIXTEEN_F
	};
	struct eth_u256 v = { { 0 } };

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(texts); i++) {
		if (quantity(texts[i], &v))
			fail_msg("took \"%s\"", texts[i]);
	}
	assert_false(eth_u256_from_quantity("0x1\0", 4, &v));
}

static void reads_decimals_up_to_256_bits(void **state)
{
	struct eth_u256 v = { { 0 } };
	char out[ETH_U256_HEX_MAX];

	(void)state;
	assert_true(decimal("0", &v));
	assert_true(eth_u256_is_zero(&v));
	assert_true(decimal("007", &v));
	assert_true(v.limb[0] == 7);
	assert_true(decimal(MAX_DEC, &v));
	eth_u256_to_quantity(&v, out);
	assert_string_equal(out, MAX_HEX);
}

static void refuses_what_is_no_decimal_or_too_large(void **state)
{
	static const char *const texts[] = {
		"",
		" ",
		"-1",
		"+1",
		"1 ",
		"0x1",
		"1e3",
		"1.0",
		"/",
		":",
		/* one more than the largest, its first digit raised, and one digit more */
		"115792089237316195423570985008687907853269984665640564039457584007913129639936",
		"999999999999999999999999999999999999999999999999999999999999999999999999999999",
		"1000000000000000000000000000000000000000000000000000000000000000000000000000000",
	};
	struct eth_u256 v = { { 0 } };

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(texts); i++) {
		if (decimal(texts[i], &v))
			fail_msg("took \"%s\"", texts[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_quantities_without_leading_zeros),
		cmocka_unit_test(reads_quantities_with_leading_zeros_and_capitals),
		cmocka_unit_test(refuses_what_is_no_quantity),
		cmocka_unit_test(reads_decimals_up_to_256_bits),
		cmocka_unit_test(refuses_what_is_no_decimal_or_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
