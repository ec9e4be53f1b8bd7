/* SPDX-License-Identifier: Apache-2.0 */
/* What came of requests, in words and for an observer. */
#include "paymaster/paymaster.h"

static const struct {
	const char *decision;
	const char *reason;
} names[PAYMASTER_REASONS] = {
	[PAYMASTER_OK] = { "sponsored", "ok" },
	[PAYMASTER_INVALID] = { "refused", "invalid" },
	[PAYMASTER_GAS_LIMIT] = { "refused", "gas_limit" },
	[PAYMASTER_COST] = { "refused", "cost" },
	[PAYMASTER_KEY_POLICY] = { "refused", "key_policy" },
	[PAYMASTER_BUDGET] = { "refused", "budget" },
	[PAYMASTER_ESTIMATE] = { "refused", "estimate" },
	[PAYMASTER_NOT_READY] = { "failed", "not_ready" },
	[PAYMASTER_BUSY] = { "failed", "busy" },
	[PAYMASTER_TEE] = { "failed", "tee" },
	[PAYMASTER_BUNDLER] = { "failed", "bundler" },
	[PAYMASTER_INTERNAL] = { "failed", "internal" },
};

const char *paymaster_decision_name(enum paymaster_reason reason)
{
	return names[reason].decision;
}

const char *paymaster_reason_name(enum paymaster_reason reason)
{
	return names[reason].reason;
}

void paymaster_observe(struct paymaster *pm, void (*observe)(void *arg, enum paymaster_reason),
		       void *arg)
{
	pm->observe = observe;
	pm->observe_arg = arg;
}

void paymaster_conclude(const struct paymaster *pm, enum paymaster_reason reason)
{
	if (pm->observe)
		pm->observe(pm->observe_arg, reason);
}

enum paymaster_reason paymaster_reason_of(const struct sr_error *err)
{
	switch (err->code) {
	case SR_E_INVALID:
	case SR_E_LIMIT:
		return PAYMASTER_INVALID;
	case SR_E_UNAVAILABLE:
		return PAYMASTER_NOT_READY;
	default:
		return PAYMASTER_INTERNAL;
	}
}
