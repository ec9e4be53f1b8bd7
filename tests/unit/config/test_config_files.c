/* SPDX-License-Identifier: Apache-2.0 */
/* The files in config/ are loaded as an operator would. */
#include "config_test.h"

#include <stdlib.h>

static const char *const variables[] = { "SR_RPC_LISTEN",      "SR_API_LISTEN", "ETH_NODE_URL",
					 "SR_BUNDLER_URL",     "SR_PAYMASTER",	"SR_STORE",
					 "SR_NETWORK",	       "SR_LOG_LEVEL",	"SR_LOGIN_GROUP",
					 "SR_PAYMASTER_SIGNER" };

static int clear_variables(void **state)
{
	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(variables); i++)
		unsetenv(variables[i]);
	return 0;
}

static void dev_needs_no_variable(void **state)
{
	struct config c;
	struct sr_error err = { .code = SR_OK };

	(void)state;
	if (!config_load(SR_SOURCE_DIR "/config/dev.toml", &c, &err))
		fail_msg("%s", err.message);
	assert_string_equal(c.node.http_api.host, "127.0.0.1");
	assert_int_equal(c.node.http_api.port, 3000);
	assert_int_equal(c.api.listen.port, 9000);
	assert_string_equal(c.node.node_http.items[0], "http://127.0.0.1:8545");
	assert_string_equal(c.node.bundler_url, "http://127.0.0.1:4337");
	assert_string_equal(c.simulator.store, ".dev/tee");
	assert_int_equal(c.node.node_methods.count, 16);
	assert_int_equal(c.notes.count, 0);
	c.paymaster_relay.enabled = true;
	assert_true(config_check(&c, &err));
	config_free(&c);
}

static void dev_takes_every_variable(void **state)
{
	struct config c;
	struct sr_error err = { .code = SR_OK };

	(void)state;
	setenv("SR_RPC_LISTEN", "127.0.0.1:13000", 1);
	setenv("SR_API_LISTEN", "127.0.0.1:19000", 1);
	setenv("ETH_NODE_URL", "http://127.0.0.1:18545", 1);
	setenv("SR_BUNDLER_URL", "http://127.0.0.1:14337", 1);
	setenv("SR_PAYMASTER", "0x00000000000000000000000000000000000000bb", 1);
	setenv("SR_STORE", "elsewhere", 1);
	assert_true(config_load(SR_SOURCE_DIR "/config/dev.toml", &c, &err));
	assert_int_equal(c.node.http_api.port, 13000);
	assert_int_equal(c.api.listen.port, 19000);
	assert_string_equal(c.node.node_http.items[0], "http://127.0.0.1:18545");
	assert_string_equal(c.node.bundler_url, "http://127.0.0.1:14337");
	assert_int_equal(c.paymaster_relay.paymaster.bytes[19], 0xbb);
	assert_string_equal(c.simulator.store, "elsewhere");
	config_free(&c);
}

static void check_tee_file(const char *name)
{
	struct config c;
	struct sr_error err = { .code = SR_OK };

	setenv("ETH_NODE_URL", "https://node.example", 1);
	assert_false(config_load(name, &c, &err));
	assert_non_null(strstr(err.message, "[paymaster_relay] paymaster: the environment variable "
					    "SR_PAYMASTER is not set"));
	setenv("SR_PAYMASTER", "0x00000000000000000000000000000000000000cc", 1);
	if (!config_load(name, &c, &err))
		fail_msg("%s", err.message);
	assert_true(c.paymaster_relay.enabled);
	assert_int_equal(c.paymaster_relay.kms_backend, CONFIG_KMS_OPTEE);
	assert_string_equal(c.node.http_api.host, "0.0.0.0");
	assert_int_equal(c.node.http_api.port, 3000);
	assert_int_equal(c.api.listen.port, 9000);
	assert_string_equal(c.node.network, "sepolia");
	assert_string_equal(c.node.bundler_url, "");
	assert_int_equal(c.notes.count, 0);
	assert_true(c.optee_kms.security.audit_logging);
	config_free(&c);
	unsetenv("ETH_NODE_URL");
	assert_false(config_load(name, &c, &err));
	assert_non_null(strstr(err.message, "ETH_NODE_URL"));
}

static void optee_needs_a_paymaster_and_a_node(void **state)
{
	(void)state;
	check_tee_file(SR_SOURCE_DIR "/config/optee-config.toml");
}

static void imx93_needs_a_paymaster_and_a_node(void **state)
{
	(void)state;
	check_tee_file(SR_SOURCE_DIR "/config/imx93-config.toml");
}

static void imx93_demands_what_the_board_can_give(void **state)
{
	struct config c;
	struct sr_error err = { .code = SR_OK };

	(void)state;
	setenv("ETH_NODE_URL", "https://node.example", 1);
	setenv("SR_PAYMASTER", "0x00000000000000000000000000000000000000cc", 1);
	assert_true(config_load(SR_SOURCE_DIR "/config/imx93-config.toml", &c, &err));
	assert_int_equal(c.optee_kms.security.require_rollback_protection, 1000);
	assert_true(c.optee_kms.security.tamper_detection);
	assert_true(c.optee_kms.hardware.use_hardware_rng);
	assert_true(c.optee_kms.hardware.use_secure_storage);
	assert_false(c.optee_kms.hardware.use_ele_crypto);
	assert_int_equal(c.optee_kms.performance.batch_timeout, 0);
	config_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(dev_needs_no_variable, clear_variables),
		cmocka_unit_test_setup(dev_takes_every_variable, clear_variables),
		cmocka_unit_test_setup(optee_needs_a_paymaster_and_a_node, clear_variables),
		cmocka_unit_test_setup(imx93_needs_a_paymaster_and_a_node, clear_variables),
		cmocka_unit_test_setup(imx93_demands_what_the_board_can_give, clear_variables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
