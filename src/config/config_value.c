/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One setter for each type of the schema: it checks a TOML value against its row
 * and writes the field. Nothing is converted silently: a number in quotes is no
 * number, and a value out of bounds is not cut to fit.
 *
 * A setter that allocates writes only into its field, at once, so that
 * config_free finds everything whether or not a later step fails.
 */
#include "config/config_internal.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eth/eth.h"

#define EXPECTED_SIZE 96

/* One value on its way to its field. */
struct setting {
	const struct config_key *key;
	const struct toml_node *value;
	const struct config_lookup *lookup;
	struct sr_error *err;
};

/* ---- messages ---------------------------------------------------------- */

/* A URL may carry a credential: it is cut behind its scheme. */
static void describe_text(const char *text, char out[static CONFIG_FOUND_SIZE])
{
	const char *rest = strstr(text, "://");

	if (rest)
		snprintf(out, CONFIG_FOUND_SIZE, "\"%.*s://...\"",
			 (int)(rest - text > 16 ? 16 : rest - text), text);
	else
		snprintf(out, CONFIG_FOUND_SIZE, "\"%.64s%s\"", text,
			 strlen(text) > 64 ? "..." : "");
	/* the message may go to a terminal */
	for (char *c = out; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	}
}

/* A value as the message shows it: as written, not expanded. */
static void describe(const struct toml_node *value, char out[static CONFIG_FOUND_SIZE])
{
	if (value->type == TOML_INTEGER)
		snprintf(out, CONFIG_FOUND_SIZE, "%lld", (long long)value->as.integer);
	else if (value->type == TOML_BOOLEAN)
		snprintf(out, CONFIG_FOUND_SIZE, "%s", value->as.boolean ? "true" : "false");
	else if (value->type == TOML_STRING)
		describe_text(value->as.string.data, out);
	else
		snprintf(out, CONFIG_FOUND_SIZE, "%s", toml_type_name(value->type));
}

/* "expected …, found …": the two halves every message has. */
static bool fail_value(const struct setting *s, const struct toml_node *value, const char *expected)
{
	char found[CONFIG_FOUND_SIZE] = { 0 };

	describe(value, found);
	return sr_fail(s->err, SR_E_INVALID, "expected %s, found %s", expected, found);
}

static bool fail_text(const struct setting *s, const char *text, const char *expected)
{
	char found[CONFIG_FOUND_SIZE] = { 0 };

	describe_text(text, found);
	return sr_fail(s->err, SR_E_INVALID, "expected %s, found %s", expected, found);
}

/* "one of a, b, c"; a long list is left to the reference page. */
static void list_choices(const struct config_key *key, char *out, size_t size)
{
	size_t used = (size_t)snprintf(out, size, "one of");

	for (size_t i = 0; key->choices[i]; i++) {
		size_t need = strlen(key->choices[i]) + 2;

		if (used + need >= size) {
			snprintf(out, size, "one of the names in docs/configuration.md");
			return;
		}
		snprintf(out + used, size - used, "%s %s", i ? "," : "", key->choices[i]);
		used = strlen(out);
	}
}

static bool fail_choice(const struct setting *s, const char *text)
{
	char expected[96] = { 0 };
	size_t count = 0;
	const char *nearest = NULL;
	size_t used = 0;

	while (s->key->choices[count])
		count++;
	nearest = sr_nearest(text, s->key->choices, count);
	list_choices(s->key, expected, sizeof(expected));
	fail_text(s, text, expected);
	used = strlen(s->err->message);
	if (nearest)
		snprintf(s->err->message + used, sizeof(s->err->message) - used,
			 "; did you mean \"%s\"?", nearest);
	return false;
}

/* ---- texts ------------------------------------------------------------- */

/*
 * Texts end in headers, paths and log lines, where a control character is at
 * best an accident. A NUL would cut the text without anybody seeing it.
 */
static bool check_characters(const struct setting *s, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return sr_fail(s->err, SR_E_INVALID, "holds the control character 0x%02x",
				       (unsigned)(unsigned char)text[i]);
	}
	return true;
}

