/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The KMS and a TA that is provisioned: policies, transactions, every scheme of sponsorship,
 * rotation, attestation. One store; the tests run in their order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/config.h"
#include "eth/eth.h"
#include "kms/attest.h"
#include "kms/statement.h"
#include "temp_dir.h"

#define SPONSOR "sponsor"
#define EXECUTOR "executor"

static struct tee_api api;
static char base_dir[TEMP_DIR_MAX];
static struct kms *kms;
static uint8_t uuid[16];
static uint8_t seed[KMS_OPERATOR_SEED_SIZE];
static struct kms_key sponsor;
static struct kms_key executor;
static struct eth_address own; /* the executor's */

/* ---- calls that are counted ------------------------------------------------------- */

static atomic_int calls[SR_TA_CMD_ROTATE_KEY + 1];
static atomic_size_t largest;

static TEEC_Result counting_invoke(TEEC_Session *session, uint32_t command,
				   TEEC_Operation *operation, uint32_t *origin)
{
	size_t size = operation->params[0].memref.size;

	if (command <= SR_TA_CMD_ROTATE_KEY)
		atomic_fetch_add(&calls[command], 1);
	if (size > atomic_load(&largest))
		atomic_store(&largest, size);
	/* so that a queue can form behind it */
	usleep(2000);
	return api.invoke_command(session, command, operation, origin);
}

/* ---- fixture --------------------------------------------------------------------- */

static void must(bool ok, const struct sr_error *err)
{
	if (!ok)
		fail_msg("%s", err->message);
}

static int open_all(void **state)
{
	char path[TEMP_PATH_MAX];
	struct sr_error err = { .code = SR_OK };
	const TEEC_UUID ta = SUPER_RELAY_TA_UUID;
	struct kms_config c = { .ta_uuid = SUPER_RELAY_TA_UUID,
				.pool_size = 2,
				.batch_size = 64,
				.min_batch = 1,
				.queue_limit = 10000 };

	(void)state;
	if (!make_temp_dir(base_dir))
		return -1;
	snprintf(path, sizeof(path), "%s/tee", base_dir);
	if (!tee_load_simulator(path, &api, &err))
		return -1;
	snprintf(path, sizeof(path), "%s/log", base_dir);
	c.api = api;
	c.api.invoke_command = counting_invoke;
	kms_uuid_octets(&ta, uuid);
	if (audit_log_open(path, true, &c.log, &err) && kms_open(&c, &kms, &err) &&
	    kms_generate_key(kms, SPONSOR, SR_TA_ALG_SECP256K1, SR_TA_USAGE_SPONSOR, &sponsor,
			     &err) &&
	    kms_generate_key(kms, EXECUTOR, SR_TA_ALG_SECP256K1, SR_TA_USAGE_TRANSACTION, &executor,
			     &err))
		return 0;
	fprintf(stderr, "%s\n", err.message);
	return -1;
}

static int close_all(void **state)
{
	(void)state;
	kms_close(kms, 0);
	return remove_temp_dir(base_dir);
}

/* ---- requests ---------------------------------------------------------------------- */

struct waiter {
	struct kms_request request;
	atomic_int done;
};

static void on_done(struct kms_request *request)
{
	atomic_fetch_add(&((struct waiter *)request)->done, 1);
}

static void wait_for(struct waiter *w)
{
	for (int i = 0; i < 20000 && !atomic_load(&w->done); i++)
		usleep(1000);
	assert_int_equal(atomic_load(&w->done), 1);
}

static void fill(struct waiter *w, const char *key_id)
{
	memset(w, 0, sizeof(*w));
	snprintf(w->request.key_id, sizeof(w->request.key_id), "%s", key_id);
	w->request.done = on_done;
}

static const uint8_t init_code[] = { 1, 2, 3 };
static const uint8_t call_data[] = { 4, 5, 6, 7 };

