/* SPDX-License-Identifier: Apache-2.0 */
/* super-relay audit: the log of what the TA did. Reading and verifying it needs no TEE. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/audit_cli.h"
#include "kms/statement.h"

static const char help[] =
	"Usage: super-relay audit verify [OPTION]… [FILE]\n"
	"       super-relay audit show [--since SEQUENCE|TIME] [FILE]\n"
	"       super-relay audit checkpoint [--config FILE]\n"
	"       super-relay audit accept --signature FILE [--config FILE]\n\n"
	"The audit log of the Trusted Application: docs/audit.md. Without a FILE, the log of the\n"
	"configuration.\n\n"
	"verify checks the log offline and names the first record that was changed, dropped,\n"
	"reordered or added. Its exit status is 0 only when everything holds.\n"
	"  --key HEX             the TA's audit public key (65 bytes), known from elsewhere. "
	"Without\n"
	"                        it the key in the log's header is believed\n"
	"  --since SEQUENCE|TIME begin at the last checkpoint before a record, or a time\n"
	"                        (2026-01-31 or 2026-01-31T12:00:00Z, by the host's clock)\n"
	"  --checkpoint FILE     a checkpoint line that was kept elsewhere: the log must agree "
	"with\n"
	"                        it, and reach as far\n"
	"  --expect-seq N        the log must hold record N\n"
	"  --expect-head HEX     … and have this head there\n"
	"  --allow-unsigned      a log without any checkpoint is accepted\n"
	"  --allow-begun-behind  accept that the TA was begun behind a log that had lost records,\n"
	"                        or was an old copy (by the operator's leave, or with a new "
	"log)\n\n"
	"show prints the records as they stand in the log, unverified.\n\n"
	"checkpoint has the TA sign the present end of its chain, and appends that to the log.\n\n"
	"accept lets the TA go on behind a log that contradicts its storage.\n"
	"  --signature FILE      made by 'super-relay operator sign begin'\n"
	"  --operator-key FILE   the operator's key itself: for development\n\n"
	"  --config FILE         default: $SUPER_RELAY_CONFIG\n"
	"  --json                machine-readable output\n";

/* ---- arguments ------------------------------------------------------------------ */

static bool all_digits(const char *text)
{
	return *text && text[strspn(text, "0123456789")] == '\0';
}

bool audit_cli_since(const char *text, uint64_t *seq, uint64_t *ms, struct sr_error *err)
{
	char whole[AUDIT_TIME_TEXT] = "";
	size_t len = strlen(text);

	if (all_digits(text))
		return cli_number("--since", text, 1, UINT64_MAX, seq, err);
	if (len < sizeof(whole))
		(void)snprintf(whole, sizeof(whole), "%s", text);
	if (len == 10)
		(void)snprintf(whole, sizeof(whole), "%sT00:00:00.000Z", text);
	else if (len == 20 && text[19] == 'Z')
		(void)snprintf(whole, sizeof(whole), "%.19s.000Z", text);
	return audit_parse_time(whole, strlen(whole), ms) ||
	       sr_fail(err, SR_E_INVALID,
		       "--since: expected a sequence number or a time such as 2026-01-31 or "
		       "2026-01-31T12:00:00Z, got '%.40s'",
		       text);
}

/* The file named, or the configuration's. The caller frees *out. */
static bool find_log(const struct audit_cli_options *o, char **out, struct sr_error *err)
{
	struct config config = { 0 };

	if (!o->file && !cli_load_config(o->config, &config, err))
		return false;
	*out = strdup(o->file ? o->file : config.optee_kms.security.audit_log);
	if (!o->file)
		config_free(&config);
	return *out || sr_fail(err, SR_E_NO_MEMORY, "out of memory");
}

/* ---- verify ----------------------------------------------------------------------- */

struct verify_input {
	struct audit_options options;
	uint8_t key[AUDIT_KEY_SIZE];
	uint8_t head[AUDIT_HEAD_SIZE];
	struct audit_entry kept; /* of --checkpoint */
};

static bool keep_last_checkpoint(void *arg, const struct audit_entry *entry)
{
	if (entry->type == AUDIT_LINE_CHECKPOINT)
		*(struct audit_entry *)arg = *entry;
	return true;
}

static bool keep_header(void *arg, const struct audit_entry *entry)
{
	*(struct audit_entry *)arg = *entry;
	return false;
}

static bool audit_key_of(const char *path, uint8_t out[static AUDIT_KEY_SIZE], struct sr_error *err)
{
	struct audit_entry header = { .type = AUDIT_LINE_RECORD };

	if (!audit_read(path, keep_header, &header, err))
		return false;
	if (header.type != AUDIT_LINE_HEADER)
		return sr_fail(err, SR_E_CORRUPT, "audit log %s: has no header", path);
	memcpy(out, header.audit_key, AUDIT_KEY_SIZE);
	return true;
}

