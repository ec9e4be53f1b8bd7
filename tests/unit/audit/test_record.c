/* SPDX-License-Identifier: Apache-2.0 */
/* Records, checkpoints, names and lines: the bytes, and that each has one spelling. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "audit/audit_private.h"
#include "audit_test.h"

static void a_record_has_the_contracts_bytes(void **state)
{
	static const uint8_t expected[] = {
		1,    2,    0,	  0,	0,    0,    0,	  0,	0,    3,    0,	  0,	0,
		0,    0,    0,	  0,	4,    1,    0,	  0,	0,    0,    0,	  0,	5,
		0x01, 0x00, 0xff, 0xff, 6,    0,    0,	  0,	0xa0, 0xa1, 0xa2, 0xa3, 0xa4,
		0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf, 0xd0, 0xd1,
		0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde,
		0xdf, 0xe0, 0xe1, 0xe2, 0xe3, 0xe4, 0xe5, 0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xeb,
		0xec, 0xed, 0xee, 0xef, 3,    'k',  '-',  '1',
	};
	struct audit_record r = { .seq = 2,
				  .generation = 3,
				  .time_ms = 0x104,
				  .command = 5,
				  .decision = 0xffff0001,
				  .policy_version = 6,
				  .key_id = "k-1" };
	struct audit_record back = { 0 };
	uint8_t bytes[SR_TA_RECORD_MAX];

	(void)state;
	for (uint8_t i = 0; i < 32; i++)
		r.digest[i] = (uint8_t)(0xd0 + i);
	for (uint8_t i = 0; i < 16; i++)
		r.value[i] = (uint8_t)(0xa0 + i);
	assert_int_equal(audit_record_encode(&r, bytes), sizeof(expected));
	assert_memory_equal(bytes, expected, sizeof(expected));
	assert_true(audit_record_decode(SR_BYTES(expected), &back, NULL));
	assert_memory_equal(&back, &r, sizeof(r));
}

static void a_checkpoint_has_the_contracts_bytes(void **state)
{
	struct audit_checkpoint c = { .seq = 1, .generation = 2, .time_ms = 3 };
	struct audit_checkpoint back = { 0 };
	uint8_t bytes[SR_TA_CHECKPOINT_SIZE];

	(void)state;
	memset(c.ta, 0x77, sizeof(c.ta));
	memset(c.head, 0x99, sizeof(c.head));
	audit_checkpoint_encode(&c, bytes);
	assert_memory_equal(bytes, "SRAC\1\x77", 6);
	assert_memory_equal(bytes + 20, "\x77\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\x99",
			    26);
	assert_int_equal(bytes[sizeof(bytes) - 1], 0x99);
	assert_true(audit_checkpoint_decode(bytes, &back, NULL));
	assert_memory_equal(&back, &c, sizeof(c));
	bytes[4] = 2;
	assert_false(audit_checkpoint_decode(bytes, &back, NULL));
	bytes[4] = 1;
	bytes[0] = 'X';
	assert_false(audit_checkpoint_decode(bytes, &back, NULL));
}

/* Computed with another program: sha256sum of the bytes that the contract names. */
static void heads_are_sha256_of_what_the_contract_names(void **state)
{
	static const uint8_t expected_genesis[] = {
		0x14, 0x9d, 0x4d, 0x06, 0x89, 0xf5, 0xf5, 0xc2, 0x2e, 0x7e, 0x6c,
		0xd6, 0xdb, 0x9d, 0xf1, 0xfe, 0xc2, 0x7f, 0xde, 0xf1, 0x1b, 0xe4,
		0x11, 0x9e, 0x70, 0x1e, 0xb4, 0x1a, 0xc0, 0xae, 0xc3, 0xb3,
	};
	static const uint8_t expected_next[] = {
		0xf9, 0x5b, 0xfa, 0xcb, 0x08, 0x0e, 0x12, 0x09, 0xfa, 0xc7, 0x4a,
		0x72, 0x58, 0x6c, 0x11, 0xd8, 0x57, 0x7f, 0x50, 0x02, 0x71, 0x99,
		0x79, 0x70, 0x15, 0x4e, 0x2e, 0xe2, 0x61, 0xc6, 0xc6, 0xf2,
	};
	uint8_t key[AUDIT_KEY_SIZE];
	uint8_t head[AUDIT_HEAD_SIZE];

	(void)state;
	memset(key, 4, sizeof(key));
	audit_genesis(key, head);
	assert_memory_equal(head, expected_genesis, sizeof(head));
	audit_next_head(head, (struct sr_bytes){ (const uint8_t *)"record", 6 }, head);
	assert_memory_equal(head, expected_next, sizeof(head));
}

