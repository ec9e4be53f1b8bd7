/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's statements, and whether a signature is the operator's. */
#ifndef SR_TA_OPERATOR_H
#define SR_TA_OPERATOR_H

#include <stdint.h>
#include <tee_internal_api.h>

#include "key.h"
#include "sha256.h"
#include "super_relay_ta.h"

/*
 * TEE_SUCCESS only when signature is key's over: name ‖ TA UUID (16 octets) ‖ the pieces,
 * in a row at most TA_STATEMENT_MAX bytes. SECURITY otherwise. digest: SHA-256 of the statement;
 * may be NULL. The verdict is looked at twice.
 */
#define TA_STATEMENT_MAX 1024
TEE_Result ta_operator_verify(const uint8_t key[static SR_TA_ED25519_PUBLIC_SIZE], const char *name,
			      const struct ta_piece *pieces, size_t count,
			      const uint8_t signature[static SR_TA_OPERATOR_SIGNATURE_SIZE],
			      uint8_t *digest);

/* Whether the operator has signed this policy for this key: id, public key and version.
 * ACCESS_DENIED: there is no operator yet. */
TEE_Result ta_operator_signed_policy(const struct ta_key *key, uint32_t version,
				     const uint8_t *policy, size_t policy_len,
				     const uint8_t signature[static SR_TA_OPERATOR_SIGNATURE_SIZE]);

/* As RFC 4122 writes it. */
void ta_uuid_to_octets(const TEE_UUID *uuid, uint8_t out[static 16]);

/* The TA's own. */
void ta_uuid_octets(uint8_t out[static 16]);

#endif
