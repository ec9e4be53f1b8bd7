/* SPDX-License-Identifier: Apache-2.0 */
/* Doors that only tests use. */
#ifndef SR_SIM_TEST_H
#define SR_SIM_TEST_H

/* The TA panics in its n-th call of a TEE_ function from now; 0: never. */
void sim_test_panic_after(unsigned n);

/* TEE_ functions called so far. */
unsigned long sim_test_api_calls(void);

/* Called before each step of a change to the store ("open", "write", "sync",
 * "generation", "publish", "sync directory"; "generation", "unlink", "sync
 * directory"). A result other than 0 fails the step with that errno. */
extern int (*sim_store_fault_hook)(const char *step);

/* Ends the instance and forgets the store, so that another can be loaded. No
 * session may be used afterwards. */
void sim_test_unload(void);

#endif