/* A checkpoint kept elsewhere is worth its signature. */
static bool read_checkpoint(const char *file, const char *path, struct verify_input *in,
			    struct sr_error *err)
{
	struct audit_checkpoint checkpoint = { 0 };
	uint8_t key[AUDIT_KEY_SIZE];

	memcpy(key, in->key, sizeof(key));
	if (!audit_read(file, keep_last_checkpoint, &in->kept, err))
		return sr_fail_in(err, "--checkpoint");
	if (in->kept.type != AUDIT_LINE_CHECKPOINT)
		return sr_fail(err, SR_E_INVALID, "--checkpoint: %.150s holds no checkpoint", file);
	if (!in->options.audit_key && !audit_key_of(path, key, err))
		return false;
	if (!audit_checkpoint_decode(in->kept.checkpoint, &checkpoint, err) ||
	    !audit_checkpoint_signed(in->kept.checkpoint, in->kept.signature, key))
		return sr_fail(err, SR_E_CORRUPT,
			       "--checkpoint: the audit key did not sign the checkpoint in %.150s",
			       file);
	memcpy(in->head, checkpoint.head, sizeof(in->head));
	in->options.expect = true;
	in->options.expect_seq = checkpoint.seq;
	in->options.expect_head = in->head;
	return true;
}

static bool read_expectation(const struct audit_cli_options *o, const char *path,
			     struct verify_input *in, struct sr_error *err)
{
	if (o->checkpoint && (o->expect_seq || o->expect_head))
		return sr_fail(err, SR_E_INVALID,
			       "--checkpoint and --expect-seq say the same: give one of them");
	if (o->checkpoint)
		return read_checkpoint(o->checkpoint, path, in, err);
	if (o->expect_head && !o->expect_seq)
		return sr_fail(err, SR_E_INVALID, "--expect-head: --expect-seq is missing");
	if (!o->expect_seq)
		return true;
	in->options.expect = true;
	if (!cli_number("--expect-seq", o->expect_seq, 1, UINT64_MAX, &in->options.expect_seq, err))
		return false;
	if (!o->expect_head)
		return true;
	in->options.expect_head = in->head;
	return cli_hex("--expect-head", o->expect_head, in->head, sizeof(in->head), err);
}

static bool read_verify_options(const struct audit_cli_options *o, const char *path,
				struct verify_input *in, struct sr_error *err)
{
	in->options.allow_unsigned = o->allow_unsigned;
	in->options.allow_begun_behind = o->allow_begun_behind;
	if (o->key) {
		if (!cli_hex("--key", o->key, in->key, sizeof(in->key), err))
			return false;
		in->options.audit_key = in->key;
	}
	if (o->since &&
	    !audit_cli_since(o->since, &in->options.since_seq, &in->options.since_ms, err))
		return false;
	return read_expectation(o, path, in, err);
}

static int verify(const struct audit_cli_options *o)
{
	struct verify_input in = { .options = { .expect = false },
				   .kept = { .type = AUDIT_LINE_RECORD } };
	struct sr_error err = { .code = SR_OK };
	struct audit_report *report = calloc(1, sizeof(*report));
	char *path = NULL;
	int status = CLI_FAILED;

	if (!report)
		(void)sr_fail(&err, SR_E_NO_MEMORY, "out of memory");
	if (!report || !find_log(o, &path, &err) || !read_verify_options(o, path, &in, &err) ||
	    !audit_verify(path, &in.options, report, &err))
		status = err.code == SR_E_INVALID ? cli_usage_error("audit", "%s", err.message)
						  : cli_fail(&err);
	else
		status = audit_cli_print(path, report, in.options.audit_key != NULL);
	free(path);
	free(report);
	return status;
}

static int show(const struct audit_cli_options *o)
{
	struct sr_error err = { .code = SR_OK };
	char *path = NULL;
	int status = CLI_FAILED;

	if (!find_log(o, &path, &err))
		return cli_fail(&err);
	status = audit_cli_show(path, o);
	free(path);
	return status;
}

/* ---- with the TA -------------------------------------------------------------------- */

static int print_done(const char *path, const char *text)
{
	struct sr_buf out = { 0 };

	if (cli_json()) {
		sr_buf_puts(&out, "{\"auditLog\":");
		sr_buf_put_json_string(&out, path, strlen(path));
		sr_buf_puts(&out, "}\n");
	} else {
		sr_buf_printf(&out, "%s: %s\n", path, text);
	}
	return cli_print(&out);
}

