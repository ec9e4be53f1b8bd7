/* SPDX-License-Identifier: Apache-2.0 */
/* IMPORT_WRAPPED and EXPORT_WRAPPED: keys that go out and come in, and attempts at more. */
#include "provisioned_client.h"

#include <errno.h>
#include <string.h>

/* The log's records have the name that the test's host has for them, too. */
#define audit_record daemon_audit_record
#include "kms/envelope.h"
#undef audit_record
#include "tee/sim/sim_test.h"

static struct ta_request request;

/* An X25519 pair of the test's own. */
struct backup {
	uint8_t secret[32];
	uint8_t public_key[32];
};

static struct backup new_backup(void)
{
	struct backup b = { .secret = { 0 } };

	assert_true(kms_x25519_generate(b.secret, b.public_key, NULL));
	return b;
}

static TEEC_Result export_to(struct provisioned *p, const char *id, const uint8_t *recipient,
			     struct envelope *out)
{
	TEEC_Result result = TEEC_SUCCESS;

	begin_export(p, &request, id, recipient);
	result = host_call(p, SR_TA_CMD_EXPORT_WRAPPED, &request, &p->response);
	if (result == TEEC_SUCCESS) {
		out->len = (uint16_t)(p->response.data[1] | p->response.data[2] << 8);
		memcpy(out->data, p->response.data + 3, out->len);
	}
	return result;
}

/* What an offline tool makes of a backup: opened, changed as asked, sealed to the TA. */
static void reseal(struct provisioned *p, const struct backup *b, struct envelope *e,
		   void (*change)(struct kms_envelope *opened))
{
	struct sr_error err = { .code = SR_OK };
	struct kms_envelope *opened = kms_envelope_new(&err);
	size_t len = 0;

	assert_non_null(opened);
	if (!kms_envelope_open((struct sr_bytes){ e->data, e->len }, b->secret, opened, &err))
		fail_msg("%s", err.message);
	if (change)
		change(opened);
	transport_key(p, opened->recipient);
	if (!kms_envelope_seal(opened, e->data, &len, &err))
		fail_msg("%s", err.message);
	e->len = (uint16_t)len;
	kms_locked_free(opened);
}

/* A sponsor's key under policy version 1, and its envelope to the TA itself. */
static struct envelope make_envelope(struct provisioned *p, struct key_info *key)
{
	const struct policy policy = usual_policy();
	struct envelope e = { .len = 0 };

	assert_int_equal(make_key(p, SR_TA_USAGE_SPONSOR, "pm", NULL), TEEC_SUCCESS);
	assert_int_equal(set_policy(p, "pm", 1, &policy), TEEC_SUCCESS);
	assert_int_equal(find_key(p, "pm", key), TEEC_SUCCESS);
	assert_int_equal(export_key(p, "pm", &e), TEEC_SUCCESS);
	return e;
}

/* ---- there and back --------------------------------------------------------------- */

static void a_backup_key_opens_what_the_ta_exports(void **state)
{
	struct provisioned *p = *state;
	const struct backup b = new_backup();
	struct kms_envelope *opened = kms_envelope_new(NULL);
	struct key_info key = { 0 };
	struct envelope e = { .len = 0 };

	assert_non_null(opened);
	assert_int_equal(make_key(p, SR_TA_USAGE_TRANSACTION, "ex", &key), TEEC_SUCCESS);
	assert_int_equal(export_to(p, "ex", b.public_key, &e), TEEC_SUCCESS);
	/* compares the public key with the secret's own, too */
	assert_true(kms_envelope_open((struct sr_bytes){ e.data, e.len }, b.secret, opened, NULL));
	assert_string_equal(opened->key.id, "ex");
	assert_int_equal(opened->key.usage, SR_TA_USAGE_TRANSACTION);
	assert_int_equal(opened->key.origin, SR_TA_ORIGIN_GENERATED);
	assert_memory_equal(opened->key.public_key, key.public_key, key.public_len);
	kms_locked_free(opened);
}

