/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base.h"

#include <stdio.h>
#include <string.h>

bool(sr_fail)(struct sr_error *err, enum sr_code code, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return false;
	err->code = code;
	va_start(ap, fmt);
	vsnprintf(err->message, sizeof(err->message), fmt, ap);
	va_end(ap);
	return false;
}

bool(sr_fail_in)(struct sr_error *err, const char *fmt, ...)
{
	char whole[2 * SR_ERROR_MESSAGE_MAX] = { 0 };
	va_list ap;
	int n = 0;

	if (!err)
		return false;
	va_start(ap, fmt);
	n = vsnprintf(whole, SR_ERROR_MESSAGE_MAX, fmt, ap);
	va_end(ap);
	if (n < 0)
		return false;
	n = (int)strlen(whole);
	snprintf(whole + n, sizeof(whole) - (size_t)n, ": %s", err->message);
	whole[SR_ERROR_MESSAGE_MAX - 1] = '\0';
	memcpy(err->message, whole, SR_ERROR_MESSAGE_MAX);
	return false;
}

const char *sr_code_name(enum sr_code code)
{
	static const char *const names[] = {
		[SR_OK] = "ok",
		[SR_E_INVALID] = "invalid",
		[SR_E_NOT_FOUND] = "not_found",
		[SR_E_EXISTS] = "exists",
		[SR_E_DENIED] = "denied",
		[SR_E_LIMIT] = "limit",
		[SR_E_BUSY] = "busy",
		[SR_E_TIMEOUT] = "timeout",
		[SR_E_UNAVAILABLE] = "unavailable",
		[SR_E_CORRUPT] = "corrupt",
		[SR_E_NO_MEMORY] = "no_memory",
		[SR_E_INTERNAL] = "internal",
	};

	if ((size_t)code >= SR_ARRAY_LEN(names) || !names[code])
		return "unknown";
	return names[code];
}
