/* SPDX-License-Identifier: Apache-2.0 */
#include "provisioned_client.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "eth/eth_core.h"
#include "tee/sim/sim_test.h"

const uint8_t ta_uuid_bytes[16] = { 0x12, 0x34, 0x56, 0x78, 0x5b, 0x69, 0x11, 0xd4,
				    0x9f, 0xee, 0x00, 0xc0, 0x4f, 0x4c, 0x34, 0x56 };
const uint8_t usual_beneficiary[20] = { 0xbe, 0xef, 1, 2, 3 };
uint64_t tee_time;

static uint64_t get_le(const uint8_t *data, size_t size)
{
	uint64_t v = 0;

	for (size_t i = 0; i < size; i++)
		v |= (uint64_t)data[i] << (8 * i);
	return v;
}

static void put_wei(struct ta_request *r, wei v)
{
	for (unsigned i = 0; i < 16; i++)
		put_u8(r, (uint8_t)(v >> (120 - 8 * i)));
}

static wei get_wei(const uint8_t *data)
{
	wei v = 0;

	for (unsigned i = 0; i < 16; i++)
		v = v << 8 | data[i];
	return v;
}

/* ---- fixtures -------------------------------------------------------------------- */

static uint64_t show_time(void)
{
	return tee_time;
}

/* Shared with children, so that a host's log outlives the child that it was written in. */
static struct provisioned *new_provisioned(void)
{
	struct provisioned *p =
		mmap(NULL, sizeof(*p), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	assert_true(sodium_init() >= 0);
	assert_int_equal(crypto_sign_keypair(p->operator_public, p->operator_secret), 0);
	return p;
}

int blank_setup(void **state)
{
	struct provisioned *p = new_provisioned();

	tee_time = 1000000;
	sim_system_time_hook = show_time;
	p->log.kept = true;
	ta_new_store(p->ta.store);
	ta_connect(&p->ta);
	*state = p;
	return 0;
}

int unprovisioned_setup(void **state)
{
	(void)blank_setup(state);
	assert_int_equal(host_begin(*state), TEEC_SUCCESS);
	return 0;
}

int provisioned_setup(void **state)
{
	(void)unprovisioned_setup(state);
	assert_int_equal(provision(*state, SR_TA_PROVISION_DEVELOPMENT), TEEC_SUCCESS);
	return 0;
}

int provisioned_teardown(void **state)
{
	struct provisioned *p = *state;

	sim_store_fault_hook = NULL;
	ta_disconnect(&p->ta);
	ta_remove_store(p->ta.store);
	sim_system_time_hook = NULL;
	sim_ree_time_hook = NULL;
	sim_system_time_protection = 1000;
	munmap(p, sizeof(*p));
	return 0;
}

/* ---- the log ------------------------------------------------------------------------ */

struct log_tail tail_of(const struct host_log *log)
{
	struct log_tail tail = { 0 };
	const struct audit_record *last = log->count ? &log->records[log->count - 1] : NULL;

	if (last) {
		tail.sequence = last->sequence;
		tail.generation = last->generation;
		memcpy(tail.head, last->head, sizeof(tail.head));
	}
	return tail;
}

static void genesis(const struct host_log *log, uint8_t out[static 32])
{
	static const char name[] = SR_TA_AUDIT_GENESIS;
	crypto_hash_sha256_state state;

	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, (const uint8_t *)name, sizeof(name) - 1);
	crypto_hash_sha256_update(&state, log->audit_public, sizeof(log->audit_public));
	crypto_hash_sha256_final(&state, out);
}

static struct audit_record read_record(const uint8_t *r, size_t len)
{
	struct audit_record record = { 0 };
	const size_t id_at = 1 + 8 + 8 + 8 + 1 + 4 + 4 + 16 + 32;