static void a_deleted_key_comes_back_with_usage_and_policy(void **state)
{
	struct provisioned *p = *state;
	struct key_info before = { 0 };
	struct key_info after = { 0 };
	struct sponsorship s = priced(1);
	struct envelope e = make_envelope(p, &before);

	assert_int_equal(drop_key(p, "pm"), TEEC_SUCCESS);
	assert_int_equal(sponsor(p, "pm", &s), TEEC_ERROR_ITEM_NOT_FOUND);
	assert_int_equal(import_envelope(p, &e), TEEC_SUCCESS);
	assert_int_equal(find_key(p, "pm", &after), TEEC_SUCCESS);
	assert_int_equal(after.origin, SR_TA_ORIGIN_IMPORTED_WRAPPED);
	assert_int_equal(after.created, TEST_CREATED);
	assert_int_equal(after.policy_version, 1);
	before.origin = after.origin;
	assert_memory_equal(&before, &after, sizeof(before));
	assert_int_equal(sponsor(p, "pm", &s), TEEC_SUCCESS);
	assert_int_equal(raw_digest(p, "pm"), DENIED);
	s.chain_id++;
	assert_int_equal(sponsor(p, "pm", &s), DENIED);
}

static void what_a_key_has_spent_stays_spent_when_it_comes_back(void **state)
{
	struct provisioned *p = *state;
	const struct policy policy = windowed_policy(1600, 100);
	struct envelope e = { .len = 0 };

	assert_int_equal(make_key(p, SR_TA_USAGE_SPONSOR, "pm", NULL), TEEC_SUCCESS);
	assert_int_equal(set_policy(p, "pm", 1, &policy), TEEC_SUCCESS);
	assert_int_equal(export_key(p, "pm", &e), TEEC_SUCCESS);
	assert_int_equal(spend(p, "pm", 1500), TEEC_SUCCESS);
	assert_int_equal(drop_key(p, "pm"), TEEC_SUCCESS);
	host_restart(p);
	assert_int_equal(import_envelope(p, &e), TEEC_SUCCESS);
	assert_int_equal(spend(p, "pm", 101), OVERFLOW_RESULT);
	assert_true(get_spending(p, "pm").cost >= 1500);
}

static void a_key_once_imported_in_plaintext_stays_marked(void **state)
{
	const uint8_t secret[32] = { [31] = 7 };
	struct provisioned *p = *state;
	struct key_info key = { 0 };
	struct envelope e = { .len = 0 };

	assert_int_equal(import_plain(p, SR_TA_USAGE_DIGEST, "k", secret), TEEC_SUCCESS);
	assert_int_equal(export_key(p, "k", &e), TEEC_SUCCESS);
	assert_int_equal(drop_key(p, "k"), TEEC_SUCCESS);
	assert_int_equal(import_envelope(p, &e), TEEC_SUCCESS);
	assert_int_equal(find_key(p, "k", &key), TEEC_SUCCESS);
	assert_int_equal(key.origin, SR_TA_ORIGIN_IMPORTED_PLAIN);
}

static void an_ed25519_key_travels_too(void **state)
{
	struct provisioned *p = *state;
	struct key_info before = { 0 };
	struct key_info after = { 0 };
	struct envelope e = { .len = 0 };

	begin_new_key(&request, SR_TA_ALG_ED25519, SR_TA_USAGE_DIGEST, "ed");
	put_host_entropy(&request, 9);
	assert_int_equal(host_call(p, SR_TA_CMD_GENERATE_KEY, &request, &p->response),
			 TEEC_SUCCESS);
	assert_int_equal(find_key(p, "ed", &before), TEEC_SUCCESS);
	assert_int_equal(export_key(p, "ed", &e), TEEC_SUCCESS);
	assert_int_equal(drop_key(p, "ed"), TEEC_SUCCESS);
	assert_int_equal(import_envelope(p, &e), TEEC_SUCCESS);
	assert_int_equal(find_key(p, "ed", &after), TEEC_SUCCESS);
	assert_memory_equal(before.public_key, after.public_key, 32);
}

/* ---- imports that are refused --------------------------------------------------------- */

