/* SPDX-License-Identifier: Apache-2.0 */
#include "config_test.h"

#include <stdio.h>

#define PAYMASTER "paymaster = \"0x00000000000000000000000000000000000000aa\"\n"

static void needs_a_paymaster_and_a_node_for_the_relay(void **state)
{
	(void)state;
	refuse("[paymaster_relay]\nenabled = true",
	       "test.toml: [paymaster_relay] enabled = true needs [paymaster_relay] paymaster, the "
	       "contract's address");
	refuse("[paymaster_relay]\nenabled = true\n" PAYMASTER,
	       "test.toml: [paymaster_relay] enabled = true needs [node] node_http, the Ethereum "
	       "node's URL");
}

static void checks_again_after_an_option(void **state)
{
	struct config c = config_of("[node]\nnode_http = 'http://a'", NULL);
	struct sr_error err = { .code = SR_OK };

	(void)state;
	assert_true(config_check(&c, &err));
	c.paymaster_relay.enabled = true;
	assert_false(config_check(&c, &err));
	assert_non_null(strstr(err.message, "needs [paymaster_relay] paymaster"));
	config_free(&c);
}

static void refuses_one_port_for_both_listeners(void **state)
{
	static const char *const message = "test.toml: [node] http_api and [api] listen both take "
					   "port 9000; give them two ports";
	struct config c;

	(void)state;
	refuse("[node]\nhttp_api = '127.0.0.1:9000'", message);
	refuse("[node]\nhttp_api = '0.0.0.0:9000'", message);
	refuse("[node]\nhttp_api = '127.0.0.2:9000'\n[api]\nlisten = '[::]:9000'", message);
	c = config_of("[node]\nhttp_api = '127.0.0.2:9000'", NULL);
	config_free(&c);
	c = config_of("[node]\nhttp_api = '127.0.0.1:0'\n[api]\nlisten = '127.0.0.1:0'", NULL);
	config_free(&c);
}

static void refuses_the_simulator_on_mainnet(void **state)
{
	static const char *const message =
		"test.toml: [paymaster_relay] kms_backend = \"simulator\" does not protect its "
		"keys, "
		"so [node] network = \"mainnet\" (or chain_id = 1) needs \"optee\" or "
		"allow_simulator_on_mainnet = true";
	struct config c;

	(void)state;
	refuse("[node]\nnetwork = 'mainnet'", message);
	refuse("[node]\nchain_id = 1", message);
	refuse("[paymaster_relay]\nchain_id = 1", message);
	c = config_of("[node]\nnetwork = 'mainnet'\nallow_simulator_on_mainnet = true", NULL);
	config_free(&c);
	c = config_of("[node]\nnetwork = 'mainnet'\n[paymaster_relay]\nkms_backend = 'optee'",
		      NULL);
	config_free(&c);
}

static void refuses_chain_ids_that_do_not_agree(void **state)
{
	struct config c = config_of("[node]\nchain_id = 5\n[paymaster_relay]\nchain_id = 5", NULL);

	(void)state;
	assert_int_equal(c.node.chain_id, 5);
	config_free(&c);
	refuse("[node]\nchain_id = 5\n[paymaster_relay]\nchain_id = 6",
	       "test.toml: [node] chain_id = 5 and [paymaster_relay] chain_id = 6 do not agree");
	refuse("[node]\nnetwork = 'sepolia'\nchain_id = 5",
	       "test.toml: [node] network = \"sepolia\" has chain id 11155111, but [node] chain_id "
	       "= 5");
}

static void refuses_an_entry_point_of_another_version(void **state)
{
	(void)state;
	refuse("[paymaster_relay]\nentry_point = '0x5FF137D4b0FDCD49DcA30c7CF57E578a026d2789'",
	       "test.toml: [paymaster_relay] entry_point is EntryPoint v0.6; this version serves "
	       "v0.7");
}

static void refuses_a_least_above_its_most(void **state)
{
	(void)state;
	refuse("[optee_kms.performance]\nbatch_size = 4\nmin_batch = 5",
	       "test.toml: [optee_kms.performance] min_batch = 5 is more than batch_size = 4");
	refuse("[paymaster_relay]\nverification_gas_limit = 500001",
	       "test.toml: [paymaster_relay] verification_gas_limit = 500001 is more than "
	       "max_verification_gas_limit = 500000");
	refuse("[paymaster_relay]\nmax_post_op_gas_limit = 5\npost_op_gas_limit = 6",
	       "test.toml: [paymaster_relay] post_op_gas_limit = 6 is more than "
	       "max_post_op_gas_limit = 5");
}

static void notes_keys_without_effect(void **state)
{
	struct config c = config_of("[optee_kms.hardware]\n"
				    "use_ele_crypto = true\nuse_hardware_rng = false\n"
				    "use_secure_storage = false\n[optee_kms]\n"
				    "device_path = '/dev/teepriv0'\n[simulator]\nstore = 's'\n"
				    "[paymaster_relay]\nkms_backend = 'optee'",
				    NULL);
	static const char *const parts[] = {
		"[optee_kms.hardware] use_ele_crypto: cannot be had: EdgeLock Enclave",
		"[optee_kms.hardware] use_hardware_rng: the TEE's generator cannot be turned off",
		"[optee_kms.hardware] use_secure_storage: cannot be turned off",
		"[simulator] store: no effect with kms_backend = \"optee\"",
		"[optee_kms] device_path: /dev/teepriv0 belongs to tee-supplicant",
	};

	(void)state;
	assert_int_equal(c.notes.count, SR_ARRAY_LEN(parts));
	for (size_t i = 0; i < SR_ARRAY_LEN(parts); i++)
		assert_ptr_equal(strstr(c.notes.text[i], parts[i]), c.notes.text[i]);
	assert_string_equal(c.optee_kms.device_path, "/dev/tee0");
	config_free(&c);
}

