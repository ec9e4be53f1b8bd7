/* SPDX-License-Identifier: Apache-2.0 */
/* The hostile client and single fields: each request is of its form, and one thing in it is wrong.
 */
#include <string.h>

#include "hostile_case.h"

#define PARAMETERS TEEC_ERROR_BAD_PARAMETERS
#define FORM TEEC_ERROR_BAD_FORMAT
#define SECURITY TEEC_ERROR_SECURITY
#define UNSUPPORTED TEEC_ERROR_NOT_SUPPORTED

static struct ta_request request;

static struct ta_request *take(struct world *w, uint32_t command)
{
	request.len = 0;
	put_bytes(&request, w->valid[command].data, w->valid[command].len);
	return &request;
}

/* ---- single fields
 * --------------------------------------------------------------------------------- */

/* Bytes in the place of others: from behind the framing, or, below 0, from the end. */
struct field {
	uint32_t command;
	const char *what;
	int at;
	uint8_t len;
	uint8_t value[4];
	TEEC_Result blank;
	TEEC_Result operated;
	unsigned records;
};

#define BAD PARAMETERS, PARAMETERS, 0
#define UNKNOWN UNSUPPORTED, UNSUPPORTED, 0
#define NEW_KEY(c)                                                                                \
	{ c, "algorithm 0", 0, 1, { 0 }, UNKNOWN },                                               \
		{ c, "an unknown algorithm", 0, 1, { 3 }, UNKNOWN },                              \
		{ c, "algorithm 255", 0, 1, { 255 }, UNKNOWN },                                   \
		{ c, "no usage", 1, 4, { 0 }, BAD }, { c, "an unknown usage", 1, 4, { 8 }, BAD }, \
		{ c, "the usage's highest bit", 1, 4, { 0, 0, 0, 128 }, BAD },                    \
		{ c, "sponsoring and digests in one", 1, 4, { 3 }, BAD },                         \
		{ c, "sponsoring and transactions in one", 1, 4, { 5 }, BAD },                    \
		{ c, "digests and transactions in one", 1, 4, { 6 }, BAD },                       \
		{ c, "every usage in one", 1, 4, { 7 }, BAD },                                    \
		{ c, "sponsoring by Ed25519", 0, 2, { 2, 1 }, BAD },                              \
	{                                                                                         \
		c, "transactions by Ed25519", 0, 2, { 2, 4 }, BAD                                 \
	}

/* From the request's end: what an envelope without a policy ends with, and created. */
#define ENVELOPE_END (4 + 2 + 64 + 12 + 32 + 16 + 8)

