/* SPDX-License-Identifier: Apache-2.0 */
/* What is made of an operation: packed form, JSON, cost, sponsorship. */
#include "userop_test.h"

#include <stdlib.h>

#define FULL_GAS \
	",\"paymasterVerificationGasLimit\":\"0x186a0\",\"paymasterPostOpGasLimit\":\"0xc350\""
#define AUTHORIZATION                                                                    \
	",\"eip7702Auth\":{\"chainId\":\"0x7a69\","                                      \
	"\"address\":\"0x27b1fdb04752bbc536007a920d24acb045561c26\",\"nonce\":\"0xff\"," \
	"\"yParity\":\"0x1\","                                                           \
	"\"r\":\"0x0000000000000000000000000000000000000000000000000000000000000abc\","  \
	"\"s\":\"0x0000000000000000000000000000000000000000000000000000000000000def\"}"

static void assert_packs(const char *json, enum eth_entry_point version, const char *init_code,
			 const char *paymaster_and_data)
{
	struct eth_user_op op = must_parse(json, version);
	struct eth_packed_user_op packed = { 0 };
	struct sr_error err = { 0 };

	assert_true(eth_user_op_pack(&op, &packed, &err));
	assert_bytes_are((struct sr_bytes){ packed.init_code.data, packed.init_code.len },
			 init_code);
	assert_bytes_are(
		(struct sr_bytes){ packed.paymaster_and_data.data, packed.paymaster_and_data.len },
		paymaster_and_data);
	eth_packed_user_op_free(&packed);
	eth_user_op_free(&op);
}

static void packs_gas_and_fees_high_half_first(void **state)
{
	struct eth_user_op op = must_parse(OPEN_OP "}", ETH_ENTRY_POINT_V07);
	struct eth_packed_user_op packed = { 0 };
	struct sr_error err = { 0 };

	(void)state;
	assert_true(eth_user_op_pack(&op, &packed, &err));
	/* verification ‖ call, priority ‖ max */
	assert_hash_is(packed.account_gas_limits,
		       "0000000000000000000000000000000200000000000000000000000000000001");
	assert_hash_is(packed.gas_fees,
		       "0000000000000000000000000000000400000000000000000000000000000005");
	assert_int_equal(packed.init_code.len, 0);
	assert_int_equal(packed.paymaster_and_data.len, 0);
	eth_packed_user_op_free(&packed);
	eth_user_op_free(&op);
}

#define PACKED_PAYMASTER                             \
	"0xabcdef0123456789abcdef0123456789abcdef01" \
	"000000000000000000000000000186a00000000000000000000000000000c350"

static void packs_factory_and_paymaster(void **state)
{
	static const char paymaster[] =
		OPEN_OP PAYMASTER FULL_GAS ",\"paymasterData\":\"0xaabbcc\"}";
	static const char factory[] = OPEN_OP FACTORY ",\"factoryData\":\"0x0102\"}";
	static const char marker[] = OPEN_OP ",\"factory\":\"0x7702\",\"factoryData\":\"0x0102\"}";

	(void)state;
	assert_packs(paymaster, ETH_ENTRY_POINT_V07, "0x", PACKED_PAYMASTER "aabbcc");
	assert_packs(factory, ETH_ENTRY_POINT_V07, "0x9fbb5fa1d5a1c26d5b0e5a3b1c3f5e4d2c1b0a990102",
		     "0x");
	assert_packs(marker, ETH_ENTRY_POINT_V08, "0x77020000000000000000000000000000000000000102",
		     "0x");
}

