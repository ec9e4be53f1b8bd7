/* SPDX-License-Identifier: Apache-2.0 */
/* The hostile client and whole requests: too many of something, out of range, signed and stale. */
#include <string.h>

#include "hostile_case.h"

static struct ta_request request;

static void take(struct world *w, uint32_t command)
{
	request.len = 0;
	put_bytes(&request, w->valid[command].data, w->valid[command].len);
}

static void set_audited(uint64_t audited)
{
	for (unsigned i = 0; i < 8; i++)
		request.data[1 + i] = (uint8_t)(audited >> (8 * i));
}

/* ---- secrets -------------------------------------------------------------------- */

static void set_secret(struct world *w, uint8_t byte)
{
	take(w, SR_TA_CMD_IMPORT_KEY);
	memset(request.data + request.len - 32, byte, 32);
}

static void secret_of_zeros(struct world *w)
{
	set_secret(w, 0);
}

static void secret_above_the_order(struct world *w)
{
	set_secret(w, 0xff);
}

/* ---- counts --------------------------------------------------------------------- */

static void digests(unsigned count)
{
	begin_digests(&request, "ec", count);
}

static void digests_65(struct world *w)
{
	(void)w;
	digests(65);
}

static void digests_255(struct world *w)
{
	(void)w;
	digests(255);
}

static void no_digests(struct world *w)
{
	(void)w;
	digests(0);
}

static void long_message(struct world *w)
{
	static const uint8_t message[SR_TA_MESSAGE_MAX + 1] = { 0 };

	(void)w;
	begin_message(&request, "ed", message, sizeof(message));
}

static void two_messages(struct world *w)
{
	(void)w;
	begin_message(&request, "ed", "ab", 2);
	request.data[FRAMING + 3] = 2;
}

static void sponsorships(uint8_t count)
{
	uint8_t digest[32] = { 0 };
	const struct sponsorship s = sponsorship_vector(digest);

	begin_sponsorships(&request, "pm", count);
	for (unsigned i = 0; i < count; i++)
		put_sponsorship(&request, &s);
}

static void sponsorships_65(struct world *w)
{
	(void)w;
	sponsorships(65);
}

static void no_sponsorships(struct world *w)
{
	(void)w;
	sponsorships(0);
}

static void transactions(struct world *w, uint8_t count)
{
	const struct ta_request *one = &w->valid[SR_TA_CMD_SIGN_TRANSACTION];
	const size_t head = FRAMING + 1 + 2 + 1;

	begin_id(&request, "tx");
	put_u8(&request, count);
	for (unsigned i = 0; i < count; i++)
		put_bytes(&request, one->data + head, one->len - head);
}

static void transactions_65(struct world *w)
{
	transactions(w, 65);
}

static void transactions_255_empty(struct world *w)
{
	(void)w;
	begin_id(&request, "tx");
	put_u8(&request, 255);
	for (unsigned i = 0; i < 255; i++)
		put_u16(&request, 0);
}

static void no_transactions(struct world *w)
{
	transactions(w, 0);
}

static void put_groups(struct world *w, uint8_t count, uint32_t flags)
{
	static const uint8_t signature[64] = { 0 };

	begin(&request);
	put_bytes(&request, w->p->operator_public, 32);
	put_u32(&request, flags);
	put_u8(&request, count);
	for (unsigned i = 0; i < count; i++)
		put_bytes(&request, service_group, sizeof(service_group));
	put_bytes(&request, signature, sizeof(signature));
}

static void groups_9(struct world *w)
{
	put_groups(w, 9, 0);
}

static void groups_255(struct world *w)
{
	put_groups(w, 255, 0);
}

static void no_groups(struct world *w)
{
	put_groups(w, 0, SR_TA_PROVISION_FORCE_AUDIT);
}

static void another_operator(struct world *w)
{
	uint8_t secret[64] = { 0 };

	take(w, SR_TA_CMD_PROVISION);
	assert_int_equal(crypto_sign_keypair(request.data + FRAMING, secret), 0);
}

/* An operator whose key begins with these bytes and goes on with zeros. */
static void operator_of(struct world *w, uint8_t first)
{
	take(w, SR_TA_CMD_PROVISION);
	memset(request.data + FRAMING, 0, 32);
	request.data[FRAMING] = first;
}

static void operator_of_zeros(struct world *w)
{
	operator_of(w, 0);
}

static void operator_of_small_order(struct world *w)
{
	operator_of(w, 1);
}

