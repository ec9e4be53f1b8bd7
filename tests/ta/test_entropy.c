/* SPDX-License-Identifier: Apache-2.0 */
/* What keys and signatures are made of: each source is needed, none can spoil another. */
#include "ta_client.h"

#include <string.h>

#include "tee/sim/sim_test.h"

#define EVENTS 64 /* that the TA stirs the TEE's generator with */
#define EVENT_SIZE 32

static struct ta_request request;
static struct ta_response response;

/* ---- sources that stand still --------------------------------------------------- */

static uint8_t tee_byte;
static uint8_t cpu_byte;
static unsigned cpu_words; /* that it gives before it fails */

static void frozen_random(void *out, size_t len)
{
	memset(out, tee_byte, len);
}

static bool frozen_cpu(uint64_t *out)
{
	memset(out, cpu_byte, sizeof(*out));
	if (!cpu_words)
		return false;
	cpu_words--;
	return true;
}

static bool counting_cpu(uint64_t *out)
{
	*out = cpu_words;
	return frozen_cpu(&(uint64_t){ 0 });
}

#define ENDLESS 1000000u

/* As after a boot: what the TA had in memory is gone. */
static void restart(struct ta_client *c)
{
	ta_disconnect(c);
	ta_connect(c);
}

static int freeze(void **state)
{
	tee_byte = 0x11;
	cpu_byte = 0xc3;
	cpu_words = ENDLESS;
	sim_random_hook = frozen_random;
	if (ta_setup(state))
		return -1;
	/* Its own keys are drawn from the same pool: made before, they change nothing later. */
	begin_chain(&request);
	assert_int_equal(call(*state, SR_TA_CMD_BEGIN, &request, &response), TEEC_SUCCESS);
	restart(*state);
	return 0;
}

static int thaw(void **state)
{
	sim_random_hook = NULL;
	sim_cpu_random_hook = NULL;
	sim_entropy_event_hook = NULL;
	sim_lacks_system_pta = false;
	return ta_teardown(state);
}

static struct key_info make(struct ta_client *c, uint8_t algorithm, uint8_t host_byte)
{
	struct key_info info = { 0 };
	size_t at = 1;

	begin_new_key(&request, algorithm, SR_TA_USAGE_DIGEST, "k");
	put_host_entropy(&request, host_byte);
	assert_int_equal(call(c, SR_TA_CMD_GENERATE_KEY, &request, &response), TEEC_SUCCESS);
	info = read_key_info(&response, &at);
	assert_int_equal(delete_key(c, "k"), TEEC_SUCCESS);
	return info;
}

static struct key_info make_after_restart(struct ta_client *c, uint8_t algorithm, uint8_t host_byte)
{
	restart(c);
	return make(c, algorithm, host_byte);
}

static uint32_t features(struct ta_client *c)
{
	begin(&request);
	assert_int_equal(call(c, SR_TA_CMD_GET_INFO, &request, &response), TEEC_SUCCESS);
	return (uint32_t)response.data[4] | (uint32_t)response.data[5] << 8;
}

static const uint8_t algorithms[] = { SR_TA_ALG_SECP256K1, SR_TA_ALG_ED25519 };

/* ---- keys ------------------------------------------------------------------------ */

/* Computed from the description in entropy.h by another program, with other libraries. */
static void keys_come_from_the_sources_as_described(void **state)
{
	static const struct {
		unsigned cpu_words;
		const char *secp256k1; /* x */
		const char *ed25519;
	} cases[] = {
		{ 0, "e2e9d904bd8e30cb439232809ed228e9e0d90dc65446adf5f4f77b7491e15f16",
		  "1fbf3f9a8f10e2023a9e6f3ccb5e977baa854a505f961b3aadbf4c3f1d498d84" },
		{ 2, "d6a42a2cd1376fcd6cd3d0d3d08b83121a3dbace8413401048a563716e92cac1",
		  "d21a908b0eb2cd24d18a80428765b2d0b12727d11d2a8f04a60c1759b087617c" },
		{ 4, "d186e44815d58b2bfb8c5c8b19834f5243ed69eea4157b89447f3cd5a79c08b7",
		  "b40c9cb3c305bd308d98b8f8edc10b7d2b425e5977221128a2156b7719262619" },
	};
	struct ta_client *c = *state;

	for (size_t i = 0; i < SR_ARRAY_LEN(cases); i++) {
		for (size_t a = 0; a < SR_ARRAY_LEN(algorithms); a++) {
			const bool ed25519 = algorithms[a] == SR_TA_ALG_ED25519;
			struct key_info info = { 0 };
			uint8_t expected[32] = { 0 };

			assert_true(sr_hex_decode(ed25519 ? cases[i].ed25519 : cases[i].secp256k1,
						  64, expected, sizeof(expected)));
			sim_cpu_random_hook = cases[i].cpu_words ? frozen_cpu : NULL;
			cpu_words = cases[i].cpu_words;
			restart(c);
			cpu_words = cases[i].cpu_words;
			info = make(c, algorithms[a], 0x22);
			assert_memory_equal(info.public_key + !ed25519, expected, sizeof(expected));
		}
	}
}

