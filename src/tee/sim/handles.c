/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "tee/sim/sim.h"
#include "tee/sim/sim_test.h"

#define OBJECTS 64
#define OPERATIONS 64
#define ENUMERATORS 8
#define SESSIONS 8

/* kind · uses of the slot · slot: 32 bits, as OP-TEE's handles. */
#define KIND_OBJECT 1u
#define KIND_OPERATION 2u
#define KIND_ENUMERATOR 3u
#define KIND_SESSION 4u

static struct sim_object objects[OBJECTS];
static struct sim_operation operations[OPERATIONS];
static struct sim_enumerator enumerators[ENUMERATORS];
static uintptr_t sessions[SESSIONS]; /* 0 when the slot is free */
static uint32_t uses;

static uintptr_t make_handle(uint32_t kind, size_t slot)
{
	uses = (uses + 1) & 0xfffff;
	return (uintptr_t)(kind << 28 | uses << 8 | (uint32_t)slot);
}

struct sim_object *sim_object_new(void)
{
	for (size_t i = 0; i < OBJECTS; i++) {
		if (!objects[i].handle) {
			objects[i] = (struct sim_object){ .handle = make_handle(KIND_OBJECT, i) };
			return &objects[i];
		}
	}
	return NULL;
}

struct sim_operation *sim_operation_new(void)
{
	for (size_t i = 0; i < OPERATIONS; i++) {
		if (!operations[i].handle) {
			operations[i] = (struct sim_operation){
				.handle = make_handle(KIND_OPERATION, i),
			};
			return &operations[i];
		}
	}
	return NULL;
}

struct sim_enumerator *sim_enumerator_new(void)
{
	for (size_t i = 0; i < ENUMERATORS; i++) {
		if (!enumerators[i].handle) {
			enumerators[i] = (struct sim_enumerator){
				.handle = make_handle(KIND_ENUMERATOR, i),
			};
			return &enumerators[i];
		}
	}
	return NULL;
}

uintptr_t sim_session_new(void)
{
	for (size_t i = 0; i < SESSIONS; i++) {
		if (!sessions[i]) {
			sessions[i] = make_handle(KIND_SESSION, i);
			return sessions[i];
		}
	}
	return 0;
}

void sim_session_check(uintptr_t handle)
{
	const size_t slot = handle & 0xff;

	if (!handle || slot >= SESSIONS || sessions[slot] != handle)
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
}

void sim_session_free(uintptr_t handle)
{
	sim_session_check(handle);
	sessions[handle & 0xff] = 0;
}

/* A slot holds its whole handle, so that one from before its last use is noticed. */
struct sim_object *sim_object_get(TEE_ObjectHandle handle)
{
	const uintptr_t value = (uintptr_t)handle;
	const size_t slot = value & 0xff;

	if (!value || slot >= OBJECTS || objects[slot].handle != value)
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	return &objects[slot];
}

struct sim_operation *sim_operation_get(TEE_OperationHandle handle)
{
	const uintptr_t value = (uintptr_t)handle;
	const size_t slot = value & 0xff;

	if (!value || slot >= OPERATIONS || operations[slot].handle != value)
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	return &operations[slot];
}

struct sim_enumerator *sim_enumerator_get(TEE_ObjectEnumHandle handle)
{
	const uintptr_t value = (uintptr_t)handle;
	const size_t slot = value & 0xff;

	if (!value || slot >= ENUMERATORS || enumerators[slot].handle != value)
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	return &enumerators[slot];
}

struct sim_object *sim_object_open_with_id(const struct sim_object_id *id,
					   const struct sim_object *except)
{
	for (size_t i = 0; i < OBJECTS; i++) {
		struct sim_object *o = &objects[i];

		if (o != except && o->handle && (o->flags & TEE_HANDLE_FLAG_PERSISTENT) &&
		    o->id.len == id->len && !memcmp(o->id.bytes, id->bytes, id->len))
			return o;
	}
	return NULL;
}

void sim_object_free(struct sim_object *object)
{
	sim_blob_free(&object->data);
	sr_wipe(object, sizeof(*object));
}

void sim_operation_free(struct sim_operation *operation)
{
	sim_ae_free(operation);
	sr_wipe(operation, sizeof(*operation));
}

void sim_enumerator_free(struct sim_enumerator *enumerator)
{
	free(enumerator->ids);
	sr_wipe(enumerator, sizeof(*enumerator));
}

void sim_handles_reset(void)
{
	for (size_t i = 0; i < OBJECTS; i++)
		sim_object_free(&objects[i]);
	for (size_t i = 0; i < OPERATIONS; i++)
		sim_operation_free(&operations[i]);
	for (size_t i = 0; i < ENUMERATORS; i++)
		sim_enumerator_free(&enumerators[i]);
	for (size_t i = 0; i < SESSIONS; i++)
		sessions[i] = 0;
}

size_t sim_test_open_handles(void)
{
	size_t count = 0;

	for (size_t i = 0; i < OBJECTS; i++)
		count += objects[i].handle != 0;
	for (size_t i = 0; i < OPERATIONS; i++)
		count += operations[i].handle != 0;
	for (size_t i = 0; i < ENUMERATORS; i++)
		count += enumerators[i].handle != 0;
	for (size_t i = 0; i < SESSIONS; i++)
		count += sessions[i] != 0;
	return count;
}
