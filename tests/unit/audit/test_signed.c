/* SPDX-License-Identifier: Apache-2.0 */
/* What only signatures, or what is known from elsewhere, can show of a log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit_private.h"
#include "text_test.h"

static struct text t;
static struct maker m;
static struct audit_report report;

static int setup(void **state)
{
	(void)state;
	text_standard(&t, &m);
	return 0;
}

static void expect_with(const struct audit_options *options, enum audit_fault fault, size_t line,
			uint64_t first, uint64_t last)
{
	text_verify(&t, options, &report);
	if (report.fault != fault)
		print_message("# %s: %s\n", audit_fault_name(report.fault), report.message);
	assert_string_equal(audit_fault_name(report.fault), audit_fault_name(fault));
	assert_int_equal(report.line, line);
	assert_int_equal(report.first, first);
	assert_int_equal(report.last, last);
}

static void expect(enum audit_fault fault, size_t line, uint64_t first, uint64_t last)
{
	expect_with(NULL, fault, line, first, last);
}

/* ---- rewritten ------------------------------------------------------------------- */

static void heads_made_anew_are_shown_by_the_next_checkpoint(void **state)
{
	size_t first = text_of(&t, 20) + 1;
	size_t second = text_of(&t, 60) + 1;

	(void)state;
	for (size_t at = 2; at < t.count; at++) {
		text_standard(&t, &m);
		if (!text_seq(&t, at) || text_seq(&t, at) == 41)
			continue;
		text_replace(&t, at, "\"time\":", "\"time\":1");
		text_rechain(&t, at, &m);
		if (at < first)
			expect(AUDIT_REWRITTEN, first + 1, 1, 20);
		else if (at < second)
			expect(AUDIT_REWRITTEN, second + 1, 21, 60);
		else /* not signed yet: said so, and no more can be said */
			expect(AUDIT_HOLDS, 0, 0, 0);
		assert_int_equal(report.unsigned_records > 0, 1);
	}
}

/* A record is taken out, those behind it are renumbered, and all is chained anew. */
static void a_renumbered_log_is_shown_by_the_next_checkpoint(void **state)
{
	char was[32];
	char is[32];

	(void)state;
	text_drop(&t, text_of(&t, 25));
	for (uint64_t seq = 26; seq <= 30; seq++) {
		(void)snprintf(was, sizeof(was), "{\"seq\":%u,", (unsigned)seq);
		(void)snprintf(is, sizeof(is), "{\"seq\":%u,", (unsigned)seq - 1);
		text_replace(&t, text_of(&t, seq), was, is);
	}
	text_replace(&t, text_of(&t, 41), "\"follows\":30", "\"follows\":29");
	text_rechain(&t, 1, &m);
	expect(AUDIT_REWRITTEN, text_of(&t, 60) + 2, 21, 60);
}

/* The log was rewritten before the TA was begun behind it: a later checkpoint signs that. */
static void a_begin_that_knew_another_chain_is_named(void **state)
{
	struct audit_entry last = { .line = 0 };
	const char *line = NULL;

	(void)state;
	text_drop(&t, text_of(&t, 60) + 1);
	text_replace(&t, text_of(&t, 30), "\"time\":", "\"time\":1");
	text_rechain(&t, 1, &m);
	expect(AUDIT_BEGUN_BEHIND, text_of(&t, 41) + 1, 30, 30);
	line = t.lines[t.count - 1];
	assert_true(audit_parse_line(line, strlen(line), &last));
	memcpy(m.head, last.head, sizeof(m.head));
	text_add_checkpoint(&t, &m);
	expect(AUDIT_BEGUN_BEHIND, text_of(&t, 41) + 1, 30, 30);
	expect_with(&(struct audit_options){ .allow_begun_behind = true }, AUDIT_HOLDS, 0, 0, 0);
}

/* ---- truncated --------------------------------------------------------------------- */

static void a_cut_end_is_named_where_the_end_is_known(void **state)
{
	struct audit_options options = {
		.expect = true, .expect_seq = 63, .expect_head = m.head, .allow_unsigned = true
	};
	size_t count = t.count;

	(void)state;
	expect_with(&options, AUDIT_HOLDS, 0, 0, 0);
	for (size_t keep = 1; keep < count; keep++) {
		uint64_t last = 0;

		text_standard(&t, &m);
		t.count = keep;
		for (size_t i = 0; i < keep; i++)
			last = text_seq(&t, i) ? text_seq(&t, i) : last;
		expect_with(&options, AUDIT_TRUNCATED, keep + 1, last + 1, 63);
	}
}

