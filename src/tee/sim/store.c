/* SPDX-License-Identifier: Apache-2.0 */
#include "tee/sim/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- opening ----------------------------------------------------------- */

static bool sync_parent(int dir)
{
	int fd = openat(dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool synced = false;

	/* Whoever may make names there need not be allowed to read it. */
	if (fd < 0)
		return errno == EACCES;
	synced = !fsync(fd);
	close(fd);
	return synced;
}

bool sim_store_check_private(const char *name, const struct stat *st, struct sr_error *err)
{
	if (st->st_uid != geteuid())
		return sr_fail(err, SR_E_INVALID, "%s: expected to belong to user %u, is user %u's",
			       name, (unsigned)geteuid(), (unsigned)st->st_uid);
	if (st->st_mode & 077)
		return sr_fail(err, SR_E_INVALID,
			       "%s: expected a mode that lets nobody else in (%04o), is %04o", name,
			       S_ISDIR(st->st_mode) ? 0700u : 0600u,
			       (unsigned)(st->st_mode & 07777));
	return true;
}

/* Made where it is not there: ours alone, whatever the umask. What is there already
 * is not changed: a mistaken path could name anything. */
static int open_directory(int parent, const char *path, int flags)
{
	const bool made = !mkdirat(parent, path, 0700);
	int fd = -1;

	if (!made && errno != EEXIST)
		return -1;
	/* By name: a umask may have left a directory that even its owner cannot open. */
	if (made && fchmodat(parent, path, 0700, 0))
		return -1;
	fd = openat(parent, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
	/* What is put into it is promised to last: so must its own name. */
	if (fd >= 0 && made && !sync_parent(fd)) {
		close(fd);
		errno = EIO; /* close may have left another */
		return -1;
	}
	return fd;
}

/* Small files that every process writes in place. */
static int open_state_file(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd >= 0 && fchmod(fd, 0600)) {
		const int cause = errno;

		close(fd);
		errno = cause;
		return -1;
	}
	return fd;
}

static bool open_files(struct sim_store *store, const char *path, struct sr_error *err)
{
	struct stat st = { 0 };

	store->dir = open_directory(AT_FDCWD, path, 0);
	if (store->dir < 0 || fstat(store->dir, &st))
		return sr_fail(err, SR_E_UNAVAILABLE, "%s", strerror(errno));
	if (!sim_store_check_private("the directory", &st, err))
		return false;
	store->device = st.st_dev;
	store->inode = st.st_ino;
	store->objects = open_directory(store->dir, "objects", O_NOFOLLOW);
	if (store->objects < 0 && (errno == ENOTDIR || errno == ELOOP))
		return sr_fail(err, SR_E_INVALID, "objects: expected a directory, is none");
	if (store->objects < 0 || fstat(store->objects, &st))
		return sr_fail(err, SR_E_UNAVAILABLE, "objects: %s", strerror(errno));
	if (!sim_store_check_private("objects", &st, err))
		return false;
	store->lock = open_state_file(store->dir, "lock");
	if (store->lock < 0)
		return sr_fail(err, SR_E_UNAVAILABLE, "lock: %s", strerror(errno));
	store->generation = open_state_file(store->dir, "generation");
	if (store->generation < 0)
		return sr_fail(err, SR_E_UNAVAILABLE, "generation: %s", strerror(errno));
	return true;
}

bool sim_store_open(struct sim_store *store, const char *path, const TEE_UUID *ta,
		    struct sr_error *err)
{
	bool changed = false;
	bool ok = false;

	*store = (struct sim_store){ .dir = -1, .objects = -1, .lock = -1, .generation = -1 };
	if (!open_files(store, path, err))
		goto out;
	if (!sim_store_lock(store, &changed)) {
		(void)sr_fail(err, SR_E_UNAVAILABLE, "lock: %s", strerror(errno));
		goto out;
	}
	/* Under the lock no writer lives: what is temporary is a dead one's. */
	sim_file_remove_stale(store->dir);
	sim_file_remove_stale(store->objects);
	ok = sim_store_load_keys(store, ta, err);
	sim_store_unlock(store);
out:
	if (!ok) {
		(void)sr_fail_in(err, "simulator's store %s", path);
		sim_store_close(store);
	}
	return ok;
}

static void close_file(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void sim_store_close(struct sim_store *store)
{
	close_file(&store->dir);
	close_file(&store->objects);
	close_file(&store->lock);
	close_file(&store->generation);
	sr_wipe(store->name_key, sizeof(store->name_key));
	sr_wipe(store->content_key, sizeof(store->content_key));
}

void sim_store_drop_lock(struct sim_store *store)
{
	close_file(&store->lock);
}

bool sim_store_after_fork(struct sim_store *store)
{
	sim_store_drop_lock(store);
	store->lock = open_state_file(store->dir, "lock");
	return store->lock >= 0;
}

/* ---- lock and generation ----------------------------------------------- */

/* Read and written by pread and pwrite of 8 bytes under the lock. A file of another
 * length is new, or a power cut's: it goes on at random, so that every process takes
 * it for a change. When that cannot be written, the next one does the same. */
static bool read_generation(const struct sim_store *store, uint64_t *out)
{
	ssize_t n = pread(store->generation, out, sizeof(*out), 0);

	if (n < 0 || n == (ssize_t)sizeof(*out))
		return n > 0;
	randombytes_buf(out, sizeof(*out));
	if (pwrite(store->generation, out, sizeof(*out), 0) == (ssize_t)sizeof(*out))
		(void)fsync(store->generation);
	return true;
}

bool sim_store_lock(struct sim_store *store, bool *changed)
{
	uint64_t generation = 0;
	int result = -1;

	do {
		result = flock(store->lock, LOCK_EX);
	} while (result && errno == EINTR);
	if (result)
		return false;
	if (!read_generation(store, &generation)) {
		sim_store_unlock(store);
		return false;
	}
	*changed = generation != store->seen_generation;
	store->seen_generation = generation;
	return true;
}

void sim_store_unlock(struct sim_store *store)
{
	(void)flock(store->lock, LOCK_UN);
}

/* Before the change shows: a kill in between costs others a needless look. */
static int raise_generation(void *arg)
{
	struct sim_store *store = arg;
	uint64_t next = store->seen_generation + 1;
	int error = sim_store_fault("generation");

	if (error)
		return error;
	errno = 0;
	if (pwrite(store->generation, &next, sizeof(next), 0) != (ssize_t)sizeof(next))
		return errno ? errno : EIO;
	store->seen_generation = next;
	return 0;
}

/* ---- objects ----------------------------------------------------------- */

static TEE_Result from_errno(int error)
{
	switch (error) {
	case 0:
		return TEE_SUCCESS;
	case ENOENT:
		return TEE_ERROR_ITEM_NOT_FOUND;
	case EEXIST:
		return TEE_ERROR_ACCESS_CONFLICT;
	case ENOSPC:
	case EDQUOT:
		return TEE_ERROR_STORAGE_NO_SPACE;
	case ENOMEM:
		return TEE_ERROR_OUT_OF_MEMORY;
	case EFBIG:
	case EINVAL:
	case ELOOP:
		return TEE_ERROR_CORRUPT_OBJECT;
	default:
		return TEE_ERROR_STORAGE_NOT_AVAILABLE;
	}
}

/* By file name: id is what the file says of itself, and has been checked to be the
 * one that this name is made of. */
static TEE_Result read_named(const struct sim_store *store, const char *name,
			     struct sim_object_id *id, struct sim_blob *out)
{
	struct sim_blob sealed = { 0 };
	TEE_Result result =
		from_errno(sim_file_read(store->objects, name, SIM_SEALED_MAX, &sealed));

	*out = (struct sim_blob){ 0 };
	if (result == TEE_SUCCESS)
		result = sim_store_unseal(store, name, sealed.data, sealed.len, id, out);
	sim_blob_free(&sealed);
	return result;
}

TEE_Result sim_store_read(const struct sim_store *store, const struct sim_object_id *id,
			  struct sim_blob *out)
{
	char name[SIM_STORE_NAME_SIZE] = { 0 };
	struct sim_object_id found = { 0 };

	sim_store_name(store, id, name);
	return read_named(store, name, &found, out);
}

TEE_Result sim_store_write(struct sim_store *store, const struct sim_object_id *id,
			   const uint8_t *data, size_t len, bool overwrite)
{
	char name[SIM_STORE_NAME_SIZE] = { 0 };
	struct sim_blob sealed = { 0 };
	TEE_Result result = TEE_SUCCESS;

	if (len > SIM_OBJECT_MAX)
		return TEE_ERROR_STORAGE_NO_SPACE;
	sim_store_name(store, id, name);
	result = sim_store_seal(store, name, id, data, len, &sealed);
	if (result != TEE_SUCCESS)
		return result;
	result = from_errno(sim_file_write(store->objects, name, sealed.data, sealed.len, overwrite,
					   raise_generation, store));
	sim_blob_free(&sealed);
	/* EINVAL and its like mean damage only where something is read. */
	return result == TEE_ERROR_CORRUPT_OBJECT ? TEE_ERROR_STORAGE_NOT_AVAILABLE : result;
}

/* A name that is not there any more is a failure of the storage: whoever deletes
 * holds an open handle. */
TEE_Result sim_store_delete(struct sim_store *store, const struct sim_object_id *id)
{
	char name[SIM_STORE_NAME_SIZE] = { 0 };
	int error = raise_generation(store);

	sim_store_name(store, id, name);
	if (!error)
		error = sim_store_fault("unlink");
	if (!error && unlinkat(store->objects, name, 0))
		error = errno;
	/* A writer killed at the wrong moment left a second name for the same content. */
	if (!error)
		sim_file_remove_temporary(store->objects);
	if (!error)
		error = sim_store_fault("sync directory");
	if (!error && fsync(store->objects))
		error = errno;
	/* The only errors that OP-TEE's interface has for a deletion. */
	return error ? TEE_ERROR_STORAGE_NOT_AVAILABLE : TEE_SUCCESS;
}

static TEE_Result visit_named(const struct sim_store *store, const char *name,
			      TEE_Result (*visit)(void *arg, const struct sim_object_id *id),
			      void *arg)
{
	struct sim_object_id id = { 0 };
	struct sim_blob content = { 0 };
	TEE_Result result = read_named(store, name, &id, &content);

	sim_blob_free(&content);
	switch (result) {
	case TEE_SUCCESS:
		return visit(arg, &id);
	case TEE_ERROR_CORRUPT_OBJECT:
		return visit(arg, NULL);
	case TEE_ERROR_ITEM_NOT_FOUND:
		return TEE_SUCCESS;
	default:
		return result;
	}
}

/* NULL at the end, which a directory that cannot be read is not. */
static struct dirent *next_entry(DIR *listing, TEE_Result *result)
{
	struct dirent *entry = NULL;

	errno = 0;
	entry = readdir(listing);
	if (!entry && errno)
		*result = TEE_ERROR_STORAGE_NOT_AVAILABLE;
	return entry;
}

TEE_Result sim_store_list(const struct sim_store *store,
			  TEE_Result (*visit)(void *arg, const struct sim_object_id *id), void *arg)
{
	struct dirent *entry = NULL;
	TEE_Result result = TEE_SUCCESS;
	int fd = openat(store->objects, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *listing = fd < 0 ? NULL : fdopendir(fd);

	if (!listing) {
		if (fd >= 0)
			close(fd);
		return TEE_ERROR_STORAGE_NOT_AVAILABLE;
	}
	while (result == TEE_SUCCESS && (entry = next_entry(listing, &result))) {
		if (sim_store_is_name(entry->d_name))
			result = visit_named(store, entry->d_name, visit, arg);
	}
	closedir(listing);
	return result;
}
