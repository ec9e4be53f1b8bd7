/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Project Wycheproof's vectors, from the files that ./dev setup puts into
 * build/wycheproof. Every vector of a file is judged: none is left out, and a file that is
 * not the one counted on is a failure.
 */
#ifndef WYCHEPROOF_H
#define WYCHEPROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yyjson.h>

#define WY_BYTES_MAX 16384

struct wy_bytes {
	uint8_t data[WY_BYTES_MAX];
	size_t len;
};

struct wy_vector {
	yyjson_val *group;
	yyjson_val *test;
};

struct wy_file {
	const char *name;
	unsigned valid;
	unsigned invalid;
	unsigned acceptable;
};

/* A text of the group; "" when there is none. */
const char *wy_group_text(const struct wy_vector *v, const char *name);

/* A field in hexadecimal, of the vector or of the group; it must be there. */
void wy_get(const struct wy_vector *v, const char *name, struct wy_bytes *out);
void wy_get_of_group(const struct wy_vector *v, const char *object, const char *name,
		     struct wy_bytes *out);
uint64_t wy_number(const struct wy_vector *v, const char *name);

bool wy_has_flag(const struct wy_vector *v, const char *flag);
bool wy_is_valid(const struct wy_vector *v);

/*
 * Asks of each vector whether the code takes it. "valid" must be taken and "invalid" must
 * not; what is to become of an "acceptable" one, takes_acceptable says (NULL: there are none
 * in the file). Names each that is judged otherwise, and then fails the test.
 */
void wy_check_file(const struct wy_file *file, bool (*takes)(const struct wy_vector *v),
		   bool (*takes_acceptable)(const struct wy_vector *v));

#endif
