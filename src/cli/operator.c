/* SPDX-License-Identifier: Apache-2.0 */
/* super-relay operator: the key whose word a TA takes, and what it signs. All but
 * begin-request works without a TEE, on a machine that is kept apart. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/operator.h"
#include "kms/statement.h"

static const char help[] =
	"Usage: super-relay operator COMMAND [OPTION]…\n\n"
	"  keygen --out FILE       make the operator's Ed25519 key: FILE, and FILE.pub\n"
	"  sign provision          what `super-relay provision` needs\n"
	"  sign policy ID          what `super-relay policy set` needs\n"
	"  sign export ID          what `super-relay keys backup` and `migrate` need\n"
	"  sign begin              what `super-relay audit accept` needs\n"
	"  begin-request           asks TEE and audit log for what `sign begin` signs\n\n"
	"  --key FILE          sign: the operator's key\n"
	"  --out FILE          keygen, sign, begin-request: a new file to write\n"
	"  --ta-uuid UUID      sign: another TA than this program's\n"
	"  --group GROUP       provision: who may call, by number (or name, of this machine's);\n"
	"                      as often as there are groups\n"
	"  --development       provision: callers of no group, and plaintext import\n"
	"  --force-audit       provision: nothing is signed for a host that keeps no log\n"
	"  --public-key HEX    policy, export: the key's, from `super-relay keys show`\n"
	"  --file POLICY.toml  policy: what the key may sign\n"
	"  --version N         policy: above the key's present one\n"
	"  --recipient HEX     export: the X25519 key that the envelope is for\n"
	"  --request FILE      begin: from begin-request\n"
	"  --config FILE       begin-request, or begin in place of --request: which TEE\n\n"
	"The key never leaves its file, and is shown nowhere. Who has it can loosen every\n"
	"policy: keep it off the relay's machine.\n";

struct operator_options {
	const char *key;
	const char *out;
	const char *ta_uuid;
	const char *public_key;
	const char *file;
	const char *version;
	const char *recipient;
	const char *request;
	const char *config;
	struct kms_provision provision;
	uint8_t uuid[16];
	const char *id;
};

/* ---- keygen ------------------------------------------------------------------------ */

static bool write_pair(const char *path, const uint8_t seed[static 32],
		       const uint8_t public_key[static 32], struct sr_error *err)
{
	char text[2 * 32 + 2];
	char name[4096];
	bool ok = false;

	sr_hex_encode(seed, 32, text);
	text[64] = '\n';
	ok = cli_write_file(path, 0600, text, 65, err);
	sr_wipe(text, sizeof(text));
	if (!ok)
		return false;
	sr_hex_encode(public_key, 32, text);
	text[64] = '\n';
	if (snprintf(name, sizeof(name), "%s.pub", path) >= (int)sizeof(name))
		return sr_fail(err, SR_E_INVALID, "--out: the name is too long");
	return cli_write_file(name, 0644, text, 65, err);
}

static int run_keygen(const struct operator_options *o)
{
	struct sr_error err = { .code = SR_OK };
	struct sr_buf out = { 0 };
	uint8_t seed[KMS_OPERATOR_SEED_SIZE] = { 0 };
	uint8_t public_key[SR_TA_ED25519_PUBLIC_SIZE];
	bool ok = false;

	if (!o->out)
		return cli_usage_error("operator", "keygen: --out FILE is missing");
	mlock(seed, sizeof(seed));
	ok = kms_operator_generate(seed, public_key, &err) &&
	     write_pair(o->out, seed, public_key, &err);
	sr_wipe(seed, sizeof(seed));
	munlock(seed, sizeof(seed));
	if (!ok)
		return cli_fail(&err);
	sr_buf_puts(&out, cli_json() ? "{\"publicKey\":\"" : "public key  ");
	sr_buf_put_hex_0x(&out, public_key, sizeof(public_key));
	sr_buf_puts(&out, cli_json() ? "\"}\n" : "\n");
	return cli_print(&out);
}

/* ---- statements -------------------------------------------------------------------- */

static bool need(const char *option, const char *value, struct sr_error *err)
{
	return value || sr_fail(err, SR_E_INVALID, "%s is missing", option);
}

/* secp256k1's or Ed25519's, by their lengths. */
static bool read_public(const char *text, uint8_t out[static SR_TA_PUBLIC_KEY_MAX], size_t *len,
			struct sr_error *err)
{
	for (size_t size = SR_TA_ED25519_PUBLIC_SIZE; size <= SR_TA_SECP256K1_PUBLIC_SIZE;
	     size += SR_TA_SECP256K1_PUBLIC_SIZE - SR_TA_ED25519_PUBLIC_SIZE) {
		*len = size;
		if (sr_hex_decode(text, strlen(text), out, size))
			return true;
	}
	return sr_fail(err, SR_E_INVALID, "--public-key: expected 65 or 32 bytes in hexadecimal");
}

