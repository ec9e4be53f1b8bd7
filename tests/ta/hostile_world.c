/* SPDX-License-Identifier: Apache-2.0 */
#include "hostile_world.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tee/sim/sim_test.h"

#define UNTOUCHED 0xa5

const uint8_t service_group[16] = { 0x67, 0x72, 0x6f, 0x75, 0x70 };
static struct world world;
static struct ta_client *client; /* the fixture's own */
static const struct stranger *stranger;

/* ---- names ---------------------------------------------------------------------- */

const char *world_name(enum world_kind kind)
{
	static const char *const names[WORLD_KINDS] = { "unprovisioned", "provisioned",
							"in service", "audited" };

	return names[kind];
}

const char *command_name(uint32_t command)
{
	static const char *const names[SR_TA_COMMANDS] = {
		"GENERATE_KEY",	  "IMPORT_KEY",	      "SIGN_MESSAGE",	  "GET_PUBLIC_KEY",
		"DELETE_KEY",	  "SIGN_SPONSORSHIP", "LIST_KEYS",	  "GET_INFO",
		"BEGIN",	  "AUDIT_READ",	      "CHECKPOINT",	  "PROVISION",
		"SET_POLICY",	  "GET_POLICY",	      "SIGN_TRANSACTION", "ATTEST",
		"IMPORT_WRAPPED", "EXPORT_WRAPPED",   "ROTATE_KEY",
	};

	return names[command];
}

/* ---- who calls ------------------------------------------------------------------ */

void set_stranger(const struct stranger *s)
{
	stranger = s;
}

static void present_client(uint32_t *login, uint8_t uuid[16])
{
	*login = stranger ? stranger->login : TEEC_LOGIN_GROUP;
	memcpy(uuid, stranger ? stranger->uuid : service_group, 16);
}

/* ---- valid requests ------------------------------------------------------------- */

/* G is signed over by the operator, or, on a TEE that outlives the test, by nobody. */
static void begin_provision(struct provisioned *p, struct ta_request *r, uint32_t flags)
{
	static struct ta_request statement;
	uint8_t signature[64] = { 0 };

	statement.len = 0;
	put_bytes(&statement, p->operator_public, 32);
	put_u32(&statement, flags);
	put_u8(&statement, 1);
	put_bytes(&statement, service_group, sizeof(service_group));
	if (!ta_on_optee())
		operator_sign(p, SR_TA_STATEMENT_PROVISION, &statement, signature);
	begin(r);
	put_bytes(r, statement.data, statement.len);
	put_bytes(r, signature, sizeof(signature));
}

static void begin_transaction(struct ta_request *r)
{
	static uint8_t bytes[4096];
	const struct transaction t = make_transaction();
	const size_t len = encode_transaction(&t, bytes);

	begin_id(r, "tx");
	put_u8(r, 1);
	put_u16(r, (uint16_t)len);
	put_bytes(r, bytes, len);
}

/* Of its form, to this TA, and sealed by nobody. */
static void put_false_envelope(struct ta_request *r, const uint8_t transport[static 32])
{
	const uint8_t nothing[12 + 32 + 16] = { 0 };
	uint8_t ephemeral[32] = { 9 };

	put_bytes(r, "SRKE", 4);
	put_u8(r, 1);
	put_bytes(r, ta_uuid_bytes, sizeof(ta_uuid_bytes));
	put_bytes(r, transport, 32);
	put_bytes(r, ephemeral, sizeof(ephemeral));
	put_u8(r, SR_TA_ALG_ED25519);
	put_u32(r, SR_TA_USAGE_DIGEST);
	put_u8(r, SR_TA_ORIGIN_GENERATED);
	put_u64(r, TEST_CREATED);
	put_id(r, "wr");
	put_u8(r, 32);
	put_bytes(r, nothing, 32);
	put_u32(r, 0);
	put_u16(r, 0);
	put_bytes(r, (uint8_t[64]){ 0 }, 64);
	put_bytes(r, nothing, sizeof(nothing));
}

