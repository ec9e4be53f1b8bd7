/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 by GlobalPlatform's API, for what auditors verify: the audit chain, statements,
 * checkpoints. What contracts verify is Keccak, in eth/.
 */
#ifndef SR_TA_SHA256_H
#define SR_TA_SHA256_H

#include <stddef.h>
#include <stdint.h>
#include <tee_internal_api.h>

#define TA_SHA256_SIZE 32

struct ta_piece {
	const void *data;
	size_t len;
};

/* One operation for all hashes of the instance: the chain takes one for each signature. */
TEE_Result ta_sha256_open(void);
void ta_sha256_close(void);

/* Of the pieces, at least one, as if they stood in a row. */
TEE_Result ta_sha256_pieces(const struct ta_piece *pieces, size_t count,
			    uint8_t out[static TA_SHA256_SIZE]) __attribute__((warn_unused_result));
TEE_Result ta_sha256(const void *data, size_t len, uint8_t out[static TA_SHA256_SIZE])
	__attribute__((warn_unused_result));

#endif
