/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "algorithm.h"
#include "eth/eth_core.h"
#include "keystore.h"
#include "memory.h"

#define OBJECT_ID_SIZE (1 + 32)
#define OBJECT_TYPE_KEY 'k'

/* An enumeration ends after so many objects, whatever the storage claims. */
#define OBJECTS_MAX (4 * SR_TA_KEYS_MAX)

struct object_id {
	uint8_t bytes[OBJECT_ID_SIZE];
};

struct slot {
	uint64_t used; /* counts uses: the least is evicted first; 0 is a free slot */
	struct object_id object;
	struct ta_key key;
};

static struct slot slots[SR_TA_KEYS_MAX];
static uint64_t uses;

void ta_keystore_reset(void)
{
	ta_wipe(slots, sizeof(slots));
	uses = 0;
}

/* Ids that differ have different objects, as long as nobody finds a collision of
 * Keccak-256; and then the id inside the object tells them apart. */
static struct object_id object_of(const struct ta_key_id *id)
{
	struct object_id object = { .bytes = { OBJECT_TYPE_KEY } };

	eth_keccak256(id->bytes, id->len, object.bytes + 1);
	return object;
}

static struct slot *cached(const struct object_id *object)
{
	for (size_t i = 0; i < SR_TA_KEYS_MAX; i++) {
		if (slots[i].used && !memcmp(&slots[i].object, object, sizeof(*object)))
			return &slots[i];
	}
	return NULL;
}

/* The slot used least recently, emptied. There are as many slots as there may be
 * keys, so this evicts one only when the storage was tampered with. */
static struct slot *claim_slot(void)
{
	struct slot *least = &slots[0];

	for (size_t i = 1; i < SR_TA_KEYS_MAX; i++) {
		if (slots[i].used < least->used)
			least = &slots[i];
	}
	ta_wipe(least, sizeof(*least));
	return least;
}

static TEE_Result open_object(const struct object_id *object, uint32_t flags, TEE_ObjectHandle *out)
{
	TEE_Result result = TEE_OpenPersistentObject(TEE_STORAGE_PRIVATE, object->bytes,
						     sizeof(object->bytes), flags, out);

	/* On the wire ACCESS_CONFLICT says that an id exists; this is another matter. */
	return result == TEE_ERROR_ACCESS_CONFLICT ? TEE_ERROR_BUSY : result;
}

/* Reads and judges an object. Even when it fails, key->id tells whose it is if it
 * could be read (and is empty otherwise). */
static TEE_Result load(const struct object_id *object, struct ta_key *key)
{
	/* One byte more than a record may have shows one that is too long. */
	uint8_t record[TA_KEY_RECORD_MAX + 1] = { 0 };
	TEE_ObjectHandle handle = TEE_HANDLE_NULL;
	struct object_id expected = { 0 };
	size_t len = 0;
	TEE_Result result = open_object(object, TEE_DATA_FLAG_ACCESS_READ, &handle);

	*key = (struct ta_key){ 0 };
	if (result != TEE_SUCCESS)
		return result;
	result = TEE_ReadObjectData(handle, record, sizeof(record), &len);
	/* A corrupt object's handle has been closed by the TEE. */
	if (result != TEE_ERROR_CORRUPT_OBJECT)
		TEE_CloseObject(handle);
	if (result == TEE_SUCCESS)
		result = ta_key_record_decode(record, len, key);
	ta_wipe(record, sizeof(record));

	/* The id inside decides: an object under another key's name is nobody's. */
	if (ta_key_id_valid(&key->id))
		expected = object_of(&key->id);
	if (memcmp(&expected, object, sizeof(expected)) != 0)
		key->id = (struct ta_key_id){ 0 };
	if (result == TEE_SUCCESS && !key->id.len)
		result = TEE_ERROR_CORRUPT_OBJECT;
	if (result == TEE_SUCCESS)
		result = ta_algorithm_find(key->algorithm)->check_pair(key);
	if (result != TEE_SUCCESS)
		ta_wipe(key->secret, sizeof(key->secret));
	return result;
}

