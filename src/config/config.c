/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a file to a checked struct config, in this order: parse the TOML, walk
 * its tree and store what is known (anything else is an error with its line),
 * give every key that was not there its default, derive, check across keys.
 * No message is made without the place where an operator has to look.
 */
#include "config/config_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 96 /* of a section's name; no known one is half as long */

struct loading {
	struct config *config;
	struct config_lookup lookup;
	struct sr_error *err;
	bool given[CONFIG_KEYS_MAX];
};

/* ---- names ------------------------------------------------------------- */

/* Whether a table of this dotted name may hold keys. */
static bool is_section(const char *name)
{
	for (size_t i = 0; i < config_section_count(); i++) {
		if (strcmp(config_section(i), name) == 0)
			return true;
	}
	return false;
}

/* The row's number, or config_schema_count(). */
static size_t find_key(const char *section, const char *name)
{
	size_t i = 0;

	for (; i < config_schema_count(); i++) {
		const struct config_key *row = config_schema_row(i);

		if (strcmp(row->section, section) == 0 && strcmp(row->name, name) == 0)
			break;
	}
	return i;
}

/* The name has passed printable_key, so the message is fit for a terminal. */
static bool fail_unknown_section(struct loading *l, const char *name, uint32_t line)
{
	const char *names[CONFIG_KEYS_MAX] = { NULL };
	const char *nearest = NULL;

	for (size_t i = 0; i < config_section_count(); i++)
		names[i] = config_section(i);
	nearest = sr_nearest(name, names, config_section_count());
	return sr_fail(l->err, SR_E_INVALID, "line %u: there is no section [%s]%s%s%s",
		       (unsigned)line, name, nearest ? "; did you mean [" : "",
		       nearest ? nearest : "", nearest ? "]?" : "");
}

/* A row with this very name in another section, else the nearest name in this
 * section, else the nearest anywhere. */
static const struct config_key *suggest(const char *section, const char *name)
{
	const char *names[CONFIG_KEYS_MAX] = { NULL };
	size_t count = 0;
	const char *nearest = NULL;

	for (size_t i = 0; i < config_schema_count(); i++) {
		const struct config_key *row = config_schema_row(i);

		if (strcmp(row->name, name) == 0)
			return row;
		if (strcmp(row->section, section) == 0)
			names[count++] = row->name;
	}
	nearest = sr_nearest(name, names, count);
	if (nearest)
		return config_schema_row(find_key(section, nearest));
	for (count = 0; count < config_schema_count(); count++)
		names[count] = config_schema_row(count)->name;
	nearest = sr_nearest(name, names, count);
	for (size_t i = 0; nearest && i < count; i++) {
		if (names[i] == nearest)
			return config_schema_row(i);
	}
	return NULL;
}

static bool fail_unknown_key(struct loading *l, const char *section, const char *name,
			     uint32_t line)
{
	const struct config_key *like = suggest(section, name);

	if (*section)
		sr_fail(l->err, SR_E_INVALID, "line %u: [%s] has no key '%s'", (unsigned)line,
			section, name);
	else
		sr_fail(l->err, SR_E_INVALID, "line %u: '%s' stands outside any section",
			(unsigned)line, name);
	if (like) {
		size_t used = strlen(l->err->message);
		bool same = strcmp(like->section, section) == 0;

		snprintf(l->err->message + used, sizeof(l->err->message) - used,
			 same ? "; did you mean '%s'?" : "; did you mean '%s' of [%s]?", like->name,
			 like->section);
	}
	return false;
}

/* ---- the walk over the parsed file ------------------------------------- */

/* A key as a C string fit for a message: cut, and without control characters. */
static void printable_key(const struct toml_node *node, char out[static PATH_SIZE / 2])
{
	size_t len = node->key.len < PATH_SIZE / 2 ? node->key.len : PATH_SIZE / 2 - 1;

	for (size_t i = 0; i < len; i++) {
		char c = node->key.data[i];

		out[i] = (unsigned char)c < 0x20 || c == 0x7f ? '?' : c;
	}
	out[len] = '\0';
}

/*
 * given is set even when the value is refused: the file is then refused as a
 * whole, and no default may hide the error.
 */
static bool set_key(struct loading *l, size_t row, const struct toml_node *value)
{
	const struct config_key *key = config_schema_row(row);

	l->given[row] = true;
	return config_set(key, value, &l->lookup, l->config, l->err) ||
	       sr_fail_in(l->err, "line %u: [%s] %s", (unsigned)value->line, key->section,
			  key->name);
}

/*
 * One entry of a table that is known. Either it is itself a known section, then
 * *descend is set and path is its name, or it is a known key and stored. Sections
 * come first: "optee_kms.keys" is a table within a section, not a key of it.
 */
static bool take_entry(struct loading *l, const char *section, const struct toml_node *entry,
		       char path[static PATH_SIZE], bool *descend)
{
	char name[PATH_SIZE / 2] = { 0 };
	size_t row = 0;

	printable_key(entry, name);
	/* known sections are short, so a cut name is never taken for one */
	snprintf(path, PATH_SIZE, "%.*s%s%s", PATH_SIZE / 2 - 2, section, *section ? "." : "",
		 name);
	/* a quoted key may hold a dot, and is then no path */
	*descend = !strchr(name, '.') && is_section(path);
	if (*descend && entry->type != TOML_TABLE)
		return sr_fail(l->err, SR_E_INVALID, "line %u: [%s] must be a table, found %s",
			       (unsigned)entry->line, path, toml_type_name(entry->type));
	if (*descend)
		return true;
	row = find_key(section, name);
	if (row < config_schema_count())
		return set_key(l, row, entry);
	if (entry->type == TOML_TABLE)
		return fail_unknown_section(l, path, entry->line);
	return fail_unknown_key(l, section, name, entry->line);
}

