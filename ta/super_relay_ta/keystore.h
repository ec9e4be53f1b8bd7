/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keystore: keys as persistent objects, and those in use in memory.
 *
 * One object a key, its id 'k' ‖ keccak256(key id), since an object id may have
 * 64 bytes at most. An object is created whole and never written again. What is
 * loaded is checked, decoded and kept in one of SR_TA_KEYS_MAX slots: a warm
 * signature touches no storage.
 *
 * Storage is the normal world's to damage: every error of it is an answer to the
 * caller, none a reason to make, replace or forget a key.
 * What was found damaged stays so until it is deleted by name, or the instance ends.
 */
#ifndef SR_TA_KEYSTORE_H
#define SR_TA_KEYSTORE_H

#include <stdbool.h>
#include <tee_internal_api.h>

#include "key.h"

/* Wipes every key in memory, and what is remembered of the storage: at start, at the
 * end, and never in between. */
void ta_keystore_reset(void);

/* Counts the keys, once per instance; a storage that cannot be read leaves the count
 * unknown. */
void ta_keystore_open(void);

/* *out points into the keystore and holds until its next call.
 * ITEM_NOT_FOUND, CORRUPT_OBJECT, STORAGE_NOT_AVAILABLE, OUT_OF_MEMORY, BUSY. */
TEE_Result ta_keystore_find(const struct ta_key_id *id, const struct ta_key **out);

/* Drops the key from memory, not from storage: the next use loads and checks it anew. */
void ta_keystore_forget(const struct ta_key_id *id);

/* ACCESS_CONFLICT: the id exists, damaged or not, in memory if not in storage.
 * CORRUPT_OBJECT: it was found damaged, and nobody has deleted it since.
 * STORAGE_NO_SPACE: SR_TA_KEYS_MAX objects exist, the storage is full, or more
 * damaged keys were met than can be remembered. */
TEE_Result ta_keystore_create(const struct ta_key *key);

/* STORAGE_NO_SPACE where ta_keystore_create would say so for any id; asked before anything else is
 * stored for a key. */
TEE_Result ta_keystore_room(void);

/* Another record in place of the one that ta_keystore_find has found under the same id, as a whole:
 * the old one or the new one, whatever happens. What *out of that find pointed to changes with it.
 */
TEE_Result ta_keystore_replace(const struct ta_key *key);

/* Deletes even a key that fails its checks, as long as its object opens or opening
 * it made it go; the memory of its damage goes with it. */
TEE_Result ta_keystore_delete(const struct ta_key_id *id);

/* How many objects of keys there were when they were last enumerated, damaged ones
 * included, with those made and deleted since; or TA_KEYSTORE_COUNT_UNKNOWN. Asks
 * the storage nothing. */
#define TA_KEYSTORE_COUNT_UNKNOWN SR_TA_KEYS_UNKNOWN
size_t ta_keystore_count(void);

/*
 * The first of the keys after a given id (len 0: from the start), in the order
 * of their ids, without secrets. Damaged ones have algorithm 0; those whose ids
 * cannot be read stand as one under the id "?".
 */
struct ta_key_list {
	struct ta_key keys[SR_TA_KEYS_MAX];
	size_t count;
	bool more;
};

TEE_Result ta_keystore_list(const struct ta_key_id *after, struct ta_key_list *list);

#endif
