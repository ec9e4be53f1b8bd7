/* SPDX-License-Identifier: Apache-2.0 */
/* super-relay attest: what a TA says of itself and of a key, and whether to believe it. */
#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "eth/eth.h"
#include "kms/attest.h"

static const char help[] =
	"Usage: super-relay attest [ID] [OPTION]…\n"
	"       super-relay attest verify FILE [OPTION]…\n\n"
	"Has the TA sign what it is: its build's features, its keys, its operator, where its\n"
	"audit chain stands; with an ID, that key, where it comes from, and its policy.\n\n"
	"  --config FILE        which TEE\n"
	"  --nonce HEX          32 bytes of whoever asks (default: random ones)\n"
	"  --platform           with the platform's evidence, where there is a platform that\n"
	"                       gives any (OP-TEE's attestation PTA)\n"
	"  --out FILE           a new file (default: standard output)\n\n"
	"verify checks the signature, and that the key that made it is the TA's:\n\n"
	"  --nonce HEX          what the attestation must carry\n"
	"  --key HEX            the TA's attestation key, known from elsewhere\n"
	"  --pin FILE           the key as it was first seen; the first time, it is written\n"
	"                       there and believed: compare it with the TA's by another way\n"
	"  --platform-key PEM   the platform's public key: its evidence must be there and right\n"
	"  --measurement HEX    with it: what the platform must have measured. Without it the\n"
	"                       evidence says that there is a TA of this platform's, not which\n"
	"  --json               machine-readable output\n";

#define ATTESTATION_FILE_MAX ((size_t)64 * 1024)
#define PEM_MAX ((size_t)64 * 1024)

struct attest_options {
	const char *config;
	const char *nonce;
	const char *out;
	const char *key;
	const char *pin;
	const char *platform_key;
	const char *measurement;
	bool platform;
};

/* ---- asking ------------------------------------------------------------------------ */

static bool choose_nonce(const char *text, uint8_t out[static KMS_NONCE_SIZE], struct sr_error *err)
{
	if (text)
		return cli_hex("--nonce", text, out, KMS_NONCE_SIZE, err);
	if (sodium_init() < 0)
		return sr_fail(err, SR_E_INTERNAL, "libsodium does not start");
	randombytes_buf(out, KMS_NONCE_SIZE);
	return true;
}

static int give(const struct attest_options *o, const struct kms_attestation *a)
{
	struct sr_error err = { .code = SR_OK };
	struct sr_buf text = { 0 };
	bool ok = true;

	kms_attestation_to_json(a, &text);
	if (!o->out)
		return cli_print(&text);
	ok = text.failed ? sr_fail(&err, SR_E_NO_MEMORY, "out of memory")
			 : cli_write_file(o->out, 0644, text.data, text.len, &err);
	sr_buf_free(&text);
	return ok ? CLI_OK : cli_fail(&err);
}

static int run_attest(const struct attest_options *o, const char *id)
{
	struct sr_error err = { .code = SR_OK };
	struct config config = { 0 };
	struct kms *kms = NULL;
	struct kms_attestation a;
	uint8_t nonce[KMS_NONCE_SIZE];
	bool ok = false;

	if (!choose_nonce(o->nonce, nonce, &err) || !cli_load_config(o->config, &config, &err))
		return cli_fail(&err);
	sr_log_setup(SR_LOG_ERROR, config.logging.format);
	ok = cli_open_kms(&config, NULL, NULL, &kms, &err) &&
	     kms_attest(kms, id, nonce, o->platform, &a, &err);
	kms_close(kms, 0);
	config_free(&config);
	return ok ? give(o, &a) : cli_fail(&err);
}

/* ---- verifying ---------------------------------------------------------------------- */

/* How it is known that the attestation key is the TA's. */
enum trust { TRUST_NONE, TRUST_KEY, TRUST_PIN, TRUST_FIRST_USE };

static const char *const trust_names[] = { "none", "key", "pin", "first-use" };

struct verdict {
	struct kms_attested said;
	enum trust trust;
	bool platform;
	bool measured; /* and the measurement is the one expected */
	uint8_t measurement[32];
};

static void uuid_text(const uint8_t u[static 16], char out[static 37])
{
	snprintf(out, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12],
		 u[13], u[14], u[15]);
}

