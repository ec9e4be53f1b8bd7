/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions of the TA with another: with OP-TEE's system pseudo TA, the only one here.
 * What comes back from it is the caller's to handle; what the TEE itself refuses on the
 * way there panics, as libutee does on all but OUT_OF_MEMORY and TARGET_DEAD.
 */
#include <pta_system.h>
#include <string.h>

#include "tee/sim/sim.h"
#include "tee/sim/sim_test.h"

#define EVENT_MAX 32

bool sim_lacks_system_pta;
void (*sim_entropy_event_hook)(const uint8_t *data, size_t len);

static bool is_memref(uint32_t type)
{
	return type == TEE_PARAM_TYPE_MEMREF_INPUT || type == TEE_PARAM_TYPE_MEMREF_OUTPUT ||
	       type == TEE_PARAM_TYPE_MEMREF_INOUT;
}

/* libutee's check: what is the client's may be passed on for no more than the client
 * gave it for. */
static void check_buffers(uint32_t types, const TEE_Param params[TEE_NUM_PARAMS])
{
	for (unsigned i = 0; types && i < TEE_NUM_PARAMS; i++) {
		const uint32_t type = TEE_PARAM_TYPE_GET(types, i);
		uint32_t access = TEE_MEMORY_ACCESS_ANY_OWNER | TEE_MEMORY_ACCESS_READ;

		if (!is_memref(type))
			continue;
		if (type != TEE_PARAM_TYPE_MEMREF_INPUT)
			access |= TEE_MEMORY_ACCESS_WRITE;
		if (params[i].memref.buffer &&
		    TEE_CheckMemoryAccessRights(access, params[i].memref.buffer,
						params[i].memref.size) != TEE_SUCCESS)
			TEE_Panic(TEE_ERROR_ACCESS_DENIED);
	}
}

/* The core finds no memory behind NULL. */
static bool mapped(uint32_t types, const TEE_Param params[TEE_NUM_PARAMS])
{
	for (unsigned i = 0; types && i < TEE_NUM_PARAMS; i++) {
		if (is_memref(TEE_PARAM_TYPE_GET(types, i)) && params[i].memref.size &&
		    !params[i].memref.buffer)
			return false;
	}
	return true;
}

static TEE_Result answer(TEE_Result result, uint32_t origin, uint32_t *returnOrigin)
{
	if (returnOrigin)
		*returnOrigin = origin;
	return result;
}

TEE_Result TEE_OpenTASession(const TEE_UUID *destination, uint32_t cancellationRequestTimeout,
			     uint32_t paramTypes, TEE_Param params[TEE_NUM_PARAMS],
			     TEE_TASessionHandle *session, uint32_t *returnOrigin)
{
	static const TEE_UUID system_pta = PTA_SYSTEM_UUID;
	uintptr_t handle = 0;

	(void)cancellationRequestTimeout;
	sim_api_call();
	if (!destination || !session)
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	*session = TEE_HANDLE_NULL;
	check_buffers(paramTypes, params);
	if (!mapped(paramTypes, params))
		return answer(TEE_ERROR_BAD_PARAMETERS, TEE_ORIGIN_TEE, returnOrigin);
	if (sim_lacks_system_pta || memcmp(destination, &system_pta, sizeof(system_pta)) != 0)
		return answer(TEE_ERROR_ITEM_NOT_FOUND, TEE_ORIGIN_TEE, returnOrigin);
	handle = sim_session_new();
	if (!handle)
		return answer(TEE_ERROR_OUT_OF_MEMORY, TEE_ORIGIN_TEE, returnOrigin);
	*session = (TEE_TASessionHandle)handle;
	return answer(TEE_SUCCESS, TEE_ORIGIN_TRUSTED_APP, returnOrigin);
}

void TEE_CloseTASession(TEE_TASessionHandle session)
{
	sim_api_call();
	if (session != TEE_HANDLE_NULL)
		sim_session_free((uintptr_t)session);
}

/* The simulator's generator is the kernel's and needs nothing. */
static TEE_Result add_rng_entropy(uint32_t types, const TEE_Param params[TEE_NUM_PARAMS])
{
	const uint32_t expected = TEE_PARAM_TYPES(TEE_PARAM_TYPE_MEMREF_INPUT, TEE_PARAM_TYPE_NONE,
						  TEE_PARAM_TYPE_NONE, TEE_PARAM_TYPE_NONE);
	size_t len = 0;

	if (types != expected || !params[0].memref.size || !params[0].memref.buffer)
		return TEE_ERROR_BAD_PARAMETERS;
	len = params[0].memref.size < EVENT_MAX ? params[0].memref.size : EVENT_MAX;
	if (sim_entropy_event_hook)
		sim_entropy_event_hook(params[0].memref.buffer, len);
	return TEE_SUCCESS;
}

TEE_Result TEE_InvokeTACommand(TEE_TASessionHandle session, uint32_t cancellationRequestTimeout,
			       uint32_t commandID, uint32_t paramTypes,
			       TEE_Param params[TEE_NUM_PARAMS], uint32_t *returnOrigin)
{
	TEE_Result result = TEE_ERROR_NOT_IMPLEMENTED;

	(void)cancellationRequestTimeout;
	sim_api_call();
	check_buffers(paramTypes, params);
	sim_session_check((uintptr_t)session);
	if (!mapped(paramTypes, params))
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	if (commandID == PTA_SYSTEM_ADD_RNG_ENTROPY)
		result = add_rng_entropy(paramTypes, params);
	return answer(result, TEE_ORIGIN_TRUSTED_APP, returnOrigin);
}
