/* SPDX-License-Identifier: Apache-2.0 */
/* HKDF-SHA256 (RFC 5869) by GlobalPlatform's HMAC: OP-TEE's own HKDF is an extension that a
 * build may leave out. */
#ifndef SR_TA_HKDF_H
#define SR_TA_HKDF_H

#include <stddef.h>
#include <stdint.h>
#include <tee_internal_api.h>

#include "sha256.h"

#define TA_HKDF_SALT_MAX 128 /* the longest key that the TEE's HMAC takes */
#define TA_HKDF_OUT_MAX (255 * TA_SHA256_SIZE)

/* BAD_PARAMETERS: salt or out over its limit. With any error out holds zeros. Pieces of length 0
 * may have no data. */
TEE_Result ta_hkdf_sha256(struct ta_piece salt, struct ta_piece secret, struct ta_piece info,
			  uint8_t *out, size_t out_len);

#endif
