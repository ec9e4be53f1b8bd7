/* SPDX-License-Identifier: Apache-2.0 */
/* PROVISION, SET_POLICY, GET_POLICY: what the operator decides. */
#include <string.h>

#include "audit.h"
#include "clock.h"
#include "commands.h"
#include "ed25519_check.h"
#include "entropy.h"
#include "keystore.h"
#include "ledger.h"
#include "memory.h"
#include "operator.h"
#include "policy.h"
#include "sha256.h"
#include "state.h"

/* ---- PROVISION -------------------------------------------------------------------- */

struct provisioning {
	uint8_t operator_key[SR_TA_ED25519_PUBLIC_SIZE];
	uint32_t flags;
	uint8_t group_count;
	const uint8_t *groups;
	const uint8_t *signature;
};

static bool read_provisioning(struct ta_reader *in, struct provisioning *out)
{
	ta_get_bytes(in, out->operator_key, sizeof(out->operator_key));
	out->flags = ta_get_u32(in);
	out->group_count = ta_get_u8(in);
	out->groups = ta_get_view(in, (size_t)out->group_count * TA_GROUP_SIZE);
	out->signature = ta_get_view(in, SR_TA_OPERATOR_SIGNATURE_SIZE);
	return ta_reader_done(in);
}

static TEE_Result check_provisioning(const struct provisioning *p)
{
	uint32_t known = SR_TA_PROVISION_FORCE_AUDIT;

#ifdef CFG_SR_DEV_IMPORT
	known |= SR_TA_PROVISION_DEVELOPMENT;
#endif
	if ((p->flags & ~known) || p->group_count > SR_TA_GROUPS_MAX)
		return TEE_ERROR_BAD_PARAMETERS;
	/* Of small order, it would be everybody's. */
	if (!ta_ed25519_key_valid_var(p->operator_key))
		return TEE_ERROR_BAD_PARAMETERS;
	/* Nobody could ever call again. */
	if (!p->group_count && !(p->flags & SR_TA_PROVISION_DEVELOPMENT))
		return TEE_ERROR_BAD_PARAMETERS;
	return TEE_SUCCESS;
}

/* Signed by the very key that it names: a key that was typed wrong is nobody's. */
static TEE_Result verify_provisioning(const struct provisioning *p, uint8_t *digest)
{
	uint8_t flags[4] = { 0 };
	struct ta_writer w = { .data = flags, .size = sizeof(flags) };
	const struct ta_piece pieces[] = {
		{ p->operator_key, sizeof(p->operator_key) },
		{ flags, sizeof(flags) },
		{ &p->group_count, 1 },
		{ p->groups, (size_t)p->group_count * TA_GROUP_SIZE },
	};

	ta_put_u32(&w, p->flags);
	return ta_operator_verify(p->operator_key, SR_TA_STATEMENT_PROVISION, pieces, 4,
				  p->signature, digest);
}

static TEE_Result store_provisioning(const struct provisioning *p)
{
	static struct ta_identity next;
	TEE_Result result = TEE_SUCCESS;

	next = *ta_state_identity();
	next.provisioned = true;
	next.flags = p->flags;
	next.group_count = p->group_count;
	memcpy(next.operator_key, p->operator_key, sizeof(next.operator_key));
	memcpy(next.groups, p->groups, (size_t)p->group_count * TA_GROUP_SIZE);
	result = ta_state_provision(&next);
	ta_wipe(&next, sizeof(next));
	return result == TEE_SUCCESS ? ta_state_changed() : result;
}

TEE_Result ta_cmd_provision(struct ta_reader *in, struct ta_writer *out)
{
	struct ta_audit_entry entry = { .command = SR_TA_CMD_PROVISION };
	struct provisioning p = { 0 };
	TEE_Result result = TEE_SUCCESS;

	if (!read_provisioning(in, &p))
		return TEE_ERROR_BAD_FORMAT;
	result = check_provisioning(&p);
	if (result == TEE_SUCCESS)
		result = ta_put_reserve(out, 1);
	if (result == TEE_SUCCESS)
		result = ta_audit_prepare(in, false, 1);
	if (result != TEE_SUCCESS)
		return result;
	/* The state first: what a caller brings is of no interest to a TA that has an operator. */
	result = ta_state_provisioned() ? TEE_ERROR_ACCESS_CONFLICT
					: verify_provisioning(&p, entry.digest);
	ta_entropy_before_change();
	if (result == TEE_SUCCESS)
		result = store_provisioning(&p);
	result = ta_audit_conclude(&entry, result);
	if (result == TEE_SUCCESS)
		ta_put_u8(out, SR_TA_WIRE_VERSION);
	return result;
}

/* ---- SET_POLICY ----------------------------------------------------------------------- */

struct setting {
	struct ta_key_id id;
	uint32_t version;
	const uint8_t *policy;
	uint16_t policy_len;
	const uint8_t *signature;
	struct ta_policy decoded;
};

static bool read_setting(struct ta_reader *in, struct setting *out)
{
	ta_key_id_read(in, &out->id);
	out->version = ta_get_u32(in);
	out->policy_len = ta_get_u16(in);
	out->policy = ta_get_view(in, out->policy_len);
	out->signature = ta_get_view(in, SR_TA_OPERATOR_SIGNATURE_SIZE);
	return ta_reader_done(in);
}

static TEE_Result check_setting(struct setting *s)
{
	if (!ta_key_id_valid(&s->id) || !s->version || s->policy_len > SR_TA_POLICY_MAX)
		return TEE_ERROR_BAD_PARAMETERS;
	return ta_policy_decode(s->policy, s->policy_len, &s->decoded);
}

