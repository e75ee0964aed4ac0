/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Prometheus' text format, to the octet.
 */
#include "forwarder/server/metrics_text.h"

#include <check.h>
#include <event2/buffer.h>
#include <math.h>

#include "forwarder/histogram.h"
#include "test/suite.h"

static struct evbuffer *out;
static struct metrics_text text;

static void set_up(void)
{
    out = evbuffer_new();
    ck_assert_ptr_nonnull(out);
    metrics_text_init(&text, out);
}

static void tear_down(void)
{
    evbuffer_free(out);
}

static void expect(const char *expected)
{
    ck_assert(text.whole);
    ck_assert_int_eq(evbuffer_add(out, "", 1), 0);
    ck_assert_str_eq((const char *)evbuffer_pullup(out, -1), expected);
}

START_TEST(a_family_has_help_type_and_samples)
{
    metrics_text_family(&text, METRICS_COUNTER, "a_total", "What it is.");
    metrics_text_count(&text, NULL, UINT64_MAX);
    metrics_text_family(&text, METRICS_GAUGE, "b", "Else.");
    metrics_text_real(&text, METRICS_LABELS({"c", "d"}), 0.25);
    metrics_text_real(&text, METRICS_LABELS({"c", "e"}, {"f", "g"}), 1766361600);
    expect("# HELP a_total What it is.\n# TYPE a_total counter\na_total 18446744073709551615\n"
           "# HELP b Else.\n# TYPE b gauge\nb{c=\"d\"} 0.25\nb{c=\"e\",f=\"g\"} 1766361600\n");
}
END_TEST

static const struct {
    const char *value;
    const char *shown;
} escapes[] = {
    {"", "a{b=\"\"} 1\n"},
    {"plain-1.2_3", "a{b=\"plain-1.2_3\"} 1\n"},
    {"\"", "a{b=\"\\\"\"} 1\n"},
    {"a\\b", "a{b=\"a\\\\b\"} 1\n"},
    {"a\nb\n", "a{b=\"a\\nb\\n\"} 1\n"},
    {"\\\"\n", "a{b=\"\\\\\\\"\\n\"} 1\n"},
    {"\"} 1\na 2", "a{b=\"\\\"} 1\\na 2\"} 1\n"},
    {"[2001:db8::1]:53", "a{b=\"[2001:db8::1]:53\"} 1\n"},
    {"caf\xc3\xa9", "a{b=\"caf\xc3\xa9\"} 1\n"},
};

START_TEST(values_of_labels_are_escaped)
{
    text.family = "a";
    metrics_text_count(&text, METRICS_LABELS({"b", escapes[_i].value}), 1);
    expect(escapes[_i].shown);
}
END_TEST

START_TEST(help_is_escaped_but_for_quotes)
{
    metrics_text_family(&text, METRICS_GAUGE, "a", "\"b\"\n\\");
    expect("# HELP a \"b\"\\n\\\\\n# TYPE a gauge\n");
}
END_TEST

START_TEST(no_number_breaks_the_line)
{
    text.family = "a";
    metrics_text_real(&text, NULL, INFINITY);
    metrics_text_real(&text, NULL, -INFINITY);
    metrics_text_real(&text, NULL, NAN);
    metrics_text_real(&text, NULL, -1e300);
    expect("a +Inf\na -Inf\na NaN\na -1e+300\n");
}
END_TEST

START_TEST(buckets_of_a_histogram_add_up)
{
    struct histogram_sum sum = {.sum_us = 10000000};
    sum.bucket[0] = 1;  /* below the first that is shown: in it */
    sum.bucket[1] = 2;  /* less than 4 us */
    sum.bucket[3] = 4;  /* less than 16 us */
    sum.bucket[20] = 8; /* above the last: in +Inf alone */
    metrics_text_family(&text, METRICS_HISTOGRAM, "a", "b");
    metrics_text_histogram(&text, METRICS_LABELS({"c", "d"}), &sum, (struct metrics_range){2, 4});
    expect("# HELP a b\n# TYPE a histogram\n"
           "a_bucket{c=\"d\",le=\"4e-06\"} 3\n"
           "a_bucket{c=\"d\",le=\"8e-06\"} 3\n"
           "a_bucket{c=\"d\",le=\"1.6e-05\"} 7\n"
           "a_bucket{c=\"d\",le=\"+Inf\"} 15\n"
           "a_sum{c=\"d\"} 10\n"
           "a_count{c=\"d\"} 15\n");
}
END_TEST

/* A buffer that takes no more is one that is out of memory. */
START_TEST(what_could_not_be_written_is_known)
{
    ck_assert_int_eq(evbuffer_freeze(out, 0), 0);
    metrics_text_family(&text, METRICS_GAUGE, "a", "b");
    ck_assert(!text.whole);
    ck_assert_int_eq(evbuffer_unfreeze(out, 0), 0);
    metrics_text_count(&text, NULL, 1);
    ck_assert(!text.whole);
    ck_assert_uint_eq(evbuffer_get_length(out), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("metrics_text");
    TCase *tcase = tcase_create("metrics_text");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_family_has_help_type_and_samples);
    tcase_add_loop_test(tcase, values_of_labels_are_escaped, 0, sizeof escapes / sizeof escapes[0]);
    tcase_add_test(tcase, help_is_escaped_but_for_quotes);
    tcase_add_test(tcase, no_number_breaks_the_line);
    tcase_add_test(tcase, buckets_of_a_histogram_add_up);
    tcase_add_test(tcase, what_could_not_be_written_is_known);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
