/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulator's GlobalPlatform API, asked by a Trusted Application of this file's own:
 * what OP-TEE 4.10 (libutee and core) does with the same calls, the simulator does, too.
 * A result is an answer; a panic shows as TARGET_DEAD.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pta_system.h>
#include <tee_internal_api.h>

#include "shim_ta.h"
#include "tee/sim/sim_test.h"
#include "tee/tee.h"

/* ---- objects ---------------------------------------------------------------------- */

static uint8_t bytes[128] = { 3 };

static TEE_Attribute attribute(uint32_t id, size_t len)
{
	TEE_Attribute attr = { 0 };

	TEE_InitRefAttribute(&attr, id, bytes, len);
	return attr;
}

static TEE_Result populate(uint32_t type, const TEE_Attribute *attrs, uint32_t count)
{
	TEE_ObjectHandle object = TEE_HANDLE_NULL;
	TEE_Result result = TEE_AllocateTransientObject(type, 256, &object);

	return result == TEE_SUCCESS ? TEE_PopulateTransientObject(object, attrs, count) : result;
}

static TEE_Result pair_whole(TEE_Param params[TEE_NUM_PARAMS])
{
	const TEE_Attribute attrs[] = { attribute(TEE_ATTR_ED25519_PRIVATE_VALUE, 32),
					attribute(TEE_ATTR_ED25519_PUBLIC_VALUE, 32) };

	(void)params;
	return populate(TEE_TYPE_ED25519_KEYPAIR, attrs, 2);
}

static TEE_Result pair_without_public(TEE_Param params[TEE_NUM_PARAMS])
{
	const TEE_Attribute attrs[] = { attribute(TEE_ATTR_ED25519_PRIVATE_VALUE, 32) };

	(void)params;
	return populate(TEE_TYPE_ED25519_KEYPAIR, attrs, 1);
}

static TEE_Result pair_with_one_twice(TEE_Param params[TEE_NUM_PARAMS])
{
	const TEE_Attribute attrs[] = { attribute(TEE_ATTR_ED25519_PRIVATE_VALUE, 32),
					attribute(TEE_ATTR_ED25519_PRIVATE_VALUE, 32) };

	(void)params;
	return populate(TEE_TYPE_ED25519_KEYPAIR, attrs, 2);
}

static TEE_Result pair_of_another_type(TEE_Param params[TEE_NUM_PARAMS])
{
	const TEE_Attribute attrs[] = { attribute(TEE_ATTR_ED25519_PRIVATE_VALUE, 32),
					attribute(TEE_ATTR_X25519_PUBLIC_VALUE, 32) };

	(void)params;
	return populate(TEE_TYPE_ED25519_KEYPAIR, attrs, 2);
}

static TEE_Result pair_too_short(TEE_Param params[TEE_NUM_PARAMS])
{
	const TEE_Attribute attrs[] = { attribute(TEE_ATTR_ED25519_PRIVATE_VALUE, 31),
					attribute(TEE_ATTR_ED25519_PUBLIC_VALUE, 32) };

	(void)params;
	return populate(TEE_TYPE_ED25519_KEYPAIR, attrs, 2);
}

static void a_key_that_lacks_an_attribute_panics(void **state)
{
	(void)state;
	assert_int_equal(shim_run(pair_whole), TEEC_SUCCESS);
	assert_int_equal(shim_run(pair_without_public), SHIM_PANICS);
	assert_int_equal(shim_run(pair_with_one_twice), SHIM_PANICS);
	assert_int_equal(shim_run(pair_of_another_type), SHIM_PANICS);
	assert_int_equal(shim_run(pair_too_short), SHIM_PANICS);
}

/* ---- verifying --------------------------------------------------------------------- */

static TEE_Result verify(uint8_t public_byte, size_t signature_len)
{
	uint8_t public_key[32] = { public_byte };
	TEE_Attribute attr = { 0 };
	TEE_ObjectHandle object = TEE_HANDLE_NULL;
	TEE_OperationHandle operation = TEE_HANDLE_NULL;

	TEE_InitRefAttribute(&attr, TEE_ATTR_ED25519_PUBLIC_VALUE, public_key, sizeof(public_key));
	(void)TEE_AllocateTransientObject(TEE_TYPE_ED25519_PUBLIC_KEY, 256, &object);
	(void)TEE_PopulateTransientObject(object, &attr, 1);
	(void)TEE_AllocateOperation(&operation, TEE_ALG_ED25519, TEE_MODE_VERIFY, 256);
	(void)TEE_SetOperationKey(operation, object);
	return TEE_AsymmetricVerifyDigest(operation, NULL, 0, bytes, 1, bytes, signature_len);
}

