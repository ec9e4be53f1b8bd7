/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "algorithm.h"
#include "eth/eth_core.h"
#include "keystore.h"
#include "memory.h"
#include "state.h"
#include "storage.h"

#define OBJECT_ID_SIZE (1 + 32)
#define OBJECT_TYPE_KEY 'k'

struct object_id {
	uint8_t bytes[OBJECT_ID_SIZE];
};

struct slot {
	uint64_t used; /* counts uses: the least is evicted first; 0 is a free slot */
	struct object_id object;
	struct ta_key key;
};

/* An id whose object was found damaged. OP-TEE deletes such an object when it is
 * opened, and without this the next caller would find the name free. */
struct tombstone {
	struct object_id object; /* all zeros: free */
	struct ta_key_id id;	 /* len 0 where nobody has named it */
};

static struct slot slots[SR_TA_KEYS_MAX];
static uint64_t uses;
static struct tombstone tombstones[SR_TA_KEYS_MAX];
static bool tombstones_lost; /* there were more than fit */
static size_t key_objects = TA_KEYSTORE_COUNT_UNKNOWN;

void ta_keystore_reset(void)
{
	ta_wipe(slots, sizeof(slots));
	ta_wipe(tombstones, sizeof(tombstones));
	tombstones_lost = false;
	uses = 0;
	key_objects = TA_KEYSTORE_COUNT_UNKNOWN;
}

/* Ids that differ have different objects, as long as nobody finds a collision of
 * Keccak-256; and then the id inside the object tells them apart. */
static struct object_id object_of(const struct ta_key_id *id)
{
	struct object_id object = { .bytes = { OBJECT_TYPE_KEY } };

	eth_keccak256(id->bytes, id->len, object.bytes + 1);
	return object;
}

static struct ta_storage_id storage_id(const struct object_id *object)
{
	struct ta_storage_id id = { .len = sizeof(object->bytes) };

