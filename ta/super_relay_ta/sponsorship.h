/* SPDX-License-Identifier: Apache-2.0 */
/* A sponsorship as it stands in a request, and what is checked before any policy. */
#ifndef SR_TA_SPONSORSHIP_H
#define SR_TA_SPONSORSHIP_H

#include <tee_internal_api.h>

#include "eth/eth_core.h"
#include "wire.h"

/* False for a scheme that this TA does not know. */
bool ta_sponsorship_scheme(uint8_t number, enum eth_sponsorship_scheme *out);

/* Reads the common part and what the scheme adds, in the order of include/super_relay_ta.h. False
 * when the request ends before it; byte strings are views of the request. Every value is possible.
 */
bool ta_sponsorship_read(struct ta_reader *in, enum eth_sponsorship_scheme scheme,
			 struct eth_sponsorship *out) __attribute__((warn_unused_result));

/*
 * BAD_PARAMETERS for what no paymaster may sign: a validity that is unbounded,
 * empty or over 47 bits, or a chain, EntryPoint or paymaster of zero.
 */
TEE_Result ta_sponsorship_check(const struct eth_sponsorship *s);

#endif