/* y = 3 is a point's, y = 2 is none's. */
static TEE_Result verify_under_a_point(TEE_Param params[TEE_NUM_PARAMS])
{
	(void)params;
	return verify(3, 64);
}

static TEE_Result verify_under_no_point(TEE_Param params[TEE_NUM_PARAMS])
{
	(void)params;
	return verify(2, 64);
}

static TEE_Result verify_too_short(TEE_Param params[TEE_NUM_PARAMS])
{
	(void)params;
	return verify(3, 63);
}

static void verifying_says_invalid_to_a_wrong_signature_and_panics_on_what_is_none(void **state)
{
	(void)state;
	assert_int_equal(shim_run(verify_under_a_point), TEE_ERROR_SIGNATURE_INVALID);
	assert_int_equal(shim_run(verify_under_no_point), SHIM_PANICS);
	assert_int_equal(shim_run(verify_too_short), SHIM_PANICS);
}

/* ---- deriving and hashing ---------------------------------------------------------- */

static uint8_t peer[32];
static uint8_t derived[64];

static TEE_Result x25519(TEE_Param params[TEE_NUM_PARAMS])
{
	static const uint8_t scalar[32] = { 9 };
	TEE_Attribute attrs[2] = { 0 };
	TEE_Attribute attr = { 0 };
	TEE_ObjectHandle key = TEE_HANDLE_NULL;
	TEE_ObjectHandle secret = TEE_HANDLE_NULL;
	TEE_OperationHandle operation = TEE_HANDLE_NULL;
	size_t len = 32;

	(void)params;
	TEE_InitRefAttribute(&attrs[0], TEE_ATTR_X25519_PRIVATE_VALUE, scalar, 32);
	TEE_InitRefAttribute(&attrs[1], TEE_ATTR_X25519_PUBLIC_VALUE, bytes, 32);
	(void)TEE_AllocateTransientObject(TEE_TYPE_X25519_KEYPAIR, 256, &key);
	(void)TEE_PopulateTransientObject(key, attrs, 2);
	(void)TEE_AllocateOperation(&operation, TEE_ALG_X25519, TEE_MODE_DERIVE, 256);
	(void)TEE_SetOperationKey(operation, key);
	(void)TEE_AllocateTransientObject(TEE_TYPE_GENERIC_SECRET, 256, &secret);
	TEE_InitRefAttribute(&attr, TEE_ATTR_X25519_PUBLIC_VALUE, peer, sizeof(peer));
	TEE_DeriveKey(operation, &attr, 1, secret);
	return TEE_GetObjectBufferAttribute(secret, TEE_ATTR_SECRET_VALUE, derived, &len);
}

static void x25519_is_that_of_rfc_7748(void **state)
{
	uint8_t expected[32] = { 0 };

	(void)state;
	/* 5.2, after one iteration. */
	assert_true(
		sr_hex_decode("422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079",
			      64, expected, sizeof(expected)));
	memset(peer, 0, sizeof(peer));
	peer[0] = 9;
	assert_int_equal(shim_run(x25519), TEEC_SUCCESS);
	assert_memory_equal(derived, expected, sizeof(expected));
	/* A point of low order: the secret would be known to all. */
	peer[0] = 0;
	assert_int_equal(shim_run(x25519), SHIM_PANICS);
}

static TEE_Result sha512(TEE_Param params[TEE_NUM_PARAMS])
{
	TEE_OperationHandle operation = TEE_HANDLE_NULL;
	size_t len = sizeof(derived) - 1;

	(void)params;
	(void)TEE_AllocateOperation(&operation, TEE_ALG_SHA512, TEE_MODE_DIGEST, 0);
	if (TEE_DigestDoFinal(operation, "abc", 3, derived, &len) != TEE_ERROR_SHORT_BUFFER ||
	    len != 64)
		return TEE_ERROR_GENERIC;
	return TEE_DigestDoFinal(operation, "abc", 3, derived, &len);
}

