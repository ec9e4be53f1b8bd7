/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What fuzz_ta.c plays in: the TA in the simulator, with keys and an operator whose secrets are
 * known, so that statements can be signed and the corpus is the same everywhere. Each input gets
 * an instance of its own on a store that is as it was.
 */
#ifndef SR_FUZZ_TA_WORLD_H
#define SR_FUZZ_TA_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <tee_client_api.h>

#include "super_relay_ta.h"

/* ---- bytes ---------------------------------------------------------------------- */

struct message {
	uint8_t data[SR_TA_REQUEST_MAX + 1];
	size_t len;
};

/* What does not fit is left out. */
void put_bytes(struct message *m, const void *data, size_t len);
void put_number(struct message *m, uint64_t v, size_t size); /* little-endian */
void put_text(struct message *m, const char *text);	     /* a short string */
void begin_message(struct message *m);			     /* empty but for the framing */
#define FRAMING 9

/* ---- the world ------------------------------------------------------------------ */

/* "ec" and "ed" sign digests, "pm" and "free" sponsor, "tx" signs transactions. Operated: there is
 * an operator, for development, and pm and tx have the policy below. */
enum { WORLD_BLANK, WORLD_OPERATED, WORLDS };
#define WORLD_CHAIN 31337
#define WORLD_VALIDITY 100000000
extern const uint8_t world_entry_point[20];
extern const uint8_t world_paymaster[20];
extern const uint8_t world_beneficiary[20];
extern const uint8_t world_sender[20];

/* A fresh instance. changes: the storage takes them; else it is full. begun: the audit chain has
 * begun, and numbers enough are written off. */
void world_enter(unsigned world, bool changes, bool begun);
/* Puts the store back, if it was changed. */
void world_leave(void);

TEEC_Result world_invoke(uint32_t command, const uint8_t *request, size_t request_len,
			 uint8_t *response, size_t *response_len);

/* The operator's signature over a statement in the place of the request's last bytes, where the
 * command has one; an envelope sealed to the TA, where it takes one. */
void world_sign(uint32_t command, struct message *request);

/* NULL: no key of the world's. */
const uint8_t *world_public_key(const uint8_t *id, size_t id_len, size_t *len);

/* Of the key tx. */
void world_own_address(uint8_t out[static 20]);

/* The policy of pm and tx. */
void put_world_policy(struct message *m, uint32_t window);

/* ---- the corpus (ta_corpus.c) --------------------------------------------------- */

/* Writes an input for each command, scheme and type of transaction into a directory. */
bool write_corpus(const char *directory);

/* An input's parts; see fuzz_ta.c. */
#define INPUT_OPERATED 1
#define INPUT_BEGUN 2
#define INPUT_CHANGES 4
#define MODE_RAW 1
#define MODE_LOG 2
#define MODE_SIGN 4
#define MODE_ROOM_SHIFT 3
#define MODE_ROOM_ALL (31 << MODE_ROOM_SHIFT)

#endif
