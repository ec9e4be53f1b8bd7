/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{ "node", cli_node, "run the relay: JSON-RPC, HTTP API, metrics" },
	{ "keys", cli_keys, "generate, list, show, import, back up and delete keys in the TEE" },
	{ "provision", cli_provision, "fix a TA's operator and callers, once" },
	{ "operator", cli_operator, "make the operator's key, and sign with it" },
	{ "policy", cli_policy, "say what a key may sign" },
	{ "attest", cli_attest, "have a TA say what it is, and check what one said" },
	{ "audit", cli_audit, "verify and show the log of what the TA did" },
	{ "config", cli_config, "check a configuration file" },
	{ "op", cli_op, "compute a UserOperation's hash" },
};

static int print_help(void)
{
	struct sr_buf out = { 0 };

	sr_buf_puts(&out, "super-relay: an ERC-4337 paymaster relay whose keys live in a TEE\n\n"
			  "Usage: super-relay COMMAND [OPTION]…\n\n");
	for (size_t i = 0; i < SR_ARRAY_LEN(commands); i++)
		sr_buf_printf(&out, "  %-9s %s\n", commands[i].name, commands[i].help);
	sr_buf_puts(&out, "\n  --json     machine-readable output, and errors on standard error\n"
			  "  --help     this, or the help of a command\n"
			  "  --version  the version\n");
	return cli_print(&out);
}

static int print_version(void)
{
	struct sr_buf out = { 0 };

	if (cli_json())
		sr_buf_puts(&out, "{\"version\":\"" SR_VERSION "\"}\n");
	else
		sr_buf_puts(&out, "super-relay " SR_VERSION "\n");
	return cli_print(&out);
}

static int unknown_command(const char *word)
{
	const char *names[SR_ARRAY_LEN(commands)];
	const char *near = NULL;

	for (size_t i = 0; i < SR_ARRAY_LEN(commands); i++)
		names[i] = commands[i].name;
	near = sr_nearest(word, names, SR_ARRAY_LEN(names));
	return cli_usage_error("", "there is no command '%.60s'%s%s%s", word,
			       near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

int main(int argc, char **argv)
{
	int at = 1;

	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], "--json") == 0)
			cli_set_json(true);
	}
	while (at < argc && strcmp(argv[at], "--json") == 0)
		at++;
	if (at >= argc)
		return cli_usage_error("", "expected a command");
	if (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0 ||
	    strcmp(argv[at], "help") == 0)
		return print_help();
	if (strcmp(argv[at], "--version") == 0)
		return print_version();
	for (size_t i = 0; i < SR_ARRAY_LEN(commands); i++) {
		if (strcmp(argv[at], commands[i].name) == 0)
			return commands[i].run(argc - at, argv + at);
	}
	return unknown_command(argv[at]);
}
