/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "audit.h"
#include "clock.h"
#include "entropy.h"
#include "policy.h"
#include "sha256.h"
#include "state.h"

/* How many sequence numbers are written off at once: the most that an unclean end can make
 * the chain jump by, against a write to the storage each time they are used up. */
#define LEASE 4096

struct record {
	uint8_t bytes[SR_TA_RECORD_MAX];
	uint8_t len;
	uint8_t head[SR_TA_HEAD_SIZE]; /* after it */
};

/* Records first to last, the one with number n at n % SR_TA_RING_MAX; none when first > last. */
static struct record ring[SR_TA_RING_MAX];
static uint64_t first = 1;
static uint64_t last;
static uint8_t head[SR_TA_HEAD_SIZE];
static bool begun;
static bool bound;     /* to a host's log; else it began without one */
static uint64_t since; /* the chain's first record in this instance, a BEGIN */
static bool whole;     /* and that one follows the chain's head(0) */
/* The last record that must not make room for others: its audit was forced. */
static uint64_t forced_to;
/* The last record that the host has taken, and the last that it has made durable. */
static uint64_t taken;
static uint64_t confirmed;
static uint8_t confirmed_head[SR_TA_HEAD_SIZE];

void ta_audit_reset(void)
{
	memset(ring, 0, sizeof(ring));
	memset(head, 0, sizeof(head));
	memset(confirmed_head, 0, sizeof(confirmed_head));
	first = 1;
	last = 0;
	taken = 0;
	forced_to = 0;
	confirmed = 0;
	begun = false;
	bound = false;
	whole = false;
	since = 0;
}

static struct record *at(uint64_t sequence)
{
	return &ring[sequence % SR_TA_RING_MAX];
}

/* ---- storage ------------------------------------------------------------------ */

/* Numbers up to used_to are written off; the generation goes above the one given, too. */
static TEE_Result store(uint64_t used_to, uint64_t generation)
{
	struct ta_journal next = *ta_state_journal();

	if (next.generation < generation)
		next.generation = generation;
	next.used_to = used_to;
	next.confirmed = confirmed;
	memcpy(next.confirmed_head, confirmed_head, sizeof(confirmed_head));
	return ta_state_commit(&next);
}

static TEE_Result lease(unsigned count)
{
	if (last + count <= ta_state_journal()->used_to)
		return TEE_SUCCESS;
	return store(last + count + LEASE, 0);
}

TEE_Result ta_audit_confirm(void)
{
	if (confirmed <= ta_state_journal()->confirmed)
		return TEE_SUCCESS;
	return store(ta_state_journal()->used_to, 0);
}

TEE_Result ta_audit_store(void)
{
	return begun ? store(last, 0) : TEE_ERROR_BAD_STATE;
}

/* ---- appending --------------------------------------------------------------- */

static void encode(const struct ta_audit_entry *e, struct record *out)
{
	struct ta_writer w = { .data = out->bytes, .size = sizeof(out->bytes) };

	ta_put_u8(&w, SR_TA_RECORD_VERSION);
	ta_put_u64(&w, last + 1);
	ta_put_u64(&w, ta_state_journal()->generation);
	ta_put_u64(&w, ta_clock_ms());
	ta_put_u8(&w, e->command);
	ta_put_u32(&w, e->decision);
	ta_put_u32(&w, e->policy_version);
	ta_put_bytes(&w, e->value, sizeof(e->value));
	ta_put_bytes(&w, e->digest, sizeof(e->digest));
	ta_put_short_string(&w, e->key ? e->key->bytes : NULL, e->key ? e->key->len : 0);
	out->len = (uint8_t)w.len;
}

/* In one piece, which costs one call of the TEE. */
static TEE_Result chain(struct record *record)
{
	uint8_t row[SR_TA_HEAD_SIZE + SR_TA_RECORD_MAX] = { 0 };

	memcpy(row, head, sizeof(head));
	memcpy(row + sizeof(head), record->bytes, record->len);
	return ta_sha256(row, sizeof(head) + record->len, record->head);
}

/* The head moves only when the record is in the ring: what fails here has not happened. */
TEE_Result ta_audit_append(const struct ta_audit_entry *entry)
{
	struct record record = { 0 };
	TEE_Result result = TEE_ERROR_BAD_STATE;

	if (!begun || last + 1 > ta_state_journal()->used_to)
		return result;
	encode(entry, &record);
	result = chain(&record);
	if (result != TEE_SUCCESS)
		return result;
	last++;
	*at(last) = record;
	memcpy(head, record.head, sizeof(head));
	/* Nobody has taken the oldest, and nobody's policy said that somebody must. */
	if (last - first >= SR_TA_RING_MAX)
		first = last - SR_TA_RING_MAX + 1;
	return TEE_SUCCESS;
}