static const struct field fields[] = {
	NEW_KEY(SR_TA_CMD_GENERATE_KEY),
	NEW_KEY(SR_TA_CMD_IMPORT_KEY),

	{ SR_TA_CMD_SIGN_MESSAGE, "a count of 0", 3, 1, { 0 }, PARAMETERS, PARAMETERS, 0 },
	{ SR_TA_CMD_SIGN_MESSAGE, "a count of 255", 3, 1, { 255 }, PARAMETERS, PARAMETERS, 0 },
	{ SR_TA_CMD_SIGN_MESSAGE, "fewer counted than come", 3, 1, { 1 }, FORM, FORM, 0 },
	{ SR_TA_CMD_SIGN_MESSAGE, "more counted than come", 3, 1, { 64 }, FORM, FORM, 0 },
	{ SR_TA_CMD_SIGN_SPONSORSHIP, "scheme 0", 0, 1, { 0 }, UNSUPPORTED, UNSUPPORTED, 0 },
	{ SR_TA_CMD_SIGN_SPONSORSHIP, "scheme 8", 0, 1, { 8 }, UNSUPPORTED, UNSUPPORTED, 0 },
	{ SR_TA_CMD_SIGN_SPONSORSHIP, "scheme 255", 0, 1, { 255 }, UNSUPPORTED, UNSUPPORTED, 0 },
	{ SR_TA_CMD_SIGN_SPONSORSHIP, "items of v0.6's form", 0, 1, { 2 }, FORM, FORM, 0 },
	{ SR_TA_CMD_SIGN_SPONSORSHIP, "items of OpenZeppelin's form", 0, 1, { 6 }, FORM, FORM, 0 },
	{ SR_TA_CMD_SIGN_SPONSORSHIP, "fewer counted than come", 4, 1, { 1 }, FORM, FORM, 0 },
	{ SR_TA_CMD_SIGN_SPONSORSHIP, "more counted than come", 4, 1, { 3 }, FORM, FORM, 0 },
	{ SR_TA_CMD_SIGN_SPONSORSHIP, "a count of 255", 4, 1, { 255 }, FORM, FORM, 0 },
	{ SR_TA_CMD_SIGN_TRANSACTION, "fewer counted than come", 3, 1, { 0 }, FORM, FORM, 0 },
	{ SR_TA_CMD_SIGN_TRANSACTION, "more counted than come", 3, 1, { 2 }, FORM, FORM, 0 },
	{ SR_TA_CMD_SIGN_TRANSACTION,
	  "a length beyond the end",
	  4,
	  2,
	  { 255, 255 },
	  FORM,
	  FORM,
	  0 },

	{ SR_TA_CMD_BEGIN, "an override of 2", -1, 1, { 2 }, FORM, FORM, 0 },
	{ SR_TA_CMD_BEGIN, "an override of 255", -1, 1, { 255 }, FORM, FORM, 0 },
	{ SR_TA_CMD_BEGIN, "an override without a signature", -1, 1, { 1 }, FORM, FORM, 0 },
	{ SR_TA_CMD_BEGIN, "a tail without a log", 72, 1, { 1 }, PARAMETERS, PARAMETERS, 0 },
	{ SR_TA_CMD_BEGIN, "a generation without a tail", 80, 1, { 1 }, PARAMETERS, PARAMETERS, 0 },
	{ SR_TA_CMD_BEGIN, "a head without a tail", 88, 1, { 1 }, PARAMETERS, PARAMETERS, 0 },
	{ SR_TA_CMD_CHECKPOINT, "a flag of 2", 0, 1, { 2 }, PARAMETERS, PARAMETERS, 0 },
	{ SR_TA_CMD_CHECKPOINT, "a flag of 255", 0, 1, { 255 }, PARAMETERS, PARAMETERS, 0 },
	{ SR_TA_CMD_ATTEST, "a flag of 2", -1, 1, { 2 }, PARAMETERS, PARAMETERS, 0 },
	{ SR_TA_CMD_ATTEST, "a flag of 255", -1, 1, { 255 }, PARAMETERS, PARAMETERS, 0 },

	{ SR_TA_CMD_PROVISION, "an unknown flag", 32, 4, { 4 }, PARAMETERS, PARAMETERS, 0 },
	{ SR_TA_CMD_PROVISION,
	  "the highest flag",
	  32,
	  4,
	  { 0, 0, 0, 128 },
	  PARAMETERS,
	  PARAMETERS,
	  0 },
	{ SR_TA_CMD_PROVISION,
	  "another flag than was signed",
	  32,
	  4,
	  { 2 },
	  SECURITY,
	  TEEC_ERROR_ACCESS_CONFLICT,
	  1 },
	{ SR_TA_CMD_PROVISION,
	  "another group than was signed",
	  40,
	  2,
	  { 9, 9 },
	  SECURITY,
	  TEEC_ERROR_ACCESS_CONFLICT,
	  1 },
	{ SR_TA_CMD_PROVISION,
	  "another signature",
	  -9,
	  4,
	  { 1, 2, 3, 4 },
	  SECURITY,
	  TEEC_ERROR_ACCESS_CONFLICT,
	  1 },
	{ SR_TA_CMD_PROVISION,
	  "a signature whose s is too large",
	  -1,
	  1,
	  { 255 },
	  SECURITY,
	  TEEC_ERROR_ACCESS_CONFLICT,
	  1 },
	{ SR_TA_CMD_PROVISION, "more groups than come", 36, 1, { 2 }, FORM, FORM, 0 },
	{ SR_TA_CMD_PROVISION, "fewer groups than come", 36, 1, { 0 }, FORM, FORM, 0 },

	{ SR_TA_CMD_SET_POLICY, "version 0", 3, 4, { 0 }, PARAMETERS, PARAMETERS, 0 },
	{ SR_TA_CMD_SET_POLICY,
	  "another version than was signed",
	  3,
	  4,
	  { 3 },
	  DENIED,
	  SECURITY,
	  1 },
	{ SR_TA_CMD_SET_POLICY,
	  "the largest version",
	  3,
	  4,
	  { 255, 255, 255, 255 },
	  DENIED,
	  SECURITY,
	  1 },
	{ SR_TA_CMD_SET_POLICY,
	  "a policy of another form",
	  9,
	  1,
	  { 2 },
	  PARAMETERS,
	  PARAMETERS,
	  0 },
	{ SR_TA_CMD_SET_POLICY,
	  "an unknown flag in the policy",
	  10,
	  4,
	  { 2 },
	  PARAMETERS,
	  PARAMETERS,
	  0 },
	{ SR_TA_CMD_SET_POLICY, "nine chains", 14, 1, { 9 }, PARAMETERS, PARAMETERS, 0 },
	{ SR_TA_CMD_SET_POLICY, "255 chains", 14, 1, { 255 }, PARAMETERS, PARAMETERS, 0 },
	{ SR_TA_CMD_SET_POLICY,
	  "another chain than was signed",
	  15,
	  2,
	  { 1, 1 },
	  DENIED,
	  SECURITY,
	  1 },
	{ SR_TA_CMD_SET_POLICY, "nine EntryPoints", 23, 1, { 9 }, PARAMETERS, PARAMETERS, 0 },
	{ SR_TA_CMD_SET_POLICY,
	  "operations without a window",
	  -65,
	  1,
	  { 1 },
	  PARAMETERS,
	  PARAMETERS,
	  0 },
	{ SR_TA_CMD_SET_POLICY,
	  "a budget without a window",
	  -70,
	  1,
	  { 1 },
	  PARAMETERS,
	  PARAMETERS,
	  0 },
	{ SR_TA_CMD_SET_POLICY, "a window too long", -85, 1, { 255 }, PARAMETERS, PARAMETERS, 0 },
	{ SR_TA_CMD_SET_POLICY, "another signature", -64, 4, { 1, 2, 3, 4 }, DENIED, SECURITY, 1 },
	{ SR_TA_CMD_SET_POLICY,
	  "a signature whose s is too large",
	  -1,
	  1,
	  { 255 },
	  DENIED,
	  SECURITY,
	  1 },
	{ SR_TA_CMD_SET_POLICY, "a policy longer than comes", 8, 1, { 255 }, FORM, FORM, 0 },

	{ SR_TA_CMD_IMPORT_WRAPPED, "no envelope", 2, 4, { 0 }, FORM, FORM, 0 },
	{ SR_TA_CMD_IMPORT_WRAPPED, "an envelope of another version", 6, 1, { 2 }, FORM, FORM, 0 },
	{ SR_TA_CMD_IMPORT_WRAPPED,
	  "another TA's envelope",
	  7,
	  4,
	  { 1 },
	  PARAMETERS,
	  PARAMETERS,
	  0 },
	{ SR_TA_CMD_IMPORT_WRAPPED,
	  "another recipient's envelope",
	  23,
	  4,
	  { 1 },
	  PARAMETERS,
	  PARAMETERS,
	  1 },
	{ SR_TA_CMD_IMPORT_WRAPPED, "another ephemeral key", 55, 4, { 1 }, SECURITY, SECURITY, 1 },
	{ SR_TA_CMD_IMPORT_WRAPPED,
	  "an unknown algorithm",
	  87,
	  1,
	  { 3 },
	  UNSUPPORTED,
	  UNSUPPORTED,
	  0 },
	{ SR_TA_CMD_IMPORT_WRAPPED, "every usage in one", 88, 1, { 7 }, PARAMETERS, PARAMETERS, 0 },
	{ SR_TA_CMD_IMPORT_WRAPPED, "no usage", 88, 1, { 0 }, PARAMETERS, PARAMETERS, 0 },
	{ SR_TA_CMD_IMPORT_WRAPPED, "origin 0", 92, 1, { 0 }, PARAMETERS, PARAMETERS, 0 },
	{ SR_TA_CMD_IMPORT_WRAPPED, "origin 4", 92, 1, { 4 }, PARAMETERS, PARAMETERS, 0 },
	{ SR_TA_CMD_IMPORT_WRAPPED,
	  "another origin than was sealed",
	  92,
	  1,
	  { 3 },
	  SECURITY,
	  SECURITY,
	  1 },
	{ SR_TA_CMD_IMPORT_WRAPPED,
	  "another time than was sealed",
	  93,
	  2,
	  { 1, 1 },
	  SECURITY,
	  SECURITY,
	  1 },
	{ SR_TA_CMD_IMPORT_WRAPPED,
	  "a public key of another length",
	  104,
	  1,
	  { 64 },
	  FORM,
	  FORM,
	  0 },
	{ SR_TA_CMD_IMPORT_WRAPPED, "a public key longer than any", 104, 1, { 66 }, FORM, FORM, 0 },
	{ SR_TA_CMD_IMPORT_WRAPPED,
	  "another public key",
	  106,
	  4,
	  { 1, 2, 3, 4 },
	  SECURITY,
	  SECURITY,
	  1 },
	{ SR_TA_CMD_IMPORT_WRAPPED,
	  "a version without a policy",
	  -ENVELOPE_END,
	  1,
	  { 1 },
	  FORM,
	  FORM,
	  0 },
	{ SR_TA_CMD_IMPORT_WRAPPED,
	  "a policy longer than any",
	  4 - ENVELOPE_END,
	  2,
	  { 255, 255 },
	  FORM,
	  FORM,
	  0 },
	{ SR_TA_CMD_IMPORT_WRAPPED,
	  "a signature without a policy",
	  6 - ENVELOPE_END,
	  1,
	  { 1 },
	  FORM,
	  FORM,
	  0 },
	{ SR_TA_CMD_IMPORT_WRAPPED,
	  "another nonce",
	  -68,
	  4,
	  { 1, 2, 3, 4 },
	  SECURITY,
	  SECURITY,
	  1 },
	{ SR_TA_CMD_IMPORT_WRAPPED,
	  "another ciphertext",
	  -56,
	  4,
	  { 1, 2, 3, 4 },
	  SECURITY,
	  SECURITY,
	  1 },
	{ SR_TA_CMD_IMPORT_WRAPPED, "another tag", -12, 4, { 1, 2, 3, 4 }, SECURITY, SECURITY, 1 },
	{ SR_TA_CMD_EXPORT_WRAPPED,
	  "another recipient",
	  3,
	  4,
	  { 1, 2, 3, 4 },
	  DENIED,
	  SECURITY,
	  1 },
	{ SR_TA_CMD_EXPORT_WRAPPED,
	  "a recipient of small order",
	  3,
	  1,
	  { 1 },
	  PARAMETERS,
	  PARAMETERS,
	  0 },
	{ SR_TA_CMD_EXPORT_WRAPPED,
	  "a recipient of zeros",
	  3,
	  1,
	  { 0 },
	  PARAMETERS,
	  PARAMETERS,
	  0 },
	{ SR_TA_CMD_EXPORT_WRAPPED,
	  "another signature",
	  -9,
	  4,
	  { 1, 2, 3, 4 },
	  DENIED,
	  SECURITY,
	  1 },
	{ SR_TA_CMD_EXPORT_WRAPPED,
	  "a signature whose s is too large",
	  -1,
	  1,
	  { 255 },
	  DENIED,
	  SECURITY,
	  1 },
};

static void other_field(struct world *w, const struct hostile_case *k)
{
	const struct field *f = &fields[k->variant];
	struct ta_request *r = take(w, k->command);
	uint8_t *at = f->at < 0 ? r->data + r->len + f->at : r->data + FRAMING + f->at;

	memcpy(at, f->value, f->len);
	(void)expect_error(w, k->command, r, ROOM, w->kind == WORLD_BLANK ? f->blank : f->operated);
}

void add_field_cases(void)
{
	for (size_t i = 0; i < SR_ARRAY_LEN(fields); i++) {
		struct hostile_case k = { .command = fields[i].command,
					  .variant = i,
					  .run = other_field,
					  .records = fields[i].records };

		add_case(&k, fields[i].what);
		k.world = WORLD_OPERATED;
		add_case(&k, fields[i].what);
	}
}
