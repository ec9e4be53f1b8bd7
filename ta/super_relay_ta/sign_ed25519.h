/* SPDX-License-Identifier: Apache-2.0 */
/* Ed25519 (RFC 8032, pure) by the GlobalPlatform algorithm TEE_ALG_ED25519. */
#ifndef SR_TA_SIGN_ED25519_H
#define SR_TA_SIGN_ED25519_H

#include <stddef.h>
#include <stdint.h>
#include <tee_internal_api.h>

#include "key.h"

TEE_Result ta_ed25519_generate(struct ta_key *key);

/* The public key of a seed, by the TEE's X25519 and SHA-512: ed25519_public.h. */
TEE_Result ta_ed25519_derive_public(struct ta_key *key);

/* By making and verifying a signature: cheaper than to derive the public key anew. */
TEE_Result ta_ed25519_check_pair(const struct ta_key *key);

/* The signature has been verified under the key's public key when this returns
 * TEE_SUCCESS. SECURITY, and zeros in out: it did not verify. message is not
 * NULL even when len is 0. */
TEE_Result ta_ed25519_sign(const struct ta_key *key, const uint8_t *message, size_t len,
			   uint8_t out[static SR_TA_ED25519_SIGNATURE_SIZE]);

/* SIGNATURE_INVALID: it is not this key's signature. Everything here is public. */
TEE_Result ta_ed25519_verify(const uint8_t public_key[static SR_TA_ED25519_PUBLIC_SIZE],
			     const uint8_t *message, size_t len,
			     const uint8_t signature[static SR_TA_ED25519_SIGNATURE_SIZE]);

#endif
