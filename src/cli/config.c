/* SPDX-License-Identifier: Apache-2.0 */
/* super-relay config check FILE */
#include <getopt.h>
#include <string.h>

#include "cli/cli.h"

static const char help[] =
	"Usage: super-relay config check [--json] FILE\n\n"
	"Reads a configuration file as `super-relay node` would, expands its variables,\n"
	"and says what is wrong with it, by line and key. What it asks for and cannot have\n"
	"on this machine is listed; $SUPER_RELAY_SYS stands in for /sys.\n";

static int print_result(const char *path, const struct config *config)
{
	struct sr_buf out = { 0 };
	const struct config_notes *notes = &config->notes;

	if (cli_json()) {
		sr_buf_puts(&out, "{\"valid\":true,\"file\":");
		sr_buf_put_json_string(&out, path, strlen(path));
		sr_buf_puts(&out, ",\"notes\":[");
		for (size_t i = 0; i < notes->count; i++) {
			sr_buf_puts(&out, i ? "," : "");
			sr_buf_put_json_string(&out, notes->text[i], strlen(notes->text[i]));
		}
		sr_buf_puts(&out, "]}\n");
	} else {
		sr_buf_printf(&out, "%s: valid\n", path);
		for (size_t i = 0; i < notes->count; i++)
			sr_buf_printf(&out, "note: %s\n", notes->text[i]);
	}
	return cli_print(&out);
}

static int check(const char *path)
{
	struct config config = { 0 };
	struct sr_error err = { .code = SR_OK };
	int status = CLI_OK;

	if (!config_load(path, &config, &err))
		return cli_fail(&err);
	cli_note_platform(&config);
	status = print_result(path, &config);
	config_free(&config);
	return status;
}

int cli_config(int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' },
						 { "help", no_argument, NULL, 'h' },
						 { NULL, 0, NULL, 0 } };
	struct sr_buf out = { 0 };
	int c = 0;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		if (c == 'h') {
			sr_buf_puts(&out, help);
			return cli_print(&out);
		}
		if (c == 'j')
			cli_set_json(true);
		else
			return cli_bad_option("config", c, argv);
	}
	if (argc - optind < 1 || strcmp(argv[optind], "check") != 0)
		return cli_usage_error("config", "expected 'check' and a file");
	if (argc - optind != 2)
		return cli_usage_error("config", "check: expected one file, got %d",
				       argc - optind - 1);
	return check(argv[optind + 1]);
}