/* every spelling of one v0.9 operation packs the same */
static void appends_the_paymaster_signature_on_v09(void **state)
{
	static const char *const spellings[] = {
		",\"paymasterData\":\"0xaabbcc\",\"paymasterSignature\":\"0x112233\"}",
		",\"paymasterData\":\"0xaabbcc" MAGIC "\",\"paymasterSignature\":\"0x112233\"}",
		",\"paymasterData\":\"0xaabbcc1122330003" MAGIC
		"\",\"paymasterSignature\":\"0x112233\"}",
		",\"paymasterData\":\"0xaabbcc1122330003" MAGIC "\"}",
		",\"paymasterData\":\"0xaabbcc1122330003" MAGIC "\",\"paymasterSignature\":\"0x\"}",
		",\"paymasterData\":\"0xaabbcc1122330003" MAGIC "\",\"paymasterSignature\":null}",
	};

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(spellings); i++) {
		char json[1024];
		struct eth_user_op op = { 0 };

		snprintf(json, sizeof(json), "%s%s", OPEN_OP PAYMASTER FULL_GAS, spellings[i]);
		assert_packs(json, ETH_ENTRY_POINT_V09, "0x",
			     PACKED_PAYMASTER "aabbcc1122330003" MAGIC);
		op = must_parse(json, ETH_ENTRY_POINT_V09);
		assert_true(op.has_paymaster_signature);
		assert_bytes_are(op.paymaster_data, "0xaabbcc");
		assert_bytes_are(op.paymaster_signature, "0x112233");
		eth_user_op_free(&op);
	}
}

static void keeps_bytes_that_are_no_v09_suffix(void **state)
{
	static const char *const data[] = { "0x", "0x" MAGIC, "0xff" MAGIC, "0x0000" MAGIC,
					    "0xaabb0000" MAGIC };

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(data); i++) {
		char json[1024];
		struct eth_user_op op = { 0 };

		snprintf(json, sizeof(json), "%s,\"paymasterData\":\"%s\"}", OPEN_OP PAYMASTER,
			 data[i]);
		op = must_parse(json, ETH_ENTRY_POINT_V09);
		assert_false(op.has_paymaster_signature);
		assert_bytes_are(op.paymaster_data, data[i]);
		eth_user_op_free(&op);
	}
}

static void packs_nothing_for_v06(void **state)
{
	struct eth_user_op op = must_parse(OPEN_OP "}", ETH_ENTRY_POINT_V06);
	struct eth_packed_user_op packed = { 0 };
	struct sr_error err = { 0 };

	(void)state;
	assert_false(eth_user_op_pack(&op, &packed, &err));
	assert_non_null(strstr(err.message, "v0.6"));
	eth_user_op_free(&op);
}

/* JSON as this project writes it: reading and writing it changes no byte. */
static void writes_what_it_read(void **state)
{
	static const struct {
		enum eth_entry_point version;
		const char *json;
	} cases[] = {
		{ ETH_ENTRY_POINT_V06,
		  "{" SENDER ",\"nonce\":\"0x7\","
		  "\"initCode\":\"0x9fbb5fa1d5a1c26d5b0e5a3b1c3f5e4d2c1b0a9901\","
		  "\"callData\":\"0x\"" GAS FEES ",\"paymasterAndData\":\"0x\","
		  "\"signature\":\"0x01\"}" },
		{ ETH_ENTRY_POINT_V07, "{" SENDER ",\"nonce\":\"0x0\",\"callData\":\"0x\"" GAS FEES
				       ",\"signature\":\"0x\"}" },
		{ ETH_ENTRY_POINT_V07,
		  "{" SENDER ",\"nonce\":\"0x0\","
		  "\"factory\":\"0x9FBb5FA1d5A1c26d5b0e5a3b1c3f5E4D2c1b0a99\","
		  "\"factoryData\":\"0x01\",\"callData\":\"0x\"" GAS FEES
		  ",\"paymaster\":\"0x27b1fdb04752bbc536007a920d24acb045561c26\"" FULL_GAS
		  ",\"paymasterData\":\"0xaa\",\"signature\":\"0x01\"" AUTHORIZATION "}" },
		{ ETH_ENTRY_POINT_V08,
		  "{" SENDER
		  ",\"nonce\":\"0x0\",\"factory\":\"0x7702\",\"callData\":\"0x\"" GAS FEES
		  ",\"signature\":\"0x01\"" AUTHORIZATION "}" },
		{ ETH_ENTRY_POINT_V09,
		  "{" SENDER ",\"nonce\":\"0x0\",\"callData\":\"0x\"" GAS FEES
		  ",\"paymaster\":\"0x27b1fdb04752bbc536007a920d24acb045561c26\"" FULL_GAS
		  ",\"paymasterData\":\"0xaa\",\"paymasterSignature\":\"0x11\","
		  "\"signature\":\"0x01\"}" },
		/* data that ends in the magic before the suffix: one field, so that it survives */
		{ ETH_ENTRY_POINT_V09,
		  "{" SENDER ",\"nonce\":\"0x0\",\"callData\":\"0x\"" GAS FEES
		  ",\"paymaster\":\"0x27b1fdb04752bbc536007a920d24acb045561c26\"" FULL_GAS
		  ",\"paymasterData\":\"0xaa" MAGIC "110001" MAGIC "\",\"signature\":\"0x01\"}" },
		/* limits given without a paymaster are kept */
		{ ETH_ENTRY_POINT_V07,
		  "{" SENDER ",\"nonce\":\"0x0\",\"callData\":\"0x\"" GAS FEES
		  ",\"paymasterVerificationGasLimit\":\"0x0\",\"paymasterPostOpGasLimit\":\"0x1\""
		  ",\"signature\":\"0x\"}" },
	};

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(cases); i++) {
		struct eth_user_op op = must_parse(cases[i].json, cases[i].version);
		struct sr_buf out = { 0 };

		eth_user_op_to_json(&op, &out);
		assert_string_equal(sr_buf_cstr(&out), cases[i].json);
		sr_buf_free(&out);
		eth_user_op_free(&op);
	}
}

