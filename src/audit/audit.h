/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit: the host's log of what the TA did, and its verification.
 *
 * The TA hands out audit records; each is a link of a SHA-256 chain whose head the TA
 * keeps, and signs in checkpoints (super_relay_ta.h). The log holds them as JSON lines:
 *
 *   {"superRelayAudit":1,"ta":"UUID","auditKey":"0x04…"}                      line 1
 *   {"seq":7,"generation":3,"time":120450,"command":"sign_sponsorship","decision":"ok",
 *    "policyVersion":1,"value":"5000000","digest":"0x…","key":"primary","head":"0x…",
 *    "at":"2026-01-31T12:00:00.000Z"}                                         a record, one line
 *   {"checkpoint":"0x…","signature":"0x…"}                                    a checkpoint
 *
 * This is the only form of a line: a byte more or less, and the line counts as changed. The
 * record's bytes are made anew from its fields. "at" is the host's clock and no part of the
 * chain; nor is "follows" of a BEGIN record, the number of the record before it, but it
 * must agree with the line before. docs/audit.md has the format for auditors.
 */
#ifndef SR_AUDIT_H
#define SR_AUDIT_H

#include "base/base.h"
#include "super_relay_ta.h"

#define AUDIT_FORMAT_VERSION 1
#define AUDIT_HEAD_SIZE SR_TA_HEAD_SIZE
#define AUDIT_KEY_SIZE SR_TA_SECP256K1_PUBLIC_SIZE
#define AUDIT_LINE_MAX 1024 /* bytes of any line, with its line feed */

/* ---- records and checkpoints -------------------------------------------- */

struct audit_record {
	uint64_t seq, generation;
	uint64_t time_ms;  /* the TEE's clock, from its boot */
	uint8_t command;   /* SR_TA_CMD_* */
	uint32_t decision; /* the TEE result: 0 is success */
	uint32_t policy_version;
	uint8_t value[16], digest[32];	   /* their meaning depends on command: super_relay_ta.h */
	char key_id[SR_TA_KEY_ID_MAX + 1]; /* empty: of no key */
};

struct audit_checkpoint {
	uint8_t ta[16]; /* UUID, octets */
	uint64_t seq, generation, time_ms;
	uint8_t head[AUDIT_HEAD_SIZE];
};

/* The TA's bytes of a record. False: not exactly one record of version 1. */
bool audit_record_decode(struct sr_bytes bytes, struct audit_record *out,
			 struct sr_error *err) SR_MUST_USE;
/* Returns the number of bytes. */
size_t audit_record_encode(const struct audit_record *record, uint8_t out[static SR_TA_RECORD_MAX]);
bool audit_checkpoint_decode(const uint8_t bytes[static SR_TA_CHECKPOINT_SIZE],
			     struct audit_checkpoint *out, struct sr_error *err) SR_MUST_USE;
void audit_checkpoint_encode(const struct audit_checkpoint *checkpoint,
			     uint8_t out[static SR_TA_CHECKPOINT_SIZE]);
/* True when signature (r ‖ s ‖ v, low s) is the audit key's over the checkpoint's SHA-256. */
bool audit_checkpoint_signed(const uint8_t bytes[static SR_TA_CHECKPOINT_SIZE],
			     const uint8_t signature[static SR_TA_SECP256K1_SIGNATURE_SIZE],
			     const uint8_t audit_key[static AUDIT_KEY_SIZE]) SR_MUST_USE;

/* head(0) of a chain, and the head after one more record. head and out may be the same. */
void audit_genesis(const uint8_t audit_key[static AUDIT_KEY_SIZE],
		   uint8_t out[static AUDIT_HEAD_SIZE]);
void audit_next_head(const uint8_t head[static AUDIT_HEAD_SIZE], struct sr_bytes record,
		     uint8_t out[static AUDIT_HEAD_SIZE]);

/* "sign_sponsorship"; "command_200" for one without a name. */
#define AUDIT_NAME_MAX 24
const char *audit_command_name(uint8_t command, char scratch[static AUDIT_NAME_MAX]);
/* "ok", "access_denied"; "0xffff5000" for one without a name. */
const char *audit_decision_name(uint32_t decision, char scratch[static AUDIT_NAME_MAX]);

/* The two numbers in a BEGIN record's value. */
uint64_t audit_begin_host_time(const struct audit_record *record);
uint64_t audit_begin_stored(const struct audit_record *record);

