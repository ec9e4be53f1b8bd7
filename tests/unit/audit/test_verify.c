/* SPDX-License-Identifier: Apache-2.0 */
/* The five manipulations, at every place of a log, are named, with the first record of theirs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

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

static void expect_whole(const struct audit_options *options, enum audit_fault fault, uint64_t line,
			 uint64_t first, uint64_t last)
{
	text_verify(&t, options, &report);
	if (report.fault != fault || report.line != line || report.first != first ||
	    report.last != last)
		print_message(
			"# %s at line %llu, %llu to %llu (expected %s at %llu, %llu to %llu): "
			"%s\n",
			audit_fault_name(report.fault), (unsigned long long)report.line,
			(unsigned long long)report.first, (unsigned long long)report.last,
			audit_fault_name(fault), (unsigned long long)line,
			(unsigned long long)first, (unsigned long long)last, report.message);
	assert_int_equal(report.fault, fault);
	assert_int_equal(report.line, line);
	assert_int_equal(report.first, first);
	assert_int_equal(report.last, last);
	assert_true((report.message[0] != '\0') == (fault != AUDIT_HOLDS));
}

static void expect(enum audit_fault fault, size_t at, uint64_t first, uint64_t last)
{
	expect_whole(NULL, fault, fault == AUDIT_HOLDS ? 0 : at + 1, first, last);
}

/* Calls each with every record line of a fresh log. */
static void at_every_record(void (*each)(size_t at, uint64_t seq))
{
	size_t count = t.count;

	for (size_t i = 1; i < count; i++) {
		text_standard(&t, &m);
		if (text_seq(&t, i))
			each(i, text_seq(&t, i));
	}
}

static void an_untouched_log_holds_and_its_gap_is_noted(void **state)
{
	(void)state;
	expect(AUDIT_HOLDS, 0, 0, 0);
	assert_int_equal(report.records, 53);
	assert_int_equal(report.checkpoints, 2);
	assert_int_equal(report.last_seq, 63);
	assert_int_equal(report.signed_seq, 60);
	assert_int_equal(report.unsigned_records, 3);
	assert_int_equal(report.gap_count, 1);
	assert_int_equal(report.gaps[0].first, 31);
	assert_int_equal(report.gaps[0].last, 40);
	assert_int_equal(report.gaps[0].line, text_of(&t, 41) + 1);
	assert_false(report.gaps[0].lost);
	assert_memory_equal(report.head, m.head, sizeof(m.head));
	assert_memory_equal(report.audit_key, m.key, sizeof(m.key));
}

/* ---- changed ------------------------------------------------------------------ */

static const char *changed_what, *changed_by;

static void change_at(size_t at, uint64_t seq)
{
	if (!strstr(t.lines[at], changed_what))
		return; /* the field of other commands' records */
	text_replace(&t, at, changed_what, changed_by);
	expect(AUDIT_CHANGED, at, seq, seq);
}

static void a_changed_field_is_named_at_every_record(void **state)
{
	static const char *const changes[][2] = {
		{ "\"generation\":", "\"generation\":1" },
		{ "\"time\":", "\"time\":9" },
		{ "sign_sponsorship", "sign_message" },
		{ "sign_sponsorship", "command_99" },
		{ "\"begin\"", "\"get_info\"" },
		{ "\"ok\"", "\"security\"" },
		{ "access_denied", "ok" },
		{ "\"policyVersion\":", "\"policyVersion\":1" },
		{ "\"value\":\"1", "\"value\":\"2" },
		{ "\"value\":\"0x0", "\"value\":\"0x1" },
		{ "\"digest\":\"0x0", "\"digest\":\"0xf" },
		{ "\"digest\":\"0x1", "\"digest\":\"0xf" },
		{ "\"digest\":\"0x2", "\"digest\":\"0xf" },
		{ "primary", "secondary" },
		{ "\"key\":\"primary\"", "\"key\":\"\"" },
		{ "\"head\":\"0x", "\"head\":\"0x00" },
		{ "\"follows\":", "\"follows\":1" },
		{ "\"follows\":30", "\"follows\":29" },
		{ "\"follows\":30", "\"follows\":31" },
		{ "\"follows\":30", "\"follows\":41" },
	};

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(changes); i++) {
		changed_what = changes[i][0];
		changed_by = changes[i][1];
		at_every_record(change_at);
	}
}

