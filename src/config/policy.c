/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A key's policy from TOML. As strict as the configuration: what the operator signs must be
 * what the operator meant, so that an unknown key, a unit that is none and a number that
 * would have to be rounded are errors.
 */
#include "config/config_internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "eth/eth.h"
#include "super_relay_ta.h"

#define POLICY_FILE_MAX ((size_t)64 * 1024)
#define AMOUNT_TEXT_MAX 64

_Static_assert(CONFIG_POLICY_LIST_MAX == SR_TA_POLICY_LIST_MAX, "the TA's lists are as long");
_Static_assert(CONFIG_POLICY_BYTES_MAX >= SR_TA_POLICY_MAX, "the TA's policies fit");

typedef bool (*setter)(const struct toml_node *value, struct config_policy *out,
		       struct sr_error *err);

/* ---- numbers ---------------------------------------------------------------------- */

static bool fail_type(const struct toml_node *value, const char *expected, struct sr_error *err)
{
	if (value->type == TOML_STRING)
		return sr_fail(err, SR_E_INVALID, "expected %s, found \"%.40s\"", expected,
			       value->as.string.data);
	return sr_fail(err, SR_E_INVALID, "expected %s, found %s", expected,
		       toml_type_name(value->type));
}

static bool take_integer(const struct toml_node *value, uint64_t max, uint64_t *out,
			 struct sr_error *err)
{
	char expected[64];

	snprintf(expected, sizeof(expected), "an integer from 0 to %llu", (unsigned long long)max);
	if (value->type != TOML_INTEGER || value->as.integer < 0 ||
	    (uint64_t)value->as.integer > max)
		return fail_type(value, expected, err);
	*out = (uint64_t)value->as.integer;
	return true;
}

static bool take_seconds(const struct toml_node *value, uint64_t max, uint32_t *out,
			 struct sr_error *err)
{
	static const char expected[] =
		"seconds, or a string such as \"90s\", \"15m\", \"2h\", \"1d\"";
	uint64_t v = 0;

	if (value->type == TOML_STRING) {
		/* a NUL within would hide what is behind it */
		if (strlen(value->as.string.data) != value->as.string.len ||
		    !config_duration(value->as.string.data, "seconds", &v))
			return fail_type(value, expected, err);
	} else if (value->type == TOML_INTEGER && value->as.integer >= 0) {
		v = (uint64_t)value->as.integer;
	} else {
		return fail_type(value, expected, err);
	}
	*out = (uint32_t)v;
	return v <= max || sr_fail(err, SR_E_INVALID, "expected at most %llu seconds, found %llu",
				   (unsigned long long)max, (unsigned long long)v);
}

/* Decimals that a unit has room for; -1: no unit. */
static int decimals_of(const char *unit)
{
	return !*unit || strcmp(unit, "wei") == 0			? 0
	       : strcmp(unit, "gwei") == 0				? 9
	       : strcmp(unit, "eth") == 0 || strcmp(unit, "ether") == 0 ? 18
									: -1;
}

/* "12.5 gwei" becomes the digits of its wei: the point goes as many places to the right
 * as the unit has decimals, and nothing may be left behind it. */
static bool wei_digits(const char *text, char out[static AMOUNT_TEXT_MAX + 20])
{
	size_t whole = strspn(text, "0123456789");
	size_t fraction = text[whole] == '.' ? strspn(text + whole + 1, "0123456789") : 0;
	const char *unit = text + whole + (text[whole] == '.') + fraction;
	int decimals = 0;

	unit += *unit == ' ';
	decimals = decimals_of(unit);
	if (!whole || (text[whole] == '.' && !fraction) || decimals < 0 ||
	    fraction > (size_t)decimals || whole + fraction > AMOUNT_TEXT_MAX)
		return false;
	snprintf(out, AMOUNT_TEXT_MAX + 20, "%.*s%.*s%.*s", (int)whole, text, (int)fraction,
		 text + whole + 1, decimals - (int)fraction, "000000000000000000");
	return true;
}