	assert_true(len > id_at && r[id_at] <= SR_TA_KEY_ID_MAX);
	assert_int_equal(len, id_at + 1 + r[id_at]);
	assert_int_equal(r[0], SR_TA_RECORD_VERSION);
	record.sequence = get_le(r + 1, 8);
	record.generation = get_le(r + 9, 8);
	record.time = get_le(r + 17, 8);
	record.command = r[25];
	record.decision = (uint32_t)get_le(r + 26, 4);
	record.policy_version = (uint32_t)get_le(r + 30, 4);
	memcpy(record.value, r + 34, 16);
	memcpy(record.digest, r + 50, 32);
	memcpy(record.key, r + id_at + 1, r[id_at]);
	return record;
}

static void take_record(struct host_log *log, const uint8_t *r, size_t len)
{
	struct audit_record record = read_record(r, len);
	const struct log_tail before = tail_of(log);
	uint8_t head[32] = { 0 };
	crypto_hash_sha256_state state;

	assert_true(log->count < HOST_LOG_MAX);
	assert_true(record.sequence > before.sequence);
	assert_true(record.generation >= before.generation);
	if (record.command != SR_TA_CMD_BEGIN)
		assert_int_equal(record.sequence, before.sequence + 1);
	if (before.sequence)
		memcpy(head, before.head, sizeof(head));
	else
		genesis(log, head);
	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, head, sizeof(head));
	crypto_hash_sha256_update(&state, r, len);
	crypto_hash_sha256_final(&state, record.head);
	log->records[log->count++] = record;
}

static size_t key_info_len(const struct ta_response *response)
{
	size_t at = 1;

	(void)read_key_info(response, &at);
	return at;
}

/* Where a response's own part ends and the records begin. */
static size_t body_len(uint32_t command, const struct ta_response *out)
{
	size_t len = 0;

	switch (command) {
	case SR_TA_CMD_DELETE_KEY:
	case SR_TA_CMD_PROVISION:
		return 1;
	case SR_TA_CMD_SIGN_MESSAGE:
		return 2 + (size_t)out->data[1] * SR_TA_SECP256K1_SIGNATURE_SIZE;
	case SR_TA_CMD_SIGN_SPONSORSHIP:
	case SR_TA_CMD_SIGN_TRANSACTION:
		return 2 + (size_t)out->data[1] * SR_TA_SPONSORSHIP_RESULT_SIZE;
	case SR_TA_CMD_BEGIN:
		return 1 + 65 + 8 + 8 + 32 + 1;
	case SR_TA_CMD_AUDIT_READ:
		return 1 + 65 + 3 * 8 + 32 + 1;
	case SR_TA_CMD_CHECKPOINT:
		return 1 + SR_TA_CHECKPOINT_SIZE + 65;
	case SR_TA_CMD_GET_POLICY:
		return 1 + 4 + 2 + get_le(out->data + 5, 2) + 64 + 16 + 4;
	case SR_TA_CMD_EXPORT_WRAPPED:
		return 1 + 2 + get_le(out->data + 1, 2);
	case SR_TA_CMD_ATTEST:
		len = 1 + 2 + get_le(out->data + 1, 2) + 65;
		return len + 2 + get_le(out->data + len, 2);
	default:
		return key_info_len(out);
	}
}

static void take_records(struct host_log *log, const struct ta_response *out, size_t at)
{
	const size_t count = get_le(out->data + at, 2);

	at += 2;
	for (size_t i = 0; i < count; i++) {
		const size_t len = out->data[at];

		assert_true(at + 1 + len <= out->len);
		take_record(log, out->data + at + 1, len);
		at += 1 + len;
	}
	assert_int_equal(at, out->len);
}

TEEC_Result host_call(struct provisioned *p, uint32_t command, struct ta_request *request,
		      struct ta_response *out)
{
	const uint64_t audited = tail_of(&p->log).sequence;
	TEEC_Result result = TEEC_SUCCESS;
	size_t len = 0;