static void refuses_an_envelope_shown_twice_and_keeps_the_key(void **state)
{
	struct provisioned *p = *state;
	struct key_info before = { 0 };
	struct key_info after = { 0 };
	const struct envelope e = make_envelope(p, &before);

	assert_int_equal(import_envelope(p, &e), TEEC_ERROR_ACCESS_CONFLICT);
	assert_recorded(p, SR_TA_CMD_IMPORT_WRAPPED, TEEC_ERROR_ACCESS_CONFLICT);
	assert_int_equal(drop_key(p, "pm"), TEEC_SUCCESS);
	assert_int_equal(import_envelope(p, &e), TEEC_SUCCESS);
	assert_recorded(p, SR_TA_CMD_IMPORT_WRAPPED, TEEC_SUCCESS);
	assert_int_equal(find_key(p, "pm", &before), TEEC_SUCCESS);
	assert_int_equal(import_envelope(p, &e), TEEC_ERROR_ACCESS_CONFLICT);
	assert_int_equal(find_key(p, "pm", &after), TEEC_SUCCESS);
	assert_memory_equal(&before, &after, sizeof(before));
}

static void refuses_a_policy_older_than_the_keys_last(void **state)
{
	struct provisioned *p = *state;
	const struct policy policy = usual_policy();
	struct key_info key = { 0 };
	const struct envelope e = make_envelope(p, &key);

	assert_int_equal(set_policy(p, "pm", 2, &policy), TEEC_SUCCESS);
	assert_int_equal(drop_key(p, "pm"), TEEC_SUCCESS);
	host_restart(p);
	assert_int_equal(import_envelope(p, &e), TEEC_ERROR_ACCESS_CONFLICT);
	assert_int_equal(find_key(p, "pm", NULL), TEEC_ERROR_ITEM_NOT_FOUND);
}

static void drop_policy(struct kms_envelope *e)
{
	e->key.policy_version = 0;
	e->policy_len = 0;
	memset(e->operator_signature, 0, sizeof(e->operator_signature));
}

/* The attack of whoever has a backup key: the key without its policy. */
static void refuses_a_key_without_the_policy_that_it_has_had(void **state)
{
	struct provisioned *p = *state;
	const struct backup b = new_backup();
	struct key_info key = { 0 };
	struct envelope e = make_envelope(p, &key);

	assert_int_equal(export_to(p, "pm", b.public_key, &e), TEEC_SUCCESS);
	assert_int_equal(drop_key(p, "pm"), TEEC_SUCCESS);
	reseal(p, &b, &e, drop_policy);
	assert_int_equal(import_envelope(p, &e), TEEC_ERROR_ACCESS_CONFLICT);
	assert_int_equal(find_key(p, "pm", NULL), TEEC_ERROR_ITEM_NOT_FOUND);
}

static void loosen_policy(struct kms_envelope *e)
{
	e->policy[e->policy_len - 1] ^= 1;
}

static void raise_version(struct kms_envelope *e)
{
	e->key.policy_version++;
}

static void spoil_signature(struct kms_envelope *e)
{
	e->operator_signature[0] ^= 1;
}

static void rename_key(struct kms_envelope *e)
{
	e->key.id[0] = 'q';
}

static void exchange_secret(struct kms_envelope *e)
{
	e->secret[31] ^= 1;
	assert_true(kms_derive_public(e->secret, &e->key, NULL));
}

static void refuses_a_policy_that_the_operator_has_not_signed_so(void **state)
{
	void (*const changes[])(struct kms_envelope *) = { loosen_policy, raise_version,
							   spoil_signature, rename_key,
							   exchange_secret };
	struct provisioned *p = *state;
	const struct backup b = new_backup();
	struct key_info key = { 0 };
	struct envelope e = make_envelope(p, &key);

	for (size_t i = 0; i < SR_ARRAY_LEN(changes); i++) {
		struct envelope spoiled = { .len = 0 };

		assert_int_equal(export_to(p, "pm", b.public_key, &spoiled), TEEC_SUCCESS);
		assert_int_equal(drop_key(p, "pm"), TEEC_SUCCESS);
		reseal(p, &b, &spoiled, changes[i]);
		assert_int_equal(import_envelope(p, &spoiled), TEEC_ERROR_SECURITY);
		assert_recorded(p, SR_TA_CMD_IMPORT_WRAPPED, TEEC_ERROR_SECURITY);
		assert_int_equal(find_key(p, "pm", NULL), TEEC_ERROR_ITEM_NOT_FOUND);
		assert_int_equal(find_key(p, "qm", NULL), TEEC_ERROR_ITEM_NOT_FOUND);
		assert_int_equal(import_envelope(p, &e), TEEC_SUCCESS);
	}
}

