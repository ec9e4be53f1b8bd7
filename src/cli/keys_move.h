/* SPDX-License-Identifier: Apache-2.0 */
/* What the files about keys that move share; nobody else includes it. */
#ifndef SR_CLI_KEYS_MOVE_H
#define SR_CLI_KEYS_MOVE_H

#include "cli/cli.h"
#include "kms/envelope.h"

struct move_options {
	const char *config;
	const char *algorithm, *usage, *file; /* wrap: the key */
	const char *attestation, *attestation_key, *pin, *transport_key;
	const char *wrapped, *backup_key, *to, *out;
	struct cli_leave leave;
	bool hex, delete, drop_policy;
	const char *words[2]; /* behind the command; NULL when left out */
};

/* ---- keys_wrap.c ------------------------------------------------------------------ */

/* To whom a key is sealed. */
struct move_recipient {
	uint8_t ta_uuid[KMS_UUID_SIZE];
	uint8_t key[SR_TA_X25519_PUBLIC_SIZE];
};

/* The transport key of --for, or that of --transport-key. */
bool move_recipient(const struct move_options *o, struct move_recipient *out,
		    struct sr_error *err) SR_MUST_USE;
/* The transport key of an attestation file whose attestation key is the one expected. */
bool move_attested(const struct move_options *o, const char *path, struct move_recipient *out,
		   struct sr_error *err) SR_MUST_USE;

/* Envelope files: bytes as they are, or (--hex) as text; reading takes either. */
bool move_read(const char *path, struct sr_buf *out, struct sr_error *err) SR_MUST_USE;
/* On the disk for good, under its name, when it returns true. */
bool move_write(const struct move_options *o, const uint8_t *envelope, size_t len,
		struct sr_error *err) SR_MUST_USE;

/* Each runs one command and returns its exit status. */
int move_wrap(const struct move_options *o);
int move_import(const struct move_options *o);

/* ---- keys_backup.c ----------------------------------------------------------------- */

int move_backup_key(const struct move_options *o);
int move_backup(const struct move_options *o);
int move_restore(const struct move_options *o);
int move_migrate(const struct move_options *o);
int move_rotate(const struct move_options *o);

#endif
