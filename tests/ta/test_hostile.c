/* SPDX-License-Identifier: Apache-2.0 */
/* A normal world that does not keep to the contract. Nothing here may panic the TA. */
#include "ta_client.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

static struct ta_request request;
static struct ta_response response;

/* The TA lives, has its two keys and no other, and they still sign. */
static void assert_unharmed(struct ta_client *c)
{
	static const uint8_t digest[32] = { 3 };
	struct key_info key = { 0 };
	uint8_t signature[65] = { 0 };

	assert_int_equal(count_keys(c), FILLED_KEYS);
	assert_int_equal(get_key(c, "ec", &key), TEEC_SUCCESS);
	assert_int_equal(sign_digest(c, "ec", digest, signature), TEEC_SUCCESS);
	assert_true(secp256k1_signature_good(key.public_key, digest, signature));
	assert_int_equal(get_key(c, "ed", NULL), TEEC_SUCCESS);
}

/* ---- parameter types --------------------------------------------------- */

/* One parameter of the type, sound as the client API sees it. */
static void set_parameter(TEEC_Operation *op, unsigned i, uint32_t type, TEEC_SharedMemory *memory)
{
	static uint8_t scratch[256];

	memset(&op->params[i], 0, sizeof(op->params[i]));
	if (type >= TEEC_MEMREF_WHOLE) {
		op->params[i].memref.parent = memory;
		op->params[i].memref.size = 16;
	} else if (type >= TEEC_MEMREF_TEMP_INPUT) {
		op->params[i].tmpref.buffer = scratch;
		op->params[i].tmpref.size = sizeof(scratch);
	} else if (type != TEEC_NONE) {
		/* What a TA that does not compare types would take for an address. */
		op->params[i].value.a = 0x41414141;
		op->params[i].value.b = 0x41414141;
	}
}

static void refuses_every_other_parameter_type(void **state)
{
	static const uint32_t all[] = {
		TEEC_NONE,
		TEEC_VALUE_INPUT,
		TEEC_VALUE_OUTPUT,
		TEEC_VALUE_INOUT,
		TEEC_MEMREF_TEMP_INPUT,
		TEEC_MEMREF_TEMP_OUTPUT,
		TEEC_MEMREF_TEMP_INOUT,
		TEEC_MEMREF_WHOLE,
		TEEC_MEMREF_PARTIAL_INPUT,
		TEEC_MEMREF_PARTIAL_OUTPUT,
		TEEC_MEMREF_PARTIAL_INOUT,
	};
	struct ta_client *c = *state;
	TEEC_SharedMemory memory = { .size = 64, .flags = TEEC_MEM_INPUT | TEEC_MEM_OUTPUT };

	fill_keys(c);
	assert_int_equal(c->api.allocate_shared_memory(&c->context, &memory), TEEC_SUCCESS);
	for (uint32_t command = 0; command < COMMANDS + 1; command++) {
		for (unsigned i = 0; i < 4 * SR_ARRAY_LEN(all); i++) {
			const unsigned at = i % 4;
			uint32_t types[4] = { TEEC_MEMREF_TEMP_INPUT, TEEC_MEMREF_TEMP_OUTPUT,
					      TEEC_NONE, TEEC_NONE };
			TEEC_Operation op = { 0 };
			uint32_t origin = 0;

			/* The same type to the TA. */
			if (types[at] == all[i / 4] ||
			    (at == 0 && all[i / 4] == TEEC_MEMREF_PARTIAL_INPUT) ||
			    (at == 1 && all[i / 4] == TEEC_MEMREF_PARTIAL_OUTPUT))
				continue;
			types[at] = all[i / 4];
			for (unsigned p = 0; p < 4; p++)
				set_parameter(&op, p, types[p], &memory);
			op.paramTypes = TEEC_PARAM_TYPES(types[0], types[1], types[2], types[3]);
			assert_int_equal(c->api.invoke_command(&c->session, command, &op, &origin),
					 TEEC_ERROR_BAD_PARAMETERS);
			assert_int_equal(origin, TEEC_ORIGIN_TRUSTED_APP);
		}
		assert_int_equal(c->api.invoke_command(&c->session, command, NULL, NULL),
				 TEEC_ERROR_BAD_PARAMETERS);
	}
	c->api.release_shared_memory(&memory);
	assert_unharmed(c);
}