#define AUDIT_TIME_TEXT 25 /* "2026-01-31T12:00:00.000Z" and a NUL */
/* A time later than the year 9999 is written as its last millisecond. */
void audit_format_time(uint64_t unix_ms, char out[static AUDIT_TIME_TEXT]);
/* That very form. */
bool audit_parse_time(const char *text, size_t len, uint64_t *unix_ms) SR_MUST_USE;

/* ---- writing ------------------------------------------------------------- */

/*
 * Several processes may append to one log. Who appends:
 *
 *   audit_log_lock(log, &tail)   no one else appends from here on; tail is where the log ends
 *   … the TA is asked, with audit_log_durable(log) as "audited" …
 *   audit_log_bind(log, key)     once, when BEGIN has told the audit key
 *   audit_log_append(log, …)     what the TA's response brought
 *   audit_log_unlock(log)
 *   audit_log_sync(log)          before the answer goes out
 *
 * The lock is of the process's threads, too. Without it only sync, durable, close and path may be
 * called.
 */
struct audit_log;

struct audit_tail {
	bool empty; /* no record yet: seq and generation are 0, head is zeros */
	uint64_t seq, generation;
	uint8_t head[AUDIT_HEAD_SIZE];
	uint64_t checkpoint_seq; /* of the last checkpoint in the log; 0: none is near its end */
	bool bound;		 /* the log has its header */
	uint8_t audit_key[AUDIT_KEY_SIZE]; /* zeros when not bound */
};

/*
 * The directory must exist. create: makes the file, mode 0600, where there is none;
 * without it, SR_E_NOT_FOUND. SR_E_DENIED: the file is not a regular one, or its group or
 * others may write to it. SR_E_CORRUPT: its first or last lines are no log's.
 */
bool audit_log_open(const char *path, bool create, struct audit_log **out,
		    struct sr_error *err) SR_MUST_USE;
/* The lock must not be held. NULL is allowed. Does not sync. */
void audit_log_close(struct audit_log *log);

/*
 * Waits for the lock, reads what others have appended, and heals a last line that a crash has
 * torn (with a warning in the log of the daemon). tail may be NULL.
 * SR_E_CORRUPT: the file shrank, was replaced, or has lines that are no log's. On failure
 * the lock is not held.
 */
bool audit_log_lock(struct audit_log *log, struct audit_tail *tail,
		    struct sr_error *err) SR_MUST_USE;
void audit_log_unlock(struct audit_log *log);

/* Where the log ends now. The lock must be held. */
void audit_log_tail(const struct audit_log *log, struct audit_tail *tail);

/* The log's audit key: writes the header of a new log. SR_E_CORRUPT: the log is of another key. */
bool audit_log_bind(struct audit_log *log, const uint8_t audit_key[static AUDIT_KEY_SIZE],
		    struct sr_error *err) SR_MUST_USE;

/*
 * Appends the TA's records, all or none. Those that the log holds already are
 * passed over. SR_E_CORRUPT: they do not continue the log, or differ from what it
 * holds. SR_E_UNAVAILABLE: the disk is full or fails; the log is as it was.
 */
bool audit_log_append(struct audit_log *log, const struct sr_bytes *records, size_t count,
		      struct sr_error *err) SR_MUST_USE;

/* Appends a checkpoint. One that is older than the log's last is passed over. SR_E_CORRUPT:
 * the signature is not the audit key's, or it is not of this log's chain, or of records that the
 * log does not hold yet. */
bool audit_log_append_checkpoint(struct audit_log *log,
				 const uint8_t checkpoint[static SR_TA_CHECKPOINT_SIZE],
				 const uint8_t signature[static SR_TA_SECP256K1_SIGNATURE_SIZE],
				 struct sr_error *err) SR_MUST_USE;

/*
 * Returns when all that this process appended or read before the call is durable. Any thread, with
 * or without the lock; calls at the same time share one fdatasync. After a failure
 * (SR_E_UNAVAILABLE) nobody can say what is on the disk: the log must be closed,
 * and every later call fails.
 */
bool audit_log_sync(struct audit_log *log, struct sr_error *err) SR_MUST_USE;

/* The last record that is known to be durable; 0: none, until the first sync. What a request to the
 * TA may call audited: the TA forgets a record that the host calls so. Any thread. */
uint64_t audit_log_durable(struct audit_log *log);

const char *audit_log_path(const struct audit_log *log);

/* For metrics. Any thread, without the lock. */
struct audit_figures {
	uint64_t records;	   /* appended by this process */
	uint64_t unsigned_records; /* behind the last checkpoint */
	uint64_t signed_at_ms;	   /* Unix time of the last record before it; 0: not known */
	uint64_t size;		   /* bytes of the file */
};