static void change_head_digit_of(size_t at)
{
	char *digit = strstr(t.lines[at], "\"head\":\"0x") + 10;

	*digit = *digit == '0' ? '1' : '0';
}

static void change_head_digit(size_t at, uint64_t seq)
{
	change_head_digit_of(at);
	expect(AUDIT_CHANGED, at, seq, seq);
}

static void a_changed_head_is_named_at_every_record(void **state)
{
	(void)state;
	at_every_record(change_head_digit);
}

static int64_t number_change;

static void change_number(size_t at, uint64_t seq)
{
	uint64_t is_seq = seq + (uint64_t)number_change;
	char was[32];
	char is[32];

	if ((int64_t)is_seq < 0)
		return;
	(void)snprintf(was, sizeof(was), "{\"seq\":%llu,", (unsigned long long)seq);
	(void)snprintf(is, sizeof(is), "{\"seq\":%llu,", (unsigned long long)is_seq);
	text_replace(&t, at, was, is);
	expect(AUDIT_CHANGED, at, seq, seq);
}

static void a_changed_number_is_named_at_every_record(void **state)
{
	static const int64_t changes[] = { 1, -1, 2, -2, 10, -10, 1000 };

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(changes); i++) {
		number_change = changes[i];
		at_every_record(change_number);
	}
}

static void other_spellings_of_a_line_count_as_changed(void **state)
{
	static const char *const changes[][2] = {
		{ "{\"seq\"", "{ \"seq\"" },
		{ ",\"time\"", ", \"time\"" },
		{ "\"seq\":6", "\"seq\":06" },
		{ "\"ok\"", "\"0x00000000\"" },
		{ "sign_sponsorship", "command_5" },
		{ "sign_sponsorship", "Sign_sponsorship" },
		{ "primary", "pri\\u006dary" },
		{ "\"value\":\"", "\"value\":\"0" },
		{ "\"digest\":\"0x0", "\"digest\":\"0X0" },
		{ "\"}", "\",\"x\":1}" },
		{ "Z\"}", "Z\"}\r" },
		{ "Z\"}", "Z\"} " },
		{ "\"at\":\"2026-09", "\"at\":\"2026-13" },
		{ "\"at\":\"2026-09-21T", "\"at\":\"2026-09-31T" },
		{ "\"at\":\"2026", "\"at\":\"02026" },
	};

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(changes); i++) {
		text_standard(&t, &m);
		text_replace(&t, 6, changes[i][0], changes[i][1]);
		expect(AUDIT_CHANGED, 6, 6, 6);
	}
}

static void the_hosts_own_time_is_not_covered(void **state)
{
	(void)state;
	text_replace(&t, 5, "\"at\":\"2026", "\"at\":\"2027");
	expect(AUDIT_HOLDS, 0, 0, 0);
}

/* ---- dropped -------------------------------------------------------------------- */

static void drop_at(size_t at, uint64_t seq)
{
	text_drop(&t, at);
	if (seq == 63) /* nothing but a later checkpoint can tell */
		expect(AUDIT_HOLDS, 0, 0, 0);
	else if (seq == 41)
		expect(AUDIT_DROPPED, at, 31, 41); /* whichever of them there were */
	else
		expect(AUDIT_DROPPED, at, seq, seq);
}

static void a_dropped_record_is_named_at_every_place(void **state)
{
	(void)state;
	at_every_record(drop_at);
}

static void dropped_stretches_are_named_with_both_ends(void **state)
{
	static const struct {
		uint64_t first, last;
	} stretches[] = { { 1, 5 }, { 2, 19 }, { 15, 30 }, { 42, 60 }, { 50, 62 }, { 5, 20 } };

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(stretches); i++) {
		size_t at = 0;

		text_standard(&t, &m);
		at = text_of(&t, stretches[i].first);
		while (text_seq(&t, at) != stretches[i].last)
			text_drop(&t, at);
		text_drop(&t, at);
		expect(AUDIT_DROPPED, at, stretches[i].first, stretches[i].last);
	}
}

