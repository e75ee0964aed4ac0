/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rates of networks and clients (see rate_limit.h).
 */
#include "forwarder/rate_limit.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/random.h>

#include "forwarder/config/config.h"
#include "forwarder/query.h"
#include "forwarder/rate_table.h"
#include "forwarder/true_client.h"
#include "geo/network.h"

/* Second words of keys: networks of one family are not those of the other, and datagrams are not
 * streams. */
enum family {
    FAMILY_IPV4,
    FAMILY_IPV6,
};
#define STREAM 2U

static_assert(CONFIG_RATE_MAX <= RATE_TABLE_RATE_MAX, "a table takes what may be configured");

/* Tables of their own: a flood of the one kind must not use up counters of the other. */
struct rate_limit {
    struct rate_table *answers;
    struct rate_table *queries;
};

static struct rate_table *make_table(void)
{
    struct keyed_hash_key secret;
    bool random = getrandom(&secret, sizeof secret, 0) == sizeof secret;
    return random ? rate_table_new(&secret) : NULL;
}

struct rate_limit *rate_limit_new(void)
{
    struct rate_limit *limit = calloc(1, sizeof *limit);
    if (limit == NULL) {
        return NULL;
    }
    limit->answers = make_table();
    limit->queries = make_table();
    if (limit->answers == NULL || limit->queries == NULL) {
        rate_limit_free(limit);
        return NULL;
    }
    return limit;
}

void rate_limit_free(struct rate_limit *limit)
{
    if (limit == NULL) {
        return;
    }
    rate_table_free(limit->answers);
    rate_table_free(limit->queries);
    free(limit);
}

bool rate_limit_wanted(const struct config *config)
{
    return config->rate_limit.answers > 0 || config->rate_limit.queries > 0;
}

/* The upper half of an IPv6 address, or an IPv4 address in the upper half of that, with as many
 * bits as count. */
static struct rate_key key_of(const struct address *client, unsigned ipv4_bits, unsigned ipv6_bits)
{
    struct address inner;
    uint64_t half[2];
    bool is_6to4 = address_in_6to4(client, &inner);
    const struct address *who = is_6to4 ? &inner : client;
    memcpy(half, who->octet, sizeof half);
    if (address_is_ipv4(who)) {
        return (struct rate_key){be64toh(half[1]) << 32 >> (64 - ipv4_bits), FAMILY_IPV4};
    }
    return (struct rate_key){be64toh(half[0]) >> (64 - ipv6_bits), FAMILY_IPV6};
}

/* Is not counted either: what he has must not be missing to his neighbours. */
static bool is_exempt(const struct config *config, const struct address *client)
{
    return network_set_contains(config->rate_limit.exempt, client) ||
           true_client_speaks(&config->trust, client);
}

bool rate_limit_answer(struct rate_limit *limit, const struct config *config,
                       const struct address *client, uint64_t now_ms)
{
    const uint32_t rate = config->rate_limit.answers;
    if (rate == 0 || is_exempt(config, client)) {
        return true;
    }
    struct rate_key key = key_of(client, RATE_LIMIT_ANSWERS_IPV4, RATE_LIMIT_ANSWERS_IPV6);
    return rate_table_take(limit->answers, &key, rate, now_ms);
}

bool rate_limit_query(struct rate_limit *limit, const struct config *config,
                      const struct query_client *client, uint64_t now_ms)
{
    const uint32_t rate = config->rate_limit.queries;
    if (rate == 0 || is_exempt(config, &client->address)) {
        return true;
    }
    struct rate_key key =
        key_of(&client->address, RATE_LIMIT_QUERIES_IPV4, RATE_LIMIT_QUERIES_IPV6);
    key.second |= client->stream ? STREAM : 0;
    return rate_table_take(limit->queries, &key, rate, now_ms);
}
