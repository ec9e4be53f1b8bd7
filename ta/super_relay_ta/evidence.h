/* SPDX-License-Identifier: Apache-2.0 */
/* What the platform says of this TA, beside what it says of itself: OP-TEE's attestation PTA. */
#ifndef SR_TA_EVIDENCE_H
#define SR_TA_EVIDENCE_H

#include <stddef.h>
#include <stdint.h>
#include <tee_internal_api.h>

#include "super_relay_ta.h"

/*
 * Has the platform hash this TA's read-only memory, and sign nonce and hash with its key. *len
 * bytes: hash (32) and signature. NOT_SUPPORTED: the platform has no such key. The first call after
 * the TEE was made may take many seconds: the platform then makes its key.
 */
TEE_Result ta_evidence(const uint8_t nonce[static 32], uint8_t out[static SR_TA_EVIDENCE_MAX],
		       size_t *len);

#endif
