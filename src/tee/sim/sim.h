/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulator's inside: one TA instance, entered by one thread of one process
 * at a time, as OP-TEE does with a single-instance TA. Everything below is
 * touched under the instance's lock only.
 */
#ifndef SR_SIM_H
#define SR_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/types.h>
#include <sodium.h>
#include <tee_client_api.h>

#include "base/base.h"
#include "tee/sim/store.h"
#include "tee_internal_api.h"

/* ---- instance.c --------------------------------------------------------- */

/* One invocation's parameters as the TA gets them. The buffers are the client's
 * own memory, not copies: a live normal world can change them, as it can the
 * pages that OP-TEE shares with it. */
struct sim_call {
	uint32_t types;
	TEE_Param params[TEE_NUM_PARAMS];
};

/* TEEC results and origins, as OP-TEE gives them. */
TEEC_Result sim_instance_open_session(struct sim_call *call, const TEE_Identity *client,
				      uint32_t *session, uint32_t *origin);
TEEC_Result sim_instance_invoke(uint32_t session, uint32_t command, struct sim_call *call,
				uint32_t *origin);
void sim_instance_close_session(uint32_t session);

/* The store that the instance lives on; NULL until there is one. */
struct sim_store *sim_store(void);

/* SR_E_BUSY when another directory is in use already. */
bool sim_instance_load(const char *path, struct sr_error *err) SR_MUST_USE;

/* The invocation that runs; NULL outside of one. */
const struct sim_call *sim_current_call(void);

/* Whose session is being served; public outside of one. */
const TEE_Identity *sim_current_client(void);

extern const TEE_UUID sim_ta_uuid;

/* ---- login.c -------------------------------------------------------------- */

/* Who this process is to a TA, as Linux would tell OP-TEE. Other than TEEC_SUCCESS is what
 * the kernel refuses: the origin is then COMMS. */
TEEC_Result sim_login(uint32_t method, const void *data, TEE_Identity *out);

/* ---- called by every TEE_ function -------------------------------------- */

/* Counts it, and panics when a test has asked for it. */
void sim_api_call(void);

/* ---- listed.c ------------------------------------------------------------ */

/* What a test would have the core answer to this function instead of doing it;
 * TEE_SUCCESS: nothing. */
TEE_Result sim_storage_asked(const char *function);

/* Returns the result, or panics where libutee would. */
TEE_Result sim_storage_answered(const char *function, TEE_Result result);

/* ---- handles.c ---------------------------------------------------------- */

/*
 * Handles are numbers that name a slot and how often it was reused; nothing that
 * a TA passes is taken for a pointer. A wrong one panics, as the standard says.
 */
#define SIM_SECRET_MAX 512 /* bytes: the longest generic secret */

struct sim_object {
	uintptr_t handle; /* 0 when the slot is free */
	uint32_t flags;	  /* TEE_HANDLE_FLAG_*, TEE_DATA_FLAG_* */
	uint32_t type;
	uint32_t usage;
	/* transient: a pair of Ed25519 or X25519, or a secret */
	uint32_t max_bits;
	uint32_t size_bits;
	uint8_t secret[SIM_SECRET_MAX];
	size_t secret_len;
	uint8_t public_key[32];
	/* persistent: its content as last read or written */
	struct sim_object_id id;
	struct sim_blob data;
	size_t position;
};

struct sim_operation {
	uintptr_t handle;
	uint32_t algorithm;
	uint32_t mode;
	uint32_t max_bits;
	bool key_set;
	bool initialized; /* between init and final function; a digest: always */
	bool active;	  /* has taken something since */
	uint8_t secret[SIM_SECRET_MAX];
	size_t secret_len;
	uint8_t public_key[32];
	union {
		crypto_hash_sha256_state sha256;
		crypto_hash_sha512_state sha512;
		crypto_auth_hmacsha256_state hmac;
	} state;
	/* AES-GCM: NULL before its first init */
	EVP_CIPHER_CTX *aes;
	struct gcm128_context *gcm;
	size_t tag_len;
};

struct sim_enumerator {
	uintptr_t handle;
	bool started;
	struct sim_object_id *ids; /* len SIM_UNREADABLE: an object that cannot be read */
	size_t count;
	size_t next;
};

#define SIM_UNREADABLE SIZE_MAX

/* Sessions of the TA with another. 0 when all slots are taken; the others panic on what
 * is no open session's handle. */
uintptr_t sim_session_new(void);
void sim_session_check(uintptr_t handle);
void sim_session_free(uintptr_t handle);

/* NULL when all slots are taken. */
struct sim_object *sim_object_new(void);
struct sim_operation *sim_operation_new(void);
struct sim_enumerator *sim_enumerator_new(void);

struct sim_object *sim_object_get(TEE_ObjectHandle handle);
struct sim_operation *sim_operation_get(TEE_OperationHandle handle);
struct sim_enumerator *sim_enumerator_get(TEE_ObjectEnumHandle handle);

/* Wipe and free the slot. */
void sim_object_free(struct sim_object *object);
void sim_operation_free(struct sim_operation *operation);
void sim_enumerator_free(struct sim_enumerator *enumerator);

/* Open persistent objects with this id, other than except. */
struct sim_object *sim_object_open_with_id(const struct sim_object_id *id,
					   const struct sim_object *except);

/* ---- object.c ------------------------------------------------------------- */

/* Whether a key of this type may have so many bits. */
bool sim_key_size_supported(uint32_t type, uint32_t bits);

/* ---- operation*.c --------------------------------------------------------- */

/* Bits 28 to 31 of an algorithm. */
#define SIM_CLASS_MAC 3
#define SIM_CLASS_AE 4
#define SIM_CLASS_DIGEST 5

/* Panics on an operation of another class. */
struct sim_operation *sim_operation_of(TEE_OperationHandle handle, uint32_t operation_class);

void sim_digest_start(struct sim_operation *op);
void sim_ae_free(struct sim_operation *op);

/* The end of an instance: frees all handles, and all memory of TEE_Malloc. */
void sim_handles_reset(void);
void sim_memory_reset(void);

#endif
