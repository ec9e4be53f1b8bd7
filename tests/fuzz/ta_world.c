/* SPDX-License-Identifier: Apache-2.0 */
#include "ta_world.h"

#include <dirent.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "eth/eth.h"
#include "kms/envelope.h"
#include "tee/sim/sim_test.h"
#include "tee/tee.h"
#include "temp_dir.h"

#define FILES_MAX 64
#define FILE_MAX 4096

const uint8_t world_entry_point[20] = {
	0x00, 0x00, 0x00, 0x00, 0x71, 0x72, 0x7d, 0xe2, 0x2e, 0x5e,
	0x9d, 0x8b, 0xaf, 0x0e, 0xda, 0xc6, 0xf3, 0x7d, 0xa0, 0x32
};
const uint8_t world_paymaster[20] = { 0xdc, 0x64, 0xa1, 0x40 };
const uint8_t world_beneficiary[20] = { 0xbe, 0xef };
const uint8_t world_sender[20] = { 0x12, 0x34 };

static const uint8_t uuid_bytes[16] = { 0x12, 0x34, 0x56, 0x78, 0x5b, 0x69, 0x11, 0xd4,
					0x9f, 0xee, 0x00, 0xc0, 0x4f, 0x4c, 0x34, 0x56 };

/* A store as it was made, file by file. */
struct file {
	char name[128];
	uint8_t data[FILE_MAX];
	size_t len;
};

struct snapshot {
	char directory[TEMP_DIR_MAX];
	struct file files[FILES_MAX];
	size_t count;
};

static struct world_key {
	const char *id;
	uint8_t algorithm;
	uint32_t usage;
	uint8_t public_key[SR_TA_PUBLIC_KEY_MAX];
	size_t public_len;
} keys[] = {
	{ .id = "ec", .algorithm = SR_TA_ALG_SECP256K1, .usage = SR_TA_USAGE_DIGEST },
	{ .id = "ed", .algorithm = SR_TA_ALG_ED25519, .usage = SR_TA_USAGE_DIGEST },
	{ .id = "pm", .algorithm = SR_TA_ALG_SECP256K1, .usage = SR_TA_USAGE_SPONSOR },
	{ .id = "tx", .algorithm = SR_TA_ALG_SECP256K1, .usage = SR_TA_USAGE_TRANSACTION },
	{ .id = "free", .algorithm = SR_TA_ALG_SECP256K1, .usage = SR_TA_USAGE_SPONSOR },
};

static struct tee_api api;
static TEEC_Context context;
static TEEC_Session session;
static struct snapshot snapshots[WORLDS];
static struct snapshot *present;
static uint8_t operator_public[crypto_sign_PUBLICKEYBYTES];
static uint8_t operator_secret[crypto_sign_SECRETKEYBYTES];
static bool changes_taken;
static bool changed;
static uint64_t numbers;
static uint64_t clock_ms;

/* What a crash of the machine would leave is no question here, and waiting for disks is slow. */
int fsync(int fd)
{
	(void)fd;
	return 0;
}

int fdatasync(int fd)
{
	return fsync(fd);
}

/* ---- bytes ---------------------------------------------------------------------- */

void put_bytes(struct message *m, const void *data, size_t len)
{
	if (!len || len > sizeof(m->data) - m->len)
		return;
	memcpy(m->data + m->len, data, len);
	m->len += len;
}

void put_number(struct message *m, uint64_t v, size_t size)
{
	for (size_t i = 0; i < size; i++)
		put_bytes(m, &(uint8_t){ (uint8_t)(v >> (8 * i)) }, 1);
}

void put_text(struct message *m, const char *text)
{
	put_number(m, strlen(text), 1);
	put_bytes(m, text, strlen(text));
}

void begin_message(struct message *m)
{
	m->len = 0;
	put_number(m, SR_TA_WIRE_VERSION, 1);
	put_number(m, SR_TA_NO_LOG, 8);
}

/* ---- the simulator -------------------------------------------------------------- */

static int judge_change(const char *step)
{
	(void)step;
	changed = changed || changes_taken;
	return changes_taken ? 0 : ENOSPC;
}

