/* SPDX-License-Identifier: Apache-2.0 */
/* A key in TA memory, its id, and the form in which it is stored. */
#ifndef SR_TA_KEY_H
#define SR_TA_KEY_H

#include <stdbool.h>
#include <stdint.h>
#include <tee_internal_api.h>

#include "super_relay_ta.h"
#include "wire.h"

/* bytes beyond len are zero, so that ids compare whole. */
struct ta_key_id {
	uint8_t bytes[SR_TA_KEY_ID_MAX];
	uint8_t len;
};

/* Whoever declares one wipes it: it holds a secret. */
struct ta_key {
	struct ta_key_id id;
	uint8_t algorithm; /* SR_TA_ALG_* */
	uint8_t origin;	   /* SR_TA_ORIGIN_* */
	uint32_t usage;	   /* SR_TA_USAGE_* */
	uint64_t created;  /* seconds since 1970 by the normal world's clock: information only */
	uint8_t public_key[SR_TA_PUBLIC_KEY_MAX];
	uint8_t public_len;
	uint8_t secret[SR_TA_SECRET_SIZE];
	uint32_t policy_version; /* 0: none */
	uint16_t policy_len;
	uint8_t policy[SR_TA_POLICY_MAX]; /* as the operator signed it */
	uint8_t operator_signature[SR_TA_OPERATOR_SIGNATURE_SIZE];
};

/* 1 to SR_TA_KEY_ID_MAX bytes of [A-Za-z0-9._-]. */
bool ta_key_id_valid(const struct ta_key_id *id) __attribute__((warn_unused_result));

/* Reads a short string. One too long for an id is read past and leaves an id that
 * is not valid, so that the request's form is still judged to its end. */
void ta_key_id_read(struct ta_reader *in, struct ta_key_id *id);

/* Byte order; a shorter id comes before its extensions. <0, 0, >0. */
int ta_key_id_compare(const struct ta_key_id *a, const struct ta_key_id *b);

/* NOT_SUPPORTED: unknown algorithm. BAD_PARAMETERS: usage is not exactly
 * one of SR_TA_USAGE_*, or one that the algorithm cannot serve. */
TEE_Result ta_key_attributes_check(uint8_t algorithm, uint32_t usage);

/* What the normal world may know of a key: everything but the secret. */
void ta_key_info_write(struct ta_writer *out, const struct ta_key *key);
size_t ta_key_info_size(const struct ta_key *key);

/* ---- stored form (docs/ta.md) ------------------------------------------ */

#define TA_KEY_TAG_SIZE 16
#define TA_KEY_RECORD_MAX                                                                  \
	(4 + 1 + TA_KEY_TAG_SIZE + 1 + 1 + 4 + 8 + 1 + SR_TA_KEY_ID_MAX + 1 +              \
	 SR_TA_PUBLIC_KEY_MAX + 4 + 2 + SR_TA_POLICY_MAX + SR_TA_OPERATOR_SIGNATURE_SIZE + \
	 SR_TA_SECRET_SIZE)

/* tag: of the identity that the key belongs to (state.h). Returns the record's length, at
 * most TA_KEY_RECORD_MAX. */
size_t ta_key_record_encode(const struct ta_key *key, const uint8_t tag[static TA_KEY_TAG_SIZE],
			    uint8_t out[TA_KEY_RECORD_MAX]);

/*
 * CORRUPT_OBJECT unless every field is one that encode could have written for this tag. Does
 * not tell whether secret and public key belong together: see algorithm.h. The
 * key's id may be valid even then, for a list of damaged keys.
 */
TEE_Result ta_key_record_decode(const uint8_t *record, size_t len,
				const uint8_t tag[static TA_KEY_TAG_SIZE], struct ta_key *key);

#endif
