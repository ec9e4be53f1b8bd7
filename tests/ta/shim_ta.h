/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Trusted Application of a test's own in place of SuperRelay's: what the simulator's
 * GlobalPlatform API does is seen on calls that the test chooses.
 */
#ifndef SHIM_TA_H
#define SHIM_TA_H

#include <tee_client_api.h>
#include <tee_internal_api.h>

typedef TEE_Result (*shim_body)(TEE_Param params[TEE_NUM_PARAMS]);

/* What TEE_Panic looks like from outside. */
#define SHIM_PANICS TEEC_ERROR_TARGET_DEAD

/* A store for the instances of one test; to be used as cmocka's set-up and tear-down.
 * The tear-down takes back every hook of sim_test.h. */
int shim_set_up(void **state);
int shim_tear_down(void **state);

/* Opens a session in an instance of its own, has body run, ends the instance. Gives what
 * body has returned. Its parameters are an input and an output of so many bytes. */
#define SHIM_PARAM_SIZE 64
TEEC_Result shim_run(shim_body body);

/* The same for a client that logs in: the answer to the opening when it fails. */
TEEC_Result shim_run_as(uint32_t method, const void *data, shim_body body, uint32_t *origin);

/* Bytes from hexadecimal; fails the test unless there are len of them. */
void shim_hex(const char *text, uint8_t *out, size_t len);

#endif
