/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Random numbers: within their bounds, spread over them, and not repeated from one block to the
 * next.
 */
#include "forwarder/random_pool.h"

#include <check.h>
#include <stdbool.h>
#include <string.h>

#include "test/suite.h"

START_TEST(every_value_below_a_bound_comes_about_as_often)
{
    static const uint32_t bounds[] = {1, 2, 3, 8, 1000};
    struct random_pool pool;
    random_pool_init(&pool);
    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
        uint32_t counts[1000] = {0};
        uint32_t draws = bounds[i] * 1000;
        for (uint32_t n = 0; n < draws; n++) {
            uint32_t value = random_pool_below(&pool, bounds[i]);
            if (value >= bounds[i]) { /* Check writes down each assertion that it passes */
                ck_abort_msg("%u is not below %u", value, bounds[i]);
            }
            counts[value]++;
        }
        for (uint32_t value = 0; value < bounds[i]; value++) {
            /* 1000 expected; seven standard deviations are 221 */
            ck_assert_msg(counts[value] > 779 && counts[value] < 1221, "%u of %u came %u times",
                          value, bounds[i], counts[value]);
        }
    }
}
END_TEST

START_TEST(the_whole_range_is_used)
{
    static uint8_t seen[65536];
    struct random_pool pool;
    unsigned distinct = 0;
    random_pool_init(&pool);
    for (unsigned n = 0; n < 65536 * 8; n++) {
        uint16_t value = random_pool_u16(&pool);
        distinct += seen[value] == 0 ? 1 : 0;
        seen[value] = 1;
    }
    ck_assert_uint_gt(distinct, 65536 - 100); /* about 22 are expected to be missing */
}
END_TEST

START_TEST(two_blocks_differ)
{
    struct random_pool pool;
    uint16_t first[RANDOM_POOL_BYTES / 2];
    bool same = true;
    random_pool_init(&pool);
    for (size_t i = 0; i < RANDOM_POOL_BYTES / 2; i++) {
        first[i] = random_pool_u16(&pool);
    }
    for (size_t i = 0; i < RANDOM_POOL_BYTES / 2; i++) {
        same = random_pool_u16(&pool) == first[i] && same;
    }
    ck_assert(!same);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("random_pool");
    TCase *tcase = tcase_create("random_pool");
    tcase_add_test(tcase, every_value_below_a_bound_comes_about_as_often);
    tcase_add_test(tcase, the_whole_range_is_used);
    tcase_add_test(tcase, two_blocks_differ);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
