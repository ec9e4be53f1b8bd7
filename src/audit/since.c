/* SPDX-License-Identifier: Apache-2.0 */
/* Verification of a log's end alone. */
#include <string.h>

#include "audit/verify_private.h"

uint64_t audit_peek_seq(const char *text, size_t len)
{
	uint64_t n = 0;

	if (len < 8 || memcmp(text, "{\"seq\":", 7) != 0)
		return 0;
	for (size_t i = 7; i < len && i < 26 && text[i] >= '0' && text[i] <= '9'; i++)
		n = n * 10 + (uint64_t)(text[i] - '0');
	return n;
}

static bool is_since(const struct audit_verifier *v, const char *text, size_t len, uint64_t seq)
{
	const struct audit_options *o = v->options;
	uint64_t at = 0;

	if ((o->since_seq && seq >= o->since_seq) || (o->expect && seq >= o->expect_seq))
		return true;
	/* "at" is the last of a line: 24 characters before "} */
	return o->since_ms && len > 26 && audit_parse_time(text + len - 26, 24, &at) &&
	       at >= o->since_ms;
}

/*
 * Where to begin: behind the last checkpoint before what is asked for that stands directly behind
 * its record. Until there the lines are only looked through.
 */
static void find_start(const struct audit_verifier *v, struct audit_place *start, size_t *next)
{
	size_t at = *next;
	uint64_t line = v->line;
	uint64_t before = 0;

	start->text = NULL;
	while (at < v->len) {
		const char *text = v->text + at;
		const char *end = memchr(text, '\n', v->len - at);
		size_t len = end ? (size_t)(end - text) : v->len - at;
		uint64_t seq = audit_peek_seq(text, len);

		if (!end || (seq && is_since(v, text, len, seq)))
			return;
		line++;
		at += len + 1;
		if (!seq && before && len > 2 && text[2] == 'c') {
			start->text = text;
			start->len = len;
			start->line = line;
			start->whole = true;
			*next = at;
		}
		before = seq;
	}
}

/* Goes on behind a checkpoint: what it signs is as good as what was verified. */
bool audit_begin_since(struct audit_verifier *v)
{
	struct audit_place start = { .text = NULL };
	struct audit_report *r = v->report;
	struct audit_checkpoint c = { 0 };
	size_t next = v->next;

	if (!v->options->since_seq && !v->options->since_ms)
		return true;
	find_start(v, &start, &next);
	if (!start.text)
		return true;
	start.entry.line = start.line;
	start.parsed = audit_parse_line(start.text, start.len, &start.entry);
	if (!start.parsed || start.entry.type != AUDIT_LINE_CHECKPOINT)
		return audit_blame(v, AUDIT_CHANGED, start.line, 0, 0,
				   "line %llu is not of the log's form",
				   (unsigned long long)start.line);
	if (!audit_check_signature(v, &start, &c))
		return false;
	v->next = next;
	v->line = start.line;
	v->seq = c.seq;
	memcpy(v->head, c.head, sizeof(v->head));
	audit_keep_head(v);
	r->signed_seq = c.seq;
	r->from_seq = c.seq + 1;
	r->checkpoints = 1;
	return true;
}
