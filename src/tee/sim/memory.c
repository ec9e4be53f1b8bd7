/* SPDX-License-Identifier: Apache-2.0 */
/* Memory Management of the Internal Core API. */
#include <stdlib.h>
#include <string.h>

#include "tee/sim/sim.h"
#include "tee/sim/sim_test.h"

/* In front of every block: so all of an instance's can be freed when it dies. */
struct block {
	struct block *next;
	struct block *previous;
	size_t size;
	max_align_t data[];
};

static struct block blocks = { .next = &blocks, .previous = &blocks };
static const void *instance_data;

/* NULL is no block; what is not from TEE_Malloc panics. */
static struct block *block_of(const void *data)
{
	for (struct block *b = blocks.next; b != &blocks; b = b->next) {
		if ((const void *)b->data == data)
			return b;
	}
	TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
}

static void free_block(struct block *b)
{
	b->next->previous = b->previous;
	b->previous->next = b->next;
	sr_wipe(b->data, b->size);
	free(b);
}

/* The one hint that libutee takes: it has no second heap for NO_SHARE, and panics on
 * NO_FILL alone. */
void *TEE_Malloc(size_t size, uint32_t hint)
{
	struct block *b = NULL;

	sim_api_call();
	if (hint == TEE_MALLOC_NO_FILL)
		TEE_Panic(TEE_ERROR_BAD_PARAMETERS);
	if (hint != TEE_MALLOC_FILL_ZERO || size > SIZE_MAX - sizeof(*b))
		return NULL;
	b = calloc(1, sizeof(*b) + size);
	if (!b)
		return NULL;
	b->size = size;
	b->next = blocks.next;
	b->previous = &blocks;
	b->next->previous = b;
	blocks.next = b;
	return b->data;
}

void *TEE_Realloc(void *buffer, size_t newSize)
{
	struct block *old = NULL;
	void *data = NULL;

	sim_api_call();
	data = TEE_Malloc(newSize, TEE_MALLOC_FILL_ZERO);
	if (!buffer || !data)
		return data;
	old = block_of(buffer);
	memcpy(data, buffer, old->size < newSize ? old->size : newSize);
	free_block(old);
	return data;
}

void TEE_Free(void *buffer)
{
	sim_api_call();
	if (buffer)
		free_block(block_of(buffer));
}

void sim_memory_reset(void)
{
	while (blocks.next != &blocks)
		free_block(blocks.next);
	instance_data = NULL;
}

void TEE_MemMove(void *dest, const void *src, size_t size)
{
	sim_api_call();
	if (size)
		memmove(dest, src, size);
}

/* Constant time, as the specification asks: the difference is looked at whole. */
int32_t TEE_MemCompare(const void *buffer1, const void *buffer2, size_t size)
{
	const volatile uint8_t *a = buffer1;
	const volatile uint8_t *b = buffer2;
	int32_t result = 0;

	sim_api_call();
	for (size_t i = size; i > 0; i--) {
		const int32_t difference = (int32_t)a[i - 1] - (int32_t)b[i - 1];
		const int32_t differs = -(difference != 0);

		result = (result & ~differs) | (difference & differs);
	}
	return result;
}

void TEE_MemFill(void *buff, uint32_t x, size_t size)
{
	sim_api_call();
	if (size)
		memset(buff, (int)(x & 0xff), size);
}

void TEE_SetInstanceData(const void *instanceData)
{
	sim_api_call();
	instance_data = instanceData;
}

const void *TEE_GetInstanceData(void)
{
	sim_api_call();
	return instance_data;
}

static bool overlap(const void *a, size_t a_size, const void *b, size_t b_size)
{
	const uintptr_t x = (uintptr_t)a;
	const uintptr_t y = (uintptr_t)b;

	return a_size && b_size && x < y + b_size && y < x + a_size;
}

/* The TA's own memory is not told apart from the process's: only the client's
 * buffers are known to be shared, and those for input not to be written. */
TEE_Result TEE_CheckMemoryAccessRights(uint32_t accessFlags, void *buffer, size_t size)
{
	const struct sim_call *call = sim_current_call();

	sim_api_call();
	if (!size)
		return TEE_SUCCESS;
	if (!buffer || size > UINTPTR_MAX - (uintptr_t)buffer)
		return TEE_ERROR_ACCESS_DENIED;
	for (unsigned i = 0; call && i < TEE_NUM_PARAMS; i++) {
		const uint32_t type = TEE_PARAM_TYPE_GET(call->types, i);

		if (type < TEE_PARAM_TYPE_MEMREF_INPUT ||
		    !overlap(buffer, size, call->params[i].memref.buffer,
			     call->params[i].memref.size))
			continue;
		if (!(accessFlags & TEE_MEMORY_ACCESS_ANY_OWNER))
			return TEE_ERROR_ACCESS_DENIED;
		if ((accessFlags & TEE_MEMORY_ACCESS_WRITE) && type == TEE_PARAM_TYPE_MEMREF_INPUT)
			return TEE_ERROR_ACCESS_DENIED;
	}
	return TEE_SUCCESS;
}

size_t sim_test_allocated(void)
{
	size_t bytes = 0;

	for (const struct block *b = blocks.next; b != &blocks; b = b->next)
		bytes += b->size;
	return bytes;
}
