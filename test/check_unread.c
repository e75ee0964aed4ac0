/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * forwarder/unread: who reads, and who has left too much for too long.
 */
#include "forwarder/unread.h"

#include <check.h>

#include "test/suite.h"

#define LIMIT 8000U

/* A client's time, from its beginning to its end. */
static const struct {
    const char *label;
    size_t beyond;
    size_t before; /* octets unread at the beginning */
    size_t after;  /* and at the end */
    size_t read;   /* meanwhile */
    bool over;
    bool reads;
} TIMES[] = {
    {"nothing to read", 0, 0, 0, 0, false, false},
    {"all is read", 0, 0, 0, 500, false, false},
    {"an octet is enough below the limit", 0, 100, 99, 1, false, true},
    {"none is not", 0, 100, 100, 0, false, false},
    {"none is not, nor with more that came", 0, 100, LIMIT + 100, 0, false, false},
    {"the limit itself", 0, LIMIT, LIMIT - 1, 1, false, true},
    {"over it, an octet is not enough", 0, LIMIT + 2, LIMIT + 1, 1, true, false},
    {"nor almost an eighth", 0, LIMIT + LIMIT, LIMIT + 1, LIMIT / 8 - 1, true, false},
    {"an eighth is", 0, LIMIT + LIMIT, LIMIT + LIMIT, LIMIT / 8, true, true},
    {"or to come below the limit", 0, LIMIT + 1, LIMIT, 1, true, true},
    {"what may be unread beyond", 500, LIMIT + 500, LIMIT + 499, 1, false, true},
    {"over that, the eighth is the limit's", 500, LIMIT + 501, LIMIT + 501, LIMIT / 8, true, true},
    {"over that, and too little", 500, LIMIT + 501, LIMIT + 501, LIMIT / 8 - 1, true, false},
};

START_TEST(a_time_is_judged_at_its_end)
{
    struct unread_limit limit = {LIMIT, TIMES[_i].beyond};
    struct unread unread = {.read = 70};
    ck_assert(unread_begin(&unread, TIMES[_i].before, &limit));
    ck_assert_msg(unread.over == TIMES[_i].over, "%s", TIMES[_i].label);
    unread.read += TIMES[_i].read;
    ck_assert_msg(unread_reads(&unread, TIMES[_i].after, &limit) == TIMES[_i].reads, "%s",
                  TIMES[_i].label);
}
END_TEST

START_TEST(over_the_limit_time_runs_on)
{
    struct unread_limit limit = {LIMIT, 0};
    struct unread unread = {0};
    ck_assert(unread_begin(&unread, LIMIT, &limit));
    ck_assert(unread_begin(&unread, LIMIT + 1, &limit)); /* from here on */
    unread.read += LIMIT / 8 - 1;
    ck_assert(!unread_begin(&unread, LIMIT + 1, &limit));
    ck_assert(!unread_reads(&unread, LIMIT + 1, &limit));
    unread.read++;
    ck_assert(!unread_begin(&unread, LIMIT + 1, &limit));
    ck_assert(unread_reads(&unread, LIMIT + 1, &limit));
    unread_renew(&unread, LIMIT + 1, &limit);
    ck_assert(unread.over);
    ck_assert(!unread_reads(&unread, LIMIT + 1, &limit)); /* of the new time nothing yet */
    ck_assert(unread_begin(&unread, LIMIT, &limit));
    ck_assert(!unread.over);
}
END_TEST

START_TEST(who_is_over_has_less_time)
{
    ck_assert_uint_eq(unread_time_ms(UNREAD_MS + 1), UNREAD_MS);
    ck_assert_uint_eq(unread_time_ms(UNREAD_MS - 1), UNREAD_MS - 1);
}
END_TEST

START_TEST(amounts)
{
    ck_assert(!unread_is_too_much(0, LIMIT * UNREAD_TIMES + 1, LIMIT)); /* a single one may wait */
    ck_assert(!unread_is_too_much(1, LIMIT * UNREAD_TIMES - 1, LIMIT));
    ck_assert(unread_is_too_much(1, LIMIT * UNREAD_TIMES, LIMIT));
    ck_assert(!unread_is_much(LIMIT / 4 - 1, LIMIT));
    ck_assert(unread_is_much(LIMIT / 4, LIMIT));
}
END_TEST

/* A part of a limit that cannot be divided by it is not rounded down. */
START_TEST(any_limit_is_exact)
{
    for (unsigned more = 1; more < UNREAD_MUCH; more++) {
        ck_assert(!unread_is_much(LIMIT / 4, LIMIT + more));
        ck_assert(unread_is_much(LIMIT / 4 + 1, LIMIT + more));
    }
    for (unsigned more = 1; more < UNREAD_PART; more++) {
        struct unread_limit limit = {LIMIT + more, 0};
        struct unread unread = {0};
        ck_assert(unread_begin(&unread, 2 * LIMIT, &limit));
        unread.read = LIMIT / UNREAD_PART;
        ck_assert(!unread_reads(&unread, 2 * LIMIT, &limit));
        unread.read++;
        ck_assert(unread_reads(&unread, 2 * LIMIT, &limit));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("unread");
    TCase *tcase = tcase_create("unread");
    tcase_add_loop_test(tcase, a_time_is_judged_at_its_end, 0, sizeof TIMES / sizeof TIMES[0]);
    tcase_add_test(tcase, over_the_limit_time_runs_on);
    tcase_add_test(tcase, who_is_over_has_less_time);
    tcase_add_test(tcase, amounts);
    tcase_add_test(tcase, any_limit_is_exact);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
