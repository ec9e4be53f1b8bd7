/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands of include/super_relay_ta.h. Each reads its whole request, judges
 * it, reserves room for its response, and only then does something.
 */
#ifndef SR_TA_COMMANDS_H
#define SR_TA_COMMANDS_H

#include <tee_internal_api.h>

#include "wire.h"

/*
 * Contract of all: in stands behind the framing; out is empty. The response's end, its audit
 * records, is entry.c's. With TEE_SUCCESS the whole response is in out; with any other result out
 * does not count, and nothing that lasts has been done (but for a storage that failed half-way,
 * whose state the next call asks for).
 */
TEE_Result ta_cmd_generate_key(struct ta_reader *in, struct ta_writer *out);
TEE_Result ta_cmd_import_key(struct ta_reader *in, struct ta_writer *out);
TEE_Result ta_cmd_sign_message(struct ta_reader *in, struct ta_writer *out);
TEE_Result ta_cmd_get_public_key(struct ta_reader *in, struct ta_writer *out);
TEE_Result ta_cmd_delete_key(struct ta_reader *in, struct ta_writer *out);
TEE_Result ta_cmd_sign_sponsorship(struct ta_reader *in, struct ta_writer *out);
TEE_Result ta_cmd_list_keys(struct ta_reader *in, struct ta_writer *out);
TEE_Result ta_cmd_get_info(struct ta_reader *in, struct ta_writer *out);
TEE_Result ta_cmd_begin(struct ta_reader *in, struct ta_writer *out);
TEE_Result ta_cmd_audit_read(struct ta_reader *in, struct ta_writer *out);
TEE_Result ta_cmd_checkpoint(struct ta_reader *in, struct ta_writer *out);
TEE_Result ta_cmd_provision(struct ta_reader *in, struct ta_writer *out);
TEE_Result ta_cmd_set_policy(struct ta_reader *in, struct ta_writer *out);
TEE_Result ta_cmd_get_policy(struct ta_reader *in, struct ta_writer *out);
TEE_Result ta_cmd_sign_transaction(struct ta_reader *in, struct ta_writer *out);
TEE_Result ta_cmd_attest(struct ta_reader *in, struct ta_writer *out);
TEE_Result ta_cmd_import_wrapped(struct ta_reader *in, struct ta_writer *out);
TEE_Result ta_cmd_export_wrapped(struct ta_reader *in, struct ta_writer *out);
TEE_Result ta_cmd_rotate_key(struct ta_reader *in, struct ta_writer *out);

#endif
