/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passes requests from standard input to the TA on the system's OP-TEE, in one session, and its
 * answers to standard output. Integers are u32, little-endian:
 *   in:  command · length · request
 *   out: result · length · response (length 0 with any result but success)
 * Requests that wait in the pipe follow each other without a pause. Ends with its input.
 */
#include <stdio.h>
#include <string.h>

#include "super_relay_ta.h"
#include "tee/tee.h"

#define HEAD 8

static uint8_t request[SR_TA_REQUEST_MAX];
static uint8_t response[HEAD + SR_TA_RESPONSE_MAX];

static uint32_t get_u32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void put_u32(uint8_t *p, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

static TEEC_Result invoke(const struct tee_api *api, TEEC_Session *session, uint32_t command,
			  size_t len, size_t *out_len)
{
	TEEC_Operation op = { 0 };
	TEEC_Result result = TEEC_SUCCESS;

	op.paramTypes = TEEC_PARAM_TYPES(TEEC_MEMREF_TEMP_INPUT, TEEC_MEMREF_TEMP_OUTPUT, TEEC_NONE,
					 TEEC_NONE);
	op.params[0].tmpref.buffer = request;
	op.params[0].tmpref.size = len;
	op.params[1].tmpref.buffer = response + HEAD;
	op.params[1].tmpref.size = SR_TA_RESPONSE_MAX;
	result = api->invoke_command(session, command, &op, NULL);
	*out_len = result == TEEC_SUCCESS ? op.params[1].tmpref.size : 0;
	return result;
}

/* False at the input's end, or when nobody takes the output. */
static bool pass_one(const struct tee_api *api, TEEC_Session *session)
{
	uint8_t head[HEAD] = { 0 };
	uint32_t len = 0;
	size_t out_len = 0;

	if (fread(head, 1, HEAD, stdin) != HEAD)
		return false;
	len = get_u32(head + 4);
	if (len > sizeof(request) || fread(request, 1, len, stdin) != len)
		return false;
	put_u32(response, invoke(api, session, get_u32(head), len, &out_len));
	put_u32(response + 4, (uint32_t)out_len);
	return fwrite(response, 1, HEAD + out_len, stdout) == HEAD + out_len && !fflush(stdout);
}

int main(void)
{
	const TEEC_UUID uuid = SUPER_RELAY_TA_UUID;
	struct sr_error err = { 0 };
	struct tee_api api = { 0 };
	TEEC_Context context = { 0 };
	TEEC_Session session = { 0 };
	TEEC_Result result = TEEC_SUCCESS;

	if (!tee_load_optee(&api, &err)) {
		fprintf(stderr, "ta-wire: %s\n", err.message);
		return 1;
	}
	result = api.initialize_context(NULL, &context);
	if (result == TEEC_SUCCESS)
		result = api.open_session(&context, &session, &uuid, TEEC_LOGIN_PUBLIC, NULL, NULL,
					  NULL);
	if (result != TEEC_SUCCESS) {
		fprintf(stderr, "ta-wire: no session: 0x%08x\n", result);
		return 1;
	}
	while (pass_one(&api, &session))
		;
	api.close_session(&session);
	api.finalize_context(&context);
	return 0;
}
