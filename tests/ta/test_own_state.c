/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The TA's own objects, identity and journal, damaged or gone: nothing works on as if
 * they had never been, and nothing makes them anew while keys are there.
 */
#include "own_objects.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tee/sim/sim_test.h"

static const uint8_t digest[32] = { 8 };
static struct ta_request request;
static struct ta_response response;

static void restart(struct ta_client *c)
{
	ta_disconnect(c);
	ta_connect(c);
}

/* ---- harm ----------------------------------------------------------------------- */

static void gone(const char *path)
{
	assert_int_equal(unlink(path), 0);
}

static void cut_short(const char *path)
{
	assert_int_equal(truncate(path, 20), 0);
}

static void empty(const char *path)
{
	assert_int_equal(truncate(path, 0), 0);
}

static void turned(const char *path)
{
	FILE *file = fopen(path, "r+b");
	int byte = 0;

	assert_non_null(file);
	assert_int_equal(fseek(file, -1, SEEK_END), 0);
	byte = fgetc(file);
	assert_int_equal(fseek(file, -1, SEEK_END), 0);
	assert_int_equal(fputc(byte ^ 1, file), byte ^ 1);
	assert_int_equal(fclose(file), 0);
}

static void (*const harms[])(const char *path) = { gone, cut_short, empty, turned };

static void harm(struct ta_client *c, enum own_object which, void (*how)(const char *path))
{
	char path[TEMP_PATH_MAX] = "";

	own_object_path(c, which, path);
	how(path);
}

/* ---- what is left --------------------------------------------------------------- */

static void assert_refused(struct ta_client *c, uint32_t command)
{
	assert_int_equal(call(c, command, &request, &response), CORRUPT_OBJECT);
	assert_int_equal(response.len, 0);
	assert_int_equal(response.origin, TEEC_ORIGIN_TRUSTED_APP);
}

/* As far as keys and the chain are needed. */
static void assert_refuses_all(struct ta_client *c)
{
	static const uint32_t commands[] = {
		SR_TA_CMD_GENERATE_KEY,	  SR_TA_CMD_IMPORT_KEY, SR_TA_CMD_SIGN_MESSAGE,
		SR_TA_CMD_GET_PUBLIC_KEY, SR_TA_CMD_DELETE_KEY, SR_TA_CMD_SIGN_SPONSORSHIP,
	};

	for (size_t i = 0; i < SR_ARRAY_LEN(commands); i++) {
		begin_valid(&request, commands[i]);
		assert_refused(c, commands[i]);
	}
	begin_chain(&request);
	assert_refused(c, SR_TA_CMD_BEGIN);
	begin(&request);
	put_u8(&request, 1);
	assert_refused(c, SR_TA_CMD_CHECKPOINT);
	begin(&request);
	put_bytes(&request, digest, sizeof(digest));
	put_id(&request, "");
	put_u8(&request, 0);
	assert_refused(c, SR_TA_CMD_ATTEST);
	begin_id(&request, "ec");
	assert_refused(c, SR_TA_CMD_GET_POLICY);
}

/* A damaged state is told of, where a caller only wants to look. */
static void assert_tells(struct ta_client *c)
{
	static const uint8_t nobody[65] = { 0 };
	size_t at = 3;

	/* What cannot be named may be a key. */
	assert_in_range(count_keys(c), FILLED_KEYS, FILLED_KEYS + 1);
	begin_list(&request, "");
	assert_int_equal(call(c, SR_TA_CMD_LIST_KEYS, &request, &response), TEEC_SUCCESS);
	assert_int_equal(response.data[2], 1);
	assert_string_equal(read_key_info(&response, &at).id, "?");
	begin(&request);
	assert_int_equal(call(c, SR_TA_CMD_AUDIT_READ, &request, &response), TEEC_SUCCESS);
	assert_memory_equal(response.data + 1, nobody, sizeof(nobody));
}

static void harmed_in_every_way(struct ta_client *c, enum own_object which)
{
	for (size_t i = 0; i < SR_ARRAY_LEN(harms); i++) {
		ta_disconnect(c);
		ta_remove_store(c->store);
		ta_connect(c);
		note_own_objects(c);
		fill_keys(c);
		ta_disconnect(c);
		harm(c, which, harms[i]);
		/* Over and over: looking at it does not mend it, nor does the next instance. */
		for (unsigned n = 0; n < 2; n++) {
			ta_connect(c);
			assert_refuses_all(c);
			assert_tells(c);
			assert_refuses_all(c);
			ta_disconnect(c);
		}
		ta_connect(c);
		assert_int_equal(each_key_object(c, NULL), FILLED_KEYS);
	}
}

