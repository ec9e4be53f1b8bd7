/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The TEE's functions that keys travel and operators are known by, as the TA calls them in
 * the simulator, against Project Wycheproof: Ed25519, X25519, AES-GCM, HMAC, and HKDF, which
 * the TA makes of HMAC.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "../../ta/super_relay_ta/hkdf.h"
#include "../../ta/super_relay_ta/transport.h"
#include "../ta/shim_ta.h"
#include "wycheproof.h"

static const struct wy_vector *vector;

/* In an instance of its own, since some of them are to end it. */
static bool accepted(const struct wy_vector *v, shim_body body)
{
	vector = v;
	return shim_run(body) == TEEC_SUCCESS;
}

static TEE_OperationHandle operation;

/* An operation with a secret for its key. */
static TEE_Result prepare(uint32_t algorithm, uint32_t mode, uint32_t type, uint32_t bits,
			  const uint8_t *secret, size_t len)
{
	TEE_Attribute attr = { 0 };
	TEE_ObjectHandle object = TEE_HANDLE_NULL;
	TEE_Result result = TEE_AllocateOperation(&operation, algorithm, mode, bits);

	if (result == TEE_SUCCESS)
		result = TEE_AllocateTransientObject(type, bits, &object);
	TEE_InitRefAttribute(&attr, TEE_ATTR_SECRET_VALUE, secret, len);
	if (result == TEE_SUCCESS)
		result = TEE_PopulateTransientObject(object, &attr, 1);
	return result == TEE_SUCCESS ? TEE_SetOperationKey(operation, object) : result;
}

/* ---- Ed25519 ------------------------------------------------------------------------- */

static TEE_Result verify(TEE_Param params[TEE_NUM_PARAMS])
{
	struct wy_bytes key = { 0 };
	struct wy_bytes msg = { 0 };
	struct wy_bytes sig = { 0 };
	TEE_Attribute attr = { 0 };
	TEE_ObjectHandle object = TEE_HANDLE_NULL;

	(void)params;
	wy_get_of_group(vector, "publicKey", "pk", &key);
	wy_get(vector, "msg", &msg);
	wy_get(vector, "sig", &sig);
	TEE_InitRefAttribute(&attr, TEE_ATTR_ED25519_PUBLIC_VALUE, key.data, key.len);
	(void)TEE_AllocateTransientObject(TEE_TYPE_ED25519_PUBLIC_KEY, 256, &object);
	(void)TEE_PopulateTransientObject(object, &attr, 1);
	(void)TEE_AllocateOperation(&operation, TEE_ALG_ED25519, TEE_MODE_VERIFY, 256);
	(void)TEE_SetOperationKey(operation, object);
	return TEE_AsymmetricVerifyDigest(operation, NULL, 0, msg.data, msg.len, sig.data, sig.len);
}

/* The daemon and its tools ask libsodium. */
static bool daemon_takes_signature(const struct wy_vector *v)
{
	struct wy_bytes key = { 0 };
	struct wy_bytes msg = { 0 };
	struct wy_bytes sig = { 0 };

	wy_get_of_group(v, "publicKey", "pk", &key);
	wy_get(v, "msg", &msg);
	wy_get(v, "sig", &sig);
	assert_int_equal(key.len, crypto_sign_PUBLICKEYBYTES);
	return sig.len == crypto_sign_BYTES &&
	       !crypto_sign_verify_detached(sig.data, msg.data, msg.len, key.data);
}

static bool takes_signature(const struct wy_vector *v)
{
	const bool taken = accepted(v, verify);

	assert_int_equal(daemon_takes_signature(v), taken);
	return taken;
}

static void judges_every_vector_of_ed25519(void **state)
{
	const struct wy_file file = { "ed25519_test.json", 88, 63, 0 };

	(void)state;
	wy_check_file(&file, takes_signature, NULL);
}

/* ---- X25519 -------------------------------------------------------------------------- */