static bool check_trust(const struct attest_options *o, struct verdict *v, struct sr_error *err)
{
	const struct sr_bytes key = SR_BYTES(v->said.attestation_key);
	uint8_t expected[SR_TA_SECP256K1_PUBLIC_SIZE];
	char name[CLI_PIN_NAME_MAX] = "attestation/";
	bool first = false;

	if (o->key) {
		if (!cli_hex("--key", o->key, expected, sizeof(expected), err))
			return false;
		if (memcmp(expected, key.data, key.len) != 0)
			return sr_fail(err, SR_E_CORRUPT,
				       "the attestation is signed by another key than --key");
		v->trust = TRUST_KEY;
	}
	if (o->pin) {
		uuid_text(v->said.ta_uuid, name + strlen(name));
		if (!cli_pin(o->pin, name, key, &first, err))
			return false;
		if (v->trust == TRUST_NONE)
			v->trust = first ? TRUST_FIRST_USE : TRUST_PIN;
	}
	return true;
}

static bool check_measurement(const struct attest_options *o, struct verdict *v,
			      struct sr_error *err)
{
	uint8_t expected[sizeof(v->measurement)];

	if (!o->measurement)
		return true;
	if (!cli_hex("--measurement", o->measurement, expected, sizeof(expected), err))
		return false;
	v->measured = memcmp(expected, v->measurement, sizeof(expected)) == 0;
	return v->measured || sr_fail(err, SR_E_CORRUPT,
				      "the platform has measured another TA than --measurement");
}

static bool check_platform(const struct attest_options *o, const struct kms_attestation *a,
			   struct verdict *v, struct sr_error *err)
{
	struct sr_buf pem = { 0 };

	if (!o->platform_key)
		return true;
	v->platform =
		cli_read_file(o->platform_key, PEM_MAX, &pem, err) &&
		kms_evidence_check(a, (struct sr_bytes){ pem.data, pem.len }, v->measurement, err);
	sr_buf_free(&pem);
	return v->platform && check_measurement(o, v, err);
}

static bool verify(const struct attest_options *o, const char *path, struct verdict *v,
		   struct sr_error *err)
{
	struct kms_attestation a;
	struct sr_buf text = { 0 };
	uint8_t nonce[KMS_NONCE_SIZE];
	bool ok = !o->nonce || cli_hex("--nonce", o->nonce, nonce, sizeof(nonce), err);

	/* the pin last: nothing is believed for ever that did not hold */
	ok = ok && cli_read_file(path, ATTESTATION_FILE_MAX, &text, err) &&
	     kms_attestation_from_json((const char *)text.data, text.len, &a, err) &&
	     kms_attest_check(&a, o->nonce ? nonce : NULL, &v->said, err) &&
	     kms_attest_check_ta(&v->said, err) && check_platform(o, &a, v, err) &&
	     check_trust(o, v, err);
	sr_buf_free(&text);
	return ok;
}

/* ---- printing ------------------------------------------------------------------------- */

static void put(struct sr_buf *out, const char *json_name, const char *name, const uint8_t *data,
		size_t len)
{
	if (cli_json())
		sr_buf_printf(out, ",\"%s\":\"", json_name);
	else
		sr_buf_printf(out, "%-18s ", name);
	sr_buf_put_hex_0x(out, data, len);
	sr_buf_puts(out, cli_json() ? "\"" : "\n");
}

static void put_string(struct sr_buf *out, const char *json_name, const char *name,
		       const char *value)
{
	if (cli_json())
		sr_buf_printf(out, ",\"%s\":\"%s\"", json_name, value);
	else
		sr_buf_printf(out, "%-18s %s\n", name, value);
}

static void put_number(struct sr_buf *out, const char *json_name, const char *name, uint64_t v)
{
	if (cli_json())
		sr_buf_printf(out, ",\"%s\":%llu", json_name, (unsigned long long)v);
	else
		sr_buf_printf(out, "%-18s %llu\n", name, (unsigned long long)v);
}

static bool provisioned(const struct kms_attested *said)
{
	static const uint8_t zeros[SR_TA_ED25519_PUBLIC_SIZE];

	return memcmp(said->operator_key, zeros, sizeof(zeros)) != 0;
}

static void put_ta(struct sr_buf *out, const struct kms_attested *said)
{
	char text[64];

	uuid_text(said->ta_uuid, text);
	put_string(out, "ta", "TA", text);
	snprintf(text, sizeof(text), "%u.%u.%u", said->major, said->minor, said->patch);
	put_string(out, "version", "version", text);
	put_string(out, "build", "build",
		   said->features & SR_TA_FEATURE_DEV_IMPORT ? "development" : "production");
	put(out, "nonce", "nonce", said->nonce, sizeof(said->nonce));
	put(out, "attestationKey", "attestation key", said->attestation_key,
	    sizeof(said->attestation_key));
	put(out, "auditKey", "audit key", said->audit_key, sizeof(said->audit_key));
	put(out, "transportKey", "transport key", said->transport_key, sizeof(said->transport_key));
	if (provisioned(said))
		put(out, "operator", "operator", said->operator_key, sizeof(said->operator_key));
	else if (!cli_json())
		put_string(out, "", "operator", "none: not provisioned");
	if (said->provision_flags & SR_TA_PROVISION_DEVELOPMENT)
		put_string(out, "provisionedFor", "provisioned for", "development");
	put_number(out, "rollbackProtection", "rollback level", said->anti_rollback);
	put_number(out, "systemTimeProtection", "system time level", said->system_time_level);
	put_number(out, "generation", "generation", said->generation);
	put_number(out, "sequence", "audit record", said->sequence);
	put(out, "head", "audit head", said->head, sizeof(said->head));
}

