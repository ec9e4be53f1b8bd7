/* SPDX-License-Identifier: Apache-2.0 */
/* The first inputs of fuzz_ta.c: one for each command, scheme and type of transaction, and a few
 * stories of several commands. Written by "fuzz-ta --write-corpus=DIRECTORY". */
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "ta_world.h"

#define VALID_UNTIL UINT64_C(1900000000)
#define VALID_AFTER UINT64_C(1850000000)
#define ALL MODE_ROOM_ALL
#define SIGNED (MODE_ROOM_ALL | MODE_SIGN)

static struct message input; /* that is being put together */
static struct message body;  /* of the request that comes next */
static const char *directory;
static bool written;

/* ---- inputs --------------------------------------------------------------------- */

static void start(uint8_t world)
{
	input.len = 0;
	body.len = 0;
	put_number(&input, world, 1);
}

static void add(uint8_t command, uint8_t mode)
{
	put_number(&input, command, 1);
	put_number(&input, mode, 1);
	put_number(&input, body.len, 2);
	put_bytes(&input, body.data, body.len);
	body.len = 0;
}

static void store(const char *name)
{
	char path[512] = "";
	FILE *out = NULL;

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	out = fopen(path, "wb");
	written = out && fwrite(input.data, 1, input.len, out) == input.len && written;
	written = out && !fclose(out) && written;
}

static void store_one(const char *name, uint8_t world, uint8_t command, uint8_t mode)
{
	static struct message kept;

	kept = body;
	start(world);
	body = kept;
	add(command, mode);
	store(name);
}

static void put_zeros(struct message *m, size_t len)
{
	static const uint8_t zeros[256] = { 0 };

	put_bytes(m, zeros, len);
}

/* ---- keys ----------------------------------------------------------------------- */

static void put_new_key(uint8_t algorithm, uint32_t usage, const char *id)
{
	put_number(&body, algorithm, 1);
	put_number(&body, usage, 4);
	put_text(&body, id);
	put_number(&body, VALID_AFTER, 8);
}

static void put_generate(const char *id, uint32_t usage)
{
	put_new_key(SR_TA_ALG_SECP256K1, usage, id);
	put_zeros(&body, SR_TA_HOST_ENTROPY_SIZE);
}

static void put_digests(const char *id, uint8_t count)
{
	put_text(&body, id);
	put_number(&body, count, 1);
	put_zeros(&body, (size_t)count * 32);
}

static void put_rotation(const char *id, const char *new_id)
{
	put_text(&body, id);
	put_text(&body, new_id);
	put_number(&body, VALID_AFTER, 8);
	put_zeros(&body, SR_TA_HOST_ENTROPY_SIZE);
}

static void write_key_commands(void)
{
	const uint8_t change = INPUT_CHANGES;

	put_generate("new", SR_TA_USAGE_DIGEST);
	store_one("generate", change, SR_TA_CMD_GENERATE_KEY, ALL);
	put_new_key(SR_TA_ALG_ED25519, SR_TA_USAGE_DIGEST, "new");
	put_zeros(&body, SR_TA_HOST_ENTROPY_SIZE);
	store_one("generate_ed25519", change, SR_TA_CMD_GENERATE_KEY, ALL);
	put_new_key(SR_TA_ALG_SECP256K1, SR_TA_USAGE_SPONSOR, "new");
	put_zeros(&body, 31);
	put_number(&body, 1, 1);
	store_one("import", change, SR_TA_CMD_IMPORT_KEY, ALL);
	put_digests("ec", 2);
	store_one("sign_message", INPUT_BEGUN, SR_TA_CMD_SIGN_MESSAGE, ALL);
	put_text(&body, "ed");
	put_number(&body, 1, 1);
	put_number(&body, 5, 2);
	put_bytes(&body, "hello", 5);
	store_one("sign_ed25519", INPUT_BEGUN, SR_TA_CMD_SIGN_MESSAGE, ALL);
	put_text(&body, "ed");
	store_one("get", 0, SR_TA_CMD_GET_PUBLIC_KEY, ALL);
	put_text(&body, "ed");
	store_one("delete", change, SR_TA_CMD_DELETE_KEY, ALL);
	put_text(&body, "ec");
	store_one("list", 0, SR_TA_CMD_LIST_KEYS, ALL);
	store_one("info", 0, SR_TA_CMD_GET_INFO, ALL);
	put_rotation("pm", "pm2");
	store_one("rotate", INPUT_OPERATED | change, SR_TA_CMD_ROTATE_KEY, ALL);
}

