/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happened to the first line that does not continue the log. Each record line carries the
 * head after it, which tells a change from a loss: the lines behind a changed record still
 * continue the head that stands beside it.
 *
 * "P" is the last record in order, "next" the record line behind the one at fault.
 */
#include <string.h>

#include "audit/verify_private.h"

typedef unsigned long long ull;

/* The next record line, whatever stands between. */
static bool next_record(const struct audit_verifier *v, struct audit_place *out)
{
	size_t next = v->next;
	uint64_t line = v->line;

	while (audit_place_next(v, &next, &line, out)) {
		if (out->parsed && out->entry.type == AUDIT_LINE_RECORD)
			return true;
	}
	return false;
}

static bool links(const uint8_t before[static AUDIT_HEAD_SIZE], const struct audit_entry *entry)
{
	uint8_t head[AUDIT_HEAD_SIZE];

	audit_record_head(before, &entry->record, head);
	return memcmp(head, entry->head, sizeof(head)) == 0;
}

/* ---- the header's key -------------------------------------------------------------- */

/* The chain's first record does not begin with the header's key: does it with the one that signed
 * the first checkpoint? */
static bool blame_header(struct audit_verifier *v, const struct audit_place *here)
{
	struct audit_place at = { .text = NULL };
	uint8_t signer[AUDIT_KEY_SIZE] = { 0 };
	uint8_t genesis[AUDIT_HEAD_SIZE] = { 0 };
	size_t next = v->next;
	uint64_t line = v->line;

	if (v->seq != 0 || !here->parsed || here->entry.type != AUDIT_LINE_RECORD)
		return false;
	while (audit_place_next(v, &next, &line, &at)) {
		if (at.parsed && at.entry.type == AUDIT_LINE_CHECKPOINT)
			break;
	}
	if (!at.parsed || at.entry.type != AUDIT_LINE_CHECKPOINT ||
	    !audit_checkpoint_signer(at.entry.checkpoint, at.entry.signature, signer))
		return false;
	audit_genesis(signer, genesis);
	if (memcmp(signer, v->report->audit_key, sizeof(signer)) == 0 ||
	    !links(genesis, &here->entry))
		return false;
	(void)audit_blame(
		v, AUDIT_OTHER_CHAIN, 1, 0, 0,
		"the chain begins with another audit key than the header's, and that key "
		"signed its checkpoints: the header was changed, or the log is another TA's");
	return true;
}

/* ---- records ------------------------------------------------------------------------- */

struct ahead {
	uint64_t awaited_line; /* of the record that should stand here; 0: nowhere */
	uint64_t twin_line;    /* of another record with this one's number */
};

static void look_ahead(const struct audit_verifier *v, uint64_t seq, struct ahead *out)
{
	struct audit_place at = { .text = NULL };
	size_t next = v->next;
	uint64_t line = v->line;

	*out = (struct ahead){ 0 };
	while ((!out->awaited_line || !out->twin_line) && audit_place_next(v, &next, &line, &at)) {
		if (!at.parsed || at.entry.type != AUDIT_LINE_RECORD)
			continue;
		if (at.entry.record.seq == seq && !out->twin_line)
			out->twin_line = at.line;
		else if (audit_predecessor(&at.entry) == v->seq && !out->awaited_line)
			out->awaited_line = at.line;
	}
}

static void blame_changed(struct audit_verifier *v, const struct audit_place *here, uint64_t seq)
{
	(void)audit_blame(v, AUDIT_CHANGED, here->line, seq, seq,
			  "record %llu (line %llu) was "
			  "changed",
			  (ull)seq, (ull)here->line);
}

static void blame_added(struct audit_verifier *v, const struct audit_place *here, uint64_t seq)
{
	(void)audit_blame(v, AUDIT_ADDED, here->line, seq, seq,
			  "line %llu was added: it does not belong between record %llu and what "
			  "follows",
			  (ull)here->line, (ull)v->seq);
}

/* A line that is no record: a record was made unreadable, or something was put in. */
static void diagnose_strange(struct audit_verifier *v, const struct audit_place *here)
{
	struct audit_place next = { .text = NULL };
	bool has_next = next_record(v, &next);
	uint64_t seq = audit_peek_seq(here->text, here->len);

	if (here->len > 13 && memcmp(here->text, "{\"checkpoint\"", 13) == 0)
		(void)audit_blame(v, AUDIT_CHANGED, here->line, 0, 0,
				  "line %llu, a checkpoint, was changed", (ull)here->line);
	else if (here->parsed || (has_next && audit_predecessor(&next.entry) == v->seq))
		blame_added(v, here, v->seq);
	else
		blame_changed(v, here, seq > v->seq ? seq : v->seq + 1);
}

/* The record stands where it must, and is not what it was. */
static void diagnose_in_place(struct audit_verifier *v, const struct audit_place *here,
			      const struct audit_place *next)
{
	uint64_t seq = here->entry.record.seq;

	if (next && audit_predecessor(&next->entry) == v->seq && links(v->head, &next->entry))
		blame_added(v, here, seq);
	else if (next && links(here->entry.head, &next->entry))
		blame_changed(v, here, audit_predecessor(&next->entry));
	else
		blame_changed(v, here, seq);
}

/* A number that was there already. Which of two is the one too much, when both continue the record
 * before? The one that the next record does not continue. */
