/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the lines that line.c writes, and nothing else: whatever two spellings of a line
 * could mean, only one of them counts, so that a reader of the file and this verifier
 * cannot see two different things.
 */
#include <string.h>

#include "audit/audit_private.h"

/* A first failure stays: the caller asks once, at the end. */
struct scan {
	const char *at, *end;
	bool failed;
};

#define literal(s, text) expect((s), (text), sizeof(text) - 1)

static void expect(struct scan *s, const char *text, size_t len)
{
	if (s->failed || (size_t)(s->end - s->at) < len || memcmp(s->at, text, len) != 0)
		s->failed = true;
	else
		s->at += len;
}

static bool next_is(const struct scan *s, char c)
{
	return !s->failed && s->at < s->end && *s->at == c;
}

/* Decimal without a superfluous zero. */
static uint64_t number(struct scan *s, uint64_t max)
{
	const char *start = s->at;
	uint64_t n = 0;

	while (!s->failed && s->at < s->end && *s->at >= '0' && *s->at <= '9') {
		uint64_t digit = (uint64_t)(*s->at++ - '0');

		if (n > (max - digit) / 10)
			s->failed = true;
		n = n * 10 + digit;
	}
	if (s->at == start || (*start == '0' && s->at - start > 1))
		s->failed = true;
	return n;
}