static void begin_import_wrapped(struct world *w, struct ta_request *r)
{
	static struct ta_request own;
	static struct envelope envelope;
	uint8_t transport[32] = { 0 };

	own.len = 0;
	transport_key(w->p, transport);
	put_false_envelope(&own, transport);
	if (w->kind != WORLD_BLANK) {
		assert_int_equal(make_key(w->p, SR_TA_USAGE_DIGEST, "wr", NULL), TEEC_SUCCESS);
		assert_int_equal(export_key(w->p, "wr", &envelope), TEEC_SUCCESS);
		assert_int_equal(drop_key(w->p, "wr"), TEEC_SUCCESS);
		own.len = 0;
		put_bytes(&own, envelope.data, envelope.len);
	}
	begin(r);
	put_u16(r, (uint16_t)own.len);
	put_bytes(r, own.data, own.len);
	put_u64(r, TEST_CREATED);
}

static void begin_operated(struct world *w)
{
	const struct policy policy = usual_policy();
	uint8_t recipient[32] = { 9 };
	struct ta_request *r = w->valid;

	begin_set_policy(w->p, &r[SR_TA_CMD_SET_POLICY], "pm", 2, &policy);
	begin_export(w->p, &r[SR_TA_CMD_EXPORT_WRAPPED], "ec", recipient);
	begin_import_wrapped(w, &r[SR_TA_CMD_IMPORT_WRAPPED]);
	begin_provision(w->p, &r[SR_TA_CMD_PROVISION],
			w->kind == WORLD_BLANK ? SR_TA_PROVISION_DEVELOPMENT : 0);
}

static void begin_all_valid(struct world *w)
{
	const uint8_t nonce[32] = { 7 };
	struct ta_request *r = w->valid;

	for (uint32_t command = 0; command <= SR_TA_CMD_GET_INFO; command++)
		begin_valid(&r[command], command);
	r[SR_TA_CMD_IMPORT_KEY].data[r[SR_TA_CMD_IMPORT_KEY].len - 1] = 1;
	begin_chain(&r[SR_TA_CMD_BEGIN]);
	begin(&r[SR_TA_CMD_AUDIT_READ]);
	begin(&r[SR_TA_CMD_CHECKPOINT]);
	put_u8(&r[SR_TA_CMD_CHECKPOINT], 1);
	begin_id(&r[SR_TA_CMD_GET_POLICY], "pm");
	begin_transaction(&r[SR_TA_CMD_SIGN_TRANSACTION]);
	begin(&r[SR_TA_CMD_ATTEST]);
	put_bytes(&r[SR_TA_CMD_ATTEST], nonce, sizeof(nonce));
	put_id(&r[SR_TA_CMD_ATTEST], "ec");
	put_u8(&r[SR_TA_CMD_ATTEST], 0);
	begin_id(&r[SR_TA_CMD_ROTATE_KEY], "ec");
	put_id(&r[SR_TA_CMD_ROTATE_KEY], "rotated");
	put_u64(&r[SR_TA_CMD_ROTATE_KEY], TEST_CREATED);
	put_host_entropy(&r[SR_TA_CMD_ROTATE_KEY], 0x33);
	begin_operated(w);
}

size_t id_offset(uint32_t command, unsigned which)
{
	static const uint8_t first[SR_TA_COMMANDS] = {
		[SR_TA_CMD_GENERATE_KEY] = 5,
		[SR_TA_CMD_IMPORT_KEY] = 5,
		[SR_TA_CMD_SIGN_MESSAGE] = 0,
		[SR_TA_CMD_SIGN_SPONSORSHIP] = 1,
		[SR_TA_CMD_ATTEST] = 32,
		[SR_TA_CMD_IMPORT_WRAPPED] = 2 + 4 + 1 + 16 + 32 + 32 + 1 + 4 + 1 + 8,
	};
	static const bool none[SR_TA_COMMANDS] = {
		[SR_TA_CMD_GET_INFO] = true,   [SR_TA_CMD_BEGIN] = true,
		[SR_TA_CMD_AUDIT_READ] = true, [SR_TA_CMD_CHECKPOINT] = true,
		[SR_TA_CMD_PROVISION] = true,
	};

	if (which)
		return command == SR_TA_CMD_ROTATE_KEY ? FRAMING + 3 : 0;
	return none[command] ? 0 : FRAMING + (size_t)first[command];
}

