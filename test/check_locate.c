/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Where addresses are: who decides, what transition addresses mean, and that no answer is said to
 * hold beyond a border, for every border of the model.
 */
#include "geo/locate.h"

#include <check.h>

#include "test/geo_world.h"
#include "test/suite.h"

#define BORDERS "test/fixtures/borders.mmdb"
#define ALIASED "test/fixtures/aliased.mmdb"

static struct world world;

static const char FEED[] = "2.33.0.0/16,FR\n2.34.0.0/16,\n2001:0:1::/48,CH\n64:ff9b::/96,AT\n";

static const struct {
    const char *label, *address;
    enum locate_source source;
    const char *code, *network, *alike;
} LOOKUPS[] = {
    {"IPv4 from the database", "2.40.0.1", LOCATE_DATABASE, "IT", "2.40.0.0/13", "2.40.0.0/13"},
    {"IPv4-mapped text", "::ffff:2.40.0.1", LOCATE_DATABASE, "IT", "2.40.0.0/13", "2.40.0.0/13"},
    {"IPv4 from the overrides", "2.33.7.77", LOCATE_OVERRIDE, "FR", "2.33.0.0/16", "2.33.0.0/16"},
    {"unknown by the overrides", "2.34.1.1", LOCATE_OVERRIDE, "", "2.34.0.0/16", "2.34.0.0/16"},
    {"unknown by the database", "192.0.2.225", LOCATE_DATABASE, "", "192.0.2.224/28",
     "192.0.2.224/28"},
    {"nowhere", "192.0.2.255", LOCATE_NOWHERE, "", "192.0.2.240/28", "192.0.2.240/28"},
    {"IPv6 from the database", "2a01:4f8::1", LOCATE_DATABASE, "DE", "2a01:4f8::/29",
     "2a01:4f8::/29"},
    {"6to4 from the database", "2002:228:1::1", LOCATE_DATABASE, "IT", "2.40.0.0/13",
     "2002:228::/29"},
    {"6to4 from the overrides", "2002:221:1::1", LOCATE_OVERRIDE, "FR", "2.33.0.0/16",
     "2002:221::/32"},
    {"6to4 of a host", "2002:0::1", LOCATE_DATABASE, "JP", "0.0.0.0/32", "2002::/48"},
    {"6to4 nowhere", "2002:c000:02ff::1", LOCATE_NOWHERE, "", "2002:c000:2f0::/44",
     "2002:c000:2f0::/44"},
    {"Teredo by overrides alone", "2001:0:1::1", LOCATE_OVERRIDE, "CH", "2001:0:1::/48",
     "2001:0:1::/48"},
    {"Teredo, though the database has 2000::/4", "2001::1", LOCATE_NOWHERE, "", "2001::/48",
     "2001::/48"},
    {"Teredo, far from any override", "2001:0:8000::1", LOCATE_NOWHERE, "", "2001:0:8000::/33",
     "2001:0:8000::/33"},
    {"NAT64 by overrides", "64:ff9b::2.40.0.1", LOCATE_OVERRIDE, "AT", "64:ff9b::/96",
     "64:ff9b::/96"},
    {"local NAT64", "64:ff9b:1::2.40.0.1", LOCATE_NOWHERE, "", "64:ff9b:1::/48", "64:ff9b:1::/48"},
    {"beside 6to4", "2003::1", LOCATE_DATABASE, "SE", "2002::/15", "2003::/16"},
    {"beside Teredo", "2001:1::1", LOCATE_DATABASE, "SE", "2001::/21", "2001:1::/32"},
};

START_TEST(knows_who_decides)
{
    world_init(&world, BORDERS, FEED);
    for (size_t i = 0; i < sizeof LOOKUPS / sizeof LOOKUPS[0]; i++) {
        struct address address = model_address(LOOKUPS[i].address);
        struct location location;
        locate(world.db, world.overrides, &address, &location);
        struct country expected;
        country_parse(LOOKUPS[i].code, strlen(LOOKUPS[i].code), &expected);
        char network[NETWORK_TEXT_MAX], alike[NETWORK_TEXT_MAX];
        ck_assert_msg(location.source == LOOKUPS[i].source, "%s: source %d", LOOKUPS[i].label,
                      (int)location.source);
        ck_assert_msg(country_equal(location.country, expected), "%s: \"%.2s\"", LOOKUPS[i].label,
                      location.country.letter);
        ck_assert_msg(strcmp(network_format(&location.network, network), LOOKUPS[i].network) == 0,
                      "%s: network %s", LOOKUPS[i].label, network);
        ck_assert_msg(strcmp(network_format(&location.alike, alike), LOOKUPS[i].alike) == 0,
                      "%s: alike %s", LOOKUPS[i].label, alike);
    }
    world_fini(&world);
}
END_TEST

/* No two addresses of one alike network may have different answers. */
static void check_alike(const struct location *location, size_t asked)
{
    const struct network *alike = &location->alike;
    for (size_t i = 0; i < world.addresses.count; i++) {
        bool covered =
            address_common_bits(&alike->base, &world.addresses.items[i]) >= alike->length;
        bool same = world.answers[i].source == location->source &&
                    world_same(&world.answers[i], location->country, &location->within);
        if (covered && !same) {
            char one[ADDRESS_TEXT_MAX], other[ADDRESS_TEXT_MAX];
            ck_abort_msg("%s and %s are said to be alike",
                         address_format(&world.addresses.items[asked], one),
                         address_format(&world.addresses.items[i], other));
        }
    }
}

START_TEST(agrees_with_the_model)
{
    size_t feed = (size_t)_i % WORLD_FEED_COUNT;
    world_init(&world, (size_t)_i < WORLD_FEED_COUNT ? BORDERS : ALIASED, WORLD_FEEDS[feed]);
    for (size_t i = 0; i < world.addresses.count; i++) {
        const struct address *address = &world.addresses.items[i];
        struct location location;
        locate(world.db, world.overrides, address, &location);
        char text[ADDRESS_TEXT_MAX];
        address_format(address, text);
        ck_assert_msg(location.source == world.answers[i].source, "%s: source %d", text,
                      (int)location.source);
        ck_assert_msg(world_same(&world.answers[i], location.country, &location.within),
                      "%s: \"%.2s-%.3s\"", text, location.country.letter, location.within.level[0]);
        ck_assert_msg(address_common_bits(&location.alike.base, address) >= location.alike.length,
                      "%s is outside of what is alike", text);
        check_alike(&location, i);
    }
    world_fini(&world);
}
END_TEST

START_TEST(works_without_overrides)
{
    world_init(&world, BORDERS, "");
    for (size_t i = 0; i < world.addresses.count; i++) {
        struct location location;
        locate(world.db, NULL, &world.addresses.items[i], &location);
        ck_assert_int_eq(location.source, world.answers[i].source);
        ck_assert(country_equal(location.country, world.answers[i].country));
        check_alike(&location, i);
    }
    world_fini(&world);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("locate");
    TCase *tests = tcase_create("locate");
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, knows_who_decides);
    tcase_add_loop_test(tests, agrees_with_the_model, 0, 2 * WORLD_FEED_COUNT);
    tcase_add_test(tests, works_without_overrides);
    tcase_set_timeout(tests, 60);
    return suite_run(suite);
}
