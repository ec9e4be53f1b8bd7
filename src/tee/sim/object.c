/* SPDX-License-Identifier: Apache-2.0 */
/* Generic and transient objects: keys of Ed25519 and X25519, and secrets. */
#include <string.h>

#include "tee/sim/sim.h"

#define KEY_BITS 256
#define VALUE_SIZE 32
#define USAGE_DEFAULT 0xffffffff

/* ---- generic ----------------------------------------------------------- */

TEE_Result TEE_GetObjectInfo1(TEE_ObjectHandle object, TEE_ObjectInfo *objectInfo)
{
	const struct sim_object *o = NULL;
	const uint32_t size = KEY_BITS;

	sim_api_call();
	o = sim_object_get(object);
	if (!objectInfo)
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	*objectInfo = (TEE_ObjectInfo){
		.objectType = o->type,
		.objectUsage = o->usage,
		.dataSize = o->data.len,
		.dataPosition = o->position,
		.handleFlags = o->flags,
	};
	if (o->type != TEE_TYPE_DATA) {
		objectInfo->maxObjectSize = size;
		objectInfo->objectSize = o->flags & TEE_HANDLE_FLAG_INITIALIZED ? size : 0;
	}
	return TEE_SUCCESS;
}

TEE_Result TEE_RestrictObjectUsage1(TEE_ObjectHandle object, uint32_t objectUsage)
{
	sim_api_call();
	sim_object_get(object)->usage &= objectUsage;
	return TEE_SUCCESS;
}

/* The attributes of each type, all of which an object needs; 0: none. */
struct type {
	uint32_t type;
	uint32_t secret;
	uint32_t public_key;
};

static const struct type types[] = {
	{ TEE_TYPE_ED25519_KEYPAIR, TEE_ATTR_ED25519_PRIVATE_VALUE, TEE_ATTR_ED25519_PUBLIC_VALUE },
	{ TEE_TYPE_ED25519_PUBLIC_KEY, 0, TEE_ATTR_ED25519_PUBLIC_VALUE },
	{ TEE_TYPE_X25519_KEYPAIR, TEE_ATTR_X25519_PRIVATE_VALUE, TEE_ATTR_X25519_PUBLIC_VALUE },
	{ TEE_TYPE_GENERIC_SECRET, TEE_ATTR_SECRET_VALUE, 0 },
};

static const struct type *find_type(uint32_t type)
{
	for (size_t i = 0; i < SR_ARRAY_LEN(types); i++) {
		if (types[i].type == type)
			return &types[i];
	}
	return NULL;
}

/* Where an attribute of this object lies; NULL when its type has none such. */
static uint8_t *attribute(struct sim_object *o, uint32_t id)
{
	const struct type *t = find_type(o->type);

	if (t && t->public_key && id == t->public_key)
		return o->public_key;
	if (t && t->secret && id == t->secret)
		return o->secret;
	return NULL;
}

TEE_Result TEE_GetObjectBufferAttribute(TEE_ObjectHandle object, uint32_t attributeID, void *buffer,
					size_t *size)
{
	struct sim_object *o = NULL;
	const uint8_t *value = NULL;
	size_t room = 0;

	sim_api_call();
	o = sim_object_get(object);
	if (!size || (attributeID & TEE_ATTR_FLAG_VALUE) ||
	    !(o->flags & TEE_HANDLE_FLAG_INITIALIZED))
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	if (!(attributeID & TEE_ATTR_FLAG_PUBLIC) && !(o->usage & TEE_USAGE_EXTRACTABLE))
		TEE_Panic(TEE_ERROR_ACCESS_DENIED);
	value = attribute(o, attributeID);
	if (!value)
		return TEE_ERROR_ITEM_NOT_FOUND;
	room = *size;
	*size = VALUE_SIZE;
	if (room < VALUE_SIZE)
		return TEE_ERROR_SHORT_BUFFER;
	memcpy(buffer, value, VALUE_SIZE);
	return TEE_SUCCESS;
}

void TEE_CloseObject(TEE_ObjectHandle object)
{
	sim_api_call();
	if (object != TEE_HANDLE_NULL)
		sim_object_free(sim_object_get(object));
}

