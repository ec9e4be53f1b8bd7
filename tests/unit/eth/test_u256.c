/* SPDX-License-Identifier: Apache-2.0 */
#include "vectors.h"

typedef bool (*operation)(const struct eth_u256 *, const struct eth_u256 *, struct eth_u256 *);

static operation operation_named(const char *name)
{
	if (strcmp(name, "add") == 0)
		return eth_u256_add;
	if (strcmp(name, "sub") == 0)
		return eth_u256_sub;
	if (strcmp(name, "mul") == 0)
		return eth_u256_mul;
	return NULL;
}

/* Also with the result put over each operand, which callers may do. */
static void check_operation(operation op, char *rest, const char *line)
{
	struct eth_u256 a = vectors_u256(&rest);
	struct eth_u256 b = vectors_u256(&rest);
	struct eth_u256 expected = vectors_u256(&rest);
	bool fits = vectors_word(&rest)[0] == '1';
	struct eth_u256 out = { { 0 } };
	struct eth_u256 over_a = a;
	struct eth_u256 over_b = b;

	if (op(&a, &b, &out) != fits || eth_u256_cmp(&out, &expected) != 0)
		fail_msg("%s", line);
	if (op(&over_a, &b, &over_a) != fits || eth_u256_cmp(&over_a, &expected) != 0)
		fail_msg("over the first operand: %s", line);
	if (op(&a, &over_b, &over_b) != fits || eth_u256_cmp(&over_b, &expected) != 0)
		fail_msg("over the second operand: %s", line);
}

static void check_division(char *rest, const char *line)
{
	struct eth_u256 a = vectors_u256(&rest);
	struct eth_u256 b = vectors_u256(&rest);
	struct eth_u256 quotient = vectors_u256(&rest);
	struct eth_u256 remainder = vectors_u256(&rest);
	struct eth_u256 r = { { 0 } };

	/* the quotient goes over the dividend */
	if (!eth_u256_div(&a, &b, &a, &r) || eth_u256_cmp(&a, &quotient) != 0 ||
	    eth_u256_cmp(&r, &remainder) != 0)
		fail_msg("%s", line);
}

static void check_decimal(char *rest)
{
	struct eth_u256 v = vectors_u256(&rest);
	const char *decimal = vectors_word(&rest);
	struct eth_u256 back = { { 0 } };
	char text[ETH_U256_DEC_MAX];

	assert_int_equal(eth_u256_to_dec(&v, text), strlen(decimal));
	assert_string_equal(text, decimal);
	assert_true(eth_u256_from_dec(decimal, strlen(decimal), &back));
	assert_int_equal(eth_u256_cmp(&v, &back), 0);
}

static void agrees_with_big_integers(void **state)
{
	FILE *file = vectors_open("u256.txt");
	char line[VECTOR_LINE_MAX];
	unsigned count = 0;

	(void)state;
	for (; vectors_next(file, line); count++) {
		char copy[VECTOR_LINE_MAX];
		char *rest = copy;
		const char *name = NULL;

		memcpy(copy, line, sizeof(copy));
		name = vectors_word(&rest);
		if (operation_named(name))
			check_operation(operation_named(name), rest, line);
		else if (strcmp(name, "div") == 0)
			check_division(rest, line);
		else
			check_decimal(rest);
	}
	fclose(file);
	assert_in_range(count, 500, 600);
}

static void refuses_to_divide_by_zero(void **state)
{
	struct eth_u256 one = eth_u256_from_u64(1);
	struct eth_u256 zero = eth_u256_from_u64(0);
	struct eth_u256 q = { { 0 } };
	struct eth_u256 r = { { 0 } };

	(void)state;
	assert_false(eth_u256_div(&one, &zero, &q, &r));
}

static void orders_by_the_most_significant_limb(void **state)
{
	const struct eth_u256 low = { { UINT64_MAX, 0, 0, 0 } };
	const struct eth_u256 high = { { 0, 0, 0, 1 } };

	(void)state;
	assert_true(eth_u256_cmp(&low, &high) < 0);
	assert_true(eth_u256_cmp(&high, &low) > 0);
	assert_int_equal(eth_u256_cmp(&high, &high), 0);
}

static void counts_bits(void **state)
{
	struct eth_u256 v = { { 0 } };

	(void)state;
	assert_int_equal(eth_u256_bits(&v), 0);
	assert_true(eth_u256_is_zero(&v));
	for (unsigned i = 0; i < 256; i++) {
		v = (struct eth_u256){ { 0 } };
		v.limb[i / 64] = (uint64_t)1 << (i % 64);
		v.limb[0] |= 1;
		assert_int_equal(eth_u256_bits(&v), i + 1);
		assert_false(eth_u256_is_zero(&v));
	}
}

static void is_big_endian_on_the_wire(void **state)
{
	const struct eth_u256 v = { { 4, 3, 2, 1 } };
	struct eth_u256 back;
	uint8_t be[32];

	(void)state;
	eth_u256_to_be(&v, be);
	assert_int_equal(be[7], 1);
	assert_int_equal(be[15], 2);
	assert_int_equal(be[23], 3);
	assert_int_equal(be[31], 4);
	back = eth_u256_from_be(be);
	assert_int_equal(eth_u256_cmp(&v, &back), 0);
}

static void says_what_does_not_fit_64_bits(void **state)
{
	struct eth_u256 v = eth_u256_from_u64(UINT64_MAX);
	uint64_t small = 0;

	(void)state;
	assert_true(eth_u256_to_u64(&v, &small));
	assert_true(small == UINT64_MAX);
	for (unsigned i = 1; i < 4; i++) {
		v = (struct eth_u256){ { 0 } };
		v.limb[i] = 1;
		assert_false(eth_u256_to_u64(&v, &small));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_big_integers),
		cmocka_unit_test(refuses_to_divide_by_zero),
		cmocka_unit_test(orders_by_the_most_significant_limb),
		cmocka_unit_test(counts_bits),
		cmocka_unit_test(is_big_endian_on_the_wire),
		cmocka_unit_test(says_what_does_not_fit_64_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
