/* SPDX-License-Identifier: Apache-2.0 */
/* Generic and transient objects: pairs of Ed25519 and X25519, and secrets. */
#include <string.h>

#include "tee/sim/sim.h"

#define VALUE_SIZE 32
#define USAGE_DEFAULT 0xffffffff

/* ---- generic ----------------------------------------------------------- */

TEE_Result TEE_GetObjectInfo1(TEE_ObjectHandle object, TEE_ObjectInfo *objectInfo)
{
	const struct sim_object *o = NULL;

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
		objectInfo->maxObjectSize = o->max_bits;
		objectInfo->objectSize = o->size_bits;
	}
	return TEE_SUCCESS;
}

TEE_Result TEE_RestrictObjectUsage1(TEE_ObjectHandle object, uint32_t objectUsage)
{
	sim_api_call();
	sim_object_get(object)->usage &= objectUsage;
	return TEE_SUCCESS;
}

/* The attributes of each type, all of which an object needs; 0: none. Sizes in bits, as
 * OP-TEE has them by default. */
struct type {
	uint32_t type;
	uint32_t secret;
	uint32_t public_key;
	uint32_t step;
	uint32_t min;
	uint32_t max;
};

static const struct type types[] = {
	{ TEE_TYPE_ED25519_KEYPAIR, TEE_ATTR_ED25519_PRIVATE_VALUE, TEE_ATTR_ED25519_PUBLIC_VALUE,
	  1, 256, 256 },
	{ TEE_TYPE_ED25519_PUBLIC_KEY, 0, TEE_ATTR_ED25519_PUBLIC_VALUE, 1, 256, 256 },
	{ TEE_TYPE_X25519_KEYPAIR, TEE_ATTR_X25519_PRIVATE_VALUE, TEE_ATTR_X25519_PUBLIC_VALUE, 1,
	  256, 256 },
	{ TEE_TYPE_GENERIC_SECRET, TEE_ATTR_SECRET_VALUE, 0, 8, 0, SIM_SECRET_MAX * 8 },
	{ TEE_TYPE_HMAC_SHA256, TEE_ATTR_SECRET_VALUE, 0, 8, 192, 1024 },
	{ TEE_TYPE_AES, TEE_ATTR_SECRET_VALUE, 0, 64, 128, 256 },
};

static const struct type *find_type(uint32_t type)
{
	for (size_t i = 0; i < SR_ARRAY_LEN(types); i++) {
		if (types[i].type == type)
			return &types[i];
	}
	return NULL;
}

static bool size_supported(const struct type *t, size_t bits)
{
	return bits >= t->min && bits <= t->max && bits % t->step == 0;
}

bool sim_key_size_supported(uint32_t type, uint32_t bits)
{
	const struct type *t = find_type(type);

	return t && size_supported(t, bits);
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
	size_t len = VALUE_SIZE;
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
	if (value == o->secret)
		len = o->secret_len;
	room = *size;
	*size = len;
	if (room < len || !buffer)
		return TEE_ERROR_SHORT_BUFFER;
	memcpy(buffer, value, len);
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
	if (!sim_key_size_supported(objectType, maxObjectSize))
		return TEE_ERROR_NOT_SUPPORTED;
	o = sim_object_new();
	if (!o)
		return TEE_ERROR_OUT_OF_MEMORY;
	o->type = objectType;
	o->max_bits = maxObjectSize;
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
	o->size_bits = 0;
	o->secret_len = 0;
	sr_wipe(o->secret, sizeof(o->secret));
	sr_wipe(o->public_key, sizeof(o->public_key));
}

/* A value of a pair has one size, and the pair that one. A secret that is longer than any
 * of its type, or than its object, panics; one of a size that the type has not is refused. */
static TEE_Result take(struct sim_object *o, const struct type *t, const TEE_Attribute *attr)
{
	uint8_t *value = attribute(o, attr->attributeID);
	const size_t len = attr->content.ref.length;
	const bool fixed = t->public_key != 0;

	if (!value)
		TEE_Panic(TEE_ERROR_ITEM_NOT_FOUND);
	if (fixed ? len != VALUE_SIZE : len > t->max / 8)
		TEE_Panic(TEE_ERROR_SECURITY);
	if (len * 8 > o->max_bits)
		TEE_Panic(TEE_ERROR_BAD_STATE);
	if (!size_supported(t, len * 8))
		return TEE_ERROR_BAD_PARAMETERS;
	if (len)
		memcpy(value, attr->content.ref.buffer, len);
	if (value == o->secret)
		o->secret_len = len;
	o->size_bits = (uint32_t)len * 8;
	return TEE_SUCCESS;
}

/* OP-TEE wants every attribute of the type, the public value of a pair included,
 * and does not check that the two belong together: nor is it done here. To attributes
 * that are missing or of another type its core answers what the specification does not
 * list, so that libutee panics. */
TEE_Result TEE_PopulateTransientObject(TEE_ObjectHandle object, const TEE_Attribute *attrs,
				       uint32_t attrCount)
{
	struct sim_object *o = NULL;
	const struct type *t = NULL;
	TEE_Result result = TEE_SUCCESS;

	sim_api_call();
	o = transient(object);
	if (o->flags & TEE_HANDLE_FLAG_INITIALIZED)
		TEE_Panic(TEE_ERROR_BAD_STATE);
	t = find_type(o->type);
	if (attrCount != (uint32_t)((t->secret != 0) + (t->public_key != 0)) ||
	    (attrCount == 2 && attrs[0].attributeID == attrs[1].attributeID))
		TEE_Panic(TEE_ERROR_ITEM_NOT_FOUND);
	for (uint32_t i = 0; result == TEE_SUCCESS && i < attrCount; i++)
		result = take(o, t, &attrs[i]);
	if (result == TEE_SUCCESS)
		o->flags |= TEE_HANDLE_FLAG_INITIALIZED;
	return result;
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
