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
			assert_int_equal(count_keys(c), FILLED_KEYS);
		}
		assert_int_equal(result, TEEC_SUCCESS);
	}
	assert_true(panics > COMMANDS);
}

/* ---- what a hostile storage can answer ------------------------------------- */

static const char *failing;
static uint32_t failing_answer;

static uint32_t answer_one(const char *function)
{
	return strcmp(function, failing) ? 0 : failing_answer;
}

/* Keys are there, sound and no others, once the storage answers as it should. */
static void assert_keys_whole(struct ta_client *c, const struct key_info *ec)
{
	static const uint8_t digest[32] = { 8 };
	uint8_t signature[65] = { 0 };
	struct key_info key = { 0 };

	assert_int_equal(get_key(c, "ec", &key), TEEC_SUCCESS);
	assert_memory_equal(&key, ec, sizeof(key));
	assert_int_equal(sign_digest(c, "ec", digest, signature), TEEC_SUCCESS);
	assert_true(secp256k1_signature_good(ec->public_key, digest, signature));
	if (get_key(c, "new", NULL) == TEEC_SUCCESS)
		assert_int_equal(delete_key(c, "new"), TEEC_SUCCESS);
	if (get_key(c, "ed", NULL) == TEEC_ERROR_ITEM_NOT_FOUND)
		assert_int_equal(generate(c, SR_TA_ALG_ED25519, SR_TA_USAGE_DIGEST, "ed", NULL),
				 TEEC_SUCCESS);
	begin_list(&request, "");
	assert_int_equal(call(c, SR_TA_CMD_LIST_KEYS, &request, &response), TEEC_SUCCESS);
	assert_int_equal(response.data[2], FILLED_KEYS);
	assert_int_equal(count_keys(c), FILLED_KEYS);
}

/*
 * Each function of the storage gives each answer, listed for it or not: libutee ends
 * the TA on those that are not. A cold instance, so that keys must be read.
 */
static void no_answer_of_the_storage_costs_a_key(void **state)
{
	static const char *const functions[] = { "allocate", "start",  "next",	"open",
						 "read",     "create", "delete" };
	static const uint32_t answers[] = {
		0xF0100001, /* CORRUPT_OBJECT */
		0xF0100003, /* STORAGE_NOT_AVAILABLE */
		0xFFFF0000, /* GENERIC */
		0xFFFF0003, /* ACCESS_CONFLICT */
		0xFFFF0008, /* ITEM_NOT_FOUND */
		0xFFFF000C, /* OUT_OF_MEMORY */
		0xFFFF000F, /* SECURITY */
		0xFFFF3041, /* STORAGE_NO_SPACE */
	};
	static const uint32_t commands[] = {
		SR_TA_CMD_GENERATE_KEY, SR_TA_CMD_SIGN_MESSAGE, SR_TA_CMD_GET_PUBLIC_KEY,
		SR_TA_CMD_DELETE_KEY,	SR_TA_CMD_LIST_KEYS,	SR_TA_CMD_GET_INFO,
	};
	struct ta_client *c = *state;
	struct key_info ec = { 0 };
	unsigned deaths = 0;

	fill_keys(c);
	assert_int_equal(get_key(c, "ec", &ec), TEEC_SUCCESS);
	for (size_t i = 0; i < SR_ARRAY_LEN(functions) * SR_ARRAY_LEN(answers); i++) {
		for (size_t n = 0; n < SR_ARRAY_LEN(commands); n++) {
			TEEC_Result result = TEEC_SUCCESS;

			ta_disconnect(c);
			ta_connect(c);
			failing = functions[i / SR_ARRAY_LEN(answers)];
			failing_answer = answers[i % SR_ARRAY_LEN(answers)];
			sim_storage_answer_hook = answer_one;
			begin_valid(&request, commands[n]);
			result = call(c, commands[n], &request, &response);
			if (commands[n] == SR_TA_CMD_GET_INFO)
				assert_int_equal(result, TEEC_SUCCESS);
			deaths += result == TEEC_ERROR_TARGET_DEAD;
			sim_storage_answer_hook = NULL;
			ta_disconnect(c);
			ta_connect(c);
			assert_keys_whole(c, &ec);
		}
	}
	assert_true(deaths > 0);
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
		cmocka_unit_test_setup_teardown(no_answer_of_the_storage_costs_a_key, ta_setup,
						ta_teardown),
	};

	sr_log_setup(SR_LOG_ERROR, SR_LOG_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
