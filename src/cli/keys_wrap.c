/* SPDX-License-Identifier: Apache-2.0 */
/* super-relay keys wrap and import --wrapped: keys into a TEE; recipients and envelope files. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/keys_move.h"
#include "kms/attest.h"
#include "kms/statement.h"

#define ATTESTATION_FILE_MAX ((size_t)16 * 1024)
#define ENVELOPE_FILE_MAX ((size_t)2 * SR_TA_ENVELOPE_MAX + 16) /* as text, with its end */

/* ---- recipients -------------------------------------------------------------------- */

static bool judge_key(const char *hex, const struct kms_attested *said, struct sr_error *err)
{
	uint8_t expected[SR_TA_SECP256K1_PUBLIC_SIZE] = { 0 };

	if (!cli_hex("--attestation-key", hex, expected, sizeof(expected), err))
		return false;
	return sr_equal_ct(said->attestation_key, expected, sizeof(expected)) ||
	       sr_fail(err, SR_E_DENIED,
		       "another TEE made the statement than the one that --attestation-key names");
}

/* What `attest verify` pins it under: "attestation/" and the UUID as text. */
static void pin_name(const uint8_t uuid[static KMS_UUID_SIZE], char out[static CLI_PIN_NAME_MAX])
{
	char hex[2 * KMS_UUID_SIZE + 1];

	sr_hex_encode(uuid, KMS_UUID_SIZE, hex);
	snprintf(out, CLI_PIN_NAME_MAX, "attestation/%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8,
		 hex + 12, hex + 16, hex + 20);
}

/* Unlike `attest verify`, believes nothing for the first time: a key that goes to the wrong
 * recipient does not come back. */
static bool judge_pin(const char *path, const struct kms_attested *said, struct sr_error *err)
{
	char name[CLI_PIN_NAME_MAX] = "";
	bool first = false;

	pin_name(said->ta_uuid, name);
	if (cli_has_pin(path, name, err))
		return cli_pin(path, name, SR_BYTES(said->attestation_key), &first, err);
	return err->code == SR_OK &&
	       sr_fail(err, SR_E_NOT_FOUND,
		       "%.150s: this TEE's attestation key is not known there; see to it first, "
		       "with super-relay attest verify",
		       path);
}

/* PROVISION gives a TEE another transport key: what was sealed to the one before is lost. */
static bool judge_provisioned(const struct kms_attested *said, struct sr_error *err)
{
	static const uint8_t nobody[SR_TA_ED25519_PUBLIC_SIZE];

	return memcmp(said->operator_key, nobody, sizeof(nobody)) != 0 ||
	       (said->features & SR_TA_FEATURE_DEV_IMPORT) ||
	       sr_fail(err, SR_E_INVALID,
		       "this TEE was not provisioned when it said this: take a statement from "
		       "after "
		       "`super-relay provision`");
}

/* That a statement is signed by the key that it names says nothing of whose it is. */
static bool judge_attestation(const struct move_options *o, const struct kms_attestation *a,
			      struct move_recipient *out, struct sr_error *err)
{
	struct kms_attested said = { .has_key = false };

	if (!o->attestation_key == !o->pin)
		return sr_fail(err, SR_E_INVALID,
			       "expected --attestation-key HEX, the key that the TEE signs its "
			       "statements with, or --pin FILE, where it was seen to");
	if (!kms_attest_check(a, NULL, &said, err) || !kms_attest_check_ta(&said, err) ||
	    !judge_provisioned(&said, err) ||
	    !(o->pin ? judge_pin(o->pin, &said, err) : judge_key(o->attestation_key, &said, err)))
		return false;
	memcpy(out->ta_uuid, said.ta_uuid, sizeof(out->ta_uuid));
	memcpy(out->key, said.transport_key, sizeof(out->key));
	return true;
}

bool move_attested(const struct move_options *o, const char *path, struct move_recipient *out,
		   struct sr_error *err)
{
	struct kms_attestation a = { .statement_len = 0 };
	struct sr_buf text = { 0 };
	bool ok = cli_read_file(path, ATTESTATION_FILE_MAX, &text, err);

	ok = ok && ((kms_attestation_from_json((const char *)text.data, text.len, &a, err) &&
		     judge_attestation(o, &a, out, err)) ||
		    sr_fail_in(err, "%.100s", path));
	sr_buf_free(&text);
	return ok;
}

bool move_recipient(const struct move_options *o, struct move_recipient *out, struct sr_error *err)
{
	const TEEC_UUID uuid = SUPER_RELAY_TA_UUID;

	if (!o->attestation == !o->transport_key)
		return sr_fail(err, SR_E_INVALID,
			       "expected --for FILE, the TEE's statement, or --transport-key HEX");
	if (o->attestation)
		return move_attested(o, o->attestation, out, err);
	kms_uuid_octets(&uuid, out->ta_uuid);
	if (!cli_hex("--transport-key", o->transport_key, out->key, sizeof(out->key), err))
		return false;
	return kms_x25519_usable(out->key) ||
	       sr_fail(err, SR_E_INVALID,
		       "--transport-key: a point of small order: nothing that is sealed to it "
		       "stays secret");
}

/* ---- envelope files ------------------------------------------------------------------ */

/* Text is told by its first byte: an envelope's is 'S', no hex digit. */
static bool decode_text(struct sr_buf *file)
{
	size_t len = file->len;

	while (len && strchr(" \r\n", file->data[len - 1]))
		len--;
	if (len % 2 || len < 4)
		return false;
	file->len = len / 2;
	if (file->data[0] == '0' && (file->data[1] | 0x20) == 'x')
		file->len--;
	return sr_hex_decode((const char *)file->data, len, file->data, file->len);
}