static void sha512_is_fips_180s(void **state)
{
	uint8_t expected[64] = { 0 };

	(void)state;
	assert_true(
		sr_hex_decode("ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
			      "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
			      128, expected, sizeof(expected)));
	assert_int_equal(shim_run(sha512), TEEC_SUCCESS);
	assert_memory_equal(derived, expected, sizeof(expected));
}

/* ---- memory -------------------------------------------------------------------------- */

static TEE_Result malloc_without_filling(TEE_Param params[TEE_NUM_PARAMS])
{
	(void)params;
	(void)TEE_Malloc(8, TEE_MALLOC_NO_FILL);
	return TEE_SUCCESS;
}

static TEE_Result malloc_with_other_hints(TEE_Param params[TEE_NUM_PARAMS])
{
	(void)params;
	if (TEE_Malloc(8, TEE_MALLOC_NO_SHARE) || TEE_Malloc(8, 77))
		return TEE_ERROR_GENERIC;
	return TEE_Malloc(0, TEE_MALLOC_FILL_ZERO) ? TEE_SUCCESS : TEE_ERROR_GENERIC;
}

static void malloc_knows_the_hints_of_libutee(void **state)
{
	(void)state;
	assert_int_equal(shim_run(malloc_without_filling), SHIM_PANICS);
	assert_int_equal(shim_run(malloc_with_other_hints), TEEC_SUCCESS);
}

/* ---- properties ---------------------------------------------------------------------- */

static TEE_Result properties_as_text(TEE_Param params[TEE_NUM_PARAMS])
{
	char text[32] = "";
	size_t len = sizeof(text);
	TEE_Result result = TEE_GetPropertyAsString(TEE_PROPSET_CURRENT_TA, "gpd.ta.singleInstance",
						    text, &len);

	(void)params;
	if (result != TEE_SUCCESS || len != 5 || strcmp(text, "true") != 0)
		return TEE_ERROR_GENERIC;
	len = sizeof(text);
	result = TEE_GetPropertyAsString(TEE_PROPSET_TEE_IMPLEMENTATION,
					 "gpd.tee.internalCore.version", text, &len);
	if (result != TEE_SUCCESS || strcmp(text, "16974080") != 0)
		return TEE_ERROR_GENERIC;
	len = 8;
	result = TEE_GetPropertyAsString(TEE_PROPSET_TEE_IMPLEMENTATION,
					 "gpd.tee.internalCore.version", text, &len);
	return result == TEE_ERROR_SHORT_BUFFER && len == 9 ? TEE_SUCCESS : TEE_ERROR_GENERIC;
}

static void every_property_has_a_text(void **state)
{
	(void)state;
	assert_int_equal(shim_run(properties_as_text), TEEC_SUCCESS);
}

/* ---- storage -------------------------------------------------------------------------- */

static uint32_t no_space(const char *function)
{
	return strcmp(function, "truncate") ? TEE_SUCCESS : TEE_ERROR_STORAGE_NO_SPACE;
}

static TEE_Result truncate(TEE_Param params[TEE_NUM_PARAMS])
{
	TEE_ObjectHandle object = TEE_HANDLE_NULL;
	TEE_Result result = TEE_CreatePersistentObject(
		TEE_STORAGE_PRIVATE, "o", 1, TEE_DATA_FLAG_ACCESS_WRITE | TEE_DATA_FLAG_OVERWRITE,
		TEE_HANDLE_NULL, bytes, sizeof(bytes), &object);

	(void)params;
	return result == TEE_SUCCESS ? TEE_TruncateObjectData(object, 7) : result;
}

/* OP-TEE's core makes GENERIC of it, which is not listed. */
static void a_truncation_that_fails_panics(void **state)
{
	(void)state;
	assert_int_equal(shim_run(truncate), TEEC_SUCCESS);
	sim_storage_answer_hook = no_space;
	assert_int_equal(shim_run(truncate), SHIM_PANICS);
}