static void refuses_a_policy_of_a_form_that_is_none_though_signed(void **state)
{
	struct provisioned *p = *state;
	struct kms_envelope *e = kms_envelope_new(NULL);
	struct envelope sealed = { .len = 0 };
	uint8_t hash[32] = { 0 };
	size_t len = 0;

	assert_non_null(e);
	e->key = (struct kms_key){ .id = "pm",
				   .algorithm = SR_TA_ALG_SECP256K1,
				   .usage = SR_TA_USAGE_SPONSOR,
				   .origin = SR_TA_ORIGIN_IMPORTED_WRAPPED,
				   .policy_version = 1 };
	e->secret[0] = 1;
	e->policy_len = 3;
	assert_true(kms_derive_public(e->secret, &e->key, NULL));
	memcpy(e->ta_uuid, ta_uuid_bytes, sizeof(e->ta_uuid));
	transport_key(p, e->recipient);
	crypto_hash_sha256(hash, e->key.public_key, e->key.public_key_len);
	request.len = 0;
	put_id(&request, "pm");
	put_bytes(&request, hash, sizeof(hash));
	put_u32(&request, 1);
	put_bytes(&request, e->policy, e->policy_len);
	operator_sign(p, SR_TA_STATEMENT_POLICY, &request, e->operator_signature);
	assert_true(kms_envelope_seal(e, sealed.data, &len, NULL));
	sealed.len = (uint16_t)len;
	assert_int_equal(import_envelope(p, &sealed), TEEC_ERROR_BAD_PARAMETERS);
	assert_int_equal(find_key(p, "pm", NULL), TEEC_ERROR_ITEM_NOT_FOUND);
	kms_locked_free(e);
}

static void a_ta_without_an_operator_takes_no_policy_and_gives_no_key(void **state)
{
	struct provisioned *p = *state;
	const struct backup b = new_backup();
	struct kms_envelope *e = kms_envelope_new(NULL);
	struct envelope sealed = { .len = 0 };
	size_t len = 0;

	assert_non_null(e);
	e->key = (struct kms_key){ .id = "k",
				   .algorithm = SR_TA_ALG_ED25519,
				   .usage = SR_TA_USAGE_DIGEST,
				   .origin = SR_TA_ORIGIN_IMPORTED_WRAPPED,
				   .policy_version = 1 };
	e->policy_len = 1;
	assert_true(kms_derive_public(e->secret, &e->key, NULL));
	memcpy(e->ta_uuid, ta_uuid_bytes, sizeof(e->ta_uuid));
	transport_key(p, e->recipient);
	assert_true(kms_envelope_seal(e, sealed.data, &len, NULL));
	sealed.len = (uint16_t)len;
	assert_int_equal(import_envelope(p, &sealed), TEEC_ERROR_SECURITY);
	drop_policy(e);
	assert_true(kms_envelope_seal(e, sealed.data, &len, NULL));
	sealed.len = (uint16_t)len;
	assert_int_equal(import_envelope(p, &sealed), TEEC_SUCCESS);
	assert_int_equal(export_to(p, "k", b.public_key, &sealed), DENIED);
	assert_recorded(p, SR_TA_CMD_EXPORT_WRAPPED, DENIED);
	kms_locked_free(e);
}

static void an_envelope_to_another_ta_is_refused(void **state)
{
	struct provisioned *p = *state;
	const struct backup b = new_backup();
	struct envelope e = { .len = 0 };

	assert_int_equal(make_key(p, SR_TA_USAGE_DIGEST, "k", NULL), TEEC_SUCCESS);
	assert_int_equal(export_to(p, "k", b.public_key, &e), TEEC_SUCCESS);
	assert_int_equal(drop_key(p, "k"), TEEC_SUCCESS);
	assert_int_equal(import_envelope(p, &e), TEEC_ERROR_BAD_PARAMETERS);
	reseal(p, &b, &e, NULL);
	e.data[e.len - 1] ^= 1;
	assert_int_equal(import_envelope(p, &e), TEEC_ERROR_SECURITY);
	assert_recorded(p, SR_TA_CMD_IMPORT_WRAPPED, TEEC_ERROR_SECURITY);
	e.data[e.len - 1] ^= 1;
	assert_int_equal(import_envelope(p, &e), TEEC_SUCCESS);
}

