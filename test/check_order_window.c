/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Windows by the clocks of Rome: on 2026-03-29 they skip from 02:00 to 03:00 (01:00Z), on
 * 2026-10-25 they show 02:00 to 03:00 twice (until 01:00Z). 2026-06-05 is a Friday.
 */
#include "policy/order_window.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "policy/instant.h"
#include "policy/instant_offsets.h"
#include "policy/order.h"
#include "test/suite.h"

#define WINDOWS_MAX 8

enum {
    MON = 1,
    TUE = 2,
    WED = 4,
    THU = 8,
    FRI = 16,
    SAT = 32,
    SUN = 64,
    ALL = 127
};

#define AT(hour, minute) ((hour)*3600U + (minute)*60U)
#define EVENING                              \
    {                                        \
        {                                    \
            SAT | SUN, AT(18, 0), AT(23, 30) \
        }                                    \
    }
#define NIGHT                        \
    {                                \
        {                            \
            FRI, AT(22, 0), AT(4, 0) \
        }                            \
    }

struct window_row {
    const char *label;
    struct order_window windows[WINDOWS_MAX]; /* until one without days */
    const char *instant;
    bool open;
    const char *until; /* "" is for good */
};

static const struct window_row rows[] = {
    {"before the evening", EVENING, "2026-06-06T15:59:59Z", false, "2026-06-06T16:00:00Z"},
    {"it begins", EVENING, "2026-06-06T16:00:00Z", true, "2026-06-06T21:30:00Z"},
    {"its last second", EVENING, "2026-06-06T21:29:59Z", true, "2026-06-06T21:30:00Z"},
    {"it ends", EVENING, "2026-06-06T21:30:00Z", false, "2026-06-07T16:00:00Z"},
    {"the same time of another day", EVENING, "2026-06-05T17:00:00Z", false,
     "2026-06-06T16:00:00Z"},
    {"the days between", EVENING, "2026-06-07T21:30:00Z", false, "2026-06-13T16:00:00Z"},
    {"in winter", EVENING, "2026-12-05T16:59:59Z", false, "2026-12-05T17:00:00Z"},
    {"in winter, within", EVENING, "2026-12-05T17:00:00Z", true, "2026-12-05T22:30:00Z"},
    {"winter comes before it opens", EVENING, "2026-10-25T00:00:00Z", false,
     "2026-10-25T17:00:00Z"},
    {"before 1970", EVENING, "1969-12-27T17:00:00Z", true, "1969-12-27T22:30:00Z"},

    {"over midnight, before it", NIGHT, "2026-06-05T20:00:00Z", true, "2026-06-06T02:00:00Z"},
    {"over midnight, after it", NIGHT, "2026-06-06T01:59:59Z", true, "2026-06-06T02:00:00Z"},
    {"over midnight, over", NIGHT, "2026-06-06T02:00:00Z", false, "2026-06-12T20:00:00Z"},
    {"the night before is another day's", NIGHT, "2026-06-05T01:00:00Z", false,
     "2026-06-05T20:00:00Z"},
    {"the night after begins on Saturday", NIGHT, "2026-06-06T20:00:00Z", false,
     "2026-06-12T20:00:00Z"},
    {"from Sunday into Monday",
     {{SUN, AT(23, 0), AT(1, 0)}},
     "2026-06-07T22:30:00Z",
     true,
     "2026-06-07T23:00:00Z"},

    {"to 24:00",
     {{SAT, AT(18, 0), AT(24, 0)}},
     "2026-06-06T21:59:59Z",
     true,
     "2026-06-06T22:00:00Z"},
    {"to 24:00, the day after",
     {{SAT, AT(18, 0), AT(24, 0)}},
     "2026-06-06T22:00:00Z",
     false,
     "2026-06-13T16:00:00Z"},
    {"to 00:00 is the same",
     {{SAT, AT(18, 0), 0}},
     "2026-06-06T22:00:00Z",
     false,
     "2026-06-13T16:00:00Z"},
    {"a whole day", {{SAT, 0, AT(24, 0)}}, "2026-06-05T22:00:00Z", true, "2026-06-06T22:00:00Z"},
    {"from and to alike: a day from then",
     {{SAT, AT(18, 0), AT(18, 0)}},
     "2026-06-07T15:59:59Z",
     true,
     "2026-06-07T16:00:00Z"},
    {"one after the other",
     {{SAT, AT(18, 0), AT(24, 0)}, {SUN, 0, AT(6, 0)}},
     "2026-06-06T16:00:00Z",
     true,
     "2026-06-07T04:00:00Z"},
    {"one into the other",
     {{SAT, AT(18, 0), AT(21, 0)}, {SAT, AT(20, 0), AT(23, 0)}, {SAT, AT(19, 0), AT(20, 0)}},
     "2026-06-06T16:00:00Z",
     true,
     "2026-06-06T21:00:00Z"},
    {"always", {{ALL, 0, AT(24, 0)}}, "2026-06-06T16:00:00Z", true, ""},
    {"always, while clocks change", {{ALL, 0, AT(24, 0)}}, "2026-10-24T16:00:00Z", true, ""},
    {"always, from hour to hour",
     {{ALL, 0, AT(12, 0)}, {ALL, AT(12, 0), 0}},
     "2026-06-06T16:00:00Z",
     true,
     ""},

    {"the hour left out lies within",
     {{SUN, AT(1, 0), AT(4, 0)}},
     "2026-03-29T00:00:00Z",
     true,
     "2026-03-29T02:00:00Z"},
    {"it begins in the hour left out",
     {{SUN, AT(2, 30), AT(4, 0)}},
     "2026-03-29T00:59:59Z",
     false,
     "2026-03-29T01:00:00Z"},
    {"and is open at once",
     {{SUN, AT(2, 30), AT(4, 0)}},
     "2026-03-29T01:00:00Z",
     true,
     "2026-03-29T02:00:00Z"},
    {"it ends in the hour left out",
     {{SUN, AT(1, 0), AT(2, 30)}},
     "2026-03-29T00:30:00Z",
     true,
     "2026-03-29T01:00:00Z"},
    {"it is the hour left out",
     {{SUN, AT(2, 10), AT(2, 50)}},
     "2026-03-28T12:00:00Z",
     false,
     "2026-04-05T00:10:00Z"},
    {"the night of the hour left out",
     {{SAT, AT(22, 0), AT(4, 0)}},
     "2026-03-28T21:00:00Z",
     true,
     "2026-03-29T02:00:00Z"},

    {"the hour shown twice lies within",
     {{SUN, AT(1, 0), AT(4, 0)}},
     "2026-10-24T23:00:00Z",
     true,
     "2026-10-25T03:00:00Z"},
    {"it ends in that hour, first",
     {{SUN, AT(1, 0), AT(2, 30)}},
     "2026-10-25T00:29:59Z",
     true,
     "2026-10-25T00:30:00Z"},
    {"between, until the clocks go back",
     {{SUN, AT(1, 0), AT(2, 30)}},
     "2026-10-25T00:30:00Z",
     false,
     "2026-10-25T01:00:00Z"},
    {"the clocks show it again",
     {{SUN, AT(1, 0), AT(2, 30)}},
     "2026-10-25T01:00:00Z",
     true,
     "2026-10-25T01:30:00Z"},
    {"it begins in that hour, first",
     {{SUN, AT(2, 30), AT(4, 0)}},
     "2026-10-25T00:30:00Z",
     true,
     "2026-10-25T01:00:00Z"},
    {"and again",
     {{SUN, AT(2, 30), AT(4, 0)}},
     "2026-10-25T01:00:00Z",
     false,
     "2026-10-25T01:30:00Z"},
    {"it is that hour",
     {{SUN, AT(2, 0), AT(3, 0)}},
     "2026-10-25T00:00:00Z",
     true,
     "2026-10-25T02:00:00Z"},
};

