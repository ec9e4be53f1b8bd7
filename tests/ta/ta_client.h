/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the TA's tests share: a client that speaks the TA's wire through struct
 * tee_api, and nothing else. The one place that chooses the TEE: the simulator
 * with a fresh store, or, with SR_TA_TEST_BACKEND=optee, the system's OP-TEE (for
 * the tests that need nothing of the simulator's inside).
 */
#ifndef SR_TESTS_TA_CLIENT_H
#define SR_TESTS_TA_CLIENT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "super_relay_ta.h"
#include "tee/tee.h"
#include "temp_dir.h"

#define CORRUPT_OBJECT 0xF0100001u

struct ta_client {
	struct tee_api api;
	TEEC_Context context;
	TEEC_Session session;
	char store[TEMP_DIR_MAX]; /* the simulator's directory; empty under OP-TEE */
	/* Under OP-TEE, for what call() sends and gets; without a buffer it uses the
	 * caller's own, which Linux then registers for each call. One thread's. */
	TEEC_SharedMemory memory;
};

/* cmocka fixtures: *state is a struct ta_client with an open session on a TA
 * without keys. */
int ta_setup(void **state);
int ta_teardown(void **state);

/* The parts of it, for tests that come and go. */
void ta_new_store(char out[static TEMP_DIR_MAX]);
void ta_remove_store(const char *store);
void ta_connect(struct ta_client *c);
void ta_disconnect(struct ta_client *c);

/* Whether it is the system's OP-TEE. */
bool ta_on_optee(void);

/* How often to repeat what is to happen this often in the simulator: an emulated
 * OP-TEE takes milliseconds a call. */
unsigned ta_rounds(unsigned simulated);

/* As cmocka_run_group_tests, but for tests that are left out under OP-TEE, and said to be. */
struct ta_left_out {
	const char *test;
	const char *reason;
};
int ta_run_tests(const struct CMUnitTest *tests, size_t count,
		 const struct ta_left_out *out); /* ends with { 0 } */

/* ---- requests ---------------------------------------------------------- */

struct ta_request {
	uint8_t data[SR_TA_REQUEST_MAX + 1];
	size_t len;
};

void put_u8(struct ta_request *r, uint8_t v);
void put_u16(struct ta_request *r, uint16_t v);
void put_u32(struct ta_request *r, uint32_t v);
void put_u64(struct ta_request *r, uint64_t v);
void put_bytes(struct ta_request *r, const void *data, size_t len);
void put_id(struct ta_request *r, const char *id);

/* Starts a request anew with its framing, as of a host that keeps no log. */
#define FRAMING 9 /* bytes */
void begin(struct ta_request *r);
#define TEST_CREATED UINT64_C(0x123456789abcdef0) /* of no clock */
void begin_new_key(struct ta_request *r, uint8_t algorithm, uint32_t usage, const char *id);
/* What GENERATE_KEY wants behind that. */
void put_host_entropy(struct ta_request *r, uint8_t byte);
void begin_digests(struct ta_request *r, const char *id, unsigned count);
void begin_message(struct ta_request *r, const char *id, const void *message, uint16_t len);
void begin_id(struct ta_request *r, const char *id);
void begin_list(struct ta_request *r, const char *after);
/* A host without a log binds itself to the chain. */
void begin_chain(struct ta_request *r);

struct sponsorship {
	uint64_t chain_id;
	uint8_t entry_point[20];
	uint8_t paymaster[20];
	uint8_t sender[20];
	uint8_t words[7][32]; /* nonce to gas fees, in the wire's order */
	uint64_t valid_until;
	uint64_t valid_after;
};

/* The vector "window" of tests/vectors/verifying_paymaster_v07.txt. */
struct sponsorship sponsorship_vector(uint8_t digest[static 32]);
void begin_sponsorships(struct ta_request *r, const char *id, uint8_t count);
void put_sponsorship(struct ta_request *r, const struct sponsorship *s);

/* A valid request for each of the first commands, against a TA where fill_keys has run. */
#define COMMANDS 8
#define FILLED_KEYS 3
void fill_keys(struct ta_client *c); /* "ec" and "ed" sign digests, "pm" sponsors */
void begin_valid(struct ta_request *r, uint32_t command);

/* ---- calls ------------------------------------------------------------- */

/* Of a host that keeps no log: len is without the count of audit records, which is 0. */
#define RESPONSE_END 2
struct ta_response {
	uint8_t data[SR_TA_RESPONSE_MAX];
	size_t len;
	uint32_t origin;
};

TEEC_Result call_sized(struct ta_client *c, uint32_t command, const struct ta_request *r,
		       struct ta_response *out, size_t room);
TEEC_Result call(struct ta_client *c, uint32_t command, const struct ta_request *r,
		 struct ta_response *out);

struct key_info {
	char id[SR_TA_KEY_ID_MAX + 1];
	uint8_t algorithm;
	uint8_t origin;
	uint32_t usage;
	uint64_t created;
	uint8_t public_key[SR_TA_PUBLIC_KEY_MAX];
	size_t public_len;
	uint32_t policy_version;
};

/* Reads one key info at *at, and asserts that it is well formed. */
struct key_info read_key_info(const struct ta_response *response, size_t *at);

TEEC_Result generate(struct ta_client *c, uint8_t algorithm, uint32_t usage, const char *id,
		     struct key_info *out);
TEEC_Result get_key(struct ta_client *c, const char *id, struct key_info *out);
TEEC_Result delete_key(struct ta_client *c, const char *id);
TEEC_Result sign_digest(struct ta_client *c, const char *id, const uint8_t digest[static 32],
			uint8_t signature[static 65]);
/* How many keys GET_INFO counts. */
unsigned count_keys(struct ta_client *c);

/* ---- judges that are not the TA's ---------------------------------------- */

/* True when the signature recovers to this public key, verifies, and has low s. */
bool secp256k1_signature_good(const uint8_t public_key[static 65], const uint8_t digest[static 32],
			      const uint8_t signature[static 65]);

#endif
