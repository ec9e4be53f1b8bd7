/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulator's digests, HMAC, AES-GCM and X25519: known answers, and the states of an
 * operation as OP-TEE 4.10 has them, panics included.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "shim_ta.h"

#define REQUIRE(condition)                        \
	do {                                      \
		if (!(condition))                 \
			return TEE_ERROR_GENERIC; \
	} while (0)

static TEE_OperationHandle operation;
static uint8_t out[256];
static size_t out_len;

static TEE_Result allocate(uint32_t algorithm, uint32_t mode, uint32_t bits)
{
	return TEE_AllocateOperation(&operation, algorithm, mode, bits);
}

/* An object of this type and size with a secret of so many bytes of this value. */
static TEE_Result secret_object(uint32_t type, uint32_t bits, uint8_t value, size_t len,
				TEE_ObjectHandle *object)
{
	static uint8_t secret[600];
	TEE_Attribute attr = { 0 };
	TEE_Result result = TEE_AllocateTransientObject(type, bits, object);

	memset(secret, value, sizeof(secret));
	TEE_InitRefAttribute(&attr, TEE_ATTR_SECRET_VALUE, secret, len);
	return result == TEE_SUCCESS ? TEE_PopulateTransientObject(*object, &attr, 1) : result;
}

static TEE_Result set_secret(uint32_t type, uint32_t bits, uint8_t value, size_t len)
{
	TEE_ObjectHandle object = TEE_HANDLE_NULL;
	TEE_Result result = secret_object(type, bits, value, len, &object);

	if (result == TEE_SUCCESS)
		result = TEE_SetOperationKey(operation, object);
	TEE_FreeTransientObject(object);
	return result;
}

/* ---- SHA-256 --------------------------------------------------------------------- */