/* ---- transient --------------------------------------------------------- */

/* The transient functions panic on a persistent object. */
static struct sim_object *transient(TEE_ObjectHandle handle)
{
	struct sim_object *o = sim_object_get(handle);

	if (o->flags & TEE_HANDLE_FLAG_PERSISTENT)
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	return o;
}

TEE_Result TEE_AllocateTransientObject(TEE_ObjectType objectType, uint32_t maxObjectSize,
				       TEE_ObjectHandle *object)
{
	struct sim_object *o = NULL;

	sim_api_call();
	if (!object)
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	*object = TEE_HANDLE_NULL;
	if (!find_type(objectType) || maxObjectSize != KEY_BITS)
		return TEE_ERROR_NOT_SUPPORTED;
	o = sim_object_new();
	if (!o)
		return TEE_ERROR_OUT_OF_MEMORY;
	o->type = objectType;
	o->usage = USAGE_DEFAULT;
	*object = (TEE_ObjectHandle)o->handle;
	return TEE_SUCCESS;
}

void TEE_FreeTransientObject(TEE_ObjectHandle object)
{
	sim_api_call();
	if (object != TEE_HANDLE_NULL)
		sim_object_free(transient(object));
}

void TEE_ResetTransientObject(TEE_ObjectHandle object)
{
	struct sim_object *o = NULL;

	sim_api_call();
	if (object == TEE_HANDLE_NULL)
		return;
	o = transient(object);
	o->flags &= ~(uint32_t)TEE_HANDLE_FLAG_INITIALIZED;
	o->usage = USAGE_DEFAULT;
	sr_wipe(o->secret, sizeof(o->secret));
	sr_wipe(o->public_key, sizeof(o->public_key));
}

/* OP-TEE wants every attribute of the type, the public value of a pair included,
 * and does not check that the two belong together: nor is it done here. To attributes
 * that are missing, of another type or of another size its core answers what the
 * specification does not list, so that libutee panics. */
TEE_Result TEE_PopulateTransientObject(TEE_ObjectHandle object, const TEE_Attribute *attrs,
				       uint32_t attrCount)
{
	struct sim_object *o = NULL;
	const struct type *t = NULL;

	sim_api_call();
	o = transient(object);
	if (o->flags & TEE_HANDLE_FLAG_INITIALIZED)
		TEE_Panic(TEE_ERROR_BAD_STATE);
	t = find_type(o->type);
	if (attrCount != (uint32_t)((t->secret != 0) + (t->public_key != 0)) ||
	    (attrCount == 2 && attrs[0].attributeID == attrs[1].attributeID))
		TEE_Panic(TEE_ERROR_ITEM_NOT_FOUND);
	for (uint32_t i = 0; i < attrCount; i++) {
		uint8_t *value = attribute(o, attrs[i].attributeID);

		if (!value)
			TEE_Panic(TEE_ERROR_ITEM_NOT_FOUND);
		if (attrs[i].content.ref.length != VALUE_SIZE)
			TEE_Panic(TEE_ERROR_SECURITY);
		memcpy(value, attrs[i].content.ref.buffer, VALUE_SIZE);
	}
	o->flags |= TEE_HANDLE_FLAG_INITIALIZED;
	return TEE_SUCCESS;
}

void TEE_InitRefAttribute(TEE_Attribute *attr, uint32_t attributeID, const void *buffer,
			  size_t length)
{
	sim_api_call();
	if (!attr || (attributeID & TEE_ATTR_FLAG_VALUE))
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	*attr = (TEE_Attribute){ .attributeID = attributeID };
	/* The specification's structure serves for input and output and is not const. */
	memcpy(&attr->content.ref.buffer, &buffer, sizeof(buffer));
	attr->content.ref.length = length;
}

void TEE_InitValueAttribute(TEE_Attribute *attr, uint32_t attributeID, uint32_t a, uint32_t b)
{
	sim_api_call();
	if (!attr || !(attributeID & TEE_ATTR_FLAG_VALUE))
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	*attr = (TEE_Attribute){ .attributeID = attributeID };
	attr->content.value.a = a;
	attr->content.value.b = b;
}