/* The expanded text, to be freed. */
static bool take_text(const struct setting *s, const struct toml_node *value, char **out)
{
	struct sr_buf b = { .limit = CONFIG_TEXT_MAX };
	const char *text = NULL;
	bool ok = false;

	*out = NULL;
	if (value->type != TOML_STRING)
		return fail_value(s, value, "a string");
	if (!config_expand(&value->as.string, s->lookup, &b, s->err))
		goto out;
	text = sr_buf_cstr(&b);
	if (text && !check_characters(s, text, b.len))
		goto out;
	*out = text ? strdup(text) : NULL;
	ok = *out || sr_fail(s->err, SR_E_NO_MEMORY, "no memory for a string");
out:
	sr_buf_free(&b);
	return ok;
}

static bool check_rule(const struct setting *s, const char *text)
{
	const char *expected = s->key->rule ? s->key->rule(text) : NULL;

	return !expected || fail_text(s, text, expected);
}

/* In bytes, since that is what the receiver of the text bounds. */
static bool check_length(const struct setting *s, const char *text)
{
	size_t len = strlen(text);

	if (len >= s->key->min && len <= s->key->max)
		return true;
	return sr_fail(s->err, SR_E_INVALID, "expected %llu to %llu bytes, found %zu",
		       (unsigned long long)s->key->min, (unsigned long long)s->key->max, len);
}

static bool set_text(const struct setting *s, void *field)
{
	char **out = field;

	return take_text(s, s->value, out) && check_length(s, *out) && check_rule(s, *out);
}

/* The index of the terminating NULL when there is none. */
static size_t find_choice(const struct setting *s, const char *text)
{
	size_t i = 0;

	while (s->key->choices[i] && strcmp(s->key->choices[i], text) != 0)
		i++;
	return i;
}

static bool set_choice(const struct setting *s, void *field)
{
	char *text = NULL;
	bool ok = false;

	_Static_assert(sizeof(enum config_kms_backend) == sizeof(unsigned) &&
			       sizeof(enum sr_log_level) == sizeof(unsigned),
		       "enums are stored as unsigned");
	if (take_text(s, s->value, &text)) {
		unsigned choice = (unsigned)find_choice(s, text);

		ok = s->key->choices[choice] != NULL || fail_choice(s, text);
		memcpy(field, &choice, sizeof(choice));
	}
	free(text);
	return ok;
}

/* ---- lists ------------------------------------------------------------- */

/* One bound for all items, as no row needs its own. */
static bool check_item(const struct setting *s, const char *text)
{
	if (strlen(text) > 2048)
		return sr_fail(s->err, SR_E_INVALID, "expected at most 2048 bytes an item");
	if (s->key->choices && !s->key->choices[find_choice(s, text)])
		return fail_choice(s, text);
	return check_rule(s, text);
}

/*
 * count is set before the items are filled: a list that fails halfway is freed
 * whole, its missing items being NULL.
 */
static bool fill_list(const struct setting *s, struct config_list *out)
{
	const struct toml_node *item = s->value->as.items.first;
	size_t count = s->value->as.items.count;

	if (count < s->key->min || count > s->key->max)
		return sr_fail(s->err, SR_E_INVALID, "expected %llu to %llu items, found %zu",
			       (unsigned long long)s->key->min, (unsigned long long)s->key->max,
			       count);
	if (!count)
		return true;
	out->items = calloc(count, sizeof(*out->items));
	if (!out->items)
		return sr_fail(s->err, SR_E_NO_MEMORY, "no memory for a list");
	out->count = count;
	for (size_t i = 0; i < count; i++, item = item->next) {
		if (!take_text(s, item, &out->items[i]) || !check_item(s, out->items[i]))
			return sr_fail_in(s->err, "item %zu", i + 1);
	}
	return true;
}

static bool set_list(const struct setting *s, void *field)
{
	if (s->value->type != TOML_ARRAY)
		return fail_value(s, s->value, "an array of strings");
	return fill_list(s, field);
}