static TEE_Result derive(TEE_Param params[TEE_NUM_PARAMS])
{
	struct wy_bytes scalar = { 0 };
	struct wy_bytes point = { 0 };
	struct wy_bytes expected = { 0 };
	const uint8_t unused[32] = { 0 };
	uint8_t out[32] = { 0 };
	size_t len = sizeof(out);
	TEE_Attribute attrs[2] = { 0 };
	TEE_Attribute attr = { 0 };
	TEE_ObjectHandle key = TEE_HANDLE_NULL;
	TEE_ObjectHandle secret = TEE_HANDLE_NULL;

	(void)params;
	wy_get(vector, "private", &scalar);
	wy_get(vector, "public", &point);
	wy_get(vector, "shared", &expected);
	TEE_InitRefAttribute(&attrs[0], TEE_ATTR_X25519_PRIVATE_VALUE, scalar.data, scalar.len);
	TEE_InitRefAttribute(&attrs[1], TEE_ATTR_X25519_PUBLIC_VALUE, unused, sizeof(unused));
	(void)TEE_AllocateTransientObject(TEE_TYPE_X25519_KEYPAIR, 256, &key);
	(void)TEE_PopulateTransientObject(key, attrs, 2);
	(void)TEE_AllocateOperation(&operation, TEE_ALG_X25519, TEE_MODE_DERIVE, 256);
	(void)TEE_SetOperationKey(operation, key);
	(void)TEE_AllocateTransientObject(TEE_TYPE_GENERIC_SECRET, 256, &secret);
	TEE_InitRefAttribute(&attr, TEE_ATTR_X25519_PUBLIC_VALUE, point.data, point.len);
	TEE_DeriveKey(operation, &attr, 1, secret);
	(void)TEE_GetObjectBufferAttribute(secret, TEE_ATTR_SECRET_VALUE, out, &len);
	return expected.len == len && !memcmp(out, expected.data, len) ? TEE_SUCCESS
								       : TEE_ERROR_GENERIC;
}

/* The TA's own function, which must refuse where the TEE would end it. */
static TEE_Result exchange(TEE_Param params[TEE_NUM_PARAMS])
{
	struct wy_bytes scalar = { 0 };
	struct wy_bytes point = { 0 };
	struct wy_bytes expected = { 0 };
	uint8_t out[32] = { 0 };
	TEE_Result result = TEE_SUCCESS;

	(void)params;
	wy_get(vector, "private", &scalar);
	wy_get(vector, "public", &point);
	wy_get(vector, "shared", &expected);
	result = ta_x25519(scalar.data, point.data, out);
	if (result == TEE_SUCCESS && memcmp(out, expected.data, sizeof(out)) != 0)
		result = TEE_ERROR_GENERIC;
	return result;
}

static bool takes_exchange(const struct wy_vector *v)
{
	const bool taken = accepted(v, derive);

	assert_int_equal(shim_run(exchange), taken ? TEEC_SUCCESS : TEEC_ERROR_BAD_PARAMETERS);
	return taken;
}

/* Points of the twist, and not reduced modulo p, are computed with, as RFC 7748 says. A
 * shared secret of zero, which all would know, is refused, as OP-TEE does. */
static bool takes_acceptable_exchange(const struct wy_vector *v)
{
	return !wy_has_flag(v, "ZeroSharedSecret");
}

static void judges_every_vector_of_x25519(void **state)
{
	const struct wy_file file = { "x25519_test.json", 264, 0, 254 };

	(void)state;
	wy_check_file(&file, takes_exchange, takes_acceptable_exchange);
}

/* ---- AES-GCM ------------------------------------------------------------------------- */

struct gcm {
	struct wy_bytes key;
	struct wy_bytes iv;
	struct wy_bytes aad;
	struct wy_bytes msg;
	struct wy_bytes ct;
	struct wy_bytes tag;
};

static struct gcm gcm;
static uint8_t text[WY_BYTES_MAX];

static TEE_Result begin_gcm(uint32_t mode)
{
	const uint32_t bits = (uint32_t)gcm.key.len * 8;
	TEE_Result result =
		prepare(TEE_ALG_AES_GCM, mode, TEE_TYPE_AES, bits, gcm.key.data, gcm.key.len);

	if (result == TEE_SUCCESS)
		result = TEE_AEInit(operation, gcm.iv.data, gcm.iv.len, (uint32_t)gcm.tag.len * 8,
				    gcm.aad.len, gcm.msg.len);
	if (result == TEE_SUCCESS)
		TEE_AEUpdateAAD(operation, gcm.aad.data, gcm.aad.len);
	return result;
}

static TEE_Result decrypt(TEE_Param params[TEE_NUM_PARAMS])
{
	size_t len = sizeof(text);
	TEE_Result result = begin_gcm(TEE_MODE_DECRYPT);

	(void)params;
	if (result == TEE_SUCCESS)
		result = TEE_AEDecryptFinal(operation, gcm.ct.data, gcm.ct.len, text, &len,
					    gcm.tag.data, gcm.tag.len);
	if (result == TEE_SUCCESS && (len != gcm.msg.len || memcmp(text, gcm.msg.data, len) != 0))
		result = TEE_ERROR_GENERIC;
	return result;
}