static const char abc_sha256[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
static const char empty_sha256[] =
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

static TEE_Result equals(const char *hex)
{
	uint8_t expected[sizeof(out)] = { 0 };

	shim_hex(hex, expected, strlen(hex) / 2);
	return out_len == strlen(hex) / 2 && !memcmp(out, expected, out_len) ? TEE_SUCCESS
									     : TEE_ERROR_GENERIC;
}

static TEE_Result sha256_in_pieces(TEE_Param params[TEE_NUM_PARAMS])
{
	(void)params;
	REQUIRE(allocate(TEE_ALG_SHA256, TEE_MODE_DIGEST, 0) == TEE_SUCCESS);
	/* One operation for a life: each final function leaves it as new. */
	for (int i = 0; i < 1000; i++) {
		TEE_DigestUpdate(operation, "a", 1);
		TEE_DigestUpdate(operation, NULL, 0);
		TEE_DigestUpdate(operation, "b", 1);
		out_len = sizeof(out);
		REQUIRE(TEE_DigestDoFinal(operation, "c", 1, out, &out_len) == TEE_SUCCESS);
		REQUIRE(equals(abc_sha256) == TEE_SUCCESS);
		out_len = 32;
		REQUIRE(TEE_DigestDoFinal(operation, NULL, 0, out, &out_len) == TEE_SUCCESS);
		REQUIRE(equals(empty_sha256) == TEE_SUCCESS);
	}
	return TEE_SUCCESS;
}

static TEE_Result sha256_short_buffer_loses_nothing(TEE_Param params[TEE_NUM_PARAMS])
{
	(void)params;
	(void)allocate(TEE_ALG_SHA256, TEE_MODE_DIGEST, 0);
	TEE_DigestUpdate(operation, "ab", 2);
	out_len = 31;
	REQUIRE(TEE_DigestDoFinal(operation, "c", 1, out, &out_len) == TEE_ERROR_SHORT_BUFFER);
	REQUIRE(out_len == 32);
	REQUIRE(TEE_DigestDoFinal(operation, "c", 1, out, &out_len) == TEE_SUCCESS);
	return equals(abc_sha256);
}

static TEE_Result a_reset_digest_begins_anew(TEE_Param params[TEE_NUM_PARAMS])
{
	(void)params;
	(void)allocate(TEE_ALG_SHA256, TEE_MODE_DIGEST, 0);
	TEE_DigestUpdate(operation, "x", 1);
	TEE_ResetOperation(operation);
	out_len = sizeof(out);
	REQUIRE(TEE_DigestDoFinal(operation, "abc", 3, out, &out_len) == TEE_SUCCESS);
	return equals(abc_sha256);
}

static void sha256_is_fips_180s_and_its_operation_lasts(void **state)
{
	(void)state;
	assert_int_equal(shim_run(sha256_in_pieces), TEEC_SUCCESS);
	assert_int_equal(shim_run(sha256_short_buffer_loses_nothing), TEEC_SUCCESS);
	assert_int_equal(shim_run(a_reset_digest_begins_anew), TEEC_SUCCESS);
}

static TEE_Result sha256_of_nothing_but_a_length(TEE_Param params[TEE_NUM_PARAMS])
{
	(void)params;
	(void)allocate(TEE_ALG_SHA256, TEE_MODE_DIGEST, 0);
	TEE_DigestUpdate(operation, NULL, 1);
	return TEE_SUCCESS;
}

static TEE_Result sha256_with_a_key(TEE_Param params[TEE_NUM_PARAMS])
{
	(void)params;
	(void)allocate(TEE_ALG_SHA256, TEE_MODE_DIGEST, 0);
	return set_secret(TEE_TYPE_HMAC_SHA256, 256, 1, 32);
}

static TEE_Result a_digest_of_a_mac(TEE_Param params[TEE_NUM_PARAMS])
{
	(void)params;
	(void)allocate(TEE_ALG_HMAC_SHA256, TEE_MODE_MAC, 256);
	TEE_DigestUpdate(operation, "a", 1);
	return TEE_SUCCESS;
}

static TEE_Result a_digest_in_another_mode(TEE_Param params[TEE_NUM_PARAMS])
{
	(void)params;
	return allocate(TEE_ALG_SHA256, TEE_MODE_MAC, 0);
}

static void a_digest_panics_on_what_is_none(void **state)
{
	(void)state;
	assert_int_equal(shim_run(sha256_of_nothing_but_a_length), SHIM_PANICS);
	assert_int_equal(shim_run(sha256_with_a_key), SHIM_PANICS);
	assert_int_equal(shim_run(a_digest_of_a_mac), SHIM_PANICS);
	assert_int_equal(shim_run(a_digest_in_another_mode), TEEC_ERROR_NOT_SUPPORTED);
}

/* ---- HMAC-SHA-256 ----------------------------------------------------------------- */

/* RFC 4231, 4.4: its key of 20 bytes is too short for OP-TEE, and is filled up with zeros to
 * a block, as HMAC does. */
static TEE_Result hmac_of_rfc_4231(TEE_Param params[TEE_NUM_PARAMS])
{
	static const char mac_3[] =
		"773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe";
	uint8_t key[64] = { 0 };
	uint8_t data[50] = { 0 };
	TEE_Attribute attr = { 0 };
	TEE_ObjectHandle object = TEE_HANDLE_NULL;

	(void)params;
	memset(key, 0xaa, 20);
	memset(data, 0xdd, sizeof(data));
	TEE_InitRefAttribute(&attr, TEE_ATTR_SECRET_VALUE, key, sizeof(key));
	(void)allocate(TEE_ALG_HMAC_SHA256, TEE_MODE_MAC, 1024);
	(void)TEE_AllocateTransientObject(TEE_TYPE_HMAC_SHA256, 1024, &object);
	(void)TEE_PopulateTransientObject(object, &attr, 1);
	(void)TEE_SetOperationKey(operation, object);
	/* What is not finished is dropped by the next beginning. */
	TEE_MACInit(operation, NULL, 0);
	TEE_MACUpdate(operation, "other", 5);
	for (int i = 0; i < 3; i++) {
		TEE_MACInit(operation, NULL, 0);
		TEE_MACUpdate(operation, data, 20);
		TEE_MACUpdate(operation, NULL, 0);
		out_len = 31;
		REQUIRE(TEE_MACComputeFinal(operation, data + 20, 30, out, &out_len) ==
			TEE_ERROR_SHORT_BUFFER);
		REQUIRE(out_len == 32);
		REQUIRE(TEE_MACComputeFinal(operation, data + 20, 30, out, &out_len) ==
			TEE_SUCCESS);
		REQUIRE(equals(mac_3) == TEE_SUCCESS);
	}
	TEE_MACInit(operation, NULL, 0);
	REQUIRE(TEE_MACCompareFinal(operation, data, 50, out, 32) == TEE_SUCCESS);
	TEE_MACInit(operation, NULL, 0);
	REQUIRE(TEE_MACCompareFinal(operation, data, 50, out, 31) == TEE_ERROR_MAC_INVALID);
	out[31] ^= 1;
	TEE_MACInit(operation, NULL, 0);
	return TEE_MACCompareFinal(operation, data, 50, out, 32);
}

/* RFC 4231, 4.7: a key longer than SHA-256's block, 131 bytes, is over OP-TEE's 1024 bits;
 * the longest that it takes is hashed by the same rule. */
static TEE_Result hmac_of_a_long_key(TEE_Param params[TEE_NUM_PARAMS])
{
	uint8_t long_key[32] = { 0 };

	(void)params;
	(void)allocate(TEE_ALG_HMAC_SHA256, TEE_MODE_MAC, 1024);
	REQUIRE(set_secret(TEE_TYPE_HMAC_SHA256, 1024, 0xaa, 128) == TEE_SUCCESS);
	TEE_MACInit(operation, NULL, 0);
	out_len = sizeof(out);
	REQUIRE(TEE_MACComputeFinal(operation, "abc", 3, out, &out_len) == TEE_SUCCESS);
	memcpy(long_key, out, sizeof(long_key));
	/* HMAC(k) is HMAC(hash(k)) for such a k. */
	(void)allocate(TEE_ALG_SHA256, TEE_MODE_DIGEST, 0);
	for (int i = 0; i < 128; i++)
		TEE_DigestUpdate(operation, "\xaa", 1);
	(void)TEE_DigestDoFinal(operation, NULL, 0, out, &out_len);
	{
		TEE_ObjectHandle object = TEE_HANDLE_NULL;
		TEE_Attribute attr = { 0 };

		TEE_InitRefAttribute(&attr, TEE_ATTR_SECRET_VALUE, out, 32);
		(void)TEE_AllocateTransientObject(TEE_TYPE_HMAC_SHA256, 256, &object);
		(void)TEE_PopulateTransientObject(object, &attr, 1);
		(void)allocate(TEE_ALG_HMAC_SHA256, TEE_MODE_MAC, 256);
		(void)TEE_SetOperationKey(operation, object);
	}
	TEE_MACInit(operation, NULL, 0);
	return TEE_MACCompareFinal(operation, "abc", 3, long_key, 32);
}

static void hmac_is_rfc_4231s(void **state)
{
	(void)state;
	/* Its last comparison is with a byte changed. */
	assert_int_equal(shim_run(hmac_of_rfc_4231), TEE_ERROR_MAC_INVALID);
	assert_int_equal(shim_run(hmac_of_a_long_key), TEEC_SUCCESS);
}

static TEE_Result mac_without_a_key(TEE_Param params[TEE_NUM_PARAMS])
{
	(void)params;
	(void)allocate(TEE_ALG_HMAC_SHA256, TEE_MODE_MAC, 256);
	TEE_MACInit(operation, NULL, 0);
	return TEE_SUCCESS;
}

static TEE_Result mac_without_init(TEE_Param params[TEE_NUM_PARAMS])
{
	(void)params;
	(void)allocate(TEE_ALG_HMAC_SHA256, TEE_MODE_MAC, 256);
	(void)set_secret(TEE_TYPE_HMAC_SHA256, 256, 1, 32);
	TEE_MACUpdate(operation, "a", 1);
	return TEE_SUCCESS;
}

static TEE_Result mac_finished_twice(TEE_Param params[TEE_NUM_PARAMS])
{
	(void)params;
	(void)allocate(TEE_ALG_HMAC_SHA256, TEE_MODE_MAC, 256);
	(void)set_secret(TEE_TYPE_HMAC_SHA256, 256, 1, 32);
	TEE_MACInit(operation, NULL, 0);
	out_len = sizeof(out);
	(void)TEE_MACComputeFinal(operation, NULL, 0, out, &out_len);
	return TEE_MACComputeFinal(operation, NULL, 0, out, &out_len);
}

static TEE_Result a_key_between_init_and_final(TEE_Param params[TEE_NUM_PARAMS])
{
	(void)params;
	(void)allocate(TEE_ALG_HMAC_SHA256, TEE_MODE_MAC, 256);
	(void)set_secret(TEE_TYPE_HMAC_SHA256, 256, 1, 32);
	TEE_MACInit(operation, NULL, 0);
	return set_secret(TEE_TYPE_HMAC_SHA256, 256, 2, 32);
}

static TEE_Result a_key_after_a_reset(TEE_Param params[TEE_NUM_PARAMS])
{
	(void)params;
	(void)allocate(TEE_ALG_HMAC_SHA256, TEE_MODE_MAC, 256);
	(void)set_secret(TEE_TYPE_HMAC_SHA256, 256, 1, 32);
	TEE_MACInit(operation, NULL, 0);
	TEE_ResetOperation(operation);
	return set_secret(TEE_TYPE_HMAC_SHA256, 256, 2, 32);
}

static void a_mac_panics_out_of_order(void **state)
{
	(void)state;
	assert_int_equal(shim_run(mac_without_a_key), SHIM_PANICS);
	assert_int_equal(shim_run(mac_without_init), SHIM_PANICS);
	assert_int_equal(shim_run(mac_finished_twice), SHIM_PANICS);
	assert_int_equal(shim_run(a_key_between_init_and_final), SHIM_PANICS);
	assert_int_equal(shim_run(a_key_after_a_reset), TEEC_SUCCESS);
}

/* ---- sizes of keys ------------------------------------------------------------------ */

static TEE_Result sizes_of_objects(TEE_Param params[TEE_NUM_PARAMS])
{
	static const struct {
		uint32_t type;
		uint32_t bits;
		bool supported;
	} cases[] = {
		{ TEE_TYPE_AES, 128, true },
		{ TEE_TYPE_AES, 192, true },
		{ TEE_TYPE_AES, 256, true },
		{ TEE_TYPE_AES, 64, false },
		{ TEE_TYPE_AES, 160, false },
		{ TEE_TYPE_AES, 320, false },
		{ TEE_TYPE_HMAC_SHA256, 184, false },
		{ TEE_TYPE_HMAC_SHA256, 192, true },
		{ TEE_TYPE_HMAC_SHA256, 1024, true },
		{ TEE_TYPE_HMAC_SHA256, 1032, false },
		{ TEE_TYPE_HMAC_SHA256, 196, false },
		{ TEE_TYPE_GENERIC_SECRET, 0, true },
		{ TEE_TYPE_GENERIC_SECRET, 4096, true },
		{ TEE_TYPE_GENERIC_SECRET, 4104, false },
		{ TEE_TYPE_X25519_KEYPAIR, 256, true },
		{ TEE_TYPE_X25519_KEYPAIR, 255, false },
		{ 0xA0000005, 256, false },
	};

	(void)params;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		TEE_ObjectHandle object = TEE_HANDLE_NULL;
		const TEE_Result expected =
			cases[i].supported ? TEE_SUCCESS : TEE_ERROR_NOT_SUPPORTED;

		REQUIRE(TEE_AllocateTransientObject(cases[i].type, cases[i].bits, &object) ==
			expected);
		TEE_FreeTransientObject(object);
	}
	/* In operations the same, since each holds an object for its key. */
	REQUIRE(allocate(TEE_ALG_AES_GCM, TEE_MODE_ENCRYPT, 160) == TEE_ERROR_NOT_SUPPORTED);
	REQUIRE(allocate(TEE_ALG_HMAC_SHA256, TEE_MODE_MAC, 184) == TEE_ERROR_NOT_SUPPORTED);
	return allocate(TEE_ALG_X25519, TEE_MODE_DERIVE, 128) == TEE_ERROR_NOT_SUPPORTED
		       ? TEE_SUCCESS
		       : TEE_ERROR_GENERIC;
}

