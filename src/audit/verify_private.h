/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SR_AUDIT_VERIFY_PRIVATE_H
#define SR_AUDIT_VERIFY_PRIVATE_H

#include "audit/audit_private.h"

/* Heads kept behind the present record. Checkpoints and BEGIN records may speak of earlier ones: as
 * far back as other processes append in between, or as the TA had stored. */
#define AUDIT_HEADS_KEPT 16384

struct audit_known_head {
	uint64_t seq;
	uint8_t head[AUDIT_HEAD_SIZE];
};

struct audit_finding {
	enum audit_fault fault;
	uint64_t line, first, last;
	char message[AUDIT_MESSAGE_MAX];
};

struct audit_verifier {
	const struct audit_options *options;
	struct audit_report *report;
	const char *text;
	size_t len;
	size_t next;   /* where the line after the present one begins */
	uint64_t line; /* the present one's number */

	/* the last record that was in order */
	uint64_t seq, generation;
	uint64_t record_line;
	uint8_t before[AUDIT_HEAD_SIZE]; /* the head before it */
	uint8_t head[AUDIT_HEAD_SIZE];

	struct audit_known_head *known; /* AUDIT_HEADS_KEPT, a ring */
	uint64_t known_count;		/* ever put in */
	bool expected_met;
	/* A BEGIN record that contradicts the log. If the next checkpoint signs the log as it is,
	 * the TA did begin so; if not, the log was changed since. */
	struct audit_finding pending;
	uint64_t pending_seq; /* the BEGIN record's */
};

/* A line of the log, where it is. */
struct audit_place {
	const char *text;
	size_t len; /* without the line feed */
	uint64_t line;
	bool whole;  /* it has a line feed */
	bool parsed; /* it is a line of the log's form */
	struct audit_entry entry;
};

/* False at the end. Takes the line at *next. */
bool audit_place_next(const struct audit_verifier *v, size_t *next, uint64_t *line,
		      struct audit_place *out);

/* Notes a fault; only the first counts. Returns false. */
bool audit_blame(struct audit_verifier *v, enum audit_fault fault, uint64_t line, uint64_t first,
		 uint64_t last, const char *fmt, ...) SR_PRINTF(6, 7);

/* "seq" of a line that begins like a record's; 0 for others. */
uint64_t audit_peek_seq(const char *text, size_t len);

/* The present record's head, for what will speak of it later. */
void audit_keep_head(struct audit_verifier *v);
/* The checkpoint at a place, when the audit key has signed it for this TA. */
bool audit_check_signature(struct audit_verifier *v, const struct audit_place *here,
			   struct audit_checkpoint *out) SR_MUST_USE;
/* Goes on to where options->since_* lets it begin (since.c). */
bool audit_begin_since(struct audit_verifier *v) SR_MUST_USE;

/* What happened to the record line that does not continue the chain (diagnose.c). */
void audit_diagnose_record(struct audit_verifier *v, const struct audit_place *here);
/* …to a checkpoint of a record that has not come yet. */
void audit_diagnose_early_checkpoint(struct audit_verifier *v, const struct audit_place *here,
				     const struct audit_checkpoint *checkpoint);
/* …to a checkpoint of a record before the last checkpoint's. */
void audit_diagnose_late_checkpoint(struct audit_verifier *v, const struct audit_place *here,
				    const struct audit_checkpoint *checkpoint);

#endif
