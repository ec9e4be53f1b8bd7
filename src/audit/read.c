/* SPDX-License-Identifier: Apache-2.0 */
/* The log as a text in memory, and its lines one by one. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/audit_private.h"

static bool map_file(int fd, struct audit_map *out, struct sr_error *err)
{
	struct stat st = { 0 };
	void *at = NULL;

	/* What is cut off a log later is never a whole line, and whole lines are all there is
	 * while nobody holds the lock. A log kept read-only may have no locks. */
	(void)flock(fd, LOCK_SH);
	if (fstat(fd, &st) != 0)
		return sr_fail(err, SR_E_UNAVAILABLE, "%m");
	(void)flock(fd, LOCK_UN);
	if (!S_ISREG(st.st_mode))
		return sr_fail(err, SR_E_INVALID, "not a regular file");
	if (!st.st_size)
		return true;
	at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (at == MAP_FAILED)
		return sr_fail(err, SR_E_NO_MEMORY, "%m");
	(void)madvise(at, (size_t)st.st_size, MADV_SEQUENTIAL);
	out->text = at;
	out->len = (size_t)st.st_size;
	return true;
}

bool audit_map_open(const char *path, struct audit_map *out, struct sr_error *err)
{
	/* A pipe in the log's place must not hold its reader up. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool ok = false;

	*out = (struct audit_map){ 0 };
	if (fd < 0)
		return sr_fail(err, errno == ENOENT ? SR_E_NOT_FOUND : SR_E_UNAVAILABLE,
			       "audit log %s: %m", path);
	ok = map_file(fd, out, err) || sr_fail_in(err, "audit log %s", path);
	(void)close(fd);
	return ok;
}

void audit_map_close(struct audit_map *map)
{
	if (map->text)
		(void)munmap((void *)(uintptr_t)map->text, map->len);
	*map = (struct audit_map){ 0 };
}

static bool read_lines(const struct audit_map *map,
		       bool (*each)(void *arg, const struct audit_entry *entry), void *arg,
		       struct sr_error *err)
{
	struct audit_entry entry = { .line = 0 };
	const char *at = map->text;
	const char *end = map->text + map->len;

	while (at < end) {
		const char *line_end = memchr(at, '\n', (size_t)(end - at));

		entry.line++;
		if (!line_end || !audit_parse_line(at, (size_t)(line_end - at), &entry))
			return sr_fail(err, SR_E_CORRUPT, "line %llu is none of an audit log",
				       (unsigned long long)entry.line);
		if (!each(arg, &entry))
			return true;
		at = line_end + 1;
	}
	return true;
}

bool audit_read(const char *path, bool (*each)(void *arg, const struct audit_entry *entry),
		void *arg, struct sr_error *err)
{
	struct audit_map map = { 0 };
	bool ok = false;

	if (!audit_map_open(path, &map, err))
		return false;
	ok = !map.text || read_lines(&map, each, arg, err) || sr_fail_in(err, "audit log %s", path);
	audit_map_close(&map);
	return ok;
}