/* ---- exports that are refused -------------------------------------------------------- */

#define SIGNATURE_AT(id_len) (FRAMING + 1 + (id_len) + 32)

static void gives_no_key_for_a_signature_with_any_bit_changed(void **state)
{
	struct provisioned *p = *state;
	const struct backup b = new_backup();

	assert_int_equal(make_key(p, SR_TA_USAGE_DIGEST, "k", NULL), TEEC_SUCCESS);
	begin_export(p, &request, "k", b.public_key);
	for (size_t bit = 0; bit < 8 * 64; bit++) {
		uint8_t *byte = &request.data[SIGNATURE_AT(1) + bit / 8];

		*byte ^= (uint8_t)(1u << bit % 8);
		assert_int_equal(host_call(p, SR_TA_CMD_EXPORT_WRAPPED, &request, &p->response),
				 TEEC_ERROR_SECURITY);
		*byte ^= (uint8_t)(1u << bit % 8);
		/* before the TA has no room for more of them */
		if (bit % 128 == 0)
			(void)last_record(p);
	}
	assert_recorded(p, SR_TA_CMD_EXPORT_WRAPPED, TEEC_ERROR_SECURITY);
	assert_int_equal(host_call(p, SR_TA_CMD_EXPORT_WRAPPED, &request, &p->response),
			 TEEC_SUCCESS);
	assert_recorded(p, SR_TA_CMD_EXPORT_WRAPPED, TEEC_SUCCESS);
}

static void gives_no_key_to_another_recipient_than_the_operators(void **state)
{
	struct provisioned *p = *state;
	const struct backup b = new_backup();
	const struct backup thief = new_backup();

	assert_int_equal(make_key(p, SR_TA_USAGE_DIGEST, "k", NULL), TEEC_SUCCESS);
	begin_export(p, &request, "k", b.public_key);
	memcpy(request.data + SIGNATURE_AT(1) - 32, thief.public_key, 32);
	assert_int_equal(host_call(p, SR_TA_CMD_EXPORT_WRAPPED, &request, &p->response),
			 TEEC_ERROR_SECURITY);
}

/* A signature for one key is none for another, nor for the next one under the same id. */
static void gives_no_other_key_than_the_operators(void **state)
{
	struct provisioned *p = *state;
	const struct backup b = new_backup();

	assert_int_equal(make_key(p, SR_TA_USAGE_DIGEST, "k", NULL), TEEC_SUCCESS);
	assert_int_equal(make_key(p, SR_TA_USAGE_DIGEST, "l", NULL), TEEC_SUCCESS);
	begin_export(p, &request, "k", b.public_key);
	request.data[FRAMING + 1] = 'l';
	assert_int_equal(host_call(p, SR_TA_CMD_EXPORT_WRAPPED, &request, &p->response),
			 TEEC_ERROR_SECURITY);
	request.data[FRAMING + 1] = 'm';
	assert_int_equal(host_call(p, SR_TA_CMD_EXPORT_WRAPPED, &request, &p->response),
			 TEEC_ERROR_ITEM_NOT_FOUND);
	request.data[FRAMING + 1] = 'k';
	assert_int_equal(drop_key(p, "k"), TEEC_SUCCESS);
	assert_int_equal(make_key(p, SR_TA_USAGE_DIGEST, "k", NULL), TEEC_SUCCESS);
	assert_int_equal(host_call(p, SR_TA_CMD_EXPORT_WRAPPED, &request, &p->response),
			 TEEC_ERROR_SECURITY);
}

