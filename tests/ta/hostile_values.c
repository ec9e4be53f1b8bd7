/* SPDX-License-Identifier: Apache-2.0 */
/* The hostile client and values: whole requests, and those for another key than is theirs. */
#include <string.h>

#include "hostile_case.h"

#define CONFLICT TEEC_ERROR_ACCESS_CONFLICT
#define PARAMETERS TEEC_ERROR_BAD_PARAMETERS
#define ABSENT TEEC_ERROR_ITEM_NOT_FOUND
#define SECURITY TEEC_ERROR_SECURITY

static struct ta_request request;

static struct ta_request *take(struct world *w, uint32_t command)
{
	request.len = 0;
	put_bytes(&request, w->valid[command].data, w->valid[command].len);
	return &request;
}

/* ---- nothing wrong -------------------------------------------------------------- */

/* That what is below fails for its one flaw, and for nothing else. */
static void whole(struct world *w, const struct hostile_case *k)
{
	static struct answer answer;
	const TEEC_Result expected = (TEEC_Result)k->variant;

	if (expected != TEEC_SUCCESS) {
		(void)expect_error(w, k->command, take(w, k->command), ROOM, expected);
		return;
	}
	send_raw(&w->p->ta, &w->p->ta.session, k->command, take(w, k->command), ROOM, &answer);
	assert_int_equal(answer.result, TEEC_SUCCESS);
	assert_true(documented(&answer));
}

static TEEC_Result outcome(enum world_kind world, uint32_t command)
{
	if (world == WORLD_SERVICE && command == SR_TA_CMD_IMPORT_KEY)
		return DENIED;
	if (world != WORLD_BLANK)
		return command == SR_TA_CMD_PROVISION ? CONFLICT : TEEC_SUCCESS;
	switch (command) {
	case SR_TA_CMD_SET_POLICY:
	case SR_TA_CMD_SIGN_TRANSACTION:
	case SR_TA_CMD_EXPORT_WRAPPED:
		return DENIED;
	case SR_TA_CMD_IMPORT_WRAPPED:
		return SECURITY;
	default:
		return TEEC_SUCCESS;
	}
}

static void add_whole(void)
{
	for (unsigned world = WORLD_BLANK; world <= WORLD_SERVICE; world++) {
		for (uint32_t command = 0; command < SR_TA_COMMANDS; command++) {
			const struct hostile_case k = {
				.world = world,
				.command = command,
				.variant = outcome(world, command),
				.run = whole,
				.changes = true,
				.ends = alters(command),
				.simulated = command == SR_TA_CMD_PROVISION,
			};

			add_case(&k, k.variant ? "nothing wrong with it, and not allowed"
					       : "nothing wrong with it");
		}
	}
}

/* ---- ids --------------------------------------------------------------------------------------
 */

enum { FIRST_ID, SECOND_ID };
#define WHICH(variant) ((unsigned)((variant) >> 8))
#define LENGTH(variant) ((uint8_t)(variant))

static void id_of_length(struct world *w, const struct hostile_case *k)
{
	char letters[UINT8_MAX];

	memset(letters, 'a', sizeof(letters));
	replace_id(take(w, k->command), k->command, WHICH(k->variant), letters, LENGTH(k->variant));
	(void)expect_error(w, k->command, &request, ROOM, PARAMETERS);
}

static void id_with_a_bad_character(struct world *w, const struct hostile_case *k)
{
	static const uint8_t bad[] = { 0,   1,	 '\n', ' ', '!', '"', '%', '&',	 '*',  ',',
				       '/', ':', '@',  '[', '`', '{', '~', 0x7f, 0x80, 0xff };

	for (size_t i = 0; i < sizeof(bad); i++) {
		for (size_t at = 0; at < 3; at++) {
			uint8_t id[3] = { 'a', 'b', 'c' };

			id[at] = bad[i];
			replace_id(take(w, k->command), k->command, WHICH(k->variant), id, 3);
			(void)expect_error(w, k->command, &request, ROOM, PARAMETERS);
		}
	}
}

static bool may_be_empty(uint32_t command)
{
	return command == SR_TA_CMD_LIST_KEYS || command == SR_TA_CMD_ATTEST;
}

static void add_id(enum world_kind world, uint32_t command, unsigned which)
{
	struct hostile_case k = { .world = world, .command = command, .run = id_of_length };
	const size_t base = (size_t)which << 8;

	if (!id_offset(command, which))
		return;
	k.variant = base;
	if (!may_be_empty(command))
		add_case(&k, which ? "an empty new id" : "an empty id");
	k.variant = base | 65;
	add_case(&k, which ? "a new id of 65 characters" : "an id of 65 characters");
	k.variant = base | 255;
	add_case(&k, which ? "a new id of 255 characters" : "an id of 255 characters");
	k.run = id_with_a_bad_character;
	add_case(&k, which ? "a new id with a bad character" : "an id with a bad character");
}

static void add_ids(void)
{
	for (unsigned world = WORLD_BLANK; world <= WORLD_OPERATED; world++) {
		for (uint32_t command = 0; command < SR_TA_COMMANDS; command++) {
			add_id(world, command, FIRST_ID);
			add_id(world, command, SECOND_ID);
		}
	}
}

/* ---- keys
 * ---------------------------------------------------------------------------------------- */