/* ---- sponsorships --------------------------------------------------------------- */

static void put_word(uint64_t high, uint64_t low)
{
	uint8_t be[32] = { 0 };

	for (unsigned i = 0; i < 8; i++) {
		be[8 + i] = (uint8_t)(high >> (56 - 8 * i));
		be[24 + i] = (uint8_t)(low >> (56 - 8 * i));
	}
	put_bytes(&body, be, sizeof(be));
}

static void put_big_endian_time(uint64_t time)
{
	for (unsigned i = 0; i < 6; i++)
		put_number(&body, (uint8_t)(time >> (40 - 8 * i)), 1);
}

static void put_common(uint8_t scheme)
{
	const bool v06 = scheme == SR_TA_SCHEME_VERIFYING_PAYMASTER_V06;
	const bool no_paymaster_gas = v06 || scheme == SR_TA_SCHEME_SINGLETON_V6;

	put_number(&body, WORLD_CHAIN, 8);
	put_bytes(&body, world_entry_point, 20);
	put_bytes(&body, world_paymaster, 20);
	put_bytes(&body, world_sender, 20);
	put_word(0, 7);
	put_word(v06 ? 0 : 1, v06 ? 0 : 2);
	put_word(v06 ? 0 : 3, v06 ? 0 : 4);
	put_word(100000, 50000);
	put_word(no_paymaster_gas ? 0 : 60000, no_paymaster_gas ? 0 : 40000);
	put_word(0, 21000);
	put_word(1000000000, 3000000000);
	put_number(&body, VALID_UNTIL, 8);
	put_number(&body, VALID_AFTER, 8);
}

static void put_verifying_data(void)
{
	put_number(&body, 13, 1);
	put_number(&body, 1, 1);
	put_big_endian_time(VALID_UNTIL);
	put_big_endian_time(VALID_AFTER);
}

/* With everything that is optional. */
static void put_erc20_data(void)
{
	put_number(&body, 1 + 117 + 16 + 16 + 20, 1);
	put_number(&body, 3, 1);
	put_number(&body, 7, 1);
	put_big_endian_time(VALID_UNTIL);
	put_big_endian_time(VALID_AFTER);
	for (unsigned i = 0; i < 20 + 16 + 32 + 16 + 20 + 16 + 16 + 20; i++)
		put_number(&body, 1, 1);
}

static void put_added(uint8_t scheme, bool erc20)
{
	switch (scheme) {
	case SR_TA_SCHEME_VERIFYING_PAYMASTER_V06:
		put_word(0, 7);
		put_number(&body, 2, 2);
		put_bytes(&body, "\x60\x80", 2);
		put_number(&body, 4, 2);
		put_bytes(&body, "\xde\xad\xbe\xef", 4);
		return;
	case SR_TA_SCHEME_OPENZEPPELIN:
		put_word(5, 6);
		put_word(7, 8);
		return;
	case SR_TA_SCHEME_SINGLETON_V8:
		put_word(1, 2);
		break;
	case SR_TA_SCHEME_SINGLETON_V6:
	case SR_TA_SCHEME_SINGLETON_V7:
		break;
	default:
		return;
	}
	if (erc20)
		put_erc20_data();
	else
		put_verifying_data();
}

static void put_sponsorships(uint8_t scheme, const char *id, uint8_t count, bool erc20)
{
	put_number(&body, scheme, 1);
	put_text(&body, id);
	put_number(&body, count, 1);
	for (unsigned i = 0; i < count; i++) {
		put_common(scheme);
		put_added(scheme, erc20);
	}
}

