/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kms: keys by name, and signatures, over sessions to the Trusted Application.
 *
 * Two ways in. The administrative calls (generate, import, show, list, delete,
 * policies, attestation, info) block their caller; they are for the CLI and for start-up.
 * Signing is asynchronous: a request is queued from any thread, the signer thread takes
 * what has queued as one invocation of up to batch_size, and each request's callback runs
 * exactly once, on a thread of the KMS.
 *
 * With an audit log, whatever the TA's chain records is in the log, and on the disk, before
 * its caller is answered: a signature whose record could not be kept does not go out. Where
 * log and TEE contradict each other, nothing more is signed (kms_check).
 *
 * A lone request is signed at once. Under load the next batch is whatever
 * queued while the last one ran. batch_timeout_us > 0 with min_batch > 1 makes
 * the signer wait that long for min_batch requests.
 */
#ifndef SR_KMS_H
#define SR_KMS_H

#include "audit/audit.h"
#include "base/base.h"
#include "eth/eth_core.h"
#include "super_relay_ta.h"
#include "tee/tee.h"

#define KMS_KEY_ID_SIZE (SR_TA_KEY_ID_MAX + 1)
#define KMS_CHECKPOINT_INTERVAL 1024 /* each writes to the TEE's storage */

struct kms;

enum kms_seen {
	KMS_SEEN_COMMAND, /* an attempt at a TA command has finished */
	KMS_SEEN_WAIT,	  /* a signing request waited, from queueing to the first attempt */
};

/* For metrics; KMS_SEEN_WAIT has a duration alone. */
struct kms_observation {
	enum kms_seen what;
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
	uint32_t login_group;	    /* sessions log in as this group; 0: as PUBLIC */
	/* Where the TA's records go; NULL: nowhere. kms_close closes it; kms_open that fails
	 * leaves it to the caller. */
	struct audit_log *log;
	unsigned audit_checkpoint_interval; /* records; 0: KMS_CHECKPOINT_INTERVAL */
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
	uint32_t policy_version; /* 0: no policy */
};

struct kms_info {
	unsigned major, minor, patch;
	uint32_t features;
	uint32_t anti_rollback;	    /* 0, 100 or 1000 */
	uint32_t system_time_level; /* 100: the normal world can set it; 1000 */
	unsigned keys, keys_max, batch_max;
	char implementation[64];
};

/* 1 to 64 characters of [A-Za-z0-9._-]. */
bool kms_key_id_check(const char *id, struct sr_error *err) SR_MUST_USE;

/* Opens a context and one session, so that a missing TEE or TA is told here.
 * No thread is started before the first signing request. */
bool kms_open(const struct kms_config *config, struct kms **out, struct sr_error *err) SR_MUST_USE;

/* Requests still queued are signed first, for at most drain_ms; the rest are
 * finished with SR_E_UNAVAILABLE. Blocks; no callback runs after it returns. A log
 * that has got records ends in a checkpoint. */
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

/* ---- signing requests ------------------------------------------------------ */

struct kms_signature {
	struct sr_error error; /* code SR_OK: the rest is valid */
	bool over_budget;      /* with SR_E_DENIED: a window is used up, no rule was broken */
	uint8_t digest[32];
	uint8_t signature[SR_TA_SECP256K1_SIGNATURE_SIZE];
};

enum kms_request_kind { KMS_SPONSORSHIP, KMS_TRANSACTION };

/*
 * One sponsorship or transaction to be signed. The caller owns the memory, and what
 * its views point to, and keeps both untouched until done has been called; done may
 * free it.
 */
struct kms_request {
	char key_id[KMS_KEY_ID_SIZE];
	struct eth_sponsorship sponsorship; /* of kms_sign_sponsorship */
	struct sr_bytes transaction;	    /* of kms_sign_transaction: unsigned, its type first */
	struct kms_signature result;
	void (*done)(struct kms_request *request); /* on a thread of the KMS, once */
	void *arg;
	/* the KMS's */
	enum kms_request_kind kind;
	uint64_t queued_ns;
	struct kms_request *next;
};

/* Queue a request. False (done is then never called): SR_E_BUSY when the queue
 * is full, SR_E_UNAVAILABLE when closing or stopped (kms_check), SR_E_INVALID for a bad
 * key id or a request that fits no call of the TA.
 * Errors of an item: SR_E_DENIED with a message that tells the policy's no from a
 * window that is used up. */
bool kms_sign_sponsorship(struct kms *kms, struct kms_request *request,
			  struct sr_error *err) SR_MUST_USE;
