/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "memory.h"
#include "transport.h"

#define KEY_BITS 256
#define POINT_SIZE SR_TA_X25519_PUBLIC_SIZE

/* All u below 2^255 of points whose order divides 8, on the curve and on its twist, those
 * that are not reduced modulo p = 2^255 - 19 among them. Little-endian. */
static const uint8_t small_order[][POINT_SIZE] = {
	{ 0 },
	{ 1 },
	{ 0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
	  0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
	  0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00 },
	{ 0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1,
	  0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c,
	  0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57 },
	/* p - 1, p, p + 1 */
	{ 0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f },
	{ 0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f },
	{ 0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f },
};

/* X25519 ignores the top bit of u, and so does this. */
bool ta_x25519_small_order(const uint8_t point[static SR_TA_X25519_PUBLIC_SIZE])
{
	uint8_t u[POINT_SIZE] = { 0 };
	bool found = false;

	memcpy(u, point, sizeof(u));
	u[POINT_SIZE - 1] &= 0x7f;
	for (size_t i = 0; i < sizeof(small_order) / sizeof(small_order[0]); i++)
		found |= ta_equal_ct(u, small_order[i], sizeof(u));
	return found;
}

/* The operation keeps its own copy of the scalar. */
static TEE_Result set_scalar(TEE_OperationHandle operation, const uint8_t *scalar)
{
	/* OP-TEE wants a pair's public value and uses it for nothing here. */
	const uint8_t unused[POINT_SIZE] = { 0 };
	TEE_Attribute attrs[2] = { 0 };
	TEE_ObjectHandle object = TEE_HANDLE_NULL;
	TEE_Result result = TEE_AllocateTransientObject(TEE_TYPE_X25519_KEYPAIR, KEY_BITS, &object);

	if (result != TEE_SUCCESS)
		return result;
	TEE_InitRefAttribute(&attrs[0], TEE_ATTR_X25519_PRIVATE_VALUE, scalar, SR_TA_SECRET_SIZE);
	TEE_InitRefAttribute(&attrs[1], TEE_ATTR_X25519_PUBLIC_VALUE, unused, sizeof(unused));
	result = TEE_PopulateTransientObject(object, attrs, 2);
	if (result == TEE_SUCCESS)
		result = TEE_SetOperationKey(operation, object);
	TEE_FreeTransientObject(object);
	return result;
}

static TEE_Result derive(TEE_OperationHandle operation, const uint8_t *point, uint8_t *out)
{
	TEE_Attribute attr = { 0 };
	TEE_ObjectHandle object = TEE_HANDLE_NULL;
	size_t len = POINT_SIZE;
	TEE_Result result = TEE_AllocateTransientObject(TEE_TYPE_GENERIC_SECRET, KEY_BITS, &object);

	if (result != TEE_SUCCESS)
		return result;
	TEE_InitRefAttribute(&attr, TEE_ATTR_X25519_PUBLIC_VALUE, point, POINT_SIZE);
	TEE_DeriveKey(operation, &attr, 1, object);
	result = TEE_GetObjectBufferAttribute(object, TEE_ATTR_SECRET_VALUE, out, &len);
	if (result == TEE_SUCCESS && len != POINT_SIZE)
		result = TEE_ERROR_GENERIC;
	TEE_FreeTransientObject(object);
	return result;
}

TEE_Result ta_x25519(const uint8_t scalar[static SR_TA_SECRET_SIZE],
		     const uint8_t point[static SR_TA_X25519_PUBLIC_SIZE],
		     uint8_t out[static SR_TA_X25519_PUBLIC_SIZE])
{
	const uint8_t zero[POINT_SIZE] = { 0 };
	TEE_OperationHandle operation = TEE_HANDLE_NULL;
	TEE_Result result = TEE_ERROR_GENERIC;

	memset(out, 0, POINT_SIZE);
	if (ta_x25519_small_order(point))
		return TEE_ERROR_BAD_PARAMETERS;
	result = TEE_AllocateOperation(&operation, TEE_ALG_X25519, TEE_MODE_DERIVE, KEY_BITS);
	if (result != TEE_SUCCESS)
		return result;
	result = set_scalar(operation, scalar);
	if (result == TEE_SUCCESS)
		result = derive(operation, point, out);
	TEE_FreeOperation(operation);
	/* What the list above is there to prevent, and a fault could bring about. */
	if (result == TEE_SUCCESS && ta_equal_ct(out, zero, sizeof(zero)))
		result = TEE_ERROR_SECURITY;
	return result;
}

TEE_Result ta_transport_public(const uint8_t secret[static SR_TA_SECRET_SIZE],
			       uint8_t out[static SR_TA_X25519_PUBLIC_SIZE])
{
	const uint8_t base_point[POINT_SIZE] = { 9 };

	return ta_x25519(secret, base_point, out);
}
