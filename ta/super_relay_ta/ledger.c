/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "clock.h"
#include "ledger.h"
#include "sha256.h"
#include "state.h"
#include "storage.h"
#include "wire.h"

#define LEDGER_MAGIC 0x314c5253u /* "SRL1", little-endian */
#define RECORD_VERSION 1
#define BUCKETS 17 /* a sixteenth of the window each, and the one that fills */
#define SLICES 16  /* of the budget that is written off at once: one */

#define LEDGER_SIZE (4 + 1 + TA_TAG_SIZE + 1 + 4 + 4 + 8 + 8 + 8 + BUCKETS * (16 + 4))

struct bucket {
	ta_wei cost;
	uint32_t operations;
};

/* As stored. The buckets hold what is spent and what is written off. */
struct ledger {
	bool exported; /* the key may come back in an envelope */
	uint32_t policy_version;
	uint32_t window;   /* of the policy that the buckets were counted for, seconds */
	uint64_t clock_ms; /* the ledger's own */
	uint64_t saved_ms; /* the TEE's system time at that moment */
	uint64_t number;   /* of the bucket that fills: clock / width */
	struct bucket buckets[BUCKETS]; /* number n at n % BUCKETS */
};

struct slot {
	uint64_t used; /* the least is evicted first; 0 is a free slot */
	uint8_t key[TA_SHA256_SIZE];
	struct ledger ledger;
	struct bucket lease; /* in the filling bucket, and not used yet */
	uint64_t loaded_ms;  /* system time when the ledger's clock showed clock_ms */
};

static struct slot slots[SR_TA_KEYS_MAX];
static uint64_t uses;

void ta_ledger_reset(void)
{
	memset(slots, 0, sizeof(slots));
	uses = 0;
}

/* ---- stored form --------------------------------------------------------------- */

static TEE_Result object_of(const struct ta_key *key, struct ta_storage_id *out)
{
	out->bytes[0] = 'l';
	out->len = TA_STORAGE_ID_MAX;
	return ta_sha256(key->public_key, key->public_len, out->bytes + 1);
}

static size_t encode(const struct ledger *l, uint8_t out[LEDGER_SIZE])
{
	struct ta_writer w = { .data = out, .size = LEDGER_SIZE };

	ta_put_u32(&w, LEDGER_MAGIC);
	ta_put_u8(&w, RECORD_VERSION);
	ta_put_bytes(&w, ta_state_identity()->tag, TA_TAG_SIZE);
	ta_put_u8(&w, l->exported);
	ta_put_u32(&w, l->policy_version);
	ta_put_u32(&w, l->window);
	ta_put_u64(&w, l->clock_ms);
	ta_put_u64(&w, l->saved_ms);
	ta_put_u64(&w, l->number);
	for (size_t i = 0; i < BUCKETS; i++) {
		ta_put_wei(&w, l->buckets[i].cost);
		ta_put_u32(&w, l->buckets[i].operations);
	}
	return w.len;
}

static TEE_Result decode(const uint8_t *record, size_t len, struct ledger *out)
{
	struct ta_reader in = { .data = record, .len = len };
	uint8_t tag[TA_TAG_SIZE] = { 0 };

	if (ta_get_u32(&in) != LEDGER_MAGIC || ta_get_u8(&in) != RECORD_VERSION)
		return TEE_ERROR_CORRUPT_OBJECT;
	ta_get_bytes(&in, tag, sizeof(tag));
	out->exported = ta_get_u8(&in) != 0;
	out->policy_version = ta_get_u32(&in);
	out->window = ta_get_u32(&in);
	out->clock_ms = ta_get_u64(&in);
	out->saved_ms = ta_get_u64(&in);
	out->number = ta_get_u64(&in);
	for (size_t i = 0; i < BUCKETS; i++) {
		out->buckets[i].cost = ta_get_wei(&in);
		out->buckets[i].operations = ta_get_u32(&in);
	}
	if (!ta_reader_done(&in) || memcmp(tag, ta_state_identity()->tag, sizeof(tag)) != 0)
		return TEE_ERROR_CORRUPT_OBJECT;
	return TEE_SUCCESS;
}

