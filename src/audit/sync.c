/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Group commit: while one thread waits for the disk, those that come after it gather, and
 * the next fdatasync serves all of them.
 *
 * A failed fdatasync may have dropped what it could not write, and the next one would report
 * success: after the first failure nothing about the file is certain any more.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "audit/audit_private.h"

void audit_sync_note(struct audit_log *log, uint64_t seq)
{
	(void)pthread_mutex_lock(&log->sync_lock);
	log->known++;
	log->known_seq = seq;
	(void)pthread_mutex_unlock(&log->sync_lock);
}

uint64_t audit_log_durable(struct audit_log *log)
{
	uint64_t seq = 0;

	(void)pthread_mutex_lock(&log->sync_lock);
	seq = log->durable_seq;
	(void)pthread_mutex_unlock(&log->sync_lock);
	return seq;
}

bool audit_sync_broken(struct audit_log *log)
{
	bool broken = false;

	(void)pthread_mutex_lock(&log->sync_lock);
	broken = log->broken;
	(void)pthread_mutex_unlock(&log->sync_lock);
	return broken;
}

/* sync_lock is held, but for the time of the fdatasync. */
static void sync_once(struct audit_log *log)
{
	uint64_t covered = log->known;
	uint64_t covered_seq = log->known_seq;
	int result = 0;

	log->syncing = true;
	(void)pthread_mutex_unlock(&log->sync_lock);
	do {
		result = fdatasync(log->fd);
	} while (result != 0 && errno == EINTR);
	(void)pthread_mutex_lock(&log->sync_lock);
	log->syncing = false;
	if (result == 0) {
		log->synced = covered;
		log->durable_seq = covered_seq;
	} else {
		log->broken = true;
	}
	(void)pthread_cond_broadcast(&log->synced_more);
}

bool audit_log_sync(struct audit_log *log, struct sr_error *err)
{
	uint64_t target = 0;
	bool ok = false;

	(void)pthread_mutex_lock(&log->sync_lock);
	target = log->known;
	while (log->synced < target && !log->broken) {
		if (log->syncing)
			(void)pthread_cond_wait(&log->synced_more, &log->sync_lock);
		else
			sync_once(log);
	}
	ok = !log->broken;
	(void)pthread_mutex_unlock(&log->sync_lock);
	return ok || sr_fail(err, SR_E_UNAVAILABLE,
			     "audit log %s: a write to the disk failed: it must be opened anew",
			     log->path);
}