static void without_its_identity_it_refuses_everything(void **state)
{
	harmed_in_every_way(*state, OWN_IDENTITY);
}

static void without_its_journal_it_refuses_everything(void **state)
{
	harmed_in_every_way(*state, OWN_JOURNAL);
}

/* OP-TEE deletes what it finds corrupt: the next look finds nothing. */
static void though_the_tee_deletes_its_identity_it_makes_no_other(void **state)
{
	sim_storage_deletes_corrupt = true;
	harmed_in_every_way(*state, OWN_IDENTITY);
}

static void though_the_tee_deletes_its_journal_it_makes_no_other(void **state)
{
	sim_storage_deletes_corrupt = true;
	harmed_in_every_way(*state, OWN_JOURNAL);
}

/* ---- no keys to lose ------------------------------------------------------------ */

static void a_journal_gone_is_damage_even_without_keys(void **state)
{
	struct ta_client *c = *state;

	ta_disconnect(c);
	harm(c, OWN_JOURNAL, gone);
	ta_connect(c);
	begin_chain(&request);
	assert_refused(c, SR_TA_CMD_BEGIN);
	assert_int_equal(each_object(c, NULL), OWN_OBJECTS - 1);
}

/* As after a crash between the two writes that make it: the journal comes first. */
static void a_journal_without_identity_and_keys_is_a_blank_device(void **state)
{
	struct ta_client *c = *state;
	uint8_t signature[65] = { 0 };

	ta_disconnect(c);
	harm(c, OWN_IDENTITY, gone);
	ta_connect(c);
	fill_keys(c);
	assert_int_equal(sign_digest(c, "ec", digest, signature), TEEC_SUCCESS);
	restart(c);
	assert_int_equal(sign_digest(c, "ec", digest, signature), TEEC_SUCCESS);
}

/* ---- another's ------------------------------------------------------------------ */

/* Keys of one identity are damaged under another, though the store's own seal is good. */
static void an_identity_made_anew_opens_no_older_key(void **state)
{
	struct ta_client *c = *state;
	static char kept[TEMP_PATH_MAX + 8];
	char path[TEMP_PATH_MAX] = "";

	fill_keys(c);
	assert_int_equal(delete_key(c, "ec"), TEEC_SUCCESS);
	assert_int_equal(delete_key(c, "ed"), TEEC_SUCCESS);
	key_object_path(c, 0, path);
	(void)snprintf(kept, sizeof(kept), "%s/kept", c->store);
	assert_int_equal(rename(path, kept), 0);
	ta_disconnect(c);
	harm(c, OWN_IDENTITY, gone);
	ta_connect(c);
	begin_chain(&request);
	assert_int_equal(call(c, SR_TA_CMD_BEGIN, &request, &response), TEEC_SUCCESS);
	ta_disconnect(c);
	assert_int_equal(rename(kept, path), 0);
	ta_connect(c);
	assert_int_equal(get_key(c, "pm", NULL), CORRUPT_OBJECT);
	assert_int_equal(generate(c, SR_TA_ALG_SECP256K1, SR_TA_USAGE_DIGEST, "ec", NULL),
			 TEEC_SUCCESS);
	assert_int_equal(get_key(c, "ec", NULL), TEEC_SUCCESS);
}

/* ---- in use --------------------------------------------------------------------- */

/* What it has in memory goes on, and what it writes next is whole again. */
static void what_is_in_use_outlives_its_objects(void **state)
{
	struct ta_client *c = *state;
	uint8_t signature[65] = { 0 };

	fill_keys(c);
	harm(c, OWN_JOURNAL, gone);
	assert_int_equal(sign_digest(c, "ec", digest, signature), TEEC_SUCCESS);
	assert_int_equal(delete_key(c, "ed"), TEEC_SUCCESS);
	restart(c);
	assert_int_equal(sign_digest(c, "ec", digest, signature), TEEC_SUCCESS);
}

static int setup(void **state)
{
	if (ta_setup(state))
		return -1;
	note_own_objects(*state);
	return 0;
}

static int teardown(void **state)
{
	sim_storage_deletes_corrupt = false;
	return ta_teardown(state);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(without_its_identity_it_refuses_everything),
		CASE(without_its_journal_it_refuses_everything),
		CASE(though_the_tee_deletes_its_identity_it_makes_no_other),
		CASE(though_the_tee_deletes_its_journal_it_makes_no_other),
		CASE(a_journal_gone_is_damage_even_without_keys),
		CASE(a_journal_without_identity_and_keys_is_a_blank_device),
		CASE(an_identity_made_anew_opens_no_older_key),
		CASE(what_is_in_use_outlives_its_objects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
