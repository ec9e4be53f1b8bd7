/* SPDX-License-Identifier: Apache-2.0 */
/* A log as an array of lines, to be manipulated. */
#ifndef SR_AUDIT_TEXT_TEST_H
#define SR_AUDIT_TEXT_TEST_H

#include "audit_test.h"

#define TEXT_LINES 128
#define TEXT_LINE 1100

struct text {
	size_t count;
	char lines[TEXT_LINES][TEXT_LINE]; /* without line feeds */
};

/*
 * The log of most tests: header; BEGIN is 1; records to 20; checkpoint; to 30; BEGIN is 41 (the
 * numbers between were lost); to 60; checkpoint; 61 to 63.
 */
void text_standard(struct text *t, struct maker *m);
void text_add_record(struct text *t, uint64_t follows, const struct maker *m,
		     const struct made *record);
void text_add_begin(struct text *t, struct maker *m, uint64_t skip);
void text_add_signed(struct text *t, struct maker *m, unsigned count);
void text_add_checkpoint(struct text *t, const struct maker *m);
/* Of lines from `from` on, heads are computed anew, as one who knows the format would. */
void text_rechain(struct text *t, size_t from, const struct maker *m);

/* The same of one line alone. */
void text_relink(struct text *t, size_t at, const struct maker *m);

void text_drop(struct text *t, size_t at);
void text_insert(struct text *t, size_t at, const char *line);
void text_move(struct text *t, size_t from, size_t to);
/* Replaces the first `what` of a line; aborts where there is none. */
void text_replace(struct text *t, size_t at, const char *what, const char *by);

/* The index of record seq's line. */
size_t text_of(const struct text *t, uint64_t seq);
/* The record number of a line; 0: no record. */
uint64_t text_seq(const struct text *t, size_t at);

/* With a line feed after each line. */
void text_verify(const struct text *t, const struct audit_options *options,
		 struct audit_report *out);

#endif
