/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kms: keys by name, and signatures, over sessions to the Trusted Application.
 *
 * Two ways in. The administrative calls (generate, import, show, list, delete,
 * info) block their caller; they are for the CLI and for start-up. Signing is
 * asynchronous: a request is queued from any thread, signer threads take what
 * has queued as one invocation of up to batch_size, and each request's
 * callback runs exactly once, on a signer thread.
 *
 * A lone request is signed at once. Under load the next batch is whatever
 * queued while the last one ran. batch_timeout_us > 0 with min_batch > 1 makes
 * the signer wait that long for min_batch requests.
 */
#ifndef SR_KMS_H
#define SR_KMS_H

#include "base/base.h"
#include "eth/eth_core.h"
#include "super_relay_ta.h"
#include "tee/tee.h"

#define KMS_KEY_ID_SIZE (SR_TA_KEY_ID_MAX + 1)

struct kms;

/* One finished attempt at a TA command, for metrics. */
struct kms_observation {
	uint32_t command; /* SR_TA_CMD_* */
	TEEC_Result result;
	uint64_t duration_ns;
	unsigned items; /* signatures asked for; 1 for other commands */
};

struct kms_config {
	struct tee_api api;
	TEEC_UUID ta_uuid;
	unsigned pool_size;	    /* sessions, 1 to 64 */
	unsigned batch_size;	    /* 1 to SR_TA_BATCH_MAX */
	unsigned min_batch;	    /* 1 to batch_size */
	unsigned batch_timeout_us;  /* 0 to 1,000,000 */
	unsigned max_retries;	    /* 0 to 10, after the first attempt */
	unsigned session_timeout_s; /* idle sessions are closed; 0 means never */
	unsigned queue_limit;	    /* signing requests waiting, 1 to 1,000,000 */
	void (*observe)(void *arg,
			const struct kms_observation *seen); /* may be NULL; any thread */
	void *observe_arg;
};

struct kms_key {
	char id[KMS_KEY_ID_SIZE];
	uint8_t algorithm; /* SR_TA_ALG_*; 0 for a damaged key */
	uint8_t origin;	   /* SR_TA_ORIGIN_* */
	uint32_t usage;	   /* SR_TA_USAGE_* */
	uint64_t created;
	uint8_t public_key[SR_TA_PUBLIC_KEY_MAX];
	size_t public_key_len;
};

struct kms_info {
	unsigned major, minor, patch;
	uint32_t features;
	uint32_t anti_rollback;
	unsigned keys, keys_max, batch_max;
	char implementation[64];
};

/* 1 to 64 characters of [A-Za-z0-9._-]. */
bool kms_key_id_check(const char *id, struct sr_error *err) SR_MUST_USE;

/* Opens a context and one session, so that a missing TEE or TA is told here.
 * No thread is started before the first signing request. */
bool kms_open(const struct kms_config *config, struct kms **out, struct sr_error *err) SR_MUST_USE;

/* Requests still queued are signed first, for at most drain_ms; the rest are
 * finished with SR_E_UNAVAILABLE. Blocks; no callback runs after it returns. */
void kms_close(struct kms *kms, unsigned drain_ms);

bool kms_generate_key(struct kms *kms, const char *id, uint8_t algorithm, uint32_t usage,
		      struct kms_key *out, struct sr_error *err) SR_MUST_USE;
bool kms_import_key(struct kms *kms, const char *id, uint8_t algorithm, uint32_t usage,
		    const uint8_t secret[static SR_TA_SECRET_SIZE], struct kms_key *out,
		    struct sr_error *err) SR_MUST_USE;
bool kms_get_key(struct kms *kms, const char *id, struct kms_key *out,
		 struct sr_error *err) SR_MUST_USE;
bool kms_delete_key(struct kms *kms, const char *id, struct sr_error *err) SR_MUST_USE;
/* Up to max keys in the order of their ids; *count is how many there are. */
bool kms_list_keys(struct kms *kms, struct kms_key *out, size_t max, size_t *count,
		   struct sr_error *err) SR_MUST_USE;
bool kms_get_info(struct kms *kms, struct kms_info *out, struct sr_error *err) SR_MUST_USE;

/* What keys that this TEE makes are made of, for people to read. False when nothing in
 * the TEE is known to be unpredictable: such keys are as secret as this host's random
 * bytes and no more. */
#define KMS_ENTROPY_TEXT 256
#define KMS_ENTROPY_WARNING                                                           \
	"nothing in the TEE is known to be random: keys made in it are as secret as " \
	"this host's random bytes, and no more"
bool kms_entropy_text(const struct kms_info *info, char out[static KMS_ENTROPY_TEXT]);
/* count digests of 32 bytes, secp256k1; signatures of 65 bytes each. */
bool kms_sign_digests(struct kms *kms, const char *id, const uint8_t *digests, size_t count,
		      uint8_t *signatures, struct sr_error *err) SR_MUST_USE;
bool kms_sign_ed25519(struct kms *kms, const char *id, struct sr_bytes message,
		      uint8_t signature[static SR_TA_ED25519_SIGNATURE_SIZE],
		      struct sr_error *err) SR_MUST_USE;

struct kms_signature {
	struct sr_error error; /* code SR_OK: the rest is valid */
	uint8_t digest[32];
	uint8_t signature[SR_TA_SECP256K1_SIGNATURE_SIZE];
};

/*
 * One sponsorship to be signed. The caller owns the memory and keeps it
 * untouched until done has been called; done may free it.
 */
struct kms_request {
	char key_id[KMS_KEY_ID_SIZE];
	struct eth_sponsorship sponsorship;
	struct kms_signature result;
	void (*done)(struct kms_request *request); /* on a signer thread, once */
	void *arg;
	struct kms_request *next; /* the queue's */
};

/* Queues a request. False (done is then never called): SR_E_BUSY when the queue
 * is full, SR_E_UNAVAILABLE when closing, SR_E_INVALID for a bad key id. */
bool kms_sign_sponsorship(struct kms *kms, struct kms_request *request,
			  struct sr_error *err) SR_MUST_USE;

/* Open sessions now, and requests waiting: gauges for metrics. Any thread. */
unsigned kms_sessions(const struct kms *kms);
unsigned kms_queue_depth(const struct kms *kms);

#endif
