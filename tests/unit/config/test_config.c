/* SPDX-License-Identifier: Apache-2.0 */
#include "config_test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "eth/eth.h"
#include "temp_dir.h"

#define PAYMASTER "0x00000000000000000000000000000000000000aa"

static void gives_every_key_its_default(void **state)
{
	struct config c = config_of("", NULL);
	char text[ETH_U256_DEC_MAX > ETH_ADDRESS_TEXT ? ETH_U256_DEC_MAX : ETH_ADDRESS_TEXT];

	(void)state;
	assert_string_equal(c.node.http_api.host, "127.0.0.1");
	assert_int_equal(c.node.http_api.port, 3000);
	assert_string_equal(c.node.network, "dev");
	assert_int_equal(c.node.node_http.count, 0);
	assert_int_equal(c.node.chain_id, 0);
	assert_string_equal(c.node.bundler_url, "");
	assert_int_equal(c.api.listen.port, 9000);
	assert_int_equal(c.rpc.max_body_bytes, 1024 * 1024);
	assert_int_equal(c.rpc.max_batch, 100);
	assert_int_equal(c.rpc.max_depth, 32);
	assert_int_equal(c.rpc.max_connections, 10000);
	assert_int_equal(c.rpc.cors_origins.count, 1);
	assert_string_equal(c.rpc.cors_origins.items[0], "*");
	assert_false(c.paymaster_relay.enabled);
	assert_false(c.paymaster_relay.has_paymaster);
	assert_int_equal(c.paymaster_relay.kms_backend, CONFIG_KMS_SIMULATOR);
	eth_address_to_text(&c.paymaster_relay.entry_point, text);
	assert_string_equal(text, "0x0000000071727De22E5E9d8BAf0edAc6f37da032");
	eth_u256_to_dec(&c.paymaster_relay.max_operation_cost_wei, text);
	assert_string_equal(text, "50000000000000000");
	assert_int_equal(c.paymaster_relay.verification_gas_limit, 100000);
	assert_int_equal(c.paymaster_relay.max_pre_verification_gas, 5000000);
	assert_int_equal(c.optee_kms.ta_uuid.time_low, 0x12345678);
	assert_int_equal(c.optee_kms.ta_uuid.time_mid, 0x5b69);
	assert_int_equal(c.optee_kms.ta_uuid.time_hi_and_version, 0x11d4);
	assert_memory_equal(c.optee_kms.ta_uuid.clock_seq_and_node,
			    "\x9f\xee\x00\xc0\x4f\x4c\x34\x56", 8);
	assert_string_equal(c.optee_kms.keys.primary_paymaster, "paymaster-key-001");
	assert_int_equal(c.optee_kms.performance.batch_size, 16);
	assert_string_equal(c.simulator.store, "/home/u/.local/share/super-relay/tee");
	assert_int_equal(c.logging.level, SR_LOG_INFO);
	assert_int_equal(c.logging.format, SR_LOG_TEXT);
	assert_int_equal(c.notes.count, 0);
	config_free(&c);
}

static void reads_every_type(void **state)
{
	struct config c = config_of("[node]\nhttp_api = \"[::1]:0\"\n"
				    "node_http = [\"http://a:1\", \"https://u:p@b/x?y\"]\n"
				    "node_methods = [\"eth_call\", \"net_version\"]\n"
				    "[paymaster_relay]\nenabled = true\n"
				    "paymaster = \"" PAYMASTER "\"\n"
				    "max_operation_cost_wei = 7\nchain_id = 31337\n"
				    "kms_backend = \"optee\"\n"
				    "[optee_kms]\nperformance.batch_size = 0x20\n"
				    "[optee_kms.keys]\nprimary_paymaster = 'a.B_c-9'\n"
				    "[logging]\nlevel = \"debug\"\nformat = \"json\"\n",
				    NULL);

	(void)state;
	assert_string_equal(c.node.http_api.host, "::1");
	assert_int_equal(c.node.http_api.port, 0);
	assert_int_equal(c.node.node_http.count, 2);
	assert_string_equal(c.node.node_http.items[1], "https://u:p@b/x?y");
	assert_string_equal(c.node.node_methods.items[1], "net_version");
	assert_true(c.paymaster_relay.has_paymaster);
	assert_int_equal(c.paymaster_relay.paymaster.bytes[19], 0xaa);
	assert_true(c.paymaster_relay.max_operation_cost_wei.limb[0] == 7);
	assert_int_equal(c.node.chain_id, 31337);
	assert_int_equal(c.optee_kms.performance.batch_size, 32);
	assert_string_equal(c.optee_kms.keys.primary_paymaster, "a.B_c-9");
	assert_int_equal(c.logging.level, SR_LOG_DEBUG);
	assert_int_equal(c.logging.format, SR_LOG_JSON);
	assert_string_equal(c.simulator.store, "");
	config_free(&c);
}

