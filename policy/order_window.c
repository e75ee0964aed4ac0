/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Local time is counted in seconds as the clocks show them: an instant and the offset of the zone
 * at it. What holds at an instant can only change where a window begins or ends by that count, or
 * where the offset changes. The windows are drawn into one week, and the next change is looked for
 * in it, from one change of the offset to the next: a bounded work, however many windows there are
 * and however they follow each other.
 */
#include "policy/order_window.h"

#include <string.h>

#include "policy/instant_offsets.h"
#include "policy/order.h"

#define DAY_S INT64_C(86400)
#define EPOCH_WEEKDAY 3 /* 1970-01-01 was a Thursday; Monday is 0 */

/* Any weekly window has come and gone by then, also one that falls once into the hour left out. */
#define HORIZON_S (15 * DAY_S)

enum {
    CLOSED,
    OPEN
};

/* What the clocks show. */
struct local_time {
    unsigned weekday; /* Monday is 0 */
    int64_t second;   /* of the day */
    int64_t change;   /* the instant at which the clocks change next */
};

static struct local_time read_clocks(const struct order *order, int64_t instant)
{
    struct local_time local;
    int64_t shown = instant + instant_offsets_at(order->offsets, instant, &local.change);
    int64_t day = shown / DAY_S;
    local.second = shown % DAY_S;
    if (local.second < 0) {
        local.second += DAY_S;
        day--;
    }
    local.weekday = (unsigned)(((day + EPOCH_WEEKDAY) % 7 + 7) % 7);
    return local;
}

static bool begins_on(const struct order_window *window, unsigned weekday)
{
    return (window->days >> weekday & 1) != 0;
}

static bool window_holds(const struct order_window *window, const struct local_time *local)
{
    bool into_next_day = window->to_s <= window->from_s;
    unsigned yesterday = (local->weekday + 6) % 7;
    if (begins_on(window, local->weekday) && local->second >= window->from_s &&
        (into_next_day || local->second < window->to_s)) {
        return true;
    }
    return into_next_day && begins_on(window, yesterday) && local->second < window->to_s;
}

bool order_window_open(const struct order *order, int64_t instant)
{
    if (order->window_count == 0) {
        return true;
    }
    struct local_time local = read_clocks(order, instant);
    for (size_t i = 0; i < order->window_count; i++) {
        if (window_holds(&order->windows[i], &local)) {
            return true;
        }
    }
    return false;
}

/* A week by the clocks, in spans between the times of day at which some window begins or ends: does
 * the order bind in them? */
struct week {
    uint32_t
        begins[2 * ORDER_WINDOWS_MAX + 1]; /* of the spans of each day; sorted, the first is 0 */
    unsigned spans;                        /* a day */
    char open[7 * (2 * ORDER_WINDOWS_MAX + 1)]; /* Monday's first */
};

/* The span of a day that holds this second. */
static unsigned span_of(const struct week *week, uint32_t second)
{
    unsigned low = 0, high = week->spans;
    while (high - low > 1) {
        unsigned middle = (low + high) / 2;
        if (week->begins[middle] <= second) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Lets a span of every day begin here. */
static void split(struct week *week, uint32_t second)
{
    unsigned at = span_of(week, second) + 1;
    if (second < DAY_S && week->begins[at - 1] != second) {
        memmove(&week->begins[at + 1], &week->begins[at],
                (week->spans - at) * sizeof week->begins[0]);
        week->begins[at] = second;
        week->spans++;
    }
}

/* Opens the spans from one of the week to before another, over the week's end too. */
static void open_spans(struct week *week, unsigned begin, unsigned end)
{
    unsigned all = 7 * week->spans;
    unsigned here = end < all ? end : all;
    memset(week->open + begin, OPEN, here - begin);
    memset(week->open, OPEN, end - here);
}

static void draw_week(const struct order *order, struct week *week)
{
    week->begins[0] = 0;
    week->spans = 1;
    for (size_t i = 0; i < order->window_count; i++) {
        split(week, order->windows[i].from_s);
        split(week, order->windows[i].to_s);
    }
    memset(week->open, CLOSED, sizeof week->open);
    for (size_t i = 0; i < order->window_count; i++) {
        const struct order_window *window = &order->windows[i];
        unsigned from = span_of(week, window->from_s);
        unsigned to = window->to_s < DAY_S ? span_of(week, window->to_s) : week->spans;
        to += window->to_s <= window->from_s ? week->spans : 0;
        for (unsigned day = 0; day < 7; day++) {
            if (begins_on(window, day)) {
                open_spans(week, day * week->spans + from, day * week->spans + to);
            }
        }
    }
}

/* Seconds until the next span that is as wanted begins: 0 within one, -1 if there is none. */
static int64_t seconds_to(const struct week *week, const struct local_time *local, char wanted)
{
    unsigned all = 7 * week->spans;
    unsigned here = local->weekday * week->spans + span_of(week, (uint32_t)local->second);
    const char *found = memchr(week->open + here, wanted, all - here);
    unsigned weeks = found == NULL;
    found = found != NULL ? found : memchr(week->open, wanted, here);
    if (found == NULL || found == week->open + here) {
        return found == NULL ? -1 : 0;
    }
    unsigned span = (unsigned)(found - week->open);
    int64_t day = (int64_t)(7 * weeks + span / week->spans) - local->weekday;
    return day * DAY_S + week->begins[span % week->spans] - local->second;
}

int64_t order_window_until(const struct order *order, int64_t instant)
{
    struct week week;
    if (order->window_count == 0) {
        return ORDER_FOR_GOOD;
    }
    draw_week(order, &week);
    char other = order_window_open(order, instant) ? CLOSED : OPEN;
    for (int64_t at = instant; at <= instant + HORIZON_S;) {
        struct local_time local = read_clocks(order, at);
        int64_t ahead = seconds_to(&week, &local, other);
        if (ahead >= 0 && at + ahead < local.change) {
            return at + ahead <= instant + HORIZON_S ? at + ahead : ORDER_FOR_GOOD;
        }
        at = local.change; /* by then they show another time */
    }
    return ORDER_FOR_GOOD;
}
