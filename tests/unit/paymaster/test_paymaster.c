/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <secp256k1.h>
#include <secp256k1_recovery.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "paymaster/paymaster.h"
#include "temp_dir.h"

static char store_dir[TEMP_DIR_MAX];
static struct kms *kms;
static struct kms_key key;
static struct loop *loop;
static secp256k1_context *secp;
static struct paymaster pm;

static struct paymaster_config config(void)
{
	struct paymaster_config c = {
		.contract = { { 0xc0, 1, 2, 3 } },
		.entry_point = *eth_entry_point_address(ETH_ENTRY_POINT_V07),
		.key_id = "pm",
		.validity_s = 600,
		.clock_skew_s = 30,
		.verification_gas_limit = 100000,
		.post_op_gas_limit = 1,
		.max_verification_gas_limit = 500000,
		.max_post_op_gas_limit = 100000,
		.max_pre_verification_gas = eth_u256_from_u64(5000000),
		.max_operation_cost = eth_u256_from_u64(50000000000000000u),
	};

	return c;
}

static struct eth_user_op operation(void)
{
	static const uint8_t call[] = { 0xde, 0xad };
	struct eth_user_op op = { .version = ETH_ENTRY_POINT_V07,
				  .sender = { { 0x12, 0x34 } },
				  .call_data = SR_BYTES(call),
				  .call_gas_limit = eth_u256_from_u64(100000),
				  .verification_gas_limit = eth_u256_from_u64(200000),
				  .pre_verification_gas = eth_u256_from_u64(50000),
				  .max_fee_per_gas = eth_u256_from_u64(3000000000u),
				  .max_priority_fee_per_gas = eth_u256_from_u64(1000000000u) };

	return op;
}

static int setup(void **state)
{
	struct sr_error err = { .code = SR_OK };
	struct kms_config c = { .ta_uuid = SUPER_RELAY_TA_UUID,
				.pool_size = 2,
				.batch_size = 16,
				.min_batch = 1,
				.queue_limit = 100 };
	struct paymaster_config p = config();

	(void)state;
	if (!make_temp_dir(store_dir) || !tee_load_simulator(store_dir, &c.api, &err) ||
	    !kms_open(&c, &kms, &err) ||
	    !kms_generate_key(kms, "pm", SR_TA_ALG_SECP256K1, SR_TA_USAGE_SPONSOR, &key, &err) ||
	    !loop_create(&loop, &err)) {
		fprintf(stderr, "setup: %s\n", err.message);
		return -1;
	}
	secp = secp256k1_context_create(SECP256K1_CONTEXT_SIGN | SECP256K1_CONTEXT_VERIFY);
	paymaster_init(&pm, &p, kms, 31337);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	loop_stop(loop);
	loop_run(loop);
	loop_destroy(loop);
	kms_close(kms, 0);
	secp256k1_context_destroy(secp);
	return remove_temp_dir(store_dir);
}

/* ---- helpers --------------------------------------------------------------- */

static bool recover(const uint8_t signature[65], const uint8_t digest[32], uint8_t out[65])
{
	secp256k1_ecdsa_recoverable_signature sig;
	secp256k1_pubkey pub;
	size_t len = 65;

	if (!secp256k1_ecdsa_recoverable_signature_parse_compact(secp, &sig, signature,
								 signature[64] - 27) ||
	    !secp256k1_ecdsa_recover(secp, &pub, &sig, digest))
		return false;
	return secp256k1_ec_pubkey_serialize(secp, out, &len, &pub, SECP256K1_EC_UNCOMPRESSED);
}

static size_t zero_bytes(const uint8_t *data, size_t len)
{
	size_t zeros = 0;

	for (size_t i = 0; i < len; i++)
		zeros += data[i] == 0;
	return zeros;
}

static bool finished;

static void on_done(struct paymaster_request *request)
{
	(void)request;
	finished = true;
}

