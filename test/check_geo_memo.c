/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The memo says what locate says: for every border, in any order, however small it is.
 */
#include "geo/geo_memo.h"

#include <check.h>

#include "test/geo_world.h"
#include "test/suite.h"

#define BORDERS "test/fixtures/borders.mmdb"

static struct world world;

/* Asserts only when something is wrong: an assertion of Check is a system call. */
static void check_one(struct geo_memo *memo, size_t i)
{
    struct place place = {{"??"}, {{"??"}}};
    bool found = geo_memo_find(memo, &world.addresses.items[i], &place);
    if (!found || !world_same(&world.answers[i], place.country, &place.within)) {
        char text[ADDRESS_TEXT_MAX];
        ck_abort_msg("%s: \"%.2s\"", address_format(&world.addresses.items[i], text),
                     place.country.letter);
    }
}

/* One set only, two, and more than there are addresses. */
static const size_t SIZES[] = {1, 8, 16384};
#define SIZE_COUNT (sizeof SIZES / sizeof SIZES[0])

START_TEST(says_what_locate_says)
{
    srand48(_i);
    world_init(&world, BORDERS, WORLD_FEEDS[(size_t)_i / SIZE_COUNT]);
    struct geo_memo *memo = geo_memo_new(SIZES[(size_t)_i % SIZE_COUNT]);
    ck_assert_ptr_nonnull(memo);
    geo_memo_reset(memo, world.db, world.overrides);
    size_t i = 0;
    for (unsigned round = 0; round < 300000; round++) {
        /* Mostly near the last one: neighbours on either side of a border, one after the other. */
        bool near = lrand48() % 4 != 0;
        i = (near ? i + (size_t)lrand48() % 7 : (size_t)lrand48()) % world.addresses.count;
        check_one(memo, i);
    }
    geo_memo_free(memo);
    world_fini(&world);
}
END_TEST

/* A network is in a country, and in a part of it, if each address that may differ from its
 * neighbours is. */
static struct place slow_place(const struct network *network)
{
    bool first = true;
    struct place place = PLACE_UNKNOWN;
    for (size_t i = 0; i < world.addresses.count; i++) {
        const struct address *address = &world.addresses.items[i];
        const struct world_answer *answer = &world.answers[i];
        if (address_common_bits(address, &network->base) < network->length) {
            continue;
        }
        if (!first && !country_equal(place.country, answer->country)) {
            return PLACE_UNKNOWN;
        }
        if (first) {
            place = (struct place){answer->country, answer->within};
        } else {
            place.within = subdivisions_common(&place.within, &answer->within);
        }
        first = false;
    }
    return place;
}

START_TEST(says_where_all_of_a_network_is)
{
    static const unsigned LENGTHS[] = {128, 127, 125, 120, 117, 112, 108, 104, 97, 64, 56, 48, 32};
    world_init(&world, BORDERS, WORLD_FEEDS[_i]);
    struct geo_memo *memo = geo_memo_new(64);
    geo_memo_reset(memo, world.db, world.overrides);
    for (size_t i = 0; i < world.addresses.count; i += 67) {
        for (size_t at = 0; at < sizeof LENGTHS / sizeof LENGTHS[0]; at++) {
            unsigned length = LENGTHS[at];
            if (length < 97 && address_is_ipv4(&world.addresses.items[i])) {
                continue;
            }
            struct network network = network_around(&world.addresses.items[i], length);
            struct place expected = slow_place(&network);
            struct place found = {{"??"}, {{"??"}}};
            if (!geo_memo_find_network(memo, &network.base, 128 - length, &found) ||
                memcmp(&found, &expected, sizeof found) != 0) {
                char text[NETWORK_TEXT_MAX];
                ck_abort_msg("%s: \"%.2s\", not \"%.2s\"", network_format(&network, text),
                             found.country.letter, expected.country.letter);
            }
        }
    }
    geo_memo_free(memo);
    world_fini(&world);
}
END_TEST

START_TEST(forgets_on_reset)
{
    struct geo_memo *memo = geo_memo_new(1024);
    for (size_t feed = 0; feed < WORLD_FEED_COUNT; feed++) {
        world_init(&world, BORDERS, WORLD_FEEDS[feed]);
        geo_memo_reset(memo, world.db, world.overrides);
        for (size_t i = 0; i < 2 * world.addresses.count; i++) {
            check_one(memo, i % world.addresses.count);
        }
        world_fini(&world);
    }
    geo_memo_free(memo);
}
END_TEST

START_TEST(knows_nothing_without_a_database)
{
    struct geo_memo *memo = geo_memo_new(0);
    struct address address = model_address("2.32.0.1");
    ck_assert_ptr_nonnull(memo);
    struct place place = {{"IT"}, {{"MI"}}};
    ck_assert(!geo_memo_find(memo, &address, &place));
    ck_assert_mem_eq(&place, &PLACE_UNKNOWN, sizeof place);
    place = (struct place){{"IT"}, {{"MI"}}};
    ck_assert(!geo_memo_find_network(memo, &address, 8, &place));
    ck_assert_mem_eq(&place, &PLACE_UNKNOWN, sizeof place);
    geo_memo_free(memo);
    geo_memo_free(NULL);
}
END_TEST

START_TEST(refuses_a_size_beyond_memory)
{
    ck_assert_ptr_null(geo_memo_new(SIZE_MAX));
    ck_assert_ptr_null(geo_memo_new(SIZE_MAX / 2 + 2));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("geo_memo");
    TCase *tests = tcase_create("geo_memo");
    suite_add_tcase(suite, tests);
    tcase_add_loop_test(tests, says_what_locate_says, 0, (int)(WORLD_FEED_COUNT * SIZE_COUNT));
    tcase_add_loop_test(tests, says_where_all_of_a_network_is, 0, (int)WORLD_FEED_COUNT);
    tcase_add_test(tests, forgets_on_reset);
    tcase_add_test(tests, knows_nothing_without_a_database);
    tcase_add_test(tests, refuses_a_size_beyond_memory);
    tcase_set_timeout(tests, 60);
    return suite_run(suite);
}