static void opens_no_session_with_parameters(void **state)
{
	static const TEEC_UUID uuid = SUPER_RELAY_TA_UUID;
	struct ta_client *c = *state;
	TEEC_Operation op = { .paramTypes = TEEC_PARAM_TYPES(TEEC_VALUE_INPUT, TEEC_NONE, TEEC_NONE,
							     TEEC_NONE) };
	TEEC_Session session = { 0 };
	uint32_t origin = 0;

	assert_int_equal(c->api.open_session(&c->context, &session, &uuid, TEEC_LOGIN_PUBLIC, NULL,
					     &op, &origin),
			 TEEC_ERROR_BAD_PARAMETERS);
	assert_int_equal(origin, TEEC_ORIGIN_TRUSTED_APP);
}

static void refuses_unknown_commands(void **state)
{
	static const uint32_t unknown[] = { SR_TA_COMMANDS, SR_TA_COMMANDS + 1, 255,
					    0x7fffffff,	    0x80000000,		0xffffffff };
	struct ta_client *c = *state;

	begin(&request);
	for (size_t i = 0; i < SR_ARRAY_LEN(unknown); i++)
		assert_int_equal(call(c, unknown[i], &request, &response),
				 TEEC_ERROR_NOT_SUPPORTED);
}

/* ---- requests ---------------------------------------------------------- */

static void refuses_every_request_cut_short(void **state)
{
	struct ta_client *c = *state;

	fill_keys(c);
	for (uint32_t command = 0; command < COMMANDS; command++) {
		begin_valid(&request, command);
		while (request.len-- > 0) {
			assert_int_equal(call(c, command, &request, &response),
					 TEEC_ERROR_BAD_FORMAT);
			assert_int_equal(response.len, 0);
		}
	}
	assert_unharmed(c);
}

static void refuses_bytes_left_over(void **state)
{
	struct ta_client *c = *state;

	fill_keys(c);
	for (uint32_t command = 0; command < COMMANDS; command++) {
		begin_valid(&request, command);
		put_u8(&request, 0);
		assert_int_equal(call(c, command, &request, &response), TEEC_ERROR_BAD_FORMAT);
	}
	assert_unharmed(c);
}

static void refuses_other_versions(void **state)
{
	static const uint8_t versions[] = { 0, SR_TA_WIRE_VERSION + 1, 255 };
	struct ta_client *c = *state;

	fill_keys(c);
	for (uint32_t command = 0; command < COMMANDS; command++) {
		for (size_t i = 0; i < sizeof(versions); i++) {
			begin_valid(&request, command);
			request.data[0] = versions[i];
			assert_int_equal(call(c, command, &request, &response),
					 TEEC_ERROR_BAD_FORMAT);
		}
	}
	assert_unharmed(c);
}

static void bounds_the_size_of_a_request(void **state)
{
	static const struct {
		size_t size;
		TEEC_Result expected;
	} cases[] = {
		{ 0, TEEC_ERROR_BAD_FORMAT },
		{ SR_TA_REQUEST_MAX, TEEC_ERROR_BAD_FORMAT },
		{ SR_TA_REQUEST_MAX + 1, TEEC_ERROR_BAD_PARAMETERS },
	};
	struct ta_client *c = *state;

	fill_keys(c);
	for (uint32_t command = 0; command < COMMANDS; command++) {
		for (size_t i = 0; i < SR_ARRAY_LEN(cases); i++) {
			begin_valid(&request, command);
			memset(request.data + request.len, 0, sizeof(request.data) - request.len);
			request.len = cases[i].size;
			assert_int_equal(call(c, command, &request, &response), cases[i].expected);
		}
	}
	assert_unharmed(c);
}