static void operator_that_is_no_point(struct world *w)
{
	uint8_t sum[32] = { 0 };
	uint8_t first = 2;

	do {
		operator_of(w, first++);
	} while (!crypto_core_ed25519_add(sum, request.data + FRAMING, request.data + FRAMING));
}

/* ---- policies
 * ------------------------------------------------------------------------------------ */

static void put_policy_of(size_t len)
{
	static const uint8_t zeros[SR_TA_POLICY_MAX + 1] = { SR_TA_POLICY_VERSION };
	static const uint8_t signature[64] = { 0 };

	begin_id(&request, "pm");
	put_u32(&request, 2);
	put_u16(&request, (uint16_t)len);
	put_bytes(&request, zeros, len);
	put_bytes(&request, signature, sizeof(signature));
}

static void no_policy(struct world *w)
{
	(void)w;
	put_policy_of(0);
}

static void policy_of_the_largest_size(struct world *w)
{
	(void)w;
	put_policy_of(SR_TA_POLICY_MAX);
}

static void policy_above_the_largest_size(struct world *w)
{
	(void)w;
	put_policy_of(SR_TA_POLICY_MAX + 1);
}

static void policy_it_has_already(struct world *w)
{
	const struct policy policy = usual_policy();

	begin_set_policy(w->p, &request, "pm", 1, &policy);
}

static void policy_signed_by_another(struct world *w)
{
	uint8_t own[64] = { 0 };
	uint8_t public_key[32] = { 0 };
	const struct policy policy = usual_policy();

	memcpy(own, w->p->operator_secret, sizeof(own));
	assert_int_equal(crypto_sign_keypair(public_key, w->p->operator_secret), 0);
	begin_set_policy(w->p, &request, "pm", 2, &policy);
	memcpy(w->p->operator_secret, own, sizeof(own));
}

/* ---- envelopes
 * --------------------------------------------------------------------------------------- */

static void put_envelope_of(size_t len)
{
	static const uint8_t bytes[4096] = { 'S', 'R', 'K', 'E', 1 };

	begin(&request);
	put_u16(&request, (uint16_t)len);
	put_bytes(&request, bytes, len);
	put_u64(&request, TEST_CREATED);
}

static void no_envelope(struct world *w)
{
	(void)w;
	put_envelope_of(0);
}

static void envelope_of_zeros(struct world *w)
{
	(void)w;
	put_envelope_of(SR_TA_ENVELOPE_MAX);
}

static void envelope_above_the_largest_size(struct world *w)
{
	(void)w;
	put_envelope_of(SR_TA_ENVELOPE_MAX + 1);
}

static void envelope_of_4096_bytes(struct world *w)
{
	(void)w;
	put_envelope_of(4096);
}

/* ---- the log's tail
 * ------------------------------------------------------------------------------------- */

static void begin_tail(uint64_t sequence, uint64_t generation)
{
	const uint8_t head[32] = { 0xbd };

	begin(&request);
	set_audited(0);
	put_u64(&request, TEST_CREATED);
	put_host_entropy(&request, 1);
	put_u64(&request, sequence);
	put_u64(&request, generation);
	put_bytes(&request, head, sizeof(head));
	put_u8(&request, 0);
}

static void tail_ahead_of_the_chain(struct world *w)
{
	begin_tail(host_read(w->p).next, 1);
}

static void tail_ahead_of_the_storage(struct world *w)
{
	begin_tail(host_read(w->p).used_to + 1, 1);
}

/* What a checkpoint was of, the host has said to hold for good. */
static void empty_tail(struct world *w)
{
	assert_int_equal(host_checkpoint(w->p, true), TEEC_SUCCESS);
	take(w, SR_TA_CMD_BEGIN);
	set_audited(0);
}

static void tail_at_the_end_of_numbers(struct world *w)
{
	(void)w;
	begin_tail(UINT64_MAX, 1);
}

static void tail_of_a_later_storage(struct world *w)
{
	begin_tail(1, host_read(w->p).generation + 1);
}

static void tail_with_another_head(struct world *w)
{
	assert_int_equal(host_checkpoint(w->p, true), TEEC_SUCCESS);
	begin_tail(host_read(w->p).next - 1, 1);
}

static void checkpoint_of_a_log_behind(struct world *w)
{
	take(w, SR_TA_CMD_CHECKPOINT);
	set_audited(host_read(w->p).next - 2);
}

static void override_nobody_signed(struct world *w)
{
	const uint8_t signature[64] = { 0 };

	take(w, SR_TA_CMD_BEGIN);
	request.data[request.len - 1] = 1;
	put_bytes(&request, signature, sizeof(signature));
}

/* ---- all of it
 * ---------------------------------------------------------------------------------------------- */

