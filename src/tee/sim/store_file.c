/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files, read and replaced so that a kill leaves the old or the new one. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tee/sim/sim_test.h"
#include "tee/sim/store.h"

/* One name a directory: whoever writes holds the lock. Others with the prefix were
 * left by earlier versions. */
#define TEMPORARY_PREFIX ".tmp-"
#define TEMPORARY_NAME TEMPORARY_PREFIX "new"

int (*sim_store_fault_hook)(const char *step);

int sim_store_fault(const char *step)
{
	return sim_store_fault_hook ? sim_store_fault_hook(step) : 0;
}

void sim_blob_free(struct sim_blob *blob)
{
	if (blob->data)
		sr_wipe(blob->data, blob->len);
	free(blob->data);
	*blob = (struct sim_blob){ 0 };
}

/* EIO for a file that ends early: somebody cuts it while it is read. */
static int read_all(int fd, uint8_t *out, size_t len)
{
	size_t at = 0;

	while (at < len) {
		ssize_t n = read(fd, out + at, len - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		if (!n)
			return EIO;
		at += (size_t)n;
	}
	return 0;
}

static int write_all(int fd, const uint8_t *data, size_t len)
{
	size_t at = 0;

	while (at < len) {
		ssize_t n = write(fd, data + at, len - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		at += (size_t)n;
	}
	return 0;
}

int sim_file_read(int dir, const char *name, size_t max, struct sim_blob *out)
{
	struct stat st = { 0 };
	int error = 0;
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	*out = (struct sim_blob){ 0 };
	if (fd < 0)
		return errno;
	if (fstat(fd, &st))
		error = errno;
	else if (!S_ISREG(st.st_mode))
		error = EINVAL;
	else if ((uintmax_t)st.st_size > max)
		error = EFBIG;
	if (error)
		goto out;
	out->len = (size_t)st.st_size;
	out->data = malloc(out->len + 1);
	if (!out->data)
		error = ENOMEM;
	else
		error = read_all(fd, out->data, out->len);
	if (error)
		sim_blob_free(out);
out:
	close(fd);
	return error;
}

void sim_file_remove_temporary(int dir)
{
	(void)unlinkat(dir, TEMPORARY_NAME, 0);
}

/* A file that nobody has a name for but us; on disk when this returns 0. */
static int write_temporary(int dir, const uint8_t *data, size_t len)
{
	int error = sim_store_fault("open");
	int fd = -1;

	if (error)
		return error;
	sim_file_remove_temporary(dir);
	fd = openat(dir, TEMPORARY_NAME, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
		    0600);
	/* EEXIST is what says that the object exists, and this is not the object. */
	if (fd < 0)
		return errno == EEXIST ? EIO : errno;
	/* A umask could have taken more than it should. */
	if (fchmod(fd, 0600))
		error = errno;
	if (!error)
		error = sim_store_fault("write");
	if (!error)
		error = write_all(fd, data, len);
	if (!error)
		error = sim_store_fault("sync");
	if (!error && fsync(fd))
		error = errno;
	if (close(fd) && !error)
		error = errno;
	return error;
}

int sim_file_write(int dir, const char *name, const uint8_t *data, size_t len, bool replace,
		   int (*publish)(void *arg), void *arg)
{
	int error = write_temporary(dir, data, len);

	if (!error && publish)
		error = publish(arg);
	if (!error)
		error = sim_store_fault("publish");
	if (!error)
		error = (replace ? renameat(dir, TEMPORARY_NAME, dir, name)
				 : linkat(dir, TEMPORARY_NAME, dir, name, 0))
				? errno
				: 0;
	/* Gone already after a rename; after a link, its second name. */
	if (error || !replace)
		sim_file_remove_temporary(dir);
	if (!error)
		error = sim_store_fault("sync directory");
	if (!error && fsync(dir))
		error = errno;
	return error;
}

void sim_file_remove_stale(int dir)
{
	struct dirent *entry = NULL;
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *listing = fd < 0 ? NULL : fdopendir(fd);

	if (!listing) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(listing))) {
		if (!strncmp(entry->d_name, TEMPORARY_PREFIX, strlen(TEMPORARY_PREFIX)))
			(void)unlinkat(dir, entry->d_name, 0);
	}
	closedir(listing);
}
