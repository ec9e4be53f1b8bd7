/* SPDX-License-Identifier: Apache-2.0 */
#include "wycheproof.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"

#define DIRECTORY SR_SOURCE_DIR "/build/wycheproof/"

const char *wy_group_text(const struct wy_vector *v, const char *name)
{
	const char *text = yyjson_get_str(yyjson_obj_get(v->group, name));

	return text ? text : "";
}

static void decode(yyjson_val *value, const char *name, struct wy_bytes *out)
{
	const char *text = yyjson_get_str(value);
	const size_t len = yyjson_get_len(value);

	if (!text || len > 2 * sizeof(out->data))
		fail_msg("the field %s is missing or too long", name);
	out->len = len / 2;
	assert_true(sr_hex_decode(text, len, out->data, out->len));
}

void wy_get(const struct wy_vector *v, const char *name, struct wy_bytes *out)
{
	decode(yyjson_obj_get(v->test, name), name, out);
}

void wy_get_of_group(const struct wy_vector *v, const char *object, const char *name,
		     struct wy_bytes *out)
{
	decode(yyjson_obj_get(yyjson_obj_get(v->group, object), name), name, out);
}

uint64_t wy_number(const struct wy_vector *v, const char *name)
{
	return yyjson_get_uint(yyjson_obj_get(v->test, name));
}

bool wy_has_flag(const struct wy_vector *v, const char *flag)
{
	yyjson_val *value = NULL;
	size_t i = 0;
	size_t max = 0;

	yyjson_arr_foreach(yyjson_obj_get(v->test, "flags"), i, max, value)
	{
		if (yyjson_equals_str(value, flag))
			return true;
	}
	return false;
}

static bool has_result(const struct wy_vector *v, const char *result)
{
	return yyjson_equals_str(yyjson_obj_get(v->test, "result"), result);
}

bool wy_is_valid(const struct wy_vector *v)
{
	return has_result(v, "valid");
}

struct counts {
	unsigned valid;
	unsigned invalid;
	unsigned acceptable;
	unsigned wrong;
};

static void judge(const struct wy_file *file, const struct wy_vector *v, struct counts *counts,
		  bool (*takes)(const struct wy_vector *v),
		  bool (*takes_acceptable)(const struct wy_vector *v))
{
	bool expected = false;

	if (has_result(v, "valid")) {
		expected = true;
		counts->valid++;
	} else if (has_result(v, "invalid")) {
		counts->invalid++;
	} else {
		assert_true(has_result(v, "acceptable") && takes_acceptable);
		expected = takes_acceptable(v);
		counts->acceptable++;
	}
	if (takes(v) == expected)
		return;
	counts->wrong++;
	print_error("%s: vector %u (%s) should be %s\n", file->name, (unsigned)wy_number(v, "tcId"),
		    yyjson_get_str(yyjson_obj_get(v->test, "comment")),
		    expected ? "taken" : "refused");
}

static yyjson_doc *load(const char *name)
{
	char path[512] = "";
	yyjson_read_err err = { 0 };
	yyjson_doc *doc = NULL;

	(void)snprintf(path, sizeof(path), DIRECTORY "%s", name);
	doc = yyjson_read_file(path, 0, NULL, &err);
	if (!doc)
		fail_msg("%s cannot be read (%s): ./dev setup quick fetches it", path, err.msg);
	return doc;
}

void wy_check_file(const struct wy_file *file, bool (*takes)(const struct wy_vector *v),
		   bool (*takes_acceptable)(const struct wy_vector *v))
{
	yyjson_doc *doc = load(file->name);
	yyjson_val *root = yyjson_doc_get_root(doc);
	struct wy_vector v = { 0 };
	struct counts counts = { 0 };
	size_t i = 0;
	size_t groups = 0;
	size_t j = 0;
	size_t tests = 0;

	yyjson_arr_foreach(yyjson_obj_get(root, "testGroups"), i, groups, v.group)
	{
		yyjson_arr_foreach(yyjson_obj_get(v.group, "tests"), j, tests, v.test)
			judge(file, &v, &counts, takes, takes_acceptable);
	}
	print_message("# %s: %u valid, %u invalid, %u acceptable, %u judged wrongly\n", file->name,
		      counts.valid, counts.invalid, counts.acceptable, counts.wrong);
	assert_int_equal(counts.valid + counts.invalid + counts.acceptable,
			 yyjson_get_uint(yyjson_obj_get(root, "numberOfTests")));
	yyjson_doc_free(doc);
	assert_int_equal(counts.valid, file->valid);
	assert_int_equal(counts.invalid, file->invalid);
	assert_int_equal(counts.acceptable, file->acceptable);
	assert_int_equal(counts.wrong, 0);
}
