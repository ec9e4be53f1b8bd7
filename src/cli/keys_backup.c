/* SPDX-License-Identifier: Apache-2.0 */
/* super-relay keys backup-key, backup, restore, migrate and rotate: keys out of a TEE, and what
 * becomes of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/keys_move.h"
#include "kms/attest.h"
#include "kms/statement.h"

/* An open TEE for one command; closed with move_close whether it opened or not. */
struct tee {
	struct config config;
	struct kms *kms;
	uint8_t ta_uuid[KMS_UUID_SIZE];
};

static bool open_tee(const struct move_options *o, struct tee *tee, struct sr_error *err)
{
	TEEC_UUID uuid;

	*tee = (struct tee){ .kms = NULL };
	if (!cli_load_config(o->config, &tee->config, err))
		return false;
	sr_log_setup(SR_LOG_ERROR, tee->config.logging.format);
	uuid = cli_ta_uuid(&tee->config);
	kms_uuid_octets(&uuid, tee->ta_uuid);
	return cli_open_kms(&tee->config, NULL, NULL, &tee->kms, err);
}

static void close_tee(struct tee *tee)
{
	kms_close(tee->kms, 0);
	config_free(&tee->config);
}

static bool need_out(const struct move_options *o, const char *what, struct sr_error *err)
{
	return o->out || sr_fail(err, SR_E_INVALID, "--out: expected the %s's file", what);
}

/* ---- backup-key -------------------------------------------------------------------- */

static bool write_pair(const char *path, const uint8_t *secret, const uint8_t *public_key,
		       struct sr_error *err)
{
	char text[2 * SR_TA_SECRET_SIZE + 2] = "";
	char *name = NULL;
	bool ok = asprintf(&name, "%s.pub", path) >= 0;

	if (!ok)
		return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
	sr_hex_encode(secret, SR_TA_SECRET_SIZE, text);
	text[2 * SR_TA_SECRET_SIZE] = '\n';
	ok = cli_write_file(path, 0600, text, sizeof(text) - 1, err);
	sr_hex_encode(public_key, SR_TA_X25519_PUBLIC_SIZE, text);
	text[2 * SR_TA_X25519_PUBLIC_SIZE] = '\n';
	ok = ok && cli_write_file(name, 0644, text, sizeof(text) - 1, err);
	free(name);
	return ok;
}

static int print_backup_key(const uint8_t *public_key)
{
	struct sr_buf out = { 0 };

	sr_buf_puts(&out, cli_json() ? "{\"publicKey\":\"" : "");
	sr_buf_put_hex_0x(&out, public_key, SR_TA_X25519_PUBLIC_SIZE);
	sr_buf_puts(&out, cli_json() ? "\"}\n" : "\n");
	return cli_print(&out);
}

int move_backup_key(const struct move_options *o)
{
	struct sr_error err = { .code = SR_OK };
	uint8_t public_key[SR_TA_X25519_PUBLIC_SIZE] = { 0 };
	uint8_t *secret = kms_locked_new(SR_TA_SECRET_SIZE, &err);
	bool ok = secret && need_out(o, "new key", &err) &&
		  kms_x25519_generate(secret, public_key, &err) &&
		  write_pair(o->out, secret, public_key, &err);

	kms_locked_free(secret);
	return ok ? print_backup_key(public_key) : cli_fail(&err);
}

/* ---- out of the TEE ----------------------------------------------------------------- */

/* What came out is what was asked for: a backup is looked at again when it is too late. */
static bool judge_export(const struct kms_key *key, const uint8_t *recipient,
			 struct sr_bytes envelope, struct sr_error *err)
{
	struct kms_envelope clear;

	if (!kms_envelope_read(envelope, &clear, err))
		return sr_fail_in(err, "the TA's answer");
	if (strcmp(clear.key.id, key->id) == 0 &&
	    memcmp(clear.recipient, recipient, sizeof(clear.recipient)) == 0 &&
	    clear.key.public_key_len == key->public_key_len &&
	    memcmp(clear.key.public_key, key->public_key, key->public_key_len) == 0)
		return true;
	return sr_fail(err, SR_E_CORRUPT, "the TA's envelope is of another key or recipient");
}

static bool export_key(const struct move_options *o, const struct tee *tee,
		       const uint8_t recipient[static SR_TA_X25519_PUBLIC_SIZE],
		       struct kms_key *key, struct sr_error *err)
{
	uint8_t signature[SR_TA_OPERATOR_SIGNATURE_SIZE] = { 0 };
	uint8_t envelope[SR_TA_ENVELOPE_MAX];
	struct sr_buf statement = { 0 };
	size_t len = 0;
	bool ok = kms_get_key(tee->kms, o->words[0], key, err);