/* ---- loading ------------------------------------------------------------------- */

/* What has passed at least since the ledger was stored. A system time below the stored one
 * shows a reboot, and then all of it has passed since. One above it may be of another boot as
 * well; but then even more has passed than the difference. */
static uint64_t passed_since(uint64_t saved_ms, uint64_t now)
{
	return now >= saved_ms ? now - saved_ms : now;
}

static TEE_Result load(const struct ta_storage_id *object, struct ledger *out)
{
	uint8_t record[LEDGER_SIZE] = { 0 };
	size_t len = 0;
	TEE_Result result = ta_storage_read(object, record, sizeof(record), &len);

	return result == TEE_SUCCESS ? decode(record, len, out) : result;
}

static struct slot *cached(const uint8_t key[static TA_SHA256_SIZE])
{
	for (size_t i = 0; i < SR_TA_KEYS_MAX; i++) {
		if (slots[i].used && !memcmp(slots[i].key, key, TA_SHA256_SIZE))
			return &slots[i];
	}
	return NULL;
}

/* What the evicted one had left of its slice stays written off. */
static struct slot *claim(const uint8_t key[static TA_SHA256_SIZE])
{
	struct slot *least = &slots[0];

	for (size_t i = 1; i < SR_TA_KEYS_MAX; i++) {
		if (slots[i].used < least->used)
			least = &slots[i];
	}
	*least = (struct slot){ 0 };
	memcpy(least->key, key, TA_SHA256_SIZE);
	return least;
}

static TEE_Result find(const struct ta_key *key, struct ta_storage_id *object, struct slot **out)
{
	struct ledger read = { 0 };
	const uint64_t now = ta_clock_ms();
	TEE_Result result = object_of(key, object);

	*out = NULL;
	if (result != TEE_SUCCESS)
		return result;
	*out = cached(object->bytes + 1);
	if (!*out) {
		result = load(object, &read);
		if (result != TEE_SUCCESS)
			return result;
		*out = claim(object->bytes + 1);
		(*out)->ledger = read;
		(*out)->ledger.clock_ms += passed_since(read.saved_ms, now);
		(*out)->loaded_ms = now;
	}
	(*out)->used = ++uses;
	return TEE_SUCCESS;
}

/* ---- how many there are ------------------------------------------------------------ */

/*
 * A ledger that is gone would be a budget that begins anew. So the journal counts them: before one
 * is made or taken away it is named as pending, which is to say that it counts only if it is there.
 * It is not pending any more when the first thing can be spent.
 */
static bool is_pending(const struct ta_journal *j)
{
	const uint8_t none[sizeof(j->pending_ledger)] = { 0 };

	return memcmp(j->pending_ledger, none, sizeof(none)) != 0;
}

/* How many there must be. */
static TEE_Result expected_count(size_t *count)
{
	const struct ta_journal *j = ta_state_journal();
	struct ta_storage_id object = { .bytes = "l", .len = TA_STORAGE_ID_MAX };
	uint8_t record[LEDGER_SIZE] = { 0 };
	size_t len = 0;
	TEE_Result result = TEE_SUCCESS;

	*count = j->ledgers;
	if (!is_pending(j))
		return TEE_SUCCESS;
	memcpy(object.bytes + 1, j->pending_ledger, sizeof(j->pending_ledger));
	result = ta_storage_read(&object, record, sizeof(record), &len);
	if (result == TEE_ERROR_ITEM_NOT_FOUND && *count)
		--*count;
	return result == TEE_ERROR_ITEM_NOT_FOUND ? TEE_SUCCESS : result;
}

struct census {
	size_t present;
	size_t expected; /* more than there are: one is lost */
};

static TEE_Result take_census(struct census *out)
{
	TEE_Result result = expected_count(&out->expected);

	return result == TEE_SUCCESS ? ta_storage_count('l', &out->present) : result;
}

TEE_Result ta_ledger_any_lost(bool *lost)
{
	struct census census = { 0 };
	TEE_Result result = take_census(&census);

	*lost = census.present < census.expected;
	return result;
}

