/* SPDX-License-Identifier: Apache-2.0 */
/* super-relay policy: what a key may sign. */
#include <getopt.h>
#include <sodium.h>
#include <string.h>

#include "cli/cli.h"
#include "eth/eth.h"
#include "kms/statement.h"

static const char help[] =
	"Usage: super-relay policy COMMAND [OPTION]…\n\n"
	"  set ID        gives a key a policy that the operator has signed\n"
	"  show ID       a key's policy, as it can be given again, and what it has spent\n"
	"  encode FILE   the bytes that the operator signs, in hexadecimal\n"
	"  digest FILE   their SHA-256, as attestations and audit records have it\n\n"
	"  --config FILE        set, show: which TEE\n"
	"  --file POLICY.toml   set: the policy (docs/operator.md has an example)\n"
	"  --version N          set: above the key's present one\n"
	"  --signature FILE     set: from `super-relay operator sign policy`\n"
	"  --operator-key FILE  set: the operator's key itself, for development\n"
	"  --json               machine-readable output\n";

struct policy_options {
	const char *config;
	const char *file;
	const char *version;
	struct cli_leave leave;
};

/* ---- offline -------------------------------------------------------------------- */

static int run_encode(const char *path, bool digest)
{
	struct sr_error err = { .code = SR_OK };
	struct sr_buf out = { 0 };
	struct config_policy policy;
	uint8_t bytes[CONFIG_POLICY_BYTES_MAX];
	uint8_t hash[crypto_hash_sha256_BYTES];
	size_t len = 0;

	if (!config_policy_load(path, &policy, &err))
		return cli_fail(&err);
	len = config_policy_encode(&policy, bytes);
	crypto_hash_sha256(hash, bytes, len);
	if (cli_json())
		sr_buf_puts(&out, digest ? "{\"digest\":\"" : "{\"policy\":\"");
	sr_buf_put_hex_0x(&out, digest ? hash : bytes, digest ? sizeof(hash) : len);
	sr_buf_puts(&out, cli_json() ? "\"}\n" : "\n");
	return cli_print(&out);
}

/* ---- show ------------------------------------------------------------------------- */

static void put_spent(struct sr_buf *out, const struct kms_policy *p)
{
	uint8_t be[32] = { 0 };
	struct eth_u256 spent;
	char text[ETH_U256_DEC_MAX];

	memcpy(be + 16, p->spent, sizeof(p->spent));
	spent = eth_u256_from_be(be);
	eth_u256_to_dec(&spent, text);
	sr_buf_puts(out, text);
}

