/* SPDX-License-Identifier: Apache-2.0 */
/* A sponsorship as it stands in a request, and what is checked before it is signed. */
#ifndef SR_TA_SPONSORSHIP_H
#define SR_TA_SPONSORSHIP_H

#include <tee_internal_api.h>

#include "eth/eth_core.h"
#include "wire.h"

/* Reads SR_TA_SPONSORSHIP_SIZE bytes, in the order of include/super_relay_ta.h. The
 * caller has checked that they are there; every value is possible. */
void ta_sponsorship_read(struct ta_reader *in, struct eth_sponsorship *out);

/*
 * BAD_PARAMETERS for what no paymaster may sign: a validity that is unbounded,
 * empty or over 48 bits, or a chain, EntryPoint or paymaster of zero.
 */
TEE_Result ta_sponsorship_check(const struct eth_sponsorship *s);

#endif
