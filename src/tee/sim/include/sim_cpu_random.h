/* SPDX-License-Identifier: Apache-2.0 */
/* Stands for the CPU's random instruction, which the simulator does not ask. */
#ifndef SIM_CPU_RANDOM_H
#define SIM_CPU_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

/* Both false, until a test sets sim_cpu_random_hook. */
bool sim_cpu_random_present(void);
bool sim_cpu_random(uint64_t *out);

#endif
