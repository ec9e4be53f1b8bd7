/* SPDX-License-Identifier: Apache-2.0 */
#include <pta_attestation.h>

#include "evidence.h"

#define NONCE_SIZE 32

static TEE_Result hash_memory(TEE_TASessionHandle session, const uint8_t *nonce, uint8_t *out,
			      size_t *len)
{
	uint8_t copy[NONCE_SIZE] = { 0 };
	TEE_Param params[TEE_NUM_PARAMS] = { 0 };
	const uint32_t types =
		TEE_PARAM_TYPES(TEE_PARAM_TYPE_MEMREF_INPUT, TEE_PARAM_TYPE_MEMREF_OUTPUT,
				TEE_PARAM_TYPE_NONE, TEE_PARAM_TYPE_NONE);
	uint32_t origin = 0;
	TEE_Result result = TEE_SUCCESS;

	/* The parameter has no const. */
	for (size_t i = 0; i < sizeof(copy); i++)
		copy[i] = nonce[i];
	params[0].memref.buffer = copy;
	params[0].memref.size = sizeof(copy);
	params[1].memref.buffer = out;
	params[1].memref.size = SR_TA_EVIDENCE_MAX;
	result = TEE_InvokeTACommand(session, TEE_TIMEOUT_INFINITE, PTA_ATTESTATION_HASH_TA_MEMORY,
				     types, params, &origin);
	*len = result == TEE_SUCCESS ? params[1].memref.size : 0;
	return *len > SR_TA_EVIDENCE_MAX ? TEE_ERROR_GENERIC : result;
}

TEE_Result ta_evidence(const uint8_t nonce[static 32], uint8_t out[static SR_TA_EVIDENCE_MAX],
		       size_t *len)
{
	const TEE_UUID platform = PTA_ATTESTATION_UUID;
	TEE_Param params[TEE_NUM_PARAMS] = { 0 };
	TEE_TASessionHandle session = TEE_HANDLE_NULL;
	uint32_t origin = 0;
	TEE_Result result =
		TEE_OpenTASession(&platform, TEE_TIMEOUT_INFINITE, TEE_PARAM_TYPES(0, 0, 0, 0),
				  params, &session, &origin);

	*len = 0;
	if (result == TEE_ERROR_ITEM_NOT_FOUND)
		return TEE_ERROR_NOT_SUPPORTED;
	if (result != TEE_SUCCESS)
		return result;
	result = hash_memory(session, nonce, out, len);
	TEE_CloseTASession(session);
	return result;
}
