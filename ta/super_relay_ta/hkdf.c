/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "hkdf.h"
#include "memory.h"

/* HMAC fills a shorter key up with zeros to this; done here, since the TEE takes no key
 * below 24 bytes, and RFC 5869's absent salt is all zeros. */
#define BLOCK_SIZE 64

static TEE_Result set_key(TEE_OperationHandle operation, const uint8_t *key, size_t len)
{
	TEE_Attribute attr = { 0 };
	TEE_ObjectHandle object = TEE_HANDLE_NULL;
	TEE_Result result =
		TEE_AllocateTransientObject(TEE_TYPE_HMAC_SHA256, TA_HKDF_SALT_MAX * 8, &object);

	if (result != TEE_SUCCESS)
		return result;
	TEE_InitRefAttribute(&attr, TEE_ATTR_SECRET_VALUE, key, len);
	result = TEE_PopulateTransientObject(object, &attr, 1);
	if (result == TEE_SUCCESS)
		result = TEE_SetOperationKey(operation, object);
	TEE_FreeTransientObject(object);
	return result;
}

/* key: at most TA_HKDF_SALT_MAX bytes. */
static TEE_Result open_hmac(struct ta_piece key, TEE_OperationHandle *out)
{
	uint8_t padded[TA_HKDF_SALT_MAX] = { 0 };
	const size_t len = key.len < BLOCK_SIZE ? BLOCK_SIZE : key.len;
	TEE_OperationHandle operation = TEE_HANDLE_NULL;
	TEE_Result result = TEE_AllocateOperation(&operation, TEE_ALG_HMAC_SHA256, TEE_MODE_MAC,
						  TA_HKDF_SALT_MAX * 8);

	*out = TEE_HANDLE_NULL;
	if (result != TEE_SUCCESS)
		return result;
	if (key.len)
		memcpy(padded, key.data, key.len);
	result = set_key(operation, padded, len);
	ta_wipe(padded, sizeof(padded));
	if (result == TEE_SUCCESS)
		*out = operation;
	else
		TEE_FreeOperation(operation);
	return result;
}

/* Over the pieces in a row; the operation is then ready for another. */
static TEE_Result hmac(TEE_OperationHandle operation, const struct ta_piece *pieces, size_t count,
		       uint8_t out[static TA_SHA256_SIZE])
{
	size_t len = TA_SHA256_SIZE;

	TEE_MACInit(operation, NULL, 0);
	for (size_t i = 0; i < count; i++) {
		if (pieces[i].len)
			TEE_MACUpdate(operation, pieces[i].data, pieces[i].len);
	}
	return TEE_MACComputeFinal(operation, NULL, 0, out, &len);
}

/* RFC 5869, 2.2. */
static TEE_Result extract(struct ta_piece salt, struct ta_piece secret,
			  uint8_t out[static TA_SHA256_SIZE])
{
	TEE_OperationHandle operation = TEE_HANDLE_NULL;
	TEE_Result result = open_hmac(salt, &operation);

	if (result != TEE_SUCCESS)
		return result;
	result = hmac(operation, &secret, 1, out);
	TEE_FreeOperation(operation);
	return result;
}

/* RFC 5869, 2.3. */
static TEE_Result expand(const uint8_t key[static TA_SHA256_SIZE], struct ta_piece info,
			 uint8_t *out, size_t out_len)
{
	uint8_t block[TA_SHA256_SIZE] = { 0 };
	uint8_t number = 1;
	struct ta_piece pieces[] = { { block, 0 }, info, { &number, 1 } };
	TEE_OperationHandle operation = TEE_HANDLE_NULL;
	TEE_Result result = open_hmac((struct ta_piece){ key, TA_SHA256_SIZE }, &operation);

	if (result != TEE_SUCCESS)
		return result;
	for (size_t at = 0; at < out_len && result == TEE_SUCCESS; at += sizeof(block)) {
		const size_t left = out_len - at;

		result = hmac(operation, pieces, 3, block);
		memcpy(out + at, block, left < sizeof(block) ? left : sizeof(block));
		pieces[0].len = sizeof(block);
		number++;
	}
	TEE_FreeOperation(operation);
	ta_wipe(block, sizeof(block));
	return result;
}

TEE_Result ta_hkdf_sha256(struct ta_piece salt, struct ta_piece secret, struct ta_piece info,
			  uint8_t *out, size_t out_len)
{
	uint8_t key[TA_SHA256_SIZE] = { 0 };
	TEE_Result result = TEE_ERROR_BAD_PARAMETERS;

	if (salt.len <= TA_HKDF_SALT_MAX && out_len <= TA_HKDF_OUT_MAX)
		result = extract(salt, secret, key);
	if (result == TEE_SUCCESS)
		result = expand(key, info, out, out_len);
	ta_wipe(key, sizeof(key));
	if (result != TEE_SUCCESS)
		ta_wipe(out, out_len);
	return result;
}
