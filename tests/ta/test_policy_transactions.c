/* SPDX-License-Identifier: Apache-2.0 */
/* Attacks on an executor's key: transactions that it must not sign. */
#include "provisioned_client.h"

#include <string.h>

#include "eth/eth_core.h"

static const uint8_t stranger[20] = { 0x66, 0x06 };

static void assert_no_transaction(struct provisioned *p, const struct transaction *t,
				  TEEC_Result expected)
{
	assert_int_equal(sign_transaction(p, "ex", t), expected);
	assert_recorded(p, SR_TA_CMD_SIGN_TRANSACTION, expected);
}

/* ---- transactions
 * ------------------------------------------------------------------------------------ */

static void transaction_that_is_allowed(void **state)
{
	static const uint32_t selectors[] = { 0x1fad948c, 0x4b1d7cf5, 0x765e827f, 0xdbed18e0 };
	struct provisioned *p = *state;
	const struct key_info key = make_executor(p);
	struct transaction t = make_transaction();
	static uint8_t bytes[4096];
	uint8_t own[20] = { 0 };
	uint8_t digest[32] = { 0 };

	for (size_t i = 0; i < SR_ARRAY_LEN(selectors); i++) {
		set_handle_ops(&t, selectors[i], usual_beneficiary);
		assert_int_equal(sign_transaction(p, "ex", &t), TEEC_SUCCESS);
		eth_keccak256(bytes, encode_transaction(&t, bytes), digest);
		assert_memory_equal(p->response.data + 6, digest, 32);
		assert_true(secp256k1_signature_good(key.public_key, digest,
						     p->response.data + 6 + 32));
	}
	address_of(&key, own);
	set_handle_ops(&t, selectors[0], own);
	assert_int_equal(sign_transaction(p, "ex", &t), TEEC_SUCCESS);
	t.data_len = 0;
	memcpy(t.to, own, 20);
	assert_int_equal(sign_transaction(p, "ex", &t), TEEC_SUCCESS);
}

static void transaction_to_another_address(void **state)
{
	struct provisioned *p = *state;
	struct transaction t = make_transaction();

	(void)make_executor(p);
	memcpy(t.to, stranger, 20);
	assert_no_transaction(p, &t, DENIED);
	t.data_len = 0;
	assert_no_transaction(p, &t, DENIED);
	memcpy(t.to, usual_beneficiary, 20);
	assert_no_transaction(p, &t, DENIED);
}

static void transaction_with_value(void **state)
{
	struct provisioned *p = *state;
	struct transaction t = make_transaction();

	(void)make_executor(p);
	t.value = 1;
	assert_no_transaction(p, &t, DENIED);
	t.value = UINT64_MAX;
	assert_no_transaction(p, &t, DENIED);
}

static void transaction_of_an_unknown_type(void **state)
{
	struct provisioned *p = *state;
	struct transaction t = make_transaction();
	static const uint8_t types[] = { 0x00, 0x01, 0x03, 0x05, 0x7f, 0xc0 };

	(void)make_executor(p);
	for (size_t i = 0; i < SR_ARRAY_LEN(types); i++) {
		t.type = types[i];
		assert_no_transaction(p, &t, TEEC_ERROR_NOT_SUPPORTED);
	}
}

static void transaction_that_creates_a_contract(void **state)
{
	struct provisioned *p = *state;
	struct transaction t = make_transaction();

	(void)make_executor(p);
	t.to_len = 0;
	assert_no_transaction(p, &t, DENIED);
	t.data_len = 0;
	assert_no_transaction(p, &t, DENIED);
}

static void transaction_with_another_selector(void **state)
{
	struct provisioned *p = *state;
	/* withdrawTo, depositTo, transfer, addStake, withdrawStake, handleOps with a bit changed */
	static const uint32_t selectors[] = { 0x205c2878, 0xb760faf9, 0xa9059cbb,
					      0x0396cb60, 0xc23a5cea, 0x765e827e };

	(void)make_executor(p);
	for (size_t i = 0; i < SR_ARRAY_LEN(selectors); i++) {
		struct transaction t = make_transaction();

		set_handle_ops(&t, selectors[i], usual_beneficiary);
		assert_no_transaction(p, &t, DENIED);
	}
}

