/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the hostile client's cases are played out in: a TA with keys, and a whole, valid
 * request for each of its commands, which the cases then spoil.
 */
#ifndef SR_TESTS_HOSTILE_WORLD_H
#define SR_TESTS_HOSTILE_WORLD_H

#include "provisioned_client.h"

enum world_kind {
	WORLD_BLANK,	/* unprovisioned */
	WORLD_OPERATED, /* provisioned for development: PUBLIC callers */
	WORLD_SERVICE,	/* provisioned for one group, and nobody else */
	WORLD_FORCED,	/* provisioned for development; the audit is forced */
	WORLD_KINDS
};

/*
 * Keys: "ec" and "ed" sign digests, "pm" sponsors, "tx" signs transactions, "free" sponsors and
 * has no policy; under an operator, pm and tx have version 1 of theirs.
 */
struct world {
	struct provisioned *p;
	enum world_kind kind;
	bool there;
	struct key_info ec;
	struct ta_request valid[SR_TA_COMMANDS];
};

const char *world_name(enum world_kind kind);
const char *command_name(uint32_t command);

/* The one of this kind, made anew where it is another or was spoiled. */
struct world *enter_world(enum world_kind kind);
void leave_world(void);
/* The next case gets another one. */
void spoil_world(void);

/* Whose session is opened next, in WORLD_SERVICE; NULL: the group's own. */
struct stranger {
	const char *name;
	uint32_t login;
	uint8_t uuid[16];
};
void set_stranger(const struct stranger *stranger);
extern const uint8_t service_group[16];

/* ---- what stands where in a valid request ------------------------------------------ */

/* Where its key ids' lengths stand, behind the framing; 0: it has no such id. */
size_t id_offset(uint32_t command, unsigned which);
/* Another id in the place of one. */
void replace_id(struct ta_request *r, uint32_t command, unsigned which, const void *id,
		uint8_t len);

/* Makes, changes or deletes a key, or takes an operator, where it succeeds. */
bool alters(uint32_t command);

/* Appends to the audit chain, and so needs one that has begun. */
bool appends(uint32_t command);

/* ---- calls --------------------------------------------------------------------------- */

#define ROOM 8192 /* enough for every response but a long list of records */

struct answer {
	TEEC_Result result;
	uint32_t origin;
	size_t size;
	uint8_t data[ROOM];
};

/* Sends a request as it is, in a session. room at most ROOM. */
void send_raw(struct ta_client *c, TEEC_Session *session, uint32_t command,
	      const struct ta_request *r, size_t room, struct answer *out);

/* An error of the TA's own, no byte of a response, and size 0, or as much as it says that it needs:
 * that is returned. */
size_t expect_error(struct world *w, uint32_t command, const struct ta_request *r, size_t room,
		    TEEC_Result expected);

/* What a race may end with: a whole response, or an error of the TA's own and nothing else. Asserts
 * nothing, so that threads can ask. */
bool documented(const struct answer *a);

#endif
