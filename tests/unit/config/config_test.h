/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the configuration share. */
#ifndef SR_TEST_CONFIG_H
#define SR_TEST_CONFIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "config/config.h"

/* An environment of name, value pairs with NULL at the end. */
static inline const char *test_env(void *arg, const char *name)
{
	const char *const *pairs = arg;

	for (; pairs && pairs[0]; pairs += 2) {
		if (strcmp(pairs[0], name) == 0)
			return pairs[1];
	}
	return NULL;
}

static inline bool parse_with(const char *text, const char **env, struct config *out,
			      struct sr_error *err)
{
	static const char *home[] = { "HOME", "/home/u", NULL };

	return config_parse(text, strlen(text), "test.toml", test_env, env ? env : home, out, err);
}

/* Parses text, which must be accepted. */
static inline struct config config_of(const char *text, const char **env)
{
	struct config config;
	struct sr_error err = { .code = SR_OK };

	if (!parse_with(text, env, &config, &err))
		fail_msg("refused: %s\n%s", err.message, text);
	return config;
}

/* Parses text, which must be refused with exactly this message. */
static inline void refuse_with(const char *text, const char **env, const char *message)
{
	static const struct config empty;
	struct config config;
	struct sr_error err = { .code = SR_OK };

	if (parse_with(text, env, &config, &err))
		fail_msg("accepted: %s", text);
	assert_string_equal(err.message, message);
	assert_int_not_equal(err.code, SR_OK);
	assert_memory_equal(&config, &empty, sizeof(config));
}

static inline void refuse(const char *text, const char *message)
{
	refuse_with(text, NULL, message);
}

#endif
