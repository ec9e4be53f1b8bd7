/* SPDX-License-Identifier: Apache-2.0 */
/* Digests, SHA-256 and SHA-512, and HMAC-SHA-256, by libsodium. */
#include <string.h>

#include "tee/sim/sim.h"

/* ---- digests ----------------------------------------------------------- */

void sim_digest_start(struct sim_operation *op)
{
	if (op->algorithm == TEE_ALG_SHA256)
		(void)crypto_hash_sha256_init(&op->state.sha256);
	else
		(void)crypto_hash_sha512_init(&op->state.sha512);
	op->initialized = true;
	op->active = false;
}

static void update_digest(struct sim_operation *op, const void *chunk, size_t len)
{
	if (!len)
		return;
	if (op->algorithm == TEE_ALG_SHA256)
		(void)crypto_hash_sha256_update(&op->state.sha256, chunk, len);
	else
		(void)crypto_hash_sha512_update(&op->state.sha512, chunk, len);
}

void TEE_DigestUpdate(TEE_OperationHandle operation, const void *chunk, size_t chunkSize)
{
	struct sim_operation *op = NULL;

	sim_api_call();
	op = sim_operation_of(operation, SIM_CLASS_DIGEST);
	if (!chunk && chunkSize)
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	op->active = true;
	update_digest(op, chunk, chunkSize);
}

/* The operation is then as new. With SHORT_BUFFER nothing has been taken: the same call
 * with more room goes on where the last one would have. */
TEE_Result TEE_DigestDoFinal(TEE_OperationHandle operation, const void *chunk, size_t chunkLen,
			     void *hash, size_t *hashLen)
{
	struct sim_operation *op = NULL;
	size_t size = 0;
	size_t room = 0;

	sim_api_call();
	op = sim_operation_of(operation, SIM_CLASS_DIGEST);
	if ((!chunk && chunkLen) || !hashLen)
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	size = op->algorithm == TEE_ALG_SHA256 ? crypto_hash_sha256_BYTES
					       : crypto_hash_sha512_BYTES;
	room = *hashLen;
	*hashLen = size;
	if (room < size)
		return TEE_ERROR_SHORT_BUFFER;
	if (!hash)
		TEE_Panic(TEE_ERROR_ACCESS_DENIED);
	update_digest(op, chunk, chunkLen);
	if (op->algorithm == TEE_ALG_SHA256)
		(void)crypto_hash_sha256_final(&op->state.sha256, hash);
	else
		(void)crypto_hash_sha512_final(&op->state.sha512, hash);
	sim_digest_start(op);
	return TEE_SUCCESS;
}

/* ---- message authentication -------------------------------------------- */

/* Drops what a computation has taken that was not finished. */
void TEE_MACInit(TEE_OperationHandle operation, const void *IV, size_t IVLen)
{
	struct sim_operation *op = NULL;

	(void)IV;
	(void)IVLen;
	sim_api_call();
	op = sim_operation_of(operation, SIM_CLASS_MAC);
	if (!op->key_set)
		TEE_Panic(TEE_ERROR_BAD_STATE);
	(void)crypto_auth_hmacsha256_init(&op->state.hmac, op->secret, op->secret_len);
	op->initialized = true;
	op->active = true;
}

static struct sim_operation *begun(TEE_OperationHandle handle, const void *data, size_t len)
{
	struct sim_operation *op = sim_operation_of(handle, SIM_CLASS_MAC);

	if (!op->initialized || !op->active || (!data && len))
		TEE_Panic(TEE_ERROR_BAD_STATE);
	return op;
}

void TEE_MACUpdate(TEE_OperationHandle operation, const void *chunk, size_t chunkSize)
{
	struct sim_operation *op = NULL;

	sim_api_call();
	op = begun(operation, chunk, chunkSize);
	if (chunkSize)
		(void)crypto_auth_hmacsha256_update(&op->state.hmac, chunk, chunkSize);
}

static void finish(struct sim_operation *op, const void *message, size_t len, uint8_t *mac)
{
	if (len)
		(void)crypto_auth_hmacsha256_update(&op->state.hmac, message, len);
	(void)crypto_auth_hmacsha256_final(&op->state.hmac, mac);
	op->initialized = false;
	op->active = false;
}

TEE_Result TEE_MACComputeFinal(TEE_OperationHandle operation, const void *message,
			       size_t messageLen, void *mac, size_t *macLen)
{
	struct sim_operation *op = NULL;
	size_t room = 0;

	sim_api_call();
	op = begun(operation, message, messageLen);
	if (!macLen)
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	room = *macLen;
	*macLen = crypto_auth_hmacsha256_BYTES;
	if (room < crypto_auth_hmacsha256_BYTES)
		return TEE_ERROR_SHORT_BUFFER;
	if (!mac)
		TEE_Panic(TEE_ERROR_ACCESS_DENIED);
	finish(op, message, messageLen, mac);
	return TEE_SUCCESS;
}

TEE_Result TEE_MACCompareFinal(TEE_OperationHandle operation, const void *message,
			       size_t messageLen, const void *mac, size_t macLen)
{
	uint8_t computed[crypto_auth_hmacsha256_BYTES] = { 0 };
	bool same = false;

	sim_api_call();
	finish(begun(operation, message, messageLen), message, messageLen, computed);
	same = macLen == sizeof(computed) && !sodium_memcmp(mac, computed, sizeof(computed));
	sr_wipe(computed, sizeof(computed));
	return same ? TEE_SUCCESS : TEE_ERROR_MAC_INVALID;
}
