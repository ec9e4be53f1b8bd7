/* SPDX-License-Identifier: Apache-2.0 */
/* What verification found, for people and for programs. */
#include <string.h>

#include "cli/audit_cli.h"

typedef unsigned long long ull;

static void put_gaps_json(struct sr_buf *out, const struct audit_report *r)
{
	sr_buf_printf(out, ",\"gapCount\":%llu,\"gaps\":[", (ull)r->gap_count);
	for (size_t i = 0; i < r->gap_count && i < AUDIT_GAPS_MAX; i++)
		sr_buf_printf(out, "%s{\"line\":%llu,\"first\":%llu,\"last\":%llu,\"lost\":%s}",
			      i ? "," : "", (ull)r->gaps[i].line, (ull)r->gaps[i].first,
			      (ull)r->gaps[i].last, r->gaps[i].lost ? "true" : "false");
	sr_buf_puts(out, "]");
}

static void put_json(struct sr_buf *out, const char *path, const struct audit_report *r,
		     bool key_given)
{
	sr_buf_puts(out, "{\"file\":");
	sr_buf_put_json_string(out, path, strlen(path));
	sr_buf_printf(out, ",\"holds\":%s,\"fault\":\"%s\"", r->fault ? "false" : "true",
		      audit_fault_name(r->fault));
	if (r->fault) {
		sr_buf_printf(out, ",\"line\":%llu,\"first\":%llu,\"last\":%llu,\"message\":",
			      (ull)r->line, (ull)r->first, (ull)r->last);
		sr_buf_put_json_string(out, r->message, strlen(r->message));
	}
	sr_buf_puts(out, ",\"auditKey\":\"");
	sr_buf_put_hex_0x(out, r->audit_key, sizeof(r->audit_key));
	sr_buf_printf(out, "\",\"keyGiven\":%s,\"from\":%llu,\"records\":%llu,\"checkpoints\":%llu",
		      key_given ? "true" : "false", (ull)r->from_seq, (ull)r->records,
		      (ull)r->checkpoints);
	sr_buf_printf(out, ",\"lastSequence\":%llu,\"generation\":%llu,\"head\":\"",
		      (ull)r->last_seq, (ull)r->last_generation);
	sr_buf_put_hex_0x(out, r->head, sizeof(r->head));
	sr_buf_printf(out, "\",\"signedUpTo\":%llu,\"unsigned\":%llu", (ull)r->signed_seq,
		      (ull)r->unsigned_records);
	put_gaps_json(out, r);
	sr_buf_puts(out, "}\n");
}

static void put_gaps_text(struct sr_buf *out, const struct audit_report *r)
{
	for (size_t i = 0; i < r->gap_count && i < AUDIT_GAPS_MAX; i++)
		sr_buf_printf(out,
			      "  note, line %llu: the TA began anew and passed over %llu to "
			      "%llu: %s\n",
			      (ull)r->gaps[i].line, (ull)r->gaps[i].first, (ull)r->gaps[i].last,
			      r->gaps[i].lost ? "records of its own were among them"
					      : "it had not been stopped cleanly");
	if (r->gap_count > AUDIT_GAPS_MAX)
		sr_buf_printf(out, "  note: %llu more of these\n",
			      (ull)r->gap_count - AUDIT_GAPS_MAX);
}

static void put_text(struct sr_buf *out, const char *path, const struct audit_report *r,
		     bool key_given)
{
	if (r->fault)
		sr_buf_printf(out, "%s: DOES NOT HOLD (%s)\n  %s\n", path,
			      audit_fault_name(r->fault), r->message);
	else
		sr_buf_printf(out, "%s: holds\n", path);
	sr_buf_printf(out, "  in order%s: records %llu to %llu (%llu), checkpoints: %llu\n",
		      r->fault ? " before that" : "", (ull)r->from_seq, (ull)r->last_seq,
		      (ull)r->records, (ull)r->checkpoints);
	if (r->signed_seq)
		sr_buf_printf(out,
			      "  signed by the TA: up to record %llu; behind it, chained and not "
			      "signed yet: %llu\n",
			      (ull)r->signed_seq, (ull)r->unsigned_records);
	else
		sr_buf_puts(out, "  signed by the TA: nothing\n");
	put_gaps_text(out, r);
	sr_buf_puts(out, "  audit key ");
	sr_buf_put_hex_0x(out, r->audit_key, sizeof(r->audit_key));
	sr_buf_puts(out, key_given ? ", the one given\n"
				   : ", the log's own word: compare it with the TA's (--key)\n");
}

int audit_cli_print(const char *path, const struct audit_report *report, bool key_given)
{
	struct sr_buf out = { 0 };
	int status = CLI_OK;

	if (cli_json())
		put_json(&out, path, report, key_given);
	else
		put_text(&out, path, report, key_given);
	status = cli_print(&out);
	return report->fault ? CLI_FAILED : status;
}
