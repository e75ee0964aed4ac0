/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Connection IDs tell their worker, whatever was drawn.
 */
#include "forwarder/quic/quic_id.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *label;
    unsigned workers;
} counts[] = {
    {"one worker", 1}, {"two", 2}, {"three", 3}, {"256", 256}, {"1000", 1000}, {"all", 65536},
};

START_TEST(every_draw_names_its_worker)
{
    unsigned workers = counts[_i].workers;
    unsigned of[] = {0, workers / 2, workers - 1};
    for (size_t at = 0; at < sizeof(of) / sizeof(of[0]); at++) {
        for (unsigned drawn = 0; drawn < 65536; drawn++) {
            uint8_t id[QUIC_ID_SIZE] = {(uint8_t)(drawn >> 8), (uint8_t)drawn};
            quic_id_mark(id, of[at], workers);
            ck_assert_msg(quic_id_worker(id, workers) == of[at], "%s: %u", counts[_i].label, drawn);
        }
    }
}
END_TEST

/* What is not the worker's number stays random. */
START_TEST(the_rest_is_left_alone)
{
    uint8_t id[QUIC_ID_SIZE];
    uint8_t before[QUIC_ID_SIZE];
    memset(before, 0xA5, sizeof(before));
    memcpy(id, before, sizeof(id));
    quic_id_mark(id, 1, 4);
    ck_assert_mem_eq(id + 2, before + 2, sizeof(id) - 2);
    ck_assert_uint_eq(id[0], 0xA5);
    ck_assert_uint_eq(id[1] / 4, 0xA5 / 4);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("quic_id");
    TCase *tcase = tcase_create("quic_id");
    tcase_add_loop_test(tcase, every_draw_names_its_worker, 0, sizeof(counts) / sizeof(counts[0]));
    tcase_add_test(tcase, the_rest_is_left_alone);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
