/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log: its lines, its verification, and the TA's records. */
#include <stdlib.h>
#include <string.h>

#include "audit/audit_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A line is read only if it is, byte for byte, what the writer writes. */
static void check_line(const char *text, size_t len)
{
	struct audit_entry e = { .line = 1 };
	struct sr_buf again = { 0 };

	if (!audit_parse_line(text, len, &e))
		return;
	if (e.type == AUDIT_LINE_RECORD)
		audit_put_record(&again, &e.record, e.head, e.follows, e.at_ms);
	else if (e.type == AUDIT_LINE_CHECKPOINT)
		audit_put_checkpoint(&again, e.checkpoint, e.signature);
	else if (memcmp(e.ta, audit_ta_uuid, sizeof(e.ta)) == 0)
		audit_put_header(&again, e.audit_key);
	if (again.len && (again.len != len + 1 || memcmp(again.data, text, len) != 0))
		abort();
	sr_buf_free(&again);
}

static void check_record(const uint8_t *data, size_t size)
{
	struct audit_record record = { 0 };
	uint8_t bytes[SR_TA_RECORD_MAX];

	if (audit_record_decode((struct sr_bytes){ data, size }, &record, NULL) &&
	    (audit_record_encode(&record, bytes) != size || memcmp(bytes, data, size) != 0))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct audit_report report;
	const char *text = (const char *)data;
	struct audit_options options = { .allow_unsigned = size & 1,
					 .allow_begun_behind = size & 2,
					 .since_seq = size & 4 ? 3 : 0,
					 .expect = size & 8,
					 .expect_seq = 4 };

	for (size_t at = 0; at < size;) {
		const char *end = memchr(text + at, '\n', size - at);
		size_t len = end ? (size_t)(end - text) - at : size - at;

		check_line(text + at, len);
		check_record(data + at, len);
		at += len + 1;
	}
	if (audit_verify_text(text, size, &options, &report, NULL) &&
	    (report.fault == AUDIT_HOLDS) != (report.message[0] == '\0'))
		abort();
	return 0;
}
