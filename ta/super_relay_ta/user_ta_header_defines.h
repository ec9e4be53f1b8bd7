/* SPDX-License-Identifier: Apache-2.0 */
/* What OP-TEE's dev kit puts into the TA's header. */
#ifndef USER_TA_HEADER_DEFINES_H
#define USER_TA_HEADER_DEFINES_H

#include "super_relay_ta.h"

#ifdef CFG_SR_TEST_HOOKS
#include "super_relay_ta_test.h"
#define TA_UUID SUPER_RELAY_TEST_TA_UUID
#else
#define TA_UUID SUPER_RELAY_TA_UUID
#endif

/* One instance for all sessions, and it stays: key cache, budgets and
 * the audit chain are one truth.
 *
 * TA_FLAG_INSTANCE_KEEP_CRASHED is left out on purpose: it would keep a panicked
 * instance dead until the next boot. That is for a TA whose counters in memory a
 * panic would set back; here budgets and sequence numbers are written off in storage
 * before they are used, so that a panic can only lose of them, and the flag
 * would let whoever can cause a panic stop the signing for good.
 * What a new instance forgets, which keys were found damaged, is in docs/ta.md. */
#define TA_FLAGS (TA_FLAG_SINGLE_INSTANCE | TA_FLAG_MULTI_SESSION | TA_FLAG_INSTANCE_KEEP_ALIVE)

/* Measured under OP-TEE with the test build (SR_TA_TEST_CMD_STACK): 8.6 KB in use at most,
 * by SIGN_SPONSORSHIP, of which libsecp256k1 needs 5.2 KB to verify; 4.7 KB to make a key.
 * Twice that and a little more, since another compiler lays frames out otherwise. */
#define TA_STACK_SIZE (20 * 1024)

/* The heap holds libsecp256k1's context (208 bytes), libutee's 48 bytes for each open
 * session, and for moments what it allocates for an operation: 2 KB do for all commands
 * of one session, with 1 KB libutee does not come up. This has room for 64 sessions, the
 * largest pool, and as many again of others. Large buffers are static. */
#define TA_DATA_SIZE (8 * 1024)

#define TA_VERSION "0.2.0"
#ifdef CFG_SR_TEST_HOOKS
#define TA_DESCRIPTION "SuperRelay signer, TEST BUILD"
#else
#define TA_DESCRIPTION "SuperRelay signer"
#endif

#endif
