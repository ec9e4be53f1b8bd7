/* SPDX-License-Identifier: Apache-2.0 */
/* One named case of the hostile client's, and the lists of them. */
#ifndef SR_TESTS_HOSTILE_CASE_H
#define SR_TESTS_HOSTILE_CASE_H

#include "hostile_world.h"

#define CASE_NAME_MAX 128

struct hostile_case {
	char name[CASE_NAME_MAX];
	enum world_kind world;
	uint32_t command;
	size_t variant; /* run's own */
	void (*run)(struct world *w, const struct hostile_case *k);
	unsigned records; /* that it leaves in the audit chain */
	bool changes;	  /* records, keys or instance: nothing is compared */
	bool ends;	  /* and the world is of no use for another case */
	bool locked_out;  /* it has nobody left to ask afterwards */
	bool simulated;	  /* needs the simulator's inside, or a TEE that is thrown away */
};

/* Appends a copy, named "world: COMMAND: what". */
void add_case(const struct hostile_case *k, const char *what);

/* For every command, in both ordinary worlds. */
void add_for_all(struct hostile_case k, const char *what);

/* The wire: parameters, sizes, framing, room. */
void add_wire_cases(void);
/* Values that are of their form and wrong: ids, keys, single fields; whole requests. */
void add_value_cases(void);
void add_field_cases(void);
void add_built_cases(void);
/* Wrong order, callers, threads. */
void add_order_cases(void);
void add_thread_cases(void);

#endif
