/* SPDX-License-Identifier: Apache-2.0 */
/* From an operation and its terms to what is signed, and to what the contract reads. */
#include "userop_test.h"

#define FULL ",\"paymasterVerificationGasLimit\":\"0x186a0\",\"paymasterPostOpGasLimit\":\"0xc350\""
#define OP_V06 OPEN_OP ",\"paymasterAndData\":\"0x27b1fdb04752bbc536007a920d24acb045561c26\"}"
#define OP_PACKED OPEN_OP PAYMASTER FULL "}"
#define OP_7702 OPEN_OP PAYMASTER FULL ",\"factory\":\"0x7702\",\"factoryData\":\"0xaa\"}"

static const struct eth_address delegate = { { 0xde, 0x1e } };

static struct eth_sponsorship_terms terms_of(enum eth_sponsorship_scheme scheme,
					     enum eth_entry_point version)
{
	return (struct eth_sponsorship_terms){
		.scheme = scheme,
		.entry_point = *eth_entry_point_address(version),
		.chain_id = eth_u256_from_u64(31337),
		.valid_until = 0x0102030405,
		.valid_after = 7,
		.sender_nonce = eth_u256_from_u64(9),
		.domain_name = "Name",
		.domain_version = "1",
	};
}

/* The sponsorship, whose digest must be there. */
static struct eth_sponsorship must_make(const struct eth_user_op *op,
					const struct eth_sponsorship_terms *terms,
					uint8_t digest[static 32])
{
	struct eth_sponsorship s = { 0 };
	struct sr_error err = { 0 };

	if (!eth_sponsorship_from_terms(op, terms, &s, &err))
		fail_msg("%s", err.message);
	assert_true(eth_sponsorship_digest(&s, digest));
	return s;
}

static void assert_refuses(const char *json, enum eth_entry_point version,
			   const struct eth_sponsorship_terms *terms, const char *part)
{
	struct eth_user_op op = must_parse(json, version);
	struct eth_sponsorship s = { 0 };
	struct sr_error err = { 0 };

	assert_false(eth_sponsorship_from_terms(&op, terms, &s, &err));
	if (!strstr(err.message, part))
		fail_msg("expected \"%s\" in: %s", part, err.message);
	eth_user_op_free(&op);
}

static void signs_the_hash_that_v09_gives_a_paymaster(void **state)
{
	static const char times[] = "000102030405000000000007";
	struct eth_sponsorship_terms terms = terms_of(ETH_SCHEME_PARALLEL_V09, ETH_ENTRY_POINT_V09);
	struct eth_user_op op = must_parse(OP_7702, ETH_ENTRY_POINT_V09);
	uint8_t prefix[12];
	uint8_t expected[32];
	uint8_t digest[32];
	struct sr_error err = { 0 };

	(void)state;
	terms.delegate = &delegate;
	must_make(&op, &terms, digest);
	/* the same by the operation's own hash, with any signature in its place */
	assert_true(sr_hex_decode(times, 24, prefix, sizeof(prefix)));
	op.paymaster_data = SR_BYTES(prefix);
	op.has_paymaster_signature = true;
	op.paymaster_signature = SR_BYTES(expected);
	assert_true(eth_user_op_hash(&op, &terms.entry_point, &terms.chain_id, &delegate, digest,
				     &err));
	eth_personal_digest(digest, expected);
	op.paymaster_data = (struct sr_bytes){ 0 };
	op.paymaster_signature = (struct sr_bytes){ 0 };
	must_make(&op, &terms, digest);
	assert_memory_equal(digest, expected, 32);
	eth_user_op_free(&op);
}

