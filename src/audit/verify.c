/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verification: one pass over the log, a hash a record and a signature a checkpoint. The pass
 * stops at the first line that is not as it must be; diagnose.c says what happened there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/verify_private.h"

static void report_finding(struct audit_verifier *v, const struct audit_finding *finding)
{
	struct audit_report *r = v->report;

	r->fault = finding->fault;
	r->line = finding->line;
	r->first = finding->first;
	r->last = finding->last;
	memcpy(r->message, finding->message, sizeof(r->message));
}

bool audit_blame(struct audit_verifier *v, enum audit_fault fault, uint64_t line, uint64_t first,
		 uint64_t last, const char *fmt, ...)
{
	struct audit_finding finding = {
		.fault = fault, .line = line, .first = first, .last = last
	};
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(finding.message, sizeof(finding.message), fmt, ap);
	va_end(ap);
	/* What was put off stands further ahead in the log. */
	if (v->pending.fault != AUDIT_HOLDS && fault != AUDIT_REWRITTEN)
		report_finding(v, &v->pending);
	else
		report_finding(v, &finding);
	return false;
}

/* True when nothing was put off. */
static bool nothing_pending(struct audit_verifier *v)
{
	if (v->pending.fault == AUDIT_HOLDS)
		return true;
	report_finding(v, &v->pending);
	return false;
}

bool audit_place_next(const struct audit_verifier *v, size_t *next, uint64_t *line,
		      struct audit_place *out)
{
	const char *end = NULL;

	if (*next >= v->len)
		return false;
	out->text = v->text + *next;
	end = memchr(out->text, '\n', v->len - *next);
	out->whole = end != NULL;
	out->len = end ? (size_t)(end - out->text) : v->len - *next;
	out->line = ++*line;
	out->entry.line = out->line;
	out->parsed = audit_parse_line(out->text, out->len, &out->entry) && out->whole;
	*next += out->len + out->whole;
	return true;
}

/* ---- heads that are known ------------------------------------------------------ */

void audit_keep_head(struct audit_verifier *v)
{
	struct audit_known_head *known = &v->known[v->known_count++ % AUDIT_HEADS_KEPT];

	known->seq = v->seq;
	memcpy(known->head, v->head, sizeof(known->head));
}

/* The place of a record among all: by halving, since numbers rise. False: there is none such, or
 * it is too long ago (*forgotten). */
static bool find_known(const struct audit_verifier *v, uint64_t seq, uint64_t *place,
		       bool *forgotten)
{
	uint64_t low = v->known_count > AUDIT_HEADS_KEPT ? v->known_count - AUDIT_HEADS_KEPT : 0;
	uint64_t high = v->known_count;

	*forgotten = low == high || seq < v->known[low % AUDIT_HEADS_KEPT].seq;
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (v->known[middle % AUDIT_HEADS_KEPT].seq < seq)
			low = middle + 1;
		else
			high = middle;
	}
	*place = low;
	return low < v->known_count && v->known[low % AUDIT_HEADS_KEPT].seq == seq;
}

/* ---- records --------------------------------------------------------------------- */

static void note_gap(struct audit_verifier *v, const struct audit_place *here, bool lost)
{
	struct audit_report *r = v->report;

	if (r->gap_count < AUDIT_GAPS_MAX)
		r->gaps[r->gap_count] = (struct audit_gap){ .line = here->line,
							    .first = v->seq + 1,
							    .last = here->entry.record.seq - 1,
							    .lost = lost };
	r->gap_count++;
}

static void behind(struct audit_verifier *v, const struct audit_place *here, uint64_t first,
		   uint64_t last, const char *what)
{
	struct audit_finding *p = &v->pending;

	if (v->options->allow_begun_behind || p->fault != AUDIT_HOLDS)
		return;
	v->pending_seq = here->entry.record.seq;
	*p = (struct audit_finding){
		.fault = AUDIT_BEGUN_BEHIND, .line = here->line, .first = first, .last = last
	};
	(void)snprintf(p->message, sizeof(p->message),
		       "record %llu (BEGIN): %s, and the TA was begun all the same",
		       (unsigned long long)here->entry.record.seq, what);
}

/* A BEGIN record tells what the TA's storage knew of the chain. */
static void check_begin(struct audit_verifier *v, const struct audit_place *here)
{
	const struct audit_record *r = &here->entry.record;
	uint64_t stored = audit_begin_stored(r);
	uint64_t place = 0;
	bool forgotten = false;
	bool found = find_known(v, stored, &place, &forgotten);

	if (r->seq > v->seq + 1)
		note_gap(v, here, stored > v->seq);
	if (stored > v->seq)
		behind(v, here, v->seq + 1, stored,
		       "the TA had stored a record that the log did not hold");
	else if (r->generation < v->generation)
		behind(v, here, v->seq, v->seq,
		       "the TA's storage was older than the log: an earlier state of it");
	else if (stored && !forgotten &&
		 (!found ||
		  memcmp(v->known[place % AUDIT_HEADS_KEPT].head, r->digest, AUDIT_HEAD_SIZE) != 0))
		behind(v, here, stored, stored, "the TA had stored another chain than the log's");
}

