/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands about keys have in common: how a key is printed, and a secret read. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "eth/eth.h"

static const struct {
	const char *name;
	uint32_t bit;
} usages[] = {
	{ "sponsor", SR_TA_USAGE_SPONSOR },
	{ "digest", SR_TA_USAGE_DIGEST },
	{ "transaction", SR_TA_USAGE_TRANSACTION },
};

/* One and never both: a key that sponsors must not sign what a caller chooses. */
bool cli_parse_usage(const char *text, uint32_t *bits)
{
	*bits = 0;
	for (size_t i = 0; i < SR_ARRAY_LEN(usages); i++) {
		if (strcmp(text, usages[i].name) == 0)
			*bits = usages[i].bit;
	}
	return *bits != 0;
}

/* ---- printing ------------------------------------------------------------ */

const char *cli_algorithm_name(uint8_t algorithm)
{
	return algorithm == SR_TA_ALG_SECP256K1 ? "secp256k1"
	       : algorithm == SR_TA_ALG_ED25519 ? "ed25519"
						: "damaged";
}

const char *cli_origin_name(uint8_t origin)
{
	return origin == SR_TA_ORIGIN_GENERATED		 ? "generated"
	       : origin == SR_TA_ORIGIN_IMPORTED_PLAIN	 ? "imported-plain"
	       : origin == SR_TA_ORIGIN_IMPORTED_WRAPPED ? "imported-wrapped"
							 : "unknown";
}

/* Empty for a damaged key. */
const char *cli_usage_name(uint32_t usage)
{
	for (size_t i = 0; i < SR_ARRAY_LEN(usages); i++) {
		if (usages[i].bit == usage)
			return usages[i].name;
	}
	return "";
}

bool cli_key_address(const struct kms_key *key, char out[static ETH_ADDRESS_TEXT])
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

void cli_put_key_json(struct sr_buf *out, const struct kms_key *key)
{
	const char *usage = cli_usage_name(key->usage);
	char address[ETH_ADDRESS_TEXT];

	sr_buf_printf(out,
		      "{\"id\":\"%s\",\"algorithm\":\"%s\",\"usage\":[%s%s%s],\"origin\":\"%s\"",
		      key->id, cli_algorithm_name(key->algorithm), *usage ? "\"" : "", usage,
		      *usage ? "\"" : "", cli_origin_name(key->origin));
	sr_buf_puts(out, ",\"created\":");
	sr_buf_puts(out, key->created ? "\"" : "");
	put_created(out, key->created, "null");
	sr_buf_puts(out, key->created ? "\"" : "");
	sr_buf_puts(out, ",\"publicKey\":\"");
	sr_buf_put_hex_0x(out, key->public_key, key->public_key_len);
	sr_buf_puts(out, "\"");
	if (cli_key_address(key, address))
		sr_buf_printf(out, ",\"address\":\"%s\"", address);
	if (key->policy_version)
		sr_buf_printf(out, ",\"policyVersion\":%u", (unsigned)key->policy_version);
	sr_buf_puts(out, "}");
}

static void put_key_text(struct sr_buf *out, const struct kms_key *key)
{
	char address[ETH_ADDRESS_TEXT];

	sr_buf_printf(out, "id          %s\nalgorithm   %s\nusage       %s\norigin      %s\n",
		      key->id, cli_algorithm_name(key->algorithm), cli_usage_name(key->usage),
		      cli_origin_name(key->origin));
	sr_buf_puts(out, "created     ");
	put_created(out, key->created, "unknown");
	sr_buf_puts(out, "\npublic key  ");
	sr_buf_put_hex_0x(out, key->public_key, key->public_key_len);
	sr_buf_puts(out, "\n");
	if (cli_key_address(key, address))
		sr_buf_printf(out, "address     %s\n", address);
	if (key->policy_version)
		sr_buf_printf(out, "policy      version %u\n", (unsigned)key->policy_version);
}

int cli_print_key(const struct kms_key *key)
{
	struct sr_buf out = { 0 };

	if (cli_json()) {
		cli_put_key_json(&out, key);
		sr_buf_puts(&out, "\n");
	} else {
		put_key_text(&out, key);
	}
	return cli_print(&out);
}

void cli_warn_of_entropy(struct kms *kms)
{
	struct sr_error err = { .code = SR_OK };
	struct kms_info info;
	char text[KMS_ENTROPY_TEXT];

	if (kms_get_info(kms, &info, &err) && !kms_entropy_text(&info, text))
		fprintf(stderr, "warning: %s (entropy for keys: %s)\n", KMS_ENTROPY_WARNING, text);
}

bool cli_may_make_keys(const struct config *config, const struct kms_info *info,
		       struct sr_error *err)
{
	char text[KMS_ENTROPY_TEXT];

	if (kms_entropy_text(info, text) || !config->optee_kms.hardware.use_hardware_rng)
		return true;
	return sr_fail(err, SR_E_DENIED,
		       "no key is made here: [optee_kms.hardware] use_hardware_rng = true, and "
		       "nothing in the TEE is known to be random (%s)",
		       text);
}

bool cli_check_entropy(const struct config *config, struct kms *kms, struct sr_error *err)
{
	struct kms_info info;

	return kms_get_info(kms, &info, err) && cli_may_make_keys(config, &info, err);
}

/* ---- secrets ------------------------------------------------------------- */

/* 64 hex digits, "0x" before them or not, and line ends behind them. */
static bool parse_secret(const char *text, size_t len, uint8_t secret[SR_TA_SECRET_SIZE],
			 struct sr_error *err)
{
	while (len && (text[len - 1] == '\n' || text[len - 1] == '\r' || text[len - 1] == ' '))
		len--;
	if (sr_hex_decode(text, len, secret, SR_TA_SECRET_SIZE))
		return true;
	return sr_fail(err, SR_E_INVALID,
		       "the private key: expected 64 hex digits, got %zu characters", len);
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
bool cli_read_secret(const char *file, uint8_t secret[SR_TA_SECRET_SIZE], struct sr_error *err)
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
		    : sr_fail(err, SR_E_UNAVAILABLE, "the private key: %m");
	sr_wipe(text, sizeof(text));
	munlock(text, sizeof(text));
	if (file)
		close(fd);
	return ok;
}
