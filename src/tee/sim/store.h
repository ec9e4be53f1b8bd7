/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store: the simulator's trusted storage, a directory of encrypted files.
 *
 *   master.key   32 random bytes, made once, never replaced
 *   lock         flock(2) around every invocation of the TA, between processes
 *   generation   u64, native order: raised before each change, under the lock; where
 *                it is cut short it begins anew at random
 *   objects/     a file an object; its name is a keyed hash of the object's id
 *
 * An object's file is replaced or made as a whole (temporary file, fsync, rename
 * or link, fsync of the directory): a kill at any moment leaves the old state or
 * the new one. Not protected: an older copy of the directory put back, and
 * whatever somebody does who reads master.key.
 *
 * Not thread-safe: callers hold the instance's lock. Between sim_store_lock and
 * sim_store_unlock no other process changes anything.
 */
#ifndef SR_SIM_STORE_H
#define SR_SIM_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/base.h"
#include "tee/sim/include/tee_api_types.h"

#define SIM_OBJECT_MAX ((size_t)64 * 1024) /* bytes of one object's data */
#define SIM_STORE_KEY_SIZE 32
#define SIM_STORE_NAME_SIZE (2 * 32 + 1) /* hex of the id's hash, and NUL */

struct sim_store {
	int dir; /* file descriptors; -1 when closed */
	int objects;
	int lock;
	int generation;
	dev_t device; /* of dir, to know it again */
	ino_t inode;
	uint64_t seen_generation; /* of our own last look or change */
	uint8_t name_key[SIM_STORE_KEY_SIZE];
	uint8_t content_key[SIM_STORE_KEY_SIZE];
};

struct sim_object_id {
	uint8_t bytes[TEE_OBJECT_ID_MAX_LEN];
	size_t len;
};

/* Somebody else's bytes, to be given back with sim_blob_free, which wipes them. */
struct sim_blob {
	uint8_t *data;
	size_t len;
};

void sim_blob_free(struct sim_blob *blob);

/* Opens a store, making what is missing. SR_E_CORRUPT when master.key is gone
 * while there are objects: a new key would never open them again. SR_E_INVALID when
 * directories or key belong to, or can be entered by, anybody else. */
bool sim_store_open(struct sim_store *store, const char *path, const TEE_UUID *ta,
		    struct sr_error *err) SR_MUST_USE;
void sim_store_close(struct sim_store *store);

/* After fork: the lock's file description is shared with the parent, so that it
 * would exclude nobody, and outlive the parent. Gives it up; opens it anew. */
void sim_store_drop_lock(struct sim_store *store);
bool sim_store_after_fork(struct sim_store *store) SR_MUST_USE;

/* *changed: another process has changed the store since this one last held the
 * lock. False when the lock cannot be had. */
bool sim_store_lock(struct sim_store *store, bool *changed) SR_MUST_USE;
void sim_store_unlock(struct sim_store *store);

/* ITEM_NOT_FOUND, CORRUPT_OBJECT (the file stays), STORAGE_NOT_AVAILABLE,
 * OUT_OF_MEMORY. */
TEE_Result sim_store_read(const struct sim_store *store, const struct sim_object_id *id,
			  struct sim_blob *out);

/* ACCESS_CONFLICT: it exists and overwrite is false. STORAGE_NO_SPACE. */
TEE_Result sim_store_write(struct sim_store *store, const struct sim_object_id *id,
			   const uint8_t *data, size_t len, bool overwrite);

TEE_Result sim_store_delete(struct sim_store *store, const struct sim_object_id *id);

/* Calls visit for every object, with NULL for a corrupt one, until it says other than
 * TEE_SUCCESS, which is then the answer. An object that may be sound but cannot be
 * read now ends it with its error. */
TEE_Result sim_store_list(const struct sim_store *store,
			  TEE_Result (*visit)(void *arg, const struct sim_object_id *id),
			  void *arg);

/* ---- inside the store (store_*.c) -------------------------------------- */

void sim_store_name(const struct sim_store *store, const struct sim_object_id *id,
		    char out[static SIM_STORE_NAME_SIZE]);
bool sim_store_is_name(const char *name);

#define SIM_SEALED_MAX (SIM_OBJECT_MAX + 256)

/* Encrypts an object for its file. OUT_OF_MEMORY. */
TEE_Result sim_store_seal(const struct sim_store *store, const char *name,
			  const struct sim_object_id *id, const uint8_t *data, size_t len,
			  struct sim_blob *out);

/* CORRUPT_OBJECT unless the file was sealed under this store's key, for this
 * name, and holds the id of that name. */
TEE_Result sim_store_unseal(const struct sim_store *store, const char *name, const uint8_t *sealed,
			    size_t sealed_len, struct sim_object_id *id, struct sim_blob *out);

bool sim_store_load_keys(struct sim_store *store, const TEE_UUID *ta,
			 struct sr_error *err) SR_MUST_USE;

/* Reads a whole file of at most max bytes. 0, or an errno; EFBIG: it is larger. */
int sim_file_read(int dir, const char *name, size_t max, struct sim_blob *out);

/* Makes name with this content: temporary file, fsync, then rename (replace) or
 * link (EEXIST when it exists), fsync of the directory. publish is called between
 * fsync and rename or link, and may be NULL. 0, or an errno. */
int sim_file_write(int dir, const char *name, const uint8_t *data, size_t len, bool replace,
		   int (*publish)(void *arg), void *arg);

/* What a killed writer left: the one temporary file there can be, and all that look
 * like one. Only under the lock: nobody is writing then. */
void sim_file_remove_temporary(int dir);
void sim_file_remove_stale(int dir);

/* SR_E_INVALID unless it is this user's and lets nobody else in. name is for the
 * message. */
bool sim_store_check_private(const char *name, const struct stat *st,
			     struct sr_error *err) SR_MUST_USE;

/* Asks sim_store_fault_hook (sim_test.h) whether a step of a change is to fail. */
int sim_store_fault(const char *step);

#endif
