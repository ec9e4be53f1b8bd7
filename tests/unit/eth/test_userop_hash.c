/* SPDX-License-Identifier: Apache-2.0 */
#include "userop_test.h"

#include <stdlib.h>

struct vector {
	const char *name;
	enum eth_entry_point version;
	struct eth_u256 chain_id;
	struct eth_address delegate;
	bool has_delegate;
	uint8_t hash[32];
	struct eth_user_op op;
};

static struct vector read_vector(char *line)
{
	struct vector v = { 0 };
	const char *word = NULL;

	v.name = vectors_word(&line);
	if (!eth_entry_point_parse(vectors_word(&line), &v.version))
		fail_msg("%s: no version", v.name);
	word = vectors_word(&line);
	if (!eth_u256_from_dec(word, strlen(word), &v.chain_id))
		fail_msg("%s: no chain id", v.name);
	word = vectors_word(&line);
	v.has_delegate = word[0] != '-';
	if (v.has_delegate && !eth_address_from_text(word, strlen(word), &v.delegate, NULL))
		fail_msg("%s: no delegate", v.name);
	vectors_hash(&line, v.hash);
	v.op = must_parse(line, v.version);
	return v;
}

static void check_hash(const struct vector *v, const struct eth_user_op *op)
{
	struct sr_error err = { 0 };
	uint8_t hash[32];

	if (!eth_user_op_hash(op, eth_entry_point_address(v->version), &v->chain_id,
			      v->has_delegate ? &v->delegate : NULL, hash, &err))
		fail_msg("%s v%s: %s", v->name, eth_entry_point_name(v->version), err.message);
	if (memcmp(hash, v->hash, 32) != 0)
		fail_msg("%s v%s: another hash", v->name, eth_entry_point_name(v->version));
}

/* Writing an operation and reading it back must not change what is signed. */
static void check_round_trip(const struct vector *v)
{
	struct sr_buf json = { 0 };
	struct eth_user_op again = { 0 };

	eth_user_op_to_json(&v->op, &json);
	again = must_parse(sr_buf_cstr(&json), v->version);
	check_hash(v, &again);
	eth_user_op_free(&again);
	sr_buf_free(&json);
}

static void hashes_as_the_entry_points_do(void **state)
{
	FILE *file = vectors_open("user_op_hash.txt");
	char line[VECTOR_LINE_MAX];
	unsigned count = 0;

	(void)state;
	for (; vectors_next(file, line); count++) {
		struct vector v = read_vector(line);

		check_hash(&v, &v.op);
		check_round_trip(&v);
		eth_user_op_free(&v.op);
	}
	fclose(file);
	assert_int_equal(count, 69);
}

static bool hash_of(const char *json, enum eth_entry_point version,
		    const struct eth_address *delegate, uint8_t out[static 32],
		    struct sr_error *err)
{
	struct eth_user_op op = must_parse(json, version);
	struct eth_u256 chain_id = eth_u256_from_u64(31337);
	bool ok = eth_user_op_hash(&op, eth_entry_point_address(version), &chain_id, delegate, out,
				   err);

	eth_user_op_free(&op);
	return ok;
}

static void needs_the_delegate_behind_a_marker(void **state)
{
	static const char json[] = OPEN_OP ",\"factory\":\"0x7702\"}";
	struct eth_address one = { { 1 } };
	struct eth_address two = { { 2 } };
	struct sr_error err = { 0 };
	uint8_t first[32];
	uint8_t second[32];

	(void)state;
	assert_false(hash_of(json, ETH_ENTRY_POINT_V08, NULL, first, &err));
	assert_int_equal(err.code, SR_E_INVALID);
	assert_non_null(strstr(err.message, "factory:"));
	assert_non_null(strstr(err.message, "delegate"));
	assert_true(hash_of(json, ETH_ENTRY_POINT_V08, &one, first, &err));
	assert_true(hash_of(json, ETH_ENTRY_POINT_V08, &two, second, &err));
	assert_memory_not_equal(first, second, 32);
}

static void ignores_a_delegate_that_is_not_asked_for(void **state)
{
	struct eth_address delegate = { { 1 } };
	struct sr_error err = { 0 };
	uint8_t with[32];
	uint8_t without[32];

	(void)state;
	assert_true(hash_of(OPEN_OP FACTORY "}", ETH_ENTRY_POINT_V08, &delegate, with, &err));
	assert_true(hash_of(OPEN_OP FACTORY "}", ETH_ENTRY_POINT_V08, NULL, without, &err));
	assert_memory_equal(with, without, 32);
}

