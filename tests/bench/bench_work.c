/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/bench_work.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/native_signer.h"

#define IN_FLIGHT 32 /* requests of a stream */
#define MESSAGE 256  /* bytes of an Ed25519 message */

static struct kms_request requests[SR_TA_BATCH_MAX];
static atomic_uint_least64_t serial; /* no two signatures are over the same */
static uint8_t ed25519_secret[crypto_sign_SECRETKEYBYTES];
static uint8_t ed25519_public[crypto_sign_PUBLICKEYBYTES];

void bench_die(const char *what)
{
	(void)fprintf(stderr, "bench-kms: %s\n", what);
	exit(1);
}

/* ---- subjects ---------------------------------------------------------- */

/* On the signer's thread. */
static void count_signed(void *arg, const struct kms_observation *seen)
{
	struct bench_subject *s = arg;

	if (seen->command != SR_TA_CMD_SIGN_SPONSORSHIP)
		return;
	atomic_fetch_add(&s->invocations, 1);
	atomic_fetch_add(&s->signed_in_them, seen->items);
}

void bench_open_subject(struct bench_subject *s, const struct kms_config *base, unsigned batch_size)
{
	struct kms_config config = *base;
	struct sr_error err = { .code = SR_OK };

	config.batch_size = batch_size;
	config.observe = count_signed;
	config.observe_arg = s;
	if (pthread_mutex_init(&s->lock, NULL) || pthread_cond_init(&s->finished, NULL))
		bench_die("no mutex");
	if (!kms_open(&config, &s->kms, &err))
		bench_die(err.message);
}

/* ---- the work, natively ------------------------------------------------ */

static void put_serial(uint8_t *out)
{
	const uint64_t number = atomic_fetch_add(&serial, 1);

	memcpy(out, &number, sizeof(number));
}

static struct eth_sponsorship next_sponsorship(void)
{
	struct eth_sponsorship s = { .scheme = ETH_SCHEME_VERIFYING_PAYMASTER_V07,
				     .chain_id = 31337,
				     .entry_point = { { 1 } },
				     .paymaster = { { 2 } },
				     .sender = { { 3 } },
				     .call_data_hash = { 4 },
				     .valid_until = 2,
				     .valid_after = 1 };

	put_serial(s.nonce);
	return s;
}

static void next_digest(uint8_t out[static 32])
{
	memset(out, 0x5a, 32);
	put_serial(out);
}

bool native_sponsor(const struct bench_row *row)
{
	const struct native_signer *native = row->subject;
	const unsigned count = bench_pieces(row);
	uint8_t signature[65];
	uint8_t digest[32];

	for (unsigned i = 0; i < count; i++) {
		const struct eth_sponsorship s = next_sponsorship();

		eth_verifying_paymaster_v07_digest(&s, digest);
		if (!native->sign(digest, signature))
			return false;
	}
	return true;
}

bool native_digests(const struct bench_row *row)
{
	const struct native_signer *native = row->subject;
	uint8_t signature[65];
	uint8_t digest[32];

	for (unsigned i = 0; i < row->batch; i++) {
		next_digest(digest);
		if (!native->sign(digest, signature))
			return false;
	}
	return true;
}

void native_ed25519_open(void)
{
	if (sodium_init() < 0 || crypto_sign_keypair(ed25519_public, ed25519_secret) != 0)
		bench_die("libsodium");
}

bool native_ed25519(const struct bench_row *row)
{
	uint8_t message[MESSAGE] = { 0 };
	uint8_t signature[crypto_sign_BYTES];

	(void)row;
	next_digest(message);
	return crypto_sign_detached(signature, NULL, message, sizeof(message), ed25519_secret) ==
		       0 &&
	       crypto_sign_verify_detached(signature, message, sizeof(message), ed25519_public) ==
		       0;
}

/* ---- the work, by the KMS ----------------------------------------------- */

static void submit(struct bench_subject *s, struct kms_request *request);

/* On the signer's thread. */
static void on_signed(struct kms_request *request)
{
	struct bench_subject *s = request->arg;
	bool again = false;

	pthread_mutex_lock(&s->lock);
	s->failed = s->failed || request->result.error.code != SR_OK;
	again = s->to_submit > 0;
	if (again)
		s->to_submit--;
	if (--s->left == 0)
		pthread_cond_signal(&s->finished);
	pthread_mutex_unlock(&s->lock);
	if (again)
		submit(s, request);
}

static void submit(struct bench_subject *s, struct kms_request *request)
{
	struct sr_error err = { .code = SR_OK };

	*request = (struct kms_request){ .key_id = SPONSOR_KEY,
					 .sponsorship = next_sponsorship(),
					 .done = on_signed,
					 .arg = s };
	if (!kms_sign_sponsorship(s->kms, request, &err))
		bench_die(err.message);
}

/* count signatures, at most in_flight of them at a time. */
static bool sponsor(struct bench_subject *s, unsigned count, unsigned in_flight)
{
	s->left = count;
	s->to_submit = count - in_flight;
	for (unsigned i = 0; i < in_flight; i++)
		submit(s, &requests[i]);
	pthread_mutex_lock(&s->lock);
	while (s->left)
		pthread_cond_wait(&s->finished, &s->lock);
	pthread_mutex_unlock(&s->lock);
	return !s->failed;
}

bool kms_burst(const struct bench_row *row)
{
	return sponsor(row->subject, row->batch, row->batch);
}

bool kms_stream(const struct bench_row *row)
{
	return sponsor(row->subject, bench_pieces(row), IN_FLIGHT);
}

bool kms_digests(const struct bench_row *row)
{
	static uint8_t digests[SR_TA_BATCH_MAX * 32];
	static uint8_t signatures[SR_TA_BATCH_MAX * SR_TA_SECP256K1_SIGNATURE_SIZE];
	const struct bench_subject *s = row->subject;
	struct sr_error err = { .code = SR_OK };

	for (unsigned i = 0; i < row->batch; i++)
		next_digest(digests + (size_t)i * 32);
	if (!kms_sign_digests(s->kms, DIGEST_KEY, digests, row->batch, signatures, &err))
		bench_die(err.message);
	return true;
}

bool kms_ed25519(const struct bench_row *row)
{
	uint8_t message[MESSAGE] = { 0 };
	uint8_t signature[SR_TA_ED25519_SIGNATURE_SIZE];
	const struct bench_subject *s = row->subject;
	struct sr_error err = { .code = SR_OK };

	next_digest(message);
	if (!kms_sign_ed25519(s->kms, ED25519_KEY, SR_BYTES(message), signature, &err))
		bench_die(err.message);
	return true;
}

bool kms_nothing(const struct bench_row *row)
{
	const struct bench_subject *s = row->subject;
	struct sr_error err = { .code = SR_OK };
	struct kms_info info;

	if (!kms_get_info(s->kms, &info, &err))
		bench_die(err.message);
	return true;
}