void replace_id(struct ta_request *r, uint32_t command, unsigned which, const void *id, uint8_t len)
{
	static struct ta_request rest;
	const size_t at = id_offset(command, which);
	const size_t before = r->data[at];

	rest.len = 0;
	put_bytes(&rest, r->data + at + 1 + before, r->len - at - 1 - before);
	r->len = at;
	put_u8(r, len);
	put_bytes(r, id, len);
	put_bytes(r, rest.data, rest.len);
	if (command == SR_TA_CMD_IMPORT_WRAPPED) {
		const size_t envelope = r->len - FRAMING - 2 - 8;

		r->data[FRAMING] = (uint8_t)envelope;
		r->data[FRAMING + 1] = (uint8_t)(envelope >> 8);
	}
}

bool alters(uint32_t command)
{
	switch (command) {
	case SR_TA_CMD_GENERATE_KEY:
	case SR_TA_CMD_IMPORT_KEY:
	case SR_TA_CMD_DELETE_KEY:
	case SR_TA_CMD_PROVISION:
	case SR_TA_CMD_SET_POLICY:
	case SR_TA_CMD_IMPORT_WRAPPED:
	case SR_TA_CMD_ROTATE_KEY:
		return true;
	default:
		return false;
	}
}

bool appends(uint32_t command)
{
	switch (command) {
	case SR_TA_CMD_GET_PUBLIC_KEY:
	case SR_TA_CMD_LIST_KEYS:
	case SR_TA_CMD_GET_INFO:
	case SR_TA_CMD_BEGIN:
	case SR_TA_CMD_AUDIT_READ:
	case SR_TA_CMD_GET_POLICY:
	case SR_TA_CMD_ATTEST:
		return false;
	default:
		return true;
	}
}

/* ---- worlds --------------------------------------------------------------------- */

static void make_keys(struct provisioned *p)
{
	assert_int_equal(make_key(p, SR_TA_USAGE_DIGEST, "ec", &world.ec), TEEC_SUCCESS);
	begin_new_key(&p->request, SR_TA_ALG_ED25519, SR_TA_USAGE_DIGEST, "ed");
	put_host_entropy(&p->request, 0xa5);
	assert_int_equal(host_call(p, SR_TA_CMD_GENERATE_KEY, &p->request, &p->response),
			 TEEC_SUCCESS);
	assert_int_equal(make_key(p, SR_TA_USAGE_SPONSOR, "pm", NULL), TEEC_SUCCESS);
	assert_int_equal(make_key(p, SR_TA_USAGE_TRANSACTION, "tx", NULL), TEEC_SUCCESS);
	assert_int_equal(make_key(p, SR_TA_USAGE_SPONSOR, "free", NULL), TEEC_SUCCESS);
}

static void give_policies(struct provisioned *p)
{
	const struct policy policy = usual_policy();

	assert_int_equal(set_policy(p, "pm", 1, &policy), TEEC_SUCCESS);
	assert_int_equal(set_policy(p, "tx", 1, &policy), TEEC_SUCCESS);
}

static void take_operator(struct world *w)
{
	static const uint32_t flags[WORLD_KINDS] = {
		[WORLD_OPERATED] = SR_TA_PROVISION_DEVELOPMENT,
		[WORLD_FORCED] = SR_TA_PROVISION_DEVELOPMENT | SR_TA_PROVISION_FORCE_AUDIT,
	};

	begin_provision(w->p, &w->p->request, flags[w->kind]);
	assert_int_equal(host_call(w->p, SR_TA_CMD_PROVISION, &w->p->request, &w->p->response),
			 TEEC_SUCCESS);
	give_policies(w->p);
}