static void takes_one_url_or_none_as_a_string(void **state)
{
	struct config c = config_of("[node]\nnode_http = \"http://[::1]:8545\"", NULL);

	(void)state;
	assert_int_equal(c.node.node_http.count, 1);
	config_free(&c);
	c = config_of("[node]\nnode_http = \"\"", NULL);
	assert_int_equal(c.node.node_http.count, 0);
	config_free(&c);
}

static void refuses_unknown_names_with_the_nearest_known_one(void **state)
{
	(void)state;
	refuse("[rpc]\nmax_bach = 3",
	       "test.toml: line 2: [rpc] has no key 'max_bach'; did you mean 'max_batch'?");
	refuse("[rpc]\n\nhttp_api = 'x'", "test.toml: line 3: [rpc] has no key 'http_api'; did you "
					  "mean 'http_api' of [node]?");
	refuse("http_api = 'x'",
	       "test.toml: line 1: 'http_api' stands outside any section; did you "
	       "mean 'http_api' of [node]?");
	refuse("[api]\nmax_connectionz = 1",
	       "test.toml: line 2: [api] has no key 'max_connectionz'; did you mean "
	       "'max_connections' of [rpc]?");
	refuse("[rpc]\nzzzzzzzzzzzzzzzz = 3",
	       "test.toml: line 2: [rpc] has no key 'zzzzzzzzzzzzzzzz'");
	refuse("[optee_kms.key]",
	       "test.toml: line 1: there is no section [optee_kms.key]; did you mean "
	       "[optee_kms.keys]?");
	refuse("[rpc.deeper.still]", "test.toml: line 1: there is no section [rpc.deeper]");
	refuse("[\"optee_kms.keys\"]\nprimary_paymaster = 'x'",
	       "test.toml: line 1: there is no section [optee_kms.keys]; did you mean "
	       "[optee_kms.keys]?");
	refuse("[rpc]\n\"a\\u001bb\" = 1", "test.toml: line 2: [rpc] has no key 'a?b'");
}

static void refuses_wrong_types(void **state)
{
	(void)state;
	refuse("node = 3", "test.toml: line 1: [node] must be a table, found an integer");
	refuse("[[rpc]]", "test.toml: line 1: [rpc] must be a table, found an array");
	refuse("[rpc]\nthreads = \"3\"", "test.toml: line 2: [rpc] threads: expected an integer "
					 "from 0 to 64, found \"3\"");
	refuse("[rpc]\nthreads = 3.0",
	       "test.toml: line 2: [rpc] threads: expected an integer from 0 to 64, found a float");
	refuse("[node]\nnetwork = 3",
	       "test.toml: line 2: [node] network: expected a string, found 3");
	refuse("[paymaster_relay]\nenabled = 1",
	       "test.toml: line 2: [paymaster_relay] enabled: expected true or false, found 1");
	refuse("[rpc]\ncors_origins = '*'",
	       "test.toml: line 2: [rpc] cors_origins: expected an array of strings, found \"*\"");
	refuse("[rpc]\ncors_origins = ['*', 1]",
	       "test.toml: line 2: [rpc] cors_origins: item 2: expected a string, found 1");
	refuse("[node.http_api]\nx = 1",
	       "test.toml: line 1: [node] http_api: expected a string, found a table");
	refuse("[node]\nnode_http = 1979-05-27", "test.toml: line 2: [node] node_http: expected a "
						 "URL or an array of URLs, found a date");
	refuse("[paymaster_relay]\nmax_operation_cost_wei = 1.5",
	       "test.toml: line 2: [paymaster_relay] max_operation_cost_wei: expected wei as an "
	       "integer or a string of decimal digits, 1 to 2^256 - 1, found a float");
}

