/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Histograms: each duration into its bucket, sums over several.
 */
#include "forwarder/histogram.h"

#include <check.h>

#include "test/suite.h"

static const struct {
    uint32_t us;
    unsigned bucket;
} durations[] = {
    {0, 0},     {1, 0},        {2, 1},        {3, 1},        {4, 2},           {1023, 9},
    {1024, 10}, {1000000, 19}, {8388607, 22}, {8388608, 23}, {UINT32_MAX, 31},
};

START_TEST(a_duration_is_below_the_end_of_its_bucket)
{
    ck_assert_uint_eq(histogram_index(durations[_i].us), durations[_i].bucket);
}
END_TEST

START_TEST(histograms_are_summed)
{
    static struct histogram one, two;
    struct histogram_sum sum = {0};
    histogram_add(&one, 5, 3);
    histogram_add(&one, UINT32_MAX, 2);
    histogram_add(&two, 5, 1);
    histogram_add(&two, 100, 0);
    histogram_read(&one, &sum);
    histogram_read(&two, &sum);
    ck_assert_uint_eq(sum.bucket[2], 4);
    ck_assert_uint_eq(sum.bucket[HISTOGRAM_BUCKETS - 1], 2);
    ck_assert_uint_eq(sum.bucket[7], 0);
    ck_assert_uint_eq(histogram_count(&sum), 6);
    ck_assert_uint_eq(sum.sum_us, 4 * 5 + 2 * (uint64_t)UINT32_MAX);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("histogram");
    TCase *tcase = tcase_create("histogram");
    tcase_add_loop_test(tcase, a_duration_is_below_the_end_of_its_bucket, 0,
                        sizeof durations / sizeof durations[0]);
    tcase_add_test(tcase, histograms_are_summed);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
