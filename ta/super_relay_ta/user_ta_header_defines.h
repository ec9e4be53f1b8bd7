/* SPDX-License-Identifier: Apache-2.0 */
/* What OP-TEE's dev kit puts into the TA's header. */
#ifndef USER_TA_HEADER_DEFINES_H
#define USER_TA_HEADER_DEFINES_H

#include "super_relay_ta.h"

#define TA_UUID SUPER_RELAY_TA_UUID

/* One instance for all sessions, and it stays: key cache, and later budgets and
 * the audit chain, are one truth.
 *
 * TA_FLAG_INSTANCE_KEEP_CRASHED is left out on purpose: it would keep a panicked
 * instance dead until the next boot. That is for a TA whose counters in memory a
 * panic would set back; here nothing in memory bounds what a key
 * may sign, so it would only let whoever can cause a panic stop the signing for good.
 * What a new instance forgets, which keys were found damaged, is in docs/ta.md. Once
 * budgets live in memory, this is to be decided anew. */
#define TA_FLAGS (TA_FLAG_SINGLE_INSTANCE | TA_FLAG_MULTI_SESSION | TA_FLAG_INSTANCE_KEEP_ALIVE)

/* libsecp256k1 needs 5.2 KB to verify. */
#define TA_STACK_SIZE (32 * 1024)

/* The heap holds libsecp256k1's context (208 bytes) and little else. Large buffers
 * are static; OP-TEE maps the whole TA at every invocation, so small is fast. */
#define TA_DATA_SIZE (16 * 1024)

#define TA_VERSION "0.1.0"
#define TA_DESCRIPTION "SuperRelay signer"

#endif
