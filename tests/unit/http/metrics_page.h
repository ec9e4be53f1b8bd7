/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics under test, and the values on their page. */
#ifndef SR_METRICS_PAGE_H
#define SR_METRICS_PAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/http.h"

extern struct metrics *metrics;

/* cmocka's fixture: new metrics for each test. */
int metrics_setup(void **state);
int metrics_teardown(void **state);

/* The page as it is now; valid until the next call. */
const char *read_page(void);
/* Whether there is a line that begins with this series and a space. */
bool has_series(const char *series);
/* That line's value. */
double value_of(const char *series);
void assert_value(const char *series, double expected);

#endif
