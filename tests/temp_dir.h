/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of a test's own, under $TMPDIR: ./dev keeps that in the checkout. */
#ifndef SR_TEST_TEMP_DIR_H
#define SR_TEST_TEMP_DIR_H

#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define TEMP_DIR_MAX 256
#define TEMP_PATH_MAX (TEMP_DIR_MAX + 128) /* of a file within */

static inline bool make_temp_dir(char out[static TEMP_DIR_MAX])
{
	const char *base = getenv("TMPDIR");
	int n = snprintf(out, TEMP_DIR_MAX, "%s/super-relay-XXXXXX", base && *base ? base : "/tmp");

	return n > 0 && n < TEMP_DIR_MAX && mkdtemp(out);
}

static inline int remove_temp_entry(const char *path, const struct stat *st, int type,
				    struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static inline int remove_temp_dir(const char *path)
{
	return nftw(path, remove_temp_entry, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
