/* SPDX-License-Identifier: Apache-2.0 */
#include <pta_system.h>
#include <tee_internal_api.h>

#include "entropy.h"
#include "memory.h"
#include "tee_generator.h"

#define EVENTS 64

static TEE_Result add_event(TEE_TASessionHandle session)
{
	uint8_t event[TA_ENTROPY_SIZE] = { 0 };
	TEE_Param params[TEE_NUM_PARAMS] = { 0 };
	uint32_t origin = 0;
	TEE_Result result = TEE_ERROR_GENERIC;

	ta_entropy_next(event);
	params[0].memref.buffer = event;
	params[0].memref.size = sizeof(event);
	result = TEE_InvokeTACommand(session, TEE_TIMEOUT_INFINITE, PTA_SYSTEM_ADD_RNG_ENTROPY,
				     TEE_PARAM_TYPES(TEE_PARAM_TYPE_MEMREF_INPUT,
						     TEE_PARAM_TYPE_NONE, TEE_PARAM_TYPE_NONE,
						     TEE_PARAM_TYPE_NONE),
				     params, &origin);
	ta_wipe(event, sizeof(event));
	return result;
}

bool ta_tee_generator_stir(void)
{
	const TEE_UUID system = PTA_SYSTEM_UUID;
	TEE_Param params[TEE_NUM_PARAMS] = { 0 };
	TEE_TASessionHandle session = TEE_HANDLE_NULL;
	uint32_t origin = 0;
	TEE_Result result =
		TEE_OpenTASession(&system, TEE_TIMEOUT_INFINITE, TEE_PARAM_TYPES(0, 0, 0, 0),
				  params, &session, &origin);

	if (result != TEE_SUCCESS)
		return false;
	for (unsigned i = 0; result == TEE_SUCCESS && i < EVENTS; i++)
		result = add_event(session);
	TEE_CloseTASession(session);
	return result == TEE_SUCCESS;
}
