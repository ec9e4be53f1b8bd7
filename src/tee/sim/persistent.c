/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Persistent objects: data without attributes. An open object's content is held
 * in memory; every change writes the object's file anew, as a whole.
 *
 * Unlike OP-TEE, a corrupt object is left where it is: deleting it is a loss that
 * nobody asked for. Tests switch OP-TEE's way on, since a TA must bear both.
 */
#include <stdlib.h>
#include <string.h>

#include "tee/sim/sim.h"
#include "tee/sim/sim_test.h"

bool sim_storage_deletes_corrupt;

#define FLAGS_OPEN                                                \
	(TEE_DATA_FLAG_ACCESS_READ | TEE_DATA_FLAG_ACCESS_WRITE | \
	 TEE_DATA_FLAG_ACCESS_WRITE_META | TEE_DATA_FLAG_SHARE_READ | TEE_DATA_FLAG_SHARE_WRITE)

/* Lengths over the limit panic, as in OP-TEE: a TA that lets its callers choose
 * object ids is to learn it here. */
static struct sim_object_id id_of(const void *bytes, size_t len)
{
	struct sim_object_id id = { .len = len };

	if (len > sizeof(id.bytes) || (!bytes && len))
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	if (len)
		memcpy(id.bytes, bytes, len);
	return id;
}

/* Two handles of one object: both must allow the sharing that both need. */
static bool conflicts(const struct sim_object_id *id, uint32_t flags)
{
	const struct sim_object *other = sim_object_open_with_id(id, NULL);
	const uint32_t share = TEE_DATA_FLAG_SHARE_READ | TEE_DATA_FLAG_SHARE_WRITE;

	if (!other)
		return false;
	if ((flags | other->flags) & TEE_DATA_FLAG_ACCESS_WRITE_META)
		return true;
	if ((flags & share) != (other->flags & share))
		return true;
	if (((flags | other->flags) & TEE_DATA_FLAG_ACCESS_READ) &&
	    !(flags & TEE_DATA_FLAG_SHARE_READ))
		return true;
	return ((flags | other->flags) & TEE_DATA_FLAG_ACCESS_WRITE) &&
	       !(flags & TEE_DATA_FLAG_SHARE_WRITE);
}

static struct sim_object *new_persistent(const struct sim_object_id *id, uint32_t flags)
{
	struct sim_object *o = sim_object_new();

	if (!o)
		return NULL;
	o->type = TEE_TYPE_DATA;
	o->usage = 0xffffffff;
	o->flags = TEE_HANDLE_FLAG_PERSISTENT | TEE_HANDLE_FLAG_INITIALIZED | flags;
	o->id = *id;
	return o;
}

static TEE_Result open_stored(const struct sim_object_id *id, uint32_t flags,
			      TEE_ObjectHandle *object)
{
	struct sim_object *o = NULL;
	TEE_Result result = TEE_SUCCESS;

	if (conflicts(id, flags))
		return TEE_ERROR_ACCESS_CONFLICT;
	o = new_persistent(id, flags);
	if (!o)
		return TEE_ERROR_OUT_OF_MEMORY;
	result = sim_store_read(sim_store(), id, &o->data);
	if (result == TEE_SUCCESS)
		*object = (TEE_ObjectHandle)o->handle;
	else
		sim_object_free(o);
	if (result == TEE_ERROR_CORRUPT_OBJECT && sim_storage_deletes_corrupt)
		(void)sim_store_delete(sim_store(), id);
	return result;
}

TEE_Result TEE_OpenPersistentObject(uint32_t storageID, const void *objectID, size_t objectIDLen,
				    uint32_t flags, TEE_ObjectHandle *object)
{
	struct sim_object_id id = { 0 };
	TEE_Result result = TEE_SUCCESS;

	sim_api_call();
	if (!object || (flags & ~(uint32_t)FLAGS_OPEN))
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	*object = TEE_HANDLE_NULL;
	id = id_of(objectID, objectIDLen);
	if (storageID != TEE_STORAGE_PRIVATE)
		return TEE_ERROR_ITEM_NOT_FOUND;
	result = sim_storage_asked("open");
	if (result == TEE_SUCCESS)
		result = open_stored(&id, flags, object);
	return sim_storage_answered("open", result);
}

