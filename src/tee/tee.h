/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tee: the door to a Trusted Execution Environment. One table of the
 * GlobalPlatform Client API (TEE Client API Specification 1.0), filled either
 * from the system's libteec.so.2 at run time or by the built-in simulator, so
 * that everything above is the same code on every machine.
 */
#ifndef SR_TEE_H
#define SR_TEE_H

#include <tee_client_api.h>

#include "base/base.h"

struct tee_api {
	const char *name; /* "optee" or "simulator" */
	TEEC_Result (*initialize_context)(const char *name, TEEC_Context *context);
	void (*finalize_context)(TEEC_Context *context);
	TEEC_Result (*open_session)(TEEC_Context *context, TEEC_Session *session,
				    const TEEC_UUID *destination, uint32_t connection_method,
				    const void *connection_data, TEEC_Operation *operation,
				    uint32_t *return_origin);
	void (*close_session)(TEEC_Session *session);
	TEEC_Result (*invoke_command)(TEEC_Session *session, uint32_t command_id,
				      TEEC_Operation *operation, uint32_t *return_origin);
	TEEC_Result (*register_shared_memory)(TEEC_Context *context, TEEC_SharedMemory *memory);
	TEEC_Result (*allocate_shared_memory)(TEEC_Context *context, TEEC_SharedMemory *memory);
	void (*release_shared_memory)(TEEC_SharedMemory *memory);
};

/* Loads libteec.so.2. SR_E_UNAVAILABLE with the loader's words where there is none. */
bool tee_load_optee(struct tee_api *out, struct sr_error *err) SR_MUST_USE;

/*
 * The simulator: the same TA compiled natively, its secure storage in files
 * under store_dir (made with mode 0700 where it does not exist; the parent must
 * exist; SR_E_INVALID when it exists and is another user's or lets others in).
 * Several processes may share one store. It protects the interface, not the keys:
 * whoever reads the directory has them. The store of a process is set once; another
 * directory later is SR_E_BUSY.
 */
bool tee_load_simulator(const char *store_dir, struct tee_api *out,
			struct sr_error *err) SR_MUST_USE;

/* "TEEC_ERROR_ITEM_NOT_FOUND" for 0xffff0008, and so on; "0x…" for others is
 * the caller's to print: returns NULL for codes it does not know. */
const char *tee_result_name(uint32_t result);

/* What a TEEC_Result means to a caller. */
enum sr_code tee_result_code(uint32_t result);

#endif
