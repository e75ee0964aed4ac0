/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Local time is counted in seconds as the clocks show them: an instant and the offset of the zone
 * at it. What holds at an instant can only change where a window begins or ends by that count, or
 * where the offset changes; so the next change is found by going from one such place to the next.
 */
#include "policy/order_window.h"

#include "policy/instant_offsets.h"
#include "policy/order.h"

#define DAY_S INT64_C(86400)
#define EPOCH_WEEKDAY 3 /* 1970-01-01 was a Thursday; Monday is 0 */

/* Any weekly window has come and gone by then, also one that falls once into the hour left out. */
#define HORIZON_S (15 * DAY_S)

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

/* Seconds until the clocks show this second of a day, at least 1. */
static int64_t seconds_to(const struct local_time *local, uint32_t second)
{
    int64_t ahead = (int64_t)second % DAY_S - local->second;
    return ahead > 0 ? ahead : ahead + DAY_S;
}

/* The next place at which something may change. */
static int64_t next_place(const struct order *order, int64_t instant)
{
    struct local_time local = read_clocks(order, instant);
    int64_t nearest = DAY_S;
    for (size_t i = 0; i < order->window_count; i++) {
        int64_t begin = seconds_to(&local, order->windows[i].from_s);
        int64_t end = seconds_to(&local, order->windows[i].to_s);
        nearest = begin < nearest ? begin : nearest;
        nearest = end < nearest ? end : nearest;
    }
    return local.change < instant + nearest ? local.change : instant + nearest;
}

int64_t order_window_until(const struct order *order, int64_t instant)
{
    if (order->window_count == 0) {
        return ORDER_FOR_GOOD;
    }
    bool open = order_window_open(order, instant);
    for (int64_t at = next_place(order, instant); at <= instant + HORIZON_S;
         at = next_place(order, at)) {
        if (order_window_open(order, at) != open) {
            return at;
        }
    }
    return ORDER_FOR_GOOD;
}
