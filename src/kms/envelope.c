/* SPDX-License-Identifier: Apache-2.0 */
#include <secp256k1.h>
#include <sodium.h>
#include <string.h>

#include "kms/envelope_private.h"

#define MAGIC "SRKE"
#define MAGIC_SIZE (sizeof(MAGIC) - 1)
#define VERSION 1
#define INFO "SuperRelay key envelope 1"

struct frame {
	struct kms_gcm gcm; /* key empty until it is derived */
	uint8_t ciphertext[SR_TA_SECRET_SIZE];
	uint8_t tag[KMS_TAG_SIZE];
};

struct kms_envelope *kms_envelope_new(struct sr_error *err)
{
	return kms_locked_new(sizeof(struct kms_envelope), err);
}

/* ---- public keys ----------------------------------------------------------------- */

static bool derive_secp256k1(const uint8_t *secret, struct kms_key *key)
{
	secp256k1_context *context = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
	size_t len = SR_TA_SECP256K1_PUBLIC_SIZE;
	secp256k1_pubkey point;
	bool ok = context && secp256k1_ec_pubkey_create(context, &point, secret) == 1 &&
		  secp256k1_ec_pubkey_serialize(context, key->public_key, &len, &point,
						SECP256K1_EC_UNCOMPRESSED) == 1;

	if (context)
		secp256k1_context_destroy(context);
	key->public_key_len = len;
	return ok;
}

static bool derive_ed25519(const uint8_t *secret, struct kms_key *key)
{
	uint8_t pair[crypto_sign_SECRETKEYBYTES] = { 0 };
	bool ok = crypto_sign_seed_keypair(key->public_key, pair, secret) == 0;

	sr_wipe(pair, sizeof(pair));
	key->public_key_len = SR_TA_ED25519_PUBLIC_SIZE;
	return ok;
}

bool kms_derive_public(const uint8_t secret[static SR_TA_SECRET_SIZE], struct kms_key *key,
		       struct sr_error *err)
{
	bool ok = false;

	memset(key->public_key, 0, sizeof(key->public_key));
	if (key->algorithm == SR_TA_ALG_SECP256K1)
		ok = derive_secp256k1(secret, key);
	else if (key->algorithm == SR_TA_ALG_ED25519)
		ok = derive_ed25519(secret, key);
	else
		return sr_fail(err, SR_E_INVALID, "algorithm: expected 1 or 2, got %u",
			       (unsigned)key->algorithm);
	return ok || sr_fail(err, SR_E_INVALID,
			     "the secret is no private key: expected a number from 1 to the "
			     "curve's order less 1");
}

/* ---- reading ---------------------------------------------------------------------- */

static bool fail_form(struct sr_error *err, const char *what)
{
	return sr_fail(err, SR_E_INVALID, "envelope: %s", what);
}

static bool judge_usage(const struct kms_key *key, struct sr_error *err)
{
	const uint32_t usage = key->usage;
	const bool one = usage && !(usage & (usage - 1)) && !(usage & ~(uint32_t)SR_TA_USAGE_ALL);
	size_t public_size = SR_TA_ED25519_PUBLIC_SIZE;

	if (key->algorithm != SR_TA_ALG_SECP256K1 && key->algorithm != SR_TA_ALG_ED25519)
		return sr_fail(err, SR_E_INVALID, "envelope: algorithm: expected 1 or 2, got %u",
			       (unsigned)key->algorithm);
	if (!one || (key->algorithm == SR_TA_ALG_ED25519 && usage != SR_TA_USAGE_DIGEST))
		return sr_fail(err, SR_E_INVALID,
			       "envelope: usage: expected one that the algorithm has, got 0x%x",
			       (unsigned)usage);
	if (key->algorithm == SR_TA_ALG_SECP256K1)
		public_size = SR_TA_SECP256K1_PUBLIC_SIZE;
	if (key->public_key_len != public_size)
		return sr_fail(err, SR_E_INVALID,
			       "envelope: public key: expected %zu bytes, got %zu", public_size,
			       key->public_key_len);
	return true;
}

/* What sealing and opening ask of a key alike. */
static bool judge(const struct kms_envelope *e, struct sr_error *err)
{
	const uint8_t zeros[SR_TA_OPERATOR_SIGNATURE_SIZE] = { 0 };

	if (!judge_usage(&e->key, err) || !kms_key_id_check(e->key.id, err))
		return false;
	if (e->key.origin < SR_TA_ORIGIN_GENERATED || e->key.origin > SR_TA_ORIGIN_IMPORTED_WRAPPED)
		return sr_fail(err, SR_E_INVALID, "envelope: origin: expected 1 to 3, got %u",
			       (unsigned)e->key.origin);
	if (e->key.policy_version
		    ? !e->policy_len || e->policy_len > sizeof(e->policy)
		    : e->policy_len || memcmp(e->operator_signature, zeros, sizeof(zeros)) != 0)
		return fail_form(err, "policy: its version, length and signature disagree");
	return true;
}