static void the_same_sources_make_the_same_key_and_nothing_else_is_in_it(void **state)
{
	struct ta_client *c = *state;

	for (size_t a = 0; a < SR_ARRAY_LEN(algorithms); a++) {
		const struct key_info first = make_after_restart(c, algorithms[a], 0x22);
		const struct key_info second = make_after_restart(c, algorithms[a], 0x22);

		assert_memory_equal(first.public_key, second.public_key, first.public_len);
	}
}

static void each_source_alone_makes_another_key(void **state)
{
	struct ta_client *c = *state;

	sim_cpu_random_hook = frozen_cpu;
	for (size_t a = 0; a < SR_ARRAY_LEN(algorithms); a++) {
		struct key_info keys[4] = { 0 };

		keys[0] = make_after_restart(c, algorithms[a], 0x22);
		keys[1] = make_after_restart(c, algorithms[a], 0x23);
		tee_byte ^= 1;
		keys[2] = make_after_restart(c, algorithms[a], 0x22);
		tee_byte ^= 1;
		cpu_byte ^= 1;
		keys[3] = make_after_restart(c, algorithms[a], 0x22);
		cpu_byte ^= 1;
		for (size_t i = 0; i < SR_ARRAY_LEN(keys); i++) {
			for (size_t j = 0; j < i; j++)
				assert_memory_not_equal(keys[i].public_key, keys[j].public_key, 32);
		}
	}
}

/* The one bit of 64 bytes that differs is each once, as far as a byte is concerned. */
static void every_byte_of_the_host_counts(void **state)
{
	struct ta_client *c = *state;
	uint8_t seen[SR_TA_HOST_ENTROPY_SIZE][32] = { { 0 } };

	for (size_t i = 0; i < SR_TA_HOST_ENTROPY_SIZE; i++) {
		size_t at = 1;

		restart(c);
		begin_new_key(&request, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, "k");
		put_host_entropy(&request, 0);
		request.data[request.len - SR_TA_HOST_ENTROPY_SIZE + i] = 1;
		assert_int_equal(call(c, SR_TA_CMD_GENERATE_KEY, &request, &response),
				 TEEC_SUCCESS);
		memcpy(seen[i], read_key_info(&response, &at).public_key + 1, 32);
		assert_int_equal(delete_key(c, "k"), TEEC_SUCCESS);
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(seen[i], seen[j], 32);
	}
}

static void a_host_that_gives_zeros_leaves_the_tees_own(void **state)
{
	struct ta_client *c = *state;
	struct key_info first = make_after_restart(c, SR_TA_ALG_SECP256K1, 0);
	struct key_info second = { 0 };

	assert_false(features(c) & SR_TA_FEATURE_HOST_RANDOM);
	tee_byte ^= 1;
	second = make_after_restart(c, SR_TA_ALG_SECP256K1, 0);
	assert_memory_not_equal(first.public_key, second.public_key, 65);
}

/* Not even sources that all stand still give one key twice within an instance. */
static void keys_of_one_instance_differ(void **state)
{
	struct ta_client *c = *state;
	const struct key_info first = make(c, SR_TA_ALG_SECP256K1, 0);
	const struct key_info second = make(c, SR_TA_ALG_SECP256K1, 0);

	assert_memory_not_equal(first.public_key, second.public_key, 65);
}

/* ---- the TA's own keys ------------------------------------------------------------ */

enum first_call { FIRST_BEGINS, FIRST_MAKES_A_KEY };

/* The audit key of a blank device whose first call is this one, with these bytes of the host. */
static void own_key(struct ta_client *c, enum first_call first, uint8_t host_byte,
		    uint8_t out[static 65])
{
	ta_disconnect(c);
	ta_remove_store(c->store);
	ta_connect(c);
	if (first == FIRST_BEGINS) {
		begin_chain(&request);
		memset(request.data + FRAMING + 8, host_byte, SR_TA_HOST_ENTROPY_SIZE);
		assert_int_equal(call(c, SR_TA_CMD_BEGIN, &request, &response), TEEC_SUCCESS);
	} else {
		(void)make(c, SR_TA_ALG_SECP256K1, host_byte);
	}
	begin(&request);
	assert_int_equal(call(c, SR_TA_CMD_AUDIT_READ, &request, &response), TEEC_SUCCESS);
	assert_int_equal(response.data[1], 4);
	memcpy(out, response.data + 1, 65);
}