/* One URL, or none for an empty string. */
static bool set_url(const struct setting *s, struct config_list *out)
{
	char *text = NULL;

	if (!take_text(s, s->value, &text))
		return false;
	if (*text && !check_item(s, text))
		goto fail;
	if (!*text) {
		free(text);
		return true;
	}
	out->items = calloc(1, sizeof(*out->items));
	if (!out->items) {
		sr_fail(s->err, SR_E_NO_MEMORY, "no memory for a list");
		goto fail;
	}
	out->items[0] = text;
	out->count = 1;
	return true;
fail:
	free(text);
	return false;
}

/* One URL needs no brackets, which is how most files have it. */
static bool set_urls(const struct setting *s, void *field)
{
	if (s->value->type == TOML_STRING)
		return set_url(s, field);
	if (s->value->type != TOML_ARRAY)
		return fail_value(s, s->value, "a URL or an array of URLs");
	return fill_list(s, field);
}

/* ---- numbers ----------------------------------------------------------- */

static bool set_bool(const struct setting *s, void *field)
{
	if (s->value->type != TOML_BOOLEAN)
		return fail_value(s, s->value, "true or false");
	*(bool *)field = s->value->as.boolean;
	return true;
}

/* What is expected of an integer, for messages. */
static void put_bounds(const struct config_key *key, char out[static EXPECTED_SIZE])
{
	snprintf(out, EXPECTED_SIZE, "an integer from %llu to %llu%s%s%s",
		 (unsigned long long)key->min, (unsigned long long)key->max, *key->unit ? " (" : "",
		 key->unit, *key->unit ? ")" : "");
}

/* The bounds of every integer row lie within 0 and 2^63 - 1. */
static bool take_integer(const struct setting *s, uint64_t *out)
{
	char expected[EXPECTED_SIZE] = { 0 };

	put_bounds(s->key, expected);
	if (s->value->type != TOML_INTEGER || s->value->as.integer < 0)
		return fail_value(s, s->value, expected);
	*out = (uint64_t)s->value->as.integer;
	return (*out >= s->key->min && *out <= s->key->max) || fail_value(s, s->value, expected);
}

static bool set_unsigned(const struct setting *s, void *field)
{
	uint64_t v = 0;

	if (!take_integer(s, &v))
		return false;
	*(unsigned *)field = (unsigned)v;
	return true;
}

/* A number in quotes without a unit stays refused. */
static bool set_duration(const struct setting *s, void *field)
{
	char bounds[EXPECTED_SIZE] = { 0 };
	char expected[EXPECTED_SIZE + 48] = { 0 };
	char *text = NULL;
	uint64_t v = 0;
	bool ok = false;

	if (s->value->type != TOML_STRING)
		return set_unsigned(s, field);
	if (!take_text(s, s->value, &text))
		return false;
	put_bounds(s->key, bounds);
	snprintf(expected, sizeof(expected), "%s, or such a time as \"50ms\", \"10s\" or \"5m\"",
		 bounds);
	ok = (config_duration(text, s->key->unit, &v) && v >= s->key->min && v <= s->key->max) ||
	     fail_text(s, text, expected);
	*(unsigned *)field = (unsigned)v;
	free(text);
	return ok;
}

static bool set_u64(const struct setting *s, void *field)
{
	return take_integer(s, field);
}

/*
 * TOML integers end at 2^63 - 1, a little over 9 ETH, hence the string. Zero
 * would refuse every operation and is taken for a mistake.
 */
static bool set_wei(const struct setting *s, void *field)
{
	static const char expected[] = "wei as an integer or a string of decimal digits, "
				       "1 to 2^256 - 1";
	struct eth_u256 *out = field;
	char *text = NULL;
	bool ok = true;

	if (s->value->type == TOML_INTEGER) {
		if (s->value->as.integer < 1)
			return fail_value(s, s->value, expected);
		*out = eth_u256_from_u64((uint64_t)s->value->as.integer);
		return true;
	}
	if (s->value->type != TOML_STRING)
		return fail_value(s, s->value, expected);
	if (!take_text(s, s->value, &text))
		return false;
	if (!eth_u256_from_dec(text, strlen(text), out) || eth_u256_is_zero(out))
		ok = fail_text(s, text, expected);
	free(text);
	return ok;
}

/* ---- structured texts -------------------------------------------------- */

