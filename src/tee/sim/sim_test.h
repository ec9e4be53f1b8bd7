/* SPDX-License-Identifier: Apache-2.0 */
/* Doors that only tests use. */
#ifndef SR_SIM_TEST_H
#define SR_SIM_TEST_H

#include <stdbool.h>
#include <stdint.h>

/* The TA panics in its n-th call of a TEE_ function from now; 0: never. */
void sim_test_panic_after(unsigned n);

/* TEE_ functions called so far. */
unsigned long sim_test_api_calls(void);

/* Called before each step of a change to the store ("open", "write", "sync",
 * "generation", "publish", "sync directory"; "generation", "unlink", "sync
 * directory"). A result other than 0 fails the step with that errno. */
extern int (*sim_store_fault_hook)(const char *step);

/*
 * Called before each function of the trusted storage ("open", "create", "delete",
 * "rename", "read", "write", "truncate", "allocate", "start", "next"). A
 * result other than 0 is what OP-TEE's core answers in its place. As libutee does,
 * the simulator then panics unless the specification lists it for that function.
 */
extern uint32_t (*sim_storage_answer_hook)(const char *function);

/* A corrupt object is deleted when it is opened, as OP-TEE does. */
extern bool sim_storage_deletes_corrupt;

/* Key pairs that the TEE generates have a public key with a bit turned. */
extern bool sim_generates_wrong_pairs;

/* Ends the instance and forgets the store, so that another can be loaded. No
 * session may be used afterwards. */
void sim_test_unload(void);

#endif
