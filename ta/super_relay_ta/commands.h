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
 * Contract of all: in stands after the version byte; out is empty. With
 * TEE_SUCCESS the whole response is in out; with any other result out does not
 * count, and nothing that lasts has been done (but for a storage that failed
 * half-way, whose state the next call asks for).
 */
TEE_Result ta_cmd_generate_key(struct ta_reader *in, struct ta_writer *out);
TEE_Result ta_cmd_import_key(struct ta_reader *in, struct ta_writer *out);
TEE_Result ta_cmd_sign_message(struct ta_reader *in, struct ta_writer *out);
TEE_Result ta_cmd_get_public_key(struct ta_reader *in, struct ta_writer *out);
TEE_Result ta_cmd_delete_key(struct ta_reader *in, struct ta_writer *out);
TEE_Result ta_cmd_sign_sponsorship(struct ta_reader *in, struct ta_writer *out);
TEE_Result ta_cmd_list_keys(struct ta_reader *in, struct ta_writer *out);
TEE_Result ta_cmd_get_info(struct ta_reader *in, struct ta_writer *out);

#endif