static bool check_expected(struct audit_verifier *v, const struct audit_place *here)
{
	const struct audit_options *o = v->options;

	if (!o->expect || o->expect_seq != v->seq)
		return true;
	v->expected_met = true;
	if (!o->expect_head || memcmp(o->expect_head, v->head, AUDIT_HEAD_SIZE) == 0)
		return true;
	return audit_blame(v, AUDIT_REWRITTEN, here->line, v->report->signed_seq + 1, v->seq,
			   "the head at record %llu is not the one expected: one of the records "
			   "%llu to %llu was changed, and the heads were computed anew",
			   (unsigned long long)v->seq,
			   (unsigned long long)v->report->signed_seq + 1,
			   (unsigned long long)v->seq);
}

static bool check_record(struct audit_verifier *v, const struct audit_place *here)
{
	const struct audit_entry *e = &here->entry;
	uint8_t head[AUDIT_HEAD_SIZE];

	audit_record_head(v->head, &e->record, head);
	if (audit_predecessor(e) != v->seq || e->record.seq <= v->seq ||
	    memcmp(head, e->head, sizeof(head)) != 0) {
		audit_diagnose_record(v, here);
		return false;
	}
	if (e->record.command == SR_TA_CMD_BEGIN)
		check_begin(v, here);
	v->seq = e->record.seq;
	v->record_line = here->line;
	memcpy(v->before, v->head, sizeof(v->before));
	v->generation = e->record.generation;
	memcpy(v->head, head, sizeof(head));
	audit_keep_head(v);
	v->report->records++;
	v->report->unsigned_records++;
	return check_expected(v, here);
}

/* ---- checkpoints -------------------------------------------------------------------- */

static bool check_rewritten(struct audit_verifier *v, const struct audit_place *here,
			    const struct audit_checkpoint *c)
{
	struct audit_report *r = v->report;
	uint64_t place = 0;
	bool forgotten = false;
	bool found = find_known(v, c->seq, &place, &forgotten);

	if (found &&
	    memcmp(v->known[place % AUDIT_HEADS_KEPT].head, c->head, AUDIT_HEAD_SIZE) == 0) {
		r->unsigned_records = v->known_count - 1 - place;
		return true;
	}
	if (forgotten || !found)
		return audit_blame(v, AUDIT_REORDERED, here->line, c->seq, c->seq,
				   "line %llu: the checkpoint of record %llu stands too far "
				   "behind it, or that record is gone",
				   (unsigned long long)here->line, (unsigned long long)c->seq);
	return audit_blame(v, AUDIT_REWRITTEN, here->line, r->signed_seq + 1, c->seq,
			   "one of the records %llu to %llu was changed, dropped or added, and the "
			   "heads were computed anew: the checkpoint at line %llu signs another "
			   "head%s",
			   (unsigned long long)r->signed_seq + 1, (unsigned long long)c->seq,
			   (unsigned long long)here->line,
			   r->signed_seq ? "; the one before it was good" : "");
}

bool audit_check_signature(struct audit_verifier *v, const struct audit_place *here,
			   struct audit_checkpoint *c)
{
	const struct audit_entry *e = &here->entry;

	if (!audit_checkpoint_decode(e->checkpoint, c, NULL) ||
	    !audit_checkpoint_signed(e->checkpoint, e->signature, v->report->audit_key))
		return audit_blame(v, AUDIT_FORGED, here->line, c->seq, c->seq,
				   "line %llu: the audit key did not sign this checkpoint: it was "
				   "changed or forged, or is of another key",
				   (unsigned long long)here->line);
	if (memcmp(c->ta, audit_ta_uuid, sizeof(c->ta)) != 0)
		return audit_blame(v, AUDIT_OTHER_CHAIN, here->line, c->seq, c->seq,
				   "line %llu: the checkpoint is of another TA",
				   (unsigned long long)here->line);
	return true;
}

static bool check_checkpoint(struct audit_verifier *v, const struct audit_place *here)
{
	struct audit_report *r = v->report;
	struct audit_checkpoint c = { 0 };

	if (!audit_check_signature(v, here, &c))
		return false;
	if (c.seq > v->seq) {
		audit_diagnose_early_checkpoint(v, here, &c);
		return false;
	}
	if (c.seq <= r->signed_seq) {
		audit_diagnose_late_checkpoint(v, here, &c);
		return false;
	}
	if (!check_rewritten(v, here, &c))
		return false;
	r->checkpoints++;
	r->signed_seq = c.seq;
	return c.seq < v->pending_seq || nothing_pending(v);
}

