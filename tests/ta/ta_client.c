/* SPDX-License-Identifier: Apache-2.0 */
#include "ta_client.h"

#include <secp256k1_recovery.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tee/sim/sim_test.h"

/* Of ta_client's memory: the request is at its start. */
#define RESPONSE_AT ((size_t)36864)

/* ---- the TEE ------------------------------------------------------------- */

bool ta_on_optee(void)
{
	const char *backend = getenv("SR_TA_TEST_BACKEND");

	return backend && !strcmp(backend, "optee");
}

unsigned ta_rounds(unsigned simulated)
{
	return ta_on_optee() ? 1 + simulated / 50 : simulated;
}

static const char *reason_to_leave_out(const struct ta_left_out *out, const char *test)
{
	while (out->test && strcmp(out->test, test) != 0)
		out++;
	return out->reason;
}

int ta_run_tests(const struct CMUnitTest *tests, size_t count, const struct ta_left_out *out)
{
	struct CMUnitTest *kept = calloc(count, sizeof(*kept));
	size_t n = 0;
	int failed = 0;

	if (!kept)
		return EXIT_FAILURE;
	for (size_t i = 0; i < count; i++) {
		const char *reason = ta_on_optee() ? reason_to_leave_out(out, tests[i].name) : NULL;

		if (reason)
			printf("# left out under OP-TEE: %s: %s\n", tests[i].name, reason);
		else
			kept[n++] = tests[i];
	}
	failed = _cmocka_run_group_tests("tests", kept, n, NULL, NULL);
	free(kept);
	return failed;
}

void ta_new_store(char out[static TEMP_DIR_MAX])
{
	assert_true(make_temp_dir(out));
}

void ta_remove_store(const char *store)
{
	(void)remove_temp_dir(store);
}

void ta_connect(struct ta_client *c)
{
	const TEEC_UUID uuid = SUPER_RELAY_TA_UUID;
	struct sr_error err = { 0 };
	uint32_t origin = 0;

	if (ta_on_optee() ? !tee_load_optee(&c->api, &err)
			  : !tee_load_simulator(c->store, &c->api, &err))
		fail_msg("%s", err.message);
	assert_int_equal(c->api.initialize_context(NULL, &c->context), TEEC_SUCCESS);
	assert_int_equal(c->api.open_session(&c->context, &c->session, &uuid, TEEC_LOGIN_PUBLIC,
					     NULL, NULL, &origin),
			 TEEC_SUCCESS);
}

static void share_memory(struct ta_client *c)
{
	c->memory = (TEEC_SharedMemory){ .size = RESPONSE_AT + SR_TA_RESPONSE_MAX,
					 .flags = TEEC_MEM_INPUT | TEEC_MEM_OUTPUT };
	assert_int_equal(c->api.allocate_shared_memory(&c->context, &c->memory), TEEC_SUCCESS);
}

void ta_disconnect(struct ta_client *c)
{
	if (c->memory.buffer)
		c->api.release_shared_memory(&c->memory);
	c->api.close_session(&c->session);
	c->api.finalize_context(&c->context);
	if (!ta_on_optee())
		sim_test_unload();
}

static void delete_all_keys(struct ta_client *c)
{
	static struct ta_request request;
	static struct ta_response response;

	do {
		size_t at = 3;

		begin_list(&request, "");
		assert_int_equal(call(c, SR_TA_CMD_LIST_KEYS, &request, &response), TEEC_SUCCESS);
		for (unsigned i = 0; i < response.data[2]; i++) {
			const struct key_info info = read_key_info(&response, &at);

			assert_int_equal(delete_key(c, info.id), TEEC_SUCCESS);
		}
	} while (response.data[2]);
}

int ta_setup(void **state)
{
	struct ta_client *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	if (!ta_on_optee())
		ta_new_store(c->store);
	ta_connect(c);
	if (ta_on_optee()) {
		share_memory(c);
		delete_all_keys(c);
	}
	*state = c;
	return 0;
}

int ta_teardown(void **state)
{
	struct ta_client *c = *state;

	ta_disconnect(c);
	if (c->store[0])
		ta_remove_store(c->store);
	free(c);
	return 0;
}

/* ---- requests ---------------------------------------------------------- */

void put_bytes(struct ta_request *r, const void *data, size_t len)
{
	assert_true(len <= sizeof(r->data) - r->len);
	if (len)
		memcpy(r->data + r->len, data, len);
	r->len += len;
}

static void put_le(struct ta_request *r, uint64_t v, size_t size)
{
	for (size_t i = 0; i < size; i++)
		put_bytes(r, &(uint8_t){ (uint8_t)(v >> (8 * i)) }, 1);
}

void put_u8(struct ta_request *r, uint8_t v)
{
	put_le(r, v, 1);
}