static void transaction_with_the_beneficiary_changed(void **state)
{
	struct provisioned *p = *state;

	(void)make_executor(p);
	for (unsigned bit = 0; bit < 160; bit += 11) {
		struct transaction t = make_transaction();

		t.data[4 + 32 + 12 + bit / 8] ^= (uint8_t)(1u << (bit % 8));
		assert_no_transaction(p, &t, DENIED);
	}
}

/* What one ABI decoder reads as the allowed beneficiary, and another as somebody else. */
static void transaction_with_a_head_that_is_not_canonical(void **state)
{
	struct provisioned *p = *state;
	struct transaction t = make_transaction();

	(void)make_executor(p);
	t.data[4 + 31] = 0x60;
	assert_no_transaction(p, &t, DENIED);
	t = make_transaction();
	t.data[4] = 1;
	assert_no_transaction(p, &t, DENIED);
	t = make_transaction();
	t.data[4 + 32] = 1;
	assert_no_transaction(p, &t, DENIED);
	t = make_transaction();
	t.data[4 + 64 + 31] = 0;
	assert_no_transaction(p, &t, DENIED);
	t = make_transaction();
	t.data[4 + 64 + 31] = 200;
	assert_no_transaction(p, &t, DENIED);
	t = make_transaction();
	memset(t.data + 4 + 64, 0xff, 32);
	assert_no_transaction(p, &t, DENIED);
	for (size_t len = 1; len < 4 + 4 * 32; len += 9) {
		t = make_transaction();
		t.data_len = len;
		assert_no_transaction(p, &t, DENIED);
	}
}

static void transaction_with_a_forged_authorization(void **state)
{
	struct provisioned *p = *state;
	struct transaction t = make_transaction();
	const uint8_t low[32] = { 0x11 };
	const uint8_t zero[32] = { 0 };
	/* The lower half of the group's order, and one. */
	const uint8_t high[32] = { 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
				   0xff, 0xff, 0xff, 0xff, 0xff, 0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4,
				   0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa1 };

	(void)make_executor(p);
	set_authorization(&t, 1, low);
	assert_int_equal(sign_transaction(p, "ex", &t), TEEC_SUCCESS);
	set_authorization(&t, 2, low);
	assert_no_transaction(p, &t, TEEC_ERROR_BAD_FORMAT);
	set_authorization(&t, 0, zero);
	assert_no_transaction(p, &t, TEEC_ERROR_BAD_FORMAT);
	set_authorization(&t, 0, high);
	assert_no_transaction(p, &t, TEEC_ERROR_BAD_FORMAT);
	/* None, a truncated one, and one in a transaction that has none. */
	set_authorization(&t, 0, low);
	t.authorizations[0] = 0xc0;
	t.authorizations_len = 1;
	assert_no_transaction(p, &t, TEEC_ERROR_BAD_FORMAT);
	set_authorization(&t, 0, low);
	t.authorizations_len--;
	assert_no_transaction(p, &t, TEEC_ERROR_BAD_FORMAT);
	set_authorization(&t, 0, low);
	t.type = 2;
	assert_no_transaction(p, &t, TEEC_ERROR_BAD_FORMAT);
}

static void transaction_over_the_caps_of_gas_fee_and_cost(void **state)
{
	struct provisioned *p = *state;
	struct policy policy = usual_policy();
	struct transaction t = make_transaction();

	assert_int_equal(make_key(p, SR_TA_USAGE_TRANSACTION, "ex", NULL), TEEC_SUCCESS);
	policy.gas_max = t.gas;
	policy.fee_max = t.max_fee;
	policy.cost_max = t.gas * t.max_fee;
	assert_int_equal(set_policy(p, "ex", 1, &policy), TEEC_SUCCESS);
	assert_int_equal(sign_transaction(p, "ex", &t), TEEC_SUCCESS);
	t.gas++;
	t.max_fee = 1;
	assert_no_transaction(p, &t, DENIED);
	t = make_transaction();
	t.max_fee++;
	t.gas = 1;
	assert_no_transaction(p, &t, DENIED);
	policy.cost_max--;
	assert_int_equal(set_policy(p, "ex", 2, &policy), TEEC_SUCCESS);
	t = make_transaction();
	assert_no_transaction(p, &t, DENIED);
	/* Products that wrap, and a fee that nobody can pay. */
	t.gas = UINT64_MAX;
	t.max_fee = (wei)-1;
	assert_no_transaction(p, &t, DENIED);
	t.gas = UINT64_C(1) << 32;
	t.max_fee = (wei)1 << 96;
	assert_no_transaction(p, &t, DENIED);
}