static void a_cut_end_is_named_by_a_later_checkpoint(void **state)
{
	char checkpoint[TEXT_LINE];

	(void)state;
	memcpy(checkpoint, t.lines[text_of(&t, 60) + 1], sizeof(checkpoint));
	t.count = text_of(&t, 25) + 1;
	text_insert(&t, t.count, checkpoint);
	expect(AUDIT_TRUNCATED, t.count, 26, 60);
}

static void a_line_cut_in_the_middle_is_named(void **state)
{
	struct sr_buf all = { 0 };

	(void)state;
	for (size_t i = 0; i < 9; i++)
		sr_buf_printf(&all, "%s\n", t.lines[i]);
	for (size_t cut = 1; cut <= strlen(t.lines[8]) + 1; cut++) {
		assert_true(audit_verify_text((const char *)all.data, all.len - cut,
					      &(struct audit_options){ .allow_unsigned = true },
					      &report, NULL));
		assert_string_equal(audit_fault_name(report.fault),
				    cut <= strlen(t.lines[8]) ? "truncated" : "holds");
		assert_int_equal(report.line, cut <= strlen(t.lines[8]) ? 9 : 0);
	}
	sr_buf_free(&all);
}

static void an_expected_head_that_differs_is_named(void **state)
{
	uint8_t head[AUDIT_HEAD_SIZE] = { 1 };

	(void)state;
	expect_with(
		&(struct audit_options){ .expect = true, .expect_seq = 62, .expect_head = head },
		AUDIT_REWRITTEN, text_of(&t, 62) + 1, 61, 62);
	expect_with(&(struct audit_options){ .expect = true, .expect_seq = 35 }, AUDIT_DROPPED, 0,
		    35, 35);
}

static void an_empty_file_is_truncated(void **state)
{
	(void)state;
	assert_true(audit_verify_text(NULL, 0, NULL, &report, NULL));
	assert_int_equal(report.fault, AUDIT_TRUNCATED);
}

/* ---- forged ------------------------------------------------------------------------- */

static void a_changed_digit_of_a_checkpoint_is_forgery(void **state)
{
	size_t at = text_of(&t, 20) + 1;
	char *line = t.lines[at];

	(void)state;
	for (size_t i = 17; i < strlen(line) - 2; i += 3) {
		text_standard(&t, &m);
		if (i >= 17 + 2 * SR_TA_CHECKPOINT_SIZE && i < strlen(line) - 132)
			continue; /* between the two numbers */
		line[i] = line[i] == '0' ? '1' : '0';
		text_verify(&t, NULL, &report);
		assert_int_equal(report.fault, AUDIT_FORGED);
		assert_int_equal(report.line, at + 1);
	}
}

/* The other half of s verifies under plain ECDSA, too: there is one spelling. */
static void a_high_s_is_forgery(void **state)
{
	static const uint8_t order[32] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
					   0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe,
					   0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b,
					   0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41 };
	uint8_t checkpoint[SR_TA_CHECKPOINT_SIZE];
	uint8_t signature[SR_TA_SECP256K1_SIGNATURE_SIZE];
	int borrow = 0;

	(void)state;
	make_checkpoint(&m, checkpoint, signature);
	assert_true(audit_checkpoint_signed(checkpoint, signature, m.key));
	for (size_t i = 32; i-- > 0;) {
		int n = order[i] - signature[32 + i] - borrow;

		borrow = n < 0;
		signature[32 + i] = (uint8_t)(n & 0xff);
	}
	signature[64] = signature[64] == 27 ? 28 : 27;
	assert_false(audit_checkpoint_signed(checkpoint, signature, m.key));
}

static void put_checkpoint_at(size_t at, const struct maker *signer, uint8_t first_of_uuid)
{
	uint8_t checkpoint[SR_TA_CHECKPOINT_SIZE];
	uint8_t signature[SR_TA_SECP256K1_SIGNATURE_SIZE];
	struct sr_buf line = { 0 };

	make_checkpoint(&m, checkpoint, signature);
	checkpoint[5] = first_of_uuid;
	sign_checkpoint(signer, checkpoint, signature);
	audit_put_checkpoint(&line, checkpoint, signature);
	line.data[line.len - 1] = '\0';
	text_insert(&t, at, (const char *)line.data);
	sr_buf_free(&line);
}

