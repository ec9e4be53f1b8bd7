/* SPDX-License-Identifier: Apache-2.0 */
/* X25519 (RFC 7748), by which keys travel between the TA and who may have them. */
#ifndef SR_TA_TRANSPORT_H
#define SR_TA_TRANSPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <tee_internal_api.h>

#include "super_relay_ta.h"

/* Whether every scalar's multiple of the point is zero, so that it serves no exchange of keys. */
bool ta_x25519_small_order(const uint8_t point[static SR_TA_X25519_PUBLIC_SIZE]);

/*
 * scalar times point; the scalar is clamped. BAD_PARAMETERS: the point is of small order. Such
 * a point must not reach TEE_DeriveKey, which has no result to tell it by and panics.
 */
TEE_Result ta_x25519(const uint8_t scalar[static SR_TA_SECRET_SIZE],
		     const uint8_t point[static SR_TA_X25519_PUBLIC_SIZE],
		     uint8_t out[static SR_TA_X25519_PUBLIC_SIZE]);

/* The public key of a secret. */
TEE_Result ta_transport_public(const uint8_t secret[static SR_TA_SECRET_SIZE],
			       uint8_t out[static SR_TA_X25519_PUBLIC_SIZE]);

#endif