static void every_name_reads_back_as_its_number(void **state)
{
	char scratch[AUDIT_NAME_MAX];
	uint8_t command = 0;
	uint32_t decision = 0;

	(void)state;
	for (unsigned i = 0; i <= UINT8_MAX; i++) {
		const char *name = audit_command_name((uint8_t)i, scratch);

		assert_true(audit_command_from_name(name, strlen(name), &command));
		assert_int_equal(command, i);
	}
	for (uint32_t i = 0xffff0000; i != 0xffff6000; i++) {
		const char *name = audit_decision_name(i, scratch);

		assert_true(audit_decision_from_name(name, strlen(name), &decision));
		assert_int_equal(decision, i);
	}
	assert_string_equal(audit_decision_name(0, scratch), "ok");
	assert_string_equal(audit_command_name(SR_TA_CMD_ROTATE_KEY, scratch), "rotate_key");
	assert_false(audit_command_from_name("command_5", 9, &command));
	assert_false(audit_command_from_name("command_099", 11, &command));
	assert_false(audit_decision_from_name("0xFFFF7000", 10, &decision));
	assert_false(audit_decision_from_name("0xffff0001", 10, &decision));
}

static void times_read_back(void **state)
{
	static const struct {
		uint64_t ms;
		const char *text;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ 951782400000, "2000-02-29T00:00:00.000Z" },
		{ 951868799999, "2000-02-29T23:59:59.999Z" },
		{ 951868800000, "2000-03-01T00:00:00.000Z" },
		{ 1790000000001, "2026-09-21T14:13:20.001Z" },
		{ 4107542400000, "2100-03-01T00:00:00.000Z" },
		{ 253402300799999, "9999-12-31T23:59:59.999Z" },
	};
	static const char *const wrong[] = {
		"",
		"2026-09-21T14:13:20.001",
		"2026-09-21T14:13:20.001z",
		"2026-09-21 14:13:20.001Z",
		"2100-02-29T00:00:00.000Z",
		"2026-00-01T00:00:00.000Z",
		"2026-04-31T00:00:00.000Z",
		"2026-04-00T00:00:00.000Z",
		"2026-04-01T24:00:00.000Z",
		"2026-04-01T00:60:00.000Z",
		"2026-04-01T00:00:60.000Z",
		"1969-12-31T23:59:59.999Z",
		"2026-09-21T14:13:20.0010Z",
	};
	char text[AUDIT_TIME_TEXT];
	uint64_t ms = 0;

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(cases); i++) {
		audit_format_time(cases[i].ms, text);
		assert_string_equal(text, cases[i].text);
		assert_true(audit_parse_time(text, strlen(text), &ms));
		assert_int_equal(ms, cases[i].ms);
	}
	audit_format_time(UINT64_MAX, text);
	assert_string_equal(text, "9999-12-31T23:59:59.999Z");
	for (size_t i = 0; i < SR_ARRAY_LEN(wrong); i++)
		assert_false(audit_parse_time(wrong[i], strlen(wrong[i]), &ms));
}