static void bears_random_requests(void **state)
{
	struct ta_client *c = *state;

	fill_keys(c);
	for (unsigned i = 0; i < ta_rounds(20000); i++) {
		const uint32_t command = randombytes_uniform(COMMANDS);
		const uint32_t changes = 1 + randombytes_uniform(4);
		TEEC_Result result = TEEC_SUCCESS;

		if (command == SR_TA_CMD_GENERATE_KEY || command == SR_TA_CMD_IMPORT_KEY ||
		    command == SR_TA_CMD_DELETE_KEY)
			continue;
		begin_valid(&request, command);
		for (uint32_t n = 0; n < changes; n++)
			request.data[randombytes_uniform((uint32_t)request.len)] =
				(uint8_t)randombytes_random();
		result = call(c, command, &request, &response);
		assert_int_not_equal(result, TEEC_ERROR_TARGET_DEAD);
		assert_int_equal(response.origin, TEEC_ORIGIN_TRUSTED_APP);
	}
	assert_unharmed(c);
}

/* ---- responses --------------------------------------------------------- */

static void does_nothing_when_the_answer_does_not_fit(void **state)
{
	struct ta_client *c = *state;

	fill_keys(c);
	for (uint32_t command = 0; command < COMMANDS; command++) {
		size_t needed = 0;

		begin_valid(&request, command);
		/* A valid secret where there is none: all zeros is refused earlier. */
		if (command == SR_TA_CMD_IMPORT_KEY)
			request.data[request.len - 1] = 1;
		assert_int_equal(call_sized(c, command, &request, &response, 0),
				 TEEC_ERROR_SHORT_BUFFER);
		needed = response.len;
		assert_in_range(needed, 1, SR_TA_RESPONSE_MAX);
		for (size_t room = 0; room < needed;
		     room += room + 1 < needed ? 1 + needed / 9 : 1) {
			memset(response.data, 0xee, sizeof(response.data));
			assert_int_equal(call_sized(c, command, &request, &response, room),
					 TEEC_ERROR_SHORT_BUFFER);
			assert_int_equal(response.len, needed);
			for (size_t i = 0; i < sizeof(response.data); i++)
				assert_int_equal(response.data[i], 0xee);
		}
		assert_unharmed(c);
		if (command == SR_TA_CMD_DELETE_KEY)
			continue;
		/* The size it asked for is the size it needs. */
		assert_int_equal(call_sized(c, command, &request, &response, needed), TEEC_SUCCESS);
		if (command == SR_TA_CMD_GENERATE_KEY)
			assert_int_equal(delete_key(c, "new"), TEEC_SUCCESS);
		if (command == SR_TA_CMD_IMPORT_KEY)
			assert_int_equal(delete_key(c, "imported"), TEEC_SUCCESS);
	}
}

/* ---- shared memory ------------------------------------------------------- */

static void takes_request_and_response_in_one_buffer(void **state)
{
	struct ta_client *c = *state;
	TEEC_SharedMemory memory = { .size = 256, .flags = TEEC_MEM_INPUT | TEEC_MEM_OUTPUT };
	TEEC_Operation op = { 0 };

	fill_keys(c);
	assert_int_equal(c->api.allocate_shared_memory(&c->context, &memory), TEEC_SUCCESS);
	begin_id(&request, "ec");
	memcpy(memory.buffer, request.data, request.len);
	op.paramTypes = TEEC_PARAM_TYPES(TEEC_MEMREF_PARTIAL_INPUT, TEEC_MEMREF_PARTIAL_OUTPUT,
					 TEEC_NONE, TEEC_NONE);
	op.params[0].memref.parent = &memory;
	op.params[0].memref.size = request.len;
	op.params[1].memref.parent = &memory;
	op.params[1].memref.size = memory.size;
	assert_int_equal(c->api.invoke_command(&c->session, SR_TA_CMD_GET_PUBLIC_KEY, &op, NULL),
			 TEEC_SUCCESS);
	assert_int_equal(op.params[1].memref.size,
			 1 + 3 + 1 + 1 + 4 + 8 + 1 + 65 + 4 + RESPONSE_END);
	assert_memory_equal((uint8_t *)memory.buffer + 1, "\2ec", 3);
	c->api.release_shared_memory(&memory);
}