/* In this order: whether it is the operator's, whether it is new, whether it can be kept. */
static TEE_Result judge_setting(const struct setting *s, const struct ta_key *key)
{
	uint32_t last = 0;
	bool there = false;
	TEE_Result result =
		ta_operator_signed_policy(key, s->version, s->policy, s->policy_len, s->signature);

	if (result != TEE_SUCCESS)
		return result;
	result = ta_ledger_version(key, &last, &there);
	if (result != TEE_SUCCESS)
		return result;
	if (s->version <= key->policy_version || s->version < last)
		return TEE_ERROR_ACCESS_CONFLICT;
	if (s->decoded.window && ta_clock_protection() < TA_CLOCK_PROTECTED)
		return TEE_ERROR_NOT_SUPPORTED;
	return TEE_SUCCESS;
}

/* The ledger first: a key that has a policy has one. Where it ends in between, the key has its
 * old policy, and the same statement can be brought again. */
static TEE_Result apply(const struct setting *s, const struct ta_key *key)
{
	static struct ta_key next;
	TEE_Result result = TEE_SUCCESS;

	next = *key;
	next.policy_version = s->version;
	next.policy_len = s->policy_len;
	memset(next.policy, 0, sizeof(next.policy));
	memcpy(next.policy, s->policy, s->policy_len);
	memcpy(next.operator_signature, s->signature, sizeof(next.operator_signature));
	ta_entropy_before_change();
	/* Once more, right before it counts: one verdict that was glitched over changes nothing. */
	result = ta_operator_signed_policy(key, s->version, s->policy, s->policy_len, s->signature);
	if (result != TEE_SUCCESS)
		return result;
	result = ta_ledger_admit(&next, s->version, NULL, key->policy_version != 0);
	if (result == TEE_SUCCESS)
		result = ta_keystore_replace(&next);
	if (result == TEE_SUCCESS)
		result = ta_state_changed();
	ta_wipe(&next, sizeof(next));
	return result;
}

static TEE_Result set_recorded(const struct setting *s, const struct ta_key *key)
{
	struct ta_audit_entry entry = {
		.command = SR_TA_CMD_SET_POLICY,
		.policy_version = key->policy_version,
		.key = &s->id,
	};
	TEE_Result result = ta_sha256(s->policy, s->policy_len, entry.digest);

	if (result != TEE_SUCCESS)
		return result;
	ta_wei_to_be(s->version, entry.value);
	result = judge_setting(s, key);
	if (result == TEE_SUCCESS)
		result = apply(s, key);
	return ta_audit_conclude(&entry, result);
}

TEE_Result ta_cmd_set_policy(struct ta_reader *in, struct ta_writer *out)
{
	const struct ta_key *key = NULL;
	struct setting s = { 0 };
	TEE_Result result = TEE_SUCCESS;

	if (!read_setting(in, &s))
		return TEE_ERROR_BAD_FORMAT;
	result = check_setting(&s);
	if (result == TEE_SUCCESS)
		result = ta_put_reserve(out, 1 + SR_TA_KEY_INFO_MAX);
	if (result == TEE_SUCCESS)
		result = ta_audit_prepare(in, false, 1);
	if (result == TEE_SUCCESS)
		result = ta_keystore_find(&s.id, &key);
	if (result == TEE_SUCCESS)
		result = set_recorded(&s, key);
	if (result != TEE_SUCCESS)
		return result;
	ta_put_u8(out, SR_TA_WIRE_VERSION);
	ta_key_info_write(out, key);
	return TEE_SUCCESS;
}

/* ---- GET_POLICY ------------------------------------------------------------------------- */

static TEE_Result spending(const struct ta_key *key, ta_wei *cost, uint32_t *operations)
{
	struct ta_policy policy = { 0 };

	*cost = 0;
	*operations = 0;
	if (!key->policy_version)
		return TEE_SUCCESS;
	if (ta_policy_decode(key->policy, key->policy_len, &policy) != TEE_SUCCESS)
		return TEE_ERROR_CORRUPT_OBJECT;
	return ta_ledger_spent(key, &policy, cost, operations);
}

TEE_Result ta_cmd_get_policy(struct ta_reader *in, struct ta_writer *out)
{
	const struct ta_key *key = NULL;
	struct ta_key_id id = { 0 };
	ta_wei cost = 0;
	uint32_t operations = 0;
	TEE_Result result = TEE_SUCCESS;

	ta_key_id_read(in, &id);
	if (!ta_reader_done(in))
		return TEE_ERROR_BAD_FORMAT;
	if (!ta_key_id_valid(&id))
		return TEE_ERROR_BAD_PARAMETERS;
	result = ta_keystore_find(&id, &key);
	if (result == TEE_SUCCESS)
		result = ta_put_reserve(out, (size_t)1 + 4 + 2 + key->policy_len +
						     SR_TA_OPERATOR_SIGNATURE_SIZE + 16 + 4);
	if (result == TEE_SUCCESS)
		result = spending(key, &cost, &operations);
	if (result != TEE_SUCCESS)
		return result;
	ta_put_u8(out, SR_TA_WIRE_VERSION);
	ta_put_u32(out, key->policy_version);
	ta_put_long_string(out, key->policy, key->policy_len);
	ta_put_bytes(out, key->operator_signature, sizeof(key->operator_signature));
	ta_put_wei(out, cost);
	ta_put_u32(out, operations);
	return TEE_SUCCESS;
}