/* The operator's signature over where log and TA stand, and BEGIN with it. */
static bool accept_log(struct kms *kms, const struct config *config,
		       const struct audit_cli_options *o, struct sr_error *err)
{
	struct kms_audit_state state = { 0 };
	struct audit_tail tail = { 0 };
	struct sr_buf statement = { 0 };
	TEEC_UUID uuid = cli_ta_uuid(config);
	uint8_t octets[16] = { 0 };
	uint8_t signature[SR_TA_OPERATOR_SIGNATURE_SIZE];
	bool ok = false;

	kms_uuid_octets(&uuid, octets);
	if (!kms_audit_state(kms, &state, &tail, err))
		return false;
	kms_statement_begin(octets, &state, &tail, &statement);
	ok = cli_leave_signature(&o->leave, CLI_STATEMENT_BEGIN, &statement, signature, err) &&
	     kms_audit_accept(kms, signature, err);
	sr_buf_free(&statement);
	return ok;
}

static bool run_with_ta(const struct config *config, const struct audit_cli_options *o,
			bool accepting, struct sr_error *err)
{
	struct kms *kms = NULL;
	bool ok = false;

	if (!config->optee_kms.security.audit_logging)
		return sr_fail(err, SR_E_INVALID,
			       "[optee_kms.security] audit_logging is off: there is no log");
	if (!cli_open_kms(config, NULL, NULL, &kms, err))
		return false;
	ok = accepting ? accept_log(kms, config, o, err) : kms_audit_checkpoint(kms, err);
	kms_close(kms, 0);
	return ok;
}

static int with_ta(const struct audit_cli_options *o, bool accepting)
{
	struct config config = { 0 };
	struct sr_error err = { .code = SR_OK };
	int status = CLI_FAILED;

	if (o->file)
		return cli_usage_error("audit", "'%.60s': the log is the configuration's", o->file);
	if (!cli_load_config(o->config, &config, &err))
		return cli_fail(&err);
	if (run_with_ta(&config, o, accepting, &err))
		status = print_done(config.optee_kms.security.audit_log,
				    accepting ? "accepted: the TA goes on behind it"
					      : "the TA signed its end");
	else
		status = cli_fail(&err);
	config_free(&config);
	return status;
}

static int checkpoint(const struct audit_cli_options *o)
{
	return with_ta(o, false);
}

static int accept_end(const struct audit_cli_options *o)
{
	return with_ta(o, true);
}

/* ---- the command line ------------------------------------------------------------------ */

static const struct {
	const char *name;
	int (*run)(const struct audit_cli_options *o);
} commands[] = {
	{ "verify", verify },
	{ "show", show },
	{ "checkpoint", checkpoint },
	{ "accept", accept_end },
};

static const struct option long_options[] = {
	{ "config", required_argument, NULL, 'C' },
	{ "since", required_argument, NULL, 's' },
	{ "key", required_argument, NULL, 'k' },
	{ "checkpoint", required_argument, NULL, 'c' },
	{ "expect-seq", required_argument, NULL, 'n' },
	{ "expect-head", required_argument, NULL, 'e' },
	{ "allow-unsigned", no_argument, NULL, 'u' },
	{ "allow-begun-behind", no_argument, NULL, 'b' },
	{ "signature", required_argument, NULL, 'S' },
	{ "operator-key", required_argument, NULL, 'O' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

/* False: no option of these. */
static bool take_option(struct audit_cli_options *o, int option)
{
	const struct {
		int option;
		const char **to;
	} texts[] = {
		{ 'C', &o->config },
		{ 's', &o->since },
		{ 'k', &o->key },
		{ 'c', &o->checkpoint },
		{ 'n', &o->expect_seq },
		{ 'e', &o->expect_head },
		{ 'S', &o->leave.signature_file },
		{ 'O', &o->leave.key_file },
	};

	for (size_t i = 0; i < SR_ARRAY_LEN(texts); i++) {
		if (texts[i].option == option) {
			*texts[i].to = optarg;
			return true;
		}
	}
	if (option == 'u')
		o->allow_unsigned = true;
	else if (option == 'b')
		o->allow_begun_behind = true;
	else if (option == 'j')
		cli_set_json(true);
	else
		return false;
	return true;
}

static int run_command(int argc, char **argv, struct audit_cli_options *o)
{
	if (argc - optind < 1)
		return cli_usage_error("audit", "expected verify, show, checkpoint or accept");
	if (argc - optind > 2)
		return cli_usage_error("audit", "%s: expected one file at most", argv[optind]);
	o->file = argv[optind + 1]; /* or argv's NULL */
	for (size_t i = 0; i < SR_ARRAY_LEN(commands); i++) {
		if (strcmp(argv[optind], commands[i].name) == 0)
			return commands[i].run(o);
	}
	return cli_usage_error("audit", "there is no 'audit %.60s'", argv[optind]);
}

int cli_audit(int argc, char **argv)
{
	struct audit_cli_options o = { .config = NULL };
	struct sr_buf out = { 0 };
	int c = 0;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":h", long_options, NULL)) != -1) {
		if (c == 'h') {
			sr_buf_puts(&out, help);
			return cli_print(&out);
		}
		if (!take_option(&o, c))
			return cli_bad_option("audit", c, argv);
	}
	return run_command(argc, argv, &o);
}