	for (unsigned i = 0; p->log.kept && i < 8; i++)
		request->data[1 + i] = (uint8_t)(audited >> (8 * i));
	result = call(&p->ta, command, request, out);
	if (result != TEEC_SUCCESS) {
		if (result != TEEC_ERROR_TARGET_DEAD)
			assert_int_equal(out->len, 0);
		return result;
	}
	len = body_len(command, out);
	if (command == SR_TA_CMD_BEGIN && !p->log.count)
		memcpy(p->log.audit_public, out->data + 1, 65);
	if (p->log.kept)
		take_records(&p->log, out, len);
	else
		assert_int_equal(len, out->len);
	out->len = len;
	return result;
}

/* ---- BEGIN and its kin ----------------------------------------------------------------- */

static void put_tail(struct ta_request *r, const struct log_tail *tail)
{
	put_u64(r, tail->sequence);
	put_u64(r, tail->generation);
	put_bytes(r, tail->head, sizeof(tail->head));
}

TEEC_Result host_begin_with(struct provisioned *p, const struct log_tail *tail,
			    const uint8_t *signature)
{
	begin(&p->request);
	put_u64(&p->request, 1800000000);
	put_host_entropy(&p->request, 0x3c);
	put_tail(&p->request, tail);
	put_u8(&p->request, signature != NULL);
	if (signature)
		put_bytes(&p->request, signature, 64);
	return host_call(p, SR_TA_CMD_BEGIN, &p->request, &p->response);
}

TEEC_Result host_begin(struct provisioned *p)
{
	const struct log_tail tail = tail_of(&p->log);

	return host_begin_with(p, &tail, NULL);
}

void host_reconnect(struct provisioned *p)
{
	ta_disconnect(&p->ta);
	ta_connect(&p->ta);
}

void host_restart(struct provisioned *p)
{
	host_reconnect(p);
	assert_int_equal(host_begin(p), TEEC_SUCCESS);
}

TEEC_Result host_checkpoint(struct provisioned *p, bool store)
{
	begin(&p->request);
	put_u8(&p->request, store);
	return host_call(p, SR_TA_CMD_CHECKPOINT, &p->request, &p->response);
}

struct ta_position host_read(struct provisioned *p)
{
	struct ta_position position = { 0 };

	do {
		begin(&p->request);
		assert_int_equal(host_call(p, SR_TA_CMD_AUDIT_READ, &p->request, &p->response),
				 TEEC_SUCCESS);
		position.generation = get_le(p->response.data + 66, 8);
		position.used_to = get_le(p->response.data + 74, 8);
		position.next = get_le(p->response.data + 82, 8);
		position.begun = p->response.data[122];
	} while (p->log.kept && position.begun && tail_of(&p->log).sequence + 1 < position.next);
	return position;
}

const struct audit_record *last_record(struct provisioned *p)
{
	(void)host_read(p);
	assert_true(p->log.count > 0);
	return &p->log.records[p->log.count - 1];
}

void assert_recorded(struct provisioned *p, uint8_t command, TEEC_Result decision)
{
	const struct audit_record *record = last_record(p);

	assert_int_equal(record->command, command);
	assert_int_equal(record->decision, decision);
}

/* ---- the operator ------------------------------------------------------------------------ */

void operator_sign(const struct provisioned *p, const char *name,
		   const struct ta_request *statement, uint8_t out[static 64])
{
	static struct ta_request whole;

	whole.len = 0;
	put_bytes(&whole, name, strlen(name));
	put_bytes(&whole, ta_uuid_bytes, sizeof(ta_uuid_bytes));
	put_bytes(&whole, statement->data, statement->len);
	assert_int_equal(crypto_sign_detached(out, NULL, whole.data, whole.len, p->operator_secret),
			 0);
}

TEEC_Result provision(struct provisioned *p, uint32_t flags)
{
	static const uint8_t group[16] = { 0x6a };
	static struct ta_request statement;
	uint8_t signature[64] = { 0 };

	statement.len = 0;
	put_bytes(&statement, p->operator_public, 32);
	put_u32(&statement, flags);
	put_u8(&statement, 1);
	put_bytes(&statement, group, sizeof(group));
	operator_sign(p, SR_TA_STATEMENT_PROVISION, &statement, signature);
	begin(&p->request);
	put_bytes(&p->request, statement.data, statement.len);
	put_bytes(&p->request, signature, sizeof(signature));
	return host_call(p, SR_TA_CMD_PROVISION, &p->request, &p->response);
}

