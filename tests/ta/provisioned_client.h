/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of policies, budgets and the audit chain share, on top of ta_client: an
 * operator with a key, and a host that keeps the audit log as it should, in memory that a
 * forked child shares. Every record is chained by this side's own SHA-256.
 */
#ifndef SR_TESTS_PROVISIONED_CLIENT_H
#define SR_TESTS_PROVISIONED_CLIENT_H

#include <sodium.h>

#include "ta_client.h"

__extension__ typedef unsigned __int128 wei;

#define DENIED TEEC_ERROR_ACCESS_DENIED
#define OVERFLOW_RESULT 0xFFFF300Fu /* TEE_ERROR_OVERFLOW */
#define SIGNATURE_RESULT TEEC_ERROR_SECURITY
#define HOST_LOG_MAX 20000

struct audit_record {
	uint64_t sequence;
	uint64_t generation;
	uint64_t time;
	uint8_t command;
	uint32_t decision;
	uint32_t policy_version;
	uint8_t value[16];
	uint8_t digest[32];
	char key[SR_TA_KEY_ID_MAX + 1];
	uint8_t head[32]; /* after it */
};

struct host_log {
	bool kept; /* false: every request says SR_TA_NO_LOG */
	uint8_t audit_public[65];
	size_t count;
	struct audit_record records[HOST_LOG_MAX];
};

struct provisioned {
	struct ta_client ta;
	uint8_t operator_public[32];
	uint8_t operator_secret[64];
	struct host_log log;
	struct ta_request request;
	struct ta_response response;
};

/* Fixtures: *state is a struct provisioned whose host keeps a log. The first one's TA is
 * provisioned for development; the second's has begun; the third's has a blank storage. */
int provisioned_setup(void **state);
int unprovisioned_setup(void **state);
int blank_setup(void **state);
int provisioned_teardown(void **state);

/* ---- the host ------------------------------------------------------------------ */

/* Sends request as of this host, takes the records, and cuts them off the response. */
TEEC_Result host_call(struct provisioned *p, uint32_t command, struct ta_request *request,
		      struct ta_response *out);
/* With the log's tail. */
TEEC_Result host_begin(struct provisioned *p);
/* With another tail, and with the operator's signature or NULL. */
struct log_tail {
	uint64_t sequence;
	uint64_t generation;
	uint8_t head[32];
};
struct log_tail tail_of(const struct host_log *log);
TEEC_Result host_begin_with(struct provisioned *p, const struct log_tail *tail,
			    const uint8_t *signature);
/* The instance ends; the host connects anew, and begins where it keeps a log. */
void host_restart(struct provisioned *p);
void host_reconnect(struct provisioned *p); /* and does not begin */
TEEC_Result host_checkpoint(struct provisioned *p, bool store);

struct ta_position {
	uint64_t generation;
	uint64_t used_to;
	uint64_t next;
	bool begun;
};
/* AUDIT_READ; takes what records there are. */
struct ta_position host_read(struct provisioned *p);
/* The last record, after having asked for what a refusal left. */
const struct audit_record *last_record(struct provisioned *p);
/* That the last record is of this command and tells this decision. */
void assert_recorded(struct provisioned *p, uint8_t command, TEEC_Result decision);

/* ---- the operator ---------------------------------------------------------------- */

/* Signs name ‖ the TA's UUID ‖ what is in statement. */
void operator_sign(const struct provisioned *p, const char *name,
		   const struct ta_request *statement, uint8_t out[static 64]);
extern const uint8_t ta_uuid_bytes[16];

TEEC_Result provision(struct provisioned *p, uint32_t flags);

struct policy {
	uint32_t flags;
	uint8_t chain_count;
	uint64_t chains[8];
	uint8_t entry_point_count;
	uint8_t entry_points[8][20];
	uint8_t paymaster_count;
	uint8_t paymasters[8][20];
	uint8_t beneficiary_count;
	uint8_t beneficiaries[8][20];
	uint32_t validity_max;
	uint64_t gas_max;
	wei fee_max;
	wei cost_max;
	uint32_t window;
	wei budget;
	uint32_t operations;
};

/* Allows the sponsorship vector, and make_transaction's; costs up to 2^127, without a window. */
struct policy usual_policy(void);
/* The same with a window of an hour, in which so much may be spent. */
struct policy windowed_policy(wei budget, uint32_t operations);
void put_policy(struct ta_request *r, const struct policy *policy);

