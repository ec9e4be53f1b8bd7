/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger: what a public key has spent of its policy's window, and the last policy version it had.
 *
 * One object a public key, which outlives the key: deleting one and bringing it back in an
 * envelope gains nothing. The window is 16 buckets and the one that fills now; what counts
 * is the sum of the 17. A slice of the budget (a sixteenth) is written off in storage
 * before it is used, as spent in the bucket of now; what is left of it when the bucket ends goes
 * back, in memory alone. So the hot path needs no storage, and a restart never gains budget.
 *
 * Time is a clock of the ledger's own, which runs with the TEE's system time and stands
 * while the machine is off: after a reboot no more time has passed than the
 * machine has been up.
 */
#ifndef SR_TA_LEDGER_H
#define SR_TA_LEDGER_H

#include <stdbool.h>
#include <stdint.h>
#include <tee_internal_api.h>

#include "key.h"
#include "policy.h"

void ta_ledger_reset(void);

/* Makes the key's ledger if there is none, and raises its policy version (which must not be below
 * what it has: ACCESS_CONFLICT). Before the policy is stored with the key. STORAGE_NO_SPACE:
 * SR_TA_LEDGERS_MAX. What a new ledger begins with is from's spending, where from is not NULL; else
 * nothing, but where the key has had a policy (lost), so that its ledger was once there:
 * then all of any budget is spent, for the length of a window. */
TEE_Result ta_ledger_admit(const struct ta_key *key, uint32_t policy_version,
			   const struct ta_key *from, bool lost);

/*
 * Counts an operation against the window of key's policy. OVERFLOW: budget or operations are
 * used up, and nothing is counted. CORRUPT_OBJECT: the ledger is damaged or gone.
 * TEE_SUCCESS: it counts, whatever becomes of the signature.
 */
TEE_Result ta_ledger_charge(const struct ta_key *key, const struct ta_policy *policy, ta_wei cost);

/* What the window holds now, without what is written off and not used. Zeros without a window. */
TEE_Result ta_ledger_spent(const struct ta_key *key, const struct ta_policy *policy, ta_wei *cost,
			   uint32_t *operations);

/* The last policy version that this public key had; 0: none, or no ledger. */
TEE_Result ta_ledger_version(const struct ta_key *key, uint32_t *version, bool *there);

/* Whether the storage lacks a ledger that the TA has made: then whatever comes from outside may
 * have had it. */
TEE_Result ta_ledger_any_lost(bool *lost);

/* Before a key leaves in an envelope: its ledger is to stay for good. Makes one where there is
 * none. */
TEE_Result ta_ledger_mark_exported(const struct ta_key *key);

/* After a key is deleted: its ledger goes, if the key can never come back, since it was made
 * here and never left. */
TEE_Result ta_ledger_drop(const struct ta_key *key);

#endif