static TEE_Result aes_key_of_20_bytes(TEE_Param params[TEE_NUM_PARAMS])
{
	TEE_ObjectHandle object = TEE_HANDLE_NULL;

	(void)params;
	return secret_object(TEE_TYPE_AES, 256, 1, 20, &object);
}

static TEE_Result a_key_larger_than_its_object(TEE_Param params[TEE_NUM_PARAMS])
{
	TEE_ObjectHandle object = TEE_HANDLE_NULL;

	(void)params;
	return secret_object(TEE_TYPE_AES, 128, 1, 32, &object);
}

static TEE_Result a_key_larger_than_its_type(TEE_Param params[TEE_NUM_PARAMS])
{
	TEE_ObjectHandle object = TEE_HANDLE_NULL;

	(void)params;
	return secret_object(TEE_TYPE_AES, 256, 1, 33, &object);
}

static TEE_Result a_key_larger_than_its_operation(TEE_Param params[TEE_NUM_PARAMS])
{
	(void)params;
	(void)allocate(TEE_ALG_AES_GCM, TEE_MODE_ENCRYPT, 128);
	return set_secret(TEE_TYPE_AES, 256, 1, 32);
}

static TEE_Result a_key_of_another_type(TEE_Param params[TEE_NUM_PARAMS])
{
	(void)params;
	(void)allocate(TEE_ALG_AES_GCM, TEE_MODE_ENCRYPT, 256);
	return set_secret(TEE_TYPE_HMAC_SHA256, 256, 1, 32);
}