/* What each scheme asks for, and nothing that it does not have. */
static void fill_sponsorship(struct waiter *w, enum eth_sponsorship_scheme scheme)
{
	static uint8_t data[ETH_SINGLETON_VERIFYING_LEN];
	struct eth_sponsorship *s = &w->request.sponsorship;

	fill(w, SPONSOR);
	s->scheme = scheme;
	s->chain_id = 31337;
	memset(&s->entry_point, 1, 20);
	memset(&s->paymaster, 2, 20);
	memset(&s->sender, 3, 20);
	s->gas_fees[31] = 1;
	s->pre_verification_gas[31] = 9;
	s->valid_until = 2000000000;
	s->valid_after = 1999999000;
	eth_singleton_verifying_data(true, s->valid_until, s->valid_after, data);
	switch (scheme) {
	case ETH_SCHEME_VERIFYING_PAYMASTER_V06:
		s->init_code = init_code;
		s->init_code_len = sizeof(init_code);
		s->call_data = call_data;
		s->call_data_len = sizeof(call_data);
		s->sender_nonce[31] = 5;
		return;
	case ETH_SCHEME_SINGLETON_V6:
	case ETH_SCHEME_SINGLETON_V7:
	case ETH_SCHEME_SINGLETON_V8:
		s->data = data;
		s->data_len = sizeof(data);
		return;
	case ETH_SCHEME_OPENZEPPELIN:
		memset(s->domain_name_hash, 6, 32);
		memset(s->domain_version_hash, 7, 32);
		return;
	default:
		return;
	}
}

static void sign(struct waiter *w)
{
	struct sr_error err = { .code = SR_OK };

	must(w->request.transaction.len ? kms_sign_transaction(kms, &w->request, &err)
					: kms_sign_sponsorship(kms, &w->request, &err),
	     &err);
}

static void assert_signed(const struct waiter *w)
{
	uint8_t digest[32];

	if (w->request.result.error.code != SR_OK)
		fail_msg("scheme %d: %s", (int)w->request.sponsorship.scheme,
			 w->request.result.error.message);
	if (w->request.transaction.len)
		eth_keccak256(w->request.transaction.data, w->request.transaction.len, digest);
	else
		assert_true(eth_sponsorship_digest(&w->request.sponsorship, digest));
	assert_memory_equal(w->request.result.digest, digest, 32);
}

/* ---- transactions --------------------------------------------------------------------- */

/* The cancellation: nothing, to the key's own address, at 1 wei a gas. */
static struct sr_buf cancellation(uint64_t chain_id, uint64_t gas)
{
	struct sr_buf items = { 0 };
	struct sr_buf out = { 0 };

	eth_rlp_put_u64(&items, chain_id);
	eth_rlp_put_u64(&items, 7);
	eth_rlp_put_u64(&items, 1);
	eth_rlp_put_u64(&items, 1);
	eth_rlp_put_u64(&items, gas);
	eth_rlp_put_bytes(&items, own.bytes, sizeof(own.bytes));
	eth_rlp_put_u64(&items, 0);
	eth_rlp_put_bytes(&items, NULL, 0);
	eth_rlp_put_list_header(&items, 0);
	sr_buf_append(&out, "\x02", 1);
	eth_rlp_put_list_header(&out, items.len);
	sr_buf_append(&out, items.data, items.len);
	sr_buf_free(&items);
	assert_false(out.failed);
	return out;
}

static void fill_transaction(struct waiter *w, const struct sr_buf *transaction)
{
	fill(w, EXECUTOR);
	w->request.transaction = (struct sr_bytes){ transaction->data, transaction->len };
}

/* ---- tests, before provisioning ---------------------------------------------------------- */

static void every_scheme_is_signed_as_its_contract_has_it(void **state)
{
	(void)state;
	for (int scheme = ETH_SCHEME_VERIFYING_PAYMASTER_V07; scheme <= ETH_SCHEME_PARALLEL_V09;
	     scheme++) {
		struct waiter w;

		fill_sponsorship(&w, (enum eth_sponsorship_scheme)scheme);
		sign(&w);
		wait_for(&w);
		assert_signed(&w);
	}
}