static void a_dropped_header_is_named(void **state)
{
	(void)state;
	text_drop(&t, 0);
	expect(AUDIT_DROPPED, 0, 0, 0);
}

static void a_dropped_checkpoint_leaves_less_signed(void **state)
{
	(void)state;
	text_drop(&t, text_of(&t, 60) + 1);
	expect(AUDIT_HOLDS, 0, 0, 0);
	assert_int_equal(report.signed_seq, 20);
	assert_int_equal(report.unsigned_records, 33);
}

/* ---- reordered ------------------------------------------------------------------- */

static void swap_at(size_t at, uint64_t seq)
{
	uint64_t other = at + 1 < t.count ? text_seq(&t, at + 1) : 0;

	if (at + 1 == t.count)
		return;
	text_move(&t, at + 1, at);
	/* with a checkpoint: that stands before its record now */
	expect(AUDIT_REORDERED, at, other ? other : seq, other ? other : seq);
}

static void two_records_in_turn_are_named_at_every_place(void **state)
{
	(void)state;
	at_every_record(swap_at);
}

static size_t move_by;

static void move_at(size_t at, uint64_t seq)
{
	uint64_t follower = text_seq(&t, at + 1);
	bool checkpoint_follows = at + 1 < t.count && !follower;

	if (at + move_by >= t.count)
		return;
	text_move(&t, at, at + move_by);
	if (checkpoint_follows)
		expect(AUDIT_REORDERED, at, seq, seq);
	else
		expect(AUDIT_REORDERED, at, follower, follower);
}

static void a_record_moved_further_back_is_named(void **state)
{
	(void)state;
	for (move_by = 2; move_by < 12; move_by++)
		at_every_record(move_at);
}

static void move_forward_at(size_t at, uint64_t seq)
{
	bool skips_checkpoint = false;
	size_t to = at - move_by;

	if (at < move_by + 1 || at + 1 == t.count)
		return;
	for (size_t i = to; i < at; i++)
		skips_checkpoint |= !text_seq(&t, i);
	if (skips_checkpoint)
		return;
	text_move(&t, at, to);
	expect(AUDIT_REORDERED, to, seq, seq);
}

static void a_record_moved_further_ahead_is_named(void **state)
{
	(void)state;
	for (move_by = 1; move_by < 12; move_by++)
		at_every_record(move_forward_at);
}

static void a_checkpoint_before_its_record_is_named(void **state)
{
	size_t at = text_of(&t, 20);

	(void)state;
	text_move(&t, at + 1, at - 3);
	expect(AUDIT_REORDERED, at - 3, 20, 20);
}

static void a_checkpoint_behind_a_later_one_is_named(void **state)
{
	size_t first = text_of(&t, 20) + 1;
	size_t second = text_of(&t, 60) + 1;

	(void)state;
	text_move(&t, first, second);
	expect(AUDIT_REORDERED, second, 20, 20);
}

/* Two processes may append in another order than the TA answered them. */
static void a_checkpoint_may_stand_behind_later_records(void **state)
{
	size_t first = text_of(&t, 20) + 1;

	(void)state;
	text_move(&t, first, first + 4);
	expect(AUDIT_HOLDS, 0, 0, 0);
	text_move(&t, text_of(&t, 60) + 1, t.count - 1);
	expect(AUDIT_HOLDS, 0, 0, 0);
	assert_int_equal(report.unsigned_records, 3);
}

/* ---- added ------------------------------------------------------------------------- */

static size_t copy_by;

static void copy_at(size_t at, uint64_t seq)
{
	if (at + copy_by > t.count)
		return;
	text_insert(&t, at + copy_by, t.lines[at]);
	expect(AUDIT_ADDED, at + copy_by, seq, seq);
}

static void a_repeated_record_is_named_at_every_place(void **state)
{
	(void)state;
	for (copy_by = 1; copy_by < 12; copy_by++)
		at_every_record(copy_at);
}

