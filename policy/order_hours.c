/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Each query of a client in scope looks at every window of the order, so there are few.
 */
#include "policy/order_hours.h"

#include <stdlib.h>
#include <string.h>

#include "policy/instant_offsets.h"

#define EVERY_DAY 0x7F
#define MINUTE_S 60U
#define HOUR_S 3600U
#define DAY_S 86400U

static bool parse_day(const char *text, unsigned *out)
{
    static const char *const days[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
    for (unsigned i = 0; i < sizeof days / sizeof *days; i++) {
        if (strcmp(days[i], text) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

static void read_day(struct order_reader *reader, struct yaml_node item,
                     struct order_window *window)
{
    unsigned day = 0;
    char shown[YAML_QUOTE_MAX];
    if (!parse_day(yaml_node_scalar(item, NULL), &day)) {
        yaml_node_problem(item, PROBLEM_ERROR, reader->problems,
                          "expected mon, tue, wed, thu, fri, sat or sun, not %s",
                          yaml_node_quote(item, shown));
    } else if ((window->days >> day & 1) != 0) {
        yaml_node_problem(item, PROBLEM_ERROR, reader->problems, "%s is given twice",
                          yaml_node_quote(item, shown));
    } else {
        window->days |= (uint8_t)(1U << day);
    }
}

static void read_days(struct order_reader *reader, struct yaml_node value, void *out)
{
    if (!order_reader_expect(reader, value, YAML_TEXT_SEQUENCE)) {
        return;
    }
    if (yaml_node_count(value) == 0) {
        yaml_node_problem(value, PROBLEM_ERROR, reader->problems,
                          "expected at least one day; without the key every day counts");
    }
    for (size_t i = 0; i < yaml_node_count(value); i++) {
        read_day(reader, yaml_node_item(value, i), out);
    }
}

static bool parse_two_digits(const char *text, unsigned *out)
{
    if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9') {
        return false;
    }
    *out = (unsigned)(text[0] - '0') * 10 + (unsigned)(text[1] - '0');
    return true;
}

/* Reads HH:MM as seconds of the day, 24:00 included. */
static bool parse_clock(const char *text, size_t len, uint32_t *out)
{
    unsigned hours, minutes;
    if (len != 5 || text[2] != ':' || !parse_two_digits(text, &hours) ||
        !parse_two_digits(text + 3, &minutes) || minutes > 59) {
        return false;
    }
    *out = hours * HOUR_S + minutes * MINUTE_S;
    return *out <= DAY_S;
}

static void read_clock(struct order_reader *reader, struct yaml_node value, uint32_t latest,
                       uint32_t *out)
{
    size_t len = 0;
    const char *text = yaml_node_scalar(value, &len);
    if (!parse_clock(text, len, out) || *out > latest) {
        char shown[YAML_QUOTE_MAX];
        yaml_node_problem(value, PROBLEM_ERROR, reader->problems,
                          "expected a time of day from 00:00 to %s, such as 18:00, not %s",
                          latest == DAY_S ? "24:00" : "23:59", yaml_node_quote(value, shown));
    }
}

static void read_from(struct order_reader *reader, struct yaml_node value, void *out)
{
    read_clock(reader, value, DAY_S - 1, &((struct order_window *)out)->from_s);
}

static void read_to(struct order_reader *reader, struct yaml_node value, void *out)
{
    read_clock(reader, value, DAY_S, &((struct order_window *)out)->to_s);
}

static const struct order_part_key window_keys[] = {
    {"days", read_days, false},
    {"from", read_from, true},
    {"to", read_to, true},
};
static const struct order_part window_part = {
    .noun = "window",
    .noun_with_article = "a window",
    .expected = "days, from or to",
    .keys = window_keys,
    .count = sizeof window_keys / sizeof *window_keys,
};

static void read_windows(struct order_reader *reader, struct yaml_node value)
{
    struct order *order = reader->order;
    for (size_t i = 0; i < yaml_node_count(value); i++) {
        struct order_window window = {0};
        if (order_reader_part(reader, yaml_node_item(value, i), &window_part, &window)) {
            window.days = window.days == 0 ? EVERY_DAY : window.days;
            order->windows[order->window_count++] = window;
        }
    }
}

/* A timezone that was refused says nothing more. */
static void take_offsets(struct order_reader *reader, struct yaml_node value)
{
    if (reader->zone != NULL) {
        reader->order->offsets = instant_offsets_new(reader->zone);
        if (reader->order->offsets == NULL) {
            order_reader_out_of_memory(reader, value);
        }
    } else if (!yaml_node_present(order_reader_find(reader, "timezone"))) {
        yaml_node_problem(value, PROBLEM_ERROR, reader->problems,
                          "windows need the key 'timezone' in the order");
    }
}

void order_hours_read(struct order_reader *reader, const struct order_key *key,
                      struct yaml_node value)
{
    (void)key;
    if (!order_reader_expect(reader, value, YAML_TEXT_SEQUENCE)) {
        return;
    }
    size_t count = yaml_node_count(value);
    if (count == 0 || count > ORDER_WINDOWS_MAX) {
        yaml_node_problem(value, PROBLEM_ERROR, reader->problems,
                          "expected 1 to %d windows, not %zu", ORDER_WINDOWS_MAX, count);
        return;
    }
    reader->order->windows = calloc(count, sizeof *reader->order->windows);
    if (reader->order->windows == NULL) {
        order_reader_out_of_memory(reader, value);
        return;
    }
    read_windows(reader, value);
    take_offsets(reader, value);
}
