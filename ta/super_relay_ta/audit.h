/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit: the chain of what was done and refused, as include/super_relay_ta.h has it.
 *
 * Records live in a ring until the host has taken them. Sequence numbers are
 * written off in the journal before they are used, so that none is ever used
 * twice, whatever crashes; and the chain costs no storage while numbers last.
 */
#ifndef SR_TA_AUDIT_H
#define SR_TA_AUDIT_H

#include <stdbool.h>
#include <stdint.h>
#include <tee_internal_api.h>

#include "key.h"
#include "super_relay_ta.h"
#include "wire.h"

/* Forgets chain and ring. */
void ta_audit_reset(void);

struct ta_audit_entry {
	uint8_t command; /* SR_TA_CMD_* */
	TEE_Result decision;
	uint32_t policy_version;
	uint8_t value[16];
	uint8_t digest[32];
	const struct ta_key_id *key; /* NULL: none */
};

/*
 * Before a command that appends up to count records (SR_TA_RING_MAX at most): the chain has
 * begun (begins, where the host keeps no log), numbers are written off, and where forced
 * (or by the provisioning) there is room. BAD_STATE, EXCESS_DATA, CORRUPT_OBJECT, and the
 * storage's errors; nothing has been done to keys then.
 */
TEE_Result ta_audit_prepare(const struct ta_reader *in, bool forced, unsigned count);

/* One of the records prepared for. With an error the act must not be answered with success. */
TEE_Result ta_audit_append(const struct ta_audit_entry *entry);

/* An administrative act's end: its outcome is recorded whatever it is, and is the answer, unless
 * the record fails. */
TEE_Result ta_audit_conclude(struct ta_audit_entry *entry, TEE_Result outcome);

/* What the host's log ends with. */
struct ta_audit_tail {
	uint64_t sequence; /* 0: empty */
	uint64_t generation;
	uint8_t head[SR_TA_HEAD_SIZE];
};

/* BEGIN, after its form has been judged: see the command. kept: the host keeps a log. overridden:
 * the operator's leave. *anew: a record was appended. */
TEE_Result ta_audit_begin(const struct ta_audit_tail *tail, uint64_t host_time, bool kept,
			  bool overridden, bool *anew);

/* Every request tells how far the host's log reaches: what it holds need not be kept.
 * BAD_PARAMETERS: further than the chain. */
TEE_Result ta_audit_take(uint64_t audited);

/* At a CHECKPOINT the host says that what it holds is durable: from the journal's next writing on,
 * a log that lacks it is an old one. Other commands do not say so, since their records are made
 * durable while the next command runs already. */
void ta_audit_settle(void);

/* The response's end: the records after audited, as many as fit. */
void ta_audit_write(struct ta_writer *out, uint64_t audited);

/* The last record. Before BEGIN: as stored. */
uint64_t ta_audit_sequence(void);
const uint8_t *ta_audit_head(void);
bool ta_audit_begun(void);

/* Stores what ta_audit_settle has confirmed, if that is more than is stored. */
TEE_Result ta_audit_confirm(void);

/* Gives back the numbers that are left, and stores the chain's head as confirmed as far as it is.
 */
TEE_Result ta_audit_store(void);

/* At least 1: what BEGIN's record would get. */
uint64_t ta_audit_next(void);

#endif
