/* SPDX-License-Identifier: Apache-2.0 */
/* Enumeration of persistent objects: of those that there were when it started. */
#include <stdlib.h>
#include <string.h>

#include "tee/sim/sim.h"

#define OBJECTS_MAX 65536

TEE_Result TEE_AllocatePersistentObjectEnumerator(TEE_ObjectEnumHandle *objectEnumerator)
{
	struct sim_enumerator *e = NULL;
	TEE_Result result = TEE_SUCCESS;

	sim_api_call();
	if (!objectEnumerator)
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	result = sim_storage_asked("allocate");
	if (result == TEE_SUCCESS)
		e = sim_enumerator_new();
	if (result == TEE_SUCCESS && !e)
		result = TEE_ERROR_OUT_OF_MEMORY;
	*objectEnumerator = e ? (TEE_ObjectEnumHandle)e->handle : TEE_HANDLE_NULL;
	return sim_storage_answered("allocate", result);
}

void TEE_FreePersistentObjectEnumerator(TEE_ObjectEnumHandle objectEnumerator)
{
	sim_api_call();
	if (objectEnumerator != TEE_HANDLE_NULL)
		sim_enumerator_free(sim_enumerator_get(objectEnumerator));
}

static void reset(struct sim_enumerator *e)
{
	const uintptr_t handle = e->handle;

	sim_enumerator_free(e);
	e->handle = handle;
}

void TEE_ResetPersistentObjectEnumerator(TEE_ObjectEnumHandle objectEnumerator)
{
	sim_api_call();
	if (objectEnumerator != TEE_HANDLE_NULL)
		reset(sim_enumerator_get(objectEnumerator));
}

/* Errors in the specification's few words for a failing enumeration. */
static TEE_Result append(void *arg, const struct sim_object_id *id)
{
	const struct sim_object_id unreadable = { .len = SIM_UNREADABLE };
	struct sim_enumerator *e = arg;
	struct sim_object_id *grown = NULL;

	if (e->count == OBJECTS_MAX)
		return TEE_ERROR_STORAGE_NOT_AVAILABLE;
	grown = realloc(e->ids, (e->count + 1) * sizeof(*grown));
	if (!grown)
		return TEE_ERROR_STORAGE_NOT_AVAILABLE;
	e->ids = grown;
	e->ids[e->count++] = id ? *id : unreadable;
	return TEE_SUCCESS;
}

TEE_Result TEE_StartPersistentObjectEnumerator(TEE_ObjectEnumHandle objectEnumerator,
					       uint32_t storageID)
{
	struct sim_enumerator *e = NULL;
	TEE_Result result = TEE_SUCCESS;

	sim_api_call();
	e = sim_enumerator_get(objectEnumerator);
	reset(e);
	if (storageID != TEE_STORAGE_PRIVATE)
		return TEE_ERROR_ITEM_NOT_FOUND;
	result = sim_storage_asked("start");
	if (result == TEE_SUCCESS && sim_store_list(sim_store(), append, e) != TEE_SUCCESS)
		result = TEE_ERROR_STORAGE_NOT_AVAILABLE;
	if (result != TEE_SUCCESS) {
		reset(e);
		return sim_storage_answered("start", result);
	}
	e->started = true;
	return e->count ? TEE_SUCCESS : TEE_ERROR_ITEM_NOT_FOUND;
}

TEE_Result TEE_GetNextPersistentObject(TEE_ObjectEnumHandle objectEnumerator,
				       TEE_ObjectInfo *objectInfo, void *objectID,
				       size_t *objectIDLen)
{
	struct sim_enumerator *e = NULL;
	const struct sim_object_id *id = NULL;
	TEE_Result result = TEE_SUCCESS;

	sim_api_call();
	e = sim_enumerator_get(objectEnumerator);
	if (!objectID || !objectIDLen)
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	result = sim_storage_asked("next");
	if (result != TEE_SUCCESS)
		return sim_storage_answered("next", result);
	if (!e->started || e->next == e->count)
		return TEE_ERROR_ITEM_NOT_FOUND;
	id = &e->ids[e->next++];
	if (id->len == SIM_UNREADABLE)
		return TEE_ERROR_CORRUPT_OBJECT;
	if (objectInfo)
		*objectInfo = (TEE_ObjectInfo){
			.objectType = TEE_TYPE_DATA,
			.handleFlags = TEE_HANDLE_FLAG_PERSISTENT | TEE_HANDLE_FLAG_INITIALIZED,
		};
	/* OP-TEE wants room for the longest id, whatever the length says. */
	memset(objectID, 0, TEE_OBJECT_ID_MAX_LEN);
	memcpy(objectID, id->bytes, id->len);
	*objectIDLen = id->len;
	return TEE_SUCCESS;
}