static void seals_to_no_point_of_small_order(void **state)
{
	struct provisioned *p = *state;
	uint8_t point[32] = { 0 };
	struct envelope e = { .len = 0 };
	size_t records = 0;

	assert_int_equal(make_key(p, SR_TA_USAGE_DIGEST, "k", NULL), TEEC_SUCCESS);
	records = p->log.count;
	for (uint8_t u = 0; u < 2; u++) {
		point[0] = u;
		assert_int_equal(export_to(p, "k", point, &e), TEEC_ERROR_BAD_PARAMETERS);
		point[31] = 0x80;
		assert_int_equal(export_to(p, "k", point, &e), TEEC_ERROR_BAD_PARAMETERS);
		point[31] = 0;
	}
	(void)last_record(p);
	assert_int_equal(p->log.count, records);
}

/* ---- requests ------------------------------------------------------------------------- */

static void refuses_requests_cut_short_or_followed_by_more(void **state)
{
	struct provisioned *p = *state;
	const struct backup b = new_backup();
	struct key_info key = { 0 };
	const struct envelope e = make_envelope(p, &key);
	size_t whole = 0;

	begin_export(p, &request, "pm", b.public_key);
	for (whole = request.len, request.len = FRAMING; request.len < whole; request.len++)
		assert_int_equal(host_call(p, SR_TA_CMD_EXPORT_WRAPPED, &request, &p->response),
				 TEEC_ERROR_BAD_FORMAT);
	put_u8(&request, 0);
	request.len = whole + 1;
	assert_int_equal(host_call(p, SR_TA_CMD_EXPORT_WRAPPED, &request, &p->response),
			 TEEC_ERROR_BAD_FORMAT);
	assert_int_equal(drop_key(p, "pm"), TEEC_SUCCESS);
	begin(&request);
	put_u16(&request, e.len);
	put_bytes(&request, e.data, e.len);
	put_u64(&request, 0);
	put_u8(&request, 0);
	assert_int_equal(host_call(p, SR_TA_CMD_IMPORT_WRAPPED, &request, &p->response),
			 TEEC_ERROR_BAD_FORMAT);
	request.len--;
	for (whole = request.len, request.len = FRAMING; request.len < whole; request.len++)
		assert_int_equal(host_call(p, SR_TA_CMD_IMPORT_WRAPPED, &request, &p->response),
				 TEEC_ERROR_BAD_FORMAT);
	assert_int_equal(host_call(p, SR_TA_CMD_IMPORT_WRAPPED, &request, &p->response),
			 TEEC_SUCCESS);
}

/* A response that does not fit is told before anything is done. */
static void asks_for_room_before_it_acts(void **state)
{
	struct provisioned *p = *state;
	struct key_info key = { 0 };
	const struct envelope e = make_envelope(p, &key);
	size_t needed = 0;

	assert_int_equal(drop_key(p, "pm"), TEEC_SUCCESS);
	p->log.kept = false;
	begin(&request);
	put_u16(&request, e.len);
	put_bytes(&request, e.data, e.len);
	put_u64(&request, 0);
	assert_int_equal(call_sized(&p->ta, SR_TA_CMD_IMPORT_WRAPPED, &request, &p->response, 0),
			 TEEC_ERROR_SHORT_BUFFER);
	needed = p->response.len;
	assert_int_equal(
		call_sized(&p->ta, SR_TA_CMD_IMPORT_WRAPPED, &request, &p->response, needed - 1),
		TEEC_ERROR_SHORT_BUFFER);
	assert_int_equal(find_key(p, "pm", NULL), TEEC_ERROR_ITEM_NOT_FOUND);
	assert_int_equal(
		call_sized(&p->ta, SR_TA_CMD_IMPORT_WRAPPED, &request, &p->response, needed),
		TEEC_SUCCESS);
}

/* ---- storage that fails ------------------------------------------------------------------ */

static unsigned steps_left;

static int fail_later(const char *step)
{
	(void)step;
	if (!steps_left)
		return EIO;
	steps_left--;
	return 0;
}

/* At every step of the import: afterwards the key is there whole, or not at all and can
 * be imported. */