/* The same keys of the TA's own every time, for the corpus's envelopes. */
static void give_numbers(void *out, size_t len)
{
	uint8_t seed[randombytes_SEEDBYTES] = { 0 };

	numbers++;
	memcpy(seed, &numbers, sizeof(numbers));
	randombytes_buf_deterministic(out, len, seed);
}

static uint64_t show_time(void)
{
	return clock_ms += 1000;
}

static void connect_to(const char *directory)
{
	const TEEC_UUID uuid = SUPER_RELAY_TA_UUID;

	numbers = 0;
	clock_ms = 1000000;
	if (!tee_load_simulator(directory, &api, NULL) || api.initialize_context(NULL, &context) ||
	    api.open_session(&context, &session, &uuid, TEEC_LOGIN_PUBLIC, NULL, NULL, NULL))
		abort();
}

static void disconnect(void)
{
	api.close_session(&session);
	api.finalize_context(&context);
	sim_test_unload();
}

TEEC_Result world_invoke(uint32_t command, const uint8_t *request, size_t request_len,
			 uint8_t *response, size_t *response_len)
{
	TEEC_Operation op = { 0 };
	TEEC_Result result = TEEC_SUCCESS;

	op.paramTypes = TEEC_PARAM_TYPES(TEEC_MEMREF_TEMP_INPUT, TEEC_MEMREF_TEMP_OUTPUT, TEEC_NONE,
					 TEEC_NONE);
	memcpy(&op.params[0].tmpref.buffer, &(const void *){ request }, sizeof(void *));
	op.params[0].tmpref.size = request_len;
	op.params[1].tmpref.buffer = response;
	op.params[1].tmpref.size = *response_len;
	result = api.invoke_command(&session, command, &op, NULL);
	*response_len = op.params[1].tmpref.size;
	return result;
}

static size_t must(uint32_t command, const struct message *request, uint8_t response[1024])
{
	size_t len = 1024;

	if (world_invoke(command, request->data, request->len, response, &len) != TEEC_SUCCESS)
		abort();
	return len;
}

/* ---- snapshots ------------------------------------------------------------------ */

static void path_of(const struct snapshot *s, const char *name,
		    char out[static TEMP_PATH_MAX + 128])
{
	(void)snprintf(out, TEMP_PATH_MAX + 128, "%s/%s", s->directory, name);
}

static void keep_file(struct snapshot *s, const char *name)
{
	char path[TEMP_PATH_MAX + 128] = "";
	struct file *file = &s->files[s->count];
	FILE *in = NULL;

	path_of(s, name, path);
	in = fopen(path, "rb");
	if (s->count == FILES_MAX || !in)
		abort();
	(void)snprintf(file->name, sizeof(file->name), "%s", name);
	file->len = fread(file->data, 1, sizeof(file->data), in);
	(void)fclose(in);
	s->count++;
}

static void remove_new_file(struct snapshot *s, const char *name)
{
	char path[TEMP_PATH_MAX + 128] = "";

	for (size_t i = 0; i < s->count; i++) {
		if (!strcmp(s->files[i].name, name))
			return;
	}
	path_of(s, name, path);
	(void)unlink(path);
}

/* For each file in the store, or in its folder of objects. */
static void each_file(struct snapshot *s, const char *folder,
		      void (*what)(struct snapshot *s, const char *name))
{
	char path[TEMP_PATH_MAX + 128] = "";
	char name[300] = "";
	DIR *listing = NULL;

	path_of(s, folder, path);
	listing = opendir(path);
	if (!listing)
		abort();
	for (struct dirent *e = readdir(listing); e; e = readdir(listing)) {
		if (e->d_name[0] == '.' || e->d_type == DT_DIR)
			continue;
		(void)snprintf(name, sizeof(name), "%s%s", folder, e->d_name);
		what(s, name);
	}
	closedir(listing);
}

static bool is_as_it_was(const struct file *file, const char *path)
{
	uint8_t data[FILE_MAX] = { 0 };
	FILE *in = fopen(path, "rb");
	size_t len = 0;

	if (!in)
		return false;
	len = fread(data, 1, sizeof(data), in);
	(void)fclose(in);
	return len == file->len && !memcmp(data, file->data, len);
}