/* Splits at the last colon; an IPv6 host stands in brackets. */
static bool parse_listen(const char *text, struct config_listen *out)
{
	const char *colon = strrchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : 0;
	size_t digits = colon ? strlen(colon + 1) : 0;
	bool v6 = len > 2 && text[0] == '[' && text[len - 1] == ']';
	struct in6_addr address = { 0 };

	if (v6) {
		text++;
		len -= 2;
	}
	if (!len || len >= sizeof(out->host) || !digits || digits > 5 ||
	    strspn(colon + 1, "0123456789") != digits || atoi(colon + 1) > 65535)
		return false;
	memcpy(out->host, text, len);
	out->host[len] = '\0';
	out->port = (uint16_t)atoi(colon + 1);
	if (v6)
		return inet_pton(AF_INET6, out->host, &address) == 1;
	return strpbrk(out->host, ":/[]@ ") == NULL;
}

/* RFC 4122 text, whose fields are big-endian. */
static bool parse_uuid(const char *text, struct config_uuid *out)
{
	char digits[33] = { 0 };
	uint8_t b[16] = { 0 };
	size_t used = 0;

	if (strlen(text) != 36)
		return false;
	for (size_t i = 0; i < 36; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (text[i] != '-')
				return false;
		} else {
			digits[used++] = text[i];
		}
	}
	/* the hex reader would take a "0x" for a prefix, and then find 30 digits */
	if (!sr_hex_decode(digits, used, b, sizeof(b)))
		return false;
	out->time_low = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
	out->time_mid = (uint16_t)(b[4] << 8 | b[5]);
	out->time_hi_and_version = (uint16_t)(b[6] << 8 | b[7]);
	memcpy(out->clock_seq_and_node, b + 8, 8);
	return true;
}

static bool set_listen(const struct setting *s, void *field)
{
	char *text = NULL;
	bool ok = take_text(s, s->value, &text);

	if (ok && !parse_listen(text, field))
		ok = fail_text(s, text, "host:port, such as 127.0.0.1:3000 or [::1]:3000");
	free(text);
	return ok;
}

static bool set_uuid(const struct setting *s, void *field)
{
	char *text = NULL;
	bool ok = take_text(s, s->value, &text);

	if (ok && !parse_uuid(text, field))
		ok = fail_text(s, text, "a UUID as 8-4-4-4-12 hex digits");
	free(text);
	return ok;
}

/* Where the row's min is 0, an empty text means no address: all zero. */
static bool set_address(const struct setting *s, void *field)
{
	static const struct eth_address zero = { { 0 } };
	struct eth_address *out = field;
	char *text = NULL;
	bool ok = take_text(s, s->value, &text);

	if (ok && (*text || s->key->min)) {
		ok = eth_address_from_text(text, strlen(text), out, s->err);
		if (ok && memcmp(out, &zero, sizeof(zero)) == 0)
			ok = fail_text(s, text, "an address that is not zero");
	}
	free(text);
	return ok;
}

/* ---- by type ----------------------------------------------------------- */

static const struct {
	const char *name;
	bool (*set)(const struct setting *s, void *field);
} types[] = {
	[CONFIG_BOOL] = { "boolean", set_bool },
	[CONFIG_UNSIGNED] = { "integer", set_unsigned },
	[CONFIG_DURATION] = { "integer or duration", set_duration },
	[CONFIG_U64] = { "integer", set_u64 },
	[CONFIG_CHOICE] = { "string", set_choice },
	[CONFIG_TEXT] = { "string", set_text },
	[CONFIG_LIST] = { "array of strings", set_list },
	[CONFIG_URLS] = { "URL, or array of URLs", set_urls },
	[CONFIG_LISTEN] = { "host:port", set_listen },
	[CONFIG_ADDRESS] = { "address", set_address },
	[CONFIG_WEI] = { "integer or decimal string", set_wei },
	[CONFIG_UUID] = { "UUID", set_uuid },
};

const char *config_type_name(enum config_type type)
{
	return types[type].name;
}

bool config_set(const struct config_key *key, const struct toml_node *value,
		const struct config_lookup *lookup, struct config *out, struct sr_error *err)
{
	struct setting s = { .key = key, .value = value, .lookup = lookup, .err = err };

	return types[key->type].set(&s, (char *)out + key->offset);
}