static void put_key(struct sr_buf *out, const struct kms_attested *said)
{
	const struct kms_key *key = &said->key;

	if (!said->has_key)
		return;
	put_string(out, "id", "key", key->id);
	put_string(out, "algorithm", "algorithm", cli_algorithm_name(key->algorithm));
	put_string(out, "usage", "usage", cli_usage_name(key->usage));
	put_string(out, "origin", "origin", cli_origin_name(key->origin));
	put(out, "publicKey", "public key", key->public_key, key->public_key_len);
	put_number(out, "policyVersion", "policy version", key->policy_version);
	if (key->policy_version)
		put(out, "policyDigest", "policy digest", said->policy_digest,
		    sizeof(said->policy_digest));
}

static int print_verdict(const struct verdict *v)
{
	struct sr_buf out = { 0 };

	if (cli_json())
		sr_buf_puts(&out, "{\"verified\":true");
	put_string(&out, "trust", "trust", trust_names[v->trust]);
	put_ta(&out, &v->said);
	put_key(&out, &v->said);
	if (v->platform) {
		put(&out, "measurement", "measurement", v->measurement, sizeof(v->measurement));
		put_string(&out, "measurementCompared", "compared", v->measured ? "yes" : "no");
	}
	sr_buf_puts(&out, cli_json() ? "}\n" : "");
	if (!cli_json() && v->trust == TRUST_FIRST_USE)
		sr_buf_puts(&out,
			    "This attestation key was seen for the first time and is pinned from "
			    "now on. That it is a TA's\nis not known from this: compare it "
			    "with what the TA's own machine says.\n");
	return cli_print(&out);
}

static int run_verify(const struct attest_options *o, const char *path)
{
	struct sr_error err = { .code = SR_OK };
	struct verdict v = { .trust = TRUST_NONE };

	if (o->measurement && !o->platform_key)
		return cli_usage_error("attest", "verify: --measurement needs --platform-key");
	if (!o->key && !o->pin && !o->platform_key)
		return cli_usage_error("attest", "verify: expected --key HEX, --pin FILE or "
						 "--platform-key PEM: a signature by a key that "
						 "nobody knows says nothing");
	return verify(o, path, &v, &err) ? print_verdict(&v) : cli_fail(&err);
}

/* ---- command line ------------------------------------------------------------------------ */

static int dispatch(int argc, char **argv, const struct attest_options *o)
{
	if (argc && strcmp(argv[0], "verify") == 0) {
		if (argc != 2)
			return cli_usage_error("attest", "verify: expected one file");
		return run_verify(o, argv[1]);
	}
	if (argc > 1)
		return cli_usage_error("attest",
				       "expected at most one key id, or 'verify' and a file");
	return run_attest(o, argc ? argv[0] : NULL);
}

int cli_attest(int argc, char **argv)
{
	static const struct option options[] = { { "config", required_argument, NULL, 'c' },
						 { "nonce", required_argument, NULL, 'n' },
						 { "out", required_argument, NULL, 'o' },
						 { "key", required_argument, NULL, 'k' },
						 { "pin", required_argument, NULL, 'i' },
						 { "platform-key", required_argument, NULL, 'e' },
						 { "measurement", required_argument, NULL, 'm' },
						 { "platform", no_argument, NULL, 'p' },
						 { "json", no_argument, NULL, 'j' },
						 { "help", no_argument, NULL, 'h' },
						 { NULL, 0, NULL, 0 } };
	struct attest_options o = { 0 };
	const char **const texts[] = {
		['c'] = &o.config, ['n'] = &o.nonce,	    ['o'] = &o.out,	   ['k'] = &o.key,
		['i'] = &o.pin,	   ['e'] = &o.platform_key, ['m'] = &o.measurement
	};
	struct sr_buf out = { 0 };
	int c = 0;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		if (c == 'h') {
			sr_buf_puts(&out, help);
			return cli_print(&out);
		}
		if (c == '?' || c == ':')
			return cli_bad_option("attest", c, argv);
		if (c == 'j')
			cli_set_json(true);
		else if (c == 'p')
			o.platform = true;
		else
			*texts[c] = optarg;
	}
	return dispatch(argc - optind, argv + optind, &o);
}
