/* SPDX-License-Identifier: Apache-2.0 */
/* Opening, locking and closing a log. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/audit_private.h"

/* A new file is there after a power cut only if its directory says so. */
static bool sync_directory(const char *path, struct sr_error *err)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	int fd = -1;
	bool ok = false;

	if (!dir)
		return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ok = fd >= 0 && fsync(fd) == 0;
	if (!ok)
		(void)sr_fail(err, SR_E_UNAVAILABLE, "its directory: %m");
	if (fd >= 0)
		(void)close(fd);
	free(dir);
	return ok;
}

/* -1 with *err. */
static int open_file(const char *path, bool create, struct sr_error *err)
{
	int flags = O_RDWR | O_APPEND | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	int fd = open(path, flags);

	if (fd < 0 && errno == ENOENT && create) {
		fd = open(path, flags | O_CREAT, 0600);
		if (fd >= 0 && !sync_directory(path, err)) {
			(void)close(fd);
			return -1;
		}
	}
	if (fd < 0)
		(void)sr_fail(err, errno == ENOENT ? SR_E_NOT_FOUND : SR_E_UNAVAILABLE, "%m");
	return fd;
}

static bool check_file(int fd, struct sr_error *err)
{
	struct stat st = { 0 };

	if (fstat(fd, &st) != 0)
		return sr_fail(err, SR_E_UNAVAILABLE, "%m");
	if (!S_ISREG(st.st_mode))
		return sr_fail(err, SR_E_DENIED, "not a regular file");
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return sr_fail(err, SR_E_DENIED,
			       "mode %03o lets others write to it: expected 600 or 640",
			       (unsigned)st.st_mode & 0777u);
	return true;
}

static struct audit_log *make_log(const char *path)
{
	struct audit_log *log = calloc(1, sizeof(*log));

	if (!log)
		return NULL;
	log->fd = -1;
	log->tail.empty = true;
	log->path = strdup(path);
	if (!log->path || pthread_mutex_init(&log->lock, NULL) != 0)
		goto failed;
	if (pthread_mutex_init(&log->sync_lock, NULL) != 0)
		goto failed_lock;
	if (pthread_cond_init(&log->synced_more, NULL) != 0)
		goto failed_sync_lock;
	return log;

failed_sync_lock:
	(void)pthread_mutex_destroy(&log->sync_lock);
failed_lock:
	(void)pthread_mutex_destroy(&log->lock);
failed:
	free(log->path);
	free(log);
	return NULL;
}

bool audit_log_open(const char *path, bool create, struct audit_log **out, struct sr_error *err)
{
	struct audit_log *log = make_log(path);

	*out = NULL;
	if (!log)
		return sr_fail(err, SR_E_NO_MEMORY, "audit log %s: out of memory", path);
	log->fd = open_file(path, create, err);
	if (log->fd < 0 || !check_file(log->fd, err)) {
		(void)sr_fail_in(err, "audit log %s", path);
		goto failed;
	}
	if (!audit_log_lock(log, NULL, err))
		goto failed;
	audit_log_unlock(log);
	*out = log;
	return true;

failed:
	audit_log_close(log);
	return false;
}

void audit_log_close(struct audit_log *log)
{
	if (!log)
		return;
	if (log->fd >= 0)
		(void)close(log->fd);
	(void)pthread_cond_destroy(&log->synced_more);
	(void)pthread_mutex_destroy(&log->sync_lock);
	(void)pthread_mutex_destroy(&log->lock);
	free(log->path);
	free(log);
}

/* A log that was moved away (rotated) must not be written to behind its keeper's back. */
static bool still_there(const struct audit_log *log, struct sr_error *err)
{
	struct stat open_file_st = { 0 };
	struct stat named = { 0 };

	if (fstat(log->fd, &open_file_st) != 0 || stat(log->path, &named) != 0)
		return sr_fail(err, SR_E_CORRUPT, "%m");
	if (open_file_st.st_ino != named.st_ino || open_file_st.st_dev != named.st_dev)
		return sr_fail(err, SR_E_CORRUPT, "was replaced while it was open");
	return true;
}

static bool lock_file(const struct audit_log *log, struct sr_error *err)
{
	int result = 0;

	do {
		result = flock(log->fd, LOCK_EX);
	} while (result != 0 && errno == EINTR);
	return result == 0 || sr_fail(err, SR_E_UNAVAILABLE, "cannot be locked: %m");
}

bool audit_log_lock(struct audit_log *log, struct audit_tail *tail, struct sr_error *err)
{
	if (pthread_mutex_lock(&log->lock) != 0)
		return sr_fail(err, SR_E_INTERNAL, "audit log %s: no mutex", log->path);
	if (!lock_file(log, err))
		goto failed;
	if (audit_sync_broken(log)) {
		(void)sr_fail(err, SR_E_UNAVAILABLE, "a write to the disk failed before");
		goto failed_file;
	}
	if (!still_there(log, err) || !audit_tail_refresh(log, err))
		goto failed_file;
	if (tail)
		*tail = log->tail;
	return true;

failed_file:
	(void)flock(log->fd, LOCK_UN);
failed:
	(void)pthread_mutex_unlock(&log->lock);
	return sr_fail_in(err, "audit log %s", log->path);
}

void audit_log_unlock(struct audit_log *log)
{
	(void)flock(log->fd, LOCK_UN);
	(void)pthread_mutex_unlock(&log->lock);
}

void audit_log_tail(const struct audit_log *log, struct audit_tail *tail)
{
	*tail = log->tail;
}

const char *audit_log_path(const struct audit_log *log)
{
	return log->path;
}

void audit_log_figures(const struct audit_log *log, struct audit_figures *out)
{
	struct stat st = { 0 };

	*out = (struct audit_figures){ .records = atomic_load(&log->appended),
				       .unsigned_records = atomic_load(&log->unsigned_records),
				       .signed_at_ms = atomic_load(&log->signed_at_ms) };
	if (fstat(log->fd, &st) == 0 && st.st_size > 0)
		out->size = (uint64_t)st.st_size;
}
