/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who calls: GlobalPlatform's client identity, which the normal world's kernel vouches for.
 * It keeps other processes out; a compromised kernel says what it likes.
 */
#ifndef SR_TA_CALLER_H
#define SR_TA_CALLER_H

#include <stdint.h>
#include <tee_internal_api.h>

void ta_caller_reset(void);

/* Remembers the caller of a session that opens. OUT_OF_MEMORY: too many sessions. */
TEE_Result ta_caller_open(void **session);
void ta_caller_close(void *session);

/* Judged at each command, not when the session opens: PROVISION binds sessions that are open
 * already. */
TEE_Result ta_caller_check(const void *session, uint32_t command);

#endif