	if (ok)
		kms_statement_export(tee->ta_uuid, key->id,
				     (struct sr_bytes){ key->public_key, key->public_key_len },
				     recipient, &statement);
	ok = ok &&
	     cli_leave_signature(&o->leave, CLI_STATEMENT_EXPORT, &statement, signature, err) &&
	     kms_export_wrapped(tee->kms, key->id, recipient, signature, envelope, &len, err) &&
	     judge_export(key, recipient, (struct sr_bytes){ envelope, len }, err) &&
	     move_write(o, envelope, len, err);
	sr_buf_free(&statement);
	return ok;
}

/* A backup key's public half: 64 hex digits, or a file of them. */
static bool read_recipient(const char *text, uint8_t out[static SR_TA_X25519_PUBLIC_SIZE],
			   struct sr_error *err)
{
	struct sr_buf file = { 0 };
	size_t len = strlen(text);
	bool ok = sr_hex_decode(text, len, out, SR_TA_X25519_PUBLIC_SIZE);

	if (!ok && cli_read_file(text, 128, &file, err)) {
		len = file.len;
		while (len && strchr(" \r\n", file.data[len - 1]))
			len--;
		ok = sr_hex_decode((const char *)file.data, len, out, SR_TA_X25519_PUBLIC_SIZE) ||
		     sr_fail(err, SR_E_INVALID, "--to: %.150s is no public key of 64 hex digits",
			     text);
	}
	sr_buf_free(&file);
	if (ok && !kms_x25519_usable(out))
		return sr_fail(err, SR_E_INVALID, "--to: a point of small order");
	return ok;
}

int move_backup(const struct move_options *o)
{
	struct sr_error err = { .code = SR_OK };
	uint8_t recipient[SR_TA_X25519_PUBLIC_SIZE] = { 0 };
	struct kms_key key = { .id = "" };
	struct tee tee = { .kms = NULL };
	bool ok = need_out(o, "backup", &err);

	if (ok && !o->to)
		ok = sr_fail(&err, SR_E_INVALID, "--to: expected the backup key's FILE.pub");
	ok = ok && read_recipient(o->to, recipient, &err) && open_tee(o, &tee, &err) &&
	     export_key(o, &tee, recipient, &key, &err);
	close_tee(&tee);
	return ok ? cli_print_key(&key) : cli_fail(&err);
}

/* ---- migrate ------------------------------------------------------------------------ */

static bool confirmed(const char *id)
{
	char line[SR_TA_KEY_ID_MAX + 4] = "";

	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return true;
	fprintf(stderr,
		"The envelope is written. This destroys the key '%s' here, before the other TEE "
		"has it. Type its id to go on: ",
		id);
	if (!fgets(line, sizeof(line), stdin))
		return false;
	line[strcspn(line, "\n")] = '\0';
	return strcmp(line, id) == 0;
}

static bool delete_source(const struct tee *tee, const struct kms_key *key, struct sr_error *err)
{
	if (!confirmed(key->id))
		return sr_fail(err, SR_E_DENIED,
			       "not confirmed: the envelope is written, and the key is here still");
	return kms_delete_key(tee->kms, key->id, err) ||
	       sr_fail_in(err, "the envelope is written, but the key is here still");
}

static void print_next_steps(const struct move_options *o, const struct kms_key *key)
{
	if (cli_json())
		return;
	fprintf(stderr,
		"Next, on the other TEE: super-relay keys import %s --wrapped %s\n"
		"What the key has spent of its window does not go with it.\n",
		key->id, o->out);
	if (!o->delete)
		fprintf(stderr,
			"Then here: super-relay keys delete %s; while both have the key, each has "
			"its budget.\n",
			key->id);
}

int move_migrate(const struct move_options *o)
{
	struct sr_error err = { .code = SR_OK };
	struct move_recipient to = { .key = { 0 } };
	struct kms_key key = { .id = "" };
	struct tee tee = { .kms = NULL };
	bool ok = need_out(o, "envelope", &err);

	if (ok && !o->to)
		ok = sr_fail(&err, SR_E_INVALID, "--to: expected the other TEE's statement");
	ok = ok && move_attested(o, o->to, &to, &err) && open_tee(o, &tee, &err);
	if (ok && memcmp(to.ta_uuid, tee.ta_uuid, sizeof(to.ta_uuid)) != 0)
		ok = sr_fail(&err, SR_E_INVALID, "--to: the statement of another TA than this one");
	ok = ok && export_key(o, &tee, to.key, &key, &err);
	if (ok)
		print_next_steps(o, &key);
	if (ok && o->delete)
		ok = delete_source(&tee, &key, &err);
	close_tee(&tee);
	return ok ? cli_print_key(&key) : cli_fail(&err);
}

/* ---- restore ------------------------------------------------------------------------ */

static bool read_backup_key(const char *path, uint8_t secret[static SR_TA_SECRET_SIZE],
			    struct sr_error *err)
{
	struct stat st;

	if (!path)
		return sr_fail(err, SR_E_INVALID,
			       "--backup-key: expected the file that the backup was sealed to");
	if (stat(path, &st) == 0 && (st.st_mode & 077))
		return sr_fail(err, SR_E_DENIED,
			       "%.150s: a backup key must be a file that only its owner may read "
			       "(chmod 600)",
			       path);
	return cli_read_secret(path, secret, err) || sr_fail_in(err, "--backup-key");
}

