/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The TA's commands, as a hostile normal world calls them.
 * Input: u8 command · u8 response room in units of 64 bytes · the request.
 *
 * The TA has three keys, "ec", "ed" and "pm"; the store refuses every change, so that
 * they stay. Whatever comes in, the TA may not panic, write beyond the response
 * buffer, or answer a success larger than the room.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "super_relay_ta.h"
#include "tee/sim/sim_test.h"
#include "tee/tee.h"
#include "temp_dir.h"

#define GUARD 64
#define CREATED 0, 1, 2, 3, 4, 5, 6, 7

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct tee_api api;
static TEEC_Context context;
static TEEC_Session session;
static char store[TEMP_DIR_MAX];

static TEEC_Result invoke(uint32_t command, const uint8_t *request, size_t request_size,
			  uint8_t *response, size_t *response_size)
{
	TEEC_Operation op = { 0 };
	TEEC_Result result = TEEC_SUCCESS;

	op.paramTypes = TEEC_PARAM_TYPES(TEEC_MEMREF_TEMP_INPUT, TEEC_MEMREF_TEMP_OUTPUT, TEEC_NONE,
					 TEEC_NONE);
	memcpy(&op.params[0].tmpref.buffer, &(const void *){ request }, sizeof(void *));
	op.params[0].tmpref.size = request_size;
	op.params[1].tmpref.buffer = response;
	op.params[1].tmpref.size = *response_size;
	result = api.invoke_command(&session, command, &op, NULL);
	*response_size = op.params[1].tmpref.size;
	return result;
}

static int refuse_change(const char *step)
{
	(void)step;
	return ENOSPC;
}

static void remove_store(void)
{
	(void)remove_temp_dir(store);
}

static void set_up(void)
{
	static const uint8_t ec[17 + SR_TA_HOST_ENTROPY_SIZE] = { SR_TA_WIRE_VERSION,
								  SR_TA_ALG_SECP256K1,
								  SR_TA_USAGE_DIGEST,
								  0,
								  0,
								  0,
								  2,
								  'e',
								  'c',
								  CREATED };
	static const uint8_t pm[17 + SR_TA_HOST_ENTROPY_SIZE] = { SR_TA_WIRE_VERSION,
								  SR_TA_ALG_SECP256K1,
								  SR_TA_USAGE_SPONSOR,
								  0,
								  0,
								  0,
								  2,
								  'p',
								  'm',
								  CREATED };
	static const uint8_t ed[17 + SR_TA_HOST_ENTROPY_SIZE] = { SR_TA_WIRE_VERSION,
								  SR_TA_ALG_ED25519,
								  SR_TA_USAGE_DIGEST,
								  0,
								  0,
								  0,
								  2,
								  'e',
								  'd',
								  CREATED };
	const TEEC_UUID uuid = SUPER_RELAY_TA_UUID;
	uint8_t response[256] = { 0 };
	size_t room = sizeof(response);

	if (!make_temp_dir(store) || !tee_load_simulator(store, &api, NULL) ||
	    atexit(remove_store) || api.initialize_context(NULL, &context) ||
	    api.open_session(&context, &session, &uuid, TEEC_LOGIN_PUBLIC, NULL, NULL, NULL) ||
	    invoke(SR_TA_CMD_GENERATE_KEY, ec, sizeof(ec), response, &room))
		abort();
	room = sizeof(response);
	if (invoke(SR_TA_CMD_GENERATE_KEY, pm, sizeof(pm), response, &room))
		abort();
	room = sizeof(response);
	if (invoke(SR_TA_CMD_GENERATE_KEY, ed, sizeof(ed), response, &room))
		abort();
	sim_store_fault_hook = refuse_change;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t response[256 * 64 + GUARD];
	TEEC_Result result = TEEC_SUCCESS;
	size_t room = 0;
	size_t len = 0;

	if (!api.name)
		set_up();
	if (size < 2)
		return 0;
	room = len = (size_t)data[1] * 64;
	memset(response + room, 0xa5, GUARD);
	result = invoke(data[0], data + 2, size - 2, response, &len);
	if (result == TEEC_ERROR_TARGET_DEAD || (result == TEEC_SUCCESS && len > room) ||
	    (result == TEEC_ERROR_SHORT_BUFFER && len <= room))
		abort();
	for (size_t i = 0; i < GUARD; i++) {
		if (response[room + i] != 0xa5)
			abort();
	}
	return 0;
}