static int64_t instant_of(const char *text)
{
    int64_t instant = ORDER_FOR_GOOD;
    ck_assert_msg(*text == '\0' || instant_parse(text, strlen(text), &instant), "%s", text);
    return instant;
}

static struct order *order_in_rome(const struct order_window *windows)
{
    char why[WHY_MAX];
    struct order *order = order_new();
    struct instant_zone *rome = instant_zone_open("Europe/Rome", why);
    ck_assert_msg(rome != NULL, "%s", why);
    order->offsets = instant_offsets_new(rome);
    instant_zone_close(rome);
    order->windows = calloc(WINDOWS_MAX, sizeof *order->windows);
    while (order->window_count < WINDOWS_MAX && windows[order->window_count].days != 0) {
        order->windows[order->window_count] = windows[order->window_count];
        order->window_count++;
    }
    return order;
}

START_TEST(opens_and_closes_by_the_clocks)
{
    const struct window_row *row = &rows[_i];
    struct order *order = order_in_rome(row->windows);
    int64_t instant = instant_of(row->instant);
    int64_t until = order_window_until(order, instant);
    char text[INSTANT_TEXT_MAX];
    ck_assert_msg(order_window_open(order, instant) == row->open, "%s", row->label);
    ck_assert_msg(until == instant_of(row->until), "%s: until %s", row->label,
                  instant_format(until, text));
    order_unref(order);
}
END_TEST