static void says_when_json_does_not_fit_its_buffer(void **state)
{
	struct eth_user_op op = must_parse(OPEN_OP "}", ETH_ENTRY_POINT_V07);
	struct sr_buf out = { .limit = 100 };

	(void)state;
	eth_user_op_to_json(&op, &out);
	assert_true(out.failed);
	assert_null(sr_buf_cstr(&out));
	sr_buf_free(&out);
	eth_user_op_free(&op);
}

static void assert_costs(const char *json, enum eth_entry_point version, uint64_t wei)
{
	struct eth_user_op op = must_parse(json, version);
	struct eth_u256 cost = { { 0 } };

	assert_true(eth_user_op_max_cost(&op, &cost));
	assert_true(cost.limb[0] == wei);
	assert_int_equal(eth_u256_bits(&cost) <= 64, 1);
	eth_user_op_free(&op);
}

/* the operation's limits are 1 + 2 + 3 at 5 wei each */
static void sums_the_most_an_operation_can_cost(void **state)
{
	(void)state;
	assert_costs(OPEN_OP "}", ETH_ENTRY_POINT_V06, (1 + 2 + 3) * 5);
	assert_costs(OPEN_OP
		     ",\"paymasterAndData\":\"0x27b1fdb04752bbc536007a920d24acb045561c26\"}",
		     ETH_ENTRY_POINT_V06, (1 + 3 * 2 + 3) * 5);
	assert_costs(OPEN_OP PAYMASTER FULL_GAS "}", ETH_ENTRY_POINT_V07,
		     (1 + 2 + 3 + 100000 + 50000) * 5);
	/* without a paymaster its limits are not packed, and cost nothing */
	assert_costs(OPEN_OP FULL_GAS "}", ETH_ENTRY_POINT_V07, (1 + 2 + 3) * 5);
}

static void says_when_the_cost_overflows(void **state)
{
	const struct eth_u256 huge = { { 0, 0, 0, (uint64_t)1 << 63 } };
	struct eth_u256 cost = { { 0 } };
	struct eth_user_op op = { .version = ETH_ENTRY_POINT_V06, .call_gas_limit = huge };

	(void)state;
	op.max_fee_per_gas = eth_u256_from_u64(2);
	assert_false(eth_user_op_max_cost(&op, &cost));
	op.max_fee_per_gas = eth_u256_from_u64(1);
	assert_true(eth_user_op_max_cost(&op, &cost));
	op.pre_verification_gas = huge;
	assert_false(eth_user_op_max_cost(&op, &cost));
}

