/* SPDX-License-Identifier: Apache-2.0 */
/* super-relay keys: the keys inside the TEE. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/cli.h"
#include "eth/eth.h"

static const char help[] =
	"Usage: super-relay keys COMMAND [OPTION]…\n\n"
	"  generate ID  make a key inside the TEE; refused when ID exists\n"
	"  list         all keys: id, algorithm, usage, origin, policy version, address\n"
	"  show ID      one key\n"
	"  import ID    bring a key in from outside: 64 hex digits on standard input\n"
	"               (development only: the TEE records that it was outside)\n"
	"  delete ID    destroy a key; there is no way back\n"
	"  wrap, import --wrapped, backup-key, backup, restore, migrate, rotate\n"
	"               keys that move: `super-relay keys wrap --help`\n\n"
	"  --config FILE     which TEE (default: $SUPER_RELAY_CONFIG, else the simulator)\n"
	"  --algorithm NAME  secp256k1 (default) or ed25519\n"
	"  --usage NAME      sponsor (default for secp256k1): sponsorships; transaction: calls of\n"
	"                    the EntryPoint; digest (default for ed25519): any bytes\n"
	"  --file FILE       import: read the key from FILE instead\n"
	"  --json            machine-readable output\n\n"
	"An ID has 1 to 64 characters of A-Z a-z 0-9 . _ -\n";

struct key_options {
	const char *config;
	const char *algorithm;
	const char *usage;
	const char *file;
	const char *id;
	uint8_t algorithm_id;
	uint32_t usage_bits;
};

static void put_list_line(struct sr_buf *out, const struct kms_key *key)
{
	char address[ETH_ADDRESS_TEXT] = "-";

	cli_key_address(key, address);
	sr_buf_printf(out, "%-32s %-10s %-11s %-16s %-6u %s\n", key->id,
		      cli_algorithm_name(key->algorithm), cli_usage_name(key->usage),
		      cli_origin_name(key->origin), (unsigned)key->policy_version, address);
}

/* ---- commands ------------------------------------------------------------ */

static int run_list(struct kms *kms)
{
	static struct kms_key keys[SR_TA_KEYS_MAX];
	struct sr_error err = { .code = SR_OK };
	struct sr_buf out = { 0 };
	size_t count = 0;

	if (!kms_list_keys(kms, keys, SR_ARRAY_LEN(keys), &count, &err))
		return cli_fail(&err);
	if (count > SR_ARRAY_LEN(keys))
		count = SR_ARRAY_LEN(keys);
	sr_buf_puts(&out, cli_json() ? "{\"keys\":[" : "");
	for (size_t i = 0; i < count; i++) {
		if (cli_json()) {
			sr_buf_puts(&out, i ? "," : "");
			cli_put_key_json(&out, &keys[i]);
		} else {
			put_list_line(&out, &keys[i]);
		}
	}
	sr_buf_puts(&out, cli_json() ? "]}\n" : "");
	if (!cli_json() && !count)
		sr_buf_puts(&out, "no keys\n");
	return cli_print(&out);
}

static int run_show(struct kms *kms, const struct key_options *o)
{
	struct sr_error err = { .code = SR_OK };
	struct kms_key key = { 0 };

	return kms_get_key(kms, o->id, &key, &err) ? cli_print_key(&key) : cli_fail(&err);
}

static int run_generate(const struct config *config, struct kms *kms, const struct key_options *o)
{
	struct sr_error err = { .code = SR_OK };
	struct kms_key key = { 0 };

	if (!cli_check_entropy(config, kms, &err) ||
	    !kms_generate_key(kms, o->id, o->algorithm_id, o->usage_bits, &key, &err))
		return cli_fail(&err);
	cli_warn_of_entropy(kms);
	return cli_print_key(&key);
}

static int run_import(struct kms *kms, const struct key_options *o)
{
	struct sr_error err = { .code = SR_OK };
	struct kms_key key = { 0 };
	uint8_t secret[SR_TA_SECRET_SIZE] = { 0 };
	bool ok = false;

	mlock(secret, sizeof(secret));
	ok = cli_read_secret(o->file, secret, &err) &&
	     kms_import_key(kms, o->id, o->algorithm_id, o->usage_bits, secret, &key, &err);
	sr_wipe(secret, sizeof(secret));
	munlock(secret, sizeof(secret));
	return ok ? cli_print_key(&key) : cli_fail(&err);
}

/* A person is asked once more; a script named the key and is taken at its word. */
static bool confirmed(const char *id)
{
	char line[SR_TA_KEY_ID_MAX + 4] = "";

	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return true;
	fprintf(stderr, "This destroys the key '%s' for good. Type its id to go on: ", id);
	if (!fgets(line, sizeof(line), stdin))
		return false;
	line[strcspn(line, "\n")] = '\0';
	return strcmp(line, id) == 0;
}

