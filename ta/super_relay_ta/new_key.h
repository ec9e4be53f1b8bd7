/* SPDX-License-Identifier: Apache-2.0 */
/* The steps that all commands take that end with a new key in the keystore. */
#ifndef SR_TA_NEW_KEY_H
#define SR_TA_NEW_KEY_H

#include <stdint.h>
#include <tee_internal_api.h>

#include "key.h"
#include "wire.h"

/* Judges algorithm, usage and id, and reserves room for the key info with the public key to come.
 */
TEE_Result ta_new_key_prepare(const struct ta_key *key, struct ta_writer *out);

/* Whether the id is free: asked before anything is stored for its key, since a ledger stays.
 * ACCESS_CONFLICT, CORRUPT_OBJECT: it is a key's. */
TEE_Result ta_new_key_judge_id(const struct ta_key_id *id);

/* Creates the object, and raises the storage's generation. */
TEE_Result ta_new_key_store(const struct ta_key *key);

/* Records the act, whose outcome this is; with success writes the response. */
TEE_Result ta_new_key_conclude(uint8_t command, const struct ta_key *key, TEE_Result outcome,
			       struct ta_writer *out);

#endif