static TEE_Result a_key_without_the_right(TEE_Param params[TEE_NUM_PARAMS])
{
	TEE_ObjectHandle object = TEE_HANDLE_NULL;

	(void)params;
	(void)secret_object(TEE_TYPE_AES, 256, 1, 32, &object);
	(void)TEE_RestrictObjectUsage1(object, TEE_USAGE_DECRYPT);
	(void)allocate(TEE_ALG_AES_GCM, TEE_MODE_ENCRYPT, 256);
	return TEE_SetOperationKey(operation, object);
}

static TEE_Result a_secret_comes_out_as_it_went_in(TEE_Param params[TEE_NUM_PARAMS])
{
	TEE_ObjectInfo info = { 0 };
	TEE_ObjectHandle object = TEE_HANDLE_NULL;

	(void)params;
	(void)secret_object(TEE_TYPE_AES, 256, 7, 16, &object);
	(void)TEE_GetObjectInfo1(object, &info);
	REQUIRE(info.objectSize == 128 && info.maxObjectSize == 256);
	out_len = 15;
	REQUIRE(TEE_GetObjectBufferAttribute(object, TEE_ATTR_SECRET_VALUE, out, &out_len) ==
		TEE_ERROR_SHORT_BUFFER);
	REQUIRE(out_len == 16);
	REQUIRE(TEE_GetObjectBufferAttribute(object, TEE_ATTR_SECRET_VALUE, out, &out_len) ==
		TEE_SUCCESS);
	return equals("07070707070707070707070707070707");
}