static int run_delete(struct kms *kms, const struct key_options *o)
{
	struct sr_error err = { .code = SR_OK };
	struct sr_buf out = { 0 };

	if (!confirmed(o->id)) {
		sr_fail(&err, SR_E_DENIED, "not confirmed: the key is left as it is");
		return cli_fail(&err);
	}
	if (!kms_delete_key(kms, o->id, &err))
		return cli_fail(&err);
	sr_buf_printf(&out, cli_json() ? "{\"deleted\":\"%s\"}\n" : "deleted %s\n", o->id);
	return cli_print(&out);
}

/* ---- command line --------------------------------------------------------- */

static bool check_options(struct key_options *o, struct sr_error *err)
{
	bool ed25519 = o->algorithm && strcmp(o->algorithm, "ed25519") == 0;

	if (o->algorithm && !ed25519 && strcmp(o->algorithm, "secp256k1") != 0)
		return sr_fail(err, SR_E_INVALID,
			       "--algorithm: expected secp256k1 or ed25519, got '%.40s'",
			       o->algorithm);
	o->algorithm_id = ed25519 ? SR_TA_ALG_ED25519 : SR_TA_ALG_SECP256K1;
	o->usage_bits = ed25519 ? SR_TA_USAGE_DIGEST : SR_TA_USAGE_SPONSOR;
	if (o->usage && !cli_parse_usage(o->usage, &o->usage_bits))
		return sr_fail(err, SR_E_INVALID,
			       "--usage: expected sponsor, digest or transaction, got '%.40s'",
			       o->usage);
	if (ed25519 && o->usage_bits != SR_TA_USAGE_DIGEST)
		return sr_fail(err, SR_E_INVALID, "--usage: %s needs a secp256k1 key",
			       cli_usage_name(o->usage_bits));
	return !o->id || kms_key_id_check(o->id, err);
}

enum key_command { KEYS_LIST, KEYS_SHOW, KEYS_GENERATE, KEYS_IMPORT, KEYS_DELETE, KEYS_COMMANDS };

static const char *const command_names[KEYS_COMMANDS] = { "list", "show", "generate", "import",
							  "delete" };

static int run_command(enum key_command command, struct key_options *o)
{
	struct sr_error err = { .code = SR_OK };
	struct config config = { 0 };
	struct kms *kms = NULL;
	int status = CLI_FAILED;

	if (!check_options(o, &err) || !cli_load_config(o->config, &config, &err))
		return cli_fail(&err);
	/* what the simulator has to say about itself is the daemon's to log */
	sr_log_setup(SR_LOG_ERROR, config.logging.format);
	if (!cli_open_kms(&config, NULL, NULL, &kms, &err))
		status = cli_fail(&err);
	else if (command == KEYS_LIST)
		status = run_list(kms);
	else if (command == KEYS_SHOW)
		status = run_show(kms, o);
	else if (command == KEYS_GENERATE)
		status = run_generate(&config, kms, o);
	else if (command == KEYS_IMPORT)
		status = run_import(kms, o);
	else
		status = run_delete(kms, o);
	kms_close(kms, 0);
	config_free(&config);
	return status;
}

static int dispatch(int argc, char **argv, struct key_options *o)
{
	int command = 0;
	const char *near = NULL;

	if (optind >= argc)
		return cli_usage_error(
			"keys",
			"expected generate, list, show, import, delete, or one of those for keys "
			"that move");
	while (command < KEYS_COMMANDS && strcmp(argv[optind], command_names[command]) != 0)
		command++;
	if (command == KEYS_COMMANDS) {
		near = sr_nearest(argv[optind], command_names, KEYS_COMMANDS);
		return cli_usage_error("keys", "there is no 'keys %.40s'%s%s%s", argv[optind],
				       near ? "; did you mean '" : "", near ? near : "",
				       near ? "'?" : "");
	}
	if (argc - optind - 1 != (command == KEYS_LIST ? 0 : 1))
		return cli_usage_error(
			"keys", "%s: expected %s, got %d words", command_names[command],
			command == KEYS_LIST ? "no key id" : "one key id", argc - optind - 1);
	o->id = command == KEYS_LIST ? NULL : argv[optind + 1];
	return run_command((enum key_command)command, o);
}

int cli_keys(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "algorithm", required_argument, NULL, 'a' },
		{ "usage", required_argument, NULL, 'u' },
		{ "file", required_argument, NULL, 'f' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	struct key_options o = { 0 };
	struct sr_buf out = { 0 };
	int status = CLI_OK;
	int c = 0;

	if (cli_keys_move(argc, argv, &status))
		return status;
	opterr = 0;
	while ((c = getopt_long(argc, argv, ":h", long_options, NULL)) != -1) {
		if (c == 'c')
			o.config = optarg;
		else if (c == 'a')
			o.algorithm = optarg;
		else if (c == 'u')
			o.usage = optarg;
		else if (c == 'f')
			o.file = optarg;
		else if (c == 'h') {
			sr_buf_puts(&out, help);
			return cli_print(&out);
		} else if (c == 'j')
			cli_set_json(true);
		else
			return cli_bad_option("keys", c, argv);
	}
	return dispatch(argc, argv, &o);
}