bool move_read(const char *path, struct sr_buf *out, struct sr_error *err)
{
	if (!cli_read_file(path, ENVELOPE_FILE_MAX, out, err))
		return false;
	if (out->len && out->data[0] == 'S')
		return true;
	return decode_text(out) ||
	       sr_fail(err, SR_E_INVALID, "%.150s: neither an envelope nor one in hexadecimal",
		       path);
}

/* The name of a new file is on the disk only when its directory is. */
static bool sync_directory_of(const char *path, struct sr_error *err)
{
	char *copy = strdup(path);
	int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	bool ok = fd >= 0 && fsync(fd) == 0;

	if (!ok)
		sr_fail(err, SR_E_UNAVAILABLE, "the directory of %.150s cannot be synced: %m",
			path);
	if (fd >= 0)
		close(fd);
	free(copy);
	return ok;
}

bool move_write(const struct move_options *o, const uint8_t *envelope, size_t len,
		struct sr_error *err)
{
	char text[2 * SR_TA_ENVELOPE_MAX + 2];

	if (!o->hex)
		return cli_write_file(o->out, 0644, envelope, len, err) &&
		       sync_directory_of(o->out, err);
	sr_hex_encode(envelope, len, text);
	text[2 * len] = '\n';
	return cli_write_file(o->out, 0644, text, 2 * len + 1, err) &&
	       sync_directory_of(o->out, err);
}

/* ---- wrap ------------------------------------------------------------------------------ */

static bool parse_key(const struct move_options *o, struct kms_key *key, struct sr_error *err)
{
	const bool ed25519 = o->algorithm && strcmp(o->algorithm, "ed25519") == 0;

	if (!kms_key_id_check(o->words[0], err))
		return false;
	if (o->algorithm && !ed25519 && strcmp(o->algorithm, "secp256k1") != 0)
		return sr_fail(err, SR_E_INVALID,
			       "--algorithm: expected secp256k1 or ed25519, got '%.40s'",
			       o->algorithm);
	key->algorithm = ed25519 ? SR_TA_ALG_ED25519 : SR_TA_ALG_SECP256K1;
	key->usage = ed25519 ? SR_TA_USAGE_DIGEST : SR_TA_USAGE_SPONSOR;
	if (o->usage && !cli_parse_usage(o->usage, &key->usage))
		return sr_fail(err, SR_E_INVALID,
			       "--usage: expected sponsor, digest or transaction, got '%.40s'",
			       o->usage);
	if (ed25519 && key->usage != SR_TA_USAGE_DIGEST)
		return sr_fail(err, SR_E_INVALID, "--usage: %s needs a secp256k1 key", o->usage);
	memcpy(key->id, o->words[0], strlen(o->words[0]) + 1);
	/* whoever has it to seal it has known it */
	key->origin = SR_TA_ORIGIN_IMPORTED_WRAPPED;
	key->created = sr_time_unix_s();
	return true;
}

/* The secret is read last: nobody is to type it for a command that was wrong. */
static bool wrap(const struct move_options *o, struct kms_envelope *e, struct sr_error *err)
{
	uint8_t sealed[SR_TA_ENVELOPE_MAX];
	struct move_recipient to = { .key = { 0 } };
	size_t len = 0;

	if (!o->out)
		return sr_fail(err, SR_E_INVALID, "--out: expected the envelope's file");
	if (!parse_key(o, &e->key, err) || !move_recipient(o, &to, err))
		return false;
	memcpy(e->ta_uuid, to.ta_uuid, sizeof(to.ta_uuid));
	memcpy(e->recipient, to.key, sizeof(to.key));
	return cli_read_secret(o->file, e->secret, err) &&
	       kms_derive_public(e->secret, &e->key, err) &&
	       kms_envelope_seal(e, sealed, &len, err) && move_write(o, sealed, len, err);
}

int move_wrap(const struct move_options *o)
{
	struct sr_error err = { .code = SR_OK };
	struct kms_envelope *e = kms_envelope_new(&err);
	bool ok = e && wrap(o, e, &err);
	int status = ok ? cli_print_key(&e->key) : cli_fail(&err);

	kms_locked_free(e);
	return status;
}

/* ---- import ---------------------------------------------------------------------------- */

/* The id that was meant, where one is given, before the TEE keeps another. */
static bool judge_id(const struct move_options *o, const struct sr_buf *file, struct sr_error *err)
{
	struct kms_envelope clear;

	if (!kms_envelope_read((struct sr_bytes){ file->data, file->len }, &clear, err))
		return sr_fail_in(err, "%.100s", o->wrapped);
	return !o->words[0] || strcmp(o->words[0], clear.key.id) == 0 ||
	       sr_fail(err, SR_E_INVALID, "%.100s: the key in it is '%s', not '%.64s'", o->wrapped,
		       clear.key.id, o->words[0]);
}

int move_import(const struct move_options *o)
{
	struct sr_error err = { .code = SR_OK };
	struct config config = { 0 };
	struct sr_buf file = { 0 };
	struct kms_key key = { .id = "" };
	struct kms *kms = NULL;
	bool ok = cli_load_config(o->config, &config, &err) && move_read(o->wrapped, &file, &err) &&
		  judge_id(o, &file, &err);

	sr_log_setup(SR_LOG_ERROR, config.logging.format);
	ok = ok && cli_open_kms(&config, NULL, NULL, &kms, &err) &&
	     kms_import_wrapped(kms, (struct sr_bytes){ file.data, file.len }, &key, &err);
	kms_close(kms, 0);
	sr_buf_free(&file);
	config_free(&config);
	return ok ? cli_print_key(&key) : cli_fail(&err);
}