void put_u16(struct ta_request *r, uint16_t v)
{
	put_le(r, v, 2);
}

void put_u32(struct ta_request *r, uint32_t v)
{
	put_le(r, v, 4);
}

void put_u64(struct ta_request *r, uint64_t v)
{
	put_le(r, v, 8);
}

void put_id(struct ta_request *r, const char *id)
{
	put_u8(r, (uint8_t)strlen(id));
	put_bytes(r, id, strlen(id));
}

void begin(struct ta_request *r)
{
	r->len = 0;
	put_u8(r, SR_TA_WIRE_VERSION);
	put_u64(r, SR_TA_NO_LOG);
}

void begin_new_key(struct ta_request *r, uint8_t algorithm, uint32_t usage, const char *id)
{
	begin(r);
	put_u8(r, algorithm);
	put_u32(r, usage);
	put_id(r, id);
	put_u64(r, TEST_CREATED);
}

void put_host_entropy(struct ta_request *r, uint8_t byte)
{
	uint8_t bytes[SR_TA_HOST_ENTROPY_SIZE];

	memset(bytes, byte, sizeof(bytes));
	put_bytes(r, bytes, sizeof(bytes));
}

void begin_digests(struct ta_request *r, const char *id, unsigned count)
{
	begin(r);
	put_id(r, id);
	put_u8(r, (uint8_t)count);
	for (unsigned i = 0; i < count; i++) {
		uint8_t digest[32] = { 0xd1, (uint8_t)i };

		put_bytes(r, digest, sizeof(digest));
	}
}

void begin_message(struct ta_request *r, const char *id, const void *message, uint16_t len)
{
	begin(r);
	put_id(r, id);
	put_u8(r, 1);
	put_u16(r, len);
	put_bytes(r, message, len);
}

void begin_id(struct ta_request *r, const char *id)
{
	begin(r);
	put_id(r, id);
}

void begin_list(struct ta_request *r, const char *after)
{
	begin_id(r, after);
}

void begin_chain(struct ta_request *r)
{
	const uint8_t no_tail[8 + 8 + SR_TA_HEAD_SIZE] = { 0 };

	begin(r);
	put_u64(r, TEST_CREATED);
	put_host_entropy(r, 0xa5);
	put_bytes(r, no_tail, sizeof(no_tail));
	put_u8(r, 0);
}

static void set_hex(uint8_t *out, size_t len, const char *hex)
{
	assert_true(sr_hex_decode(hex, strlen(hex), out, len));
}

struct sponsorship sponsorship_vector(uint8_t digest[static 32])
{
	static const char empty_hash[] =
		"c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470";
	static const char *const words[7] = {
		"0000000000000000000000000000000000000000000000000000000000000007",
		empty_hash,
		/* keccak(0xdeadbeef) */
		"d4fd4e189132273036449fc9e11198c739161b4c0116a9a2dccdfa1c492006f1",
		"0000000000000000000000000002222200000000000000000000000000011111",
		"000000000000000000000000000186a00000000000000000000000000000c350",
		"0000000000000000000000000000000000000000000000000000000000003333",
		"0000000000000000000000003b9aca00000000000000000000000000b2d05e00",
	};
	struct sponsorship s = {
		.chain_id = 31337,
		.valid_until = 1900000000,
		.valid_after = 1800000000,
	};

	set_hex(s.entry_point, 20, "0000000071727De22E5E9d8BAf0edAc6f37da032");
	set_hex(s.paymaster, 20, "dc64a140aa3e981100a9beca4e685f962f0cf6c9");
	set_hex(s.sender, 20, "1234567890123456789012345678901234567890");
	for (size_t i = 0; i < 7; i++)
		set_hex(s.words[i], 32, words[i]);
	set_hex(digest, 32, "1dea6a4b9ed5a5c99fb68c8c3b381e72fd44517d050cafbcebaf5ec6fb505bc7");
	return s;
}

void begin_sponsorships(struct ta_request *r, const char *id, uint8_t count)
{
	begin(r);
	put_u8(r, SR_TA_SCHEME_VERIFYING_PAYMASTER_V07);
	put_id(r, id);
	put_u8(r, count);
}

void put_sponsorship(struct ta_request *r, const struct sponsorship *s)
{
	put_u64(r, s->chain_id);
	put_bytes(r, s->entry_point, 20);
	put_bytes(r, s->paymaster, 20);
	put_bytes(r, s->sender, 20);
	put_bytes(r, s->words, sizeof(s->words));
	put_u64(r, s->valid_until);
	put_u64(r, s->valid_after);
}

