/* SPDX-License-Identifier: Apache-2.0 */
/* A TA that dies: as OP-TEE has it, and at every place where it could. */
#include "ta_client.h"

#include <string.h>

#include "tee/sim/sim_test.h"

static const TEEC_UUID uuid = SUPER_RELAY_TA_UUID;
static struct ta_request request;
static struct ta_response response;

static void reopen(struct ta_client *c)
{
	c->api.close_session(&c->session);
	assert_int_equal(c->api.open_session(&c->context, &c->session, &uuid, TEEC_LOGIN_PUBLIC,
					     NULL, NULL, NULL),
			 TEEC_SUCCESS);
}

static void a_panic_ends_every_session_and_the_next_begins_anew(void **state)
{
	struct ta_client *c = *state;
	TEEC_Session other = { 0 };
	TEEC_Operation op = { 0 };
	uint32_t origin = 0;
	struct key_info before = { 0 };
	struct key_info after = { 0 };

	fill_keys(c);
	assert_int_equal(get_key(c, "ec", &before), TEEC_SUCCESS);
	assert_int_equal(c->api.open_session(&c->context, &other, &uuid, TEEC_LOGIN_PUBLIC, NULL,
					     NULL, NULL),
			 TEEC_SUCCESS);
	sim_test_panic_after(1);
	begin_digests(&request, "ec", 1);
	assert_int_equal(call(c, SR_TA_CMD_SIGN_MESSAGE, &request, &response),
			 TEEC_ERROR_TARGET_DEAD);
	assert_int_equal(response.origin, TEEC_ORIGIN_TEE);
	assert_int_equal(call(c, SR_TA_CMD_SIGN_MESSAGE, &request, &response),
			 TEEC_ERROR_TARGET_DEAD);
	assert_int_equal(c->api.invoke_command(&other, SR_TA_CMD_GET_INFO, &op, &origin),
			 TEEC_ERROR_TARGET_DEAD);
	assert_int_equal(origin, TEEC_ORIGIN_TEE);
	reopen(c);
	/* The dead one stays dead beside the new instance. */
	assert_int_equal(c->api.invoke_command(&other, SR_TA_CMD_GET_INFO, &op, &origin),
			 TEEC_ERROR_TARGET_DEAD);
	c->api.close_session(&other);
	assert_int_equal(get_key(c, "ec", &after), TEEC_SUCCESS);
	assert_memory_equal(&before, &after, sizeof(before));
	assert_int_equal(call(c, SR_TA_CMD_SIGN_MESSAGE, &request, &response), TEEC_SUCCESS);
}

static void a_panic_at_the_start_is_told_to_who_opens(void **state)
{
	struct ta_client *c = *state;
	TEEC_Session session = { 0 };
	uint32_t origin = 0;

	sim_test_panic_after(1);
	begin(&request);
	assert_int_equal(call(c, SR_TA_CMD_GET_INFO, &request, &response), TEEC_ERROR_TARGET_DEAD);
	sim_test_panic_after(1);
	assert_int_equal(c->api.open_session(&c->context, &session, &uuid, TEEC_LOGIN_PUBLIC, NULL,
					     NULL, &origin),
			 TEEC_ERROR_TARGET_DEAD);
	assert_int_equal(origin, TEEC_ORIGIN_TEE);
	reopen(c);
	assert_int_equal(count_keys(c), 0);
}

/*
 * For each command, a panic in the n-th call into the TEE, for every n there is.
 * Afterwards each key is whole or absent, and signs.
 */
static void a_panic_anywhere_leaves_keys_whole(void **state)
{
	static const uint8_t digest[32] = { 8 };
	struct ta_client *c = *state;
	struct key_info ec = { 0 };
	unsigned panics = 0;

	fill_keys(c);
	assert_int_equal(get_key(c, "ec", &ec), TEEC_SUCCESS);
	for (uint32_t command = 0; command < COMMANDS; command++) {
		TEEC_Result result = TEEC_ERROR_TARGET_DEAD;

		for (unsigned n = 1; result == TEEC_ERROR_TARGET_DEAD; n++) {
			uint8_t signature[65] = { 0 };
			struct key_info key = { 0 };

			assert_true(n < 1000);
			begin_valid(&request, command);
			if (command == SR_TA_CMD_IMPORT_KEY)
				request.data[request.len - 1] = 1;
			sim_test_panic_after(n);
			result = call(c, command, &request, &response);
			sim_test_panic_after(0);
			panics += result == TEEC_ERROR_TARGET_DEAD;
			reopen(c);
			assert_int_equal(get_key(c, "ec", &key), TEEC_SUCCESS);
			assert_memory_equal(&key, &ec, sizeof(ec));
			assert_int_equal(sign_digest(c, "ec", digest, signature), TEEC_SUCCESS);
			assert_true(secp256k1_signature_good(ec.public_key, digest, signature));
			if (get_key(c, "ed", NULL) == TEEC_ERROR_ITEM_NOT_FOUND)
				assert_int_equal(generate(c, SR_TA_ALG_ED25519, SR_TA_USAGE_DIGEST,
							  "ed", NULL),
						 TEEC_SUCCESS);
			if (get_key(c, "new", NULL) == TEEC_SUCCESS)
				assert_int_equal(delete_key(c, "new"), TEEC_SUCCESS);
			if (get_key(c, "imported", NULL) == TEEC_SUCCESS)
				assert_int_equal(delete_key(c, "imported"), TEEC_SUCCESS);
			assert_int_equal(count_keys(c), 2);
		}
		assert_int_equal(result, TEEC_SUCCESS);
	}
	assert_true(panics > COMMANDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_panic_ends_every_session_and_the_next_begins_anew,
						ta_setup, ta_teardown),
		cmocka_unit_test_setup_teardown(a_panic_at_the_start_is_told_to_who_opens, ta_setup,
						ta_teardown),
		cmocka_unit_test_setup_teardown(a_panic_anywhere_leaves_keys_whole, ta_setup,
						ta_teardown),
	};

	sr_log_setup(SR_LOG_ERROR, SR_LOG_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