static void transactions_beyond_the_budget_of_a_window(void **state)
{
	struct provisioned *p = *state;
	const struct transaction t = make_transaction();
	const struct policy policy = windowed_policy(3 * (t.gas * t.max_fee) - 1, 100);

	assert_int_equal(make_key(p, SR_TA_USAGE_TRANSACTION, "ex", NULL), TEEC_SUCCESS);
	assert_int_equal(set_policy(p, "ex", 1, &policy), TEEC_SUCCESS);
	assert_int_equal(sign_transaction(p, "ex", &t), TEEC_SUCCESS);
	assert_int_equal(sign_transaction(p, "ex", &t), TEEC_SUCCESS);
	assert_no_transaction(p, &t, OVERFLOW_RESULT);
}

static void cancellation_with_value_data_or_to_another(void **state)
{
	struct provisioned *p = *state;
	const struct key_info key = make_executor(p);
	struct transaction cancel = make_transaction();
	struct transaction t = { 0 };
	const uint8_t low[32] = { 0x11 };

	cancel.data_len = 0;
	address_of(&key, cancel.to);
	assert_int_equal(sign_transaction(p, "ex", &cancel), TEEC_SUCCESS);
	t = cancel;
	t.value = 1;
	assert_no_transaction(p, &t, DENIED);
	t = cancel;
	t.data_len = 1;
	assert_no_transaction(p, &t, DENIED);
	t = cancel;
	t.to[19] ^= 1;
	assert_no_transaction(p, &t, DENIED);
	t = cancel;
	set_authorization(&t, 0, low);
	assert_no_transaction(p, &t, DENIED);
	t = cancel;
	t.chain_id++;
	assert_no_transaction(p, &t, DENIED);
}

static void transaction_in_a_form_that_is_not_canonical(void **state)
{
	struct provisioned *p = *state;
	const struct transaction t = make_transaction();
	static uint8_t bytes[4096];
	size_t len = 0;

	(void)make_executor(p);
	len = encode_transaction(&t, bytes);
	bytes[len] = 0;
	assert_int_equal(sign_transaction_bytes(p, "ex", bytes, len + 1), TEEC_ERROR_BAD_FORMAT);
	assert_recorded(p, SR_TA_CMD_SIGN_TRANSACTION, TEEC_ERROR_BAD_FORMAT);
	for (size_t cut = 1; cut < len; cut++)
		assert_int_not_equal(sign_transaction_bytes(p, "ex", bytes, len - cut),
				     TEEC_SUCCESS);
	assert_int_equal(sign_transaction_bytes(p, "ex", bytes, 0), TEEC_ERROR_BAD_FORMAT);
}

#define ATTACK(name) cmocka_unit_test_setup_teardown(name, provisioned_setup, provisioned_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ATTACK(transaction_that_is_allowed),
		ATTACK(transaction_to_another_address),
		ATTACK(transaction_with_value),
		ATTACK(transaction_of_an_unknown_type),
		ATTACK(transaction_that_creates_a_contract),
		ATTACK(transaction_with_another_selector),
		ATTACK(transaction_with_the_beneficiary_changed),
		ATTACK(transaction_with_a_head_that_is_not_canonical),
		ATTACK(transaction_with_a_forged_authorization),
		ATTACK(transaction_over_the_caps_of_gas_fee_and_cost),
		ATTACK(transactions_beyond_the_budget_of_a_window),
		ATTACK(cancellation_with_value_data_or_to_another),
		ATTACK(transaction_in_a_form_that_is_not_canonical),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