TEE_Result ta_audit_conclude(struct ta_audit_entry *entry, TEE_Result outcome)
{
	TEE_Result result = TEE_SUCCESS;

	entry->decision = outcome;
	result = ta_audit_append(entry);
	return result == TEE_SUCCESS ? outcome : result;
}

/* ---- beginning ---------------------------------------------------------------- */

static bool empty(const struct ta_audit_tail *tail)
{
	return !tail->sequence;
}

static TEE_Result identity_there(const struct ta_audit_tail *tail, bool overridden)
{
	TEE_Result result = ta_state_load();

	/* Where keys of the host's are there and no identity, the state is damaged instead. */
	if (result != TEE_ERROR_ITEM_NOT_FOUND)
		return result;
	/* A blank storage, and a log that tells of a past: the storage is not the one it was. */
	return empty(tail) || overridden ? ta_state_create() : TEE_ERROR_SECURITY;
}

/* The log is an older one than what the host has once confirmed to hold, or another. Where the
 * audit is not forced, none is as good as any. */
static bool behind(const struct ta_audit_tail *tail, uint64_t known,
		   const uint8_t known_head[static SR_TA_HEAD_SIZE])
{
	if (empty(tail) && !(ta_state_flags() & SR_TA_PROVISION_FORCE_AUDIT))
		return false;
	return tail->sequence < known || (tail->sequence && tail->sequence == known &&
					  memcmp(tail->head, known_head, SR_TA_HEAD_SIZE) != 0);
}

/* Of an instance that has not begun: the log against what the storage knows. */
static TEE_Result compare_with_storage(const struct ta_audit_tail *tail)
{
	const struct ta_journal *j = ta_state_journal();

	/* The storage is an older one than the log's. */
	if (tail->sequence > j->used_to || tail->generation > j->generation)
		return TEE_ERROR_SECURITY;
	return behind(tail, j->confirmed, j->confirmed_head) ? TEE_ERROR_SECURITY : TEE_SUCCESS;
}

/* Of one that has: as far as its own records go. */
static TEE_Result compare_with_chain(const struct ta_audit_tail *tail)
{
	if (tail->sequence > last || tail->generation > ta_state_journal()->generation)
		return TEE_ERROR_SECURITY;
	/* What follows the log's end is here no more, and no later record could be appended to it.
	 */
	if (!empty(tail) && tail->sequence + 1 < first)
		return TEE_ERROR_SECURITY;
	if (tail->sequence >= first && tail->sequence &&
	    memcmp(at(tail->sequence)->head, tail->head, sizeof(tail->head)) != 0)
		return TEE_ERROR_SECURITY;
	if (tail->sequence == last && memcmp(head, tail->head, sizeof(head)) != 0)
		return TEE_ERROR_SECURITY;
	return behind(tail, confirmed, confirmed_head) ? TEE_ERROR_SECURITY : TEE_SUCCESS;
}

static struct ta_audit_entry begin_entry(uint64_t host_time, bool overridden)
{
	const struct ta_journal *j = ta_state_journal();
	struct ta_audit_entry entry = { .command = SR_TA_CMD_BEGIN, .policy_version = overridden };

	ta_wei_to_be((ta_wei)host_time << 64 | j->confirmed, entry.value);
	memcpy(entry.digest, j->confirmed_head, sizeof(entry.digest));
	return entry;
}

/* Where the next record is chained to: the log's end; a new log's beginning; where no log is kept,
 * what is stored. */
static TEE_Result set_head(const struct ta_audit_tail *tail, bool kept)
{
	if (kept && empty(tail))
		return ta_state_genesis(head);
	memcpy(head, confirmed_head, sizeof(head));
	return TEE_SUCCESS;
}

/* The chain goes on; its numbers from behind all that may have been used. */
static TEE_Result start(const struct ta_audit_tail *tail, uint64_t host_time, bool kept,
			bool overridden)
{
	const struct ta_journal before = *ta_state_journal();
	struct ta_audit_entry entry = begin_entry(host_time, overridden);
	TEE_Result result = TEE_SUCCESS;

	confirmed = empty(tail) ? before.confirmed : tail->sequence;
	memcpy(confirmed_head, empty(tail) ? before.confirmed_head : tail->head,
	       sizeof(confirmed_head));
	result = set_head(tail, kept);
	if (result != TEE_SUCCESS)
		return result;
	taken = confirmed;
	/* What this instance may have used, if it has begun before; the tail lies ahead only where
	 * the operator said so. */
	last = begun && last > 0 ? last : before.used_to;
	last = last > tail->sequence ? last : tail->sequence;
	first = last + 1;
	result = store(last + 1 + LEASE, tail->generation);
	if (result != TEE_SUCCESS)
		return result;
	begun = true;
	result = ta_audit_append(&entry);
	begun = result == TEE_SUCCESS;
	bound = kept;
	since = last;
	whole = empty(tail) && (kept || last == 1);
	return result;
}

