/* SPDX-License-Identifier: Apache-2.0 */
/* A long log in memory, for measurements. */
#ifndef SR_AUDIT_BIG_LOG_H
#define SR_AUDIT_BIG_LOG_H

#include "audit_test.h"

/* The header, BEGIN, records to a number, and a checkpoint at every 256th and the last. False when
 * memory is short. */
bool big_log_make(struct sr_buf *out, struct maker *m, uint64_t records);

#endif
