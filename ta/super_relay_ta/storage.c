/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "storage.h"
#include "super_relay_ta.h"

/* An enumeration ends after so many objects, whatever the storage claims. */
#define OBJECTS_MAX (4 * (SR_TA_KEYS_MAX + SR_TA_LEDGERS_MAX))

TEE_Result ta_storage_read(const struct ta_storage_id *id, void *out, size_t size, size_t *len)
{
	TEE_ObjectHandle handle = TEE_HANDLE_NULL;
	TEE_ObjectInfo info = { 0 };
	TEE_Result result = TEE_OpenPersistentObject(TEE_STORAGE_PRIVATE, id->bytes, id->len,
						     TEE_DATA_FLAG_ACCESS_READ, &handle);

	*len = 0;
	if (result == TEE_ERROR_ACCESS_CONFLICT)
		return TEE_ERROR_BUSY;
	if (result != TEE_SUCCESS)
		return result;
	result = TEE_GetObjectInfo1(handle, &info);
	if (result == TEE_SUCCESS && info.dataSize > size)
		*len = info.dataSize;
	else if (result == TEE_SUCCESS)
		result = TEE_ReadObjectData(handle, out, size, len);
	/* A corrupt object's handle has been closed by the TEE. */
	if (result != TEE_ERROR_CORRUPT_OBJECT)
		TEE_CloseObject(handle);
	return result;
}

TEE_Result ta_storage_write(const struct ta_storage_id *id, const void *data, size_t len)
{
	TEE_ObjectHandle handle = TEE_HANDLE_NULL;
	const uint32_t flags = TEE_DATA_FLAG_ACCESS_WRITE | TEE_DATA_FLAG_OVERWRITE;
	TEE_Result result = TEE_CreatePersistentObject(TEE_STORAGE_PRIVATE, id->bytes, id->len,
						       flags, TEE_HANDLE_NULL, data, len, &handle);

	if (result == TEE_SUCCESS)
		TEE_CloseObject(handle);
	return result == TEE_ERROR_ACCESS_CONFLICT ? TEE_ERROR_BUSY : result;
}

TEE_Result ta_storage_delete(const struct ta_storage_id *id)
{
	TEE_ObjectHandle handle = TEE_HANDLE_NULL;
	TEE_Result result = TEE_OpenPersistentObject(
		TEE_STORAGE_PRIVATE, id->bytes, id->len,
		TEE_DATA_FLAG_ACCESS_READ | TEE_DATA_FLAG_ACCESS_WRITE_META, &handle);

	if (result == TEE_SUCCESS)
		result = TEE_CloseAndDeletePersistentObject1(handle);
	return result == TEE_ERROR_ACCESS_CONFLICT ? TEE_ERROR_BUSY : result;
}

static TEE_Result visit_names(TEE_ObjectEnumHandle enumerator, ta_storage_visitor visit, void *arg)
{
	TEE_ObjectInfo info = { 0 };
	uint8_t id[TEE_OBJECT_ID_MAX_LEN] = { 0 };
	size_t len = 0;
	TEE_Result result = TEE_StartPersistentObjectEnumerator(enumerator, TEE_STORAGE_PRIVATE);

	for (size_t i = 0; result == TEE_SUCCESS && i < OBJECTS_MAX; i++) {
		len = sizeof(id);
		result = TEE_GetNextPersistentObject(enumerator, &info, id, &len);
		/* The next call goes on behind it, and if it does not, OBJECTS_MAX ends this. */
		if (result == TEE_ERROR_CORRUPT_OBJECT)
			result = visit(arg, NULL, 0);
		else if (result == TEE_SUCCESS && len <= sizeof(id))
			result = visit(arg, id, len);
	}
	return result == TEE_ERROR_ITEM_NOT_FOUND ? TEE_SUCCESS : result;
}

TEE_Result ta_storage_visit(ta_storage_visitor visit, void *arg)
{
	TEE_ObjectEnumHandle enumerator = TEE_HANDLE_NULL;
	TEE_Result result = TEE_AllocatePersistentObjectEnumerator(&enumerator);

	if (result != TEE_SUCCESS)
		return result;
	result = visit_names(enumerator, visit, arg);
	TEE_FreePersistentObjectEnumerator(enumerator);
	return result;
}

struct census {
	const char *letters;
	size_t count;	 /* names that begin with one of them */
	bool unnameable; /* objects that exist, and whose names cannot be read */
};

static TEE_Result take_census(void *arg, const uint8_t *id, size_t len)
{
	struct census *census = arg;

	if (!id)
		census->unnameable = true;
	else if (len && id[0] && strchr(census->letters, id[0]))
		census->count++;
	return TEE_SUCCESS;
}

TEE_Result ta_storage_any(const char *letters, bool *any)
{
	struct census census = { .letters = letters };
	TEE_Result result = ta_storage_visit(take_census, &census);

	*any = census.count || census.unnameable;
	return result;
}

TEE_Result ta_storage_count(char letter, size_t *count)
{
	const char letters[2] = { letter, 0 };
	struct census census = { .letters = letters };
	TEE_Result result = ta_storage_visit(take_census, &census);

	*count = census.count;
	return result;
}
