/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "memory.h"
#include "super_relay_ta.h"
#include "wire.h"

/* One invocation at a time: see wire.h. Nothing else in the TA points here between
 * invocations. */
static uint8_t request[SR_TA_REQUEST_MAX];
static uint8_t response[SR_TA_RESPONSE_MAX];

TEE_Result ta_wire_begin(const TEE_Param params[TEE_NUM_PARAMS], struct ta_reader *in,
			 struct ta_writer *out)
{
	/* Sizes are the TEE's own copies; only the bytes behind the buffers are shared. */
	const size_t in_size = params[0].memref.size;
	const size_t out_size = params[1].memref.buffer ? params[1].memref.size : 0;

	*in = (struct ta_reader){ .data = request };
	*out = (struct ta_writer){ .data = response };
	out->size = out_size < sizeof(response) ? out_size : sizeof(response);

	if (in_size > sizeof(request))
		return TEE_ERROR_BAD_PARAMETERS;
	if (!in_size || !params[0].memref.buffer)
		return TEE_ERROR_BAD_FORMAT;
	memcpy(request, params[0].memref.buffer, in_size);
	in->len = in_size;
	if (ta_get_u8(in) != SR_TA_WIRE_VERSION)
		return TEE_ERROR_BAD_FORMAT;
	in->audited = ta_get_u64(in);
	return in->failed ? TEE_ERROR_BAD_FORMAT : TEE_SUCCESS;
}

TEE_Result ta_wire_end(TEE_Param params[TEE_NUM_PARAMS], const struct ta_reader *in,
		       struct ta_writer *out, TEE_Result result)
{
	/* A response larger than was reserved is a defect: better none than half of one. */
	if (result == TEE_SUCCESS && out->failed)
		result = TEE_ERROR_GENERIC;
	params[1].memref.size = 0;
	/* out->len is at most the client's size: ta_wire_begin took the lesser of the two.
	 * Written, never read back: what stands there later is the client's affair. */
	if (result == TEE_SUCCESS) {
		memcpy(params[1].memref.buffer, response, out->len);
		params[1].memref.size = out->len;
	} else if (result == TEE_ERROR_SHORT_BUFFER) {
		params[1].memref.size = out->needed;
	}
	ta_wipe(request, in->len);
	ta_wipe(response, out->len);
	return result;
}

void ta_wire_reset(void)
{
	ta_wipe(request, sizeof(request));
	ta_wipe(response, sizeof(response));
}

/* The one place where the request is indexed. at never exceeds len, so the
 * subtraction cannot wrap, whatever len a caller computed from the request. */
const uint8_t *ta_get_view(struct ta_reader *in, size_t len)
{
	const uint8_t *view = NULL;

	if (in->failed || len > in->len - in->at) {
		in->failed = true;
		return NULL;
	}
	view = in->data + in->at;
	in->at += len;
	return view;
}

void ta_get_bytes(struct ta_reader *in, void *out, size_t len)
{
	const uint8_t *view = ta_get_view(in, len);

	if (view)
		memcpy(out, view, len);
	else
		memset(out, 0, len);
}

static uint64_t get_le(struct ta_reader *in, size_t size)
{
	uint8_t le[8] = { 0 };
	uint64_t v = 0;

	ta_get_bytes(in, le, size);
	for (size_t i = 0; i < size; i++)
		v |= (uint64_t)le[i] << (8 * i);
	return v;
}

uint8_t ta_get_u8(struct ta_reader *in)
{
	return (uint8_t)get_le(in, 1);
}

uint16_t ta_get_u16(struct ta_reader *in)
{
	return (uint16_t)get_le(in, 2);
}

uint32_t ta_get_u32(struct ta_reader *in)
{
	return (uint32_t)get_le(in, 4);
}

uint64_t ta_get_u64(struct ta_reader *in)
{
	return get_le(in, 8);
}

size_t ta_reader_left(const struct ta_reader *in)
{
	return in->failed ? 0 : in->len - in->at;
}

bool ta_reader_done(const struct ta_reader *in)
{
	return !in->failed && in->at == in->len;
}

/* The one place where the response is indexed; len never exceeds size. */
void ta_put_bytes(struct ta_writer *out, const void *data, size_t len)
{
	if (out->failed || len > out->size - out->len) {
		out->failed = true;
		return;
	}
	if (len)
		memcpy(out->data + out->len, data, len);
	out->len += len;
}

static void put_le(struct ta_writer *out, uint64_t v, size_t size)
{
	uint8_t le[8] = { 0 };

	for (size_t i = 0; i < size; i++)
		le[i] = (uint8_t)(v >> (8 * i));
	ta_put_bytes(out, le, size);
}

void ta_put_u8(struct ta_writer *out, uint8_t v)
{
	put_le(out, v, 1);
}

void ta_put_u16(struct ta_writer *out, uint16_t v)
{
	put_le(out, v, 2);
}

void ta_put_u32(struct ta_writer *out, uint32_t v)
{
	put_le(out, v, 4);
}

void ta_put_u64(struct ta_writer *out, uint64_t v)
{
	put_le(out, v, 8);
}

void ta_put_short_string(struct ta_writer *out, const void *data, uint8_t len)
{
	ta_put_u8(out, len);
	ta_put_bytes(out, data, len);
}

void ta_put_long_string(struct ta_writer *out, const void *data, uint16_t len)
{
	ta_put_u16(out, len);
	ta_put_bytes(out, data, len);
}

TEE_Result ta_put_reserve(struct ta_writer *out, size_t len)
{
	if (len + TA_RESPONSE_END <= out->size)
		return TEE_SUCCESS;
	out->needed = len + TA_RESPONSE_END;
	return TEE_ERROR_SHORT_BUFFER;
}