static void keys_have_the_sizes_that_op_tee_gives_them(void **state)
{
	(void)state;
	assert_int_equal(shim_run(sizes_of_objects), TEEC_SUCCESS);
	assert_int_equal(shim_run(aes_key_of_20_bytes), TEEC_ERROR_BAD_PARAMETERS);
	assert_int_equal(shim_run(a_key_larger_than_its_object), SHIM_PANICS);
	assert_int_equal(shim_run(a_key_larger_than_its_type), SHIM_PANICS);
	assert_int_equal(shim_run(a_key_larger_than_its_operation), SHIM_PANICS);
	assert_int_equal(shim_run(a_key_of_another_type), SHIM_PANICS);
	assert_int_equal(shim_run(a_key_without_the_right), SHIM_PANICS);
	assert_int_equal(shim_run(a_secret_comes_out_as_it_went_in), TEEC_SUCCESS);
}

/* ---- AES-GCM ------------------------------------------------------------------------ */

/* Test case 14 of McGrew and Viega's paper: key, nonce and one block of zeros. */
static const char gcm_ciphertext[] = "cea7403d4d606b6e074ec5d3baf39d18";
static const char gcm_tag[] = "d0d1c8a799996bf0265b98b5d48ab919";
static const uint8_t zeros[300];

static TEE_Result gcm(uint32_t mode)
{
	REQUIRE(allocate(TEE_ALG_AES_GCM, mode, 256) == TEE_SUCCESS);
	return set_secret(TEE_TYPE_AES, 256, 0, 32);
}

static TEE_Result gcm_encrypts(TEE_Param params[TEE_NUM_PARAMS])
{
	uint8_t tag[16] = { 0 };
	size_t tag_len = 15;

	(void)params;
	REQUIRE(gcm(TEE_MODE_ENCRYPT) == TEE_SUCCESS);
	for (int i = 0; i < 3; i++) {
		REQUIRE(TEE_AEInit(operation, zeros, 12, 128, 0, 0) == TEE_SUCCESS);
		TEE_AEUpdateAAD(operation, NULL, 0);
		/* Both sizes are told at once, and nothing is lost by it. */
		out_len = 15;
		tag_len = 15;
		REQUIRE(TEE_AEEncryptFinal(operation, zeros, 16, out, &out_len, tag, &tag_len) ==
			TEE_ERROR_SHORT_BUFFER);
		REQUIRE(out_len == 16 && tag_len == 16);
		REQUIRE(TEE_AEEncryptFinal(operation, zeros, 16, out, &out_len, tag, &tag_len) ==
			TEE_SUCCESS);
		REQUIRE(equals(gcm_ciphertext) == TEE_SUCCESS);
		memcpy(out, tag, sizeof(tag));
		REQUIRE(equals(gcm_tag) == TEE_SUCCESS);
	}
	return TEE_SUCCESS;
}