static void refuses_values_out_of_bounds(void **state)
{
	(void)state;
	refuse("[rpc]\nmax_batch = 5000", "test.toml: line 2: [rpc] max_batch: expected an integer "
					  "from 1 to 1000, found 5000");
	refuse("[rpc]\nmax_batch = -1",
	       "test.toml: line 2: [rpc] max_batch: expected an integer from 1 to 1000, found -1");
	refuse("[paymaster_relay]\nvalidity = 29", "test.toml: line 2: [paymaster_relay] validity: "
						   "expected an integer from 30 to 86400 "
						   "(seconds), found 29");
	refuse("[paymaster_relay]\nmax_operation_cost_wei = \"0\"",
	       "test.toml: line 2: [paymaster_relay] max_operation_cost_wei: expected wei as an "
	       "integer or a string of decimal digits, 1 to 2^256 - 1, found \"0\"");
	refuse("[paymaster_relay]\nsponsor_name = ''",
	       "test.toml: line 2: [paymaster_relay] sponsor_name: expected 1 to 64 bytes, found "
	       "0");
	refuse("[node]\nnode_http = ['http://a','http://b','http://c','http://d','http://e']",
	       "test.toml: line 2: [node] node_http: expected 0 to 4 items, found 5");
	refuse("[node]\nnetwork = \"a\\nb\"",
	       "test.toml: line 2: [node] network: holds the control character 0x0a");
	refuse("[node]\nnetwork = \"a\\u0000b\"",
	       "test.toml: line 2: [node] network: holds the control character 0x00");
}

static void takes_durations_as_text(void **state)
{
	struct config c = config_of("[optee_kms.performance]\nbatch_timeout = '50ms'\n"
				    "[optee_kms.security]\nsession_timeout = '30m'\n"
				    "[rpc]\nrequest_timeout_ms = '2s'\nidle_timeout_s = '2000ms'\n"
				    "[paymaster_relay]\nvalidity = '1h'\nclock_skew = 60",
				    NULL);

	(void)state;
	assert_int_equal(c.optee_kms.performance.batch_timeout, 50);
	assert_int_equal(c.optee_kms.security.session_timeout, 1800);
	assert_int_equal(c.rpc.request_timeout_ms, 2000);
	assert_int_equal(c.rpc.idle_timeout_s, 2);
	assert_int_equal(c.paymaster_relay.validity, 3600);
	assert_int_equal(c.paymaster_relay.clock_skew, 60);
	config_free(&c);
}

/* "[section]\nkey = value" must be refused for its value. */
static void refuse_value(const char *section, const char *key, const char *value,
			 const char *expected)
{
	char text[256] = { 0 };
	char message[SR_ERROR_MESSAGE_MAX] = { 0 };

	snprintf(text, sizeof(text), "[%s]\n%s = \"%s\"", section, key, value);
	snprintf(message, sizeof(message), "test.toml: line 2: [%s] %s: expected %s, found \"%s\"",
		 section, key, expected, value);
	refuse(text, message);
}

static void refuses_malformed_texts(void **state)
{
	static const char *const listen[] = { "",	   "3000",     ":3000",	   "a:",
					      "a:65536",   "a:+1",     "::1:3000", "[::1]",
					      "[zz]:3000", "a b:3000", "[]:1",	   "a:000001" };
	static const char *const networks[] = { "Dev", "a_b", "a b" };

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(listen); i++)
		refuse_value("node", "http_api", listen[i],
			     "host:port, such as 127.0.0.1:3000 or [::1]:3000");
	for (size_t i = 0; i < SR_ARRAY_LEN(networks); i++)
		refuse_value("node", "network", networks[i],
			     "a name of lower-case letters, digits and '-'");
	refuse_value("optee_kms", "ta_uuid", "12345678-5b69-11d4-9fee-00c04f4c345",
		     "a UUID as 8-4-4-4-12 hex digits");
	refuse_value("optee_kms", "ta_uuid", "0x345678-5b69-11d4-9fee-00c04f4c3456",
		     "a UUID as 8-4-4-4-12 hex digits");
	refuse_value("optee_kms", "ta_uuid", "123456785-b69-11d4-9fee-00c04f4c3456",
		     "a UUID as 8-4-4-4-12 hex digits");
	refuse_value("optee_kms.keys", "primary_paymaster", "a/b",
		     "a key id of letters, digits, '.', '_' and '-'");
	refuse_value("optee_kms", "device_path", "dev/tee0", "an absolute path");
	refuse_value("paymaster_relay", "paymaster", "0x0000000000000000000000000000000000000000",
		     "an address that is not zero");
}

static void refuses_durations_that_are_none_or_out_of_bounds(void **state)
{
	static const char *const bad[] = {
		"",	  "50",	    "50 ms", "ms",	    "-1s",
		"+1s",	  " 1s",    "1.5s",  "1S",	    "0x1s",
		"1500ms", "86401s", "2d",    "4294967296s", "99999999999999999999s",
	};

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(bad); i++)
		refuse_value("optee_kms.security", "session_timeout", bad[i],
			     "an integer from 0 to 86400 (seconds), or such a time as \"50ms\", "
			     "\"10s\" or \"5m\"");
	refuse("[rpc]\nmax_batch = '1s'", "test.toml: line 2: [rpc] max_batch: expected an "
					  "integer from 1 to 1000, found \"1s\"");
}

