/* SPDX-License-Identifier: Apache-2.0 */
/* super-relay keys: the keys inside the TEE. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "eth/eth.h"

static const char help[] =
	"Usage: super-relay keys COMMAND [OPTION]…\n\n"
	"  generate ID  make a key inside the TEE; refused when ID exists\n"
	"  list         all keys\n"
	"  show ID      one key: algorithm, usage, public key, address\n"
	"  import ID    bring a key in from outside: 64 hex digits on standard input\n"
	"               (development only: the TEE records that it was outside)\n"
	"  delete ID    destroy a key; there is no way back\n\n"
	"  --config FILE     which TEE (default: $SUPER_RELAY_CONFIG, else the simulator)\n"
	"  --algorithm NAME  secp256k1 (default) or ed25519\n"
	"  --usage NAME      sponsor (default for secp256k1) or digest (default for\n"
	"                    ed25519)\n"
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

/* ---- printing ------------------------------------------------------------ */

static const char *algorithm_name(uint8_t algorithm)
{
	return algorithm == SR_TA_ALG_SECP256K1 ? "secp256k1"
	       : algorithm == SR_TA_ALG_ED25519 ? "ed25519"
						: "damaged";
}

static const char *origin_name(uint8_t origin)
{
	return origin == SR_TA_ORIGIN_GENERATED	       ? "generated"
	       : origin == SR_TA_ORIGIN_IMPORTED_PLAIN ? "imported-plain"
						       : "unknown";
}

/* Empty for a damaged key. */
static const char *usage_name(uint32_t usage)
{
	return usage == SR_TA_USAGE_SPONSOR  ? "sponsor"
	       : usage == SR_TA_USAGE_DIGEST ? "digest"
					     : "";
}

static bool key_address(const struct kms_key *key, char out[static ETH_ADDRESS_TEXT])
{
	struct eth_address address;

	if (key->algorithm != SR_TA_ALG_SECP256K1 ||
	    key->public_key_len != SR_TA_SECP256K1_PUBLIC_SIZE)
		return false;
	eth_address_from_public_key(key->public_key, &address);
	eth_address_to_text(&address, out);
	return true;
}

static void put_created(struct sr_buf *out, uint64_t created, const char *unknown)
{
	time_t t = (time_t)created;
	struct tm tm = { 0 };
	char text[32];

	if (!created || !gmtime_r(&t, &tm)) {
		sr_buf_puts(out, unknown);
		return;
	}
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	sr_buf_puts(out, text);
}

static void put_key_json(struct sr_buf *out, const struct kms_key *key)
{
	const char *usage = usage_name(key->usage);
	char address[ETH_ADDRESS_TEXT];

	sr_buf_printf(out,
		      "{\"id\":\"%s\",\"algorithm\":\"%s\",\"usage\":[%s%s%s],\"origin\":\"%s\"",
		      key->id, algorithm_name(key->algorithm), *usage ? "\"" : "", usage,
		      *usage ? "\"" : "", origin_name(key->origin));
	sr_buf_puts(out, ",\"created\":");
	sr_buf_puts(out, key->created ? "\"" : "");
	put_created(out, key->created, "null");
	sr_buf_puts(out, key->created ? "\"" : "");
	sr_buf_puts(out, ",\"publicKey\":\"");
	sr_buf_put_hex_0x(out, key->public_key, key->public_key_len);
	sr_buf_puts(out, "\"");
	if (key_address(key, address))
		sr_buf_printf(out, ",\"address\":\"%s\"", address);
	sr_buf_puts(out, "}");
}

static void put_key_text(struct sr_buf *out, const struct kms_key *key)
{
	char address[ETH_ADDRESS_TEXT];

	sr_buf_printf(out, "id          %s\nalgorithm   %s\nusage       %s\norigin      %s\n",
		      key->id, algorithm_name(key->algorithm), usage_name(key->usage),
		      origin_name(key->origin));
	sr_buf_puts(out, "created     ");
	put_created(out, key->created, "unknown");
	sr_buf_puts(out, "\npublic key  ");
	sr_buf_put_hex_0x(out, key->public_key, key->public_key_len);
	sr_buf_puts(out, "\n");
	if (key_address(key, address))
		sr_buf_printf(out, "address     %s\n", address);
}

static int print_key(const struct kms_key *key)
{
	struct sr_buf out = { 0 };

	if (cli_json()) {
		put_key_json(&out, key);
		sr_buf_puts(&out, "\n");
	} else {
		put_key_text(&out, key);
	}
	return cli_print(&out);
}

static void put_list_line(struct sr_buf *out, const struct kms_key *key)
{
	char address[ETH_ADDRESS_TEXT] = "-";

	key_address(key, address);
	sr_buf_printf(out, "%-32s %-10s %-15s %s\n", key->id, algorithm_name(key->algorithm),
		      origin_name(key->origin), address);
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
			put_key_json(&out, &keys[i]);
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

	return kms_get_key(kms, o->id, &key, &err) ? print_key(&key) : cli_fail(&err);
}

/* Asked afterwards, so that it is what the TA had last, and that is for this key unless a relay
 * has signed in between. The key is there whether or not this can be told. */
