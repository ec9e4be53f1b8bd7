/* SPDX-License-Identifier: Apache-2.0 */
/* The files of the simulator's store, as the normal world has them: copied, put back, taken away.
 */
#ifndef SR_TESTS_STORE_COPY_H
#define SR_TESTS_STORE_COPY_H

#include "provisioned_client.h"

void take_copy(const struct provisioned *p, char out[static TEMP_DIR_MAX]);
/* Puts it back, as after a night in which the machine was off. */
void put_back(struct provisioned *p, const char *copy);

/* The objects' files at a moment, and the one that has come since, which there must be. */
struct object_names {
	unsigned count;
	char names[4 * SR_TA_LEDGERS_MAX][65];
};
void note_objects(const struct provisioned *p, struct object_names *out);
void path_of_new_object(const struct provisioned *p, const struct object_names *before,
			char out[static TEMP_PATH_MAX]);
unsigned count_objects(const struct provisioned *p);

/* In place: as a sector that went bad. */
void damage_object(const char *path);

#endif
