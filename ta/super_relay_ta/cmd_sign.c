/* SPDX-License-Identifier: Apache-2.0 */
/* SIGN_MESSAGE, SIGN_SPONSORSHIP, SIGN_TRANSACTION. */
#include <string.h>

#include "algorithm.h"
#include "audit.h"
#include "commands.h"
#include "entropy.h"
#include "keystore.h"
#include "ledger.h"
#include "memory.h"
#include "policy.h"
#include "sha256.h"
#include "sign_ed25519.h"
#include "sign_secp256k1.h"
#include "sponsorship.h"
#include "state.h"

#define DIGEST_SIZE 32

/* What one signing command works with. */
struct signing {
	uint8_t command;
	uint32_t usage; /* that the key must have */
	const struct ta_key *key;
	struct ta_key_id id;
	bool limited; /* policy is the key's; else it has none, and needs none */
	struct ta_policy policy;
	enum eth_sponsorship_scheme scheme; /* SIGN_SPONSORSHIP: of all items */
	struct eth_address own;		    /* SIGN_TRANSACTION: the key's */
};

/* The only way that the commands here come by a key: none is used without its usage
 * having been compared, and its policy read. */
static TEE_Result find_for(struct signing *s, uint32_t usage)
{
	TEE_Result result = ta_keystore_find(&s->id, &s->key);

	s->usage = usage;
	if (result == TEE_SUCCESS && (s->key->usage & usage) != usage)
		result = TEE_ERROR_ACCESS_DENIED;
	if (result != TEE_SUCCESS || !s->key->policy_version)
		return result;
	s->limited = true;
	result = ta_policy_decode(s->key->policy, s->key->policy_len, &s->policy);
	/* It was decoded when it was set, and when it was loaded: memory has changed. */
	return result == TEE_SUCCESS ? TEE_SUCCESS : TEE_ERROR_SECURITY;
}

/* Looked at twice, as everything that lets a signature out. */
static TEE_Result require_policy(const struct signing *s, bool always)
{
	const volatile bool *limited = &s->limited;

	if (!*limited && (always || ta_state_provisioned()))
		return TEE_ERROR_ACCESS_DENIED;
	if (!*limited && (always || ta_state_provisioned()))
		return TEE_ERROR_ACCESS_DENIED;
	return TEE_SUCCESS;
}

/* The chain's room, after which records may be appended; then what changes with each command. */
static TEE_Result prepare(struct signing *s, const struct ta_reader *in, unsigned count)
{
	const bool forced = s->limited && (s->policy.flags & SR_TA_POLICY_FORCE_AUDIT);
	TEE_Result result = ta_audit_prepare(in, forced, count);

	if (result == TEE_SUCCESS)
		ta_entropy_refresh();
	return result;
}

/* What was refused, and is signed all the same: a fault, which lets nothing out. Asked after
 * the signature is made, of what was found before it. */
static TEE_Result confirm(const struct signing *s, TEE_Result verdict, TEE_Result charged)
{
	const volatile uint32_t *usage = &s->key->usage;
	volatile TEE_Result one = verdict;
	volatile TEE_Result two = charged;

	if (one != TEE_SUCCESS || two != TEE_SUCCESS || *usage != s->usage)
		return TEE_ERROR_SECURITY;
	return TEE_SUCCESS;
}

static TEE_Result record(const struct signing *s, const uint8_t digest[DIGEST_SIZE], ta_wei cost,
			 TEE_Result decision)
{
	struct ta_audit_entry entry = {
		.command = s->command,
		.policy_version = s->key->policy_version,
		.key = &s->id,
	};

	memcpy(entry.digest, digest, DIGEST_SIZE);
	ta_wei_to_be(cost, entry.value);
	return ta_audit_conclude(&entry, decision);
}

/* What is refused as a whole for its key's sake is an attempt all the same. */
static TEE_Result refused(struct signing *s, const struct ta_reader *in, TEE_Result decision)
{
	static const uint8_t none[DIGEST_SIZE];
	TEE_Result result = TEE_SUCCESS;

	if (decision != TEE_ERROR_ACCESS_DENIED)
		return decision;
	result = prepare(s, in, 1);
	return result == TEE_SUCCESS ? record(s, none, 0, decision) : result;
}

/* A signature that does not verify tells of a fault, and the fault may be in the key
 * as it stands in memory: the next use is to load it anew. */
static TEE_Result after_signing(const struct ta_key_id *id, TEE_Result result)
{
	if (result == TEE_ERROR_SECURITY)
		ta_keystore_forget(id);
	return result;
}

/* ---- SIGN_MESSAGE ------------------------------------------------------ */

static TEE_Result charge_message(const struct signing *s)
{
	return s->limited ? ta_ledger_charge(s->key, &s->policy, 0) : TEE_SUCCESS;
}

