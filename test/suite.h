/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What every unit test ends with, and counts its tables by.
 */
#pragma once

#include <check.h>
#include <stdlib.h>

#define ROWS(table) (sizeof(table) / sizeof *(table))

/* Runs a suite, which is freed, as CK_VERBOSITY wants it told. Returns the exit status of main. */
static inline int suite_run(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
