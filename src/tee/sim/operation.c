/* SPDX-License-Identifier: Apache-2.0 */
/* Cryptographic operations: Ed25519, pure, X25519 and SHA-512, by libsodium. */
#include <sodium.h>
#include <string.h>

#include "tee/sim/sim.h"
#include "tee/sim/sim_test.h"

#define KEY_BITS 256
#define VALUE_SIZE 32
#define SIGNATURE_SIZE crypto_sign_BYTES

bool sim_derives_wrong_secrets;

/* What each mode of an algorithm asks of its key; no type: it has none. */
struct use {
	uint32_t algorithm;
	uint32_t mode;
	uint32_t key_type;
	uint32_t key_usage;
};

/* Stricter than the specification in one thing: OP-TEE verifies with public key
 * objects only. */
static const struct use uses[] = {
	{ TEE_ALG_ED25519, TEE_MODE_SIGN, TEE_TYPE_ED25519_KEYPAIR, TEE_USAGE_SIGN },
	{ TEE_ALG_ED25519, TEE_MODE_VERIFY, TEE_TYPE_ED25519_PUBLIC_KEY, TEE_USAGE_VERIFY },
	{ TEE_ALG_X25519, TEE_MODE_DERIVE, TEE_TYPE_X25519_KEYPAIR, TEE_USAGE_DERIVE },
	{ TEE_ALG_SHA512, TEE_MODE_DIGEST, 0, 0 },
};

static const struct use *find_use(uint32_t algorithm, uint32_t mode)
{
	for (size_t i = 0; i < SR_ARRAY_LEN(uses); i++) {
		if (uses[i].algorithm == algorithm && uses[i].mode == mode)
			return &uses[i];
	}
	return NULL;
}

TEE_Result TEE_IsAlgorithmSupported(uint32_t algId, uint32_t element)
{
	const bool curve = algId == TEE_ALG_ED25519 || algId == TEE_ALG_X25519;

	sim_api_call();
	if ((curve && element == TEE_ECC_CURVE_25519) ||
	    ((curve || algId == TEE_ALG_SHA512) && element == TEE_CRYPTO_ELEMENT_NONE))
		return TEE_SUCCESS;
	return TEE_ERROR_NOT_SUPPORTED;
}

TEE_Result TEE_AllocateOperation(TEE_OperationHandle *operation, uint32_t algorithm, uint32_t mode,
				 uint32_t maxKeySize)
{
	const struct use *use = find_use(algorithm, mode);
	struct sim_operation *op = NULL;

	sim_api_call();
	if (!operation)
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	*operation = TEE_HANDLE_NULL;
	if (!use || (use->key_type && maxKeySize != KEY_BITS))
		return TEE_ERROR_NOT_SUPPORTED;
	op = sim_operation_new();
	if (!op)
		return TEE_ERROR_OUT_OF_MEMORY;
	op->algorithm = algorithm;
	op->mode = mode;
	/* A digest is ready at once. */
	op->key_set = !use->key_type;
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

/* Copies the key, as the specification says: the object may go afterwards. */
TEE_Result TEE_SetOperationKey(TEE_OperationHandle operation, TEE_ObjectHandle key)
{
	struct sim_operation *op = NULL;
	const struct sim_object *o = NULL;
	const struct use *use = NULL;

	sim_api_call();
	op = sim_operation_get(operation);
	use = find_use(op->algorithm, op->mode);
	if (!use->key_type)
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	op->key_set = false;
	if (key == TEE_HANDLE_NULL)
		return TEE_SUCCESS;
	o = sim_object_get(key);
	if (o->type != use->key_type || !(o->usage & use->key_usage) ||
	    !(o->flags & TEE_HANDLE_FLAG_INITIALIZED))
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
	memcpy(pair, op->secret, sizeof(op->secret));
	memcpy(pair + sizeof(op->secret), op->public_key, sizeof(op->public_key));
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

TEE_Result TEE_DigestDoFinal(TEE_OperationHandle operation, const void *chunk, size_t chunkLen,
			     void *hash, size_t *hashLen)
{
	const struct sim_operation *op = NULL;
	size_t room = 0;

	sim_api_call();
	op = sim_operation_get(operation);
	if (op->algorithm != TEE_ALG_SHA512 || (!chunk && chunkLen) || !hash || !hashLen)
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	room = *hashLen;
	*hashLen = crypto_hash_sha512_BYTES;
	if (room < crypto_hash_sha512_BYTES)
		return TEE_ERROR_SHORT_BUFFER;
	(void)crypto_hash_sha512(hash, chunk, chunkLen);
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
	o->flags |= TEE_HANDLE_FLAG_INITIALIZED;
}