static TEE_Result encrypt(TEE_Param params[TEE_NUM_PARAMS])
{
	uint8_t tag[16] = { 0 };
	size_t tag_len = sizeof(tag);
	size_t len = sizeof(text);
	TEE_Result result = begin_gcm(TEE_MODE_ENCRYPT);

	(void)params;
	if (result == TEE_SUCCESS)
		result = TEE_AEEncryptFinal(operation, gcm.msg.data, gcm.msg.len, text, &len, tag,
					    &tag_len);
	if (result == TEE_SUCCESS &&
	    (len != gcm.ct.len || memcmp(text, gcm.ct.data, len) != 0 || tag_len != gcm.tag.len ||
	     memcmp(tag, gcm.tag.data, tag_len) != 0))
		result = TEE_ERROR_GENERIC;
	return result;
}

static bool takes_ciphertext(const struct wy_vector *v)
{
	wy_get(v, "key", &gcm.key);
	wy_get(v, "iv", &gcm.iv);
	wy_get(v, "aad", &gcm.aad);
	wy_get(v, "msg", &gcm.msg);
	wy_get(v, "ct", &gcm.ct);
	wy_get(v, "tag", &gcm.tag);
	if (wy_is_valid(v))
		assert_true(accepted(v, encrypt));
	return accepted(v, decrypt);
}

static void judges_every_vector_of_aes_gcm(void **state)
{
	const struct wy_file file = { "aes_gcm_test.json", 229, 87, 0 };

	(void)state;
	wy_check_file(&file, takes_ciphertext, NULL);
}

/* ---- HMAC and HKDF ------------------------------------------------------------------- */

/* A shorter key than the TEE takes is filled up with zeros, as HMAC does and hkdf.c. */
static TEE_Result authenticate(TEE_Param params[TEE_NUM_PARAMS])
{
	struct wy_bytes key = { 0 };
	struct wy_bytes msg = { 0 };
	struct wy_bytes tag = { 0 };
	uint8_t mac[32] = { 0 };
	size_t len = sizeof(mac);
	TEE_Result result = TEE_SUCCESS;

	(void)params;
	wy_get(vector, "key", &key);
	wy_get(vector, "msg", &msg);
	wy_get(vector, "tag", &tag);
	if (key.len < 64)
		key.len = 64;
	result = prepare(TEE_ALG_HMAC_SHA256, TEE_MODE_MAC, TEE_TYPE_HMAC_SHA256, 1024, key.data,
			 key.len);
	if (result != TEE_SUCCESS)
		return result;
	TEE_MACInit(operation, NULL, 0);
	if (tag.len == sizeof(mac))
		return TEE_MACCompareFinal(operation, msg.data, msg.len, tag.data, tag.len);
	/* Tags cut short are for the caller to compare. */
	result = TEE_MACComputeFinal(operation, msg.data, msg.len, mac, &len);
	return result == TEE_SUCCESS && tag.len < len && !memcmp(mac, tag.data, tag.len)
		       ? TEE_SUCCESS
		       : TEE_ERROR_MAC_INVALID;
}

static bool takes_mac(const struct wy_vector *v)
{
	return accepted(v, authenticate);
}

static void judges_every_vector_of_hmac_sha256(void **state)
{
	const struct wy_file file = { "hmac_sha256_test.json", 66, 108, 0 };

	(void)state;
	wy_check_file(&file, takes_mac, NULL);
}

static TEE_Result expand(TEE_Param params[TEE_NUM_PARAMS])
{
	struct wy_bytes secret = { 0 };
	struct wy_bytes salt = { 0 };
	struct wy_bytes info = { 0 };
	struct wy_bytes expected = { 0 };
	const size_t size = wy_number(vector, "size");
	TEE_Result result = TEE_SUCCESS;

	(void)params;
	wy_get(vector, "ikm", &secret);
	wy_get(vector, "salt", &salt);
	wy_get(vector, "info", &info);
	wy_get(vector, "okm", &expected);
	result = ta_hkdf_sha256((struct ta_piece){ salt.data, salt.len },
				(struct ta_piece){ secret.data, secret.len },
				(struct ta_piece){ info.data, info.len }, text, size);
	if (result == TEE_SUCCESS &&
	    (size != expected.len || memcmp(text, expected.data, size) != 0))
		result = TEE_ERROR_GENERIC;
	return result;
}

static bool takes_derivation(const struct wy_vector *v)
{
	return accepted(v, expand);
}

static void judges_every_vector_of_hkdf_sha256(void **state)
{
	const struct wy_file file = { "hkdf_sha256_test.json", 83, 3, 0 };

	(void)state;
	wy_check_file(&file, takes_derivation, NULL);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, shim_set_up, shim_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(judges_every_vector_of_ed25519),	  CASE(judges_every_vector_of_x25519),
		CASE(judges_every_vector_of_aes_gcm),	  CASE(judges_every_vector_of_hmac_sha256),
		CASE(judges_every_vector_of_hkdf_sha256),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
