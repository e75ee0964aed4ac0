/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Connection IDs lead to their owners, and to nobody once they are forgotten.
 */
#include "forwarder/quic/quic_routes.h"

#include <check.h>

#include "test/suite.h"

static struct span id_of(const char *text)
{
    return (struct span){(const uint8_t *)text, strlen(text)};
}

START_TEST(an_id_is_the_whole_of_it)
{
    struct quic_routes *routes = quic_routes_new(42);
    struct quic_route *list = NULL;
    int owner;
    ck_assert(quic_routes_add(routes, id_of("abcdefgh"), &owner, &list));
    ck_assert_ptr_eq(quic_routes_find(routes, id_of("abcdefgh")), &owner);
    ck_assert_ptr_null(quic_routes_find(routes, id_of("abcdefg")));
    ck_assert_ptr_null(quic_routes_find(routes, id_of("abcdefghi")));
    ck_assert_ptr_null(quic_routes_find(routes, (struct span){(const uint8_t *)"abcdefgh\0", 9}));
    ck_assert_ptr_null(quic_routes_find(routes, (struct span){NULL, 0}));
    ck_assert(!quic_routes_add(routes, (struct span){NULL, 0}, &owner, &list));
    quic_routes_clear(routes, &list);
    quic_routes_free(routes);
}
END_TEST

START_TEST(an_id_has_one_owner)
{
    struct quic_routes *routes = quic_routes_new(42);
    struct quic_route *first = NULL;
    struct quic_route *second = NULL;
    int owners[2];
    ck_assert(quic_routes_add(routes, id_of("same"), &owners[0], &first));
    ck_assert(!quic_routes_add(routes, id_of("same"), &owners[1], &second));
    ck_assert_ptr_eq(quic_routes_find(routes, id_of("same")), &owners[0]);
    ck_assert_ptr_null(second);
    quic_routes_clear(routes, &first);
    quic_routes_free(routes);
}
END_TEST

START_TEST(too_long_an_id_is_nobodys)
{
    struct quic_routes *routes = quic_routes_new(42);
    struct quic_route *list = NULL;
    uint8_t longest[QUIC_ROUTES_ID_MAX + 1] = {0};
    int owner;
    ck_assert(!quic_routes_add(routes, (struct span){longest, sizeof longest}, &owner, &list));
    ck_assert_ptr_null(quic_routes_find(routes, (struct span){longest, sizeof longest}));
    ck_assert(quic_routes_add(routes, (struct span){longest, sizeof longest - 1}, &owner, &list));
    quic_routes_clear(routes, &list);
    quic_routes_free(routes);
}
END_TEST

#define OWNERS 200U
#define IDS 20U

/* Many owners with many IDs each, through several growths; one ID of each is forgotten, then every
 * other owner goes. */
START_TEST(lists_go_as_a_whole)
{
    struct quic_routes *routes = quic_routes_new(0x1234567890ABCDEF);
    struct quic_route *lists[OWNERS] = {NULL};
    for (uint32_t i = 0; i < OWNERS * IDS; i++) {
        struct span id = {(const uint8_t *)&i, sizeof i};
        ck_assert(quic_routes_add(routes, id, &lists[i % OWNERS], &lists[i % OWNERS]));
    }
    for (uint32_t i = 0; i < OWNERS; i++) {
        struct span id = {(const uint8_t *)&i, sizeof i};
        quic_routes_remove(routes, id, &lists[i]);
        quic_routes_remove(routes, id, &lists[i]); /* not there any more */
    }
    for (uint32_t i = 0; i < OWNERS; i += 2) {
        quic_routes_clear(routes, &lists[i]);
        ck_assert_ptr_null(lists[i]);
    }
    ck_assert_uint_eq(quic_routes_count(routes), OWNERS / 2 * (IDS - 1));
    for (uint32_t i = 0; i < OWNERS * IDS; i++) {
        struct span id = {(const uint8_t *)&i, sizeof i};
        bool gone = i < OWNERS || i % OWNERS % 2 == 0;
        ck_assert_ptr_eq(quic_routes_find(routes, id), gone ? NULL : &lists[i % OWNERS]);
    }
    for (uint32_t i = 0; i < OWNERS; i++) {
        quic_routes_clear(routes, &lists[i]);
    }
    ck_assert_uint_eq(quic_routes_count(routes), 0);
    quic_routes_free(routes);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("quic_routes");
    TCase *tcase = tcase_create("quic_routes");
    tcase_add_test(tcase, an_id_is_the_whole_of_it);
    tcase_add_test(tcase, an_id_has_one_owner);
    tcase_add_test(tcase, too_long_an_id_is_nobodys);
    tcase_add_test(tcase, lists_go_as_a_whole);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
