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
void kms_put_long(struct kms_writer *w, const void *data, size_t len); /* u16 length before it */
void kms_put_sponsorship(struct kms_writer *w, const struct eth_sponsorship *s);
/* Bytes that kms_put_sponsorship writes. */
size_t kms_sponsorship_size(const struct eth_sponsorship *s);

uint8_t kms_get_u8(struct kms_reader *r);
uint16_t kms_get_u16(struct kms_reader *r);
uint32_t kms_get_u32(struct kms_reader *r);
uint64_t kms_get_u64(struct kms_reader *r);
void kms_get_bytes(struct kms_reader *r, void *out, size_t len);
void kms_get_text(struct kms_reader *r, char *out, size_t size);
size_t kms_get_long(struct kms_reader *r, void *out, size_t size); /* the length read */
void kms_get_key_info(struct kms_reader *r, struct kms_key *out);
/* Passes over the audit records at a response's end. True when all of it was read without
 * failure and to its last byte. */
bool kms_reader_done(struct kms_reader *r);

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
	struct kms_writer request; /* over the caller's memory; begun by kms_call_begin */
	uint8_t *response;
	size_t response_size; /* what is needed, rather than more: see kms_session */
	size_t answer_size;   /* of the signing commands: bytes between version and records */
	/* results */
	size_t response_len;
	uint64_t started_ns; /* of the first attempt; 0: there was none */
	TEEC_Result result;  /* of the last attempt */
};

/* Writes what every request begins with. */
void kms_call_begin(struct kms_call *call);
void kms_call_set_audited(struct kms_call *call, uint64_t audited);

/* What its result means, as an error; returns false (failure.c). */
bool kms_fail_call(struct sr_error *err, const struct kms_call *call);
/* The same for one item of a signing call. */
void kms_fail_item(struct kms_signature *out, enum kms_request_kind kind, uint32_t result);
const char *kms_result_text(TEEC_Result result, char *buf, size_t size);

/* Runs the call on a session of the pool, with the configured retries. */
bool kms_pool_call(struct kms_pool *pool, struct kms_call *call, struct sr_error *err);

/* ---- the audit log's side of a call (record.c) --------------------------- */

/* Room for the records that a call of so many items brings. */
#define KMS_RECORDS_SIZE(items) (2 + ((size_t)(items) + 2) * (1 + SR_TA_RECORD_MAX))

#define KMS_OWN_REQUEST_MAX 256 /* BEGIN's, with the operator's signature */

struct kms_recorder {
	struct kms_pool *pool;
	struct audit_log *log; /* NULL: none */
	unsigned interval;     /* records between checkpoints */
	/* under the log's lock */
	bool begun;		  /* BEGIN was answered, and no panic seen since */
	bool recorded;		  /* this process has appended something */
	bool behind;		  /* the TA has records that could not be appended */
	uint64_t next_checkpoint; /* none is tried before this number: the last one failed */
	uint8_t request[KMS_OWN_REQUEST_MAX];
	uint8_t *response; /* SR_TA_RESPONSE_MAX */

	_Atomic uint64_t tail; /* the last number known to be in the log */
	atomic_bool stopped;
	pthread_mutex_t stop_lock; /* of why */
	struct sr_error why;
};

bool kms_recorder_init(struct kms_recorder *r, struct kms_pool *pool, struct sr_error *err);
/* With a last checkpoint, which is stored. */
void kms_recorder_close(struct kms_recorder *r);
/*
 * As kms_pool_call, with the log: the records that the call brings, or left behind when it
 * failed, are in the log when it returns. They are not yet durable: nothing that they
 * tell of goes out before kms_record_sync.
 */
bool kms_record_call(struct kms_recorder *r, struct kms_call *call, struct sr_error *err);
bool kms_record_sync(struct kms_recorder *r, struct sr_error *err);
bool kms_record_check(struct kms_recorder *r, struct sr_error *err);

/* ---- signer (signer.c) ------------------------------------------------- */

/*
 * Two threads: the signer has the TA sign what has queued, and the finisher makes the records
 * of finished batches durable and answers them. While one batch is on its way to the disk the
 * next is being signed, and one sync serves all batches that wait for it.
 */
struct kms_signer {
	struct kms_pool *pool;
	struct kms_recorder *recorder;
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
	/* the finisher's, used with a log alone */
	pthread_mutex_t signed_lock;
	pthread_cond_t signed_wake; /* something was signed, or taken */
	pthread_t finisher;
	bool finishing;
	bool no_more; /* the signer has ended */
	struct kms_request *signed_head;
	struct kms_request **signed_tail;
	unsigned signed_count;
};