/* Ends soon: only known sections are descended into, and they nest two deep. */
static bool take_section(struct loading *l, const char *section, const struct toml_node *table)
{
	char path[PATH_SIZE] = { 0 };

	for (const struct toml_node *entry = table->as.items.first; entry; entry = entry->next) {
		bool descend = false;

		if (!take_entry(l, section, entry, path, &descend))
			return false;
		if (descend && !take_section(l, path, entry))
			return false;
	}
	return true;
}

/*
 * A default is TOML text that goes the way of a file's value, so that it cannot
 * break its own row's bounds. Failure is a defect of the schema.
 */
static bool set_default(struct loading *l, const struct config_key *key)
{
	char text[256] = { 0 };
	struct toml doc = { .blocks = NULL };
	bool ok = false;

	snprintf(text, sizeof(text), "value = %s", key->fallback);
	ok = toml_parse(text, strlen(text), &doc, l->err) &&
	     config_set(key, doc.root.as.items.first, &l->lookup, l->config, l->err);
	toml_free(&doc);
	return ok || sr_fail_in(l->err, "the default of [%s] %s", key->section, key->name);
}

/* After all values are known, since the backend decides what has an effect. */
static void note_key(struct loading *l, const struct config_key *key)
{
	bool simulator = l->config->paymaster_relay.kms_backend == CONFIG_KMS_SIMULATOR;
	enum config_scope other = simulator ? CONFIG_OPTEE_ONLY : CONFIG_SIMULATOR_ONLY;
	const bool *value = (const bool *)((const char *)l->config + key->offset);
	const char *note = key->type != CONFIG_BOOL ? NULL
			   : *value		    ? key->note_true
						    : key->note_false;

	if (note)
		config_note(l->config, "[%s] %s: %s", key->section, key->name, note);
	if (key->scope == other)
		config_note(l->config, "[%s] %s: no effect with kms_backend = \"%s\"", key->section,
			    key->name, simulator ? "simulator" : "optee");
}

/*
 * Notes are made in the schema's order, whatever the file's, so that two files
 * that say the same are reported the same.
 */
static bool complete(struct loading *l)
{
	for (size_t i = 0; i < config_schema_count(); i++) {
		if (!l->given[i] && !set_default(l, config_schema_row(i)))
			return false;
	}
	for (size_t i = 0; i < config_schema_count(); i++) {
		if (l->given[i])
			note_key(l, config_schema_row(i));
	}
	return config_derive(l->config, &l->lookup, l->err) && config_check(l->config, l->err);
}

/* ---- loading ----------------------------------------------------------- */

/* The end of a long name tells more than its beginning. */
static bool fail_in_file(struct sr_error *err, const char *name)
{
	size_t len = strlen(name);

	return sr_fail_in(err, "%s%s", len > 80 ? "..." : "", len > 80 ? name + len - 80 : name);
}

bool config_parse(const char *text, size_t len, const char *name, config_env env, void *env_arg,
		  struct config *out, struct sr_error *err)
{
	struct sr_error own = { .code = SR_OK };
	struct toml doc = { .blocks = NULL };
	struct loading l = {
		.config = out,
		.lookup = { env, env_arg },
		.err = err ? err : &own,
	};
	bool ok = false;

	memset(out, 0, sizeof(*out));
	ok = toml_parse(text, len, &doc, l.err) && take_section(&l, "", &doc.root) && complete(&l);
	toml_free(&doc);
	if (ok)
		return true;
	config_free(out);
	return fail_in_file(l.err, name);
}

/* A config_env over getenv; the caller starts no thread that calls setenv. */
static const char *process_environment(void *arg, const char *name)
{
	(void)arg;
	return getenv(name);
}

/* One byte over the limit is read, so that a file too long is known as such. */
static bool read_file(int fd, struct sr_buf *out, struct sr_error *err)
{
	ssize_t n = 0;

	do {
		if (!sr_buf_reserve(out, 4096))
			return sr_fail(err, SR_E_LIMIT, "no memory, or more than %zu bytes",
				       CONFIG_FILE_MAX);
		n = read(fd, out->data + out->len, 4096);
		if (n < 0 && errno != EINTR)
			return sr_fail(err, SR_E_INVALID, "cannot be read: %s", strerror(errno));
		out->len += n > 0 ? (size_t)n : 0;
	} while (n != 0);
	return true;
}

bool config_load(const char *path, struct config *out, struct sr_error *err)
{
	struct sr_buf text = { .limit = CONFIG_FILE_MAX + 8192 };
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool ok = false;

	memset(out, 0, sizeof(*out));
	if (fd < 0) {
		sr_fail(err, errno == ENOENT ? SR_E_NOT_FOUND : SR_E_INVALID,
			"cannot be opened: %s", strerror(errno));
		return fail_in_file(err, path);
	}
	ok = read_file(fd, &text, err);
	close(fd);
	if (!ok)
		fail_in_file(err, path);
	else
		ok = config_parse((const char *)text.data, text.len, path, process_environment,
				  NULL, out, err);
	sr_buf_free(&text);
	return ok;
}

/* Items behind a failed one are NULL. */
static void free_list(struct config_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
}

void config_free(struct config *config)
{
	for (size_t i = 0; i < config_schema_count(); i++) {
		const struct config_key *key = config_schema_row(i);
		void *field = (char *)config + key->offset;

		if (key->type == CONFIG_TEXT)
			free(*(char **)field);
		else if (key->type == CONFIG_LIST || key->type == CONFIG_URLS)
			free_list(field);
	}
	memset(config, 0, sizeof(*config));
}
