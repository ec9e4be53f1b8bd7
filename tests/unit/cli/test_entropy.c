/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a key may be made: what the configuration demands against what the TA says of itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/cli.h"

#define TRUSTED SR_TA_FEATURE_TEE_RANDOM_TRUSTED
#define PRESENT SR_TA_FEATURE_CPU_RANDOM
#define DELIVERS SR_TA_FEATURE_CPU_DELIVERS

static bool may(bool demanded, uint32_t features, struct sr_error *err)
{
	struct config config = { .optee_kms.hardware.use_hardware_rng = demanded };
	struct kms_info info = { .features = features };

	return cli_may_make_keys(&config, &info, err);
}

static void makes_keys_of_hardwares_numbers(void **state)
{
	static const uint32_t sound[] = { TRUSTED, PRESENT | DELIVERS, TRUSTED | PRESENT,
					  TRUSTED | PRESENT | DELIVERS };
	struct sr_error err = { .code = SR_OK };

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(sound); i++) {
		assert_true(may(true, sound[i], &err));
		assert_true(may(false, sound[i], &err));
	}
}

/* What the normal world gave, and what the TEE stirred in, came from the normal world. */
static void refuses_others_where_hardware_is_demanded(void **state)
{
	static const uint32_t unsound[] = { 0, PRESENT, SR_TA_FEATURE_HOST_RANDOM,
					    SR_TA_FEATURE_HOST_RANDOM | SR_TA_FEATURE_TEE_STIRRED |
						    PRESENT };

	(void)state;
	for (size_t i = 0; i < SR_ARRAY_LEN(unsound); i++) {
		struct sr_error err = { .code = SR_OK };

		assert_false(may(true, unsound[i], &err));
		assert_int_equal(err.code, SR_E_DENIED);
		assert_non_null(strstr(err.message, "[optee_kms.hardware] use_hardware_rng"));
		assert_non_null(strstr(err.message, "its seed is not known"));
		assert_non_null(strstr(err.message, "no key is made here"));
	}
}

static void makes_them_all_the_same_where_it_is_not(void **state)
{
	struct sr_error err = { .code = SR_OK };

	(void)state;
	assert_true(may(false, 0, &err));
	assert_int_equal(err.code, SR_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_keys_of_hardwares_numbers),
		cmocka_unit_test(refuses_others_where_hardware_is_demanded),
		cmocka_unit_test(makes_them_all_the_same_where_it_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
