/* SPDX-License-Identifier: Apache-2.0 */
#include "userop_test.h"

#define A ",\"address\":\"0x27b1fdb04752bbc536007a920d24acb045561c26\""
#define R ",\"r\":\"0xabc\""
#define S ",\"s\":\"0xdef\""
#define N ",\"nonce\":\"0x5\""
#define C "\"chainId\":\"0x7a69\""
#define Y ",\"yParity\":\"0x01\""

static bool parse_authorization(const char *members, struct eth_authorization *out,
				struct sr_error *err)
{
	char json[2048];
	struct eth_user_op op = { 0 };
	bool ok = false;

	snprintf(json, sizeof(json), "%s,\"eip7702Auth\":{%s}}", OPEN_OP, members);
	ok = parse_op(json, ETH_ENTRY_POINT_V08, 0, &op, err);
	assert_int_equal(op.has_authorization, ok);
	*out = op.authorization;
	eth_user_op_free(&op);
	return ok;
}

static void reads_a_tuple(void **state)
{
	struct eth_authorization a = { 0 };
	struct sr_error err = { 0 };

	(void)state;
	assert_true(parse_authorization(C A N Y R S, &a, &err));
	assert_true(a.chain_id.limb[0] == 31337);
	assert_true(a.nonce == 5);
	assert_int_equal(a.y_parity, 1);
	assert_int_equal(a.address.bytes[0], 0x27);
	assert_true(a.r.limb[0] == 0xabc);
	assert_true(a.s.limb[0] == 0xdef);
}

static void takes_the_names_of_other_clients(void **state)
{
	static const struct {
		const char *members;
		uint8_t y_parity;
	} cases[] = {
		{ C ",\"contractAddress\":\"0x27b1fdb04752bbc536007a920d24acb045561c26\"" N Y R S,
		  1 },
		{ C A N R S ",\"v\":\"0x1b\"", 0 },
		{ C A N R S ",\"v\":\"0x1c\"", 1 },
		{ C A N R S ",\"v\":\"0x0\"", 0 },
		{ C A N R S ",\"v\":\"0x1\"", 1 },
		{ C A N R S ",\"v\":\"0x1c\"" Y, 1 },
		{ C A N R S ",\"v\":null,\"contractAddress\":null" Y, 1 },
		{ C A N R S
		  ",\"yParity\":"
		  "\"0x0000000000000000000000000000000000000000000000000000000000000000\"",
		  0 },
	};

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(cases); i++) {
		struct eth_authorization a = { 0 };
		struct sr_error err = { 0 };

		if (!parse_authorization(cases[i].members, &a, &err))
			fail_msg("%s: %s", err.message, cases[i].members);
		assert_int_equal(a.y_parity, cases[i].y_parity);
		assert_int_equal(a.address.bytes[0], 0x27);
	}
}

static void refuses_malformed_tuples(void **state)
{
	static const struct {
		const char *members;
		const char *message;
	} cases[] = {
		{ "\"chainId\":1" A N Y R S, "eip7702Auth.chainId: expected a 0x-prefixed hex "
					     "quantity of at most 256 bits, got "
					     "the number 1" },
		{ C N Y R S, "eip7702Auth.address: missing" },
		{ C A ",\"contractAddress\":\"0x27b1fdb04752bbc536007a920d24acb045561c26\"" N Y R S,
		  "eip7702Auth.contractAddress: given beside address, expected one of them" },
		{ C ",\"address\":\"0x27\"" N Y R S,
		  "eip7702Auth.address: expected an address: 0x and 40 hex digits" },
		{ C A ",\"nonce\":\"0x10000000000000000\"" Y R S,
		  "eip7702Auth.nonce: expected a 0x-prefixed hex quantity of at most 64 bits, got "
		  "\"0x10000000000000000\"" },
		{ C A Y R S, "eip7702Auth.nonce: missing" },
		{ C A N R S, "eip7702Auth.yParity: missing" },
		{ C A N ",\"yParity\":\"0x2\"" R S,
		  "eip7702Auth.yParity: expected 0x0 or 0x1, got \"0x2\"" },
		{ C A N ",\"yParity\":\"0x1b\"" R S,
		  "eip7702Auth.yParity: expected 0x0 or 0x1, got \"0x1b\"" },
		{ C A N ",\"v\":\"0x1d\"" R S,
		  "eip7702Auth.v: expected 0x0, 0x1, 0x1b or 0x1c, got \"0x1d\"" },
		{ C A N ",\"v\":\"0x10000000000000000\"" R S,
		  "eip7702Auth.v: expected 0x0, 0x1, 0x1b or 0x1c, got \"0x10000000000000000\"" },
		{ C A N Y R S ",\"v\":\"0x1b\"", "eip7702Auth.v: contradicts yParity" },
		{ C A N Y S, "eip7702Auth.r: missing" },
		{ C A N Y R, "eip7702Auth.s: missing" },
		{ "\"chainId\":null" A N Y R S, "eip7702Auth.chainId: missing" },
		{ C A N Y R S N, "eip7702Auth.nonce: given twice" },
		{ C A N Y R S ",\"signer\":\"0x\"", "eip7702Auth: unknown field \"signer\"" },
	};

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(cases); i++) {
		struct eth_authorization a = { 0 };
		struct sr_error err = { 0 };

		if (parse_authorization(cases[i].members, &a, &err))
			fail_msg("took %s", cases[i].members);
		assert_string_equal(err.message, cases[i].message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_tuple),
		cmocka_unit_test(takes_the_names_of_other_clients),
		cmocka_unit_test(refuses_malformed_tuples),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