static void diagnose_again(struct audit_verifier *v, const struct audit_place *here,
			   const struct audit_place *next)
{
	uint64_t seq = here->entry.record.seq;
	bool earlier = seq == v->seq && next && links(v->before, &here->entry) &&
		       links(here->entry.head, &next->entry) && !links(v->head, &next->entry);

	(void)audit_blame(v, AUDIT_ADDED, earlier ? v->record_line : here->line, seq, seq,
			  "record %llu was added at line %llu: %s record %llu (line %llu)",
			  (ull)seq, (ull)(earlier ? v->record_line : here->line),
			  earlier ? "what follows continues the other" : "it stands behind",
			  (ull)v->seq, (ull)(earlier ? here->line : v->record_line));
}

static void diagnose_ahead(struct audit_verifier *v, const struct audit_place *here)
{
	uint64_t seq = here->entry.record.seq;
	uint64_t last = audit_predecessor(&here->entry);
	struct ahead ahead = { 0 };

	look_ahead(v, seq, &ahead);
	if (ahead.twin_line)
		(void)audit_blame(v, AUDIT_ADDED, here->line, seq, seq,
				  "record %llu was added at line %llu: it stands at line %llu, too",
				  (ull)seq, (ull)here->line, (ull)ahead.twin_line);
	else if (ahead.awaited_line)
		(void)audit_blame(v, AUDIT_REORDERED, here->line, seq, seq,
				  "record %llu (line %llu) stands before the record that follows "
				  "record %llu (line %llu): they were reordered",
				  (ull)seq, (ull)here->line, (ull)v->seq, (ull)ahead.awaited_line);
	else if (last == v->seq + 1)
		(void)audit_blame(v, AUDIT_DROPPED, here->line, last, last,
				  "record %llu was dropped: it must stand before line %llu",
				  (ull)last, (ull)here->line);
	else
		(void)audit_blame(v, AUDIT_DROPPED, here->line, v->seq + 1, last,
				  "records %llu to %llu were dropped: they must stand before line "
				  "%llu",
				  (ull)v->seq + 1, (ull)last, (ull)here->line);
}

/* The awaited record, under another number: with the right one, or without the right line before,
 * it continues the chain; or the next continues it. */
static bool is_renumbered(const struct audit_verifier *v, const struct audit_place *here,
			  const struct audit_place *next)
{
	struct audit_entry entry = here->entry;

	if (entry.record.command == SR_TA_CMD_BEGIN && links(v->head, &entry))
		return true;
	entry.record.seq = v->seq + 1;
	return links(v->head, &entry) || (next && audit_predecessor(&next->entry) == v->seq + 1 &&
					  links(here->entry.head, &next->entry));
}

/* The number that a changed record had. */
static uint64_t number_of(const struct audit_verifier *v, const struct audit_place *here,
			  const struct audit_place *next)
{
	if (next && links(here->entry.head, &next->entry))
		return audit_predecessor(&next->entry);
	return v->seq + 1;
}

static void diagnose_record(struct audit_verifier *v, const struct audit_place *here,
			    const struct audit_place *next)
{
	const struct audit_entry *e = &here->entry;
	uint64_t follows = audit_predecessor(e);

	if (e->record.seq > v->seq && follows == v->seq)
		diagnose_in_place(v, here, next);
	else if (is_renumbered(v, here, next))
		blame_changed(v, here, number_of(v, here, next));
	else if (e->record.seq <= v->seq)
		diagnose_again(v, here, next);
	else if (follows > v->seq && follows < e->record.seq)
		diagnose_ahead(v, here);
	else
		blame_changed(v, here, e->record.seq);
}

void audit_diagnose_record(struct audit_verifier *v, const struct audit_place *here)
{
	struct audit_place next = { .text = NULL };
	bool has_next = false;

	if (!here->parsed || here->entry.type != AUDIT_LINE_RECORD) {
		diagnose_strange(v, here);
	} else if (!blame_header(v, here)) {
		has_next = next_record(v, &next);
		diagnose_record(v, here, has_next ? &next : NULL);
	}
}

/* ---- checkpoints --------------------------------------------------------------------------- */

void audit_diagnose_early_checkpoint(struct audit_verifier *v, const struct audit_place *here,
				     const struct audit_checkpoint *checkpoint)
{
	struct audit_place at = { .text = NULL };
	size_t next = v->next;
	uint64_t line = v->line;
	bool more = false;

	while (audit_place_next(v, &next, &line, &at)) {
		if (!at.parsed || at.entry.type != AUDIT_LINE_RECORD)
			continue;
		more = true;
		if (at.entry.record.seq == checkpoint->seq) {
			(void)audit_blame(v, AUDIT_REORDERED, here->line, checkpoint->seq,
					  checkpoint->seq,
					  "line %llu: the checkpoint of record %llu stands before "
					  "that record (line %llu)",
					  (ull)here->line, (ull)checkpoint->seq, (ull)at.line);
			return;
		}
	}
	(void)audit_blame(
		v, more ? AUDIT_DROPPED : AUDIT_TRUNCATED, here->line, v->seq + 1, checkpoint->seq,
		"records %llu to %llu are missing: the checkpoint at line %llu signs them",
		(ull)v->seq + 1, (ull)checkpoint->seq, (ull)here->line);
}

void audit_diagnose_late_checkpoint(struct audit_verifier *v, const struct audit_place *here,
				    const struct audit_checkpoint *checkpoint)
{
	size_t before = (size_t)(here->text - v->text);
	bool copy = memmem(v->text, before, here->text, here->len + 1) != NULL;

	(void)audit_blame(v, copy ? AUDIT_ADDED : AUDIT_REORDERED, here->line, checkpoint->seq,
			  checkpoint->seq,
			  "line %llu: the checkpoint of record %llu %s behind the "
			  "checkpoint of record %llu",
			  (ull)here->line, (ull)checkpoint->seq,
			  copy ? "was added: it stands once more" : "was reordered: it stands",
			  (ull)v->report->signed_seq);
}
