/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "memory.h"
#include "operator.h"
#include "sign_ed25519.h"
#include "state.h"
#include "user_ta_header_defines.h"

static uint8_t statement[TA_STATEMENT_MAX];

void ta_uuid_to_octets(const TEE_UUID *uuid, uint8_t out[static 16])
{
	out[0] = (uint8_t)(uuid->timeLow >> 24);
	out[1] = (uint8_t)(uuid->timeLow >> 16);
	out[2] = (uint8_t)(uuid->timeLow >> 8);
	out[3] = (uint8_t)uuid->timeLow;
	out[4] = (uint8_t)(uuid->timeMid >> 8);
	out[5] = (uint8_t)uuid->timeMid;
	out[6] = (uint8_t)(uuid->timeHiAndVersion >> 8);
	out[7] = (uint8_t)uuid->timeHiAndVersion;
	memcpy(out + 8, uuid->clockSeqAndNode, 8);
}

void ta_uuid_octets(uint8_t out[static 16])
{
	const TEE_UUID uuid = TA_UUID;

	ta_uuid_to_octets(&uuid, out);
}

static bool append(size_t *len, const void *data, size_t size)
{
	if (size > sizeof(statement) - *len)
		return false;
	if (size)
		memcpy(statement + *len, data, size);
	*len += size;
	return true;
}

static bool build(const char *name, const struct ta_piece *pieces, size_t count, size_t *len)
{
	uint8_t uuid[16] = { 0 };
	bool fits = true;

	*len = 0;
	ta_uuid_octets(uuid);
	fits = append(len, name, strlen(name)) && append(len, uuid, sizeof(uuid));
	for (size_t i = 0; fits && i < count; i++)
		fits = append(len, pieces[i].data, pieces[i].len);
	return fits;
}

/* What a verification that was glitched over would leave is not success: the result is
 * set to failure before, and the signature is verified twice. Statements are rare. */
static TEE_Result verify_twice(const uint8_t *key, size_t len, const uint8_t *signature)
{
	volatile TEE_Result one = TEE_ERROR_SECURITY;
	volatile TEE_Result two = TEE_ERROR_SECURITY;

	one = ta_ed25519_verify(key, statement, len, signature);
	if (one != TEE_SUCCESS && one != TEE_ERROR_SIGNATURE_INVALID)
		return one == TEE_ERROR_OUT_OF_MEMORY ? one : TEE_ERROR_SECURITY;
	two = ta_ed25519_verify(key, statement, len, signature);
	if (one != TEE_SUCCESS || two != TEE_SUCCESS)
		return TEE_ERROR_SECURITY;
	return TEE_SUCCESS;
}

TEE_Result ta_operator_verify(const uint8_t key[static SR_TA_ED25519_PUBLIC_SIZE], const char *name,
			      const struct ta_piece *pieces, size_t count,
			      const uint8_t signature[static SR_TA_OPERATOR_SIGNATURE_SIZE],
			      uint8_t *digest)
{
	size_t len = 0;
	TEE_Result result = TEE_SUCCESS;

	if (!build(name, pieces, count, &len))
		return TEE_ERROR_BAD_PARAMETERS;
	if (digest)
		result = ta_sha256(statement, len, digest);
	return result == TEE_SUCCESS ? verify_twice(key, len, signature) : result;
}

TEE_Result ta_operator_signed_policy(const struct ta_key *key, uint32_t version,
				     const uint8_t *policy, size_t policy_len,
				     const uint8_t signature[static SR_TA_OPERATOR_SIGNATURE_SIZE])
{
	const struct ta_identity *identity = ta_state_identity();
	uint8_t number[4] = { 0 };
	struct ta_writer w = { .data = number, .size = sizeof(number) };
	uint8_t public_hash[TA_SHA256_SIZE] = { 0 };
	const struct ta_piece pieces[] = {
		{ &key->id.len, 1 },
		{ key->id.bytes, key->id.len },
		{ public_hash, sizeof(public_hash) },
		{ number, sizeof(number) },
		{ policy, policy_len },
	};
	TEE_Result result = TEE_ERROR_ACCESS_DENIED;

	if (!ta_state_provisioned())
		return result;
	ta_put_u32(&w, version);
	result = ta_sha256(key->public_key, key->public_len, public_hash);
	if (result != TEE_SUCCESS)
		return result;
	return ta_operator_verify(identity->operator_key, SR_TA_STATEMENT_POLICY, pieces, 5,
				  signature, NULL);
}