/* From the cache, or loaded into it. When the object is damaged, *damaged_id says
 * whose it was, if that could be read. */
static TEE_Result find_object(const struct object_id *object, struct slot **out,
			      struct ta_key_id *damaged_id)
{
	struct slot *slot = cached(object);
	TEE_Result result = TEE_SUCCESS;

	*out = NULL;
	if (!slot) {
		slot = claim_slot();
		result = load(object, &slot->key);
		if (result != TEE_SUCCESS) {
			*damaged_id = slot->key.id;
			ta_wipe(slot, sizeof(*slot));
			return result;
		}
		slot->object = *object;
	}
	slot->used = ++uses;
	*out = slot;
	return TEE_SUCCESS;
}

TEE_Result ta_keystore_find(const struct ta_key_id *id, const struct ta_key **out)
{
	const struct object_id object = object_of(id);
	struct ta_key_id damaged = { 0 };
	struct slot *slot = NULL;
	TEE_Result result = find_object(&object, &slot, &damaged);

	*out = slot ? &slot->key : NULL;
	return result;
}

/* ---- enumerating ------------------------------------------------------- */

struct visit {
	size_t count;
	bool unreadable;		/* an object that cannot even be named was met */
	const struct object_id *wanted; /* NULL, or an object to look for */
	bool found;
	const struct ta_key_id *after;
	struct ta_key_list *list; /* NULL: open no object, only count */
};

/* Keeps the list sorted, and the smallest where there are more than fit: they are
 * the ones that a page after the same id must begin with. */
static void insert(struct ta_key_list *list, const struct ta_key *key)
{
	size_t at = list->count;

	while (at && ta_key_id_compare(&key->id, &list->keys[at - 1].id) < 0)
		at--;
	if (at == SR_TA_KEYS_MAX) {
		list->more = true;
		return;
	}
	if (list->count == SR_TA_KEYS_MAX) {
		list->more = true;
		list->count--;
	}
	memmove(&list->keys[at + 1], &list->keys[at], (list->count - at) * sizeof(list->keys[0]));
	list->keys[at] = *key;
	list->count++;
}

static void list_key(struct visit *visit, const struct ta_key *key)
{
	struct ta_key entry = *key;

	ta_wipe(entry.secret, sizeof(entry.secret));
	if (ta_key_id_compare(&entry.id, visit->after) > 0)
		insert(visit->list, &entry);
}

/* One enumerated object. Those of other types are not ours to judge; a key's object
 * whose name has the wrong length was not made by this TA and counts as damaged. */
static TEE_Result visit_object(struct visit *visit, const uint8_t *id, size_t id_len)
{
	struct object_id object = { 0 };
	struct ta_key damaged = { 0 };
	struct slot *slot = NULL;
	TEE_Result result = TEE_SUCCESS;

	if (!id_len || id[0] != OBJECT_TYPE_KEY)
		return TEE_SUCCESS;
	visit->count++;
	if (visit->wanted && id_len == sizeof(object) && !memcmp(visit->wanted, id, id_len))
		visit->found = true;
	if (!visit->list)
		return TEE_SUCCESS;
	if (id_len != sizeof(object)) {
		visit->unreadable = true;
		return TEE_SUCCESS;
	}
	memcpy(object.bytes, id, sizeof(object.bytes));
	result = find_object(&object, &slot, &damaged.id);
	if (result == TEE_SUCCESS)
		list_key(visit, &slot->key);
	else if (result != TEE_ERROR_CORRUPT_OBJECT && result != TEE_ERROR_ITEM_NOT_FOUND)
		return result;
	else if (damaged.id.len)
		list_key(visit, &damaged);
	else
		visit->unreadable = true;
	return TEE_SUCCESS;
}