static void a_checkpoint_of_another_key_is_forgery(void **state)
{
	struct maker other;

	(void)state;
	maker_init(&other, 2);
	put_checkpoint_at(t.count, &other, 0x12);
	expect(AUDIT_FORGED, t.count, 63, 63);
}

static void a_checkpoint_of_another_ta_is_named(void **state)
{
	(void)state;
	put_checkpoint_at(t.count, &m, 0x13);
	expect(AUDIT_OTHER_CHAIN, t.count, 63, 63);
}

/* ---- other chains --------------------------------------------------------------------- */

static void a_log_of_another_key_is_named(void **state)
{
	struct maker other;

	(void)state;
	maker_init(&other, 2);
	expect_with(&(struct audit_options){ .audit_key = other.key }, AUDIT_OTHER_CHAIN, 1, 0, 0);
	expect_with(&(struct audit_options){ .audit_key = m.key }, AUDIT_HOLDS, 0, 0, 0);
}

static void a_header_with_another_key_is_named(void **state)
{
	struct maker other;
	char was[150] = { 0 };
	char is[150] = { 0 };

	(void)state;
	maker_init(&other, 2);
	sr_hex_encode(m.key, sizeof(m.key), was);
	sr_hex_encode(other.key, sizeof(other.key), is);
	text_replace(&t, 0, was, is);

	expect(AUDIT_OTHER_CHAIN, 1, 0, 0);
	expect_with(&(struct audit_options){ .audit_key = other.key }, AUDIT_OTHER_CHAIN, 1, 0, 0);
}

static void a_header_of_another_ta_or_form_is_named(void **state)
{
	(void)state;
	text_replace(&t, 0, "12345678", "12345679");
	expect(AUDIT_OTHER_CHAIN, 1, 0, 0);
	text_standard(&t, &m);
	text_replace(&t, 0, "Audit\":1", "Audit\":2");
	expect(AUDIT_CHANGED, 1, 0, 0);
}

static void a_log_without_checkpoints_proves_nothing(void **state)
{
	(void)state;
	text_drop(&t, text_of(&t, 20) + 1);
	text_drop(&t, text_of(&t, 60) + 1);
	expect(AUDIT_UNSIGNED, 0, 1, 63);
	expect_with(&(struct audit_options){ .allow_unsigned = true }, AUDIT_HOLDS, 0, 0, 0);
	assert_int_equal(report.unsigned_records, 53);
}

/* ---- begun behind ------------------------------------------------------------------------ */

/* Records are made that the log does not get, and the operator lets the TA go on. */
static void a_begin_behind_a_cut_log_is_named(void **state)
{
	uint8_t head[AUDIT_HEAD_SIZE];
	struct made made;
	size_t line = 0;

	(void)state;
	memcpy(head, m.head, sizeof(head));
	m.seq = 70; /* what the TA's storage has */
	make_begin(&m, 0, &made);
	memcpy(m.head, head, sizeof(head));
	audit_next_head(m.head, (struct sr_bytes){ made.bytes, made.len }, m.head);
	text_add_record(&t, 63, &m, &made);
	line = t.count;
	text_add_signed(&t, &m, 3);
	text_add_checkpoint(&t, &m);
	expect(AUDIT_BEGUN_BEHIND, line, 64, 70);
	expect_with(&(struct audit_options){ .allow_begun_behind = true }, AUDIT_HOLDS, 0, 0, 0);
	assert_int_equal(report.gap_count, 2);
	assert_true(report.gaps[1].lost);
}

static void a_begin_on_an_older_storage_is_named(void **state)
{
	(void)state;
	m.generation = 0;
	text_add_begin(&t, &m, 5);
	expect(AUDIT_BEGUN_BEHIND, t.count, 63, 63);
}

/* ---- since ---------------------------------------------------------------------------------- */