/* Whoever knew what they were made of could forge the log and every attestation. */
static void each_source_alone_makes_the_ta_another_identity(void **state)
{
	static const enum first_call firsts[] = { FIRST_BEGINS, FIRST_MAKES_A_KEY };
	struct ta_client *c = *state;

	sim_cpu_random_hook = frozen_cpu;
	for (size_t f = 0; f < SR_ARRAY_LEN(firsts); f++) {
		uint8_t keys[5][65] = { { 0 } };

		own_key(c, firsts[f], 0x22, keys[0]);
		own_key(c, firsts[f], 0x23, keys[1]);
		tee_byte ^= 1;
		own_key(c, firsts[f], 0x22, keys[2]);
		tee_byte ^= 1;
		cpu_byte ^= 1;
		own_key(c, firsts[f], 0x22, keys[3]);
		cpu_byte ^= 1;
		own_key(c, firsts[f], 0x22, keys[4]);
		assert_memory_equal(keys[4], keys[0], 65);
		for (size_t i = 0; i < 4; i++) {
			for (size_t j = 0; j < i; j++)
				assert_memory_not_equal(keys[i], keys[j], 65);
		}
	}
}

/* ---- signatures ---------------------------------------------------------------- */

static void nonces_differ_though_every_source_stands_still(void **state)
{
	static const uint8_t digest[32] = { 5 };
	struct ta_client *c = *state;
	uint8_t signatures[3][65] = { { 0 } };

	assert_int_equal(generate(c, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, "k", NULL),
			 TEEC_SUCCESS);
	restart(c);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(sign_digest(c, "k", digest, signatures[i]), TEEC_SUCCESS);
	assert_memory_not_equal(signatures[0], signatures[1], 32);
	/* And the sources are all there is in them. */
	restart(c);
	assert_int_equal(sign_digest(c, "k", digest, signatures[2]), TEEC_SUCCESS);
	assert_memory_equal(signatures[0], signatures[2], 65);
}

/* ---- what is said of the sources -------------------------------------------------- */

static void tells_what_it_has(void **state)
{
	struct ta_client *c = *state;

	assert_int_equal(features(c), SR_TA_FEATURE_DEV_IMPORT | SR_TA_FEATURE_TEE_RANDOM_TRUSTED);
	(void)make(c, SR_TA_ALG_SECP256K1, 1);
	assert_int_equal(features(c), SR_TA_FEATURE_DEV_IMPORT | SR_TA_FEATURE_TEE_RANDOM_TRUSTED |
					      SR_TA_FEATURE_HOST_RANDOM |
					      SR_TA_FEATURE_TEE_STIRRED);
	(void)make(c, SR_TA_ALG_ED25519, 0);
	assert_false(features(c) & SR_TA_FEATURE_HOST_RANDOM);
	sim_cpu_random_hook = counting_cpu;
	restart(c);
	assert_int_equal(features(c), SR_TA_FEATURE_DEV_IMPORT | SR_TA_FEATURE_TEE_RANDOM_TRUSTED |
					      SR_TA_FEATURE_CPU_RANDOM |
					      SR_TA_FEATURE_CPU_DELIVERS);
}

static void survives_a_cpu_that_gives_nothing_and_says_so(void **state)
{
	static const uint8_t digest[32] = { 5 };
	struct ta_client *c = *state;
	uint8_t signature[65] = { 0 };
	struct key_info key = { 0 };

	sim_cpu_random_hook = counting_cpu;
	for (cpu_words = 0; cpu_words < 4; cpu_words++) {
		const unsigned words = cpu_words;

		restart(c);
		assert_int_equal(generate(c, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, "k", &key),
				 TEEC_SUCCESS);
		assert_true(features(c) & SR_TA_FEATURE_CPU_RANDOM);
		assert_false(features(c) & SR_TA_FEATURE_CPU_DELIVERS);
		assert_int_equal(sign_digest(c, "k", digest, signature), TEEC_SUCCESS);
		assert_true(secp256k1_signature_good(key.public_key, digest, signature));
		assert_int_equal(delete_key(c, "k"), TEEC_SUCCESS);
		cpu_words = words;
	}
	/* It is asked again, and heard when it is well. */
	cpu_words = ENDLESS;
	(void)make(c, SR_TA_ALG_SECP256K1, 0);
	assert_true(features(c) & SR_TA_FEATURE_CPU_DELIVERS);
}

