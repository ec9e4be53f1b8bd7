/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys that were once seen, so that another under the same name is noticed. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "cli/cli.h"

#define PIN_FILE_MAX ((size_t)1024 * 1024)
#define PIN_VALUE_MAX 128 /* bytes */

/* The line that begins with "NAME ", or NULL; *len is its rest's, without the line's end. */
static const char *find_line(const struct sr_buf *text, const char *name, size_t *len)
{
	const char *at = (const char *)text->data;
	const char *end = at + text->len;
	const size_t name_len = strlen(name);

	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));

		if (!stop)
			stop = end;
		if ((size_t)(stop - at) > name_len && memcmp(at, name, name_len) == 0 &&
		    at[name_len] == ' ') {
			*len = (size_t)(stop - at) - name_len - 1;
			return at + name_len + 1;
		}
		at = stop + 1;
	}
	return NULL;
}

/* A line of another form is a file that somebody has edited, or another file. */
static bool compare(const char *path, const char *name, const char *hex, size_t len,
		    struct sr_bytes value, struct sr_error *err)
{
	uint8_t pinned[PIN_VALUE_MAX];

	if (len % 2 || len < 4 || len > 2 * sizeof(pinned) + 2 ||
	    !sr_hex_decode(hex, len, pinned, len / 2 - 1))
		return sr_fail(err, SR_E_CORRUPT, "%.100s: the line of '%s' is no pin", path, name);
	if (len / 2 - 1 == value.len && sr_equal_ct(pinned, value.data, value.len))
		return true;
	return sr_fail(err, SR_E_CORRUPT,
		       "'%s' is not what it was when it was first seen. If that is meant to be so, "
		       "remove its line from %.100s",
		       name, path);
}

static bool add(int fd, const char *path, const char *name, struct sr_bytes value,
		const struct sr_buf *text, struct sr_error *err)
{
	struct sr_buf line = { 0 };
	bool ok = false;

	/* a line that a crash has torn must not swallow the next */
	if (text->len && text->data[text->len - 1] != '\n')
		sr_buf_puts(&line, "\n");
	sr_buf_printf(&line, "%s ", name);
	sr_buf_put_hex_0x(&line, value.data, value.len);
	sr_buf_puts(&line, "\n");
	ok = !line.failed && write(fd, line.data, line.len) == (ssize_t)line.len && fsync(fd) == 0;
	sr_buf_free(&line);
	return ok || sr_fail(err, SR_E_UNAVAILABLE, "%.150s cannot be written: %m", path);
}

/* Locked, since two relays may start at the same time. */
static int open_pins(const char *path, struct sr_buf *text, struct sr_error *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0) {
		sr_fail(err, SR_E_UNAVAILABLE, "%.150s: %m", path);
		return -1;
	}
	while (flock(fd, LOCK_EX) && errno == EINTR)
		;
	if (cli_read_all(fd, PIN_FILE_MAX, path, text, err))
		return fd;
	close(fd);
	return -1;
}

bool cli_pin(const char *path, const char *name, struct sr_bytes value, bool *first,
	     struct sr_error *err)
{
	struct sr_buf text = { 0 };
	const char *hex = NULL;
	size_t len = 0;
	bool ok = false;
	int fd = open_pins(path, &text, err);

	*first = false;
	if (fd >= 0) {
		hex = find_line(&text, name, &len);
		*first = !hex;
		ok = hex ? compare(path, name, hex, len, value, err)
			 : add(fd, path, name, value, &text, err);
		close(fd);
	}
	sr_buf_free(&text);
	return ok;
}

bool cli_has_pin(const char *path, const char *name, struct sr_error *err)
{
	struct sr_buf text = { 0 };
	size_t len = 0;
	bool found = false;
	int fd = access(path, F_OK) == 0 ? open_pins(path, &text, err) : -1;

	if (fd >= 0) {
		found = find_line(&text, name, &len) != NULL;
		close(fd);
	}
	sr_buf_free(&text);
	return found;
}
