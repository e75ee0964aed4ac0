/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Connection IDs tell their worker, whatever was drawn.
 */
#include "forwarder/quic/quic_id.h"

#include <check.h>
#include <string.h>

#include "test/suite.h"

START_TEST(every_draw_names_its_worker)
{
    static const unsigned of[] = {0, 1, 2, 255, 256, 700, QUIC_ID_WORKERS_MAX - 1};
    for (unsigned drawn = 0; drawn < 65536; drawn++) {
        uint8_t id[QUIC_ID_SIZE] = {(uint8_t)(drawn >> 8), (uint8_t)drawn};
        quic_id_mark(id, of[_i]);
        ck_assert_msg(quic_id_worker(id) == of[_i], "%u: %u", of[_i], drawn);
    }
}
END_TEST

/* What is not the worker's number stays random. */
START_TEST(the_rest_is_left_alone)
{
    uint8_t id[QUIC_ID_SIZE];
    uint8_t before[QUIC_ID_SIZE];
    memset(before, 0xA5, sizeof before);
    memcpy(id, before, sizeof id);
    quic_id_mark(id, 1);
    ck_assert_mem_eq(id + 2, before + 2, sizeof id - 2);
    ck_assert_uint_eq(id[0] / 4, 0xA5 / 4);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("quic_id");
    TCase *tcase = tcase_create("quic_id");
    tcase_add_loop_test(tcase, every_draw_names_its_worker, 0, 7);
    tcase_add_test(tcase, the_rest_is_left_alone);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
