/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The objects in the simulator's store: those of keys, and the two of the TA's own, its
 * identity and its journal, which stand beside them and are not to be taken for keys.
 */
#ifndef SR_TESTS_OWN_OBJECTS_H
#define SR_TESTS_OWN_OBJECTS_H

#include "ta_client.h"

enum own_object { OWN_IDENTITY, OWN_JOURNAL, OWN_OBJECTS };

/* Has the TA make its own objects, and notes which files they are: before the first key. */
void note_own_objects(struct ta_client *c);

void own_object_path(const struct ta_client *c, enum own_object which,
		     char out[static TEMP_PATH_MAX]);

/* Calls change for the file of every key, or of every object; NULL: only counts them. */
unsigned each_key_object(const struct ta_client *c, void (*change)(const char *path));
unsigned each_object(const struct ta_client *c, void (*change)(const char *path));

/* The path of the n-th key in the directory's order. */
void key_object_path(const struct ta_client *c, unsigned n, char out[static TEMP_PATH_MAX]);

#endif