static bool take_wei(const struct toml_node *value, struct eth_u256 *out, struct sr_error *err)
{
	static const char expected[] = "wei as an integer, or a string such as \"100 gwei\" or "
				       "\"0.05 eth\", under 2^128 wei";
	char digits[AMOUNT_TEXT_MAX + 20];

	if (value->type == TOML_INTEGER && value->as.integer >= 0) {
		*out = eth_u256_from_u64((uint64_t)value->as.integer);
		return true;
	}
	if (value->type != TOML_STRING || strlen(value->as.string.data) != value->as.string.len ||
	    !wei_digits(value->as.string.data, digits) ||
	    !eth_u256_from_dec(digits, strlen(digits), out) || eth_u256_bits(out) > 128)
		return fail_type(value, expected, err);
	return true;
}

/* ---- lists ------------------------------------------------------------------------ */

static bool check_list(const struct toml_node *value, const char *expected, struct sr_error *err)
{
	if (value->type != TOML_ARRAY)
		return fail_type(value, expected, err);
	return value->as.items.count <= CONFIG_POLICY_LIST_MAX ||
	       sr_fail(err, SR_E_INVALID, "expected at most %d items, found %zu",
		       CONFIG_POLICY_LIST_MAX, value->as.items.count);
}

static bool take_addresses(const struct toml_node *value, struct eth_address *out, unsigned *count,
			   struct sr_error *err)
{
	const struct toml_node *item = NULL;

	*count = 0;
	if (!check_list(value, "an array of addresses", err))
		return false;
	for (item = value->as.items.first; item; item = item->next) {
		if (item->type != TOML_STRING)
			return fail_type(item, "an address", err);
		if (!eth_address_from_text(item->as.string.data, item->as.string.len, &out[*count],
					   err))
			return sr_fail_in(err, "item %u", *count + 1);
		(*count)++;
	}
	return true;
}

static bool set_chain_ids(const struct toml_node *value, struct config_policy *out,
			  struct sr_error *err)
{
	const struct toml_node *item = NULL;

	out->chain_id_count = 0;
	if (!check_list(value, "an array of integers", err))
		return false;
	for (item = value->as.items.first; item; item = item->next) {
		if (!take_integer(item, INT64_MAX, &out->chain_ids[out->chain_id_count], err))
			return sr_fail_in(err, "item %u", out->chain_id_count + 1);
		out->chain_id_count++;
	}
	return true;
}

/* ---- keys -------------------------------------------------------------------------- */

static bool set_entry_points(const struct toml_node *v, struct config_policy *p,
			     struct sr_error *err)
{
	return take_addresses(v, p->entry_points, &p->entry_point_count, err);
}

static bool set_paymasters(const struct toml_node *v, struct config_policy *p, struct sr_error *err)
{
	return take_addresses(v, p->paymasters, &p->paymaster_count, err);
}

static bool set_beneficiaries(const struct toml_node *v, struct config_policy *p,
			      struct sr_error *err)
{
	return take_addresses(v, p->beneficiaries, &p->beneficiary_count, err);
}

static bool set_max_validity(const struct toml_node *v, struct config_policy *p,
			     struct sr_error *err)
{
	return take_seconds(v, UINT32_MAX, &p->max_validity, err);
}

static bool set_max_gas(const struct toml_node *v, struct config_policy *p, struct sr_error *err)
{
	return take_integer(v, INT64_MAX, &p->max_gas, err);
}

static bool set_max_fee(const struct toml_node *v, struct config_policy *p, struct sr_error *err)
{
	return take_wei(v, &p->max_fee_per_gas, err);
}

static bool set_max_cost(const struct toml_node *v, struct config_policy *p, struct sr_error *err)
{
	return take_wei(v, &p->max_cost, err);
}

static bool set_window(const struct toml_node *v, struct config_policy *p, struct sr_error *err)
{
	return take_seconds(v, SR_TA_WINDOW_MAX, &p->window, err);
}

static bool set_budget(const struct toml_node *v, struct config_policy *p, struct sr_error *err)
{
	return take_wei(v, &p->budget, err);
}

static bool set_operations(const struct toml_node *v, struct config_policy *p, struct sr_error *err)
{
	uint64_t number = 0;

	if (!take_integer(v, UINT32_MAX, &number, err))
		return false;
	p->operations = (uint32_t)number;
	return true;
}

static bool set_force_audit(const struct toml_node *v, struct config_policy *p,
			    struct sr_error *err)
{
	if (v->type != TOML_BOOLEAN)
		return fail_type(v, "true or false", err);
	p->force_audit = v->as.boolean;
	return true;
}

