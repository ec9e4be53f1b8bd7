/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base: what every layer above stands on. Byte ranges, hex, growable buffers
 * with a limit, errors as values, secrets, time and the log.
 *
 * Does no I/O but the log's. Never aborts on bad input or on a failed
 * allocation: whatever can fail says so.
 */
#ifndef SR_BASE_H
#define SR_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SR_MUST_USE __attribute__((warn_unused_result))
#define SR_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#define SR_ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* ---- errors ------------------------------------------------------------ */

/*
 * What went wrong, by who can cure it. The message is made where the fact is
 * known and travels unchanged to whoever reports it.
 */
enum sr_code {
	SR_OK = 0,
	SR_E_INVALID,	  /* the caller's input is wrong: the message names field and bound */
	SR_E_NOT_FOUND,	  /* the thing named does not exist */
	SR_E_EXISTS,	  /* the thing to be made exists already */
	SR_E_DENIED,	  /* policy or usage forbids it */
	SR_E_LIMIT,	  /* a size, count or rate limit is reached */
	SR_E_BUSY,	  /* try again later */
	SR_E_TIMEOUT,	  /* no answer in time */
	SR_E_UNAVAILABLE, /* something this depends on is not there */
	SR_E_CORRUPT,	  /* stored or received data is not what it must be */
	SR_E_NO_MEMORY,
	SR_E_INTERNAL, /* a defect of ours */
};

#define SR_ERROR_MESSAGE_MAX 256

struct sr_error {
	enum sr_code code;
	char message[SR_ERROR_MESSAGE_MAX]; /* always terminated; empty when code is SR_OK */
};

/* Fills *err (which may be NULL) and returns false, so that a caller can
 * write `return sr_fail(err, …)`. A message too long is cut, never overrun. */
bool sr_fail(struct sr_error *err, enum sr_code code, const char *fmt, ...) SR_PRINTF(3, 4);

/* Puts "prefix: " before an error's message; returns false. */
bool sr_fail_in(struct sr_error *err, const char *fmt, ...) SR_PRINTF(2, 3);

#ifdef __clang_analyzer__
/* The analyzer sees one file at a time and would take the result for unknown. */
#define sr_fail(...) ((void)sr_fail(__VA_ARGS__), false)
#define sr_fail_in(...) ((void)sr_fail_in(__VA_ARGS__), false)
#endif

/* A short constant name of a code, for logs and --json output ("not_found"). */
const char *sr_code_name(enum sr_code code);

/* ---- bytes ------------------------------------------------------------- */

/* A range of bytes that somebody else owns. data may be NULL when len is 0. */
struct sr_bytes {
	const uint8_t *data;
	size_t len;
};

#define SR_BYTES(array) ((struct sr_bytes){ (array), sizeof(array) })

/* ---- hex --------------------------------------------------------------- */

/* Writes 2·len lower-case digits and a NUL to out (2·len + 1 bytes). */
void sr_hex_encode(const uint8_t *data, size_t len, char *out);

/* "0x" before the digits: 2·len + 3 bytes. */
void sr_hex_encode_0x(const uint8_t *data, size_t len, char *out);

/*
 * Reads exactly out_len bytes from text_len characters, with or without "0x",
 * either case. False when the length or a digit is wrong; out is then
 * unspecified. Timing depends on the length only, so it may read secrets.
 */
bool sr_hex_decode(const char *text, size_t text_len, uint8_t *out, size_t out_len) SR_MUST_USE;

/* ---- buffer ------------------------------------------------------------ */

/*
 * A growable byte buffer with an upper limit. The first failed append (limit
 * or allocation) sets failed; all later ones do nothing, so that a writer
 * checks once, at the end. Zero-initialise, or use sr_buf_init.
 */
struct sr_buf {
	uint8_t *data;
	size_t len;
	size_t cap;
	size_t limit; /* 0 means SR_BUF_DEFAULT_LIMIT */
	bool failed;
};

#define SR_BUF_DEFAULT_LIMIT ((size_t)16 * 1024 * 1024)

void sr_buf_init(struct sr_buf *b, size_t limit);
void sr_buf_free(struct sr_buf *b);  /* leaves an empty buffer with the same limit */
void sr_buf_clear(struct sr_buf *b); /* keeps the memory, forgets the content and failed */
bool sr_buf_reserve(struct sr_buf *b, size_t extra);
void sr_buf_append(struct sr_buf *b, const void *data, size_t len);
void sr_buf_puts(struct sr_buf *b, const char *text);
void sr_buf_printf(struct sr_buf *b, const char *fmt, ...) SR_PRINTF(2, 3);
void sr_buf_put_hex_0x(struct sr_buf *b, const uint8_t *data, size_t len);
/* Text as a JSON string, quotes included; bytes that are no UTF-8 become U+FFFD. */
void sr_buf_put_json_string(struct sr_buf *b, const char *text, size_t len);
/* Removes the first n bytes (n ≤ len). */
void sr_buf_consume(struct sr_buf *b, size_t n);
/* The content as a C string: a NUL is kept after it, not counted in len.
 * NULL when an append failed. Valid until the next change. */
const char *sr_buf_cstr(struct sr_buf *b);

/* ---- secrets ----------------------------------------------------------- */

/* Overwrites memory; the compiler may not leave it out. */
void sr_wipe(void *data, size_t len);

/* True when equal. Time depends on len alone. */
bool sr_equal_ct(const void *a, const void *b, size_t len) SR_MUST_USE;

/* ---- time -------------------------------------------------------------- */

uint64_t sr_time_monotonic_ns(void); /* for durations; never goes back */
uint64_t sr_time_unix_s(void);	     /* wall clock, seconds since 1970 */
uint64_t sr_time_unix_ms(void);

/* ---- text -------------------------------------------------------------- */

/* The candidate closest to word by edit distance, or NULL where none is near
 * enough to be worth suggesting. Words over 64 characters get none. */
const char *sr_nearest(const char *word, const char *const *candidates, size_t count);

/* ---- log --------------------------------------------------------------- */

enum sr_log_level { SR_LOG_ERROR, SR_LOG_WARN, SR_LOG_INFO, SR_LOG_DEBUG };
enum sr_log_format { SR_LOG_TEXT, SR_LOG_JSON };

/* One line a record, to standard error, in one write. Secrets are never
 * passed to it. Thread-safe; the level is read without a lock. */
void sr_log_setup(enum sr_log_level level, enum sr_log_format format);
bool sr_log_enabled(enum sr_log_level level);
bool sr_log_level_parse(const char *name, enum sr_log_level *out);

/* component: the folder's name, a constant. Line breaks in the message are
 * escaped, so that a client's text cannot forge a record. */
void sr_log(enum sr_log_level level, const char *component, const char *fmt, ...) SR_PRINTF(3, 4);

#endif