struct policy usual_policy(void)
{
	uint8_t digest[32] = { 0 };
	const struct sponsorship s = sponsorship_vector(digest);
	struct policy policy = {
		.chain_count = 1,
		.chains = { s.chain_id },
		.entry_point_count = 1,
		.paymaster_count = 1,
		.beneficiary_count = 1,
		.validity_max = (uint32_t)(s.valid_until - s.valid_after),
		.gas_max = 30000000,
		.fee_max = (wei)1 << 100,
		.cost_max = (wei)1 << 127,
	};

	memcpy(policy.entry_points[0], s.entry_point, 20);
	memcpy(policy.paymasters[0], s.paymaster, 20);
	memcpy(policy.beneficiaries[0], usual_beneficiary, 20);
	return policy;
}

struct policy windowed_policy(wei budget, uint32_t operations)
{
	struct policy policy = usual_policy();

	policy.window = 3600;
	policy.budget = budget;
	policy.operations = operations;
	return policy;
}

void put_policy(struct ta_request *r, const struct policy *policy)
{
	put_u8(r, SR_TA_POLICY_VERSION);
	put_u32(r, policy->flags);
	put_u8(r, policy->chain_count);
	for (unsigned i = 0; i < policy->chain_count; i++)
		put_u64(r, policy->chains[i]);
	put_u8(r, policy->entry_point_count);
	put_bytes(r, policy->entry_points, 20 * (size_t)policy->entry_point_count);
	put_u8(r, policy->paymaster_count);
	put_bytes(r, policy->paymasters, 20 * (size_t)policy->paymaster_count);
	put_u8(r, policy->beneficiary_count);
	put_bytes(r, policy->beneficiaries, 20 * (size_t)policy->beneficiary_count);
	put_u32(r, policy->validity_max);
	put_u64(r, policy->gas_max);
	put_wei(r, policy->fee_max);
	put_wei(r, policy->cost_max);
	put_u32(r, policy->window);
	put_wei(r, policy->budget);
	put_u32(r, policy->operations);
}

void begin_set_policy(struct provisioned *p, struct ta_request *r, const char *id, uint32_t version,
		      const struct policy *policy)
{
	static struct ta_request statement;
	static struct ta_request bytes;
	struct key_info key = { 0 };
	uint8_t hash[32] = { 0 };
	uint8_t signature[64] = { 0 };

	(void)find_key(p, id, &key);
	crypto_hash_sha256(hash, key.public_key, key.public_len);
	bytes.len = 0;
	put_policy(&bytes, policy);
	statement.len = 0;
	put_id(&statement, id);
	put_bytes(&statement, hash, sizeof(hash));
	put_u32(&statement, version);
	put_bytes(&statement, bytes.data, bytes.len);
	operator_sign(p, SR_TA_STATEMENT_POLICY, &statement, signature);
	begin(r);
	put_id(r, id);
	put_u32(r, version);
	put_u16(r, (uint16_t)bytes.len);
	put_bytes(r, bytes.data, bytes.len);
	put_bytes(r, signature, sizeof(signature));
}

TEEC_Result set_policy(struct provisioned *p, const char *id, uint32_t version,
		       const struct policy *policy)
{
	static struct ta_request request;

	begin_set_policy(p, &request, id, version, policy);
	return host_call(p, SR_TA_CMD_SET_POLICY, &request, &p->response);
}

struct spending get_spending(struct provisioned *p, const char *id)
{
	struct spending spending = { 0 };
	const uint8_t *end = NULL;

	begin_id(&p->request, id);
	assert_int_equal(host_call(p, SR_TA_CMD_GET_POLICY, &p->request, &p->response),
			 TEEC_SUCCESS);
	end = p->response.data + p->response.len;
	spending.version = (uint32_t)get_le(p->response.data + 1, 4);
	spending.cost = get_wei(end - 20);
	spending.operations = (uint32_t)get_le(end - 4, 4);
	return spending;
}

