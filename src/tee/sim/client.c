/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Client API (TEE Client API Specification 1.0) of the simulator, with the
 * checks that libteec and OP-TEE make.
 *
 * What libteec keeps in the structures' implementation-defined members: here the
 * context's fd is a token, and a session's id is the instance's own number.
 */
#include <stdlib.h>
#include <string.h>

#include "tee/sim/sim.h"
#include "tee/tee.h"

#define CONTEXT_OPEN 0x5352
#define CONTEXT_CLOSED (-1)
#define SHARED_ALLOCATED 1
#define SHARED_REGISTERED 2

/* ---- contexts ---------------------------------------------------------- */

static TEEC_Result initialize_context(const char *name, TEEC_Context *context)
{
	if (!context)
		return TEEC_ERROR_BAD_PARAMETERS;
	if (name && strcmp(name, "optee-tz") != 0)
		return TEEC_ERROR_ITEM_NOT_FOUND;
	memset(context, 0, sizeof(*context));
	context->imp.fd = CONTEXT_OPEN;
	context->imp.reg_mem = true;
	context->imp.memref_null = true;
	return TEEC_SUCCESS;
}

static void finalize_context(TEEC_Context *context)
{
	if (context)
		context->imp.fd = CONTEXT_CLOSED;
}

static bool is_open(const TEEC_Context *context)
{
	return context && context->imp.fd == CONTEXT_OPEN;
}

/* ---- operations -------------------------------------------------------- */

/* libteec lets NULL stand for no memory, and only with size 0. */
static TEEC_Result map_temporary(const TEEC_TempMemoryReference *ref, TEE_Param *out)
{
	if (!ref->buffer && ref->size)
		return TEEC_ERROR_BAD_PARAMETERS;
	out->memref.buffer = ref->buffer;
	out->memref.size = ref->size;
	return TEEC_SUCCESS;
}

/* The direction is the shared memory's own: the client gives none. */
static TEEC_Result map_whole(const TEEC_RegisteredMemoryReference *ref, uint32_t *type,
			     TEE_Param *out)
{
	const uint32_t flags = ref->parent ? ref->parent->flags : 0;

	if (!(flags & (TEEC_MEM_INPUT | TEEC_MEM_OUTPUT)))
		return TEEC_ERROR_BAD_PARAMETERS;
	*type = TEE_PARAM_TYPE_MEMREF_INOUT;
	if (!(flags & TEEC_MEM_OUTPUT))
		*type = TEE_PARAM_TYPE_MEMREF_INPUT;
	else if (!(flags & TEEC_MEM_INPUT))
		*type = TEE_PARAM_TYPE_MEMREF_OUTPUT;
	out->memref.buffer = ref->parent->buffer;
	out->memref.size = ref->parent->size;
	return TEEC_SUCCESS;
}

/* Inside its parent, without an overflow, and no further than the parent's flags. */
static TEEC_Result map_partial(const TEEC_RegisteredMemoryReference *ref, uint32_t direction,
			       TEE_Param *out)
{
	const TEEC_SharedMemory *parent = ref->parent;

	if (!parent || (parent->flags & direction) != direction)
		return TEEC_ERROR_BAD_PARAMETERS;
	if (ref->offset > parent->size || ref->size > parent->size - ref->offset)
		return TEEC_ERROR_BAD_PARAMETERS;
	out->memref.buffer = (uint8_t *)parent->buffer + ref->offset;
	out->memref.size = ref->size;
	return TEEC_SUCCESS;
}