/* Unlike kms_get_text, takes no NUL inside: what follows it would not be seen. */
static void read_id(struct kms_reader *r, char out[static KMS_KEY_ID_SIZE])
{
	const size_t len = kms_get_u8(r);

	if (len >= KMS_KEY_ID_SIZE) {
		r->failed = true;
		return;
	}
	kms_get_bytes(r, out, len);
	r->failed |= strlen(out) != len;
}

static void read_key(struct kms_reader *r, struct kms_envelope *e)
{
	e->key.algorithm = kms_get_u8(r);
	e->key.usage = kms_get_u32(r);
	e->key.origin = kms_get_u8(r);
	e->key.created = kms_get_u64(r);
	read_id(r, e->key.id);
	e->key.public_key_len = kms_get_u8(r);
	if (e->key.public_key_len > sizeof(e->key.public_key)) {
		e->key.public_key_len = 0;
		r->failed = true;
	}
	kms_get_bytes(r, e->key.public_key, e->key.public_key_len);
	e->key.policy_version = kms_get_u32(r);
	e->policy_len = kms_get_long(r, e->policy, sizeof(e->policy));
	kms_get_bytes(r, e->operator_signature, sizeof(e->operator_signature));
}

static void read_frame(struct kms_reader *r, struct frame *f)
{
	kms_get_bytes(r, f->gcm.nonce, sizeof(f->gcm.nonce));
	f->gcm.authenticated = r->data;
	f->gcm.len = r->at;
	kms_get_bytes(r, f->ciphertext, sizeof(f->ciphertext));
	kms_get_bytes(r, f->tag, sizeof(f->tag));
}

static bool read_envelope(struct sr_bytes bytes, struct frame *f, struct kms_envelope *out,
			  struct sr_error *err)
{
	struct kms_reader r = { .data = bytes.data, .len = bytes.len };
	uint8_t magic[MAGIC_SIZE] = { 0 };
	unsigned version = 0;

	memset(out, 0, sizeof(*out));
	if (bytes.len > SR_TA_ENVELOPE_MAX)
		return sr_fail(err, SR_E_INVALID, "envelope: expected at most %d bytes, got %zu",
			       SR_TA_ENVELOPE_MAX, bytes.len);
	kms_get_bytes(&r, magic, sizeof(magic));
	if (memcmp(magic, MAGIC, sizeof(magic)) != 0)
		return fail_form(err, "it does not begin with " MAGIC);
	version = kms_get_u8(&r);
	if (version != VERSION)
		return sr_fail(err, SR_E_INVALID, "envelope: version: expected %d, got %u", VERSION,
			       version);
	kms_get_bytes(&r, out->ta_uuid, sizeof(out->ta_uuid));
	kms_get_bytes(&r, out->recipient, sizeof(out->recipient));
	kms_get_bytes(&r, out->ephemeral, sizeof(out->ephemeral));
	read_key(&r, out);
	read_frame(&r, f);
	if (r.failed || r.at != r.len)
		return fail_form(err, "a field is cut short, too long, or followed by more");
	return judge(out, err);
}

bool kms_envelope_read(struct sr_bytes bytes, struct kms_envelope *out, struct sr_error *err)
{
	struct frame f = { 0 };

	return read_envelope(bytes, &f, out, err);
}

/* ---- opening and sealing ----------------------------------------------------------- */

/* own is the ephemeral secret when sealing, and the recipient's when opening. */
static bool derive_key(const struct kms_envelope *e, const uint8_t *own, const uint8_t *peer,
		       uint8_t out[static 32])
{
	uint8_t salt[2 * SR_TA_X25519_PUBLIC_SIZE] = { 0 };
	uint8_t shared[SR_TA_X25519_PUBLIC_SIZE] = { 0 };
	bool ok = kms_x25519(own, peer, shared);

	memcpy(salt, e->ephemeral, sizeof(e->ephemeral));
	memcpy(salt + sizeof(e->ephemeral), e->recipient, sizeof(e->recipient));
	if (ok)
		kms_hkdf_sha256(SR_BYTES(salt), SR_BYTES(shared),
				(struct sr_bytes){ (const uint8_t *)INFO, sizeof(INFO) - 1 }, out);
	sr_wipe(shared, sizeof(shared));
	return ok;
}

static bool judge_pair(const struct kms_envelope *e, struct sr_error *err)
{
	struct kms_key derived = e->key;

	if (!kms_derive_public(e->secret, &derived, err))
		return sr_fail_in(err, "envelope");
	if (memcmp(derived.public_key, e->key.public_key, sizeof(derived.public_key)) != 0)
		return sr_fail(err, SR_E_CORRUPT,
			       "envelope: the public key is not that of the secret");
	return true;
}

