/* SPDX-License-Identifier: Apache-2.0 */
/* Doors that only tests use. */
#ifndef SR_SIM_TEST_H
#define SR_SIM_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The TA panics in its n-th call of a TEE_ function from now; 0: never. */
void sim_test_panic_after(unsigned n);

/* TEE_ functions called so far. */
unsigned long sim_test_api_calls(void);

/* Objects, operations, enumerators and sessions that the TA has open, and the bytes that it has of
 * TEE_Malloc. */
size_t sim_test_open_handles(void);
size_t sim_test_allocated(void);

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

/* X25519 takes another scalar than its key's. */
extern bool sim_derives_wrong_secrets;

/* Fills what TEE_GenerateRandom is asked for, in the kernel's place. */
extern void (*sim_random_hook)(void *out, size_t len);

/* Stands for the CPU's random instruction: there is one while this is set. False: it
 * had nothing to give. */
extern bool (*sim_cpu_random_hook)(uint64_t *out);

/* There is no system pseudo TA. */
extern bool sim_lacks_system_pta;

/* Sees each event that the TA gives to the TEE's random generator. */
extern void (*sim_entropy_event_hook)(const uint8_t *data, size_t len);

/* TEE_GetSystemTime, in milliseconds since boot, and TEE_GetREETime, since 1970. */
extern uint64_t (*sim_system_time_hook)(void);
extern uint64_t (*sim_ree_time_hook)(void);

/* The property gpd.tee.systemTime.protectionLevel: 1000, as OP-TEE tells where it reads
 * the secure counter; 100 stands for a clock that the normal world sets. */
extern uint32_t sim_system_time_protection;

/* Called for each session that is opened, with what the kernel would tell of the client:
 * TEE_LOGIN_* and the UUID, octets. It may change both. A client that the kernel refuses
 * gets no further. */
extern void (*sim_client_hook)(uint32_t *login, uint8_t uuid[16]);

/* Ends the instance and forgets the store, so that another can be loaded. No
 * session may be used afterwards. */
void sim_test_unload(void);

#endif