void audit_log_figures(const struct audit_log *log, struct audit_figures *out);

/* ---- verification --------------------------------------------------------- */

enum audit_fault {
	AUDIT_HOLDS = 0,
	AUDIT_CHANGED,	    /* a line's content */
	AUDIT_DROPPED,	    /* lines that must have been there are not */
	AUDIT_REORDERED,    /* a line stands before one that must precede it */
	AUDIT_ADDED,	    /* a line too much: a copy, or an invention */
	AUDIT_TRUNCATED,    /* the end is missing */
	AUDIT_REWRITTEN,    /* heads were computed anew: a signed one differs */
	AUDIT_FORGED,	    /* a checkpoint that the audit key did not sign */
	AUDIT_OTHER_CHAIN,  /* the log is of another audit key or another TA */
	AUDIT_BEGUN_BEHIND, /* the TA began behind a log that was cut, replaced or rolled back */
	AUDIT_UNSIGNED,	    /* no checkpoint */
};

/* "changed", …; "holds" */
const char *audit_fault_name(enum audit_fault fault);

struct audit_options {
	const uint8_t *audit_key; /* 65 bytes; NULL: the header's, which then proves nothing */
	uint64_t since_seq;	  /* 0: all. Else from the last checkpoint before it */
	uint64_t since_ms;	  /* 0: all. The same by "at", Unix time */
	bool allow_unsigned;	  /* a log without a checkpoint is no fault */
	bool allow_begun_behind;  /* AUDIT_BEGUN_BEHIND is a note (an override, a new log) */
	bool expect;		  /* the log must have record expect_seq with expect_head */
	uint64_t expect_seq;
	const uint8_t *expect_head; /* 32 bytes; NULL: any */
};

/* Sequence numbers that a BEGIN record passed over. */
struct audit_gap {
	uint64_t line, first, last;
	bool lost; /* the TA had stored a record among them: only with allow_begun_behind */
};

#define AUDIT_GAPS_MAX 64
#define AUDIT_MESSAGE_MAX 512

struct audit_report {
	enum audit_fault fault;
	char message[AUDIT_MESSAGE_MAX]; /* for people, of the first fault; empty when it holds */
	uint64_t line;			 /* of the fault, from 1; 0: of none */
	uint64_t first, last;		 /* sequence numbers that the fault is about; 0: none */
	uint8_t audit_key[AUDIT_KEY_SIZE];
	uint64_t from_seq;	       /* first record looked at */
	uint64_t records, checkpoints; /* looked at and in order */
	uint64_t last_seq, last_generation;
	uint8_t head[AUDIT_HEAD_SIZE];
	uint64_t signed_seq;	   /* of the last good checkpoint; 0: none */
	uint64_t unsigned_records; /* after it: chained, and not signed yet */
	uint64_t gap_count;	   /* all; the first AUDIT_GAPS_MAX are kept */
	struct audit_gap gaps[AUDIT_GAPS_MAX];
};

/* Verifies a log. False only when it cannot be read; what it says of the log is in out. */
bool audit_verify(const char *path, const struct audit_options *options, struct audit_report *out,
		  struct sr_error *err) SR_MUST_USE;
/* The same of a text in memory. */
bool audit_verify_text(const char *text, size_t len, const struct audit_options *options,
		       struct audit_report *out, struct sr_error *err) SR_MUST_USE;

/* ---- reading --------------------------------------------------------------- */

enum audit_line { AUDIT_LINE_HEADER, AUDIT_LINE_RECORD, AUDIT_LINE_CHECKPOINT };

/* One line of the log as it stands there, unverified. */
struct audit_entry {
	enum audit_line type;
	uint64_t line;
	uint8_t ta[16], audit_key[AUDIT_KEY_SIZE]; /* HEADER */
	struct audit_record record;		   /* RECORD */
	uint8_t head[AUDIT_HEAD_SIZE];
	uint64_t follows; /* of a BEGIN record */
	uint64_t at_ms;
	uint8_t checkpoint[SR_TA_CHECKPOINT_SIZE]; /* CHECKPOINT */
	uint8_t signature[SR_TA_SECP256K1_SIGNATURE_SIZE];
};

/* Calls each for every line until it returns false. SR_E_CORRUPT: a line is no log's. */
bool audit_read(const char *path, bool (*each)(void *arg, const struct audit_entry *entry),
		void *arg, struct sr_error *err) SR_MUST_USE;

#endif