void fill_keys(struct ta_client *c)
{
	assert_int_equal(generate(c, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, "ec", NULL),
			 TEEC_SUCCESS);
	assert_int_equal(generate(c, SR_TA_ALG_ED25519, SR_TA_USAGE_DIGEST, "ed", NULL),
			 TEEC_SUCCESS);
	assert_int_equal(generate(c, SR_TA_ALG_SECP256K1, SR_TA_USAGE_SPONSOR, "pm", NULL),
			 TEEC_SUCCESS);
}

void begin_valid(struct ta_request *r, uint32_t command)
{
	uint8_t digest[32] = { 0 };
	const struct sponsorship s = sponsorship_vector(digest);

	begin(r);
	switch (command) {
	case SR_TA_CMD_GENERATE_KEY:
		begin_new_key(r, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, "new");
		put_host_entropy(r, 0x5a);
		break;
	case SR_TA_CMD_IMPORT_KEY:
		begin_new_key(r, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, "imported");
		put_bytes(r, digest, sizeof(digest));
		break;
	case SR_TA_CMD_SIGN_MESSAGE:
		begin_digests(r, "ec", 2);
		break;
	case SR_TA_CMD_GET_PUBLIC_KEY:
	case SR_TA_CMD_DELETE_KEY:
		begin_id(r, "ed");
		break;
	case SR_TA_CMD_SIGN_SPONSORSHIP:
		begin_sponsorships(r, "pm", 2);
		put_sponsorship(r, &s);
		put_sponsorship(r, &s);
		break;
	case SR_TA_CMD_LIST_KEYS:
		begin_list(r, "");
		break;
	default:
		break;
	}
}

/* ---- calls ------------------------------------------------------------- */

static TEEC_Result call_shared(struct ta_client *c, uint32_t command, const struct ta_request *r,
			       struct ta_response *out, size_t room)
{
	uint8_t *memory = c->memory.buffer;
	TEEC_Operation op = { 0 };
	TEEC_Result result = TEEC_SUCCESS;

	op.paramTypes = TEEC_PARAM_TYPES(TEEC_MEMREF_PARTIAL_INPUT, TEEC_MEMREF_PARTIAL_OUTPUT,
					 TEEC_NONE, TEEC_NONE);
	op.params[0].memref.parent = &c->memory;
	op.params[0].memref.size = r->len;
	op.params[1].memref.parent = &c->memory;
	op.params[1].memref.offset = RESPONSE_AT;
	op.params[1].memref.size = room;
	memcpy(memory, r->data, r->len);
	memcpy(memory + RESPONSE_AT, out->data, room);
	result = c->api.invoke_command(&c->session, command, &op, &out->origin);
	memcpy(out->data, memory + RESPONSE_AT, room);
	out->len = op.params[1].memref.size;
	return result;
}

static TEEC_Result call_raw(struct ta_client *c, uint32_t command, const struct ta_request *r,
			    struct ta_response *out, size_t room)
{
	TEEC_Operation op = { 0 };
	TEEC_Result result = TEEC_SUCCESS;

	if (c->memory.buffer && r->len && room)
		return call_shared(c, command, r, out, room);
	op.paramTypes = TEEC_PARAM_TYPES(TEEC_MEMREF_TEMP_INPUT, TEEC_MEMREF_TEMP_OUTPUT, TEEC_NONE,
					 TEEC_NONE);
	memcpy(&op.params[0].tmpref.buffer, &(const void *){ r->data }, sizeof(void *));
	op.params[0].tmpref.size = r->len;
	op.params[1].tmpref.buffer = room ? out->data : NULL;
	op.params[1].tmpref.size = room;
	result = c->api.invoke_command(&c->session, command, &op, &out->origin);
	out->len = op.params[1].tmpref.size;
	return result;
}

TEEC_Result call_sized(struct ta_client *c, uint32_t command, const struct ta_request *r,
		       struct ta_response *out, size_t room)
{
	static const uint8_t no_log[8] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	const TEEC_Result result = call_raw(c, command, r, out, room);

	if (result == TEEC_SUCCESS && r->len >= FRAMING &&
	    !memcmp(r->data + 1, no_log, sizeof(no_log))) {
		assert_true(out->len >= 1 + RESPONSE_END);
		out->len -= RESPONSE_END;
		assert_memory_equal(out->data + out->len, "\0\0", RESPONSE_END);
	}
	return result;
}

TEEC_Result call(struct ta_client *c, uint32_t command, const struct ta_request *r,
		 struct ta_response *out)
{
	return call_sized(c, command, r, out, sizeof(out->data));
}

static uint64_t get_le(const struct ta_response *response, size_t *at, size_t size)
{
	uint64_t v = 0;

	assert_true(*at + size <= response->len);
	for (size_t i = 0; i < size; i++)
		v |= (uint64_t)response->data[*at + i] << (8 * i);
	*at += size;
	return v;
}

