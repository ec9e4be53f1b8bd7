/* SPDX-License-Identifier: Apache-2.0 */
/* The entry points of a Trusted Application that has nothing of its own: what it does is a test's.
 */
#ifndef SHIM_ENTRY_H
#define SHIM_ENTRY_H

#include <tee_internal_api.h>

/* When an instance begins; NULL: nothing. */
extern void (*shim_entry_create)(void);

/* When it is invoked, with any command; its result is the command's. */
extern TEE_Result (*shim_entry_invoke)(TEE_Param params[TEE_NUM_PARAMS]);

#endif
