/* SPDX-License-Identifier: Apache-2.0 */
/* policy: what a key may sign, as include/super_relay_ta.h has it. Storage is not asked here;
 * what was spent is in ledger.h. */
#ifndef SR_TA_POLICY_H
#define SR_TA_POLICY_H

#include <stdbool.h>
#include <stdint.h>
#include <tee_internal_api.h>

#include "eth/eth_core.h"
#include "super_relay_ta.h"
#include "wire.h"

__extension__ typedef unsigned __int128 ta_wei;

struct ta_address_list {
	uint8_t count;
	struct eth_address items[SR_TA_POLICY_LIST_MAX];
};

struct ta_policy {
	uint32_t flags; /* SR_TA_POLICY_* */
	uint8_t chain_count;
	uint64_t chains[SR_TA_POLICY_LIST_MAX];
	struct ta_address_list entry_points;
	struct ta_address_list paymasters;
	struct ta_address_list beneficiaries;
	uint32_t validity_max; /* seconds */
	uint64_t gas_max;
	ta_wei fee_max;
	ta_wei cost_max;
	uint32_t window; /* seconds; 0: no rolling limit */
	ta_wei budget;
	uint32_t operations;
};

/* BAD_PARAMETERS unless it is a policy, whole and nothing after it. */
TEE_Result ta_policy_decode(const uint8_t *bytes, size_t len, struct ta_policy *out);

/* 16 bytes, big-endian. */
ta_wei ta_get_wei(struct ta_reader *in);
void ta_put_wei(struct ta_writer *out, ta_wei v);
void ta_wei_to_be(ta_wei v, uint8_t out[static 16]);
/* False when v does not fit into 128 bits. */
bool ta_wei_from_u256(const struct eth_u256 *v, ta_wei *out) __attribute__((warn_unused_result));

/*
 * TEE_SUCCESS or ACCESS_DENIED. Every condition is looked at, whatever the others gave, and the
 * whole is judged twice, so that neither time nor one skipped instruction tells or
 * decides anything.
 */
TEE_Result ta_policy_judge_sponsorship(const struct ta_policy *policy,
				       const struct eth_sponsorship *s, ta_wei cost);

/* own: the key's address. */
TEE_Result ta_policy_judge_transaction(const struct ta_policy *policy,
				       const struct eth_unsigned_transaction *t,
				       const struct eth_address *own, ta_wei cost);

#endif
