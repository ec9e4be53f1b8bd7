/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of keys that move: what each command takes. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli/keys_move.h"

static const char help[] =
	"Usage: super-relay keys COMMAND [OPTION]…\n\n"
	"  wrap ID              seal a private key (64 hex digits on standard input) to a TEE;\n"
	"                       needs no TEE and no network\n"
	"  import [ID] --wrapped FILE\n"
	"                       bring a sealed key into the TEE\n"
	"  backup-key           make a pair of keys for backups: FILE and FILE.pub\n"
	"  backup ID            seal a key of the TEE to a backup key\n"
	"  restore FILE         open a backup, and seal it to a TEE: into this one, or (--out)\n"
	"                       to a file for another\n"
	"  migrate ID           seal a key of the TEE to another TEE\n"
	"  rotate ID NEW-ID     make a key that succeeds ID, under its policy\n\n"
	"  --config FILE           which TEE (default: $SUPER_RELAY_CONFIG, else the simulator)\n"
	"  --for FILE              wrap, restore: the TEE's statement (super-relay attest)\n"
	"  --attestation-key HEX   with a statement: the key that must have signed it\n"
	"  --pin FILE              instead: where `attest verify` has pinned that key\n"
	"  --transport-key HEX     instead of --for: the TEE's X25519 key, known from elsewhere\n"
	"  --algorithm NAME        wrap: secp256k1 (default) or ed25519\n"
	"  --usage NAME            wrap: sponsor, digest or transaction\n"
	"  --file FILE             wrap: read the private key from FILE instead\n"
	"  --to FILE               backup: the backup key's FILE.pub, or 64 hex digits;\n"
	"                          migrate: the other TEE's statement\n"
	"  --signature FILE        backup, migrate: the operator's (super-relay operator sign "
	"export)\n"
	"  --operator-key FILE     instead: the operator's key itself, for development\n"
	"  --backup-key FILE       restore: the key that the backup was sealed to\n"
	"  --drop-policy           restore: without the policy, which another operator has signed\n"
	"  --out FILE              where the envelope, or the new backup key, goes\n"
	"  --hex                   write the envelope as text\n"
	"  --delete                migrate: then destroy the key here\n"
	"  --json                  machine-readable output\n";

struct move_command {
	const char *name;
	int (*run)(const struct move_options *o);
	int least, most; /* words behind it */
	const char *words;
};

static const struct move_command commands[] = {
	{ "wrap", move_wrap, 1, 1, "one key id" },
	{ "import", move_import, 0, 1, "at most one key id" },
	{ "backup-key", move_backup_key, 0, 0, "no key id" },
	{ "backup", move_backup, 1, 1, "one key id" },
	{ "restore", move_restore, 1, 1, "one file" },
	{ "migrate", move_migrate, 1, 1, "one key id" },
	{ "rotate", move_rotate, 2, 2, "two key ids" },
};

/* In the order of long_options. */
enum move_option {
	CONFIG = 256,
	FOR,
	ATTESTATION_KEY,
	PIN,
	TRANSPORT_KEY,
	ALGORITHM,
	USAGE,
	FILE_,
	WRAPPED,
	TO,
	SIGNATURE,
	OPERATOR_KEY,
	BACKUP_KEY,
	OUT,
	DROP_POLICY,
	HEX,
	DELETE,
	JSON,
	HELP
};

