/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attacks on what a key may sign, by someone who has the whole normal world but the operator's
 * key. Each test is named by the attack; none gets its signature, and the audit chain
 * tells of the attempt. Others are in test_policy_*.c.
 */
#include "provisioned_client.h"

#include <string.h>

/* The vector's cost, by EntryPoint v0.7: (0x22222 + 0x11111 + 0x186a0 + 0xc350 + 0x3333) gas. */
#define VECTOR_FEE 3000000000u
#define VECTOR_COST ((wei)(139810 + 69905 + 100000 + 50000 + 13107) * VECTOR_FEE)
/* By v0.6: verification gas three times. */
#define VECTOR_COST_V06 ((wei)(3 * 139810 + 69905 + 13107) * VECTOR_FEE)

static void assert_no_sponsorship(struct provisioned *p, const struct sponsorship *s,
				  TEEC_Result expected)
{
	assert_int_equal(sponsor(p, "pm", s), expected);
	assert_recorded(p, SR_TA_CMD_SIGN_SPONSORSHIP, expected);
}

/* ---- what a key is for ------------------------------------------------------------- */

static void raw_digest_with_a_paymaster_key(void **state)
{
	struct provisioned *p = *state;
	const struct policy policy = usual_policy();

	make_sponsor(p, &policy);
	assert_int_equal(raw_digest(p, "pm"), DENIED);
	assert_recorded(p, SR_TA_CMD_SIGN_MESSAGE, DENIED);
	assert_string_equal(last_record(p)->key, "pm");
}

static void raw_digest_with_an_executor_key(void **state)
{
	struct provisioned *p = *state;

	(void)make_executor(p);
	assert_int_equal(raw_digest(p, "ex"), DENIED);
	assert_recorded(p, SR_TA_CMD_SIGN_MESSAGE, DENIED);
}

static void transaction_with_a_paymaster_key(void **state)
{
	struct provisioned *p = *state;
	const struct policy policy = usual_policy();
	const struct transaction t = make_transaction();

	make_sponsor(p, &policy);
	assert_int_equal(sign_transaction(p, "pm", &t), DENIED);
	assert_recorded(p, SR_TA_CMD_SIGN_TRANSACTION, DENIED);
}

static void key_without_policy_in_a_provisioned_ta(void **state)
{
	struct provisioned *p = *state;
	const struct transaction t = make_transaction();

	assert_int_equal(make_key(p, SR_TA_USAGE_SPONSOR, "pm", NULL), TEEC_SUCCESS);
	assert_int_equal(make_key(p, SR_TA_USAGE_TRANSACTION, "ex", NULL), TEEC_SUCCESS);
	assert_int_equal(spend(p, "pm", 1), DENIED);
	assert_recorded(p, SR_TA_CMD_SIGN_SPONSORSHIP, DENIED);
	assert_int_equal(sign_transaction(p, "ex", &t), DENIED);
	assert_recorded(p, SR_TA_CMD_SIGN_TRANSACTION, DENIED);
}

static void executor_without_policy_in_an_unprovisioned_ta(void **state)
{
	struct provisioned *p = *state;
	const struct transaction t = make_transaction();

	assert_int_equal(make_key(p, SR_TA_USAGE_TRANSACTION, "ex", NULL), TEEC_SUCCESS);
	assert_int_equal(sign_transaction(p, "ex", &t), DENIED);
	assert_recorded(p, SR_TA_CMD_SIGN_TRANSACTION, DENIED);
	/* Development goes on without an operator for sponsorships. */
	assert_int_equal(make_key(p, SR_TA_USAGE_SPONSOR, "pm", NULL), TEEC_SUCCESS);
	assert_int_equal(spend(p, "pm", 1), TEEC_SUCCESS);
}

/* ---- where and for whom -------------------------------------------------------------- */

