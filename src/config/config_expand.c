/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Environment variables within a string value, as a shell writes them:
 *
 *     ${NAME}            the variable, which must be set
 *     ${NAME:-default}   the default, where it is not set or empty
 *     $$                 one dollar
 *
 * Only a part of a shell's forms, on purpose: another one is refused, and so is
 * a lone dollar, since it is most likely a mistyped variable. The text of a
 * variable is never looked at again.
 */
#include "config/config_internal.h"

#include <string.h>

#define NAME_MAX_LEN 64

struct expansion {
	const char *at;
	const char *end;
	const struct config_lookup *lookup;
	struct sr_buf *out;
	struct sr_error *err;
	unsigned depth;
	unsigned muted; /* within a default that is not used: checked, not put out */
};

static bool expand_text(struct expansion *e);

/* Whether word stands here. */
static bool at(const struct expansion *e, const char *word)
{
	size_t len = strlen(word);

	return (size_t)(e->end - e->at) >= len && memcmp(e->at, word, len) == 0;
}

static void put(struct expansion *e, const char *data, size_t len)
{
	if (!e->muted)
		sr_buf_append(e->out, data, len);
}

static bool is_name_char(char c, bool first)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
	       (!first && c >= '0' && c <= '9');
}

/* POSIX names. What follows must be the end or the default. */
static bool read_name(struct expansion *e, char name[static NAME_MAX_LEN + 1])
{
	size_t len = 0;

	while (e->at < e->end && len < NAME_MAX_LEN && is_name_char(*e->at, len == 0))
		name[len++] = *e->at++;
	name[len] = '\0';
	if (!len || !(at(e, "}") || at(e, ":-")))
		return sr_fail(e->err, SR_E_INVALID,
			       "expected ${NAME} or ${NAME:-default}, the name of letters, digits "
			       "and '_', at most %d of them",
			       NAME_MAX_LEN);
	return true;
}

/* Behind "${". As in a shell, ":-" also replaces a variable that is empty. */
static bool expand_variable(struct expansion *e)
{
	char name[NAME_MAX_LEN + 1] = { 0 };
	const char *value = NULL;
	bool has_default = false;
	bool use_default = false;

	if (!read_name(e, name))
		return false;
	value = e->lookup->env(e->lookup->arg, name);
	has_default = at(e, ":-");
	use_default = has_default && (!value || !*value);
	if (!value && !has_default && !e->muted)
		return sr_fail(e->err, SR_E_INVALID,
			       "the environment variable %s is not set, and ${%s} has no default",
			       name, name);
	if (value && !use_default)
		put(e, value, strlen(value));
	if (has_default) {
		e->at += 2;
		e->muted += !use_default;
		if (!expand_text(e))
			return false;
		e->muted -= !use_default;
	}
	e->at++;
	return true;
}

/* At a dollar. */
static bool expand_dollar(struct expansion *e)
{
	bool ok = false;

	if (at(e, "$$")) {
		put(e, "$", 1);
		e->at += 2;
		return true;
	}
	if (!at(e, "${"))
		return sr_fail(e->err, SR_E_INVALID,
			       "'$' begins ${NAME}; for the character itself write '$$'");
	if (e->depth == CONFIG_EXPAND_DEPTH)
		return sr_fail(e->err, SR_E_LIMIT, "variables nested more than %d deep",
			       CONFIG_EXPAND_DEPTH);
	e->at += 2;
	e->depth++;
	ok = expand_variable(e);
	e->depth--;
	return ok;
}

/* To the end, or within a default to its '}', which stays. */
static bool expand_text(struct expansion *e)
{
	while (e->at < e->end) {
		if (*e->at == '}' && e->depth)
			return true;
		if (*e->at == '$') {
			if (!expand_dollar(e))
				return false;
		} else {
			put(e, e->at++, 1);
		}
	}
	if (e->depth)
		return sr_fail(e->err, SR_E_INVALID, "'${' without its '}'");
	return true;
}

bool config_expand(const struct toml_text *text, const struct config_lookup *lookup,
		   struct sr_buf *out, struct sr_error *err)
{
	struct expansion e = {
		.at = text->data,
		.end = text->data + text->len,
		.lookup = lookup,
		.out = out,
		.err = err,
	};

	if (!expand_text(&e))
		return false;
	if (out->failed)
		return sr_fail(err, SR_E_LIMIT, "longer than %d bytes with its variables expanded",
			       CONFIG_TEXT_MAX);
	return true;
}
