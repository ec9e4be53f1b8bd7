/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The public key of an Ed25519 seed, by what GlobalPlatform's API has.
 *
 * TEE_GenerateKey would take the seed from the TEE's generator alone; so seeds come
 * from entropy.h, and the public key is to be found. The API has no function for that,
 * but it has SHA-512, which makes the secret scalar of the seed (RFC 8032), and X25519,
 * which multiplies the base point by a scalar and clamps it in the same way (RFC 7748).
 * X25519 answers with the Montgomery u of the point, and y = (u - 1) / (u + 1) modulo
 * 2^255 - 19 is the Edwards y: all of an Ed25519 public key but its top bit.
 */
#ifndef SR_TA_ED25519_PUBLIC_H
#define SR_TA_ED25519_PUBLIC_H

#include <stdint.h>
#include <tee_internal_api.h>

#include "super_relay_ta.h"

/* The point's y, little-endian, with the top bit clear: which of its two points it is
 * remains to be told (sign_ed25519.c). */
TEE_Result ta_ed25519_point(const uint8_t seed[static SR_TA_SECRET_SIZE],
			    uint8_t out[static SR_TA_ED25519_PUBLIC_SIZE]);

#endif
