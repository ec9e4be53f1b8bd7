/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the TA does to sign a digest, done in the normal world by a libsecp256k1
 * that the caller chooses: native_signer.c is compiled once against the
 * distribution's library, and once with the very sources that the TA is made of.
 */
#ifndef SR_BENCH_NATIVE_SIGNER_H
#define SR_BENCH_NATIVE_SIGNER_H

#include <stdbool.h>
#include <stdint.h>

struct native_signer {
	/* Makes a key and a blinded context; both last as long as the process. */
	bool (*open)(void);
	/* Signs with added entropy, recovers the public key from the 65 bytes as they
	 * are, and compares it with the key's own. */
	bool (*sign)(const uint8_t digest[static 32], uint8_t out[static 65]);
};

extern const struct native_signer native_distribution;
extern const struct native_signer native_ta_sources; /* where BENCH_TA_SOURCES is defined */

#endif