/* Names one that is about to come or to go, with which there are to be so many. */
static TEE_Result announce(const struct ta_storage_id *object, size_t ledgers)
{
	struct ta_journal next = *ta_state_journal();

	next.ledgers = (uint32_t)ledgers;
	memcpy(next.pending_ledger, object->bytes + 1, sizeof(next.pending_ledger));
	return ta_state_commit(&next);
}

/* The generation has to rise with every change in any case. */
static TEE_Result settle(const struct ta_storage_id *object)
{
	struct ta_journal next = *ta_state_journal();

	if (!memcmp(next.pending_ledger, object->bytes + 1, sizeof(next.pending_ledger)))
		memset(next.pending_ledger, 0, sizeof(next.pending_ledger));
	return ta_state_commit(&next);
}

static TEE_Result store(const struct ta_storage_id *object, const struct ledger *ledger,
			uint64_t clock_ms)
{
	struct ledger stored = *ledger;
	uint8_t record[LEDGER_SIZE] = { 0 };
	TEE_Result result = TEE_SUCCESS;

	stored.clock_ms = clock_ms;
	stored.saved_ms = ta_clock_ms();
	result = ta_storage_write(object, record, encode(&stored, record));
	return result == TEE_SUCCESS ? settle(object) : result;
}

/* ---- the window ------------------------------------------------------------------ */

static uint64_t clock_of(const struct slot *slot)
{
	const uint64_t now = ta_clock_ms();

	/* A system time that went back has shown that it is none. */
	return slot->ledger.clock_ms + (now > slot->loaded_ms ? now - slot->loaded_ms : 0);
}

static uint64_t width_ms(uint32_t window)
{
	return ((uint64_t)window * 1000 + BUCKETS - 2) / (BUCKETS - 1);
}

static struct bucket sum(const struct ledger *l)
{
	struct bucket total = { 0 };

	for (size_t i = 0; i < BUCKETS; i++) {
		total.cost += l->buckets[i].cost;
		total.operations += l->buckets[i].operations;
	}
	return total;
}

static struct bucket *filling(struct ledger *l)
{
	return &l->buckets[l->number % BUCKETS];
}

static void return_lease(struct slot *slot)
{
	struct bucket *bucket = filling(&slot->ledger);

	bucket->cost -= slot->lease.cost;
	bucket->operations -= slot->lease.operations;
	slot->lease = (struct bucket){ 0 };
}

/* Empties the buckets that have left the ledger's own window. */
static void expire(struct slot *slot, uint64_t number)
{
	struct ledger *l = &slot->ledger;

	if (number <= l->number)
		return;
	return_lease(slot);
	for (uint64_t i = 0; i < BUCKETS && i < number - l->number; i++)
		l->buckets[(l->number + 1 + i) % BUCKETS] = (struct bucket){ 0 };
	l->number = number;
}

/* Under a window of another length all that counts still counts as spent just now. */
static void rebase(struct slot *slot, uint32_t window, uint64_t number)
{
	struct bucket total = { 0 };

	return_lease(slot);
	total = sum(&slot->ledger);
	memset(slot->ledger.buckets, 0, sizeof(slot->ledger.buckets));
	slot->ledger.window = window;
	slot->ledger.number = number;
	*filling(&slot->ledger) = total;
}

static void advance(struct slot *slot, uint32_t window, uint64_t clock)
{
	/* A new ledger has none. */
	if (slot->ledger.window)
		expire(slot, clock / width_ms(slot->ledger.window));
	if (slot->ledger.window != window)
		rebase(slot, window, clock / width_ms(window));
}

/* The slice to be written off: at least what is wanted now, at most what is left. */
static ta_wei slice_of(ta_wei whole, ta_wei wanted, ta_wei left)
{
	ta_wei slice = whole / SLICES;

	if (slice < wanted)
		slice = wanted;
	return slice < left ? slice : left;
}

