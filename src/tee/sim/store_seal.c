/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands in the store's files.
 *
 * Keys: BLAKE2b keyed with master.key, of a label and the TA's UUID; one for
 * names, one for contents. File name: hex of BLAKE2b keyed with the name key, of
 * the object's id. File: magic "SRSO" · u8 version · nonce (24) ·
 * XChaCha20-Poly1305 of (u8 id length · id, padded to 64 · data), with magic,
 * version and file name as associated data: a file under another name is damage.
 */
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tee/sim/store.h"

#define MASTER_KEY_NAME "master.key"
#define FORMAT_VERSION 1
#define HEADER_SIZE 5
#define NONCE_SIZE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_SIZE crypto_aead_xchacha20poly1305_ietf_ABYTES
#define ID_FIELD_SIZE (1 + TEE_OBJECT_ID_MAX_LEN)
#define NAME_LEN (SIM_STORE_NAME_SIZE - 1)
#define ASSOCIATED_SIZE (HEADER_SIZE + NAME_LEN)

static const uint8_t header[HEADER_SIZE] = { 'S', 'R', 'S', 'O', FORMAT_VERSION };

_Static_assert(SIM_STORE_KEY_SIZE == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "key size");
_Static_assert(SIM_SEALED_MAX >=
		       HEADER_SIZE + NONCE_SIZE + TAG_SIZE + ID_FIELD_SIZE + SIM_OBJECT_MAX,
	       "largest file");

void sim_store_name(const struct sim_store *store, const struct sim_object_id *id,
		    char out[static SIM_STORE_NAME_SIZE])
{
	uint8_t hash[32] = { 0 };

	(void)crypto_generichash(hash, sizeof(hash), id->bytes, id->len, store->name_key,
				 sizeof(store->name_key));
	sr_hex_encode(hash, sizeof(hash), out);
}

bool sim_store_is_name(const char *name)
{
	return strlen(name) == NAME_LEN && strspn(name, "0123456789abcdef") == NAME_LEN;
}

/* The name stands for the object's id, since it is a keyed hash of it. */
static void associated_data(const char *name, uint8_t out[static ASSOCIATED_SIZE])
{
	memcpy(out, header, HEADER_SIZE);
	memcpy(out + HEADER_SIZE, name, NAME_LEN);
}

TEE_Result sim_store_seal(const struct sim_store *store, const char *name,
			  const struct sim_object_id *id, const uint8_t *data, size_t len,
			  struct sim_blob *out)
{
	const size_t plain_len = ID_FIELD_SIZE + len;
	uint8_t associated[ASSOCIATED_SIZE] = { 0 };
	struct sim_blob plain = { .data = calloc(1, plain_len), .len = plain_len };
	uint8_t *nonce = NULL;

	*out = (struct sim_blob){ .len = HEADER_SIZE + NONCE_SIZE + plain_len + TAG_SIZE };
	out->data = malloc(out->len);
	if (!plain.data || !out->data) {
		sim_blob_free(&plain);
		sim_blob_free(out);
		return TEE_ERROR_OUT_OF_MEMORY;
	}
	plain.data[0] = (uint8_t)id->len;
	memcpy(plain.data + 1, id->bytes, id->len);
	if (len)
		memcpy(plain.data + ID_FIELD_SIZE, data, len);
	memcpy(out->data, header, HEADER_SIZE);
	nonce = out->data + HEADER_SIZE;
	randombytes_buf(nonce, NONCE_SIZE);
	associated_data(name, associated);
	(void)crypto_aead_xchacha20poly1305_ietf_encrypt(nonce + NONCE_SIZE, NULL, plain.data,
							 plain_len, associated, sizeof(associated),
							 NULL, nonce, store->content_key);
	sim_blob_free(&plain);
	return TEE_SUCCESS;
}

/* The id in the content must be the one that the name is made from. */
static bool read_id(const struct sim_store *store, const char *name, const uint8_t *plain,
		    struct sim_object_id *id)
{
	char expected[SIM_STORE_NAME_SIZE] = { 0 };

	if (plain[0] > TEE_OBJECT_ID_MAX_LEN)
		return false;
	*id = (struct sim_object_id){ .len = plain[0] };
	memcpy(id->bytes, plain + 1, id->len);
	sim_store_name(store, id, expected);
	return !strcmp(expected, name);
}

