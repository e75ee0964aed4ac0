/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A database, overrides, the naive model of both together, and every address at which they could
 * disagree. Shared by the tests of locate and geo_memo.
 */
#pragma once

#include "geo/geo_db.h"
#include "geo/locate.h"
#include "geo/overrides.h"
#include "test/geo_model.h"

struct world {
    struct geo_db *db;
    struct overrides *overrides;
    struct model database; /* as networks.txt lists it */
    struct model feed;
    struct model_addresses addresses;
    /* What locate must say of each address. */
    struct world_answer {
        enum locate_source source;
        struct country country;
        struct subdivisions within;
    } answers[MODEL_ADDRESSES];
};

/* Prefixes beside, inside, around and equal to those of networks.txt and the special blocks. */
static const char *const WORLD_FEEDS[] = {
    "",
    "::/0,NZ\n0.0.0.0/0,CA\n",
    "2000::/3,NZ\n2001::/16,CA\n64:ff9b::/32,AR\n",
    "2.32.0.0/12,\n2.33.7.0/25,IT\n2.33.7.77,SM\n5.9.255.0/24,DE\n192.0.2.200,\n"
    "2.33.7.64/26,IT,IT-RM\n5.9.80.0/20,DE,DE-HE\n5.9.84.0/24,DE\n"
    "2001:b07:5d37:8000::/50,\n2001::/32,CH\n2001:0:220:1::/64,LI\n"
    "64:ff9b::220:0/108,IT\n64:ff9b:1::/48,\n64:ff9b:1:ffff::/64,SM\n",
    "8000::/1,\n::fffe:0:0/96,CL\n::1:0:0:0/96,CL\n2003::/16,PE\n2001:1::/32,PE\n",
};
#define WORLD_FEED_COUNT (sizeof WORLD_FEEDS / sizeof WORLD_FEEDS[0])

static inline bool world_begins(const struct address *address, const char *network)
{
    char why[320];
    struct network block;
    ck_assert(network_parse(network, strlen(network), &block, why, sizeof why));
    return model_holds(&block, address);
}

/* Do two places differ in nothing that counts? */
static inline bool world_same(const struct world_answer *answer, struct country country,
                              const struct subdivisions *within)
{
    return country_equal(answer->country, country) && subdivisions_equal(&answer->within, within);
}

/* The rules of locate.h in the plainest words. */
static inline struct world_answer world_answer(const struct world *world,
                                               const struct address *address)
{
    struct address key = *address;
    if (world_begins(address, "2002::/16")) {
        key = model_address("0.0.0.0");
        memcpy(key.octet + 12, address->octet + 2, 4);
    }
    const struct model_row *row = model_find(&world->feed, &key);
    if (row != NULL) {
        return (struct world_answer){LOCATE_OVERRIDE, row->country, row->within};
    }
    if (world_begins(address, "2001::/32") || world_begins(address, "64:ff9b::/96") ||
        world_begins(address, "64:ff9b:1::/48")) {
        return (struct world_answer){LOCATE_NOWHERE, COUNTRY_UNKNOWN, SUBDIVISIONS_UNKNOWN};
    }
    if (world_begins(address, "::/96")) { /* where a database has its IPv4 addresses */
        memcpy(key.octet, NETWORK_IPV4.base.octet, 12);
    }
    row = model_find(&world->database, &key);
    if (row != NULL) {
        return (struct world_answer){LOCATE_DATABASE, row->country, row->within};
    }
    return (struct world_answer){LOCATE_NOWHERE, COUNTRY_UNKNOWN, SUBDIVISIONS_UNKNOWN};
}

static inline void world_read_feed(struct world *world, const char *feed)
{
    struct problem_list problems;
    problem_list_init(&problems);
    world->overrides = overrides_parse("feed", feed, strlen(feed), &problems);
    ck_assert_ptr_nonnull(world->overrides);
    problem_list_fini(&problems);
    for (const char *line = feed; *line != '\0'; line = strchr(line, '\n') + 1) {
        char network[64], code[8] = "", region[8] = "";
        ck_assert_int_ge(sscanf(line, "%63[^,],%7[A-Z],%7[-A-Z]", network, code, region), 1);
        model_add(&world->feed, network, *region == '\0' ? code : region);
    }
}

static inline void world_init(struct world *world, const char *database, const char *feed)
{
    static const char *const blocks[] = {"::ffff:0:0/96", "2002::/16",      "2001::/32",
                                         "64:ff9b::/96",  "64:ff9b:1::/48", "::/96"};
    char why[WHY_MAX] = "";
    memset(world, 0, sizeof *world);
    world->db = geo_db_open(database, GEO_FIELD_COUNTRY, why);
    ck_assert_msg(world->db != NULL, "%s: %s", database, why);
    model_read(&world->database, "test/fixtures/networks.txt");
    world_read_feed(world, feed);
    model_addresses_of(&world->addresses, &world->database);
    model_addresses_of(&world->addresses, &world->feed);
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        struct network block;
        ck_assert(network_parse(blocks[i], strlen(blocks[i]), &block, why, sizeof why));
        model_addresses_around(&world->addresses, &block);
    }
    model_addresses_transition(&world->addresses);
    for (size_t i = 0; i < world->addresses.count; i++) {
        world->answers[i] = world_answer(world, &world->addresses.items[i]);
    }
}

static inline void world_fini(struct world *world)
{
    overrides_unref(world->overrides);
    geo_db_unref(world->db);
}
