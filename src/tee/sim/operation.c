/* SPDX-License-Identifier: Apache-2.0 */
/* Cryptographic operations: Ed25519, pure, by libsodium. */
#include <sodium.h>
#include <string.h>

#include "tee/sim/sim.h"

#define ED25519_BITS 256
#define SIGNATURE_SIZE crypto_sign_BYTES

TEE_Result TEE_IsAlgorithmSupported(uint32_t algId, uint32_t element)
{
	sim_api_call();
	if (algId == TEE_ALG_ED25519 &&
	    (element == TEE_ECC_CURVE_25519 || element == TEE_CRYPTO_ELEMENT_NONE))
		return TEE_SUCCESS;
	return TEE_ERROR_NOT_SUPPORTED;
}

TEE_Result TEE_AllocateOperation(TEE_OperationHandle *operation, uint32_t algorithm, uint32_t mode,
				 uint32_t maxKeySize)
{
	struct sim_operation *op = NULL;

	sim_api_call();
	if (!operation)
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	*operation = TEE_HANDLE_NULL;
	if (algorithm != TEE_ALG_ED25519 || (mode != TEE_MODE_SIGN && mode != TEE_MODE_VERIFY) ||
	    maxKeySize != ED25519_BITS)
		return TEE_ERROR_NOT_SUPPORTED;
	op = sim_operation_new();
	if (!op)
		return TEE_ERROR_OUT_OF_MEMORY;
	op->mode = mode;
	*operation = (TEE_OperationHandle)op->handle;
	return TEE_SUCCESS;
}

void TEE_FreeOperation(TEE_OperationHandle operation)
{
	sim_api_call();
	if (operation != TEE_HANDLE_NULL)
		sim_operation_free(sim_operation_get(operation));
}

void TEE_ResetOperation(TEE_OperationHandle operation)
{
	sim_api_call();
	if (!sim_operation_get(operation)->key_set)
		TEE_Panic(TEE_ERROR_BAD_STATE);
}

/* Copies the key, as the specification says: the object may go afterwards. Stricter
 * than it in one thing: OP-TEE verifies with public key objects only. */
TEE_Result TEE_SetOperationKey(TEE_OperationHandle operation, TEE_ObjectHandle key)
{
	struct sim_operation *op = NULL;
	const struct sim_object *o = NULL;
	uint32_t type = 0;
	uint32_t usage = 0;

	sim_api_call();
	op = sim_operation_get(operation);
	op->key_set = false;
	if (key == TEE_HANDLE_NULL)
		return TEE_SUCCESS;
	o = sim_object_get(key);
	type = op->mode == TEE_MODE_SIGN ? TEE_TYPE_ED25519_KEYPAIR : TEE_TYPE_ED25519_PUBLIC_KEY;
	usage = op->mode == TEE_MODE_SIGN ? TEE_USAGE_SIGN : TEE_USAGE_VERIFY;
	if (o->type != type || !(o->usage & usage) || !(o->flags & TEE_HANDLE_FLAG_INITIALIZED))
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	memcpy(op->secret, o->secret, sizeof(op->secret));
	memcpy(op->public_key, o->public_key, sizeof(op->public_key));
	op->key_set = true;
	return TEE_SUCCESS;
}

/* Neither context nor prehash: no attribute is taken. */
static struct sim_operation *ready(TEE_OperationHandle handle, uint32_t mode, uint32_t param_count,
				   const void *digest, size_t digest_len)
{
	struct sim_operation *op = sim_operation_get(handle);

	if (op->mode != mode || !op->key_set || param_count || (!digest && digest_len))
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
	memcpy(pair, op->secret, sizeof(op->secret));
	memcpy(pair + sizeof(op->secret), op->public_key, sizeof(op->public_key));
	(void)crypto_sign_detached(signature, NULL, digest, digestLen, pair);
	sr_wipe(pair, sizeof(pair));
	return TEE_SUCCESS;
}

/* SIGNATURE_INVALID for every signature that is none, malformed ones included. */
TEE_Result TEE_AsymmetricVerifyDigest(TEE_OperationHandle operation, const TEE_Attribute *params,
				      uint32_t paramCount, const void *digest, size_t digestLen,
				      const void *signature, size_t signatureLen)
{
	const struct sim_operation *op = NULL;

	(void)params;
	sim_api_call();
	op = ready(operation, TEE_MODE_VERIFY, paramCount, digest, digestLen);
	if (!signature)
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	if (signatureLen != SIGNATURE_SIZE ||
	    crypto_sign_verify_detached(signature, digest, digestLen, op->public_key))
		return TEE_ERROR_SIGNATURE_INVALID;
	return TEE_SUCCESS;
}
