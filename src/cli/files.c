/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

bool cli_hex(const char *name, const char *text, uint8_t *out, size_t len, struct sr_error *err)
{
	return sr_hex_decode(text, strlen(text), out, len) ||
	       sr_fail(err, SR_E_INVALID, "%s: expected %zu hex digits, got %zu characters", name,
		       2 * len, strlen(text));
}

bool cli_uuid(const char *name, const char *text, uint8_t out[static 16], struct sr_error *err)
{
	char digits[33] = "";
	size_t used = 0;
	bool ok = strlen(text) == 36;

	for (size_t i = 0; ok && i < 36; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23)
			ok = text[i] == '-';
		else
			digits[used++] = text[i];
	}
	return (ok && sr_hex_decode(digits, used, out, 16)) ||
	       sr_fail(err, SR_E_INVALID, "%s: expected a UUID as 8-4-4-4-12 hex digits", name);
}

bool cli_number(const char *name, const char *text, uint64_t min, uint64_t max, uint64_t *out,
		struct sr_error *err)
{
	char *end = NULL;

	errno = 0;
	*out = strtoull(text, &end, 10);
	if (*text >= '0' && *text <= '9' && !*end && !errno && *out >= min && *out <= max)
		return true;
	return sr_fail(err, SR_E_INVALID, "%s: expected a number from %llu to %llu, got '%.40s'",
		       name, (unsigned long long)min, (unsigned long long)max, text);
}

bool cli_read_file(const char *path, size_t limit, struct sr_buf *out, struct sr_error *err)
{
	bool standard = strcmp(path, "-") == 0;
	int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	bool ok = false;

	if (fd < 0)
		return sr_fail(err, errno == ENOENT ? SR_E_NOT_FOUND : SR_E_UNAVAILABLE,
			       "%.150s: %m", path);
	ok = cli_read_all(fd, limit, standard ? "standard input" : path, out, err);
	if (!standard)
		close(fd);
	return ok;
}

static bool write_all(int fd, const uint8_t *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return fsync(fd) == 0;
}

bool cli_write_file(const char *path, unsigned mode, const void *data, size_t len,
		    struct sr_error *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	bool ok = false;

	if (fd < 0)
		return sr_fail(err, errno == EEXIST ? SR_E_EXISTS : SR_E_UNAVAILABLE,
			       errno == EEXIST ? "%.150s exists already and is left as it is: %m"
					       : "%.150s: %m",
			       path);
	ok = write_all(fd, data, len) ||
	     sr_fail(err, SR_E_UNAVAILABLE, "%.150s cannot be written: %m", path);
	close(fd);
	if (!ok)
		unlink(path);
	return ok;
}
