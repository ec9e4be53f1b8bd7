/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel's files say of the machine, and what the notes make of it. */
#include "config_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "temp_dir.h"

static char sys[TEMP_DIR_MAX];

static int make_sys(void **state)
{
	static const char *const directories[] = { "firmware", "firmware/devicetree",
						   "firmware/devicetree/base", "devices",
						   "devices/soc0" };
	char path[TEMP_PATH_MAX];

	(void)state;
	if (!make_temp_dir(sys))
		return -1;
	for (size_t i = 0; i < SR_ARRAY_LEN(directories); i++) {
		snprintf(path, sizeof(path), "%s/%s", sys, directories[i]);
		if (mkdir(path, 0700))
			return -1;
	}
	return 0;
}

static int remove_sys(void **state)
{
	(void)state;
	return remove_temp_dir(sys);
}

static void put(const char *name, const char *bytes, size_t len)
{
	char path[TEMP_PATH_MAX];
	FILE *f = NULL;

	snprintf(path, sizeof(path), "%s/%s", sys, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

/* A list of names as a device tree has it: text with NULs, its last one C's own. */
#define COMPATIBLE(text) put("firmware/devicetree/base/compatible", text, sizeof(text))
#define MODEL(text) put("firmware/devicetree/base/model", text, sizeof(text))
#define SOC(text) put("devices/soc0/soc_id", text, sizeof(text) - 1)
#define MACHINE(text) put("devices/soc0/machine", text, sizeof(text) - 1)

static struct config_platform detect(const char *machine)
{
	struct config_platform out;

	config_platform_detect(sys, machine, &out);
	return out;
}

/* $SUPER_RELAY_SYS may name anything. */
static void waits_for_no_pipe(void **state)
{
	char path[TEMP_PATH_MAX];
	struct config_platform p;

	(void)state;
	snprintf(path, sizeof(path), "%s/firmware/devicetree/base/compatible", sys);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	alarm(10);
	p = detect("aarch64");
	alarm(0);
	assert_int_equal(p.board, CONFIG_BOARD_UNKNOWN);
	assert_int_equal(unlink(path), 0);
}

static void knows_the_board_by_its_device_tree(void **state)
{
	struct config_platform p;

	(void)state;
	COMPATIBLE("fsl,imx93-11x11-evk\0fsl,imx93");
	p = detect("aarch64");
	assert_int_equal(p.board, CONFIG_BOARD_IMX93);
	assert_string_equal(p.name, "fsl,imx93-11x11-evk");
	MODEL("NXP i.MX93 11X11 EVK board");
	p = detect("aarch64");
	assert_int_equal(p.board, CONFIG_BOARD_IMX93);
	assert_string_equal(p.name, "NXP i.MX93 11X11 EVK board");
}

static void takes_no_other_name_for_it(void **state)
{
	(void)state;
	COMPATIBLE("fsl,imx93x\0afsl,imx93\0fsl,imx9");
	assert_int_equal(detect("aarch64").board, CONFIG_BOARD_OTHER);
	COMPATIBLE("fsl,imx95-19x19-evk\0fsl,imx95");
	assert_int_equal(detect("aarch64").board, CONFIG_BOARD_OTHER);
	COMPATIBLE("linux,dummy-virt");
	assert_int_equal(detect("aarch64").board, CONFIG_BOARD_OTHER);
	/* what the tree says counts more than the driver */
	SOC("i.MX93\n");
	assert_int_equal(detect("aarch64").board, CONFIG_BOARD_OTHER);
}

/* A list whose last NUL is missing, an empty one, and one longer than what is read. */
static void survives_a_malformed_tree(void **state)
{
	char long_list[4096];

	(void)state;
	put("firmware/devicetree/base/compatible", "a\0fsl,imx93", 11);
	assert_int_equal(detect("aarch64").board, CONFIG_BOARD_IMX93);
	put("firmware/devicetree/base/compatible", "\0\0\0", 3);
	assert_int_equal(detect("aarch64").board, CONFIG_BOARD_OTHER);
	put("firmware/devicetree/base/compatible", "", 0);
	assert_int_equal(detect("aarch64").board, CONFIG_BOARD_UNKNOWN);
	memset(long_list, 'a', sizeof(long_list));
	put("firmware/devicetree/base/compatible", long_list, sizeof(long_list));
	assert_int_equal(detect("aarch64").board, CONFIG_BOARD_OTHER);
	assert_int_equal(strlen(detect("aarch64").name), CONFIG_BOARD_SIZE - 1);
	COMPATIBLE("x\x1b[2Jy");
	assert_string_equal(detect("aarch64").name, "x?[2Jy");
}

static void asks_the_socs_driver_where_the_tree_is_hidden(void **state)
{
	struct config_platform p;

	(void)state;
	SOC("i.MX93\n");
	assert_string_equal(detect("aarch64").name, "i.MX93");
	MACHINE("NXP i.MX93 11X11 EVK board\n");
	p = detect("aarch64");
	assert_int_equal(p.board, CONFIG_BOARD_IMX93);
	assert_string_equal(p.name, "NXP i.MX93 11X11 EVK board");
	SOC("i.MX8MP\n");
	assert_int_equal(detect("aarch64").board, CONFIG_BOARD_OTHER);
}

static void tells_what_it_is_not_by_the_architecture(void **state)
{
	struct config_platform p = detect("x86_64");

	(void)state;
	assert_int_equal(p.board, CONFIG_BOARD_OTHER);
	assert_string_equal(p.name, "x86_64");
	p = detect("aarch64");
	assert_int_equal(p.board, CONFIG_BOARD_UNKNOWN);
	assert_string_equal(p.name, "");
}

/* ---- notes ----------------------------------------------------------------- */

/* The notes that a file of these keys gets on a board, joined. */
static void notes_of(const char *text, enum config_board board, char *out, size_t size)
{
	struct config_platform platform = { .board = board, .name = "NAME" };
	struct config c = config_of(text, NULL);
	size_t before = c.notes.count;
	size_t used = 0;

	config_platform_notes(&c, &platform);
	out[0] = '\0';
	for (size_t i = before; i < c.notes.count; i++)
		used += (size_t)snprintf(out + used, size - used, "%s\n", c.notes.text[i]);
	config_free(&c);
}

#define OPTEE "[paymaster_relay]\nkms_backend = 'optee'\n"
#define SECURE "[optee_kms.security]\nrequire_rollback_protection = 1000\n"
#define ELE "[optee_kms.hardware]\nuse_ele_crypto = true\n"

static void says_what_the_enclave_is_for(void **state)
{
	static const struct {
		enum config_board board;
		const char *said;
	} cases[] = {
		{ CONFIG_BOARD_IMX93, "EdgeLock Enclave of this board (NAME)" },
		{ CONFIG_BOARD_OTHER, "this machine (NAME) is no i.MX 93" },
		{ CONFIG_BOARD_UNKNOWN, "nothing tells whether this machine is an i.MX 93" },
	};
	char text[2048];

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(cases); i++) {
		notes_of(OPTEE SECURE ELE, cases[i].board, text, sizeof(text));
		assert_ptr_equal(strstr(text, "[optee_kms.hardware] use_ele_crypto: "), text);
		assert_non_null(strstr(text, cases[i].said));
		assert_ptr_equal(strchr(text, '\n') + 1, text + strlen(text));
	}
}

static void says_what_the_board_has_and_the_file_leaves(void **state)
{
	char text[2048];

	(void)state;
	notes_of("", CONFIG_BOARD_IMX93, text, sizeof(text));
	assert_non_null(strstr(text, "[paymaster_relay] kms_backend: this board (NAME) has a TEE"));
	assert_null(strstr(text, "require_rollback_protection"));
	notes_of(OPTEE, CONFIG_BOARD_IMX93, text, sizeof(text));
	assert_ptr_equal(strstr(text, "[optee_kms.security] require_rollback_protection: "), text);
	assert_non_null(strstr(text, "RPMB"));
}

static void says_nothing_where_nothing_is_amiss(void **state)
{
	char text[2048];

	(void)state;
	notes_of(OPTEE SECURE, CONFIG_BOARD_IMX93, text, sizeof(text));
	assert_string_equal(text, "");
	notes_of("", CONFIG_BOARD_OTHER, text, sizeof(text));
	assert_string_equal(text, "");
	notes_of(OPTEE, CONFIG_BOARD_UNKNOWN, text, sizeof(text));
	assert_string_equal(text, "");
}

/* No note is cut: the longest name, in the longest of them. */
static void has_room_for_the_longest_note(void **state)
{
	struct config_platform platform = { .board = CONFIG_BOARD_IMX93 };
	struct config c = config_of(OPTEE ELE, NULL);

	(void)state;
	memset(platform.name, 'n', sizeof(platform.name) - 1);
	config_platform_notes(&c, &platform);
	for (size_t i = 0; i < c.notes.count; i++)
		assert_true(strlen(c.notes.text[i]) < CONFIG_NOTE_SIZE - 1);
	config_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(knows_the_board_by_its_device_tree, make_sys,
						remove_sys),
		cmocka_unit_test_setup_teardown(takes_no_other_name_for_it, make_sys, remove_sys),
		cmocka_unit_test_setup_teardown(survives_a_malformed_tree, make_sys, remove_sys),
		cmocka_unit_test_setup_teardown(waits_for_no_pipe, make_sys, remove_sys),
		cmocka_unit_test_setup_teardown(asks_the_socs_driver_where_the_tree_is_hidden,
						make_sys, remove_sys),
		cmocka_unit_test_setup_teardown(tells_what_it_is_not_by_the_architecture, make_sys,
						remove_sys),
		cmocka_unit_test(says_what_the_enclave_is_for),
		cmocka_unit_test(says_what_the_board_has_and_the_file_leaves),
		cmocka_unit_test(says_nothing_where_nothing_is_amiss),
		cmocka_unit_test(has_room_for_the_longest_note),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