static void does_not_count_a_cpu_that_says_the_same_for_ever(void **state)
{
	struct ta_client *c = *state;

	sim_cpu_random_hook = frozen_cpu;
	restart(c);
	assert_true(features(c) & SR_TA_FEATURE_CPU_RANDOM);
	assert_false(features(c) & SR_TA_FEATURE_CPU_DELIVERS);
}

/* ---- the TEE's own generator -------------------------------------------------------- */

static uint8_t events[2 * EVENTS + 1][EVENT_SIZE];
static size_t event_count;

static void see_event(const uint8_t *data, size_t len)
{
	assert_int_equal(len, EVENT_SIZE);
	assert_true(event_count < SR_ARRAY_LEN(events));
	memcpy(events[event_count++], data, len);
}

static void assert_events_differ(void)
{
	for (size_t i = 0; i < event_count; i++) {
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(events[i], events[j], EVENT_SIZE);
	}
}

/* Stored objects are encrypted with keys and nonces from there. */
static void stirs_the_tees_generator_before_it_changes_the_storage(void **state)
{
	struct ta_client *c = *state;

	sim_entropy_event_hook = see_event;
	event_count = 0;
	(void)make(c, SR_TA_ALG_SECP256K1, 1);
	assert_int_equal(event_count, EVENTS);
	/* With what the host gives it is done for each key. */
	(void)make(c, SR_TA_ALG_ED25519, 1);
	assert_int_equal(event_count, 2 * EVENTS);
	assert_events_differ();
	/* A deletion writes, too, and there the TEE's own numbers would tell it nothing. */
	event_count = 0;
	restart(c);
	assert_int_equal(delete_key(c, "none"), TEEC_ERROR_ITEM_NOT_FOUND);
	assert_int_equal(event_count, 0);
	sim_cpu_random_hook = counting_cpu;
	restart(c);
	assert_int_equal(event_count, 0);
	assert_int_equal(delete_key(c, "none"), TEEC_ERROR_ITEM_NOT_FOUND);
	assert_int_equal(event_count, EVENTS);
	assert_int_equal(delete_key(c, "none"), TEEC_ERROR_ITEM_NOT_FOUND);
	assert_int_equal(event_count, EVENTS);
	assert_events_differ();
}

static void makes_keys_where_the_generator_cannot_be_stirred_and_says_so(void **state)
{
	struct ta_client *c = *state;

	sim_lacks_system_pta = true;
	(void)make(c, SR_TA_ALG_SECP256K1, 1);
	(void)make(c, SR_TA_ALG_ED25519, 1);
	assert_false(features(c) & SR_TA_FEATURE_TEE_STIRRED);
	sim_lacks_system_pta = false;
	(void)make(c, SR_TA_ALG_SECP256K1, 1);
	assert_true(features(c) & SR_TA_FEATURE_TEE_STIRRED);
}

/* ---- the wire ---------------------------------------------------------------------- */

static void wants_the_hosts_bytes_whole(void **state)
{
	struct ta_client *c = *state;

	for (size_t len = 0; len <= SR_TA_HOST_ENTROPY_SIZE + 64; len++) {
		if (len == SR_TA_HOST_ENTROPY_SIZE)
			continue;
		begin_new_key(&request, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, "k");
		for (size_t i = 0; i < len; i++)
			put_u8(&request, 1);
		assert_int_equal(call(c, SR_TA_CMD_GENERATE_KEY, &request, &response),
				 TEEC_ERROR_BAD_FORMAT);
	}
	assert_int_equal(count_keys(c), 0);
}

/* The commands of the test build have no place in this one. */
static void has_no_test_commands(void **state)
{
	struct ta_client *c = *state;

	for (uint32_t command = 0x7e570000; command < 0x7e570100; command++) {
		begin(&request);
		assert_int_equal(call(c, command, &request, &response), TEEC_ERROR_NOT_SUPPORTED);
		assert_int_equal(response.len, 0);
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, freeze, thaw)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(keys_come_from_the_sources_as_described),
		CASE(the_same_sources_make_the_same_key_and_nothing_else_is_in_it),
		CASE(each_source_alone_makes_another_key),
		CASE(every_byte_of_the_host_counts),
		CASE(a_host_that_gives_zeros_leaves_the_tees_own),
		CASE(keys_of_one_instance_differ),
		CASE(each_source_alone_makes_the_ta_another_identity),
		CASE(nonces_differ_though_every_source_stands_still),
		CASE(tells_what_it_has),
		CASE(survives_a_cpu_that_gives_nothing_and_says_so),
		CASE(does_not_count_a_cpu_that_says_the_same_for_ever),
		CASE(stirs_the_tees_generator_before_it_changes_the_storage),
		CASE(makes_keys_where_the_generator_cannot_be_stirred_and_says_so),
		CASE(wants_the_hosts_bytes_whole),
		CASE(has_no_test_commands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