static void other_chain(void **state)
{
	struct provisioned *p = *state;
	const struct policy policy = usual_policy();
	struct sponsorship s = usual_sponsorship();
	static const uint64_t chains[] = { 1, 31336, 31338, 31337 + (UINT64_C(1) << 32) };

	make_sponsor(p, &policy);
	assert_int_equal(sponsor(p, "pm", &s), TEEC_SUCCESS);
	for (size_t i = 0; i < SR_ARRAY_LEN(chains); i++) {
		s.chain_id = chains[i];
		assert_no_sponsorship(p, &s, DENIED);
	}
}

static void other_entry_point(void **state)
{
	struct provisioned *p = *state;
	const struct policy policy = usual_policy();

	make_sponsor(p, &policy);
	for (unsigned bit = 0; bit < 160; bit += 13) {
		struct sponsorship s = usual_sponsorship();

		s.entry_point[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		assert_no_sponsorship(p, &s, DENIED);
	}
}

static void other_paymaster(void **state)
{
	struct provisioned *p = *state;
	const struct policy policy = usual_policy();

	make_sponsor(p, &policy);
	for (unsigned bit = 0; bit < 160; bit += 13) {
		struct sponsorship s = usual_sponsorship();

		s.paymaster[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		assert_no_sponsorship(p, &s, DENIED);
	}
}

/* What follows an empty list in the policy's bytes is no entry of it. */
static void empty_lists_allow_nothing(void **state)
{
	struct provisioned *p = *state;
	struct policy policy = usual_policy();
	struct sponsorship s = usual_sponsorship();

	policy.chain_count = 0;
	make_sponsor(p, &policy);
	assert_no_sponsorship(p, &s, DENIED);
	policy = usual_policy();
	policy.entry_point_count = 0;
	assert_int_equal(set_policy(p, "pm", 2, &policy), TEEC_SUCCESS);
	assert_no_sponsorship(p, &s, DENIED);
	policy = usual_policy();
	policy.paymaster_count = 0;
	assert_int_equal(set_policy(p, "pm", 3, &policy), TEEC_SUCCESS);
	assert_no_sponsorship(p, &s, DENIED);
}

static void longer_validity_by_one_second(void **state)
{
	struct provisioned *p = *state;
	const struct policy policy = usual_policy();
	struct sponsorship s = usual_sponsorship();

	make_sponsor(p, &policy);
	s.valid_until++;
	assert_no_sponsorship(p, &s, DENIED);
	s.valid_after++;
	assert_int_equal(sponsor(p, "pm", &s), TEEC_SUCCESS);
	s.valid_after -= 2;
	assert_no_sponsorship(p, &s, DENIED);
}

static void validity_without_end_or_of_blocks_or_backwards(void **state)
{
	struct provisioned *p = *state;
	const struct policy policy = usual_policy();
	static const uint64_t times[][2] = {
		{ 0, 0 },
		{ 5, 5 },
		{ 5, 6 },
		{ UINT64_C(1) << 47, (UINT64_C(1) << 47) - 1 },
		{ UINT64_MAX, UINT64_MAX - 1 },
		{ 1, UINT64_MAX },
	};

	make_sponsor(p, &policy);
	for (size_t i = 0; i < SR_ARRAY_LEN(times); i++) {
		struct sponsorship s = usual_sponsorship();

		s.valid_until = times[i][0];
		s.valid_after = times[i][1];
		assert_no_sponsorship(p, &s, TEEC_ERROR_BAD_PARAMETERS);
	}
}

/* ---- what it costs ---------------------------------------------------------------------- */

static void cost_one_wei_over_by_the_formula_of_v07(void **state)
{
	struct provisioned *p = *state;
	struct policy policy = usual_policy();
	const struct sponsorship s = usual_sponsorship();

	policy.cost_max = VECTOR_COST - 1;
	make_sponsor(p, &policy);
	assert_no_sponsorship(p, &s, DENIED);
	policy.cost_max = VECTOR_COST;
	assert_int_equal(set_policy(p, "pm", 2, &policy), TEEC_SUCCESS);
	assert_int_equal(sponsor(p, "pm", &s), TEEC_SUCCESS);
}

static void cost_one_wei_over_by_the_formula_of_v06(void **state)
{
	struct provisioned *p = *state;
	struct policy policy = usual_policy();
	const struct sponsorship s = usual_sponsorship();

	policy.cost_max = VECTOR_COST_V06 - 1;
	make_sponsor(p, &policy);
	assert_int_equal(sponsor_v06(p, "pm", &s), DENIED);
	assert_recorded(p, SR_TA_CMD_SIGN_SPONSORSHIP, DENIED);
	policy.cost_max = VECTOR_COST_V06;
	assert_int_equal(set_policy(p, "pm", 2, &policy), TEEC_SUCCESS);
	assert_int_equal(sponsor_v06(p, "pm", &s), TEEC_SUCCESS);
}

static void cost_at_the_limit_by_one_unit_of_gas(void **state)
{
	struct provisioned *p = *state;
	struct policy policy = usual_policy();
	struct sponsorship s = { 0 };

	policy.cost_max = 1000;
	make_sponsor(p, &policy);
	assert_int_equal(spend(p, "pm", 1000), TEEC_SUCCESS);
	assert_int_equal(spend(p, "pm", 1001), DENIED);
	/* Gas in any of the five fields counts. */
	for (unsigned field = 0; field < 4; field++) {
		s = priced(1000);
		s.words[3 + field / 2][field % 2 ? 31 : 15] = 1;
		assert_no_sponsorship(p, &s, DENIED);
	}
}

/* Products and sums that leave 0 or little after 2^128 or 2^256. */
static void costs_that_wrap_around(void **state)
{
	struct provisioned *p = *state;
	const struct policy policy = usual_policy();
	struct sponsorship s = { 0 };

	make_sponsor(p, &policy);
	/* 2^255 × 2, 2^128 × 2^126, 2^192 × 2^64 */
	s = priced(2);
	s.words[5][0] = 0x80;
	s.words[5][31] = 0;
	assert_no_sponsorship(p, &s, DENIED);
	s = priced((wei)1 << 126);
	s.words[5][15] = 1;
	s.words[5][31] = 0;
	assert_no_sponsorship(p, &s, DENIED);
	s = priced((wei)1 << 64);
	s.words[5][7] = 1;
	s.words[5][31] = 0;
	assert_no_sponsorship(p, &s, DENIED);
	/* A sum of gas that wraps: 2^256 - 1 and one more. */
	s = priced(1);
	memset(s.words[5], 0xff, 32);
	s.words[3][31] = 1;
	assert_no_sponsorship(p, &s, DENIED);
	/* All that there is. */
	for (unsigned i = 3; i <= 6; i++)
		memset(s.words[i], 0xff, 32);
	assert_no_sponsorship(p, &s, DENIED);
}

#define ATTACK(name) cmocka_unit_test_setup_teardown(name, provisioned_setup, provisioned_teardown)
#define ON_BLANK(name) \
	cmocka_unit_test_setup_teardown(name, unprovisioned_setup, provisioned_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ATTACK(raw_digest_with_a_paymaster_key),
		ATTACK(raw_digest_with_an_executor_key),
		ATTACK(transaction_with_a_paymaster_key),
		ATTACK(key_without_policy_in_a_provisioned_ta),
		ON_BLANK(executor_without_policy_in_an_unprovisioned_ta),
		ATTACK(other_chain),
		ATTACK(other_entry_point),
		ATTACK(other_paymaster),
		ATTACK(empty_lists_allow_nothing),
		ATTACK(longer_validity_by_one_second),
		ATTACK(validity_without_end_or_of_blocks_or_backwards),
		ATTACK(cost_one_wei_over_by_the_formula_of_v07),
		ATTACK(cost_one_wei_over_by_the_formula_of_v06),
		ATTACK(cost_at_the_limit_by_one_unit_of_gas),
		ATTACK(costs_that_wrap_around),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
