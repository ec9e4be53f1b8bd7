/* SPDX-License-Identifier: Apache-2.0 */
/* The Client API itself, and the names of its results. */
#include "ta_client.h"

#include <string.h>

static const TEEC_UUID uuid = SUPER_RELAY_TA_UUID;
static struct ta_request request;
static struct ta_response response;

static void opens_only_the_ta_that_there_is(void **state)
{
	struct ta_client *c = *state;
	TEEC_UUID other = uuid;
	TEEC_Session session = { 0 };
	uint32_t origin = 0;

	other.timeLow ^= 1;
	assert_int_equal(c->api.open_session(&c->context, &session, &other, TEEC_LOGIN_PUBLIC, NULL,
					     NULL, &origin),
			 TEEC_ERROR_ITEM_NOT_FOUND);
	assert_int_equal(origin, TEEC_ORIGIN_TEE);
}

static void refuses_null_where_there_must_be_something(void **state)
{
	struct ta_client *c = *state;
	TEEC_SharedMemory memory = { .size = 16 };

	assert_int_equal(c->api.initialize_context(NULL, NULL), TEEC_ERROR_BAD_PARAMETERS);
	assert_int_equal(
		c->api.open_session(&c->context, NULL, &uuid, TEEC_LOGIN_PUBLIC, NULL, NULL, NULL),
		TEEC_ERROR_BAD_PARAMETERS);
	assert_int_equal(c->api.invoke_command(NULL, 0, NULL, NULL), TEEC_ERROR_BAD_PARAMETERS);
	/* no flags */
	assert_int_equal(c->api.allocate_shared_memory(&c->context, &memory),
			 TEEC_ERROR_BAD_PARAMETERS);
	c->api.close_session(NULL);
	c->api.release_shared_memory(NULL);
	c->api.finalize_context(NULL);
}

/* The simulator alone looks at these. */
static void refuses_null_for_a_uuid_and_for_the_parent_of_a_reference(void **state)
{
	struct ta_client *c = *state;
	TEEC_Session session = { 0 };
	TEEC_Operation op = { 0 };

	assert_int_equal(c->api.open_session(&c->context, &session, NULL, TEEC_LOGIN_PUBLIC, NULL,
					     NULL, NULL),
			 TEEC_ERROR_BAD_PARAMETERS);
	op.paramTypes =
		TEEC_PARAM_TYPES(TEEC_MEMREF_PARTIAL_INPUT, TEEC_NONE, TEEC_NONE, TEEC_NONE);
	op.params[0].memref.size = 8;
	assert_int_equal(c->api.invoke_command(&c->session, SR_TA_CMD_GET_INFO, &op, NULL),
			 TEEC_ERROR_BAD_PARAMETERS);
}

static TEEC_Result invoke_partial(struct ta_client *c, TEEC_SharedMemory *memory, size_t offset,
				  size_t size, uint32_t type)
{
	TEEC_Operation op = { 0 };

	op.paramTypes = TEEC_PARAM_TYPES(type, TEEC_NONE, TEEC_NONE, TEEC_NONE);
	op.params[0].memref.parent = memory;
	op.params[0].memref.offset = offset;
	op.params[0].memref.size = size;
	return c->api.invoke_command(&c->session, SR_TA_CMD_GET_INFO, &op, &(uint32_t){ 0 });
}

static void partial_references_stay_inside_their_parent(void **state)
{
	struct ta_client *c = *state;
	TEEC_SharedMemory memory = { .size = 64, .flags = TEEC_MEM_INPUT };
	TEEC_Operation op = { 0 };
	uint32_t origin = 0;

	assert_int_equal(c->api.allocate_shared_memory(&c->context, &memory), TEEC_SUCCESS);
	op.paramTypes =
		TEEC_PARAM_TYPES(TEEC_MEMREF_PARTIAL_INPUT, TEEC_NONE, TEEC_NONE, TEEC_NONE);
	op.params[0].memref.parent = &memory;
	op.params[0].memref.offset = 64;
	op.params[0].memref.size = 1;
	assert_int_equal(c->api.invoke_command(&c->session, SR_TA_CMD_GET_INFO, &op, &origin),
			 TEEC_ERROR_BAD_PARAMETERS);
	assert_int_equal(origin, TEEC_ORIGIN_API);
	assert_int_equal(invoke_partial(c, &memory, 0, 65, TEEC_MEMREF_PARTIAL_INPUT),
			 TEEC_ERROR_BAD_PARAMETERS);
	assert_int_equal(invoke_partial(c, &memory, SIZE_MAX, 2, TEEC_MEMREF_PARTIAL_INPUT),
			 TEEC_ERROR_BAD_PARAMETERS);
	assert_int_equal(invoke_partial(c, &memory, 1, SIZE_MAX, TEEC_MEMREF_PARTIAL_INPUT),
			 TEEC_ERROR_BAD_PARAMETERS);
	/* input memory is not for output */
	assert_int_equal(invoke_partial(c, &memory, 0, 8, TEEC_MEMREF_PARTIAL_OUTPUT),
			 TEEC_ERROR_BAD_PARAMETERS);
	c->api.release_shared_memory(&memory);
}