static void values_are_decimal_and_exact(void **state)
{
	static const struct {
		uint8_t value[16];
		const char *text;
	} cases[] = {
		{ { 0 }, "\"value\":\"0\"" },
		{ { [15] = 10 }, "\"value\":\"10\"" },
		{ { [7] = 1 }, "\"value\":\"18446744073709551616\"" },
		{ { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		    0xff, 0xff, 0xff },
		  "\"value\":\"340282366920938463463374607431768211455\"" },
	};
	struct audit_record r = { .seq = 1, .command = SR_TA_CMD_SIGN_SPONSORSHIP };
	struct audit_entry e = { .line = 9 };
	uint8_t head[AUDIT_HEAD_SIZE] = { 1 };
	struct sr_buf line = { 0 };

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(cases); i++) {
		memcpy(r.value, cases[i].value, sizeof(r.value));
		audit_put_record(&line, &r, head, 0, 5);
		assert_non_null(memmem(line.data, line.len, cases[i].text, strlen(cases[i].text)));
		assert_true(audit_parse_line((const char *)line.data, line.len - 1, &e));
		assert_memory_equal(&e.record, &r, sizeof(r));
		assert_int_equal(e.line, 9);
		sr_buf_free(&line);
	}
}

/* The longest of everything fits what readers expect of a line. */
static void the_longest_line_is_within_the_limit(void **state)
{
	struct audit_record r = { .seq = UINT64_MAX,
				  .generation = UINT64_MAX,
				  .time_ms = UINT64_MAX,
				  .command = SR_TA_CMD_BEGIN,
				  .decision = 0xf0100004,
				  .policy_version = UINT32_MAX };
	struct audit_entry e = { .line = 0 };
	uint8_t head[AUDIT_HEAD_SIZE] = { 1 };
	struct sr_buf line = { 0 };

	(void)state;
	memset(r.value, 0xff, sizeof(r.value));
	memset(r.key_id, 'k', SR_TA_KEY_ID_MAX);
	audit_put_record(&line, &r, head, UINT64_MAX, UINT64_MAX);
	assert_true(line.len < AUDIT_LINE_MAX);
	assert_true(audit_parse_line((const char *)line.data, line.len - 1, &e));
	assert_memory_equal(&e.record, &r, sizeof(r));
	assert_int_equal(e.follows, UINT64_MAX);
	sr_buf_free(&line);
}

static void every_changed_byte_of_a_line_is_another_line_or_none(void **state)
{
	struct audit_record r = { .seq = 12, .command = SR_TA_CMD_BEGIN, .key_id = "k" };
	struct audit_entry original = { .line = 0 };
	struct audit_entry e = { .line = 0 };
	uint8_t head[AUDIT_HEAD_SIZE] = { 1 };
	struct sr_buf line = { 0 };

	(void)state;
	audit_put_record(&line, &r, head, 11, 5);
	assert_true(audit_parse_line((const char *)line.data, line.len - 1, &original));
	for (size_t i = 0; i < line.len - 1; i++) {
		uint8_t was = line.data[i];

		for (unsigned c = 0; c <= UINT8_MAX; c++) {
			line.data[i] = (uint8_t)c;
			if (c != was && audit_parse_line((const char *)line.data, line.len - 1, &e))
				assert_memory_not_equal(&e, &original, sizeof(e));
		}
		line.data[i] = was;
	}
	sr_buf_free(&line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_has_the_contracts_bytes),
		cmocka_unit_test(a_checkpoint_has_the_contracts_bytes),
		cmocka_unit_test(heads_are_sha256_of_what_the_contract_names),
		cmocka_unit_test(every_name_reads_back_as_its_number),
		cmocka_unit_test(times_read_back),
		cmocka_unit_test(values_are_decimal_and_exact),
		cmocka_unit_test(the_longest_line_is_within_the_limit),
		cmocka_unit_test(every_changed_byte_of_a_line_is_another_line_or_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