static void write_sponsorships(void)
{
	const uint8_t world = INPUT_OPERATED | INPUT_BEGUN | INPUT_CHANGES;
	char name[32] = "";

	for (uint8_t scheme = 1; scheme <= SR_TA_SCHEME_PARALLEL_V09; scheme++) {
		(void)snprintf(name, sizeof(name), "sponsorship-%u", scheme);
		put_sponsorships(scheme, "pm", 1 + scheme % 2, false);
		store_one(name, world, SR_TA_CMD_SIGN_SPONSORSHIP, ALL);
	}
	put_sponsorships(SR_TA_SCHEME_SINGLETON_V7, "pm", 1, true);
	store_one("sponsorship-4-erc20", world, SR_TA_CMD_SIGN_SPONSORSHIP, ALL);
	put_sponsorships(SR_TA_SCHEME_SINGLETON_V8, "pm", 1, true);
	store_one("sponsorship-5-erc20", world, SR_TA_CMD_SIGN_SPONSORSHIP, ALL);
	put_sponsorships(SR_TA_SCHEME_VERIFYING_PAYMASTER_V07, "free", 1, false);
	store_one("sponsorship-unprovisioned", INPUT_BEGUN, SR_TA_CMD_SIGN_SPONSORSHIP, ALL);
}

/* ---- transactions --------------------------------------------------------------- */

static void put_string(struct message *m, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	if (len != 1 || bytes[0] >= 0x80) {
		if (len > 55)
			put_number(m, 0xb7 + (len > 255 ? 2u : 1u), 1);
		if (len > 255)
			put_number(m, len >> 8, 1);
		put_number(m, len > 55 ? len & 0xff : 0x80 + len, 1);
	}
	put_bytes(m, data, len);
}

static void put_integer(struct message *m, uint64_t v)
{
	uint8_t be[8] = { 0 };
	size_t skip = 0;

	for (unsigned i = 0; i < 8; i++)
		be[i] = (uint8_t)(v >> (56 - 8 * i));
	while (skip < 8 && !be[skip])
		skip++;
	put_string(m, be + skip, 8 - skip);
}

static void put_list_of(struct message *m, const struct message *items)
{
	if (items->len > 255)
		put_number(m, 0xf9, 1);
	else if (items->len > 55)
		put_number(m, 0xf8, 1);
	if (items->len > 255)
		put_number(m, items->len >> 8, 1);
	put_number(m, items->len > 55 ? items->len & 0xff : 0xc0 + items->len, 1);
	put_bytes(m, items->data, items->len);
}

/* handleOps of one operation. */
static void put_bundle(struct message *m)
{
	uint8_t data[4 + 4 * 32 + 64] = { 0x76, 0x5e, 0x82, 0x7f };

	data[4 + 31] = 0x40;
	memcpy(data + 4 + 32 + 12, world_beneficiary, 20);
	data[4 + 64 + 31] = 1;
	data[4 + 96 + 31] = 0x20;
	put_string(m, data, sizeof(data));
}

static void put_authorizations(struct message *m)
{
	static struct message tuple;
	static struct message list;
	const uint8_t word[32] = { 0x11 };

	tuple.len = 0;
	list.len = 0;
	put_integer(&tuple, WORLD_CHAIN);
	put_string(&tuple, world_sender, 20);
	put_integer(&tuple, 7);
	put_integer(&tuple, 1);
	put_string(&tuple, word, sizeof(word));
	put_string(&tuple, word, sizeof(word));
	put_list_of(&list, &tuple);
	put_list_of(m, &list);
}

static void put_transaction(uint8_t type, const uint8_t to[20], bool bundle)
{
	static struct message fields;
	static struct message whole;

	fields.len = 0;
	whole.len = 0;
	put_integer(&fields, WORLD_CHAIN);
	put_integer(&fields, 9);
	put_integer(&fields, 1000000000);
	put_integer(&fields, 3000000000);
	put_integer(&fields, 1000000);
	put_string(&fields, to, 20);
	put_integer(&fields, 0);
	if (bundle)
		put_bundle(&fields);
	else
		put_string(&fields, "", 0);
	put_number(&fields, 0xc0, 1);
	if (type == 4)
		put_authorizations(&fields);
	put_number(&whole, type, 1);
	put_list_of(&whole, &fields);
	put_number(&body, whole.len, 2);
	put_bytes(&body, whole.data, whole.len);
}