static void schemes_do_not_mix_within_a_batch(void **state)
{
	enum { COUNT = 70 };
	static struct waiter w[COUNT];

	(void)state;
	for (unsigned i = 0; i < COUNT; i++) {
		fill_sponsorship(&w[i], (enum eth_sponsorship_scheme)(1 + i % 7));
		w[i].request.sponsorship.nonce[31] = (uint8_t)i;
		sign(&w[i]);
	}
	for (unsigned i = 0; i < COUNT; i++) {
		wait_for(&w[i]);
		assert_signed(&w[i]);
	}
}

/* Operations of v0.6 go to the TA whole: ten of 20,000 bytes fit no one call. */
static void a_batch_ends_where_the_request_is_full(void **state)
{
	enum { COUNT = 10, SIZE = 20000 };
	static struct waiter w[COUNT];
	static uint8_t data[SIZE];
	int before = atomic_load(&calls[SR_TA_CMD_SIGN_SPONSORSHIP]);

	(void)state;
	for (unsigned i = 0; i < COUNT; i++) {
		fill_sponsorship(&w[i], ETH_SCHEME_VERIFYING_PAYMASTER_V06);
		w[i].request.sponsorship.nonce[31] = (uint8_t)i;
		w[i].request.sponsorship.call_data = data;
		w[i].request.sponsorship.call_data_len = SIZE;
		sign(&w[i]);
	}
	for (unsigned i = 0; i < COUNT; i++) {
		wait_for(&w[i]);
		assert_signed(&w[i]);
	}
	assert_in_range(atomic_load(&calls[SR_TA_CMD_SIGN_SPONSORSHIP]) - before, 4, COUNT);
	assert_in_range(atomic_load(&largest), 2 * SIZE, SR_TA_REQUEST_MAX);
}

static void what_fits_no_call_is_refused_alone(void **state)
{
	static uint8_t data[SR_TA_REQUEST_MAX];
	struct sr_error err = { .code = SR_OK };
	struct waiter w;

	(void)state;
	fill_sponsorship(&w, ETH_SCHEME_VERIFYING_PAYMASTER_V06);
	w.request.sponsorship.call_data = data;
	w.request.sponsorship.call_data_len = sizeof(data);
	assert_false(kms_sign_sponsorship(kms, &w.request, &err));
	assert_int_equal(err.code, SR_E_INVALID);
	fill_sponsorship(&w, ETH_SCHEME_SINGLETON_V7);
	w.request.sponsorship.data = data;
	w.request.sponsorship.data_len = 256;
	assert_false(kms_sign_sponsorship(kms, &w.request, &err));
	assert_int_equal(err.code, SR_E_INVALID);
	fill(&w, EXECUTOR);
	w.request.transaction = (struct sr_bytes){ data, sizeof(data) };
	assert_false(kms_sign_transaction(kms, &w.request, &err));
	assert_int_equal(err.code, SR_E_INVALID);
}

/* ---- provisioning ---------------------------------------------------------------------------- */

static void an_operator_is_fixed_once(void **state)
{
	struct kms_provision p = { .flags = SR_TA_PROVISION_DEVELOPMENT };
	struct sr_error err = { .code = SR_OK };
	struct sr_buf statement = { 0 };
	uint8_t signature[SR_TA_OPERATOR_SIGNATURE_SIZE];

	(void)state;
	must(kms_operator_generate(seed, p.operator_key, &err), &err);
	kms_statement_provision(uuid, &p, &statement);
	must(kms_operator_sign(seed, (struct sr_bytes){ statement.data, statement.len }, signature,
			       &err),
	     &err);
	signature[0] ^= 1;
	assert_false(kms_provision(kms, &p, signature, &err));
	assert_int_equal(err.code, SR_E_DENIED);
	signature[0] ^= 1;
	must(kms_provision(kms, &p, signature, &err), &err);
	assert_false(kms_provision(kms, &p, signature, &err));
	assert_int_equal(err.code, SR_E_EXISTS);
	sr_buf_free(&statement);
}

static bool give_policy(const struct kms_key *key, const char *toml, uint32_t version,
			struct kms_key *out, struct sr_error *err)
{
	struct config_policy policy;
	uint8_t bytes[CONFIG_POLICY_BYTES_MAX];
	uint8_t signature[SR_TA_OPERATOR_SIGNATURE_SIZE];
	struct sr_bytes encoded = { bytes, 0 };
	struct sr_buf statement = { 0 };
	bool ok = false;

