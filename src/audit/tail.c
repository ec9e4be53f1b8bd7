/* SPDX-License-Identifier: Apache-2.0 */
/* The end of the log: what is read of it when it is opened or others have appended. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/audit_private.h"

/* Enough for AUDIT_RECENT records and the checkpoints between them. */
#define WINDOW ((size_t)1024 * 1024)

_Static_assert(WINDOW >= (size_t)AUDIT_RECENT * AUDIT_LINE_MAX, "the window holds the recent");

const struct audit_link *audit_recent_find(const struct audit_log *log, uint64_t seq)
{
	size_t count = log->recent_count < AUDIT_RECENT ? (size_t)log->recent_count : AUDIT_RECENT;

	for (size_t i = 0; i < count; i++) {
		if (log->recent[i].seq == seq)
			return &log->recent[i];
	}
	return NULL;
}

static void take_record(struct audit_log *log, const struct audit_entry *entry)
{
	struct audit_link *link = &log->recent[log->recent_count++ % AUDIT_RECENT];
	struct audit_tail *tail = &log->tail;

	*link = (struct audit_link){ .seq = entry->record.seq };
	memcpy(link->head, entry->head, sizeof(link->head));
	if (tail->empty) {
		link->linked = !log->partial;
		if (link->linked)
			audit_genesis(tail->audit_key, link->before);
	} else {
		link->linked = true;
		memcpy(link->before, tail->head, sizeof(link->before));
	}
	tail->empty = false;
	tail->seq = entry->record.seq;
	tail->generation = entry->record.generation;
	memcpy(tail->head, entry->head, sizeof(tail->head));
	log->last_at_ms = entry->at_ms;
}

static bool take_entry(struct audit_log *log, const struct audit_entry *entry, bool first,
		       struct sr_error *err)
{
	struct audit_checkpoint checkpoint = { 0 };

	switch (entry->type) {
	case AUDIT_LINE_HEADER:
		if (!first || memcmp(entry->ta, audit_ta_uuid, sizeof(entry->ta)) != 0)
			return sr_fail(err, SR_E_CORRUPT, "a header that does not belong there");
		log->tail.bound = true;
		memcpy(log->tail.audit_key, entry->audit_key, AUDIT_KEY_SIZE);
		return true;
	case AUDIT_LINE_CHECKPOINT:
		if (!audit_checkpoint_decode(entry->checkpoint, &checkpoint, err))
			return false;
		if (checkpoint.seq <= log->tail.checkpoint_seq)
			return true;
		log->tail.checkpoint_seq = checkpoint.seq;
		atomic_store(&log->signed_at_ms, log->last_at_ms);
		return true;
	default:
		if (!log->tail.empty && entry->record.seq <= log->tail.seq)
			return sr_fail(err, SR_E_CORRUPT, "record %llu behind record %llu",
				       (unsigned long long)entry->record.seq,
				       (unsigned long long)log->tail.seq);
		take_record(log, entry);
		return true;
	}
}

bool audit_tail_take(struct audit_log *log, const char *text, size_t len, struct sr_error *err)
{
	struct audit_entry entry = { .line = 0 };
	const char *at = text;
	const char *end = text + len;

	while (at < end) {
		const char *line_end = memchr(at, '\n', (size_t)(end - at));
		bool first = log->end == 0 && at == text;

		if (!line_end || !audit_parse_line(at, (size_t)(line_end - at), &entry))
			return sr_fail(err, SR_E_CORRUPT, "byte %lld begins a malformed line",
				       (long long)log->end + (at - text));
		if (first && entry.type != AUDIT_LINE_HEADER)
			return sr_fail(err, SR_E_CORRUPT, "its first line is no header");
		if (!take_entry(log, &entry, first, err))
			return sr_fail_in(err, "byte %lld", (long long)log->end + (at - text));
		at = line_end + 1;
	}
	log->end += (off_t)len;
	if (log->end > log->least)
		log->least = log->end;
	atomic_store(&log->unsigned_records, log->tail.seq - log->tail.checkpoint_seq);
	audit_sync_note(log, log->tail.seq);
	return true;
}

static bool read_at(const struct audit_log *log, char *out, size_t len, off_t from,
		    struct sr_error *err)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(log->fd, out + done, len - done, from + (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return sr_fail(err, SR_E_UNAVAILABLE, "cannot be read: %m");
		if (n == 0)
			return sr_fail(err, SR_E_UNAVAILABLE, "became shorter");
		done += (size_t)n;
	}
	return true;
}

