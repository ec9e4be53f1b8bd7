/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one key's row in the schema cannot say: values that follow from others,
 * rules between keys, and notes on what was accepted without effect.
 */
#include "config/config_internal.h"

#include "eth/eth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAINNET_CHAIN_ID 1
#define SEPOLIA_CHAIN_ID 11155111

void config_note(struct config *config, const char *fmt, ...)
{
	struct config_notes *notes = &config->notes;
	va_list ap;

	if (notes->count == CONFIG_NOTES_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(notes->text[notes->count++], CONFIG_NOTE_SIZE, fmt, ap);
	va_end(ap);
}

/* ---- derived values ---------------------------------------------------- */

/* Takes value over, which is NULL after a failed allocation. */
static bool replace(char **field, char *value, struct sr_error *err)
{
	if (!value)
		return sr_fail(err, SR_E_NO_MEMORY, "no memory for a string");
	free(*field);
	*field = value;
	return true;
}

/* XDG Base Directory: a relative XDG_DATA_HOME counts as not set. */
static bool derive_store(struct config *config, const struct config_lookup *lookup,
			 struct sr_error *err)
{
	const char *data = lookup->env(lookup->arg, "XDG_DATA_HOME");
	const char *home = lookup->env(lookup->arg, "HOME");
	char *path = NULL;
	int n = 0;

	if (config->paymaster_relay.kms_backend != CONFIG_KMS_SIMULATOR || *config->simulator.store)
		return true;
	if (data && *data == '/')
		n = asprintf(&path, "%s/super-relay/tee", data);
	else if (home && *home == '/')
		n = asprintf(&path, "%s/.local/share/super-relay/tee", home);
	else
		return sr_fail(err, SR_E_INVALID,
			       "[simulator] store is needed, as neither XDG_DATA_HOME nor HOME is "
			       "set");
	return replace(&config->simulator.store, n < 0 ? NULL : path, err);
}

/*
 * Only tee-supplicant may open /dev/teepriv0, and it holds it open. Naming it is
 * a common mistake and has one possible meaning, so it is put right and noted.
 */
static bool derive_device(struct config *config, struct sr_error *err)
{
	char **path = &config->optee_kms.device_path;

	if (strncmp(*path, "/dev/teepriv", 12) == 0) {
		config_note(config,
			    "[optee_kms] device_path: %.64s belongs to tee-supplicant; the client "
			    "device /dev/tee0 is used",
			    *path);
		return replace(path, strdup("/dev/tee0"), err);
	}
	if (strcmp(*path, "/dev/tee0") != 0)
		config_note(config,
			    "[optee_kms] device_path: no effect, the client library looks for its "
			    "device from /dev/tee0 on");
	return true;
}

/*
 * A simulator's log bears its store's name, since two stores in one directory are
 * two TEEs; and it does not lie in the store, so that whoever puts an older copy of that back does
 * not put the log back with it.
 */
static bool derive_audit_log(struct config *config, struct sr_error *err)
{
	const char *store = config->simulator.store;
	size_t len = strlen(store);
	char *path = NULL;
	int n = 0;

	if (*config->optee_kms.security.audit_log)
		return true;
	while (len > 1 && store[len - 1] == '/')
		len--;
	n = config->paymaster_relay.kms_backend == CONFIG_KMS_SIMULATOR
		    ? asprintf(&path, "%.*s-audit.jsonl", (int)len, store)
		    : asprintf(&path, "/var/lib/super-relay/audit.jsonl");
	return replace(&config->optee_kms.security.audit_log, n < 0 ? NULL : path, err);
}

bool config_derive(struct config *config, const struct config_lookup *lookup, struct sr_error *err)
{
	static const struct eth_address zero = { { 0 } };

	config->paymaster_relay.has_paymaster =
		memcmp(&config->paymaster_relay.paymaster, &zero, sizeof(zero)) != 0;
	if (!config->node.chain_id)
		config->node.chain_id = config->paymaster_relay.chain_id;
	return derive_device(config, err) && derive_store(config, lookup, err) &&
	       derive_audit_log(config, err);
}

/* ---- what must hold between keys --------------------------------------- */

/* An address that takes the port on every other one too. */
static bool is_any_host(const char *host)
{
	return strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
}

static bool check_ports(const struct config *c, struct sr_error *err)
{
	const struct config_listen *rpc = &c->node.http_api;
	const struct config_listen *api = &c->api.listen;

	if (rpc->port != api->port || !rpc->port)
		return true;
	if (strcmp(rpc->host, api->host) != 0 && !is_any_host(rpc->host) && !is_any_host(api->host))
		return true;
	return sr_fail(err, SR_E_INVALID,
		       "[node] http_api and [api] listen both take port %u; give them two ports",
		       (unsigned)rpc->port);
}

/*
 * A wrong chain id makes every signature worthless, or worse, valid elsewhere:
 * names that everybody knows are held against their ids.
 */
static bool check_chain(const struct config *c, struct sr_error *err)
{
	uint64_t id = c->node.chain_id;
	uint64_t known = strcmp(c->node.network, "mainnet") == 0   ? MAINNET_CHAIN_ID
			 : strcmp(c->node.network, "sepolia") == 0 ? SEPOLIA_CHAIN_ID
								   : id;

	if (c->paymaster_relay.chain_id && c->paymaster_relay.chain_id != id)
		return sr_fail(err, SR_E_INVALID,
			       "[node] chain_id = %llu and [paymaster_relay] chain_id = %llu do "
			       "not agree",
			       (unsigned long long)id,
			       (unsigned long long)c->paymaster_relay.chain_id);
	if (id && id != known)
		return sr_fail(err, SR_E_INVALID,
			       "[node] network = \"%s\" has chain id %llu, but [node] chain_id = "
			       "%llu",
			       c->node.network, (unsigned long long)known, (unsigned long long)id);
	return true;
}

/* The id counts as well as the name, which is free text. */
static bool check_backend(const struct config *c, struct sr_error *err)
{
	bool mainnet =
		strcmp(c->node.network, "mainnet") == 0 || c->node.chain_id == MAINNET_CHAIN_ID;

	if (!mainnet || c->paymaster_relay.kms_backend != CONFIG_KMS_SIMULATOR ||
	    c->node.allow_simulator_on_mainnet)
		return true;
	return sr_fail(err, SR_E_INVALID,
		       "[paymaster_relay] kms_backend = \"simulator\" does not protect its "
		       "keys, so [node] network = \"mainnet\" (or chain_id = 1) needs "
		       "\"optee\" or allow_simulator_on_mainnet = true");
}

static bool check_relay(const struct config *c, struct sr_error *err)
{
	enum eth_entry_point version = ETH_ENTRY_POINT_V07;

	/* a copy elsewhere is the operator's business; another version is a slip */
	if (eth_entry_point_find(&c->paymaster_relay.entry_point, &version) &&
	    version != ETH_ENTRY_POINT_V07)
		return sr_fail(err, SR_E_INVALID,
			       "[paymaster_relay] entry_point is EntryPoint v%s; this version "
			       "serves v0.7",
			       eth_entry_point_name(version));
	if (!c->paymaster_relay.enabled)
		return true;
	if (!c->paymaster_relay.has_paymaster)
		return sr_fail(err, SR_E_INVALID,
			       "[paymaster_relay] enabled = true needs [paymaster_relay] "
			       "paymaster, the contract's address");
	if (!c->node.node_http.count)
		return sr_fail(err, SR_E_INVALID,
			       "[paymaster_relay] enabled = true needs [node] node_http, the "
			       "Ethereum node's URL");
	return true;
}

/* The levels that GlobalPlatform names; another would be held against none. */
static bool check_rollback(const struct config *c, struct sr_error *err)
{
	const unsigned level = c->optee_kms.security.require_rollback_protection;

	if (level == 0 || level == 100 || level == 1000)
		return true;
	return sr_fail(err, SR_E_INVALID,
		       "[optee_kms.security] require_rollback_protection: expected 0, 100 or 1000, "
		       "found %u",
		       level);
}

static bool check_keys(const struct config *c, struct sr_error *err)
{
	const char *executor = c->optee_kms.keys.executor;

	if (strcmp(executor, c->optee_kms.keys.primary_paymaster) != 0)
		return true;
	return sr_fail(err, SR_E_INVALID,
		       "[optee_kms.keys] executor and primary_paymaster are both '%s': a key has "
		       "one usage",
		       executor);
}

/* name and most_name stand in one section. */
static bool check_most(const char *name, uint64_t value, const char *most_name, uint64_t most,
		       struct sr_error *err)
{
	if (value <= most)
		return true;
	return sr_fail(err, SR_E_INVALID, "%s = %llu is more than %s = %llu", name,
		       (unsigned long long)value, most_name, (unsigned long long)most);
}

/*
 * In the order in which an operator would put things right: where it listens,
 * which chain it serves, with which keys, and only then the sizes.
 */
bool config_check(const struct config *c, struct sr_error *err)
{
	return check_ports(c, err) && check_chain(c, err) && check_backend(c, err) &&
	       check_relay(c, err) && check_keys(c, err) && check_rollback(c, err) &&
	       check_most("[optee_kms.performance] min_batch", c->optee_kms.performance.min_batch,
			  "batch_size", c->optee_kms.performance.batch_size, err) &&
	       check_most("[paymaster_relay] verification_gas_limit",
			  c->paymaster_relay.verification_gas_limit, "max_verification_gas_limit",
			  c->paymaster_relay.max_verification_gas_limit, err) &&
	       check_most("[paymaster_relay] post_op_gas_limit",
			  c->paymaster_relay.post_op_gas_limit, "max_post_op_gas_limit",
			  c->paymaster_relay.max_post_op_gas_limit, err);
}
