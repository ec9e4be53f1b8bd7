/* SPDX-License-Identifier: Apache-2.0 */
/* Operations with keys of Curve25519, by libsodium: Ed25519, pure, and X25519. */
#include <sodium.h>
#include <string.h>

#include "tee/sim/sim.h"
#include "tee/sim/sim_test.h"

#define VALUE_SIZE 32
#define SIGNATURE_SIZE crypto_sign_BYTES

bool sim_derives_wrong_secrets;

/* Neither context nor prehash: no attribute is taken. */
static struct sim_operation *ready(TEE_OperationHandle handle, uint32_t mode, uint32_t param_count,
				   const void *digest, size_t digest_len)
{
	struct sim_operation *op = sim_operation_get(handle);

	if (op->algorithm != TEE_ALG_ED25519 || op->mode != mode || !op->key_set || param_count ||
	    (!digest && digest_len))
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	return op;
}

TEE_Result TEE_AsymmetricSignDigest(TEE_OperationHandle operation, const TEE_Attribute *params,
				    uint32_t paramCount, const void *digest, size_t digestLen,
				    void *signature, size_t *signatureLen)
{
	uint8_t pair[crypto_sign_SECRETKEYBYTES] = { 0 };
	const struct sim_operation *op = NULL;
	size_t room = 0;

	(void)params;
	sim_api_call();
	op = ready(operation, TEE_MODE_SIGN, paramCount, digest, digestLen);
	if (!signatureLen || !signature)
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	room = *signatureLen;
	*signatureLen = SIGNATURE_SIZE;
	if (room < SIGNATURE_SIZE)
		return TEE_ERROR_SHORT_BUFFER;
	/* seed ‖ public key: the public key is hashed as it was given, as OP-TEE does. */
	memcpy(pair, op->secret, VALUE_SIZE);
	memcpy(pair + VALUE_SIZE, op->public_key, VALUE_SIZE);
	(void)crypto_sign_detached(signature, NULL, digest, digestLen, pair);
	sr_wipe(pair, sizeof(pair));
	return TEE_SUCCESS;
}

/* libsodium looks whether a sum's operands are on the curve, and no further. */
static bool is_point(const uint8_t *encoded)
{
	uint8_t sum[crypto_core_ed25519_BYTES] = { 0 };

	return !crypto_core_ed25519_add(sum, encoded, encoded);
}

/* SIGNATURE_INVALID for every signature of the right length that is none. To another
 * length, and to a public key that is no point of the curve, OP-TEE's core answers
 * BAD_PARAMETERS, and libutee panics. */
TEE_Result TEE_AsymmetricVerifyDigest(TEE_OperationHandle operation, const TEE_Attribute *params,
				      uint32_t paramCount, const void *digest, size_t digestLen,
				      const void *signature, size_t signatureLen)
{
	const struct sim_operation *op = NULL;

	(void)params;
	sim_api_call();
	op = ready(operation, TEE_MODE_VERIFY, paramCount, digest, digestLen);
	if (!signature || signatureLen != SIGNATURE_SIZE || !is_point(op->public_key))
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	if (crypto_sign_verify_detached(signature, digest, digestLen, op->public_key))
		return TEE_ERROR_SIGNATURE_INVALID;
	return TEE_SUCCESS;
}

/* The specification gives it no result: whatever goes wrong panics. */
void TEE_DeriveKey(TEE_OperationHandle operation, const TEE_Attribute *params, uint32_t paramCount,
		   TEE_ObjectHandle derivedKey)
{
	const struct sim_operation *op = NULL;
	struct sim_object *o = NULL;
	uint8_t scalar[VALUE_SIZE] = { 0 };
	int failed = 0;

	sim_api_call();
	op = sim_operation_get(operation);
	o = sim_object_get(derivedKey);
	if (op->algorithm != TEE_ALG_X25519 || !op->key_set || o->type != TEE_TYPE_GENERIC_SECRET ||
	    (o->flags & TEE_HANDLE_FLAG_INITIALIZED) || paramCount != 1 ||
	    params[0].attributeID != TEE_ATTR_X25519_PUBLIC_VALUE ||
	    params[0].content.ref.length != VALUE_SIZE)
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	memcpy(scalar, op->secret, sizeof(scalar));
	scalar[1] ^= sim_derives_wrong_secrets;
	failed = crypto_scalarmult(o->secret, scalar, params[0].content.ref.buffer);
	sr_wipe(scalar, sizeof(scalar));
	/* A point of low order: OP-TEE's core answers SECURITY. */
	if (failed)
		TEE_Panic(TEE_ERROR_SECURITY);
	o->secret_len = VALUE_SIZE;
	o->flags |= TEE_HANDLE_FLAG_INITIALIZED;
}
