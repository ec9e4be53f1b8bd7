/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that block their caller: what they all have in common. */
#include <stdlib.h>

#include "kms/kms_private.h"

/* Enough for each answer but a list's, and for some records behind it. */
#define ADMIN_RESPONSE_SIZE 2048

struct kms_admin *kms_admin_new(uint32_t command, bool repeatable, const char *id,
				struct sr_error *err)
{
	struct kms_admin *a = NULL;

	if (id && !kms_key_id_check(id, err))
		return NULL;
	a = calloc(1, sizeof(*a));
	if (!a) {
		sr_fail(err, SR_E_NO_MEMORY, "out of memory for a TA call");
		return NULL;
	}
	a->call = (struct kms_call){ .command = command,
				     .repeatable = repeatable,
				     .key_id = id,
				     .items = 1,
				     .request = { .data = a->request, .size = sizeof(a->request) },
				     .response = a->response,
				     .response_size = ADMIN_RESPONSE_SIZE };
	kms_call_begin(&a->call);
	return a;
}

void kms_admin_free(struct kms_admin *a)
{
	if (!a)
		return;
	sr_wipe(a, sizeof(*a));
	free(a);
}

bool kms_admin_call(struct kms *kms, struct kms_admin *a, struct sr_error *err)
{
	if (!kms_record_call(&kms->recorder, &a->call, err) ||
	    !kms_record_sync(&kms->recorder, err))
		return false;
	/* the version was compared when the answer came */
	a->answer =
		(struct kms_reader){ .data = a->response, .len = a->call.response_len, .at = 1 };
	return true;
}

bool kms_admin_done(struct kms_admin *a, struct sr_error *err)
{
	if (kms_reader_done(&a->answer))
		return true;
	return sr_fail(err, SR_E_CORRUPT, "the TA's answer to command %u is malformed",
		       (unsigned)a->call.command);
}

bool kms_admin_finish_key(struct kms *kms, struct kms_admin *a, struct kms_key *out,
			  struct sr_error *err)
{
	bool ok = kms_admin_call(kms, a, err);

	if (ok) {
		kms_get_key_info(&a->answer, out);
		ok = kms_admin_done(a, err);
	}
	kms_admin_free(a);
	return ok;
}

bool kms_admin_finish(struct kms *kms, struct kms_admin *a, struct sr_error *err)
{
	bool ok = kms_admin_call(kms, a, err) && kms_admin_done(a, err);

	kms_admin_free(a);
	return ok;
}