	must(config_policy_parse(toml, strlen(toml), "test", &policy, err), err);
	encoded.len = config_policy_encode(&policy, bytes);
	kms_statement_policy(uuid, key->id,
			     (struct sr_bytes){ key->public_key, key->public_key_len }, version,
			     encoded, &statement);
	must(kms_operator_sign(seed, (struct sr_bytes){ statement.data, statement.len }, signature,
			       err),
	     err);
	ok = kms_set_policy(kms, key->id, version, encoded, signature, out, err);
	sr_buf_free(&statement);
	return ok;
}

#define ONES "0x0101010101010101010101010101010101010101"
#define TWOS "0x0202020202020202020202020202020202020202"
#define FOR_BOTH                                                                    \
	"chain_ids = [31337]\nentry_points = [\"" ONES "\"]\npaymasters = [\"" TWOS \
	"\"]\nmax_validity = 1000\nmax_gas = 30000\nmax_fee_per_gas = 1\nmax_cost = 30000\n"

static void without_a_policy_nothing_is_signed_any_more(void **state)
{
	struct sr_buf transaction = { 0 };
	struct waiter w;

	(void)state;
	eth_address_from_public_key(executor.public_key, &own);
	fill_sponsorship(&w, ETH_SCHEME_VERIFYING_PAYMASTER_V07);
	sign(&w);
	wait_for(&w);
	assert_int_equal(w.request.result.error.code, SR_E_DENIED);
	transaction = cancellation(31337, 21000);
	fill_transaction(&w, &transaction);
	sign(&w);
	wait_for(&w);
	assert_int_equal(w.request.result.error.code, SR_E_DENIED);
	sr_buf_free(&transaction);
}

static void a_policy_is_stored_and_read_back(void **state)
{
	struct sr_error err = { .code = SR_OK };
	struct kms_policy policy;
	struct kms_key key;

	(void)state;
	must(kms_get_policy(kms, SPONSOR, &policy, &err), &err);
	assert_int_equal(policy.version, 0);
	must(give_policy(&sponsor, FOR_BOTH "window = \"1h\"\nbudget = 100\noperations = 5\n", 3,
			 &key, &err),
	     &err);
	assert_int_equal(key.policy_version, 3);
	must(kms_get_policy(kms, SPONSOR, &policy, &err), &err);
	assert_int_equal(policy.version, 3);
	assert_int_equal(policy.operations, 0);
	assert_false(give_policy(&sponsor, FOR_BOTH, 3, &key, &err));
	assert_int_equal(err.code, SR_E_EXISTS);
	assert_false(give_policy(&executor, FOR_BOTH, 0, &key, &err));
}

static void a_budget_that_is_used_up_has_its_own_message(void **state)
{
	enum { COUNT = 8 };
	static struct waiter w[COUNT];
	struct sr_error err = { .code = SR_OK };
	struct kms_policy policy;
	unsigned ok = 0;

	(void)state;
	for (unsigned i = 0; i < COUNT; i++) {
		fill_sponsorship(&w[i], ETH_SCHEME_VERIFYING_PAYMASTER_V07);
		w[i].request.sponsorship.nonce[31] = (uint8_t)i;
		if (i == 2)
			w[i].request.sponsorship.chain_id = 1;
		sign(&w[i]);
	}
	for (unsigned i = 0; i < COUNT; i++) {
		const struct sr_error *e = &w[i].request.result.error;

		wait_for(&w[i]);
		ok += e->code == SR_OK;
		if (e->code == SR_OK) {
			assert_signed(&w[i]);
		} else {
			assert_non_null(
				strstr(e->message, i == 2 ? "policy in the TEE does not"
							  : "budget in the TEE is used up"));
			assert_int_equal(w[i].request.result.over_budget, i != 2);
		}
	}
	assert_int_equal(ok, 5);
	must(kms_get_policy(kms, SPONSOR, &policy, &err), &err);
	assert_int_equal(policy.operations, 5);
	assert_int_equal(policy.spent[15], 45);
}

