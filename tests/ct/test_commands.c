/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole commands of the TA with every secret marked: what IMPORT_KEY is given, and all that the
 * TEE's generator gives, from which the TA makes its own keys, the users', nonces and
 * envelopes. Neither the way of a command nor any byte of its answer depends on one.
 */
#include "ct.h"

#include <string.h>

#include "../ta/provisioned_client.h"
#include "tee/sim/sim_test.h"

static void secret_random(void *out, size_t len)
{
	randombytes_buf(out, len);
	ct_secret(out, len);
}

/* ---- answers ----------------------------------------------------------------------------- */

static TEEC_Result (*invoke)(TEEC_Session *session, uint32_t command, TEEC_Operation *operation,
			     uint32_t *origin);
static unsigned answers;

static TEEC_Result invoke_and_look(TEEC_Session *session, uint32_t command,
				   TEEC_Operation *operation, uint32_t *origin)
{
	TEEC_Result result = invoke(session, command, operation, origin);
	const TEEC_TempMemoryReference *out = &operation->params[1].tmpref;

	assert_int_equal(TEEC_PARAM_TYPE_GET(operation->paramTypes, 1), TEEC_MEMREF_TEMP_OUTPUT);
	assert_true(ct_is_public(&result, sizeof(result)));
	assert_true(ct_is_public(&out->size, sizeof(out->size)));
	if (result == TEEC_SUCCESS)
		assert_true(ct_is_public(out->buffer, out->size));
	answers++;
	return result;
}

/* ---- fixture ----------------------------------------------------------------------------- */

static unsigned errors_before;
static unsigned signatures_before;

static int set_up(void **state)
{
	struct provisioned *p = NULL;

	errors_before = ct_errors();
	signatures_before = ct_signatures();
	sim_random_hook = secret_random;
	if (provisioned_setup(state))
		return -1;
	p = *state;
	invoke = p->ta.api.invoke_command;
	p->ta.api.invoke_command = invoke_and_look;
	answers = 0;
	return 0;
}

static int tear_down(void **state)
{
	const int result = provisioned_teardown(state);

	sim_random_hook = NULL;
	return result;
}

/* Whatever the TA has done until here; and that it was asked so often. */
static void assert_clean(unsigned least_answers)
{
	const unsigned signatures = ct_signatures() - signatures_before;

	assert_true(answers >= least_answers);
	assert_in_range(ct_errors() - errors_before, 0, signatures * CT_ERRORS_A_SIGNATURE);
}

/* ---- commands ------------------------------------------------------------------------------ */

static void import_marked(struct provisioned *p, const char *id)
{
	uint8_t secret[32] = { 0 };

	memset(secret, 0x31, sizeof(secret));
	ct_secret(secret, sizeof(secret));
	assert_int_equal(import_plain(p, SR_TA_USAGE_DIGEST, id, secret), TEEC_SUCCESS);
}

static void imports_and_signs_digests(void **state)
{
	struct provisioned *p = *state;

	import_marked(p, "plain");
	assert_int_equal(raw_digest(p, "plain"), TEEC_SUCCESS);
	assert_int_equal(raw_digest(p, "plain"), TEEC_SUCCESS);
	assert_true(ct_signatures() - signatures_before >= 2);
	assert_clean(3);
}

static void imports_and_signs_with_ed25519(void **state)
{
	struct provisioned *p = *state;
	uint8_t seed[32] = { 0 };

	memset(seed, 0x17, sizeof(seed));
	ct_secret(seed, sizeof(seed));
	begin_new_key(&p->request, SR_TA_ALG_ED25519, SR_TA_USAGE_DIGEST, "ed");
	put_bytes(&p->request, seed, sizeof(seed));
	assert_int_equal(call(&p->ta, SR_TA_CMD_IMPORT_KEY, &p->request, &p->response),
			 TEEC_SUCCESS);
	begin_message(&p->request, "ed", "message", 7);
	assert_int_equal(call(&p->ta, SR_TA_CMD_SIGN_MESSAGE, &p->request, &p->response),
			 TEEC_SUCCESS);
	assert_clean(2);
}