static TEEC_Result map_parameter(const TEEC_Parameter *param, uint32_t client_type, uint32_t *type,
				 TEE_Param *out)
{
	switch (client_type) {
	case TEEC_NONE:
		*type = TEE_PARAM_TYPE_NONE;
		return TEEC_SUCCESS;
	case TEEC_VALUE_INPUT:
	case TEEC_VALUE_OUTPUT:
	case TEEC_VALUE_INOUT:
		*type = client_type;
		out->value.a = client_type == TEEC_VALUE_OUTPUT ? 0 : param->value.a;
		out->value.b = client_type == TEEC_VALUE_OUTPUT ? 0 : param->value.b;
		return TEEC_SUCCESS;
	case TEEC_MEMREF_TEMP_INPUT:
	case TEEC_MEMREF_TEMP_OUTPUT:
	case TEEC_MEMREF_TEMP_INOUT:
		*type = client_type;
		return map_temporary(&param->tmpref, out);
	case TEEC_MEMREF_WHOLE:
		return map_whole(&param->memref, type, out);
	case TEEC_MEMREF_PARTIAL_INPUT:
	case TEEC_MEMREF_PARTIAL_OUTPUT:
	case TEEC_MEMREF_PARTIAL_INOUT:
		/* The low bits of PARTIAL and TEMP types agree, and say the direction. */
		*type = TEE_PARAM_TYPE_MEMREF_INPUT + (client_type - TEEC_MEMREF_PARTIAL_INPUT);
		return map_partial(&param->memref, client_type & 3, out);
	default:
		return TEEC_ERROR_BAD_PARAMETERS;
	}
}

static TEEC_Result map_operation(const TEEC_Operation *operation, struct sim_call *call)
{
	TEEC_Result result = TEEC_SUCCESS;

	*call = (struct sim_call){ 0 };
	if (!operation)
		return TEEC_SUCCESS;
	for (uint32_t i = 0; result == TEEC_SUCCESS && i < TEEC_CONFIG_PAYLOAD_REF_COUNT; i++) {
		uint32_t type = TEE_PARAM_TYPE_NONE;

		result = map_parameter(&operation->params[i],
				       TEEC_PARAM_TYPE_GET(operation->paramTypes, i), &type,
				       &call->params[i]);
		call->types |= type << (4 * i);
	}
	return result;
}

/* Values and sizes go back whatever the TA answered. */
static void unmap_operation(const struct sim_call *call, TEEC_Operation *operation)
{
	for (uint32_t i = 0; operation && i < TEEC_CONFIG_PAYLOAD_REF_COUNT; i++) {
		const uint32_t client_type = TEEC_PARAM_TYPE_GET(operation->paramTypes, i);
		TEEC_Parameter *param = &operation->params[i];

		switch (TEE_PARAM_TYPE_GET(call->types, i)) {
		case TEE_PARAM_TYPE_VALUE_OUTPUT:
		case TEE_PARAM_TYPE_VALUE_INOUT:
			param->value.a = call->params[i].value.a;
			param->value.b = call->params[i].value.b;
			break;
		case TEE_PARAM_TYPE_MEMREF_OUTPUT:
		case TEE_PARAM_TYPE_MEMREF_INOUT:
			if (client_type >= TEEC_MEMREF_WHOLE)
				param->memref.size = call->params[i].memref.size;
			else
				param->tmpref.size = call->params[i].memref.size;
			break;
		default:
			break;
		}
	}
}

/* ---- sessions ---------------------------------------------------------- */

/* What libteec asks for itself. */
static bool login_valid(uint32_t method, const void *data)
{
	return data || (method != TEEC_LOGIN_GROUP && method != TEEC_LOGIN_GROUP_APPLICATION);
}

/* Origins as a client sees them: API for what libteec refuses, COMMS for what
 * Linux does, TEE for what OP-TEE does, TRUSTED_APP for the TA's own answer, good or bad. */
