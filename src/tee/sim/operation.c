/* SPDX-License-Identifier: Apache-2.0 */
/* Cryptographic operations: what is common to all, and which there are. */
#include <string.h>

#include "tee/sim/sim.h"

/* What each mode of an algorithm asks of its key; no type: it has none. */
struct use {
	uint32_t algorithm;
	uint32_t mode;
	uint32_t key_type;
	uint32_t key_usage;
};

/* Stricter than OP-TEE in one thing: there a pair may verify, here a public key object
 * must. */
static const struct use uses[] = {
	{ TEE_ALG_ED25519, TEE_MODE_SIGN, TEE_TYPE_ED25519_KEYPAIR, TEE_USAGE_SIGN },
	{ TEE_ALG_ED25519, TEE_MODE_VERIFY, TEE_TYPE_ED25519_PUBLIC_KEY, TEE_USAGE_VERIFY },
	{ TEE_ALG_X25519, TEE_MODE_DERIVE, TEE_TYPE_X25519_KEYPAIR, TEE_USAGE_DERIVE },
	{ TEE_ALG_SHA256, TEE_MODE_DIGEST, 0, 0 },
	{ TEE_ALG_SHA512, TEE_MODE_DIGEST, 0, 0 },
	{ TEE_ALG_HMAC_SHA256, TEE_MODE_MAC, TEE_TYPE_HMAC_SHA256, TEE_USAGE_MAC },
	{ TEE_ALG_AES_GCM, TEE_MODE_ENCRYPT, TEE_TYPE_AES, TEE_USAGE_ENCRYPT },
	{ TEE_ALG_AES_GCM, TEE_MODE_DECRYPT, TEE_TYPE_AES, TEE_USAGE_DECRYPT },
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
	for (size_t i = 0; i < SR_ARRAY_LEN(uses); i++) {
		if (uses[i].algorithm == algId && (element == TEE_CRYPTO_ELEMENT_NONE ||
						   (curve && element == TEE_ECC_CURVE_25519)))
			return TEE_SUCCESS;
	}
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
	if (!use || (use->key_type && !sim_key_size_supported(use->key_type, maxKeySize)))
		return TEE_ERROR_NOT_SUPPORTED;
	op = sim_operation_new();
	if (!op)
		return TEE_ERROR_OUT_OF_MEMORY;
	op->algorithm = algorithm;
	op->mode = mode;
	op->max_bits = maxKeySize;
	if (!use->key_type) {
		/* A digest is ready at once, and always. */
		op->key_set = true;
		sim_digest_start(op);
	}
	*operation = (TEE_OperationHandle)op->handle;
	return TEE_SUCCESS;
}

struct sim_operation *sim_operation_of(TEE_OperationHandle handle, uint32_t operation_class)
{
	struct sim_operation *op = sim_operation_get(handle);

	if (op->algorithm >> 28 != operation_class)
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	return op;
}

void TEE_FreeOperation(TEE_OperationHandle operation)
{
	sim_api_call();
	if (operation != TEE_HANDLE_NULL)
		sim_operation_free(sim_operation_get(operation));
}

static void reset(struct sim_operation *op)
{
	op->active = false;
	op->initialized = false;
	if (op->mode == TEE_MODE_DIGEST)
		sim_digest_start(op);
}

void TEE_ResetOperation(TEE_OperationHandle operation)
{
	struct sim_operation *op = NULL;

	sim_api_call();
	op = sim_operation_get(operation);
	if (!op->key_set)
		TEE_Panic(TEE_ERROR_BAD_STATE);
	reset(op);
}

/* Copies the key, as the specification says: the object may go afterwards. An operation
 * between its init and its final function takes none: that panics, and so does a digest,
 * which is always between the two. */
TEE_Result TEE_SetOperationKey(TEE_OperationHandle operation, TEE_ObjectHandle key)
{
	struct sim_operation *op = NULL;
	const struct sim_object *o = NULL;
	const struct use *use = NULL;

	sim_api_call();
	op = sim_operation_get(operation);
	use = find_use(op->algorithm, op->mode);
	if (op->initialized)
		TEE_Panic(TEE_ERROR_BAD_STATE);
	op->key_set = false;
	reset(op);
	if (key == TEE_HANDLE_NULL)
		return TEE_SUCCESS;
	o = sim_object_get(key);
	if (o->type != use->key_type || !(o->usage & use->key_usage) ||
	    o->size_bits > op->max_bits || !(o->flags & TEE_HANDLE_FLAG_INITIALIZED))
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	memcpy(op->secret, o->secret, sizeof(op->secret));
	op->secret_len = o->secret_len;
	memcpy(op->public_key, o->public_key, sizeof(op->public_key));
	op->key_set = true;
	return TEE_SUCCESS;
}