static void sponsor(const struct eth_user_op *op, struct paymaster_request *request)
{
	struct sr_error err = { .code = SR_OK };

	finished = false;
	request->done = on_done;
	if (!paymaster_sponsor(&pm, op, loop, request, &err))
		fail_msg("refused: %s", err.message);
	while (!finished)
		uv_run(loop_uv(loop), UV_RUN_ONCE);
	if (request->error.code != SR_OK)
		fail_msg("failed: %s", request->error.message);
}

static void assert_denied(const struct eth_user_op *op, const char *words)
{
	struct paymaster_grant grant;
	struct paymaster_request request = { .done = on_done };
	struct sr_error err = { .code = SR_OK };

	assert_false(paymaster_stub(&pm, op, &grant, &err));
	assert_int_equal(err.code, SR_E_DENIED);
	assert_non_null(strstr(err.message, words));
	/* and the final call takes the same decision */
	err = (struct sr_error){ .code = SR_OK };
	assert_false(paymaster_sponsor(&pm, op, loop, &request, &err));
	assert_int_equal(err.code, SR_E_DENIED);
}

/* ---- tests ------------------------------------------------------------------ */

static void the_stub_signature_recovers_and_has_no_zero_byte(void **state)
{
	uint8_t digest[32];
	uint8_t pub[65];

	(void)state;
	for (unsigned i = 0; i < 64; i++) {
		eth_keccak256(&i, sizeof(i), digest);
		assert_true(recover(paymaster_stub_signature, digest, pub));
		assert_memory_not_equal(pub, key.public_key, 65);
	}
	assert_int_equal(zero_bytes(paymaster_stub_signature, 65), 0);
	/* contracts refuse a high s */
	assert_true(paymaster_stub_signature[32] < 0x7f);
}

static void the_stub_costs_no_less_calldata_than_any_final_data(void **state)
{
	struct eth_user_op op = operation();
	struct paymaster_grant stub;
	struct sr_error err = { .code = SR_OK };

	(void)state;
	assert_true(paymaster_stub(&pm, &op, &stub, &err));
	for (int i = 0; i < 32; i++) {
		struct paymaster_request r = { 0 };

		op.nonce = eth_u256_from_u64((uint64_t)i);
		sponsor(&op, &r);
		assert_true(zero_bytes(stub.data, sizeof(stub.data)) <=
			    zero_bytes(r.grant.data, sizeof(r.grant.data)));
	}
}

static void the_signature_is_by_the_key_over_the_contracts_digest(void **state)
{
	struct eth_user_op op = operation();
	struct paymaster_request r = { 0 };
	struct eth_sponsorship s;
	struct eth_u256 chain = eth_u256_from_u64(31337);
	struct sr_error err = { .code = SR_OK };
	uint8_t digest[32];
	uint8_t pub[65];

	(void)state;
	sponsor(&op, &r);
	paymaster_apply(&pm, &r.grant, &op);
	assert_true(eth_sponsorship_from_user_op(&op, &pm.config.entry_point, &chain,
						 r.grant.valid_until, r.grant.valid_after, &s,
						 &err));
	eth_verifying_paymaster_v07_digest(&s, digest);
	assert_true(recover(r.grant.data + 64, digest, pub));
	assert_memory_equal(pub, key.public_key, 65);
}

static void the_window_opens_in_the_past_and_closes_after_the_validity(void **state)
{
	struct eth_user_op op = operation();
	struct paymaster_request r = { 0 };
	uint64_t before = sr_time_unix_s();
	uint64_t after = 0;
	uint8_t word[32];

	(void)state;
	sponsor(&op, &r);
	after = sr_time_unix_s();
	assert_in_range(r.grant.valid_until, before + 600, after + 600);
	assert_in_range(r.grant.valid_after, before - 30, after - 30);
	eth_abi_u64(word, r.grant.valid_until);
	assert_memory_equal(word, r.grant.data, 32);
	eth_abi_u64(word, r.grant.valid_after);
	assert_memory_equal(word, r.grant.data + 32, 32);
}

