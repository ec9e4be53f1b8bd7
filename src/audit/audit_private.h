/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SR_AUDIT_PRIVATE_H
#define SR_AUDIT_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "audit/audit.h"

/* ---- lines (line.c, parse.c) ------------------------------------------------ */

extern const uint8_t audit_ta_uuid[16];

void audit_put_header(struct sr_buf *out, const uint8_t audit_key[static AUDIT_KEY_SIZE]);
/* follows: the number of the record before; written for BEGIN alone. */
void audit_put_record(struct sr_buf *out, const struct audit_record *record,
		      const uint8_t head[static AUDIT_HEAD_SIZE], uint64_t follows, uint64_t at_ms);
void audit_put_checkpoint(struct sr_buf *out,
			  const uint8_t checkpoint[static SR_TA_CHECKPOINT_SIZE],
			  const uint8_t signature[static SR_TA_SECP256K1_SIGNATURE_SIZE]);
/* One line without its line feed; true for what the three writers above write, byte for byte.
 * out->line is left as it is. */
bool audit_parse_line(const char *text, size_t len, struct audit_entry *out) SR_MUST_USE;

bool audit_command_from_name(const char *name, size_t len, uint8_t *out) SR_MUST_USE;
bool audit_decision_from_name(const char *name, size_t len, uint32_t *out) SR_MUST_USE;
bool audit_key_id_valid(const char *id, size_t len) SR_MUST_USE;

/* ---- the chain (record.c) ------------------------------------------------------ */

/* The head after a record whose predecessor left the head before. */
void audit_record_head(const uint8_t before[static AUDIT_HEAD_SIZE],
		       const struct audit_record *record, uint8_t out[static AUDIT_HEAD_SIZE]);
/* The number of the record that a record line follows. */
uint64_t audit_predecessor(const struct audit_entry *entry);
/* The key that signed; false when nothing can have signed so. */
bool audit_checkpoint_signer(const uint8_t bytes[static SR_TA_CHECKPOINT_SIZE],
			     const uint8_t signature[static SR_TA_SECP256K1_SIGNATURE_SIZE],
			     uint8_t audit_key[static AUDIT_KEY_SIZE]) SR_MUST_USE;

/* ---- the file (read.c) ----------------------------------------------------------- */

struct audit_map {
	const char *text; /* NULL when len is 0 */
	size_t len;
};

/* The log as it is between two writes. */
bool audit_map_open(const char *path, struct audit_map *out, struct sr_error *err) SR_MUST_USE;
void audit_map_close(struct audit_map *map);

/* ---- the open log (log.c, tail.c, append.c, sync.c) ---------------------------------- */

/* Recent records, to tell what the TA sends again. More than SR_TA_RING_MAX. */
#define AUDIT_RECENT 512

struct audit_link {
	uint64_t seq;
	bool linked; /* before is known */
	uint8_t before[AUDIT_HEAD_SIZE], head[AUDIT_HEAD_SIZE];
};

struct audit_log {
	char *path;
	int fd;
	pthread_mutex_t lock; /* of the threads; flock is of the processes */
	struct audit_tail tail;
	off_t end;    /* what has been read of the file, or written: whole lines */
	off_t least;  /* the file was that long: it may not be shorter */
	bool partial; /* the tail's first record is not the log's */
	struct audit_link recent[AUDIT_RECENT];
	uint64_t recent_count; /* all that were ever put in */

	pthread_mutex_t sync_lock;
	pthread_cond_t synced_more;
	uint64_t known, synced; /* how often lines were taken, and as far as it is durable */
	uint64_t known_seq, durable_seq; /* the last records of both */
	bool syncing, broken;

	/* for metrics; the atomics are read without the lock */
	uint64_t last_at_ms; /* of the last record */
	_Atomic uint64_t appended, signed_at_ms, unsigned_records;
};

/* Brings tail and end up to date; mends a torn last line. flock is held. */
bool audit_tail_refresh(struct audit_log *log, struct sr_error *err) SR_MUST_USE;
/* Takes whole lines that begin at log->end into the tail. */
bool audit_tail_take(struct audit_log *log, const char *text, size_t len,
		     struct sr_error *err) SR_MUST_USE;
/* NULL: not among the recent ones. */
const struct audit_link *audit_recent_find(const struct audit_log *log, uint64_t seq);

/* Whole lines were appended or read: the log ends with record seq. */
void audit_sync_note(struct audit_log *log, uint64_t seq);
bool audit_sync_broken(struct audit_log *log);

#endif
