/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire: the only file that touches bytes of the normal world.
 *
 * An attacker who owns the normal world can change shared memory at any moment.
 * So a request is copied into TA memory once, before a byte of it is looked at,
 * and a response is built in TA memory and copied out once, at the end. The
 * buffers are static: OP-TEE lets one invocation at a time into a single-instance
 * TA, and 96 KB would not belong on its stack.
 *
 * Readers and writers remember their first failure, so that a parser checks once.
 * They also serve the stored forms of keys, ledgers and the TA's own state.
 */
#ifndef SR_TA_WIRE_H
#define SR_TA_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tee_internal_api.h>

struct ta_reader {
	const uint8_t *data;
	size_t len;
	size_t at;
	bool failed;	  /* read beyond the end; all reads since gave zeros */
	uint64_t audited; /* of a request's framing */
};

struct ta_writer {
	uint8_t *data;
	size_t size;
	size_t len;
	size_t needed; /* what ta_put_reserve asked for when it refused */
	bool failed;   /* wrote beyond the end; nothing was written since */
};

/*
 * Starts an invocation whose parameter types have been compared: copies the
 * request, reads its framing. BAD_PARAMETERS: over SR_TA_REQUEST_MAX.
 * BAD_FORMAT: too short for that, or another version.
 */
TEE_Result ta_wire_begin(const TEE_Param params[TEE_NUM_PARAMS], struct ta_reader *in,
			 struct ta_writer *out);

/*
 * Ends it: copies the response out when result is TEE_SUCCESS, sets the size of
 * parameter 1, wipes both buffers. Returns what the entry point is to return.
 */
TEE_Result ta_wire_end(TEE_Param params[TEE_NUM_PARAMS], const struct ta_reader *in,
		       struct ta_writer *out, TEE_Result result);

/* Wipes whatever an invocation that never ended may have left. */
void ta_wire_reset(void);

/* ---- reading: integers little-endian ------------------------------------- */

uint8_t ta_get_u8(struct ta_reader *in);
uint16_t ta_get_u16(struct ta_reader *in);
uint32_t ta_get_u32(struct ta_reader *in);
uint64_t ta_get_u64(struct ta_reader *in);
void ta_get_bytes(struct ta_reader *in, void *out, size_t len);

/* The next len bytes in place, valid until the reader's memory goes; NULL, and
 * the reader has failed, when there are not so many. */
const uint8_t *ta_get_view(struct ta_reader *in, size_t len);

/* Bytes not read yet; 0 once the reader has failed. */
size_t ta_reader_left(const struct ta_reader *in);

/* True when nothing failed and all has been read. */
bool ta_reader_done(const struct ta_reader *in) __attribute__((warn_unused_result));

/* ---- writing ------------------------------------------------------------ */

void ta_put_u8(struct ta_writer *out, uint8_t v);
void ta_put_u16(struct ta_writer *out, uint16_t v);
void ta_put_u32(struct ta_writer *out, uint32_t v);
void ta_put_u64(struct ta_writer *out, uint64_t v);
void ta_put_bytes(struct ta_writer *out, const void *data, size_t len);
void ta_put_short_string(struct ta_writer *out, const void *data, uint8_t len);
void ta_put_long_string(struct ta_writer *out, const void *data, uint16_t len);

/* SHORT_BUFFER unless the response may be len bytes and the count of audit records behind
 * them. To be called before a command does anything that lasts. */
#define TA_RESPONSE_END 2
TEE_Result ta_put_reserve(struct ta_writer *out, size_t len) __attribute__((warn_unused_result));

#endif
