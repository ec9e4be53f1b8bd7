/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the envelope share; nobody else includes it. */
#ifndef SR_KMS_ENVELOPE_PRIVATE_H
#define SR_KMS_ENVELOPE_PRIVATE_H

#include "kms/envelope.h"
#include "kms/kms_private.h"

#define KMS_NONCE_GCM_SIZE 12
#define KMS_TAG_SIZE 16

/* False: the point is of small order, and the result would be zero. */
bool kms_x25519(const uint8_t scalar[static SR_TA_SECRET_SIZE],
		const uint8_t point[static SR_TA_X25519_PUBLIC_SIZE],
		uint8_t out[static SR_TA_X25519_PUBLIC_SIZE]) SR_MUST_USE;

/* RFC 5869, 32 bytes of output. */
void kms_hkdf_sha256(struct sr_bytes salt, struct sr_bytes secret, struct sr_bytes info,
		     uint8_t out[static 32]);

/* AES-256-GCM of one secret. */
struct kms_gcm {
	uint8_t key[32];
	uint8_t nonce[KMS_NONCE_GCM_SIZE];
	const uint8_t *authenticated;
	size_t len;
};

/* False: OpenSSL failed, or (decrypt) the tag is another; plain is then wiped. */
bool kms_gcm_encrypt(const struct kms_gcm *g, const uint8_t plain[static SR_TA_SECRET_SIZE],
		     uint8_t cipher[static SR_TA_SECRET_SIZE],
		     uint8_t tag[static KMS_TAG_SIZE]) SR_MUST_USE;
bool kms_gcm_decrypt(const struct kms_gcm *g, const uint8_t cipher[static SR_TA_SECRET_SIZE],
		     const uint8_t tag[static KMS_TAG_SIZE],
		     uint8_t plain[static SR_TA_SECRET_SIZE]) SR_MUST_USE;

#endif