static bool say_provision(struct operator_options *o, const uint8_t seed[static 32],
			  struct sr_buf *out, struct sr_error *err)
{
	if (!kms_operator_public(seed, o->provision.operator_key, err))
		return false;
	kms_statement_provision(o->uuid, &o->provision, out);
	return true;
}

static bool say_policy(struct operator_options *o, struct sr_buf *out, struct sr_error *err)
{
	uint8_t bytes[CONFIG_POLICY_BYTES_MAX];
	uint8_t public_key[SR_TA_PUBLIC_KEY_MAX];
	struct config_policy policy;
	uint64_t version = 0;
	size_t len = 0;

	if (!need("--public-key", o->public_key, err) || !need("--file", o->file, err) ||
	    !need("--version", o->version, err) || !kms_key_id_check(o->id, err) ||
	    !read_public(o->public_key, public_key, &len, err) ||
	    !cli_number("--version", o->version, 1, UINT32_MAX, &version, err) ||
	    !config_policy_load(o->file, &policy, err))
		return false;
	kms_statement_policy(o->uuid, o->id, (struct sr_bytes){ public_key, len },
			     (uint32_t)version,
			     (struct sr_bytes){ bytes, config_policy_encode(&policy, bytes) }, out);
	return true;
}

static bool say_export(struct operator_options *o, struct sr_buf *out, struct sr_error *err)
{
	uint8_t public_key[SR_TA_PUBLIC_KEY_MAX];
	uint8_t recipient[SR_TA_X25519_PUBLIC_SIZE];
	size_t len = 0;

	if (!need("--public-key", o->public_key, err) || !need("--recipient", o->recipient, err) ||
	    !kms_key_id_check(o->id, err) || !read_public(o->public_key, public_key, &len, err) ||
	    !cli_hex("--recipient", o->recipient, recipient, sizeof(recipient), err))
		return false;
	kms_statement_export(o->uuid, o->id, (struct sr_bytes){ public_key, len }, recipient, out);
	return true;
}

/* ---- begin -------------------------------------------------------------------------- */

static bool say_begin(struct operator_options *o, struct sr_buf *out, struct sr_error *err)
{
	struct kms_audit_state ta = { .generation = 0 };
	struct audit_tail tail = { .seq = 0 };

	if (!(o->request ? operator_read_request(o->request, &ta, &tail, err)
			 : operator_ask_begin(o->config, &ta, &tail, err)))
		return false;
	kms_statement_begin(o->uuid, &ta, &tail, out);
	return true;
}

static int run_request(const struct operator_options *o)
{
	struct sr_error err = { .code = SR_OK };
	struct sr_buf text = { 0 };
	struct kms_audit_state ta = { .generation = 0 };
	struct audit_tail tail = { .seq = 0 };
	bool ok = operator_ask_begin(o->config, &ta, &tail, &err);

	if (!ok)
		return cli_fail(&err);
	operator_put_request(&text, &ta, &tail);
	if (!o->out)
		return cli_print(&text);
	ok = text.failed ? sr_fail(&err, SR_E_NO_MEMORY, "out of memory")
			 : cli_write_file(o->out, 0644, text.data, text.len, &err);
	sr_buf_free(&text);
	return ok ? CLI_OK : cli_fail(&err);
}

/* ---- signing -------------------------------------------------------------------------- */

static bool say(const char *kind, struct operator_options *o, const uint8_t seed[static 32],
		struct sr_buf *out, struct sr_error *err)
{
	if (strcmp(kind, CLI_STATEMENT_PROVISION) == 0)
		return say_provision(o, seed, out, err);
	if (strcmp(kind, CLI_STATEMENT_POLICY) == 0)
		return say_policy(o, out, err);
	if (strcmp(kind, CLI_STATEMENT_EXPORT) == 0)
		return say_export(o, out, err);
	return say_begin(o, out, err);
}

static int run_sign(const char *kind, struct operator_options *o)
{
	struct sr_error err = { .code = SR_OK };
	struct sr_buf statement = { 0 };
	struct sr_buf out = { 0 };
	uint8_t seed[KMS_OPERATOR_SEED_SIZE] = { 0 };
	bool ok = false;

	mlock(seed, sizeof(seed));
	ok = need("--key", o->key, &err) && need("--out", o->out, &err) &&
	     cli_read_operator_key(o->key, seed, &err) && say(kind, o, seed, &statement, &err) &&
	     (!statement.failed || sr_fail(&err, SR_E_NO_MEMORY, "out of memory")) &&
	     cli_write_signature(o->out, kind, seed, &statement, &err);
	sr_wipe(seed, sizeof(seed));
	munlock(seed, sizeof(seed));
	sr_buf_free(&statement);
	if (!ok)
		return cli_fail(&err);
	if (!cli_json())
		sr_buf_printf(&out, "signed: %s\n", o->out);
	else
		sr_buf_printf(&out, "{\"signed\":\"%s\"}\n", kind);
	return cli_print(&out);
}

