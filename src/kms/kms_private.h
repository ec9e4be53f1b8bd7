/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of kms share; nobody else includes it. */
#ifndef SR_KMS_PRIVATE_H
#define SR_KMS_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "kms/kms.h"

/* ---- wire (wire.c) ----------------------------------------------------- */

/* Writes a request; a write past the end sets failed and does nothing. */
struct kms_writer {
	uint8_t *data;
	size_t size;
	size_t len;
	bool failed;
};

/* Reads a response; a read past the end sets failed and gives zeros. */
struct kms_reader {
	const uint8_t *data;
	size_t len;
	size_t at;
	bool failed;
};

void kms_put_u8(struct kms_writer *w, uint8_t v);
void kms_put_u16(struct kms_writer *w, uint16_t v);
void kms_put_u32(struct kms_writer *w, uint32_t v);
void kms_put_u64(struct kms_writer *w, uint64_t v);
void kms_put_bytes(struct kms_writer *w, const void *data, size_t len);
void kms_put_text(struct kms_writer *w, const char *text); /* u8 length, then the bytes */
void kms_put_sponsorship(struct kms_writer *w, const struct eth_sponsorship *s);

uint8_t kms_get_u8(struct kms_reader *r);
uint16_t kms_get_u16(struct kms_reader *r);
uint32_t kms_get_u32(struct kms_reader *r);
uint64_t kms_get_u64(struct kms_reader *r);
void kms_get_bytes(struct kms_reader *r, void *out, size_t len);
void kms_get_text(struct kms_reader *r, char *out, size_t size);
void kms_get_key_info(struct kms_reader *r, struct kms_key *out);
/* True when the response was read without failure and to its last byte. */
bool kms_reader_done(const struct kms_reader *r);

/* ---- entropy (entropy.c) ------------------------------------------------ */

/* Fresh bytes of the kernel's random generator, for one key; the caller wipes them. */
bool kms_host_entropy(uint8_t out[static SR_TA_HOST_ENTROPY_SIZE], struct sr_error *err);

/* ---- sessions (pool.c) ------------------------------------------------- */

struct kms_session {
	TEEC_Session session;
	/* Allocated with the slot's first session and kept: registering memory with the
	 * TEE for each call costs more than the call. The response, and right behind it
	 * the request: OP-TEE maps and flushes the pages of each call, so few are fast. */
	TEEC_SharedMemory memory;
	bool has_memory;
	bool open;
	bool busy;
	uint64_t last_used_ns;
};

struct kms_pool {
	const struct kms_config *config;
	TEEC_Context context;
	pthread_mutex_t lock;
	pthread_cond_t released;
	struct kms_session *slots;
	unsigned size;
	atomic_uint open;
};

bool kms_pool_open(struct kms_pool *pool, const struct kms_config *config, struct sr_error *err);
void kms_pool_close(struct kms_pool *pool);
/* Closes sessions idle for longer than the configured time. */
void kms_pool_reap(struct kms_pool *pool);

/* One command, with everything that a retry needs. */
struct kms_call {
	uint32_t command;
	bool repeatable;    /* doing it twice does no harm */
	const char *key_id; /* for messages; may be NULL */
	unsigned items;
	struct kms_writer request; /* over the caller's memory */
	uint8_t *response;
	size_t response_size; /* what is needed, rather than more: see kms_session */
	size_t response_len;
};

/* Runs the call on a session of the pool, with the configured retries. */
bool kms_pool_call(struct kms_pool *pool, struct kms_call *call, struct sr_error *err);

/* ---- signer (signer.c) ------------------------------------------------- */

struct kms_signer {
	struct kms_pool *pool;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	pthread_t thread;
	bool running;
	bool closing;
	unsigned awaited; /* requests that the thread sleeps for; 0: it does not sleep */
	uint64_t drain_until_ns;
	struct kms_request *head;
	struct kms_request **tail;
	atomic_uint depth;
	uint8_t *request;
	uint8_t *response;
};

bool kms_signer_init(struct kms_signer *signer, struct kms_pool *pool, struct sr_error *err);
bool kms_signer_submit(struct kms_signer *signer, struct kms_request *request,
		       struct sr_error *err);
void kms_signer_close(struct kms_signer *signer, unsigned drain_ms);

/* CLOCK_MONOTONIC condition variables: the wall clock may jump. */
bool kms_cond_init(pthread_cond_t *cond);
void kms_cond_wait_ns(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t ns);

#endif