START_TEST(without_windows_it_is_always_open)
{
    struct order *order = order_new();
    ck_assert(order_window_open(order, 0));
    ck_assert(order_window_until(order, 0) == ORDER_FOR_GOOD);
    order_unref(order);
}
END_TEST

/* What is said of an instant holds until the next change, minute by minute, over both changes of
 * the clocks. */
START_TEST(nothing_changes_before_it_is_said_to)
{
    static const struct order_window windows[WINDOWS_MAX] = {
        {SAT | SUN, AT(1, 30), AT(2, 30)}, {SUN, AT(2, 45), AT(3, 15)}, {SAT, AT(23, 0), AT(0, 7)}};
    static const char *const starts[] = {"2026-03-27T00:00:00Z", "2026-10-23T00:00:00Z"};
    struct order *order = order_in_rome(windows);
    for (size_t i = 0; i < ROWS(starts); i++) {
        int64_t start = instant_of(starts[i]);
        int64_t until = start;
        bool open = !order_window_open(order, start);
        for (int64_t at = start; at < start + 5 * 86400; at += 60) {
            if (at == until) {
                open = !open;
                until = order_window_until(order, at);
            }
            if (order_window_open(order, at) != open || order_window_until(order, at) != until) {
                ck_abort_msg("%s + %lld", starts[i], (long long)(at - start));
            }
        }
    }
    order_unref(order);
}
END_TEST

/* The same by going from minute to minute: the naive model. */
static int64_t until_by_minutes(const struct order *order, int64_t instant)
{
    bool open = order_window_open(order, instant);
    for (int64_t at = instant - instant % 60 + 60; at <= instant + 15 * 86400; at += 60) {
        if (order_window_open(order, at) != open) {
            return at;
        }
    }
    return ORDER_FOR_GOOD;
}

/* As many windows as an order may have, by chance, and such as leave no minute out: 64 hours that
 * follow each other, each day. */
START_TEST(many_windows_are_as_minute_by_minute)
{
    static const char *const instants[] = {"2026-03-20T11:22:33Z", "2026-06-05T00:00:59Z",
                                           "2026-10-24T22:00:00Z"};
    struct order_window windows[ORDER_WINDOWS_MAX];
    struct order *order = order_in_rome((const struct order_window[WINDOWS_MAX]){{0}});
    free(order->windows);
    order->windows = windows;
    order->window_count = ORDER_WINDOWS_MAX;
    srandom(20260605);
    for (unsigned round = 0; round < 12; round++) {
        for (unsigned i = 0; i < ORDER_WINDOWS_MAX; i++) {
            unsigned from = round == 0 ? AT(i % 24, 0) : (unsigned)random() % 1440 * 60;
            unsigned length = round == 0 ? 3600 : (unsigned)random() % (3 + round * 20) * 60 + 60;
            unsigned days = round == 0 ? ALL : 1U << random() % 7;
            windows[i] = (struct order_window){(uint8_t)days, from, (from + length) % 86400};
        }
        for (size_t i = 0; i < ROWS(instants); i++) {
            int64_t instant = instant_of(instants[i]);
            int64_t expected = until_by_minutes(order, instant);
            ck_assert_msg(order_window_until(order, instant) == expected, "round %u, %s", round,
                          instants[i]);
            ck_assert(round > 0 || expected == ORDER_FOR_GOOD);
        }
    }
    order->windows = NULL;
    order_unref(order);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("order_window");
    TCase *tcase = tcase_create("order_window");
    tcase_add_loop_test(tcase, opens_and_closes_by_the_clocks, 0, ROWS(rows));
    tcase_add_test(tcase, without_windows_it_is_always_open);
    tcase_add_test(tcase, many_windows_are_as_minute_by_minute);
    tcase_add_test(tcase, nothing_changes_before_it_is_said_to);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