static bool open_frame(struct frame *f, const uint8_t *secret, struct kms_envelope *e,
		       struct sr_error *err)
{
	uint8_t own[SR_TA_X25519_PUBLIC_SIZE] = { 0 };
	bool ok = false;

	if (!kms_x25519_public(secret, own, err))
		return false;
	if (memcmp(own, e->recipient, sizeof(own)) != 0)
		return sr_fail(err, SR_E_DENIED, "envelope: it was sealed to another key");
	ok = derive_key(e, secret, e->ephemeral, f->gcm.key) &&
	     kms_gcm_decrypt(&f->gcm, f->ciphertext, f->tag, e->secret);
	sr_wipe(f->gcm.key, sizeof(f->gcm.key));
	if (!ok)
		return sr_fail(err, SR_E_DENIED,
			       "envelope: it does not open: it was changed after it was sealed");
	return judge_pair(e, err);
}

bool kms_envelope_open(struct sr_bytes bytes, const uint8_t secret[static SR_TA_SECRET_SIZE],
		       struct kms_envelope *out, struct sr_error *err)
{
	struct frame f = { 0 };
	bool ok = read_envelope(bytes, &f, out, err) && open_frame(&f, secret, out, err);

	if (!ok)
		sr_wipe(out->secret, sizeof(out->secret));
	return ok;
}

static void write_head(struct kms_writer *w, const struct kms_envelope *e, const uint8_t *nonce)
{
	kms_put_bytes(w, MAGIC, MAGIC_SIZE);
	kms_put_u8(w, VERSION);
	kms_put_bytes(w, e->ta_uuid, sizeof(e->ta_uuid));
	kms_put_bytes(w, e->recipient, sizeof(e->recipient));
	kms_put_bytes(w, e->ephemeral, sizeof(e->ephemeral));
	kms_put_u8(w, e->key.algorithm);
	kms_put_u32(w, e->key.usage);
	kms_put_u8(w, e->key.origin);
	kms_put_u64(w, e->key.created);
	kms_put_text(w, e->key.id);
	kms_put_u8(w, (uint8_t)e->key.public_key_len);
	kms_put_bytes(w, e->key.public_key, e->key.public_key_len);
	kms_put_u32(w, e->key.policy_version);
	kms_put_long(w, e->policy, e->policy_len);
	kms_put_bytes(w, e->operator_signature, sizeof(e->operator_signature));
	kms_put_bytes(w, nonce, KMS_NONCE_GCM_SIZE);
}

/* The head is in w already, and authenticated with the secret. */
static bool write_secret(struct kms_writer *w, const struct kms_envelope *e, const uint8_t *own,
			 const uint8_t *nonce)
{
	struct frame f = { .gcm = { .authenticated = w->data, .len = w->len } };
	bool ok = derive_key(e, own, e->recipient, f.gcm.key);

	memcpy(f.gcm.nonce, nonce, sizeof(f.gcm.nonce));
	ok = ok && kms_gcm_encrypt(&f.gcm, e->secret, f.ciphertext, f.tag);
	sr_wipe(f.gcm.key, sizeof(f.gcm.key));
	if (!ok)
		return false;
	kms_put_bytes(w, f.ciphertext, sizeof(f.ciphertext));
	kms_put_bytes(w, f.tag, sizeof(f.tag));
	return true;
}

bool kms_envelope_seal_with(struct kms_envelope *e,
			    const uint8_t ephemeral_secret[static SR_TA_SECRET_SIZE],
			    const uint8_t nonce[static KMS_NONCE_GCM_SIZE],
			    uint8_t out[static SR_TA_ENVELOPE_MAX], size_t *len,
			    struct sr_error *err)
{
	struct kms_writer w = { .data = out, .size = SR_TA_ENVELOPE_MAX };

	if (!judge(e, err) || !judge_pair(e, err))
		return false;
	if (!kms_x25519_usable(e->recipient))
		return sr_fail(err, SR_E_INVALID,
			       "the recipient's key is a point of small order: nothing that is "
			       "sealed to it stays secret");
	if (!kms_x25519_public(ephemeral_secret, e->ephemeral, err))
		return false;
	write_head(&w, e, nonce);
	if (!write_secret(&w, e, ephemeral_secret, nonce) || w.failed)
		return sr_fail(err, SR_E_INTERNAL, "envelope: encryption failed");
	*len = w.len;
	return true;
}

bool kms_envelope_seal(struct kms_envelope *e, uint8_t out[static SR_TA_ENVELOPE_MAX], size_t *len,
		       struct sr_error *err)
{
	uint8_t random[SR_TA_HOST_ENTROPY_SIZE] = { 0 };
	bool ok = kms_host_entropy(random, err) &&
		  kms_envelope_seal_with(e, random, random + SR_TA_SECRET_SIZE, out, len, err);

	sr_wipe(random, sizeof(random));
	return ok;
}
