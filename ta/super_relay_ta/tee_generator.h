/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SR_TA_TEE_GENERATOR_H
#define SR_TA_TEE_GENERATOR_H

#include <stdbool.h>

/*
 * Gives the TEE's own random generator outputs of ta_entropy_next, through OP-TEE's
 * system pseudo TA. False where the TEE has no such service, or no memory for it.
 *
 * OP-TEE's generator is Fortuna with 32 pools, which events of at most 32 bytes go
 * into by turns. A request for random numbers reseeds it when pool 0 has got 64 bytes
 * since the last time, but not within 100 ms of that time. So 64 events are given:
 * two of them are pool 0's, whoever's turn it was. The first reseed after boot is
 * never put off, not even by a clock that stands still.
 */
bool ta_tee_generator_stir(void);

#endif
