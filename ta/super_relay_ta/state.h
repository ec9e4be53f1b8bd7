/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state: what the TA itself is, beside the keys that it keeps.
 *
 * The identity is made once: three keys of the TA's own, and, from PROVISION on, whose
 * orders it takes and who may call it. Keys and ledgers carry its tag, so that
 * nothing of one identity is of use under another.
 *
 * The journal changes often: how often the storage has changed (the generation), which
 * sequence numbers of the audit chain may have been used, and the last record that the host
 * has confirmed to hold.
 *
 * Order of creation: journal, then identity. An identity without a journal, or keys without
 * an identity, are damage, and damage is never mended by making a new one.
 */
#ifndef SR_TA_STATE_H
#define SR_TA_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <tee_internal_api.h>

#include "super_relay_ta.h"

#define TA_TAG_SIZE 16
#define TA_GROUP_SIZE 16

struct ta_identity {
	uint8_t audit_secret[SR_TA_SECRET_SIZE];     /* secp256k1 */
	uint8_t attest_secret[SR_TA_SECRET_SIZE];    /* secp256k1 */
	uint8_t transport_secret[SR_TA_SECRET_SIZE]; /* X25519 */
	uint8_t audit_public[SR_TA_SECP256K1_PUBLIC_SIZE];
	uint8_t attest_public[SR_TA_SECP256K1_PUBLIC_SIZE];
	uint8_t transport_public[SR_TA_X25519_PUBLIC_SIZE];
	uint8_t tag[TA_TAG_SIZE]; /* the first bytes of SHA-256 of the audit public key */
	bool provisioned;
	uint8_t operator_key[SR_TA_ED25519_PUBLIC_SIZE];
	uint32_t flags; /* SR_TA_PROVISION_* */
	uint8_t group_count;
	uint8_t groups[SR_TA_GROUPS_MAX][TA_GROUP_SIZE];
};

struct ta_journal {
	uint64_t generation;
	uint64_t used_to;	    /* the last sequence number that may have been used */
	uint64_t confirmed;	    /* the last that the host's log is known to hold */
	uint32_t ledgers;	    /* how many there are to be: see ledger.h */
	uint8_t pending_ledger[32]; /* of which it is open whether it is there; zeros: of none */
	uint8_t confirmed_head[SR_TA_HEAD_SIZE];
};

/* Wipes all of it from memory. */
void ta_state_reset(void);

/*
 * TEE_SUCCESS: there is an identity, in memory from now on. ITEM_NOT_FOUND: there is none,
 * and no key. CORRUPT_OBJECT: damaged, for as long as the instance lives.
 * STORAGE_NOT_AVAILABLE and other passing errors: ask again.
 */
TEE_Result ta_state_load(void);

/* Makes identity and journal; only after ta_state_load has answered ITEM_NOT_FOUND. Host entropy,
 * if there is some, has been given to entropy.h before. */
TEE_Result ta_state_create(void);

/* NULL until ta_state_load has answered TEE_SUCCESS. */
const struct ta_identity *ta_state_identity(void);

/* True in memory and without asking the storage; false where nothing is loaded. */
bool ta_state_provisioned(void);
/* SR_TA_PROVISION_*; 0 where it is not provisioned. */
uint32_t ta_state_flags(void);

/* Stores a provisioned identity in place of the present one, with a new transport key, which it is
 * given for that. */
TEE_Result ta_state_provision(struct ta_identity *next);

/* head(0) of the audit chain. */
TEE_Result ta_state_genesis(uint8_t out[static SR_TA_HEAD_SIZE]);

/* As it was last loaded or stored. */
const struct ta_journal *ta_state_journal(void);

/* Stores the journal with its generation raised by one. With an error, memory holds what it held.
 */
TEE_Result ta_state_commit(const struct ta_journal *next);

/* After any other change to the storage: the same, with nothing else changed. */
TEE_Result ta_state_changed(void);

/* The audit or attestation key's signature over a digest, checked before it is given. The caller
 * has refreshed the entropy. */
enum ta_own_key { TA_OWN_AUDIT, TA_OWN_ATTEST };
TEE_Result ta_state_sign(enum ta_own_key which, const uint8_t digest[static 32],
			 uint8_t out[static SR_TA_SECP256K1_SIGNATURE_SIZE]);

#endif
