/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <tee_internal_api.h>

#include "cmd_test.h"
#include "memory.h"
#include "super_relay_ta.h"
#include "super_relay_ta_test.h"
#include "user_ta_header_defines.h"

#define PAGE 4096
#define RAW_MAX 64
#define PAINT 0xa5a5a5a5a5a5a5a5
/* Below this frame, for what the commands here call themselves. */
#define OWN_STACK 512

static uint8_t first_random[RAW_MAX];

void ta_test_begin(void)
{
	TEE_GenerateRandom(first_random, sizeof(first_random));
}

/* On the far side of everything that OP-TEE maps for a TA. */
static TEE_Result read_unmapped(void)
{
	const volatile uint32_t *nowhere = (const volatile uint32_t *)(uintptr_t)PAGE;

	return *nowhere ? TEE_SUCCESS : TEE_ERROR_GENERIC;
}

static TEE_Result raw_random(struct ta_reader *in, struct ta_writer *out)
{
	uint8_t bytes[RAW_MAX] = { 0 };
	const size_t count = ta_get_u8(in);
	TEE_Result result = TEE_SUCCESS;

	if (!ta_reader_done(in))
		return TEE_ERROR_BAD_FORMAT;
	if (!count || count > sizeof(bytes))
		return TEE_ERROR_BAD_PARAMETERS;
	result = ta_put_reserve(out, 1 + count);
	if (result != TEE_SUCCESS)
		return result;
	TEE_GenerateRandom(bytes, count);
	ta_put_u8(out, SR_TA_WIRE_VERSION);
	ta_put_bytes(out, bytes, count);
	return TEE_SUCCESS;
}

static TEE_Result give_first_random(struct ta_reader *in, struct ta_writer *out)
{
	TEE_Result result = ta_put_reserve(out, 1 + sizeof(first_random));

	if (!ta_reader_done(in))
		return TEE_ERROR_BAD_FORMAT;
	if (result != TEE_SUCCESS)
		return result;
	ta_put_u8(out, SR_TA_WIRE_VERSION);
	ta_put_bytes(out, first_random, sizeof(first_random));
	return TEE_SUCCESS;
}

/* ---- stack ------------------------------------------------------------------ */

/* OP-TEE enters with the stack empty, and its first frames take less than a page: the
 * page that this one is in is the topmost. Fresh stack is zeros. */
static uint64_t *stack_top(const void *frame)
{
	return (uint64_t *)(((uintptr_t)frame + PAGE) & ~(uintptr_t)(PAGE - 1));
}

/* The deepest word that is neither as it was mapped nor as it was painted. */
static size_t deepest(const uint64_t *base, const uint64_t *top)
{
	while (base < top && (!*base || *base == PAINT))
		base++;
	return (size_t)(top - base) * sizeof(*base);
}

static TEE_Result stack(struct ta_reader *in, struct ta_writer *out)
{
	const uint64_t *frame = __builtin_frame_address(0);
	uint64_t *top = stack_top(frame);
	uint64_t *base = top - TA_STACK_SIZE / sizeof(*top);
	const size_t used = deepest(base, top);
	TEE_Result result = ta_put_reserve(out, 1 + 4 + 4);

	if (!ta_reader_done(in))
		return TEE_ERROR_BAD_FORMAT;
	if (result != TEE_SUCCESS)
		return result;
	for (volatile uint64_t *p = base; p < frame - OWN_STACK / sizeof(*p); p++)
		*p = PAINT;
	ta_put_u8(out, SR_TA_WIRE_VERSION);
	ta_put_u32(out, TA_STACK_SIZE);
	ta_put_u32(out, (uint32_t)used);
	return TEE_SUCCESS;
}

/* ---- heap --------------------------------------------------------------------- */

static bool available(size_t size)
{
	void *block = TEE_Malloc(size, TEE_MALLOC_FILL_ZERO);

	TEE_Free(block);
	return block != NULL;
}

static TEE_Result heap(struct ta_reader *in, struct ta_writer *out)
{
	size_t most = 0;
	TEE_Result result = ta_put_reserve(out, 1 + 4 + 4);

	if (!ta_reader_done(in))
		return TEE_ERROR_BAD_FORMAT;
	if (result != TEE_SUCCESS)
		return result;
	for (size_t step = TA_DATA_SIZE; step; step /= 2) {
		while (most + step <= TA_DATA_SIZE && available(most + step))
			most += step;
	}
	ta_put_u8(out, SR_TA_WIRE_VERSION);
	ta_put_u32(out, TA_DATA_SIZE);
	ta_put_u32(out, (uint32_t)most);
	return TEE_SUCCESS;
}

TEE_Result ta_test_command(uint32_t command_id, struct ta_reader *in, struct ta_writer *out)
{
	switch (command_id) {
	case SR_TA_TEST_CMD_PANIC:
		TEE_Panic(TEE_ERROR_GENERIC);
		return TEE_ERROR_GENERIC;
	case SR_TA_TEST_CMD_ABORT:
		return read_unmapped();
	case SR_TA_TEST_CMD_RAW_RANDOM:
		return raw_random(in, out);
	case SR_TA_TEST_CMD_FIRST_RANDOM:
		return give_first_random(in, out);
	case SR_TA_TEST_CMD_STACK:
		return stack(in, out);
	case SR_TA_TEST_CMD_HEAP:
		return heap(in, out);
	default:
		return TEE_ERROR_NOT_SUPPORTED;
	}
}