static TEE_Result decrypt(uint8_t flip, size_t tag_len)
{
	uint8_t ciphertext[16] = { 0 };
	uint8_t tag[16] = { 0 };

	shim_hex(gcm_ciphertext, ciphertext, sizeof(ciphertext));
	shim_hex(gcm_tag, tag, sizeof(tag));
	tag[15] ^= flip;
	REQUIRE(TEE_AEInit(operation, zeros, 12, 128, 0, 0) == TEE_SUCCESS);
	memset(out, 0xee, sizeof(out));
	out_len = sizeof(out);
	return TEE_AEDecryptFinal(operation, ciphertext, 16, out, &out_len, tag, tag_len);
}

static TEE_Result gcm_decrypts(TEE_Param params[TEE_NUM_PARAMS])
{
	(void)params;
	REQUIRE(gcm(TEE_MODE_DECRYPT) == TEE_SUCCESS);
	REQUIRE(decrypt(0, 16) == TEE_SUCCESS);
	REQUIRE(equals("00000000000000000000000000000000") == TEE_SUCCESS);
	/* The plaintext is there although nobody vouches for it: a TA must not use it. */
	REQUIRE(decrypt(1, 16) == TEE_ERROR_MAC_INVALID);
	REQUIRE(out_len == sizeof(out) && !memcmp(out, zeros, 16) && out[16] == 0xee);
	/* A tag of another length than asked for is compared with nothing. */
	REQUIRE(decrypt(0, 12) == TEE_ERROR_MAC_INVALID && out[0] == 0xee);
	/* It can begin anew, and after a reset have another key. */
	REQUIRE(decrypt(0, 16) == TEE_SUCCESS);
	REQUIRE(decrypt(1, 16) == TEE_ERROR_MAC_INVALID);
	TEE_ResetOperation(operation);
	return set_secret(TEE_TYPE_AES, 256, 1, 32);
}

static TEE_Result gcm_takes_a_key_after_a_wrong_tag(TEE_Param params[TEE_NUM_PARAMS])
{
	(void)params;
	(void)gcm(TEE_MODE_DECRYPT);
	(void)decrypt(1, 16);
	return set_secret(TEE_TYPE_AES, 256, 1, 32);
}

static void aes_gcm_is_that_of_sp_800_38d(void **state)
{
	(void)state;
	assert_int_equal(shim_run(gcm_encrypts), TEEC_SUCCESS);
	assert_int_equal(shim_run(gcm_decrypts), TEEC_SUCCESS);
	assert_int_equal(shim_run(gcm_takes_a_key_after_a_wrong_tag), SHIM_PANICS);
}

/* There and back with associated data in pieces, lengths of text from none on, nonces of
 * lengths that OP-TEE takes too. */
static TEE_Result gcm_round_trip(size_t nonce_len, size_t len, uint32_t tag_bits)
{
	uint8_t ciphertext[80] = { 0 };
	uint8_t tag[16] = { 0 };
	size_t ciphertext_len = sizeof(ciphertext);
	size_t tag_len = sizeof(tag);

	REQUIRE(gcm(TEE_MODE_ENCRYPT) == TEE_SUCCESS);
	REQUIRE(TEE_AEInit(operation, zeros, nonce_len, tag_bits, 5, len) == TEE_SUCCESS);
	TEE_AEUpdateAAD(operation, "he", 2);
	TEE_AEUpdateAAD(operation, "llo", 3);
	REQUIRE(TEE_AEEncryptFinal(operation, len ? zeros : NULL, len, ciphertext, &ciphertext_len,
				   tag, &tag_len) == TEE_SUCCESS);
	REQUIRE(ciphertext_len == len && tag_len == tag_bits / 8);
	TEE_FreeOperation(operation);
	REQUIRE(gcm(TEE_MODE_DECRYPT) == TEE_SUCCESS);
	REQUIRE(TEE_AEInit(operation, zeros, nonce_len, tag_bits, 5, len) == TEE_SUCCESS);
	TEE_AEUpdateAAD(operation, "hello", 5);
	out_len = sizeof(out);
	REQUIRE(TEE_AEDecryptFinal(operation, ciphertext, len, out, &out_len, tag, tag_len) ==
		TEE_SUCCESS);
	TEE_FreeOperation(operation);
	return out_len == len && !memcmp(out, zeros, len) ? TEE_SUCCESS : TEE_ERROR_GENERIC;
}

static TEE_Result gcm_round_trips(TEE_Param params[TEE_NUM_PARAMS])
{
	(void)params;
	for (size_t len = 0; len <= 80; len++)
		REQUIRE(gcm_round_trip(12, len, 128) == TEE_SUCCESS);
	for (uint32_t bits = 96; bits <= 128; bits += 8)
		REQUIRE(gcm_round_trip(12, 32, bits) == TEE_SUCCESS);
	REQUIRE(gcm_round_trip(1, 32, 128) == TEE_SUCCESS);
	return gcm_round_trip(300, 32, 128);
}