/* left: of the window, without the present lease. */
static TEE_Result lease(struct slot *slot, const struct ta_storage_id *object,
			const struct ta_policy *policy, const struct bucket *wanted,
			const struct bucket *left)
{
	struct ledger next = slot->ledger;
	struct bucket slice = {
		.cost = slice_of(policy->budget, wanted->cost, left->cost),
		.operations = (uint32_t)slice_of(policy->operations, wanted->operations,
						 left->operations),
	};
	TEE_Result result = TEE_SUCCESS;

	filling(&next)->cost += slice.cost - slot->lease.cost;
	filling(&next)->operations += slice.operations - slot->lease.operations;
	result = store(object, &next, clock_of(slot));
	if (result != TEE_SUCCESS)
		return result;
	slot->ledger = next;
	slot->lease = slice;
	return TEE_SUCCESS;
}

static struct bucket left_of(const struct slot *slot, const struct ta_policy *policy)
{
	struct bucket spent = sum(&slot->ledger);
	struct bucket left = { 0 };

	spent.cost -= slot->lease.cost;
	spent.operations -= slot->lease.operations;
	/* The policy may have become smaller since. */
	if (policy->budget > spent.cost)
		left.cost = policy->budget - spent.cost;
	if (policy->operations > spent.operations)
		left.operations = policy->operations - spent.operations;
	return left;
}

TEE_Result ta_ledger_charge(const struct ta_key *key, const struct ta_policy *policy, ta_wei cost)
{
	const struct bucket wanted = { .cost = cost, .operations = 1 };
	struct ta_storage_id object = { 0 };
	struct bucket left = { 0 };
	struct slot *slot = NULL;
	TEE_Result result = TEE_SUCCESS;

	if (!policy->window)
		return TEE_SUCCESS;
	result = find(key, &object, &slot);
	/* The key has a policy, so it has had a ledger. */
	if (result == TEE_ERROR_ITEM_NOT_FOUND)
		return TEE_ERROR_CORRUPT_OBJECT;
	if (result != TEE_SUCCESS)
		return result;
	advance(slot, policy->window, clock_of(slot));
	left = left_of(slot, policy);
	if (cost > left.cost || !left.operations)
		return TEE_ERROR_OVERFLOW;
	if (cost > slot->lease.cost || !slot->lease.operations)
		result = lease(slot, &object, policy, &wanted, &left);
	if (result != TEE_SUCCESS)
		return result;
	slot->lease.cost -= cost;
	slot->lease.operations--;
	return TEE_SUCCESS;
}

TEE_Result ta_ledger_spent(const struct ta_key *key, const struct ta_policy *policy, ta_wei *cost,
			   uint32_t *operations)
{
	struct ta_storage_id object = { 0 };
	struct bucket spent = { 0 };
	struct slot *slot = NULL;
	TEE_Result result = TEE_SUCCESS;

	*cost = 0;
	*operations = 0;
	if (!policy->window)
		return TEE_SUCCESS;
	result = find(key, &object, &slot);
	if (result != TEE_SUCCESS)
		return result == TEE_ERROR_ITEM_NOT_FOUND ? TEE_ERROR_CORRUPT_OBJECT : result;
	advance(slot, policy->window, clock_of(slot));
	spent = sum(&slot->ledger);
	*cost = spent.cost - slot->lease.cost;
	*operations = spent.operations - slot->lease.operations;
	return TEE_SUCCESS;
}

/* ---- policy versions --------------------------------------------------------------- */

TEE_Result ta_ledger_version(const struct ta_key *key, uint32_t *version, bool *there)
{
	struct ta_storage_id object = { 0 };
	struct slot *slot = NULL;
	TEE_Result result = find(key, &object, &slot);

	*there = slot != NULL;
	*version = slot ? slot->ledger.policy_version : 0;
	return result == TEE_ERROR_ITEM_NOT_FOUND ? TEE_SUCCESS : result;
}

/* A ledger of a key that has none. Where one is gone, it may have been this key's. */
static TEE_Result make(const struct ta_storage_id *object, const struct ta_key *from, bool lost,
		       struct slot **out)
{
	struct census census = { 0 };
	struct ta_storage_id other = { 0 };
	struct ledger first = { 0 };
	struct slot *parent = NULL;
	TEE_Result result = take_census(&census);