/* What is as it was is left alone: to make a file takes long. */
static void put_back(struct snapshot *s)
{
	char path[TEMP_PATH_MAX + 128] = "";

	each_file(s, "objects/", remove_new_file);
	for (size_t i = 0; i < s->count; i++) {
		const struct file *file = &s->files[i];
		FILE *out = NULL;

		path_of(s, file->name, path);
		if (is_as_it_was(file, path))
			continue;
		out = fopen(path, "wb");
		if (!out || fwrite(file->data, 1, file->len, out) != file->len || fclose(out))
			abort();
	}
}

/* ---- the operator --------------------------------------------------------------- */

static void sign(const char *name, const uint8_t *fields, size_t len, uint8_t out[static 64])
{
	static struct message statement;

	statement.len = 0;
	put_bytes(&statement, name, strlen(name));
	put_bytes(&statement, uuid_bytes, sizeof(uuid_bytes));
	put_bytes(&statement, fields, len);
	(void)crypto_sign_detached(out, NULL, statement.data, statement.len, operator_secret);
}

const uint8_t *world_public_key(const uint8_t *id, size_t id_len, size_t *len)
{
	for (size_t i = 0; i < SR_ARRAY_LEN(keys); i++) {
		*len = keys[i].public_len;
		if (id_len == strlen(keys[i].id) && !memcmp(id, keys[i].id, id_len))
			return keys[i].public_key;
	}
	*len = 0;
	return NULL;
}

void world_own_address(uint8_t out[static 20])
{
	size_t len = 0;
	const uint8_t *public_key = world_public_key((const uint8_t *)"tx", 2, &len);
	uint8_t hash[32] = { 0 };

	eth_keccak256(public_key + 1, len - 1, hash);
	memcpy(out, hash + 12, 20);
}

/* A statement about a key: its id, its public key's hash, and what follows. */
static void sign_for_key(const char *name, const uint8_t *id, const uint8_t *rest, size_t rest_len,
			 uint8_t out[static 64])
{
	static struct message fields;
	uint8_t hash[32] = { 0 };
	size_t len = 0;
	const uint8_t *public_key = world_public_key(id + 1, id[0], &len);

	fields.len = 0;
	if (public_key)
		crypto_hash_sha256(hash, public_key, len);
	put_bytes(&fields, id, 1 + (size_t)id[0]);
	put_bytes(&fields, hash, sizeof(hash));
	put_bytes(&fields, rest, rest_len);
	sign(name, fields.data, fields.len, out);
}

static void sign_provision(struct message *r)
{
	if (r->len < FRAMING + 32 + 64)
		return;
	memcpy(r->data + FRAMING, operator_public, 32);
	sign(SR_TA_STATEMENT_PROVISION, r->data + FRAMING, r->len - 64 - FRAMING,
	     r->data + r->len - 64);
}

static void sign_policy(struct message *r)
{
	static struct message rest;
	const uint8_t *id = r->data + FRAMING;
	const size_t head = FRAMING + 1 + (size_t)id[0];

	if (r->len < head + 4 + 2 + 64)
		return;
	rest.len = 0;
	put_bytes(&rest, r->data + head, 4);
	put_bytes(&rest, r->data + head + 6, r->len - 64 - head - 6);
	sign_for_key(SR_TA_STATEMENT_POLICY, id, rest.data, rest.len, r->data + r->len - 64);
}

static void sign_export(struct message *r)
{
	const uint8_t *id = r->data + FRAMING;
	const size_t head = FRAMING + 1 + (size_t)id[0];

	if (r->len == head + 32 + 64)
		sign_for_key(SR_TA_STATEMENT_EXPORT, id, r->data + head, 32, r->data + head + 32);
}

static void sign_begin(struct message *r)
{
	static struct message fields;
	struct message request = { 0 };
	uint8_t read[1024] = { 0 };
	const size_t tail = FRAMING + 8 + SR_TA_HOST_ENTROPY_SIZE;

	if (r->len != tail + 48 + 1 + 64)
		return;
	begin_message(&request);
	(void)must(SR_TA_CMD_AUDIT_READ, &request, read);
	fields.len = 0;
	put_bytes(&fields, read + 66, 8);
	put_bytes(&fields, read + 82, 8);
	put_bytes(&fields, r->data + tail, 48);
	put_bytes(&fields, read + 1, 65);
	sign(SR_TA_STATEMENT_BEGIN, fields.data, fields.len, r->data + r->len - 64);
}