static void put_json(struct sr_buf *out, const char *id, const struct kms_policy *p,
		     const struct sr_buf *toml)
{
	uint8_t hash[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(hash, p->policy, p->policy_len);
	sr_buf_printf(out, "{\"id\":\"%s\",\"version\":%u", id, (unsigned)p->version);
	if (p->version) {
		sr_buf_puts(out, ",\"digest\":\"");
		sr_buf_put_hex_0x(out, hash, sizeof(hash));
		sr_buf_puts(out, "\",\"policy\":\"");
		sr_buf_put_hex_0x(out, p->policy, p->policy_len);
		sr_buf_puts(out, "\",\"signature\":\"");
		sr_buf_put_hex_0x(out, p->signature, sizeof(p->signature));
		sr_buf_puts(out, "\",\"toml\":");
		sr_buf_put_json_string(out, (const char *)toml->data, toml->len);
		sr_buf_puts(out, ",\"spent\":\"");
		put_spent(out, p);
		sr_buf_printf(out, "\",\"operations\":%u", (unsigned)p->operations);
	}
	sr_buf_puts(out, "}\n");
}

static void put_text(struct sr_buf *out, const char *id, const struct kms_policy *p,
		     const struct sr_buf *toml)
{
	if (!p->version) {
		sr_buf_printf(out, "# key %s has no policy\n", id);
		return;
	}
	sr_buf_printf(out, "# key %s, policy version %u\n", id, (unsigned)p->version);
	sr_buf_append(out, toml->data, toml->len);
	sr_buf_puts(out, "# spent in the window: ");
	put_spent(out, p);
	sr_buf_printf(out, " wei, operations: %u\n", (unsigned)p->operations);
}

static int print_policy(const char *id, const struct kms_policy *p)
{
	struct sr_error err = { .code = SR_OK };
	struct config_policy rules;
	struct sr_buf toml = { 0 };
	struct sr_buf out = { 0 };

	if (p->version &&
	    !config_policy_decode((struct sr_bytes){ p->policy, p->policy_len }, &rules, &err))
		return cli_fail(&err);
	if (p->version)
		config_policy_to_toml(&rules, &toml);
	if (cli_json())
		put_json(&out, id, p, &toml);
	else
		put_text(&out, id, p, &toml);
	sr_buf_free(&toml);
	return cli_print(&out);
}

/* ---- set ------------------------------------------------------------------------------ */

/* The statement names the key by its public key, which the TA is asked for. */
static bool set_policy(const struct policy_options *o, const struct config *config, struct kms *kms,
		       const char *id, struct sr_error *err)
{
	const TEEC_UUID ta = cli_ta_uuid(config);
	struct config_policy policy;
	struct kms_key key;
	struct sr_buf statement = { 0 };
	struct sr_bytes bytes = { 0 };
	uint8_t encoded[CONFIG_POLICY_BYTES_MAX];
	uint8_t signature[SR_TA_OPERATOR_SIGNATURE_SIZE];
	uint8_t uuid[16];
	uint64_t version = 0;
	bool ok = cli_number("--version", o->version, 1, UINT32_MAX, &version, err) &&
		  config_policy_load(o->file, &policy, err) && kms_get_key(kms, id, &key, err);

	if (!ok)
		return false;
	kms_uuid_octets(&ta, uuid);
	bytes = (struct sr_bytes){ encoded, config_policy_encode(&policy, encoded) };
	kms_statement_policy(uuid, id, (struct sr_bytes){ key.public_key, key.public_key_len },
			     (uint32_t)version, bytes, &statement);
	ok = cli_leave_signature(&o->leave, CLI_STATEMENT_POLICY, &statement, signature, err) &&
	     kms_set_policy(kms, id, (uint32_t)version, bytes, signature, &key, err);
	sr_buf_free(&statement);
	return ok;
}

static int run_online(const struct policy_options *o, const char *id, bool set)
{
	struct sr_error err = { .code = SR_OK };
	struct config config = { 0 };
	struct kms *kms = NULL;
	struct kms_policy policy;
	bool ok = false;

	if (!kms_key_id_check(id, &err) || !cli_load_config(o->config, &config, &err))
		return cli_fail(&err);
	sr_log_setup(SR_LOG_ERROR, config.logging.format);
	ok = cli_open_kms(&config, NULL, NULL, &kms, &err) &&
	     (!set || set_policy(o, &config, kms, id, &err)) &&
	     kms_get_policy(kms, id, &policy, &err);
	kms_close(kms, 0);
	config_free(&config);
	return ok ? print_policy(id, &policy) : cli_fail(&err);
}

/* ---- command line ------------------------------------------------------------------------ */

static int dispatch(int argc, char **argv, const struct policy_options *o)
{
	static const char *const names[] = { "set", "show", "encode", "digest" };
	const char *near = NULL;
	size_t i = 0;

	if (!argc)
		return cli_usage_error("policy", "expected set, show, encode or digest");
	while (i < SR_ARRAY_LEN(names) && strcmp(names[i], argv[0]) != 0)
		i++;
	if (i == SR_ARRAY_LEN(names)) {
		near = sr_nearest(argv[0], names, SR_ARRAY_LEN(names));
		return cli_usage_error("policy", "there is no 'policy %.40s'%s%s%s", argv[0],
				       near ? "; did you mean '" : "", near ? near : "",
				       near ? "'?" : "");
	}
	if (argc != 2)
		return cli_usage_error("policy", "%s: expected one %s", names[i],
				       i < 2 ? "key id" : "file");
	if (i >= 2)
		return run_encode(argv[1], i == 3);
	if (i == 0 && (!o->file || !o->version))
		return cli_usage_error("policy", "set: %s is missing",
				       o->file ? "--version N" : "--file POLICY.toml");
	return run_online(o, argv[1], i == 0);
}

int cli_policy(int argc, char **argv)
{
	static const struct option options[] = { { "config", required_argument, NULL, 'c' },
						 { "file", required_argument, NULL, 'f' },
						 { "version", required_argument, NULL, 'v' },
						 { "signature", required_argument, NULL, 's' },
						 { "operator-key", required_argument, NULL, 'k' },
						 { "json", no_argument, NULL, 'j' },
						 { "help", no_argument, NULL, 'h' },
						 { NULL, 0, NULL, 0 } };
	struct policy_options o = { 0 };
	struct sr_buf out = { 0 };
	int c = 0;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		if (c == 'c')
			o.config = optarg;
		else if (c == 'f')
			o.file = optarg;
		else if (c == 'v')
			o.version = optarg;
		else if (c == 's')
			o.leave.signature_file = optarg;
		else if (c == 'k')
			o.leave.key_file = optarg;
		else if (c == 'j')
			cli_set_json(true);
		else if (c == 'h') {
			sr_buf_puts(&out, help);
			return cli_print(&out);
		} else
			return cli_bad_option("policy", c, argv);
	}
	return dispatch(argc - optind, argv + optind, &o);
}