static void write_transactions(void)
{
	const uint8_t world = INPUT_OPERATED | INPUT_BEGUN | INPUT_CHANGES;
	uint8_t own[20] = { 0 };

	put_text(&body, "tx");
	put_number(&body, 1, 1);
	put_transaction(2, world_entry_point, true);
	store_one("transaction-2", world, SR_TA_CMD_SIGN_TRANSACTION, ALL);
	put_text(&body, "tx");
	put_number(&body, 1, 1);
	put_transaction(4, world_entry_point, true);
	store_one("transaction-4", world, SR_TA_CMD_SIGN_TRANSACTION, ALL);
	world_own_address(own);
	put_text(&body, "tx");
	put_number(&body, 2, 1);
	put_transaction(2, own, false);
	put_transaction(2, world_sender, false);
	store_one("transaction-cancels", world, SR_TA_CMD_SIGN_TRANSACTION, ALL);
}

/* ---- the operator, the log, envelopes ------------------------------------------- */

static void put_begin(uint8_t override)
{
	put_zeros(&body, 8 + SR_TA_HOST_ENTROPY_SIZE + 48);
	put_number(&body, override, 1);
	put_zeros(&body, override ? 64 : 0);
}

static void put_setting(const char *id, uint32_t version, uint32_t window)
{
	static struct message policy;

	policy.len = 0;
	put_world_policy(&policy, window);
	put_text(&body, id);
	put_number(&body, version, 4);
	put_number(&body, policy.len, 2);
	put_bytes(&body, policy.data, policy.len);
	put_zeros(&body, 64);
}

static void put_provisioning(uint32_t flags)
{
	put_zeros(&body, 32);
	put_number(&body, flags, 4);
	put_number(&body, 1, 1);
	put_zeros(&body, 16 + 64);
}

static void put_attestation(const char *id)
{
	put_zeros(&body, 32);
	put_text(&body, id);
	put_number(&body, 0, 1);
}

/* What is sealed; sealing fills in the rest. */
static void put_envelope(uint32_t usage, uint32_t window)
{
	static struct message envelope;
	static struct message policy;
	static const uint8_t uuid[16] = { 0x12, 0x34, 0x56, 0x78, 0x5b, 0x69, 0x11, 0xd4,
					  0x9f, 0xee, 0x00, 0xc0, 0x4f, 0x4c, 0x34, 0x56 };

	envelope.len = 0;
	policy.len = 0;
	if (window)
		put_world_policy(&policy, window);
	put_bytes(&envelope, "SRKE\1", 5);
	put_bytes(&envelope, uuid, sizeof(uuid));
	put_zeros(&envelope, 64);
	put_number(&envelope, SR_TA_ALG_SECP256K1, 1);
	put_number(&envelope, usage, 4);
	put_number(&envelope, SR_TA_ORIGIN_GENERATED, 1);
	put_number(&envelope, VALID_AFTER, 8);
	put_text(&envelope, "brought");
	put_number(&envelope, 65, 1);
	put_number(&envelope, 4, 1);
	put_zeros(&envelope, 64);
	put_number(&envelope, window ? 1 : 0, 4);
	put_number(&envelope, policy.len, 2);
	put_bytes(&envelope, policy.data, policy.len);
	put_zeros(&envelope, 64 + 12 + 32 + 16);
	put_number(&body, envelope.len, 2);
	put_bytes(&body, envelope.data, envelope.len);
	put_number(&body, VALID_AFTER, 8);
}