static void since_begins_behind_the_last_checkpoint_before(void **state)
{
	(void)state;
	text_replace(&t, 5, "access_denied", "busy");
	expect(AUDIT_CHANGED, 6, 5, 5);
	expect_with(&(struct audit_options){ .since_seq = 25 }, AUDIT_HOLDS, 0, 0, 0);
	assert_int_equal(report.from_seq, 21);
	assert_int_equal(report.records, 33);
	assert_int_equal(report.checkpoints, 2);
	expect_with(&(struct audit_options){ .since_ms = 1790000062000 }, AUDIT_HOLDS, 0, 0, 0);
	assert_int_equal(report.from_seq, 61);
	expect_with(&(struct audit_options){ .since_seq = 1000 }, AUDIT_HOLDS, 0, 0, 0);
	expect_with(&(struct audit_options){ .since_seq = 20 }, AUDIT_CHANGED, 6, 5, 5);
}

static void since_names_the_same_faults_at_the_same_lines(void **state)
{
	size_t at = text_of(&t, 50);
	struct audit_options options = { .since_seq = 45 };

	(void)state;
	text_replace(&t, at, "\"time\":", "\"time\":1");
	expect_with(&options, AUDIT_CHANGED, at + 1, 50, 50);
	text_standard(&t, &m);
	text_drop(&t, at);
	expect_with(&options, AUDIT_DROPPED, at + 1, 50, 50);
	text_standard(&t, &m);
	text_drop(&t, text_of(&t, 22));
	expect_with(&options, AUDIT_DROPPED, text_of(&t, 23) + 1, 22, 22);
}

static void since_does_not_begin_at_a_forged_checkpoint(void **state)
{
	struct maker other;
	size_t at = text_of(&t, 25) + 1;

	(void)state;
	maker_init(&other, 2);
	put_checkpoint_at(at, &other, 0x12);
	expect_with(&(struct audit_options){ .since_seq = 45 }, AUDIT_FORGED, at + 1, 63, 63);
}

/* Each text in memory of its own size, so that a sanitizer sees a byte too many read. */
static void since_reads_no_further_than_the_text(void **state)
{
	struct sr_buf all = { 0 };

	(void)state;
	for (size_t i = 0; i < 24; i++)
		sr_buf_printf(&all, "%s\n", t.lines[i]);
	sr_buf_puts(&all, "\n\n{\n{\"\n");
	for (size_t len = all.len - 1200; len <= all.len; len++) {
		char *text = malloc(len);

		assert_non_null(text);
		memcpy(text, all.data, len);
		assert_true(audit_verify_text(
			text, len, &(struct audit_options){ .since_seq = 100 }, &report, NULL));
		free(text);
	}
	sr_buf_free(&all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(heads_made_anew_are_shown_by_the_next_checkpoint, setup),
		cmocka_unit_test_setup(a_renumbered_log_is_shown_by_the_next_checkpoint, setup),
		cmocka_unit_test_setup(a_begin_that_knew_another_chain_is_named, setup),
		cmocka_unit_test_setup(a_cut_end_is_named_where_the_end_is_known, setup),
		cmocka_unit_test_setup(a_cut_end_is_named_by_a_later_checkpoint, setup),
		cmocka_unit_test_setup(a_line_cut_in_the_middle_is_named, setup),
		cmocka_unit_test_setup(an_expected_head_that_differs_is_named, setup),
		cmocka_unit_test_setup(an_empty_file_is_truncated, setup),
		cmocka_unit_test_setup(a_changed_digit_of_a_checkpoint_is_forgery, setup),
		cmocka_unit_test_setup(a_high_s_is_forgery, setup),
		cmocka_unit_test_setup(a_checkpoint_of_another_key_is_forgery, setup),
		cmocka_unit_test_setup(a_checkpoint_of_another_ta_is_named, setup),
		cmocka_unit_test_setup(a_log_of_another_key_is_named, setup),
		cmocka_unit_test_setup(a_header_with_another_key_is_named, setup),
		cmocka_unit_test_setup(a_header_of_another_ta_or_form_is_named, setup),
		cmocka_unit_test_setup(a_log_without_checkpoints_proves_nothing, setup),
		cmocka_unit_test_setup(a_begin_behind_a_cut_log_is_named, setup),
		cmocka_unit_test_setup(a_begin_on_an_older_storage_is_named, setup),
		cmocka_unit_test_setup(since_begins_behind_the_last_checkpoint_before, setup),
		cmocka_unit_test_setup(since_names_the_same_faults_at_the_same_lines, setup),
		cmocka_unit_test_setup(since_does_not_begin_at_a_forged_checkpoint, setup),
		cmocka_unit_test_setup(since_reads_no_further_than_the_text, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
