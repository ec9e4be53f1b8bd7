/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entropy: the random numbers behind keys, signatures and blinding.
 *
 * Up to three sources are hashed into one pool: the TEE's generator, which OP-TEE
 * seeds from the time of boot where the platform has nothing better; the CPU's
 * random instruction, where it is compiled in; and bytes that the normal world hands
 * in with a request for a key. Whoever does not know all of them does not know the
 * pool. A source that is bad, absent, or an attacker's own takes nothing from the
 * others: it is fixed before the pool is hashed, and cannot depend on them.
 *
 *   field(id, bytes) = u8 id ‖ u16 length, little-endian ‖ bytes
 *   new pool  = keccak256("super-relay pool 1" ‖ field(1, pool) ‖ field(2, TEE: 32)
 *                         ‖ field(3, CPU: 0 to 32) ‖ field(4, host: 0 or 64))
 *   output    = keccak256("super-relay out 1" ‖ pool ‖ u64 number, little-endian)
 *   forgetful = keccak256("super-relay step 1" ‖ pool): after a secret has been made
 *
 * The pool begins as zeros; outputs are numbered from 0 as long as the instance lives.
 */
#ifndef SR_TA_ENTROPY_H
#define SR_TA_ENTROPY_H

#include <stdbool.h>
#include <stdint.h>
#include <tee_internal_api.h>

#include "super_relay_ta.h"

#define TA_ENTROPY_SIZE 32 /* bytes of one output */

/* Once per instance: TEE and CPU. */
void ta_entropy_open(void);

/* Wipes the pool, and what is remembered of the sources. */
void ta_entropy_reset(void);

/* Asks TEE and CPU anew, so that what follows is unknown even to who knew the pool. */
void ta_entropy_refresh(void);

/* As refresh, with the normal world's bytes; the next outputs are for a new key. The
 * TEE's own generator is given outputs, too: the keys that OP-TEE encrypts stored
 * objects with come from it. */
void ta_entropy_begin_key(const uint8_t host[static SR_TA_HOST_ENTROPY_SIZE]);

/* Before any other change to the storage: gives the TEE's generator outputs if it has got
 * none from this instance, and if the CPU has something to add. */
void ta_entropy_before_change(void);

/* From here on the pool says nothing about the outputs before. */
void ta_entropy_end_key(void);

void ta_entropy_next(uint8_t out[static TA_ENTROPY_SIZE]);

/* SR_TA_FEATURE_* as far as they are about entropy. */
uint32_t ta_entropy_features(void);

#endif