static void limits_that_the_operation_names_are_kept_and_others_filled_in(void **state)
{
	struct eth_user_op op = operation();
	struct paymaster_grant grant;
	struct sr_error err = { .code = SR_OK };
	struct eth_u256 named = eth_u256_from_u64(123456);
	struct eth_u256 fallback = eth_u256_from_u64(1);

	(void)state;
	op.paymaster_verification_gas_limit = named;
	assert_true(paymaster_stub(&pm, &op, &grant, &err));
	assert_int_equal(eth_u256_cmp(&grant.verification_gas_limit, &named), 0);
	assert_int_equal(eth_u256_cmp(&grant.post_op_gas_limit, &fallback), 0);
}

static void the_policy_refuses_what_is_over_its_limits(void **state)
{
	struct eth_user_op op = operation();

	(void)state;
	op.paymaster_verification_gas_limit = eth_u256_from_u64(500001);
	assert_denied(&op, "paymasterVerificationGasLimit");
	op = operation();
	op.paymaster_post_op_gas_limit = eth_u256_from_u64(100001);
	assert_denied(&op, "paymasterPostOpGasLimit");
	op = operation();
	op.pre_verification_gas = eth_u256_from_u64(5000001);
	assert_denied(&op, "preVerificationGas");
	op = operation();
	op.max_fee_per_gas = eth_u256_from_u64(1000000000000u);
	assert_denied(&op, "wei");
	op = operation();
	memset(&op.call_gas_limit, 0xff, sizeof(op.call_gas_limit));
	assert_denied(&op, "2^256");
}

static void the_cost_limit_is_exact_to_the_wei(void **state)
{
	struct eth_user_op op = operation();
	struct paymaster_config saved = pm.config;
	struct paymaster_grant grant;
	struct sr_error err = { .code = SR_OK };
	/* 100000 + 200000 + 50000 + our 100000 + 1, times 3 gwei */
	uint64_t cost = 450001u * UINT64_C(3000000000);

	(void)state;
	pm.config.max_operation_cost = eth_u256_from_u64(cost);
	assert_true(paymaster_stub(&pm, &op, &grant, &err));
	pm.config.max_operation_cost = eth_u256_from_u64(cost - 1);
	assert_denied(&op, "wei");
	pm.config = saved;
}

static void nothing_is_signed_before_the_chain_id_is_known(void **state)
{
	struct eth_user_op op = operation();
	struct paymaster_request r = { .done = on_done };
	struct sr_error err = { .code = SR_OK };

	(void)state;
	paymaster_set_chain_id(&pm, 0);
	assert_false(paymaster_sponsor(&pm, &op, loop, &r, &err));
	assert_int_equal(err.code, SR_E_UNAVAILABLE);
	paymaster_set_chain_id(&pm, 31337);
}

static void a_missing_key_is_an_error_and_makes_none(void **state)
{
	struct eth_user_op op = operation();
	struct paymaster_config saved = pm.config;
	struct paymaster_request r = { .done = on_done };
	struct sr_error err = { .code = SR_OK };
	struct kms_key none;

	(void)state;
	snprintf(pm.config.key_id, sizeof(pm.config.key_id), "absent");
	finished = false;
	assert_true(paymaster_sponsor(&pm, &op, loop, &r, &err));
	while (!finished)
		uv_run(loop_uv(loop), UV_RUN_ONCE);
	assert_int_equal(r.error.code, SR_E_NOT_FOUND);
	assert_false(kms_get_key(kms, "absent", &none, &err));
	pm.config = saved;
}

static unsigned told[PAYMASTER_REASONS];
static unsigned told_in_all;

static void count_reason(void *arg, enum paymaster_reason reason)
{
	(void)arg;
	told[reason]++;
	told_in_all++;
}

/* What the last request came to, and that it was told of once. */
static void assert_told(enum paymaster_reason reason)
{
	assert_int_equal(told[reason], 1);
	assert_int_equal(told_in_all, 1);
	memset(told, 0, sizeof(told));
	told_in_all = 0;
}

