/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"

#define QUEUE_LIMIT 100000

static const char *process_env(void *arg, const char *name)
{
	(void)arg;
	return getenv(name);
}

bool cli_load_config(const char *path, struct config *out, struct sr_error *err)
{
	if (!path)
		path = getenv("SUPER_RELAY_CONFIG");
	if (path && *path)
		return config_load(path, out, err);
	return config_parse("", 0, "built-in defaults", process_env, NULL, out, err);
}

/* Makes a directory and those above it, for this user alone. */
static bool make_directories(const char *path, struct sr_error *err)
{
	char *copy = strdup(path);
	char *slash = copy;
	bool ok = copy != NULL;

	if (!ok)
		return sr_fail(err, SR_E_NO_MEMORY, "out of memory");
	while (ok && (slash = strchr(slash + 1, '/'))) {
		*slash = '\0';
		ok = !mkdir(copy, 0700) || errno == EEXIST;
		*slash = '/';
	}
	if (!ok)
		sr_fail(err, SR_E_UNAVAILABLE, "cannot make the directory above '%.150s': %m",
			path);
	free(copy);
	return ok;
}

static bool load_backend(const struct config *config, struct tee_api *api, struct sr_error *err)
{
	if (config->paymaster_relay.kms_backend == CONFIG_KMS_OPTEE)
		return tee_load_optee(api, err);
	return make_directories(config->simulator.store, err) &&
	       tee_load_simulator(config->simulator.store, api, err);
}

bool cli_open_kms(const struct config *config,
		  void (*observe)(void *arg, const struct kms_observation *seen), void *observe_arg,
		  struct kms **out, struct sr_error *err)
{
	const struct config_uuid *uuid = &config->optee_kms.ta_uuid;
	struct kms_config k = {
		.ta_uuid = { .timeLow = uuid->time_low,
			     .timeMid = uuid->time_mid,
			     .timeHiAndVersion = uuid->time_hi_and_version },
		.pool_size = config->optee_kms.performance.connection_pool_size,
		.batch_size = config->optee_kms.performance.batch_size,
		.min_batch = config->optee_kms.performance.min_batch,
		.batch_timeout_us = config->optee_kms.performance.batch_timeout * 1000,
		.max_retries = config->optee_kms.security.max_retries,
		.session_timeout_s = config->optee_kms.security.session_timeout,
		.queue_limit = QUEUE_LIMIT,
		.observe = observe,
		.observe_arg = observe_arg,
	};

	*out = NULL;
	memcpy(k.ta_uuid.clockSeqAndNode, uuid->clock_seq_and_node, 8);
	return load_backend(config, &k.api, err) && kms_open(&k, out, err);
}

bool cli_read_all(int fd, size_t limit, const char *name, struct sr_buf *out, struct sr_error *err)
{
	/* one byte more than allowed tells that there is more */
	sr_buf_init(out, limit + 1);
	for (;;) {
		size_t room = limit + 1 - out->len < 65536 ? limit + 1 - out->len : 65536;
		ssize_t n = 0;

		if (!room)
			return sr_fail(err, SR_E_LIMIT, "%s: over %zu bytes", name, limit);
		if (!sr_buf_reserve(out, room))
			return sr_fail(err, SR_E_NO_MEMORY, "%s: out of memory", name);
		n = read(fd, out->data + out->len, room);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return sr_fail(err, SR_E_UNAVAILABLE, "%s: %m", name);
		if (n == 0)
			return true;
		out->len += (size_t)n;
	}
}