/* What a file asks for and gets is nothing to warn of. */
static void notes_nothing_where_it_is_as_asked(void **state)
{
	struct config c = config_of("[optee_kms.hardware]\n"
				    "use_ele_crypto = false\nuse_hardware_rng = true\n"
				    "use_secure_storage = true\n",
				    NULL);

	(void)state;
	assert_int_equal(c.notes.count, 0);
	assert_true(c.optee_kms.hardware.use_hardware_rng);
	config_free(&c);
}

static void keeps_the_audit_log_beside_the_store_and_not_in_it(void **state)
{
	static const struct {
		const char *text;
		const char *path;
	} cases[] = {
		{ "", "/home/u/.local/share/super-relay/tee-audit.jsonl" },
		{ "[simulator]\nstore = '/a/b//'", "/a/b-audit.jsonl" },
		{ "[paymaster_relay]\nkms_backend = 'optee'", "/var/lib/super-relay/audit.jsonl" },
		{ "[optee_kms.security]\naudit_log = '/l'", "/l" },
	};

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(cases); i++) {
		struct config c = config_of(cases[i].text, NULL);

		assert_string_equal(c.optee_kms.security.audit_log, cases[i].path);
		assert_true(c.optee_kms.security.audit_logging);
		assert_true(c.optee_kms.security.tamper_detection);
		config_free(&c);
	}
}

static void knows_the_levels_of_rollback_protection(void **state)
{
	struct config c =
		config_of("[optee_kms.security]\nrequire_rollback_protection = 1000", NULL);

	(void)state;
	assert_int_equal(c.optee_kms.security.require_rollback_protection, 1000);
	config_free(&c);
	refuse("[optee_kms.security]\nrequire_rollback_protection = 10",
	       "test.toml: [optee_kms.security] require_rollback_protection: expected 0, 100 or "
	       "1000, found 10");
}

static void refuses_one_key_for_two_purposes(void **state)
{
	(void)state;
	refuse("[optee_kms.keys]\nprimary_paymaster = 'k'\nexecutor = 'k'",
	       "test.toml: [optee_kms.keys] executor and primary_paymaster are both 'k': a key has "
	       "one usage");
}

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void takes_a_pin_as_an_address_or_a_public_key(void **state)
{
	static const char *const good[] = {
		"",
		"0x9440a40E04D22a23670f77bEB165D96786C78b1b",
		"04" A64 A64,
	};
	static const char *const bad[] = { "0x", "9440a40E04D22a23670f77bEB165D96786C78b1b", "0x12",
					   "nonsense" };
	char text[256];

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(good); i++) {
		struct config c;

		snprintf(text, sizeof(text),
			 "[optee_kms.keys]\nprimary_paymaster_public_key = '%s'", good[i]);
		c = config_of(text, NULL);
		assert_string_equal(c.optee_kms.keys.primary_paymaster_public_key, good[i]);
		config_free(&c);
	}
	for (size_t i = 0; i < SR_ARRAY_LEN(bad); i++) {
		struct sr_error err = { .code = SR_OK };
		struct config c;

		snprintf(text, sizeof(text),
			 "[optee_kms.keys]\nprimary_paymaster_public_key = '%s'", bad[i]);
		assert_false(parse_with(text, NULL, &c, &err));
		assert_non_null(strstr(err.message, "begins with 04"));
	}
}

static void notes_optee_keys_with_the_simulator(void **state)
{
	struct config c = config_of("[optee_kms]\ndevice_path = '/dev/tee0'", NULL);

	(void)state;
	assert_int_equal(c.notes.count, 1);
	assert_string_equal(c.notes.text[0],
			    "[optee_kms] device_path: no effect with kms_backend = "
			    "\"simulator\"");
	config_free(&c);
}

static void finds_the_simulators_store(void **state)
{
	const char *xdg[] = { "XDG_DATA_HOME", "/data", "HOME", "/home/u", NULL };
	const char *relative[] = { "XDG_DATA_HOME", "data", "HOME", "/home/u", NULL };
	const char *none[] = { NULL };
	struct config c = config_of("", xdg);

	(void)state;
	assert_string_equal(c.simulator.store, "/data/super-relay/tee");
	config_free(&c);
	c = config_of("", relative);
	assert_string_equal(c.simulator.store, "/home/u/.local/share/super-relay/tee");
	config_free(&c);
	c = config_of("[simulator]\nstore = 'here'", none);
	assert_string_equal(c.simulator.store, "here");
	config_free(&c);
	refuse_with("", none,
		    "test.toml: [simulator] store is needed, as neither XDG_DATA_HOME nor HOME is "
		    "set");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(needs_a_paymaster_and_a_node_for_the_relay),
		cmocka_unit_test(checks_again_after_an_option),
		cmocka_unit_test(refuses_one_port_for_both_listeners),
		cmocka_unit_test(refuses_the_simulator_on_mainnet),
		cmocka_unit_test(refuses_chain_ids_that_do_not_agree),
		cmocka_unit_test(refuses_an_entry_point_of_another_version),
		cmocka_unit_test(refuses_a_least_above_its_most),
		cmocka_unit_test(notes_keys_without_effect),
		cmocka_unit_test(notes_nothing_where_it_is_as_asked),
		cmocka_unit_test(notes_optee_keys_with_the_simulator),
		cmocka_unit_test(keeps_the_audit_log_beside_the_store_and_not_in_it),
		cmocka_unit_test(knows_the_levels_of_rollback_protection),
		cmocka_unit_test(refuses_one_key_for_two_purposes),
		cmocka_unit_test(takes_a_pin_as_an_address_or_a_public_key),
		cmocka_unit_test(finds_the_simulators_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
