/* SPDX-License-Identifier: Apache-2.0 */
/* superrelay_optee_* and superrelay_audit_*: what the TEE does, and what is recorded of it. */
#include <stdio.h>

#include "audit/audit.h"
#include "http/metrics_private.h"

static void put_two(struct sr_buf *out, const char *name, const char *operation, uint64_t ok,
		    uint64_t failed)
{
	struct metrics_labels good = { .len = 0 };
	struct metrics_labels bad = { .len = 0 };

	metrics_label(&good, "operation", operation);
	metrics_label(&good, "result", "ok");
	metrics_label(&bad, "operation", operation);
	metrics_label(&bad, "result", "error");
	metrics_put(out, name, &good, ok);
	metrics_put(out, name, &bad, failed);
}

static void put_operations(const struct metrics *m, struct sr_buf *out)
{
	static const char name[] = "superrelay_optee_operations_total";

	metrics_head(out, name, "counter", "Commands sent to the Trusted Application.");
	for (size_t i = 0; i < SR_TA_COMMANDS; i++) {
		const struct metrics_command *c = &m->commands[i];
		char scratch[AUDIT_NAME_MAX];

		put_two(out, name, audit_command_name((uint8_t)i, scratch), metrics_get(&c->ok),
			metrics_get(&c->failed));
	}
}

static void put_durations(const struct metrics *m, struct sr_buf *out)
{
	static const char name[] = "superrelay_optee_operation_duration_seconds";

	metrics_head(out, name, "histogram",
		     "Time a command spent in the Trusted Application, a batch counting once.");
	for (size_t i = 0; i < SR_TA_COMMANDS; i++) {
		struct metrics_labels labels = { .len = 0 };
		char scratch[AUDIT_NAME_MAX];

		metrics_label(&labels, "operation", audit_command_name((uint8_t)i, scratch));
		histogram_put(out, name, &labels, &m->commands[i].duration, &histogram_tee_time);
	}
}

static void put_errors(const struct metrics *m, struct sr_buf *out)
{
	static const char name[] = "superrelay_optee_errors_total";

	metrics_head(out, name, "counter",
		     "Commands that the TEE or the Trusted Application refused, by GlobalPlatform "
		     "result.");
	for (size_t i = 0; i < METRICS_RESULTS_MAX; i++) {
		uint64_t key = metrics_get(&m->results[i].key);
		const char *error = tee_result_name((uint32_t)key);
		struct metrics_labels labels = { .len = 0 };
		char scratch[AUDIT_NAME_MAX];
		char number[16];

		if (!key)
			continue;
		snprintf(number, sizeof(number), "0x%08x", (unsigned)(uint32_t)key);
		metrics_label(&labels, "operation",
			      audit_command_name((uint8_t)((key >> 32) - 1), scratch));
		metrics_label(&labels, "error", error ? error : number);
		metrics_put(out, name, &labels, metrics_get(&m->results[i].count));
	}
}

#define USES_MAX 3

/* A use of keys, and the commands that are one; zeros behind the last. */
static const struct key_use {
	const char *name;
	unsigned count;
	uint32_t commands[USES_MAX];
} key_uses[] = {
	{ "generate", 2, { SR_TA_CMD_GENERATE_KEY, SR_TA_CMD_ROTATE_KEY } },
	{ "import", 2, { SR_TA_CMD_IMPORT_KEY, SR_TA_CMD_IMPORT_WRAPPED } },
	{ "export", 1, { SR_TA_CMD_EXPORT_WRAPPED } },
	{ "sign",
	  3,
	  { SR_TA_CMD_SIGN_SPONSORSHIP, SR_TA_CMD_SIGN_MESSAGE, SR_TA_CMD_SIGN_TRANSACTION } },
	{ "public_key", 1, { SR_TA_CMD_GET_PUBLIC_KEY } },
	{ "delete", 1, { SR_TA_CMD_DELETE_KEY } },
};

static void put_key_operations(const struct metrics *m, struct sr_buf *out)
{
	static const char name[] = "superrelay_optee_key_operations_total";

	metrics_head(out, name, "counter", "Uses of keys; each signature of a batch counts.");
	for (size_t i = 0; i < SR_ARRAY_LEN(key_uses); i++) {
		const struct key_use *use = &key_uses[i];
		uint64_t ok = 0;
		uint64_t failed = 0;

		for (unsigned k = 0; k < use->count; k++) {
			ok += metrics_get(&m->commands[use->commands[k]].items);
			failed += metrics_get(&m->commands[use->commands[k]].items_failed);
		}
		put_two(out, name, use->name, ok, failed);
	}
}

static void put_queue(const struct metrics *m, const struct kms *kms, struct sr_buf *out)
{
	static const char batch[] = "superrelay_optee_batch_size";
	static const char wait[] = "superrelay_optee_queue_wait_seconds";

	metrics_put_only(out, "superrelay_optee_sessions_active", "gauge",
			 "Sessions open to the Trusted Application.", kms ? kms_sessions(kms) : 0);
	metrics_put_only(out, "superrelay_optee_queue_depth", "gauge",
			 "Signing requests that wait for the next batch.",
			 kms ? kms_queue_depth(kms) : 0);
	metrics_head(out, batch, "histogram",
		     "Signatures asked for by one successful signing command.");
	histogram_put(out, batch, NULL, &m->batch_size, &histogram_batch);
	metrics_head(out, wait, "histogram",
		     "Time a signing request waited before its command was sent.");
	histogram_put(out, wait, NULL, &m->queue_wait, &histogram_tee_time);
}

static void put_audit(const struct kms *kms, struct sr_buf *out)
{
	static const char time[] = "superrelay_audit_last_checkpoint_timestamp_seconds";
	struct audit_figures audit;

	if (!kms || !kms_audit_figures(kms, &audit))
		return;
	metrics_put_only(out, "superrelay_audit_records_total", "counter",
			 "Records that this process appended to the audit log.", audit.records);
	metrics_put_only(out, "superrelay_audit_unsigned_records", "gauge",
			 "Records of the audit log behind its last checkpoint.",
			 audit.unsigned_records);
	metrics_put_only(out, "superrelay_audit_log_size_bytes", "gauge", "Size of the audit log.",
			 audit.size);
	if (!audit.signed_at_ms)
		return;
	metrics_head(out, time, "gauge",
		     "When the last record before the last checkpoint was written, Unix time.");
	metrics_put_ratio(out, time, NULL, audit.signed_at_ms, 1000);
}

void metrics_write_tee(const struct metrics *m, struct sr_buf *out)
{
	const struct kms *kms = atomic_load(&m->kms);

	put_operations(m, out);
	put_durations(m, out);
	put_errors(m, out);
	put_key_operations(m, out);
	put_queue(m, kms, out);
	put_audit(kms, out);
}