static void warn_of_entropy(struct kms *kms)
{
	struct sr_error err = { .code = SR_OK };
	struct kms_info info;
	char text[KMS_ENTROPY_TEXT];

	if (kms_get_info(kms, &info, &err) && !kms_entropy_text(&info, text))
		fprintf(stderr, "warning: %s (entropy for keys: %s)\n", KMS_ENTROPY_WARNING, text);
}

static int run_generate(struct kms *kms, const struct key_options *o)
{
	struct sr_error err = { .code = SR_OK };
	struct kms_key key = { 0 };

	if (!kms_generate_key(kms, o->id, o->algorithm_id, o->usage_bits, &key, &err))
		return cli_fail(&err);
	warn_of_entropy(kms);
	return print_key(&key);
}

/* 64 hex digits, "0x" before them or not, and line ends behind them. */
static bool parse_secret(const char *text, size_t len, uint8_t secret[SR_TA_SECRET_SIZE],
			 struct sr_error *err)
{
	while (len && (text[len - 1] == '\n' || text[len - 1] == '\r' || text[len - 1] == ' '))
		len--;
	if (sr_hex_decode(text, len, secret, SR_TA_SECRET_SIZE))
		return true;
	return sr_fail(err, SR_E_INVALID,
		       "the key to import: expected 64 hex digits, got %zu characters", len);
}

/* A key that is typed must not stay on the screen. */
static void hide_typing(int fd, bool hide, struct termios *saved)
{
	struct termios quiet;

	if (!isatty(fd))
		return;
	if (!hide) {
		tcsetattr(fd, TCSAFLUSH, saved);
		fputc('\n', stderr);
	} else if (tcgetattr(fd, saved) == 0) {
		quiet = *saved;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		fputs("Private key, 64 hex digits (not shown): ", stderr);
		tcsetattr(fd, TCSAFLUSH, &quiet);
	}
}

/* The secret is read into this buffer alone: no stdio, nothing that grows and
 * leaves copies behind. */
static bool read_secret(const char *file, uint8_t secret[SR_TA_SECRET_SIZE], struct sr_error *err)
{
	char text[128] = { 0 };
	size_t len = 0;
	ssize_t n = 1;
	struct termios saved;
	int fd = file ? open(file, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	bool ok = fd >= 0;

	if (!ok)
		return sr_fail(err, SR_E_NOT_FOUND, "%.150s: %m", file);
	mlock(text, sizeof(text));
	hide_typing(fd, true, &saved);
	while (n > 0 && len < sizeof(text)) {
		n = read(fd, text + len, sizeof(text) - len);
		if (n < 0 && errno == EINTR)
			n = 1;
		else
			len += n > 0 ? (size_t)n : 0;
		/* on a terminal a line is all there is */
		if (len && text[len - 1] == '\n' && isatty(fd))
			break;
	}
	hide_typing(fd, false, &saved);
	ok = n >= 0 ? parse_secret(text, len, secret, err)
		    : sr_fail(err, SR_E_UNAVAILABLE, "the key to import: %m");
	sr_wipe(text, sizeof(text));
	munlock(text, sizeof(text));
	if (file)
		close(fd);
	return ok;
}

static int run_import(struct kms *kms, const struct key_options *o)
{
	struct sr_error err = { .code = SR_OK };
	struct kms_key key = { 0 };
	uint8_t secret[SR_TA_SECRET_SIZE] = { 0 };
	bool ok = false;

	mlock(secret, sizeof(secret));
	ok = read_secret(o->file, secret, &err) &&
	     kms_import_key(kms, o->id, o->algorithm_id, o->usage_bits, secret, &key, &err);
	sr_wipe(secret, sizeof(secret));
	munlock(secret, sizeof(secret));
	return ok ? print_key(&key) : cli_fail(&err);
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

/* One and never both: a key that sponsors must not sign what a caller chooses. */
static bool parse_usage(const char *text, uint32_t *bits)
{
	*bits = strcmp(text, "sponsor") == 0  ? SR_TA_USAGE_SPONSOR
		: strcmp(text, "digest") == 0 ? SR_TA_USAGE_DIGEST
					      : 0;
	return *bits != 0;
}

static bool check_options(struct key_options *o, struct sr_error *err)
{
	bool ed25519 = o->algorithm && strcmp(o->algorithm, "ed25519") == 0;

	if (o->algorithm && !ed25519 && strcmp(o->algorithm, "secp256k1") != 0)
		return sr_fail(err, SR_E_INVALID,
			       "--algorithm: expected secp256k1 or ed25519, got '%.40s'",
			       o->algorithm);
	o->algorithm_id = ed25519 ? SR_TA_ALG_ED25519 : SR_TA_ALG_SECP256K1;
	o->usage_bits = ed25519 ? SR_TA_USAGE_DIGEST : SR_TA_USAGE_SPONSOR;
	if (o->usage && !parse_usage(o->usage, &o->usage_bits))
		return sr_fail(err, SR_E_INVALID,
			       "--usage: expected sponsor or digest, got '%.40s'", o->usage);
	if (ed25519 && (o->usage_bits & SR_TA_USAGE_SPONSOR))
		return sr_fail(err, SR_E_INVALID, "--usage: sponsor needs a secp256k1 key");
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
		status = run_generate(kms, o);
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
		return cli_usage_error("keys", "expected generate, list, show, import or delete");
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
	int c = 0;

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