static void a_failing_storage_leaves_the_old_state_or_the_new(void **state)
{
	struct provisioned *p = *state;
	const struct sponsorship s = priced(1);
	struct key_info key = { 0 };
	const struct envelope e = make_envelope(p, &key);
	TEEC_Result result = TEEC_ERROR_GENERIC;
	unsigned failures = 0;

	for (unsigned steps = 0; result != TEEC_SUCCESS; steps++) {
		assert_int_equal(drop_key(p, "pm"), TEEC_SUCCESS);
		steps_left = steps;
		sim_store_fault_hook = fail_later;
		result = import_envelope(p, &e);
		sim_store_fault_hook = NULL;
		failures += result != TEEC_SUCCESS;
		host_restart(p);
		if (find_key(p, "pm", NULL) != TEEC_SUCCESS)
			assert_int_equal(import_envelope(p, &e), TEEC_SUCCESS);
		assert_int_equal(sponsor(p, "pm", &s), TEEC_SUCCESS);
		assert_true(steps < 200);
	}
	assert_true(failures > 5);
}

/* Without what the host checks of an answer: a panic gives none. */
static TEEC_Result import_raw(struct provisioned *p, const struct envelope *e)
{
	const uint64_t audited = tail_of(&p->log).sequence;

	request.len = 0;
	put_u8(&request, SR_TA_WIRE_VERSION);
	put_u64(&request, audited);
	put_u16(&request, e->len);
	put_bytes(&request, e->data, e->len);
	put_u64(&request, TEST_CREATED);
	return call(&p->ta, SR_TA_CMD_IMPORT_WRAPPED, &request, &p->response);
}

static void a_panic_anywhere_in_an_import_loses_nothing(void **state)
{
	struct provisioned *p = *state;
	const struct sponsorship s = priced(1);
	struct key_info key = { 0 };
	const struct envelope e = make_envelope(p, &key);
	TEEC_Result result = TEEC_ERROR_TARGET_DEAD;

	for (unsigned n = 1; result == TEEC_ERROR_TARGET_DEAD; n++) {
		assert_int_equal(drop_key(p, "pm"), TEEC_SUCCESS);
		sim_test_panic_after(n);
		result = import_raw(p, &e);
		sim_test_panic_after(0);
		host_restart(p);
		if (find_key(p, "pm", NULL) != TEEC_SUCCESS)
			assert_int_equal(import_envelope(p, &e), TEEC_SUCCESS);
		assert_int_equal(sponsor(p, "pm", &s), TEEC_SUCCESS);
		assert_true(n < 1000);
	}
	assert_int_equal(result, TEEC_SUCCESS);
}

#define PROVISIONED(test) \
	cmocka_unit_test_setup_teardown(test, provisioned_setup, provisioned_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		PROVISIONED(a_backup_key_opens_what_the_ta_exports),
		PROVISIONED(a_deleted_key_comes_back_with_usage_and_policy),
		PROVISIONED(what_a_key_has_spent_stays_spent_when_it_comes_back),
		PROVISIONED(a_key_once_imported_in_plaintext_stays_marked),
		PROVISIONED(an_ed25519_key_travels_too),
		PROVISIONED(refuses_an_envelope_shown_twice_and_keeps_the_key),
		PROVISIONED(refuses_a_policy_older_than_the_keys_last),
		PROVISIONED(refuses_a_key_without_the_policy_that_it_has_had),
		PROVISIONED(refuses_a_policy_that_the_operator_has_not_signed_so),
		PROVISIONED(refuses_a_policy_of_a_form_that_is_none_though_signed),
		cmocka_unit_test_setup_teardown(
			a_ta_without_an_operator_takes_no_policy_and_gives_no_key,
			unprovisioned_setup, provisioned_teardown),
		PROVISIONED(an_envelope_to_another_ta_is_refused),
		PROVISIONED(gives_no_key_for_a_signature_with_any_bit_changed),
		PROVISIONED(gives_no_key_to_another_recipient_than_the_operators),
		PROVISIONED(gives_no_other_key_than_the_operators),
		PROVISIONED(seals_to_no_point_of_small_order),
		PROVISIONED(refuses_requests_cut_short_or_followed_by_more),
		PROVISIONED(asks_for_room_before_it_acts),
		PROVISIONED(a_failing_storage_leaves_the_old_state_or_the_new),
		PROVISIONED(a_panic_anywhere_in_an_import_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