static const struct option long_options[] = {
	{ "config", required_argument, NULL, CONFIG },
	{ "for", required_argument, NULL, FOR },
	{ "attestation-key", required_argument, NULL, ATTESTATION_KEY },
	{ "pin", required_argument, NULL, PIN },
	{ "transport-key", required_argument, NULL, TRANSPORT_KEY },
	{ "algorithm", required_argument, NULL, ALGORITHM },
	{ "usage", required_argument, NULL, USAGE },
	{ "file", required_argument, NULL, FILE_ },
	{ "wrapped", required_argument, NULL, WRAPPED },
	{ "to", required_argument, NULL, TO },
	{ "signature", required_argument, NULL, SIGNATURE },
	{ "operator-key", required_argument, NULL, OPERATOR_KEY },
	{ "backup-key", required_argument, NULL, BACKUP_KEY },
	{ "out", required_argument, NULL, OUT },
	{ "drop-policy", no_argument, NULL, DROP_POLICY },
	{ "hex", no_argument, NULL, HEX },
	{ "delete", no_argument, NULL, DELETE },
	{ "json", no_argument, NULL, JSON },
	{ "help", no_argument, NULL, HELP },
	{ NULL, 0, NULL, 0 },
};

/* Where an option's argument goes; NULL for one without. */
static const char **argument_of(struct move_options *o, int option)
{
	const char **const places[] = {
		&o->config,
		&o->attestation,
		&o->attestation_key,
		&o->pin,
		&o->transport_key,
		&o->algorithm,
		&o->usage,
		&o->file,
		&o->wrapped,
		&o->to,
		&o->leave.signature_file,
		&o->leave.key_file,
		&o->backup_key,
		&o->out,
	};

	if (option < CONFIG || option > OUT)
		return NULL;
	return places[option - CONFIG];
}

/* False for what is no option; *status is then the answer. */
static bool take_option(int c, char **argv, struct move_options *o, int *status)
{
	const char **argument = argument_of(o, c);
	struct sr_buf out = { 0 };

	if (argument)
		*argument = optarg;
	else if (c == DROP_POLICY)
		o->drop_policy = true;
	else if (c == HEX)
		o->hex = true;
	else if (c == DELETE)
		o->delete = true;
	else if (c == JSON)
		cli_set_json(true);
	else if (c == HELP || c == 'h') {
		sr_buf_puts(&out, help);
		*status = cli_print(&out);
		return false;
	} else {
		*status = cli_bad_option("keys wrap", c, argv);
		return false;
	}
	return true;
}

static int run(const struct move_command *command, int argc, char **argv)
{
	struct move_options o = { 0 };
	int status = CLI_USAGE;
	int words = 0;
	int c = 0;

	opterr = 0;
	optind = 1;
	while ((c = getopt_long(argc, argv, ":h", long_options, NULL)) != -1) {
		if (!take_option(c, argv, &o, &status))
			return status;
	}
	/* the first word is the command */
	words = argc - optind - 1;
	if (words < command->least || words > command->most)
		return cli_usage_error("keys wrap", "%s: expected %s, got %d words", command->name,
				       command->words, words);
	for (int i = 0; i < words; i++)
		o.words[i] = argv[optind + 1 + i];
	return command->run(&o);
}

/* The first word that is neither an option nor an option's argument. */
static const char *find_word(int argc, char **argv, bool *wrapped)
{
	const char *word = NULL;

	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		const size_t len = strcspn(argv[i], "=");
		bool takes = false;

		*wrapped |= len == 9 && strncmp(argv[i], "--wrapped", 9) == 0;
		if (argv[i][0] != '-') {
			word = word ? word : argv[i];
			continue;
		}
		for (const struct option *o = long_options; o->name; o++)
			takes |= o->has_arg == required_argument && strlen(o->name) == len - 2 &&
				 strncmp(argv[i] + 2, o->name, len - 2) == 0;
		i += takes && !argv[i][len];
	}
	return word;
}

bool cli_keys_move(int argc, char **argv, int *status)
{
	bool wrapped = false;
	const char *word = find_word(argc, argv, &wrapped);

	for (size_t i = 0; word && i < SR_ARRAY_LEN(commands); i++) {
		if (strcmp(word, commands[i].name) != 0)
			continue;
		/* without --wrapped it is the import of a plain key */
		if (commands[i].run == move_import && !wrapped)
			return false;
		*status = run(&commands[i], argc, argv);
		return true;
	}
	return false;
}
