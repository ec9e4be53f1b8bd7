/* SPDX-License-Identifier: Apache-2.0 */
/* LIST_KEYS, GET_INFO. */
#include <string.h>

#include "clock.h"
#include "commands.h"
#include "features.h"
#include "keystore.h"

#define IMPLEMENTATION_MAX 64 /* with its NUL */

/* Too large for the stack. */
static struct ta_key_list list;

/* Where a listing goes on: after a key, or after the entry of all unreadable ones. */
static bool after_valid(const struct ta_key_id *after)
{
	return (after->len == 1 && after->bytes[0] == '?') || ta_key_id_valid(after);
}

/* How many of the list's first entries fit; their encoded size goes to *size. */
static size_t fitting(size_t room, size_t *size)
{
	size_t count = 0;

	*size = 3;
	while (count < list.count && *size + ta_key_info_size(&list.keys[count]) <= room)
		*size += ta_key_info_size(&list.keys[count++]);
	return count;
}

TEE_Result ta_cmd_list_keys(struct ta_reader *in, struct ta_writer *out)
{
	struct ta_key_id after = { 0 };
	size_t count = 0;
	size_t size = 0;
	TEE_Result result = TEE_SUCCESS;

	ta_key_id_read(in, &after);
	if (!ta_reader_done(in))
		return TEE_ERROR_BAD_FORMAT;
	if (after.len && !after_valid(&after))
		return TEE_ERROR_BAD_PARAMETERS;
	result = ta_put_reserve(out, SR_TA_LIST_RESPONSE_MIN - TA_RESPONSE_END);
	if (result == TEE_SUCCESS)
		result = ta_keystore_list(&after, &list);
	if (result != TEE_SUCCESS)
		return result;
	count = fitting(out->size - TA_RESPONSE_END, &size);
	ta_put_u8(out, SR_TA_WIRE_VERSION);
	ta_put_u8(out, list.more || count < list.count);
	ta_put_u8(out, (uint8_t)count);
	for (size_t i = 0; i < count; i++)
		ta_key_info_write(out, &list.keys[i]);
	return TEE_SUCCESS;
}

static uint8_t implementation_name(char out[IMPLEMENTATION_MAX])
{
	size_t size = IMPLEMENTATION_MAX;
	TEE_Result result = TEE_GetPropertyAsString(TEE_PROPSET_TEE_IMPLEMENTATION,
						    "gpd.tee.description", out, &size);

	if (result != TEE_SUCCESS)
		return 0;
	out[IMPLEMENTATION_MAX - 1] = 0;
	return (uint8_t)strlen(out);
}

TEE_Result ta_cmd_get_info(struct ta_reader *in, struct ta_writer *out)
{
	char name[IMPLEMENTATION_MAX] = { 0 };
	uint8_t name_len = 0;
	TEE_Result result = TEE_SUCCESS;

	if (!ta_reader_done(in))
		return TEE_ERROR_BAD_FORMAT;
	name_len = implementation_name(name);
	result = ta_put_reserve(out, (size_t)1 + 3 + 4 + 4 + 4 + 2 + 2 + 1 + 1 + name_len);
	if (result != TEE_SUCCESS)
		return result;
	ta_put_u8(out, SR_TA_WIRE_VERSION);
	ta_put_u8(out, SR_TA_VERSION_MAJOR);
	ta_put_u8(out, SR_TA_VERSION_MINOR);
	ta_put_u8(out, SR_TA_VERSION_PATCH);
	ta_put_u32(out, ta_features());
	ta_put_u32(out, ta_anti_rollback_level());
	ta_put_u32(out, ta_clock_protection());
	ta_put_u16(out, (uint16_t)ta_keystore_count());
	ta_put_u16(out, SR_TA_KEYS_MAX);
	ta_put_u8(out, SR_TA_BATCH_MAX);
	ta_put_short_string(out, name, name_len);
	return TEE_SUCCESS;
}