static void copy_ahead_at(size_t at, uint64_t seq)
{
	if (at < copy_by + 1)
		return;
	text_insert(&t, at - copy_by, t.lines[at]);
	expect(AUDIT_ADDED, at - copy_by, seq, seq);
}

static void a_record_copied_ahead_of_itself_is_named(void **state)
{
	(void)state;
	for (copy_by = 2; copy_by < 12; copy_by++)
		at_every_record(copy_ahead_at);
}

/* An invented record in front of a record, under its number. */
static void invent_at(size_t at, uint64_t seq)
{
	if (seq == 1 || seq == 41)
		return;
	text_insert(&t, at, t.lines[at]);
	text_replace(&t, at, "\"time\":", "\"time\":1");
	change_head_digit_of(at);
	expect(AUDIT_ADDED, at, seq, seq);
}

static void an_invented_record_is_named_at_every_place(void **state)
{
	(void)state;
	at_every_record(invent_at);
}

/* The same, and its head continues the chain: what follows does not continue it. */
static void invent_chained_at(size_t at, uint64_t seq)
{
	if (seq == 1 || seq == 41)
		return;
	text_insert(&t, at, t.lines[at]);
	text_replace(&t, at, "\"time\":", "\"time\":1");
	text_relink(&t, at, &m);
	/* behind the last, either of the two may be the invention */
	expect(AUDIT_ADDED, seq == 63 ? at + 1 : at, seq, seq);
}

static void an_invented_record_with_a_fitting_head_is_named(void **state)
{
	(void)state;
	at_every_record(invent_chained_at);
}

static void added_lines_that_are_no_records_are_named(void **state)
{
	static const char *const strange[] = { "", "{}", "{\"seq\":7}", "x" };
	size_t checkpoint = text_of(&t, 20) + 1;

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(strange); i++) {
		text_standard(&t, &m);
		text_insert(&t, 8, strange[i]);
		expect(AUDIT_ADDED, 8, 7, 7);
	}
	text_standard(&t, &m);
	text_insert(&t, 8, t.lines[0]); /* the header once more */
	expect(AUDIT_ADDED, 8, 7, 7);
	text_standard(&t, &m);
	text_insert(&t, checkpoint + 5, t.lines[checkpoint]);
	expect(AUDIT_ADDED, checkpoint + 5, 20, 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_untouched_log_holds_and_its_gap_is_noted, setup),
		cmocka_unit_test_setup(a_changed_field_is_named_at_every_record, setup),
		cmocka_unit_test_setup(a_changed_head_is_named_at_every_record, setup),
		cmocka_unit_test_setup(a_changed_number_is_named_at_every_record, setup),
		cmocka_unit_test_setup(other_spellings_of_a_line_count_as_changed, setup),
		cmocka_unit_test_setup(the_hosts_own_time_is_not_covered, setup),
		cmocka_unit_test_setup(a_dropped_record_is_named_at_every_place, setup),
		cmocka_unit_test_setup(dropped_stretches_are_named_with_both_ends, setup),
		cmocka_unit_test_setup(a_dropped_header_is_named, setup),
		cmocka_unit_test_setup(a_dropped_checkpoint_leaves_less_signed, setup),
		cmocka_unit_test_setup(two_records_in_turn_are_named_at_every_place, setup),
		cmocka_unit_test_setup(a_record_moved_further_back_is_named, setup),
		cmocka_unit_test_setup(a_record_moved_further_ahead_is_named, setup),
		cmocka_unit_test_setup(a_checkpoint_before_its_record_is_named, setup),
		cmocka_unit_test_setup(a_checkpoint_behind_a_later_one_is_named, setup),
		cmocka_unit_test_setup(a_checkpoint_may_stand_behind_later_records, setup),
		cmocka_unit_test_setup(a_repeated_record_is_named_at_every_place, setup),
		cmocka_unit_test_setup(a_record_copied_ahead_of_itself_is_named, setup),
		cmocka_unit_test_setup(an_invented_record_is_named_at_every_place, setup),
		cmocka_unit_test_setup(an_invented_record_with_a_fitting_head_is_named, setup),
		cmocka_unit_test_setup(added_lines_that_are_no_records_are_named, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