/* A running chain that a log cannot take up: it began without one, or for another that is gone.
 * Nothing forbids to begin anew where the audit is not forced; the gap in the numbers shows it. */
static bool must_begin_anew(const struct ta_audit_tail *tail, bool kept)
{
	if (!kept || (ta_state_flags() & SR_TA_PROVISION_FORCE_AUDIT))
		return false;
	if (empty(tail))
		return !whole || first > since;
	return !bound && tail->sequence < since;
}

TEE_Result ta_audit_begin(const struct ta_audit_tail *tail, uint64_t host_time, bool kept,
			  bool overridden, bool *anew)
{
	TEE_Result result = identity_there(tail, overridden);

	*anew = false;
	if (result != TEE_SUCCESS)
		return result;
	if (begun && !must_begin_anew(tail, kept)) {
		result = compare_with_chain(tail);
		if (result == TEE_SUCCESS || !overridden) {
			bound = bound || kept;
			return result;
		}
	}
	result = overridden ? TEE_SUCCESS : compare_with_storage(tail);
	if (result == TEE_SUCCESS)
		result = start(tail, host_time, kept, overridden);
	*anew = result == TEE_SUCCESS;
	return result;
}

TEE_Result ta_audit_prepare(const struct ta_reader *in, bool forced, unsigned count)
{
	const struct ta_audit_tail none = { 0 };
	bool anew = false;
	TEE_Result result = TEE_SUCCESS;

	forced = forced || (ta_state_flags() & SR_TA_PROVISION_FORCE_AUDIT);
	if (forced && in->audited == SR_TA_NO_LOG)
		return TEE_ERROR_EXCESS_DATA;
	if (!begun && in->audited != SR_TA_NO_LOG) {
		result = ta_state_load();
		return result == TEE_ERROR_CORRUPT_OBJECT ? result : TEE_ERROR_BAD_STATE;
	}
	if (!begun)
		result = ta_audit_begin(&none, 0, false, false, &anew);
	if (result != TEE_SUCCESS)
		return result;
	/* Nor do those that nobody must take push out one that somebody must. */
	if ((forced || forced_to >= first) && last + 1 - first + count > SR_TA_RING_MAX)
		return TEE_ERROR_EXCESS_DATA;
	result = lease(count);
	if (result == TEE_SUCCESS && forced)
		forced_to = last + count;
	return result;
}

/* ---- towards the host ------------------------------------------------------------ */

TEE_Result ta_audit_take(uint64_t audited)
{
	if (!begun || audited == SR_TA_NO_LOG || audited < first)
		return TEE_SUCCESS;
	if (audited > last)
		return TEE_ERROR_BAD_PARAMETERS;
	taken = audited;
	first = audited + 1;
	return TEE_SUCCESS;
}

void ta_audit_settle(void)
{
	/* Its head stands in the ring as long as no later record has its place. */
	if (!begun || taken <= confirmed || last - taken >= SR_TA_RING_MAX)
		return;
	confirmed = taken;
	memcpy(confirmed_head, at(taken)->head, sizeof(confirmed_head));
}

void ta_audit_write(struct ta_writer *out, uint64_t audited)
{
	const size_t count_at = out->len;
	uint64_t sequence = audited == SR_TA_NO_LOG || audited + 1 < first ? first : audited + 1;
	uint16_t count = 0;

	ta_put_u16(out, 0);
	if (out->failed || !begun || audited == SR_TA_NO_LOG)
		return;
	for (; sequence <= last; sequence++) {
		const struct record *record = at(sequence);

		if (record->len + (size_t)1 > out->size - out->len)
			break;
		ta_put_short_string(out, record->bytes, record->len);
		count++;
	}
	out->data[count_at] = (uint8_t)count;
	out->data[count_at + 1] = (uint8_t)(count >> 8);
}

uint64_t ta_audit_sequence(void)
{
	return begun ? last : ta_state_journal()->used_to;
}

uint64_t ta_audit_next(void)
{
	return ta_audit_sequence() + 1;
}

const uint8_t *ta_audit_head(void)
{
	return begun ? head : ta_state_journal()->confirmed_head;
}

bool ta_audit_begun(void)
{
	return begun;
}
