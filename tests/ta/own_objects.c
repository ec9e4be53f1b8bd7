/* SPDX-License-Identifier: Apache-2.0 */
#include "own_objects.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define NAME_MAX_LEN 65

static char own[OWN_OBJECTS][NAME_MAX_LEN];

static bool is_own(const char *name)
{
	return !strcmp(name, own[OWN_IDENTITY]) || !strcmp(name, own[OWN_JOURNAL]);
}

static void path_of(const struct ta_client *c, const char *name, char out[static TEMP_PATH_MAX])
{
	const int len = snprintf(out, TEMP_PATH_MAX, "%s/objects/%.64s", c->store, name);

	assert_true(len > 0 && len < TEMP_PATH_MAX);
}

/* Up to the n-th object's name; false where there are not so many. */
static bool find_name(const struct ta_client *c, bool keys_only, unsigned n, char out[NAME_MAX_LEN])
{
	char path[TEMP_PATH_MAX] = "";
	struct dirent *entry = NULL;
	DIR *listing = NULL;

	path_of(c, "", path);
	listing = opendir(path);
	assert_non_null(listing);
	do {
		entry = readdir(listing);
	} while (entry && (entry->d_name[0] == '.' || (keys_only && is_own(entry->d_name)) || n--));
	if (entry)
		(void)snprintf(out, NAME_MAX_LEN, "%.64s", entry->d_name);
	closedir(listing);
	return entry != NULL;
}

static off_t size_of(const struct ta_client *c, const char *name)
{
	char path[TEMP_PATH_MAX] = "";
	struct stat st = { 0 };

	path_of(c, name, path);
	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

void note_own_objects(struct ta_client *c)
{
	static struct ta_request request;
	static struct ta_response response;
	char swap[NAME_MAX_LEN] = "";

	begin_chain(&request);
	assert_int_equal(call(c, SR_TA_CMD_BEGIN, &request, &response), TEEC_SUCCESS);
	assert_int_equal(each_object(c, NULL), OWN_OBJECTS);
	for (unsigned i = 0; i < OWN_OBJECTS; i++)
		assert_true(find_name(c, false, i, own[i]));
	/* Which is which, their sizes tell. */
	if (size_of(c, own[OWN_IDENTITY]) > size_of(c, own[OWN_JOURNAL]))
		return;
	memcpy(swap, own[OWN_IDENTITY], sizeof(swap));
	memcpy(own[OWN_IDENTITY], own[OWN_JOURNAL], sizeof(swap));
	memcpy(own[OWN_JOURNAL], swap, sizeof(swap));
}

void own_object_path(const struct ta_client *c, enum own_object which,
		     char out[static TEMP_PATH_MAX])
{
	path_of(c, own[which], out);
}

void key_object_path(const struct ta_client *c, unsigned n, char out[static TEMP_PATH_MAX])
{
	char name[NAME_MAX_LEN] = "";

	assert_true(find_name(c, true, n, name));
	path_of(c, name, out);
}

/* Names first: what change does may change the directory's order. */
static unsigned each(const struct ta_client *c, bool keys_only, void (*change)(const char *path))
{
	static char names[4 * SR_TA_KEYS_MAX][NAME_MAX_LEN];
	char path[TEMP_PATH_MAX] = "";
	unsigned count = 0;

	while (find_name(c, keys_only, count, names[count]))
		assert_true(++count < SR_ARRAY_LEN(names));
	for (unsigned i = 0; change && i < count; i++) {
		path_of(c, names[i], path);
		change(path);
	}
	return count;
}

unsigned each_key_object(const struct ta_client *c, void (*change)(const char *path))
{
	return each(c, true, change);
}

unsigned each_object(const struct ta_client *c, void (*change)(const char *path))
{
	return each(c, false, change);
}
