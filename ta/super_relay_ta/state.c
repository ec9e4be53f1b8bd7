/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "entropy.h"
#include "memory.h"
#include "sha256.h"
#include "sign_secp256k1.h"
#include "state.h"
#include "storage.h"
#include "transport.h"
#include "wire.h"

#define IDENTITY_MAGIC 0x31495253u /* "SRI1", little-endian */
#define JOURNAL_MAGIC 0x314a5253u  /* "SRJ1" */
#define RECORD_VERSION 1

#define IDENTITY_SIZE                                                       \
	(4 + 1 + 3 * SR_TA_SECRET_SIZE + 2 * SR_TA_SECP256K1_PUBLIC_SIZE +  \
	 SR_TA_X25519_PUBLIC_SIZE + 1 + SR_TA_ED25519_PUBLIC_SIZE + 4 + 1 + \
	 SR_TA_GROUPS_MAX * TA_GROUP_SIZE)
#define JOURNAL_SIZE (4 + 1 + TA_TAG_SIZE + 3 * 8 + SR_TA_HEAD_SIZE + 4 + 32)

static const struct ta_storage_id identity_object = { .bytes = "i", .len = 1 };
static const struct ta_storage_id journal_object = { .bytes = "j", .len = 1 };

static struct ta_identity identity;
static struct ta_journal journal;
static bool loaded;
static bool damaged; /* for as long as the instance lives: see the header */

void ta_state_reset(void)
{
	ta_wipe(&identity, sizeof(identity));
	ta_wipe(&journal, sizeof(journal));
	loaded = false;
	damaged = false;
}

/* ---- stored forms -------------------------------------------------------- */

static size_t encode_identity(const struct ta_identity *from, uint8_t out[IDENTITY_SIZE])
{
	struct ta_writer w = { .data = out, .size = IDENTITY_SIZE };

	ta_put_u32(&w, IDENTITY_MAGIC);
	ta_put_u8(&w, RECORD_VERSION);
	ta_put_bytes(&w, from->audit_secret, sizeof(from->audit_secret));
	ta_put_bytes(&w, from->attest_secret, sizeof(from->attest_secret));
	ta_put_bytes(&w, from->transport_secret, sizeof(from->transport_secret));
	ta_put_bytes(&w, from->audit_public, sizeof(from->audit_public));
	ta_put_bytes(&w, from->attest_public, sizeof(from->attest_public));
	ta_put_bytes(&w, from->transport_public, sizeof(from->transport_public));
	ta_put_u8(&w, from->provisioned);
	ta_put_bytes(&w, from->operator_key, sizeof(from->operator_key));
	ta_put_u32(&w, from->flags);
	ta_put_u8(&w, from->group_count);
	ta_put_bytes(&w, from->groups, sizeof(from->groups));
	return w.len;
}

static TEE_Result set_tag(struct ta_identity *of)
{
	uint8_t hash[TA_SHA256_SIZE] = { 0 };
	TEE_Result result = ta_sha256(of->audit_public, sizeof(of->audit_public), hash);

	memcpy(of->tag, hash, sizeof(of->tag));
	return result;
}

static TEE_Result decode_identity(const uint8_t *record, size_t len, struct ta_identity *out)
{
	struct ta_reader in = { .data = record, .len = len };
	uint8_t provisioned = 0;

	if (ta_get_u32(&in) != IDENTITY_MAGIC || ta_get_u8(&in) != RECORD_VERSION)
		return TEE_ERROR_CORRUPT_OBJECT;
	ta_get_bytes(&in, out->audit_secret, sizeof(out->audit_secret));
	ta_get_bytes(&in, out->attest_secret, sizeof(out->attest_secret));
	ta_get_bytes(&in, out->transport_secret, sizeof(out->transport_secret));
	ta_get_bytes(&in, out->audit_public, sizeof(out->audit_public));
	ta_get_bytes(&in, out->attest_public, sizeof(out->attest_public));
	ta_get_bytes(&in, out->transport_public, sizeof(out->transport_public));
	provisioned = ta_get_u8(&in);
	ta_get_bytes(&in, out->operator_key, sizeof(out->operator_key));
	out->flags = ta_get_u32(&in);
	out->group_count = ta_get_u8(&in);
	ta_get_bytes(&in, out->groups, sizeof(out->groups));
	if (!ta_reader_done(&in) || provisioned > 1 || out->group_count > SR_TA_GROUPS_MAX)
		return TEE_ERROR_CORRUPT_OBJECT;
	out->provisioned = provisioned;
	return set_tag(out);
}