static void leaves_the_paymaster_signature_out_of_v09_only(void **state)
{
	static const char one[] = OPEN_OP PAYMASTER ",\"paymasterData\":\"0xaa"
						    "11"
						    "0001" MAGIC "\"}";
	static const char two[] = OPEN_OP PAYMASTER ",\"paymasterData\":\"0xaa"
						    "22"
						    "0001" MAGIC "\"}";
	struct sr_error err = { 0 };
	uint8_t first[32];
	uint8_t second[32];

	(void)state;
	assert_true(hash_of(one, ETH_ENTRY_POINT_V09, NULL, first, &err));
	assert_true(hash_of(two, ETH_ENTRY_POINT_V09, NULL, second, &err));
	assert_memory_equal(first, second, 32);
	assert_true(hash_of(one, ETH_ENTRY_POINT_V08, NULL, first, &err));
	assert_true(hash_of(two, ETH_ENTRY_POINT_V08, NULL, second, &err));
	assert_memory_not_equal(first, second, 32);
}

/* made by code, not read from JSON: the rules of the contract hold all the same */
static void refuses_a_signature_length_that_reaches_past_the_data(void **state)
{
	static const uint8_t data[] = { 0xaa, 0x00, 0x02, 0x22, 0xe3, 0x25,
					0xa2, 0x97, 0x43, 0x96, 0x56 };
	struct eth_user_op op = { .version = ETH_ENTRY_POINT_V09,
				  .has_paymaster = true,
				  .paymaster_data = SR_BYTES(data) };
	struct eth_u256 chain_id = eth_u256_from_u64(1);
	struct sr_error err = { 0 };
	uint8_t out[32];

	(void)state;
	assert_false(eth_user_op_hash(&op, eth_entry_point_address(op.version), &chain_id, NULL,
				      out, &err));
	assert_non_null(strstr(err.message, "paymasterData:"));
}

static void finds_the_suffix_in_data_that_was_not_read_from_json(void **state)
{
	static const uint8_t whole[] = { 0xaa, 0x11, 0x00, 0x01, 0x22, 0xe3,
					 0x25, 0xa2, 0x97, 0x43, 0x96, 0x56 };
	static const uint8_t signature[] = { 0x77, 0x77 };
	struct eth_user_op joined = { .version = ETH_ENTRY_POINT_V09,
				      .has_paymaster = true,
				      .paymaster_data = SR_BYTES(whole) };
	struct eth_user_op split = { .version = ETH_ENTRY_POINT_V09,
				     .has_paymaster = true,
				     .paymaster_data = { whole, 1 },
				     .has_paymaster_signature = true,
				     .paymaster_signature = SR_BYTES(signature) };
	struct eth_u256 chain_id = eth_u256_from_u64(1);
	const struct eth_address *entry_point = eth_entry_point_address(ETH_ENTRY_POINT_V09);
	struct sr_error err = { 0 };
	uint8_t first[32];
	uint8_t second[32];

	(void)state;
	assert_true(eth_user_op_hash(&joined, entry_point, &chain_id, NULL, first, &err));
	assert_true(eth_user_op_hash(&split, entry_point, &chain_id, NULL, second, &err));
	assert_memory_equal(first, second, 32);
}

static void refuses_values_over_their_packed_size(void **state)
{
	static const size_t members[] = {
		offsetof(struct eth_user_op, call_gas_limit),
		offsetof(struct eth_user_op, verification_gas_limit),
		offsetof(struct eth_user_op, max_fee_per_gas),
		offsetof(struct eth_user_op, max_priority_fee_per_gas),
		offsetof(struct eth_user_op, paymaster_verification_gas_limit),
		offsetof(struct eth_user_op, paymaster_post_op_gas_limit),
	};
	struct eth_u256 chain_id = eth_u256_from_u64(1);

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(members); i++) {
		struct eth_user_op op = { .version = ETH_ENTRY_POINT_V07 };
		struct eth_packed_user_op packed = { 0 };
		struct sr_error err = { 0 };
		uint8_t out[32];

		*(struct eth_u256 *)(void *)((uint8_t *)&op + members[i]) =
			(struct eth_u256){ { 0, 0, 1, 0 } };
		assert_false(eth_user_op_hash(&op, eth_entry_point_address(op.version), &chain_id,
					      NULL, out, &err));
		assert_non_null(strstr(err.message, "128 bits"));
		assert_false(eth_user_op_pack(&op, &packed, &err));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes_as_the_entry_points_do),
		cmocka_unit_test(needs_the_delegate_behind_a_marker),
		cmocka_unit_test(ignores_a_delegate_that_is_not_asked_for),
		cmocka_unit_test(leaves_the_paymaster_signature_out_of_v09_only),
		cmocka_unit_test(refuses_a_signature_length_that_reaches_past_the_data),
		cmocka_unit_test(finds_the_suffix_in_data_that_was_not_read_from_json),
		cmocka_unit_test(refuses_values_over_their_packed_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