/* ---- command line ------------------------------------------------------------------------ */

static const char *const kinds[] = { CLI_STATEMENT_PROVISION, CLI_STATEMENT_POLICY,
				     CLI_STATEMENT_EXPORT, CLI_STATEMENT_BEGIN };

static int dispatch_sign(int argc, char **argv, struct operator_options *o)
{
	const char *kind = argc > 1 ? argv[1] : "";
	const char *near = NULL;
	bool with_id = false;
	size_t i = 0;

	while (i < SR_ARRAY_LEN(kinds) && strcmp(kinds[i], kind) != 0)
		i++;
	if (i == SR_ARRAY_LEN(kinds)) {
		near = sr_nearest(kind, kinds, SR_ARRAY_LEN(kinds));
		return cli_usage_error(
			"operator", "sign: expected provision, policy, export or begin%s%s%s",
			near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
	}
	with_id = kind[0] == 'e' || strcmp(kind, CLI_STATEMENT_POLICY) == 0;
	if (argc != (with_id ? 3 : 2))
		return cli_usage_error("operator", "sign %s: expected %s", kind,
				       with_id ? "one key id" : "no more words");
	o->id = with_id ? argv[2] : NULL;
	return run_sign(kind, o);
}

static int dispatch(int argc, char **argv, struct operator_options *o)
{
	if (argc == 1 && strcmp(argv[0], "keygen") == 0)
		return run_keygen(o);
	if (argc == 1 && strcmp(argv[0], "begin-request") == 0)
		return run_request(o);
	if (argc >= 1 && strcmp(argv[0], "sign") == 0)
		return dispatch_sign(argc, argv, o);
	return cli_usage_error("operator", "expected keygen, sign or begin-request");
}

static bool set_option(struct operator_options *o, int c, struct sr_error *err)
{
	const char **const texts[] = {
		['k'] = &o->key,	['o'] = &o->out,     ['t'] = &o->ta_uuid,
		['p'] = &o->public_key, ['f'] = &o->file,    ['v'] = &o->version,
		['r'] = &o->recipient,	['q'] = &o->request, ['c'] = &o->config
	};

	if (c == 'd')
		o->provision.flags |= SR_TA_PROVISION_DEVELOPMENT;
	else if (c == 'a')
		o->provision.flags |= SR_TA_PROVISION_FORCE_AUDIT;
	else if (c == 'g')
		return cli_add_group(&o->provision, optarg, err);
	else
		*texts[c] = optarg;
	return true;
}

static bool finish_options(struct operator_options *o, struct sr_error *err)
{
	static const TEEC_UUID own = SUPER_RELAY_TA_UUID;

	kms_uuid_octets(&own, o->uuid);
	return !o->ta_uuid || cli_uuid("--ta-uuid", o->ta_uuid, o->uuid, err);
}

int cli_operator(int argc, char **argv)
{
	static const struct option options[] = { { "key", required_argument, NULL, 'k' },
						 { "out", required_argument, NULL, 'o' },
						 { "ta-uuid", required_argument, NULL, 't' },
						 { "public-key", required_argument, NULL, 'p' },
						 { "file", required_argument, NULL, 'f' },
						 { "version", required_argument, NULL, 'v' },
						 { "recipient", required_argument, NULL, 'r' },
						 { "request", required_argument, NULL, 'q' },
						 { "config", required_argument, NULL, 'c' },
						 { "group", required_argument, NULL, 'g' },
						 { "development", no_argument, NULL, 'd' },
						 { "force-audit", no_argument, NULL, 'a' },
						 { "json", no_argument, NULL, 'j' },
						 { "help", no_argument, NULL, 'h' },
						 { NULL, 0, NULL, 0 } };
	struct operator_options o = { 0 };
	struct sr_error err = { .code = SR_OK };
	struct sr_buf out = { 0 };
	int c = 0;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		if (c == 'h') {
			sr_buf_puts(&out, help);
			return cli_print(&out);
		}
		if (c == '?' || c == ':')
			return cli_bad_option("operator", c, argv);
		if (c == 'j')
			cli_set_json(true);
		else if (!set_option(&o, c, &err))
			return cli_fail(&err);
	}
	if (!finish_options(&o, &err))
		return cli_fail(&err);
	return dispatch(argc - optind, argv + optind, &o);
}