static void aes_gcm_comes_back_at_all_lengths(void **state)
{
	(void)state;
	assert_int_equal(shim_run(gcm_round_trips), TEEC_SUCCESS);
}

static TEE_Result gcm_other_tag_lengths(TEE_Param params[TEE_NUM_PARAMS])
{
	static const uint32_t wrong[] = { 0, 32, 64, 88, 97, 136 };

	(void)params;
	REQUIRE(gcm(TEE_MODE_ENCRYPT) == TEE_SUCCESS);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		REQUIRE(TEE_AEInit(operation, zeros, 12, wrong[i], 0, 0) ==
			TEE_ERROR_NOT_SUPPORTED);
	return TEE_SUCCESS;
}

static TEE_Result gcm_without_a_key(TEE_Param params[TEE_NUM_PARAMS])
{
	(void)params;
	(void)allocate(TEE_ALG_AES_GCM, TEE_MODE_ENCRYPT, 256);
	return TEE_AEInit(operation, zeros, 12, 128, 0, 0);
}

static TEE_Result gcm_without_init(TEE_Param params[TEE_NUM_PARAMS])
{
	(void)params;
	(void)gcm(TEE_MODE_ENCRYPT);
	TEE_AEUpdateAAD(operation, "a", 1);
	return TEE_SUCCESS;
}

static TEE_Result gcm_without_nonce(TEE_Param params[TEE_NUM_PARAMS])
{
	(void)params;
	(void)gcm(TEE_MODE_ENCRYPT);
	return TEE_AEInit(operation, NULL, 0, 128, 0, 0);
}

static TEE_Result gcm_with_a_nonce_of_no_bytes(TEE_Param params[TEE_NUM_PARAMS])
{
	(void)params;
	(void)gcm(TEE_MODE_ENCRYPT);
	return TEE_AEInit(operation, zeros, 0, 128, 0, 0);
}

static TEE_Result gcm_decrypts_with_the_operation_that_encrypts(TEE_Param params[TEE_NUM_PARAMS])
{
	(void)params;
	(void)gcm(TEE_MODE_ENCRYPT);
	return decrypt(0, 16);
}

static TEE_Result gcm_finished_twice(TEE_Param params[TEE_NUM_PARAMS])
{
	uint8_t tag[16] = { 0 };

	(void)params;
	(void)gcm(TEE_MODE_DECRYPT);
	(void)decrypt(0, 16);
	return TEE_AEDecryptFinal(operation, zeros, 16, out, &out_len, tag, 16);
}

static void aes_gcm_panics_out_of_order(void **state)
{
	(void)state;
	assert_int_equal(shim_run(gcm_other_tag_lengths), TEEC_SUCCESS);
	assert_int_equal(shim_run(gcm_without_a_key), SHIM_PANICS);
	assert_int_equal(shim_run(gcm_without_init), SHIM_PANICS);
	assert_int_equal(shim_run(gcm_without_nonce), SHIM_PANICS);
	assert_int_equal(shim_run(gcm_with_a_nonce_of_no_bytes), SHIM_PANICS);
	assert_int_equal(shim_run(gcm_decrypts_with_the_operation_that_encrypts), SHIM_PANICS);
	assert_int_equal(shim_run(gcm_finished_twice), SHIM_PANICS);
}

/* ---- X25519 with any peer -------------------------------------------------------------- */

static uint8_t scalar[32];
static uint8_t peer[32];

static TEE_Result x25519(TEE_Param params[TEE_NUM_PARAMS])
{
	TEE_Attribute attrs[2] = { 0 };
	TEE_Attribute attr = { 0 };
	TEE_ObjectHandle key = TEE_HANDLE_NULL;
	TEE_ObjectHandle secret = TEE_HANDLE_NULL;

	(void)params;
	TEE_InitRefAttribute(&attrs[0], TEE_ATTR_X25519_PRIVATE_VALUE, scalar, 32);
	TEE_InitRefAttribute(&attrs[1], TEE_ATTR_X25519_PUBLIC_VALUE, zeros, 32);
	(void)TEE_AllocateTransientObject(TEE_TYPE_X25519_KEYPAIR, 256, &key);
	(void)TEE_PopulateTransientObject(key, attrs, 2);
	(void)allocate(TEE_ALG_X25519, TEE_MODE_DERIVE, 256);
	(void)TEE_SetOperationKey(operation, key);
	(void)TEE_AllocateTransientObject(TEE_TYPE_GENERIC_SECRET, 256, &secret);
	TEE_InitRefAttribute(&attr, TEE_ATTR_X25519_PUBLIC_VALUE, peer, sizeof(peer));
	TEE_DeriveKey(operation, &attr, 1, secret);
	out_len = sizeof(out);
	REQUIRE(TEE_GetObjectBufferAttribute(secret, TEE_ATTR_SECRET_VALUE, out, &out_len) ==
		TEE_SUCCESS);
	return out_len == 32 ? TEE_SUCCESS : TEE_ERROR_GENERIC;
}

