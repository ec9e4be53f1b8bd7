/* SPDX-License-Identifier: Apache-2.0 */
#include "text_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit_private.h"

static void add_buffer(struct text *t, struct sr_buf *line)
{
	if (line->failed || line->len > TEXT_LINE || t->count == TEXT_LINES)
		abort();
	memcpy(t->lines[t->count], line->data, line->len - 1);
	t->lines[t->count++][line->len - 1] = '\0';
	sr_buf_free(line);
}

void text_add_record(struct text *t, uint64_t follows, const struct maker *m,
		     const struct made *record)
{
	struct audit_record r = { 0 };
	struct sr_buf line = { 0 };

	if (!audit_record_decode((struct sr_bytes){ record->bytes, record->len }, &r, NULL))
		abort();
	audit_put_record(&line, &r, m->head, follows, 1790000000000u + 1000 * m->seq);
	add_buffer(t, &line);
}

void text_add_begin(struct text *t, struct maker *m, uint64_t skip)
{
	uint64_t follows = m->seq;
	struct made made;

	make_begin(m, skip, &made);
	text_add_record(t, follows, m, &made);
}

void text_add_signed(struct text *t, struct maker *m, unsigned count)
{
	struct made made;

	for (unsigned i = 0; i < count; i++) {
		make_record(m, SR_TA_CMD_SIGN_SPONSORSHIP, &made);
		text_add_record(t, m->seq - 1, m, &made);
	}
}

void text_add_checkpoint(struct text *t, const struct maker *m)
{
	uint8_t checkpoint[SR_TA_CHECKPOINT_SIZE];
	uint8_t signature[SR_TA_SECP256K1_SIGNATURE_SIZE];
	struct sr_buf line = { 0 };

	make_checkpoint(m, checkpoint, signature);
	audit_put_checkpoint(&line, checkpoint, signature);
	add_buffer(t, &line);
}

void text_standard(struct text *t, struct maker *m)
{
	struct sr_buf line = { 0 };

	t->count = 0;
	maker_init(m, 1);
	audit_put_header(&line, m->key);
	add_buffer(t, &line);
	text_add_begin(t, m, 0);
	text_add_signed(t, m, 19);
	text_add_checkpoint(t, m);
	text_add_signed(t, m, 10);
	text_add_begin(t, m, 10);
	text_add_signed(t, m, 19);
	text_add_checkpoint(t, m);
	text_add_signed(t, m, 3);
}

/* The lines [from, to) get the heads that their records make. */
static void chain_lines(struct text *t, size_t from, size_t to, const struct maker *m)
{
	uint8_t head[AUDIT_HEAD_SIZE];
	struct sr_buf line = { 0 };
	struct audit_entry e = { .line = 0 };

	audit_genesis(m->key, head);
	for (size_t i = 1; i < to; i++) {
		if (!audit_parse_line(t->lines[i], strlen(t->lines[i]), &e))
			abort();
		if (e.type != AUDIT_LINE_RECORD)
			continue;
		audit_record_head(head, &e.record, head);
		if (i < from)
			continue;
		audit_put_record(&line, &e.record, head, e.follows, e.at_ms);
		memcpy(t->lines[i], line.data, line.len - 1);
		t->lines[i][line.len - 1] = '\0';
		sr_buf_free(&line);
	}
}

void text_rechain(struct text *t, size_t from, const struct maker *m)
{
	chain_lines(t, from, t->count, m);
}

void text_relink(struct text *t, size_t at, const struct maker *m)
{
	chain_lines(t, at, at + 1, m);
}

void text_drop(struct text *t, size_t at)
{
	memmove(t->lines[at], t->lines[at + 1], (t->count - at - 1) * sizeof(t->lines[0]));
	t->count--;
}

void text_insert(struct text *t, size_t at, const char *line)
{
	char copy[TEXT_LINE];

	/* it may be one of the lines that move */
	(void)snprintf(copy, sizeof(copy), "%s", line);
	memmove(t->lines[at + 1], t->lines[at], (t->count - at) * sizeof(t->lines[0]));
	memcpy(t->lines[at], copy, sizeof(copy));
	t->count++;
}

void text_move(struct text *t, size_t from, size_t to)
{
	char line[TEXT_LINE];

	memcpy(line, t->lines[from], sizeof(line));
	text_drop(t, from);
	text_insert(t, to, line);
}

void text_replace(struct text *t, size_t at, const char *what, const char *by)
{
	char *found = strstr(t->lines[at], what);
	char rest[TEXT_LINE];

	if (!found)
		abort();
	(void)snprintf(rest, sizeof(rest), "%s", found + strlen(what));
	(void)snprintf(found, TEXT_LINE - (size_t)(found - t->lines[at]), "%s%s", by, rest);
}

uint64_t text_seq(const struct text *t, size_t at)
{
	unsigned long long seq = 0;

	return sscanf(t->lines[at], "{\"seq\":%llu,", &seq) == 1 ? seq : 0;
}

size_t text_of(const struct text *t, uint64_t seq)
{
	for (size_t i = 0; i < t->count; i++) {
		if (text_seq(t, i) == seq)
			return i;
	}
	abort();
}

void text_verify(const struct text *t, const struct audit_options *options,
		 struct audit_report *out)
{
	struct sr_buf all = { 0 };

	for (size_t i = 0; i < t->count; i++)
		sr_buf_printf(&all, "%s\n", t->lines[i]);
	if (all.failed || !audit_verify_text((const char *)all.data, all.len, options, out, NULL))
		abort();
	sr_buf_free(&all);
}
