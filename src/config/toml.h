/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TOML 1.0.0: a text becomes a tree. Private to this folder.
 *
 * The whole document lives in one arena and goes with toml_free. Bounds: text
 * of TOML_TEXT_MAX bytes, nesting of TOML_DEPTH_MAX levels (key parts, arrays
 * and inline tables together). A tree takes up to 50 times its text's memory.
 */
#ifndef SR_CONFIG_TOML_H
#define SR_CONFIG_TOML_H

#include "base/base.h"

#define TOML_TEXT_MAX ((size_t)1024 * 1024)
#define TOML_DEPTH_MAX 64

enum toml_type {
	TOML_STRING,
	TOML_INTEGER,
	TOML_FLOAT,
	TOML_BOOLEAN,
	TOML_OFFSET_DATETIME,
	TOML_LOCAL_DATETIME,
	TOML_LOCAL_DATE,
	TOML_LOCAL_TIME,
	TOML_ARRAY,
	TOML_TABLE,
};

/* UTF-8 with a NUL behind it; "\u0000" may put others inside. */
struct toml_text {
	const char *data;
	size_t len;
};

/* RFC 3339. Which of the fields mean something is the node's type. */
struct toml_datetime {
	uint32_t nanosecond; /* further digits are cut off */
	uint16_t year;
	uint8_t month;
	uint8_t day;
	uint8_t hour;
	uint8_t minute;
	uint8_t second;	    /* 60 for a leap second */
	int16_t utc_offset; /* minutes east of UTC */
};

/* How a table or array came to be, which decides what may extend it. */
enum toml_origin {
	TOML_FROM_VALUE,  /* "key = …": an inline table or array is closed */
	TOML_FROM_HEADER, /* [table] or [[table]] */
	TOML_FROM_PATH,	  /* passed on the way of a header; may be defined later */
	TOML_FROM_DOTS,	  /* passed on the way of a dotted key */
};

struct toml_node {
	enum toml_type type;
	enum toml_origin origin;
	uint32_t line;	      /* where the key stands, or an array's item; from 1 */
	struct toml_text key; /* data is NULL for the root and for items of an array */
	union {
		struct toml_text string;
		int64_t integer;
		double real;
		bool boolean;
		struct toml_datetime datetime;
		struct {
			struct toml_node *first; /* in the order of the text */
			struct toml_node *last;
			size_t count;
		} items; /* of an array or a table */
	} as;
	struct toml_node *next; /* in the same array or table */
	/* the parser's index */
	const struct toml_node *table;
	struct toml_node *bucket;
};

struct toml_block;

struct toml {
	struct toml_node root; /* a table */
	struct toml_block *blocks;
};

/* Parses len bytes. Messages begin with "line L, column C: ", the column
 * counted in characters from 1. On failure *out is empty. */
bool toml_parse(const char *text, size_t len, struct toml *out, struct sr_error *err) SR_MUST_USE;

void toml_free(struct toml *doc);

/* The entry of a table with this key, or NULL. */
const struct toml_node *toml_get(const struct toml_node *table, const char *key);

/* "string", "integer", "table", … with the article a message needs. */
const char *toml_type_name(enum toml_type type);

#endif
