/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every reader stands on: the arena, places for messages, UTF-8, and the
 * blanks, comments and line ends between values.
 *
 * The text is checked for UTF-8 as a whole before it is parsed, so that readers
 * may look at single bytes: every byte they act upon is ASCII.
 */
#include "config/toml_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE 16384

struct toml_block {
	struct toml_block *next;
	size_t used;
	size_t size;
	_Alignas(16) unsigned char data[];
};

/* ---- memory ------------------------------------------------------------ */

/*
 * Blocks are zeroed and never shrink; a piece that needs more than a block's
 * size gets one of its own.
 */
void *toml_alloc(struct toml_parser *p, size_t size)
{
	struct toml_block *block = p->doc->blocks;
	size_t rounded = (size + 15) & ~(size_t)15;
	size_t block_size = rounded > BLOCK_SIZE ? rounded : BLOCK_SIZE;
	void *piece = NULL;

	if (!block || block->size - block->used < rounded) {
		block = calloc(1, sizeof(*block) + block_size);
		if (!block) {
			sr_fail(p->err, SR_E_NO_MEMORY, "no memory for the parsed text");
			return NULL;
		}
		block->size = block_size;
		block->next = p->doc->blocks;
		p->doc->blocks = block;
	}
	piece = block->data + block->used;
	block->used += rounded;
	return piece;
}

void toml_free(struct toml *doc)
{
	struct toml_block *block = doc->blocks;

	while (block) {
		struct toml_block *next = block->next;

		free(block);
		block = next;
	}
	*doc = (struct toml){ .blocks = NULL };
}

bool toml_copy(struct toml_parser *p, const void *data, size_t len, struct toml_text *out)
{
	char *copy = toml_alloc(p, len + 1);

	if (!copy)
		return false;
	if (len)
		memcpy(copy, data, len);
	*out = (struct toml_text){ copy, len };
	return true;
}

/* ---- places ------------------------------------------------------------ */

/*
 * Line and column are counted here, from the text's beginning, rather than kept
 * up to date: a parse fails at most once.
 */
bool toml_fail(struct toml_parser *p, const char *where, const char *fmt, ...)
{
	char message[SR_ERROR_MESSAGE_MAX] = { 0 };
	size_t line = 1;
	size_t column = 1;
	va_list ap;

	for (const char *c = p->text; c < where; c++) {
		if (*c == '\n') {
			line++;
			column = 1;
		} else if (((unsigned char)*c & 0xc0) != 0x80) {
			column++; /* characters, so continuation bytes do not count */
		}
	}
	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	return sr_fail(p->err, SR_E_INVALID, "line %zu, column %zu: %s", line, column, message);
}

/* Goes forward only, so that all nodes together cost one pass. */
uint32_t toml_line(struct toml_parser *p, const char *where)
{
	for (; p->counted < where; p->counted++)
		p->line += *p->counted == '\n';
	return p->line;
}

bool toml_enter(struct toml_parser *p, unsigned n)
{
	if (n > TOML_DEPTH_MAX - p->depth)
		return toml_fail(p, p->at, "nested more than %d levels deep", TOML_DEPTH_MAX);
	p->depth += n;
	return true;
}

/* ---- UTF-8 ------------------------------------------------------------- */

/*
 * The length of the sequence at c by the table of well-formed sequences in the
 * Unicode standard (3-7), where only the second byte's range depends on the
 * first; 0 when ill-formed.
 */
static size_t sequence_length(const unsigned char *c, size_t left)
{
	size_t len = c[0] < 0x80 ? 1 : c[0] < 0xe0 ? 2 : c[0] < 0xf0 ? 3 : 4;
	unsigned char low = c[0] == 0xe0 ? 0xa0 : c[0] == 0xf0 ? 0x90 : 0x80;
	unsigned char high = c[0] == 0xed ? 0x9f : c[0] == 0xf4 ? 0x8f : 0xbf;

	if (len == 1)
		return 1;
	if (c[0] < 0xc2 || c[0] > 0xf4 || len > left || c[1] < low || c[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++) {
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	}
	return len;
}

bool toml_check_utf8(struct toml_parser *p)
{
	for (const char *c = p->text; c < p->end;) {
		size_t len = sequence_length((const unsigned char *)c, (size_t)(p->end - c));

		if (!len)
			return toml_fail(p, c, "the byte 0x%02x is no UTF-8 here",
					 (unsigned)(unsigned char)*c);
		c += len;
	}
	return true;
}

/* ---- blanks ------------------------------------------------------------ */

bool toml_starts(const struct toml_parser *p, const char *word)
{
	size_t len = strlen(word);

	return (size_t)(p->end - p->at) >= len && memcmp(p->at, word, len) == 0;
}

void toml_skip_blanks(struct toml_parser *p)
{
	while (toml_peek(p) == ' ' || toml_peek(p) == '\t')
		p->at++;
}

bool toml_skip_newline(struct toml_parser *p)
{
	if (toml_peek(p) == '\n')
		p->at++;
	else if (toml_starts(p, "\r\n"))
		p->at += 2;
	else
		return false;
	return true;
}

/* A carriage return is part of a line end or an error. */
bool toml_skip_comment(struct toml_parser *p)
{
	toml_skip_blanks(p);
	if (toml_peek(p) != '#')
		return true;
	for (; toml_peek(p) >= 0 && toml_peek(p) != '\n' && !toml_starts(p, "\r\n"); p->at++) {
		int c = toml_peek(p);

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return toml_fail(p, p->at, "control character 0x%02x in a comment",
					 (unsigned)c);
	}
	return true;
}

bool toml_skip_lines(struct toml_parser *p)
{
	do {
		if (!toml_skip_comment(p))
			return false;
	} while (toml_skip_newline(p));
	return true;
}
