/* SPDX-License-Identifier: Apache-2.0 */
/* Appending: whole lines in one write, and only what continues the chain. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "audit/audit_private.h"

/* Disks fill up: what was written of the lines is taken back, and the log is as it was. */
static bool take_back(struct audit_log *log, int error, struct sr_error *err)
{
	if (ftruncate(log->fd, log->end) != 0)
		sr_log(SR_LOG_WARN, "audit", "%s: an interrupted write stays until the next: %m",
		       log->path);
	errno = error;
	return sr_fail(err, SR_E_UNAVAILABLE, "audit log %s: cannot be written: %m", log->path);
}

static bool write_lines(struct audit_log *log, const struct sr_buf *lines, struct sr_error *err)
{
	size_t done = 0;

	if (lines->failed)
		return sr_fail(err, SR_E_NO_MEMORY, "audit log %s: out of memory", log->path);
	while (done < lines->len) {
		ssize_t n = write(log->fd, lines->data + done, lines->len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return take_back(log, n < 0 ? errno : ENOSPC, err);
		done += (size_t)n;
	}
	/* What was written is taken as others will read it. */
	return audit_tail_take(log, (const char *)lines->data, lines->len, err) ||
	       sr_fail_in(err, "audit log %s", log->path);
}

bool audit_log_bind(struct audit_log *log, const uint8_t audit_key[static AUDIT_KEY_SIZE],
		    struct sr_error *err)
{
	struct sr_buf line = { 0 };
	bool ok = false;

	if (log->tail.bound) {
		if (memcmp(log->tail.audit_key, audit_key, AUDIT_KEY_SIZE) != 0)
			return sr_fail(err, SR_E_CORRUPT,
				       "audit log %s: is of another TA: its audit key is another",
				       log->path);
		return true;
	}
	audit_put_header(&line, audit_key);
	ok = write_lines(log, &line, err);
	sr_buf_free(&line);
	return ok;
}

/* Where the log will end, while the lines to come are made. */
struct continuation {
	uint64_t seq;
	uint8_t head[AUDIT_HEAD_SIZE];
	uint64_t at_ms;
	uint64_t added; /* records that the log did not hold yet */
	struct sr_buf lines;
};

/* The TA sends a record until it has heard that it is stored. */
static bool check_repeated(const struct audit_log *log, const struct audit_record *record,
			   struct sr_error *err)
{
	const struct audit_link *link = audit_recent_find(log, record->seq);
	uint8_t head[AUDIT_HEAD_SIZE];

	if (!link || !link->linked)
		return sr_fail(err, SR_E_CORRUPT,
			       "audit log %s: record %llu came again, too late to be compared",
			       log->path, (unsigned long long)record->seq);
	audit_record_head(link->before, record, head);
	return memcmp(head, link->head, sizeof(head)) == 0 ||
	       sr_fail(err, SR_E_CORRUPT,
		       "audit log %s: the TA's record %llu is not the one that the log holds",
		       log->path, (unsigned long long)record->seq);
}

static bool add_record(const struct audit_log *log, struct continuation *c, struct sr_bytes bytes,
		       struct sr_error *err)
{
	struct audit_record record = { 0 };
	uint64_t follows = c->seq;

	if (!audit_record_decode(bytes, &record, err))
		return sr_fail_in(err, "audit log %s", log->path);
	if (record.seq <= log->tail.seq && !log->tail.empty)
		return check_repeated(log, &record, err);
	/* Only BEGIN may pass numbers over. */
	if (record.seq <= c->seq || (record.seq - c->seq > 1 && record.command != SR_TA_CMD_BEGIN))
		return sr_fail(err, SR_E_CORRUPT,
			       "audit log %s: expected record %llu, the TA sent %llu", log->path,
			       (unsigned long long)c->seq + 1, (unsigned long long)record.seq);
	c->seq = record.seq;
	c->added++;
	audit_next_head(c->head, bytes, c->head);
	audit_put_record(&c->lines, &record, c->head, follows, c->at_ms);
	return true;
}

bool audit_log_append(struct audit_log *log, const struct sr_bytes *records, size_t count,
		      struct sr_error *err)
{
	struct continuation c = { .seq = log->tail.seq, .at_ms = sr_time_unix_ms() };
	bool ok = false;

	if (!count)
		return true;
	if (!log->tail.bound)
		return sr_fail(err, SR_E_INTERNAL, "audit log %s: has no header yet", log->path);
	if (log->tail.empty)
		audit_genesis(log->tail.audit_key, c.head);
	else
		memcpy(c.head, log->tail.head, sizeof(c.head));
	for (size_t i = 0; i < count; i++) {
		if (!add_record(log, &c, records[i], err))
			goto out;
	}
	ok = write_lines(log, &c.lines, err);
	if (ok)
		atomic_fetch_add(&log->appended, c.added);
out:
	sr_buf_free(&c.lines);
	return ok;
}

static bool check_checkpoint(const struct audit_log *log, const struct audit_checkpoint *checkpoint,
			     struct sr_error *err)
{
	const struct audit_link *link = audit_recent_find(log, checkpoint->seq);

	if (memcmp(checkpoint->ta, audit_ta_uuid, sizeof(checkpoint->ta)) != 0)
		return sr_fail(err, SR_E_CORRUPT, "the checkpoint is another TA's");
	if (checkpoint->seq > log->tail.seq)
		return sr_fail(err, SR_E_CORRUPT,
			       "the checkpoint is of record %llu, the log ends with %llu",
			       (unsigned long long)checkpoint->seq,
			       (unsigned long long)log->tail.seq);
	if (link && memcmp(link->head, checkpoint->head, sizeof(link->head)) != 0)
		return sr_fail(err, SR_E_CORRUPT,
			       "the checkpoint signs another chain than the log's at record %llu",
			       (unsigned long long)checkpoint->seq);
	return true;
}

bool audit_log_append_checkpoint(struct audit_log *log,
				 const uint8_t checkpoint[static SR_TA_CHECKPOINT_SIZE],
				 const uint8_t signature[static SR_TA_SECP256K1_SIGNATURE_SIZE],
				 struct sr_error *err)
{
	struct audit_checkpoint parsed = { 0 };
	struct sr_buf line = { 0 };
	bool ok = false;

	if (!log->tail.bound)
		return sr_fail(err, SR_E_INTERNAL, "audit log %s: has no header yet", log->path);
	if (!audit_checkpoint_decode(checkpoint, &parsed, err))
		return sr_fail_in(err, "audit log %s", log->path);
	if (!audit_checkpoint_signed(checkpoint, signature, log->tail.audit_key))
		return sr_fail(err, SR_E_CORRUPT,
			       "audit log %s: the checkpoint's signature is not the audit key's",
			       log->path);
	if (!check_checkpoint(log, &parsed, err))
		return sr_fail_in(err, "audit log %s", log->path);
	if (parsed.seq <= log->tail.checkpoint_seq)
		return true; /* another process was faster */
	audit_put_checkpoint(&line, checkpoint, signature);
	ok = write_lines(log, &line, err);
	sr_buf_free(&line);
	return ok;
}
