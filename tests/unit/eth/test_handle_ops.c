/* SPDX-License-Identifier: Apache-2.0 */
#include "vectors.h"

#define SELECTOR_V06 "1fad948c"
#define SELECTOR_V06_AGGREGATED "4b1d7cf5"
#define SELECTOR_PACKED "765e827f"
#define SELECTOR_PACKED_AGGREGATED "dbed18e0"

#define ZEROS_31 "00000000000000000000000000000000000000000000000000000000000000"
#define WORD(byte) ZEROS_31 byte
#define CLEAN "000000000000000000000000"
#define BENEFICIARY "70997970c51812dc3a010c7d01b50e0d17dc79c8"
#define HEAD WORD("40") CLEAN BENEFICIARY
#define ONE_OP WORD("01") WORD("20")

static bool parse(const char *hex, struct eth_handle_ops *out)
{
	uint8_t bytes[1024];
	size_t len = strlen(hex) / 2;

	assert_true(len <= sizeof(bytes) && sr_hex_decode(hex, 2 * len, bytes, len));
	return eth_handle_ops_parse(bytes, len, out);
}

static void tells_the_four_calls_apart(void **state)
{
	static const struct {
		const char *hex;
		bool packed;
		bool aggregated;
	} cases[] = {
		{ SELECTOR_V06 HEAD ONE_OP, false, false },
		{ SELECTOR_V06_AGGREGATED HEAD ONE_OP, false, true },
		{ SELECTOR_PACKED HEAD ONE_OP, true, false },
		{ SELECTOR_PACKED_AGGREGATED HEAD ONE_OP, true, true },
	};

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(cases); i++) {
		struct eth_handle_ops ops = { 0 };
		char text[41] = { 0 };

		assert_true(parse(cases[i].hex, &ops));
		assert_int_equal(ops.packed, cases[i].packed);
		assert_int_equal(ops.aggregated, cases[i].aggregated);
		assert_int_equal(ops.count, 1);
		sr_hex_encode(ops.beneficiary.bytes, 20, text);
		assert_string_equal(text, BENEFICIARY);
	}
}

static void has_the_selectors_of_the_signatures(void **state)
{
	static const char *const operations[] = {
		"(address,uint256,bytes,bytes,uint256,uint256,uint256,uint256,uint256,bytes,bytes)",
		"(address,uint256,bytes,bytes,bytes32,uint256,bytes32,bytes,bytes)",
	};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		uint8_t call[4 + 4 * 32] = { 0 };
		struct eth_handle_ops ops = { 0 };
		char signature[256] = { 0 };
		uint8_t hash[32];

		snprintf(signature, sizeof(signature),
			 i & 1 ? "handleAggregatedOps((%s[],address,bytes)[],address)"
			       : "handleOps(%s[],address)",
			 operations[i / 2]);
		eth_keccak256(signature, strlen(signature), hash);
		memcpy(call, hash, 4);
		call[4 + 31] = 0x40;
		call[4 + 95] = 1;
		assert_true(eth_handle_ops_parse(call, sizeof(call), &ops));
		assert_int_equal(ops.packed, i / 2);
		assert_int_equal(ops.aggregated, i & 1);
	}
}

static void refuses_what_leaves_the_beneficiary_in_doubt(void **state)
{
	static const char *const cases[] = {
		"",
		SELECTOR_PACKED,
		SELECTOR_PACKED HEAD,
		/* another function: depositTo, withdrawTo */
		"b760faf9" HEAD ONE_OP,
		"205c2878" HEAD ONE_OP,
		/* the array elsewhere, or far away */
		SELECTOR_PACKED WORD("60") CLEAN BENEFICIARY ONE_OP,
		SELECTOR_PACKED WORD("20") CLEAN BENEFICIARY ONE_OP,
		SELECTOR_PACKED "80" ZEROS_31 CLEAN BENEFICIARY ONE_OP,
		SELECTOR_PACKED "01000000000000000000000000000000000000000000000000000000000000"
				"40" CLEAN BENEFICIARY ONE_OP,
		/* dirty bits before the address */
		SELECTOR_PACKED WORD("40") "000000000000000000000001" BENEFICIARY ONE_OP,
		SELECTOR_PACKED WORD("40") "010000000000000000000000" BENEFICIARY ONE_OP,
		/* no operation, or more than there is room for */
		SELECTOR_PACKED HEAD WORD("00") WORD("20"),
		SELECTOR_PACKED HEAD WORD("01"),
		SELECTOR_PACKED HEAD WORD("02") WORD("20"),
		SELECTOR_PACKED HEAD "ff" ZEROS_31 WORD("20"),
	};
	struct eth_handle_ops ops = { 0 };

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(cases); i++) {
		bool taken =
			cases[i][0] ? parse(cases[i], &ops) : eth_handle_ops_parse(NULL, 0, &ops);

		if (taken)
			fail_msg("taken: %s", cases[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_the_four_calls_apart),
		cmocka_unit_test(has_the_selectors_of_the_signatures),
		cmocka_unit_test(refuses_what_leaves_the_beneficiary_in_doubt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