static void write_own_commands(void)
{
	const uint8_t operated = INPUT_OPERATED | INPUT_BEGUN | INPUT_CHANGES;

	put_begin(0);
	store_one("begin", INPUT_CHANGES, SR_TA_CMD_BEGIN, ALL | MODE_LOG);
	put_begin(1);
	store_one("begin-override", INPUT_OPERATED | INPUT_CHANGES, SR_TA_CMD_BEGIN, SIGNED);
	store_one("audit_read", operated, SR_TA_CMD_AUDIT_READ, ALL | MODE_LOG);
	put_number(&body, 1, 1);
	store_one("checkpoint", operated, SR_TA_CMD_CHECKPOINT, ALL);
	put_provisioning(SR_TA_PROVISION_DEVELOPMENT);
	store_one("provision", INPUT_CHANGES, SR_TA_CMD_PROVISION, SIGNED);
	put_setting("pm", 2, 0);
	store_one("set_policy", operated, SR_TA_CMD_SET_POLICY, SIGNED);
	put_text(&body, "pm");
	store_one("get_policy", operated, SR_TA_CMD_GET_POLICY, ALL);
	put_attestation("pm");
	store_one("attest", operated, SR_TA_CMD_ATTEST, ALL);
	put_envelope(SR_TA_USAGE_DIGEST, 0);
	store_one("import_wrapped", operated, SR_TA_CMD_IMPORT_WRAPPED, SIGNED);
	put_envelope(SR_TA_USAGE_SPONSOR, 600);
	store_one("import_wrapped-policy", operated, SR_TA_CMD_IMPORT_WRAPPED, SIGNED);
	put_text(&body, "ec");
	put_number(&body, 9, 1);
	put_zeros(&body, 31 + 64);
	store_one("export_wrapped", operated, SR_TA_CMD_EXPORT_WRAPPED, SIGNED);
}

/* ---- stories -------------------------------------------------------------------- */

static void write_stories(void)
{
	start(INPUT_CHANGES);
	put_begin(0);
	add(SR_TA_CMD_BEGIN, ALL | MODE_LOG);
	put_generate("k", SR_TA_USAGE_SPONSOR);
	add(SR_TA_CMD_GENERATE_KEY, ALL | MODE_LOG);
	put_sponsorships(SR_TA_SCHEME_VERIFYING_PAYMASTER_V07, "k", 2, false);
	add(SR_TA_CMD_SIGN_SPONSORSHIP, ALL | MODE_LOG);
	put_text(&body, "k");
	add(SR_TA_CMD_DELETE_KEY, ALL | MODE_LOG);
	add(SR_TA_CMD_AUDIT_READ, ALL | MODE_LOG);
	store("story-of-a-key");

	start(INPUT_CHANGES);
	put_provisioning(SR_TA_PROVISION_DEVELOPMENT | SR_TA_PROVISION_FORCE_AUDIT);
	add(SR_TA_CMD_PROVISION, SIGNED);
	put_setting("pm", 1, 600);
	add(SR_TA_CMD_SET_POLICY, SIGNED | MODE_LOG);
	put_sponsorships(SR_TA_SCHEME_VERIFYING_PAYMASTER_V06, "pm", 1, false);
	add(SR_TA_CMD_SIGN_SPONSORSHIP, ALL | MODE_LOG);
	put_text(&body, "pm");
	add(SR_TA_CMD_GET_POLICY, ALL | MODE_LOG);
	store("story-of-an-operator");

	start(INPUT_OPERATED | INPUT_BEGUN | INPUT_CHANGES);
	put_rotation("pm", "next");
	add(SR_TA_CMD_ROTATE_KEY, ALL);
	put_sponsorships(SR_TA_SCHEME_OPENZEPPELIN, "next", 1, false);
	add(SR_TA_CMD_SIGN_SPONSORSHIP, ALL);
	put_text(&body, "next");
	add(SR_TA_CMD_GET_POLICY, ALL);
	store("story-of-a-rotation");
}

bool write_corpus(const char *into)
{
	directory = into;
	written = true;
	world_enter(WORLD_BLANK, false, false);
	write_key_commands();
	write_sponsorships();
	write_transactions();
	write_own_commands();
	write_stories();
	world_leave();
	return written;
}
