/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 3339 dates and times, whole or in parts (TOML 1.0.0). */
#include "config/toml_internal.h"

/* count digits as a number; false when there are fewer. */
static bool take_digits(struct toml_parser *p, unsigned count, unsigned *out)
{
	unsigned v = 0;

	for (unsigned i = 0; i < count; i++, p->at++) {
		if (!toml_is_digit(toml_peek(p)))
			return false;
		v = v * 10 + (unsigned)(*p->at - '0');
	}
	*out = v;
	return true;
}

static bool take(struct toml_parser *p, char c)
{
	if (toml_peek(p) != (unsigned char)c)
		return false;
	p->at++;
	return true;
}

/* Gregorian, for month 1 to 12. */
static unsigned days_in_month(unsigned year, unsigned month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return month == 2 && leap ? 29 : days[month - 1];
}

static bool read_date(struct toml_parser *p, struct toml_datetime *out)
{
	const char *start = p->at;
	unsigned year = 0;
	unsigned month = 0;
	unsigned day = 0;

	if (!take_digits(p, 4, &year) || !take(p, '-') || !take_digits(p, 2, &month) ||
	    !take(p, '-') || !take_digits(p, 2, &day))
		return toml_fail(p, start, "expected a date as YYYY-MM-DD");
	if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
		return toml_fail(p, start, "there is no such day: %04u-%02u-%02u", year, month,
				 day);
	out->year = (uint16_t)year;
	out->month = (uint8_t)month;
	out->day = (uint8_t)day;
	return true;
}

/* Any number of digits; those beyond the ninth add nothing. */
static bool read_fraction(struct toml_parser *p, struct toml_datetime *out)
{
	uint32_t unit = 100000000;

	if (!take(p, '.'))
		return true;
	if (!toml_is_digit(toml_peek(p)))
		return toml_fail(p, p->at, "expected digits of a second after the point");
	for (; toml_is_digit(toml_peek(p)); p->at++, unit /= 10)
		out->nanosecond += (uint32_t)(*p->at - '0') * unit;
	return true;
}

/* Second 60 is a leap second, which RFC 3339 has. */
static bool read_time(struct toml_parser *p, struct toml_datetime *out)
{
	const char *start = p->at;
	unsigned hour = 0;
	unsigned minute = 0;
	unsigned second = 0;

	if (!take_digits(p, 2, &hour) || !take(p, ':') || !take_digits(p, 2, &minute) ||
	    !take(p, ':') || !take_digits(p, 2, &second))
		return toml_fail(p, start, "expected a time as HH:MM:SS");
	if (hour > 23 || minute > 59 || second > 60)
		return toml_fail(p, start, "there is no such time: %02u:%02u:%02u", hour, minute,
				 second);
	out->hour = (uint8_t)hour;
	out->minute = (uint8_t)minute;
	out->second = (uint8_t)second;
	return read_fraction(p, out);
}

/* Z or ±HH:MM, if one is here; *found says so. */
static bool read_offset(struct toml_parser *p, struct toml_datetime *out, bool *found)
{
	const char *start = p->at;
	int sign = toml_peek(p);
	unsigned hour = 0;
	unsigned minute = 0;

	*found = true;
	if (take(p, 'Z') || take(p, 'z'))
		return true;
	*found = sign == '+' || sign == '-';
	if (!*found)
		return true;
	p->at++;
	if (!take_digits(p, 2, &hour) || !take(p, ':') || !take_digits(p, 2, &minute) ||
	    hour > 23 || minute > 59)
		return toml_fail(p, start, "expected an offset from UTC as +HH:MM or -HH:MM");
	out->utc_offset = (int16_t)((int)(hour * 60 + minute) * (sign == '-' ? -1 : 1));
	return true;
}

/*
 * Four digits and a dash cannot begin a number, nor two and a colon; nothing
 * further is needed to tell.
 */
bool toml_at_datetime(const struct toml_parser *p)
{
	size_t digits = 0;
	const char *c = p->at;

	while (c < p->end && digits < 5 && toml_is_digit((unsigned char)*c)) {
		c++;
		digits++;
	}
	return c < p->end && ((digits == 4 && *c == '-') || (digits == 2 && *c == ':'));
}

/* A date may end here, or a time follow after T or one blank. */
static bool skip_time_separator(struct toml_parser *p)
{
	if (take(p, 'T') || take(p, 't'))
		return true;
	if (toml_peek(p) != ' ' || p->end - p->at < 2 || !toml_is_digit((unsigned char)p->at[1]))
		return false;
	p->at++;
	return true;
}

bool toml_read_datetime(struct toml_parser *p, struct toml_node *out)
{
	struct toml_datetime when = { .year = 0 };
	bool has_offset = false;

	if (p->at[2] == ':') {
		out->type = TOML_LOCAL_TIME;
		if (!read_time(p, &when))
			return false;
	} else {
		out->type = TOML_LOCAL_DATE;
		if (!read_date(p, &when))
			return false;
		if (skip_time_separator(p)) {
			if (!read_time(p, &when) || !read_offset(p, &when, &has_offset))
				return false;
			out->type = has_offset ? TOML_OFFSET_DATETIME : TOML_LOCAL_DATETIME;
		}
	}
	out->as.datetime = when;
	return true;
}
