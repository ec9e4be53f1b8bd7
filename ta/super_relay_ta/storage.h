/* SPDX-License-Identifier: Apache-2.0 */
/*
 * storage: whole objects of the trusted storage, other than keys (keystore.h).
 * Objects are named by a letter, and what follows it:
 *   'i'            the TA's identity (state.h)
 *   'j'            its journal (state.h)
 *   'l' ‖ SHA-256  what a public key has spent (ledger.h)
 *   'k' ‖ Keccak   a key (keystore.h)
 */
#ifndef SR_TA_STORAGE_H
#define SR_TA_STORAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tee_internal_api.h>

#define TA_STORAGE_ID_MAX 33

struct ta_storage_id {
	uint8_t bytes[TA_STORAGE_ID_MAX];
	uint8_t len;
};

/* *len: the object's whole length, over size where it does not fit (and *out then holds
 * nothing of use). ITEM_NOT_FOUND, CORRUPT_OBJECT, STORAGE_NOT_AVAILABLE, OUT_OF_MEMORY, BUSY. */
TEE_Result ta_storage_read(const struct ta_storage_id *id, void *out, size_t size, size_t *len);

/* Makes or replaces an object as a whole: whatever happens, it is the old one or the new one. With
 * an error it may be either. */
TEE_Result ta_storage_write(const struct ta_storage_id *id, const void *data, size_t len);

TEE_Result ta_storage_delete(const struct ta_storage_id *id);

/* Calls visit with each object's name, or with NULL for one that exists and whose name cannot be
 * read, until it says other than TEE_SUCCESS, which is then the answer. */
typedef TEE_Result (*ta_storage_visitor)(void *arg, const uint8_t *id, size_t len);
TEE_Result ta_storage_visit(ta_storage_visitor visit, void *arg);

/* Whether there is any object whose name begins with one of these letters, or cannot be read: it
 * may be one of them. */
TEE_Result ta_storage_any(const char *letters, bool *any);

/* How many objects there are whose name begins with letter. One whose name cannot be read is none:
 * a damaged object is not to stand for a missing one. */
TEE_Result ta_storage_count(char letter, size_t *count);

#endif
