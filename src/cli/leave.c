/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operator's signatures, and the files that they travel in. A signature file holds the
 * statement beside the signature, so that a command can say which of the two is not what it
 * expected; what counts is the statement that the command makes itself.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yyjson.h>

#include "cli/cli.h"
#include "kms/statement.h"

#define KEY_TEXT_MAX 128
#define SIGNATURE_FILE_MAX ((size_t)16 * 1024)
#define STATEMENT_MAX 2048
#define FILE_VERSION 1

static size_t trimmed(const char *text, size_t len)
{
	while (len && strchr(" \r\n", text[len - 1]))
		len--;
	return len;
}

/* ---- keys --------------------------------------------------------------------- */

static bool check_owner_only(int fd, const char *path, struct sr_error *err)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && !(st.st_mode & 077))
		return true;
	return sr_fail(err, SR_E_DENIED,
		       "%.150s: the operator's key must be a file that only its owner may read "
		       "(chmod 600)",
		       path);
}

/* No stdio and no growing buffer: nothing is left of the seed but in the caller's hands. */
bool cli_read_operator_key(const char *path, uint8_t seed[static 32], struct sr_error *err)
{
	char text[KEY_TEXT_MAX] = "";
	ssize_t n = 0;
	bool ok = false;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return sr_fail(err, SR_E_NOT_FOUND, "%.150s: %m", path);
	mlock(text, sizeof(text));
	ok = check_owner_only(fd, path, err);
	n = ok ? read(fd, text, sizeof(text)) : 0;
	if (ok)
		ok = (n > 0 && sr_hex_decode(text, trimmed(text, (size_t)n), seed, 32)) ||
		     sr_fail(err, SR_E_INVALID, "%.150s: expected an operator's key, 64 hex digits",
			     path);
	sr_wipe(text, sizeof(text));
	munlock(text, sizeof(text));
	close(fd);
	return ok;
}

bool cli_read_operator_public(const char *text, uint8_t out[static SR_TA_ED25519_PUBLIC_SIZE],
			      struct sr_error *err)
{
	struct sr_buf file = { 0 };
	bool ok = false;

	if (sr_hex_decode(text, strlen(text), out, SR_TA_ED25519_PUBLIC_SIZE))
		return true;
	ok = cli_read_file(text, KEY_TEXT_MAX, &file, err) &&
	     (sr_hex_decode((const char *)file.data, trimmed((const char *)file.data, file.len),
			    out, SR_TA_ED25519_PUBLIC_SIZE) ||
	      sr_fail(err, SR_E_INVALID, "%.150s: expected an operator's public key, 64 hex digits",
		      text));
	sr_buf_free(&file);
	return ok;
}

/* ---- signature files -------------------------------------------------------------- */

static void put_signature(struct sr_buf *out, const char *kind, const uint8_t *public_key,
			  const struct sr_buf *statement, const uint8_t *signature)
{
	sr_buf_printf(out, "{\"superRelaySignature\":%d,\"kind\":\"%s\",\"operator\":\"",
		      FILE_VERSION, kind);
	sr_buf_put_hex_0x(out, public_key, SR_TA_ED25519_PUBLIC_SIZE);
	sr_buf_puts(out, "\",\"statement\":\"");
	sr_buf_put_hex_0x(out, statement->data, statement->len);
	sr_buf_puts(out, "\",\"signature\":\"");
	sr_buf_put_hex_0x(out, signature, SR_TA_OPERATOR_SIGNATURE_SIZE);
	sr_buf_puts(out, "\"}\n");
}

bool cli_write_signature(const char *path, const char *kind, const uint8_t seed[static 32],
			 const struct sr_buf *statement, struct sr_error *err)
{
	uint8_t public_key[SR_TA_ED25519_PUBLIC_SIZE];
	uint8_t signature[SR_TA_OPERATOR_SIGNATURE_SIZE];
	struct sr_buf text = { 0 };
	bool ok = kms_operator_public(seed, public_key, err) &&
		  kms_operator_sign(seed, (struct sr_bytes){ statement->data, statement->len },
				    signature, err);

	if (ok) {
		put_signature(&text, kind, public_key, statement, signature);
		ok = text.failed ? sr_fail(err, SR_E_NO_MEMORY, "out of memory")
				 : cli_write_file(path, 0644, text.data, text.len, err);
	}
	sr_buf_free(&text);
	return ok;
}