/*
 * What stands behind the last line feed is a write that a crash cut short: nobody writes while
 * the lock is held. Nothing of it has been answered for, since it was never synced. A
 * line that is whole but for its line feed gets that, for the TA need not send it again.
 */
static bool mend(struct audit_log *log, char *text, size_t *whole, size_t len, struct sr_error *err)
{
	struct audit_entry entry = { .line = 0 };
	off_t keep = log->end + (off_t)*whole;

	if (audit_parse_line(text + *whole, len - *whole, &entry)) {
		if (write(log->fd, "\n", 1) != 1)
			return sr_fail(err, SR_E_UNAVAILABLE, "its last line cannot be ended: %m");
		text[len] = '\n';
		*whole = len + 1;
		return true;
	}
	if (ftruncate(log->fd, keep) != 0)
		return sr_fail(err, SR_E_UNAVAILABLE, "its torn last line cannot be cut off: %m");
	sr_log(SR_LOG_WARN, "audit",
	       "%s: cut off %zu bytes of a last line whose write was interrupted", log->path,
	       len - *whole);
	return true;
}

/* Of a log longer than the window only the end is read: from here on, at a line's beginning. */
static bool skip_to_window(struct audit_log *log, off_t size, char *text, struct sr_error *err)
{
	size_t head_len = AUDIT_LINE_MAX;
	const char *line_end = NULL;

	if (!log->end) {
		if (!read_at(log, text, head_len, 0, err))
			return false;
		line_end = memchr(text, '\n', head_len);
		if (!line_end)
			return sr_fail(err, SR_E_CORRUPT, "its first line is no header");
		if (!audit_tail_take(log, text, (size_t)(line_end - text) + 1, err))
			return false;
	}
	/* The records between are not read: what came before the window is not known. */
	log->recent_count = 0;
	log->tail.empty = true;
	log->partial = true;
	log->end = size - (off_t)WINDOW;
	if (!read_at(log, text, AUDIT_LINE_MAX, log->end, err))
		return false;
	line_end = memchr(text, '\n', AUDIT_LINE_MAX);
	if (!line_end)
		return sr_fail(err, SR_E_CORRUPT, "byte %lld is in no line", (long long)log->end);
	log->end += (line_end - text) + 1;
	return true;
}

static bool read_new(struct audit_log *log, off_t size, char *text, struct sr_error *err)
{
	const char *last = NULL;
	size_t len = 0;
	size_t whole = 0;

	if (size - log->end > (off_t)WINDOW && !skip_to_window(log, size, text, err))
		return false;
	len = (size_t)(size - log->end);
	if (!read_at(log, text, len, log->end, err))
		return false;
	last = memrchr(text, '\n', len);
	whole = last ? (size_t)(last - text) + 1 : 0;
	if (whole == 0 && len >= AUDIT_LINE_MAX)
		return sr_fail(err, SR_E_CORRUPT, "byte %lld begins a malformed line",
			       (long long)log->end);
	if (whole < len && !mend(log, text, &whole, len, err))
		return false;
	if (!audit_tail_take(log, text, whole, err))
		return false;
	/* An empty tail would have the TA begin a new chain. */
	return !log->partial || !log->tail.empty ||
	       sr_fail(err, SR_E_CORRUPT, "no record is near its end");
}

/* What was read by halves is read anew the next time. */
static void forget(struct audit_log *log)
{
	log->tail = (struct audit_tail){ .empty = true };
	log->recent_count = 0;
	log->partial = false;
	log->end = 0;
}

bool audit_tail_refresh(struct audit_log *log, struct sr_error *err)
{
	struct stat st = { 0 };
	char *text = NULL;
	bool ok = false;

	if (fstat(log->fd, &st) != 0)
		return sr_fail(err, SR_E_UNAVAILABLE, "%m");
	if (st.st_size < log->least)
		return sr_fail(err, SR_E_CORRUPT, "became shorter: %lld bytes, it had %lld",
			       (long long)st.st_size, (long long)log->least);
	if (st.st_size == log->end)
		return true;
	text = malloc(WINDOW + 1);
	if (!text)
		return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
	ok = read_new(log, st.st_size, text, err);
	if (!ok)
		forget(log);
	free(text);
	return ok;
}
