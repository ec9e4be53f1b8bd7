/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ECDSA on secp256k1 by libsecp256k1: constant time in the secret, low s,
 * nonces by RFC 6979 with added entropy. Needs ta_entropy_open.
 */
#ifndef SR_TA_SIGN_SECP256K1_H
#define SR_TA_SIGN_SECP256K1_H

#include <stdint.h>
#include <tee_internal_api.h>

#include "key.h"

/* Makes the library's context, blinded with a random number. Once per instance. */
TEE_Result ta_secp256k1_open(void);
void ta_secp256k1_close(void);

TEE_Result ta_secp256k1_generate(struct ta_key *key);
TEE_Result ta_secp256k1_derive_public(struct ta_key *key);
TEE_Result ta_secp256k1_check_pair(const struct ta_key *key);

/*
 * The caller has refreshed the entropy for the command that this is part of.
 * r ‖ s ‖ v over a 32-byte digest. The signature has been checked when this
 * returns TEE_SUCCESS: the public key recovered from it is the key's own, and s
 * is low. SECURITY, and zeros in out: it was not.
 */
TEE_Result ta_secp256k1_sign(const struct ta_key *key, const uint8_t digest[static 32],
			     uint8_t out[static SR_TA_SECP256K1_SIGNATURE_SIZE]);

#endif