static TEE_Result enumerate(TEE_Param params[TEE_NUM_PARAMS])
{
	uint8_t id[TEE_OBJECT_ID_MAX_LEN] = { 0 };
	size_t len = 0;
	TEE_ObjectEnumHandle all = TEE_HANDLE_NULL;
	TEE_Result result = truncate(params);

	memset(id, 0xee, sizeof(id));
	if (result == TEE_SUCCESS)
		result = TEE_AllocatePersistentObjectEnumerator(&all);
	if (result == TEE_SUCCESS)
		result = TEE_StartPersistentObjectEnumerator(all, TEE_STORAGE_PRIVATE);
	if (result == TEE_SUCCESS)
		result = TEE_GetNextPersistentObject(all, NULL, id, &len);
	return result == TEE_SUCCESS && len == 1 && id[0] == 'o' && id[63] == 0 ? TEE_SUCCESS
										: TEE_ERROR_GENERIC;
}

/* So a shorter buffer is found by the sanitizers, as OP-TEE's core would find it. */
static void an_enumeration_writes_room_for_the_longest_id(void **state)
{
	(void)state;
	assert_int_equal(shim_run(enumerate), TEEC_SUCCESS);
}

/* ---- the system pseudo TA --------------------------------------------------------------- */

static const TEE_UUID system_pta = PTA_SYSTEM_UUID;
static const TEE_UUID nobody = { 1, 2, 3, { 4 } };
#define NO_PARAMS TEE_PARAM_TYPES(0, 0, 0, 0)
#define ONE_INPUT TEE_PARAM_TYPES(TEE_PARAM_TYPE_MEMREF_INPUT, 0, 0, 0)

static size_t seen;

static void see_event(const uint8_t *data, size_t len)
{
	assert_memory_equal(data, bytes, len);
	seen = len;
}

static TEE_TASessionHandle open_system(void)
{
	TEE_Param params[TEE_NUM_PARAMS] = { 0 };
	TEE_TASessionHandle session = TEE_HANDLE_NULL;
	uint32_t origin = 0;

	if (TEE_OpenTASession(&system_pta, TEE_TIMEOUT_INFINITE, NO_PARAMS, params, &session,
			      &origin) != TEE_SUCCESS ||
	    origin != TEE_ORIGIN_TRUSTED_APP)
		TEE_Panic(TEE_ERROR_BAD_STATE);
	return session;
}

/* One invocation with this for its first parameter. */
static TEE_Result add_entropy(TEE_TASessionHandle session, uint32_t types, void *buffer,
			      size_t size)
{
	TEE_Param params[TEE_NUM_PARAMS] = { 0 };
	uint32_t origin = 0;
	TEE_Result result = TEE_SUCCESS;

	params[0].memref.buffer = buffer;
	params[0].memref.size = size;
	result = TEE_InvokeTACommand(session, TEE_TIMEOUT_INFINITE, PTA_SYSTEM_ADD_RNG_ENTROPY,
				     types, params, &origin);
	return origin == TEE_ORIGIN_TRUSTED_APP ? result : TEE_ERROR_GENERIC;
}

static TEE_Result entropy_is_taken(TEE_Param params[TEE_NUM_PARAMS])
{
	TEE_TASessionHandle session = open_system();
	TEE_Result result = TEE_SUCCESS;

	seen = 0;
	result = add_entropy(session, ONE_INPUT, bytes, 20);
	if (result != TEE_SUCCESS || seen != 20)
		return TEE_ERROR_GENERIC;
	result = add_entropy(session, ONE_INPUT, bytes, 33);
	if (result != TEE_SUCCESS || seen != 32)
		return TEE_ERROR_GENERIC;
	/* The client's own bytes may be passed on. */
	memcpy(params[0].memref.buffer, bytes, 8);
	result = add_entropy(session, ONE_INPUT, params[0].memref.buffer, 8);
	TEE_CloseTASession(session);
	return seen == 8 ? result : TEE_ERROR_GENERIC;
}

static TEE_Result entropy_of_no_bytes(TEE_Param params[TEE_NUM_PARAMS])
{
	(void)params;
	return add_entropy(open_system(), ONE_INPUT, bytes, 0);
}