static size_t encode_journal(const struct ta_journal *from, const uint8_t tag[TA_TAG_SIZE],
			     uint8_t out[JOURNAL_SIZE])
{
	struct ta_writer w = { .data = out, .size = JOURNAL_SIZE };

	ta_put_u32(&w, JOURNAL_MAGIC);
	ta_put_u8(&w, RECORD_VERSION);
	ta_put_bytes(&w, tag, TA_TAG_SIZE);
	ta_put_u64(&w, from->generation);
	ta_put_u64(&w, from->used_to);
	ta_put_u64(&w, from->confirmed);
	ta_put_bytes(&w, from->confirmed_head, sizeof(from->confirmed_head));
	ta_put_u32(&w, from->ledgers);
	ta_put_bytes(&w, from->pending_ledger, sizeof(from->pending_ledger));
	return w.len;
}

static TEE_Result decode_journal(const uint8_t *record, size_t len, const uint8_t *tag,
				 struct ta_journal *out)
{
	struct ta_reader in = { .data = record, .len = len };
	uint8_t own[TA_TAG_SIZE] = { 0 };

	if (ta_get_u32(&in) != JOURNAL_MAGIC || ta_get_u8(&in) != RECORD_VERSION)
		return TEE_ERROR_CORRUPT_OBJECT;
	ta_get_bytes(&in, own, sizeof(own));
	out->generation = ta_get_u64(&in);
	out->used_to = ta_get_u64(&in);
	out->confirmed = ta_get_u64(&in);
	ta_get_bytes(&in, out->confirmed_head, sizeof(out->confirmed_head));
	out->ledgers = ta_get_u32(&in);
	ta_get_bytes(&in, out->pending_ledger, sizeof(out->pending_ledger));
	if (!ta_reader_done(&in) || memcmp(own, tag, sizeof(own)) != 0 ||
	    out->confirmed > out->used_to)
		return TEE_ERROR_CORRUPT_OBJECT;
	return TEE_SUCCESS;
}

/* ---- loading --------------------------------------------------------------- */

/* That there is none is a blank storage, unless something is there that only an identity can
 * have made. */
static TEE_Result judge_missing(void)
{
	bool any = false;
	TEE_Result result = ta_storage_any("kl", &any);

	if (result != TEE_SUCCESS)
		return result;
	return any ? TEE_ERROR_CORRUPT_OBJECT : TEE_ERROR_ITEM_NOT_FOUND;
}

static TEE_Result load_identity(struct ta_identity *out)
{
	uint8_t record[IDENTITY_SIZE] = { 0 };
	size_t len = 0;
	TEE_Result result = ta_storage_read(&identity_object, record, sizeof(record), &len);

	if (result == TEE_ERROR_ITEM_NOT_FOUND)
		return judge_missing();
	if (result == TEE_SUCCESS)
		result = decode_identity(record, len, out);
	ta_wipe(record, sizeof(record));
	return result;
}

static TEE_Result load_journal(const uint8_t *tag, struct ta_journal *out)
{
	uint8_t record[JOURNAL_SIZE] = { 0 };
	size_t len = 0;
	TEE_Result result = ta_storage_read(&journal_object, record, sizeof(record), &len);

	/* Made before the identity: it is gone, not yet to come. */
	if (result == TEE_ERROR_ITEM_NOT_FOUND)
		return TEE_ERROR_CORRUPT_OBJECT;
	return result == TEE_SUCCESS ? decode_journal(record, len, tag, out) : result;
}

TEE_Result ta_state_load(void)
{
	static struct ta_identity read;
	struct ta_journal read_journal = { 0 };
	TEE_Result result = TEE_SUCCESS;

	if (loaded)
		return TEE_SUCCESS;
	/* OP-TEE deletes what it finds corrupt: the second look would find a blank device. */
	if (damaged)
		return TEE_ERROR_CORRUPT_OBJECT;
	ta_wipe(&read, sizeof(read));
	result = load_identity(&read);
	if (result == TEE_SUCCESS)
		result = load_journal(read.tag, &read_journal);
	if (result == TEE_SUCCESS) {
		identity = read;
		journal = read_journal;
		loaded = true;
	}
	ta_wipe(&read, sizeof(read));
	damaged = result == TEE_ERROR_CORRUPT_OBJECT;
	return result;
}

const struct ta_identity *ta_state_identity(void)
{
	return loaded ? &identity : NULL;
}

bool ta_state_provisioned(void)
{
	return loaded && identity.provisioned;
}

uint32_t ta_state_flags(void)
{
	return ta_state_provisioned() ? identity.flags : 0;
}

const struct ta_journal *ta_state_journal(void)
{
	return &journal;
}

/* ---- changing --------------------------------------------------------------- */

/* In memory only what is in storage: an error leaves it open which that is, and the
 * instance has to look again. */
