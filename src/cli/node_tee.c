/* SPDX-License-Identifier: Apache-2.0 */
/* What the relay demands of its TEE before it serves anybody: the protection asked for, a log
 * that agrees with it, and the keys that it has always had. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "eth/eth.h"

static void say_entropy(const struct config *c, const struct kms_info *info)
{
	struct sr_error ignored = { .code = SR_OK };
	char text[KMS_ENTROPY_TEXT];
	const bool sound = kms_entropy_text(info, text);

	sr_log(SR_LOG_INFO, "node", "entropy for keys: %s", text);
	if (!sound)
		sr_log(SR_LOG_WARN, "node", KMS_ENTROPY_WARNING);
	if (!cli_may_make_keys(c, info, &ignored))
		sr_log(SR_LOG_WARN, "node",
		       "[optee_kms.hardware] use_hardware_rng = true: no key is made in this TEE; "
		       "how those in it were made is not known");
}

static void say_rollback(const struct config *c, const struct kms_info *info)
{
	const char *text = info->anti_rollback >= 1000	? "by hardware (1000)"
			   : info->anti_rollback >= 100 ? "by means of the normal world (100)"
							: "none (0)";

	sr_log(info->anti_rollback >= 100 ? SR_LOG_INFO : SR_LOG_WARN, "node",
	       "keys lie in the TEE's secure storage; its protection against rollback: %s%s", text,
	       info->anti_rollback >= 100	     ? ""
	       : c->optee_kms.security.audit_logging ? "; what is put back is noticed as "
						       "far as the audit log is not put "
						       "back with it"
						     : "; nothing notices what is put back");
}

static void say_what_it_is(const struct config *c, const struct kms_info *info)
{
	if (c->paymaster_relay.kms_backend == CONFIG_KMS_SIMULATOR)
		sr_log(SR_LOG_WARN, "node",
		       "SIMULATED TEE: keys lie in files under %s, and whoever can read them can "
		       "sign. For development and tests only",
		       c->simulator.store);
	sr_log(SR_LOG_INFO, "node", "Trusted Application %u.%u.%u on %s", info->major, info->minor,
	       info->patch, info->implementation);
	if (!c->optee_kms.security.audit_logging)
		sr_log(SR_LOG_WARN, "node",
		       "audit_logging is off: nobody will be able to say what was signed");
	say_rollback(c, info);
	say_entropy(c, info);
}

/* What the configuration says that the key is: an address, or a public key. */
static bool matches_given(const struct kms_key *key, const char *given, struct sr_error *err)
{
	uint8_t bytes[SR_TA_SECP256K1_PUBLIC_SIZE];
	struct eth_address address;
	struct eth_address expected;
	size_t len = strlen(given);
	bool same = false;

	if (!*given)
		return true;
	if (len == 42) {
		if (!eth_address_from_text(given, len, &expected, err))
			return sr_fail_in(err, "[optee_kms.keys] primary_paymaster_public_key");
		eth_address_from_public_key(key->public_key, &address);
		same = memcmp(&address, &expected, sizeof(address)) == 0;
	} else {
		same = sr_hex_decode(given, len, bytes, sizeof(bytes)) &&
		       memcmp(bytes, key->public_key, sizeof(bytes)) == 0;
	}
	return same || sr_fail(err, SR_E_CORRUPT,
			       "key '%s' in the TEE is not the one that [optee_kms.keys] "
			       "primary_paymaster_public_key names; nothing is signed with it",
			       key->id);
}

/* The file beside the audit log that remembers keys. */
static char *pin_path(const struct config *c)
{
	char *path = NULL;

	return asprintf(&path, "%s.pins", c->optee_kms.security.audit_log) < 0 ? NULL : path;
}

static bool check_pin(const struct config *c, const struct kms_key *key, struct sr_error *err)
{
	char name[CLI_PIN_NAME_MAX];
	char *path = NULL;
	bool first = false;
	bool ok = false;

	if (!c->optee_kms.security.tamper_detection)
		return true;
	path = pin_path(c);
	snprintf(name, sizeof(name), "key/%s", key->id);
	ok = path ? cli_pin(path, name, (struct sr_bytes){ key->public_key, key->public_key_len },
			    &first, err)
		  : sr_fail(err, SR_E_NO_MEMORY, "out of memory");
	if (first)
		sr_log(SR_LOG_INFO, "node", "key '%s' is remembered in %s from now on", key->id,
		       path);
	free(path);
	return ok;
}

/* Nothing is ever generated because it was not found: a relay that made itself
 * a new key would sign what no contract accepts, and hide the loss of the old. */
