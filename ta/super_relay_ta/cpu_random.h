/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CPU's random instruction: RNDRRS and RNDR of Armv8.5's FEAT_RNG.
 *
 * A TA cannot ask whether its CPU has them. Secure EL0 may not read ID_AA64ISAR0_EL1,
 * OP-TEE tells it by no property and no service, and an instruction that is not there
 * ends the TA. So who builds the TA says it, with CFG_SR_TA_RNDR=y, and it stands in
 * the signed binary, out of the normal world's reach. A TA built for a CPU that has no
 * such instruction dies when its first session is opened: loudly, and before any key.
 */
#ifndef SR_TA_CPU_RANDOM_H
#define SR_TA_CPU_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether the instruction is compiled in. */
bool ta_cpu_random_present(void);

/* Returns how many bytes were filled: len, a multiple of 8, or fewer when the CPU had
 * none to give however often it was asked. */
size_t ta_cpu_random(uint8_t *out, size_t len);

#endif
