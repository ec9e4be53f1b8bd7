/* SPDX-License-Identifier: Apache-2.0 */
/* The works that bench-kms measures, natively and by the KMS. */
#ifndef SR_BENCH_WORK_H
#define SR_BENCH_WORK_H

#include <pthread.h>
#include <stdatomic.h>

#include "bench/bench_rows.h"
#include "kms/kms.h"

#define SPONSOR_KEY "bench.sponsor"
#define DIGEST_KEY "bench.digest"
#define ED25519_KEY "bench.ed25519"

/* A KMS of one batch size, and the run that goes through it. */
struct bench_subject {
	struct kms *kms;
	pthread_mutex_t lock;
	pthread_cond_t finished;
	unsigned to_submit; /* by the callbacks: a stream */
	unsigned left;	    /* to be signed */
	bool failed;
	atomic_ulong invocations;
	atomic_ulong signed_in_them;
};

_Noreturn void bench_die(const char *what);
/* A KMS whose batches have at most batch_size requests; otherwise as base says. */
void bench_open_subject(struct bench_subject *s, const struct kms_config *base,
			unsigned batch_size);

/* Runs of rows whose subject is a struct native_signer. */
bool native_sponsor(const struct bench_row *row);
bool native_digests(const struct bench_row *row);

/* By libsodium; native_ed25519_open first. */
void native_ed25519_open(void);
bool native_ed25519(const struct bench_row *row);

/* Runs of rows whose subject is a struct bench_subject. */
bool kms_burst(const struct bench_row *row);
bool kms_stream(const struct bench_row *row);
bool kms_digests(const struct bench_row *row);
bool kms_ed25519(const struct bench_row *row);
/* A command that signs nothing and asks no storage: what an invocation costs. */
bool kms_nothing(const struct bench_row *row);

#endif