struct key_info read_key_info(const struct ta_response *response, size_t *at)
{
	struct key_info info = { 0 };
	size_t len = get_le(response, at, 1);

	assert_true(len <= SR_TA_KEY_ID_MAX && *at + len <= response->len);
	memcpy(info.id, response->data + *at, len);
	*at += len;
	info.algorithm = (uint8_t)get_le(response, at, 1);
	info.origin = (uint8_t)get_le(response, at, 1);
	info.usage = (uint32_t)get_le(response, at, 4);
	info.created = get_le(response, at, 8);
	info.public_len = get_le(response, at, 1);
	assert_true(info.public_len <= SR_TA_PUBLIC_KEY_MAX &&
		    *at + info.public_len <= response->len);
	memcpy(info.public_key, response->data + *at, info.public_len);
	*at += info.public_len;
	info.policy_version = (uint32_t)get_le(response, at, 4);
	return info;
}

static TEEC_Result call_for_key(struct ta_client *c, uint32_t command, const struct ta_request *r,
				struct key_info *out)
{
	static _Thread_local struct ta_response response;
	TEEC_Result result = call(c, command, r, &response);
	size_t at = 1;

	if (result != TEEC_SUCCESS) {
		assert_int_equal(response.len, 0);
		return result;
	}
	assert_int_equal(response.data[0], SR_TA_WIRE_VERSION);
	if (out)
		*out = read_key_info(&response, &at);
	if (out)
		assert_int_equal(at, response.len);
	return TEEC_SUCCESS;
}

TEEC_Result generate(struct ta_client *c, uint8_t algorithm, uint32_t usage, const char *id,
		     struct key_info *out)
{
	static _Thread_local struct ta_request request;

	begin_new_key(&request, algorithm, usage, id);
	put_host_entropy(&request, 0xa5);
	return call_for_key(c, SR_TA_CMD_GENERATE_KEY, &request, out);
}

TEEC_Result get_key(struct ta_client *c, const char *id, struct key_info *out)
{
	static _Thread_local struct ta_request request;

	begin_id(&request, id);
	return call_for_key(c, SR_TA_CMD_GET_PUBLIC_KEY, &request, out);
}

TEEC_Result delete_key(struct ta_client *c, const char *id)
{
	static _Thread_local struct ta_request request;

	begin_id(&request, id);
	return call_for_key(c, SR_TA_CMD_DELETE_KEY, &request, NULL);
}

TEEC_Result sign_digest(struct ta_client *c, const char *id, const uint8_t digest[static 32],
			uint8_t signature[static 65])
{
	static _Thread_local struct ta_request request;
	static _Thread_local struct ta_response response;
	TEEC_Result result = TEEC_SUCCESS;

	begin(&request);
	put_id(&request, id);
	put_u8(&request, 1);
	put_bytes(&request, digest, 32);
	result = call(c, SR_TA_CMD_SIGN_MESSAGE, &request, &response);
	if (result == TEEC_SUCCESS) {
		assert_int_equal(response.len, 2 + 65);
		memcpy(signature, response.data + 2, 65);
	}
	return result;
}

unsigned count_keys(struct ta_client *c)
{
	struct ta_request request = { 0 };
	struct ta_response response = { 0 };
	size_t at = 1 + 3 + 4 + 4 + 4;

	begin(&request);
	assert_int_equal(call(c, SR_TA_CMD_GET_INFO, &request, &response), TEEC_SUCCESS);
	return (unsigned)get_le(&response, &at, 2);
}

/* ---- judges ------------------------------------------------------------- */

bool secp256k1_signature_good(const uint8_t public_key[static 65], const uint8_t digest[static 32],
			      const uint8_t signature[static 65])
{
	secp256k1_context *context = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
	secp256k1_ecdsa_recoverable_signature recoverable;
	secp256k1_ecdsa_signature plain;
	secp256k1_pubkey key;
	uint8_t recovered[65] = { 0 };
	size_t len = sizeof(recovered);
	bool good = signature[64] == 27 || signature[64] == 28;

	good = good && secp256k1_ecdsa_recoverable_signature_parse_compact(
			       context, &recoverable, signature, signature[64] - 27);
	good = good && secp256k1_ecdsa_recover(context, &key, &recoverable, digest);
	good = good && secp256k1_ec_pubkey_serialize(context, recovered, &len, &key,
						     SECP256K1_EC_UNCOMPRESSED);
	good = good && !memcmp(recovered, public_key, sizeof(recovered));
	/* verify refuses a high s */
	good = good && secp256k1_ecdsa_recoverable_signature_convert(context, &plain, &recoverable);
	good = good && secp256k1_ecdsa_verify(context, &plain, digest, &key);
	secp256k1_context_destroy(context);
	return good;
}
