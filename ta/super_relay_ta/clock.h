/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The TEE's system time: since boot, and not the normal world's to set, where the TEE says
 * so. Nothing here knows what day it is, and no limit is measured by a clock that claims to.
 */
#ifndef SR_TA_CLOCK_H
#define SR_TA_CLOCK_H

#include <stdint.h>

/* At each invocation: forgets the time of the last. */
void ta_clock_begin(void);

/* Milliseconds, the same throughout an invocation: the TEE is asked once. */
uint64_t ta_clock_ms(void);

/* gpd.tee.systemTime.protectionLevel: 1000 when the normal world cannot change it. 0, none,
 * where the TEE does not say. */
#define TA_CLOCK_PROTECTED 1000
uint32_t ta_clock_protection(void);

#endif