static void signs_what_verifying_paymaster_checks(void **state)
{
	FILE *file = vectors_open("verifying_paymaster_v07.txt");
	struct eth_u256 chain_id = eth_u256_from_u64(31337);
	char line[VECTOR_LINE_MAX];
	unsigned count = 0;

	(void)state;
	for (; vectors_next(file, line); count++) {
		char *rest = line;
		const char *name = vectors_word(&rest);
		uint64_t valid_until = strtoull(vectors_word(&rest), NULL, 10);
		uint64_t valid_after = strtoull(vectors_word(&rest), NULL, 10);
		struct eth_sponsorship s = { 0 };
		struct sr_error err = { 0 };
		struct eth_user_op op = { 0 };
		uint8_t expected[32];
		uint8_t digest[32];

		vectors_hash(&rest, expected);
		op = must_parse(rest, ETH_ENTRY_POINT_V07);
		if (!eth_sponsorship_from_user_op(&op, eth_entry_point_address(op.version),
						  &chain_id, valid_until, valid_after, &s, &err))
			fail_msg("%s: %s", name, err.message);
		eth_verifying_paymaster_v07_digest(&s, digest);
		if (memcmp(digest, expected, 32) != 0)
			fail_msg("%s: another digest", name);
		eth_user_op_free(&op);
	}
	fclose(file);
	assert_int_equal(count, 6);
}

static void assert_no_sponsorship(const struct eth_user_op *op, struct eth_u256 chain_id,
				  uint64_t valid_until, uint64_t valid_after, const char *part)
{
	struct eth_sponsorship s = { 0 };
	struct sr_error err = { 0 };

	assert_false(eth_sponsorship_from_user_op(op, eth_entry_point_address(ETH_ENTRY_POINT_V07),
						  &chain_id, valid_until, valid_after, &s, &err));
	assert_int_equal(err.code, SR_E_INVALID);
	if (!strstr(err.message, part))
		fail_msg("expected \"%s\" in: %s", part, err.message);
}

static void refuses_a_sponsorship_that_cannot_be_signed(void **state)
{
	const struct eth_u256 one = eth_u256_from_u64(1);
	const struct eth_u256 large = { { 0, 1, 0, 0 } };
	struct eth_user_op op = { .version = ETH_ENTRY_POINT_V07, .has_paymaster = true };

	(void)state;
	assert_no_sponsorship(&op, large, 0, 0, "chainId");
	assert_no_sponsorship(&op, one, (uint64_t)1 << 48, 0, "validUntil");
	assert_no_sponsorship(&op, one, 0, (uint64_t)1 << 48, "validAfter");
	op.call_gas_limit = (struct eth_u256){ { 0, 0, 1, 0 } };
	assert_no_sponsorship(&op, one, 0, 0, "callGasLimit");
	op.call_gas_limit = one;
	op.has_paymaster = false;
	assert_no_sponsorship(&op, one, 0, 0, "paymaster");
	op.version = ETH_ENTRY_POINT_V06;
	assert_no_sponsorship(&op, one, 0, 0, "v0.7");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packs_gas_and_fees_high_half_first),
		cmocka_unit_test(packs_factory_and_paymaster),
		cmocka_unit_test(appends_the_paymaster_signature_on_v09),
		cmocka_unit_test(keeps_bytes_that_are_no_v09_suffix),
		cmocka_unit_test(packs_nothing_for_v06),
		cmocka_unit_test(writes_what_it_read),
		cmocka_unit_test(says_when_json_does_not_fit_its_buffer),
		cmocka_unit_test(sums_the_most_an_operation_can_cost),
		cmocka_unit_test(says_when_the_cost_overflows),
		cmocka_unit_test(signs_what_verifying_paymaster_checks),
		cmocka_unit_test(refuses_a_sponsorship_that_cannot_be_signed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
