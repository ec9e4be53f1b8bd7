/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base.h"

#include <time.h>

static uint64_t read_clock(clockid_t clock)
{
	struct timespec ts = { 0 };

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t sr_time_monotonic_ns(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t sr_time_unix_s(void)
{
	return read_clock(CLOCK_REALTIME) / 1000000000u;
}

uint64_t sr_time_unix_ms(void)
{
	return read_clock(CLOCK_REALTIME) / 1000000u;
}