static const struct built {
	uint32_t command;
	const char *what;
	void (*build)(struct world *w);
	TEEC_Result blank;
	TEEC_Result operated;
	unsigned records;
} rows[] = {
#define SAME(result) (result), (result)
#define PARAMETERS SAME(TEEC_ERROR_BAD_PARAMETERS)
#define FORM SAME(TEEC_ERROR_BAD_FORMAT)
#define SECURITY SAME(TEEC_ERROR_SECURITY)
	{ SR_TA_CMD_IMPORT_KEY, "a secret of zeros", secret_of_zeros, PARAMETERS, 1 },
	{ SR_TA_CMD_IMPORT_KEY, "a secret above the curve's order", secret_above_the_order,
	  PARAMETERS, 1 },
	{ SR_TA_CMD_SIGN_MESSAGE, "no digests", no_digests, PARAMETERS, 0 },
	{ SR_TA_CMD_SIGN_MESSAGE, "65 digests", digests_65, PARAMETERS, 0 },
	{ SR_TA_CMD_SIGN_MESSAGE, "255 digests", digests_255, PARAMETERS, 0 },
	{ SR_TA_CMD_SIGN_MESSAGE, "a message of 4097 bytes", long_message, PARAMETERS, 0 },
	{ SR_TA_CMD_SIGN_MESSAGE, "two messages for Ed25519", two_messages, PARAMETERS, 0 },
	{ SR_TA_CMD_SIGN_SPONSORSHIP, "no sponsorships", no_sponsorships, PARAMETERS, 0 },
	{ SR_TA_CMD_SIGN_SPONSORSHIP, "65 sponsorships", sponsorships_65, PARAMETERS, 0 },
	{ SR_TA_CMD_SIGN_TRANSACTION, "no transactions", no_transactions, PARAMETERS, 0 },
	{ SR_TA_CMD_SIGN_TRANSACTION, "65 transactions", transactions_65, PARAMETERS, 0 },
	{ SR_TA_CMD_SIGN_TRANSACTION, "255 empty transactions", transactions_255_empty, PARAMETERS,
	  0 },
	{ SR_TA_CMD_PROVISION, "nine groups", groups_9, PARAMETERS, 0 },
	{ SR_TA_CMD_PROVISION, "255 groups", groups_255, PARAMETERS, 0 },
	{ SR_TA_CMD_PROVISION, "another operator", another_operator, TEEC_ERROR_SECURITY,
	  TEEC_ERROR_ACCESS_CONFLICT, 1 },
	{ SR_TA_CMD_PROVISION, "an operator of zeros", operator_of_zeros, PARAMETERS, 0 },
	{ SR_TA_CMD_PROVISION, "an operator of small order", operator_of_small_order, PARAMETERS,
	  0 },
	{ SR_TA_CMD_PROVISION, "an operator that is no point", operator_that_is_no_point,
	  PARAMETERS, 0 },
	{ SR_TA_CMD_PROVISION, "nobody who may call", no_groups, PARAMETERS, 0 },
	{ SR_TA_CMD_SET_POLICY, "a policy of no bytes", no_policy, PARAMETERS, 0 },
	{ SR_TA_CMD_SET_POLICY, "a policy with bytes left over", policy_of_the_largest_size,
	  PARAMETERS, 0 },
	{ SR_TA_CMD_SET_POLICY, "a policy above the largest size", policy_above_the_largest_size,
	  PARAMETERS, 0 },
	{ SR_TA_CMD_SET_POLICY, "the policy that it has already", policy_it_has_already,
	  TEEC_ERROR_ACCESS_DENIED, TEEC_ERROR_ACCESS_CONFLICT, 1 },
	{ SR_TA_CMD_SET_POLICY, "a policy that another has signed", policy_signed_by_another,
	  TEEC_ERROR_ACCESS_DENIED, TEEC_ERROR_SECURITY, 1 },
	{ SR_TA_CMD_IMPORT_WRAPPED, "an envelope of no bytes", no_envelope, FORM, 0 },
	{ SR_TA_CMD_IMPORT_WRAPPED, "an envelope of zeros", envelope_of_zeros, FORM, 0 },
	{ SR_TA_CMD_IMPORT_WRAPPED, "an envelope above the largest size",
	  envelope_above_the_largest_size, FORM, 0 },
	{ SR_TA_CMD_IMPORT_WRAPPED, "an envelope of 4096 bytes", envelope_of_4096_bytes, FORM, 0 },
	{ SR_TA_CMD_BEGIN, "a log that is ahead of the storage", tail_ahead_of_the_storage,
	  SECURITY, 0 },
	{ SR_TA_CMD_BEGIN, "a log at the end of all numbers", tail_at_the_end_of_numbers, SECURITY,
	  0 },
	{ SR_TA_CMD_BEGIN, "a log of a later storage", tail_of_a_later_storage, SECURITY, 0 },
	{ SR_TA_CMD_CHECKPOINT, "a log that is behind the chain", checkpoint_of_a_log_behind,
	  SAME(TEEC_ERROR_EXCESS_DATA), 0 },
	{ SR_TA_CMD_BEGIN, "an override that nobody signed", override_nobody_signed,
	  TEEC_ERROR_ACCESS_DENIED, TEEC_ERROR_SECURITY, 0 },
}, logged[] = {
	/* Where the chain began with a log, another is not taken for it. */
	{ SR_TA_CMD_BEGIN, "a log that is ahead of the chain", tail_ahead_of_the_chain,
	  SECURITY, 0 },
	{ SR_TA_CMD_BEGIN, "a log with another head than was signed", tail_with_another_head,
	  SECURITY, 0 },
	{ SR_TA_CMD_BEGIN, "a log of a later storage", tail_of_a_later_storage, SECURITY, 0 },
	{ SR_TA_CMD_BEGIN, "a log that is empty, after a checkpoint", empty_tail, SECURITY, 0 },
#undef SAME
#undef PARAMETERS
#undef FORM
#undef SECURITY
};

