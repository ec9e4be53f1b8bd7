/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of include/super_relay_ta_test.h: compiled into the test build alone. */
#ifndef SR_TA_CMD_TEST_H
#define SR_TA_CMD_TEST_H

#include "wire.h"

/* The first thing that an instance does. */
void ta_test_begin(void);

/* As any command (commands.h). NOT_SUPPORTED: no test command either. */
TEE_Result ta_test_command(uint32_t command_id, struct ta_reader *in, struct ta_writer *out);

#endif