static void refuse(const struct eth_user_op *op)
{
	struct paymaster_request r = { .done = on_done };
	struct sr_error err = { .code = SR_OK };

	assert_false(paymaster_sponsor(&pm, op, loop, &r, &err));
}

static void each_request_is_told_of_once_with_its_reason(void **state)
{
	struct eth_user_op op = operation();
	struct paymaster_request r = { .done = on_done };
	struct paymaster_grant grant;
	struct sr_error err = { .code = SR_OK };

	(void)state;
	paymaster_observe(&pm, count_reason, NULL);
	sponsor(&op, &r);
	assert_told(PAYMASTER_OK);
	op.pre_verification_gas = eth_u256_from_u64(5000001);
	refuse(&op);
	assert_told(PAYMASTER_GAS_LIMIT);
	assert_false(paymaster_stub(&pm, &op, &grant, &err));
	assert_told(PAYMASTER_GAS_LIMIT);
	op = operation();
	op.max_fee_per_gas = eth_u256_from_u64(1000000000000u);
	refuse(&op);
	assert_told(PAYMASTER_COST);
	op = operation();
	paymaster_halt(&pm, true);
	refuse(&op);
	assert_told(PAYMASTER_NOT_READY);
	paymaster_halt(&pm, false);
	/* a stub that is given is no decision yet */
	assert_true(paymaster_stub(&pm, &op, &grant, &err));
	assert_int_equal(told_in_all, 0);
	paymaster_observe(&pm, NULL, NULL);
}

static void a_failure_of_the_tee_is_told_as_one(void **state)
{
	struct eth_user_op op = operation();
	struct paymaster_config saved = pm.config;
	struct paymaster_request r = { .done = on_done };
	struct sr_error err = { .code = SR_OK };

	(void)state;
	paymaster_observe(&pm, count_reason, NULL);
	snprintf(pm.config.key_id, sizeof(pm.config.key_id), "absent");
	finished = false;
	assert_true(paymaster_sponsor(&pm, &op, loop, &r, &err));
	while (!finished)
		uv_run(loop_uv(loop), UV_RUN_ONCE);
	assert_told(PAYMASTER_TEE);
	/* not even a key's name: the KMS refuses to queue it */
	snprintf(pm.config.key_id, sizeof(pm.config.key_id), "no name");
	refuse(&op);
	assert_told(PAYMASTER_TEE);
	pm.config = saved;
	paymaster_observe(&pm, NULL, NULL);
}

static void names_every_reason_and_its_decision(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PAYMASTER_REASONS; i++) {
		const char *decision = paymaster_decision_name((enum paymaster_reason)i);

		assert_non_null(paymaster_reason_name((enum paymaster_reason)i));
		assert_true(!strcmp(decision, "sponsored") || !strcmp(decision, "refused") ||
			    !strcmp(decision, "failed"));
		for (unsigned other = 0; other < i; other++)
			assert_string_not_equal(
				paymaster_reason_name((enum paymaster_reason)i),
				paymaster_reason_name((enum paymaster_reason)other));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_stub_signature_recovers_and_has_no_zero_byte),
		cmocka_unit_test(the_stub_costs_no_less_calldata_than_any_final_data),
		cmocka_unit_test(the_signature_is_by_the_key_over_the_contracts_digest),
		cmocka_unit_test(the_window_opens_in_the_past_and_closes_after_the_validity),
		cmocka_unit_test(limits_that_the_operation_names_are_kept_and_others_filled_in),
		cmocka_unit_test(the_policy_refuses_what_is_over_its_limits),
		cmocka_unit_test(the_cost_limit_is_exact_to_the_wei),
		cmocka_unit_test(nothing_is_signed_before_the_chain_id_is_known),
		cmocka_unit_test(a_missing_key_is_an_error_and_makes_none),
		cmocka_unit_test(each_request_is_told_of_once_with_its_reason),
		cmocka_unit_test(a_failure_of_the_tee_is_told_as_one),
		cmocka_unit_test(names_every_reason_and_its_decision),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
