/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Results that the specification lists for each function of the trusted storage.
 * libutee panics on every other that OP-TEE's core may answer, and so is it here:
 * what a TA does about an error must be seen on the errors that reach it.
 */
#include <string.h>

#include "tee/sim/sim.h"
#include "tee/sim/sim_test.h"

uint32_t (*sim_storage_answer_hook)(const char *function);

struct listed {
	const char *function;
	TEE_Result results[7]; /* TEE_SUCCESS, 0, fills the rest */
};

static const struct listed all[] = {
	{ "open",
	  { TEE_ERROR_ITEM_NOT_FOUND, TEE_ERROR_ACCESS_CONFLICT, TEE_ERROR_OUT_OF_MEMORY,
	    TEE_ERROR_CORRUPT_OBJECT, TEE_ERROR_STORAGE_NOT_AVAILABLE } },
	{ "create",
	  { TEE_ERROR_ITEM_NOT_FOUND, TEE_ERROR_ACCESS_CONFLICT, TEE_ERROR_OUT_OF_MEMORY,
	    TEE_ERROR_STORAGE_NO_SPACE, TEE_ERROR_CORRUPT_OBJECT,
	    TEE_ERROR_STORAGE_NOT_AVAILABLE } },
	{ "delete", { TEE_ERROR_STORAGE_NOT_AVAILABLE } },
	{ "rename",
	  { TEE_ERROR_ACCESS_CONFLICT, TEE_ERROR_CORRUPT_OBJECT,
	    TEE_ERROR_STORAGE_NOT_AVAILABLE } },
	{ "read", { TEE_ERROR_CORRUPT_OBJECT, TEE_ERROR_STORAGE_NOT_AVAILABLE } },
	{ "write",
	  { TEE_ERROR_STORAGE_NO_SPACE, TEE_ERROR_OVERFLOW, TEE_ERROR_CORRUPT_OBJECT,
	    TEE_ERROR_STORAGE_NOT_AVAILABLE } },
	{ "truncate",
	  { TEE_ERROR_STORAGE_NO_SPACE, TEE_ERROR_CORRUPT_OBJECT,
	    TEE_ERROR_STORAGE_NOT_AVAILABLE } },
	{ "allocate", { TEE_ERROR_ACCESS_CONFLICT } },
	{ "start",
	  { TEE_ERROR_ITEM_NOT_FOUND, TEE_ERROR_CORRUPT_OBJECT, TEE_ERROR_STORAGE_NOT_AVAILABLE } },
	{ "next",
	  { TEE_ERROR_ITEM_NOT_FOUND, TEE_ERROR_CORRUPT_OBJECT, TEE_ERROR_STORAGE_NOT_AVAILABLE } },
};

TEE_Result sim_storage_asked(const char *function)
{
	return sim_storage_answer_hook ? sim_storage_answer_hook(function) : TEE_SUCCESS;
}

static bool is_listed(const char *function, TEE_Result result)
{
	for (size_t i = 0; i < SR_ARRAY_LEN(all); i++) {
		for (size_t j = 0;
		     !strcmp(all[i].function, function) && j < SR_ARRAY_LEN(all[i].results); j++) {
			if (all[i].results[j] == result)
				return true;
		}
	}
	return false;
}

TEE_Result sim_storage_answered(const char *function, TEE_Result result)
{
	if (result != TEE_SUCCESS && !is_listed(function, result))
		TEE_Panic(result);
	return result;
}