/* ---- the whole ------------------------------------------------------------------------- */

static bool check_line(struct audit_verifier *v, const struct audit_place *here)
{
	if (!here->whole)
		return audit_blame(
			v, AUDIT_TRUNCATED, here->line, v->seq + 1, 0,
			"line %llu, the last, is not whole: its write was interrupted, or "
			"the log was cut off in it",
			(unsigned long long)here->line);
	if (here->parsed && here->entry.type == AUDIT_LINE_RECORD)
		return check_record(v, here);
	if (here->parsed && here->entry.type == AUDIT_LINE_CHECKPOINT)
		return check_checkpoint(v, here);
	audit_diagnose_record(v, here);
	return false;
}

static bool check_header(struct audit_verifier *v, const struct audit_place *here)
{
	struct audit_report *r = v->report;
	const uint8_t *key = v->options->audit_key;

	if (!here->parsed)
		return audit_blame(v, here->whole ? AUDIT_CHANGED : AUDIT_TRUNCATED, 1, 0, 0,
				   "line 1 is not the header of an audit log");
	if (here->entry.type != AUDIT_LINE_HEADER)
		return audit_blame(v, AUDIT_DROPPED, 1, 0, 0, "the header, line 1, is missing");
	memcpy(r->audit_key, here->entry.audit_key, sizeof(r->audit_key));
	if (memcmp(here->entry.ta, audit_ta_uuid, sizeof(audit_ta_uuid)) != 0)
		return audit_blame(v, AUDIT_OTHER_CHAIN, 1, 0, 0, "the log is of another TA");
	if (key && memcmp(key, r->audit_key, AUDIT_KEY_SIZE) != 0)
		return audit_blame(v, AUDIT_OTHER_CHAIN, 1, 0, 0,
				   "the log's header names another audit key than the one given");
	audit_genesis(r->audit_key, v->head);
	return true;
}

static bool check_end(struct audit_verifier *v)
{
	const struct audit_options *o = v->options;
	struct audit_report *r = v->report;

	if (!nothing_pending(v))
		return false;
	if (o->expect && !v->expected_met && o->expect_seq > v->seq)
		return audit_blame(v, AUDIT_TRUNCATED, v->line + 1, v->seq + 1, o->expect_seq,
				   "the log ends with record %llu: records up to %llu are missing",
				   (unsigned long long)v->seq, (unsigned long long)o->expect_seq);
	if (o->expect && !v->expected_met)
		return audit_blame(v, AUDIT_DROPPED, 0, o->expect_seq, o->expect_seq,
				   "the log has no record %llu", (unsigned long long)o->expect_seq);
	if (!r->checkpoints && !o->allow_unsigned)
		return audit_blame(v, AUDIT_UNSIGNED, 0, r->records ? 1 : 0, v->seq,
				   "no checkpoint: nothing shows that the TA made these records");
	return true;
}

static void run(struct audit_verifier *v)
{
	struct audit_place here = { .text = NULL };
	bool ok = audit_place_next(v, &v->next, &v->line, &here);

	if (!ok) {
		(void)audit_blame(v, AUDIT_TRUNCATED, 1, 0, 0, "the log is empty");
		return;
	}
	ok = check_header(v, &here) && audit_begin_since(v);
	while (ok && audit_place_next(v, &v->next, &v->line, &here))
		ok = check_line(v, &here);
	if (ok)
		(void)check_end(v);
	v->report->last_seq = v->seq;
	v->report->last_generation = v->generation;
	memcpy(v->report->head, v->head, AUDIT_HEAD_SIZE);
}

static bool verify_text(const char *text, size_t len, const struct audit_options *options,
			struct audit_report *out)
{
	struct audit_verifier v = { .options = options, .report = out, .text = text, .len = len };

	*out = (struct audit_report){ .from_seq = 1 };
	v.known = calloc(AUDIT_HEADS_KEPT, sizeof(*v.known));
	if (!v.known)
		return false;
	run(&v);
	free(v.known);
	return true;
}

bool audit_verify_text(const char *text, size_t len, const struct audit_options *options,
		       struct audit_report *out, struct sr_error *err)
{
	static const struct audit_options all = { 0 };

	return verify_text(text, len, options ? options : &all, out) ||
	       sr_fail(err, SR_E_NO_MEMORY, "out of memory");
}

bool audit_verify(const char *path, const struct audit_options *options, struct audit_report *out,
		  struct sr_error *err)
{
	struct audit_map map = { 0 };
	bool ok = false;

	if (!audit_map_open(path, &map, err))
		return false;
	ok = audit_verify_text(map.text, map.len, options, out, err);
	audit_map_close(&map);
	return ok;
}
