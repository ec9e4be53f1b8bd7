/* SPDX-License-Identifier: Apache-2.0 */
/* What operator.c and operator_begin.c share; nobody else includes it. */
#ifndef SR_CLI_OPERATOR_H
#define SR_CLI_OPERATOR_H

#include "cli/cli.h"

/* The numbers of TEE and log, from where they are. */
bool operator_ask_begin(const char *config_path, struct kms_audit_state *ta,
			struct audit_tail *tail, struct sr_error *err) SR_MUST_USE;
/* As a file that operator_read_request reads. */
void operator_put_request(struct sr_buf *out, const struct kms_audit_state *ta,
			  const struct audit_tail *tail);
bool operator_read_request(const char *path, struct kms_audit_state *ta, struct audit_tail *tail,
			   struct sr_error *err) SR_MUST_USE;

#endif