static TEEC_Result open_session(TEEC_Context *context, TEEC_Session *session,
				const TEEC_UUID *destination, uint32_t connection_method,
				const void *connection_data, TEEC_Operation *operation,
				uint32_t *return_origin)
{
	_Static_assert(sizeof(TEEC_UUID) == sizeof(TEE_UUID), "both are RFC 4122's 16 bytes");
	uint32_t origin = TEEC_ORIGIN_API;
	TEE_Identity client = { 0 };
	struct sim_call call = { 0 };
	TEEC_Result result = TEEC_ERROR_BAD_PARAMETERS;

	if (!is_open(context) || !session || !destination ||
	    !login_valid(connection_method, connection_data))
		goto out;
	result = map_operation(operation, &call);
	if (result != TEEC_SUCCESS)
		goto out;
	origin = TEEC_ORIGIN_COMMS;
	result = sim_login(connection_method, connection_data, &client);
	if (result != TEEC_SUCCESS)
		goto out;
	if (memcmp(destination, &sim_ta_uuid, sizeof(sim_ta_uuid)) != 0) {
		origin = TEEC_ORIGIN_TEE;
		result = TEEC_ERROR_ITEM_NOT_FOUND;
		goto out;
	}
	result = sim_instance_open_session(&call, &client, &session->imp.session_id, &origin);
	session->imp.ctx = context;
	unmap_operation(&call, operation);
out:
	if (return_origin)
		*return_origin = origin;
	return result;
}

static void close_session(TEEC_Session *session)
{
	if (session)
		sim_instance_close_session(session->imp.session_id);
}

static TEEC_Result invoke_command(TEEC_Session *session, uint32_t command_id,
				  TEEC_Operation *operation, uint32_t *return_origin)
{
	uint32_t origin = TEEC_ORIGIN_API;
	struct sim_call call = { 0 };
	TEEC_Result result = TEEC_ERROR_BAD_PARAMETERS;

	if (!session)
		goto out;
	if (operation)
		operation->imp.session = session;
	result = map_operation(operation, &call);
	if (result != TEEC_SUCCESS)
		goto out;
	result = sim_instance_invoke(session->imp.session_id, command_id, &call, &origin);
	unmap_operation(&call, operation);
out:
	if (return_origin)
		*return_origin = origin;
	return result;
}

/* ---- shared memory ----------------------------------------------------- */

static bool flags_valid(const TEEC_SharedMemory *memory)
{
	const uint32_t all = TEEC_MEM_INPUT | TEEC_MEM_OUTPUT;

	return memory->flags && !(memory->flags & ~all);
}

/* Nothing is shared by it: the TA sees the process's memory anyway. */
static TEEC_Result register_shared_memory(TEEC_Context *context, TEEC_SharedMemory *memory)
{
	if (!is_open(context) || !memory || !flags_valid(memory) || !memory->buffer)
		return TEEC_ERROR_BAD_PARAMETERS;
	memset(&memory->imp, 0, sizeof(memory->imp));
	memory->imp.id = SHARED_REGISTERED;
	return TEEC_SUCCESS;
}

static TEEC_Result allocate_shared_memory(TEEC_Context *context, TEEC_SharedMemory *memory)
{
	if (!is_open(context) || !memory || !flags_valid(memory))
		return TEEC_ERROR_BAD_PARAMETERS;
	memset(&memory->imp, 0, sizeof(memory->imp));
	memory->buffer = calloc(1, memory->size ? memory->size : 1);
	if (!memory->buffer)
		return TEEC_ERROR_OUT_OF_MEMORY;
	memory->imp.id = SHARED_ALLOCATED;
	return TEEC_SUCCESS;
}

static void release_shared_memory(TEEC_SharedMemory *memory)
{
	if (!memory)
		return;
	if (memory->imp.id == SHARED_ALLOCATED) {
		free(memory->buffer);
		memory->buffer = NULL;
		memory->size = 0;
	}
	memory->imp.id = 0;
}

bool tee_load_simulator(const char *store_dir, struct tee_api *out, struct sr_error *err)
{
	if (!sim_instance_load(store_dir, err))
		return false;
	*out = (struct tee_api){
		.name = "simulator",
		.initialize_context = initialize_context,
		.finalize_context = finalize_context,
		.open_session = open_session,
		.close_session = close_session,
		.invoke_command = invoke_command,
		.register_shared_memory = register_shared_memory,
		.allocate_shared_memory = allocate_shared_memory,
		.release_shared_memory = release_shared_memory,
	};
	return true;
}