static TEE_Result entropy_of_other_types(TEE_Param params[TEE_NUM_PARAMS])
{
	(void)params;
	return add_entropy(open_system(), TEE_PARAM_TYPES(TEE_PARAM_TYPE_MEMREF_INOUT, 0, 0, 0),
			   bytes, 8);
}

static TEE_Result entropy_from_nowhere(TEE_Param params[TEE_NUM_PARAMS])
{
	(void)params;
	return add_entropy(open_system(), ONE_INPUT, NULL, 8);
}

/* For output, what the client gave for input. */
static TEE_Result entropy_to_the_clients_input(TEE_Param params[TEE_NUM_PARAMS])
{
	return add_entropy(open_system(), TEE_PARAM_TYPES(TEE_PARAM_TYPE_MEMREF_OUTPUT, 0, 0, 0),
			   params[0].memref.buffer, 8);
}

static TEE_Result a_command_of_no_number(TEE_Param params[TEE_NUM_PARAMS])
{
	TEE_Param none[TEE_NUM_PARAMS] = { 0 };

	(void)params;
	return TEE_InvokeTACommand(open_system(), TEE_TIMEOUT_INFINITE, 4711, NO_PARAMS, none,
				   NULL);
}

static void the_system_pta_takes_entropy_and_refuses_what_is_none(void **state)
{
	(void)state;
	sim_entropy_event_hook = see_event;
	assert_int_equal(shim_run(entropy_is_taken), TEEC_SUCCESS);
	assert_int_equal(shim_run(entropy_of_no_bytes), TEEC_ERROR_BAD_PARAMETERS);
	assert_int_equal(shim_run(entropy_of_other_types), TEEC_ERROR_BAD_PARAMETERS);
	assert_int_equal(shim_run(entropy_from_nowhere), SHIM_PANICS);
	assert_int_equal(shim_run(entropy_to_the_clients_input), SHIM_PANICS);
	assert_int_equal(shim_run(a_command_of_no_number), TEE_ERROR_NOT_IMPLEMENTED);
}

static TEE_Result open_nobody(TEE_Param params[TEE_NUM_PARAMS])
{
	TEE_TASessionHandle session = (TEE_TASessionHandle)(uintptr_t)1;
	uint32_t origin = 0;
	TEE_Result result = TEE_OpenTASession(&nobody, TEE_TIMEOUT_INFINITE, NO_PARAMS, params,
					      &session, &origin);

	return origin == TEE_ORIGIN_TEE && session == TEE_HANDLE_NULL ? result : TEE_ERROR_GENERIC;
}

static TEE_Result use_after_close(TEE_Param params[TEE_NUM_PARAMS])
{
	TEE_TASessionHandle session = open_system();

	(void)params;
	TEE_CloseTASession(session);
	return add_entropy(session, ONE_INPUT, bytes, 8);
}

static TEE_Result close_twice(TEE_Param params[TEE_NUM_PARAMS])
{
	TEE_TASessionHandle session = open_system();

	(void)params;
	TEE_CloseTASession(TEE_HANDLE_NULL);
	TEE_CloseTASession(session);
	TEE_CloseTASession(session);
	return TEE_SUCCESS;
}

static void sessions_are_those_that_are_open(void **state)
{
	(void)state;
	assert_int_equal(shim_run(open_nobody), TEEC_ERROR_ITEM_NOT_FOUND);
	assert_int_equal(shim_run(use_after_close), SHIM_PANICS);
	assert_int_equal(shim_run(close_twice), SHIM_PANICS);
	sim_lacks_system_pta = true;
	assert_int_equal(shim_run(use_after_close), SHIM_PANICS);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, shim_set_up, shim_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_key_that_lacks_an_attribute_panics),
		CASE(verifying_says_invalid_to_a_wrong_signature_and_panics_on_what_is_none),
		CASE(x25519_is_that_of_rfc_7748),
		CASE(sha512_is_fips_180s),
		CASE(malloc_knows_the_hints_of_libutee),
		CASE(every_property_has_a_text),
		CASE(a_truncation_that_fails_panics),
		CASE(an_enumeration_writes_room_for_the_longest_id),
		CASE(the_system_pta_takes_entropy_and_refuses_what_is_none),
		CASE(sessions_are_those_that_are_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