/* A whole SET_POLICY, to be spoiled. */
void begin_set_policy(struct provisioned *p, struct ta_request *r, const char *id, uint32_t version,
		      const struct policy *policy);
TEEC_Result set_policy(struct provisioned *p, const char *id, uint32_t version,
		       const struct policy *policy);

struct spending {
	uint32_t version;
	wei cost;
	uint32_t operations;
};
struct spending get_spending(struct provisioned *p, const char *id);

/* ---- keys -------------------------------------------------------------------------- */

TEEC_Result make_key(struct provisioned *p, uint32_t usage, const char *id, struct key_info *out);
TEEC_Result import_plain(struct provisioned *p, uint32_t usage, const char *id,
			 const uint8_t secret[static 32]);
TEEC_Result find_key(struct provisioned *p, const char *id, struct key_info *out);
TEEC_Result drop_key(struct provisioned *p, const char *id);
TEEC_Result rotate_key(struct provisioned *p, const char *id, const char *new_id,
		       struct key_info *out);
/* Sealed to the TA itself, so that it can be brought back. */
struct envelope {
	uint8_t data[SR_TA_ENVELOPE_MAX];
	uint16_t len;
};
void transport_key(struct provisioned *p, uint8_t out[static 32]);
void begin_export(struct provisioned *p, struct ta_request *r, const char *id,
		  const uint8_t recipient[static 32]);
TEEC_Result export_key(struct provisioned *p, const char *id, struct envelope *out);
TEEC_Result import_envelope(struct provisioned *p, const struct envelope *envelope);

/* ---- signing ----------------------------------------------------------------------- */

/* The item's result, or the whole's where that is not success. Asserts that there is a
 * signature where it is success, and zeros where it is not. */
TEEC_Result sponsor(struct provisioned *p, const char *id, const struct sponsorship *s);
TEEC_Result sponsor_v06(struct provisioned *p, const char *id, const struct sponsorship *s);
/* The vector, which usual_policy allows. */
struct sponsorship usual_sponsorship(void);
/* At a price: one unit of gas, at a fee of cost. */
struct sponsorship priced(wei cost);
TEEC_Result spend(struct provisioned *p, const char *id, wei cost);
TEEC_Result raw_digest(struct provisioned *p, const char *id);

struct transaction {
	uint8_t type; /* what stands before the RLP; 0xc0 and above: nothing does */
	uint64_t chain_id;
	uint64_t nonce;
	wei priority_fee;
	wei max_fee;
	uint64_t gas;
	uint8_t to[20];
	uint8_t to_len; /* 20, or 0 to create a contract */
	uint64_t value;
	uint8_t data[512];
	size_t data_len;
	uint8_t authorizations[1024]; /* RLP, with its list's header; type 4 */
	size_t authorizations_len;
};

/* A bundle of one operation to the vector's EntryPoint, for usual_policy's beneficiary. */
struct transaction make_transaction(void);
/* A call of one operation for a beneficiary, from offset 4 on as the ABI has it. */
void set_handle_ops(struct transaction *t, uint32_t selector, const uint8_t beneficiary[static 20]);
extern const uint8_t usual_beneficiary[20];
/* One authorization of EIP-7702, well formed; s is its signature's last part, 32 bytes. */
void set_authorization(struct transaction *t, unsigned parity, const uint8_t s[static 32]);

TEEC_Result sign_transaction(struct provisioned *p, const char *id, const struct transaction *t);
/* Of bytes as they are. */
TEEC_Result sign_transaction_bytes(struct provisioned *p, const char *id, const uint8_t *bytes,
				   size_t len);
size_t encode_transaction(const struct transaction *t, uint8_t out[static 4096]);
void address_of(const struct key_info *key, uint8_t out[static 20]);

/* "pm", under this policy, and "ex", under usual_policy, each as version 1. */
void make_sponsor(struct provisioned *p, const struct policy *policy);
struct key_info make_executor(struct provisioned *p);

/* ---- time ---------------------------------------------------------------------------- */

/* What the TEE's system time shows while the fixture lives, ms. */
extern uint64_t tee_time;

/* The request built in p, which is of one item; its own result is the answer. */
TEEC_Result call_for_item(struct provisioned *p, uint32_t command);

#endif
