/* SPDX-License-Identifier: Apache-2.0 */
/* A TA's side of the audit chain, for tests: it makes records and signs checkpoints. */
#ifndef SR_AUDIT_TEST_H
#define SR_AUDIT_TEST_H

#include "audit/audit.h"

struct maker {
	uint8_t secret[32], key[AUDIT_KEY_SIZE];
	uint64_t seq, generation;
	uint8_t head[AUDIT_HEAD_SIZE];
};

struct made {
	uint8_t bytes[SR_TA_RECORD_MAX];
	size_t len;
};

/* A key of its own for each number. */
void maker_init(struct maker *m, uint8_t number);
/* The next record of the chain: a sponsorship signed, or another command. */
void make_record(struct maker *m, uint8_t command, struct made *out);
/* BEGIN behind where the chain is, skip numbers further on. */
void make_begin(struct maker *m, uint64_t skip, struct made *out);
/* The chain's next, whatever it is. */
void make_next(struct maker *m, const struct audit_record *record, struct made *out);
void make_checkpoint(const struct maker *m, uint8_t out[static SR_TA_CHECKPOINT_SIZE],
		     uint8_t signature[static SR_TA_SECP256K1_SIGNATURE_SIZE]);
void sign_checkpoint(const struct maker *m, const uint8_t checkpoint[static SR_TA_CHECKPOINT_SIZE],
		     uint8_t signature[static SR_TA_SECP256K1_SIGNATURE_SIZE]);
/* The 65 bytes' key of a secret. */
void make_key(const uint8_t secret[static 32], uint8_t out[static AUDIT_KEY_SIZE]);

#endif