bool kms_signer_init(struct kms_signer *signer, struct kms_pool *pool,
		     struct kms_recorder *recorder, struct sr_error *err);
bool kms_signer_submit(struct kms_signer *signer, struct kms_request *request,
		       struct sr_error *err);
void kms_signer_close(struct kms_signer *signer, unsigned drain_ms);
/* What a request takes in the TA's call, and the most that it may. */
size_t kms_request_size(const struct kms_request *request);
#define KMS_REQUEST_HEAD_MAX (1 + 8 + 1 + 1 + SR_TA_KEY_ID_MAX + 1)
#define KMS_REQUEST_ITEM_MAX (SR_TA_REQUEST_MAX - KMS_REQUEST_HEAD_MAX)

/* ---- finisher (finisher.c) -------------------------------------------------- */

bool kms_finisher_start(struct kms_signer *signer);
/* Hands a signed batch over, whose results stand in its requests; blocks while too much waits
 * for the disk. Without a log it is answered at once. */
void kms_finisher_give(struct kms_signer *signer, struct kms_request *batch, unsigned count);
/* After the signer's end: answers all that waits, then ends. */
void kms_finisher_stop(struct kms_signer *signer);
void kms_fail_all(struct kms_request *list, const struct sr_error *err);
/* What went wrong with the log, with its path, is for the relay's own log; whoever asked for a
 * signature is a client, and is told that there is none. */
void kms_hide_log_error(struct sr_error *err);

/* ---- shared by record.c and begin.c; all with the log's lock held ------------- */

#define KMS_STATE_ANSWER_SIZE (SR_TA_SECP256K1_PUBLIC_SIZE + 8 + 8 + 8 + SR_TA_HEAD_SIZE + 1)

/* A call in the recorder's own memory. */
struct kms_call kms_own_call(struct kms_recorder *r, uint32_t command, size_t answer_size);
/* Runs it; the response's records, *records of them, are in the log then. */
bool kms_own_run(struct kms_recorder *r, struct kms_call *call, unsigned *records,
		 struct sr_error *err);
/* After a call whose records were taken: those that its response had no room for. */
/* Fetches all records that the TA still keeps. */
bool kms_drain(struct kms_recorder *r, struct sr_error *err);
bool kms_take_rest(struct kms_recorder *r, const struct kms_call *call, struct sr_error *err);
bool kms_check_version(const struct kms_call *call, struct sr_error *err);
/* Nothing more is recorded from now on; returns false. Without the lock, too. */
bool kms_record_stop(struct kms_recorder *r, const struct sr_error *why);
/* BEGIN unless it has been. */
bool kms_begin_or_stop(struct kms_recorder *r, struct sr_error *err);
bool kms_checkpoint(struct kms_recorder *r, bool store, struct sr_error *err);
void kms_checkpoint_when_due(struct kms_recorder *r);

/* ---- administrative calls (admin.c) ---------------------------------------- */

#define KMS_ADMIN_REQUEST_MAX (SR_TA_MESSAGE_MAX + 512)

/* One request, one response; large, so on the heap. */
struct kms_admin {
	struct kms_call call;
	struct kms_reader answer; /* behind the version */
	uint8_t request[KMS_ADMIN_REQUEST_MAX];
	uint8_t response[SR_TA_RESPONSE_MAX];
};

struct kms {
	struct kms_config config;
	struct kms_pool pool;
	struct kms_recorder recorder;
	struct kms_signer signer;
};

/* The request has been begun; append what the command takes. id may be NULL; an id that is
 * none is refused. */
struct kms_admin *kms_admin_new(uint32_t command, bool repeatable, const char *id,
				struct sr_error *err);
/* Wipes, since a request may have carried a secret. */
void kms_admin_free(struct kms_admin *a);
/* Runs the call; what it recorded is durable when it returns true. */
bool kms_admin_call(struct kms *kms, struct kms_admin *a, struct sr_error *err);
/* After the answer's fields were read from a->answer. */
bool kms_admin_done(struct kms_admin *a, struct sr_error *err);
/* Runs a call whose answer is one key info, or nothing, and frees it. */
bool kms_admin_finish_key(struct kms *kms, struct kms_admin *a, struct kms_key *out,
			  struct sr_error *err);
/* BEGIN, whatever comes of it (begin.c). tail: where the log ends; zeros without one. */
void kms_try_to_begin(struct kms *kms, struct audit_tail *tail);
bool kms_admin_finish(struct kms *kms, struct kms_admin *a, struct sr_error *err);

/* CLOCK_MONOTONIC condition variables: the wall clock may jump. */
bool kms_cond_init(pthread_cond_t *cond);
void kms_cond_wait_ns(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t ns);

#endif
