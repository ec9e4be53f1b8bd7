/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attest: reading and checking what a TA says of itself (ATTEST). Offline: nothing here needs
 * a TEE.
 *
 * A statement that passes says: the holder of its attestation key made it. That this is a
 * TA at all, and which, is known from where the key was first seen, or from the platform's
 * evidence and the platform's own key; no caller may do without one of them.
 */
#ifndef SR_KMS_ATTEST_H
#define SR_KMS_ATTEST_H

#include "kms/kms.h"

struct kms_attested {
	uint8_t nonce[KMS_NONCE_SIZE];
	uint8_t ta_uuid[16]; /* octets */
	unsigned major, minor, patch;
	uint32_t features; /* SR_TA_FEATURE_* */
	uint32_t anti_rollback, system_time_level;
	uint8_t attestation_key[SR_TA_SECP256K1_PUBLIC_SIZE];
	uint8_t audit_key[SR_TA_SECP256K1_PUBLIC_SIZE];
	uint8_t transport_key[SR_TA_X25519_PUBLIC_SIZE];
	uint8_t operator_key[SR_TA_ED25519_PUBLIC_SIZE]; /* zeros: not provisioned */
	uint32_t provision_flags;
	uint64_t generation, sequence;
	uint8_t head[SR_TA_HEAD_SIZE];
	bool has_key;
	struct kms_key key;
	uint8_t policy_digest[32]; /* SHA-256; zeros without a policy */
};

/* {"superRelayAttestation":1,"statement":"0x…","signature":"0x…","evidence":"0x…"} */
void kms_attestation_to_json(const struct kms_attestation *a, struct sr_buf *out);
bool kms_attestation_from_json(const char *text, size_t len, struct kms_attestation *out,
			       struct sr_error *err) SR_MUST_USE;

/*
 * Reads the statement and checks that the attestation key that it names has signed it.
 * nonce: what it must carry; NULL: any. SR_E_CORRUPT: it is no statement of version 1, or the
 * signature or the nonce is not right.
 */
bool kms_attest_check(const struct kms_attestation *a, const uint8_t *nonce,
		      struct kms_attested *out, struct sr_error *err) SR_MUST_USE;

/* That it speaks of the TA that this program is for. Pins are kept by the UUID that a statement
 * names: one that names another would find none. SR_E_CORRUPT. */
bool kms_attest_check_ta(const struct kms_attested *said, struct sr_error *err) SR_MUST_USE;

/*
 * The platform's evidence, against the platform's public key (PEM): OP-TEE's attestation PTA
 * signs SHA-256(nonce ‖ hash) by RSASSA-PSS with SHA-256 and a salt of 32 bytes, its nonce being
 * the statement's SHA-256. hash: of the TA's memory, to be compared with a known good one.
 */
bool kms_evidence_check(const struct kms_attestation *a, struct sr_bytes pem,
			uint8_t hash[static 32], struct sr_error *err) SR_MUST_USE;

#endif