/* The TA's own, out of an attestation. */
static bool transport_key(uint8_t out[static 32])
{
	struct message request = { 0 };
	uint8_t response[1024] = { 0 };
	size_t len = sizeof(response);

	begin_message(&request);
	put_bytes(&request, operator_public, 32);
	put_number(&request, 0, 2);
	if (world_invoke(SR_TA_CMD_ATTEST, request.data, request.len, response, &len))
		return false;
	memcpy(out, response + 3 + 4 + 1 + 32 + 16 + 3 + 12 + 130, 32);
	return true;
}

/* The envelope's clear fields are the fuzzer's; the secret is 1, and what it needs is signed. */
static void seal(struct message *r)
{
	static struct kms_envelope e;
	const uint8_t ephemeral[32] = { 5 };
	const uint8_t nonce[12] = { 6 };
	static struct message statement;
	uint8_t hash[32] = { 0 };
	size_t len = r->len > FRAMING + 10 ? r->len - FRAMING - 10 : 0;
	uint8_t sealed[SR_TA_ENVELOPE_MAX] = { 0 };

	if (!kms_envelope_read((struct sr_bytes){ r->data + FRAMING + 2, len }, &e, NULL) ||
	    !transport_key(e.recipient))
		return;
	memset(e.secret, 1, sizeof(e.secret));
	if (!kms_derive_public(e.secret, &e.key, NULL))
		return;
	crypto_hash_sha256(hash, e.key.public_key, e.key.public_key_len);
	statement.len = 0;
	put_text(&statement, e.key.id);
	put_bytes(&statement, hash, sizeof(hash));
	put_number(&statement, e.key.policy_version, 4);
	put_bytes(&statement, e.policy, e.policy_len);
	if (e.key.policy_version)
		sign(SR_TA_STATEMENT_POLICY, statement.data, statement.len, e.operator_signature);
	if (!kms_envelope_seal_with(&e, ephemeral, nonce, sealed, &len, NULL))
		return;
	r->len = FRAMING;
	put_number(r, len, 2);
	put_bytes(r, sealed, len);
	put_number(r, 1, 8);
}

void world_sign(uint32_t command, struct message *request)
{
	switch (command) {
	case SR_TA_CMD_PROVISION:
		sign_provision(request);
		break;
	case SR_TA_CMD_SET_POLICY:
		sign_policy(request);
		break;
	case SR_TA_CMD_EXPORT_WRAPPED:
		sign_export(request);
		break;
	case SR_TA_CMD_BEGIN:
		sign_begin(request);
		break;
	case SR_TA_CMD_IMPORT_WRAPPED:
		seal(request);
		break;
	default:
		break;
	}
}

/* ---- making the worlds ---------------------------------------------------------- */

static void put_list(struct message *m, const uint8_t address[20])
{
	put_number(m, 1, 1);
	put_bytes(m, address, 20);
}

static void put_wei(struct message *m, unsigned bit)
{
	uint8_t be[16] = { 0 };

	be[15 - bit / 8] = (uint8_t)(1u << (bit % 8));
	put_bytes(m, be, sizeof(be));
}

void put_world_policy(struct message *m, uint32_t window)
{
	const uint8_t nothing[16] = { 0 };

	put_number(m, SR_TA_POLICY_VERSION, 1);
	put_number(m, 0, 4);
	put_number(m, 1, 1);
	put_number(m, WORLD_CHAIN, 8);
	put_list(m, world_entry_point);
	put_list(m, world_paymaster);
	put_list(m, world_beneficiary);
	put_number(m, WORLD_VALIDITY, 4);
	put_number(m, 30000000, 8);
	put_wei(m, 80);
	put_wei(m, 100);
	put_number(m, window, 4);
	if (window)
		put_wei(m, 110);
	else
		put_bytes(m, nothing, sizeof(nothing));
	put_number(m, window ? 1000 : 0, 4);
}

