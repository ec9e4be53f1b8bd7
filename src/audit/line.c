/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the lines of the log. parse.c reads exactly these. */
#include <stdio.h>
#include <string.h>

#include "audit/audit_private.h"

#define DAY_MS 86400000u
#define TIME_MAX_MS 253402300799999u /* 9999-12-31T23:59:59.999Z */

/* Days since 1970 as year, month, day: the proleptic Gregorian calendar, counted from March of the
 * year 0, so that the leap day is a year's last. */
static void civil(uint64_t days, unsigned out[static 3])
{
	uint64_t z = days + 719468;
	uint64_t era = z / 146097;
	uint64_t day_of_era = z % 146097;
	uint64_t year =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	uint64_t day = day_of_era - (365 * year + year / 4 - year / 100);
	uint64_t month = (5 * day + 2) / 153;

	out[0] = (unsigned)(year + era * 400 + (month >= 10));
	out[1] = (unsigned)(month < 10 ? month + 3 : month - 9);
	out[2] = (unsigned)(day - (153 * month + 2) / 5 + 1);
}

void audit_format_time(uint64_t unix_ms, char out[static AUDIT_TIME_TEXT])
{
	uint64_t ms = unix_ms < TIME_MAX_MS ? unix_ms : TIME_MAX_MS;
	unsigned in_day = (unsigned)(ms % DAY_MS);
	unsigned date[3] = { 0 };
	char text[80] = { 0 };

	civil(ms / DAY_MS, date);
	(void)snprintf(text, sizeof(text), "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", date[0], date[1],
		       date[2], in_day / 3600000, in_day / 60000 % 60, in_day / 1000 % 60,
		       in_day % 1000);
	memcpy(out, text, AUDIT_TIME_TEXT - 1);
	out[AUDIT_TIME_TEXT - 1] = '\0';
}

/* 16 big-endian bytes in decimal. */
static void put_decimal(struct sr_buf *out, const uint8_t value[static 16])
{
	char text[40] = { 0 };
	uint8_t rest[16];
	size_t at = sizeof(text) - 1;
	bool more = true;

	memcpy(rest, value, sizeof(rest));
	while (more) {
		unsigned remainder = 0;

		more = false;
		for (size_t i = 0; i < sizeof(rest); i++) {
			unsigned n = remainder << 8 | rest[i];

			rest[i] = (uint8_t)(n / 10);
			remainder = n % 10;
			more |= rest[i] != 0;
		}
		text[--at] = (char)('0' + remainder);
	}
	sr_buf_puts(out, text + at);
}

void audit_put_header(struct sr_buf *out, const uint8_t audit_key[static AUDIT_KEY_SIZE])
{
	static const unsigned groups[] = { 4, 2, 2, 2, 6 };
	const uint8_t *at = audit_ta_uuid;
	char hex[13] = { 0 };

	sr_buf_printf(out, "{\"superRelayAudit\":%d,\"ta\":\"", AUDIT_FORMAT_VERSION);
	for (size_t i = 0; i < SR_ARRAY_LEN(groups); i++) {
		sr_hex_encode(at, groups[i], hex);
		sr_buf_printf(out, "%s%s", i ? "-" : "", hex);
		at += groups[i];
	}
	sr_buf_puts(out, "\",\"auditKey\":\"");
	sr_buf_put_hex_0x(out, audit_key, AUDIT_KEY_SIZE);
	sr_buf_puts(out, "\"}\n");
}

void audit_put_record(struct sr_buf *out, const struct audit_record *record,
		      const uint8_t head[static AUDIT_HEAD_SIZE], uint64_t follows, uint64_t at_ms)
{
	char command[AUDIT_NAME_MAX] = { 0 };
	char decision[AUDIT_NAME_MAX] = { 0 };
	char at[AUDIT_TIME_TEXT] = { 0 };
	bool begin = record->command == SR_TA_CMD_BEGIN;

	audit_format_time(at_ms, at);
	sr_buf_printf(out, "{\"seq\":%llu,\"generation\":%llu,\"time\":%llu,\"command\":\"%s\"",
		      (unsigned long long)record->seq, (unsigned long long)record->generation,
		      (unsigned long long)record->time_ms,
		      audit_command_name(record->command, command));
	sr_buf_printf(out, ",\"decision\":\"%s\",\"policyVersion\":%u,\"value\":\"",
		      audit_decision_name(record->decision, decision), record->policy_version);
	if (begin) /* two numbers, no cost */
		sr_buf_put_hex_0x(out, record->value, sizeof(record->value));
	else
		put_decimal(out, record->value);
	sr_buf_puts(out, "\",\"digest\":\"");
	sr_buf_put_hex_0x(out, record->digest, sizeof(record->digest));
	sr_buf_printf(out, "\",\"key\":\"%s\",\"head\":\"", record->key_id);
	sr_buf_put_hex_0x(out, head, AUDIT_HEAD_SIZE);
	if (begin)
		sr_buf_printf(out, "\",\"follows\":%llu,\"at\":\"%s\"}\n",
			      (unsigned long long)follows, at);
	else
		sr_buf_printf(out, "\",\"at\":\"%s\"}\n", at);
}

void audit_put_checkpoint(struct sr_buf *out,
			  const uint8_t checkpoint[static SR_TA_CHECKPOINT_SIZE],
			  const uint8_t signature[static SR_TA_SECP256K1_SIGNATURE_SIZE])
{
	sr_buf_puts(out, "{\"checkpoint\":\"");
	sr_buf_put_hex_0x(out, checkpoint, SR_TA_CHECKPOINT_SIZE);
	sr_buf_puts(out, "\",\"signature\":\"");
	sr_buf_put_hex_0x(out, signature, SR_TA_SECP256K1_SIGNATURE_SIZE);
	sr_buf_puts(out, "\"}\n");
}
