/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Differences of counts over time (see top_rates.h).
 */
#include "forwarder/cli/top_rates.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* What came between two counts, a second; to a thousandth, as nobody reads more. */
static double rate(const json_t *before, const json_t *after, double seconds)
{
    json_int_t more = json_integer_value(after) - json_integer_value(before);
    return more <= 0 ? 0 : (double)(int64_t)((double)more / seconds * 1000 + 0.5) / 1000;
}

static json_t *rates_of_counts(const json_t *before, const json_t *after, double seconds)
{
    json_t *rates = json_object();
    const char *key;
    json_t *count;
    json_object_foreach((json_t *)after, key, count)
    {
        double value = rate(json_object_get(before, key), count, seconds);
        if (json_is_integer(count) && value > 0) {
            json_object_set_new(rates, key, json_real(value));
        }
    }
    return rates;
}

static json_t *rates_of_countries(const json_t *before, const json_t *after, double seconds)
{
    json_t *rates = json_object();
    const char *code;
    json_t *counts;
    json_object_foreach((json_t *)after, code, counts)
    {
        const json_t *earlier = json_object_get(before, code);
        double queries =
            rate(json_object_get(earlier, "queries"), json_object_get(counts, "queries"), seconds);
        double blocked =
            rate(json_object_get(earlier, "blocked"), json_object_get(counts, "blocked"), seconds);
        if (queries > 0 || blocked > 0) {
            json_object_set_new(rates, code,
                                json_pack("{s:f, s:f}", "queries", queries, "blocked", blocked));
        }
    }
    return rates;
}

/* Names were counted by themselves, over an interval of their own. */
static json_t *rates_of_names(const json_t *names)
{
    double seconds = (double)json_integer_value(json_object_get(names, "interval_ms")) / 1000;
    json_t *rates = json_array();
    size_t index;
    json_t *each;
    json_array_foreach(json_object_get(names, "names"), index, each)
    {
        double blocked = rate(NULL, json_object_get(each, "blocked"), seconds > 0 ? seconds : 1);
        json_array_append_new(rates, json_pack("{s:O, s:f}", "name", json_object_get(each, "name"),
                                               "blocked", blocked));
    }
    return rates;
}

/* Counters that tell how much there is at the moment, not how often something happened. */
static bool is_counter(const char *key, const json_t *value)
{
    return json_is_integer(value) && strcmp(key, "time_ms") != 0 &&
           strcmp(key, "generation") != 0 && strcmp(key, "connections") != 0;
}

static void put_counters(json_t *out, const json_t *before, const json_t *after, double seconds)
{
    const char *key;
    json_t *count;
    json_object_foreach((json_t *)after, key, count)
    {
        if (is_counter(key, count)) {
            json_object_set_new(out, key,
                                json_real(rate(json_object_get(before, key), count, seconds)));
        }
    }
}

/* Milliseconds from one answer to the other; 0 if the first is not of the same run. */
static json_int_t interval_of(const json_t *before, const json_t *after)
{
    json_int_t ms = json_integer_value(json_object_get(after, "time_ms")) -
                    json_integer_value(json_object_get(before, "time_ms"));
    const json_t *first = json_object_get(before, "started");
    const json_t *second = json_object_get(after, "started");
    return ms > 0 && json_is_string(first) && json_equal(first, second) ? ms : 0;
}

json_t *top_rates(const json_t *before, const json_t *after)
{
    json_int_t ms = interval_of(before, after);
    double seconds = (double)ms / 1000;
    const json_t *names = json_object_get(after, "names");
    json_t *out = ms == 0 ? NULL
                          : json_pack("{s:I, s:O*, s:O*}", "interval_ms", ms, "generation",
                                      json_object_get(after, "generation"), "connections",
                                      json_object_get(after, "connections"));
    if (out == NULL) {
        return NULL;
    }
    put_counters(out, before, after, seconds);
    static const char *const by_id[] = {"by_order", "would_block_by_order"};
    for (size_t i = 0; i < sizeof by_id / sizeof by_id[0]; i++) {
        json_object_set_new(out, by_id[i],
                            rates_of_counts(json_object_get(before, by_id[i]),
                                            json_object_get(after, by_id[i]), seconds));
    }
    json_object_set_new(out, "by_country",
                        rates_of_countries(json_object_get(before, "by_country"),
                                           json_object_get(after, "by_country"), seconds));
    if (names != NULL) {
        json_object_set_new(out, "names",
                            json_is_null(names) ? json_null() : rates_of_names(names));
    }
    return out;
}
