/* SPDX-License-Identifier: Apache-2.0 */
#include "big_log.h"

#include "audit/audit_private.h"

#define CHECKPOINT_EVERY 256
#define LINE_MEAN 352 /* bytes a record, checkpoints included, and a little more */

static void put_next(struct sr_buf *out, struct maker *m)
{
	struct audit_record record = { 0 };
	struct made made;
	uint64_t follows = m->seq;

	if (!m->seq)
		make_begin(m, 0, &made);
	else
		make_record(m, SR_TA_CMD_SIGN_SPONSORSHIP, &made);
	if (!audit_record_decode((struct sr_bytes){ made.bytes, made.len }, &record, NULL))
		out->failed = true;
	audit_put_record(out, &record, m->head, follows, 1790000000000u + m->seq);
}

bool big_log_make(struct sr_buf *out, struct maker *m, uint64_t records)
{
	uint8_t checkpoint[SR_TA_CHECKPOINT_SIZE];
	uint8_t signature[SR_TA_SECP256K1_SIGNATURE_SIZE];

	sr_buf_init(out, (size_t)records * AUDIT_LINE_MAX + AUDIT_LINE_MAX);
	if (!sr_buf_reserve(out, (size_t)records * LINE_MEAN))
		return false;
	maker_init(m, 1);
	audit_put_header(out, m->key);
	while (m->seq < records && !out->failed) {
		put_next(out, m);
		if (m->seq % CHECKPOINT_EVERY != 0 && m->seq != records)
			continue;
		make_checkpoint(m, checkpoint, signature);
		audit_put_checkpoint(out, checkpoint, signature);
	}
	return !out->failed;
}