static void import_key(struct world_key *key, uint8_t number)
{
	struct message request = { 0 };
	uint8_t response[1024] = { 0 };
	uint8_t secret[32] = { 0 };
	const size_t at = 1 + 1 + strlen(key->id) + 1 + 1 + 4 + 8;

	memset(secret, number, sizeof(secret));
	begin_message(&request);
	put_number(&request, key->algorithm, 1);
	put_number(&request, key->usage, 4);
	put_text(&request, key->id);
	put_number(&request, 0, 8);
	put_bytes(&request, secret, sizeof(secret));
	(void)must(SR_TA_CMD_IMPORT_KEY, &request, response);
	key->public_len = response[at];
	memcpy(key->public_key, response + at + 1, key->public_len);
}

static void set_policy(const char *id, uint32_t window)
{
	static struct message policy;
	struct message request = { 0 };
	const uint8_t unsigned_yet[64] = { 0 };
	uint8_t response[1024] = { 0 };

	policy.len = 0;
	put_world_policy(&policy, window);
	begin_message(&request);
	put_text(&request, id);
	put_number(&request, 1, 4);
	put_number(&request, policy.len, 2);
	put_bytes(&request, policy.data, policy.len);
	put_bytes(&request, unsigned_yet, sizeof(unsigned_yet));
	world_sign(SR_TA_CMD_SET_POLICY, &request);
	(void)must(SR_TA_CMD_SET_POLICY, &request, response);
}

static void take_operator(void)
{
	struct message request = { 0 };
	const uint8_t zeros[64] = { 0 };
	uint8_t response[1024] = { 0 };

	begin_message(&request);
	put_bytes(&request, zeros, 32);
	put_number(&request, SR_TA_PROVISION_DEVELOPMENT, 4);
	put_number(&request, 0, 1);
	put_bytes(&request, zeros, 64);
	world_sign(SR_TA_CMD_PROVISION, &request);
	(void)must(SR_TA_CMD_PROVISION, &request, response);
	set_policy("pm", 3600);
	set_policy("tx", 0);
}

static void make_world(unsigned world)
{
	struct snapshot *s = &snapshots[world];

	if (!make_temp_dir(s->directory))
		abort();
	connect_to(s->directory);
	for (size_t i = 0; i < SR_ARRAY_LEN(keys); i++)
		import_key(&keys[i], (uint8_t)(i + 1));
	if (world == WORLD_OPERATED)
		take_operator();
	disconnect();
	each_file(s, "", keep_file);
	each_file(s, "objects/", keep_file);
}

static void remove_stores(void)
{
	for (unsigned i = 0; i < WORLDS; i++)
		(void)remove_temp_dir(snapshots[i].directory);
}

static void make_worlds(void)
{
	const uint8_t seed[crypto_sign_SEEDBYTES] = { 1 };

	if (sodium_init() < 0 || crypto_sign_seed_keypair(operator_public, operator_secret, seed) ||
	    atexit(remove_stores))
		abort();
	sr_log_setup(SR_LOG_ERROR, SR_LOG_TEXT);
	sim_random_hook = give_numbers;
	sim_system_time_hook = show_time;
	for (unsigned i = 0; i < WORLDS; i++)
		make_world(i);
	sim_store_fault_hook = judge_change;
}

static void begin_chain(void)
{
	struct message request = { 0 };
	const uint8_t zeros[8 + SR_TA_HOST_ENTROPY_SIZE + 48 + 1] = { 0 };
	uint8_t response[1024] = { 0 };

	begin_message(&request);
	put_bytes(&request, zeros, sizeof(zeros));
	(void)must(SR_TA_CMD_BEGIN, &request, response);
}

void world_enter(unsigned world, bool changes, bool begun)
{
	if (!api.name)
		make_worlds();
	changes_taken = true;
	changed = false;
	present = &snapshots[world];
	connect_to(present->directory);
	if (begun)
		begin_chain();
	changes_taken = changes;
}

void world_leave(void)
{
	disconnect();
	if (changed)
		put_back(present);
}