static TEE_Result sign_digest(const struct signing *s, const uint8_t *digest, uint8_t *signature)
{
	const TEE_Result charged = charge_message(s);
	TEE_Result result = charged;

	if (result == TEE_SUCCESS)
		result = ta_secp256k1_sign(s->key, digest, signature);
	if (result == TEE_SUCCESS)
		result = confirm(s, TEE_SUCCESS, charged);
	result = record(s, digest, 0, result);
	return result == TEE_ERROR_OVERFLOW ? TEE_ERROR_ACCESS_DENIED : result;
}

/* All or nothing: one failure keeps every signature of the batch inside. */
static TEE_Result sign_digests(struct signing *s, uint8_t count, struct ta_reader *in,
			       struct ta_writer *out)
{
	uint8_t signature[SR_TA_SECP256K1_SIGNATURE_SIZE] = { 0 };
	const uint8_t *digest = NULL;
	TEE_Result result = TEE_SUCCESS;

	if (ta_reader_left(in) != (size_t)count * DIGEST_SIZE)
		return TEE_ERROR_BAD_FORMAT;
	result = ta_put_reserve(out, 2 + (size_t)count * sizeof(signature));
	if (result == TEE_SUCCESS)
		result = prepare(s, in, count);
	if (result != TEE_SUCCESS)
		return result;
	ta_put_u8(out, SR_TA_WIRE_VERSION);
	ta_put_u8(out, count);
	for (unsigned i = 0; i < count; i++) {
		digest = ta_get_view(in, DIGEST_SIZE);
		if (!digest)
			return TEE_ERROR_BAD_FORMAT;
		result = sign_digest(s, digest, signature);
		if (result != TEE_SUCCESS)
			return result;
		ta_put_bytes(out, signature, sizeof(signature));
	}
	return TEE_SUCCESS;
}

static TEE_Result sign_ed25519(const struct signing *s, const uint8_t *message, size_t len,
			       uint8_t signature[static SR_TA_ED25519_SIGNATURE_SIZE])
{
	uint8_t digest[DIGEST_SIZE] = { 0 };
	TEE_Result charged = TEE_ERROR_SECURITY;
	TEE_Result result = ta_sha256(message, len, digest);

	if (result != TEE_SUCCESS)
		return result;
	charged = charge_message(s);
	result = charged;
	if (result == TEE_SUCCESS)
		result = ta_ed25519_sign(s->key, message, len, signature);
	if (result == TEE_SUCCESS)
		result = confirm(s, TEE_SUCCESS, charged);
	result = record(s, digest, 0, result);
	return result == TEE_ERROR_OVERFLOW ? TEE_ERROR_ACCESS_DENIED : result;
}

/* Ed25519 takes messages, not digests, and they vary in length: one at a time. */
static TEE_Result sign_one_message(struct signing *s, uint8_t count, struct ta_reader *in,
				   struct ta_writer *out)
{
	uint8_t signature[SR_TA_ED25519_SIGNATURE_SIZE] = { 0 };
	const uint8_t *message = NULL;
	uint16_t len = 0;
	TEE_Result result = TEE_SUCCESS;

	if (count != 1)
		return TEE_ERROR_BAD_PARAMETERS;
	len = ta_get_u16(in);
	message = ta_get_view(in, len);
	if (!message || !ta_reader_done(in))
		return TEE_ERROR_BAD_FORMAT;
	if (len > SR_TA_MESSAGE_MAX)
		return TEE_ERROR_BAD_PARAMETERS;
	result = ta_put_reserve(out, 2 + sizeof(signature));
	if (result == TEE_SUCCESS)
		result = prepare(s, in, count);
	if (result == TEE_SUCCESS)
		result = sign_ed25519(s, message, len, signature);
	if (result != TEE_SUCCESS)
		return result;
	ta_put_u8(out, SR_TA_WIRE_VERSION);
	ta_put_u8(out, count);
	ta_put_bytes(out, signature, sizeof(signature));
	return TEE_SUCCESS;
}

TEE_Result ta_cmd_sign_message(struct ta_reader *in, struct ta_writer *out)
{
	struct signing s = { .command = SR_TA_CMD_SIGN_MESSAGE };
	uint8_t count = 0;
	TEE_Result result = TEE_SUCCESS;

	ta_key_id_read(in, &s.id);
	count = ta_get_u8(in);
	if (in->failed)
		return TEE_ERROR_BAD_FORMAT;
	if (!ta_key_id_valid(&s.id) || !count || count > SR_TA_BATCH_MAX)
		return TEE_ERROR_BAD_PARAMETERS;
	result = find_for(&s, SR_TA_USAGE_DIGEST);
	if (result != TEE_SUCCESS)
		return refused(&s, in, result);
	switch (s.key->algorithm) {
	case SR_TA_ALG_SECP256K1:
		return after_signing(&s.id, sign_digests(&s, count, in, out));
	case SR_TA_ALG_ED25519:
		return after_signing(&s.id, sign_one_message(&s, count, in, out));
	default:
		return TEE_ERROR_NOT_SUPPORTED;
	}
}