/* That it is no key is told in time that says nothing of which. */
static void refuses_a_secret_that_is_no_key(void **state)
{
	struct provisioned *p = *state;
	uint8_t secret[32] = { 0 };

	memset(secret, 0xff, sizeof(secret));
	ct_secret(secret, sizeof(secret));
	assert_int_equal(import_plain(p, SR_TA_USAGE_DIGEST, "none", secret),
			 TEEC_ERROR_BAD_PARAMETERS);
	assert_clean(1);
}

static void makes_keys_and_signs_within_their_policy(void **state)
{
	const struct policy policy = windowed_policy(1000000, 100);
	struct provisioned *p = *state;
	struct key_info info = { 0 };

	assert_int_equal(make_key(p, SR_TA_USAGE_SPONSOR, "payer", &info), TEEC_SUCCESS);
	assert_int_equal(set_policy(p, "payer", 1, &policy), TEEC_SUCCESS);
	assert_int_equal(spend(p, "payer", 1000), TEEC_SUCCESS);
	assert_int_equal(spend(p, "payer", 1000000), OVERFLOW_RESULT);
	assert_int_equal(rotate_key(p, "payer", "next", &info), TEEC_SUCCESS);
	assert_int_equal(spend(p, "next", 1000), TEEC_SUCCESS);
	assert_clean(6);
}

static void signs_transactions_within_their_policy(void **state)
{
	const struct policy policy = usual_policy();
	const struct transaction transaction = make_transaction();
	struct provisioned *p = *state;
	struct key_info info = { 0 };

	assert_int_equal(make_key(p, SR_TA_USAGE_TRANSACTION, "sender", &info), TEEC_SUCCESS);
	assert_int_equal(set_policy(p, "sender", 1, &policy), TEEC_SUCCESS);
	assert_int_equal(sign_transaction(p, "sender", &transaction), TEEC_SUCCESS);
	assert_clean(3);
}

static void seals_and_opens_envelopes(void **state)
{
	struct provisioned *p = *state;
	struct envelope envelope = { 0 };

	import_marked(p, "traveller");
	assert_int_equal(export_key(p, "traveller", &envelope), TEEC_SUCCESS);
	assert_int_equal(drop_key(p, "traveller"), TEEC_SUCCESS);
	assert_int_equal(import_envelope(p, &envelope), TEEC_SUCCESS);
	assert_int_equal(raw_digest(p, "traveller"), TEEC_SUCCESS);
	assert_int_equal(drop_key(p, "traveller"), TEEC_SUCCESS);
	envelope.data[envelope.len - 1] ^= 1;
	assert_int_equal(import_envelope(p, &envelope), SIGNATURE_RESULT);
	assert_clean(7);
}

static void attests_and_signs_checkpoints(void **state)
{
	const uint8_t nonce[32] = { 8 };
	struct provisioned *p = *state;

	import_marked(p, "shown");
	assert_int_equal(host_checkpoint(p, true), TEEC_SUCCESS);
	begin(&p->request);
	put_bytes(&p->request, nonce, sizeof(nonce));
	put_id(&p->request, "shown");
	put_u8(&p->request, 0);
	assert_int_equal(host_call(p, SR_TA_CMD_ATTEST, &p->request, &p->response), TEEC_SUCCESS);
	assert_clean(3);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(imports_and_signs_digests),
		CASE(imports_and_signs_with_ed25519),
		CASE(refuses_a_secret_that_is_no_key),
		CASE(makes_keys_and_signs_within_their_policy),
		CASE(signs_transactions_within_their_policy),
		CASE(seals_and_opens_envelopes),
		CASE(attests_and_signs_checkpoints),
	};

	return cmocka_run_group_tests(tests, ct_set_up, NULL);
}