static void keeps_both_hashes_of_a_delegation_for_singleton_v8(void **state)
{
	struct eth_sponsorship_terms terms = terms_of(ETH_SCHEME_SINGLETON_V8, ETH_ENTRY_POINT_V08);
	struct eth_user_op op = must_parse(OP_7702, ETH_ENTRY_POINT_V08);
	uint8_t data[ETH_SINGLETON_VERIFYING_LEN];
	uint8_t init_code[21] = { 0x77, 0x02 };
	uint8_t digest[32];
	uint8_t hash[32];
	struct eth_sponsorship s = { 0 };

	(void)state;
	eth_singleton_verifying_data(true, terms.valid_until, terms.valid_after, data);
	terms.data = SR_BYTES(data);
	terms.delegate = &delegate;
	s = must_make(&op, &terms, digest);
	init_code[20] = 0xaa;
	eth_keccak256(init_code, sizeof(init_code), hash);
	assert_memory_equal(s.init_code_hash, hash, 32);
	memcpy(init_code, delegate.bytes, 20);
	eth_keccak256(init_code, sizeof(init_code), hash);
	assert_memory_equal(s.delegate_init_code_hash, hash, 32);
	eth_user_op_free(&op);
}

static void takes_v06_operations_whole(void **state)
{
	struct eth_sponsorship_terms terms =
		terms_of(ETH_SCHEME_VERIFYING_PAYMASTER_V06, ETH_ENTRY_POINT_V06);
	struct eth_user_op op = must_parse(OP_V06, ETH_ENTRY_POINT_V06);
	uint8_t digest[32];
	struct eth_sponsorship s = must_make(&op, &terms, digest);

	(void)state;
	assert_int_equal(s.call_data_len, 4);
	assert_int_equal(s.init_code_len, 0);
	assert_int_equal(s.paymaster.bytes[0], 0x27);
	assert_int_equal(s.sender_nonce[31], 9);
	/* verification 2, call 1; priority 4, fee 5 */
	assert_int_equal(s.account_gas_limits[15] << 8 | s.account_gas_limits[31], 0x201);
	assert_int_equal(s.gas_fees[15] << 8 | s.gas_fees[31], 0x405);
	eth_user_op_free(&op);
}

static void costs_the_same_both_ways(void **state)
{
	static const struct {
		const char *json;
		enum eth_sponsorship_scheme scheme;
		enum eth_entry_point version;
	} cases[] = {
		{ OP_V06, ETH_SCHEME_VERIFYING_PAYMASTER_V06, ETH_ENTRY_POINT_V06 },
		{ OP_V06, ETH_SCHEME_SINGLETON_V6, ETH_ENTRY_POINT_V06 },
		{ OP_PACKED, ETH_SCHEME_VERIFYING_PAYMASTER_V07, ETH_ENTRY_POINT_V07 },
		{ OP_PACKED, ETH_SCHEME_OPENZEPPELIN, ETH_ENTRY_POINT_V08 },
		{ OP_PACKED, ETH_SCHEME_PARALLEL_V09, ETH_ENTRY_POINT_V09 },
	};

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(cases); i++) {
		struct eth_sponsorship_terms terms = terms_of(cases[i].scheme, cases[i].version);
		struct eth_user_op op = must_parse(cases[i].json, cases[i].version);
		struct eth_sponsorship s = { 0 };
		struct eth_u256 by_operation = { { 0 } };
		struct eth_u256 by_sponsorship = { { 0 } };

		assert_true(eth_sponsorship_from_terms(&op, &terms, &s, NULL));
		assert_true(eth_user_op_max_cost(&op, &by_operation));
		assert_true(eth_sponsorship_cost(&s, &by_sponsorship));
		assert_int_equal(eth_u256_cmp(&by_operation, &by_sponsorship), 0);
		eth_user_op_free(&op);
	}
}

static void refuses_schemes_of_other_entry_points(void **state)
{
	struct eth_sponsorship_terms terms = terms_of(ETH_SCHEME_SINGLETON_V6, ETH_ENTRY_POINT_V06);

	(void)state;
	assert_refuses(OP_PACKED, ETH_ENTRY_POINT_V07, &terms, "v0.6");
	terms.scheme = ETH_SCHEME_VERIFYING_PAYMASTER_V06;
	assert_refuses(OP_PACKED, ETH_ENTRY_POINT_V09, &terms, "VerifyingPaymaster v0.6");
	terms.scheme = ETH_SCHEME_PARALLEL_V09;
	assert_refuses(OP_PACKED, ETH_ENTRY_POINT_V08, &terms, "v0.9");
	terms.scheme = ETH_SCHEME_SINGLETON_V8;
	assert_refuses(OP_PACKED, ETH_ENTRY_POINT_V07, &terms, "SingletonPaymasterV8");
	terms.scheme = (enum eth_sponsorship_scheme)0;
	assert_refuses(OP_PACKED, ETH_ENTRY_POINT_V07, &terms, "scheme");
	terms.scheme = (enum eth_sponsorship_scheme)8;
	assert_refuses(OP_PACKED, ETH_ENTRY_POINT_V07, &terms, "got 8");
}