TEE_Result sim_store_unseal(const struct sim_store *store, const char *name, const uint8_t *sealed,
			    size_t sealed_len, struct sim_object_id *id, struct sim_blob *out)
{
	const size_t overhead = HEADER_SIZE + NONCE_SIZE + TAG_SIZE + ID_FIELD_SIZE;
	const uint8_t *nonce = sealed + HEADER_SIZE;
	uint8_t associated[ASSOCIATED_SIZE] = { 0 };
	TEE_Result result = TEE_ERROR_CORRUPT_OBJECT;

	*out = (struct sim_blob){ 0 };
	if (sealed_len < overhead || memcmp(sealed, header, HEADER_SIZE) != 0)
		return TEE_ERROR_CORRUPT_OBJECT;
	out->len = sealed_len - HEADER_SIZE - NONCE_SIZE - TAG_SIZE;
	out->data = malloc(out->len);
	if (!out->data)
		return TEE_ERROR_OUT_OF_MEMORY;
	associated_data(name, associated);
	if (!crypto_aead_xchacha20poly1305_ietf_decrypt(out->data, NULL, NULL, nonce + NONCE_SIZE,
							sealed_len - HEADER_SIZE - NONCE_SIZE,
							associated, sizeof(associated), nonce,
							store->content_key) &&
	    read_id(store, name, out->data, id)) {
		memmove(out->data, out->data + ID_FIELD_SIZE, sealed_len - overhead);
		/* What is freed is wiped to len: behind it stands the end of a secret. */
		sr_wipe(out->data + (sealed_len - overhead), ID_FIELD_SIZE);
		result = TEE_SUCCESS;
	}
	if (result == TEE_SUCCESS)
		out->len = sealed_len - overhead;
	else
		sim_blob_free(out);
	return result;
}

/* ---- keys -------------------------------------------------------------- */

static void derive(const uint8_t *master, const char *label, const TEE_UUID *ta,
		   uint8_t out[static SIM_STORE_KEY_SIZE])
{
	crypto_generichash_state state;

	(void)crypto_generichash_init(&state, master, SIM_STORE_KEY_SIZE, SIM_STORE_KEY_SIZE);
	(void)crypto_generichash_update(&state, (const uint8_t *)label, strlen(label) + 1);
	(void)crypto_generichash_update(&state, (const uint8_t *)ta, sizeof(*ta));
	(void)crypto_generichash_final(&state, out, SIM_STORE_KEY_SIZE);
	sr_wipe(&state, sizeof(state));
}

static TEE_Result any_object(void *arg, const struct sim_object_id *id)
{
	(void)id;
	*(bool *)arg = true;
	return TEE_SUCCESS;
}

/* Linked, not renamed, into place: of two processes that start at once, one makes
 * the key and both then read it. */
static bool make_master(const struct sim_store *store, struct sr_error *err)
{
	uint8_t key[SIM_STORE_KEY_SIZE] = { 0 };
	bool objects = false;
	int error = 0;

	if (sim_store_list(store, any_object, &objects) != TEE_SUCCESS)
		return sr_fail(err, SR_E_UNAVAILABLE, "objects cannot be listed");
	if (objects)
		return sr_fail(err, SR_E_CORRUPT,
			       MASTER_KEY_NAME " is missing, but there are objects sealed with it: "
					       "restore it from a backup");
	randombytes_buf(key, sizeof(key));
	error = sim_file_write(store->dir, MASTER_KEY_NAME, key, sizeof(key), false, NULL, NULL);
	sr_wipe(key, sizeof(key));
	if (error)
		return sr_fail(err, SR_E_UNAVAILABLE, MASTER_KEY_NAME ": %s", strerror(error));
	return true;
}

/* Where others may read it, it has been read; where another owns it, it is his. */
static bool check_master(const struct sim_store *store, struct sr_error *err)
{
	struct stat st = { 0 };

	if (fstatat(store->dir, MASTER_KEY_NAME, &st, AT_SYMLINK_NOFOLLOW))
		return sr_fail(err, SR_E_UNAVAILABLE, MASTER_KEY_NAME ": %s", strerror(errno));
	return sim_store_check_private(MASTER_KEY_NAME, &st, err);
}

bool sim_store_load_keys(struct sim_store *store, const TEE_UUID *ta, struct sr_error *err)
{
	struct sim_blob master = { 0 };
	int error = sim_file_read(store->dir, MASTER_KEY_NAME, SIM_STORE_KEY_SIZE, &master);

	if (error == ENOENT) {
		if (!make_master(store, err))
			return false;
		error = sim_file_read(store->dir, MASTER_KEY_NAME, SIM_STORE_KEY_SIZE, &master);
	}
	if (!error && !check_master(store, err)) {
		sim_blob_free(&master);
		return false;
	}
	if (error && error != EFBIG)
		return sr_fail(err, SR_E_UNAVAILABLE, MASTER_KEY_NAME ": %s", strerror(error));
	if (error || master.len != SIM_STORE_KEY_SIZE) {
		sim_blob_free(&master);
		return sr_fail(err, SR_E_CORRUPT, MASTER_KEY_NAME " must have %d bytes",
			       SIM_STORE_KEY_SIZE);
	}
	derive(master.data, "super-relay simulator names", ta, store->name_key);
	derive(master.data, "super-relay simulator contents", ta, store->content_key);
	sim_blob_free(&master);
	return true;
}
