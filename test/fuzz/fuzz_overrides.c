/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Any bytes as a geofeed. What is accepted must answer as a loop over its rows does, at the borders
 * of each row, and nothing within an "alike" network may be answered otherwise.
 */
#include "geo/overrides.h"

#include <stdlib.h>

#include "geo/geofeed.h"

#define REQUIRE(condition)  \
    do {                    \
        if (!(condition)) { \
            abort();        \
        }                   \
    } while (0)

#define ROWS_MAX 50

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct geofeed_row *find(const struct geofeed *feed, const struct address *address)
{
    const struct geofeed_row *best = NULL;
    for (size_t i = 0; i < feed->count; i++) {
        const struct geofeed_row *row = &feed->rows[i];
        if (network_contains(&row->network, address) &&
            (best == NULL || row->network.length > best->network.length)) {
            best = row;
        }
    }
    return best;
}

static void ask(const struct overrides *overrides, const struct geofeed *feed,
                const struct address *address)
{
    struct overrides_result result;
    overrides_find(overrides, address, &result);
    const struct geofeed_row *row = find(feed, address);
    REQUIRE(result.found == (row != NULL));
    REQUIRE(row == NULL || (country_equal(result.country, row->country) &&
                            subdivisions_equal(&result.within, &row->within) &&
                            result.prefix.length == row->network.length));
    REQUIRE(address_common_bits(&result.alike.base, address) >= result.alike.length);
    for (size_t i = 0; i < feed->count; i++) {
        const struct address *other = &feed->rows[i].network.base;
        if (address_common_bits(&result.alike.base, other) >= result.alike.length) {
            const struct geofeed_row *found = find(feed, other);
            REQUIRE((found == NULL) == (row == NULL));
            REQUIRE(row == NULL || (country_equal(found->country, row->country) &&
                                    subdivisions_equal(&found->within, &row->within)));
        }
    }
}

static void ask_around(const struct overrides *overrides, const struct geofeed *feed,
                       const struct network *network)
{
    struct address last = network_last(network);
    ask(overrides, feed, &network->base);
    ask(overrides, feed, &last);
    last.octet[15] ^= 1;
    ask(overrides, feed, &last);
    last.octet[network->length == 0 ? 0 : (network->length - 1) / 8] ^= 0x10;
    ask(overrides, feed, &last);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct problem_list problems;
    struct geofeed feed;
    problem_list_init(&problems);
    struct overrides *overrides = overrides_parse("feed", (const char *)data, size, &problems);
    REQUIRE((overrides == NULL) == (problems.errors > 0));
    for (size_t i = 0; i < problems.count; i++) {
        REQUIRE(problems.items[i].line > 0);
    }
    if (overrides != NULL && geofeed_parse("feed", (const char *)data, size, &feed, &problems)) {
        REQUIRE(overrides_count(overrides) <= feed.count);
        for (size_t i = 0; i < feed.count && feed.count <= ROWS_MAX; i++) {
            ask_around(overrides, &feed, &feed.rows[i].network);
        }
        ask_around(overrides, &feed, &NETWORK_IPV4);
        geofeed_fini(&feed);
    }
    overrides_unref(overrides);
    problem_list_fini(&problems);
    return 0;
}
