/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IMPORT_WRAPPED of envelopes that the normal world has sealed, on a TA that is not
 * provisioned: what the simulator and OP-TEE must do alike. The rest is in test_wrap.c.
 */
#include "ta_client.h"

#include <sodium.h>
#include <string.h>

#include "kms/envelope.h"

static struct ta_request request;
static struct ta_response response;

/* The transport key stands in the TA's statement. */
static void transport_key(struct ta_client *c, uint8_t out[static 32])
{
	/* magic, version, nonce, UUID, version, features, levels, two public keys before it */
	const size_t at = 1 + 2 + 4 + 1 + 32 + 16 + 3 + 4 + 4 + 4 + 65 + 65;
	const uint8_t nonce[32] = { 0x21 };

	begin_chain(&request);
	assert_int_equal(call(c, SR_TA_CMD_BEGIN, &request, &response), TEEC_SUCCESS);
	begin(&request);
	put_bytes(&request, nonce, sizeof(nonce));
	put_id(&request, "");
	put_u8(&request, 0);
	assert_int_equal(call(c, SR_TA_CMD_ATTEST, &request, &response), TEEC_SUCCESS);
	assert_true(response.len > at + 32);
	memcpy(out, response.data + at, 32);
}

static struct kms_envelope *new_envelope(struct ta_client *c, uint8_t algorithm, const char *id)
{
	static const uint8_t uuid[KMS_UUID_SIZE] = {
		0x12, 0x34, 0x56, 0x78, 0x5b, 0x69, 0x11, 0xd4,
		0x9f, 0xee, 0x00, 0xc0, 0x4f, 0x4c, 0x34, 0x56
	};
	struct kms_envelope *e = kms_envelope_new(NULL);

	assert_non_null(e);
	e->key.algorithm = algorithm;
	e->key.usage = SR_TA_USAGE_DIGEST;
	e->key.origin = SR_TA_ORIGIN_IMPORTED_WRAPPED;
	memcpy(e->key.id, id, strlen(id) + 1);
	memcpy(e->ta_uuid, uuid, sizeof(uuid));
	e->secret[0] = 1;
	randombytes_buf(e->secret + 1, sizeof(e->secret) - 1);
	assert_true(kms_derive_public(e->secret, &e->key, NULL));
	transport_key(c, e->recipient);
	return e;
}

static void begin_import(struct kms_envelope *e)
{
	uint8_t bytes[SR_TA_ENVELOPE_MAX];
	size_t len = 0;

	assert_true(kms_envelope_seal(e, bytes, &len, NULL));
	begin(&request);
	put_u16(&request, (uint16_t)len);
	put_bytes(&request, bytes, len);
	put_u64(&request, TEST_CREATED);
}

static void imports_what_the_normal_world_has_sealed(void **state)
{
	static const uint8_t algorithms[] = { SR_TA_ALG_SECP256K1, SR_TA_ALG_ED25519 };
	struct ta_client *c = *state;

	for (size_t i = 0; i < sizeof(algorithms); i++) {
		struct kms_envelope *e = new_envelope(c, algorithms[i], "wrapped");
		struct key_info info = { 0 };

		begin_import(e);
		assert_int_equal(call(c, SR_TA_CMD_IMPORT_WRAPPED, &request, &response),
				 TEEC_SUCCESS);
		assert_int_equal(get_key(c, "wrapped", &info), TEEC_SUCCESS);
		assert_int_equal(info.origin, SR_TA_ORIGIN_IMPORTED_WRAPPED);
		assert_int_equal(info.usage, SR_TA_USAGE_DIGEST);
		assert_int_equal(info.created, TEST_CREATED);
		assert_int_equal(info.public_len, e->key.public_key_len);
		assert_memory_equal(info.public_key, e->key.public_key, info.public_len);
		assert_int_equal(call(c, SR_TA_CMD_IMPORT_WRAPPED, &request, &response),
				 TEEC_ERROR_ACCESS_CONFLICT);
		assert_int_equal(delete_key(c, "wrapped"), TEEC_SUCCESS);
		kms_locked_free(e);
	}
}

static void signs_with_the_key_that_was_sealed(void **state)
{
	static const uint8_t digest[32] = { 3 };
	struct ta_client *c = *state;
	struct kms_envelope *e = new_envelope(c, SR_TA_ALG_SECP256K1, "wrapped");
	uint8_t signature[65] = { 0 };

	begin_import(e);
	assert_int_equal(call(c, SR_TA_CMD_IMPORT_WRAPPED, &request, &response), TEEC_SUCCESS);
	assert_int_equal(sign_digest(c, "wrapped", digest, signature), TEEC_SUCCESS);
	assert_true(secp256k1_signature_good(e->key.public_key, digest, signature));
	kms_locked_free(e);
}

static void refuses_what_was_changed_behind_the_clear_part(void **state)
{
	struct ta_client *c = *state;
	struct kms_envelope *e = new_envelope(c, SR_TA_ALG_SECP256K1, "wrapped");
	/* tag, ciphertext and nonce end before the time */
	const size_t sealed = 12 + 32 + 16;
	size_t end = 0;

	begin_import(e);
	end = request.len - 8;
	for (size_t i = 0; i < ta_rounds(sealed); i++) {
		request.data[end - 1 - i] ^= 0x10;
		assert_int_equal(call(c, SR_TA_CMD_IMPORT_WRAPPED, &request, &response),
				 TEEC_ERROR_SECURITY);
		request.data[end - 1 - i] ^= 0x10;
	}
	assert_int_equal(get_key(c, "wrapped", NULL), TEEC_ERROR_ITEM_NOT_FOUND);
	assert_int_equal(call(c, SR_TA_CMD_IMPORT_WRAPPED, &request, &response), TEEC_SUCCESS);
	kms_locked_free(e);
}

static void refuses_another_recipient_and_an_ephemeral_key_of_small_order(void **state)
{
	const size_t at_recipient = FRAMING + 2 + 5 + KMS_UUID_SIZE;
	struct ta_client *c = *state;
	struct kms_envelope *e = new_envelope(c, SR_TA_ALG_SECP256K1, "wrapped");

	begin_import(e);
	memset(request.data + at_recipient + 32, 0, 32);
	assert_int_equal(call(c, SR_TA_CMD_IMPORT_WRAPPED, &request, &response),
			 TEEC_ERROR_SECURITY);
	begin_import(e);
	request.data[at_recipient] ^= 1;
	assert_int_equal(call(c, SR_TA_CMD_IMPORT_WRAPPED, &request, &response),
			 TEEC_ERROR_BAD_PARAMETERS);
	assert_int_equal(get_key(c, "wrapped", NULL), TEEC_ERROR_ITEM_NOT_FOUND);
	kms_locked_free(e);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, ta_setup, ta_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(imports_what_the_normal_world_has_sealed),
		TEST(signs_with_the_key_that_was_sealed),
		TEST(refuses_what_was_changed_behind_the_clear_part),
		TEST(refuses_another_recipient_and_an_ephemeral_key_of_small_order),
	};
	static const struct ta_left_out none[] = { { 0 } };

	return ta_run_tests(tests, SR_ARRAY_LEN(tests), none);
}
