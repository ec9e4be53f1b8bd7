/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parser's files share. A reader (toml_read_…) starts at p->at, moves
 * it past what it has read, and on failure has filled p->err.
 */
#ifndef SR_CONFIG_TOML_INTERNAL_H
#define SR_CONFIG_TOML_INTERNAL_H

#include "config/toml.h"

/* Fixed: 1 MiB of text has at most some 300,000 keys, so chains stay short. */
#define TOML_BUCKETS 1024

struct toml_parser {
	const char *text;
	const char *end;
	const char *at;
	struct toml *doc;
	struct toml_node *section; /* the table that the last header opened */
	unsigned depth;
	const char *counted; /* line is right for this place */
	uint32_t line;
	struct toml_node *buckets[TOML_BUCKETS]; /* every table's entries, by table and key */
	struct sr_buf scratch;			 /* the string being read */
	struct sr_error *err;
};

/* One part of a dotted key. */
struct toml_part {
	struct toml_text text;
	const char *at;
};

struct toml_path {
	struct toml_part part[TOML_DEPTH_MAX];
	size_t count; /* at least 1 after toml_read_path */
};

/* ---- toml_text.c: the text, places in it, memory ----------------------- */

void *toml_alloc(struct toml_parser *p, size_t size); /* zeroed; NULL: p->err is set */
bool toml_copy(struct toml_parser *p, const void *data, size_t len, struct toml_text *out);
/* Returns false. where is a place in the text. */
bool toml_fail(struct toml_parser *p, const char *where, const char *fmt, ...) SR_PRINTF(3, 4);
/* The line of a place not before the one asked for last. */
uint32_t toml_line(struct toml_parser *p, const char *where);
/* Refuses what is no UTF-8. */
bool toml_check_utf8(struct toml_parser *p);
/* Goes n levels down; false beyond TOML_DEPTH_MAX. */
bool toml_enter(struct toml_parser *p, unsigned n);

/* The character at p->at, or -1 at the end. */
static inline int toml_peek(const struct toml_parser *p)
{
	return p->at < p->end ? (unsigned char)*p->at : -1;
}

static inline bool toml_is_digit(int c)
{
	return c >= '0' && c <= '9';
}

bool toml_starts(const struct toml_parser *p, const char *word);
void toml_skip_blanks(struct toml_parser *p);
/* A line break, if one is here: LF or CRLF. */
bool toml_skip_newline(struct toml_parser *p);
/* Blanks, and a comment if one is here, up to the line's end. */
bool toml_skip_comment(struct toml_parser *p);
/* Blanks, comments and line breaks. */
bool toml_skip_lines(struct toml_parser *p);

/* ---- readers ----------------------------------------------------------- */

/* toml_string.c: multiline says whether """ and ''' may stand here. */
bool toml_read_string(struct toml_parser *p, bool multiline, struct toml_text *out);
/* toml_key.c */
bool toml_read_path(struct toml_parser *p, struct toml_path *out);
/* toml_number.c: the characters up to end are one integer or float. */
bool toml_read_number(struct toml_parser *p, const char *end, struct toml_node *out);
/* toml_datetime.c */
bool toml_at_datetime(const struct toml_parser *p);
bool toml_read_datetime(struct toml_parser *p, struct toml_node *out);
/* toml_value.c */
bool toml_read_value(struct toml_parser *p, struct toml_node *out);
/* toml_parse.c: "path = value" into a table. */
bool toml_read_pair(struct toml_parser *p, struct toml_node *table);

/* ---- toml_table.c: what may be defined where --------------------------- */

struct toml_node *toml_append(struct toml_parser *p, struct toml_node *parent,
			      const struct toml_part *key); /* key NULL: an array's item */
/* Opens what [path] or [[path]] names and makes it p->section. */
bool toml_open_section(struct toml_parser *p, const struct toml_path *path, bool array);
/* A new entry for a key in table; its value is still to be filled in. */
struct toml_node *toml_open_key(struct toml_parser *p, struct toml_node *table,
				const struct toml_path *path);

#endif
