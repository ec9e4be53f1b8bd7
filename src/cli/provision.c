/* SPDX-License-Identifier: Apache-2.0 */
/* super-relay provision: says to a TA, once, whose word it takes and who may call it. */
#include <getopt.h>
#include <string.h>
#include <sys/mman.h>

#include "cli/cli.h"
#include "kms/statement.h"

static const char help[] =
	"Usage: super-relay provision --operator KEY --signature FILE [OPTION]…\n"
	"       super-relay provision --operator-key FILE [OPTION]…\n\n"
	"Fixes the TA's operator and its callers. This is done once; only a TA whose storage\n"
	"is erased, with all its keys, can be provisioned again.\n\n"
	"  --config FILE        which TEE (default: $SUPER_RELAY_CONFIG, else the simulator)\n"
	"  --operator KEY       the operator's public key: 64 hex digits, or FILE.pub\n"
	"  --signature FILE     from `super-relay operator sign provision`, with the same options\n"
	"  --operator-key FILE  the operator's key itself, in place of both: for development,\n"
	"                       since it then lies on the relay's machine\n"
	"  --group GROUP        who may call, by name or number; as often as there are groups\n"
	"  --development        callers of no group, and plaintext import: development builds\n"
	"  --force-audit        nothing is signed for a host that keeps no audit log\n"
	"  --json               machine-readable output\n";

struct provision_options {
	const char *config;
	const char *operator_key;
	struct cli_leave leave;
	struct kms_provision provision;
};

bool cli_add_group(struct kms_provision *p, const char *name, struct sr_error *err)
{
	uint32_t gid = 0;

	if (p->group_count == SR_TA_GROUPS_MAX)
		return sr_fail(err, SR_E_INVALID, "--group: at most %d groups", SR_TA_GROUPS_MAX);
	if (!cli_group_id(name, &gid, err) || !kms_group_uuid(gid, p->groups[p->group_count], err))
		return sr_fail_in(err, "--group");
	p->group_count++;
	return true;
}

/* With the operator's key at hand its public key need not be given. */
static bool find_operator(struct provision_options *o, struct sr_error *err)
{
	uint8_t seed[KMS_OPERATOR_SEED_SIZE] = { 0 };
	bool ok = false;

	if (o->operator_key)
		return cli_read_operator_public(o->operator_key, o->provision.operator_key, err) ||
		       sr_fail_in(err, "--operator");
	if (!o->leave.key_file)
		return sr_fail(
			err, SR_E_INVALID,
			"expected --operator KEY and --signature FILE, or --operator-key FILE");
	mlock(seed, sizeof(seed));
	ok = cli_read_operator_key(o->leave.key_file, seed, err) &&
	     kms_operator_public(seed, o->provision.operator_key, err);
	sr_wipe(seed, sizeof(seed));
	munlock(seed, sizeof(seed));
	return ok;
}

/* The TA says so as well, and less clearly. */
static bool check_callers(const struct kms_provision *p, struct sr_error *err)
{
	return p->group_count || (p->flags & SR_TA_PROVISION_DEVELOPMENT) ||
	       sr_fail(err, SR_E_INVALID,
		       "without --group nobody could call the TA any more; give the relay's group, "
		       "or --development");
}

static bool provision(struct provision_options *o, const struct config *config, struct kms *kms,
		      struct sr_error *err)
{
	const TEEC_UUID ta = cli_ta_uuid(config);
	uint8_t signature[SR_TA_OPERATOR_SIGNATURE_SIZE];
	uint8_t uuid[16];
	struct sr_buf statement = { 0 };
	bool ok = false;

	kms_uuid_octets(&ta, uuid);
	kms_statement_provision(uuid, &o->provision, &statement);
	ok = cli_leave_signature(&o->leave, CLI_STATEMENT_PROVISION, &statement, signature, err) &&
	     kms_provision(kms, &o->provision, signature, err);
	sr_buf_free(&statement);
	return ok;
}

static int print_done(const struct kms_provision *p)
{
	struct sr_buf out = { 0 };

	sr_buf_puts(&out, cli_json() ? "{\"provisioned\":true,\"operator\":\""
				     : "provisioned; the operator is ");
	sr_buf_put_hex_0x(&out, p->operator_key, sizeof(p->operator_key));
	sr_buf_puts(&out, cli_json() ? "\"}\n" : "\n");
	return cli_print(&out);
}

static int run(struct provision_options *o)
{
	struct sr_error err = { .code = SR_OK };
	struct config config = { 0 };
	struct kms *kms = NULL;
	bool ok = false;

	if (!find_operator(o, &err) || !check_callers(&o->provision, &err) ||
	    !cli_load_config(o->config, &config, &err))
		return cli_fail(&err);
	sr_log_setup(SR_LOG_ERROR, config.logging.format);
	/* the TA's own keys are made now, the one that envelopes are sealed to among them */
	ok = cli_open_kms(&config, NULL, NULL, &kms, &err) &&
	     cli_check_entropy(&config, kms, &err) && provision(o, &config, kms, &err);
	kms_close(kms, 0);
	config_free(&config);
	return ok ? print_done(&o->provision) : cli_fail(&err);
}

int cli_provision(int argc, char **argv)
{
	static const struct option options[] = { { "config", required_argument, NULL, 'c' },
						 { "operator", required_argument, NULL, 'o' },
						 { "signature", required_argument, NULL, 's' },
						 { "operator-key", required_argument, NULL, 'k' },
						 { "group", required_argument, NULL, 'g' },
						 { "development", no_argument, NULL, 'd' },
						 { "force-audit", no_argument, NULL, 'a' },
						 { "json", no_argument, NULL, 'j' },
						 { "help", no_argument, NULL, 'h' },
						 { NULL, 0, NULL, 0 } };
	struct provision_options o = { 0 };
	struct sr_error err = { .code = SR_OK };
	struct sr_buf out = { 0 };
	int c = 0;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		if (c == 'c')
			o.config = optarg;
		else if (c == 'o')
			o.operator_key = optarg;
		else if (c == 's')
			o.leave.signature_file = optarg;
		else if (c == 'k')
			o.leave.key_file = optarg;
		else if (c == 'd')
			o.provision.flags |= SR_TA_PROVISION_DEVELOPMENT;
		else if (c == 'a')
			o.provision.flags |= SR_TA_PROVISION_FORCE_AUDIT;
		else if (c == 'j')
			cli_set_json(true);
		else if (c == 'h') {
			sr_buf_puts(&out, help);
			return cli_print(&out);
		} else if (c != 'g')
			return cli_bad_option("provision", c, argv);
		else if (!cli_add_group(&o.provision, optarg, &err))
			return cli_fail(&err);
	}
	if (optind < argc)
		return cli_usage_error("provision", "unexpected word '%.60s'", argv[optind]);
	return run(&o);
}
