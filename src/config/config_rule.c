/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules for texts and for the items of lists, and durations. Each is a pure test that says what
 * it would have taken; they check form, and reach for no network or file.
 */
#include "config/config_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* At least one character, and none that is not allowed. */
static bool only(const char *text, const char *allowed)
{
	return *text && text[strspn(text, allowed)] == '\0';
}

/* Lower case alone, so that "Mainnet" cannot slip past the checks for mainnet. */
const char *config_rule_network(const char *text)
{
	if (only(text, "abcdefghijklmnopqrstuvwxyz0123456789-"))
		return NULL;
	return "a name of lower-case letters, digits and '-'";
}

const char *config_rule_key_id(const char *text)
{
	if (only(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"))
		return NULL;
	return "a key id of letters, digits, '.', '_' and '-'";
}

const char *config_rule_key_id_or_empty(const char *text)
{
	return *text ? config_rule_key_id(text) : NULL;
}

/* As useradd(8) takes them, and numbers. Whether there is such a group, the system tells. */
const char *config_rule_group_or_empty(const char *text)
{
	if (!*text ||
	    (only(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") &&
	     *text != '-'))
		return NULL;
	return "a group's name or number";
}

/* An address, or an uncompressed public key. */
const char *config_rule_pin_or_empty(const char *text)
{
	const char *digits = strncmp(text, "0x", 2) == 0 ? text + 2 : text;
	size_t len = strlen(digits);

	if (!*text)
		return NULL;
	if (only(digits, "0123456789abcdefABCDEF") &&
	    ((len == 40 && digits != text) || (len == 130 && strncmp(digits, "04", 2) == 0)))
		return NULL;
	return "an address, or a public key of 65 bytes in hexadecimal that begins with 04";
}

/* What follows "http://" or "https://", or NULL. */
static const char *after_scheme(const char *text)
{
	if (strncmp(text, "http://", 7) == 0)
		return text + 7;
	return strncmp(text, "https://", 8) == 0 ? text + 8 : NULL;
}

static bool is_port(const char *text, size_t len)
{
	return len >= 1 && len <= 5 && strspn(text, "0123456789") >= len && atoi(text) >= 1 &&
	       atoi(text) <= 65535;
}

/* host, host:port or [v6]:port, len bytes; what else it is, the resolver tells. */
static bool is_authority(const char *text, size_t len)
{
	const char *bracket = *text == '[' ? memchr(text, ']', len) : NULL;
	size_t host = bracket ? (size_t)(bracket - text) + 1 : 0;

	if (*text == '[' && !bracket)
		return false;
	while (!bracket && host < len && text[host] != ':')
		host++;
	if (!host || host == 2 * (bracket != NULL))
		return false;
	return host == len || (text[host] == ':' && is_port(text + host + 1, len - host - 1));
}

/*
 * Enough to find a mistake in a file: scheme, host and port. What comes behind
 * the host is the server's, and whether the host exists is seen at connecting.
 */
const char *config_rule_url(const char *text)
{
	static const char expected[] = "a URL of http:// or https:// with a host";
	const char *rest = after_scheme(text);
	const char *user = NULL;
	size_t len = 0;

	if (!rest || strchr(text, ' '))
		return expected;
	len = strcspn(rest, "/?#");
	/* user:password@ stands before the host */
	user = memchr(rest, '@', len);
	if (user) {
		len -= (size_t)(user + 1 - rest);
		rest = user + 1;
	}
	return is_authority(rest, len) ? NULL : expected;
}

const char *config_rule_url_or_empty(const char *text)
{
	return *text ? config_rule_url(text) : NULL;
}

/*
 * Compared with a browser's Origin header as it stands, so a slash at its end
 * would never match.
 */
const char *config_rule_origin(const char *text)
{
	const char *rest = strstr(text, "://");

	if (strcmp(text, "*") == 0)
		return NULL;
	if (rest && rest != text && rest[3] && !strpbrk(rest + 3, "/ ,"))
		return NULL;
	return "\"*\" or an origin as a browser sends it: scheme://host, with :port if any, "
	       "and no path";
}

/* Wallets show it: no scheme that could run a script. */
const char *config_rule_icon(const char *text)
{
	if (!*text || strncmp(text, "data:image/", 11) == 0 || !config_rule_url(text))
		return NULL;
	return "a URL of http:// or https://, or a data:image/ URI";
}

const char *config_rule_path(const char *text)
{
	return *text == '/' ? NULL : "an absolute path";
}

/* ---- durations --------------------------------------------------------------- */

bool config_duration(const char *text, const char *unit, uint64_t *out)
{
	static const struct {
		const char *suffix;
		uint64_t ms;
	} suffixes[] = { { "ms", 1 },
			 { "s", 1000 },
			 { "m", 60 * 1000 },
			 { "h", 3600 * 1000 },
			 { "d", 86400 * 1000 } };
	const uint64_t unit_ms = strcmp(unit, "milliseconds") == 0 ? 1 : 1000;
	char *end = NULL;
	unsigned long long v = 0;

	errno = 0;
	v = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || errno || v > UINT32_MAX)
		return false;
	for (size_t i = 0; i < SR_ARRAY_LEN(suffixes); i++) {
		if (strcmp(end, suffixes[i].suffix) == 0) {
			*out = v * suffixes[i].ms / unit_ms;
			/* a part of a unit would be cut off, and nothing is cut to fit */
			return v * suffixes[i].ms % unit_ms == 0;
		}
	}
	return false;
}