/* The handle is made before the file, so that nothing can fail after it. */
static TEE_Result create(const struct sim_object_id *id, uint32_t flags, const void *data,
			 size_t len, TEE_ObjectHandle *object)
{
	struct sim_object *o = NULL;
	TEE_Result result = TEE_ERROR_OUT_OF_MEMORY;

	if (conflicts(id, flags | TEE_DATA_FLAG_ACCESS_WRITE_META))
		return TEE_ERROR_ACCESS_CONFLICT;
	o = new_persistent(id, flags & ~(uint32_t)TEE_DATA_FLAG_OVERWRITE);
	if (!o)
		return TEE_ERROR_OUT_OF_MEMORY;
	o->data.data = malloc(len + 1);
	if (o->data.data) {
		o->data.len = len;
		if (len)
			memcpy(o->data.data, data, len);
		result = sim_store_write(sim_store(), id, o->data.data, len,
					 (flags & TEE_DATA_FLAG_OVERWRITE) != 0);
	}
	if (result == TEE_SUCCESS && object)
		*object = (TEE_ObjectHandle)o->handle;
	else
		sim_object_free(o);
	return result;
}

TEE_Result TEE_CreatePersistentObject(uint32_t storageID, const void *objectID, size_t objectIDLen,
				      uint32_t flags, TEE_ObjectHandle attributes,
				      const void *initialData, size_t initialDataLen,
				      TEE_ObjectHandle *object)
{
	struct sim_object_id id = { 0 };
	TEE_Result result = TEE_SUCCESS;

	sim_api_call();
	if ((flags & ~(uint32_t)(FLAGS_OPEN | TEE_DATA_FLAG_OVERWRITE)) ||
	    (!initialData && initialDataLen))
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	if (attributes != TEE_HANDLE_NULL)
		TEE_Panic(TEE_ERROR_NOT_IMPLEMENTED);
	if (object)
		*object = TEE_HANDLE_NULL;
	id = id_of(objectID, objectIDLen);
	if (storageID != TEE_STORAGE_PRIVATE)
		return TEE_ERROR_ITEM_NOT_FOUND;
	result = sim_storage_asked("create");
	if (result == TEE_SUCCESS)
		result = create(&id, flags, initialData, initialDataLen, object);
	return sim_storage_answered("create", result);
}

/* An open persistent object with these rights. */
static struct sim_object *persistent(TEE_ObjectHandle handle, uint32_t rights)
{
	struct sim_object *o = sim_object_get(handle);

	if (!(o->flags & TEE_HANDLE_FLAG_PERSISTENT) || (o->flags & rights) != rights)
		TEE_Panic(TEE_ERROR_ACCESS_CONFLICT);
	return o;
}

/* The handle is gone whatever the storage says. */
TEE_Result TEE_CloseAndDeletePersistentObject1(TEE_ObjectHandle object)
{
	struct sim_object *o = NULL;
	TEE_Result result = TEE_SUCCESS;

	sim_api_call();
	if (object == TEE_HANDLE_NULL)
		return TEE_SUCCESS;
	o = persistent(object, TEE_DATA_FLAG_ACCESS_WRITE_META);
	result = sim_storage_asked("delete");
	if (result == TEE_SUCCESS)
		result = sim_store_delete(sim_store(), &o->id);
	sim_object_free(o);
	return sim_storage_answered("delete", result);
}

/* The id stands inside the file, so a rename is a new file and the end of the old
 * one: a kill in between leaves both. */
TEE_Result TEE_RenamePersistentObject(TEE_ObjectHandle object, const void *newObjectID,
				      size_t newObjectIDLen)
{
	struct sim_object *o = NULL;
	struct sim_object_id id = { 0 };
	TEE_Result result = TEE_SUCCESS;

	sim_api_call();
	o = persistent(object, TEE_DATA_FLAG_ACCESS_WRITE_META);
	id = id_of(newObjectID, newObjectIDLen);
	if (sim_object_open_with_id(&id, NULL))
		return TEE_ERROR_ACCESS_CONFLICT;
	result = sim_storage_asked("rename");
	if (result == TEE_SUCCESS)
		result = sim_store_write(sim_store(), &id, o->data.data, o->data.len, false);
	if (result == TEE_SUCCESS)
		result = sim_store_delete(sim_store(), &o->id);
	if (result == TEE_SUCCESS)
		o->id = id;
	if (result == TEE_ERROR_STORAGE_NO_SPACE)
		result = TEE_ERROR_STORAGE_NOT_AVAILABLE;
	return sim_storage_answered("rename", result);
}

/* ---- data stream ------------------------------------------------------- */