static void make_world(enum world_kind kind)
{
	void *state = NULL;

	/* Not on the stack, and not in the fixture's: it is large. */
	world.p = mmap(NULL, sizeof(*world.p), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		       -1, 0);
	assert_ptr_not_equal(world.p, MAP_FAILED);
	assert_true(sodium_init() >= 0);
	assert_int_equal(crypto_sign_keypair(world.p->operator_public, world.p->operator_secret),
			 0);
	world.kind = kind;
	stranger = NULL;
	sim_client_hook = kind == WORLD_SERVICE ? present_client : NULL;
	assert_int_equal(ta_setup(&state), 0);
	client = state;
	world.p->ta = *client;
	world.p->log.kept = kind == WORLD_FORCED;
	assert_int_equal(host_begin(world.p), TEEC_SUCCESS);
	make_keys(world.p);
	if (kind != WORLD_BLANK)
		take_operator(&world);
	begin_all_valid(&world);
	world.there = true;
}

void leave_world(void)
{
	void *state = client;

	sim_client_hook = NULL;
	sim_test_panic_after(0);
	world.there = false;
	if (client) {
		client->session = world.p->ta.session;
		(void)ta_teardown(&state);
		munmap(world.p, sizeof(*world.p));
	}
	client = NULL;
}

struct world *enter_world(enum world_kind kind)
{
	if (!world.there || world.kind != kind) {
		leave_world();
		make_world(kind);
	}
	return &world;
}

void spoil_world(void)
{
	world.there = false;
}

/* ---- calls ---------------------------------------------------------------------- */

void send_raw(struct ta_client *c, TEEC_Session *session, uint32_t command,
	      const struct ta_request *r, size_t room, struct answer *out)
{
	TEEC_Operation op = { 0 };

	memset(out, 0, sizeof(*out));
	memset(out->data, UNTOUCHED, sizeof(out->data));
	op.paramTypes = TEEC_PARAM_TYPES(TEEC_MEMREF_TEMP_INPUT, TEEC_MEMREF_TEMP_OUTPUT, TEEC_NONE,
					 TEEC_NONE);
	memcpy(&op.params[0].tmpref.buffer, &(const void *){ r->data }, sizeof(void *));
	op.params[0].tmpref.size = r->len;
	op.params[1].tmpref.buffer = room ? out->data : NULL;
	op.params[1].tmpref.size = room;
	out->result = c->api.invoke_command(session, command, &op, &out->origin);
	out->size = op.params[1].tmpref.size;
}

static bool untouched(const struct answer *a, size_t from)
{
	uint8_t changed = 0;

	for (size_t i = from; i < sizeof(a->data); i++)
		changed |= a->data[i] ^ UNTOUCHED;
	return !changed;
}

size_t expect_error(struct world *w, uint32_t command, const struct ta_request *r, size_t room,
		    TEEC_Result expected)
{
	static struct answer answer;

	send_raw(&w->p->ta, &w->p->ta.session, command, r, room, &answer);
	assert_int_equal(answer.result, expected);
	assert_int_equal(answer.origin, TEEC_ORIGIN_TRUSTED_APP);
	if (expected != TEEC_ERROR_SHORT_BUFFER)
		assert_int_equal(answer.size, 0);
	assert_true(untouched(&answer, 0));
	return answer.size;
}

bool documented(const struct answer *a)
{
	if (a->origin != TEEC_ORIGIN_TRUSTED_APP || a->result == TEEC_ERROR_TARGET_DEAD ||
	    a->result == TEEC_ERROR_GENERIC)
		return false;
	if (a->result == TEEC_SUCCESS)
		return a->size >= 1 + RESPONSE_END && a->size <= sizeof(a->data) &&
		       a->data[0] == SR_TA_WIRE_VERSION && untouched(a, a->size);
	return untouched(a, 0) && (a->size == 0 || a->result == TEEC_ERROR_SHORT_BUFFER);
}