static bool fail_missing(const struct config *c, const char *id, struct sr_error *err)
{
	struct sr_error ignored = { .code = SR_OK };
	char name[CLI_PIN_NAME_MAX];
	char *path = pin_path(c);
	bool known = false;

	snprintf(name, sizeof(name), "key/%s", id);
	known = path && cli_has_pin(path, name, &ignored);
	free(path);
	if (known)
		return sr_fail(err, SR_E_NOT_FOUND,
			       "key '%s' has been in this TEE and is missing: deleted, or an older "
			       "copy of the storage was put back. Restore it; none is made in its "
			       "place",
			       id);
	return sr_fail(err, SR_E_NOT_FOUND,
		       "there is no key '%s' in the TEE; make it with: super-relay keys "
		       "generate %s --config FILE",
		       id, id);
}

static bool open_key(struct kms *kms, const struct config *c, const char *id, uint32_t usage,
		     const char *given, struct kms_key *key, struct sr_error *err)
{
	struct eth_address address;
	char text[ETH_ADDRESS_TEXT];

	if (!kms_get_key(kms, id, key, err))
		return err->code == SR_E_NOT_FOUND ? fail_missing(c, id, err) : false;
	if (key->algorithm != SR_TA_ALG_SECP256K1 || !(key->usage & usage))
		return sr_fail(err, SR_E_DENIED,
			       "key '%s' cannot %s: expected a secp256k1 key of usage %s", id,
			       usage == SR_TA_USAGE_SPONSOR ? "sponsor" : "send transactions",
			       usage == SR_TA_USAGE_SPONSOR ? "sponsor" : "transaction");
	if (key->origin == SR_TA_ORIGIN_IMPORTED_PLAIN && cli_is_mainnet(c))
		return sr_fail(err, SR_E_DENIED,
			       "key '%s' was once outside the TEE in the clear (imported-plain), "
			       "and is refused on mainnet",
			       id);
	/* what is said outright first: nothing is remembered that contradicts it */
	if (!matches_given(key, given, err) || !check_pin(c, key, err))
		return false;
	eth_address_from_public_key(key->public_key, &address);
	eth_address_to_text(&address, text);
	sr_log(SR_LOG_INFO, "node", "%s key '%s', address %s",
	       usage == SR_TA_USAGE_SPONSOR ? "paymaster" : "executor", id, text);
	return true;
}

static bool check_rollback_level(const struct config *c, const struct kms_info *info,
				 struct sr_error *err)
{
	const unsigned least = c->optee_kms.security.require_rollback_protection;

	if (info->anti_rollback >= least)
		return true;
	return sr_fail(err, SR_E_DENIED,
		       "the TEE's storage has rollback protection %u, and [optee_kms.security] "
		       "require_rollback_protection asks for %u",
		       (unsigned)info->anti_rollback, least);
}

/* Asked when the TA has read its storage, before which it does not know. */
static bool say_provisioning(struct kms *kms, struct sr_error *err)
{
	struct kms_info info;

	if (!kms_get_info(kms, &info, err))
		return false;
	if (!(info.features & SR_TA_FEATURE_PROVISIONED))
		sr_log(SR_LOG_WARN, "node",
		       "the TA is not provisioned: any process that reaches the TEE may use its "
		       "keys, and without a policy there is no limit (super-relay provision)");
	else if (info.features & SR_TA_FEATURE_DEVELOPMENT)
		sr_log(SR_LOG_WARN, "node",
		       "the TA is provisioned for development: any process that reaches the TEE "
		       "may use its keys");
	return true;
}

bool cli_check_tee(const struct config *c, struct kms *kms, struct kms_key *paymaster,
		   struct sr_error *err)
{
	const char *executor_id = c->optee_kms.keys.executor;
	struct kms_info info;
	struct kms_key executor;

	if (!kms_get_info(kms, &info, err))
		return false;
	say_what_it_is(c, &info);
	/* without a log the TA's chain needs no beginning of ours */
	if (!check_rollback_level(c, &info, err) ||
	    (c->optee_kms.security.audit_logging && !kms_audit_begin(kms, err)))
		return false;
	return open_key(kms, c, c->optee_kms.keys.primary_paymaster, SR_TA_USAGE_SPONSOR,
			c->optee_kms.keys.primary_paymaster_public_key, paymaster, err) &&
	       (!*executor_id ||
		open_key(kms, c, executor_id, SR_TA_USAGE_TRANSACTION, "", &executor, err)) &&
	       say_provisioning(kms, err);
}