/* ---- what is signed item by item ------------------------------------------- */

struct item {
	uint8_t digest[DIGEST_SIZE];
	ta_wei cost;
	TEE_Result verdict; /* of its form and of the policy */
};

/* Each item stands for itself: a bad one must not cost the others of its batch
 * their signatures, since they come from different users. In this order: verdict, budget,
 * signature, record; nothing leaves that is not recorded. */
static TEE_Result sign_item(const struct signing *s, const struct item *item, struct ta_writer *out)
{
	uint8_t signature[SR_TA_SECP256K1_SIGNATURE_SIZE] = { 0 };
	TEE_Result charged = TEE_ERROR_SECURITY;
	TEE_Result result = item->verdict;

	if (result == TEE_SUCCESS)
		result = charged =
			s->limited ? ta_ledger_charge(s->key, &s->policy, item->cost) : TEE_SUCCESS;
	if (result == TEE_SUCCESS)
		result = ta_secp256k1_sign(s->key, item->digest, signature);
	if (result == TEE_SUCCESS)
		result = confirm(s, item->verdict, charged);
	result = record(s, item->digest, item->cost, result);
	if (result != TEE_SUCCESS)
		ta_wipe(signature, sizeof(signature));
	ta_put_u32(out, result);
	ta_put_bytes(out, item->digest, sizeof(item->digest));
	ta_put_bytes(out, signature, sizeof(signature));
	return result;
}

/* Judges the item at the reader, and fills digest and cost as far as there are any. */
typedef void (*judge_item)(const struct signing *s, struct ta_reader *in, struct item *out);

static void sign_items(const struct signing *s, uint8_t count, struct ta_reader *in,
		       struct ta_writer *out, judge_item judge)
{
	bool faulty = false;

	ta_put_u8(out, SR_TA_WIRE_VERSION);
	ta_put_u8(out, count);
	for (unsigned i = 0; i < count; i++) {
		struct item item = { .verdict = TEE_ERROR_SECURITY };

		judge(s, in, &item);
		faulty = sign_item(s, &item, out) == TEE_ERROR_SECURITY || faulty;
	}
	(void)after_signing(&s->id, faulty ? TEE_ERROR_SECURITY : TEE_SUCCESS);
}

/* ---- SIGN_SPONSORSHIP -------------------------------------------------- */

/* Where there is no policy there is nothing to be over. */
static TEE_Result judge_cost(const struct signing *s, bool known, const struct eth_u256 *cost,
			     ta_wei *out)
{
	if (known && ta_wei_from_u256(cost, out))
		return TEE_SUCCESS;
	*out = 0;
	return s->limited ? TEE_ERROR_ACCESS_DENIED : TEE_SUCCESS;
}

static void judge_sponsorship(const struct signing *s, const struct eth_sponsorship *of,
			      struct item *out)
{
	struct eth_u256 cost = { { 0 } };
	const bool known = eth_sponsorship_cost(of, &cost);

	out->verdict = ta_sponsorship_check(of);
	if (out->verdict == TEE_SUCCESS && !eth_sponsorship_digest(of, out->digest)) {
		memset(out->digest, 0, sizeof(out->digest));
		out->verdict = TEE_ERROR_BAD_PARAMETERS;
	}
	if (out->verdict == TEE_SUCCESS)
		out->verdict = judge_cost(s, known, &cost, &out->cost);
	if (out->verdict == TEE_SUCCESS && s->limited)
		out->verdict = ta_policy_judge_sponsorship(&s->policy, of, out->cost);
}

static void read_and_judge_sponsorship(const struct signing *s, struct ta_reader *in,
				       struct item *out)
{
	struct eth_sponsorship sponsorship = { 0 };

	if (ta_sponsorship_read(in, s->scheme, &sponsorship))
		judge_sponsorship(s, &sponsorship, out);
}

/* Items vary in length with some schemes: the form of all is known before one is signed. */
static bool sponsorships_well_formed(struct ta_reader in, enum eth_sponsorship_scheme scheme,
				     uint8_t count)
{
	struct eth_sponsorship sponsorship = { 0 };

	for (unsigned i = 0; i < count; i++) {
		if (!ta_sponsorship_read(&in, scheme, &sponsorship))
			return false;
	}
	return ta_reader_done(&in);
}

