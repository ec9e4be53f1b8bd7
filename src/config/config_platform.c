/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine that the file is used on. Nothing is decided by it: it makes the
 * difference between "EdgeLock Enclave has no secp256k1" and "there is none here".
 */
#include "config/config_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SYS_FILE_MAX 512 /* bytes; a device tree's list of names has about 40 */

#define IMX93_COMPATIBLE "fsl,imx93"
#define IMX93_SOC_ID "i.MX93"

/* What a file under sys holds, with a NUL behind it; 0 when it cannot be read. */
static size_t read_sys(const char *sys, const char *name, char out[static SYS_FILE_MAX + 1])
{
	char path[4096] = { 0 };
	int n = snprintf(path, sizeof(path), "%s/%s", sys, name);
	ssize_t got = -1;
	int fd = -1;

	/* whatever stands there under that name: a pipe that nobody fills holds nothing up */
	if (n > 0 && (size_t)n < sizeof(path))
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	out[0] = '\0';
	if (fd < 0)
		return 0;
	do
		got = read(fd, out, SYS_FILE_MAX);
	while (got < 0 && errno == EINTR);
	close(fd);
	out[got > 0 ? got : 0] = '\0';
	return got > 0 ? (size_t)got : 0;
}

/* A device tree's list: names, each with a NUL behind it. */
static bool has_name(const char *list, size_t len, const char *name)
{
	for (size_t at = 0; at < len; at += strlen(list + at) + 1) {
		if (strcmp(list + at, name) == 0)
			return true;
	}
	return false;
}

/* The first line, cut, and fit for a terminal. */
static void take_name(const char *text, struct config_platform *out)
{
	size_t used = 0;

	for (; *text && *text != '\n' && used + 1 < sizeof(out->name); text++) {
		unsigned char c = (unsigned char)*text;

		out->name[used++] = c < 0x20 || c >= 0x7f ? '?' : (char)c;
	}
	out->name[used] = '\0';
}

static bool ask_device_tree(const char *sys, struct config_platform *out)
{
	char text[SYS_FILE_MAX + 1];
	size_t len = read_sys(sys, "firmware/devicetree/base/compatible", text);

	if (!len)
		return false;
	out->board =
		has_name(text, len, IMX93_COMPATIBLE) ? CONFIG_BOARD_IMX93 : CONFIG_BOARD_OTHER;
	take_name(text, out);
	if (read_sys(sys, "firmware/devicetree/base/model", text))
		take_name(text, out);
	return true;
}

static bool ask_soc(const char *sys, struct config_platform *out)
{
	char text[SYS_FILE_MAX + 1];

	if (!read_sys(sys, "devices/soc0/soc_id", text))
		return false;
	take_name(text, out);
	out->board = strcmp(out->name, IMX93_SOC_ID) == 0 ? CONFIG_BOARD_IMX93 : CONFIG_BOARD_OTHER;
	if (read_sys(sys, "devices/soc0/machine", text))
		take_name(text, out);
	return true;
}

void config_platform_detect(const char *sys, const char *machine, struct config_platform *out)
{
	*out = (struct config_platform){ .board = CONFIG_BOARD_UNKNOWN };
	if (ask_device_tree(sys, out) || ask_soc(sys, out) || strcmp(machine, "aarch64") == 0)
		return;
	/* of another architecture altogether, whatever else it is */
	out->board = CONFIG_BOARD_OTHER;
	take_name(machine, out);
}

/* ---- notes ----------------------------------------------------------------- */

static void note_enclave(struct config *config, const struct config_platform *platform)
{
	static const char key[] = "[optee_kms.hardware] use_ele_crypto";

	if (platform->board == CONFIG_BOARD_IMX93)
		config_note(config,
			    "%s: the EdgeLock Enclave of this board (%s) serves OP-TEE with its "
			    "unique key and with random numbers, and signs nothing",
			    key, platform->name);
	else if (platform->board == CONFIG_BOARD_OTHER)
		config_note(config,
			    "%s: this machine (%s) is no i.MX 93, and its hardware keys and signs "
			    "nothing here",
			    key, platform->name);
	else
		config_note(config,
			    "%s: nothing tells whether this machine is an i.MX 93; the kernel's "
			    "files are hidden or missing",
			    key);
}

void config_platform_notes(struct config *config, const struct config_platform *platform)
{
	const bool simulator = config->paymaster_relay.kms_backend == CONFIG_KMS_SIMULATOR;

	if (config->optee_kms.hardware.use_ele_crypto)
		note_enclave(config, platform);
	if (platform->board != CONFIG_BOARD_IMX93)
		return;
	if (simulator)
		config_note(config,
			    "[paymaster_relay] kms_backend: this board (%s) has a TEE, which the "
			    "simulator does not use",
			    platform->name);
	else if (config->optee_kms.security.require_rollback_protection < 1000)
		config_note(config,
			    "[optee_kms.security] require_rollback_protection: this board (%s) has "
			    "RPMB; 1000 demands that OP-TEE uses it",
			    platform->name);
}
