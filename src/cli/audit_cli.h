/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of `super-relay audit` share; nobody else includes it. */
#ifndef SR_CLI_AUDIT_CLI_H
#define SR_CLI_AUDIT_CLI_H

#include "cli/cli.h"

struct audit_cli_options {
	const char *config;
	const char *since, *key, *checkpoint, *expect_seq, *expect_head;
	bool allow_unsigned, allow_begun_behind;
	struct cli_leave leave; /* accept */
	const char *file;	/* NULL: the configuration's log */
};

/* What --since says: a sequence number, or a time. One of the two is 0. */
bool audit_cli_since(const char *text, uint64_t *seq, uint64_t *ms, struct sr_error *err);

/* audit_report.c: key_given tells whether the key came from outside the log. */
int audit_cli_print(const char *path, const struct audit_report *report, bool key_given);
/* audit_show.c */
int audit_cli_show(const char *path, const struct audit_cli_options *o);

#endif
