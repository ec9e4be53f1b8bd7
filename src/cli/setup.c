/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
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

void cli_note_platform(struct config *config)
{
	struct config_platform platform = { .board = CONFIG_BOARD_UNKNOWN };
	const char *sys = getenv("SUPER_RELAY_SYS");
	struct utsname name = { 0 };

	uname(&name);
	config_platform_detect(sys && *sys ? sys : "/sys", name.machine, &platform);
	config_platform_notes(config, &platform);
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

bool cli_group_id(const char *name, uint32_t *gid, struct sr_error *err)
{
	struct group entry;
	struct group *found = NULL;
	char buffer[4096];
	char *end = NULL;
	unsigned long number = 0;

	errno = 0;
	number = strtoul(name, &end, 10);
	if (*name >= '0' && *name <= '9' && !*end) {
		*gid = (uint32_t)number;
		return (!errno && number <= UINT32_MAX - 1) ||
		       sr_fail(err, SR_E_INVALID, "'%.40s' is no group's number", name);
	}
	if (getgrnam_r(name, &entry, buffer, sizeof(buffer), &found) || !found)
		return sr_fail(err, SR_E_NOT_FOUND, "there is no group '%.64s' on this system",
			       name);
	*gid = found->gr_gid;
	return true;
}

/* 0 is root's group, and to the KMS none at all. */
static bool find_login_group(const struct config *config, uint32_t *gid, struct sr_error *err)
{
	const char *name = config->optee_kms.login_group;

	*gid = 0;
	if (!*name || config->paymaster_relay.kms_backend != CONFIG_KMS_OPTEE)
		return true;
	if (!cli_group_id(name, gid, err))
		return sr_fail_in(err, "[optee_kms] login_group");
	return *gid || sr_fail(err, SR_E_INVALID,
			       "[optee_kms] login_group: root's group is everybody's that the TEE "
			       "need not know; name one of the relay's own");
}

static bool open_log(const struct config *config, struct audit_log **out, struct sr_error *err)
{
	const char *path = config->optee_kms.security.audit_log;

	*out = NULL;
	if (!config->optee_kms.security.audit_logging)
		return true;
	return make_directories(path, err) && audit_log_open(path, true, out, err);
}

TEEC_UUID cli_ta_uuid(const struct config *config)
{
	const struct config_uuid *uuid = &config->optee_kms.ta_uuid;
	TEEC_UUID out = { .timeLow = uuid->time_low,
			  .timeMid = uuid->time_mid,
			  .timeHiAndVersion = uuid->time_hi_and_version };

	memcpy(out.clockSeqAndNode, uuid->clock_seq_and_node, 8);
	return out;
}

bool cli_open_kms(const struct config *config,
		  void (*observe)(void *arg, const struct kms_observation *seen), void *observe_arg,
		  struct kms **out, struct sr_error *err)
{
	struct kms_config k = {
		.ta_uuid = cli_ta_uuid(config),
		.pool_size = config->optee_kms.performance.connection_pool_size,
		.batch_size = config->optee_kms.performance.batch_size,
		.min_batch = config->optee_kms.performance.min_batch,
		.batch_timeout_us = config->optee_kms.performance.batch_timeout * 1000,
		.max_retries = config->optee_kms.security.max_retries,
		.session_timeout_s = config->optee_kms.security.session_timeout,
		.queue_limit = QUEUE_LIMIT,
		.audit_checkpoint_interval = config->optee_kms.security.audit_checkpoint_interval,
		.observe = observe,
		.observe_arg = observe_arg,
	};

	*out = NULL;
	if (!find_login_group(config, &k.login_group, err) || !load_backend(config, &k.api, err) ||
	    !open_log(config, &k.log, err))
		return false;
	if (kms_open(&k, out, err))
		return true;
	audit_log_close(k.log);
	return false;
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