/* ---- keys ---------------------------------------------------------------------------------- */

static TEEC_Result call_for_key(struct provisioned *p, uint32_t command, struct key_info *out)
{
	const TEEC_Result result = host_call(p, command, &p->request, &p->response);
	size_t at = 1;

	if (result == TEEC_SUCCESS && out)
		*out = read_key_info(&p->response, &at);
	return result;
}

TEEC_Result make_key(struct provisioned *p, uint32_t usage, const char *id, struct key_info *out)
{
	begin_new_key(&p->request, SR_TA_ALG_SECP256K1, usage, id);
	put_host_entropy(&p->request, 0xa5);
	return call_for_key(p, SR_TA_CMD_GENERATE_KEY, out);
}

TEEC_Result import_plain(struct provisioned *p, uint32_t usage, const char *id,
			 const uint8_t secret[static 32])
{
	begin_new_key(&p->request, SR_TA_ALG_SECP256K1, usage, id);
	put_bytes(&p->request, secret, 32);
	return call_for_key(p, SR_TA_CMD_IMPORT_KEY, NULL);
}

TEEC_Result find_key(struct provisioned *p, const char *id, struct key_info *out)
{
	begin_id(&p->request, id);
	return call_for_key(p, SR_TA_CMD_GET_PUBLIC_KEY, out);
}

TEEC_Result drop_key(struct provisioned *p, const char *id)
{
	begin_id(&p->request, id);
	return host_call(p, SR_TA_CMD_DELETE_KEY, &p->request, &p->response);
}

TEEC_Result rotate_key(struct provisioned *p, const char *id, const char *new_id,
		       struct key_info *out)
{
	begin_id(&p->request, id);
	put_id(&p->request, new_id);
	put_u64(&p->request, TEST_CREATED);
	put_host_entropy(&p->request, 0x77);
	return call_for_key(p, SR_TA_CMD_ROTATE_KEY, out);
}

void transport_key(struct provisioned *p, uint8_t out[static 32])
{
	/* magic, version, nonce, UUID, version, features, levels, two public keys before it */
	const size_t at = 1 + 2 + 4 + 1 + 32 + 16 + 3 + 4 + 4 + 4 + 65 + 65;
	uint8_t nonce[32] = { 0x11 };

	begin(&p->request);
	put_bytes(&p->request, nonce, sizeof(nonce));
	put_id(&p->request, "");
	put_u8(&p->request, 0);
	assert_int_equal(host_call(p, SR_TA_CMD_ATTEST, &p->request, &p->response), TEEC_SUCCESS);
	memcpy(out, p->response.data + at, 32);
}

void begin_export(struct provisioned *p, struct ta_request *r, const char *id,
		  const uint8_t recipient[static 32])
{
	static struct ta_request statement;
	struct key_info key = { 0 };
	uint8_t hash[32] = { 0 };
	uint8_t signature[64] = { 0 };

	(void)find_key(p, id, &key);
	crypto_hash_sha256(hash, key.public_key, key.public_len);
	statement.len = 0;
	put_id(&statement, id);
	put_bytes(&statement, hash, sizeof(hash));
	put_bytes(&statement, recipient, 32);
	operator_sign(p, SR_TA_STATEMENT_EXPORT, &statement, signature);
	begin_id(r, id);
	put_bytes(r, recipient, 32);
	put_bytes(r, signature, sizeof(signature));
}

TEEC_Result export_key(struct provisioned *p, const char *id, struct envelope *out)
{
	static struct ta_request request;
	uint8_t recipient[32] = { 0 };
	TEEC_Result result = TEEC_SUCCESS;

	transport_key(p, recipient);
	begin_export(p, &request, id, recipient);
	result = host_call(p, SR_TA_CMD_EXPORT_WRAPPED, &request, &p->response);
	if (result == TEEC_SUCCESS) {
		out->len = (uint16_t)get_le(p->response.data + 1, 2);
		memcpy(out->data, p->response.data + 3, out->len);
	}
	return result;
}