struct signature_file {
	uint8_t public_key[SR_TA_ED25519_PUBLIC_SIZE];
	uint8_t signature[SR_TA_OPERATOR_SIGNATURE_SIZE];
	uint8_t statement[STATEMENT_MAX];
	size_t statement_len;
};

static bool get_hex(yyjson_val *root, const char *name, uint8_t *out, size_t len)
{
	yyjson_val *v = yyjson_obj_get(root, name);

	return yyjson_is_str(v) && sr_hex_decode(yyjson_get_str(v), yyjson_get_len(v), out, len);
}

static bool parse_signature(yyjson_val *root, const char *path, const char *kind,
			    struct signature_file *out, struct sr_error *err)
{
	const char *given = yyjson_get_str(yyjson_obj_get(root, "kind"));
	size_t digits = yyjson_get_len(yyjson_obj_get(root, "statement"));

	if (yyjson_get_uint(yyjson_obj_get(root, "superRelaySignature")) != FILE_VERSION || !given)
		return sr_fail(err, SR_E_INVALID,
			       "%.150s: expected a file that `super-relay operator sign` wrote",
			       path);
	if (strcmp(given, kind) != 0)
		return sr_fail(err, SR_E_INVALID, "%.150s: it signs a statement '%.20s', not '%s'",
			       path, given, kind);
	out->statement_len = digits >= 2 ? digits / 2 - 1 : 0;
	if (out->statement_len && out->statement_len <= sizeof(out->statement) &&
	    get_hex(root, "statement", out->statement, out->statement_len) &&
	    get_hex(root, "operator", out->public_key, sizeof(out->public_key)) &&
	    get_hex(root, "signature", out->signature, sizeof(out->signature)))
		return true;
	return sr_fail(err, SR_E_INVALID, "%.150s: a field of the signature file is malformed",
		       path);
}

static bool read_signature(const char *path, const char *kind, struct signature_file *out,
			   struct sr_error *err)
{
	struct sr_buf text = { 0 };
	yyjson_doc *doc = NULL;
	bool ok = cli_read_file(path, SIGNATURE_FILE_MAX, &text, err);

	if (ok) {
		doc = text.len ? yyjson_read((const char *)text.data, text.len, 0) : NULL;
		ok = parse_signature(yyjson_doc_get_root(doc), path, kind, out, err);
	}
	yyjson_doc_free(doc);
	sr_buf_free(&text);
	return ok;
}

static bool from_file(const char *path, const char *kind, const struct sr_buf *statement,
		      uint8_t signature[static SR_TA_OPERATOR_SIGNATURE_SIZE], struct sr_error *err)
{
	struct signature_file file = { .statement_len = 0 };

	if (!read_signature(path, kind, &file, err))
		return false;
	if (file.statement_len != statement->len ||
	    memcmp(file.statement, statement->data, statement->len) != 0)
		return sr_fail(err, SR_E_DENIED,
			       "%.100s: the operator signed another statement than this command "
			       "makes: other options, another key, or the TA has moved on since",
			       path);
	if (!kms_operator_verify(file.public_key,
				 (struct sr_bytes){ statement->data, statement->len },
				 file.signature))
		return sr_fail(err, SR_E_DENIED,
			       "%.150s: the signature is not of the key that the file names", path);
	memcpy(signature, file.signature, SR_TA_OPERATOR_SIGNATURE_SIZE);
	return true;
}

bool cli_leave_signature(const struct cli_leave *leave, const char *kind,
			 const struct sr_buf *statement,
			 uint8_t signature[static SR_TA_OPERATOR_SIGNATURE_SIZE],
			 struct sr_error *err)
{
	uint8_t seed[KMS_OPERATOR_SEED_SIZE] = { 0 };
	bool ok = false;

	if (statement->failed)
		return sr_fail(err, SR_E_NO_MEMORY, "out of memory for the operator's statement");
	if (!leave->signature_file == !leave->key_file)
		return sr_fail(err, SR_E_INVALID,
			       "expected --signature FILE (super-relay operator sign %s), or for "
			       "development --operator-key FILE",
			       kind);
	if (leave->signature_file)
		return from_file(leave->signature_file, kind, statement, signature, err);
	mlock(seed, sizeof(seed));
	ok = cli_read_operator_key(leave->key_file, seed, err) &&
	     kms_operator_sign(seed, (struct sr_bytes){ statement->data, statement->len },
			       signature, err);
	sr_wipe(seed, sizeof(seed));
	munlock(seed, sizeof(seed));
	return ok;
}
