/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Most TEE_ functions here panic on wrong arguments: every type, size and mode
 * is a constant, every handle one just made, every length checked by the caller.
 */
#include <string.h>

#include "ed25519_check.h"
#include "ed25519_public.h"
#include "entropy.h"
#include "memory.h"
#include "sign_ed25519.h"

#define KEY_BITS 256

/* Any message serves to try a key pair; words of its own keep a signature over it
 * from meaning anything elsewhere. */
static const uint8_t pair_check_words[] = "super-relay ed25519 pair check";

TEE_Result ta_ed25519_generate(struct ta_key *key)
{
	ta_entropy_next(key->secret);
	return ta_ed25519_derive_public(key);
}

/* An operation with its key set; the operation holds its own copy of the key. */
static TEE_Result open_operation(uint32_t mode, uint32_t object_type, const TEE_Attribute *attrs,
				 uint32_t count, TEE_OperationHandle *out)
{
	TEE_ObjectHandle object = TEE_HANDLE_NULL;
	TEE_OperationHandle operation = TEE_HANDLE_NULL;
	TEE_Result result = TEE_AllocateTransientObject(object_type, KEY_BITS, &object);

	if (result != TEE_SUCCESS)
		return result;
	result = TEE_PopulateTransientObject(object, attrs, count);
	if (result == TEE_SUCCESS)
		result = TEE_AllocateOperation(&operation, TEE_ALG_ED25519, mode, KEY_BITS);
	if (result == TEE_SUCCESS)
		result = TEE_SetOperationKey(operation, object);
	TEE_FreeTransientObject(object);
	if (result != TEE_SUCCESS && operation != TEE_HANDLE_NULL) {
		TEE_FreeOperation(operation);
		operation = TEE_HANDLE_NULL;
	}
	*out = operation;
	return result;
}

static TEE_Result sign(const struct ta_key *key, const uint8_t *message, size_t len, uint8_t *out)
{
	TEE_Attribute attrs[2] = { 0 };
	TEE_OperationHandle operation = TEE_HANDLE_NULL;
	size_t out_len = SR_TA_ED25519_SIGNATURE_SIZE;
	TEE_Result result = TEE_ERROR_GENERIC;

	TEE_InitRefAttribute(&attrs[0], TEE_ATTR_ED25519_PRIVATE_VALUE, key->secret,
			     sizeof(key->secret));
	TEE_InitRefAttribute(&attrs[1], TEE_ATTR_ED25519_PUBLIC_VALUE, key->public_key,
			     SR_TA_ED25519_PUBLIC_SIZE);
	result = open_operation(TEE_MODE_SIGN, TEE_TYPE_ED25519_KEYPAIR, attrs, 2, &operation);
	if (result != TEE_SUCCESS)
		return result;
	result = TEE_AsymmetricSignDigest(operation, NULL, 0, message, len, out, &out_len);
	if (result == TEE_SUCCESS && out_len != SR_TA_ED25519_SIGNATURE_SIZE)
		result = TEE_ERROR_GENERIC;
	TEE_FreeOperation(operation);
	return result;
}

/* With an object of the public key alone: OP-TEE takes no pair for verifying. */
TEE_Result ta_ed25519_verify(const uint8_t public_key[static SR_TA_ED25519_PUBLIC_SIZE],
			     const uint8_t *message, size_t len,
			     const uint8_t signature[static SR_TA_ED25519_SIGNATURE_SIZE])
{
	TEE_Attribute attr = { 0 };
	TEE_OperationHandle operation = TEE_HANDLE_NULL;
	TEE_Result result = TEE_ERROR_GENERIC;

	/* What the TEE would panic at, or take though it should not. */
	if (!ta_ed25519_key_valid_var(public_key) || !ta_ed25519_signature_canonical_var(signature))
		return TEE_ERROR_SIGNATURE_INVALID;
	TEE_InitRefAttribute(&attr, TEE_ATTR_ED25519_PUBLIC_VALUE, public_key,
			     SR_TA_ED25519_PUBLIC_SIZE);
	result = open_operation(TEE_MODE_VERIFY, TEE_TYPE_ED25519_PUBLIC_KEY, &attr, 1, &operation);
	if (result != TEE_SUCCESS)
		return result;
	result = TEE_AsymmetricVerifyDigest(operation, NULL, 0, message, len, signature,
					    SR_TA_ED25519_SIGNATURE_SIZE);
	TEE_FreeOperation(operation);
	return result;
}

TEE_Result ta_ed25519_sign(const struct ta_key *key, const uint8_t *message, size_t len,
			   uint8_t out[static SR_TA_ED25519_SIGNATURE_SIZE])
{
	TEE_Result result = sign(key, message, len, out);

	if (result == TEE_SUCCESS)
		result = ta_ed25519_verify(key->public_key, message, len, out);
	if (result == TEE_SUCCESS)
		return TEE_SUCCESS;
	/* One signature under a wrong public key gives the secret away. */
	ta_wipe(out, SR_TA_ED25519_SIGNATURE_SIZE);
	return result == TEE_ERROR_SIGNATURE_INVALID ? TEE_ERROR_SECURITY : result;
}

TEE_Result ta_ed25519_check_pair(const struct ta_key *key)
{
	uint8_t signature[SR_TA_ED25519_SIGNATURE_SIZE] = { 0 };
	TEE_Result result =
		ta_ed25519_sign(key, pair_check_words, sizeof(pair_check_words), signature);

	ta_wipe(signature, sizeof(signature));
	/* Refused outright by the TEE, or not verifying: either way no pair. */
	if (result == TEE_ERROR_SECURITY || result == TEE_ERROR_BAD_PARAMETERS)
		return TEE_ERROR_CORRUPT_OBJECT;
	return result;
}

/* Of a point and its negative, which differ in the top bit, one is the seed's: the one
 * under which the seed's signature verifies. That proves the point's other bits, too,
 * so nothing here is taken on the word of our own arithmetic. */
TEE_Result ta_ed25519_derive_public(struct ta_key *key)
{
	TEE_Result result = ta_ed25519_point(key->secret, key->public_key);

	key->public_len = SR_TA_ED25519_PUBLIC_SIZE;
	if (result == TEE_SUCCESS)
		result = ta_ed25519_check_pair(key);
	if (result != TEE_ERROR_CORRUPT_OBJECT)
		return result;
	key->public_key[SR_TA_ED25519_PUBLIC_SIZE - 1] ^= 0x80;
	result = ta_ed25519_check_pair(key);
	/* Neither: the TEE contradicts itself. */
	return result == TEE_ERROR_CORRUPT_OBJECT ? TEE_ERROR_SECURITY : result;
}
