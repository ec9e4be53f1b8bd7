/* SPDX-License-Identifier: Apache-2.0 */
/* The system's libteec, found when it is asked for: no build needs it. */
#include <dlfcn.h>
#include <string.h>

#include "tee/tee.h"

#define LIBRARY "libteec.so.2"

/* ISO C has no conversion from void * to a function's address; POSIX gives both
 * one representation. */
static bool find(void *library, const char *name, void *function, size_t size, struct sr_error *err)
{
	void *address = dlsym(library, name);

	if (!address)
		return sr_fail(err, SR_E_UNAVAILABLE, LIBRARY " has no %s", name);
	memcpy(function, &address, size);
	return true;
}

#define FIND(member, name) find(library, name, &out->member, sizeof(out->member), err)

bool tee_load_optee(struct tee_api *out, struct sr_error *err)
{
	/* Kept until the process ends: its functions have no other owner. */
	void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);

	*out = (struct tee_api){ .name = "optee" };
	if (!library) {
		const char *reason = dlerror();

		return sr_fail(err, SR_E_UNAVAILABLE, "OP-TEE's client library: %s",
			       reason ? reason : "cannot be loaded");
	}
	if (FIND(initialize_context, "TEEC_InitializeContext") &&
	    FIND(finalize_context, "TEEC_FinalizeContext") &&
	    FIND(open_session, "TEEC_OpenSession") && FIND(close_session, "TEEC_CloseSession") &&
	    FIND(invoke_command, "TEEC_InvokeCommand") &&
	    FIND(register_shared_memory, "TEEC_RegisterSharedMemory") &&
	    FIND(allocate_shared_memory, "TEEC_AllocateSharedMemory") &&
	    FIND(release_shared_memory, "TEEC_ReleaseSharedMemory"))
		return true;
	dlclose(library);
	return false;
}
