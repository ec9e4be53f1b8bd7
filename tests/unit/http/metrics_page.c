/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics_page.h"

#include <stdlib.h>
#include <string.h>

struct metrics *metrics;
static struct sr_buf page;

int metrics_setup(void **state)
{
	struct sr_error err = { .code = SR_OK };

	(void)state;
	return metrics_create(&metrics, &err) ? 0 : -1;
}

int metrics_teardown(void **state)
{
	(void)state;
	metrics_destroy(metrics);
	sr_buf_free(&page);
	return 0;
}

const char *read_page(void)
{
	sr_buf_clear(&page);
	metrics_write(metrics, &page);
	assert_non_null(sr_buf_cstr(&page));
	return sr_buf_cstr(&page);
}

static const char *find_value(const char *series)
{
	const char *at = read_page();
	size_t len = strlen(series);

	while (at) {
		if (strncmp(at, series, len) == 0 && at[len] == ' ')
			return at + len + 1;
		at = strchr(at, '\n');
		at += at ? 1 : 0;
	}
	return NULL;
}

bool has_series(const char *series)
{
	return find_value(series) != NULL;
}

double value_of(const char *series)
{
	const char *value = find_value(series);

	if (!value)
		fail_msg("there is no series %s", series);
	return strtod(value, NULL);
}

void assert_value(const char *series, double expected)
{
	double value = value_of(series);

	if (value < expected || value > expected)
		fail_msg("%s: expected %.9g, got %.9g", series, expected, value);
}
