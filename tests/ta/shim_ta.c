/* SPDX-License-Identifier: Apache-2.0 */
#include "shim_ta.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "shim_entry.h"
#include "super_relay_ta.h"
#include "tee/sim/sim_test.h"
#include "tee/tee.h"
#include "temp_dir.h"

static char store[TEMP_DIR_MAX];

/* ---- the client ------------------------------------------------------------------ */

TEEC_Result shim_run_as(uint32_t method, const void *data, shim_body body, uint32_t *origin)
{
	const TEEC_UUID uuid = SUPER_RELAY_TA_UUID;
	static uint8_t input[SHIM_PARAM_SIZE];
	static uint8_t output[SHIM_PARAM_SIZE];
	struct tee_api api = { 0 };
	TEEC_Context context = { 0 };
	TEEC_Session session = { 0 };
	TEEC_Operation op = { 0 };
	TEEC_Result result = TEEC_SUCCESS;

	shim_entry_invoke = body;
	op.paramTypes = TEEC_PARAM_TYPES(TEEC_MEMREF_TEMP_INPUT, TEEC_MEMREF_TEMP_OUTPUT, TEEC_NONE,
					 TEEC_NONE);
	op.params[0].tmpref.buffer = input;
	op.params[0].tmpref.size = sizeof(input);
	op.params[1].tmpref.buffer = output;
	op.params[1].tmpref.size = sizeof(output);
	assert_true(tee_load_simulator(store, &api, NULL));
	assert_int_equal(api.initialize_context(NULL, &context), TEEC_SUCCESS);
	result = api.open_session(&context, &session, &uuid, method, data, NULL, origin);
	if (result == TEEC_SUCCESS) {
		result = api.invoke_command(&session, 0, &op, origin);
		api.close_session(&session);
	}
	api.finalize_context(&context);
	sim_test_unload();
	return result;
}

TEEC_Result shim_run(shim_body body)
{
	return shim_run_as(TEEC_LOGIN_PUBLIC, NULL, body, NULL);
}

int shim_set_up(void **state)
{
	(void)state;
	return make_temp_dir(store) ? 0 : -1;
}

int shim_tear_down(void **state)
{
	(void)state;
	sim_storage_answer_hook = NULL;
	sim_store_fault_hook = NULL;
	sim_system_time_hook = NULL;
	sim_ree_time_hook = NULL;
	sim_client_hook = NULL;
	sim_system_time_protection = 1000;
	sim_lacks_system_pta = false;
	sim_entropy_event_hook = NULL;
	(void)remove_temp_dir(store);
	return 0;
}

void shim_hex(const char *text, uint8_t *out, size_t len)
{
	assert_int_equal(strlen(text), len * 2);
	assert_true(sr_hex_decode(text, len * 2, out, len));
}
