/* SPDX-License-Identifier: Apache-2.0 */
#include "shim_entry.h"

#include <stddef.h>

void (*shim_entry_create)(void);
TEE_Result (*shim_entry_invoke)(TEE_Param params[TEE_NUM_PARAMS]);

TEE_Result TA_CreateEntryPoint(void)
{
	if (shim_entry_create)
		shim_entry_create();
	return TEE_SUCCESS;
}

void TA_DestroyEntryPoint(void)
{
}

TEE_Result TA_OpenSessionEntryPoint(uint32_t paramTypes, TEE_Param params[TEE_NUM_PARAMS],
				    void **sessionContext)
{
	(void)paramTypes;
	(void)params;
	(void)sessionContext;
	return TEE_SUCCESS;
}

void TA_CloseSessionEntryPoint(void *sessionContext)
{
	(void)sessionContext;
}

TEE_Result TA_InvokeCommandEntryPoint(void *sessionContext, uint32_t commandID, uint32_t paramTypes,
				      TEE_Param params[TEE_NUM_PARAMS])
{
	(void)sessionContext;
	(void)commandID;
	(void)paramTypes;
	return shim_entry_invoke(params);
}
