/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MESSAGE_MAX 1024
#define RECORD_MAX 4096 /* at most PIPE_BUF: a record's write is atomic on a pipe */

static atomic_int log_level = SR_LOG_INFO;
static atomic_int log_format = SR_LOG_TEXT;

static const char *const level_names[] = { "error", "warn", "info", "debug" };

void sr_log_setup(enum sr_log_level level, enum sr_log_format format)
{
	atomic_store(&log_level, (int)level);
	atomic_store(&log_format, (int)format);
}

bool sr_log_enabled(enum sr_log_level level)
{
	return (int)level <= atomic_load_explicit(&log_level, memory_order_relaxed);
}

bool sr_log_level_parse(const char *name, enum sr_log_level *out)
{
	for (size_t i = 0; i < SR_ARRAY_LEN(level_names); i++) {
		if (strcmp(name, level_names[i]) == 0) {
			*out = (enum sr_log_level)i;
			return true;
		}
	}
	return false;
}

static void format_time(char *out, size_t size)
{
	uint64_t ms = sr_time_unix_ms();
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm = { 0 };
	size_t n = 0;

	gmtime_r(&seconds, &tm);
	n = strftime(out, size, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out + n, size - n, ".%03uZ", (unsigned)(ms % 1000));
}

/* Copies text so that it stays on one line of a terminal. */
static void append_printable(char *out, size_t size, size_t *used, const char *text)
{
	for (; *text && *used + 5 < size; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c == 0x7f)
			*used += (size_t)snprintf(out + *used, size - *used, "\\x%02x", c);
		else
			out[(*used)++] = (char)c;
	}
	out[*used] = '\0';
}

static size_t record_text(char *out, const char *when, const char *level, const char *component,
			  const char *message)
{
	size_t used = (size_t)snprintf(out, RECORD_MAX, "%s %-5s %s: ", when, level, component);

	append_printable(out, RECORD_MAX - 1, &used, message);
	return used;
}

static size_t record_json(char *out, const char *when, const char *level, const char *component,
			  const char *message)
{
	struct sr_buf b = { .limit = RECORD_MAX - 2 };
	size_t used = 0;

	sr_buf_printf(&b,
		      "{\"time\":\"%s\",\"level\":\"%s\",\"component\":\"%s\",\"message\":", when,
		      level, component);
	sr_buf_put_json_string(&b, message, strlen(message));
	sr_buf_puts(&b, "}");
	if (!b.failed) {
		memcpy(out, b.data, b.len);
		used = b.len;
	}
	sr_buf_free(&b);
	/* out of memory or all of it escapes: a plain record beats none */
	return used ? used : record_text(out, when, level, component, message);
}

void sr_log(enum sr_log_level level, const char *component, const char *fmt, ...)
{
	char message[MESSAGE_MAX] = { 0 };
	char record[RECORD_MAX] = { 0 };
	char when[40] = { 0 };
	size_t used = 0;
	ssize_t written = 0;
	va_list ap;

	if (!sr_log_enabled(level))
		return;
	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	format_time(when, sizeof(when));
	if (atomic_load_explicit(&log_format, memory_order_relaxed) == SR_LOG_JSON)
		used = record_json(record, when, level_names[level], component, message);
	else
		used = record_text(record, when, level_names[level], component, message);
	record[used++] = '\n';
	/* Nothing to be done about a log that cannot be written. */
	written = write(STDERR_FILENO, record, used);
	(void)written;
}