static TEE_Result store_identity(const struct ta_identity *next)
{
	uint8_t record[IDENTITY_SIZE] = { 0 };
	const size_t len = encode_identity(next, record);
	TEE_Result result = ta_storage_write(&identity_object, record, len);

	ta_wipe(record, sizeof(record));
	if (result == TEE_SUCCESS)
		identity = *next;
	loaded = result == TEE_SUCCESS;
	return result;
}

static TEE_Result store_journal(const struct ta_journal *next, const uint8_t *tag)
{
	uint8_t record[JOURNAL_SIZE] = { 0 };
	const size_t len = encode_journal(next, tag, record);
	TEE_Result result = TEE_SUCCESS;

	/* An instance's first change to the storage is this one. */
	ta_entropy_before_change();
	result = ta_storage_write(&journal_object, record, len);
	if (result == TEE_SUCCESS)
		journal = *next;
	return result;
}

static TEE_Result make_pair(uint8_t secret[SR_TA_SECRET_SIZE],
			    uint8_t public[SR_TA_SECP256K1_PUBLIC_SIZE])
{
	struct ta_key key = { 0 };
	TEE_Result result = ta_secp256k1_generate(&key);

	memcpy(secret, key.secret, sizeof(key.secret));
	memcpy(public, key.public_key, SR_TA_SECP256K1_PUBLIC_SIZE);
	ta_wipe(&key, sizeof(key));
	return result;
}

static TEE_Result make_keys(struct ta_identity *out)
{
	TEE_Result result = make_pair(out->audit_secret, out->audit_public);

	if (result == TEE_SUCCESS)
		result = make_pair(out->attest_secret, out->attest_public);
	ta_entropy_next(out->transport_secret);
	if (result == TEE_SUCCESS)
		result = ta_transport_public(out->transport_secret, out->transport_public);
	if (result == TEE_SUCCESS)
		result = set_tag(out);
	return result;
}

static TEE_Result genesis_of(const struct ta_identity *of, uint8_t out[static SR_TA_HEAD_SIZE])
{
	static const char name[] = SR_TA_AUDIT_GENESIS;
	const struct ta_piece pieces[] = {
		{ name, sizeof(name) - 1 },
		{ of->audit_public, sizeof(of->audit_public) },
	};

	return ta_sha256_pieces(pieces, 2, out);
}

TEE_Result ta_state_genesis(uint8_t out[static SR_TA_HEAD_SIZE])
{
	return loaded ? genesis_of(&identity, out) : TEE_ERROR_BAD_STATE;
}

TEE_Result ta_state_create(void)
{
	static struct ta_identity made;
	struct ta_journal first = { .generation = 1 };
	TEE_Result result = TEE_ERROR_GENERIC;

	ta_entropy_refresh();
	result = make_keys(&made);
	ta_entropy_end_key();
	if (result == TEE_SUCCESS)
		result = genesis_of(&made, first.confirmed_head);
	if (result == TEE_SUCCESS)
		result = store_journal(&first, made.tag);
	if (result == TEE_SUCCESS)
		result = store_identity(&made);
	ta_wipe(&made, sizeof(made));
	return result;
}

/* With another transport key: what was sealed to the one before could be opened by whoever keeps a
 * copy of the storage from before, and provisions that. */
TEE_Result ta_state_provision(struct ta_identity *next)
{
	TEE_Result result = TEE_SUCCESS;

	ta_entropy_refresh();
	ta_entropy_next(next->transport_secret);
	ta_entropy_end_key();
	result = ta_transport_public(next->transport_secret, next->transport_public);
	return result == TEE_SUCCESS ? store_identity(next) : result;
}

TEE_Result ta_state_commit(const struct ta_journal *next)
{
	struct ta_journal raised = *next;

	if (!loaded)
		return TEE_ERROR_BAD_STATE;
	raised.generation++;
	return store_journal(&raised, identity.tag);
}

TEE_Result ta_state_changed(void)
{
	return ta_state_commit(&journal);
}

TEE_Result ta_state_sign(enum ta_own_key which, const uint8_t digest[static 32],
			 uint8_t out[static SR_TA_SECP256K1_SIGNATURE_SIZE])
{
	struct ta_key key = { .public_len = SR_TA_SECP256K1_PUBLIC_SIZE };
	const bool audit = which == TA_OWN_AUDIT;
	TEE_Result result = TEE_ERROR_BAD_STATE;

	if (!loaded)
		return result;
	memcpy(key.secret, audit ? identity.audit_secret : identity.attest_secret,
	       sizeof(key.secret));
	memcpy(key.public_key, audit ? identity.audit_public : identity.attest_public,
	       SR_TA_SECP256K1_PUBLIC_SIZE);
	result = ta_secp256k1_sign(&key, digest, out);
	ta_wipe(&key, sizeof(key));
	return result;
}