struct rewriter {
	volatile uint8_t *byte;
	atomic_bool stop;
};

/* Turns a byte of the request back and forth while the TA works on it. A race by
 * intention: that is what a hostile normal world does. */
__attribute__((no_sanitize("thread"))) static void *rewrite(void *arg)
{
	struct rewriter *r = arg;

	while (!atomic_load(&r->stop))
		*r->byte ^= 0xff;
	return NULL;
}

/* A request of one message in shared memory; *byte is turned under the TA. */
struct turning {
	TEEC_SharedMemory memory;
	struct rewriter rewriter;
	pthread_t thread;
};

static void start_turning(struct turning *t, struct ta_client *c, size_t at)
{
	t->memory = (TEEC_SharedMemory){ .size = 8192, .flags = TEEC_MEM_INPUT | TEEC_MEM_OUTPUT };
	assert_int_equal(c->api.allocate_shared_memory(&c->context, &t->memory), TEEC_SUCCESS);
	memcpy(t->memory.buffer, request.data, request.len);
	t->rewriter = (struct rewriter){ .byte = (uint8_t *)t->memory.buffer + at };
	assert_int_equal(pthread_create(&t->thread, NULL, rewrite, &t->rewriter), 0);
}

static const uint8_t *invoke_turning(struct turning *t, struct ta_client *c, uint32_t command)
{
	TEEC_Operation op = { 0 };

	op.paramTypes = TEEC_PARAM_TYPES(TEEC_MEMREF_PARTIAL_INPUT, TEEC_MEMREF_PARTIAL_OUTPUT,
					 TEEC_NONE, TEEC_NONE);
	op.params[0].memref.parent = &t->memory;
	op.params[0].memref.size = request.len;
	op.params[1].memref.parent = &t->memory;
	op.params[1].memref.offset = 6144;
	op.params[1].memref.size = 2048;
	assert_int_equal(c->api.invoke_command(&c->session, command, &op, NULL), TEEC_SUCCESS);
	return (uint8_t *)t->memory.buffer + 6144;
}

static void stop_turning(struct turning *t, struct ta_client *c)
{
	atomic_store(&t->rewriter.stop, true);
	pthread_join(t->thread, NULL);
	c->api.release_shared_memory(&t->memory);
}

/* A message read twice would not verify against itself, and be SECURITY. */
static void signs_one_of_two_messages_when_one_becomes_the_other(void **state)
{
	static uint8_t message[2][SR_TA_MESSAGE_MAX];
	struct ta_client *c = *state;
	struct key_info ec = { 0 };
	struct key_info ed = { 0 };
	struct turning turning = { 0 };

	fill_keys(c);
	assert_int_equal(get_key(c, "ec", &ec), TEEC_SUCCESS);
	assert_int_equal(get_key(c, "ed", &ed), TEEC_SUCCESS);
	begin_digests(&request, "ec", 1);
	memcpy(message[0], request.data + FRAMING + 4, 32);
	memcpy(message[1], request.data + FRAMING + 4, 32);
	message[1][31] ^= 0xff;
	start_turning(&turning, c, request.len - 1);
	for (unsigned i = 0; i < ta_rounds(1000); i++) {
		const uint8_t *out = invoke_turning(&turning, c, SR_TA_CMD_SIGN_MESSAGE);

		assert_true(secp256k1_signature_good(ec.public_key, message[0], out + 2) ||
			    secp256k1_signature_good(ec.public_key, message[1], out + 2));
	}
	stop_turning(&turning, c);
	memset(message, 0, sizeof(message));
	message[1][SR_TA_MESSAGE_MAX - 1] = 0xff;
	begin_message(&request, "ed", message[0], SR_TA_MESSAGE_MAX);
	start_turning(&turning, c, request.len - 1);
	for (unsigned i = 0; i < ta_rounds(1000); i++) {
		const uint8_t *out = invoke_turning(&turning, c, SR_TA_CMD_SIGN_MESSAGE);

		assert_true(!crypto_sign_verify_detached(out + 2, message[0], SR_TA_MESSAGE_MAX,
							 ed.public_key) ||
			    !crypto_sign_verify_detached(out + 2, message[1], SR_TA_MESSAGE_MAX,
							 ed.public_key));
	}
	stop_turning(&turning, c);
}

