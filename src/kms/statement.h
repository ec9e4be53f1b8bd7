/* SPDX-License-Identifier: Apache-2.0 */
/*
 * statement: what an operator signs, byte for byte as super_relay_ta.h has it, and the
 * operator's key. Offline: nothing here needs a TEE.
 */
#ifndef SR_KMS_STATEMENT_H
#define SR_KMS_STATEMENT_H

#include "kms/kms.h"

#define KMS_OPERATOR_SEED_SIZE 32

/* A new Ed25519 key. The caller wipes the seed. */
bool kms_operator_generate(uint8_t seed[static KMS_OPERATOR_SEED_SIZE],
			   uint8_t public_key[static SR_TA_ED25519_PUBLIC_SIZE],
			   struct sr_error *err) SR_MUST_USE;
bool kms_operator_public(const uint8_t seed[static KMS_OPERATOR_SEED_SIZE],
			 uint8_t public_key[static SR_TA_ED25519_PUBLIC_SIZE],
			 struct sr_error *err) SR_MUST_USE;
bool kms_operator_sign(const uint8_t seed[static KMS_OPERATOR_SEED_SIZE], struct sr_bytes statement,
		       uint8_t signature[static SR_TA_OPERATOR_SIGNATURE_SIZE],
		       struct sr_error *err) SR_MUST_USE;
/* Whether a signature is the key's, before a TA is bothered with it. */
bool kms_operator_verify(const uint8_t public_key[static SR_TA_ED25519_PUBLIC_SIZE],
			 struct sr_bytes statement,
			 const uint8_t signature[static SR_TA_OPERATOR_SIGNATURE_SIZE]) SR_MUST_USE;

/* Each appends one statement; a failed allocation shows in out->failed. uuid: 16 octets. */
void kms_statement_provision(const uint8_t uuid[static 16], const struct kms_provision *p,
			     struct sr_buf *out);
/* public_key: the key's, whole. */
void kms_statement_policy(const uint8_t uuid[static 16], const char *id, struct sr_bytes public_key,
			  uint32_t version, struct sr_bytes policy, struct sr_buf *out);
void kms_statement_export(const uint8_t uuid[static 16], const char *id, struct sr_bytes public_key,
			  const uint8_t recipient[static SR_TA_X25519_PUBLIC_SIZE],
			  struct sr_buf *out);
/* ta: what the TA says of itself; the tail is the log's. */
void kms_statement_begin(const uint8_t uuid[static 16], const struct kms_audit_state *ta,
			 const struct audit_tail *tail, struct sr_buf *out);

void kms_uuid_octets(const TEEC_UUID *uuid, uint8_t out[static 16]);
/* The UUID that Linux gives callers of a group (TEEC_LOGIN_GROUP): RFC 4122, version 5. */
bool kms_group_uuid(uint32_t gid, uint8_t out[static 16], struct sr_error *err) SR_MUST_USE;

#endif
