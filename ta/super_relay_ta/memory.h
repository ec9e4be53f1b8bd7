/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that holds secrets, with nothing but what the TA dev kit has. */
#ifndef SR_TA_MEMORY_H
#define SR_TA_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* Overwrites memory; the compiler may not leave it out. Registers and copies that
 * the compiler made on the stack are beyond its reach. */
void ta_wipe(void *data, size_t len);

/* True when equal. Time depends on len alone. */
bool ta_equal_ct(const void *a, const void *b, size_t len) __attribute__((warn_unused_result));

#endif
