/* SPDX-License-Identifier: Apache-2.0 */
#include "store_copy.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void copy_file(const char *from, const char *to)
{
	uint8_t bytes[8192] = { 0 };
	const int in = open(from, O_RDONLY);
	const int out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ssize_t n = 0;

	assert_true(in >= 0 && out >= 0);
	while ((n = read(in, bytes, sizeof(bytes))) > 0)
		assert_int_equal(write(out, bytes, (size_t)n), n);
	assert_int_equal(n, 0);
	assert_int_equal(close(in), 0);
	assert_int_equal(close(out), 0);
}

static void copy_directory(const char *from, const char *to)
{
	char source[TEMP_PATH_MAX] = "";
	char target[TEMP_PATH_MAX] = "";
	struct dirent *entry = NULL;
	DIR *listing = opendir(from);

	assert_non_null(listing);
	(void)mkdir(to, 0700);
	while ((entry = readdir(listing))) {
		if (entry->d_name[0] == '.')
			continue;
		assert_true(snprintf(source, sizeof(source), "%s/%.80s", from, entry->d_name) <
			    TEMP_PATH_MAX);
		assert_true(snprintf(target, sizeof(target), "%s/%.80s", to, entry->d_name) <
			    TEMP_PATH_MAX);
		if (entry->d_type == DT_DIR)
			copy_directory(source, target);
		else
			copy_file(source, target);
	}
	closedir(listing);
}

void take_copy(const struct provisioned *p, char out[static TEMP_DIR_MAX])
{
	ta_new_store(out);
	copy_directory(p->ta.store, out);
}

void put_back(struct provisioned *p, const char *copy)
{
	ta_disconnect(&p->ta);
	ta_remove_store(p->ta.store);
	copy_directory(copy, p->ta.store);
	ta_connect(&p->ta);
}

static void path_of(const struct provisioned *p, const char *name, char out[static TEMP_PATH_MAX])
{
	const int len = snprintf(out, TEMP_PATH_MAX, "%s/objects/%.64s", p->ta.store, name);

	assert_true(len > 0 && len < TEMP_PATH_MAX);
}

void note_objects(const struct provisioned *p, struct object_names *out)
{
	char path[TEMP_PATH_MAX] = "";
	struct dirent *entry = NULL;
	DIR *listing = NULL;

	path_of(p, "", path);
	listing = opendir(path);
	assert_non_null(listing);
	out->count = 0;
	while ((entry = readdir(listing))) {
		if (entry->d_name[0] == '.')
			continue;
		assert_true(out->count < SR_ARRAY_LEN(out->names));
		(void)snprintf(out->names[out->count++], sizeof(out->names[0]), "%.64s",
			       entry->d_name);
	}
	closedir(listing);
}

static bool has_name(const struct object_names *names, const char *name)
{
	for (unsigned i = 0; i < names->count; i++) {
		if (!strcmp(names->names[i], name))
			return true;
	}
	return false;
}

void path_of_new_object(const struct provisioned *p, const struct object_names *before,
			char out[static TEMP_PATH_MAX])
{
	static struct object_names now;
	unsigned found = 0;

	note_objects(p, &now);
	for (unsigned i = 0; i < now.count; i++) {
		if (has_name(before, now.names[i]))
			continue;
		path_of(p, now.names[i], out);
		found++;
	}
	assert_int_equal(found, 1);
}

unsigned count_objects(const struct provisioned *p)
{
	static struct object_names now;

	note_objects(p, &now);
	return now.count;
}

void damage_object(const char *path)
{
	const int fd = open(path, O_RDWR);
	uint8_t byte = 0;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, 40), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, 40), 1);
	assert_int_equal(close(fd), 0);
}