	memcpy(id.bytes, object->bytes, sizeof(object->bytes));
	return id;
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

static struct tombstone *buried(const struct object_id *object)
{
	for (size_t i = 0; i < SR_TA_KEYS_MAX; i++) {
		if (!memcmp(&tombstones[i].object, object, sizeof(*object)))
			return &tombstones[i];
	}
	return NULL;
}

/* id may be empty; a later one names what the first look could not. */
static void bury(const struct object_id *object, const struct ta_key_id *id)
{
	const struct object_id none = { 0 };
	struct tombstone *stone = buried(object);

	if (!stone)
		stone = buried(&none);
	if (!stone) {
		tombstones_lost = true;
		return;
	}
	stone->object = *object;
	if (id->len)
		stone->id = *id;
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
		result = ta_key_record_decode(record, len, ta_state_identity()->tag, key);
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

/* From the cache, or loaded into it. When the object is damaged, its tombstone says
 * whose it was, if that could be read. Until the key has been found good, nothing
 * cached makes room for it: ids that are asked for in vain cost nobody a reload. */
static TEE_Result find_object(const struct object_id *object, struct slot **out)
{
	struct slot *slot = cached(object);
	struct ta_key key = { 0 };
	TEE_Result result = TEE_SUCCESS;

	*out = NULL;
	if (!slot) {
		if (buried(object))
			return TEE_ERROR_CORRUPT_OBJECT;
		/* Without the identity no key can be told from a damaged one. */
		result = ta_state_load();
		if (result != TEE_SUCCESS)
			return result;
		result = load(object, &key);
		if (result == TEE_ERROR_CORRUPT_OBJECT)
			bury(object, &key.id);
		if (result != TEE_SUCCESS)
			return result;
		slot = claim_slot();
		slot->object = *object;
		slot->key = key;
		ta_wipe(&key, sizeof(key));
	}
	slot->used = ++uses;
	*out = slot;
	return TEE_SUCCESS;
}

TEE_Result ta_keystore_find(const struct ta_key_id *id, const struct ta_key **out)
{
	const struct object_id object = object_of(id);
	struct slot *slot = NULL;
	TEE_Result result = find_object(&object, &slot);

	if (result == TEE_ERROR_CORRUPT_OBJECT && ta_state_identity())
		bury(&object, id);
	*out = slot ? &slot->key : NULL;
	return result;
}

void ta_keystore_forget(const struct ta_key_id *id)
{
	const struct object_id object = object_of(id);
	struct slot *slot = cached(&object);

	if (slot)
		ta_wipe(slot, sizeof(*slot));
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
static TEE_Result visit_object(void *arg, const uint8_t *id, size_t id_len)
{
	struct visit *visit = arg;
	struct object_id object = { 0 };
	struct slot *slot = NULL;
	TEE_Result result = TEE_SUCCESS;

	/* It exists and cannot be named: it may be a key. */
	if (!id) {
		visit->count++;
		visit->unreadable = true;
		return TEE_SUCCESS;
	}
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
	result = find_object(&object, &slot);
	if (result == TEE_SUCCESS)
		list_key(visit, &slot->key);
	/* A damaged one stands in the list as its tombstone. */
	if (result == TEE_ERROR_CORRUPT_OBJECT && !buried(&object))
		visit->unreadable = true;
	return result == TEE_ERROR_CORRUPT_OBJECT || result == TEE_ERROR_ITEM_NOT_FOUND
		       ? TEE_SUCCESS
		       : result;
}

static TEE_Result enumerate(struct visit *visit)
{
	TEE_Result result = ta_storage_visit(visit_object, visit);

	if (result == TEE_SUCCESS)
		key_objects = visit->count;
	return result;
}

void ta_keystore_open(void)
{
	struct visit visit = { 0 };

	/* A storage that cannot be read now is asked again by each command that needs it. */
	(void)enumerate(&visit);
}

size_t ta_keystore_count(void)
{
	return key_objects;
}

static void list_tombstones(struct visit *visit)
{
	const struct object_id none = { 0 };

	for (size_t i = 0; i < SR_TA_KEYS_MAX; i++) {
		const struct ta_key damaged = { .id = tombstones[i].id };

		if (damaged.id.len)
			list_key(visit, &damaged);
		else if (memcmp(&tombstones[i].object, &none, sizeof(none)) != 0)
			visit->unreadable = true;
	}
}

TEE_Result ta_keystore_list(const struct ta_key_id *after, struct ta_key_list *list)
{
	const struct ta_key unreadable = { .id = { .bytes = "?", .len = 1 } };
	struct visit visit = { .after = after, .list = list };
	TEE_Result result = TEE_SUCCESS;

	list->count = 0;
	list->more = false;
	result = enumerate(&visit);
	if (result != TEE_SUCCESS)
		return result;
	list_tombstones(&visit);
	if (visit.unreadable)
		list_key(&visit, &unreadable);
	return TEE_SUCCESS;
}

/* ---- creating and deleting --------------------------------------------- */

TEE_Result ta_keystore_room(void)
{
	struct visit visit = { 0 };
	TEE_Result result = enumerate(&visit);

	if (result != TEE_SUCCESS)
		return result;
	return visit.count >= SR_TA_KEYS_MAX || tombstones_lost ? TEE_ERROR_STORAGE_NO_SPACE
								: TEE_SUCCESS;
}

TEE_Result ta_keystore_create(const struct ta_key *key)
{
	const struct object_id object = object_of(&key->id);
	struct visit visit = { .wanted = &object };
	uint8_t record[TA_KEY_RECORD_MAX] = { 0 };
	TEE_ObjectHandle handle = TEE_HANDLE_NULL;
	size_t len = 0;
	TEE_Result result = TEE_SUCCESS;

	if (!ta_state_identity())
		return TEE_ERROR_BAD_STATE;
	/* The storage is the normal world's: that it has lost an object does not make a
	 * second key of a name. */
	if (cached(&object))
		return TEE_ERROR_ACCESS_CONFLICT;
	if (buried(&object))
		return TEE_ERROR_CORRUPT_OBJECT;
	result = enumerate(&visit);
	/* Looked for by name, never opened: OP-TEE deletes what it finds corrupt when it
	 * opens it, and the way would be free to make another key of that name. */
	if (result != TEE_SUCCESS)
		return result;
	if (visit.found)
		return TEE_ERROR_ACCESS_CONFLICT;
	/* With tombstones lost, any name could be a damaged key's. */
	if (visit.count >= SR_TA_KEYS_MAX || tombstones_lost)
		return TEE_ERROR_STORAGE_NO_SPACE;
	/* Content and name appear together, or not at all; without OVERWRITE the TEE
	 * itself refuses a name that exists, so no order of calls replaces a key. */
	len = ta_key_record_encode(key, ta_state_identity()->tag, record);
	result = TEE_CreatePersistentObject(TEE_STORAGE_PRIVATE, object.bytes, sizeof(object.bytes),
					    TEE_DATA_FLAG_ACCESS_READ, TEE_HANDLE_NULL, record, len,
					    &handle);
	ta_wipe(record, sizeof(record));
	if (result == TEE_SUCCESS) {
		key_objects = visit.count + 1;
		TEE_CloseObject(handle);
	} else if (result != TEE_ERROR_ACCESS_CONFLICT) {
		/* It may have come to be all the same. */
		key_objects = TA_KEYSTORE_COUNT_UNKNOWN;
	}
	return result;
}

TEE_Result ta_keystore_replace(const struct ta_key *key)
{
	const struct object_id object = object_of(&key->id);
	const struct ta_storage_id id = storage_id(&object);
	struct slot *slot = cached(&object);
	uint8_t record[TA_KEY_RECORD_MAX] = { 0 };
	TEE_Result result = TEE_SUCCESS;

	if (!slot || !ta_state_identity())
		return TEE_ERROR_BAD_STATE;
	result = ta_storage_write(&id, record,
				  ta_key_record_encode(key, ta_state_identity()->tag, record));
	ta_wipe(record, sizeof(record));
	if (result == TEE_SUCCESS)
		slot->key = *key;
	/* It may be the old one or the new one: the next use is to look. */
	else
		ta_wipe(slot, sizeof(*slot));
	return result;
}

static TEE_Result delete_object(const struct object_id *object)
{
	const struct ta_storage_id id = storage_id(object);

	return ta_storage_delete(&id);
}

/* known: the instance has met the key; that it is not there was not counted then. */
static void count_deletion(TEE_Result result, bool known)
{
	if (result == TEE_ERROR_ITEM_NOT_FOUND && !known)
		return;
	if (result == TEE_SUCCESS && key_objects && key_objects != TA_KEYSTORE_COUNT_UNKNOWN)
		key_objects--;
	else
		key_objects = TA_KEYSTORE_COUNT_UNKNOWN;
}

TEE_Result ta_keystore_delete(const struct ta_key_id *id)
{
	const struct object_id object = object_of(id);
	struct tombstone *stone = buried(&object);
	bool damaged = stone != NULL;
	TEE_Result result = delete_object(&object);

	count_deletion(result, damaged || cached(&object));
	/* Where opening it has deleted it, there is nothing there the second time. */
	if (result == TEE_ERROR_CORRUPT_OBJECT) {
		damaged = true;
		result = delete_object(&object);
	}
	if (damaged && result == TEE_ERROR_ITEM_NOT_FOUND)
		result = TEE_SUCCESS;
	if (stone && result == TEE_SUCCESS)
		ta_wipe(stone, sizeof(*stone));
	else if (damaged && result != TEE_SUCCESS)
		bury(&object, id);
	/* Whatever became of the object, the next use is to ask the storage. */
	ta_keystore_forget(id);
	return result;
}
