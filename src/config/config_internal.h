/* SPDX-License-Identifier: Apache-2.0 */
/* What the configuration's files share. */
#ifndef SR_CONFIG_INTERNAL_H
#define SR_CONFIG_INTERNAL_H

#include "config/config.h"
#include "config/toml.h"

#define CONFIG_KEYS_MAX 96    /* room for the schema's rows */
#define CONFIG_TEXT_MAX 65536 /* bytes of a string after expansion */
#define CONFIG_EXPAND_DEPTH 8 /* ${A:-${B:-…}} */
#define CONFIG_FOUND_SIZE 80  /* of a value shown in a message */

/* ---- config_schema.c --------------------------------------------------- */

size_t config_section_count(void);
const char *config_section(size_t i);

/* ---- config_rule.c: what a text may be; NULL, or what was expected ----- */

const char *config_rule_network(const char *text);
const char *config_rule_url(const char *text);
const char *config_rule_url_or_empty(const char *text);
const char *config_rule_origin(const char *text);
const char *config_rule_icon(const char *text);
const char *config_rule_path(const char *text);
const char *config_rule_key_id(const char *text);
const char *config_rule_key_id_or_empty(const char *text);
const char *config_rule_group_or_empty(const char *text);
const char *config_rule_pin_or_empty(const char *text);
/* "50ms", "10m", … in whole units ("seconds" or "milliseconds"). */
bool config_duration(const char *text, const char *unit, uint64_t *out) SR_MUST_USE;

/* ---- config_expand.c --------------------------------------------------- */

struct config_lookup {
	config_env env;
	void *arg;
};

/* Appends text to out with its variables replaced. */
bool config_expand(const struct toml_text *text, const struct config_lookup *lookup,
		   struct sr_buf *out, struct sr_error *err);

/* ---- config_value.c ---------------------------------------------------- */

/* Checks a value against its row and stores it in its field, which is empty.
 * Messages say what was expected and found; the caller adds place and key. */
bool config_set(const struct config_key *key, const struct toml_node *value,
		const struct config_lookup *lookup, struct config *out, struct sr_error *err);

/* ---- config_check.c ---------------------------------------------------- */

void config_note(struct config *config, const char *fmt, ...) SR_PRINTF(2, 3);
/* Values that follow from others; runs once, after every key has its value. */
bool config_derive(struct config *config, const struct config_lookup *lookup, struct sr_error *err);

#endif
