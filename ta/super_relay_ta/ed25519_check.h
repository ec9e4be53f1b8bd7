/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What OP-TEE's Ed25519 leaves to its callers. To a public key that is no point of the curve
 * its core answers BAD_PARAMETERS, which libutee turns into a panic: no key from outside may
 * reach TEE_AsymmetricVerifyDigest unasked. And it takes signatures whose s is not reduced, so
 * that there are many of one. All of it is public, and takes time as the numbers are.
 */
#ifndef SR_TA_ED25519_CHECK_H
#define SR_TA_ED25519_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "super_relay_ta.h"

/* A point of the curve, in its one encoding, and of no small order: under a key of such an
 * order others' signatures verify. */
bool ta_ed25519_key_valid_var(const uint8_t key[static SR_TA_ED25519_PUBLIC_SIZE]);

/* RFC 8032, 5.1.7: s is below the group's order. */
bool ta_ed25519_signature_canonical_var(
	const uint8_t signature[static SR_TA_ED25519_SIGNATURE_SIZE]);

#endif