static void refuses_terms_that_lack_something(void **state)
{
	struct eth_sponsorship_terms terms = terms_of(ETH_SCHEME_PARALLEL_V09, ETH_ENTRY_POINT_V09);

	(void)state;
	assert_refuses(OP_7702, ETH_ENTRY_POINT_V09, &terms, "delegate");
	assert_refuses(OPEN_OP "}", ETH_ENTRY_POINT_V09, &terms, "paymaster: missing");
	terms.scheme = ETH_SCHEME_OPENZEPPELIN;
	terms.domain_name = NULL;
	assert_refuses(OP_PACKED, ETH_ENTRY_POINT_V07, &terms, "domain");
	terms = terms_of(ETH_SCHEME_SINGLETON_V6, ETH_ENTRY_POINT_V06);
	assert_refuses(OPEN_OP "}", ETH_ENTRY_POINT_V06, &terms, "paymasterAndData");
	terms.chain_id.limb[1] = 1;
	assert_refuses(OP_V06, ETH_ENTRY_POINT_V06, &terms, "chainId");
}

/* ---- paymasterData ----------------------------------------------------------- */

#define UNTIL "000102030405"
#define AFTER "000000000007"
#define ZEROS_26 "0000000000000000000000000000000000000000000000000000"
#define SIGNATURE                                                          \
	"abababababababababababababababababababababababababababababababab" \
	"abababababababababababababababababababababababababababababababab" \
	"ab"

static void assert_encodes(enum eth_sponsorship_scheme scheme, struct sr_bytes data,
			   const char *hex)
{
	struct eth_sponsorship s = { .scheme = scheme,
				     .valid_until = 0x0102030405,
				     .valid_after = 7,
				     .data = data.data,
				     .data_len = data.len };
	uint8_t signature[65];
	struct sr_buf out = { 0 };

	memset(signature, 0xab, sizeof(signature));
	eth_paymaster_data_encode(&s, signature, &out);
	assert_false(out.failed);
	assert_bytes_are((struct sr_bytes){ out.data, out.len }, hex);
	sr_buf_free(&out);
}

static void writes_what_each_contract_reads(void **state)
{
	static const char words[] = "0x" ZEROS_26 UNTIL ZEROS_26 AFTER SIGNATURE;
	const struct sr_bytes none = { 0 };
	uint8_t data[ETH_SINGLETON_VERIFYING_LEN];

	(void)state;
	assert_encodes(ETH_SCHEME_VERIFYING_PAYMASTER_V06, none, words);
	assert_encodes(ETH_SCHEME_VERIFYING_PAYMASTER_V07, none, words);
	assert_encodes(ETH_SCHEME_OPENZEPPELIN, none, "0x" AFTER UNTIL SIGNATURE);
	assert_encodes(ETH_SCHEME_PARALLEL_V09, none, "0x" UNTIL AFTER SIGNATURE "0041" MAGIC);
	eth_singleton_verifying_data(false, 0x0102030405, 7, data);
	assert_encodes(ETH_SCHEME_SINGLETON_V6, SR_BYTES(data), "0x00" UNTIL AFTER SIGNATURE);
	eth_singleton_verifying_data(true, 0x0102030405, 7, data);
	assert_encodes(ETH_SCHEME_SINGLETON_V8, SR_BYTES(data), "0x01" UNTIL AFTER SIGNATURE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signs_the_hash_that_v09_gives_a_paymaster),
		cmocka_unit_test(keeps_both_hashes_of_a_delegation_for_singleton_v8),
		cmocka_unit_test(takes_v06_operations_whole),
		cmocka_unit_test(costs_the_same_both_ways),
		cmocka_unit_test(refuses_schemes_of_other_entry_points),
		cmocka_unit_test(refuses_terms_that_lack_something),
		cmocka_unit_test(writes_what_each_contract_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