bool kms_sign_transaction(struct kms *kms, struct kms_request *request,
			  struct sr_error *err) SR_MUST_USE;

/* ---- audit ------------------------------------------------------------------ */

/* Binds the log to the TA's chain now, rather than with the first command that the chain
 * records. SR_E_CORRUPT: they contradict each other; the message says which of the two is
 * older, and how to go on. */
bool kms_audit_begin(struct kms *kms, struct sr_error *err) SR_MUST_USE;

/* False once the KMS has stopped: log and TEE contradict each other, or the log could not
 * be written. It stays so until it is opened anew. Any thread; takes no time. */
bool kms_check(struct kms *kms, struct sr_error *err) SR_MUST_USE;

/* What the TA says of its chain (AUDIT_READ), and what a statement to go on needs. */
struct kms_audit_state {
	uint8_t public_key[SR_TA_SECP256K1_PUBLIC_SIZE]; /* zeros before the first BEGIN */
	uint64_t generation;
	uint64_t last; /* number of the last record, as far as it is stored */
	uint64_t next;
	uint8_t head[SR_TA_HEAD_SIZE];
	bool begun;
};

/* tail: where the log ends, at the same time; zeros without a log. */
bool kms_audit_state(struct kms *kms, struct kms_audit_state *out, struct audit_tail *tail,
		     struct sr_error *err) SR_MUST_USE;
/* BEGIN with the operator's word that log and TEE go on as they are. */
bool kms_audit_accept(struct kms *kms,
		      const uint8_t signature[static SR_TA_OPERATOR_SIGNATURE_SIZE],
		      struct sr_error *err) SR_MUST_USE;
/* A checkpoint into the log, now. */
bool kms_audit_checkpoint(struct kms *kms, struct sr_error *err) SR_MUST_USE;

/* ---- provisioning and policies ----------------------------------------------- */

/* The signature is over the statement (kms_statement_provision). */
struct kms_provision {
	uint8_t operator_key[SR_TA_ED25519_PUBLIC_SIZE];
	uint32_t flags; /* SR_TA_PROVISION_* */
	uint8_t groups[SR_TA_GROUPS_MAX][16];
	unsigned group_count;
};

bool kms_provision(struct kms *kms, const struct kms_provision *p,
		   const uint8_t signature[static SR_TA_OPERATOR_SIGNATURE_SIZE],
		   struct sr_error *err) SR_MUST_USE;

bool kms_set_policy(struct kms *kms, const char *id, uint32_t version, struct sr_bytes policy,
		    const uint8_t signature[static SR_TA_OPERATOR_SIGNATURE_SIZE],
		    struct kms_key *out, struct sr_error *err) SR_MUST_USE;

struct kms_policy {
	uint32_t version; /* 0: none, and the rest is empty */
	uint8_t policy[SR_TA_POLICY_MAX];
	size_t policy_len;
	uint8_t signature[SR_TA_OPERATOR_SIGNATURE_SIZE];
	uint8_t spent[16]; /* wei in the window, big-endian */
	uint32_t operations;
};

bool kms_get_policy(struct kms *kms, const char *id, struct kms_policy *out,
		    struct sr_error *err) SR_MUST_USE;

/* A new key of the same algorithm, usage and policy; the old one stays. */
bool kms_rotate_key(struct kms *kms, const char *id, const char *new_id, struct kms_key *out,
		    struct sr_error *err) SR_MUST_USE;

/* ---- attestation ------------------------------------------------------------- */

#define KMS_STATEMENT_MAX 1024
#define KMS_NONCE_SIZE 32

/* As the TA gave it, nothing checked yet: kms_attest_verify. */
struct kms_attestation {
	uint8_t statement[KMS_STATEMENT_MAX];
	size_t statement_len;
	uint8_t signature[SR_TA_SECP256K1_SIGNATURE_SIZE];
	uint8_t evidence[SR_TA_EVIDENCE_MAX];
	size_t evidence_len; /* 0: none */
};

/* id NULL: of the TA alone. SR_E_INVALID where platform evidence is wanted and there is none. */
bool kms_attest(struct kms *kms, const char *id, const uint8_t nonce[static KMS_NONCE_SIZE],
		bool platform, struct kms_attestation *out, struct sr_error *err) SR_MUST_USE;

/* Open sessions now, and requests waiting: gauges for metrics. Any thread. */
unsigned kms_sessions(const struct kms *kms);
unsigned kms_queue_depth(const struct kms *kms);
/* Of the audit log; false when there is none. Any thread. */
bool kms_audit_figures(const struct kms *kms, struct audit_figures *out) SR_MUST_USE;

#endif