/* The backup, opened, with its policy or without. */
static bool open_backup(const struct move_options *o, struct kms_envelope *e, struct sr_error *err)
{
	uint8_t *secret = kms_locked_new(SR_TA_SECRET_SIZE, err);
	struct sr_buf file = { 0 };
	bool ok = secret && read_backup_key(o->backup_key, secret, err) &&
		  move_read(o->words[0], &file, err) &&
		  kms_envelope_open((struct sr_bytes){ file.data, file.len }, secret, e, err);

	kms_locked_free(secret);
	sr_buf_free(&file);
	if (ok && o->drop_policy) {
		e->key.policy_version = 0;
		e->policy_len = 0;
		memset(e->operator_signature, 0, sizeof(e->operator_signature));
	}
	return ok;
}

/* The TEE of this machine, asked through this machine: it has the key in its memory anyway. */
static bool ask_transport_key(const struct tee *tee, struct move_recipient *out,
			      struct sr_error *err)
{
	uint8_t entropy[SR_TA_HOST_ENTROPY_SIZE] = { 0 };
	struct kms_attestation a = { .statement_len = 0 };
	struct kms_attested said = { .has_key = false };

	if (getentropy(entropy, sizeof(entropy)) != 0)
		return sr_fail(err, SR_E_UNAVAILABLE, "random bytes: the kernel gives none");
	if (!kms_attest(tee->kms, NULL, entropy, false, &a, err) ||
	    !kms_attest_check(&a, entropy, &said, err))
		return false;
	memcpy(out->ta_uuid, said.ta_uuid, sizeof(out->ta_uuid));
	memcpy(out->key, said.transport_key, sizeof(out->key));
	return true;
}

static bool seal_to(const struct move_recipient *to, struct kms_envelope *e,
		    uint8_t out[static SR_TA_ENVELOPE_MAX], size_t *len, struct sr_error *err)
{
	memcpy(e->ta_uuid, to->ta_uuid, sizeof(e->ta_uuid));
	memcpy(e->recipient, to->key, sizeof(e->recipient));
	return kms_envelope_seal(e, out, len, err);
}

static bool restore_to_file(const struct move_options *o, struct kms_envelope *e,
			    struct sr_error *err)
{
	uint8_t sealed[SR_TA_ENVELOPE_MAX];
	struct move_recipient to = { .key = { 0 } };
	size_t len = 0;

	return move_recipient(o, &to, err) && open_backup(o, e, err) &&
	       seal_to(&to, e, sealed, &len, err) && move_write(o, sealed, len, err);
}

static bool restore_here(const struct move_options *o, struct kms_envelope *e, struct kms_key *out,
			 struct sr_error *err)
{
	uint8_t sealed[SR_TA_ENVELOPE_MAX];
	struct move_recipient to = { .key = { 0 } };
	struct tee tee = { .kms = NULL };
	size_t len = 0;
	bool ok = open_tee(o, &tee, err) && ask_transport_key(&tee, &to, err) &&
		  open_backup(o, e, err) && seal_to(&to, e, sealed, &len, err) &&
		  kms_import_wrapped(tee.kms, (struct sr_bytes){ sealed, len }, out, err);

	close_tee(&tee);
	return ok;
}

int move_restore(const struct move_options *o)
{
	struct sr_error err = { .code = SR_OK };
	struct kms_envelope *e = kms_envelope_new(&err);
	const bool named = o->attestation || o->transport_key;
	struct kms_key key = { .id = "" };
	bool ok = e != NULL;

	if (ok && named != (o->out != NULL))
		ok = sr_fail(&err, SR_E_INVALID,
			     "expected both a recipient (--for, --transport-key) and --out, or "
			     "neither, which restores into this TEE");
	if (ok && o->out) {
		ok = restore_to_file(o, e, &err);
		key = e->key;
	} else if (ok) {
		ok = restore_here(o, e, &key, &err);
	}
	kms_locked_free(e);
	return ok ? cli_print_key(&key) : cli_fail(&err);
}

/* ---- rotate --------------------------------------------------------------------------- */

int move_rotate(const struct move_options *o)
{
	struct sr_error err = { .code = SR_OK };
	struct kms_key key = { .id = "" };
	struct tee tee = { .kms = NULL };
	bool ok = open_tee(o, &tee, &err) && cli_check_entropy(&tee.config, tee.kms, &err) &&
		  kms_rotate_key(tee.kms, o->words[0], o->words[1], &key, &err);

	if (ok)
		cli_warn_of_entropy(tee.kms);
	close_tee(&tee);
	if (ok && !cli_json())
		fprintf(stderr,
			"The key '%s' stays. Once nothing uses it: super-relay keys delete %s\n",
			o->words[0], o->words[0]);
	return ok ? cli_print_key(&key) : cli_fail(&err);
}