TEE_Result TEE_ReadObjectData(TEE_ObjectHandle object, void *buffer, size_t size, size_t *count)
{
	struct sim_object *o = NULL;
	size_t left = 0;
	TEE_Result result = TEE_SUCCESS;

	sim_api_call();
	o = persistent(object, TEE_DATA_FLAG_ACCESS_READ);
	if (!count || (!buffer && size))
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	result = sim_storage_asked("read");
	if (result != TEE_SUCCESS) {
		/* The TEE closes a corrupt object's handle, and deletes the object. */
		if (result == TEE_ERROR_CORRUPT_OBJECT) {
			if (sim_storage_deletes_corrupt)
				(void)sim_store_delete(sim_store(), &o->id);
			sim_object_free(o);
		}
		return sim_storage_answered("read", result);
	}
	left = o->position < o->data.len ? o->data.len - o->position : 0;
	*count = size < left ? size : left;
	if (*count)
		memcpy(buffer, o->data.data + o->position, *count);
	o->position += *count;
	return TEE_SUCCESS;
}

/* Makes the content len bytes long, in memory and in the store. patch_len bytes
 * at position are replaced; what is new otherwise is zero. */
static TEE_Result rewrite(struct sim_object *o, size_t len, const void *patch, size_t patch_len)
{
	struct sim_blob next = { .data = NULL, .len = len };
	TEE_Result result = TEE_SUCCESS;

	if (len > SIM_OBJECT_MAX)
		return TEE_ERROR_STORAGE_NO_SPACE;
	next.data = calloc(1, len + 1);
	/* The specification has no OUT_OF_MEMORY here. */
	if (!next.data)
		return TEE_ERROR_STORAGE_NO_SPACE;
	if (o->data.len && len)
		memcpy(next.data, o->data.data, o->data.len < len ? o->data.len : len);
	if (patch_len)
		memcpy(next.data + o->position, patch, patch_len);
	result = sim_store_write(sim_store(), &o->id, next.data, len, true);
	if (result != TEE_SUCCESS) {
		sim_blob_free(&next);
		return result;
	}
	sim_blob_free(&o->data);
	o->data = next;
	return TEE_SUCCESS;
}

TEE_Result TEE_WriteObjectData(TEE_ObjectHandle object, const void *buffer, size_t size)
{
	struct sim_object *o = NULL;
	size_t end = 0;
	TEE_Result result = TEE_SUCCESS;

	sim_api_call();
	o = persistent(object, TEE_DATA_FLAG_ACCESS_WRITE);
	if (!buffer && size)
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	if (size > TEE_DATA_MAX_POSITION || o->position > TEE_DATA_MAX_POSITION - size)
		return TEE_ERROR_OVERFLOW;
	if (!size)
		return TEE_SUCCESS;
	end = o->position + size;
	result = sim_storage_asked("write");
	if (result == TEE_SUCCESS)
		result = rewrite(o, end > o->data.len ? end : o->data.len, buffer, size);
	if (result == TEE_SUCCESS)
		o->position = end;
	return sim_storage_answered("write", result);
}

TEE_Result TEE_TruncateObjectData(TEE_ObjectHandle object, size_t size)
{
	struct sim_object *o = NULL;
	TEE_Result result = TEE_SUCCESS;

	sim_api_call();
	o = persistent(object, TEE_DATA_FLAG_ACCESS_WRITE);
	result = sim_storage_asked("truncate");
	if (result == TEE_SUCCESS)
		result = rewrite(o, size, NULL, 0);
	/* OP-TEE's core has two answers to this, and one is not listed. */
	if (result != TEE_SUCCESS && result != TEE_ERROR_CORRUPT_OBJECT)
		result = TEE_ERROR_GENERIC;
	return sim_storage_answered("truncate", result);
}

TEE_Result TEE_SeekObjectData(TEE_ObjectHandle object, intmax_t offset, TEE_Whence whence)
{
	struct sim_object *o = NULL;
	intmax_t base = 0;
	intmax_t position = 0;

	sim_api_call();
	o = persistent(object, 0);
	if (whence == TEE_DATA_SEEK_CUR)
		base = (intmax_t)o->position;
	else if (whence == TEE_DATA_SEEK_END)
		base = (intmax_t)o->data.len;
	else if (whence != TEE_DATA_SEEK_SET)
		TEE_Panic(TEE_ERROR_ITEM_NOT_FOUND);
	if (__builtin_add_overflow(base, offset, &position) ||
	    position > (intmax_t)TEE_DATA_MAX_POSITION)
		return TEE_ERROR_OVERFLOW;
	/* Before the start is the start. */
	o->position = position < 0 ? 0 : (size_t)position;
	return TEE_SUCCESS;
}