/* RFC 7748, 5.2, both vectors. */
static void x25519_takes_any_peer(void **state)
{
	(void)state;
	shim_hex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4", scalar, 32);
	shim_hex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c", peer, 32);
	assert_int_equal(shim_run(x25519), TEEC_SUCCESS);
	assert_int_equal(equals("c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"),
			 TEE_SUCCESS);
	shim_hex("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d", scalar, 32);
	shim_hex("e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493", peer, 32);
	assert_int_equal(shim_run(x25519), TEEC_SUCCESS);
	assert_int_equal(equals("95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"),
			 TEE_SUCCESS);
}

/* Order 1, 2, 4 and 8, reduced modulo p and not, with and without the ignored top bit. */
static void a_peer_of_small_order_panics(void **state)
{
	static const char *const points[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	};

	(void)state;
	memset(scalar, 5, sizeof(scalar));
	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		shim_hex(points[i], peer, 32);
		assert_int_equal(shim_run(x25519), SHIM_PANICS);
		peer[31] ^= 0x80;
		assert_int_equal(shim_run(x25519), SHIM_PANICS);
	}
}

/* ---- many at once ------------------------------------------------------------------------ */

static TEE_Result many_operations(TEE_Param params[TEE_NUM_PARAMS])
{
	TEE_OperationHandle all[48] = { 0 };

	(void)params;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		REQUIRE(allocate(TEE_ALG_SHA256, TEE_MODE_DIGEST, 0) == TEE_SUCCESS);
		all[i] = operation;
		TEE_DigestUpdate(operation, "ab", 2);
	}
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		out_len = sizeof(out);
		REQUIRE(TEE_DigestDoFinal(all[i], "c", 1, out, &out_len) == TEE_SUCCESS);
		REQUIRE(equals(abc_sha256) == TEE_SUCCESS);
		TEE_FreeOperation(all[i]);
	}
	return TEE_SUCCESS;
}

static TEE_Result every_algorithm_is_told(TEE_Param params[TEE_NUM_PARAMS])
{
	static const uint32_t all[] = { TEE_ALG_SHA256,	 TEE_ALG_SHA512,  TEE_ALG_HMAC_SHA256,
					TEE_ALG_AES_GCM, TEE_ALG_ED25519, TEE_ALG_X25519 };

	(void)params;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		REQUIRE(TEE_IsAlgorithmSupported(all[i], TEE_CRYPTO_ELEMENT_NONE) == TEE_SUCCESS);
	REQUIRE(TEE_IsAlgorithmSupported(TEE_ALG_AES_GCM, TEE_ECC_CURVE_25519) ==
		TEE_ERROR_NOT_SUPPORTED);
	return TEE_IsAlgorithmSupported(0x10000010, 0) == TEE_ERROR_NOT_SUPPORTED
		       ? TEE_SUCCESS
		       : TEE_ERROR_GENERIC;
}

static void operations_do_not_touch_each_other(void **state)
{
	(void)state;
	assert_int_equal(shim_run(many_operations), TEEC_SUCCESS);
	assert_int_equal(shim_run(every_algorithm_is_told), TEEC_SUCCESS);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, shim_set_up, shim_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(sha256_is_fips_180s_and_its_operation_lasts),
		CASE(a_digest_panics_on_what_is_none),
		CASE(hmac_is_rfc_4231s),
		CASE(a_mac_panics_out_of_order),
		CASE(keys_have_the_sizes_that_op_tee_gives_them),
		CASE(aes_gcm_is_that_of_sp_800_38d),
		CASE(aes_gcm_comes_back_at_all_lengths),
		CASE(aes_gcm_panics_out_of_order),
		CASE(x25519_takes_any_peer),
		CASE(a_peer_of_small_order_panics),
		CASE(operations_do_not_touch_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