static const struct {
	const char *name;
	setter set;
} keys[] = {
	{ "chain_ids", set_chain_ids },
	{ "entry_points", set_entry_points },
	{ "paymasters", set_paymasters },
	{ "beneficiaries", set_beneficiaries },
	{ "max_validity", set_max_validity },
	{ "max_gas", set_max_gas },
	{ "max_fee_per_gas", set_max_fee },
	{ "max_cost", set_max_cost },
	{ "window", set_window },
	{ "budget", set_budget },
	{ "operations", set_operations },
	{ "force_audit", set_force_audit },
};

/* The key fit for a message: no control characters, and not too long. */
static void printable(const struct toml_text *key, char out[static 48])
{
	size_t len = key->len < 47 ? key->len : 47;

	for (size_t i = 0; i < len; i++) {
		char c = key->data[i];

		out[i] = (unsigned char)c < 0x20 || c == 0x7f ? '?' : c;
	}
	out[len] = '\0';
}

static bool take_key(const struct toml_node *entry, struct config_policy *out, struct sr_error *err)
{
	const char *names[SR_ARRAY_LEN(keys)];
	const char *nearest = NULL;
	char name[48];

	printable(&entry->key, name);
	for (size_t i = 0; i < SR_ARRAY_LEN(keys); i++) {
		names[i] = keys[i].name;
		if (strcmp(keys[i].name, name) == 0)
			return keys[i].set(entry, out, err) ||
			       sr_fail_in(err, "line %u: %s", (unsigned)entry->line, name);
	}
	nearest = sr_nearest(name, names, SR_ARRAY_LEN(names));
	return sr_fail(err, SR_E_INVALID, "line %u: a policy has no key '%s'%s%s%s",
		       (unsigned)entry->line, name, nearest ? "; did you mean '" : "",
		       nearest ? nearest : "", nearest ? "'?" : "");
}

/* What the TA would refuse without saying why. */
static bool check_policy(const struct config_policy *p, struct sr_error *err)
{
	if (!p->chain_id_count || !p->entry_point_count)
		return sr_fail(
			err, SR_E_INVALID,
			"chain_ids and entry_points are needed: an empty list allows nothing");
	if (!p->window && (p->operations || !eth_u256_is_zero(&p->budget)))
		return sr_fail(err, SR_E_INVALID,
			       "budget and operations are of a window, and there is none");
	if (p->window && !p->operations)
		return sr_fail(
			err, SR_E_INVALID,
			"a window of %u seconds needs operations, too: 0 of them allow nothing",
			(unsigned)p->window);
	return true;
}

bool config_policy_parse(const char *text, size_t len, const char *name, struct config_policy *out,
			 struct sr_error *err)
{
	struct toml doc = { .blocks = NULL };
	const struct toml_node *entry = NULL;
	bool ok = toml_parse(text, len, &doc, err);

	memset(out, 0, sizeof(*out));
	for (entry = ok ? doc.root.as.items.first : NULL; ok && entry; entry = entry->next)
		ok = take_key(entry, out, err);
	ok = ok && check_policy(out, err);
	toml_free(&doc);
	return ok || sr_fail_in(err, "%.80s", name);
}

bool config_policy_load(const char *path, struct config_policy *out, struct sr_error *err)
{
	struct sr_buf text = { .limit = POLICY_FILE_MAX + 8192 };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 1;
	bool ok = fd >= 0;

	while (ok && n > 0 && text.len <= POLICY_FILE_MAX && sr_buf_reserve(&text, 4096)) {
		n = read(fd, text.data + text.len, 4096);
		text.len += n > 0 ? (size_t)n : 0;
	}
	if (!ok || n < 0)
		ok = sr_fail(err, ok ? SR_E_UNAVAILABLE : SR_E_NOT_FOUND, "%.150s: %m", path);
	else if (n > 0)
		ok = sr_fail(err, SR_E_LIMIT, "%.150s: no memory, or more than %zu bytes", path,
			     POLICY_FILE_MAX);
	else
		ok = config_policy_parse(text.len ? (const char *)text.data : "", text.len, path,
					 out, err);
	if (fd >= 0)
		close(fd);
	sr_buf_free(&text);
	return ok;
}
