/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls the TA's test build on the system's OP-TEE as no other client does:
 *   ta-hook panic      the instance panics
 *   ta-hook abort      the instance reads what is not mapped
 *   ta-hook random     prints 64 bytes of the TEE's own generator
 *   ta-hook generate   makes a key, and hands in zeros for the normal world's random bytes
 * With "production" behind it, the command goes to the other TA. Prints the result's number and
 * the response, both in hex; status 0 whatever the result.
 */
#include <stdio.h>
#include <string.h>

#include "super_relay_ta.h"
#include "super_relay_ta_test.h"
#include "tee/tee.h"

#define RANDOM_BYTES 64
#define RESPONSE_END 2 /* the count of audit records: none without a log */

struct message {
	uint8_t data[256];
	size_t len;
};

static void put(struct message *m, const void *data, size_t len)
{
	memcpy(m->data + m->len, data, len);
	m->len += len;
}

static void put_framing(struct message *m)
{
	static const uint8_t no_log[8] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	put(m, &(uint8_t){ SR_TA_WIRE_VERSION }, 1);
	put(m, no_log, sizeof(no_log));
}

static void put_nothing(struct message *m)
{
	(void)m;
}

static void put_random(struct message *m)
{
	put(m, &(uint8_t){ RANDOM_BYTES }, 1);
}

static void put_generate(struct message *m)
{
	static const uint8_t usage[4] = { SR_TA_USAGE_DIGEST };
	static const uint8_t created[8] = { 0 };
	static const uint8_t host_entropy[SR_TA_HOST_ENTROPY_SIZE] = { 0 };
	static const uint8_t id[] = { 4, 'h', 'o', 'o', 'k' };

	put(m, &(uint8_t){ SR_TA_ALG_SECP256K1 }, 1);
	put(m, usage, sizeof(usage));
	put(m, id, sizeof(id));
	put(m, created, sizeof(created));
	put(m, host_entropy, sizeof(host_entropy));
}

static const struct hook {
	const char *name;
	uint32_t command;
	void (*put_rest)(struct message *m);
} hooks[] = {
	{ "panic", SR_TA_TEST_CMD_PANIC, put_nothing },
	{ "abort", SR_TA_TEST_CMD_ABORT, put_nothing },
	{ "random", SR_TA_TEST_CMD_RAW_RANDOM, put_random },
	{ "generate", SR_TA_CMD_GENERATE_KEY, put_generate },
};

static const struct hook *find_hook(const char *name)
{
	for (size_t i = 0; i < SR_ARRAY_LEN(hooks); i++) {
		if (strcmp(hooks[i].name, name) == 0)
			return &hooks[i];
	}
	return NULL;
}

static void print_result(TEEC_Result result, const struct message *response)
{
	printf("%08x ", result);
	for (size_t i = 0; result == TEEC_SUCCESS && i < response->len; i++)
		printf("%02x", response->data[i]);
	printf("\n");
}

static TEEC_Result invoke(const struct tee_api *api, TEEC_Session *session, const struct hook *hook,
			  struct message *response)
{
	struct message request = { 0 };
	TEEC_Operation op = { 0 };
	TEEC_Result result = TEEC_SUCCESS;

	put_framing(&request);
	hook->put_rest(&request);
	op.paramTypes = TEEC_PARAM_TYPES(TEEC_MEMREF_TEMP_INPUT, TEEC_MEMREF_TEMP_OUTPUT, TEEC_NONE,
					 TEEC_NONE);
	op.params[0].tmpref.buffer = request.data;
	op.params[0].tmpref.size = request.len;
	op.params[1].tmpref.buffer = response->data;
	op.params[1].tmpref.size = sizeof(response->data);
	result = api->invoke_command(session, hook->command, &op, NULL);
	response->len = op.params[1].tmpref.size;
	if (result == TEEC_SUCCESS && response->len >= RESPONSE_END)
		response->len -= RESPONSE_END;
	return result;
}

static int call_hook(const struct tee_api *api, const struct hook *hook, const TEEC_UUID *uuid)
{
	TEEC_Context context = { 0 };
	TEEC_Session session = { 0 };
	struct message response = { 0 };
	TEEC_Result result = api->initialize_context(NULL, &context);

	if (result != TEEC_SUCCESS)
		return 1;
	result = api->open_session(&context, &session, uuid, TEEC_LOGIN_PUBLIC, NULL, NULL, NULL);
	if (result == TEEC_SUCCESS) {
		result = invoke(api, &session, hook, &response);
		api->close_session(&session);
	}
	print_result(result, &response);
	api->finalize_context(&context);
	return 0;
}

int main(int argc, char **argv)
{
	const TEEC_UUID test_ta = SUPER_RELAY_TEST_TA_UUID;
	const TEEC_UUID production_ta = SUPER_RELAY_TA_UUID;
	const bool production = argc == 3 && strcmp(argv[2], "production") == 0;
	const struct hook *hook = argc == 2 || production ? find_hook(argv[1]) : NULL;
	struct sr_error err = { 0 };
	struct tee_api api = { 0 };

	if (!hook) {
		fprintf(stderr, "usage: ta-hook panic|abort|random|generate [production]\n");
		return 2;
	}
	if (!tee_load_optee(&api, &err)) {
		fprintf(stderr, "ta-hook: %s\n", err.message);
		return 1;
	}
	return call_hook(&api, hook, production ? &production_ta : &test_ta);
}