struct other_key {
	uint32_t command;
	unsigned which;
	const char *id;
	const char *what;
	TEEC_Result blank;
	TEEC_Result operated;
	unsigned records;
};

static const struct other_key other_keys[] = {
	{ SR_TA_CMD_SIGN_MESSAGE, 0, "nobody", "a key that is not there", ABSENT, ABSENT, 0 },
	{ SR_TA_CMD_GET_PUBLIC_KEY, 0, "nobody", "a key that is not there", ABSENT, ABSENT, 0 },
	{ SR_TA_CMD_DELETE_KEY, 0, "nobody", "a key that is not there", ABSENT, ABSENT, 1 },
	{ SR_TA_CMD_SIGN_SPONSORSHIP, 0, "nobody", "a key that is not there", ABSENT, ABSENT, 0 },
	{ SR_TA_CMD_SET_POLICY, 0, "nobody", "a key that is not there", ABSENT, ABSENT, 0 },
	{ SR_TA_CMD_GET_POLICY, 0, "nobody", "a key that is not there", ABSENT, ABSENT, 0 },
	{ SR_TA_CMD_SIGN_TRANSACTION, 0, "nobody", "a key that is not there", ABSENT, ABSENT, 0 },
	{ SR_TA_CMD_ATTEST, 0, "nobody", "a key that is not there", ABSENT, ABSENT, 0 },
	{ SR_TA_CMD_EXPORT_WRAPPED, 0, "nobody", "a key that is not there", DENIED, ABSENT, 1 },
	{ SR_TA_CMD_ROTATE_KEY, 0, "nobody", "a key that is not there", ABSENT, ABSENT, 0 },

	{ SR_TA_CMD_GENERATE_KEY, 0, "ec", "the id of a key that is there", CONFLICT, CONFLICT, 1 },
	{ SR_TA_CMD_IMPORT_KEY, 0, "ec", "the id of a key that is there", CONFLICT, CONFLICT, 1 },
	{ SR_TA_CMD_IMPORT_WRAPPED, 0, "ec", "the id of a key that is there", SECURITY, SECURITY,
	  1 },
	{ SR_TA_CMD_ROTATE_KEY, 1, "ed", "the id of a key that is there", CONFLICT, CONFLICT, 1 },
	{ SR_TA_CMD_ROTATE_KEY, 1, "ec", "its own id", CONFLICT, CONFLICT, 1 },

	{ SR_TA_CMD_SIGN_MESSAGE, 0, "pm", "a key that sponsors", DENIED, DENIED, 1 },
	{ SR_TA_CMD_SIGN_MESSAGE, 0, "tx", "a key that signs transactions", DENIED, DENIED, 1 },
	{ SR_TA_CMD_SIGN_MESSAGE, 0, "ed", "digests for an Ed25519 key", PARAMETERS, PARAMETERS,
	  0 },
	{ SR_TA_CMD_SIGN_SPONSORSHIP, 0, "ec", "a key that signs digests", DENIED, DENIED, 1 },
	{ SR_TA_CMD_SIGN_SPONSORSHIP, 0, "tx", "a key that signs transactions", DENIED, DENIED, 1 },
	{ SR_TA_CMD_SIGN_SPONSORSHIP, 0, "ed", "an Ed25519 key", DENIED, DENIED, 1 },
	{ SR_TA_CMD_SIGN_SPONSORSHIP, 0, "free", "a key without a policy", TEEC_SUCCESS, DENIED,
	  1 },
	{ SR_TA_CMD_SIGN_TRANSACTION, 0, "ec", "a key that signs digests", DENIED, DENIED, 1 },
	{ SR_TA_CMD_SIGN_TRANSACTION, 0, "pm", "a key that sponsors", DENIED, DENIED, 1 },
	{ SR_TA_CMD_SIGN_TRANSACTION, 0, "ed", "an Ed25519 key", DENIED, DENIED, 1 },
	{ SR_TA_CMD_SET_POLICY, 0, "tx", "another key's policy", DENIED, SECURITY, 1 },
	{ SR_TA_CMD_SET_POLICY, 0, "ed", "an Ed25519 key with another's policy", DENIED, SECURITY,
	  1 },
	{ SR_TA_CMD_EXPORT_WRAPPED, 0, "ed", "another key's statement", DENIED, SECURITY, 1 },
};

static void other_key(struct world *w, const struct hostile_case *k)
{
	const struct other_key *o = &other_keys[k->variant];

	replace_id(take(w, k->command), k->command, o->which, o->id, (uint8_t)strlen(o->id));
	(void)expect_error(w, k->command, &request, ROOM,
			   w->kind == WORLD_BLANK ? o->blank : o->operated);
}

static void add_other_keys(void)
{
	for (size_t i = 0; i < SR_ARRAY_LEN(other_keys); i++) {
		const struct other_key *o = &other_keys[i];
		struct hostile_case k = {
			.command = o->command, .variant = i, .run = other_key, .records = o->records
		};

		if (o->blank != TEEC_SUCCESS)
			add_case(&k, o->what);
		k.world = WORLD_OPERATED;
		add_case(&k, o->what);
	}
}

void add_value_cases(void)
{
	add_whole();
	add_ids();
	add_other_keys();
}
