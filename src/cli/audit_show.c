/* SPDX-License-Identifier: Apache-2.0 */
/* The log's lines, readably. */
#include <stdio.h>
#include <string.h>

#include "cli/audit_cli.h"

typedef unsigned long long ull;

#define FLUSH_AT ((size_t)64 * 1024) /* a log may be longer than memory */

struct showing {
	uint64_t since_seq, since_ms;
	struct sr_buf out;
	bool failed;
};

static void put_value(struct sr_buf *out, const struct audit_record *r)
{
	uint8_t whole[32] = { 0 };
	struct eth_u256 value = { 0 };
	char text[ETH_U256_DEC_MAX];

	memcpy(whole + 16, r->value, sizeof(r->value));
	value = eth_u256_from_be(whole);
	(void)eth_u256_to_dec(&value, text);
	sr_buf_puts(out, text);
}

static void put_begin(struct sr_buf *out, const struct audit_entry *e)
{
	char time[AUDIT_TIME_TEXT] = "";
	uint64_t seconds = audit_begin_host_time(&e->record);

	/* the host's word, which may be any number */
	audit_format_time(seconds < UINT64_MAX / 1000 ? seconds * 1000 : UINT64_MAX, time);
	sr_buf_printf(out, " follows=%llu stored=%llu hostTime=%s", (ull)e->follows,
		      (ull)audit_begin_stored(&e->record), time);
}

static void put_record(struct sr_buf *out, const struct audit_entry *e)
{
	const struct audit_record *r = &e->record;
	char command[AUDIT_NAME_MAX] = "";
	char decision[AUDIT_NAME_MAX] = "";
	char at[AUDIT_TIME_TEXT] = "";

	audit_format_time(e->at_ms, at);
	sr_buf_printf(out, "%8llu  %s  %-16s  %-13s", (ull)r->seq, at,
		      audit_command_name(r->command, command),
		      audit_decision_name(r->decision, decision));
	if (r->key_id[0])
		sr_buf_printf(out, " key=%s", r->key_id);
	if (r->policy_version)
		sr_buf_printf(out, " policyVersion=%u", r->policy_version);
	if (r->command == SR_TA_CMD_BEGIN) {
		put_begin(out, e);
	} else {
		sr_buf_puts(out, " value=");
		put_value(out, r);
	}
	sr_buf_printf(out, " generation=%llu digest=", (ull)r->generation);
	sr_buf_put_hex_0x(out, r->digest, sizeof(r->digest));
	sr_buf_puts(out, "\n");
}

static void put_checkpoint(struct sr_buf *out, const struct audit_entry *e)
{
	struct audit_checkpoint c = { 0 };

	if (!audit_checkpoint_decode(e->checkpoint, &c, NULL)) {
		sr_buf_puts(out, "          a checkpoint of another form\n");
		return;
	}
	sr_buf_printf(out, "          checkpoint of record %llu, generation %llu, head ",
		      (ull)c.seq, (ull)c.generation);
	sr_buf_put_hex_0x(out, c.head, sizeof(c.head));
	sr_buf_puts(out, "\n");
}

static void put_header(struct sr_buf *out, const struct audit_entry *e)
{
	sr_buf_puts(out, "audit key ");
	sr_buf_put_hex_0x(out, e->audit_key, sizeof(e->audit_key));
	sr_buf_puts(out, "\n");
}

static void put_record_json(struct sr_buf *out, const struct audit_entry *e)
{
	const struct audit_record *r = &e->record;
	char command[AUDIT_NAME_MAX] = "";
	char decision[AUDIT_NAME_MAX] = "";
	char at[AUDIT_TIME_TEXT] = "";

	audit_format_time(e->at_ms, at);
	sr_buf_printf(out, "{\"line\":%llu,\"seq\":%llu,\"at\":\"%s\",\"command\":\"%s\"",
		      (ull)e->line, (ull)r->seq, at, audit_command_name(r->command, command));
	sr_buf_printf(out, ",\"decision\":\"%s\",\"key\":\"%s\",\"policyVersion\":%u,\"value\":\"",
		      audit_decision_name(r->decision, decision), r->key_id, r->policy_version);
	put_value(out, r);
	sr_buf_printf(out, "\",\"generation\":%llu,\"time\":%llu,\"digest\":\"", (ull)r->generation,
		      (ull)r->time_ms);
	sr_buf_put_hex_0x(out, r->digest, sizeof(r->digest));
	sr_buf_puts(out, "\"");
	if (r->command == SR_TA_CMD_BEGIN)
		sr_buf_printf(out, ",\"follows\":%llu,\"stored\":%llu,\"hostTime\":%llu",
			      (ull)e->follows, (ull)audit_begin_stored(r),
			      (ull)audit_begin_host_time(r));
	sr_buf_puts(out, "}\n");
}

static void put_entry(struct showing *s, const struct audit_entry *e)
{
	if (cli_json()) {
		if (e->type == AUDIT_LINE_RECORD)
			put_record_json(&s->out, e);
	} else if (e->type == AUDIT_LINE_RECORD) {
		put_record(&s->out, e);
	} else if (e->type == AUDIT_LINE_CHECKPOINT) {
		put_checkpoint(&s->out, e);
	} else {
		put_header(&s->out, e);
	}
}

static void flush(struct showing *s)
{
	s->failed |= s->out.failed || fwrite(s->out.data, 1, s->out.len, stdout) != s->out.len;
	sr_buf_clear(&s->out);
}

static bool show_entry(void *arg, const struct audit_entry *e)
{
	struct showing *s = arg;

	if (e->type == AUDIT_LINE_RECORD &&
	    (e->record.seq >= s->since_seq && e->at_ms >= s->since_ms))
		s->since_seq = s->since_ms = 0;
	if (s->since_seq || s->since_ms)
		return true;
	put_entry(s, e);
	if (s->out.len > FLUSH_AT)
		flush(s);
	return !s->failed;
}

int audit_cli_show(const char *path, const struct audit_cli_options *o)
{
	struct showing s = { .out = { .data = NULL } };
	struct sr_error err = { .code = SR_OK };
	bool ok = !o->since || audit_cli_since(o->since, &s.since_seq, &s.since_ms, &err);

	if (!ok)
		return cli_usage_error("audit", "%s", err.message);
	ok = audit_read(path, show_entry, &s, &err);
	if (s.out.len)
		flush(&s);
	sr_buf_free(&s.out);
	if (!ok)
		return cli_fail(&err);
	if (!s.failed && fflush(stdout) == 0)
		return CLI_OK;
	(void)sr_fail(&err, SR_E_UNAVAILABLE, "the output could not be written");
	return cli_fail(&err);
}