/*
 * Whatever bytes the TA saw, it saw them once: the digest it returns and the
 * signature belong together, and an item is judged by what is then signed.
 */
static void signs_what_it_has_judged_when_the_request_changes_under_it(void **state)
{
	struct ta_client *c = *state;
	uint8_t digest[32] = { 0 };
	struct sponsorship s = sponsorship_vector(digest);
	struct turning turning = { 0 };
	struct key_info key = { 0 };
	unsigned signed_items = 0;
	unsigned refused_items = 0;

	fill_keys(c);
	assert_int_equal(get_key(c, "pm", &key), TEEC_SUCCESS);
	/* validUntil's last byte turns between 47 bits and too many. */
	s.valid_until = 0x00001234567890ab;
	begin_sponsorships(&request, "pm", 1);
	put_sponsorship(&request, &s);
	start_turning(&turning, c, request.len - 9);
	for (unsigned i = 0; i < ta_rounds(3000); i++) {
		const uint8_t *out = invoke_turning(&turning, c, SR_TA_CMD_SIGN_SPONSORSHIP);

		if (out[2] || out[3] || out[4] || out[5]) {
			refused_items++;
			continue;
		}
		signed_items++;
		assert_true(secp256k1_signature_good(key.public_key, out + 6, out + 6 + 32));
		/* Only one value of the byte is within 47 bits: it is the one signed. */
		if (i == 0 || signed_items == 1)
			memcpy(digest, out + 6, sizeof(digest));
		assert_memory_equal(out + 6, digest, sizeof(digest));
	}
	stop_turning(&turning, c);
	/* It did change under it. */
	assert_true(signed_items > 0 && refused_items > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(refuses_every_other_parameter_type, ta_setup,
						ta_teardown),
		cmocka_unit_test_setup_teardown(opens_no_session_with_parameters, ta_setup,
						ta_teardown),
		cmocka_unit_test_setup_teardown(refuses_unknown_commands, ta_setup, ta_teardown),
		cmocka_unit_test_setup_teardown(refuses_every_request_cut_short, ta_setup,
						ta_teardown),
		cmocka_unit_test_setup_teardown(refuses_bytes_left_over, ta_setup, ta_teardown),
		cmocka_unit_test_setup_teardown(refuses_other_versions, ta_setup, ta_teardown),
		cmocka_unit_test_setup_teardown(bounds_the_size_of_a_request, ta_setup,
						ta_teardown),
		cmocka_unit_test_setup_teardown(bears_random_requests, ta_setup, ta_teardown),
		cmocka_unit_test_setup_teardown(does_nothing_when_the_answer_does_not_fit, ta_setup,
						ta_teardown),
		cmocka_unit_test_setup_teardown(takes_request_and_response_in_one_buffer, ta_setup,
						ta_teardown),
		cmocka_unit_test_setup_teardown(
			signs_one_of_two_messages_when_one_becomes_the_other, ta_setup,
			ta_teardown),
		cmocka_unit_test_setup_teardown(
			signs_what_it_has_judged_when_the_request_changes_under_it, ta_setup,
			ta_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
