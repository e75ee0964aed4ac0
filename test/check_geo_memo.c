/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The memo says what locate says: for every border, in any order, however small it is.
 */
#include "geo/geo_memo.h"

#include <check.h>
#include <stdlib.h>

#include "test/geo_world.h"

#define BORDERS "test/fixtures/borders.mmdb"

static struct world world;

/* Asserts only when something is wrong: an assertion of Check is a system call. */
static void check_one(struct geo_memo *memo, size_t i)
{
    struct country country = {{'?', '?'}};
    bool found = geo_memo_find(memo, &world.addresses.items[i], &country);
    if (!found || !country_equal(country, world.answers[i].country)) {
        char text[ADDRESS_TEXT_MAX];
        ck_abort_msg("%s: \"%.2s\"", address_format(&world.addresses.items[i], text),
                     country.letter);
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
    for (unsigned round = 0; round < 1000000; round++) {
        /* Mostly near the last one: neighbours on either side of a border, one after the other. */
        bool near = lrand48() % 4 != 0;
        i = (near ? i + (size_t)lrand48() % 7 : (size_t)lrand48()) % world.addresses.count;
        check_one(memo, i);
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
    struct country country = {{'I', 'T'}};
    ck_assert_ptr_nonnull(memo);
    ck_assert(!geo_memo_find(memo, &address, &country));
    ck_assert(!country_known(country));
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
    tcase_add_test(tests, forgets_on_reset);
    tcase_add_test(tests, knows_nothing_without_a_database);
    tcase_add_test(tests, refuses_a_size_beyond_memory);
    tcase_set_timeout(tests, 60);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