	if (result == TEE_SUCCESS && census.present >= SR_TA_LEDGERS_MAX)
		result = TEE_ERROR_STORAGE_NO_SPACE;
	if (result == TEE_SUCCESS && from)
		result = find(from, &other, &parent);
	if (result == TEE_SUCCESS)
		result = announce(object, census.expected + 1);
	if (result != TEE_SUCCESS)
		return result == TEE_ERROR_ITEM_NOT_FOUND ? TEE_ERROR_CORRUPT_OBJECT : result;
	/* With what is written off and not used: the parent's lease stays the parent's. */
	if (parent) {
		first = parent->ledger;
		/* A cut in SET_POLICY may have left it a version that no key has yet. */
		first.policy_version = 0;
		first.clock_ms = clock_of(parent);
		first.exported = false;
	} else if (lost || census.present < census.expected) {
		*filling(&first) = (struct bucket){ .cost = ~(ta_wei)0, .operations = UINT32_MAX };
	}
	*out = claim(object->bytes + 1);
	(*out)->ledger = first;
	(*out)->loaded_ms = ta_clock_ms();
	(*out)->used = ++uses;
	return TEE_SUCCESS;
}

TEE_Result ta_ledger_admit(const struct ta_key *key, uint32_t policy_version,
			   const struct ta_key *from, bool lost)
{
	struct ta_storage_id object = { 0 };
	struct ledger next = { 0 };
	struct slot *slot = NULL;
	TEE_Result result = find(key, &object, &slot);

	if (result == TEE_ERROR_ITEM_NOT_FOUND)
		result = make(&object, from, lost, &slot);
	if (result != TEE_SUCCESS)
		return result;
	if (policy_version < slot->ledger.policy_version)
		return TEE_ERROR_ACCESS_CONFLICT;
	next = slot->ledger;
	next.policy_version = policy_version;
	result = store(&object, &next, clock_of(slot));
	/* Forgotten where it may not be stored: the next look finds what is. */
	if (result == TEE_SUCCESS)
		slot->ledger.policy_version = policy_version;
	else
		*slot = (struct slot){ 0 };
	return result;
}

TEE_Result ta_ledger_mark_exported(const struct ta_key *key)
{
	struct ta_storage_id object = { 0 };
	struct ledger next = { 0 };
	struct slot *slot = NULL;
	TEE_Result result =
		ta_ledger_admit(key, key->policy_version, NULL, key->policy_version != 0);

	if (result == TEE_SUCCESS)
		result = find(key, &object, &slot);
	if (result != TEE_SUCCESS || slot->ledger.exported)
		return result;
	next = slot->ledger;
	next.exported = true;
	result = store(&object, &next, clock_of(slot));
	if (result == TEE_SUCCESS)
		slot->ledger.exported = true;
	return result;
}

static TEE_Result delete_object(const struct ta_storage_id *object)
{
	struct ta_journal next = { 0 };
	size_t expected = 0;
	TEE_Result result = expected_count(&expected);

	if (result == TEE_SUCCESS)
		result = announce(object, expected);
	if (result == TEE_SUCCESS)
		result = ta_storage_delete(object);
	if (result != TEE_SUCCESS)
		return result;
	next = *ta_state_journal();
	next.ledgers--;
	memset(next.pending_ledger, 0, sizeof(next.pending_ledger));
	return ta_state_commit(&next);
}

TEE_Result ta_ledger_drop(const struct ta_key *key)
{
	struct ta_storage_id object = { 0 };
	struct slot *slot = NULL;
	TEE_Result result = TEE_SUCCESS;

	if (key->origin != SR_TA_ORIGIN_GENERATED)
		return TEE_SUCCESS;
	result = find(key, &object, &slot);
	if (result != TEE_SUCCESS || slot->ledger.exported)
		return result == TEE_ERROR_ITEM_NOT_FOUND ? TEE_SUCCESS : result;
	*slot = (struct slot){ 0 };
	return delete_object(&object);
}