/* A digit's value plus one; 0 for what is no lower-case digit. The log is no secret. */
static const uint8_t hex_digits[256] = {
	['0'] = 1,  ['1'] = 2,	['2'] = 3,  ['3'] = 4,	['4'] = 5,  ['5'] = 6,
	['6'] = 7,  ['7'] = 8,	['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12,
	['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
};

static void hex_digits_of(struct scan *s, uint8_t *out, size_t len)
{
	const unsigned char *at = (const unsigned char *)s->at;

	if (s->failed || (size_t)(s->end - s->at) < 2 * len) {
		s->failed = true;
		return;
	}
	for (size_t i = 0; i < len; i++) {
		unsigned high = hex_digits[at[2 * i]];
		unsigned low = hex_digits[at[2 * i + 1]];

		if (!high || !low)
			s->failed = true;
		out[i] = (uint8_t)((high - 1) << 4 | ((low - 1) & 15));
	}
	s->at += 2 * len;
}

static void hex(struct scan *s, uint8_t *out, size_t len)
{
	literal(s, "0x");
	hex_digits_of(s, out, len);
}

/* Up to the next quote, which is not taken. */
static size_t word(struct scan *s, size_t max)
{
	size_t left = (size_t)(s->end - s->at);
	const char *quote = NULL;
	size_t len = 0;

	if (s->failed)
		return 0;
	quote = memchr(s->at, '"', left < max + 1 ? left : max + 1);
	if (!quote) {
		s->failed = true;
		return 0;
	}
	len = (size_t)(quote - s->at);
	s->at = quote;
	return len;
}

/* Decimal, to 16 big-endian bytes. */
static void decimal(struct scan *s, uint8_t out[static 16])
{
	uint32_t limbs[4] = { 0 }; /* the lowest first */
	const char *start = s->at;

	for (; !s->failed && s->at < s->end && *s->at >= '0' && *s->at <= '9'; s->at++) {
		uint64_t carry = (uint64_t)(*s->at - '0');

		for (size_t i = 0; i < 4; i++) {
			carry += (uint64_t)limbs[i] * 10;
			limbs[i] = (uint32_t)carry;
			carry >>= 32;
		}
		if (carry)
			s->failed = true;
	}
	if (s->at == start || (*start == '0' && s->at - start > 1))
		s->failed = true;
	for (size_t i = 0; i < 16; i++)
		out[i] = (uint8_t)(limbs[3 - i / 4] >> (24 - 8 * (i % 4)));
}

/* ---- time ------------------------------------------------------------------- */

static unsigned digits(struct scan *s, unsigned count, char after)
{
	unsigned n = 0;

	for (unsigned i = 0; i < count; i++) {
		if (s->failed || s->at >= s->end || *s->at < '0' || *s->at > '9') {
			s->failed = true;
			return 0;
		}
		n = n * 10 + (unsigned)(*s->at++ - '0');
	}
	expect(s, &after, 1);
	return n;
}

/* Days since 1970 of a date, counted as civil() in line.c does. */
static uint64_t days_of(uint64_t year, uint64_t month, uint64_t day)
{
	uint64_t y = month <= 2 ? year - 1 : year;
	uint64_t m = month <= 2 ? month + 9 : month - 3;
	uint64_t of_era = y % 400;
	uint64_t of_year = (153 * m + 2) / 5 + day - 1;

	return y / 400 * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool is_leap(unsigned year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static unsigned month_days(unsigned year, unsigned month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

static uint64_t timestamp(struct scan *s)
{
	unsigned year = digits(s, 4, '-');
	unsigned month = digits(s, 2, '-');
	unsigned day = digits(s, 2, 'T');
	unsigned hour = digits(s, 2, ':');
	unsigned minute = digits(s, 2, ':');
	unsigned second = digits(s, 2, '.');
	unsigned ms = digits(s, 3, 'Z');

	if (s->failed || year < 1970 || month < 1 || month > 12 || day < 1 ||
	    day > month_days(year, month) || hour > 23 || minute > 59 || second > 59) {
		s->failed = true;
		return 0;
	}
	return days_of(year, month, day) * 86400000u + hour * 3600000u + minute * 60000u +
	       second * 1000u + ms;
}

bool audit_parse_time(const char *text, size_t len, uint64_t *unix_ms)
{
	struct scan s = { .at = text, .end = text + len };

	*unix_ms = timestamp(&s);
	return !s.failed && s.at == s.end;
}

/* ---- lines -------------------------------------------------------------------- */

static void header(struct scan *s, struct audit_entry *out)
{
	out->type = AUDIT_LINE_HEADER;
	literal(s, "{\"superRelayAudit\":1,\"ta\":\"");
	hex_digits_of(s, out->ta, 4);
	for (size_t i = 0; i < 3; i++) {
		literal(s, "-");
		hex_digits_of(s, out->ta + 4 + 2 * i, 2);
	}
	literal(s, "-");
	hex_digits_of(s, out->ta + 10, 6);
	literal(s, "\",\"auditKey\":\"");
	hex(s, out->audit_key, AUDIT_KEY_SIZE);
	literal(s, "\"}");
}

static void checkpoint(struct scan *s, struct audit_entry *out)
{
	out->type = AUDIT_LINE_CHECKPOINT;
	literal(s, "{\"checkpoint\":\"");
	hex(s, out->checkpoint, sizeof(out->checkpoint));
	literal(s, "\",\"signature\":\"");
	hex(s, out->signature, sizeof(out->signature));
	literal(s, "\"}");
}

static void command_and_decision(struct scan *s, struct audit_record *r)
{
	const char *name = NULL;
	size_t len = 0;

	literal(s, ",\"command\":\"");
	name = s->at;
	len = word(s, AUDIT_NAME_MAX);
	if (!s->failed && !audit_command_from_name(name, len, &r->command))
		s->failed = true;
	literal(s, "\",\"decision\":\"");
	name = s->at;
	len = word(s, AUDIT_NAME_MAX);
	if (!s->failed && !audit_decision_from_name(name, len, &r->decision))
		s->failed = true;
}

static void key_id(struct scan *s, struct audit_record *r)
{
	const char *id = s->at;
	size_t len = word(s, SR_TA_KEY_ID_MAX);

	if (s->failed || !audit_key_id_valid(id, len))
		s->failed = true;
	else
		memcpy(r->key_id, id, len);
}

static void record(struct scan *s, struct audit_entry *out)
{
	struct audit_record *r = &out->record;

	out->type = AUDIT_LINE_RECORD;
	literal(s, "{\"seq\":");
	r->seq = number(s, UINT64_MAX);
	literal(s, ",\"generation\":");
	r->generation = number(s, UINT64_MAX);
	literal(s, ",\"time\":");
	r->time_ms = number(s, UINT64_MAX);
	command_and_decision(s, r);
	literal(s, "\",\"policyVersion\":");
	r->policy_version = (uint32_t)number(s, UINT32_MAX);
	literal(s, ",\"value\":\"");
	if (r->command == SR_TA_CMD_BEGIN)
		hex(s, r->value, sizeof(r->value));
	else
		decimal(s, r->value);
	literal(s, "\",\"digest\":\"");
	hex(s, r->digest, sizeof(r->digest));
	literal(s, "\",\"key\":\"");
	key_id(s, r);
	literal(s, "\",\"head\":\"");
	hex(s, out->head, sizeof(out->head));
	if (r->command == SR_TA_CMD_BEGIN) {
		literal(s, "\",\"follows\":");
		out->follows = number(s, UINT64_MAX);
		literal(s, ",\"at\":\"");
	} else {
		literal(s, "\",\"at\":\"");
	}
	out->at_ms = timestamp(s);
	literal(s, "\"}");
}

bool audit_parse_line(const char *text, size_t len, struct audit_entry *out)
{
	struct scan s = { .at = text, .end = text + len, .failed = len >= AUDIT_LINE_MAX };
	uint64_t line = out->line;

	*out = (struct audit_entry){ .line = line };
	if (len < 3)
		return false;
	/* The third character tells the three kinds apart. */
	if (text[2] == 's' && len > 4 && text[4] == 'q')
		record(&s, out);
	else if (next_is(&s, '{') && text[2] == 'c')
		checkpoint(&s, out);
	else
		header(&s, out);
	return !s.failed && s.at == s.end;
}
