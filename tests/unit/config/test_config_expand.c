/* SPDX-License-Identifier: Apache-2.0 */
#include "config_test.h"

#include <stdlib.h>

static const char *env[] = { "HOME",   "/h",	  "NAME",  "value",
			     "EMPTY",  "",	  "QUOTE", "a\"\n[rpc]\nx=1",
			     "DOLLAR", "${NAME}", "PORT",  "3001",
			     NULL };

/* A sponsor's name may be any text: it shows what an expansion gives. */
static void check(const char *text, const char *expected)
{
	char toml[256] = "[paymaster_relay]\nsponsor_name = '";
	struct config c;

	strcat(strcat(toml, text), "'");
	c = config_of(toml, env);
	assert_string_equal(c.paymaster_relay.sponsor_name, expected);
	config_free(&c);
}

static void refuse_text(const char *text, const char *reason)
{
	char toml[512] = "[paymaster_relay]\nsponsor_name = '";
	char message[SR_ERROR_MESSAGE_MAX] = "test.toml: line 2: [paymaster_relay] sponsor_name: ";

	strcat(strcat(toml, text), "'");
	refuse_with(toml, env, strcat(message, reason));
}

static void replaces_variables(void **state)
{
	(void)state;
	check("${NAME}", "value");
	check("a${NAME}b${NAME}c", "avaluebvaluec");
	check("a${EMPTY}b", "ab");
	check("no } { braces", "no } { braces");
}

static void takes_the_default_of_an_unset_or_empty_variable(void **state)
{
	(void)state;
	check("${NONE:-other}", "other");
	check("${EMPTY:-other}", "other");
	check("${NAME:-other}", "value");
	check("a${NONE:-}b", "ab");
	check("${NONE:-http://h:1/x}", "http://h:1/x");
}

static void expands_within_a_default(void **state)
{
	(void)state;
	check("${NONE:-${NAME}!}", "value!");
	check("${NONE:-${NONE:-deep}}", "deep");
	check("${NAME:-${NONE}}", "value");
}

static void keeps_a_doubled_dollar_as_one(void **state)
{
	(void)state;
	check("$$5 $${NAME}", "$5 ${NAME}");
	check("${NONE:-$$}", "$");
}

static void does_not_expand_a_value_again(void **state)
{
	(void)state;
	check("${DOLLAR}", "${NAME}");
}

static void refuses_an_unset_variable_without_default(void **state)
{
	(void)state;
	refuse_text("x${NONE}",
		    "the environment variable NONE is not set, and ${NONE} has no default");
	refuse_text("${OTHER:-${NONE}}",
		    "the environment variable NONE is not set, and ${NONE} has no default");
}

static void refuses_malformed_variables(void **state)
{
	static const char *const form =
		"expected ${NAME} or ${NAME:-default}, the name of letters, "
		"digits and '_', at most 64 of them";

	(void)state;
	refuse_text("$NAME", "'$' begins ${NAME}; for the character itself write '$$'");
	refuse_text("costs 5$", "'$' begins ${NAME}; for the character itself write '$$'");
	refuse_text("${}", form);
	refuse_text("${1A}", form);
	refuse_text("${A B}", form);
	refuse_text("${NAME", form);
	refuse_text("${NAME-x}", form);
	refuse_text("${NONE:-x", "'${' without its '}'");
	refuse_text("${NAME:-${NONE:-x}", "'${' without its '}'");
}

static void bounds_nesting_and_length(void **state)
{
	char *deep = calloc(1, 256);
	char *big = malloc(70001);
	const char *big_env[] = { "BIG", big, NULL };

	(void)state;
	assert_non_null(deep);
	assert_non_null(big);
	for (int i = 0; i < 8; i++)
		strcat(deep, "${N:-");
	strcat(deep, "x}}}}}}}}");
	check(deep, "x");
	memset(deep, 0, 256);
	for (int i = 0; i < 9; i++)
		strcat(deep, "${N:-");
	strcat(deep, "x}}}}}}}}}");
	refuse_text(deep, "variables nested more than 8 deep");
	memset(big, 'x', 70000);
	big[70000] = '\0';
	refuse_with("[node]\nnetwork = '${BIG}'", big_env,
		    "test.toml: line 2: [node] network: longer than 65536 bytes with its variables "
		    "expanded");
	free(deep);
	free(big);
}

static void keeps_a_value_from_adding_keys(void **state)
{
	(void)state;
	refuse_with(
		"[paymaster_relay]\nsponsor_name = \"${QUOTE}\"", env,
		"test.toml: line 2: [paymaster_relay] sponsor_name: holds the control character "
		"0x0a");
}

static void expands_string_values_alone(void **state)
{
	struct config c = config_of("# ${NONE}\n[node]\nhttp_api = \"127.0.0.1:${PORT}\"\n"
				    "node_http = [\"http://${NAME}\"]\n",
				    env);

	(void)state;
	assert_int_equal(c.node.http_api.port, 3001);
	assert_string_equal(c.node.node_http.items[0], "http://value");
	config_free(&c);
	refuse_with("[rpc]\nthreads = \"${PORT}\"", env,
		    "test.toml: line 2: [rpc] threads: expected an integer from 0 to 64, found "
		    "\"${PORT}\"");
	refuse_with("[rpc]\n'${NAME}' = 1", env, "test.toml: line 2: [rpc] has no key '${NAME}'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replaces_variables),
		cmocka_unit_test(takes_the_default_of_an_unset_or_empty_variable),
		cmocka_unit_test(expands_within_a_default),
		cmocka_unit_test(keeps_a_doubled_dollar_as_one),
		cmocka_unit_test(does_not_expand_a_value_again),
		cmocka_unit_test(refuses_an_unset_variable_without_default),
		cmocka_unit_test(refuses_malformed_variables),
		cmocka_unit_test(bounds_nesting_and_length),
		cmocka_unit_test(keeps_a_value_from_adding_keys),
		cmocka_unit_test(expands_string_values_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
