/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Dates become instants here, by the timezone of the order. A key that was refused leaves the order
 * without that end, so that nothing else is judged by it.
 */
#include "policy/order_times.h"

#include "policy/instant.h"

void order_times_status(struct order_reader *reader, const struct order_key *key,
                        struct yaml_node value)
{
    (void)key;
    size_t len = 0;
    const char *text = yaml_node_scalar(value, &len);
    if (!order_status_parse(text, len, &reader->order->status)) {
        char shown[YAML_QUOTE_MAX];
        yaml_node_problem(value, PROBLEM_ERROR, reader->problems,
                          "expected active, suspended or lifted, not %s",
                          yaml_node_quote(value, shown));
    }
}

void order_times_timezone(struct order_reader *reader, const struct order_key *key,
                          struct yaml_node value)
{
    (void)key;
    char why[WHY_MAX];
    char shown[YAML_QUOTE_MAX];
    reader->zone = instant_zone_open(yaml_node_scalar(value, NULL), why);
    if (reader->zone == NULL) {
        yaml_node_problem(value, PROBLEM_ERROR, reader->problems, "%s: %s",
                          yaml_node_quote(value, shown), why);
    }
}

typedef bool day_fn(const char *text, size_t len, const struct instant_zone *zone, int64_t *out);

/* Reads a time, or a date by the day function. A bare date with a timezone that was refused says
 * nothing more. */
static bool read_instant(struct order_reader *reader, struct yaml_node value, day_fn *day,
                         int64_t *out)
{
    size_t len = 0;
    const char *text = yaml_node_scalar(value, &len);
    if (instant_parse(text, len, out)) {
        return true;
    }
    if (!instant_is_date(text, len)) {
        order_reader_refuse_time(reader, value);
    } else if (reader->zone != NULL) {
        return day(text, len, reader->zone, out);
    } else if (!yaml_node_present(order_reader_find(reader, "timezone"))) {
        yaml_node_problem(value, PROBLEM_ERROR, reader->problems,
                          "a bare date needs the key 'timezone' in the order");
    }
    return false;
}

bool order_times_start(struct order_reader *reader, struct yaml_node value, int64_t *out)
{
    return read_instant(reader, value, instant_day_start, out);
}

bool order_times_end(struct order_reader *reader, struct yaml_node value, int64_t *out)
{
    return read_instant(reader, value, instant_day_end, out);
}

void order_times_effective(struct order_reader *reader, const struct order_key *key,
                           struct yaml_node value)
{
    (void)key;
    (void)order_times_start(reader, value, &reader->order->effective);
}

void order_times_until(struct order_reader *reader, const struct order_key *key,
                       struct yaml_node value)
{
    (void)key;
    (void)order_times_end(reader, value, &reader->order->end);
}

/* A review needs no timezone: nothing begins or ends with it. */
void order_times_review(struct order_reader *reader, const struct order_key *key,
                        struct yaml_node value)
{
    (void)key;
    size_t len = 0;
    const char *text = yaml_node_scalar(value, &len);
    if (!instant_day_end(text, len, reader->zone, &reader->order->review) &&
        !instant_parse(text, len, &reader->order->review)) {
        order_reader_refuse_time(reader, value);
    }
}

void order_times_check(struct order_reader *reader)
{
    const struct order *order = reader->order;
    struct yaml_node until = order_reader_find(reader, "until");
    struct yaml_node review = order_reader_find(reader, "review");
    char shown[INSTANT_TEXT_MAX];
    bool ended = order->end <= reader->env->now;
    if (yaml_node_present(until) && order->end <= order->effective) {
        yaml_node_problem(until, PROBLEM_ERROR, reader->problems,
                          "the order would end before it begins");
    } else if (order->status == ORDER_ACTIVE && ended) {
        yaml_node_problem(until, PROBLEM_WARNING, reader->problems,
                          "the order ended at %s and binds nobody any more",
                          instant_format(order->end, shown));
    }
    if (order->review <= reader->env->now && order->status != ORDER_LIFTED && !ended) {
        yaml_node_problem(review, PROBLEM_WARNING, reader->problems,
                          "the order was due for review by %s",
                          instant_format(order->review, shown));
    }
}
