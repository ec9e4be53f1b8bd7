/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

static bool json_output;

void cli_set_json(bool json)
{
	json_output = json;
}

bool cli_json(void)
{
	return json_output;
}

int cli_print(struct sr_buf *text)
{
	int status = CLI_OK;

	if (text->failed || fwrite(text->data, 1, text->len, stdout) != text->len ||
	    fflush(stdout) != 0) {
		fprintf(stderr, "super-relay: the output could not be written\n");
		status = CLI_FAILED;
	}
	sr_buf_free(text);
	return status;
}

int cli_fail(const struct sr_error *err)
{
	struct sr_buf out = { 0 };

	if (json_output) {
		sr_buf_printf(&out,
			      "{\"error\":{\"code\":\"%s\",\"message\":", sr_code_name(err->code));
		sr_buf_put_json_string(&out, err->message, strlen(err->message));
		sr_buf_puts(&out, "}}\n");
	} else {
		sr_buf_printf(&out, "super-relay: %s\n", err->message);
	}
	if (!out.failed)
		fwrite(out.data, 1, out.len, stderr);
	sr_buf_free(&out);
	return CLI_FAILED;
}

int cli_usage_error(const char *subcommand, const char *fmt, ...)
{
	struct sr_error err = { .code = SR_E_INVALID };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err.message, sizeof(err.message), fmt, ap);
	va_end(ap);
	cli_fail(&err);
	if (!json_output)
		fprintf(stderr, "Try 'super-relay %s%s--help'.\n", subcommand,
			*subcommand ? " " : "");
	return CLI_USAGE;
}

int cli_bad_option(const char *subcommand, int result, char **argv)
{
	const char *word = argv[optind - 1];

	if (result == ':')
		return cli_usage_error(subcommand, "option '%.80s' needs an argument", word);
	if (optopt && word[0] == '-' && word[1] != '-')
		return cli_usage_error(subcommand, "unknown option '-%c'", optopt);
	return cli_usage_error(subcommand,
			       "unknown option '%.80s', or an argument it does not take", word);
}