static void works_on_whole_and_registered_memory(void **state)
{
	static uint8_t in_bytes[FRAMING] = { SR_TA_WIRE_VERSION };
	static uint8_t out_bytes[128];
	struct ta_client *c = *state;
	TEEC_SharedMemory in = { .buffer = in_bytes, .size = FRAMING, .flags = TEEC_MEM_INPUT };
	TEEC_SharedMemory out = { .buffer = out_bytes, .size = 128, .flags = TEEC_MEM_OUTPUT };
	TEEC_Operation op = { 0 };

	assert_int_equal(c->api.register_shared_memory(&c->context, &in), TEEC_SUCCESS);
	assert_int_equal(c->api.register_shared_memory(&c->context, &out), TEEC_SUCCESS);
	op.paramTypes =
		TEEC_PARAM_TYPES(TEEC_MEMREF_WHOLE, TEEC_MEMREF_WHOLE, TEEC_NONE, TEEC_NONE);
	op.params[0].memref.parent = &in;
	op.params[1].memref.parent = &out;
	assert_int_equal(c->api.invoke_command(&c->session, SR_TA_CMD_GET_INFO, &op, NULL),
			 TEEC_SUCCESS);
	assert_in_range(op.params[1].memref.size, 18, 128);
	assert_int_equal(out_bytes[0], SR_TA_WIRE_VERSION);
	c->api.release_shared_memory(&in);
	c->api.release_shared_memory(&out);
}

static void a_closed_session_answers_no_more(void **state)
{
	struct ta_client *c = *state;
	TEEC_Session session = { 0 };
	TEEC_Session kept = c->session;

	assert_int_equal(c->api.open_session(&c->context, &session, &uuid, TEEC_LOGIN_USER, NULL,
					     NULL, NULL),
			 TEEC_SUCCESS);
	c->api.close_session(&session);
	c->session = session;
	begin(&request);
	assert_int_equal(call(c, SR_TA_CMD_GET_INFO, &request, &response),
			 TEEC_ERROR_BAD_PARAMETERS);
	assert_int_equal(response.origin, TEEC_ORIGIN_COMMS);
	c->session = kept;
	assert_int_equal(call(c, SR_TA_CMD_GET_INFO, &request, &response), TEEC_SUCCESS);
}

static void names_results_and_says_what_they_mean(void **state)
{
	(void)state;
	assert_string_equal(tee_result_name(TEEC_SUCCESS), "TEEC_SUCCESS");
	assert_string_equal(tee_result_name(0xffff0008), "TEEC_ERROR_ITEM_NOT_FOUND");
	assert_string_equal(tee_result_name(0xffff3024), "TEEC_ERROR_TARGET_DEAD");
	assert_null(tee_result_name(0x12345678));
	assert_int_equal(tee_result_code(TEEC_SUCCESS), SR_OK);
	assert_int_equal(tee_result_code(TEEC_ERROR_ITEM_NOT_FOUND), SR_E_NOT_FOUND);
	assert_int_equal(tee_result_code(TEEC_ERROR_ACCESS_CONFLICT), SR_E_EXISTS);
	assert_int_equal(tee_result_code(TEEC_ERROR_ACCESS_DENIED), SR_E_DENIED);
	assert_int_equal(tee_result_code(CORRUPT_OBJECT), SR_E_CORRUPT);
	assert_int_equal(tee_result_code(TEEC_ERROR_TARGET_DEAD), SR_E_UNAVAILABLE);
	assert_int_equal(tee_result_code(0x12345678), SR_E_INTERNAL);
}

static void loads_optee_or_says_why_not(void **state)
{
	struct tee_api api = { 0 };
	struct sr_error err = { 0 };

	(void)state;
	if (tee_load_optee(&api, &err)) {
		assert_non_null(api.invoke_command);
		return;
	}
	assert_int_equal(err.code, SR_E_UNAVAILABLE);
	assert_non_null(strstr(err.message, "libteec"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(opens_only_the_ta_that_there_is, ta_setup,
						ta_teardown),
		cmocka_unit_test_setup_teardown(refuses_null_where_there_must_be_something,
						ta_setup, ta_teardown),
		cmocka_unit_test_setup_teardown(
			refuses_null_for_a_uuid_and_for_the_parent_of_a_reference, ta_setup,
			ta_teardown),
		cmocka_unit_test_setup_teardown(partial_references_stay_inside_their_parent,
						ta_setup, ta_teardown),
		cmocka_unit_test_setup_teardown(works_on_whole_and_registered_memory, ta_setup,
						ta_teardown),
		cmocka_unit_test_setup_teardown(a_closed_session_answers_no_more, ta_setup,
						ta_teardown),
		cmocka_unit_test(names_results_and_says_what_they_mean),
		cmocka_unit_test(loads_optee_or_says_why_not),
	};
	const struct ta_left_out left_out[] = {
		{ "refuses_null_for_a_uuid_and_for_the_parent_of_a_reference",
		  "OP-TEE's library crashes on these, in the caller's own process" },
		{ 0 },
	};

	return ta_run_tests(tests, SR_ARRAY_LEN(tests), left_out);
}