static TEE_Result visit_all(TEE_ObjectEnumHandle enumerator, struct visit *visit)
{
	TEE_ObjectInfo info = { 0 };
	uint8_t id[TEE_OBJECT_ID_MAX_LEN] = { 0 };
	size_t len = 0;
	TEE_Result result = TEE_StartPersistentObjectEnumerator(enumerator, TEE_STORAGE_PRIVATE);

	for (size_t i = 0; result == TEE_SUCCESS && i < OBJECTS_MAX; i++) {
		len = sizeof(id);
		result = TEE_GetNextPersistentObject(enumerator, &info, id, &len);
		if (result == TEE_SUCCESS && len <= sizeof(id)) {
			result = visit_object(visit, id, len);
		} else if (result == TEE_ERROR_CORRUPT_OBJECT) {
			/* It exists and cannot be named. The next call goes on behind it,
			 * and if it does not, OBJECTS_MAX ends this. */
			visit->count++;
			visit->unreadable = true;
			result = TEE_SUCCESS;
		}
	}
	return result == TEE_ERROR_ITEM_NOT_FOUND ? TEE_SUCCESS : result;
}

static TEE_Result enumerate(struct visit *visit)
{
	TEE_ObjectEnumHandle enumerator = TEE_HANDLE_NULL;
	TEE_Result result = TEE_AllocatePersistentObjectEnumerator(&enumerator);

	if (result != TEE_SUCCESS)
		return result;
	result = visit_all(enumerator, visit);
	TEE_FreePersistentObjectEnumerator(enumerator);
	return result;
}

TEE_Result ta_keystore_count(size_t *out)
{
	struct visit visit = { 0 };
	TEE_Result result = enumerate(&visit);

	*out = visit.count;
	return result;
}

TEE_Result ta_keystore_list(const struct ta_key_id *after, struct ta_key_list *list)
{
	const struct ta_key unreadable = { .id = { .bytes = "?", .len = 1 } };
	struct visit visit = { .after = after, .list = list };
	TEE_Result result = TEE_SUCCESS;

	list->count = 0;
	list->more = false;
	result = enumerate(&visit);
	if (result == TEE_SUCCESS && visit.unreadable)
		list_key(&visit, &unreadable);
	return result;
}

/* ---- creating and deleting --------------------------------------------- */

TEE_Result ta_keystore_create(const struct ta_key *key)
{
	const struct object_id object = object_of(&key->id);
	struct visit visit = { .wanted = &object };
	uint8_t record[TA_KEY_RECORD_MAX] = { 0 };
	TEE_ObjectHandle handle = TEE_HANDLE_NULL;
	size_t len = 0;
	TEE_Result result = enumerate(&visit);

	/* Looked for by name, never opened: OP-TEE deletes what it finds corrupt when it
	 * opens it, and the way would be free to make another key of that name. */
	if (result != TEE_SUCCESS)
		return result;
	if (visit.found)
		return TEE_ERROR_ACCESS_CONFLICT;
	if (visit.count >= SR_TA_KEYS_MAX)
		return TEE_ERROR_STORAGE_NO_SPACE;
	/* Content and name appear together, or not at all; without OVERWRITE the TEE
	 * itself refuses a name that exists, so no order of calls replaces a key. */
	len = ta_key_record_encode(key, record);
	result = TEE_CreatePersistentObject(TEE_STORAGE_PRIVATE, object.bytes, sizeof(object.bytes),
					    TEE_DATA_FLAG_ACCESS_READ, TEE_HANDLE_NULL, record, len,
					    &handle);
	ta_wipe(record, sizeof(record));
	if (result == TEE_SUCCESS)
		TEE_CloseObject(handle);
	return result;
}

TEE_Result ta_keystore_delete(const struct ta_key_id *id)
{
	const struct object_id object = object_of(id);
	struct slot *slot = cached(&object);
	TEE_ObjectHandle handle = TEE_HANDLE_NULL;
	TEE_Result result = open_object(
		&object, TEE_DATA_FLAG_ACCESS_READ | TEE_DATA_FLAG_ACCESS_WRITE_META, &handle);

	if (result == TEE_SUCCESS)
		result = TEE_CloseAndDeletePersistentObject1(handle);
	/* Whatever became of the object, the next use is to ask the storage. */
	if (slot)
		ta_wipe(slot, sizeof(*slot));
	return result;
}