TEEC_Result import_envelope(struct provisioned *p, const struct envelope *envelope)
{
	begin(&p->request);
	put_u16(&p->request, envelope->len);
	put_bytes(&p->request, envelope->data, envelope->len);
	put_u64(&p->request, TEST_CREATED);
	return call_for_key(p, SR_TA_CMD_IMPORT_WRAPPED, NULL);
}

/* ---- signing ------------------------------------------------------------------------------- */

static bool any_byte(const uint8_t *data, size_t len)
{
	uint8_t any = 0;

	for (size_t i = 0; i < len; i++)
		any |= data[i];
	return any;
}

TEEC_Result call_for_item(struct provisioned *p, uint32_t command)
{
	TEEC_Result result = host_call(p, command, &p->request, &p->response);

	if (result != TEEC_SUCCESS)
		return result;
	assert_int_equal(p->response.len, 2 + SR_TA_SPONSORSHIP_RESULT_SIZE);
	result = (TEEC_Result)get_le(p->response.data + 2, 4);
	assert_int_equal(any_byte(p->response.data + 2 + 4 + 32, 65), result == TEEC_SUCCESS);
	return result;
}

TEEC_Result sponsor(struct provisioned *p, const char *id, const struct sponsorship *s)
{
	begin_sponsorships(&p->request, id, 1);
	put_sponsorship(&p->request, s);
	return call_for_item(p, SR_TA_CMD_SIGN_SPONSORSHIP);
}

TEEC_Result sponsor_v06(struct provisioned *p, const char *id, const struct sponsorship *s)
{
	struct sponsorship own = *s;
	const uint8_t nonce[32] = { 0 };

	memset(own.words[1], 0, 64);
	memset(own.words[4], 0, 32);
	begin_sponsorships(&p->request, id, 1);
	p->request.data[FRAMING] = SR_TA_SCHEME_VERIFYING_PAYMASTER_V06;
	put_sponsorship(&p->request, &own);
	put_bytes(&p->request, nonce, sizeof(nonce));
	put_u16(&p->request, 0);
	put_u16(&p->request, 0);
	return call_for_item(p, SR_TA_CMD_SIGN_SPONSORSHIP);
}

struct sponsorship priced(wei cost)
{
	uint8_t digest[32] = { 0 };
	struct sponsorship s = sponsorship_vector(digest);

	memset(s.words[3], 0, 32);
	memset(s.words[4], 0, 32);
	memset(s.words[5], 0, 32);
	memset(s.words[6], 0, 32);
	s.words[5][31] = 1;
	for (unsigned i = 0; i < 16; i++)
		s.words[6][16 + i] = (uint8_t)(cost >> (120 - 8 * i));
	return s;
}

TEEC_Result spend(struct provisioned *p, const char *id, wei cost)
{
	const struct sponsorship s = priced(cost);

	return sponsor(p, id, &s);
}

TEEC_Result raw_digest(struct provisioned *p, const char *id)
{
	begin_digests(&p->request, id, 1);
	return host_call(p, SR_TA_CMD_SIGN_MESSAGE, &p->request, &p->response);
}

/* ---- keys with policies ---------------------------------------------------------------------- */

void make_sponsor(struct provisioned *p, const struct policy *policy)
{
	assert_int_equal(make_key(p, SR_TA_USAGE_SPONSOR, "pm", NULL), TEEC_SUCCESS);
	assert_int_equal(set_policy(p, "pm", 1, policy), TEEC_SUCCESS);
}

struct key_info make_executor(struct provisioned *p)
{
	const struct policy policy = usual_policy();
	struct key_info key = { 0 };

	assert_int_equal(make_key(p, SR_TA_USAGE_TRANSACTION, "ex", &key), TEEC_SUCCESS);
	assert_int_equal(set_policy(p, "ex", 1, &policy), TEEC_SUCCESS);
	return key;
}

struct sponsorship usual_sponsorship(void)
{
	uint8_t digest[32] = { 0 };

	return sponsorship_vector(digest);
}