static void refuses_malformed_urls_without_showing_them(void **state)
{
	static const char *const urls[] = { "http://",	      "http://a:0",  "http://a:65536",
					    "http://a:x",     "http://[::1", "http://a b",
					    "http://u:p@",    "http://:1",   "http://[]:1",
					    "http://u:p@h:1x" };

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(urls); i++) {
		char text[128] = { 0 };

		snprintf(text, sizeof(text), "[node]\nnode_http = \"%s\"", urls[i]);
		refuse(text, "test.toml: line 2: [node] node_http: expected a URL of http:// or "
			     "https:// with a host, found \"http://...\"");
	}
	refuse("[node]\nbundler_url = 'ws://a'", "test.toml: line 2: [node] bundler_url: expected "
						 "a URL of http:// or https:// with a "
						 "host, found \"ws://...\"");
	refuse("[rpc]\ncors_origins = ['https://a/']",
	       "test.toml: line 2: [rpc] cors_origins: item 1: expected \"*\" or an origin as a "
	       "browser sends it: scheme://host, with :port if any, and no path, found "
	       "\"https://...\"");
}

static void suggests_the_nearest_choice(void **state)
{
	(void)state;
	refuse("[logging]\nlevel = 'inf'", "test.toml: line 2: [logging] level: expected one of "
					   "error, warn, info, debug, found "
					   "\"inf\"; did you mean \"info\"?");
	refuse("[node]\nnode_methods = ['eth_sendTransaction']",
	       "test.toml: line 2: [node] node_methods: item 1: expected one of the names in "
	       "docs/configuration.md, found \"eth_sendTransaction\"");
	refuse("[node]\nnode_methods = ['eth_cal']",
	       "test.toml: line 2: [node] node_methods: item 1: expected one of the names in "
	       "docs/configuration.md, found \"eth_cal\"; did you mean \"eth_call\"?");
}

static void refuses_a_bad_toml_with_its_place(void **state)
{
	(void)state;
	refuse("[rpc]\nthreads 3", "test.toml: line 2, column 9: expected '=' after a key");
}

static void loads_a_file(void **state)
{
	char dir[TEMP_DIR_MAX];
	char path[TEMP_DIR_MAX + 16];
	int fd = -1;
	struct config c;
	struct sr_error err = { .code = SR_OK };
	static const char text[] = "[node]\nnetwork = \"${TEST_CONFIG_NETWORK}\"\n"
				   "[simulator]\nstore = 's'\n";

	(void)state;
	assert_true(make_temp_dir(dir));
	(void)snprintf(path, sizeof(path), "%s/test.toml", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	close(fd);
	setenv("TEST_CONFIG_NETWORK", "sepolia", 1);
	assert_true(config_load(path, &c, &err));
	assert_string_equal(c.node.network, "sepolia");
	config_free(&c);
	unlink(path);
	assert_int_equal(remove_temp_dir(dir), 0);
	assert_false(config_load(path, &c, &err));
	assert_int_equal(err.code, SR_E_NOT_FOUND);
	assert_non_null(strstr(err.message, "cannot be opened: No such file"));
	assert_false(config_load("/", &c, &err));
	assert_non_null(strstr(err.message, "cannot be read: Is a directory"));
}

static void stops_reading_a_file_without_end(void **state)
{
	struct config c;
	struct sr_error err = { .code = SR_OK };

	(void)state;
	assert_false(config_load("/dev/zero", &c, &err));
	assert_int_equal(err.code, SR_E_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_every_key_its_default),
		cmocka_unit_test(reads_every_type),
		cmocka_unit_test(takes_one_url_or_none_as_a_string),
		cmocka_unit_test(refuses_unknown_names_with_the_nearest_known_one),
		cmocka_unit_test(refuses_wrong_types),
		cmocka_unit_test(refuses_values_out_of_bounds),
		cmocka_unit_test(takes_durations_as_text),
		cmocka_unit_test(refuses_durations_that_are_none_or_out_of_bounds),
		cmocka_unit_test(refuses_malformed_texts),
		cmocka_unit_test(refuses_malformed_urls_without_showing_them),
		cmocka_unit_test(suggests_the_nearest_choice),
		cmocka_unit_test(refuses_a_bad_toml_with_its_place),
		cmocka_unit_test(loads_a_file),
		cmocka_unit_test(stops_reading_a_file_without_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