static void transactions_are_signed_within_their_policy(void **state)
{
	enum { COUNT = 12 };
	static struct waiter w[COUNT];
	struct sr_error err = { .code = SR_OK };
	struct sr_buf good = cancellation(31337, 21000);
	struct sr_buf elsewhere = cancellation(1, 21000);
	struct kms_key key;

	(void)state;
	must(give_policy(&executor, FOR_BOTH, 1, &key, &err), &err);
	for (unsigned i = 0; i < COUNT; i++) {
		fill_transaction(&w[i], i % 4 == 1 ? &elsewhere : &good);
		if (i % 4 == 3) /* no transaction at all */
			w[i].request.transaction.len--;
		sign(&w[i]);
	}
	for (unsigned i = 0; i < COUNT; i++) {
		wait_for(&w[i]);
		if (i % 2 == 0)
			assert_signed(&w[i]);
		else
			assert_int_equal(w[i].request.result.error.code,
					 i % 4 == 1 ? SR_E_DENIED : SR_E_INVALID);
	}
	sr_buf_free(&good);
	sr_buf_free(&elsewhere);
}

/* ---- rotation and attestation
 * -------------------------------------------------------------------- */

static void a_key_is_followed_by_one_under_the_same_policy(void **state)
{
	struct sr_error err = { .code = SR_OK };
	struct kms_key next;

	(void)state;
	must(kms_rotate_key(kms, EXECUTOR, "executor-2", &next, &err), &err);
	assert_int_equal(next.usage, executor.usage);
	assert_int_equal(next.policy_version, 1);
	assert_memory_not_equal(next.public_key, executor.public_key, executor.public_key_len);
	assert_false(kms_rotate_key(kms, EXECUTOR, "executor-2", &next, &err));
	assert_int_equal(err.code, SR_E_EXISTS);
	assert_false(kms_rotate_key(kms, "nobody", "executor-3", &next, &err));
	assert_int_equal(err.code, SR_E_NOT_FOUND);
}

static void a_ta_says_what_it_is(void **state)
{
	static struct kms_attestation a;
	struct kms_attested said;
	struct sr_error err = { .code = SR_OK };
	uint8_t nonce[KMS_NONCE_SIZE] = { 1, 2, 3 };
	uint8_t public_key[SR_TA_ED25519_PUBLIC_SIZE];

	(void)state;
	must(kms_attest(kms, SPONSOR, nonce, false, &a, &err), &err);
	must(kms_attest_check(&a, nonce, &said, &err), &err);
	assert_true(said.has_key);
	assert_string_equal(said.key.id, SPONSOR);
	assert_memory_equal(said.key.public_key, sponsor.public_key, sponsor.public_key_len);
	assert_int_equal(said.key.policy_version, 3);
	must(kms_operator_public(seed, public_key, &err), &err);
	assert_memory_equal(said.operator_key, public_key, sizeof(public_key));
	must(kms_attest(kms, NULL, nonce, false, &a, &err), &err);
	must(kms_attest_check(&a, nonce, &said, &err), &err);
	assert_false(said.has_key);
	assert_false(kms_attest(kms, "nobody", nonce, false, &a, &err));
	assert_int_equal(err.code, SR_E_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_scheme_is_signed_as_its_contract_has_it),
		cmocka_unit_test(schemes_do_not_mix_within_a_batch),
		cmocka_unit_test(a_batch_ends_where_the_request_is_full),
		cmocka_unit_test(what_fits_no_call_is_refused_alone),
		cmocka_unit_test(an_operator_is_fixed_once),
		cmocka_unit_test(without_a_policy_nothing_is_signed_any_more),
		cmocka_unit_test(a_policy_is_stored_and_read_back),
		cmocka_unit_test(a_budget_that_is_used_up_has_its_own_message),
		cmocka_unit_test(transactions_are_signed_within_their_policy),
		cmocka_unit_test(a_key_is_followed_by_one_under_the_same_policy),
		cmocka_unit_test(a_ta_says_what_it_is),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