/* What both commands do between the form of a request and its items. */
static TEE_Result prepare_items(struct signing *s, const struct ta_reader *in, uint8_t count,
				uint32_t usage)
{
	const bool always = usage == SR_TA_USAGE_TRANSACTION;
	TEE_Result result = find_for(s, usage);

	/* Keys cannot be made otherwise, since Ed25519 has no such usage. But it is
	 * a stored record that says so, and a wrong one must not reach the wrong code. */
	if (result == TEE_SUCCESS && s->key->algorithm != SR_TA_ALG_SECP256K1)
		result = TEE_ERROR_NOT_SUPPORTED;
	if (result == TEE_SUCCESS)
		result = require_policy(s, always);
	return result == TEE_SUCCESS ? prepare(s, in, count) : refused(s, in, result);
}

TEE_Result ta_cmd_sign_sponsorship(struct ta_reader *in, struct ta_writer *out)
{
	struct signing s = { .command = SR_TA_CMD_SIGN_SPONSORSHIP };
	const uint8_t scheme = ta_get_u8(in);
	uint8_t count = 0;
	TEE_Result result = TEE_SUCCESS;

	ta_key_id_read(in, &s.id);
	count = ta_get_u8(in);
	if (in->failed)
		return TEE_ERROR_BAD_FORMAT;
	if (!ta_sponsorship_scheme(scheme, &s.scheme))
		return TEE_ERROR_NOT_SUPPORTED;
	if (!sponsorships_well_formed(*in, s.scheme, count))
		return TEE_ERROR_BAD_FORMAT;
	if (!ta_key_id_valid(&s.id) || !count || count > SR_TA_BATCH_MAX)
		return TEE_ERROR_BAD_PARAMETERS;
	result = ta_put_reserve(out, 2 + (size_t)count * SR_TA_SPONSORSHIP_RESULT_SIZE);
	if (result == TEE_SUCCESS)
		result = prepare_items(&s, in, count, SR_TA_USAGE_SPONSOR);
	if (result == TEE_SUCCESS)
		sign_items(&s, count, in, out, read_and_judge_sponsorship);
	return result;
}

/* ---- SIGN_TRANSACTION --------------------------------------------------- */

static TEE_Result result_of(enum eth_transaction_result parsed)
{
	switch (parsed) {
	case ETH_TRANSACTION_OK:
		return TEE_SUCCESS;
	case ETH_TRANSACTION_UNKNOWN_TYPE:
		return TEE_ERROR_NOT_SUPPORTED;
	case ETH_TRANSACTION_BAD_FORMAT:
	default:
		return TEE_ERROR_BAD_FORMAT;
	}
}

static void read_and_judge_transaction(const struct signing *s, struct ta_reader *in,
				       struct item *out)
{
	struct eth_unsigned_transaction transaction = { 0 };
	const uint16_t len = ta_get_u16(in);
	const uint8_t *bytes = ta_get_view(in, len);
	struct eth_u256 gas = { { 0 } };
	struct eth_u256 cost = { { 0 } };
	bool known = false;

	if (!bytes)
		return;
	out->verdict = result_of(eth_unsigned_transaction_parse(bytes, len, &transaction));
	if (out->verdict != TEE_SUCCESS)
		return;
	eth_keccak256(bytes, len, out->digest);
	gas = eth_u256_from_u64(transaction.gas);
	known = eth_u256_mul(&gas, &transaction.max_fee_per_gas, &cost);
	out->verdict = judge_cost(s, known, &cost, &out->cost);
	if (out->verdict == TEE_SUCCESS)
		out->verdict =
			ta_policy_judge_transaction(&s->policy, &transaction, &s->own, out->cost);
}

static bool strings_well_formed(struct ta_reader in, uint8_t count)
{
	for (unsigned i = 0; i < count; i++)
		(void)ta_get_view(&in, ta_get_u16(&in));
	return ta_reader_done(&in);
}

TEE_Result ta_cmd_sign_transaction(struct ta_reader *in, struct ta_writer *out)
{
	struct signing s = { .command = SR_TA_CMD_SIGN_TRANSACTION };
	uint8_t count = 0;
	TEE_Result result = TEE_SUCCESS;

	ta_key_id_read(in, &s.id);
	count = ta_get_u8(in);
	if (in->failed || !strings_well_formed(*in, count))
		return TEE_ERROR_BAD_FORMAT;
	if (!ta_key_id_valid(&s.id) || !count || count > SR_TA_BATCH_MAX)
		return TEE_ERROR_BAD_PARAMETERS;
	result = ta_put_reserve(out, 2 + (size_t)count * SR_TA_SPONSORSHIP_RESULT_SIZE);
	if (result == TEE_SUCCESS)
		result = prepare_items(&s, in, count, SR_TA_USAGE_TRANSACTION);
	if (result != TEE_SUCCESS)
		return result;
	eth_address_from_public_key(s.key->public_key, &s.own);
	sign_items(&s, count, in, out, read_and_judge_transaction);
	return result;
}