static void built_with_a_log(struct world *w, const struct hostile_case *k)
{
	logged[k->variant].build(w);
	(void)expect_error(w, k->command, &request, ROOM, logged[k->variant].operated);
}

static void add_logged(void)
{
	for (size_t i = 0; i < SR_ARRAY_LEN(logged); i++) {
		const struct hostile_case k = { .world = WORLD_FORCED,
						.command = logged[i].command,
						.variant = i,
						.run = built_with_a_log,
						.simulated = true };

		add_case(&k, logged[i].what);
	}
}

static void built(struct world *w, const struct hostile_case *k)
{
	const struct built *row = &rows[k->variant];

	row->build(w);
	(void)expect_error(w, k->command, &request, ROOM,
			   w->kind == WORLD_BLANK ? row->blank : row->operated);
}

/* ---- over and over -------------------------------------------------------------- */

/* Half of all numbers are no point of the curve, and OP-TEE panics on those. */
static void operators_of_random_bytes(struct world *w, const struct hostile_case *k)
{
	static struct answer answer;
	const TEEC_Result judged =
		w->kind == WORLD_BLANK ? TEEC_ERROR_SECURITY : TEEC_ERROR_ACCESS_CONFLICT;

	for (unsigned i = 0; i < ta_rounds(200); i++) {
		take(w, k->command);
		randombytes_buf(request.data + FRAMING, 32);
		send_raw(&w->p->ta, &w->p->ta.session, k->command, &request, ROOM, &answer);
		assert_true(documented(&answer));
		assert_true(answer.result == TEEC_ERROR_BAD_PARAMETERS || answer.result == judged);
	}
}

/* A refusal that left something behind would use up the room for ledgers. */
static void rotations_that_come_to_nothing(struct world *w, const struct hostile_case *k)
{
	for (unsigned i = 0; i < k->records; i++) {
		take(w, k->command);
		replace_id(&request, k->command, 1, "ed", 2);
		replace_id(&request, k->command, 0, "pm", 2);
		(void)expect_error(w, k->command, &request, ROOM, TEEC_ERROR_ACCESS_CONFLICT);
	}
}

static void add_repeated(void)
{
	struct hostile_case k = { .command = SR_TA_CMD_PROVISION,
				  .run = operators_of_random_bytes,
				  .changes = true };

	add_case(&k, "operators of random bytes");
	k.world = WORLD_OPERATED;
	add_case(&k, "operators of random bytes");
	k.command = SR_TA_CMD_ROTATE_KEY;
	k.changes = false;
	k.run = rotations_that_come_to_nothing;
	k.records = SR_TA_LEDGERS_MAX + 2;
	add_case(&k, "to an id that is taken, more often than there are ledgers");
}

void add_built_cases(void)
{
	add_repeated();
	add_logged();
	for (size_t i = 0; i < SR_ARRAY_LEN(rows); i++) {
		struct hostile_case k = { .command = rows[i].command,
					  .variant = i,
					  .run = built,
					  .records = rows[i].records };

		add_case(&k, rows[i].what);
		k.world = WORLD_OPERATED;
		add_case(&k, rows[i].what);
	}
}
